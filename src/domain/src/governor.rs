//! How the registry is asked: who goes first, how fast, when not at all, and what is held back because it is likely to fail
//! (registry-protocol section 6). The registry counts by network address, so one set of these rules serves all replicas; what
//! they share is kept by the caller.

mod circuit;
mod class;
mod pace;
mod success;

pub use circuit::{Circuit, Gate};
pub use class::{CallClass, Waiting, may_draw, next_in_line};
pub use pace::Pace;
pub use success::{Care, Tally};
