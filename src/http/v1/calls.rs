//! What call centres report, and the question before a call.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use kopru_domain::evidence::Door;
use kopru_domain::time::parse_consent_date;
use kopru_domain::{BrandCode, Channel, ConsentStatus, Evidence, Lang, RecipientType, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consents::{AcceptedConsent, Receipt, all_refused};
use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::Repeatable;
use crate::http::items::fields::{self, filled};
use crate::http::items::{self, Item, ItemsBody, LONGEST_FACT, LONGEST_REFERENCE};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::In;
use crate::http::problem::{Problem, ProblemBody, ProblemField};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::Page;
use crate::http::v1::permissions::RECIPIENT_TYPES;
use crate::service::calls::{self, CallSettingsChange, CallSettingsView, UndecidedCall};
use crate::service::check::{self, CheckRequest, Verdict};
use crate::service::{Caller, FieldProblem};

/// A call and its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallBody {
    /// Your id of the call. The same call with the same address and decision is one consent, however often it comes.
    pub call_id: String,
    /// The number that was called, or the e-mail address that was named.
    #[schema(value_type = String, example = "+905321234567")]
    pub recipient: Option<String>,
    /// What was asked for: `ARAMA` (the default), `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>, example = "ARAMA")]
    pub channel: Option<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    pub recipient_type: Option<String>,
    /// The key that was pressed. Only the one that is offered for yes is a consent.
    #[schema(example = "1")]
    pub key: Option<String>,
    /// What the agent has entered: `ONAY` or `RET`. Where neither this nor a key is there, the person was silent: no consent.
    #[schema(value_type = Option<String>)]
    pub status: Option<ConsentStatus>,
    /// `true`: the person refused, in whatever words. Nothing else is needed then but the call and the address.
    pub rejection: Option<bool>,
    /// When the call began: `YYYY-MM-DD HH:mm:ss` in Turkey time, or RFC 3339 with an offset.
    pub started_at: Option<String>,
    /// When the person answered: the consent's date. Only a refusal may leave it out: now.
    #[schema(example = "2026-11-20T10:05:00+03:00")]
    pub answered_at: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The id of the voice record. Without one no approval is taken, unless the brand is set otherwise.
    pub voice_record_id: Option<String>,
    /// Where in the record the answer is, in seconds from its beginning.
    #[schema(minimum = 0)]
    pub voice_offset_seconds: Option<i64>,
    /// SHA-256 of the record's file, 64 hexadecimal digits.
    pub voice_sha256: Option<String>,
    /// The version of a call script kept here that was read out, as `code/version`.
    #[schema(example = "cagri-metni/2")]
    pub script: Option<String>,
    /// Version of the script, where you keep it yourself.
    pub script_version: Option<String>,
    /// The language in which it was read out: `tr` (the default) or `en`.
    #[schema(value_type = Option<String>)]
    pub language: Option<Lang>,
    /// What the person said.
    pub said: Option<String>,
    /// The name the person gave.
    pub full_name: Option<String>,
    /// The retailer for whom the call was made.
    pub retailer_code: Option<i64>,
    /// A reference of your own, at most 200 characters.
    pub reference: Option<String>,
}

/// What is sent: one call, or an array of up to 10 000.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum CallsBody {
    /// One.
    One(Box<CallBody>),
    /// Several.
    Many(Vec<CallBody>),
}

