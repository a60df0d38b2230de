-- Pulls that follow a brand's use, the questions that close a gap of the feed, and push.

-- The last check or send of the brand, some minutes old at most; null: none yet.
ALTER TABLE cursors ADD COLUMN used_at INTEGER;
-- Seconds between its pulls, as they were set last; 0: not yet.
ALTER TABLE cursors ADD COLUMN every INTEGER NOT NULL DEFAULT 0;
-- Of several pulls that are due the one with the earliest bound goes first.
ALTER TABLE cursors ADD COLUMN bound_at INTEGER NOT NULL DEFAULT 0;
-- The last success, or when the brand was added.
ALTER TABLE cursors ADD COLUMN heard_at INTEGER NOT NULL DEFAULT 0;
-- The operator has been told that it has not succeeded for days.
ALTER TABLE cursors ADD COLUMN alarmed INTEGER NOT NULL DEFAULT 0;
UPDATE cursors SET bound_at = next_attempt_at, heard_at = coalesce(as_of, next_attempt_at);
CREATE INDEX cursors_silent ON cursors (heard_at) WHERE NOT alarmed;

-- After a gap that the feed cannot fill: what the registry holds of a brand is forgotten and asked for anew.
CREATE TABLE sweeps (
    iys_code         INTEGER  NOT NULL,
    brand_code       INTEGER  NOT NULL,
    phase           TEXT NOT NULL CHECK (phase IN ('forgetting', 'asking', 'done')),
    -- what the registry recorded before this instant may have changed since, unseen
    unsure_before   INTEGER NOT NULL,
    -- how far it has come: the pass over the addresses (channel, in 'asking' also recipient type), and the last key in it
    pass             INTEGER  NOT NULL,
    place           BLOB NOT NULL,
    forgotten        INTEGER  NOT NULL,
    asked            INTEGER  NOT NULL,
    approved         INTEGER  NOT NULL,
    started_at      INTEGER NOT NULL,
    ended_at        INTEGER,
    attempt          INTEGER  NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    last_error      TEXT,
    claimed_by      BLOB,
    lease_until     INTEGER,
    PRIMARY KEY (iys_code, brand_code)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweeps_due ON sweeps (next_attempt_at) WHERE phase = 'asking';

-- Receivers of ours at the registry. The registry is told of them, asked for them and rid of them by a worker.
CREATE TABLE push_connections (
    iys_code          INTEGER  NOT NULL,
    id               BLOB NOT NULL,
    brand_code        INTEGER  NOT NULL,
    channel          TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    state            TEXT NOT NULL CHECK (state IN ('registering', 'active', 'lost', 'refused', 'removing')),
    -- SHA-256 of 256 random bits each: what comes in is compared with these
    token_hash       BLOB NOT NULL,
    credentials_hash BLOB NOT NULL,
    -- address, name and password, which the registry wants to see again at the removal
    sealed           BLOB NOT NULL,
    -- the registry's code, where it refused
    code             TEXT,
    active_since     INTEGER,
    -- when the registry last said that it is connected
    confirmed_at     INTEGER,
    -- when a movement was last found that should have been pushed and was not
    gap_at           INTEGER,
    attempt           INTEGER  NOT NULL,
    next_attempt_at  INTEGER NOT NULL,
    last_error       TEXT,
    claimed_by       BLOB,
    lease_until      INTEGER,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_connections_by_token ON push_connections (token_hash);
CREATE INDEX push_connections_by_brand ON push_connections (iys_code, brand_code, channel);
CREATE INDEX push_connections_due ON push_connections (next_attempt_at) WHERE state <> 'refused';

-- What was pushed, as it came. The same bytes again are the same push.
CREATE TABLE pushes (
    iys_code         INTEGER  NOT NULL,
    connection_id   BLOB NOT NULL,
    digest          BLOB NOT NULL,
    brand_code       INTEGER  NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    sealed          BLOB NOT NULL,
    -- 'waiting': merged, but for an approval that the pull has to confirm
    state           TEXT NOT NULL CHECK (state IN ('stored', 'waiting', 'merged', 'unreadable')),
    -- when the change feed shows all of it
    visible_at      INTEGER,
    received_at     INTEGER NOT NULL,
    attempt          INTEGER  NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    PRIMARY KEY (iys_code, connection_id, digest)
) STRICT;
CREATE INDEX pushes_due ON pushes (next_attempt_at) WHERE state = 'stored';
CREATE INDEX pushes_waiting ON pushes (iys_code, brand_code, visible_at) WHERE state = 'waiting';
CREATE INDEX pushes_received ON pushes (received_at);

-- Movements that were pushed, by a digest of their identity: what the pull finds and is not here, push has left out.
CREATE TABLE push_movements (
    iys_code    INTEGER  NOT NULL,
    brand_code  INTEGER  NOT NULL,
    digest     BLOB NOT NULL,
    pushed_at  INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_movements_pushed ON push_movements (pushed_at);
