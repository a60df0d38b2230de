//! Complaints of citizens about brands.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::word;
use crate::error::Result;
use crate::words::Channel;

/// How far a complaint has come, in the order in which it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The registry has it.
    Received,
    /// The provider has it too.
    Sent,
    /// The provider has answered.
    Answered,
    /// Nothing more will happen.
    Closed,
}

impl State {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "received" => Some(Self::Received),
            "sent" => Some(Self::Sent),
            "answered" => Some(Self::Answered),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }
}

/// A complaint. Instants are in Unix seconds.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) id: i64,
    pub(crate) brand_code: i64,
    pub(crate) recipient: String,
    /// The channel on which the citizen was disturbed.
    pub(crate) channel: Channel,
    pub(crate) text: String,
    pub(crate) state: State,
    pub(crate) received_at: i64,
    pub(crate) sent_at: Option<i64>,
    pub(crate) answered_at: Option<i64>,
    pub(crate) closed_at: Option<i64>,
    pub(crate) answer: Option<String>,
}

const COLUMNS: &str = "id, brand_code, recipient, type, text, state, received_at, sent_at, answered_at, \
                       closed_at, answer";

fn read(row: &Row<'_>) -> rusqlite::Result<Complaint> {
    Ok(Complaint {
        id: row.get(0)?,
        brand_code: row.get(1)?,
        recipient: row.get(2)?,
        channel: word(row, 3, Channel::parse)?,
        text: row.get(4)?,
        state: word(row, 5, State::parse)?,
        received_at: row.get(6)?,
        sent_at: row.get(7)?,
        answered_at: row.get(8)?,
        closed_at: row.get(9)?,
        answer: row.get(10)?,
    })
}

/// Files a complaint; its number.
pub(crate) fn add(
    db: &Connection,
    brand_code: i64,
    recipient: &str,
    channel: Channel,
    text: &str,
    now: i64,
) -> Result<i64> {
    let sql = "INSERT INTO complaints (brand_code, recipient, type, text, state, received_at)
               VALUES (?1, ?2, ?3, ?4, 'received', ?5)";
    db.prepare_cached(sql)?.execute(params![brand_code, recipient, channel.as_str(), text, now])?;
    Ok(db.last_insert_rowid())
}

/// Sends on what was received `delay` seconds ago or earlier.
pub(crate) fn send_due(db: &Connection, delay: i64, now: i64) -> Result<()> {
    let sql = "UPDATE complaints SET state = 'sent', sent_at = received_at + ?1
               WHERE state = 'received' AND received_at <= ?2 - ?1";
    db.prepare_cached(sql)?.execute([delay, now])?;
    Ok(())
}

/// Looks a complaint up.
pub(crate) fn find(db: &Connection, id: i64) -> Result<Option<Complaint>> {
    let sql = format!("SELECT {COLUMNS} FROM complaints WHERE id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id], read).optional()?)
}

/// Whose complaints are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    Everybody,
    Recipient(&'a str),
    /// Those about the brands of a provider.
    Provider(i64),
}

/// Complaints, newest first.
pub(crate) fn list(db: &Connection, of: Of<'_>, limit: i64) -> Result<Vec<Complaint>> {
    let (which, value): (&str, rusqlite::types::Value) = match of {
        Of::Everybody => ("?1 IS NULL", rusqlite::types::Value::Null),
        Of::Recipient(recipient) => ("recipient = ?1", recipient.to_owned().into()),
        Of::Provider(code) => {
            ("brand_code IN (SELECT brand_code FROM brands WHERE iys_code = ?1)", code.into())
        }
    };
    let sql = format!("SELECT {COLUMNS} FROM complaints WHERE {which} ORDER BY id DESC LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![value, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores how far a complaint has come.
pub(crate) fn put(db: &Connection, complaint: &Complaint) -> Result<()> {
    let sql = "UPDATE complaints SET state = ?2, sent_at = ?3, answered_at = ?4, closed_at = ?5, answer = ?6
               WHERE id = ?1";
    let Complaint { id, state, sent_at, answered_at, closed_at, answer, .. } = complaint;
    db.prepare_cached(sql)?.execute(params![id, state.as_str(), sent_at, answered_at, closed_at, answer])?;
    Ok(())
}