impl Body for CallBody {
    const FIELDS: &'static [Field] = &[
        Field::required("callId", Kind::Text).also(&["call", "aramaid", "cagri", "cagriid", "cagrino"]),
        Field::optional("recipient", Kind::Text)
            .also(&["phone", "telefon", "tel", "gsm", "numara", "number", "alici"]),
        fields::CHANNEL,
        fields::RECIPIENT_TYPE,
        Field::optional("key", Kind::Text).also(&["digit", "dtmf", "tus"]),
        Field::optional("status", Kind::Word(&["ONAY", "RET"])).also(&["durum", "answer", "yanit"]),
        Field::optional("rejection", Kind::Flag).also(&["ret", "rejected", "optout"]),
        Field::optional("startedAt", Kind::Text).also(&["start", "baslangic"]),
        Field::optional("answeredAt", Kind::Text).also(&["date", "tarih", "consentdate", "yanitzamani"]),
        Field::optional("agent", Kind::Text).also(&["operator", "temsilci", "user"]),
        fields::VOICE_RECORD_ID,
        fields::VOICE_OFFSET_SECONDS,
        Field::optional("voiceSha256", Kind::Text).also(&["sha256", "hash", "voicehash", "recordhash"]),
        Field::optional("script", Kind::Text).also(&["text", "metin"]),
        Field::optional("scriptVersion", Kind::Text).also(&["version", "metinsurumu", "textversion"]),
        fields::LANGUAGE,
        Field::optional("said", Kind::Text).also(&["words", "soz", "note"]),
        fields::FULL_NAME,
        fields::RETAILER_CODE,
        fields::REFERENCE,
    ];
}

impl Item for CallBody {
    fn problems(&self, index: usize) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        if self.call_id.trim().is_empty() {
            let title = Text::fixed("çağrının kimliği gerekli", "the call's id is needed");
            found.push(items::problem(index, "callId", "missing", title));
        }
        found.extend(items::check_line(index, "callId", Some(&self.call_id), LONGEST_REFERENCE));
        found.extend(items::check_line(index, "reference", self.reference.as_ref(), LONGEST_REFERENCE));
        for (name, text) in [
            ("key", &self.key),
            ("agent", &self.agent),
            ("voiceRecordId", &self.voice_record_id),
            ("scriptVersion", &self.script_version),
            ("said", &self.said),
            ("fullName", &self.full_name),
        ] {
            found.extend(items::check_line(index, name, text.as_ref(), LONGEST_FACT));
        }
        found.extend(items::check_text(index, "script", self.script.as_ref()));
        found.extend(items::check_sha256(index, "voiceSha256", self.voice_sha256.as_ref()));
        found.extend(items::check_seconds(index, "voiceOffsetSeconds", self.voice_offset_seconds));
        found.extend(items::check_retailer(index, "retailerCode", self.retailer_code));
        for (name, text) in [("startedAt", &self.started_at), ("answeredAt", &self.answered_at)] {
            if text.as_deref().is_some_and(|text| parse_consent_date(text).is_err()) {
                let title = Text::fixed(
                    "2026-11-25 17:00:00 (Türkiye saati) ya da 2026-11-25T17:00:00+03:00 gibi bir an olmalı",
                    "it must be an instant such as 2026-11-25 17:00:00 (Turkey time) or 2026-11-25T17:00:00+03:00",
                );
                found.push(items::problem(index, name, "instant", title));
            }
        }
        if found.is_empty() && self.started() > self.answered() && self.answered().is_some() {
            let title =
                Text::fixed("çağrının başlangıcından önce olamaz", "it must not be before the call began");
            found.push(items::problem(index, "answeredAt", "order", title));
        }
        found
    }
}

fn instant(text: Option<&String>) -> Option<DateTime<Utc>> {
    text.and_then(|text| parse_consent_date(text).ok())
}

impl CallBody {
    fn started(&self) -> Option<DateTime<Utc>> {
        instant(self.started_at.as_ref())
    }

    fn answered(&self) -> Option<DateTime<Utc>> {
        instant(self.answered_at.as_ref())
    }

    /// The call as the service takes it. What is told of it is the call centre's word: `declared`.
    fn into_call(self, index: usize, caller: &Caller) -> calls::Call {
        let (started, answered_at) = (self.started(), self.answered());
        calls::Call {
            index,
            call_id: self.call_id.trim().to_owned(),
            recipient: self.recipient,
            channel: filled(self.channel),
            recipient_type: self.recipient_type,
            key: filled(self.key),
            status: self.status,
            rejection: self.rejection.unwrap_or_default(),
            answered_at,
            retailer_code: self.retailer_code,
            reference: filled(self.reference),
            evidence: Evidence {
                operator: filled(self.agent),
                text: items::shown(self.script.as_deref(), self.language),
                text_version: filled(self.script_version),
                full_name: filled(self.full_name),
                said: filled(self.said),
                call_started_at: started,
                voice_record_id: filled(self.voice_record_id),
                voice_offset_seconds: fields::seconds(self.voice_offset_seconds),
                voice_sha256: self.voice_sha256.map(|digest| digest.to_ascii_lowercase()),
                ..fields::told_by(caller, Door::CallCentre)
            },
        }
    }
}

