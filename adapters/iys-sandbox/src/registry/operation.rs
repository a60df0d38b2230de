//! The operations the registry offers: one line each.

use std::collections::HashMap;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::access::Access;
use super::answer::Outcome;
use super::{Desk, add, batch, changes, partner, provider, status, token};
use crate::rules::Refusal;
use crate::rules::access::{PathCode, Scope};
use crate::rules::shape::{SHAPE, ShapeCase, Wanted};

/// An operation.
pub(crate) struct Operation {
    /// Its name in statistics and faults; both versions of a method share it.
    pub(crate) name: &'static str,
    /// 1, or 2 for the paths below `/v2`.
    pub(crate) version: u8,
    pub(crate) method: Method,
    /// In the router's form.
    pub(crate) path: &'static str,
    /// Which access rules hold; `None` needs no token.
    pub(crate) scope: Option<Scope>,
    pub(crate) run: Run,
}

/// The work of an operation.
pub(crate) type Run = fn(&Desk<'_>, &Call, &Access) -> Outcome;

/// A request, read from the socket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// The variables of the path, decoded.
    pub(crate) path: HashMap<String, String>,
    /// The query string, decoded.
    pub(crate) query: HashMap<String, String>,
    pub(crate) bearer: Option<String>,
    /// The media type of the body, without parameters.
    pub(crate) media_type: String,
    pub(crate) body: Bytes,
}

impl Call {
    /// A variable of the path.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A code in the path.
    pub(crate) fn code(&self, name: &str) -> PathCode {
        PathCode { text: self.path.get(name).cloned() }
    }

    /// A parameter of the query string.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The body as JSON of the form a method needs.
    pub(crate) fn json(&self, desk: &Desk<'_>, wanted: Wanted) -> Result<Value, Refusal> {
        let case = ShapeCase { wanted, json: serde_json::from_slice(&self.body).ok() };
        desk.settings.first(SHAPE, |check| check(&case))?;
        Ok(case.json.unwrap_or_default())
    }
}

/// Declares an operation.
const fn operation(
    name: &'static str,
    version: u8,
    method: Method,
    path: &'static str,
    scope: Option<Scope>,
    run: Run,
) -> Operation {
    Operation { name, version, method, path, scope, run }
}

/// All operations.
pub(crate) static OPERATIONS: &[Operation] = &[
    operation("token", 1, Method::POST, "/oauth2/token", None, token::token),
    operation(
        "add",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents",
        Some(Scope::Brand),
        add::add,
    ),
    operation(
        "add",
        2,
        Method::POST,
        "/v2/sps/{iysCode}/brands/{brandCode}/consents",
        Some(Scope::Brand),
        add::add_v2,
    ),
    operation(
        "add_batch",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/request",
        Some(Scope::Brand),
        batch::add,
    ),
    operation(
        "add_batch",
        2,
        Method::POST,
        "/v2/sps/{iysCode}/brands/{brandCode}/consents/request",
        Some(Scope::Brand),
        batch::add_v2,
    ),
    operation(
        "batch_result",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}",
        Some(Scope::Brand),
        batch::result,
    ),
    operation(
        "batch_result",
        2,
        Method::GET,
        "/v2/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}",
        Some(Scope::Brand),
        batch::result_v2,
    ),
    operation(
        "status",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/status",
        Some(Scope::Brand),
        status::one,
    ),
    operation(
        "statuses",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/{recipientType}/status/{type}",
        Some(Scope::Brand),
        status::many,
    ),
    operation(
        "history",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/history",
        Some(Scope::Brand),
        status::history,
    ),
    operation(
        "changes",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/consents/changes",
        Some(Scope::Brand),
        changes::changes,
    ),
    operation(
        "brands",
        1,
        Method::GET,
        "/sps/{iysCode}/brands",
        Some(Scope::ProviderBrands),
        provider::brands,
    ),
    operation(
        "subscription",
        1,
        Method::GET,
        "/sps/{iysCode}/subscription",
        Some(Scope::ProviderSubscription),
        provider::subscription,
    ),
    operation(
        "partner_brands",
        1,
        Method::GET,
        "/integrator/{integratorCode}/sps",
        Some(Scope::PartnerBrands),
        partner::brands,
    ),
    operation(
        "partner_brands",
        1,
        Method::GET,
        "/integrator/{integratorCode}/sps/{iysCode}",
        Some(Scope::PartnerBrands),
        partner::brands,
    ),
    operation(
        "partner_subscription",
        1,
        Method::GET,
        "/integrator/{integratorCode}/subscription",
        Some(Scope::PartnerSubscription),
        partner::subscription,
    ),
];
