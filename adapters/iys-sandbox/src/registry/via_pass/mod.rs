//! Proving that somebody holds an address: the second-factor service, which changes no consent
//! (protocol 10.8).

pub(crate) mod evidence;
pub(crate) mod history;
pub(crate) mod shape;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Desk;
use super::access::{self, Access};
use super::add;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::address;
use crate::error::Result;
use crate::rules::via_pass::{
    BEGIN, BODY, BeginCase, BodyCase, CODE, COMPLETION, CompletionCase, PROCESS, ProcessCase, START,
    StartCase, address_field,
};
use crate::store::outbox::{self, Letter};
use crate::store::pass::{self as store, Event, Process};
use crate::store::{opt_in, random_code, random_text};
use crate::words::{PassMethod, Product};

/// How long a link works, in milliseconds: as long as those of the opt-in service, which is assumed.
pub(crate) const LINK_LIFE: i64 = crate::rules::via_end::LINK_LIFE;

/// Sends a code by text message.
pub(crate) fn start_sms(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    start(desk, call, access, PassMethod::SmsOtp)
}

/// Sends a code by e-mail.
pub(crate) fn start_email(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    start(desk, call, access, PassMethod::EmailOtp)
}

/// Sends a link by text message.
pub(crate) fn start_sms_link(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    start(desk, call, access, PassMethod::SmsShortUrl)
}

/// Sends a link by e-mail.
pub(crate) fn start_email_link(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    start(desk, call, access, PassMethod::EmailShortUrl)
}

fn body(desk: &Desk<'_>, call: &Call) -> Result<Map<String, Value>, Stop> {
    let map: Option<Map<String, Value>> = serde_json::from_slice(&call.body).ok();
    desk.settings.first(BODY, |check| check(&BodyCase { is_object: map.is_some() }))?;
    map.ok_or_else(add::impossible)
}

/// Starts a verification. One credit is taken for each, which is assumed.
fn start(desk: &Desk<'_>, call: &Call, access: &Access, method: PassMethod) -> Outcome {
    let map = body(desk, call)?;
    let addresses = desk.settings.settings.address_policy();
    desk.settings.all(START, |check| check(&StartCase { map: &map, method, addresses }))?;
    let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default();
    let template = store::find_template(desk.db, text("templateId"))?
        .filter(|template| template.iys_code == access.iys_code() && template.method == method);
    let package = opt_in::find_package(desk.db, access.iys_code(), Product::Pass)?;
    let case = BeginCase { template: template.as_ref(), package: package.as_ref() };
    desk.settings.first(BEGIN, |check| check(&case))?;
    opt_in::take_credit(desk.db, access.iys_code(), Product::Pass)?;
    let process = begin(desk, call, access, method, text(address_field(method)), text("vkn"))?;
    let data = match &process.short_url {
        None => json!({"requestId": process.request_id}),
        Some(short_url) => json!([{"requestId": process.request_id, "shortUrl": short_url}]),
    };
    Ok(Answer::Json(200, json!({"data": data, "message": "Doğrulama başlatıldı."})))
}

fn begin(
    desk: &Desk<'_>,
    call: &Call,
    access: &Access,
    method: PassMethod,
    recipient: &str,
    vkn: &str,
) -> Result<Process> {
    let by_code = matches!(method, PassMethod::SmsOtp | PassMethod::EmailOtp);
    let code = by_code.then(random_code).transpose()?;
    let short_url = (!by_code).then(|| random_text(8)).transpose()?;
    let link = short_url.as_ref().map(|short_url| format!("{}/p/{short_url}", call.origin));
    let text = match (&code, &link) {
        (Some(code), _) => format!("Doğrulama kodunuz: {code}. Kimseyle paylaşmayın."),
        (None, link) => format!("Adresinizi doğrulamak için: {}", link.as_deref().unwrap_or_default()),
    };
    let mut process = Process {
        request_id: Uuid::new_v4().to_string(),
        iys_code: access.iys_code(),
        method,
        recipient: address::stored(recipient),
        vkn: vkn.to_owned(),
        username: access.account.as_ref().map(|account| account.username.clone()).unwrap_or_default(),
        text: text.clone(),
        code,
        short_url,
        wrong_codes: 0,
        started_at: desk.now_millis,
        completed_at: None,
        completed_from: None,
        events: Vec::new(),
    };
    let what = if by_code { "OTP Generation" } else { "Short Url Generation" };
    note(desk, &mut process, what, what)?;
    let codes = process.code.iter().map(|code| ("PASS".to_owned(), code.clone())).collect();
    let letter = Letter { codes, link, ..Letter::new(&process.recipient, text, desk.now()) };
    outbox::send(desk.db, &letter)?;
    Ok(process)
}

/// Adds a line to the history and stores the process. Only the lines of codes are documented.
fn note(desk: &Desk<'_>, process: &mut Process, status: &str, description: &str) -> Result<()> {
    let (status, description) = (status.to_owned(), description.to_owned());
    process.events.push(Event { status, description, at_millis: desk.now_millis });
    store::put(desk.db, process)
}

/// Takes a code that was sent by text message.
pub(crate) fn complete_sms(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    take_code(desk, call, access, PassMethod::SmsOtp)
}

/// Takes a code that was sent by e-mail.
pub(crate) fn complete_email(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    take_code(desk, call, access, PassMethod::EmailOtp)
}

fn take_code(desk: &Desk<'_>, call: &Call, access: &Access, method: PassMethod) -> Outcome {
    let map = body(desk, call)?;
    desk.settings.all(COMPLETION, |check| check(&CompletionCase { map: &map }))?;
    let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default();
    let process = store::find(desk.db, text("requestId"))?.filter(|process| process.method == method);
    let permitted = may_see(desk, access, process.as_ref())?;
    let case =
        ProcessCase { process: process.as_ref(), permitted, code: text("otpCode"), now: desk.now_millis };
    desk.settings.first(PROCESS, |check| check(&case))?;
    let judged = desk.settings.first(CODE, |check| check(&case));
    let Some(mut process) = process else { return Err(add::impossible()) };
    if let Err(refusal) = judged {
        process.wrong_codes += 1;
        note(desk, &mut process, "FAILURE", "OTP Incorrect")?;
        return Err(refusal.into());
    }
    complete(desk, process, call.client.clone())?;
    Ok(Answer::Json(200, json!({"message": "Doğrulama tamamlandı."})))
}

/// Whether the caller may act for the provider of a process.
fn may_see(desk: &Desk<'_>, access: &Access, process: Option<&Process>) -> Result<bool> {
    match (&access.account, process) {
        (Some(account), Some(process)) => access::may_act_for(desk, account, process.iys_code),
        _ => Ok(false),
    }
}

/// Ends a process well and keeps the evidence.
pub(crate) fn complete(desk: &Desk<'_>, mut process: Process, from: String) -> Result<()> {
    process.completed_at = Some(desk.now_millis);
    process.completed_from = Some(from);
    let what = if process.code.is_some() { "OTP Completed" } else { "Short Url Completed" };
    note(desk, &mut process, "SUCCESS", what)?;
    evidence::keep(desk, &process)
}
