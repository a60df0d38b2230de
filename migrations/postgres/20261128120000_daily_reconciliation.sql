-- Daily reconciliation: the registry's file of a day's movements against what is held here.

ALTER TABLE brands ADD COLUMN daily_agreement TEXT NOT NULL DEFAULT 'off' CHECK (daily_agreement IN ('off', 'when_equal'));

-- One day of one brand. While it is due, this table is the queue.
CREATE TABLE daily_reports (
    iys_code        BIGINT NOT NULL,
    brand_code      BIGINT NOT NULL,
    -- YYYY-MM-DD, Turkey's calendar
    day             TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('due', 'done', 'not_permitted', 'lapsed')),
    -- what it waits for, or what is wrong
    problem         TEXT CHECK (problem IN ('awaited', 'hash_mismatch', 'unreadable', 'failed')),
    last_error      TEXT,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempt         BIGINT NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    -- SHA-384 of the file, once the registry's own was found equal
    hash            BYTEA,
    -- the file's rows that are done: with the hash, the place to go on from
    movements       BIGINT NOT NULL,
    matched         BIGINT NOT NULL,
    unreadable      BIGINT NOT NULL,
    missing_there   BIGINT NOT NULL,
    missing_here    BIGINT NOT NULL,
    differing       BIGINT NOT NULL,
    unrepaired      BIGINT NOT NULL,
    -- there are more differences than are kept
    truncated       BOOLEAN NOT NULL,
    compared_at     TIMESTAMPTZ,
    -- the registry's own counts, JSON by kind of recipient
    summary         TEXT,
    agreed          BOOLEAN NOT NULL,
    agreed_at       TIMESTAMPTZ,
    -- RFC 3161 response as it came; when it says it was made, and whether it is about this file
    time_stamp      BYTEA,
    stamped_at      TIMESTAMPTZ,
    stamp_fits      BOOLEAN,
    PRIMARY KEY (iys_code, brand_code, day)
);
CREATE INDEX daily_reports_due ON daily_reports (next_attempt_at) WHERE state = 'due';
CREATE INDEX daily_reports_by_day ON daily_reports (day, state);

-- What differs on a day. The id is made of what it is about, so that reading a day again adds nothing twice.
CREATE TABLE daily_differences (
    iys_code    BIGINT NOT NULL,
    brand_code  BIGINT NOT NULL,
    day         TEXT NOT NULL,
    id          UUID NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('missing_there', 'missing_here', 'different')),
    cause       TEXT NOT NULL,
    key         BYTEA NOT NULL,
    consent_id  UUID,
    generation  BIGINT,
    -- the registry's movement, sealed
    sealed      BYTEA,
    repaired_at TIMESTAMPTZ,
    outcome     TEXT,
    PRIMARY KEY (iys_code, brand_code, day, id)
);

-- Our side of the comparison, in the order of the registry's file.
CREATE INDEX submissions_registered ON submissions (iys_code, brand_code, creation_date, consent_id) WHERE state = 'registered';