/// What became of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallsReceipt {
    /// Consents and refusals that are in the ledger.
    pub accepted: Vec<AcceptedConsent>,
    /// Calls that decided nothing: they are noted, and no consent came of them.
    pub undecided: Vec<NoDecision>,
    /// What could not be taken, with everything that is wrong with it.
    pub refused: Vec<ProblemField>,
}

/// A call that decided nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoDecision {
    /// Place in what was sent, from 0.
    pub index: usize,
    /// Your id of the call.
    pub call_id: String,
    /// `silence` (nothing in time) or `other_key`.
    #[schema(value_type = String, example = "silence")]
    pub reason: &'static str,
}

/// Report calls
///
/// One object, an array of up to 10 000, or a day's calls as `text/csv` with a header row of these names. The source is always
/// HS_CAGRI_MERKEZI. Only the key that is offered for yes, or an agent's `ONAY`, is a consent, and only with a voice record; silence
/// and any other key are noted in `undecided`. A refusal counts however it was given: `{"callId", "recipient", "rejection": true}`
/// is enough.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/calls",
    operation_id = "reportCalls",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content((CallsBody = "application/json"), (String = "text/csv")), description = "One call, or several"),
    responses(
        (status = 202, description = "In the ledger, or noted; `refused` may hold items with their problems", body = CallsReceipt),
        (status = 422, description = "Nothing was taken", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Çağrı sonuçlarını bildir")),
        ("x-description-tr" = json!("Tek nesne, en çok 10 000 kayıtlık liste ya da başlık satırı bu adlardan oluşan text/csv olarak bir günün çağrıları. Kaynak her zaman HS_CAGRI_MERKEZI olur. Yalnızca onay için sunulan tuş ya da temsilcinin ONAY girişi, o da ses kaydıyla, onaydır; sessizlik ve başka tuşlar undecided içinde not edilir. Ret nasıl verilirse verilsin geçerlidir: {\"callId\", \"recipient\", \"rejection\": true} yeter.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn report(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    body: ItemsBody,
) -> Result<Response, Problem> {
    let parsed = body.parse::<CallBody>()?;
    let told = parsed.items.into_iter().map(|(index, item)| item.into_call(index, &call)).collect();
    let idempotency = repeatable.for_intake(body.bytes());
    let answer = calls::take(&state.app, &call, &brand, told, idempotency).await?;
    let refused = all_refused(answer.intake.refused, parsed.refused);
    if answer.intake.accepted.is_empty() && answer.undecided.is_empty() {
        return Err(Problem::NothingAccepted(refused));
    }
    let undecided = answer.undecided.into_iter();
    let Receipt { accepted, refused } = Receipt::new(answer.intake.accepted, &refused, call.lang);
    let receipt = CallsReceipt {
        accepted,
        undecided: undecided
            .map(|(index, call_id, reason)| NoDecision { index, call_id, reason: reason.as_str() })
            .collect(),
        refused,
    };
    Ok((StatusCode::ACCEPTED, Json(receipt)).into_response())
}

/// List calls without a decision
///
/// Oldest first, page by page. Addresses are masked unless the key has `recipients:read`.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/calls",
    operation_id = "listUndecidedCalls",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
    ),
    responses((status = 200, description = "A page", body = Page<UndecidedCall>)),
    extensions(
        ("x-summary-tr" = json!("Karara varılmayan çağrıları listele")),
        ("x-description-tr" = json!("En eskiden başlayarak sayfa sayfa. Adresler, anahtarda recipients:read yetkisi yoksa maskelidir.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
) -> Result<Json<Page<UndecidedCall>>, Problem> {
    let pages = List::Calls(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["after", "limit"]);
    let after = params.cursor("after", pages, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let found = calls::undecided(&state.app, &call, &brand.row, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, pages, |item| Place::Id(item.id))))
}

/// An address about to be called.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallCheckBody {
    /// The number, as people write it.
    #[schema(example = "+905321234567")]
    pub recipient: String,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
}

impl Body for CallCheckBody {
    const FIELDS: &'static [Field] = &[
        Field::required("recipient", Kind::Text)
            .also(&["phone", "telefon", "tel", "gsm", "numara", "number"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)).also(&["alicitipi"]),
    ];
}

/// Ask before a call
///
/// Whether this number may be called now (`ARAMA`). One number, answered from the mirror: for a dialler. It fails closed, as the check
/// of a list does; a refusal counts from the instant at which it was taken.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/calls/check",
    operation_id = "checkCall",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = CallCheckBody),
    responses((status = 200, description = "The verdict", body = Verdict)),
    extensions(
        ("x-summary-tr" = json!("Bu numara aranabilir mi?")),
        ("x-description-tr" = json!("Numara şu anda aranabilir mi (ARAMA)? Arama sistemi için tek numara; yanıt aynadan verilir. Emin olunamazsa reddeder; ret, alındığı andan başlayarak geçerlidir.")),
        ("x-scope" = json!("permissions:read")),
    ),
)]
pub async fn check(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(body): JsonBody,
) -> Result<Json<Verdict>, Problem> {
    let body: CallCheckBody = json::read(&body)?;
    let request = CheckRequest {
        channel: Channel::Call,
        recipient_type: body.recipient_type.unwrap_or_default(),
        recipients: vec![body.recipient],
        freshness: None,
        wait: std::time::Duration::ZERO,
    };
    let answer = check::check(&state.app, &call, &brand.row, request).await?;
    answer.verdicts.into_iter().next().map(Json).ok_or(Problem::Internal)
}

