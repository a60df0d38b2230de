//! Opting in through a link (protocol 10.3): a short link, where the citizen ticks what he approves, or an
//! approval link, which approves everything it names.

use std::sync::Arc;

use axum::extract::{Path, State};
use bytes::Bytes;
use http::StatusCode;
use maud::html;
use url::form_urlencoded;

use super::{Page, Visitor};
use crate::error::{Error, Result};
use crate::http::App;
use crate::panel::frame::tick;
use crate::registry::Desk;
use crate::registry::answer::Stop;
use crate::registry::via::end;
use crate::registry::via::start::subject;
use crate::rules::via::ETK;
use crate::rules::via_end::LINK_LIFE;
use crate::store::providers;
use crate::store::via::{self, Item, Process};
use crate::words::FormKind;

/// The field of the citizen's decision, and its two values.
const DECISION: &str = "karar";
const APPROVES: &str = "onay";
const REJECTS: &str = "ret";
/// The field of each ticked thing.
const ITEM: &str = "kalem";

/// The process of a link, if it can still be answered.
fn find(desk: &Desk<'_>, token: &str) -> Result<Result<Process, Page>> {
    let Some(process) = via::find_by_link(desk.db, token)? else { return Ok(Err(Page::unknown())) };
    if process.undelivered {
        return Ok(Err(Page::unknown()));
    }
    if process.decided_at.is_some() {
        return Ok(Err(Page::used()));
    }
    if desk.now_millis - process.requested_at > LINK_LIFE {
        return Ok(Err(Page::expired()));
    }
    Ok(Ok(process))
}

/// Shows what is asked for. The first look is noted, because the status tells it.
pub(super) async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Page, Page> {
    let shown = app.registry.run(move |desk| {
        let mut process = match find(desk, &token)? {
            Ok(process) => process,
            Err(page) => return Ok(page),
        };
        if process.opened_at.is_none() {
            process.opened_at = Some(desk.now_millis);
            via::put(desk.db, &process)?;
        }
        form(desk, &process)
    });
    Ok(shown.await?)
}

fn form(desk: &Desk<'_>, process: &Process) -> Result<Page> {
    let provider =
        providers::find(desk.db, process.iys_code)?.ok_or(Error::Corrupt("via_processes.iys_code"))?;
    let ticks = process.method.form_kind() == FormKind::ShortUrl;
    let labels = process.items.iter().map(|item| label(desk, item)).collect::<Result<Vec<_>>>()?;
    let content = html! {
        p { (provider.title) " sizden onay istiyor." }
        form method="post" {
            @for (index, label) in labels.iter().enumerate() {
                @if ticks { (tick(ITEM, &index.to_string(), label, false)) } @else { p { (label) } }
            }
            button type="submit" name=(DECISION) value=(APPROVES) { "Onaylıyorum" }
            " "
            button.quiet type="submit" name=(DECISION) value=(REJECTS) { "Onaylamıyorum" }
        }
    };
    Ok(Page { status: StatusCode::OK, heading: "Onay isteği", content })
}

/// What one thing is called on the page.
fn label(desk: &Desk<'_>, item: &Item) -> Result<String> {
    let what = match item.choice.as_str() {
        "ARAMA" if item.title == ETK => "arama",
        "MESAJ" if item.title == ETK => "kısa mesaj",
        "EPOSTA" if item.title == ETK => "e-posta",
        "AYDINLATMA_METNI" => "aydınlatma metni",
        "ACIK_RIZA_METNI" => "açık rıza metni",
        "YURTDISI_AKTARIM" => "yurt dışına aktarım",
        own => own,
    };
    let brand = match item.brand_code {
        Some(code) => providers::find_brand(desk.db, code)?,
        None => None,
    };
    let subject = subject(&item.title);
    Ok(match brand {
        Some(brand) => format!("{}, {subject}: {what}", brand.name),
        None => format!("{subject}: {what}"),
    })
}

/// Takes the citizen's decision: `karar` is `onay` or `ret`, `kalem` the number of each ticked thing. A
/// refusal ends the process and changes no record, which is assumed.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Visitor(visitor): Visitor,
    body: Bytes,
) -> Result<Page, Page> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let decision = |wanted: &str| fields.iter().any(|(name, value)| name == DECISION && value == wanted);
    let (approves, rejects) = (decision(APPROVES), decision(REJECTS));
    let ticked: Vec<usize> =
        fields.iter().filter(|(name, _)| name == ITEM).filter_map(|(_, value)| value.parse().ok()).collect();
    if approves == rejects {
        let text = "Onayladığınızı ya da onaylamadığınızı belirtin.";
        return Err(Page::text(StatusCode::UNPROCESSABLE_ENTITY, "Karar eksik", text));
    }
    let done = app.registry.run(move |desk| {
        let mut process = match find(desk, &token)? {
            Ok(process) => process,
            Err(page) => return Ok(page),
        };
        process.answered_from = Some(visitor);
        decide(desk, &mut process, approves, &ticked)
    });
    Ok(done.await?)
}

fn decide(desk: &Desk<'_>, process: &mut Process, approves: bool, ticked: &[usize]) -> Result<Page> {
    let everything = process.method.form_kind() == FormKind::ApprovalUrl;
    let known = ticked.iter().any(|index| *index < process.items.len());
    if approves && !everything && !known {
        let text = "Onaylamak istediğiniz kutuları işaretleyin.";
        return Ok(Page::text(StatusCode::UNPROCESSABLE_ENTITY, "Seçim eksik", text));
    }
    let approved = |index: usize, _: &Item| approves && (everything || ticked.contains(&index));
    Ok(match end::end(desk, process, approved, true) {
        Ok(granted) if granted.is_empty() => {
            Page::text(StatusCode::OK, "Onay verilmedi", "Kararınız kaydedildi: onay vermediniz.")
        }
        Ok(_) => Page::text(StatusCode::OK, "Onay kaydedildi", "Onayınız kaydedildi."),
        Err(Stop::Refused(refusal)) => {
            let message = refusal.errors.first().map_or("", |item| item.message.as_str());
            Page::text(StatusCode::SERVICE_UNAVAILABLE, "İşlem tamamlanamadı", message)
        }
        Err(Stop::Failed(error)) => return Err(error),
    })
}
