//! Refusals of the control interface, in Turkish and in English.

use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::Error;

/// A refusal of the control interface.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    tr: String,
    en: String,
}

impl Problem {
    /// What is wrong, in Turkish and in English.
    pub(crate) fn texts(&self) -> (&str, &str) {
        (&self.tr, &self.en)
    }

    fn new(status: StatusCode, code: &'static str, tr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { status, code, tr: tr.into(), en: en.into() }
    }

    pub(crate) fn token_not_configured() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "control_closed",
            "Deneme ortamı bu makinenin dışına açık ve kontrol jetonu yok: kontrol arayüzü herkese kapalı. Jeton ayarlayın ya da yalnız 127.0.0.1 adresinde dinletin.",
            "the sandbox listens beyond this machine and has no control token: its control interface is closed to everybody; set a token, or let it listen on 127.0.0.1 alone",
        )
    }

    pub(crate) fn token_wrong() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "control_token_wrong",
            "Kontrol jetonu eksik ya da yanlış.",
            "the control token is missing or wrong",
        )
    }

    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            format!("İstek gövdesi okunamadı: {error}"),
            format!("the body could not be read: {error}"),
        )
    }

    /// A value that cannot be used.
    pub(crate) fn invalid(field: &str, wanted: &str) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            format!("{field} kullanılamaz, beklenen: {wanted}"),
            format!("{field} is unusable, wanted: {wanted}"),
        )
    }

    /// A value that cannot be used, and why, in Turkish and in English.
    pub(crate) fn unusable(field: &str, (tr, en): (String, String)) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            format!("{field} kullanılamaz: {tr}"),
            format!("{field} is unusable: {en}"),
        )
    }

    /// Something that is not there.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("Bulunamadı: {what}"),
            format!("not found: {what}"),
        )
    }

    pub(crate) fn clock_backwards() -> Self {
        Self::new(StatusCode::CONFLICT, "clock_backwards", "Saat geri alınamaz.", "the clock never goes back")
    }

    pub(crate) fn clock_too_far() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "clock_too_far",
            "Saat bu kadar ileri alınamaz.",
            "the clock cannot be moved that far",
        )
    }

    pub(crate) fn no_line_to_close() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "no_record",
            "Kapatılan hattın bu markada kaydı yok.",
            "the closed line has no record with this brand",
        )
    }
}

impl Problem {
    pub(crate) fn complaint_is_further() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "complaint_is_further",
            "Şikâyet bu durumda ya da daha ileride; geriye alınamaz.",
            "the complaint is in this state or further on; it never goes back",
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the control interface failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "Simülatörde bir hata oldu.",
            "the simulator failed",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "tr": self.tr, "en": self.en}});
        (self.status, axum::Json(body)).into_response()
    }
}

/// The parameters of a query string, refused as everything else here is.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "unreadable",
                format!("Sorgu okunamadı: {}", error.body_text()),
                format!("the query could not be read: {}", error.body_text()),
            )),
        }
    }
}

/// Reads a body whatever media type it claims, so that a plain `curl -d` works.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::unreadable(&error))
}