/// What is to be changed in how calls are read; what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallSettingsBody {
    /// Whether an approval without a voice record is refused (the default).
    pub voice_record_required: Option<bool>,
    /// The key that is offered for yes: `1` by default.
    pub approval_key: Option<String>,
    /// The key that is offered for no: `9` by default.
    pub rejection_key: Option<String>,
}

impl Body for CallSettingsBody {
    const FIELDS: &'static [Field] = &[
        Field::optional("voiceRecordRequired", Kind::Flag).also(&["voicerecord", "seskaydi"]),
        Field::optional("approvalKey", Kind::Text).also(&["onaytusu", "yes"]),
        Field::optional("rejectionKey", Kind::Text).also(&["rettusu", "no"]),
    ];
}

/// Show how calls are read
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/calls/settings",
    operation_id = "getCallSettings",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The settings", body = CallSettingsView)),
    extensions(("x-summary-tr" = json!("Çağrı ayarlarını göster")), ("x-scope" = json!("consents:read"))),
)]
pub async fn settings(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<CallSettingsView>, Problem> {
    Ok(Json(calls::settings(&state.app, &call, brand).await?))
}

/// Change how calls are read
#[utoipa::path(
    patch,
    path = "/v1/brands/{brandCode}/calls/settings",
    operation_id = "changeCallSettings",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = CallSettingsBody),
    responses((status = 200, description = "The settings", body = CallSettingsView)),
    extensions(("x-summary-tr" = json!("Çağrı ayarlarını değiştir")), ("x-scope" = json!("admin"))),
)]
pub async fn change_settings(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    JsonBody(body): JsonBody,
) -> Result<Json<CallSettingsView>, Problem> {
    let body: CallSettingsBody = json::read(&body)?;
    let change = CallSettingsChange {
        voice_record_required: body.voice_record_required,
        approval_key: body.approval_key,
        rejection_key: body.rejection_key,
    };
    Ok(Json(calls::change_settings(&state.app, &call, brand, change).await?))
}
