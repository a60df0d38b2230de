//! Filing: what is due goes to the registry, one movement of a key at a time, and what the registry answers is recorded.
//!
//! Each step is a transaction under the provider's head; no transaction stays open while the registry is asked. The exact
//! bytes are stored before they are sent, and after an unknown outcome only those bytes go again.

mod batch;
mod claim;
mod order;
mod questions;
mod release;
mod resolve;
mod send;
pub mod settling;
mod sharing;
mod sift;

pub use batch::{batch_step, claim_batch, posted};
pub use claim::{Work, claim_due};
pub use order::{ITEMS_PER_REQUEST, Outlook, Place, Turn, forecast, requests_per_second};
pub(crate) use release::release;
pub use release::{release_forgotten, release_lifted};
pub use resolve::{Doubts, claim_unresolved, resolve};
pub(crate) use send::{count, counted};
pub use send::{file, record};
pub(crate) use sift::approved;

use std::time::Duration;

use iys::Bytes;
use kopru_domain::outcome::retry_delay;
use kopru_store::submissions::SubmissionRow;
use uuid::Uuid;

/// However often something has failed.
const LONGEST_RETRY: Duration = Duration::from_mins(10);

/// A submission with the bytes that are sent for it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The submission, in flight or unresolved.
    pub row: SubmissionRow,
    /// The exact bytes of the single add.
    pub bytes: Bytes,
}

/// How long a submission or a batch waits after so many failed tries. The breaker bounds the calls of an outage; when it ends,
/// nothing should wait long.
fn retry_wait(attempt: i64, id: Uuid) -> Duration {
    let (_, seed) = id.as_u64_pair();
    retry_delay(u32::try_from(attempt).unwrap_or(u32::MAX), seed).min(LONGEST_RETRY)
}
