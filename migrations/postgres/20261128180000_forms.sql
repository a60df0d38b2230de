-- Web forms in versions, and links: to a form, to one person, and for refusals.
CREATE TABLE forms (
    iys_code    BIGINT  NOT NULL,
    id         UUID NOT NULL,
    brand_code  BIGINT  NOT NULL,
    code       TEXT NOT NULL,
    -- what stands in the form's address; 128 random bits, public
    public_key TEXT NOT NULL,
    active     BOOLEAN NOT NULL,
    version     BIGINT  NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE UNIQUE INDEX forms_by_code ON forms (iys_code, brand_code, code);
CREATE INDEX forms_by_key ON forms (public_key);

-- A version is never changed: evidence names it.
CREATE TABLE form_versions (
    iys_code    BIGINT  NOT NULL,
    form_id    UUID NOT NULL,
    version     BIGINT  NOT NULL,
    content    TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, form_id, version)
);

CREATE TABLE links (
    iys_code    BIGINT  NOT NULL,
    id         UUID NOT NULL,
    brand_code  BIGINT  NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('campaign', 'recipient', 'refusal')),
    form_id    UUID,
    channel    TEXT CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    -- SHA-256 of 128 random bits or more
    token_hash BYTEA NOT NULL,
    -- the token, and whose link it is
    sealed     BYTEA NOT NULL,
    active     BOOLEAN NOT NULL,
    expires_at TIMESTAMPTZ,
    opened      BIGINT  NOT NULL,
    confirmed   BIGINT  NOT NULL,
    refused     BIGINT  NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX links_by_token ON links (token_hash);
CREATE INDEX links_by_brand ON links (iys_code, brand_code, id);
