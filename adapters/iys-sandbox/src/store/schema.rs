//! The tables.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// How much of the data file is held in memory, in KiB.
const CACHE_KIB: i64 = 64 * 1024;
/// How far the journal grows before it is carried over, in pages.
const JOURNAL_PAGES: i64 = 16 * 1024;
/// SQLite's ordinary page.
const PAGE_BYTES: i64 = 4096;

/// What makes the tables, in order. How many of them a file has seen is kept in SQLite's `user_version`:
/// what follows is done to it when it is opened, and a file that has seen more is of a newer version.
const STEPS: &[&str] = &[TABLES, RETAILERS_AND_REPORTS, COMPLAINTS, PUSH_AND_OPT_INS];

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

/// The profiles of retailers (protocol 4.14), which consents they can see (4.15), and the daily reports
/// (4.17). The feed's index becomes one over all movements, by which a day is read, and a small one over
/// the registry's own.
const RETAILERS_AND_REPORTS: &str = "
ALTER TABLE retailers ADD COLUMN name TEXT;
ALTER TABLE retailers ADD COLUMN alias TEXT;
ALTER TABLE retailers ADD COLUMN tckn TEXT;
ALTER TABLE retailers ADD COLUMN tin TEXT;
ALTER TABLE retailers ADD COLUMN mersis TEXT;
ALTER TABLE retailers ADD COLUMN mobile TEXT;
ALTER TABLE retailers ADD COLUMN city_code TEXT;
ALTER TABLE retailers ADD COLUMN city_name TEXT;
ALTER TABLE retailers ADD COLUMN town_code TEXT;
ALTER TABLE retailers ADD COLUMN town_name TEXT;
ALTER TABLE retailers ADD COLUMN status TEXT NOT NULL DEFAULT 'active'
    CHECK (status IN ('active', 'passive', 'suspended'));
CREATE INDEX retailers_by_tckn ON retailers (tckn) WHERE tckn IS NOT NULL;
CREATE INDEX retailers_by_mersis ON retailers (mersis) WHERE mersis IS NOT NULL;

CREATE TABLE retailer_consents (
    retailer_code INTEGER NOT NULL,
    brand_code INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    recipient_type TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (retailer_code, brand_code, recipient, recipient_type, type)
) STRICT, WITHOUT ROWID;
INSERT INTO retailer_consents
    SELECT retailer_code, brand_code, recipient, recipient_type, type FROM consents
    WHERE retailer_code IS NOT NULL
    UNION
    SELECT code.value, c.brand_code, c.recipient, c.recipient_type, c.type
    FROM consents c, json_each('[' || c.retailer_access || ']') code WHERE c.retailer_access <> '';

CREATE TABLE reports (
    brand_code INTEGER NOT NULL,
    day_start INTEGER NOT NULL,
    hash BLOB NOT NULL,
    time_stamp BLOB NOT NULL,
    agreed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (brand_code, day_start)
) STRICT, WITHOUT ROWID;

DROP INDEX movements_in_feed;
CREATE INDEX movements_by_time ON movements (brand_code, created_at, transaction_id, ordinal);
CREATE INDEX movements_of_registry ON movements (brand_code, created_at, transaction_id, ordinal)
    WHERE side = 'IYS';
";

/// The complaints of citizens, which only the registry's web pages know.
const COMPLAINTS: &str = "
CREATE TABLE complaints (
    id INTEGER PRIMARY KEY,
    brand_code INTEGER NOT NULL REFERENCES brands,
    recipient TEXT NOT NULL,
    type TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'sent', 'answered', 'closed')),
    received_at INTEGER NOT NULL,
    sent_at INTEGER,
    answered_at INTEGER,
    closed_at INTEGER,
    answer TEXT
) STRICT;
CREATE INDEX complaints_of_brand ON complaints (brand_code);
CREATE INDEX complaints_of_recipient ON complaints (recipient);
CREATE INDEX complaints_waiting ON complaints (received_at) WHERE state = 'received';
";

/// Push connections (protocol 8), opt-ins, reject links and verifications (10).
const PUSH_AND_OPT_INS: &str = "
CREATE TABLE push_connections (
    id INTEGER PRIMARY KEY,
    brand_code INTEGER NOT NULL,
    type TEXT NOT NULL,
    url TEXT NOT NULL,
    username TEXT NOT NULL,
    password TEXT NOT NULL,
    active INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    UNIQUE (brand_code, type, url)
) STRICT;

