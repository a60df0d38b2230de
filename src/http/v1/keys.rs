//! API keys.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use kopru_domain::time::parse_consent_date;
use kopru_domain::{IysCode, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::service::keys::{self, ApiKey, IssuedKey, NewKey};
use crate::service::{FieldProblem, Scope};

/// A key to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyBody {
    /// The provider it is for. Left out: the caller's own, or all where the calling key is for all.
    pub iys_code: Option<i64>,
    /// A name for people.
    #[schema(example = "CRM, production")]
    pub name: String,
    /// What it may do: `consents:write`, `consents:read`, `permissions:read`, `changes:read`, `webhooks:manage`,
    /// `imports:write`, `exports:read`, `messages:send`, `recipients:read`, `admin`.
    #[schema(example = json!(["consents:write", "changes:read"]))]
    pub scopes: Vec<String>,
    /// Networks it may come from, such as `198.51.100.0/24`; left out or empty: all.
    pub ip_allow: Option<Vec<String>>,
    /// Until when it holds, RFC 3339; left out: for good.
    pub expires_at: Option<String>,
}

const SCOPES: &[&str] = &[
    "consents:write",
    "consents:read",
    "permissions:read",
    "changes:read",
    "webhooks:manage",
    "imports:write",
    "exports:read",
    "messages:send",
    "recipients:read",
    "admin",
];

impl Body for KeyBody {
    const FIELDS: &'static [Field] = &[
        Field::optional("iysCode", Kind::Number).also(&["provider"]),
        Field::required("name", Kind::Text).also(&["title", "ad"]),
        Field::required("scopes", Kind::Words(SCOPES)).also(&["scope", "rights", "yetkiler"]),
        Field::optional("ipAllow", Kind::Texts).also(&["ips", "networks", "ip"]),
        Field::optional("expiresAt", Kind::Text).also(&["expires", "expiry", "until"]),
    ];
}

impl KeyBody {
    fn into_new(self) -> Result<NewKey, Problem> {
        let mut problems = Vec::new();
        let mut refuse = |field: String, code: &str, title: Text| {
            problems.push(FieldProblem { index: None, field, code: code.to_owned(), title });
        };
        let mut scopes = Vec::with_capacity(self.scopes.len());
        for (place, word) in self.scopes.iter().enumerate() {
            match Scope::from_wire(word) {
                Some(scope) => scopes.push(scope),
                None => {
                    let list = SCOPES.join(", ");
                    let title = Text::new(
                        format!("şunlardan biri olmalı: {list}"),
                        format!("it must be one of: {list}"),
                    );
                    refuse(format!("scopes[{place}]"), "unknown_value", title);
                }
            }
        }
        let mut ip_allow = Vec::new();
        for (place, text) in self.ip_allow.unwrap_or_default().iter().enumerate() {
            match network(text) {
                Some(network) => ip_allow.push(network),
                None => {
                    let title = Text::fixed(
                        "198.51.100.0/24 gibi bir ağ ya da tek bir IP adresi olmalı",
                        "it must be a network such as 198.51.100.0/24 or one IP address",
                    );
                    refuse(format!("ipAllow[{place}]"), "network", title);
                }
            }
        }
        let expires_at: Option<DateTime<Utc>> =
            self.expires_at.as_deref().and_then(|text| match parse_consent_date(text) {
                Ok(at) => Some(at),
                Err(error) => {
                    refuse("expiresAt".to_owned(), "instant", error.text());
                    None
                }
            });
        if !problems.is_empty() {
            return Err(Problem::Fields(problems));
        }
        Ok(NewKey { iys_code: self.iys_code.map(IysCode), name: self.name, scopes, ip_allow, expires_at })
    }
}

fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address)))
}

type Id = Result<Path<String>, PathRejection>;

fn known(id: Id) -> Result<String, Problem> {
    id.map(|Path(id)| id).map_err(|_| Problem::NotFound("key"))
}

