//! What the provider's business partners may do, by brand and channel (protocol 4.12 and 9).

use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Provider;
use crate::control::providers::{AuthorisationRequest, ProviderRequest, put_provider};
use crate::error::Result;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{form, hidden, select, tick};
use crate::panel::session::Door;
use crate::panel::words::{self, CHANNELS};
use crate::panel::{PageError, Posted, Visitor};
use crate::registry::Desk;
use crate::store::providers::{self, Authorisation, Brand, Right};
use crate::words::Channel;

const RIGHTS: [Right; 3] = [Right::Write, Right::Read, Right::None];

/// A brand and the partners that may act for it.
struct Entry {
    brand: Brand,
    partners: Vec<(i64, String, Authorisation)>,
}

pub(super) async fn list(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let entries = visitor.app.registry.run(move |desk| entries(desk, iys_code)).await?;
    let page = visitor.page("İş ortakları", "/hizmet-saglayici/is-ortaklari");
    Ok(page.show(&html! {
        p.dim { "İş ortağı, marka adına izinleri ancak burada yetki verdiğiniz kanallarda yazar ya da okur." }
        p { a.button href="/hizmet-saglayici/yetki" { "Yetki ver" } }
        @for Entry { brand, partners } in &entries {
            section.card {
                h2 { (brand.name) }
                p.dim { "Marka no " (brand.code) }
                @if partners.is_empty() { p { "Yetkili iş ortağı yok." } }
                ul.rows {
                    @for (code, title, authorisation) in partners {
                        li {
                            div.what { strong { (title) } p.dim { (in_words(*authorisation)) } }
                            a.button.quiet href={ "/hizmet-saglayici/yetki?marka=" (brand.code) "&ortak=" (code) } {
                                "Değiştir" span.hidden { ": " (brand.name) ", " (title) }
                            }
                        }
                    }
                }
            }
        }
    }))
}

fn entries(desk: &Desk<'_>, iys_code: i64) -> Result<Vec<Entry>> {
    let all = providers::list_partners(desk.db)?;
    let entries = providers::list_brands(desk.db, iys_code)?.into_iter().map(|brand| {
        let mut partners = Vec::new();
        for (code, title) in &all {
            let found = providers::find_authorisation(desk.db, *code, brand.code)?;
            partners.extend(found.map(|authorisation| (*code, title.clone(), authorisation)));
        }
        Ok(Entry { brand, partners })
    });
    entries.collect()
}

fn in_words(authorisation: Authorisation) -> String {
    let mut words: Vec<String> = CHANNELS
        .into_iter()
        .map(|channel| {
            let right = words::right(authorisation.right(channel)).to_lowercase();
            format!("{}: {right}", words::channel(channel))
        })
        .collect();
    words.extend(authorisation.agreement_control.then(|| "mutabakat".to_owned()));
    words.extend(authorisation.via_control.then(|| "VİA".to_owned()));
    words.join(", ")
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    marka: Option<i64>,
    ortak: Option<i64>,
}

/// What may be chosen on the form, and what holds now.
struct Choice {
    brands: Vec<Brand>,
    partners: Vec<(i64, String)>,
    present: Option<Authorisation>,
}

impl Choice {
    fn read(desk: &Desk<'_>, iys_code: i64, brand: Option<i64>, partner: Option<i64>) -> Result<Self> {
        let brands = providers::list_brands(desk.db, iys_code)?;
        let partners = providers::list_partners(desk.db)?;
        let own = brand.filter(|code| brands.iter().any(|brand| brand.code == *code));
        let present = match own.zip(partner) {
            Some((brand, partner)) => providers::find_authorisation(desk.db, partner, brand)?,
            None => None,
        };
        Ok(Self { brands, partners, present })
    }
}

pub(super) async fn show(
    visitor: Visitor<Provider>,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    form_page(&visitor, which.marka, which.ortak, Mistakes::default()).await
}

