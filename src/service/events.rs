//! Events: every change of a permission, whoever caused it, becomes one event of the feed and of the webhooks; so does what a
//! client must know of a consent: its submission (expired, refused, held, late, at risk), and a notice that was not sent on its
//! day.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Channel, Deadline, Effective, IysCode, Permission, RecipientType};
use kopru_store::changes::{self, ChangeRow};
use kopru_store::heads::Head;
use kopru_store::{Key, ProviderKeys, Result, Tx, ids};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::service::mirror;

/// Version of the event's data.
const SCHEMA_VERSION: u32 = 1;

/// An event as clients receive it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Identity; the `webhook-id` of its deliveries.
    pub id: Uuid,
    /// `permission.changed`, or what happened to a consent.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339 with +03:00.
    pub timestamp: String,
    /// What happened.
    pub data: EventData,
}

/// What happened. For `permission.changed` the full current state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventData {
    /// Version of this shape.
    pub schema_version: u32,
    /// Provider.
    pub iys_code: i64,
    /// Brand.
    pub brand_code: i64,
    /// The address in full: a CRM cannot match a masked one.
    pub recipient: String,
    /// `BIREYSEL`, `TACIR`.
    pub recipient_type: String,
    /// `ARAMA`, `MESAJ`, `EPOSTA`.
    #[serde(rename = "type")]
    pub channel: String,
    /// The effective value now: `ONAY`, `RET`, or null while unknown.
    pub status: Option<String>,
    /// The effective value before.
    pub previous: Option<String>,
    /// What the registry holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryView>,
    /// A RET taken here that the registry does not show yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalView>,
    /// When the person decided.
    pub consent_date: Option<String>,
    /// Where.
    pub source: Option<String>,
    /// What led to it: `local_rejection`, `registered`, `registry_change`, `status_query`, `via` (the citizen approved at the
    /// registry, on our request), `daily_file`, `lost` …
    pub cause: String,
    /// Place in the provider's feed: rises with every event.
    pub sequence: i64,
    /// The client's reference of the consent behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The consent behind it, where one of ours is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<Uuid>,
    /// The state of its submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The code that explains the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
}

/// The registry's side.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryView {
    /// ONAY or RET.
    pub status: String,
    /// As the registry holds it.
    pub consent_date: Option<String>,
    /// As the registry holds it.
    pub source: Option<String>,
    /// When the registry recorded it.
    pub creation_date: String,
    /// The registry's id of the movement.
    pub transaction_id: String,
}

/// Our side.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalView {
    /// Always RET.
    pub status: String,
    /// The true time.
    pub at: String,
    /// The consent.
    pub consent_id: Uuid,
}

/// Where an event belongs.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Brand.
    pub brand_code: BrandCode,
    /// Blind name.
    pub key: Key,
    /// The canonical address.
    pub recipient: String,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
}

/// Events of one provider that one transaction appends.
pub struct EventLog {
    provider: IysCode,
    keys: Arc<ProviderKeys>,
    now: DateTime<Utc>,
    events: Vec<(Subject, Event)>,
}

impl EventLog {
    /// An empty log.
    pub fn new(provider: IysCode, keys: Arc<ProviderKeys>, now: DateTime<Utc>) -> Self {
        Self { provider, keys, now, events: Vec::new() }
    }

    /// Notes that the effective value of a permission changed, if it did.
    pub fn permission_changed(
        &mut self,
        subject: Subject,
        before: Effective,
        permission: &Permission,
        cause: &str,
        reference: Option<String>,
    ) {
        let after = permission.effective(subject.recipient_type);
        if after == before {
            return;
        }
        let side = permission.registry.side();
        let local = permission.local;
        let data = EventData {
            status: word(after),
            previous: word(before),
            registry: side.map(registry_view),
            local: local.map(|local| LocalView {
                status: "RET".to_owned(),
                at: format_rfc3339(local.at),
                consent_id: local.consent_id,
            }),
            consent_date: local
                .map(|local| local.at)
                .or(side.and_then(|side| side.consent_date))
                .map(format_rfc3339),
            source: if local.is_some() {
                None
            } else {
                side.and_then(|side| side.source.as_ref()).map(ToString::to_string)
            },
            cause: cause.to_owned(),
            reference,
            consent_id: local.map(|local| local.consent_id),
            ..EventData::default()
        };
        self.push(subject, "permission.changed", data);
    }

    /// Notes what became of a consent: of its submission, or of its notice.
    pub fn consent(&mut self, subject: Subject, kind: &str, data: EventData) {
        self.push(subject, kind, data);
    }

    fn push(&mut self, subject: Subject, kind: &str, data: EventData) {
        let data = EventData {
            schema_version: SCHEMA_VERSION,
            iys_code: self.provider.0,
            brand_code: subject.brand_code.0,
            recipient: subject.recipient.clone(),
            recipient_type: subject.recipient_type.as_str().to_owned(),
            channel: subject.channel.as_str().to_owned(),
            ..data
        };
        let event = Event {
            id: ids::new_id(self.now),
            kind: kind.to_owned(),
            timestamp: format_rfc3339(self.now),
            data,
        };
        self.events.push((subject, event));
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// Appends the events under the provider's head, which the caller holds.
    pub async fn append(self, tx: &mut Tx, head: &mut Head) -> Result<()> {
        let provider = self.provider;
        changes::append(tx, provider, self.number(head).rows).await
    }

    /// Gives the events the numbers that follow the provider's head, which the caller holds, and seals them.
    pub fn number(self, head: &mut Head) -> Numbered {
        let first = head.change_seq + 1;
        let mut rows = Vec::with_capacity(self.events.len());
        for (subject, mut event) in self.events {
            head.change_seq += 1;
            event.data.sequence = head.change_seq;
            let json = serde_json::to_vec(&event).unwrap_or_default();
            rows.push(ChangeRow {
                seq: head.change_seq,
                brand_code: subject.brand_code,
                key: subject.key,
                id: event.id,
                kind: event.kind,
                sealed: mirror::seal_event(&self.keys, &json),
                created_at: self.now,
            });
        }
        Numbered { numbers: (!rows.is_empty()).then_some((first, head.change_seq)), rows }
    }
}

/// Events with their places in the feed.
pub struct Numbered {
    /// Ready to be appended.
    pub rows: Vec<ChangeRow>,
    /// The first and the last number, if there are any.
    pub numbers: Option<(i64, i64)>,
}

/// The registry's side of a permission as it is shown to clients.
pub fn registry_view(side: &kopru_domain::RegistrySide) -> RegistryView {
    RegistryView {
        status: side.status.as_str().to_owned(),
        consent_date: side.consent_date.map(format_rfc3339),
        source: side.source.as_ref().map(ToString::to_string),
        creation_date: format_rfc3339(side.creation_date),
        transaction_id: side.transaction_id.clone(),
    }
}

fn word(effective: Effective) -> Option<String> {
    effective.status().map(|status| status.as_str().to_owned())
}
