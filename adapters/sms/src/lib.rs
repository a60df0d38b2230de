//! Text messages (SMS) through vendors: send one, read what people send, count what a text costs.
//!
//! * [`Account::send`] hands one text to a vendor and sorts the answer by what the caller has to do next: [`Failure`].
//!   The vendor's own words are kept in it.
//! * [`inbound::parse`] reads what a vendor pushes: bytes, content type and query in, messages and delivery reports out.
//!   It is tolerant on purpose: a text that a person sent must not be lost over a comma.
//! * [`Account::inbox`] asks a vendor for what was pushed while we were down, from a cursor on.
//! * [`Segments::of`] counts parts: GSM-7, with the Turkish shift table, UCS-2.
//! * [`twilio::verify`] checks Twilio's signature, [`Vendor::answer`] is what a vendor wants to hear for a push.
//!
//! The crate knows nothing of consents, queues or storage, takes time as a parameter and holds no state but its
//! connections. One call of [`Account::send`] is one attempt.
//!
//! # What is confirmed and what is not
//!
//! Shapes come from what the vendors publish (Verimor's user guide, Netgsm's OpenAPI document and client, iletiMerkezi's API pages,
//! Twilio's reference). What these leave open is listed by [`Vendor::unverified`], vendor by vendor, so that a program can
//! tell its operator; the notes there are the module documentation of this crate too.
//!
//! ```
//! use kopru_sms::{Vendor, inbound};
//!
//! // The sample of Verimor's guide, with its missing comma
//! let body = br#"[{"message_id": 1234 "type": "inbound", "source_addr": "905319876543",
//!                  "destination_addr": "4609", "keyword": "ABC", "content": "ABC RET"}]"#;
//! let push = inbound::Request { content_type: Some("application/json"), query: None, body };
//! let read = inbound::parse(&inbound::Mapping::of(Vendor::Verimor), push)?;
//! assert_eq!(read.messages[0].text, "ABC RET");
//! # Ok::<(), inbound::Unreadable>(())
//! ```

mod account;
mod answer;
mod decode;
mod failure;
pub mod inbound;
mod segments;
mod vendor;

pub use account::{Account, BuildError, Client, ClientBuilder, Found, Inbox, Outgoing, Sent, Since};
pub use answer::Answer;
pub use failure::{Failure, FailureKind};
pub use segments::{Alphabet, Segments};
pub use vendor::http::Template;
pub use vendor::{Acknowledgement, UnknownVendor, Unverified, Vendor};
pub use vendor::{http, iletimerkezi, log, netgsm, twilio, verimor};

/// The example of the read-me file compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
