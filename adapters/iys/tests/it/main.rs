//! The client against a small server that answers as told, on a clock that moves as told.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests may panic like the tests themselves")]

mod classes;
mod codes;
mod operations;
mod pace;
mod push;
mod readers;
mod reports;
mod retailers;
mod stores;
mod support;
mod tokens;
mod transport;
mod via;
mod via_pass;
mod wire;
