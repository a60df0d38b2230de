//! The evidence of an opt-in (protocol 10.5).

use super::super::access::Access;
use super::super::add;
use super::super::answer::{Answer, Content, Download, Outcome};
use super::super::operation::Call;
use crate::error::Result;
use crate::registry::Desk;
use crate::rules::via::{ETK, KVK};
use crate::rules::via_end::{EVIDENCE, QuestionCase};
use crate::store::via::{self, Item, Process};
use crate::store::{evidence as store, providers};
use crate::wire_time;

/// Sends the pack of a process that has ended.
pub(crate) fn file(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let process = via::find(desk.db, access.iys_code(), call.variable("requestId"))?;
    desk.settings.first(EVIDENCE, |check| check(&QuestionCase { process: process.as_ref() }))?;
    download(desk, call.variable("requestId"))
}

/// The pack of a process as an answer.
pub(in crate::registry) fn download(desk: &Desk<'_>, request_id: &str) -> Outcome {
    let Some(pack) = store::find(desk.db, request_id)? else { return Err(add::impossible()) };
    Ok(Answer::File(Download {
        media_type: "application/zip",
        name: Some(format!("{request_id}.zip")),
        content: Content::Bytes(pack.into()),
    }))
}

/// Makes the pack of a process that has just ended. The summary says what the document lists; the citizen's
/// network address is known only where a link was opened.
pub(super) fn keep(desk: &Desk<'_>, process: &Process) -> Result<()> {
    let provider = providers::find(desk.db, process.iys_code)?;
    let ended_at = process.decided_at.unwrap_or(desk.now_millis);
    let mut lines = vec![
        ("İstek numarası", process.request_id.clone()),
        ("Tamamlanma zamanı", wire_time::write_millis(ended_at)),
        ("Hizmet sağlayıcı", provider.map(|provider| provider.title).unwrap_or_default()),
        ("İYS numarası", process.iys_code.to_string()),
        ("Form numarası", process.form_id.to_string()),
        ("İşlem tipi", process.method.as_str().to_owned()),
        ("İşlemi başlatan kullanıcı", process.username.clone()),
        ("Alıcı adresi", process.recipient.clone()),
        ("Alıcı türü", process.recipient_type.as_str().to_owned()),
    ];
    if let Some(person) = &process.person {
        lines.push(("Alıcı adı soyadı", person.name.clone()));
        lines.extend(person.id_number.clone().map(|number| ("Alıcı T.C. kimlik numarası", number)));
        lines.extend(person.address.clone().map(|address| ("Alıcı açık adresi", address)));
    }
    lines.extend(process.answered_from.clone().map(|from| ("Alıcı IP adresi", from)));
    lines.extend(process.codes.values().map(|code| ("Doğrulama kodu", code.clone())));
    lines.push(("İleti içeriği", process.text.clone()));
    for item in &process.items {
        lines.push((kind(item), decision(desk, item)?));
    }
    crate::evidence::keep(desk, &process.request_id, "ViA işlem özeti", &lines)
}

fn kind(item: &Item) -> &'static str {
    match item.title.as_str() {
        ETK => "ETK izni",
        KVK => "KVK izni",
        _ => "Onay",
    }
}

/// What was asked, for which brand, and what became of it.
fn decision(desk: &Desk<'_>, item: &Item) -> Result<String> {
    let brand = match item.brand_code {
        Some(code) => providers::find_brand(desk.db, code)?,
        None => None,
    };
    let brand = brand.map(|brand| format!(", {} ({})", brand.name, brand.code)).unwrap_or_default();
    let outcome = match &item.grant {
        Some(grant) => format!("ONAY, {}", grant.transaction_id),
        None => "onay verilmedi".to_owned(),
    };
    Ok(format!("{}{brand}: {outcome}", item.choice))
}
