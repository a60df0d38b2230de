//! What stands in a path: a brand's or a provider's number, and what is named behind a brand. What cannot be one is not found, as what
//! is not there.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use kopru_domain::{BrandCode, IysCode};

use crate::http::problem::Problem;

/// A number of the registry that stands in paths.
pub trait Numbered: Sized {
    /// Its name in the path.
    const NAME: &'static str;
    /// What has it.
    const THING: &'static str;

    /// From the number.
    fn numbered(number: i64) -> Self;
}

impl Numbered for BrandCode {
    const NAME: &'static str = "brandCode";
    const THING: &'static str = "brand";

    fn numbered(number: i64) -> Self {
        Self(number)
    }
}

impl Numbered for IysCode {
    const NAME: &'static str = "iysCode";
    const THING: &'static str = "provider";

    fn numbered(number: i64) -> Self {
        Self(number)
    }
}

/// The number of a brand or provider in the path. Whether the caller sees it is for the service to say, or for
/// [`Branded`](crate::http::state::Branded).
pub struct In<T>(pub T);

impl<T: Numbered, S: Send + Sync> FromRequestParts<S> for In<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await;
        params.as_ref().and_then(numbered).map(Self).ok_or(Problem::NotFound(T::THING))
    }
}

/// What stands last in a path behind a brand's number: an id, a code.
pub struct Within<T>(Option<(BrandCode, T)>);

impl<T> Within<T> {
    /// The brand and what stands behind it; where it cannot be one, there is no such thing.
    pub fn or_missing(self, thing: &'static str) -> Result<(BrandCode, T), Problem> {
        self.0.ok_or(Problem::NotFound(thing))
    }
}

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for Within<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(params) = params(parts, state).await else { return Ok(Self(None)) };
        let last = params.iter().last().and_then(|(_, text)| text.parse().ok());
        Ok(Self(numbered(&params).zip(last)))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<RawPathParams> {
    RawPathParams::from_request_parts(parts, state).await.ok()
}

fn numbered<T: Numbered>(params: &RawPathParams) -> Option<T> {
    let (_, number) = params.iter().find(|(name, _)| *name == T::NAME)?;
    number.parse().ok().map(T::numbered)
}
