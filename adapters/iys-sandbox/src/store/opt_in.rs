//! Packages of the opt-in services with their credit, and the short names of brands (protocol 10).

use rusqlite::{Connection, OptionalExtension, params};

use super::providers::SubscriptionStatus;
use super::word;
use crate::error::Result;
use crate::words::Product;

/// The credit of a package without limit (protocol 4.13).
pub(crate) const UNLIMITED: i64 = -1;

/// A provider's package of an opt-in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) iys_code: i64,
    pub(crate) product: Product,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: SubscriptionStatus,
    pub(crate) start_at: i64,
    pub(crate) expires_at: i64,
    /// Operations left; [`UNLIMITED`] never ends.
    pub(crate) credit: i64,
}

/// Looks a provider's package up.
pub(crate) fn find_package(db: &Connection, iys_code: i64, product: Product) -> Result<Option<Package>> {
    let sql = "SELECT iys_code, product, id, package, status, start_at, expires_at, credit
               FROM opt_in_subscriptions WHERE iys_code = ?1 AND product = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row(params![iys_code, product.as_str()], |row| {
            Ok(Package {
                iys_code: row.get(0)?,
                product: word(row, 1, Product::parse)?,
                id: row.get(2)?,
                name: row.get(3)?,
                status: word(row, 4, SubscriptionStatus::parse)?,
                start_at: row.get(5)?,
                expires_at: row.get(6)?,
                credit: row.get(7)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Adds or replaces a package.
pub(crate) fn put_package(db: &Connection, package: &Package) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO opt_in_subscriptions
                   (iys_code, product, id, package, status, start_at, expires_at, credit)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Package { iys_code, product, id, name, status, start_at, expires_at, credit } = package;
    db.execute(
        sql,
        params![iys_code, product.as_str(), id, name, status.as_str(), start_at, expires_at, credit],
    )?;
    Ok(())
}

/// Removes a package.
pub(crate) fn remove_package(db: &Connection, iys_code: i64, product: Product) -> Result<()> {
    let sql = "DELETE FROM opt_in_subscriptions WHERE iys_code = ?1 AND product = ?2";
    db.execute(sql, params![iys_code, product.as_str()])?;
    Ok(())
}

/// Takes one credit, if there is one to take.
pub(crate) fn take_credit(db: &Connection, iys_code: i64, product: Product) -> Result<()> {
    let sql = "UPDATE opt_in_subscriptions SET credit = credit - 1
               WHERE iys_code = ?1 AND product = ?2 AND credit > 0";
    db.prepare_cached(sql)?.execute(params![iys_code, product.as_str()])?;
    Ok(())
}

/// The short names of a brand.
pub(crate) fn short_names(db: &Connection, brand_code: i64) -> Result<Vec<String>> {
    let sql = "SELECT name FROM brand_short_names WHERE brand_code = ?1 ORDER BY name";
    Ok(db.prepare_cached(sql)?.query_map([brand_code], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The brand of a short name.
pub(crate) fn brand_of_short_name(db: &Connection, name: &str) -> Result<Option<i64>> {
    let sql = "SELECT brand_code FROM brand_short_names WHERE name = ?1";
    Ok(db.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
}

/// Replaces the short names of a brand.
pub(crate) fn put_short_names(db: &Connection, brand_code: i64, names: &[String]) -> Result<()> {
    db.execute("DELETE FROM brand_short_names WHERE brand_code = ?1", [brand_code])?;
    for name in names {
        db.prepare_cached("INSERT INTO brand_short_names (name, brand_code) VALUES (?1, ?2)")?
            .execute(params![name, brand_code])?;
    }
    Ok(())
}
