-- Acts that may be told more than once, and what call centres report.

-- An act of a person (a call, a scan, a link that was followed) by a keyed digest of its name: told again, its consent is found.
CREATE TABLE acts (
    iys_code    INTEGER  NOT NULL,
    mark       BLOB NOT NULL,
    consent_id BLOB NOT NULL,
    PRIMARY KEY (iys_code, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_settings (
    iys_code        INTEGER  NOT NULL,
    brand_code      INTEGER  NOT NULL,
    -- whether an approval without a voice record is refused
    voice_record   INTEGER NOT NULL,
    approval_key   TEXT NOT NULL,
    rejection_key  TEXT NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
) STRICT, WITHOUT ROWID;

-- Calls that ended without a decision.
CREATE TABLE call_outcomes (
    iys_code     INTEGER  NOT NULL,
    mark        BLOB NOT NULL,
    brand_code   INTEGER  NOT NULL,
    id          BLOB NOT NULL,
    channel     TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    reason      TEXT NOT NULL CHECK (reason IN ('silence', 'other_key')),
    sealed      BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (iys_code, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_outcomes_by_brand ON call_outcomes (iys_code, brand_code, id);
