//! What a vendor answered, kept as it came.

use serde::{Deserialize, Serialize};

/// The most of an answer's body that is kept.
const KEPT: usize = 2 * 1024;

/// A vendor's answer: evidence of what it said. It may quote the recipient: keep it as personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The beginning of the body, at most 2 048 bytes; NUL, which databases refuse in a text, stands as U+FFFD.
    pub body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        let mut body = body.replace('\0', "\u{fffd}");
        body.truncate(body.floor_char_boundary(KEPT));
        Self { status, body }
    }
}
