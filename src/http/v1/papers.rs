//! Forms on paper and lists from events, typed by an operator.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kopru_domain::evidence::Door;
use kopru_domain::{Evidence, Lang, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::consents::{AcceptedConsent, Receipt, all_refused};
use crate::http::auth::Call;
use crate::http::idempotency::Repeatable;
use crate::http::items::fields::{self, filled};
use crate::http::items::{self, Item, ItemsBody, LONGEST_FACT, LONGEST_REFERENCE};
use crate::http::json::{Body, Field, Kind};
use crate::http::problem::{Problem, ProblemBody, ProblemField};
use crate::http::state::{Branded, HttpState};
use crate::service::consents::DeadlineView;
use crate::service::endpoints::parse_since;
use crate::service::intake::ConsentInput;
use crate::service::papers::{self, Paper, Warning};
use crate::service::{Caller, FieldProblem};

/// A typed form, or a line of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaperBody {
    /// Phone number or e-mail address, as people write it.
    #[schema(value_type = String, example = "+905321234567")]
    pub recipient: Option<String>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: Option<String>,
    /// `ONAY` or `RET`.
    #[schema(value_type = String, example = "ONAY")]
    pub status: Option<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    pub recipient_type: Option<String>,
    /// `HS_ISLAK_IMZA` (the default with a signature), `HS_FIZIKSEL_ORTAM` (without) or `HS_ETKINLIK`.
    #[schema(example = "HS_ISLAK_IMZA")]
    pub source: Option<String>,
    /// When it was signed: a day (its beginning counts), or an instant as `YYYY-MM-DD HH:mm:ss` in Turkey time or RFC 3339.
    #[schema(value_type = String, example = "2026-11-20")]
    pub signature_date: Option<String>,
    /// Whether the form bears a signature.
    pub signature_present: Option<bool>,
    /// SHA-256 of the scan's file, 64 hexadecimal digits. The same scan with the same address and decision is one consent.
    pub scan_sha256: Option<String>,
    /// Your archive's id of the scan.
    pub scan_id: Option<String>,
    /// The version of a paper form kept here, as `code/version`.
    #[schema(example = "magaza-formu/1")]
    pub form: Option<String>,
    /// Version of the form, where you keep it yourself.
    pub form_version: Option<String>,
    /// The version of a privacy notice kept here that stood beside it, as `code/version`.
    pub notice: Option<String>,
    /// The language of the form: `tr` (the default) or `en`.
    #[schema(value_type = Option<String>)]
    pub language: Option<Lang>,
    /// The name on the form.
    pub full_name: Option<String>,
    /// Who typed it.
    pub operator: Option<String>,
    /// The shop, place or event.
    pub place: Option<String>,
    /// The batch of forms it belongs to.
    pub batch: Option<String>,
    /// The retailer who took it.
    pub retailer_code: Option<i64>,
    /// A reference of your own, at most 200 characters.
    pub reference: Option<String>,
}

/// What is sent: one form, or an array of up to 10 000.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum PapersBody {
    /// One.
    One(Box<PaperBody>),
    /// Several.
    Many(Vec<PaperBody>),
}

impl Body for PaperBody {
    const FIELDS: &'static [Field] = &[
        Field::optional("recipient", Kind::Text)
            .also(&["phone", "telefon", "tel", "gsm", "numara", "email", "eposta", "alici"]),
        fields::CHANNEL,
        Field::optional("status", Kind::Text).also(&["durum"]),
        fields::RECIPIENT_TYPE,
        Field::optional("source", Kind::Text).also(&["kaynak"]),
        Field::optional("signatureDate", Kind::Text).also(&["date", "tarih", "imzatarihi", "consentdate"]),
        Field::optional("signaturePresent", Kind::Flag).also(&["signature", "imza", "signed"]),
        Field::optional("scanSha256", Kind::Text).also(&["sha256", "hash", "scanhash", "taramaozeti"]),
        fields::SCAN_ID,
        Field::optional("form", Kind::Text).also(&["text", "metin"]),
        Field::optional("formVersion", Kind::Text).also(&["version", "textversion", "formsurumu"]),
        fields::NOTICE,
        fields::LANGUAGE,
        fields::FULL_NAME,
        Field::optional("operator", Kind::Text).also(&["agent", "user", "giren"]),
        Field::optional("place", Kind::Text).also(&["event", "etkinlik", "yer", "magaza", "shop"]),
        Field::optional("batch", Kind::Text).also(&["parti", "batchid"]),
        fields::RETAILER_CODE,
        fields::REFERENCE,
    ];
}

