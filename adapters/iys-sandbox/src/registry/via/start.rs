//! Starting an opt-in (protocol 10.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::access::Access;
use super::super::add;
use super::super::answer::{Outcome, Stop};
use super::super::operation::Call;
use super::{body, ok, quota_full};
use crate::address;
use crate::registry::Desk;
use crate::rules::via::{ETK, Entry, KVK, START, StartCase, entries, form_id};
use crate::store::opt_in;
use crate::store::outbox::{self, Letter};
use crate::store::providers::{self, Provider};
use crate::store::via::{self, Item, Person, Process};
use crate::store::{random_code, random_text};
use crate::words::{FormKind, Product, RecipientType, Verification};

/// Checks what is asked for, writes to the citizen and gives the process its number.
pub(crate) fn start(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let map = body(desk, call)?;
    let Some(provider) = &access.provider else { return Err(add::impossible()) };
    check(desk, access, provider, &map)?;
    let mut process = read(desk, access, &map)?;
    let letter = letter(desk, call, provider, &mut process);
    process.undelivered = desk.settings.settings.via_delivery_fails;
    if !process.undelivered {
        outbox::send(desk.db, &letter)?;
    }
    via::put(desk.db, &process)?;
    Ok(ok(&json!({ "requestId": process.request_id })))
}

fn check(
    desk: &Desk<'_>,
    access: &Access,
    provider: &Provider,
    map: &Map<String, Value>,
) -> Result<(), Stop> {
    let form = form_id(map).map(|id| via::find_form(desk.db, id)).transpose()?.flatten();
    let package = opt_in::find_package(desk.db, provider.iys_code, Product::Via)?;
    let brands: Vec<i64> =
        providers::list_brands(desk.db, provider.iys_code)?.into_iter().map(|brand| brand.code).collect();
    let recipient = address::stored(map.get("recipient").and_then(Value::as_str).unwrap_or_default());
    let case = StartCase {
        map,
        addresses: desk.settings.settings.address_policy(),
        iys_code: provider.iys_code,
        form: form.as_ref(),
        brands: &brands,
        via_brands: &access.via_brands,
        package: package.as_ref(),
        quota_full: quota_full(desk, provider, &recipient)?,
    };
    Ok(desk.settings.first(START, |check| check(&case))?)
}

/// The process that a body asks for.
fn read(desk: &Desk<'_>, access: &Access, map: &Map<String, Value>) -> Result<Process, Stop> {
    let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default();
    let (Some(method), Some(form_id)) = (Verification::parse(text("verificationType")), form_id(map)) else {
        return Err(add::impossible());
    };
    let recipient_type = entries(map)
        .find(|entry| entry.title() == ETK)
        .and_then(|entry| RecipientType::parse(entry.get("recipientType")?.as_str()?));
    let mut codes = BTreeMap::new();
    if method.form_kind() == FormKind::Otp {
        for entry in entries(map) {
            codes.insert(entry.title().to_owned(), random_code()?);
        }
    }
    let link_token = if codes.is_empty() { Some(random_text(12)?) } else { None };
    Ok(Process {
        request_id: Uuid::new_v4().to_string(),
        iys_code: access.iys_code(),
        form_id,
        method,
        recipient: address::stored(text("recipient")),
        recipient_type: recipient_type.unwrap_or(RecipientType::Individual),
        person: entries(map).find_map(person),
        username: access.account.as_ref().map(|account| account.username.clone()).unwrap_or_default(),
        requested_at: desk.now_millis,
        text: String::new(),
        link_token,
        codes,
        confirmed: Vec::new(),
        wrong_codes: 0,
        items: entries(map).flat_map(items).collect(),
        undelivered: false,
        opened_at: None,
        decided_at: None,
        answered_from: None,
        store_failed: false,
    })
}

fn person(entry: Entry<'_>) -> Option<Person> {
    let text = |field: &str| entry.person(field).and_then(Value::as_str).map(str::to_owned);
    Some(Person { name: text("name")?, id_number: text("recipientIdNumber"), address: text("address") })
}

/// What an entry asks for: each type for each of its brands, or for the provider as a whole.
fn items(entry: Entry<'_>) -> Vec<Item> {
    let mut brands: Vec<Option<i64>> = entry.brand_codes().map(Some).collect();
    if brands.is_empty() {
        brands.push(None);
    }
    let mut items = Vec::new();
    for brand_code in brands {
        items.extend(entry.types().map(|choice| Item {
            title: entry.title().to_owned(),
            choice: choice.to_owned(),
            brand_code,
            grant: None,
        }));
    }
    items
}

/// What is written to the citizen. One message holds all codes, or one link.
fn letter(desk: &Desk<'_>, call: &Call, provider: &Provider, process: &mut Process) -> Letter {
    let link = process.link_token.as_ref().map(|token| format!("{}/v/{token}", call.origin));
    let sender = &provider.title;
    let text = match &link {
        Some(link) => {
            format!("{sender} sizden onay istiyor. İncelemek, onaylamak ya da vazgeçmek için: {link}")
        }
        None => {
            let codes: Vec<String> = process
                .codes
                .iter()
                .map(|(title, code)| format!("{} için kod {code}", subject(title)))
                .collect();
            format!("{sender}: {}. Onaylamıyorsanız kodu kimseyle paylaşmayın.", codes.join(", "))
        }
    };
    process.text.clone_from(&text);
    let codes = process.codes.clone();
    Letter { codes, link, ..Letter::new(&process.recipient, text, desk.now()) }
}

/// What a title is about, for people.
pub(crate) fn subject(title: &str) -> &str {
    match title {
        ETK => "ticari elektronik ileti onayı",
        KVK => "kişisel veri metinleri",
        own => own,
    }
}
