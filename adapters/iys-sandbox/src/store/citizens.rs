//! What the registry holds about one address, over all brands: the citizen's own view.

use rusqlite::{Connection, params};

use super::consents::{COLUMNS, Movement, read_movement};
use super::word;
use crate::error::Result;
use crate::words::{Channel, RecipientType, Status};

/// A current record of an address.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) brand_code: i64,
    pub(crate) recipient_type: RecipientType,
    pub(crate) channel: Channel,
    pub(crate) status: Status,
    pub(crate) source: Option<String>,
    pub(crate) consent_date: Option<i64>,
}

/// Goes from the brands to the records, because the records are ordered by brand and there are few brands.
const HELD: &str = "SELECT c.brand_code, c.recipient_type, c.type, c.status, c.source, c.consent_at
     FROM brands b CROSS JOIN consents c ON c.brand_code = b.brand_code AND c.recipient = ?1
     ORDER BY b.name, c.brand_code, c.recipient_type, c.type";

/// The current records of an address, by the names of the brands.
pub(crate) fn held(db: &Connection, recipient: &str) -> Result<Vec<Held>> {
    let mut statement = db.prepare_cached(HELD)?;
    let rows = statement.query_map([recipient], |row| {
        Ok(Held {
            brand_code: row.get(0)?,
            recipient_type: word(row, 1, RecipientType::parse)?,
            channel: word(row, 2, Channel::parse)?,
            status: word(row, 3, Status::parse)?,
            source: row.get(4)?,
            consent_date: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The plus keeps the planner from walking all movements backwards for the sake of the order.
fn movements_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM movements
         WHERE brand_code IN (SELECT brand_code FROM brands) AND recipient = ?1
         ORDER BY +created_at DESC, +seq DESC LIMIT ?2 OFFSET ?3"
    )
}

/// The movements of an address, newest first.
pub(crate) fn movements(db: &Connection, recipient: &str, limit: i64, offset: i64) -> Result<Vec<Movement>> {
    let mut statement = db.prepare_cached(&movements_sql())?;
    let rows = statement.query_map(params![recipient, limit, offset], read_movement)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A brand with its provider's title, for a citizen to choose from.
#[derive(Debug, Clone)]
pub(crate) struct NamedBrand {
    pub(crate) code: i64,
    pub(crate) name: String,
    /// The provider's title.
    pub(crate) title: String,
}

/// All brands by name.
pub(crate) fn brands(db: &Connection) -> Result<Vec<NamedBrand>> {
    let sql = "SELECT b.brand_code, b.name, p.title FROM brands b JOIN providers p ON p.iys_code = b.iys_code
               ORDER BY b.name, b.brand_code";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement
        .query_map([], |row| Ok(NamedBrand { code: row.get(0)?, name: row.get(1)?, title: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    /// With millions of records a scan would take seconds.
    #[test]
    fn an_address_is_looked_up_and_never_scanned_for() {
        let db = Connection::open_in_memory().unwrap();
        schema::prepare(&db).unwrap();
        for (sql, arguments) in [(HELD.to_owned(), 1), (movements_sql(), 3)] {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let given: Vec<i64> = vec![1; arguments];
            let plan: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(given), |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            let scans = |table: &str| plan.iter().any(|step| step.starts_with(&format!("SCAN {table}")));
            assert!(!scans("movements") && !scans("c"), "{plan:?}");
            assert!(plan.iter().any(|step| step.contains("recipient=?")), "{plan:?}");
        }
    }
}