/// Make a key
///
/// The key is in this answer and nowhere else: only a hash of it is kept.
#[utoipa::path(
    post,
    path = "/v1/keys",
    operation_id = "addKey",
    tag = "administration",
    params(("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID")),
    request_body(content = KeyBody),
    responses(
        (status = 201, description = "The key", body = IssuedKey),
        (status = 422, description = "The request cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Anahtar oluştur")),
        ("x-description-tr" = json!("Anahtar yalnızca bu yanıtta görünür: saklanan, özetidir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let new = json::read::<KeyBody>(&bytes)?.into_new()?;
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let issued = keys::add_in(&mut turn.tx, &state.app, &call, new).await?;
    turn.finish(StatusCode::CREATED, &issued).await
}

/// List keys
///
/// Without their secrets, oldest first, at most 1 000.
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "listKeys",
    tag = "administration",
    params(("iysCode" = Option<i64>, Query, description = "The provider; left out: the caller's own, or the keys that are for all")),
    responses((status = 200, description = "The keys", body = Page<ApiKey>)),
    extensions(
        ("x-summary-tr" = json!("Anahtarları listele")),
        ("x-description-tr" = json!("Sırları olmadan, eskiden yeniye, en çok 1 000.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    uri: Uri,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let mut params = Params::of(&uri, &["iysCode"]);
    let provider = params.code("iysCode").map(IysCode);
    params.finish()?;
    let items = keys::list(&state.app, &call, provider).await?;
    Ok(Json(Page { items, next: None, has_more: false }))
}

/// Show one key
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    operation_id = "getKey",
    tag = "administration",
    params(("id" = String, Path, description = "The key's public part: the 12 characters after `kpr_`")),
    responses((status = 200, description = "The key", body = ApiKey)),
    extensions(("x-summary-tr" = json!("Anahtarı göster")), ("x-scope" = json!("admin"))),
)]
pub async fn get(State(state): State<HttpState>, call: Call, id: Id) -> Result<Json<ApiKey>, Problem> {
    Ok(Json(keys::get(&state.app, &call, &known(id)?).await?))
}

/// Disable a key
///
/// For good. Other processes notice it within seconds.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    operation_id = "disableKey",
    tag = "administration",
    params(("id" = String, Path, description = "The key's public part: the 12 characters after `kpr_`")),
    responses((status = 204, description = "Disabled")),
    extensions(
        ("x-summary-tr" = json!("Anahtarı kapat")),
        ("x-description-tr" = json!("Kalıcıdır. Öteki süreçler birkaç saniye içinde fark eder.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn disable(State(state): State<HttpState>, call: Call, id: Id) -> Result<StatusCode, Problem> {
    keys::disable(&state.app, &call, &known(id)?).await?;
    state.keys.clear();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Result<NewKey, Problem> {
        json::read::<KeyBody>(json.as_bytes())?.into_new()
    }

    #[test]
    fn the_list_of_scopes_is_the_programs() {
        assert_eq!(SCOPES, Scope::ALL.map(Scope::as_str));
    }

    #[test]
    fn a_key_is_read_with_networks_and_an_end() {
        let new = body(
            r#"{"name":"CRM","scopes":["consents:write"],"ipAllow":["10.0.0.0/8","::1"],"expiresAt":"2027-01-01T00:00:00+03:00"}"#,
        )
        .unwrap();
        assert_eq!(
            new.ip_allow.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "::1/128"]
        );
        assert_eq!(new.expires_at, Some("2026-12-31T21:00:00Z".parse().unwrap()));
    }

    #[test]
    fn everything_wrong_with_a_key_is_told_at_once() {
        let Err(Problem::Fields(problems)) =
            body(r#"{"name":"x","scopes":["root","admin"],"ipAllow":["here"],"expiresAt":"soon"}"#)
        else {
            panic!("it was taken")
        };
        let wrong: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(wrong, ["scopes[0]", "ipAllow[0]", "expiresAt"]);
    }
}
