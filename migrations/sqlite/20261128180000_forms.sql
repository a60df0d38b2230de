-- Web forms in versions, and links: to a form, to one person, and for refusals.
CREATE TABLE forms (
    iys_code    INTEGER  NOT NULL,
    id         BLOB NOT NULL,
    brand_code  INTEGER  NOT NULL,
    code       TEXT NOT NULL,
    -- what stands in the form's address; 128 random bits, public
    public_key TEXT NOT NULL,
    active     INTEGER NOT NULL,
    version     INTEGER  NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX forms_by_code ON forms (iys_code, brand_code, code);
CREATE INDEX forms_by_key ON forms (public_key);

-- A version is never changed: evidence names it.
CREATE TABLE form_versions (
    iys_code    INTEGER  NOT NULL,
    form_id    BLOB NOT NULL,
    version     INTEGER  NOT NULL,
    content    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (iys_code, form_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    iys_code    INTEGER  NOT NULL,
    id         BLOB NOT NULL,
    brand_code  INTEGER  NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('campaign', 'recipient', 'refusal')),
    form_id    BLOB,
    channel    TEXT CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    -- SHA-256 of 128 random bits or more
    token_hash BLOB NOT NULL,
    -- the token, and whose link it is
    sealed     BLOB NOT NULL,
    active     INTEGER NOT NULL,
    expires_at INTEGER,
    opened      INTEGER  NOT NULL,
    confirmed   INTEGER  NOT NULL,
    refused     INTEGER  NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_token ON links (token_hash);
CREATE INDEX links_by_brand ON links (iys_code, brand_code, id);
