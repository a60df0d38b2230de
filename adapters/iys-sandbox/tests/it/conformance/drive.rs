//! From a request at the registry to the client's function for it.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::NaiveDate;
use iys::wire::{
    KvkQuery, PushConnection, PushRegistrationRequest, RejectLinksRequest, ViaPassHistoryRequest,
};
use iys::{Account, BrandCodes, ChangeSource, IysError, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What the client made of an answer: `None` where it says that there is nothing.
pub type Outcome = Result<Option<Value>, IysError>;

/// What came of a request.
pub struct Driven {
    pub operation: Operation,
    pub outcome: Outcome,
    /// The code with which the client refused the request by itself, before it was sent in its place.
    pub refused_locally: Option<String>,
}

/// The operations' paths at the registry; the versions that the client uses.
const PATHS: &[(&str, &str, Operation)] = &[
    ("POST", "/oauth2/token", Operation::Token),
    ("POST", "/v2/sps/*/brands/*/consents", Operation::Add),
    ("POST", "/v2/sps/*/brands/*/consents/request", Operation::AddBatch),
    ("GET", "/v2/sps/*/brands/*/consents/request/*", Operation::BatchResult),
    ("POST", "/sps/*/brands/*/consents/status", Operation::Status),
    ("POST", "/sps/*/brands/*/consents/*/status/*", Operation::Statuses),
    ("POST", "/sps/*/brands/*/consents/history", Operation::History),
    ("GET", "/sps/*/brands/*/consents/changes", Operation::Changes),
    ("GET", "/sps/*/brands", Operation::Brands),
    ("GET", "/integrator/*/sps", Operation::PartnerBrands),
    ("GET", "/integrator/*/sps/*", Operation::PartnerBrands),
    ("GET", "/sps/*/subscription", Operation::Subscription),
    ("GET", "/integrator/*/subscription", Operation::PartnerSubscription),
    ("POST", "/sps/*/brands/*/retailers", Operation::AddRetailer),
    ("GET", "/sps/*/brands/*/retailers", Operation::Retailers),
    ("GET", "/sps/*/brands/*/retailers/*", Operation::Retailer),
    ("DELETE", "/sps/*/brands/*/retailers/*", Operation::DeleteRetailer),
    ("POST", "/sps/*/brands/*/consents/retailers/access", Operation::AddRetailerAccess),
    ("PUT", "/sps/*/brands/*/consents/retailers/access", Operation::SetRetailerAccess),
    ("POST", "/sps/*/brands/*/consent/retailers/access/list", Operation::RetailerAccess),
    ("POST", "/sps/*/brands/*/consents/retailers/access/remove", Operation::RemoveRetailerAccess),
    ("POST", "/sps/*/brands/*/consents/retailers/access/remove/all", Operation::ClearRetailerAccess),
    ("GET", "/sps/*/brands/*/changes/*/recipients/*", Operation::DailySummary),
    ("GET", "/sps/*/brands/*/agreements/*", Operation::Agreement),
    ("PUT", "/sps/*/brands/*/agreements/*", Operation::ConfirmAgreement),
    ("GET", "/sps/*/brands/*/agreements/*/timestamp", Operation::AgreementTimestamp),
    ("GET", "/sps/*/brands/*/changes/*/file", Operation::MovementFile),
    ("POST", "/sps/*/brands/*/push/registration", Operation::PushRegister),
    ("GET", "/sps/*/brands/*/push/registration", Operation::PushRegistrations),
    ("POST", "/sps/*/brands/*/push/unregistration", Operation::PushUnregister),
    ("GET", "/info/city", Operation::Cities),
    ("GET", "/info/city/*", Operation::Cities),
    ("GET", "/info/town", Operation::Towns),
    ("GET", "/info/town/*", Operation::Towns),
    ("POST", "/via/sps/*/consent", Operation::ViaStart),
    ("POST", "/via/sps/*/confirmation", Operation::ViaConfirm),
    ("GET", "/via/sps/*/consent/request/*", Operation::ViaStatus),
    ("GET", "/via/sps/*/via/clarification/*/file", Operation::ViaEvidence),
    ("GET", "/via/sps/*/consent/*", Operation::KvkConsents),
    ("POST", "/via/sps/*/consent/status", Operation::KvkRequests),
    ("POST", "/sps/*/brands/*/via-hash-links", Operation::RejectLinks),
    ("POST", "/otp-management/api/v1/*/sms/start", Operation::ViaPassStart),
    ("POST", "/otp-management/api/v1/*/email/start", Operation::ViaPassStart),
    ("POST", "/otp-management/api/v1/*/sms/start/short-url", Operation::ViaPassStart),
    ("POST", "/otp-management/api/v1/*/email/start/short-url", Operation::ViaPassStart),
    ("POST", "/otp-management/api/v1/sms/complete", Operation::ViaPassComplete),
    ("POST", "/otp-management/api/v1/email/complete", Operation::ViaPassComplete),
    ("GET", "/otp-management/api/v1/get-clarification-file/*/*", Operation::ViaPassEvidence),
    ("POST", "/otp-management/api/v1/request-history", Operation::ViaPassHistory),
    ("GET", "/otp-management/api/v1/subscription/*", Operation::ViaPassSubscription),
];

/// A request, read for the client's function.
struct Ask<'a> {
    account: &'a Account,
    path: &'static str,
    /// What stands in the path where [`PATHS`] has a star.
    variables: Vec<String>,
    query: HashMap<String, String>,
    body: Bytes,
}

