//! What the registry "sent": nothing leaves this machine, everything can be read here.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::word;
use crate::error::Result;

/// How many letters are kept; older ones are forgotten.
const KEPT: i64 = 10_000;

/// How a letter goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    Sms,
    Email,
}

impl Carrier {
    /// What reaches an address.
    pub(crate) fn to(recipient: &str) -> Self {
        if recipient.contains('@') { Self::Email } else { Self::Sms }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "SMS" => Some(Self::Sms),
            "EPOSTA" => Some(Self::Email),
            _ => None,
        }
    }

    /// The word of the control interface.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Email => "EPOSTA",
        }
    }
}

/// A message to a citizen.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// 0 before it is sent; grows with the order of sending.
    pub(crate) id: i64,
    pub(crate) recipient: String,
    pub(crate) carrier: Carrier,
    pub(crate) text: String,
    /// One-time codes in the text, by what they approve.
    pub(crate) codes: BTreeMap<String, String>,
    /// The link in the text.
    pub(crate) link: Option<String>,
    /// Unix seconds.
    pub(crate) sent_at: i64,
}

impl Letter {
    /// A letter with neither code nor link.
    pub(crate) fn new(recipient: &str, text: String, sent_at: i64) -> Self {
        let carrier = Carrier::to(recipient);
        let recipient = recipient.to_owned();
        Self { id: 0, recipient, carrier, text, codes: BTreeMap::new(), link: None, sent_at }
    }
}

/// Sends a letter.
pub(crate) fn send(db: &Connection, letter: &Letter) -> Result<()> {
    let sql = "INSERT INTO outbox (recipient, channel, text, codes, link, sent_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Letter { recipient, carrier, text, codes, link, sent_at, .. } = letter;
    let codes = serde_json::to_string(codes)?;
    db.prepare_cached(sql)?.execute(params![recipient, carrier.as_str(), text, codes, link, sent_at])?;
    db.prepare_cached("DELETE FROM outbox WHERE id <= ?1")?.execute([db.last_insert_rowid() - KEPT])?;
    Ok(())
}

/// The newest letters, to one recipient or to all, in the order of sending.
pub(crate) fn list(db: &Connection, recipient: Option<&str>, limit: i64) -> Result<Vec<Letter>> {
    let sql = "SELECT id, recipient, channel, text, codes, link, sent_at FROM outbox
               WHERE ?1 IS NULL OR recipient = ?1 ORDER BY id DESC LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![recipient, limit])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.push(Letter {
            id: row.get(0)?,
            recipient: row.get(1)?,
            carrier: word(row, 2, Carrier::parse)?,
            text: row.get(3)?,
            codes: serde_json::from_str(&row.get::<_, String>(4)?)?,
            link: row.get(5)?,
            sent_at: row.get(6)?,
        });
    }
    letters.reverse();
    Ok(letters)
}
