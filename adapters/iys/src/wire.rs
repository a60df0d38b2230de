//! What goes over the wire: one type per documented request and answer.
//!
//! Two habits rule here. **Reading is tolerant**: the registry's documents spell the same thing in several ways
//! (numbers as strings, `subrequestId` beside `subRequestId`, `code:` with a colon, one flat error instead of a
//! list), so every type reads all of them, ignores keys it does not know and keeps values it does not know.
//! **Writing is strict**: the documented example spelling, and an absent optional is left out, because the registry
//! refuses `null` and `""` (registry-protocol section 2).
//!
//! Enumerations (`type`, `status`, `source`, `recipientType` …) are plain strings: new values appear over the years
//! and a client must carry them on. Instants are strings too, in the registry's own form; [`parse_date`] and
//! [`format_date`] turn them into time and back.
//!
//! `Debug` of these types shows no address, no name, no password and no token.

mod batch;
mod consent;
mod date;
mod error;
mod info;
pub(crate) mod lenient;
mod masked;
mod movements;
mod partner;
mod push;
mod query;
mod report;
mod retailer;
mod token;
pub(crate) mod via;
pub(crate) mod via_pass;

pub use batch::{BatchAddResponse, BatchItemResult, BatchResult, OriginalRequest, SubRequest, item_status};
pub use consent::{AddResponse, ConsentRequest, encode, encode_batch};
pub use date::{DATE_FORMAT, DateError, TURKEY, format_date, parse_date};
pub use error::{ErrorBody, ErrorItem, LocationPart, OAuthError};
pub use info::{City, Town};
pub use movements::{MovementError, MovementReader};
pub use partner::{
    BrandConsentStats, BrandInfo, BrandRetailerStats, BrandStats, PartnerBrand, PartnerList, Subscription,
    ViaPassSubscription, ViaSubscription,
};
pub use push::{
    MessageResponse, PushConnection, PushEvent, PushRegistration, PushRegistrationRequest, PushedChange,
};
pub use query::{
    Change, ChangesPage, HistoryResponse, Pagination, StatusRequest, StatusResponse, StatusesRequest,
    StatusesResponse,
};
pub use report::{
    Agreement, AgreementCaptured, AgreementConfirmation, ChannelSummary, DailySummary, MovementCounts,
    process_status,
};
pub use retailer::{
    Place, Retailer, RetailerAccessChange, RetailerAccessRemoval, RetailerAccessRequest, RetailerAdded,
    RetailerList, RetailerRequest, retailer_status,
};
pub use token::{TokenRequest, TokenResponse};
pub use via::{
    KvkConsent, KvkQuery, RejectLink, RejectLinkRecipient, RejectLinksRequest, ViaCode, ViaConfirmRequest,
    ViaConsentType, ViaDetail, ViaPerson, ViaRecorded, ViaStartRequest, ViaStarted, ViaState, ViaStatus,
    verification_type, via_title,
};
pub use via_pass::{
    ViaPassAccount, ViaPassCompleteRequest, ViaPassEmailRequest, ViaPassHistory, ViaPassHistoryRequest,
    ViaPassPackage, ViaPassPage, ViaPassSmsRequest, ViaPassStarted, ViaPassStep,
};