/// The operation of a request and its path's variables.
fn matched(request: &reqwest::Request) -> Option<(&'static str, Operation, Vec<String>)> {
    let segments: Vec<&str> = request.url().path().split('/').collect();
    PATHS.iter().find_map(|(method, path, operation)| {
        let pattern: Vec<&str> = path.split('/').collect();
        let pairs = || pattern.iter().zip(&segments);
        let fits = request.method().as_str() == *method
            && pattern.len() == segments.len()
            && pairs().all(|(wanted, found)| *wanted == "*" || wanted == found);
        let variables =
            || pairs().filter(|(wanted, _)| **wanted == "*").map(|(_, found)| (*found).to_owned());
        fits.then(|| (*path, *operation, variables().collect()))
    })
}

/// Asks by the client's function; `None` when it has none for such a request. What the function cannot express is left
/// to its default.
pub async fn drive(account: &Account, request: &reqwest::Request) -> Option<Driven> {
    let (path, operation, variables) = matched(request)?;
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let query = request.url().query_pairs().into_owned().collect();
    let mut ask = Ask { account, path, variables, query, body: Bytes::copy_from_slice(body) };
    let mut outcome = ask.ask(operation).await;
    let mut refused_locally = None;
    if let Err(error @ IysError::RefusedLocally { .. }) = &outcome {
        refused_locally = error.code().map(ToOwned::to_owned);
        ask.body = Bytes::new();
        outcome = ask.ask(operation).await;
    }
    Some(Driven { operation, outcome, refused_locally })
}

/// An answer that is always there.
fn always<T: Serialize>(answer: Result<T, IysError>) -> Outcome {
    answer.map(|answer| Some(serde_json::to_value(answer).unwrap()))
}

/// An answer that may say that there is nothing.
fn perhaps<T: Serialize>(answer: Result<Option<T>, IysError>) -> Outcome {
    answer.map(|answer| answer.map(|answer| serde_json::to_value(answer).unwrap()))
}

