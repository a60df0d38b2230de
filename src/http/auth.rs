//! Who calls: the API key of a request, its rights and its rate.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use kopru_store::keys::ApiKeyRow;

use crate::http::cache::Remembered;
use crate::http::client;
use crate::http::edge::Context;
use crate::http::limits::{Bucket, Draw};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::keys::{self, KeyText, PARTNER_WIDE};
use crate::service::{Caller, Scope};

/// A key as it is remembered between requests.
#[derive(Debug)]
pub struct KnownKey {
    row: ApiKeyRow,
    scopes: Vec<Scope>,
    networks: Option<Vec<IpNet>>,
    bucket: Arc<Bucket>,
}

impl KnownKey {
    fn new(row: ApiKeyRow, bucket: Arc<Bucket>) -> Self {
        let scopes = row.scopes.iter().filter_map(|scope| Scope::from_wire(scope)).collect();
        // An entry that cannot be read allows nothing, and the list stays a list.
        let networks = (!row.ip_allow.is_empty())
            .then(|| row.ip_allow.iter().filter_map(|network| network.parse().ok()).collect());
        Self { row, scopes, networks, bucket }
    }

    /// Why the key may not be used now, if it may not. Asked only once the secret is proved: nobody learns of a key's fate
    /// by its public part.
    fn refusal(&self, from: Option<IpAddr>, wire_now: DateTime<Utc>) -> Option<Problem> {
        if self.row.disabled_at.is_some() {
            return Some(Problem::KeyDisabled);
        }
        if self.row.expires_at.is_some_and(|end| end <= wire_now) {
            return Some(Problem::KeyExpired);
        }
        let networks = self.networks.as_ref()?;
        let allowed = from.is_some_and(|from| networks.iter().any(|network| network.contains(&from)));
        (!allowed).then_some(Problem::NetworkNotAllowed)
    }

    fn caller(&self, context: &Context, headers: &HeaderMap) -> Caller {
        Caller {
            actor: format!("key {}", self.row.id),
            key_id: self.row.id.clone(),
            provider: (self.row.iys_code != PARTNER_WIDE).then_some(self.row.iys_code),
            scopes: self.scopes.clone(),
            peer: context.origin.peer,
            client: context.origin.client,
            user_agent: client::user_agent(headers),
            lang: context.lang,
        }
    }
}

/// The caller of an authenticated request.
#[derive(Clone)]
pub struct Call(Arc<Caller>);

impl Call {
    /// Refuses a key that belongs to one provider.
    pub fn require_partner_wide(&self) -> Result<(), Problem> {
        if self.provider.is_none() { Ok(()) } else { Err(Problem::PartnerWideOnly) }
    }
}

impl Deref for Call {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Missing only where a route was mounted outside the authenticated part.
        parts.extensions.get::<Self>().cloned().ok_or(Problem::Internal)
    }
}

/// Lets a request pass whose key is good and has not used up its rate.
pub async fn authenticate(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    let key = match known(&state, request.headers()).await {
        Ok(key) => key,
        Err(problem) => return refused(problem),
    };
    let context = request.extensions().get::<Context>().cloned().unwrap_or_default();
    if let Some(problem) = key.refusal(context.origin.address(), state.app.clocks.wire()) {
        return refused(problem);
    }
    let draw = state.rate.draw(&key.bucket, Instant::now());
    let mut response = match draw {
        Some(Draw::Refused { after }) => refused(Problem::RateLimited(after)),
        _ => {
            let caller = key.caller(&context, request.headers());
            tracing::Span::current().record("key.id", caller.key_id.as_str());
            request.extensions_mut().insert(Call(Arc::new(caller)));
            next.run(request).await
        }
    };
    if let Some(draw) = draw {
        state.rate.tell(draw, response.headers_mut());
    }
    response
}

fn refused(problem: Problem) -> Response {
    metrics::counter!("http_refused_total", "reason" => problem.kind().slug).increment(1);
    problem.into_response()
}

/// The key of a request, its secret proved.
async fn known(state: &HttpState, headers: &HeaderMap) -> Result<Arc<KnownKey>, Problem> {
    let text = bearer(headers)?;
    let key = KeyText::parse(text).ok_or(Problem::KeyMalformed)?;
    let now = Instant::now();
    let known = match state.keys.get(key.id, now) {
        Some(Remembered(known)) => known,
        None => {
            // A key that is read again keeps what it has used up.
            let bucket = state.keys.stale(key.id).map(|old| old.bucket.clone());
            let bucket = bucket.unwrap_or_else(|| Arc::new(state.rate.bucket(now)));
            let row = keys::load(&state.app, key.id).await?;
            state.keys.put(key.id.to_owned(), row.map(|row| KnownKey::new(row, bucket)), now)
        }
    };
    known.filter(|known| key.matches(&known.row.secret_hash)).ok_or(Problem::KeyUnknown)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Problem::KeyMissing)?;
    let text = value.to_str().map_err(|_| Problem::KeyMalformed)?;
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim()),
        _ => Err(Problem::KeyMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::limits::Rate;
    use kopru_domain::IysCode;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn key(change: impl FnOnce(&mut ApiKeyRow)) -> KnownKey {
        let mut row = ApiKeyRow {
            iys_code: IysCode(7),
            id: "abc".to_owned(),
            name: "test".to_owned(),
            secret_hash: Vec::new(),
            scopes: vec!["consents:write".to_owned(), "of tomorrow".to_owned()],
            ip_allow: Vec::new(),
            expires_at: None,
            disabled_at: None,
            created_at: now(),
        };
        change(&mut row);
        KnownKey::new(row, Arc::new(Rate::new(1).bucket(Instant::now())))
    }

    #[test]
    fn disabled_expired_and_misplaced_keys_each_have_their_problem() {
        let from: Option<IpAddr> = Some("198.51.100.7".parse().unwrap());
        assert_eq!(key(|_| {}).refusal(from, now()), None);
        assert_eq!(key(|row| row.disabled_at = Some(now())).refusal(from, now()), Some(Problem::KeyDisabled));
        assert_eq!(key(|row| row.expires_at = Some(now())).refusal(from, now()), Some(Problem::KeyExpired));
        let later = now() + chrono::TimeDelta::seconds(1);
        assert_eq!(key(|row| row.expires_at = Some(later)).refusal(from, now()), None);
        let bound =
            |networks: &[&str]| key(|row| row.ip_allow = networks.iter().map(ToString::to_string).collect());
        assert_eq!(bound(&["198.51.100.0/24"]).refusal(from, now()), None);
        assert_eq!(bound(&["10.0.0.0/8"]).refusal(from, now()), Some(Problem::NetworkNotAllowed));
        assert_eq!(bound(&["198.51.100.0/24"]).refusal(None, now()), Some(Problem::NetworkNotAllowed));
        assert_eq!(bound(&["unreadable"]).refusal(from, now()), Some(Problem::NetworkNotAllowed));
    }

    #[test]
    fn a_scope_that_this_version_does_not_know_gives_no_right() {
        assert_eq!(key(|_| {}).scopes, [Scope::ConsentsWrite]);
    }

    #[test]
    fn a_key_comes_as_a_bearer_token() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(bearer(&HeaderMap::new()), Err(Problem::KeyMissing));
        assert_eq!(of("Bearer kpr_x"), Ok("kpr_x".to_owned()));
        assert_eq!(of("bearer  kpr_x "), Ok("kpr_x".to_owned()));
        assert_eq!(of("Basic abc"), Err(Problem::KeyMalformed));
        assert_eq!(of("kpr_x"), Err(Problem::KeyMalformed));
    }
}
