//! Call centres (rules.md 4.3): what an IVR or an agent reports of calls becomes consents from HS_CAGRI_MERKEZI, or the note that
//! nothing was decided. The same call told again is the same consent.

use chrono::{DateTime, Utc};
use kopru_domain::call::{CallAnswer, CallSettings, NoConsent, ToldAnswer};
use kopru_domain::evidence::Door;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    BrandCode, Channel, ConsentStatus, Evidence, ProviderSource, Recipient, RecipientType, Text,
};
use kopru_store::brands::BrandRow;
use kopru_store::calls::{self, OutcomeRow};
use kopru_store::{Priority, ProviderKeys, StoreError, ids};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::brands::KnownBrand;
use crate::service::consents::{Showing, note_shown};
use crate::service::intake::{
    self, ConsentInput, Idempotency, IntakeAnswer, IntakeItem, IntakeRequest, Refused,
};
use crate::service::{Caller, Scope, ServiceResult, brands, providers};

const SEALED: &str = "call_outcomes.sealed";
const LONGEST_KEY: usize = 8;

/// One call as the call centre reports it.
#[derive(Clone)]
pub struct Call {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The call centre's id of it.
    pub call_id: String,
    /// The number or address as typed.
    pub recipient: Option<String>,
    /// `ARAMA` where it is not said.
    pub channel: Option<String>,
    /// `BIREYSEL` where it is not said.
    pub recipient_type: Option<String>,
    /// The key that was pressed.
    pub key: Option<String>,
    /// What the agent has entered.
    pub status: Option<ConsentStatus>,
    /// The agent's one key for a refusal.
    pub rejection: bool,
    /// When the person answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// The retailer for whom it was made.
    pub retailer_code: Option<i64>,
    /// The client's own reference.
    pub reference: Option<String>,
    /// What else is known of it.
    pub evidence: Evidence,
}

/// What became of calls.
#[derive(Debug, Clone)]
pub struct CallsAnswer {
    /// Those that decided something.
    pub intake: IntakeAnswer,
    /// Those that did not, with the reason, by places.
    pub undecided: Vec<(usize, String, NoConsent)>,
}

/// Takes calls in. Needs `consents:write`.
pub async fn take(
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    calls: Vec<Call>,
    idempotency: Option<Idempotency>,
) -> ServiceResult<CallsAnswer> {
    caller.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let (settings, keys) = {
        let mut tx = app.db.read().await?;
        let settings = calls::settings(&mut tx, brand.row.iys_code, brand.row.brand_code).await?;
        (settings, app.vault.keys(&mut tx, brand.row.iys_code).await?)
    };
    let now = app.clocks.business();
    let mut sorted = Sorted::default();
    for call in calls {
        sorted.add(&keys, &brand.row, &settings, call, now);
    }
    if !sorted.outcomes.is_empty() {
        let mut tx = app.db.begin(Priority::Interactive).await?;
        calls::add(&mut tx, brand.row.iys_code, brand.row.brand_code, sorted.outcomes).await?;
        tx.commit().await?;
    }
    let mut answer = if sorted.items.is_empty() {
        IntakeAnswer::default()
    } else {
        let request = IntakeRequest {
            brand: brand.row.clone(),
            stops: brand.stops(),
            notices: brand.notices(),
            door: Door::CallCentre.as_str(),
            items: sorted.items,
            idempotency,
            lang: caller.lang,
        };
        intake::submit(app, request).await?
    };
    answer.refused.extend(sorted.refused);
    Ok(CallsAnswer { intake: answer, undecided: sorted.undecided })
}

#[derive(Default)]
struct Sorted {
    items: Vec<IntakeItem>,
    outcomes: Vec<OutcomeRow>,
    undecided: Vec<(usize, String, NoConsent)>,
    refused: Vec<Refused>,
}

/// What is kept of a call that decided nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    call_id: String,
    recipient: String,
    evidence: Evidence,
}

