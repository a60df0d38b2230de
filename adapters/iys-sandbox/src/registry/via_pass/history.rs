//! What became of a verification, and what credit is left (protocol 10.8).

use serde_json::{Map, Value, json};

use super::super::access::Access;
use super::super::add;
use super::super::answer::{Answer, Outcome};
use super::super::operation::Call;
use super::may_see;
use crate::registry::Desk;
use crate::rules::via_pass::{HISTORY, HistoryCase, is_sms};
use crate::store::opt_in::{self, UNLIMITED};
use crate::store::pass as store;
use crate::wire_time;
use crate::words::Product;

/// The lines of a page when none is asked for.
const PAGE_SIZE: i64 = 20;

/// The history of a process, oldest line first. Pages are counted from 1.
pub(crate) fn history(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let map: Option<Map<String, Value>> = serde_json::from_slice(&call.body).ok();
    let map = map.filter(|map| !map.is_empty());
    let request_id = map.as_ref().and_then(|map| map.get("requestId")?.as_str()).unwrap_or_default();
    let mut process = store::find(desk.db, request_id)?;
    if !may_see(desk, access, process.as_ref())? {
        process = None;
    }
    // 32 bits, as the document has it.
    let number = |name: &str, fallback: i64| {
        call.parameter(name).map_or(Some(fallback), |text| text.parse::<i32>().ok().map(i64::from))
    };
    let case = HistoryCase {
        map: map.as_ref(),
        page: number("page", 1),
        page_size: number("pageSize", PAGE_SIZE),
        process: process.as_ref(),
    };
    desk.settings.first(HISTORY, |check| check(&case))?;
    let (Some(process), Some(page), Some(page_size)) = (case.process, case.page, case.page_size) else {
        return Err(add::impossible());
    };
    let size = usize::try_from(page_size).unwrap_or(1).max(1);
    let before = usize::try_from(page - 1).unwrap_or_default().saturating_mul(size);
    let request_type = if is_sms(process.method) { "SMS" } else { "EMAIL" };
    let line = |event: &store::Event| {
        json!({
            "requestType": request_type,
            "status": event.status,
            "description": event.description,
            // The document's examples have microseconds.
            "transactionDate": format!("{}000", wire_time::write_millis(event.at_millis)),
        })
    };
    let content: Vec<Value> = process.events.iter().skip(before).take(size).map(line).collect();
    Ok(Answer::Json(
        200,
        json!({
            "pagination": {
                "currentPage": page,
                "totalItems": process.events.len(),
                "totalPages": process.events.len().div_ceil(size),
                "elementsInPage": content.len(),
            },
            "content": content,
        }),
    ))
}

/// The package of the provider; an empty list where there is none.
pub(crate) fn subscription(desk: &Desk<'_>, _: &Call, access: &Access) -> Outcome {
    let package = opt_in::find_package(desk.db, access.iys_code(), Product::Pass)?;
    let data: Vec<Value> = package
        .into_iter()
        .map(|package| {
            let (start, end) = (wire_time::write(package.start_at), wire_time::write(package.expires_at));
            json!({
                "iysViaSubscriptionId": package.id,
                "iysCode": package.iys_code,
                "startDate": start,
                "expirationDate": end,
                "creationDate": start,
                "lastUpdateDate": start,
                "autoRenewal": true,
                "viaCredit": package.credit,
                "status": package.status.as_str(),
                "viaSubscriptionPackage": {
                    "viaSubscriptionId": package.id,
                    "startDate": start,
                    "expirationDate": end,
                    "viaSubscriptionPackageName": package.name,
                    "status": package.status.as_str(),
                    "viaCredit": package.credit,
                    "isLimited": package.credit != UNLIMITED,
                },
            })
        })
        .collect();
    Ok(Answer::Json(200, json!({"data": data, "message": "Abonelik bilgileri."})))
}
