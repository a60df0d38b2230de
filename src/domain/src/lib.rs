//! The rules and types of consent: what Köprü knows about the national registry (İYS), the law's
//! deadlines, addresses and permissions.
//!
//! This crate is the ground floor. It does no I/O, knows no database, no HTTP and no runtime; time
//! is always a parameter or a [`Clock`]. Everything here is a plain value or a pure function, so
//! that each rule can be tested without starting anything.
//!
//! Where to find what:
//!
//! | question | module |
//! |---|---|
//! | which words does the registry use? | [`words`] |
//! | is this address usable, and how is it written? | [`address`] |
//! | is this consent well-formed? | [`shape`] |
//! | until when must it be filed, and why? | [`deadline`], [`calendar`] |
//! | may we send to this address? | [`permission`] |
//! | what happens to a consent that arrives, or is about to be sent? | [`key`], [`twin`] |
//! | what does the registry's answer do to a submission? | [`outcome`], [`submission`] |
//! | what does a call decide? | [`call`] |
//! | in which order are requests spent? | [`schedule`], [`governor`] |
//! | how often is a brand's change feed read? | [`cadence`] |
//! | when has the owner of an address confirmed it? | [`opt_in`], by the registry [`via`] |
//! | what does this SMS to a short number mean? | [`keyword`] |
//! | what is written down for ever? | [`ledger`], [`evidence`], [`legal_text`] |

pub mod address;
pub mod cadence;
pub mod calendar;
pub mod call;
pub mod clock;
pub mod daily;
pub mod deadline;
pub mod evidence;
pub mod governor;
pub mod key;
pub mod keyword;
pub mod lang;
pub mod ledger;
pub mod legal_text;
pub mod opt_in;
pub mod outcome;
pub mod permission;
pub mod rights;
pub mod schedule;
pub mod shape;
pub mod submission;
pub mod time;
pub mod twin;
pub mod via;
pub mod words;

pub use address::{AddressError, AddressErrorCode, AddressWarning, Recipient};
pub use calendar::{BusinessCalendar, Day};
pub use clock::{Clock, FixedClock};
pub use daily::DailyAgreement;
pub use deadline::Deadline;
pub use evidence::Evidence;
pub use key::{
    Admission, Admitted, AfterCitizenRet, BrandPolicy, Candidate, ClaimVerdict, Confirmation, KeyState,
    OnayRefresh, OpenSubmission, Readmission,
};
pub use keyword::{Keyword, KeywordError, KeywordOutcome, KeywordVerdict, Line, Place, ShortNumber, Verbs};
pub use lang::{Lang, Text};
pub use legal_text::{LegalText, LegalTextKind, ShownText, TextRef, Wording};
pub use outcome::{RegistryAnswer, Settlement, SubmissionFacts};
pub use permission::{
    Effective, LocalRejection, Merge, Observation, Permission, RegistryKnowledge, RegistrySide,
};
pub use rights::{BrandRights, Right};
pub use shape::{FieldError, RawConsent, ShapedConsent};
pub use submission::{Actor, Code, CodeText, HeldCause, IllegalTransition, SubmissionState};
pub use words::{
    BrandCode, Channel, ConsentStatus, IysCode, LinkKind, ProviderSource, RecipientType, RetailerCode,
    Source, UnknownWord,
};
