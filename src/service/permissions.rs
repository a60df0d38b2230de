//! What is known of one address: the state of each channel from both sides, what is under way, and, if asked for, the
//! movements that the registry holds.

mod history;

use chrono::{DateTime, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    Channel, Effective, LocalRejection, Observation, Permission, Recipient, RecipientType, RegistryKnowledge,
    RegistrySide, Text,
};
use kopru_store::brands::BrandRow;
use kopru_store::permissions;
use kopru_store::submissions::{self, OpenRow};
use kopru_store::{Key, ProviderKeys};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::consents::{Showing, note_shown};
use crate::service::{
    Caller, FieldProblem, Scope, ServiceError, ServiceResult, providers, reconciliation, via,
};

pub(in crate::service) use history::account;
pub use history::{Movement, history};

/// Which address, and which of its permissions.
#[derive(Debug, Clone)]
pub struct Query {
    /// As typed.
    pub recipient: String,
    /// Only this capacity; `None` = both.
    pub recipient_type: Option<RecipientType>,
    /// Only this channel; `None` = all that the address can have.
    pub channel: Option<Channel>,
    /// Also ask the registry for its movements. The registry allows 100 such questions an hour (H089), so this needs
    /// `channel`; the capacity is `BIREYSEL` where none is given.
    pub history: bool,
}

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressPermissions {
    /// The address, masked unless the key has `recipients:read`.
    #[schema(example = "+90 532 *** ** 67")]
    pub recipient: String,
    /// Start of the last complete reading of the registry's feed, RFC 3339 with +03:00; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Until when everything is known: the feed hides its last hour, of which only push tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
    /// One entry for each capacity and channel asked for.
    pub permissions: Vec<PermissionView>,
    /// Movements as the registry tells them, newest first; only where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Movement>>,
}

/// One permission from both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionView {
    /// `BIREYSEL` or `TACIR`.
    #[schema(value_type = String)]
    pub recipient_type: &'static str,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: &'static str,
    /// The effective value: `ONAY`, `RET`, or null while nothing is known that allows messages.
    #[schema(value_type = Option<String>)]
    pub status: Option<&'static str>,
    /// What is known of the registry's side: `known`, `empty` (it said that it holds nothing) or `not_known`.
    #[schema(value_type = String)]
    pub knowledge: &'static str,
    /// The registry's record, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryRecord>,
    /// A RET taken here that the registry does not show yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalRecord>,
    /// The last answer of the registry's list query, where it still counts for something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observation: Option<ObservationRecord>,
    /// Movements of ours that have not ended yet, in order of their dates.
    pub open: Vec<OpenMovement>,
}

/// The registry's record of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryRecord {
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// Who wrote it: `HS_…` or `IYS_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the registry recorded it.
    pub creation_date: String,
    /// The registry's id of the movement.
    pub transaction_id: String,
    /// The double opt-in by which the registry took it on our request (ViA): its evidence is at `…/opt-ins/{id}/evidence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_in_id: Option<Uuid>,
}

/// A RET of ours that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalRecord {
    /// Always `RET`: an approval counts when the registry holds it.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When the person refused, RFC 3339 with +03:00.
    pub at: String,
    /// The consent that says so.
    pub consent_id: Uuid,
}

/// Whether the address was among the approvals when the registry was asked for a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservationRecord {
    /// When it was asked, RFC 3339 with +03:00.
    pub asked_at: String,
    /// Whether it was in the list.
    pub approved: bool,
}

/// A movement of ours under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenMovement {
    /// The consent.
    pub consent_id: Uuid,
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When the person decided, RFC 3339 with +03:00.
    pub consent_date: String,
    /// `queued`, `in_flight`, `batched`, `unresolved` or `held`.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_cause: Option<String>,
}

/// A permission that was asked for.
struct Asked {
    recipient_type: RecipientType,
    channel: Channel,
    recipient: Recipient,
    key: Key,
}

