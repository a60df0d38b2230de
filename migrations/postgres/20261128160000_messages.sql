-- Outgoing SMS and e-mail: codes, notices, confirmations, help. Never commercial content.

-- On whose behalf a brand's messages go out, and how people say no to it.
CREATE TABLE message_senders (
    iys_code     BIGINT  NOT NULL,
    brand_code   BIGINT  NOT NULL,
    title        TEXT NOT NULL,
    -- MERSİS number, of a tradesperson the T.C. number
    identity     TEXT NOT NULL,
    -- null: the settings' default
    sms_account  TEXT,
    sms_from     TEXT,
    mail_account TEXT,
    mail_from    TEXT,
    ret_number   TEXT,
    ret_keyword  TEXT,
    contact      TEXT,
    -- whether electronic consents are answered by a notice on the same day
    notices      BOOLEAN NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
);

CREATE TABLE messages (
    iys_code        BIGINT  NOT NULL,
    id              UUID NOT NULL,
    brand_code      BIGINT  NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    purpose         TEXT NOT NULL CHECK (purpose IN ('code', 'notice', 'confirmation', 'help', 'other')),
    -- the same key twice is one message
    dedupe          TEXT NOT NULL,
    -- blind name of the address
    key             BYTEA NOT NULL,
    recipient       BYTEA NOT NULL,
    -- subject and text; of a code forgotten once it has ended
    body            BYTEA,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'expired', 'unknown')),
    attempt         BIGINT  NOT NULL,
    -- an attempt was made of which nobody knows how it ended
    unsure          BOOLEAN NOT NULL,
    -- the operator has been told that this notice is not sent
    late            BOOLEAN NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    not_after       TIMESTAMPTZ NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    account         TEXT,
    vendor          TEXT,
    vendor_id       TEXT,
    -- of the last failure
    code            TEXT,
    answer          BYTEA,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    sent_at         TIMESTAMPTZ,
    PRIMARY KEY (iys_code, id)
);
CREATE UNIQUE INDEX messages_dedupe ON messages (iys_code, dedupe);
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE state IN ('queued', 'sending') AND purpose <> 'code';
CREATE INDEX messages_codes_due ON messages (next_attempt_at) WHERE state IN ('queued', 'sending') AND purpose = 'code';
CREATE INDEX messages_open ON messages (account, code) WHERE state IN ('queued', 'sending');
CREATE INDEX messages_late ON messages (not_after) WHERE purpose = 'notice' AND state <> 'sent' AND NOT late;
CREATE INDEX messages_of_brand ON messages (iys_code, brand_code, id);
CREATE INDEX messages_to ON messages (iys_code, key, id);
