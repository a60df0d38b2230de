-- Daily reconciliation: the registry's file of a day's movements against what is held here.

ALTER TABLE brands ADD COLUMN daily_agreement TEXT NOT NULL DEFAULT 'off' CHECK (daily_agreement IN ('off', 'when_equal'));

-- One day of one brand. While it is due, this table is the queue.
CREATE TABLE daily_reports (
    iys_code        INTEGER  NOT NULL,
    brand_code      INTEGER  NOT NULL,
    -- YYYY-MM-DD, Turkey's calendar
    day             TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('due', 'done', 'not_permitted', 'lapsed')),
    -- what it waits for, or what is wrong
    problem         TEXT CHECK (problem IN ('awaited', 'hash_mismatch', 'unreadable', 'failed')),
    last_error      TEXT,
    next_attempt_at INTEGER NOT NULL,
    attempt         INTEGER  NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    created_at      INTEGER NOT NULL,
    -- SHA-384 of the file, once the registry's own was found equal
    hash            BLOB,
    -- the file's rows that are done: with the hash, the place to go on from
    movements       INTEGER  NOT NULL,
    matched         INTEGER  NOT NULL,
    unreadable      INTEGER  NOT NULL,
    missing_there   INTEGER  NOT NULL,
    missing_here    INTEGER  NOT NULL,
    differing       INTEGER  NOT NULL,
    unrepaired      INTEGER  NOT NULL,
    -- there are more differences than are kept
    truncated       INTEGER NOT NULL,
    compared_at     INTEGER,
    -- the registry's own counts, JSON by kind of recipient
    summary         TEXT,
    agreed          INTEGER NOT NULL,
    agreed_at       INTEGER,
    -- RFC 3161 response as it came; when it says it was made, and whether it is about this file
    time_stamp      BLOB,
    stamped_at      INTEGER,
    stamp_fits      INTEGER,
    PRIMARY KEY (iys_code, brand_code, day)
) STRICT;
CREATE INDEX daily_reports_due ON daily_reports (next_attempt_at) WHERE state = 'due';
CREATE INDEX daily_reports_by_day ON daily_reports (day, state);

-- What differs on a day. The id is made of what it is about, so that reading a day again adds nothing twice.
CREATE TABLE daily_differences (
    iys_code    INTEGER  NOT NULL,
    brand_code  INTEGER  NOT NULL,
    day         TEXT NOT NULL,
    id          BLOB NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('missing_there', 'missing_here', 'different')),
    cause       TEXT NOT NULL,
    key         BLOB NOT NULL,
    consent_id  BLOB,
    generation  INTEGER,
    -- the registry's movement, sealed
    sealed      BLOB,
    repaired_at INTEGER,
    outcome     TEXT,
    PRIMARY KEY (iys_code, brand_code, day, id)
) STRICT, WITHOUT ROWID;

-- Our side of the comparison, in the order of the registry's file.
CREATE INDEX submissions_registered ON submissions (iys_code, brand_code, creation_date, consent_id) WHERE state = 'registered';
