//! A client for the HTTP API of İYS (İleti Yönetim Sistemi), Turkey's consent registry.
//!
//! It logs in and keeps the login, keeps the pace that the registry allows, calls the operations by typed functions,
//! reads answers in all their documented spellings, and tells each failure by **what to do about it**. It decides
//! nothing else: it never resends a request that may have had an effect, keeps no data, and knows no deadlines.
//!
//! # Use
//!
//! ```no_run
//! use iys::wire::{ConsentRequest, StatusRequest};
//! use iys::{BrandCodes, Credentials, ErrorClass, IysClient, PRODUCTION};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = IysClient::builder(PRODUCTION).user_agent("our-crm/1.0").build()?;
//! let account = client.account(Credentials::new("api-user@example.com", "secret"));
//! let brand = BrandCodes::new(612_345, 612_345);
//!
//! let consent = ConsentRequest {
//!     recipient: "+905551112233".into(),
//!     r#type: "MESAJ".into(),
//!     source: Some("HS_WEB".into()),
//!     status: "ONAY".into(),
//!     consent_date: Some("2026-11-20 10:05:00".into()),
//!     ..ConsentRequest::default()
//! };
//! match account.add_consent(brand, &consent).await {
//!     Ok(added) => println!("recorded as {}", added.transaction_id),
//!     Err(error) => match error.class() {
//!         ErrorClass::AlreadySo => println!("nothing to do: {}", error.info().map_or("", |info| info.en)),
//!         ErrorClass::OutcomeUnknown => println!("send exactly the same again: v2 gives the first answer"),
//!         ErrorClass::Wait { after } => println!("not before {after:?}"),
//!         class => println!("{error}: {class:?}"),
//!     },
//! }
//!
//! let request =
//!     StatusRequest { recipient: "+905551112233".into(), recipient_type: "BIREYSEL".into(), r#type: "MESAJ".into() };
//! let record = account.status(brand, &request).await?;
//! println!("{}", record.map_or("no record".into(), |record| record.status));
//! # Ok(())
//! # }
//! ```
//!
//! # Operations
//!
//! All are methods of [`Account`]. The sections are those of our notes on the registry's protocol; *P* marks what only
//! a provider's own account may call, *I* what only a business partner's (integrator's) may.
//!
//! | Operation | Function | Section |
//! |---|---|---|
//! | Log in, or look whether one can | [`login_check`](Account::login_check), [`log_in`](Account::log_in) | 1.2 |
//! | Add one consent | [`add_consent`](Account::add_consent), [`add_consent_raw`](Account::add_consent_raw) | 4.2 |
//! | Add up to 1 000 consents | [`add_batch`](Account::add_batch), [`add_batch_raw`](Account::add_batch_raw) | 4.4 |
//! | What became of a batch | [`batch_result`](Account::batch_result) | 4.6 |
//! | One address | [`status`](Account::status) | 4.7 |
//! | Up to 1 000 addresses | [`statuses`](Account::statuses) | 4.8 |
//! | History of one address | [`history`](Account::history) | 4.9 |
//! | Change feed | [`changes`](Account::changes) | 4.10 |
//! | Brands (*P*) | [`brands`](Account::brands) | 4.11 |
//! | Authorised brands (*I*) | [`partner_brands`](Account::partner_brands), [`partner_brand`](Account::partner_brand), [`all_partner_brands`](Account::all_partner_brands) | 4.12 |
//! | Subscription | [`subscription`](Account::subscription) | 4.13 |
//! | Own subscription (*I*) | [`partner_subscription`](Account::partner_subscription) | 4.13 |
//! | Retailers | [`add_retailer`](Account::add_retailer), [`retailers`](Account::retailers), [`retailers_short`](Account::retailers_short), [`all_retailers`](Account::all_retailers), [`retailer`](Account::retailer), [`delete_retailer`](Account::delete_retailer) | 4.14 |
//! | Retailers' access to consents | [`add_retailer_access`](Account::add_retailer_access), [`set_retailer_access`](Account::set_retailer_access), [`retailer_access`](Account::retailer_access), [`remove_retailer_access`](Account::remove_retailer_access), [`clear_retailer_access`](Account::clear_retailer_access) | 4.15 |
//! | A day's movements, counted | [`daily_summary`](Account::daily_summary) | 4.16 |
//! | A day's hash, confirmation, time stamp | [`agreement`](Account::agreement), [`confirm_agreement`](Account::confirm_agreement), [`agreement_timestamp`](Account::agreement_timestamp) | 4.17 |
//! | A day's movements, as a stream | [`movement_file`](Account::movement_file) | 4.18 |
//! | Push: register, list, remove | [`register_push`](Account::register_push), [`push_registrations`](Account::push_registrations), [`unregister_push`](Account::unregister_push) | 8 |
//! | Push: read what was received | [`wire::PushEvent`] | 8 |
//! | Provinces and districts | [`cities`](Account::cities), [`city`](Account::city), [`towns`](Account::towns), [`town`](Account::town) | 4.20 |
//! | ViA: start, complete, follow an approval | [`via_start`](Account::via_start), [`via_confirm`](Account::via_confirm), [`via_status`](Account::via_status) | 10.1–10.4 |
//! | ViA: evidence | [`via_evidence`](Account::via_evidence) | 10.5 |
//! | ViA: texts on personal data | [`kvk_consents`](Account::kvk_consents), [`kvk_requests`](Account::kvk_requests) | 10.6 |
//! | Links to withdraw | [`reject_links`](Account::reject_links) | 10.7 |
//! | ViA Pass: start | [`via_pass_sms`](Account::via_pass_sms), [`via_pass_email`](Account::via_pass_email), [`via_pass_sms_link`](Account::via_pass_sms_link), [`via_pass_email_link`](Account::via_pass_email_link) | 10.8 |
//! | ViA Pass: complete | [`via_pass_complete_sms`](Account::via_pass_complete_sms), [`via_pass_complete_email`](Account::via_pass_complete_email) | 10.8 |
//! | ViA Pass: evidence, steps, subscription | [`via_pass_evidence`](Account::via_pass_evidence), [`via_pass_history`](Account::via_pass_history), [`via_pass_subscription`](Account::via_pass_subscription) | 10.8 |
//!
//! Left out on purpose: the first versions of the add calls (4.1, 4.3, 4.5), which cannot safely be repeated, and the
//! browser widget (10.9), which no server calls.
//!
//! # What a program should know
//!
//! - **One client per registry address.** The registry counts requests and logins by IP address, whoever the customer
//!   is. All accounts of a client share its connections, its pace ([`Pacer`]) and its token budget. Several processes
//!   behind one address share them through ports of their own: [`Pacer`], [`TokenStore`], and [`Clock`] where time is
//!   simulated.
//! - **Exact bytes.** A program that must be able to repeat a request stores the bytes of [`wire::encode`] first and
//!   sends them by [`Account::add_consent_raw`]. The v2 calls answer a repetition of the same body with the first
//!   result, so resending after an unknown outcome is safe, and resending anything else is not.
//! - **Errors.** [`IysError::class`] says what to do; [`IysError::info`] has a Turkish and an English sentence for
//!   people; [`IysError::items`] has every reason with its index in a batch and its field. The tables of all codes are
//!   in [`codes`]. Codes that are in none get the class of their HTTP status, and [`IysClient::unknown_codes`] counts
//!   them, so that somebody can look.
//! - **Repeating.** A call whose outcome is unknown ([`ErrorClass::OutcomeUnknown`]) can be sent again if
//!   [`Operation::is_repeatable`]; the others (a retailer added, a citizen asked) are looked for first.
//! - **Tokens.** After H084 no token call is made for an hour, and calls that need a new token fail with
//!   [`IysError::Throttled`]; one that still has life goes on being used. A refused password is not tried again
//!   before it is changed, except by [`Account::login_check`] and [`Account::log_in`]. Other failures of the token
//!   endpoint are not repeated at once either: callers share the failure for some seconds, doubling up to ten minutes.
//! - **Secrets and personal data.** `Debug` and `Display` of this crate's types show neither; its `tracing` events
//!   name the operation, the status and the code only.