impl Sorted {
    fn add(
        &mut self,
        keys: &ProviderKeys,
        brand: &BrandRow,
        settings: &CallSettings,
        call: Call,
        now: DateTime<Utc>,
    ) {
        let told = ToldAnswer { key: call.key.as_deref(), status: call.status, rejection: call.rejection };
        match told.read(settings) {
            CallAnswer::Decided(status) => {
                let problems = missing(&call, status, settings);
                if problems.is_empty() {
                    self.items.push(item(call, status, now));
                }
                self.refused.extend(problems);
            }
            CallAnswer::Undecided(reason) => match kept(keys, brand, &call, reason, now) {
                Ok(row) => {
                    metrics::counter!("calls_undecided_total", "reason" => reason.as_str()).increment(1);
                    self.outcomes.push(row);
                    self.undecided.push((call.index, call.call_id, reason));
                }
                Err(refused) => self.refused.push(refused),
            },
        }
    }
}

/// An approval needs its proof and its instant; a refusal needs nothing.
fn missing(call: &Call, status: ConsentStatus, settings: &CallSettings) -> Vec<Refused> {
    let refused = |field: &str, code: &str, title: Text| Refused {
        index: call.index,
        code: code.to_owned(),
        field: field.to_owned(),
        title,
    };
    let mut problems = Vec::new();
    if status == ConsentStatus::Rejection {
        return problems;
    }
    if settings.voice_record && call.evidence.voice_record_id.is_none() {
        let title = Text::fixed(
            "ses kaydı olmadan onay alınmaz; voiceRecordId alanını gönderin ya da markanın çağrı ayarını değiştirin",
            "no approval is taken without a voice record; send voiceRecordId, or change the brand's call settings",
        );
        problems.push(refused("voiceRecordId", "voice_record_missing", title));
    }
    if call.answered_at.is_none() {
        let title = Text::fixed(
            "kişinin yanıt verdiği an (answeredAt) gerekli; izin tarihi odur",
            "the instant at which the person answered is needed; it is the consent's date",
        );
        problems.push(refused("answeredAt", "H112", title));
    }
    problems
}

fn item(call: Call, status: ConsentStatus, now: DateTime<Utc>) -> IntakeItem {
    // An agent's one key is pressed while the person speaks.
    let at = call.answered_at.unwrap_or(now);
    IntakeItem {
        index: call.index,
        consent: ConsentInput {
            recipient: call.recipient,
            channel: call.channel.or_else(|| Some(Channel::Call.as_str().to_owned())),
            status: Some(status.as_str().to_owned()),
            source: Some(ProviderSource::CallCentre.as_str().to_owned()),
            consent_date: Some(format_rfc3339(at)),
            recipient_type: call.recipient_type,
            retailer_code: call.retailer_code,
            act: Some(format!("call/{}", call.call_id)),
            ..ConsentInput::default()
        },
        reference: call.reference,
        own_channel: call.evidence.voice_record_id.is_some(),
        evidence: Evidence { call_id: Some(call.call_id), key_pressed: call.key, ..call.evidence },
    }
}

fn kept(
    keys: &ProviderKeys,
    brand: &BrandRow,
    call: &Call,
    reason: NoConsent,
    now: DateTime<Utc>,
) -> Result<OutcomeRow, Refused> {
    let refused = |field: &str, code: &str, title: Text| Refused {
        index: call.index,
        code: code.to_owned(),
        field: field.to_owned(),
        title,
    };
    let channel =
        call.channel.as_deref().unwrap_or(Channel::Call.as_str()).parse::<Channel>().map_err(|_| {
            refused(
                "type",
                "H117",
                Text::fixed("ARAMA, MESAJ ya da EPOSTA olmalı", "it must be ARAMA, MESAJ or EPOSTA"),
            )
        })?;
    let typed = call.recipient.as_deref().unwrap_or_default();
    let recipient = Recipient::parse(typed, channel)
        .map_err(|error| refused("recipient", error.h_code(), error.text()))?;
    let key = keys.key(brand.brand_code, RecipientType::default(), channel, recipient.as_str());
    let kept = Kept {
        call_id: call.call_id.clone(),
        recipient: recipient.as_str().to_owned(),
        evidence: Evidence { key_pressed: call.key.clone(), ..call.evidence.clone() },
    };
    Ok(OutcomeRow {
        id: ids::new_id(now),
        mark: keys.act(key, "", &call.call_id),
        channel,
        reason,
        sealed: keys.seal(SEALED, &serde_json::to_vec(&kept).unwrap_or_default()),
        received_at: now,
    })
}

