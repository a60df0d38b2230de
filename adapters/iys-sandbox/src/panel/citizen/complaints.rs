//! Complaining about a brand, and seeing what becomes of it.

use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Citizen, channels};
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, form, select, time};
use crate::panel::session::Door;
use crate::panel::{PageError, Posted, Visitor, words};
use crate::registry::complaint;
use crate::store::citizens::{self, NamedBrand};
use crate::store::complaints::{self, Complaint, Of, State};
use crate::words::Channel;

const LIST_MAX: i64 = 100;
/// How long a complaint may be, in characters.
const TEXT_MAX: usize = 2000;
const TEXT_MIN: usize = 10;

pub(super) async fn list(visitor: Visitor<Citizen>) -> Result<Response, PageError> {
    let address = visitor.person.address.clone();
    let (list, brands) = visitor
        .app
        .registry
        .run(move |desk| {
            let list = complaint::list(desk, Of::Recipient(&address), LIST_MAX)?;
            Ok((list, citizens::brands(desk.db)?))
        })
        .await?;
    let page = visitor.page("Şikâyetler", "/vatandas/sikayetler");
    Ok(page.show(&html! {
        p { a.button href="/vatandas/sikayet" { "Yeni şikâyet" } }
        @if list.is_empty() { p { "Şikâyetiniz yok." } }
        @else {
            ul.rows.card {
                @for complaint in &list {
                    li {
                        div.what {
                            a href={ "/vatandas/sikayetler/" (complaint.id) } {
                                strong { "Şikâyet " (complaint.id) }
                            }
                            p.dim { (name_of(&brands, complaint.brand_code)) ", " (time(complaint.received_at)) }
                        }
                        span.badge { (words::complaint(complaint.state)) }
                    }
                }
            }
        }
    }))
}

fn name_of(brands: &[NamedBrand], code: i64) -> &str {
    brands.iter().find(|brand| brand.code == code).map_or("–", |brand| brand.name.as_str())
}

#[derive(Debug, Deserialize)]
pub(super) struct About {
    #[serde(default)]
    marka: String,
}

pub(super) async fn write(
    visitor: Visitor<Citizen>,
    Query(about): Query<About>,
) -> Result<Response, PageError> {
    form_page(&visitor, &about.marka, &Form::default(), Mistakes::default()).await
}

async fn form_page(
    visitor: &Visitor<Citizen>,
    brand: &str,
    filled: &Form,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let mut brands = visitor.app.registry.run(|desk| citizens::brands(desk.db)).await?;
    brands.sort_by_cached_key(|brand| words::alphabetical(&brand.name));
    let mut options = vec![(String::new(), "Marka seçin".to_owned())];
    options.extend(
        brands.into_iter().map(|brand| (brand.code.to_string(), format!("{} ({})", brand.name, brand.title))),
    );
    let policy = visitor.app.registry.settings.get().settings.address_policy();
    let channels: Vec<(String, String)> = channels(&visitor.person.address, policy)
        .into_iter()
        .map(|channel| (channel.as_str().to_owned(), words::channel(channel).to_owned()))
        .collect();
    let page = visitor.page("Yeni şikâyet", "/vatandas/sikayetler").mistaken(mistakes);
    let text = Field {
        name: "metin",
        label: "Ne oldu?",
        hint: "Ne zaman arandığınızı ya da iletide ne yazdığını anlatın.",
        value: filled.get("metin"),
        lines: 6,
        ..Field::default()
    };
    Ok(page.show(&html! {
        p.dim { "Onay vermediğiniz ya da reddettiğiniz hâlde size ulaşan markayı buradan şikâyet edebilirsiniz." }
        (form(&visitor.visit, "/vatandas/sikayet", &html! {
            (select("marka", "Marka", &options, brand, &page.mistakes))
            (select("tip", "Size nasıl ulaşıldı?", &channels, filled.get("tip"), &page.mistakes))
            (text.show(&page.mistakes))
            button type="submit" { "Şikâyeti gönder" }
        }))
    }))
}

