//! Translation of requests and answers.

use chrono::{DateTime, Utc};
use iys::wire::{AddResponse, BatchItemResult, Change, ConsentRequest, ErrorItem, StatusResponse};
use iys::{ErrorClass, IysError, PauseScope, codes};
use kopru_domain::time::{format_registry, parse_registry};
use kopru_domain::{
    Channel, Code, ConsentStatus, HeldCause, ProviderSource, RecipientType, RegistryAnswer, RegistrySide,
    RetailerCode,
};
use std::time::Duration;

/// Wrong credentials are an operator's to mend: look again this often.
pub const CREDENTIALS_AGAIN: Duration = Duration::from_mins(15);

/// What has not left the house is tried again soon, however often: the circuit breaker bounds the calls of an outage, and after
/// it the earliest target goes first and waits for nothing of its own.
pub const NOT_SENT_AGAIN: Duration = Duration::from_secs(4);

/// Within this time a clock that is behind has come to our date.
const CLOCKS_AGREE: Duration = Duration::from_secs(10);

/// What is told to the registry about one consent.
pub struct Filing<'a> {
    /// Canonical address.
    pub recipient: &'a str,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// Where it was taken.
    pub source: Option<ProviderSource>,
    /// The date to file.
    pub wire_date: Option<DateTime<Utc>>,
    /// The retailer who took it.
    pub retailer_code: Option<RetailerCode>,
    /// Retailers that may use it.
    pub retailer_access: Vec<i64>,
}

/// The request body of a filing.
pub fn request(filing: &Filing<'_>) -> ConsentRequest {
    ConsentRequest {
        recipient: filing.recipient.to_owned(),
        r#type: filing.channel.as_str().to_owned(),
        source: filing.source.map(|source| source.as_str().to_owned()),
        status: filing.status.as_str().to_owned(),
        consent_date: filing.wire_date.map(format_registry),
        recipient_type: Some(filing.recipient_type.as_str().to_owned()),
        retailer_code: filing.retailer_code.map(|code| code.0),
        retailer_access: filing.retailer_access.clone(),
    }
}

/// What the answer to a single add means. A 5xx that can be read does not prove that nothing was written: the outcome is
/// unknown, and only the same bytes go again (design.md section 4.7).
pub fn answer(result: &Result<AddResponse, IysError>) -> RegistryAnswer {
    match result {
        Ok(added) => match parse_registry(&added.creation_date) {
            Ok(creation_date) => {
                RegistryAnswer::Registered { transaction_id: added.transaction_id.clone(), creation_date }
            }
            Err(_) => RegistryAnswer::Unknown,
        },
        Err(error) if error.may_have_written() => RegistryAnswer::Unknown,
        Err(error) => refusal(error.class(), error.code()),
    }
}

/// What an item of a batch result means; `None` while it is not decided.
pub fn item_answer(item: &BatchItemResult) -> Option<RegistryAnswer> {
    if item.is_recorded() {
        let transaction_id = item.transaction_id.clone()?;
        let creation_date = item.creation_date.as_deref().and_then(|date| parse_registry(date).ok())?;
        return Some(RegistryAnswer::Registered { transaction_id, creation_date });
    }
    if item.is_failed() { Some(item_refusal(item.error.as_ref())) } else { None }
}

/// What a refusal inside a batch means: of an item in its result, or of an indexed item of a refused list.
pub fn item_refusal(error: Option<&ErrorItem>) -> RegistryAnswer {
    let code = error.and_then(|error| error.code.as_deref());
    let class = code.and_then(codes::lookup).map_or(ErrorClass::Repair, |info| info.class);
    refusal(class, code)
}

/// What a refusal means.
pub fn refusal(class: ErrorClass, code: Option<&str>) -> RegistryAnswer {
    // The registry's clock is behind ours: the date is in its future for a moment.
    if code == Some("H162") {
        return RegistryAnswer::Retry { code: code.map(Code::new), after: Some(CLOCKS_AGREE) };
    }
    let named = || Code::new(code.unwrap_or("no_code"));
    match class {
        ErrorClass::AlreadySo => RegistryAnswer::Already(named()),
        ErrorClass::TooLate => RegistryAnswer::TooLate,
        ErrorClass::Wait { after } => RegistryAnswer::Retry { code: code.map(Code::new), after: Some(after) },
        ErrorClass::Retry => RegistryAnswer::Retry { code: code.map(Code::new), after: None },
        ErrorClass::NotSent => {
            RegistryAnswer::Retry { code: code.map(Code::new), after: Some(NOT_SENT_AGAIN) }
        }
        ErrorClass::Reauthenticate => {
            RegistryAnswer::Retry { code: code.map(Code::new), after: Some(CREDENTIALS_AGAIN) }
        }
        ErrorClass::Pause { scope } => RegistryAnswer::Held(held(scope, code), named()),
        ErrorClass::Config => match code {
            Some(code) if code.starts_with('H') => {
                RegistryAnswer::Held(HeldCause::NotAuthorised, Code::new(code))
            }
            _ => RegistryAnswer::Retry { code: code.map(Code::new), after: Some(CREDENTIALS_AGAIN) },
        },
        ErrorClass::OutcomeUnknown => RegistryAnswer::Unknown,
        _ => RegistryAnswer::Refused(named()),
    }
}

fn held(scope: PauseScope, code: Option<&str>) -> HeldCause {
    match (scope, code) {
        (PauseScope::Quota, _) => HeldCause::Quota,
        (PauseScope::Type, _) => HeldCause::TypeRight,
        (_, Some("H520" | "H521" | "H524" | "H586" | "H437")) => HeldCause::Subscription,
        _ => HeldCause::NotAuthorised,
    }
}

/// The registry's record of an address, from a status answer; `None` where it cannot be read as one.
pub fn status_side(answer: &StatusResponse, asked_at: DateTime<Utc>) -> Option<RegistrySide> {
    Some(RegistrySide {
        status: answer.status.parse().ok()?,
        consent_date: answer.consent_date.as_deref().and_then(|date| parse_registry(date).ok()),
        source: answer.source.as_deref().and_then(|source| source.parse().ok()),
        creation_date: answer
            .creation_date
            .as_deref()
            .and_then(|date| parse_registry(date).ok())
            .unwrap_or(asked_at),
        transaction_id: answer.transaction_id.clone().unwrap_or_default(),
    })
}

/// A movement of the feed.
pub struct FeedMovement {
    /// As the registry writes it.
    pub recipient: String,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
    /// As told, for the movement's identity.
    pub consent_date: String,
    /// What it says.
    pub side: RegistrySide,
}

/// Reads a movement of the feed; `None` where a word of it is unknown.
pub fn movement(change: &Change) -> Option<FeedMovement> {
    Some(FeedMovement {
        recipient: change.recipient.clone(),
        recipient_type: change.recipient_type.parse().unwrap_or(RecipientType::Individual),
        channel: change.r#type.parse().ok()?,
        consent_date: change.consent_date.clone().unwrap_or_default(),
        side: RegistrySide {
            status: change.status.parse().ok()?,
            consent_date: change.consent_date.as_deref().and_then(|date| parse_registry(date).ok()),
            source: change.source.as_deref().and_then(|source| source.parse().ok()),
            creation_date: parse_registry(&change.creation_date).ok()?,
            transaction_id: change.transaction_id.clone(),
        },
    })
}
