-- Outgoing SMS and e-mail: codes, notices, confirmations, help. Never commercial content.

-- On whose behalf a brand's messages go out, and how people say no to it.
CREATE TABLE message_senders (
    iys_code     INTEGER  NOT NULL,
    brand_code   INTEGER  NOT NULL,
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
    notices      INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    iys_code        INTEGER  NOT NULL,
    id              BLOB NOT NULL,
    brand_code      INTEGER  NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    purpose         TEXT NOT NULL CHECK (purpose IN ('code', 'notice', 'confirmation', 'help', 'other')),
    -- the same key twice is one message
    dedupe          TEXT NOT NULL,
    -- blind name of the address
    key             BLOB NOT NULL,
    recipient       BLOB NOT NULL,
    -- subject and text; of a code forgotten once it has ended
    body            BLOB,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'expired', 'unknown')),
    attempt         INTEGER  NOT NULL,
    -- an attempt was made of which nobody knows how it ended
    unsure          INTEGER NOT NULL,
    -- the operator has been told that this notice is not sent
    late            INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    not_after       INTEGER NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    account         TEXT,
    vendor          TEXT,
    vendor_id       TEXT,
    -- of the last failure
    code            TEXT,
    answer          BLOB,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    sent_at         INTEGER,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_dedupe ON messages (iys_code, dedupe);
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE state IN ('queued', 'sending') AND purpose <> 'code';
CREATE INDEX messages_codes_due ON messages (next_attempt_at) WHERE state IN ('queued', 'sending') AND purpose = 'code';
CREATE INDEX messages_open ON messages (account, code) WHERE state IN ('queued', 'sending');
CREATE INDEX messages_late ON messages (not_after) WHERE purpose = 'notice' AND state <> 'sent' AND NOT late;
CREATE INDEX messages_of_brand ON messages (iys_code, brand_code, id);
CREATE INDEX messages_to ON messages (iys_code, key, id);
