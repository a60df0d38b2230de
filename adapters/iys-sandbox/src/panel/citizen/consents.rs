//! The citizen's consents by brand and channel, and giving and withdrawing them.

use axum::response::Response;
use maud::{Markup, html};

use super::{Act, Citizen, act, channels};
use crate::draft::Key;
use crate::error::Result;
use crate::panel::form::Form;
use crate::panel::frame::{form, hidden, time};
use crate::panel::session::{Door, Visit};
use crate::panel::words;
use crate::panel::{PageError, Posted, Visitor};
use crate::registry::Desk;
use crate::store::citizens::{self, Held, NamedBrand};
use crate::store::providers::{self, Brand};
use crate::words::{Channel, RecipientType, Status};

/// What a citizen does here is written with this source.
const SOURCE: &str = "IYS_WEB";

/// A brand that has a record of the address.
struct Entry {
    brand: NamedBrand,
    rows: Vec<Row>,
}

/// A channel of a brand, with its record where there is one.
struct Row {
    recipient_type: RecipientType,
    channel: Channel,
    held: Option<Held>,
}

pub(super) async fn show(visitor: Visitor<Citizen>) -> Result<Response, PageError> {
    let app = &visitor.app;
    let address = visitor.person.address.clone();
    let channels = channels(&address, app.registry.settings.get().settings.address_policy());
    let entries = app.registry.run(move |desk| entries(desk, &address, &channels)).await?;
    let page = visitor.page("İzinlerim", "/vatandas");
    Ok(page.show(&html! {
        @if entries.is_empty() {
            p { "Bu adres için kayıtlı izin yok." }
        } @else {
            p.dim { "Bir markanın sizi hangi kanaldan arayabileceğine ya da size ileti gönderebileceğine siz karar verirsiniz." }
        }
        @for entry in &entries { (card(&visitor.visit, entry)) }
        p { a.button href="/vatandas/marka-ekle" { "Marka ekle" } }
    }))
}

/// The brands that know an address, in the order of the alphabet.
fn entries(desk: &Desk<'_>, address: &str, channels: &[Channel]) -> Result<Vec<Entry>> {
    let mut held = citizens::held(desk.db, address)?;
    let mut brands = citizens::brands(desk.db)?;
    brands.retain(|brand| held.iter().any(|record| record.brand_code == brand.code));
    brands.sort_by_cached_key(|brand| words::alphabetical(&brand.name));
    let entries = brands.into_iter().map(|brand| {
        let of_brand: Vec<Held> = held.extract_if(.., |record| record.brand_code == brand.code).collect();
        Entry { brand, rows: rows(of_brand, channels) }
    });
    Ok(entries.collect())
}

/// Every channel of a person, and those records of a merchant that there are.
fn rows(mut held: Vec<Held>, channels: &[Channel]) -> Vec<Row> {
    let mut rows: Vec<Row> = channels
        .iter()
        .map(|channel| {
            let mine = |record: &Held| {
                record.channel == *channel && record.recipient_type == RecipientType::Individual
            };
            let position = held.iter().position(mine);
            let held = position.map(|position| held.remove(position));
            Row { recipient_type: RecipientType::Individual, channel: *channel, held }
        })
        .collect();
    rows.extend(held.into_iter().map(|record| Row {
        recipient_type: record.recipient_type,
        channel: record.channel,
        held: Some(record),
    }));
    rows
}

fn card(visit: &Visit, Entry { brand, rows }: &Entry) -> Markup {
    let approved = |row: &Row| row.held.as_ref().is_some_and(|held| held.status == Status::Approval);
    let approvals = rows.iter().filter(|row| approved(row)).count();
    html! {
        section.card {
            h2 { (brand.name) }
            p.dim { (brand.title) ", marka no " (brand.code) }
            ul.rows { @for row in rows { (row_of(visit, brand, row)) } }
            div.actions {
                @if approvals > 1 {
                    (form(visit, "/vatandas/tumunu-reddet", &html! {
                        (hidden("marka", &brand.code.to_string()))
                        button type="submit" { "Tümünü reddet" span.hidden { ": " (brand.name) } }
                    }))
                }
                a href={ "/vatandas/sikayet?marka=" (brand.code) } { "Şikâyet et" span.hidden { ": " (brand.name) } }
            }
        }
    }
}

