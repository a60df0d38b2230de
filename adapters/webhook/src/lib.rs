//! [Standard Webhooks](https://www.standardwebhooks.com): sign, verify, and a sender guarded against SSRF.
//!
//! * [`Signer`] and [`sign()`] make the `webhook-signature` header: HMAC-SHA-256 (`v1`) once per secret, so that a
//!   secret can be rotated without a gap, and ed25519 (`v1a`) where a key is given.
//! * [`verify()`] and [`Verifier`] are the receiver's side: constant-time comparison, a window for the timestamp.
//! * [`Sender`] posts a signed body to an address that a stranger chose. It connects to public addresses only, and
//!   decides that on the address it will really connect to, after name resolution: a name that changes its answer
//!   between a check and the call (DNS rebinding) gains nothing. It follows no redirect and uses no proxy.
//! * [`check_url`] is the same judgement without the network, for the moment at which an endpoint is registered.
//!
//! The crate knows nothing of queues, retries or storage, takes time as a parameter and holds no state but its
//! connections. One call of [`Sender::send`] is one attempt.
//!
//! ```
//! use std::time::Duration;
//! use kopru_webhook::{Headers, Secret, sign, verify};
//!
//! let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?;
//! let body = br#"{"type":"permission.changed"}"#;
//! let signature = sign("evt_1", 1_795_000_000, body, &[secret.clone()]);
//!
//! let headers = Headers { id: "evt_1", timestamp: "1795000000", signature: &signature };
//! verify(headers, body, &[secret], 1_795_000_030, Duration::from_mins(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod error;
mod key;
mod resolve;
mod retry_after;
mod secret;
mod sender;
mod sign;
mod target;
mod verify;

pub use address::AddressKind;
pub use error::{BlockReason, SendError};
pub use key::{PublicKey, SigningKey};
pub use secret::{KeyError, Secret};
pub use sender::{BuildError, Request, Response, Sender, SenderBuilder};
pub use sign::{Signer, sign};
pub use target::{MAX_URL_LENGTH, TargetPolicy, UrlProblem, check_url};
pub use verify::{Headers, Verifier, VerifyError, verify};

/// Name of the header with the event's id: the same in every attempt, so that a receiver can recognise a repetition.
pub const HEADER_ID: &str = "webhook-id";
/// Name of the header with the time of the attempt, in Unix seconds.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// Name of the header with the space-separated signatures.
pub const HEADER_SIGNATURE: &str = "webhook-signature";

/// The example of the read-me file compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
