//! Completing an opt-in with the codes that the citizen told the provider (protocol 10.2).

use serde_json::Value;

use super::super::access::Access;
use super::super::add;
use super::super::answer::Outcome;
use super::super::operation::Call;
use super::{body, end, ok};
use crate::registry::Desk;
use crate::rules::via::{Entry, entries};
use crate::rules::via_end::{CODE, CONFIRMATION, CodeCase, ConfirmationCase};
use crate::store::via;

/// Compares the codes and records what they approve. A wrong one among several counts as one wrong try and
/// records nothing. Titles may be confirmed one by one, which is assumed.
///
/// The answer has its wrapper also where only texts were approved; one example shows it without.
pub(crate) fn confirm(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let map = body(desk, call)?;
    let request_id = map.get("requestId").and_then(Value::as_str).unwrap_or_default();
    let process = via::find(desk.db, access.iys_code(), request_id)?;
    let case = ConfirmationCase { map: &map, process: process.as_ref(), now: desk.now_millis };
    desk.settings.first(CONFIRMATION, |check| check(&case))?;
    let Some(mut process) = process else { return Err(add::impossible()) };
    for entry in entries(&map) {
        let sent = process.codes.get(entry.title()).map_or("", String::as_str);
        let given = entry.get("otpCode").unwrap_or(&Value::Null);
        if let Err(refusal) = desk.settings.first(CODE, |check| check(&CodeCase { given, sent })) {
            process.wrong_codes += 1;
            via::put(desk.db, &process)?;
            return Err(refusal.into());
        }
    }
    let confirmed: Vec<&str> = entries(&map).map(Entry::title).collect();
    let fresh =
        |title: &str| confirmed.contains(&title) && !process.confirmed.iter().any(|done| done == title);
    let fresh: Vec<String> = process.codes.keys().filter(|title| fresh(title)).cloned().collect();
    let last = process.confirmed.len() + fresh.len() == process.codes.len();
    let granted = end::end(desk, &mut process, |_, item| fresh.contains(&item.title), last)?;
    process.confirmed.extend(fresh);
    via::put(desk.db, &process)?;
    Ok(ok(&end::told(&granted)))
}
