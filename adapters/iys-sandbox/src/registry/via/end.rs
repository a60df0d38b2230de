//! Recording what a citizen approved (protocol 10.2).

use serde_json::{Value, json};

use super::super::answer::Stop;
use super::super::citizen;
use super::{evidence, quota_full};
use crate::draft::Key;
use crate::error::{Error, Result};
use crate::registry::Desk;
use crate::rules::via_end::{STORE, StoreCase};
use crate::store::opt_in;
use crate::store::outbox::{self, Letter};
use crate::store::providers;
use crate::store::random_text;
use crate::store::via::{self, Grant, Item, Process};
use crate::wire_time;
use crate::words::{Channel, Product, Status};

/// Asks whether the record can take what was approved.
fn check(desk: &Desk<'_>, process: &Process) -> Result<(), Stop> {
    let provider =
        providers::find(desk.db, process.iys_code)?.ok_or(Error::Corrupt("via_processes.iys_code"))?;
    let package = opt_in::find_package(desk.db, process.iys_code, Product::Via)?;
    let case = StoreCase {
        credit: package.map_or(0, |package| package.credit),
        quota_full: quota_full(desk, &provider, &process.recipient)?,
        fails: desk.settings.settings.via_store_fails,
    };
    Ok(desk.settings.first(STORE, |check| check(&case))?)
}

/// Records the approval of some items; `last` ends the process. An approval of a channel becomes a movement
/// of the brand with the registry's source; of the other items only the process knows.
///
/// One credit is taken for a process that ends, approved or not: what an "operation" is, is assumed.
pub(crate) fn end(
    desk: &Desk<'_>,
    process: &mut Process,
    approved: impl Fn(usize, &Item) -> bool,
    last: bool,
) -> Result<Vec<Item>, Stop> {
    if let Err(stop) = check(desk, process) {
        if matches!(&stop, Stop::Refused(refusal) if refusal.errors.iter().any(|item| item.code == "H1059")) {
            process.store_failed = true;
            via::put(desk.db, process)?;
        }
        return Err(stop);
    }
    process.store_failed = false;
    let mut granted = Vec::new();
    for index in 0..process.items.len() {
        if approved(index, &process.items[index]) {
            let grant = record(desk, process, &process.items[index])?;
            process.items[index].grant = Some(grant);
            granted.push(process.items[index].clone());
        }
    }
    if last {
        process.decided_at = Some(desk.now_millis);
        opt_in::take_credit(desk.db, process.iys_code, Product::Via)?;
    }
    via::put(desk.db, process)?;
    if last {
        evidence::keep(desk, process)?;
    }
    if !granted.is_empty() {
        let what: Vec<&str> = granted.iter().map(|item| item.choice.as_str()).collect();
        let text = format!("Onayınız kaydedildi: {}. Dilediğiniz zaman vazgeçebilirsiniz.", what.join(", "));
        outbox::send(desk.db, &Letter::new(&process.recipient, text, desk.now()))?;
    }
    Ok(granted)
}

fn record(desk: &Desk<'_>, process: &Process, item: &Item) -> Result<Grant> {
    let brand = match item.brand_code {
        Some(code) => providers::find_brand(desk.db, code)?,
        None => None,
    };
    let transaction_id = match (brand, Channel::parse(&item.choice)) {
        (Some(brand), Some(channel)) => {
            let (recipient, recipient_type) = (process.recipient.clone(), process.recipient_type);
            let key = Key { recipient, recipient_type, channel };
            let source = process.method.source();
            let written = citizen::act_now(desk, &brand, key, Status::Approval, source)?;
            hex::encode(written.transaction_id)
        }
        _ => random_text(32)?,
    };
    Ok(Grant { transaction_id, at_millis: desk.now_millis })
}

/// Approved items as the confirmation tells them; the brand is a text there.
pub(super) fn told(items: &[Item]) -> Value {
    let told = items.iter().filter_map(|item| {
        let grant = item.grant.as_ref()?;
        let mut told = json!({
            "transactionId": grant.transaction_id,
            "creationDate": wire_time::write(grant.at_millis.div_euclid(1000)),
            "type": item.choice,
        });
        if let Some(brand_code) = item.brand_code {
            told["brandCode"] = brand_code.to_string().into();
        }
        Some(told)
    });
    told.collect()
}