/// What is known of an address.
pub async fn query(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    query: Query,
) -> ServiceResult<AddressPermissions> {
    caller.require(Scope::PermissionsRead)?;
    let showing = Showing::to(caller);
    let (mut answer, asked) = read(app, brand, &query, showing).await?;
    if query.history
        && let Some(first) = asked.first()
    {
        let movements = history(app, brand, &first.recipient, first.recipient_type, first.channel).await?;
        answer.history = Some(movements);
    }
    if showing == Showing::Full {
        let subject = format!("permissions of one address of brand {}", brand.brand_code);
        note_shown(app, caller, brand.iys_code, "recipient.shown", &subject).await?;
    }
    Ok(answer)
}

async fn read(
    app: &App,
    brand: &BrandRow,
    query: &Query,
    showing: Showing,
) -> ServiceResult<(AddressPermissions, Vec<Asked>)> {
    let mut tx = app.db.read().await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let asked = asked(&keys, brand, query).map_err(|problem| ServiceError::Invalid(vec![problem]))?;
    let names: Vec<Key> = asked.iter().map(|asked| asked.key).collect();
    let known = permissions::of_keys(&mut tx, brand.iys_code, names.clone()).await?;
    let open = submissions::open_of_keys(&mut tx, brand.iys_code, names).await?;
    let channels: Vec<Channel> = asked.iter().map(|asked| asked.channel).collect();
    let freshness =
        reconciliation::freshness_of(app, &mut tx, brand.iys_code, brand.brand_code, &channels).await?;
    let views = asked.iter().map(|asked| {
        let permission = known.iter().find(|row| row.key == asked.key).map(|row| &row.permission);
        PermissionView::new(asked, permission, open.iter().filter(|row| row.key == asked.key))
    });
    let mut views: Vec<PermissionView> = views.collect();
    let records = views.iter_mut().filter_map(|view| view.registry.as_mut());
    let records: Vec<&mut RegistryRecord> = records.collect();
    let names = records.iter().map(|record| record.transaction_id.clone()).collect();
    let tied = via::tied(&mut tx, brand.iys_code, names).await?;
    for record in records {
        record.opt_in_id = tied.get(&record.transaction_id).copied();
    }
    let answer = AddressPermissions {
        recipient: asked.first().map(|asked| showing.apply(asked.recipient.as_str())).unwrap_or_default(),
        as_of: freshness.as_of.map(format_rfc3339),
        horizon: freshness.horizon.map(format_rfc3339),
        permissions: views,
        history: None,
    };
    Ok((answer, asked))
}

fn asked(keys: &ProviderKeys, brand: &BrandRow, query: &Query) -> Result<Vec<Asked>, FieldProblem> {
    let mut list = Vec::new();
    let recipient_types: &[RecipientType] = match &query.recipient_type {
        Some(one) => std::slice::from_ref(one),
        None => RecipientType::ALL,
    };
    for (channel, recipient) in readings(query)? {
        for recipient_type in recipient_types {
            list.push(Asked {
                recipient_type: *recipient_type,
                channel,
                key: keys.key(brand.brand_code, *recipient_type, channel, recipient.as_str()),
                recipient: recipient.clone(),
            });
        }
    }
    Ok(list)
}

