//! The crate from outside: signatures against known values, and a sender against real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy.toml's exception does not reach")]

mod properties;
mod receiver;
mod sending;
mod vectors;
