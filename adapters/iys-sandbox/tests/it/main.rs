//! The simulator as its users see it: over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod control;
mod faults;
mod journeys;
mod load;
mod persistence;
mod provoke;
mod reports;
mod retailers;
mod world;
