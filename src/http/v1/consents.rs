//! Consents: taking them in, and looking at what became of them.

mod body;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use kopru_domain::{Lang, SubmissionState};
use kopru_store::submissions::ListFilter;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::edge::Flushed;
use crate::http::idempotency::Repeatable;
use crate::http::items;
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody, ProblemField};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::Page;
use crate::service::consents::{self, Consent, ConsentSummary, DeadlineView};
use crate::service::evidence::{self, EvidencePack};
use crate::service::intake::{self, Accepted, IntakeAnswer, IntakeRequest, Refused};
use crate::service::{FieldProblem, Scope};

pub use body::{ConsentBody, ConsentsBody, EvidenceBody};

/// What became of the consents of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receipt {
    /// Consents that are in the ledger.
    pub accepted: Vec<AcceptedConsent>,
    /// What could not be taken, with everything that is wrong with it.
    pub refused: Vec<ProblemField>,
}

/// A consent that is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AcceptedConsent {
    /// Place in the array sent, from 0.
    pub index: usize,
    /// Its identity from now on.
    pub id: Uuid,
    /// Where its filing stands: `queued`, or ended by the rules.
    #[schema(value_type = String, example = "queued")]
    pub state: &'static str,
    /// Until when it must be filed.
    pub deadline: DeadlineView,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why, where the rules ended or hold it: an H-code of the registry or a word of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<Accepted> for AcceptedConsent {
    fn from(accepted: Accepted) -> Self {
        Self {
            index: accepted.index,
            id: accepted.id,
            state: accepted.state.as_str(),
            deadline: accepted.deadline.into(),
            reference: accepted.reference,
            code: accepted.code,
        }
    }
}

