//! "May I send to this list?"

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use kopru_domain::{Channel, RecipientType, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::config::parse_duration;
use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::permissions::{CHANNELS, RECIPIENT_TYPES};
use crate::service::FieldProblem;
use crate::service::check::{self, CheckAnswer, CheckRequest, LONGEST_WAIT};

/// Addresses to be checked.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckBody {
    /// The way the messages would go: `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: Channel,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// Up to 1 000 addresses, as people write them.
    pub recipients: Vec<String>,
    /// How old the knowledge may be, such as `30m`; at most the service's own bound. Below an hour the registry itself is
    /// asked.
    #[schema(example = "2h")]
    pub freshness: Option<String>,
}

impl Body for CheckBody {
    const FIELDS: &'static [Field] = &[
        Field::required("type", Kind::Word(CHANNELS)).also(&["channel", "kanal"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)).also(&["alicitipi"]),
        Field::required("recipients", Kind::Texts).also(&[
            "recipient",
            "addresses",
            "phones",
            "numbers",
            "alicilar",
        ]),
        Field::optional("freshness", Kind::Text).also(&["maxage", "age"]),
    ];
}

/// Ask whether messages may be sent
///
/// One verdict for each address, and it fails closed: `allowed` is true only where the registry is known to hold an ONAY and
/// no withdrawal stands. Reasons: `RET`, `pending` (an ONAY on its way is no permission), `held`, `unknown`, `stale` (what is
/// known is older than the bound), `invalid`. With `wait` a stale brand is read again first.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/check",
    operation_id = "checkRecipients",
    tag = "permissions",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("wait" = Option<String>, Query, description = "How long to wait for a stale brand to be read again, such as 10s; at most 30s"),
    ),
    request_body(content = CheckBody),
    responses(
        (status = 200, description = "The verdicts, in the order asked", body = CheckAnswer),
        (status = 422, description = "The request cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bu listeye gönderilebilir mi?")),
        ("x-description-tr" = json!("Her adres için bir karar; emin olunamazsa reddeder: allowed yalnızca İYS'de ONAY olduğu biliniyor ve geçerli bir ret yoksa true olur. Nedenler: RET, pending (yoldaki onay izin değildir), held, unknown, stale (bilgi sınırdan eski), invalid. wait verilirse eskimiş marka önce yeniden okunur.")),
        ("x-scope" = json!("permissions:read")),
    ),
)]
pub async fn check(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Json<CheckAnswer>, Problem> {
    let mut params = Params::of(&uri, &["wait"]);
    let wait = params.duration("wait", LONGEST_WAIT).unwrap_or_default();
    params.finish()?;
    let body: CheckBody = json::read(&body)?;
    let request = CheckRequest {
        channel: body.channel,
        recipient_type: body.recipient_type.unwrap_or_default(),
        recipients: body.recipients,
        freshness: body.freshness.as_deref().map(freshness).transpose()?,
        wait,
    };
    Ok(Json(check::check(&state.app, &call, &brand.row, request).await?))
}

fn freshness(text: &str) -> Result<Duration, Problem> {
    parse_duration(text).ok_or_else(|| {
        let title =
            Text::fixed("30m ya da 2h gibi bir süre olmalı", "it must be a length of time such as 30m or 2h");
        Problem::Fields(vec![FieldProblem {
            index: None,
            field: "freshness".to_owned(),
            code: "duration".to_owned(),
            title,
        }])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_and_anything_else_is_named() {
        assert_eq!(freshness("30m"), Ok(Duration::from_mins(30)));
        assert!(
            matches!(freshness("soon"), Err(Problem::Fields(problems)) if problems[0].field == "freshness")
        );
    }

    #[test]
    fn a_wrong_word_names_the_right_ones() {
        let Err(Problem::Fields(problems)) = json::read::<CheckBody>(br#"{"type":"SMS","recipients":[5]}"#)
        else {
            panic!("it was taken")
        };
        let wrong: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(wrong, ["type", "recipients[0]"]);
        assert!(problems[0].title.get(kopru_domain::Lang::En).contains("MESAJ"));
    }
}
