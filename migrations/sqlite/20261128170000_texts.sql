-- Texts that people agree to or are informed by, in versions. A row is never changed: what somebody agreed to must be shown
-- word for word for as long as the consent lives.
CREATE TABLE texts (
    iys_code    INTEGER  NOT NULL,
    brand_code  INTEGER  NOT NULL,
    code       TEXT NOT NULL,
    version     INTEGER  NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('consent', 'notice', 'call_script', 'paper_form')),
    title_tr   TEXT NOT NULL,
    body_tr    TEXT NOT NULL,
    title_en   TEXT,
    body_en    TEXT,
    -- of the canonical form
    sha256     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code, code, version)
) STRICT, WITHOUT ROWID;
