//! Filing once more what has ended without the registry's record.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use kopru_domain::time::parse_consent_date;
use kopru_domain::{SubmissionState, Text};
use kopru_store::submissions::EndedFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::OptionalBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::service::providers::{checked_name, field_problem};
use crate::service::redrive::{self, ENDED, Redrive, Wish};
use crate::service::{FieldProblem, Scope};

/// Filings that one dry run looks at, about.
const MOST_PREVIEWED: u64 = 100_000;
const STATES: &[&str] = &["refused", "expired", "not_needed", "superseded"];

/// How a consent is filed once more.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedriveBody {
    /// `true`, the default: only tell what would happen. `false`: do it.
    pub dry_run: Option<bool>,
    /// Also file what its code says cannot be helped. Never against the rules: no approval after its latest instant, none
    /// against a refusal that stands.
    pub force: Option<bool>,
    /// Why, for the audit trail.
    pub reason: Option<String>,
}

/// Which filings of a brand are driven again, and how. Without any filter: all that have ended without the registry's record.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrandRedriveBody {
    /// `true`, the default: only tell what would happen. `false`: do it.
    pub dry_run: Option<bool>,
    /// Also file what its code says cannot be helped. Never against the rules.
    pub force: Option<bool>,
    /// Why, for the audit trail.
    pub reason: Option<String>,
    /// Only filings that ended so: `refused`, `expired`, `not_needed`, `superseded`.
    pub states: Option<Vec<String>>,
    /// Only filings that ended with one of these codes.
    pub codes: Option<Vec<String>>,
    /// Only filings that ended at this instant or later (RFC 3339).
    pub from: Option<String>,
    /// Only filings that ended before this instant.
    pub to: Option<String>,
    /// Cursor from the answer before.
    pub after: Option<String>,
}

const DRY_RUN: Field = Field::optional("dryRun", Kind::Flag).also(&["preview", "test"]);
const FORCE: Field = Field::optional("force", Kind::Flag);
const REASON: Field = Field::optional("reason", Kind::Text).also(&["cause", "note", "neden"]);

impl Body for RedriveBody {
    const FIELDS: &'static [Field] = &[DRY_RUN, FORCE, REASON];
}

impl Body for BrandRedriveBody {
    const FIELDS: &'static [Field] = &[
        DRY_RUN,
        FORCE,
        REASON,
        Field::optional("states", Kind::Words(STATES)).also(&["state", "durum"]),
        Field::optional("codes", Kind::Texts).also(&["code", "kod"]),
        Field::optional("from", Kind::Text).also(&["since"]),
        Field::optional("to", Kind::Text).also(&["until"]),
        Field::optional("after", Kind::Text).also(&["cursor", "next"]),
    ];
}

/// What a redrive of a brand did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandRedrive {
    #[serde(flatten)]
    #[schema(inline)]
    redrive: Redrive,
    /// Where to go on: send it as `after`. Missing where all was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Whether there may be more.
    has_more: bool,
}

