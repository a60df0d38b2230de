//! The evidence of a verification (protocol 10.8).

use super::super::access::Access;
use super::super::answer::Outcome;
use super::super::operation::Call;
use super::super::via::evidence::download;
use crate::error::Result;
use crate::registry::Desk;
use crate::rules::via_pass::{EVIDENCE, EvidenceCase};
use crate::store::pass::{self as store, Process};
use crate::store::providers;
use crate::wire_time;

/// Sends the pack of a process that was completed.
pub(crate) fn file(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let process = store::find(desk.db, call.variable("requestId"))?;
    let completed = process
        .is_some_and(|process| process.iys_code == access.iys_code() && process.completed_at.is_some());
    desk.settings.first(EVIDENCE, |check| check(&EvidenceCase { completed }))?;
    download(desk, call.variable("requestId"))
}

/// Makes the pack of a process that was just completed. Of a link the citizen's network address is told,
/// of a code the provider's.
pub(super) fn keep(desk: &Desk<'_>, process: &Process) -> Result<()> {
    let provider = providers::find(desk.db, process.iys_code)?;
    let ended_at = process.completed_at.unwrap_or(desk.now_millis);
    let from = process.completed_from.clone().unwrap_or_default();
    let mut lines = vec![
        ("İstek numarası", process.request_id.clone()),
        ("Başlama zamanı", wire_time::write_millis(process.started_at)),
        ("Tamamlanma zamanı", wire_time::write_millis(ended_at)),
        ("Şirket unvanı", provider.map(|provider| provider.title).unwrap_or_default()),
        ("İYS numarası", process.iys_code.to_string()),
        ("Vergi kimlik numarası", process.vkn.clone()),
        ("İşlem tipi", process.method.as_str().to_owned()),
        ("İşlemi başlatan kullanıcı", process.username.clone()),
        ("Alıcı adresi", process.recipient.clone()),
        ("İleti içeriği", process.text.clone()),
    ];
    match &process.code {
        Some(code) => {
            lines.push(("Doğrulama kodu", code.clone()));
            lines.push(("İşlemi yapan (doğrulayıcı) IP adresi", from));
        }
        None => {
            lines.push(("Referans", process.short_url.clone().unwrap_or_default()));
            lines.push(("İşlemi yapan (alıcı) IP adresi", from));
        }
    }
    crate::evidence::keep(desk, &process.request_id, "ViA Pass işlem özeti", &lines)
}
