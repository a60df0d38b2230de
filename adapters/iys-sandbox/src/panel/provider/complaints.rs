//! The complaints that have reached the provider, and its answers.

use axum::extract::Path;
use axum::response::Response;
use maud::html;

use super::Provider;
use crate::draft::Key;
use crate::error::Result;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, form, time};
use crate::panel::session::Door;
use crate::panel::{PageError, Posted, Visitor, words};
use crate::registry::{Desk, complaint};
use crate::store::complaints::{Complaint, Of, State};
use crate::store::consents::{Current, find_current};
use crate::store::providers::{self, Brand};
use crate::words::RecipientType;

const LIST_MAX: i64 = 200;
const ANSWER_MAX: usize = 2000;

pub(super) async fn list(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let (mut list, brands) = visitor
        .app
        .registry
        .run(move |desk| {
            let list = complaint::list(desk, Of::Provider(iys_code), LIST_MAX)?;
            Ok((list, providers::list_brands(desk.db, iys_code)?))
        })
        .await?;
    list.retain(|complaint| complaint.sent_at.is_some());
    let name = |code: i64| brands.iter().find(|brand| brand.code == code).map(|brand| brand.name.as_str());
    let page = visitor.page("Şikâyetler", "/hizmet-saglayici/sikayetler");
    Ok(page.show(&html! {
        @if list.is_empty() { p { "Size iletilmiş şikâyet yok." } }
        @else {
            ul.rows.card {
                @for complaint in &list {
                    li {
                        div.what {
                            a href={ "/hizmet-saglayici/sikayetler/" (complaint.id) } {
                                strong { "Şikâyet " (complaint.id) }
                            }
                            p.dim { (name(complaint.brand_code).unwrap_or("–")) ", " (time(complaint.received_at)) }
                        }
                        span.badge { (state(complaint.state)) }
                    }
                }
            }
        }
    }))
}

/// The state as the provider sees it.
fn state(state: State) -> &'static str {
    match state {
        State::Sent => "Yanıt bekliyor",
        other => words::complaint(other),
    }
}

/// A complaint with the brand it is about and the record it contradicts.
struct Case {
    complaint: Complaint,
    brand: Brand,
    current: Option<Current>,
}

/// A complaint that has reached this provider.
fn find(desk: &Desk<'_>, iys_code: i64, id: i64) -> Result<Option<Case>> {
    let Some(complaint) = complaint::find(desk, id)?.filter(|it| it.sent_at.is_some()) else {
        return Ok(None);
    };
    let brand = providers::find_brand(desk.db, complaint.brand_code)?;
    let Some(brand) = brand.filter(|brand| brand.iys_code == iys_code) else { return Ok(None) };
    let key = Key {
        recipient: complaint.recipient.clone(),
        recipient_type: RecipientType::Individual,
        channel: complaint.channel,
    };
    let current = find_current(desk.db, brand.code, &key)?;
    Ok(Some(Case { complaint, brand, current }))
}

pub(super) async fn show(visitor: Visitor<Provider>, Path(id): Path<i64>) -> Result<Response, PageError> {
    case_page(&visitor, id, &Form::default(), Mistakes::default()).await
}

async fn case_page(
    visitor: &Visitor<Provider>,
    id: i64,
    filled: &Form,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let case = visitor.app.registry.run(move |desk| find(desk, iys_code, id)).await?;
    let Case { complaint, brand, current } = case.ok_or(PageError::NotFound(Door::Provider))?;
    let page = visitor.page(format!("Şikâyet {id}"), "/hizmet-saglayici/sikayetler").mistaken(mistakes);
    let answer = Field {
        name: "yanit",
        label: "Yanıtınız",
        hint: "Şikâyet eden kişi okur.",
        value: filled.get("yanit"),
        lines: 6,
        ..Field::default()
    };
    Ok(page.show(&html! {
        dl {
            div { dt { "Marka" } dd { (brand.name) } }
            div { dt { "Alıcı" } dd { (complaint.recipient) } }
            div { dt { "Kanal" } dd { (words::channel(complaint.channel)) } }
            div { dt { "Şikâyet tarihi" } dd { (time(complaint.received_at)) } }
            div { dt { "Durum" } dd { span.badge { (state(complaint.state)) } } }
            div {
                dt { "Kayıtlı izin" }
                dd {
                    @match &current {
                        Some(current) => {
                            (words::status(current.status)) ", kaynak: " (words::source(current.source.as_deref()))
                            @if let Some(date) = current.consent_date { ", " (time(date)) }
                        }
                        None => "Kayıt yok",
                    }
                }
            }
        }
        h2 { "Şikâyet" }
        p.quote { (complaint.text) }
        @match &complaint.answer {
            Some(answer) => { h2 { "Yanıtınız" } p.quote { (answer) } }
            None if complaint.state == State::Sent => {
                (form(&visitor.visit, &format!("/hizmet-saglayici/sikayetler/{id}"), &html! {
                    (answer.show(&page.mistakes))
                    button type="submit" { "Yanıtla" }
                }))
            }
            None => p { "Şikâyet yanıtlanmadan kapandı." },
        }
    }))
}

pub(super) async fn answer(
    Path(id): Path<i64>,
    Posted { visitor, form }: Posted<Provider>,
) -> Result<Response, PageError> {
    let text = form.get("yanit").to_owned();
    if !(1..=ANSWER_MAX).contains(&text.chars().count()) {
        let sentence = format!("Bir yanıt yazın (en çok {ANSWER_MAX} karakter).");
        return case_page(&visitor, id, &form, Mistakes::of("yanit", sentence)).await;
    }
    let iys_code = visitor.person.iys_code;
    let answered = visitor
        .app
        .registry
        .run(move |desk| match find(desk, iys_code, id)? {
            Some(_) => complaint::advance(desk, id, State::Answered, Some(text)).map(Some),
            None => Ok(None),
        })
        .await?;
    let notice = match answered.ok_or(PageError::NotFound(Door::Provider))? {
        Ok(_) => "Yanıtınız iletildi.",
        Err(_) => "Bu şikâyet artık yanıtlanamaz.",
    };
    Ok(visitor.go(&format!("/hizmet-saglayici/sikayetler/{id}"), notice))
}