/// A call that ended without a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndecidedCall {
    /// Identity of the note.
    pub id: Uuid,
    /// The call centre's id of the call.
    pub call_id: String,
    /// The address; masked unless the key has `recipients:read`.
    pub recipient: String,
    /// What was asked for: `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "ARAMA")]
    pub channel: &'static str,
    /// `silence` or `other_key`.
    #[schema(value_type = String, example = "silence")]
    pub reason: &'static str,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The key that was pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was reported, RFC 3339 with +03:00.
    pub received_at: String,
}

/// A brand's calls without a decision, oldest first, after an id.
pub async fn undecided(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<UndecidedCall>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let (rows, keys) = {
        let mut tx = app.db.read().await?;
        let after = after.unwrap_or_default();
        let rows = calls::list(&mut tx, brand.iys_code, brand.brand_code, after, limit).await?;
        (rows, app.vault.keys(&mut tx, brand.iys_code).await?)
    };
    if showing == Showing::Full && !rows.is_empty() {
        let subject = format!("{} calls of brand {}", rows.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "recipient.shown", &subject).await?;
    }
    rows.iter().map(|row| shown(&keys, row, showing)).collect()
}

fn shown(keys: &ProviderKeys, row: &OutcomeRow, showing: Showing) -> ServiceResult<UndecidedCall> {
    let unreadable = |_| StoreError::Corrupt { what: "call_outcomes", detail: "shape".to_owned() };
    let kept: Kept = serde_json::from_slice(&keys.open(SEALED, &row.sealed)?).map_err(unreadable)?;
    Ok(UndecidedCall {
        id: row.id,
        call_id: kept.call_id,
        recipient: showing.apply(&kept.recipient),
        channel: row.channel.as_str(),
        reason: row.reason.as_str(),
        agent: kept.evidence.operator,
        key: kept.evidence.key_pressed,
        received_at: format_rfc3339(row.received_at),
    })
}

/// How a brand's calls are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallSettingsView {
    /// The brand.
    pub brand_code: i64,
    /// Whether an approval without a voice record is refused.
    pub voice_record_required: bool,
    /// The key that was offered for yes.
    pub approval_key: String,
    /// The key that was offered for no.
    pub rejection_key: String,
}

/// What is to be changed in how a brand's calls are read.
#[derive(Debug, Clone, Default)]
pub struct CallSettingsChange {
    /// Whether an approval without a voice record is refused.
    pub voice_record_required: Option<bool>,
    /// The key that is offered for yes.
    pub approval_key: Option<String>,
    /// The key that is offered for no.
    pub rejection_key: Option<String>,
}

fn view(brand: BrandCode, settings: CallSettings) -> CallSettingsView {
    CallSettingsView {
        brand_code: brand.0,
        voice_record_required: settings.voice_record,
        approval_key: settings.approval_key,
        rejection_key: settings.rejection_key,
    }
}

/// How a brand's calls are read.
pub async fn settings(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<CallSettingsView> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let row = brands::visible(&mut tx, caller, brand).await?;
    Ok(view(brand, calls::settings(&mut tx, row.iys_code, brand).await?))
}

/// Changes how a brand's calls are read. Needs `admin`.
pub async fn change_settings(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    change: CallSettingsChange,
) -> ServiceResult<CallSettingsView> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = brands::visible(&mut tx, caller, brand).await?;
    let before = calls::settings(&mut tx, row.iys_code, brand).await?;
    let settings = CallSettings {
        voice_record: change.voice_record_required.unwrap_or(before.voice_record),
        approval_key: checked_key("approvalKey", change.approval_key.unwrap_or(before.approval_key))?,
        rejection_key: checked_key("rejectionKey", change.rejection_key.unwrap_or(before.rejection_key))?,
    };
    if settings.approval_key == settings.rejection_key {
        let title = Text::fixed("onay ve ret tuşu aynı olamaz", "yes and no need two different keys");
        return Err(providers::invalid("rejectionKey", "same_key", title));
    }
    calls::set(&mut tx, row.iys_code, brand, &settings).await?;
    let subject = format!("brand {brand}: voice record {}", settings.voice_record);
    providers::note(&mut tx, app, caller, row.iys_code, "brand.call_settings", &subject).await?;
    tx.commit().await?;
    Ok(view(brand, settings))
}

fn checked_key(field: &str, key: String) -> ServiceResult<String> {
    let usable = (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
    if usable {
        return Ok(key);
    }
    let title = Text::fixed("rakam, * ya da # olmalı, en çok 8", "digits, * or #, at most 8");
    Err(providers::invalid(field, "key", title))
}