mod account;
mod client;
mod clock;
pub mod codes;
mod error;
mod login;
mod operation;
mod pace;
mod token;
mod transport;
pub mod wire;

use chrono::{DateTime, Utc};

pub use account::{
    Account, MAX_BATCH, MAX_CHANGES, MAX_PAGE, MAX_REJECT_LINKS, MAX_RETAILER_ACCESS, MovementFile, Movements,
};
pub use bytes::Bytes;
pub use client::{BuildError, IysClient, IysClientBuilder, PRODUCTION, REGISTRY_SANDBOX, VIA_PASS_SANDBOX};
pub use clock::{Clock, SystemClock};
pub use codes::{Actor, CodeInfo};
pub use error::{BoxError, ErrorClass, IysError, PauseScope, Refusal, SharedError};
pub use futures::future::BoxFuture;
pub use operation::Operation;
pub use pace::{AdaptivePacer, Ended, NotBefore, Pacer, Unpaced};
pub use secrecy::SecretString;
pub use token::{AccountKey, Credentials, MemoryTokenStore, StoredToken, Token, TokenStore};

/// A brand's place at the registry: the numbers in every path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrandCodes {
    /// The service provider's number.
    pub iys_code: i64,
    /// The brand's number; a master brand has its provider's.
    pub brand_code: i64,
}

impl BrandCodes {
    /// Puts the two together, provider first.
    pub fn new(iys_code: i64, brand_code: i64) -> Self {
        Self { iys_code, brand_code }
    }

    fn path(self, prefix: &[&str], rest: &[&str]) -> Vec<String> {
        let (iys_code, brand_code) = (self.iys_code.to_string(), self.brand_code.to_string());
        account::path(&[prefix, &["sps", &iys_code, "brands", &brand_code], rest].concat())
    }

    /// The brand that a path names.
    fn of_path(path: &[String]) -> Option<Self> {
        let rest = path.iter().skip_while(|part| *part != "sps").map(String::as_str).collect::<Vec<_>>();
        let ["sps", iys_code, "brands", brand_code, ..] = rest[..] else { return None };
        Some(Self::new(iys_code.parse().ok()?, brand_code.parse().ok()?))
    }
}

/// Whose movements a page of the change feed shows. There is no value for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    /// The provider's own movements, whoever uploaded them.
    Provider,
    /// The citizens' and the registry's movements.
    Registry,
}

impl ChangeSource {
    /// The value on the wire: `HS` or `IYS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "HS",
            Self::Registry => "IYS",
        }
    }
}

/// A login that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginCheck {
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}