impl Ask<'_> {
    async fn ask(&self, operation: Operation) -> Outcome {
        match operation {
            Operation::Token => self.account.login_check().await.map(|_| Some(json!({}))),
            Operation::Add
            | Operation::AddBatch
            | Operation::BatchResult
            | Operation::Status
            | Operation::Statuses
            | Operation::History
            | Operation::Changes => self.consents(operation).await,
            Operation::Brands
            | Operation::PartnerBrands
            | Operation::Subscription
            | Operation::PartnerSubscription
            | Operation::Cities
            | Operation::Towns => self.accounts(operation).await,
            Operation::DailySummary
            | Operation::Agreement
            | Operation::ConfirmAgreement
            | Operation::AgreementTimestamp
            | Operation::MovementFile
            | Operation::PushRegister
            | Operation::PushRegistrations
            | Operation::PushUnregister => self.reports_and_push(operation).await,
            Operation::ViaStart
            | Operation::ViaConfirm
            | Operation::ViaStatus
            | Operation::ViaEvidence
            | Operation::KvkConsents
            | Operation::KvkRequests
            | Operation::RejectLinks => self.via(operation).await,
            Operation::ViaPassStart
            | Operation::ViaPassComplete
            | Operation::ViaPassEvidence
            | Operation::ViaPassHistory
            | Operation::ViaPassSubscription => self.via_pass(operation).await,
            _ => self.retailers(operation).await,
        }
    }

    async fn consents(&self, operation: Operation) -> Outcome {
        let (account, brand) = (self.account, self.brand());
        match operation {
            Operation::Add => always(account.add_consent(brand, &self.body()).await),
            Operation::AddBatch => {
                let one = json!([{"recipient": "x", "type": "MESAJ", "status": "ONAY"}]);
                always(account.add_batch(brand, &self.body_or::<Vec<_>>(one)).await)
            }
            Operation::BatchResult => always(account.batch_result(brand, self.text(2)).await),
            Operation::Status => perhaps(account.status(brand, &self.body()).await),
            Operation::Statuses => {
                let one = self.body_or(json!({"recipients": ["x"]}));
                always(account.statuses(brand, self.text(2), self.text(3), &one).await)
            }
            Operation::History => {
                always(account.history(brand, &self.body(), self.offset(), self.limit()).await)
            }
            _ => {
                let own = self.query.get("source").is_some_and(|source| source == "HS");
                let source = if own { ChangeSource::Provider } else { ChangeSource::Registry };
                let after = self.query.get("after").map(String::as_str);
                always(account.changes(brand, source, after, self.limit()).await)
            }
        }
    }

    async fn accounts(&self, operation: Operation) -> Outcome {
        let account = self.account;
        match operation {
            Operation::Brands => always(account.brands(self.code(0)).await),
            Operation::PartnerBrands if self.path.ends_with('*') => {
                let page = account.partner_brand(self.code(0), self.code(1), self.offset(), self.limit());
                always(page.await)
            }
            Operation::PartnerBrands => {
                always(account.partner_brands(self.code(0), self.offset(), self.limit()).await)
            }
            Operation::Subscription => always(account.subscription(self.code(0)).await),
            Operation::PartnerSubscription => always(account.partner_subscription(self.code(0)).await),
            Operation::Cities if self.path.ends_with('*') => perhaps(account.city(self.code(0)).await),
            Operation::Cities => always(account.cities().await),
            _ if self.path.ends_with('*') => perhaps(account.town(self.code(0)).await),
            _ => always(account.towns().await),
        }
    }

    async fn retailers(&self, operation: Operation) -> Outcome {
        let (account, brand) = (self.account, self.brand());
        let several = || json!({"recipients": ["x"], "recipientType": "", "type": "", "retailerAccess": [1]});
        match operation {
            Operation::AddRetailer => always(account.add_retailer(brand, &self.body()).await),
            Operation::Retailers if self.query.contains_key("short") => {
                always(account.retailers_short(brand, self.offset(), self.limit()).await)
            }
            Operation::Retailers => always(account.retailers(brand, self.offset(), self.limit()).await),
            Operation::Retailer => perhaps(account.retailer(brand, self.code(2)).await),
            Operation::DeleteRetailer => always(account.delete_retailer(brand, self.code(2)).await),
            Operation::AddRetailerAccess => {
                let one = json!({"recipient": "x", "recipientType": "", "type": "", "retailerAccess": [1]});
                always(account.add_retailer_access(brand, &self.body_or(one)).await)
            }
            Operation::SetRetailerAccess => {
                always(account.set_retailer_access(brand, &self.body_or(several())).await)
            }
            Operation::RetailerAccess => {
                always(account.retailer_access(brand, &self.body(), self.offset(), self.limit()).await)
            }
            Operation::RemoveRetailerAccess => {
                always(account.remove_retailer_access(brand, &self.body_or(several())).await)
            }
            Operation::ClearRetailerAccess => {
                always(account.clear_retailer_access(brand, &self.body_or(several())).await)
            }
            other => panic!("no function is known for {other}"),
        }
    }

    async fn reports_and_push(&self, operation: Operation) -> Outcome {
        let (account, brand, day) = (self.account, self.brand(), self.day());
        let connection = json!({"url": "x", "type": "x", "username": "x", "password": "x"});
        match operation {
            Operation::DailySummary => always(account.daily_summary(brand, day, self.text(3)).await),
            Operation::Agreement => perhaps(account.agreement(brand, day).await),
            Operation::ConfirmAgreement => always(account.confirm_agreement(brand, day).await),
            Operation::AgreementTimestamp => {
                account.agreement_timestamp(brand, day).await.map(|file| file.map(|file| json!(file.len())))
            }
            Operation::MovementFile => {
                account.movement_file(brand, day).await.map(|file| file.map(|_| json!({})))
            }
            Operation::PushRegister => {
                let request: PushRegistrationRequest = self.body_or(json!({ "connection": [connection] }));
                always(account.register_push(brand, &request.connection).await)
            }
            Operation::PushRegistrations => always(account.push_registrations(brand).await),
            _ => {
                let connection: PushConnection = self.body_or(connection);
                always(account.unregister_push(brand, &connection).await)
            }
        }
    }

    async fn via(&self, operation: Operation) -> Outcome {
        let (account, code) = (self.account, self.code(0));
        match operation {
            Operation::ViaStart => always(account.via_start(code, &self.body()).await),
            Operation::ViaConfirm => always(account.via_confirm(code, &self.body()).await),
            Operation::ViaStatus => always(account.via_status(code, self.text(1)).await),
            Operation::ViaEvidence => {
                account.via_evidence(code, self.text(1)).await.map(|file| Some(json!(file.len())))
            }
            Operation::KvkConsents => always(account.kvk_consents(code, self.text(1)).await),
            Operation::KvkRequests => always(account.kvk_requests(code, &self.body::<KvkQuery>()).await),
            _ => {
                let one = json!({"recipients": [{"recipient": "x", "recipientType": "x"}]});
                let request: RejectLinksRequest = self.body_or(one);
                always(account.reject_links(self.brand(), &request.recipients).await)
            }
        }
    }

    async fn via_pass(&self, operation: Operation) -> Outcome {
        let (account, code) = (self.account, self.code(0));
        let by_email = self.path.contains("/email/");
        let by_link = self.path.ends_with("/short-url");
        match operation {
            Operation::ViaPassStart if by_email && by_link => {
                always(account.via_pass_email_link(code, &self.body()).await)
            }
            Operation::ViaPassStart if by_email => always(account.via_pass_email(code, &self.body()).await),
            Operation::ViaPassStart if by_link => always(account.via_pass_sms_link(code, &self.body()).await),
            Operation::ViaPassStart => always(account.via_pass_sms(code, &self.body()).await),
            Operation::ViaPassComplete if by_email => {
                always(account.via_pass_complete_email(&self.body()).await)
            }
            Operation::ViaPassComplete => always(account.via_pass_complete_sms(&self.body()).await),
            Operation::ViaPassEvidence => {
                account.via_pass_evidence(code, self.text(1)).await.map(|file| Some(json!(file.len())))
            }
            Operation::ViaPassHistory => {
                let question: ViaPassHistoryRequest = self.body();
                let number =
                    |name: &str, usual| self.query.get(name).and_then(|n| n.parse().ok()).unwrap_or(usual);
                // Beyond what a caller of ours can ask for, it is the last that can be.
                let size = u16::try_from(number("pageSize", 10)).unwrap_or(u16::MAX);
                always(account.via_pass_history(&question.request_id, number("page", 1), size).await)
            }
            _ => always(account.via_pass_subscription(code).await),
        }
    }

    fn text(&self, variable: usize) -> &str {
        &self.variables[variable]
    }

    fn code(&self, variable: usize) -> i64 {
        self.variables.get(variable).and_then(|code| code.parse().ok()).unwrap_or_default()
    }

    fn brand(&self) -> BrandCodes {
        BrandCodes::new(self.code(0), self.code(1))
    }

    fn day(&self) -> NaiveDate {
        self.variables.get(2).and_then(|day| day.parse().ok()).unwrap_or_default()
    }

    fn offset(&self) -> u32 {
        self.query.get("offset").and_then(|offset| offset.parse().ok()).unwrap_or_default()
    }

    fn limit(&self) -> u16 {
        self.query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100)
    }

    fn body<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn body_or<T: DeserializeOwned>(&self, otherwise: Value) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| serde_json::from_value(otherwise).unwrap())
    }
}
