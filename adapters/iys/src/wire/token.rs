//! `POST /oauth2/token` (registry-protocol 1.2).

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::lenient;
use super::masked::exposed;

/// The body of a token request; the registry takes it as JSON and as a form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "grant_type")]
pub enum TokenRequest {
    /// Log in with the name and password that the registry issued.
    #[serde(rename = "password")]
    Password {
        /// The user's name, usually shaped like an e-mail address.
        username: String,
        /// The user's password.
        #[serde(serialize_with = "exposed")]
        password: SecretString,
    },
    /// Trade a refresh token for a new pair of tokens.
    #[serde(rename = "refresh_token")]
    Refresh {
        /// The refresh token of the latest answer.
        #[serde(serialize_with = "exposed")]
        refresh_token: SecretString,
    },
}

/// The answer to a token request: a new pair of tokens. A refresh rotates both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The bearer token of all other calls; opaque.
    #[serde(alias = "accessToken", serialize_with = "exposed")]
    pub access_token: SecretString,
    /// The token that buys the next pair; the old one must not be used again.
    #[serde(alias = "refreshToken", serialize_with = "exposed")]
    pub refresh_token: SecretString,
    /// Life of the access token in seconds (7 200 by the documents; read it, never assume it).
    #[serde(alias = "expiresIn", deserialize_with = "lenient::int")]
    pub expires_in: i64,
    /// Life of the refresh token in seconds (14 400 by the documents).
    #[serde(alias = "refreshExpiresIn", default, deserialize_with = "lenient::int")]
    pub refresh_expires_in: i64,
    /// `bearer`.
    #[serde(alias = "tokenType", default, deserialize_with = "lenient::text")]
    pub token_type: String,
}
