//! The tables.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// The version of [`TABLES`]; kept in SQLite's `user_version`.
const VERSION: i64 = 1;

/// Instants are Unix seconds unless the name says millis. Enumerations hold the wire's own words.
const TABLES: &str = "
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    code INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    package TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'PAUSED', 'EXPIRED', 'CLOSED')),
    start_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    api_use INTEGER NOT NULL,
    consent_limit INTEGER NOT NULL,
    consent_limit_exceed INTEGER NOT NULL
) STRICT;

CREATE TABLE providers (
    iys_code INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    activation_at INTEGER,
    used_addresses INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE brands (
    brand_code INTEGER PRIMARY KEY,
    iys_code INTEGER NOT NULL REFERENCES providers,
    name TEXT NOT NULL,
    master INTEGER NOT NULL
) STRICT;
CREATE INDEX brands_of_provider ON brands (iys_code, brand_code);

CREATE TABLE retailers (
    retailer_code INTEGER PRIMARY KEY,
    brand_code INTEGER NOT NULL REFERENCES brands,
    title TEXT NOT NULL
) STRICT;
CREATE INDEX retailers_of_brand ON retailers (brand_code);

CREATE TABLE partners (
    integrator_code INTEGER PRIMARY KEY,
    title TEXT NOT NULL
) STRICT;

CREATE TABLE authorisations (
    integrator_code INTEGER NOT NULL REFERENCES partners,
    brand_code INTEGER NOT NULL REFERENCES brands,
    message TEXT NOT NULL CHECK (message IN ('write', 'read', 'none')),
    call TEXT NOT NULL CHECK (call IN ('write', 'read', 'none')),
    email TEXT NOT NULL CHECK (email IN ('write', 'read', 'none')),
    agreement_control INTEGER NOT NULL,
    via_control INTEGER NOT NULL,
    PRIMARY KEY (integrator_code, brand_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    username TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    family TEXT NOT NULL CHECK (family IN ('provider', 'partner')),
    code INTEGER NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_of_code ON accounts (family, code);

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    refresh INTEGER NOT NULL,
    username TEXT NOT NULL,
    expires_at_millis INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_expiry ON tokens (expires_at_millis);

CREATE TABLE consents (
    brand_code INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    recipient_type TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT,
    consent_at INTEGER,
    created_at INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    retailer_code INTEGER,
    retailer_access TEXT NOT NULL,
    PRIMARY KEY (brand_code, recipient, recipient_type, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE movements (
    seq INTEGER PRIMARY KEY,
    brand_code INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    recipient_type TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT,
    consent_at INTEGER,
    created_at INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('HS', 'IYS')),
    citizen_name TEXT,
    fingerprint BLOB,
    request_id TEXT,
    sub_request_id TEXT
) STRICT;
CREATE INDEX movements_of_key ON movements (brand_code, recipient, recipient_type, type);
CREATE INDEX movements_in_feed ON movements (brand_code, side, created_at, transaction_id, ordinal);

CREATE TABLE batches (
    request_id TEXT PRIMARY KEY,
    brand_code INTEGER NOT NULL,
    v2 INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    items TEXT NOT NULL,
    results TEXT
) STRICT;
CREATE INDEX batches_due ON batches (due_at, received_at) WHERE results IS NULL;
";

/// Sets the connection up and makes the tables when they are not there.
pub(crate) fn prepare(db: &Connection) -> Result<()> {
    db.set_prepared_statement_cache_capacity(128);
    // A committed write outlives this process; only a power cut may take the last ones along, which a
    // simulator can bear.
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            db.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
            Ok(())
        }
        VERSION => Ok(()),
        _ => Err(Error::SchemaTooNew { found, known: VERSION }),
    }
}
