//! Retailers of brands (protocol 4.14), and which consents they can see (4.15).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::word;
use crate::draft::Key;
use crate::error::Result;

/// Whether a retailer is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetailerStatus {
    Active,
    Passive,
    Suspended,
}

impl RetailerStatus {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Suspended => "suspended",
        }
    }
}

/// A city or town as a retailer's profile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locality {
    pub(crate) code: String,
    pub(crate) name: String,
}

/// A retailer. One made through the control interface has a title and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retailer {
    /// Eight digits.
    pub(crate) code: i64,
    pub(crate) brand_code: i64,
    pub(crate) title: String,
    pub(crate) name: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) tckn: Option<String>,
    pub(crate) tin: Option<String>,
    pub(crate) mersis: Option<String>,
    pub(crate) mobile: Option<String>,
    pub(crate) city: Option<Locality>,
    pub(crate) town: Option<Locality>,
    pub(crate) status: RetailerStatus,
}

/// The columns of a [`Retailer`], in its order.
const COLUMNS: &str = "retailer_code, brand_code, title, name, alias, tckn, tin, mersis, mobile, city_code, \
                       city_name, town_code, town_name, status";

fn read(row: &Row<'_>) -> rusqlite::Result<Retailer> {
    let locality = |column: usize| -> rusqlite::Result<Option<Locality>> {
        let code: Option<String> = row.get(column)?;
        let name: Option<String> = row.get(column + 1)?;
        Ok(code.zip(name).map(|(code, name)| Locality { code, name }))
    };
    Ok(Retailer {
        code: row.get(0)?,
        brand_code: row.get(1)?,
        title: row.get(2)?,
        name: row.get(3)?,
        alias: row.get(4)?,
        tckn: row.get(5)?,
        tin: row.get(6)?,
        mersis: row.get(7)?,
        mobile: row.get(8)?,
        city: locality(9)?,
        town: locality(11)?,
        status: word(row, 13, RetailerStatus::parse)?,
    })
}

/// Adds a retailer with its profile.
pub(crate) fn add(db: &Connection, retailer: &Retailer) -> Result<()> {
    let sql = format!(
        "INSERT INTO retailers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    let Retailer { code, brand_code, title, name, alias, tckn, tin, mersis, mobile, city, town, status } =
        retailer;
    let parts = |locality: &Option<Locality>| {
        locality.as_ref().map(|locality| (locality.code.clone(), locality.name.clone())).unzip()
    };
    let (city_code, city_name): (Option<String>, Option<String>) = parts(city);
    let (town_code, town_name): (Option<String>, Option<String>) = parts(town);
    db.prepare_cached(&sql)?.execute(params![
        code,
        brand_code,
        title,
        name,
        alias,
        tckn,
        tin,
        mersis,
        mobile,
        city_code,
        city_name,
        town_code,
        town_name,
        status.as_str()
    ])?;
    Ok(())
}

/// Adds a retailer by number and title, or gives it to another brand.
pub(crate) fn put(db: &Connection, retailer_code: i64, brand_code: i64, title: &str) -> Result<()> {
    let sql = "INSERT INTO retailers (retailer_code, brand_code, title) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET brand_code = ?2, title = ?3";
    db.prepare_cached(sql)?.execute(params![retailer_code, brand_code, title])?;
    Ok(())
}

/// Removes a retailer.
pub(crate) fn remove(db: &Connection, retailer_code: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM retailers WHERE retailer_code = ?1")?.execute([retailer_code])?;
    Ok(())
}

/// Looks a brand's retailer up.
pub(crate) fn find(db: &Connection, brand_code: i64, retailer_code: i64) -> Result<Option<Retailer>> {
    let sql = format!("SELECT {COLUMNS} FROM retailers WHERE retailer_code = ?1 AND brand_code = ?2");
    Ok(db.prepare_cached(&sql)?.query_row([retailer_code, brand_code], read).optional()?)
}

/// A brand's retailers in the order of their numbers.
pub(crate) fn list(db: &Connection, brand_code: i64, offset: i64, limit: i64) -> Result<Vec<Retailer>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM retailers WHERE brand_code = ?1 ORDER BY retailer_code LIMIT ?3 OFFSET ?2"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([brand_code, offset, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The title of a brand's retailer.
pub(crate) fn title(db: &Connection, brand_code: i64, retailer_code: i64) -> Result<Option<String>> {
    let sql = "SELECT title FROM retailers WHERE retailer_code = ?1 AND brand_code = ?2";
    let found =
        db.prepare_cached(sql)?.query_row([retailer_code, brand_code], |row| row.get(0)).optional()?;
    Ok(found)
}

/// How many retailers a brand has.
pub(crate) fn count(db: &Connection, brand_code: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM retailers WHERE brand_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([brand_code], |row| row.get(0))?)
}

/// Whether a number is some brand's retailer.
pub(crate) fn is_taken(db: &Connection, retailer_code: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM retailers WHERE retailer_code = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([retailer_code], |row| row.get(0))?)
}

/// A number by which a retailer is known outside the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Tckn,
    Mersis,
}

/// The states of a provider's retailers, under any of its brands, that have this number.
pub(crate) fn statuses_with(
    db: &Connection,
    iys_code: i64,
    identity: Identity,
    number: &str,
) -> Result<Vec<RetailerStatus>> {
    let sql = match identity {
        Identity::Tckn => {
            "SELECT r.status FROM retailers r JOIN brands b ON b.brand_code = r.brand_code
             WHERE r.tckn = ?1 AND b.iys_code = ?2"
        }
        Identity::Mersis => {
            "SELECT r.status FROM retailers r JOIN brands b ON b.brand_code = r.brand_code
             WHERE r.mersis = ?1 AND b.iys_code = ?2"
        }
    };
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![number, iys_code], |row| word(row, 0, RetailerStatus::parse))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many consents a retailer can see.
pub(crate) fn count_consents(db: &Connection, retailer_code: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM retailer_consents WHERE retailer_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([retailer_code], |row| row.get(0))?)
}

/// Whether any consent names a retailer.
pub(crate) fn has_consents(db: &Connection, retailer_code: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM retailer_consents WHERE retailer_code = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([retailer_code], |row| row.get(0))?)
}

/// Notes that those who saw a consent `before` do no more, except for those who see it `after`.
pub(super) fn link(db: &Connection, brand_code: i64, key: &Key, before: &[i64], after: &[i64]) -> Result<()> {
    let (kind, channel) = (key.recipient_type.as_str(), key.channel.as_str());
    for code in before.iter().filter(|code| !after.contains(code)) {
        let sql = "DELETE FROM retailer_consents WHERE retailer_code = ?1 AND brand_code = ?2
                       AND recipient = ?3 AND recipient_type = ?4 AND type = ?5";
        db.prepare_cached(sql)?.execute(params![code, brand_code, key.recipient, kind, channel])?;
    }
    for code in after.iter().filter(|code| !before.contains(code)) {
        let sql = "INSERT OR IGNORE INTO retailer_consents
                       (retailer_code, brand_code, recipient, recipient_type, type)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        db.prepare_cached(sql)?.execute(params![code, brand_code, key.recipient, kind, channel])?;
    }
    Ok(())
}
