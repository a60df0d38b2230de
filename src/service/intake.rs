//! Intake: the one door behind all doors. Every consent, whatever its channel, passes [`submit`], gets one ledger row and one
//! submission, and is acknowledged after its commit.

mod commit;
mod prepare;
mod writer;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kopru_domain::{Deadline, Evidence, Lang, RawConsent, SubmissionState, Text};
use kopru_store::brands::BrandRow;
use kopru_store::idempotency::IdempotencyKey;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::messages::notice::Notices;
use crate::service::standing::Stops;
use crate::service::texts::KnownTexts;
use crate::service::{ServiceError, ServiceResult, retailers};

pub use writer::Intake;

/// Items of one request at most.
pub const MAX_ITEMS: usize = 10_000;
/// Items of one transaction at most; a larger array is committed, and remembered, part by part.
const PART: usize = 1_000;
/// How long an answer is kept for its Idempotency-Key.
pub const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(72);

/// A consent as it came in: every field a text, or missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConsentInput {
    /// The address as typed.
    pub recipient: Option<String>,
    /// `ARAMA`, `MESAJ`, `EPOSTA`.
    pub channel: Option<String>,
    /// `ONAY`, `RET`.
    pub status: Option<String>,
    /// `HS_*`.
    pub source: Option<String>,
    /// `YYYY-MM-DD HH:mm:ss` (+03:00) or RFC 3339.
    pub consent_date: Option<String>,
    /// `BIREYSEL` (default), `TACIR`.
    pub recipient_type: Option<String>,
    /// The retailer who took it.
    pub retailer_code: Option<i64>,
    /// Retailers that may use it.
    pub retailer_access: Vec<i64>,
    /// The name of the act itself, such as a call's or a scan's: told again with the same address and decision, it is the same
    /// consent, whatever has become of that meanwhile.
    pub act: Option<String>,
}

impl ConsentInput {
    fn raw(&self) -> RawConsent<'_> {
        RawConsent {
            recipient: self.recipient.as_deref(),
            channel: self.channel.as_deref(),
            status: self.status.as_deref(),
            source: self.source.as_deref(),
            consent_date: self.consent_date.as_deref(),
            recipient_type: self.recipient_type.as_deref(),
        }
    }
}

/// One consent of a request.
#[derive(Clone)]
pub struct IntakeItem {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What was sent.
    pub consent: ConsentInput,
    /// The client's own reference.
    pub reference: Option<String>,
    /// What proves it.
    pub evidence: Evidence,
    /// Taken by one of our own channels, with evidence.
    pub own_channel: bool,
}

/// An Idempotency-Key with the hash of the body it came with.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Whose request it is.
    pub key: IdempotencyKey,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
}

/// Consents of one brand.
#[derive(Clone)]
pub struct IntakeRequest {
    /// The brand, which the caller may write to.
    pub brand: BrandRow,
    /// What is known to be unfilable for it.
    pub stops: Stops,
    /// On whose behalf electronic consents are answered by a notice, where they are: `brand.notices()`.
    pub notices: Option<Arc<Notices>>,
    /// The door: `api`, `import`, `form` …
    pub door: &'static str,
    /// At most [`MAX_ITEMS`].
    pub items: Vec<IntakeItem>,
    /// When the request may come again.
    pub idempotency: Option<Idempotency>,
    /// Language of the answer's texts.
    pub lang: Lang,
}

/// A consent that is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Place in the request.
    pub index: usize,
    /// Its identity from now on.
    pub id: Uuid,
    /// Where its submission stands: queued, or ended by the rules.
    pub state: SubmissionState,
    /// Until when it must be filed.
    pub deadline: Deadline,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// Why, when the rules ended it or hold it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

/// A consent that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Place in the request.
    pub index: usize,
    /// H-code, or a word of ours.
    pub code: String,
    /// The field, by its JSON name.
    pub field: String,
    /// What is wrong and what to do.
    pub title: Text,
}

/// What became of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeAnswer {
    /// In order of their places.
    pub accepted: Vec<Accepted>,
    /// In order of their places; several entries where several fields are wrong.
    pub refused: Vec<Refused>,
}

/// Takes consents in. Returns after their commit; what has a wrong shape is refused and the rest lives.
///
/// A large array is committed in parts of 1 000. With an Idempotency-Key each part keeps its answer, so that a retry after a
/// crash replays the stored parts and does the rest.
pub async fn submit(app: &App, request: IntakeRequest) -> ServiceResult<IntakeAnswer> {
    if request.items.len() > MAX_ITEMS {
        return Err(ServiceError::Overloaded);
    }
    let stored = match &request.idempotency {
        Some(idempotency) => commit::stored_parts(app, idempotency).await?,
        None => Vec::new(),
    };
    let known = Known {
        unknown_retailers: unknown_retailers(app, &request).await?,
        texts: KnownTexts::of(app, &request.brand, request.items.iter().map(|item| &item.evidence)).await?,
    };
    let keys = prepare::keys(app, request.brand.iys_code).await?;
    let mut answer = IntakeAnswer::default();
    let mut rest = request.items;
    let mut number = 0;
    while !rest.is_empty() {
        let part: Vec<IntakeItem> = rest.drain(..rest.len().min(PART)).collect();
        let part_answer = match stored.get(number) {
            Some(stored) => stored.clone(),
            None => {
                let idempotency = request.idempotency.clone().map(|idempotency| (idempotency, number));
                let mut part =
                    prepare::part(app, &keys, &request.brand, request.door, part, idempotency, &known);
                part.stops = request.stops.clone();
                part.notices.clone_from(&request.notices);
                app.intake.commit(part).await?
            }
        };
        answer.accepted.extend(part_answer.accepted);
        answer.refused.extend(part_answer.refused);
        number += 1;
    }
    Ok(answer)
}

/// What was looked up for a whole request.
struct Known {
    unknown_retailers: HashSet<i64>,
    texts: KnownTexts,
}

/// Which of the retailers that a request names the brand certainly does not have. A request that names none costs nothing.
async fn unknown_retailers(app: &App, request: &IntakeRequest) -> ServiceResult<HashSet<i64>> {
    let consents = request.items.iter().map(|item| &item.consent);
    let named = consents.flat_map(|consent| consent.retailer_code.iter().chain(&consent.retailer_access));
    let named: HashSet<i64> = named.copied().collect();
    if named.is_empty() {
        return Ok(named);
    }
    retailers::unknown(app, &request.brand, named.into_iter().collect()).await
}
