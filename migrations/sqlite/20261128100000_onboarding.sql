-- What the registry lets us do for whom, as it said when it was asked (provider sync), and retailers.

-- Per brand. No row: it was never asked.
CREATE TABLE brand_rights (
    iys_code          INTEGER  NOT NULL,
    brand_code        INTEGER  NOT NULL,
    -- false: the brand has not authorised us, or withdrew it
    authorised        INTEGER  NOT NULL,
    call_right        TEXT NOT NULL CHECK (call_right IN ('write', 'read', 'none')),
    message_right     TEXT NOT NULL CHECK (message_right IN ('write', 'read', 'none')),
    email_right       TEXT NOT NULL CHECK (email_right IN ('write', 'read', 'none')),
    agreement_control INTEGER  NOT NULL,
    via_control       INTEGER  NOT NULL,
    synced_at         INTEGER  NOT NULL,
    -- when the brand's retailers were last read in full; null: never
    retailers_at      INTEGER,
    PRIMARY KEY (iys_code, brand_code)
) STRICT, WITHOUT ROWID;

-- Per provider; 0 is the partner itself, and its synced_at that of the last sync of all.
CREATE TABLE subscriptions (
    iys_code   INTEGER  NOT NULL PRIMARY KEY,
    -- the registry's word; 'NONE' where it knows of none
    status     TEXT NOT NULL,
    package    TEXT,
    expires_at INTEGER,
    -- the code with which the registry refuses filings because of it; null: it does not
    code       TEXT,
    synced_at  INTEGER NOT NULL
) STRICT;

-- The registry's list says so: no filing has to find out, and only the list or a filing that passes lifts it.
ALTER TABLE holds ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;

-- Persons, numbers and places of a retailer, sealed.
ALTER TABLE retailers ADD COLUMN sealed BLOB;

-- Retailers that may use a consent from its first filing on: a JSON array of their numbers.
CREATE TABLE consent_retailers (
    iys_code   INTEGER NOT NULL,
    consent_id BLOB NOT NULL,
    retailers  TEXT NOT NULL,
    PRIMARY KEY (iys_code, consent_id)
) STRICT, WITHOUT ROWID;
