-- Pulls that follow a brand's use, the questions that close a gap of the feed, and push.

-- The last check or send of the brand, some minutes old at most; null: none yet.
ALTER TABLE cursors ADD COLUMN used_at TIMESTAMPTZ;
-- Seconds between its pulls, as they were set last; 0: not yet.
ALTER TABLE cursors ADD COLUMN every BIGINT NOT NULL DEFAULT 0;
-- Of several pulls that are due the one with the earliest bound goes first.
ALTER TABLE cursors ADD COLUMN bound_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch';
-- The last success, or when the brand was added.
ALTER TABLE cursors ADD COLUMN heard_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch';
-- The operator has been told that it has not succeeded for days.
ALTER TABLE cursors ADD COLUMN alarmed BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE cursors SET bound_at = next_attempt_at, heard_at = coalesce(as_of, next_attempt_at);
CREATE INDEX cursors_silent ON cursors (heard_at) WHERE NOT alarmed;

-- After a gap that the feed cannot fill: what the registry holds of a brand is forgotten and asked for anew.
CREATE TABLE sweeps (
    iys_code         BIGINT  NOT NULL,
    brand_code       BIGINT  NOT NULL,
    phase           TEXT NOT NULL CHECK (phase IN ('forgetting', 'asking', 'done')),
    -- what the registry recorded before this instant may have changed since, unseen
    unsure_before   TIMESTAMPTZ NOT NULL,
    -- how far it has come: the pass over the addresses (channel, in 'asking' also recipient type), and the last key in it
    pass             BIGINT  NOT NULL,
    place           BYTEA NOT NULL,
    forgotten        BIGINT  NOT NULL,
    asked            BIGINT  NOT NULL,
    approved         BIGINT  NOT NULL,
    started_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    attempt          BIGINT  NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    last_error      TEXT,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    PRIMARY KEY (iys_code, brand_code)
);
CREATE INDEX sweeps_due ON sweeps (next_attempt_at) WHERE phase = 'asking';

-- Receivers of ours at the registry. The registry is told of them, asked for them and rid of them by a worker.
CREATE TABLE push_connections (
    iys_code          BIGINT  NOT NULL,
    id               UUID NOT NULL,
    brand_code        BIGINT  NOT NULL,
    channel          TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    state            TEXT NOT NULL CHECK (state IN ('registering', 'active', 'lost', 'refused', 'removing')),
    -- SHA-256 of 256 random bits each: what comes in is compared with these
    token_hash       BYTEA NOT NULL,
    credentials_hash BYTEA NOT NULL,
    -- address, name and password, which the registry wants to see again at the removal
    sealed           BYTEA NOT NULL,
    -- the registry's code, where it refused
    code             TEXT,
    active_since     TIMESTAMPTZ,
    -- when the registry last said that it is connected
    confirmed_at     TIMESTAMPTZ,
    -- when a movement was last found that should have been pushed and was not
    gap_at           TIMESTAMPTZ,
    attempt           BIGINT  NOT NULL,
    next_attempt_at  TIMESTAMPTZ NOT NULL,
    last_error       TEXT,
    claimed_by       UUID,
    lease_until      TIMESTAMPTZ,
    created_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX push_connections_by_token ON push_connections (token_hash);
CREATE INDEX push_connections_by_brand ON push_connections (iys_code, brand_code, channel);
CREATE INDEX push_connections_due ON push_connections (next_attempt_at) WHERE state <> 'refused';

-- What was pushed, as it came. The same bytes again are the same push.
CREATE TABLE pushes (
    iys_code         BIGINT  NOT NULL,
    connection_id   UUID NOT NULL,
    digest          BYTEA NOT NULL,
    brand_code       BIGINT  NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    sealed          BYTEA NOT NULL,
    -- 'waiting': merged, but for an approval that the pull has to confirm
    state           TEXT NOT NULL CHECK (state IN ('stored', 'waiting', 'merged', 'unreadable')),
    -- when the change feed shows all of it
    visible_at      TIMESTAMPTZ,
    received_at     TIMESTAMPTZ NOT NULL,
    attempt          BIGINT  NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    PRIMARY KEY (iys_code, connection_id, digest)
);
CREATE INDEX pushes_due ON pushes (next_attempt_at) WHERE state = 'stored';
CREATE INDEX pushes_waiting ON pushes (iys_code, brand_code, visible_at) WHERE state = 'waiting';
CREATE INDEX pushes_received ON pushes (received_at);

-- Movements that were pushed, by a digest of their identity: what the pull finds and is not here, push has left out.
CREATE TABLE push_movements (
    iys_code    BIGINT  NOT NULL,
    brand_code  BIGINT  NOT NULL,
    digest     BYTEA NOT NULL,
    pushed_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code, digest)
);
CREATE INDEX push_movements_pushed ON push_movements (pushed_at);
