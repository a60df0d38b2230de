-- What the registry lets us do for whom, as it said when it was asked (provider sync), and retailers.

-- Per brand. No row: it was never asked.
CREATE TABLE brand_rights (
    iys_code          BIGINT  NOT NULL,
    brand_code        BIGINT  NOT NULL,
    -- false: the brand has not authorised us, or withdrew it
    authorised        BOOLEAN NOT NULL,
    call_right        TEXT NOT NULL CHECK (call_right IN ('write', 'read', 'none')),
    message_right     TEXT NOT NULL CHECK (message_right IN ('write', 'read', 'none')),
    email_right       TEXT NOT NULL CHECK (email_right IN ('write', 'read', 'none')),
    agreement_control BOOLEAN NOT NULL,
    via_control       BOOLEAN NOT NULL,
    synced_at         TIMESTAMPTZ NOT NULL,
    -- when the brand's retailers were last read in full; null: never
    retailers_at      TIMESTAMPTZ,
    PRIMARY KEY (iys_code, brand_code)
);

-- Per provider; 0 is the partner itself, and its synced_at that of the last sync of all.
CREATE TABLE subscriptions (
    iys_code   BIGINT  NOT NULL PRIMARY KEY,
    -- the registry's word; 'NONE' where it knows of none
    status     TEXT NOT NULL,
    package    TEXT,
    expires_at TIMESTAMPTZ,
    -- the code with which the registry refuses filings because of it; null: it does not
    code       TEXT,
    synced_at  TIMESTAMPTZ NOT NULL
);

-- The registry's list says so: no filing has to find out, and only the list or a filing that passes lifts it.
ALTER TABLE holds ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;

-- Persons, numbers and places of a retailer, sealed.
ALTER TABLE retailers ADD COLUMN sealed BYTEA;

-- Retailers that may use a consent from its first filing on: a JSON array of their numbers.
CREATE TABLE consent_retailers (
    iys_code   BIGINT NOT NULL,
    consent_id UUID NOT NULL,
    retailers  TEXT NOT NULL,
    PRIMARY KEY (iys_code, consent_id)
);