async fn form_page(
    visitor: &Visitor<Provider>,
    brand: Option<i64>,
    partner: Option<i64>,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let choice = visitor.app.registry.run(move |desk| Choice::read(desk, iys_code, brand, partner)).await?;
    let page = visitor.page("İş ortağı yetkisi", "/hizmet-saglayici/is-ortaklari").mistaken(mistakes);
    if choice.partners.is_empty() {
        return Ok(page.show(&html! {
            p { "Henüz iş ortağı yok. " code { "POST /_sandbox/partners" } " ile eklenir." }
        }));
    }
    let text = |code: Option<i64>| code.map(|code| code.to_string()).unwrap_or_default();
    let (chosen_brand, chosen_partner) = (text(brand), text(partner));
    let brands: Vec<(String, String)> =
        choice.brands.iter().map(|it| (it.code.to_string(), format!("{} ({})", it.name, it.code))).collect();
    let partners: Vec<(String, String)> =
        choice.partners.iter().map(|(code, title)| (code.to_string(), format!("{title} ({code})"))).collect();
    let may = |flag: fn(&Authorisation) -> bool| choice.present.as_ref().is_some_and(flag);
    Ok(page.show(&html! {
        (form(&visitor.visit, "/hizmet-saglayici/yetki", &html! {
            (select("marka", "Marka", &brands, &chosen_brand, &page.mistakes))
            (select("ortak", "İş ortağı", &partners, &chosen_partner, &page.mistakes))
            fieldset {
                legend { "Kanallar" }
                @for channel in CHANNELS { (right_of(channel, choice.present)) }
            }
            fieldset {
                legend { "Ek yetkiler" }
                (tick("mutabakat", "1", "Mutabakat yönetimi", may(|it| it.agreement_control)))
                (tick("via", "1", "VİA yönetimi", may(|it| it.via_control)))
            }
            button type="submit" { "Kaydet" }
        }))
        @if choice.present.is_some() {
            (form(&visitor.visit, "/hizmet-saglayici/yetki/kaldir", &html! {
                (hidden("marka", &chosen_brand))
                (hidden("ortak", &chosen_partner))
                button.quiet type="submit" { "Bütün yetkileri kaldır" }
            }))
        }
    }))
}

/// The choice of a right on a channel. A new authorisation proposes writing.
fn right_of(channel: Channel, present: Option<Authorisation>) -> Markup {
    let chosen = present.map_or(Right::Write, |present| present.right(channel));
    let options: Vec<(String, String)> =
        RIGHTS.into_iter().map(|right| (right.as_str().to_owned(), words::right(right).to_owned())).collect();
    select(channel.as_str(), words::channel(channel), &options, chosen.as_str(), &Mistakes::default())
}

pub(super) async fn put(Posted { visitor, form }: Posted<Provider>) -> Result<Response, PageError> {
    let right = |channel: Channel| -> Result<String, PageError> {
        let right = Right::parse(form.get(channel.as_str())).ok_or(PageError::Unreadable(Door::Provider))?;
        Ok(right.as_str().to_owned())
    };
    let request = AuthorisationRequest {
        message: right(Channel::Message)?,
        call: right(Channel::Call)?,
        email: right(Channel::Email)?,
        agreement_control: form.is_ticked("mutabakat"),
        via_control: form.is_ticked("via"),
        ..AuthorisationRequest::default()
    };
    apply(visitor, &form, request, "Yetki kaydedildi.").await
}

pub(super) async fn remove(Posted { visitor, form }: Posted<Provider>) -> Result<Response, PageError> {
    let none = || Right::None.as_str().to_owned();
    let request = AuthorisationRequest {
        message: none(),
        call: none(),
        email: none(),
        remove: true,
        ..AuthorisationRequest::default()
    };
    apply(visitor, &form, request, "Bütün yetkiler kaldırıldı.").await
}

/// Puts an authorisation for the brand and the partner of a form.
async fn apply(
    visitor: Visitor<Provider>,
    form: &Form,
    request: AuthorisationRequest,
    notice: &str,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let (brand, partner) = (form.number("marka"), form.number("ortak"));
    let done = visitor
        .app
        .registry
        .run(move |desk| {
            let choice = Choice::read(desk, iys_code, None, None)?;
            let brand_code = brand.filter(|code| choice.brands.iter().any(|brand| brand.code == *code));
            let Some(brand_code) = brand_code else { return Ok(Err("marka")) };
            let integrator_code =
                partner.filter(|code| choice.partners.iter().any(|(known, _)| known == code));
            let Some(integrator_code) = integrator_code else { return Ok(Err("ortak")) };
            let authorisation = AuthorisationRequest { integrator_code, brand_code, ..request };
            let authorisations = vec![authorisation];
            let request =
                ProviderRequest { iys_code: Some(iys_code), authorisations, ..ProviderRequest::default() };
            Ok(put_provider(desk, request)?.map_err(|_| "marka"))
        })
        .await?;
    match done {
        Ok(_) => Ok(visitor.go("/hizmet-saglayici/is-ortaklari", notice)),
        Err(field) => {
            form_page(&visitor, brand, partner, Mistakes::of(field, "Listeden birini seçin.")).await
        }
    }
}
