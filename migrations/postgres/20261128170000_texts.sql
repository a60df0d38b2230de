-- Texts that people agree to or are informed by, in versions. A row is never changed: what somebody agreed to must be shown
-- word for word for as long as the consent lives.
CREATE TABLE texts (
    iys_code    BIGINT  NOT NULL,
    brand_code  BIGINT  NOT NULL,
    code       TEXT NOT NULL,
    version     BIGINT  NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('consent', 'notice', 'call_script', 'paper_form')),
    title_tr   TEXT NOT NULL,
    body_tr    TEXT NOT NULL,
    title_en   TEXT,
    body_en    TEXT,
    -- of the canonical form
    sha256     BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code, code, version)
);
