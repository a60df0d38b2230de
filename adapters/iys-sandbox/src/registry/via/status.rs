//! How far an opt-in has come (protocol 10.4).

use serde_json::{Value, json};

use super::super::access::Access;
use super::super::add;
use super::super::answer::Outcome;
use super::super::operation::Call;
use super::ok;
use crate::registry::Desk;
use crate::rules::via_end::{CODE_LIFE, LINK_LIFE, QuestionCase, STATUS, WRONG_CODES_MAX};
use crate::settings::Settings;
use crate::store::via::{self, Item, Process};
use crate::wire_time;
use crate::words::FormKind;

/// Tells the state of a process and of each thing it asks for.
pub(crate) fn status(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let process = via::find(desk.db, access.iys_code(), call.variable("requestId"))?;
    desk.settings.first(STATUS, |check| check(&QuestionCase { process: process.as_ref() }))?;
    let Some(process) = process else { return Err(add::impossible()) };
    let (stage, status) = state(&process, desk.now_millis, &desk.settings.settings);
    let mut message = json!({
        "requestId": process.request_id,
        "formId": process.form_id.to_string(),
        "source": process.method.source(),
        "iysCode": process.iys_code.to_string(),
        "recipient": process.recipient,
        "recipientType": process.recipient_type,
        "consentSource": process.method,
        "requestDate": wire_time::write_millis(process.requested_at),
        "requestDetails": process.items.iter().map(detail).collect::<Vec<_>>(),
        "lastStatus": {"stage": stage, "status": status},
    });
    if let Some(person) = &process.person {
        message["recipientName"] = person.name.clone().into();
        if let Some(number) = &person.id_number {
            message["recipientIdNumber"] = number.clone().into();
        }
    }
    Ok(ok(&message))
}

fn detail(item: &Item) -> Value {
    let approved = if item.grant.is_some() { "Onay verildi" } else { "Onay verilmedi" };
    let mut detail = json!({
        "consentTypeChoice": item.choice,
        "consentType": item.title,
        "operationStatusMessage": approved,
    });
    if let Some(brand_code) = item.brand_code {
        detail["brandCode"] = brand_code.to_string().into();
    }
    if let Some(grant) = &item.grant {
        detail["transactionId"] = grant.transaction_id.clone().into();
        detail["consentDate"] = wire_time::write(grant.at_millis.div_euclid(1000)).into();
    }
    detail
}

/// Stage and status at an instant (milliseconds since 1970), by the tables of the method.
pub(crate) fn state(process: &Process, now: i64, settings: &Settings) -> (&'static str, &'static str) {
    let since = |then: i64| now.saturating_sub(then);
    let sent_after = settings.via_delivery_seconds.saturating_mul(1000);
    let stored_after = settings.via_store_seconds.saturating_mul(1000);
    if process.undelivered {
        return ("COMPLETED", "SMSMAIL_OUT_FAILURE");
    }
    if process.store_failed {
        return ("ENQUEUE", "SYSTEM_FAILURE");
    }
    if let Some(decided_at) = process.decided_at {
        let stored = since(decided_at) >= stored_after;
        return if stored { ("COMPLETED", "SUCCESS") } else { ("ENQUEUE", "PENDING") };
    }
    if since(process.requested_at) < sent_after {
        return ("SUCCESS", "START");
    }
    let kind = process.method.form_kind();
    let expired = since(process.requested_at) > if kind == FormKind::Otp { CODE_LIFE } else { LINK_LIFE };
    match kind {
        FormKind::Otp if process.wrong_codes >= WRONG_CODES_MAX => ("COMPLETED", "OTP_CODE_INCORRECT"),
        FormKind::Otp if expired => ("COMPLETED", "OTP_CODE_EXPIRED"),
        FormKind::Otp if process.wrong_codes > 0 => ("CONSENT_REQUESTED", "OTP_CODE_INCORRECT"),
        FormKind::ShortUrl if expired && process.opened_at.is_some() => ("COMPLETED", "SHORT_URL_EXPIRED"),
        FormKind::ShortUrl | FormKind::ApprovalUrl if expired => ("COMPLETED", "LINK_CLICK_TIMEOUT"),
        FormKind::ShortUrl if process.opened_at.is_some() => ("REQUEST_OPENED", "PENDING"),
        _ => ("CONSENT_REQUESTED", "PENDING"),
    }
}
