-- Acts that may be told more than once, and what call centres report.

-- An act of a person (a call, a scan, a link that was followed) by a keyed digest of its name: told again, its consent is found.
CREATE TABLE acts (
    iys_code    BIGINT  NOT NULL,
    mark       BYTEA NOT NULL,
    consent_id UUID NOT NULL,
    PRIMARY KEY (iys_code, mark)
);

CREATE TABLE call_settings (
    iys_code        BIGINT  NOT NULL,
    brand_code      BIGINT  NOT NULL,
    -- whether an approval without a voice record is refused
    voice_record   BOOLEAN NOT NULL,
    approval_key   TEXT NOT NULL,
    rejection_key  TEXT NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
);

-- Calls that ended without a decision.
CREATE TABLE call_outcomes (
    iys_code     BIGINT  NOT NULL,
    mark        BYTEA NOT NULL,
    brand_code   BIGINT  NOT NULL,
    id          UUID NOT NULL,
    channel     TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    reason      TEXT NOT NULL CHECK (reason IN ('silence', 'other_key')),
    sealed      BYTEA NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, mark)
);
CREATE INDEX call_outcomes_by_brand ON call_outcomes (iys_code, brand_code, id);
