//! The token endpoint (protocol 1.2). Its refusals have OAuth's shape: `code` is OAuth's error word.

use serde_json::Value;

use super::{Finding, Rule};

/// A field of the token request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Missing,
    NotText,
    Empty,
    Text(String),
}

impl Field {
    /// Reads a field of a JSON body.
    pub(crate) fn of(value: &Value) -> Self {
        value.as_str().map_or(Self::NotText, Self::text)
    }

    /// A field of a form body.
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// The text, when there is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What the login found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Not looked up: the request is of the other grant, or incomplete.
    NotAsked,
    Wrong,
    /// An account that may not use the interface.
    Admin,
    Right,
}

/// A token request and what is known about it.
#[derive(Debug)]
pub(crate) struct TokenCase {
    pub(crate) readable: bool,
    pub(crate) grant: Field,
    pub(crate) username: Field,
    pub(crate) password: Field,
    pub(crate) refresh_token: Field,
    pub(crate) login: Credentials,
    pub(crate) refresh: Credentials,
}

impl TokenCase {
    pub(crate) fn is_password(&self) -> bool {
        self.grant.as_text() == Some("password")
    }

    pub(crate) fn is_refresh(&self) -> bool {
        self.grant.as_text() == Some("refresh_token")
    }

    fn password_field(&self, field: &Field, state: &Field) -> Option<Finding> {
        (self.is_password() && field == state).then(Finding::new)
    }

    fn refresh_field(&self, state: &Field) -> Option<Finding> {
        (self.is_refresh() && self.refresh_token == *state).then(Finding::new)
    }
}

type Check = fn(&TokenCase) -> Option<Finding>;

const REQUEST: &str = "invalid_request";
const GRANT: &str = "invalid_grant";

/// The rules of the token endpoint.
pub(crate) const TOKEN: &[Rule<Check>] = &[
    Rule::new(REQUEST, 400, "token_body_unusable", |case| (!case.readable).then(Finding::new)),
    Rule::new(REQUEST, 400, "grant_type_missing", |case| (case.grant == Field::Missing).then(Finding::new)),
    Rule::new(GRANT, 400, "grant_type_not_text", |case| (case.grant == Field::NotText).then(Finding::new)),
    Rule::new(GRANT, 400, "grant_type_empty", |case| (case.grant == Field::Empty).then(Finding::new)),
    Rule::new(REQUEST, 400, "grant_type_unknown", |case| {
        (case.grant.as_text().is_some() && !case.is_password() && !case.is_refresh()).then(Finding::new)
    }),
    Rule::new(REQUEST, 400, "username_missing", |case| case.password_field(&case.username, &Field::Missing)),
    Rule::new(REQUEST, 400, "username_not_text", |case| case.password_field(&case.username, &Field::NotText)),
    Rule::new(GRANT, 400, "username_empty", |case| case.password_field(&case.username, &Field::Empty)),
    Rule::new(REQUEST, 400, "password_missing", |case| case.password_field(&case.password, &Field::Missing)),
    Rule::new(REQUEST, 400, "password_not_text", |case| case.password_field(&case.password, &Field::NotText)),
    Rule::new(GRANT, 400, "password_empty", |case| case.password_field(&case.password, &Field::Empty)),
    Rule::new(REQUEST, 400, "refresh_token_missing", |case| case.refresh_field(&Field::Missing)),
    Rule::new(REQUEST, 400, "refresh_token_not_text", |case| case.refresh_field(&Field::NotText)),
    Rule::new(GRANT, 400, "refresh_token_empty", |case| case.refresh_field(&Field::Empty)),
    Rule::new(REQUEST, 400, "credentials_wrong", |case| {
        (case.login == Credentials::Wrong).then(Finding::new)
    }),
    Rule::new(REQUEST, 400, "admin_may_not_log_in", |case| {
        (case.login == Credentials::Admin).then(Finding::new)
    }),
    Rule::new(GRANT, 400, "refresh_token_dead", |case| {
        (case.refresh == Credentials::Wrong).then(Finding::new)
    }),
];
