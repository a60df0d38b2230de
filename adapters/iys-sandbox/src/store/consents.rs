//! Current records and the movements that made them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::reports::Day;
use super::{retailers, word};
use crate::draft::{Consent, Key};
use crate::error::Result;
use crate::words::{Channel, RecipientType, Status};

/// A movement's id: 32 bytes, on the wire 64 hexadecimal characters.
pub(crate) type TransactionId = [u8; 32];

/// What a rule or an answer needs of the current record.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) status: Status,
    pub(crate) source: Option<String>,
    pub(crate) consent_date: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) transaction_id: TransactionId,
    pub(crate) ordinal: i64,
    pub(crate) retailer_code: Option<i64>,
    pub(crate) retailer_access: Vec<i64>,
}

impl Current {
    /// The retailers that can see the record.
    pub(crate) fn retailers(&self) -> Vec<i64> {
        seen_by(self.retailer_code, &self.retailer_access)
    }
}

/// Who can see a consent: the retailer that took it, and those that were given access.
fn seen_by(retailer_code: Option<i64>, retailer_access: &[i64]) -> Vec<i64> {
    let others = retailer_access.iter().copied().filter(|code| Some(*code) != retailer_code);
    retailer_code.into_iter().chain(others).collect()
}

/// Looks the current record of a key up.
pub(crate) fn find_current(db: &Connection, brand_code: i64, key: &Key) -> Result<Option<Current>> {
    let sql = "SELECT status, source, consent_at, created_at, transaction_id, ordinal, retailer_code,
                      retailer_access
               FROM consents WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4";
    let found = db
        .prepare_cached(sql)?
        .query_row(
            params![brand_code, key.recipient, key.recipient_type.as_str(), key.channel.as_str()],
            |row| {
                let access: String = row.get(7)?;
                Ok(Current {
                    status: word(row, 0, Status::parse)?,
                    source: row.get(1)?,
                    consent_date: row.get(2)?,
                    created_at: row.get(3)?,
                    transaction_id: row.get(4)?,
                    ordinal: row.get(5)?,
                    retailer_code: row.get(6)?,
                    retailer_access: codes(&access),
                })
            },
        )
        .optional()?;
    Ok(found)
}

/// A comma-separated list of codes.
fn codes(text: &str) -> Vec<i64> {
    text.split(',').filter_map(|code| code.parse().ok()).collect()
}

fn joined(codes: &[i64]) -> String {
    codes.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// Whether an address has a record under any brand of a provider.
pub(crate) fn knows_address(db: &Connection, iys_code: i64, recipient: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM brands b
               CROSS JOIN consents c ON c.brand_code = b.brand_code AND c.recipient = ?2
               WHERE b.iys_code = ?1)";
    Ok(db.prepare_cached(sql)?.query_row(params![iys_code, recipient], |row| row.get(0))?)
}

/// Who made a movement, and how it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Set when the citizen or an operator made it.
    pub(crate) is_registry: bool,
    /// The name of a citizen who added the brand for the first time.
    pub(crate) citizen_name: Option<String>,
    /// The batch and the item in it.
    pub(crate) batch: Option<(String, String)>,
}

/// A movement that has been written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) transaction_id: TransactionId,
    pub(crate) created_at: i64,
}