impl Item for PaperBody {
    fn problems(&self, index: usize) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        found.extend(items::check_line(index, "reference", self.reference.as_ref(), LONGEST_REFERENCE));
        for (name, text) in [
            ("scanId", &self.scan_id),
            ("formVersion", &self.form_version),
            ("fullName", &self.full_name),
            ("operator", &self.operator),
            ("place", &self.place),
            ("batch", &self.batch),
        ] {
            found.extend(items::check_line(index, name, text.as_ref(), LONGEST_FACT));
        }
        found.extend(items::check_text(index, "form", self.form.as_ref()));
        found.extend(items::check_text(index, "notice", self.notice.as_ref()));
        found.extend(items::check_sha256(index, "scanSha256", self.scan_sha256.as_ref()));
        found.extend(items::check_retailer(index, "retailerCode", self.retailer_code));
        if self.signature_date.as_deref().is_some_and(|text| parse_since(text).is_none()) {
            let title = Text::fixed(
                "2026-11-25 gibi bir gün ya da 2026-11-25 17:00:00 gibi bir an olmalı",
                "it must be a day such as 2026-11-25 or an instant such as 2026-11-25 17:00:00",
            );
            found.push(items::problem(index, "signatureDate", "instant", title));
        }
        found
    }
}

impl PaperBody {
    /// The form as the service takes it. What stands on it is the operator's word: `declared`.
    fn into_paper(self, index: usize, caller: &Caller) -> Paper {
        Paper {
            index,
            signed_at: self.signature_date.as_deref().and_then(parse_since),
            consent: ConsentInput {
                recipient: self.recipient,
                channel: self.channel,
                status: self.status.map(|status| status.trim().to_owned()),
                source: filled(self.source),
                recipient_type: self.recipient_type,
                retailer_code: self.retailer_code,
                ..ConsentInput::default()
            },
            reference: filled(self.reference),
            evidence: Evidence {
                operator: filled(self.operator),
                text: items::shown(self.form.as_deref(), self.language),
                notice: items::shown(self.notice.as_deref(), self.language),
                text_version: filled(self.form_version),
                full_name: filled(self.full_name),
                scan_id: filled(self.scan_id),
                scan_sha256: self.scan_sha256.map(|digest| digest.to_ascii_lowercase()),
                signature: self.signature_present,
                place: filled(self.place),
                batch: filled(self.batch),
                ..fields::told_by(caller, Door::Paper)
            },
        }
    }
}

/// What became of typed forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PapersReceipt {
    /// Consents that are in the ledger.
    pub accepted: Vec<AcceptedConsent>,
    /// Those of them that are, or may soon be, too late.
    pub warnings: Vec<PaperWarning>,
    /// What could not be taken, with everything that is wrong with it.
    pub refused: Vec<ProblemField>,
}

/// A consent that is, or may soon be, too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaperWarning {
    /// Place in what was sent, from 0.
    pub index: usize,
    /// The consent.
    pub id: Uuid,
    /// `near_expiry` (less than 24 hours to the target) or `expired`.
    #[schema(value_type = String, example = "near_expiry")]
    pub code: &'static str,
    /// What to do.
    pub title: String,
    /// Until when it must be filed.
    pub deadline: DeadlineView,
}

impl PaperWarning {
    fn new(warning: &Warning, lang: Lang) -> Self {
        Self {
            index: warning.accepted.index,
            id: warning.accepted.id,
            code: warning.code,
            title: warning.title.get(lang).to_owned(),
            deadline: warning.accepted.deadline.into(),
        }
    }
}

/// Type in forms on paper
///
/// One object, an array of up to 10 000, or `text/csv` with a header row of these names. The period of three business days begins with
/// the signature: what is near its limit is in `warnings`, and an approval that is too late is accepted with the state `expired`.
/// An approval needs the scan's SHA-256, the name and the operator.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/papers",
    operation_id = "typePapers",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content((PapersBody = "application/json"), (String = "text/csv")), description = "One form, or several"),
    responses(
        (status = 202, description = "In the ledger; `refused` may hold items with their problems", body = PapersReceipt),
        (status = 422, description = "Not one item was accepted", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Kâğıt formları gir")),
        ("x-description-tr" = json!("Tek nesne, en çok 10 000 kayıtlık liste ya da başlık satırı bu adlardan oluşan text/csv. Üç iş günlük süre imzayla başlar: süresi dolmak üzere olanlar warnings içindedir, geç kalan onay expired durumuyla kabul edilir. Onay için taramanın SHA-256 özeti, ad soyad ve giren kişi gerekir.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn take(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    body: ItemsBody,
) -> Result<Response, Problem> {
    let parsed = body.parse::<PaperBody>()?;
    let typed = parsed.items.into_iter().map(|(index, item)| item.into_paper(index, &call)).collect();
    let idempotency = repeatable.for_intake(body.bytes());
    let (answer, warnings) = papers::take(&state.app, &call, &brand, typed, idempotency).await?;
    let refused = all_refused(answer.refused, parsed.refused);
    if answer.accepted.is_empty() {
        return Err(Problem::NothingAccepted(refused));
    }
    let Receipt { accepted, refused } = Receipt::new(answer.accepted, &refused, call.lang);
    let warnings = warnings.iter().map(|warning| PaperWarning::new(warning, call.lang)).collect();
    Ok((StatusCode::ACCEPTED, Json(PapersReceipt { accepted, warnings, refused })).into_response())
}