fn row_of(visit: &Visit, brand: &NamedBrand, row: &Row) -> Markup {
    let status = row.held.as_ref().map(|held| held.status);
    let (wanted, verb) = match status {
        Some(Status::Approval) => (Status::Rejection, "Reddet"),
        _ => (Status::Approval, "Onay ver"),
    };
    let channel = words::channel(row.channel);
    html! {
        li {
            div.what {
                strong { (channel) }
                @if row.recipient_type == RecipientType::Merchant {
                    span.dim { " (" (words::recipient_type(row.recipient_type)) ")" }
                }
                " " (badge(status))
                @if let Some(held) = &row.held {
                    p.dim {
                        @if let Some(date) = held.consent_date { (time(date)) } @else { "tarihsiz" }
                        ", kaynak: " (words::source(held.source.as_deref()))
                    }
                }
            }
            (form(visit, "/vatandas/izin", &html! {
                (hidden("marka", &brand.code.to_string()))
                (hidden("alici", row.recipient_type.as_str()))
                (hidden("tip", row.channel.as_str()))
                (hidden("durum", wanted.as_str()))
                button.quiet type="submit" { (verb) span.hidden { ": " (brand.name) ", " (channel) } }
            }))
        }
    }
}

/// The state of a record in one word.
pub(super) fn badge(status: Option<Status>) -> Markup {
    match status {
        Some(Status::Approval) => html! { span.badge.yes { (words::status(Status::Approval)) } },
        Some(Status::Rejection) => html! { span.badge.no { (words::status(Status::Rejection)) } },
        None => html! { span.badge { "Kayıt yok" } },
    }
}

/// Gives or withdraws one consent.
pub(super) async fn change(Posted { visitor, form }: Posted<Citizen>) -> Result<Response, PageError> {
    let unreadable = || PageError::Unreadable(Door::Citizen);
    let recipient_type = RecipientType::parse(form.get("alici")).ok_or_else(unreadable)?;
    let channel = Channel::parse(form.get("tip")).ok_or_else(unreadable)?;
    let status = Status::parse(form.get("durum")).ok_or_else(unreadable)?;
    let recipient = visitor.person.address.clone();
    let policy = visitor.app.registry.settings.get().settings.address_policy();
    if !channels(&recipient, policy).contains(&channel) {
        return Err(unreadable());
    }
    let key = Key { recipient, recipient_type, channel };
    let done = visitor
        .app
        .registry
        .run(move |desk| {
            let Some(brand) = known_brand(desk, &form, &key.recipient)? else { return Ok(None) };
            let written = act(desk, &brand, Act { key, status, source: SOURCE, name: None })?;
            Ok(Some((brand, written)))
        })
        .await?;
    let (brand, written) = done.ok_or(PageError::NotFound(Door::Citizen))?;
    let done = match (written, status) {
        (false, _) => "zaten bu durumda",
        (true, Status::Approval) => "onay verildi",
        (true, Status::Rejection) => "reddedildi",
    };
    let notice = format!("{}, {}: {done}.", brand.name, words::channel(channel).to_lowercase());
    Ok(visitor.go("/vatandas", notice))
}

/// Withdraws all consents of a brand.
pub(super) async fn reject_all(Posted { visitor, form }: Posted<Citizen>) -> Result<Response, PageError> {
    let recipient = visitor.person.address.clone();
    let done = visitor
        .app
        .registry
        .run(move |desk| {
            let Some(brand) = known_brand(desk, &form, &recipient)? else { return Ok(None) };
            for held in citizens::held(desk.db, &recipient)? {
                if held.brand_code == brand.code && held.status == Status::Approval {
                    let Held { recipient_type, channel, .. } = held;
                    let key = Key { recipient: recipient.clone(), recipient_type, channel };
                    act(desk, &brand, Act { key, status: Status::Rejection, source: SOURCE, name: None })?;
                }
            }
            Ok(Some(brand))
        })
        .await?;
    let brand = done.ok_or(PageError::NotFound(Door::Citizen))?;
    Ok(visitor.go("/vatandas", format!("{}: bütün kanallar reddedildi.", brand.name)))
}

/// The brand of a form, when it has a record of the address: others are added with a name first.
fn known_brand(desk: &Desk<'_>, form: &Form, recipient: &str) -> Result<Option<Brand>> {
    let Some(code) = form.number("marka") else { return Ok(None) };
    if !citizens::held(desk.db, recipient)?.iter().any(|held| held.brand_code == code) {
        return Ok(None);
    }
    providers::find_brand(desk.db, code)
}