/// File a consent once more
///
/// For a consent whose filing has ended without the registry's record. A dry run unless `dryRun` is `false`. What would come to
/// nothing is left, with the reason: an approval after its latest instant, one against a refusal that stands, what the
/// registry has already. The new filing is a `generation` of its own; the one that ended stays as it is.
#[utoipa::path(
    post,
    path = "/v1/consents/{id}/redrive",
    operation_id = "redriveConsent",
    tag = "consents",
    params(
        ("id" = Uuid, Path, description = "The consent's identity"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = RedriveBody, description = "May be left out"),
    responses(
        (status = 200, description = "What would happen", body = Redrive),
        (status = 202, description = "What was done", body = Redrive),
        (status = 404, description = "Not there, or not for this key", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The brand or its provider is disabled", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir kaydı yeniden bildir")),
        ("x-description-tr" = json!("Bildirimi İYS kaydı olmadan sonlanmış bir kayıt için. dryRun false değilse yalnızca ne olacağını söyler. Sonuçsuz kalacak olan, nedeniyle birlikte bırakılır: son anı geçmiş onay, geçerli bir rete karşı onay, İYS'de zaten kayıtlı olan. Yeni bildirim ayrı bir generation'dır; sonlanan olduğu gibi kalır.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn consent(
    State(state): State<HttpState>,
    call: Call,
    id: Result<Path<Uuid>, PathRejection>,
    repeatable: Repeatable,
    OptionalBody(bytes): OptionalBody,
) -> Result<Response, Problem> {
    let Ok(Path(id)) = id else { return Err(Problem::NotFound("consent")) };
    let body: RedriveBody = json::read(&bytes)?;
    let mut problems = Vec::new();
    let wish = wish(body.dry_run, body.force, body.reason, &mut problems);
    refuse(problems)?;
    if wish.dry_run {
        return Ok(Json(redrive::consent(&state.app, &call, id, &wish).await?).into_response());
    }
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let redrive = redrive::consent_in(&mut turn.tx, &state.app, &call, id, &wish).await?;
    let answer = turn.finish(StatusCode::ACCEPTED, &redrive).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// File a brand's ended consents once more
///
/// A dry run unless `dryRun` is `false`: it counts by code what would be filed and what would be left, and why. Otherwise one
/// call looks at up to 1 000 filings in one transaction and answers with a cursor for the next; what it has queued is not found
/// again, so calls may be repeated at will. What would come to nothing is left: an approval after its latest instant, one
/// against a refusal that stands, and, without `force`, what its code says cannot be helped.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/redrive",
    operation_id = "redriveBrand",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = BrandRedriveBody, description = "May be left out"),
    responses(
        (status = 200, description = "What would happen", body = BrandRedrive),
        (status = 202, description = "What was done", body = BrandRedrive),
        (status = 409, description = "The brand or its provider is disabled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A filter cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Markanın sonlanmış kayıtlarını yeniden bildir")),
        ("x-description-tr" = json!("dryRun false değilse neyin yeniden bildirileceğini, neyin neden bırakılacağını koda göre sayar. Aksi hâlde bir çağrı tek bir işlemde en çok 1 000 bildirime bakar ve sonraki çağrı için imleç verir; sıraya aldıkları bir daha bulunmaz, bu yüzden çağrılar yinelenebilir. Sonuçsuz kalacak olan bırakılır: son anı geçmiş onay, geçerli bir rete karşı onay ve force yoksa kodu yardım edilemeyeceğini söyleyen.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn brand(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    OptionalBody(bytes): OptionalBody,
) -> Result<Response, Problem> {
    call.require(Scope::ConsentsWrite)?;
    let body: BrandRedriveBody = json::read(&bytes)?;
    let pages = List::Consents(brand.row.brand_code.0);
    let mut problems = Vec::new();
    let wish = wish(body.dry_run, body.force, body.reason, &mut problems);
    let filter = EndedFilter {
        states: states(body.states, &mut problems),
        codes: body.codes.unwrap_or_default(),
        from: instant("from", body.from.as_deref(), &mut problems),
        to: instant("to", body.to.as_deref(), &mut problems),
    };
    let after = body.after.as_deref().and_then(|cursor| {
        let place = pages.id(cursor);
        if place.is_none() {
            let title = Text::fixed(
                "bu markanın bir yanıtından alınmış imleç olmalı; baştan başlamak için göndermeyin",
                "it must be a cursor from an answer of this brand; leave it out to begin at the start",
            );
            problems.push(field_problem("after", "cursor", title));
        }
        place
    });
    refuse(problems)?;
    let answer = |(redrive, next): (Redrive, Option<Uuid>)| {
        let next = next.map(|last| pages.cursor(Place::Id(last)));
        BrandRedrive { redrive, has_more: next.is_some(), next }
    };
    if wish.dry_run {
        let preview =
            redrive::portions(&state.app, &call, &brand, &filter, after, &wish, MOST_PREVIEWED).await?;
        return Ok(Json(answer(preview)).into_response());
    }
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let done = redrive::portion_in(&mut turn.tx, &state.app, &call, &brand, &filter, after, &wish).await?;
    let answer = turn.finish(StatusCode::ACCEPTED, &answer(done)).await?;
    state.app.wake.wake();
    Ok(answer)
}

fn wish(
    dry_run: Option<bool>,
    force: Option<bool>,
    reason: Option<String>,
    problems: &mut Vec<FieldProblem>,
) -> Wish {
    let reason = reason
        .and_then(|reason| checked_name("reason", &reason).map_err(|problem| problems.push(problem)).ok());
    Wish { dry_run: dry_run.unwrap_or(true), force: force.unwrap_or_default(), reason }
}

fn states(words: Option<Vec<String>>, problems: &mut Vec<FieldProblem>) -> Vec<SubmissionState> {
    let words = words.unwrap_or_default();
    if words.iter().any(|word| !STATES.contains(&word.as_str())) {
        let list = STATES.join(", ");
        let title =
            Text::new(format!("şunlardan oluşmalı: {list}"), format!("it holds words of these: {list}"));
        problems.push(field_problem("states", "word", title));
    }
    ENDED
        .into_iter()
        .filter(|state| words.is_empty() || words.iter().any(|word| word == state.as_str()))
        .collect()
}

fn instant(field: &str, text: Option<&str>, problems: &mut Vec<FieldProblem>) -> Option<DateTime<Utc>> {
    let text = text?;
    let instant = parse_consent_date(text).ok();
    if instant.is_none() {
        let title = Text::fixed(
            "2026-11-25T17:00:00+03:00 ya da 2026-11-25 17:00:00 gibi bir an olmalı",
            "it must be an instant such as 2026-11-25T17:00:00+03:00 or 2026-11-25 17:00:00",
        );
        problems.push(field_problem(field, "instant", title));
    }
    instant
}

fn refuse(problems: Vec<FieldProblem>) -> Result<(), Problem> {
    if problems.is_empty() { Ok(()) } else { Err(Problem::Fields(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_are_those_that_can_be_driven_again() {
        assert_eq!(STATES, ENDED.map(SubmissionState::as_str));
        let mut problems = Vec::new();
        assert_eq!(states(None, &mut problems), ENDED);
        assert_eq!(states(Some(vec!["expired".to_owned()]), &mut problems), [SubmissionState::Expired]);
        assert!(problems.is_empty());
    }

    #[test]
    fn nothing_is_done_unless_it_is_said() {
        let mut problems = Vec::new();
        assert!(wish(None, None, None, &mut problems).dry_run);
        assert!(!wish(Some(false), None, Some("quota was raised".to_owned()), &mut problems).dry_run);
        assert!(problems.is_empty());
        wish(None, None, Some("two\nlines".to_owned()), &mut problems);
        assert_eq!(problems[0].field, "reason");
    }
}
