//! What vendors report of texts that they took. Reports come in any order, twice, and before the answer to the sending is written
//! down; only what goes further than what is known is kept.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_sms::Vendor;
use kopru_sms::inbound::{Delivery, Report};
use kopru_store::Priority;
use kopru_store::messages::{self, DeliveryReport, DeliveryState, Reported};
use uuid::Uuid;

use super::REPORT;
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// A report on a message that is older is about another: vendors count anew.
const OLDEST: TimeDelta = TimeDelta::days(7);

/// Keeps what the reports of a push say; false where one is about a message that is not known (yet).
pub async fn note(
    app: &App,
    vendor: Vendor,
    reports: &[Report],
    received_at: DateTime<Utc>,
) -> ServiceResult<bool> {
    if reports.is_empty() {
        return Ok(true);
    }
    let now = app.clocks.business();
    let known = Known::load(app, vendor, reports, received_at - OLDEST).await?;
    let mut noted = Vec::new();
    let mut tx = app.db.begin(Priority::Bulk).await?;
    for report in reports {
        let Some(message) = known.find(report) else { continue };
        let keys = app.vault.keys(&mut tx, message.iys_code).await?;
        let kept = DeliveryReport {
            state: state(report.state),
            code: words(report),
            at: report.at.unwrap_or(received_at).min(now),
            report: Some(keys.seal(REPORT, report.raw.as_bytes())),
        };
        if messages::report(&mut tx, message.iys_code, message.id, &kept, now).await? {
            noted.push((message, kept));
        }
    }
    tx.commit().await?;
    for (message, kept) in &noted {
        metrics::counter!("messages_reported_total", "vendor" => vendor.as_str(), "purpose" => message.purpose.as_str(),
            "outcome" => kept.state.as_str())
        .increment(1);
        if kept.state == DeliveryState::Failed {
            tracing::warn!(message.id = %message.id, purpose = message.purpose.as_str(), code = kept.code,
                "a message did not arrive");
        }
    }
    Ok(reports.iter().all(|report| known.find(report).is_some()))
}

/// The messages that reports are about, by the vendor's id and by ours.
struct Known {
    by_vendor: HashMap<String, Reported>,
    by_reference: HashMap<Uuid, Reported>,
}

impl Known {
    async fn load(
        app: &App,
        vendor: Vendor,
        reports: &[Report],
        since: DateTime<Utc>,
    ) -> ServiceResult<Self> {
        let ids = reports.iter().filter_map(|report| report.id.clone()).collect();
        let references = reports.iter().filter_map(reference).collect();
        let mut tx = app.db.read().await?;
        let by_vendor = messages::by_vendor_ids(&mut tx, vendor.as_str(), ids, since).await?;
        let by_reference = messages::by_references(&mut tx, references).await?;
        let of_vendor = |found: Reported| found.vendor_id.clone().map(|id| (id, found));
        Ok(Self {
            by_vendor: by_vendor.into_iter().filter_map(of_vendor).collect(),
            by_reference: by_reference.into_iter().map(|found| (found.id, found)).collect(),
        })
    }

    /// Our own reference is sure; a vendor's id may be that of a campaign.
    fn find(&self, report: &Report) -> Option<&Reported> {
        let ours = reference(report).and_then(|id| self.by_reference.get(&id));
        ours.or_else(|| report.id.as_ref().and_then(|id| self.by_vendor.get(id)))
    }
}

/// The reference that a message was sent with is its identity.
fn reference(report: &Report) -> Option<Uuid> {
    report.reference.as_deref().and_then(|text| Uuid::try_parse(text).ok())
}

const fn state(delivery: Delivery) -> DeliveryState {
    match delivery {
        // A word that nobody knows stands in `code` and says no more.
        Delivery::Pending | Delivery::Unknown => DeliveryState::Pending,
        Delivery::Sent => DeliveryState::Sent,
        Delivery::Delivered => DeliveryState::Delivered,
        Delivery::Failed => DeliveryState::Failed,
    }
}

/// The vendor's word and its reason; `0` is none.
fn words(report: &Report) -> String {
    let detail = report.detail.as_deref().filter(|detail| *detail != "0");
    std::iter::once(report.status.as_str()).chain(detail).collect::<Vec<_>>().join(" ")
}
