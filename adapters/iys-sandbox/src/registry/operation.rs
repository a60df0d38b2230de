//! The operations the registry offers: one line each.

use std::collections::HashMap;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::access::Access;
use super::answer::Outcome;
use super::{
    Desk, add, batch, changes, info, partner, provider, push, reject_links, reports, retailer_access,
    retailers, status, token, via, via_pass,
};
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
    /// Scheme and host by which the client reached the registry: links begin with it.
    pub(crate) origin: String,
    /// The client's network address.
    pub(crate) client: String,
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
    operation(
        "retailer_add",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/retailers",
        Some(Scope::KnownBrand),
        retailers::add,
    ),
    operation(
        "retailers",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/retailers",
        Some(Scope::Brand),
        retailers::list,
    ),
    operation(
        "retailer",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/retailers/{retailerCode}",
        Some(Scope::Brand),
        retailers::one,
    ),
    operation(
        "retailer_remove",
        1,
        Method::DELETE,
        "/sps/{iysCode}/brands/{brandCode}/retailers/{retailerCode}",
        Some(Scope::KnownBrand),
        retailers::remove,
    ),
    operation(
        "retailer_access_grant",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access",
        Some(Scope::Brand),
        retailer_access::grant,
    ),
    operation(
        "retailer_access_replace",
        1,
        Method::PUT,
        "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access",
        Some(Scope::Brand),
        retailer_access::replace,
    ),
    operation(
        "retailer_access_list",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consent/retailers/access/list",
        Some(Scope::Brand),
        retailer_access::list,
    ),
    // The older documents have the plural.
    operation(
        "retailer_access_list",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/list",
        Some(Scope::Brand),
        retailer_access::list,
    ),
    operation(
        "retailer_access_remove",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove",
        Some(Scope::KnownBrand),
        retailer_access::remove,
    ),
    operation(
        "retailer_access_remove_all",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove/all",
        Some(Scope::Brand),
        retailer_access::remove_all,
    ),
    operation(
        "report_summary",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/recipients/{recipientType}",
        Some(Scope::Brand),
        reports::summary,
    ),
    operation(
        "agreement",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}",
        Some(Scope::Brand),
        reports::agreement,
    ),
    operation(
        "agree",
        1,
        Method::PUT,
        "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}",
        Some(Scope::Brand),
        reports::agree,
    ),
    operation(
        "time_stamp",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}/timestamp",
        Some(Scope::Brand),
        reports::time_stamp,
    ),
    operation(
        "movement_file",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/file",
        Some(Scope::Brand),
        reports::file,
    ),
    operation("cities", 1, Method::GET, "/info/city", Some(Scope::Everybody), info::cities),
    operation("city", 1, Method::GET, "/info/city/{code}", Some(Scope::Everybody), info::one_city),
    operation("towns", 1, Method::GET, "/info/town", Some(Scope::Everybody), info::towns),
    operation("town", 1, Method::GET, "/info/town/{code}", Some(Scope::Everybody), info::one_town),
    operation(
        "push_registration",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/push/registration",
        Some(Scope::Brand),
        push::register,
    ),
    operation(
        "push_connections",
        1,
        Method::GET,
        "/sps/{iysCode}/brands/{brandCode}/push/registration",
        Some(Scope::Brand),
        push::list,
    ),
    operation(
        "push_unregistration",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/push/unregistration",
        Some(Scope::Brand),
        push::unregister,
    ),
    operation(
        "reject_links",
        1,
        Method::POST,
        "/sps/{iysCode}/brands/{brandCode}/via-hash-links",
        Some(Scope::Brand),
        reject_links::make,
    ),
    operation(
        "via_start",
        1,
        Method::POST,
        "/via/sps/{iysCode}/consent",
        Some(Scope::Via),
        via::start::start,
    ),
    operation(
        "via_confirmation",
        1,
        Method::POST,
        "/via/sps/{iysCode}/confirmation",
        Some(Scope::Via),
        via::confirm::confirm,
    ),
    operation(
        "via_status",
        1,
        Method::GET,
        "/via/sps/{iysCode}/consent/request/{requestId}",
        Some(Scope::Via),
        via::status::status,
    ),
    operation(
        "via_evidence",
        1,
        Method::GET,
        "/via/sps/{iysCode}/via/clarification/{requestId}/file",
        Some(Scope::Via),
        via::evidence::file,
    ),
    operation(
        "kvk_consents",
        1,
        Method::GET,
        "/via/sps/{iysCode}/consent/{requestId}",
        Some(Scope::ViaQuery),
        via::kvk::one,
    ),
    operation(
        "kvk_processes",
        1,
        Method::POST,
        "/via/sps/{iysCode}/consent/status",
        Some(Scope::Via),
        via::kvk::list,
    ),
    operation(
        "pass_sms_start",
        1,
        Method::POST,
        "/otp-management/api/v1/{iysCode}/sms/start",
        Some(Scope::Pass),
        via_pass::start_sms,
    ),
    operation(
        "pass_sms_completion",
        1,
        Method::POST,
        "/otp-management/api/v1/sms/complete",
        Some(Scope::PassToken),
        via_pass::complete_sms,
    ),
    operation(
        "pass_email_start",
        1,
        Method::POST,
        "/otp-management/api/v1/{iysCode}/email/start",
        Some(Scope::Pass),
        via_pass::start_email,
    ),
    operation(
        "pass_email_completion",
        1,
        Method::POST,
        "/otp-management/api/v1/email/complete",
        Some(Scope::PassToken),
        via_pass::complete_email,
    ),
    operation(
        "pass_sms_link",
        1,
        Method::POST,
        "/otp-management/api/v1/{iysCode}/sms/start/short-url",
        Some(Scope::Pass),
        via_pass::start_sms_link,
    ),
    operation(
        "pass_email_link",
        1,
        Method::POST,
        "/otp-management/api/v1/{iysCode}/email/start/short-url",
        Some(Scope::Pass),
        via_pass::start_email_link,
    ),
    operation(
        "pass_evidence",
        1,
        Method::GET,
        "/otp-management/api/v1/get-clarification-file/{iysCode}/{requestId}",
        Some(Scope::Pass),
        via_pass::evidence::file,
    ),
    operation(
        "pass_history",
        1,
        Method::POST,
        "/otp-management/api/v1/request-history",
        Some(Scope::PassToken),
        via_pass::history::history,
    ),
    operation(
        "pass_subscription",
        1,
        Method::GET,
        "/otp-management/api/v1/subscription/{iysCode}",
        Some(Scope::PassSubscription),
        via_pass::history::subscription,
    ),
];