/// The address as each channel reads it: a landline can be called and takes no SMS.
fn readings(query: &Query) -> Result<Vec<(Channel, Recipient)>, FieldProblem> {
    if query.history && query.channel.is_none() {
        let title = Text::fixed(
            "geçmiş tek bir izin türü için sorulur: type alanını da gönderin",
            "history is asked for one channel: send type as well",
        );
        return Err(providers::field_problem("type", "missing", title));
    }
    let channels: &[Channel] = match &query.channel {
        Some(one) => std::slice::from_ref(one),
        None if query.recipient.contains('@') => &[Channel::Email],
        None => &[Channel::Call, Channel::Message],
    };
    let mut found = Vec::new();
    let mut refused = None;
    for channel in channels {
        match Recipient::parse(&query.recipient, *channel) {
            Ok(recipient) => found.push((*channel, recipient)),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if found.is_empty() => {
            Err(providers::field_problem("recipient", error.h_code(), error.text()))
        }
        _ => Ok(found),
    }
}

impl PermissionView {
    fn new<'a>(
        asked: &Asked,
        permission: Option<&Permission>,
        open: impl Iterator<Item = &'a OpenRow>,
    ) -> Self {
        let unknown = Permission::not_known();
        let permission = permission.unwrap_or(&unknown);
        Self {
            recipient_type: asked.recipient_type.as_str(),
            channel: asked.channel.as_str(),
            status: word(permission.effective(asked.recipient_type)),
            knowledge: match permission.registry {
                RegistryKnowledge::NotKnown => "not_known",
                RegistryKnowledge::KnownEmpty { .. } => "empty",
                RegistryKnowledge::Known(_) => "known",
            },
            registry: permission.registry.side().map(RegistryRecord::from),
            local: permission.local.map(LocalRecord::from),
            observation: permission.observation.map(ObservationRecord::from),
            open: open.map(OpenMovement::from).collect(),
        }
    }
}

/// The registry's word for an effective value.
pub(super) fn word(effective: Effective) -> Option<&'static str> {
    effective.status().map(kopru_domain::ConsentStatus::as_str)
}

impl From<&RegistrySide> for RegistryRecord {
    fn from(side: &RegistrySide) -> Self {
        Self {
            status: side.status.as_str(),
            consent_date: side.consent_date.map(format_rfc3339),
            source: side.source.as_ref().map(ToString::to_string),
            creation_date: format_rfc3339(side.creation_date),
            transaction_id: side.transaction_id.clone(),
            opt_in_id: None,
        }
    }
}

impl From<LocalRejection> for LocalRecord {
    fn from(local: LocalRejection) -> Self {
        Self { status: "RET", at: format_rfc3339(local.at), consent_id: local.consent_id }
    }
}

impl From<Observation> for ObservationRecord {
    fn from(seen: Observation) -> Self {
        Self { asked_at: format_rfc3339(seen.asked_at), approved: seen.approved }
    }
}

impl From<&OpenRow> for OpenMovement {
    fn from(row: &OpenRow) -> Self {
        let date: DateTime<Utc> = row.ordered_at;
        Self {
            consent_id: row.consent_id,
            status: row.status.as_str(),
            consent_date: format_rfc3339(date),
            state: row.state.as_str(),
            held_cause: row.cause.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(recipient: &str) -> Query {
        Query { recipient: recipient.to_owned(), recipient_type: None, channel: None, history: false }
    }

    fn channels(query: &Query) -> Vec<Channel> {
        readings(query).unwrap().into_iter().map(|(channel, _)| channel).collect()
    }

    #[test]
    fn an_address_has_the_channels_that_can_reach_it() {
        assert_eq!(channels(&query("0532 123 45 67")), [Channel::Call, Channel::Message]);
        assert_eq!(channels(&query("0212 123 45 67")), [Channel::Call]);
        assert_eq!(channels(&query("Ali@Example.com")), [Channel::Email]);
        assert_eq!(
            channels(&Query { channel: Some(Channel::Call), ..query("05321234567") }),
            [Channel::Call]
        );
    }

    #[test]
    fn an_address_that_fits_nothing_is_refused_with_the_registrys_code() {
        assert_eq!(readings(&query("12345")).unwrap_err().code, "H121");
        let mail = Query { channel: Some(Channel::Email), ..query("0532 123 45 67") };
        assert_eq!(readings(&mail).unwrap_err().code, "H120");
    }

    #[test]
    fn history_needs_a_channel() {
        assert_eq!(readings(&Query { history: true, ..query("05321234567") }).unwrap_err().field, "type");
    }
}