/// Writes a movement and makes it the current record of its key.
///
/// The id is made of key and second, so movements of one key in one second share it (protocol 2); with
/// `apart` it is made of the movement's own number too.
pub(crate) fn record(
    db: &Connection,
    brand_code: i64,
    consent: &Consent,
    current: Option<&Current>,
    origin: &Origin,
    created_at: i64,
    apart: bool,
) -> Result<Written> {
    let key = &consent.key;
    let distinction = if apart { db.last_insert_rowid() + 1 } else { 0 };
    let transaction_id = transaction_id(brand_code, key, created_at, distinction);
    let ordinal = current
        .filter(|current| current.transaction_id == transaction_id)
        .map_or(0, |current| current.ordinal + 1);
    let (request_id, sub_request_id) = origin.batch.clone().unzip();
    let sql =
        "INSERT INTO movements (brand_code, recipient, recipient_type, type, status, source, consent_at,
                   created_at, transaction_id, ordinal, side, citizen_name, fingerprint, request_id,
                   sub_request_id)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    db.prepare_cached(sql)?.execute(params![
        brand_code,
        key.recipient,
        key.recipient_type.as_str(),
        key.channel.as_str(),
        consent.status.as_str(),
        consent.source,
        consent.date,
        created_at,
        transaction_id,
        ordinal,
        if origin.is_registry { "IYS" } else { "HS" },
        origin.citizen_name,
        (!origin.is_registry).then(|| consent.fingerprint()),
        request_id,
        sub_request_id,
    ])?;
    let sql = "INSERT OR REPLACE INTO consents (brand_code, recipient, recipient_type, type, status, source,
                   consent_at, created_at, transaction_id, ordinal, retailer_code, retailer_access)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    db.prepare_cached(sql)?.execute(params![
        brand_code,
        key.recipient,
        key.recipient_type.as_str(),
        key.channel.as_str(),
        consent.status.as_str(),
        consent.source,
        consent.date,
        created_at,
        transaction_id,
        ordinal,
        consent.retailer_code,
        joined(&consent.retailer_access),
    ])?;
    let before = current.map(Current::retailers).unwrap_or_default();
    let after = seen_by(consent.retailer_code, &consent.retailer_access);
    retailers::link(db, brand_code, key, &before, &after)?;
    Ok(Written { transaction_id, created_at })
}

/// Takes the movements of an id out of everything; what was before them is the present record again. Returns how many there
/// were.
pub(crate) fn lose(db: &Connection, transaction_id: &TransactionId) -> Result<usize> {
    let sql = "SELECT DISTINCT brand_code, recipient, recipient_type, type FROM movements WHERE transaction_id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let keys: Vec<(i64, String, String, String)> = statement
        .query_map([transaction_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let sql =
        "DELETE FROM push_deliveries WHERE seq IN (SELECT seq FROM movements WHERE transaction_id = ?1)";
    db.execute(sql, [transaction_id])?;
    let lost = db.execute("DELETE FROM movements WHERE transaction_id = ?1", [transaction_id])?;
    for (brand_code, recipient, recipient_type, channel) in keys {
        let key = params![brand_code, recipient, recipient_type, channel];
        let sql = "UPDATE consents SET (status, source, consent_at, created_at, transaction_id, ordinal) = (
                       SELECT status, source, consent_at, created_at, transaction_id, ordinal FROM movements
                       WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4
                       ORDER BY seq DESC LIMIT 1)
                   WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4 AND EXISTS (
                       SELECT 1 FROM movements
                       WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4)";
        if db.execute(sql, key)? == 0 {
            let sql = "DELETE FROM consents
                       WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4";
            db.execute(sql, key)?;
        }
    }
    Ok(lost)
}

/// Changes which retailers can see a record. That is no movement.
pub(crate) fn put_retailers(
    db: &Connection,
    brand_code: i64,
    key: &Key,
    current: &Current,
    retailer_code: Option<i64>,
    retailer_access: &[i64],
) -> Result<()> {
    let sql = "UPDATE consents SET retailer_code = ?5, retailer_access = ?6
               WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4";
    db.prepare_cached(sql)?.execute(params![
        brand_code,
        key.recipient,
        key.recipient_type.as_str(),
        key.channel.as_str(),
        retailer_code,
        joined(retailer_access),
    ])?;
    let after = seen_by(retailer_code, retailer_access);
    retailers::link(db, brand_code, key, &current.retailers(), &after)
}

fn transaction_id(brand_code: i64, key: &Key, created_at: i64, distinction: i64) -> TransactionId {
    let mut hash = Sha256::new();
    for number in [brand_code, created_at, distinction] {
        hash.update(number.to_be_bytes());
    }
    for part in [key.recipient_type.as_str(), key.channel.as_str(), key.recipient.as_str()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

/// An earlier movement with the same parameters.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) written: Written,
    /// The batch and the item in it, when it came in one.
    pub(crate) batch: Option<(String, String)>,
}

/// The first movement of a provider that said exactly this.
pub(crate) fn find_same(db: &Connection, brand_code: i64, consent: &Consent) -> Result<Option<Earlier>> {
    let sql = "SELECT transaction_id, created_at, request_id, sub_request_id FROM movements
               WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4
                   AND fingerprint = ?5
               ORDER BY seq LIMIT 1";
    let key = &consent.key;
    let found = db
        .prepare_cached(sql)?
        .query_row(
            params![
                brand_code,
                key.recipient,
                key.recipient_type.as_str(),
                key.channel.as_str(),
                consent.fingerprint()
            ],
            |row| {
                let request: Option<String> = row.get(2)?;
                let item: Option<String> = row.get(3)?;
                Ok(Earlier {
                    written: Written { transaction_id: row.get(0)?, created_at: row.get(1)? },
                    batch: request.zip(item),
                })
            },
        )
        .optional()?;
    Ok(found)
}

/// A movement as it is listed.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) seq: i64,
    pub(crate) brand_code: i64,
    pub(crate) recipient: String,
    pub(crate) recipient_type: RecipientType,
    pub(crate) channel: Channel,
    pub(crate) status: Status,
    pub(crate) source: Option<String>,
    pub(crate) consent_date: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) transaction_id: TransactionId,
    pub(crate) ordinal: i64,
    pub(crate) citizen_name: Option<String>,
    /// `HS` when the provider made it, `IYS` when the citizen or an operator did.
    pub(crate) side: String,
}