CREATE TABLE push_deliveries (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL REFERENCES push_connections ON DELETE CASCADE,
    seq INTEGER NOT NULL REFERENCES movements,
    attempt INTEGER NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX push_deliveries_due ON push_deliveries (due_at);
CREATE INDEX push_deliveries_of_connection ON push_deliveries (connection_id, seq);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('SMS', 'EPOSTA')),
    text TEXT NOT NULL,
    codes TEXT NOT NULL,
    link TEXT,
    sent_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_of_recipient ON outbox (recipient, id);

CREATE TABLE opt_in_subscriptions (
    iys_code INTEGER NOT NULL,
    product TEXT NOT NULL CHECK (product IN ('via', 'via_pass')),
    id TEXT NOT NULL,
    package TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'PAUSED', 'EXPIRED', 'CLOSED')),
    start_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    PRIMARY KEY (iys_code, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE via_forms (
    form_id INTEGER PRIMARY KEY,
    iys_code INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('SHORTURL', 'OTP', 'APPROVALURL')),
    published INTEGER NOT NULL,
    titles TEXT NOT NULL
) STRICT;

CREATE TABLE via_processes (
    request_id TEXT PRIMARY KEY,
    iys_code INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    link_token TEXT UNIQUE,
    process TEXT NOT NULL
) STRICT;
CREATE INDEX via_processes_of_recipient ON via_processes (iys_code, recipient);

CREATE TABLE reject_links (
    token TEXT PRIMARY KEY,
    brand_code INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    recipient_type TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE brand_short_names (
    name TEXT PRIMARY KEY,
    brand_code INTEGER NOT NULL REFERENCES brands
) STRICT, WITHOUT ROWID;

CREATE TABLE pass_templates (
    template_id TEXT PRIMARY KEY,
    iys_code INTEGER NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('SMS_OTP', 'EMAIL_OTP', 'SMS_SHORT_URL', 'EMAIL_SHORT_URL'))
) STRICT, WITHOUT ROWID;

CREATE TABLE pass_processes (
    request_id TEXT PRIMARY KEY,
    iys_code INTEGER NOT NULL,
    short_url TEXT UNIQUE,
    process TEXT NOT NULL
) STRICT;

CREATE TABLE evidence (
    request_id TEXT PRIMARY KEY,
    pack BLOB NOT NULL
) STRICT;
";

/// Sets the connection up and makes the tables when they are not there.
pub(crate) fn prepare(db: &Connection) -> Result<()> {
    db.set_prepared_statement_cache_capacity(128);
    // A committed write outlives this process; only a power cut may take the last ones along, which a
    // simulator can bear.
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    // However much is stored, this much of it is held in memory (negative: KiB). The journal is carried
    // over in large strides: a batch touches a page or two for each of its addresses.
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES)?;
    db.pragma_update(None, "journal_size_limit", JOURNAL_PAGES * PAGE_BYTES)?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    let Some(to_do) = usize::try_from(found).ok().and_then(|done| STEPS.get(done..)) else {
        return Err(Error::SchemaTooNew { found, known });
    };
    if !to_do.is_empty() {
        let steps = to_do.concat();
        db.execute_batch(&format!("BEGIN IMMEDIATE; {steps} PRAGMA user_version = {known}; COMMIT;"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_is_taken_up() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&format!("{TABLES} PRAGMA user_version = 1;")).unwrap();
        db.execute_batch(
            "INSERT INTO consents VALUES
                 (1, '+90', 'BIREYSEL', 'MESAJ', 'ONAY', 'HS_WEB', 5, 5, x'00', 0, 33, '11,22'),
                 (1, '+91', 'BIREYSEL', 'MESAJ', 'ONAY', 'HS_WEB', 5, 5, x'00', 0, 11, '11'),
                 (1, '+92', 'BIREYSEL', 'MESAJ', 'ONAY', 'HS_WEB', 5, 5, x'00', 0, NULL, '')",
        )
        .unwrap();
        prepare(&db).unwrap();
        prepare(&db).unwrap();
        let mut statement =
            db.prepare("SELECT retailer_code, recipient FROM retailer_consents ORDER BY 1, 2").unwrap();
        let rows: Vec<(i64, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let rows: Vec<(i64, &str)> = rows.iter().map(|(code, address)| (*code, address.as_str())).collect();
        assert_eq!(rows, [(11, "+90"), (11, "+91"), (22, "+90"), (33, "+90")]);
    }
}
