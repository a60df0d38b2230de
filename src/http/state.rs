//! What handlers share: the program, and what is remembered between requests.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kopru_domain::BrandCode;

use crate::bootstrap::App;
use crate::http::auth::{Call, KnownKey};
use crate::http::cache::{Cache, Remembered};
use crate::http::limits::Rate;
use crate::http::pages::throttle::Throttle;
use crate::http::path::In;
use crate::http::problem::Problem;
use crate::service::brands::{self, KnownBrand};
use crate::service::forms::ShownForm;
use crate::service::inbound::receiving::Receiver as Inlet;
use crate::service::push::receiving::Receiver;

/// State of the API. Cheap to clone; stands for the program itself wherever that is asked for.
#[derive(Clone)]
pub struct HttpState(Arc<Shared>);

/// What is behind the state.
pub struct Shared {
    /// The program.
    pub app: App,
    /// Keys by their public part.
    pub keys: Cache<String, KnownKey>,
    /// Brands by number.
    pub brands: Cache<BrandCode, KnownBrand>,
    /// Receivers of the registry's pushes by the hashes of their tokens.
    pub receivers: Cache<[u8; 32], Receiver>,
    /// Web forms by their public keys.
    pub forms: Cache<String, ShownForm>,
    /// How often forms are taken.
    pub pages: Pages,
    /// Where SMS vendors push to, by the hashes of their tokens.
    pub inlets: Cache<[u8; 32], Inlet>,
    /// The rate of every key.
    pub rate: Rate,
}

/// How often forms are taken. Each process counts for itself first; what passes is counted by all (`forms::limits`).
pub struct Pages {
    /// For each form and address: ten at once, ten a minute.
    pub by_address: Throttle,
    /// For each brand and number or e-mail address, normalised: five at once, five an hour.
    pub by_number: Throttle,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            by_address: Throttle::new(10, Duration::from_secs(6)),
            by_number: Throttle::new(5, Duration::from_mins(12)),
        }
    }
}

impl HttpState {
    /// State over a program.
    pub fn new(app: App) -> Self {
        let rate = Rate::new(app.config.http.requests_per_second_per_key);
        Self(Arc::new(Shared {
            app,
            keys: Cache::default(),
            brands: Cache::default(),
            receivers: Cache::default(),
            forms: Cache::default(),
            pages: Pages::default(),
            inlets: Cache::default(),
            rate,
        }))
    }
}

impl Deref for HttpState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The brand in the path, where the caller sees it.
pub struct Branded(pub Arc<KnownBrand>);

impl FromRequestParts<HttpState> for Branded {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Problem> {
        let call = Call::from_request_parts(parts, state).await?;
        let In(code) = In::<BrandCode>::from_request_parts(parts, state).await?;
        let now = Instant::now();
        let known = match state.brands.get(&code, now) {
            Some(Remembered(known)) => known,
            None => state.brands.put(code, brands::load(&state.app, code).await?, now),
        };
        known.filter(|known| call.sees(known.row.iys_code)).map(Self).ok_or(Problem::NotFound("brand"))
    }
}