/// The columns of a [`Movement`], in its order.
pub(super) const COLUMNS: &str = "seq, brand_code, recipient, recipient_type, type, status, source, consent_at, \
                       created_at, transaction_id, ordinal, citizen_name, side";

/// Reads the columns of [`COLUMNS`].
pub(super) fn read_movement(row: &Row<'_>) -> rusqlite::Result<Movement> {
    Ok(Movement {
        seq: row.get(0)?,
        brand_code: row.get(1)?,
        recipient: row.get(2)?,
        recipient_type: word(row, 3, RecipientType::parse)?,
        channel: word(row, 4, Channel::parse)?,
        status: word(row, 5, Status::parse)?,
        source: row.get(6)?,
        consent_date: row.get(7)?,
        created_at: row.get(8)?,
        transaction_id: row.get(9)?,
        ordinal: row.get(10)?,
        citizen_name: row.get(11)?,
        side: row.get(12)?,
    })
}

/// The movements of a key, newest consent date first, and how many there are in all.
pub(crate) fn history(
    db: &Connection,
    brand_code: i64,
    key: &Key,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Movement>, i64)> {
    let of_key = "WHERE brand_code = ?1 AND recipient = ?2 AND recipient_type = ?3 AND type = ?4";
    let (kind, channel) = (key.recipient_type.as_str(), key.channel.as_str());
    let total = db
        .prepare_cached(&format!("SELECT count(*) FROM movements {of_key}"))?
        .query_row(params![brand_code, key.recipient, kind, channel], |row| row.get(0))?;
    let sql = format!(
        "SELECT {COLUMNS} FROM movements {of_key}
         ORDER BY consent_at DESC NULLS LAST, seq DESC LIMIT ?6 OFFSET ?5"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params![brand_code, key.recipient, kind, channel, offset, limit], read_movement)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// A place in the change feed. On the wire `<millis>_<transactionId>`, where the milliseconds tell apart
/// the movements that share second and transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) created_at: i64,
    pub(crate) transaction_id: TransactionId,
    pub(crate) ordinal: i64,
}

impl Cursor {
    /// Reads a cursor; `None` when it is none of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (millis, transaction_id) = text.split_once('_')?;
        let millis: i64 = millis.parse().ok().filter(|millis| *millis >= 0)?;
        let mut id = TransactionId::default();
        hex::decode_to_slice(transaction_id, &mut id).ok()?;
        Some(Self { created_at: millis / 1000, transaction_id: id, ordinal: millis % 1000 })
    }

    /// Writes a cursor.
    pub(crate) fn write(&self) -> String {
        format!("{}_{}", self.created_at * 1000 + self.ordinal, hex::encode(self.transaction_id))
    }
}

impl Movement {
    /// The place of this movement in the feed.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { created_at: self.created_at, transaction_id: self.transaction_id, ordinal: self.ordinal }
    }
}

/// Who made a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The provider, or a partner for it: `HS`.
    Provider,
    /// The citizen or an operator: `IYS`.
    Registry,
}

impl Side {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "HS" => Some(Self::Provider),
            "IYS" => Some(Self::Registry),
            _ => None,
        }
    }
}

