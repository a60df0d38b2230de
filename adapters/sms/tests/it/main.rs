//! The crate from outside, against stand-ins of the vendors' interfaces: small servers that remember what they were given
//! and share no type and no constant with the crate. What they say is the vendors' documents, word for word.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy.toml's exception does not reach")]

mod iletimerkezi;
mod netgsm;
mod other;
mod stand_in;
mod twilio;
mod verimor;

use std::time::Duration;

use chrono::{DateTime, Utc};
use kopru_sms::{Client, Outgoing, Since};

/// A client that loses patience soon.
fn client() -> Client {
    Client::builder().timeout(Duration::from_millis(400)).build().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-28T18:05:00Z".parse().unwrap()
}

fn outgoing<'a>(reference: &'a str, text: &'a str) -> Outgoing<'a> {
    Outgoing {
        from: "KOPRU",
        to: "+905319876543",
        text,
        reference,
        valid_for: Some(Duration::from_mins(3)),
        now: now(),
    }
}

fn since(cursor: Option<&str>) -> Since<'_> {
    Since { cursor, from: now() - chrono::TimeDelta::hours(24), now: now() }
}
