//! The simulator as its users see it: over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod citizen;
mod conformance;
mod control;
mod faults;
mod journeys;
mod load;
mod openssl;
mod opt_in;
mod opt_in_forms;
mod persistence;
mod provider;
mod provoke;
mod push;
mod receiver;
mod reports;
mod retailers;
mod scenarios;
mod success;
mod ways;
mod world;