/// Which part of the feed is wanted.
#[derive(Debug, Clone)]
pub(crate) struct FeedPart {
    pub(crate) brand_code: i64,
    pub(crate) side: Side,
    /// Not older than this, inclusive.
    pub(crate) from: i64,
    /// Not younger than this, inclusive.
    pub(crate) until: i64,
    pub(crate) after: Option<Cursor>,
    /// Channels that may be shown.
    pub(crate) channels: Vec<Channel>,
    pub(crate) limit: i64,
}

/// A page of the feed, in the order of creation and then of transaction id.
pub(crate) fn feed(db: &Connection, part: &FeedPart) -> Result<Vec<Movement>> {
    let start = Cursor { created_at: part.from, transaction_id: TransactionId::default(), ordinal: -1 };
    // A cursor older than the window starts at the window (protocol 11, U17).
    let after = part.after.filter(|after| after.created_at >= part.from).unwrap_or(start);
    let shown = |channel: Channel| if part.channels.contains(&channel) { channel.as_str() } else { "" };
    // The registry's own movements are few among the providers', and have an index of their own.
    let (index, side) = match part.side {
        Side::Provider => ("movements_by_time", "HS"),
        Side::Registry => ("movements_of_registry", "IYS"),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM movements INDEXED BY {index}
         WHERE brand_code = ?1 AND side = '{side}' AND created_at <= ?2
             AND (created_at, transaction_id, ordinal) > (?3, ?4, ?5) AND type IN (?6, ?7, ?8)
         ORDER BY created_at, transaction_id, ordinal LIMIT ?9"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![
            part.brand_code,
            part.until,
            after.created_at,
            after.transaction_id,
            after.ordinal,
            shown(Channel::Call),
            shown(Channel::Message),
            shown(Channel::Email),
            part.limit
        ],
        read_movement,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Movements of a day in the order of the movement file (protocol 4.18), behind a cursor or from the
/// day's beginning.
pub(crate) fn of_day(db: &Connection, day: Day, after: Option<Cursor>, limit: i64) -> Result<Vec<Movement>> {
    let start = Cursor { created_at: day.start, transaction_id: TransactionId::default(), ordinal: -1 };
    let after = after.unwrap_or(start);
    let sql = format!(
        "SELECT {COLUMNS} FROM movements INDEXED BY movements_by_time
         WHERE brand_code = ?1 AND created_at < ?2 AND (created_at, transaction_id, ordinal) > (?3, ?4, ?5)
         ORDER BY created_at, transaction_id, ordinal LIMIT ?6"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![day.brand_code, day.end, after.created_at, after.transaction_id, after.ordinal, limit],
        read_movement,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every movement behind a number, in the order of writing, of one brand or of all.
pub(crate) fn movements_after(
    db: &Connection,
    brand_code: Option<i64>,
    after: i64,
    limit: i64,
) -> Result<Vec<Movement>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM movements WHERE seq > ?1 AND (?2 IS NULL OR brand_code = ?2)
         ORDER BY seq LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![after, brand_code, limit], read_movement)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The keys of the records of a brand, or of one address in it, in order.
pub(crate) fn keys(
    db: &Connection,
    brand_code: i64,
    recipient: Option<&str>,
    limit: i64,
) -> Result<Vec<Key>> {
    let sql = "SELECT recipient, recipient_type, type FROM consents
               WHERE brand_code = ?1 AND (?2 IS NULL OR recipient = ?2)
               ORDER BY recipient, recipient_type, type LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![brand_code, recipient, limit], |row| {
        Ok(Key {
            recipient: row.get(0)?,
            recipient_type: word(row, 1, RecipientType::parse)?,
            channel: word(row, 2, Channel::parse)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many records of a brand are approvals, and how many rejections.
pub(crate) fn count_by_status(db: &Connection, brand_code: i64) -> Result<(i64, i64)> {
    let sql = "SELECT count(*) FILTER (WHERE status = 'ONAY'), count(*) FILTER (WHERE status = 'RET')
               FROM consents WHERE brand_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([brand_code], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_go_and_come() {
        let cursor = Cursor { created_at: 1_795_158_300, transaction_id: [7; 32], ordinal: 2 };
        assert_eq!(Cursor::parse(&cursor.write()), Some(cursor));
        assert!(cursor.write().starts_with("1795158300002_0707"));
        for text in [
            "",
            "5",
            "_00",
            "x_00",
            "5_00",
            "-5_0707070707070707070707070707070707070707070707070707070707070707",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
