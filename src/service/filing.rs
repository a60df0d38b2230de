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

use iys::Bytes;
use kopru_store::submissions::SubmissionRow;

/// A submission with the bytes that are sent for it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The submission, in flight or unresolved.
    pub row: SubmissionRow,
    /// The exact bytes of the single add.
    pub bytes: Bytes,
}
