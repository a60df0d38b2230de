-- Numbers to which citizens send SMS, and what comes in there.

-- A row is locked while a keyword is added to the number: keywords of all providers must be told apart.
CREATE TABLE short_numbers (
    number     TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL
);

-- What a brand has on a number: the number for itself, or a keyword on a shared one.
CREATE TABLE keywords (
    iys_code   BIGINT NOT NULL,
    id         UUID NOT NULL,
    brand_code BIGINT NOT NULL,
    number     TEXT NOT NULL,
    -- null: the number is this brand's own
    keyword    TEXT,
    -- words with blanks between them; empty: the built-in ones
    approvals  TEXT NOT NULL,
    -- beside the built-in ones
    rejections TEXT NOT NULL,
    -- for which an approval is taken
    channels   TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX keywords_by_brand ON keywords (iys_code, brand_code);
CREATE INDEX keywords_by_number ON keywords (number);

-- Where SMS vendors push to.
CREATE TABLE inbound_connections (
    id         UUID NOT NULL PRIMARY KEY,
    vendor     TEXT NOT NULL CHECK (vendor IN ('verimor', 'netgsm', 'iletimerkezi', 'twilio', 'http')),
    -- SHA-256 of 256 random bits
    token_hash BYTEA NOT NULL,
    -- the secret with which the vendor signs, where it does
    sealed     BYTEA,
    last_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX inbound_connections_by_token ON inbound_connections (token_hash);

-- What came in, pushed or polled, exactly as it came.
CREATE TABLE inbound_posts (
    id              UUID NOT NULL PRIMARY KEY,
    vendor          TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    -- 'unplaced': to a number that is no brand's; 'unreadable': for a person to look at
    state           TEXT NOT NULL CHECK (state IN ('stored', 'done', 'unplaced', 'unreadable')),
    received_at     TIMESTAMPTZ NOT NULL,
    attempt         BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ
);
CREATE INDEX inbound_posts_due ON inbound_posts (next_attempt_at) WHERE state = 'stored';
CREATE INDEX inbound_posts_unplaced ON inbound_posts (received_at) WHERE state = 'unplaced';
CREATE INDEX inbound_posts_received ON inbound_posts (received_at);

-- Messages that have been dealt with, by a digest of vendor and id, or of sender, number, text and minute.
CREATE TABLE inbound_seen (
    digest  BYTEA NOT NULL PRIMARY KEY,
    seen_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX inbound_seen_at ON inbound_seen (seen_at);

-- Parts of long messages, until all are there.
CREATE TABLE inbound_parts (
    digest      BYTEA NOT NULL,
    part        BIGINT NOT NULL,
    sealed      BYTEA NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (digest, part)
);
CREATE INDEX inbound_parts_received ON inbound_parts (received_at);

-- What citizens wrote to a brand, and what was made of it. A text to several brands has a row for each.
CREATE TABLE inbound_messages (
    iys_code    BIGINT NOT NULL,
    id          UUID NOT NULL,
    brand_code  BIGINT NOT NULL,
    number      TEXT NOT NULL,
    -- blind index of the sender
    key         BYTEA NOT NULL,
    digest      BYTEA NOT NULL,
    -- 'unknown' waits for a person, who may make it 'rejected' or 'dismissed'
    state       TEXT NOT NULL CHECK (state IN ('approval', 'rejection', 'unknown', 'rejected', 'dismissed')),
    reason      TEXT NOT NULL,
    sealed      BYTEA NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    -- whether the citizen was answered
    answered    BOOLEAN NOT NULL,
    decided_by  TEXT,
    decided_at  TIMESTAMPTZ,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX inbound_messages_by_brand ON inbound_messages (iys_code, brand_code, state, id);
CREATE INDEX inbound_messages_by_sender ON inbound_messages (iys_code, brand_code, key, received_at);
CREATE UNIQUE INDEX inbound_messages_once ON inbound_messages (iys_code, brand_code, digest);

-- Reading the vendors' inboxes: what was pushed while nobody listened.
CREATE TABLE inbound_polls (
    account         TEXT NOT NULL PRIMARY KEY,
    cursor          TEXT,
    -- the start of the last successful reading
    read_at         TIMESTAMPTZ,
    attempt         BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    last_error      TEXT,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ
);
