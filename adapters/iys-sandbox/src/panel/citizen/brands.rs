//! Adding a brand for the first time: the citizen gives a name along (`IYS_WEB_YENI`, protocol 4.10).

use axum::extract::{Path, Query};
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::{Act, Citizen, act, channels};
use crate::draft::Key;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, form, tick};
use crate::panel::session::Door;
use crate::panel::{PageError, Posted, Visitor, words};
use crate::store::citizens::{self, NamedBrand};
use crate::store::providers;
use crate::words::{Channel, FIRST_TIME_ON_WEB, RecipientType, Status};

/// The most brands on the page; a search finds the others.
const SHOWN_MAX: usize = 50;
const NAME_MAX: usize = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    ara: String,
}

/// The brands that have no record of the address yet.
pub(super) async fn choose(
    visitor: Visitor<Citizen>,
    Query(search): Query<Search>,
) -> Result<Response, PageError> {
    let address = visitor.person.address.clone();
    let mut brands = visitor
        .app
        .registry
        .run(move |desk| {
            let held = citizens::held(desk.db, &address)?;
            let mut brands = citizens::brands(desk.db)?;
            brands.retain(|brand| held.iter().all(|record| record.brand_code != brand.code));
            Ok(brands)
        })
        .await?;
    let wanted = words::lower(search.ara.trim());
    let fits = |text: &str| words::lower(text).contains(&wanted);
    brands.retain(|brand| fits(&brand.name) || fits(&brand.title) || brand.code.to_string() == wanted);
    brands.sort_by_cached_key(|brand| words::alphabetical(&brand.name));
    let more = brands.len().saturating_sub(SHOWN_MAX);
    let page = visitor.page("Marka ekle", "/vatandas/marka-ekle");
    Ok(page.show(&html! {
        form.search method="get" action="/vatandas/marka-ekle" role="search" {
            label for="ara" { "Marka adı, şirket ya da marka no" }
            div.line {
                input #ara type="search" name="ara" value=(search.ara) autocomplete="off";
                button type="submit" { "Ara" }
            }
        }
        @if brands.is_empty() { p { "Eklenecek marka bulunamadı." } }
        ul.rows.card {
            @for NamedBrand { code, name, title } in brands.iter().take(SHOWN_MAX) {
                li {
                    div.what { strong { (name) } p.dim { (title) ", marka no " (code) } }
                    a.button.quiet href={ "/vatandas/marka-ekle/" (code) } { "Ekle" span.hidden { ": " (name) } }
                }
            }
        }
        @if more > 0 { p.dim { (more) " marka daha var. Aramayı daraltın." } }
    }))
}

/// The form for a brand.
pub(super) async fn show(visitor: Visitor<Citizen>, Path(code): Path<i64>) -> Result<Response, PageError> {
    form_page(&visitor, code, &Form::default(), Mistakes::default()).await
}

async fn form_page(
    visitor: &Visitor<Citizen>,
    code: i64,
    filled: &Form,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let brands = visitor.app.registry.run(|desk| citizens::brands(desk.db)).await?;
    let brand =
        brands.into_iter().find(|brand| brand.code == code).ok_or(PageError::NotFound(Door::Citizen))?;
    let policy = visitor.app.registry.settings.get().settings.address_policy();
    let channels = channels(&visitor.person.address, policy);
    let page = visitor.page(brand.name, "/vatandas/marka-ekle").mistaken(mistakes);
    let name = Field {
        name: "ad",
        label: "Adınız soyadınız",
        hint: "Markaya izninizle birlikte bildirilir. Uydurma bir ad yazabilirsiniz.",
        value: filled.get("ad"),
        autocomplete: "name",
        ..Field::default()
    };
    Ok(page.show(&html! {
        p.dim { (brand.title) ", marka no " (brand.code) }
        (form(&visitor.visit, &format!("/vatandas/marka-ekle/{code}"), &html! {
            (name.show(&page.mistakes))
            fieldset #tip tabindex="-1" {
                legend { "Onay verdiğiniz kanallar" }
                @if let Some(mistake) = page.mistakes.at("tip") { p.mistake { (mistake) } }
                @for channel in &channels {
                    @let ticked = filled.all("tip").any(|value| value == channel.as_str());
                    (tick("tip", channel.as_str(), words::channel(*channel), ticked))
                }
            }
            button type="submit" { "Markayı ekle ve onay ver" }
        }))
    }))
}

/// Adds the brand with the chosen channels.
pub(super) async fn add(
    Path(code): Path<i64>,
    Posted { visitor, form }: Posted<Citizen>,
) -> Result<Response, PageError> {
    let recipient = visitor.person.address.clone();
    let policy = visitor.app.registry.settings.get().settings.address_policy();
    let possible = channels(&recipient, policy);
    let wanted: Option<Vec<Channel>> = form.all("tip").map(Channel::parse).collect();
    let wanted = wanted
        .filter(|wanted| wanted.iter().all(|channel| possible.contains(channel)))
        .ok_or(PageError::Unreadable(Door::Citizen))?;
    let name = form.get("ad").to_owned();
    let mut mistakes = Mistakes::default();
    if !(2..=NAME_MAX).contains(&name.chars().count()) {
        mistakes.add("ad", format!("Adınızı soyadınızı yazın (2 ile {NAME_MAX} karakter arası)."));
    }
    if wanted.is_empty() {
        mistakes.add("tip", "En az bir kanal seçin.");
    }
    if !mistakes.is_empty() {
        return form_page(&visitor, code, &form, mistakes).await;
    }
    let added = visitor
        .app
        .registry
        .run(move |desk| {
            let Some(brand) = providers::find_brand(desk.db, code)? else { return Ok(None) };
            let known = citizens::held(desk.db, &recipient)?.iter().any(|held| held.brand_code == code);
            for channel in wanted.iter().filter(|_| !known) {
                let recipient_type = RecipientType::Individual;
                let key = Key { recipient: recipient.clone(), recipient_type, channel: *channel };
                let name = Some(name.clone());
                act(desk, &brand, Act { key, status: Status::Approval, source: FIRST_TIME_ON_WEB, name })?;
            }
            Ok(Some((brand, known)))
        })
        .await?;
    let (brand, known) = added.ok_or(PageError::NotFound(Door::Citizen))?;
    let done = if known { "bu marka zaten izinlerinizin arasında" } else { "marka eklendi, onay verildi" };
    Ok(visitor.go("/vatandas", format!("{}: {done}.", brand.name)))
}