pub(super) async fn file(Posted { visitor, form }: Posted<Citizen>) -> Result<Response, PageError> {
    let recipient = visitor.person.address.clone();
    let policy = visitor.app.registry.settings.get().settings.address_policy();
    let channel = Channel::parse(form.get("tip"))
        .filter(|channel| channels(&recipient, policy).contains(channel))
        .ok_or(PageError::Unreadable(Door::Citizen))?;
    let brands = visitor.app.registry.run(|desk| citizens::brands(desk.db)).await?;
    let brand = form.number("marka").filter(|code| brands.iter().any(|brand| brand.code == *code));
    let text = form.get("metin").to_owned();
    let mut mistakes = Mistakes::default();
    if brand.is_none() {
        mistakes.add("marka", "Bir marka seçin.");
    }
    if !(TEXT_MIN..=TEXT_MAX).contains(&text.chars().count()) {
        mistakes.add("metin", format!("{TEXT_MIN} ile {TEXT_MAX} karakter arasında bir açıklama yazın."));
    }
    let Some(brand) = brand.filter(|_| mistakes.is_empty()) else {
        return form_page(&visitor, form.get("marka"), &form, mistakes).await;
    };
    let id = visitor
        .app
        .registry
        .run(move |desk| complaints::add(desk.db, brand, &recipient, channel, &text, desk.now()))
        .await?;
    Ok(visitor.go(&format!("/vatandas/sikayetler/{id}"), "Şikâyetiniz alındı."))
}

pub(super) async fn show(visitor: Visitor<Citizen>, Path(id): Path<i64>) -> Result<Response, PageError> {
    let (found, brands) = visitor
        .app
        .registry
        .run(move |desk| Ok((complaint::find(desk, id)?, citizens::brands(desk.db)?)))
        .await?;
    let complaint = found
        .filter(|complaint| complaint.recipient == visitor.person.address)
        .ok_or(PageError::NotFound(Door::Citizen))?;
    let page = visitor.page(format!("Şikâyet {id}"), "/vatandas/sikayetler");
    let close = form(
        &visitor.visit,
        &format!("/vatandas/sikayetler/{id}/kapat"),
        &html! {
            button.quiet type="submit" { "Şikâyeti kapat" }
        },
    );
    Ok(page.show(&html! {
        dl {
            div { dt { "Marka" } dd { (name_of(&brands, complaint.brand_code)) } }
            div { dt { "Kanal" } dd { (words::channel(complaint.channel)) } }
            div { dt { "Durum" } dd { span.badge { (words::complaint(complaint.state)) } } }
        }
        h2 { "Şikâyetiniz" }
        p.quote { (complaint.text) }
        @if let Some(answer) = &complaint.answer { h2 { "Markanın yanıtı" } p.quote { (answer) } }
        h2 { "Aşamalar" }
        (stages(&complaint))
        @if complaint.state != State::Closed { (close) }
    }))
}

/// What has happened to a complaint so far.
fn stages(complaint: &Complaint) -> Markup {
    let stages = [
        (State::Received, Some(complaint.received_at)),
        (State::Sent, complaint.sent_at),
        (State::Answered, complaint.answered_at),
        (State::Closed, complaint.closed_at),
    ];
    html! {
        ol.stages {
            @for (state, at) in stages {
                @if let Some(at) = at { li { (words::complaint(state)) " " span.dim { (time(at)) } } }
            }
        }
    }
}

/// The citizen lets a complaint rest.
pub(super) async fn close(
    Path(id): Path<i64>,
    Posted { visitor, .. }: Posted<Citizen>,
) -> Result<Response, PageError> {
    let address = visitor.person.address.clone();
    let closed = visitor
        .app
        .registry
        .run(move |desk| {
            let own = complaint::find(desk, id)?.is_some_and(|complaint| complaint.recipient == address);
            if own { complaint::advance(desk, id, State::Closed, None).map(Some) } else { Ok(None) }
        })
        .await?;
    let notice = match closed.ok_or(PageError::NotFound(Door::Citizen))? {
        Ok(_) => "Şikâyet kapatıldı.",
        Err(_) => "Şikâyet zaten kapalı.",
    };
    Ok(visitor.go(&format!("/vatandas/sikayetler/{id}"), notice))
}