/// Take consents and withdrawals in
///
/// Takes one object or an array of up to 10 000, at most 10 MiB. The answer comes after the commit: what is accepted is in
/// the ledger and will be filed with the registry before its deadline, whatever happens to this service. One bad item of an
/// array is refused and its neighbours live. A verdict of the rules (too old, already withdrawn …) is no refusal: such a
/// consent is accepted with the state and code that end it. With an `Idempotency-Key` a repetition has no second effect and
/// gets the same answer for 72 hours.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/consents",
    operation_id = "submitConsents",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = ConsentsBody, description = "One consent, or an array of them"),
    responses(
        (status = 202, description = "In the ledger; `refused` may hold items with their problems", body = Receipt),
        (status = 413, description = "More than 10 MiB or 10 000 items", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Not one item was accepted", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("İzin ve ret kayıtlarını al")),
        ("x-description-tr" = json!("Tek bir nesne ya da en çok 10 000 kayıtlık bir liste alır, en çok 10 MiB. Yanıt, kayıtlar kalıcı olduktan sonra verilir: accepted içindekiler deftere yazılmıştır ve hizmete ne olursa olsun süresi içinde İYS'ye bildirilir. Sorunlu kayıt reddedilir, komşuları alınır. Kuralların verdiği karar (süresi geçmiş, zaten reddedilmiş …) ret değildir: kayıt, onu sonlandıran durum ve kodla kabul edilir. Idempotency-Key ile yinelenen istek ikinci kez etki etmez ve 72 saat aynı yanıtı alır.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn submit(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    call.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let parsed = items::parse::<ConsentBody>(&body)?;
    if parsed.items.is_empty() {
        return Err(Problem::NothingAccepted(parsed.refused));
    }
    let items = parsed.items.into_iter().map(|(index, consent)| consent.into_item(index, &call)).collect();
    let request = IntakeRequest {
        brand: brand.row.clone(),
        stops: brand.stops(),
        notices: brand.notices(),
        door: "api",
        items,
        idempotency: repeatable.for_intake(&body),
        lang: call.lang,
    };
    let answer = intake::submit(&state.app, request).await?;
    let mut response = receipt(answer, parsed.refused, call.lang)?;
    response.extensions_mut().insert(Flushed);
    Ok(response)
}

fn receipt(answer: IntakeAnswer, unread: Vec<FieldProblem>, lang: Lang) -> Result<Response, Problem> {
    let refused = all_refused(answer.refused, unread);
    if answer.accepted.is_empty() {
        return Err(Problem::NothingAccepted(refused));
    }
    Ok((StatusCode::ACCEPTED, Json(Receipt::new(answer.accepted, &refused, lang))).into_response())
}

/// What the intake refused and what could not be read, by places.
pub(super) fn all_refused(by_intake: Vec<Refused>, unread: Vec<FieldProblem>) -> Vec<FieldProblem> {
    let mut refused = unread;
    refused.extend(by_intake.into_iter().map(field_problem));
    refused.sort_by_key(|problem| problem.index);
    refused
}

impl Receipt {
    /// The receipt in one language.
    pub(super) fn new(accepted: Vec<Accepted>, refused: &[FieldProblem], lang: Lang) -> Self {
        Self {
            accepted: accepted.into_iter().map(AcceptedConsent::from).collect(),
            refused: refused.iter().map(|problem| ProblemField::new(problem, lang)).collect(),
        }
    }
}

fn field_problem(refused: Refused) -> FieldProblem {
    FieldProblem {
        index: Some(refused.index),
        field: refused.field,
        code: refused.code,
        title: refused.title,
    }
}

/// Look at one consent
///
/// Where its filing stands and why, the three instants of its deadline, what the registry answered, and a summary of its
/// evidence. The address is masked unless the key has `recipients:read`, which leaves an audit row.
#[utoipa::path(
    get,
    path = "/v1/consents/{id}",
    operation_id = "getConsent",
    tag = "consents",
    params(("id" = Uuid, Path, description = "The consent's identity, from the answer that accepted it")),
    responses(
        (status = 200, description = "The consent", body = Consent),
        (status = 404, description = "Not there, or not for this key", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir izin kaydını göster")),
        ("x-description-tr" = json!("Bildirimin durumu ve nedeni, sürenin üç anı, İYS'nin yanıtı ve kanıtın özeti. Adres, anahtarda recipients:read yetkisi yoksa maskelidir; tam gösterim denetim kaydı bırakır.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Consent>, Problem> {
    let Ok(Path(id)) = id else { return Err(Problem::NotFound("consent")) };
    Ok(Json(consents::get(&state.app, &call, id).await?))
}

/// Show the evidence of a consent
///
/// All that proves it, word for word: the text and notice that were shown, boxes, channel, instants, addresses, operator, scan and
/// voice record by their hashes, and the consent's link in the ledger with what is needed to compute it anew. It is personal data: the
/// key needs `recipients:read` as well, and each look leaves an audit row.
#[utoipa::path(
    get,
    path = "/v1/consents/{id}/evidence",
    operation_id = "getConsentEvidence",
    tag = "consents",
    params(("id" = Uuid, Path, description = "The consent's identity, from the answer that accepted it")),
    responses(
        (status = 200, description = "The evidence", body = EvidencePack),
        (status = 404, description = "Not there, or not for this key", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir izin kaydının kanıtını göster")),
        ("x-description-tr" = json!("Kaydı kanıtlayan her şey, kelimesi kelimesine: gösterilen metin ve aydınlatma, kutular, kanal, anlar, adresler, giren kişi, özetleriyle tarama ve ses kaydı, ve kaydın defterdeki halkası, yeniden hesaplamak için gerekenlerle. Kişisel veridir: anahtarın recipients:read yetkisi de olmalıdır, her bakış denetim kaydı bırakır.")),
        ("x-scope" = json!("recipients:read")),
    ),
)]
pub async fn evidence(
    State(state): State<HttpState>,
    call: Call,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<EvidencePack>, Problem> {
    let Ok(Path(id)) = id else { return Err(Problem::NotFound("consent")) };
    Ok(Json(evidence::pack(&state.app, &call, id).await?))
}

/// List a brand's consents
///
/// Oldest first, page by page. Filters: `state`, `due` (filings whose target lies before an instant) and `code`.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/consents",
    operation_id = "listConsents",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("state" = Option<String>, Query, description = "Only filings in this state"),
        ("due" = Option<String>, Query, description = "Only filings whose target is not after this instant (RFC 3339)"),
        ("code" = Option<String>, Query, description = "Only filings with this code, such as H174"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
    ),
    responses((status = 200, description = "A page", body = Page<ConsentSummary>)),
    extensions(
        ("x-summary-tr" = json!("Markanın izin kayıtlarını listele")),
        ("x-description-tr" = json!("En eskiden başlayarak sayfa sayfa. Süzgeçler: state, due (hedefi bu andan sonra olmayan bildirimler) ve code.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
) -> Result<Json<Page<ConsentSummary>>, Problem> {
    let pages = List::Consents(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["state", "due", "code", "after", "limit"]);
    let states: Vec<&str> = SubmissionState::ALL.iter().map(|state| state.as_str()).collect();
    let filter = ListFilter {
        state: params.word("state", &states),
        due_until: params.instant("due"),
        code: params.text("code").map(str::to_owned),
    };
    let after = params.cursor("after", pages, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let items = consents::list(&state.app, &call, &brand.row, &filter, after, limit + 1).await?;
    let limit = limit + keeps_together(&items, limit);
    Ok(Json(Page::cut(items, limit, pages, |item| Place::Id(item.id))))
}

/// The cursor names a consent: filings of one consent are not torn apart. Returns by how much the page grows.
fn keeps_together(items: &[ConsentSummary], limit: i64) -> i64 {
    let limit = usize::try_from(limit).unwrap_or_default();
    match items {
        [.., last, beyond] if items.len() == limit + 1 && last.id == beyond.id => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_domain::{Deadline, Text};

    fn accepted(index: usize) -> Accepted {
        let at = "2026-11-25T14:00:00Z".parse().unwrap();
        Accepted {
            index,
            id: Uuid::from_u128(7),
            state: SubmissionState::Queued,
            deadline: Deadline { target: at, legal: at, latest: at },
            reference: None,
            code: None,
        }
    }

    fn refused(index: usize) -> Refused {
        Refused {
            index,
            code: "H114".to_owned(),
            field: "recipient".to_owned(),
            title: Text::fixed("yok", "missing"),
        }
    }

    async fn json(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn the_answer_holds_accepted_and_refused_items_in_order() {
        let answer = IntakeAnswer { accepted: vec![accepted(0)], refused: vec![refused(3)] };
        let unread = vec![FieldProblem { index: Some(1), ..field_problem(refused(1)) }];
        let response = receipt(answer, unread, Lang::En).unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let json = json(response).await;
        assert_eq!(json["accepted"][0]["deadline"]["target"], "2026-11-25T17:00:00+03:00");
        assert_eq!(json["accepted"][0]["state"], "queued");
        assert_eq!(json["refused"][0]["index"], 1);
        assert_eq!(
            json["refused"][1],
            serde_json::json!({"index": 3, "code": "H114", "field": "recipient", "title": "missing"})
        );
    }

    #[test]
    fn nothing_accepted_is_a_problem_with_the_same_errors() {
        let answer = IntakeAnswer { accepted: Vec::new(), refused: vec![refused(0)] };
        let Err(Problem::NothingAccepted(errors)) = receipt(answer, Vec::new(), Lang::Tr) else {
            panic!("it was accepted")
        };
        assert_eq!(errors[0].code, "H114");
    }
}
