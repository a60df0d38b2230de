-- One schema for both databases: the two files differ in type names and storage clauses only. SQLite holds times as
-- microseconds since 1970, and wide or much-indexed tables by rowid: appended at their end, and named briefly in each index.
-- iys_code comes first in every key, so that tables can be distributed by provider. 0 = the installation itself.
-- On tables that are written by the million a list of words is written out with OR: SQLite makes a small tree of an IN with more
-- than two words for each row.

CREATE TABLE providers (
    iys_code         BIGINT  NOT NULL PRIMARY KEY,
    title           TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    -- 'partner': the installation's partner account files for it; 'own': its own registry user
    credential_mode TEXT NOT NULL CHECK (credential_mode IN ('partner', 'own')),
    credentials     BYTEA,
    created_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE brands (
    iys_code           BIGINT  NOT NULL,
    brand_code         BIGINT  NOT NULL,
    name              TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    onay_refresh      TEXT NOT NULL CHECK (onay_refresh IN ('never', 'source_change', 'always')),
    after_citizen_ret TEXT NOT NULL CHECK (after_citizen_ret IN ('review', 'evidence', 'refuse')),
    -- JSON array of source values that may be declared; null = all
    allowed_sources   TEXT,
    created_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
);
-- The registry gives each brand number once. Not led by the provider: a brand belongs to one of them.
CREATE UNIQUE INDEX brands_by_code ON brands (brand_code);

-- What the registry refuses for a whole brand or channel: filing waits, one probe at a time.
CREATE TABLE holds (
    iys_code    BIGINT  NOT NULL,
    brand_code  BIGINT  NOT NULL,
    channel    TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    cause      TEXT NOT NULL CHECK (cause IN ('not_authorised', 'type_right', 'subscription', 'quota')),
    code       TEXT NOT NULL,
    since      TIMESTAMPTZ NOT NULL,
    probe_at   TIMESTAMPTZ NOT NULL,
    -- what was held goes back to the queue bit by bit; the row goes last
    lifted     BOOLEAN NOT NULL,
    PRIMARY KEY (iys_code, brand_code, channel)
);

CREATE TABLE retailers (
    iys_code       BIGINT  NOT NULL,
    brand_code     BIGINT  NOT NULL,
    retailer_code  BIGINT  NOT NULL,
    title         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('active', 'passive', 'suspended')),
    created_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code, retailer_code)
);

-- Last link of the ledger's chain and last number of the change feed; locked by every commit that appends.
CREATE TABLE heads (
    iys_code     BIGINT   NOT NULL PRIMARY KEY,
    ledger_seq   BIGINT   NOT NULL,
    ledger_hash BYTEA NOT NULL,
    change_seq   BIGINT   NOT NULL
);

-- The ledger: append-only. `sealed` holds recipient, reference and the salts of the commitments.
CREATE TABLE consents (
    iys_code        BIGINT   NOT NULL,
    id             UUID  NOT NULL,
    seq             BIGINT   NOT NULL,
    brand_code      BIGINT   NOT NULL,
    key            BYTEA NOT NULL,
    recipient_type TEXT  NOT NULL CHECK (recipient_type IN ('BIREYSEL', 'TACIR')),
    channel        TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    status         TEXT  NOT NULL CHECK (status IN ('ONAY', 'RET')),
    source         TEXT,
    consent_date   TIMESTAMPTZ,
    retailer_code  BIGINT,
    door           TEXT  NOT NULL,
    received_at    TIMESTAMPTZ  NOT NULL,
    recorded_at    TIMESTAMPTZ  NOT NULL,
    sealed         BYTEA NOT NULL,
    -- commitments to the address and to the evidence: what the chain holds on to when both are destroyed
    recipient_hash BYTEA NOT NULL,
    evidence_hash  BYTEA NOT NULL,
    hash           BYTEA NOT NULL,
    -- what proves it, sealed; null once destroyed
    evidence       BYTEA,
    PRIMARY KEY (iys_code, id)
);
CREATE UNIQUE INDEX consents_seq ON consents (iys_code, seq);

CREATE TABLE submissions (
    iys_code          BIGINT   NOT NULL,
    consent_id       UUID  NOT NULL,
    generation        BIGINT   NOT NULL,
    brand_code        BIGINT   NOT NULL,
    key              BYTEA NOT NULL,
    channel          TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    status           TEXT  NOT NULL CHECK (status IN ('ONAY', 'RET')),
    state            TEXT  NOT NULL CHECK (state = 'queued' OR state = 'in_flight' OR state = 'batched' OR state = 'unresolved' OR state = 'held' OR
                                                     state = 'registered' OR state = 'refused' OR state = 'expired' OR state = 'not_needed' OR state = 'superseded'),
    -- H-code of the registry or a code of ours
    code             TEXT,
    -- order inside the key: the consent's true time, or its arrival where it has none
    ordered_at       TIMESTAMPTZ  NOT NULL,
    -- the date that the registry is told; later than the true time for a RET in the second of an ONAY or a late one
    wire_date        TIMESTAMPTZ,
    target_at        TIMESTAMPTZ  NOT NULL,
    legal_at         TIMESTAMPTZ  NOT NULL,
    latest_at        TIMESTAMPTZ  NOT NULL,
    calendar         TEXT  NOT NULL,
    late             BOOLEAN  NOT NULL,
    at_risk          BOOLEAN  NOT NULL,
    attempt           BIGINT   NOT NULL DEFAULT 0,
    next_attempt_at  TIMESTAMPTZ  NOT NULL,
    claimed_by       UUID,
    lease_until      TIMESTAMPTZ,
    -- the exact bytes of a single add, until its outcome is known
    wire             BYTEA,
    batch_id         UUID,
    batch_index      BIGINT,
    transaction_id   TEXT,
    creation_date    TIMESTAMPTZ,
    cause            TEXT,
    updated_at       TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, consent_id, generation)
);
CREATE INDEX submissions_due ON submissions (target_at, status DESC, iys_code, brand_code) WHERE state = 'queued';
CREATE INDEX submissions_due_by_brand ON submissions (status, iys_code, brand_code, target_at) WHERE state = 'queued';
-- Led by the key, which names few rows: without statistics PostgreSQL takes the provider for the selective column.
CREATE INDEX submissions_open ON submissions (key, iys_code)
    WHERE (state = 'queued' OR state = 'in_flight' OR state = 'batched' OR state = 'unresolved' OR state = 'held');
CREATE INDEX submissions_warn ON submissions (target_at)
    WHERE NOT at_risk AND (state = 'queued' OR state = 'in_flight' OR state = 'batched' OR state = 'unresolved' OR state = 'held');
CREATE INDEX submissions_out ON submissions (next_attempt_at) WHERE state IN ('in_flight', 'unresolved');
CREATE INDEX submissions_held ON submissions (iys_code, brand_code, channel) WHERE state = 'held';
CREATE INDEX submissions_of_batch ON submissions (iys_code, batch_id)
    WHERE (state = 'in_flight' OR state = 'batched' OR state = 'unresolved');
CREATE INDEX submissions_recent ON submissions (iys_code, brand_code, consent_id);

CREATE TABLE batches (
    iys_code         BIGINT   NOT NULL,
    id              UUID  NOT NULL,
    brand_code       BIGINT   NOT NULL,
    state           TEXT  NOT NULL CHECK (state IN ('posting', 'unresolved', 'waiting', 'done')),
    -- the exact bytes of the POST, until every item's outcome is known
    body            BYTEA,
    items            BIGINT   NOT NULL,
    request_id      TEXT,
    -- the registry's ids of the items, a JSON array by place
    sub_requests    TEXT,
    earliest_target TIMESTAMPTZ  NOT NULL,
    posted_at       TIMESTAMPTZ,
    looks            BIGINT   NOT NULL,
    -- an earlier POST of the same bytes had no answer and may have been taken
    resent          BOOLEAN  NOT NULL,
    attempt          BIGINT   NOT NULL,
    next_attempt_at TIMESTAMPTZ  NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX batches_due ON batches (next_attempt_at) WHERE state <> 'done';
CREATE INDEX batches_done ON batches (created_at) WHERE state = 'done';

-- The mirror: what the registry holds, and a RET of ours that it does not show yet. A key begins with its brand and channel.
CREATE TABLE permissions (
    iys_code          BIGINT   NOT NULL,
    key              BYTEA NOT NULL,
    brand_code        BIGINT   NOT NULL,
    recipient_type   TEXT  NOT NULL CHECK (recipient_type IN ('BIREYSEL', 'TACIR')),
    channel          TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    recipient        BYTEA NOT NULL,
    registry         TEXT  NOT NULL CHECK (registry = 'not_known' OR registry = 'empty' OR registry = 'ONAY' OR registry = 'RET'),
    consent_date     TIMESTAMPTZ,
    source           TEXT,
    -- for 'empty': when the registry said so
    creation_date    TIMESTAMPTZ,
    transaction_id   TEXT,
    local_at         TIMESTAMPTZ,
    local_consent_id UUID,
    observed_at      TIMESTAMPTZ,
    observed         BOOLEAN,
    effective        TEXT  NOT NULL CHECK (effective = 'ONAY' OR effective = 'RET' OR effective = 'unknown'),
    updated_at       TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, key)
);

-- The change feed; seq is drawn under the lock of the provider's head, so it is in commit order without gaps.
CREATE TABLE changes (
    iys_code    BIGINT   NOT NULL,
    seq         BIGINT   NOT NULL,
    brand_code  BIGINT   NOT NULL,
    key        BYTEA NOT NULL,
    id         UUID  NOT NULL,
    type       TEXT  NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, seq)
);
CREATE INDEX changes_by_brand ON changes (iys_code, brand_code, seq);

CREATE TABLE webhook_endpoints (
    iys_code         BIGINT   NOT NULL,
    id              UUID  NOT NULL,
    brand_code      BIGINT,
    url             TEXT  NOT NULL,
    description     TEXT  NOT NULL,
    secret          BYTEA NOT NULL,
    old_secret      BYTEA,
    old_secret_until TIMESTAMPTZ,
    state           TEXT  NOT NULL CHECK (state IN ('active', 'disabled')),
    disabled_reason TEXT,
    failing_since   TIMESTAMPTZ,
    -- Calls are made in turns: one holder of the lease at a time, none before wait_until (business time) after a failure.
    failures         BIGINT   NOT NULL,
    wait_until      TIMESTAMPTZ,
    turn_at         TIMESTAMPTZ  NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    replays          BIGINT   NOT NULL,
    created_at      TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX webhook_endpoints_turn ON webhook_endpoints (turn_at) WHERE state = 'active';

CREATE TABLE deliveries (
    iys_code         BIGINT   NOT NULL,
    endpoint_id     UUID  NOT NULL,
    change_seq       BIGINT   NOT NULL,
    -- 0: the event itself; n: as part of the endpoint's n-th replay, outside the order of its key.
    replay           BIGINT   NOT NULL DEFAULT 0,
    key             BYTEA NOT NULL,
    state           TEXT  NOT NULL CHECK (state = 'queued' OR state = 'in_flight' OR state = 'delivered' OR state = 'parked'),
    attempt          BIGINT   NOT NULL,
    next_attempt_at TIMESTAMPTZ  NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    last_status     BIGINT,
    last_error      TEXT,
    updated_at      TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, endpoint_id, change_seq, replay)
);
-- Endpoints' ids are unique. With the provider in front, PostgreSQL would take this index for finding the head of a key.
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_attempt_at) WHERE state IN ('queued', 'in_flight');
CREATE INDEX deliveries_open ON deliveries (iys_code, key, change_seq) WHERE state IN ('queued', 'in_flight') AND replay = 0;

CREATE TABLE delivery_attempts (
    iys_code     BIGINT  NOT NULL,
    endpoint_id UUID NOT NULL,
    change_seq   BIGINT  NOT NULL,
    replay       BIGINT  NOT NULL,
    attempt      BIGINT  NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    status      BIGINT,
    error       TEXT,
    elapsed_ms   BIGINT  NOT NULL,
    PRIMARY KEY (iys_code, endpoint_id, change_seq, replay, attempt)
);

-- Durable work that has no table of its own (housekeeping and what schedules put in).
CREATE TABLE jobs (
    iys_code         BIGINT  NOT NULL,
    id              UUID NOT NULL,
    kind            TEXT NOT NULL,
    payload         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'in_flight', 'done', 'failed')),
    attempt          BIGINT  NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    last_error      TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX jobs_due ON jobs (next_attempt_at) WHERE state IN ('queued', 'in_flight');

CREATE TABLE api_keys (
    iys_code     BIGINT  NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes      TEXT NOT NULL,
    ip_allow    TEXT,
    expires_at  TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX api_keys_by_id ON api_keys (id);

-- A provider's data key and index key, wrapped by the master key. iys_code 0 holds the master key's check value.
CREATE TABLE data_keys (
    iys_code       BIGINT   NOT NULL,
    id             BIGINT   NOT NULL,
    master_key_id TEXT  NOT NULL,
    wrapped       BYTEA NOT NULL,
    created_at    TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, id)
);

-- Where each pull of the registry's change feed stands.
CREATE TABLE cursors (
    iys_code         BIGINT  NOT NULL,
    brand_code       BIGINT  NOT NULL,
    feed            TEXT NOT NULL CHECK (feed IN ('HS', 'IYS')),
    after           TEXT,
    as_of           TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempt          BIGINT  NOT NULL,
    last_error      TEXT,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    PRIMARY KEY (iys_code, brand_code, feed)
);
CREATE INDEX cursors_due ON cursors (next_attempt_at);

CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder UUID NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);

-- Requests to the registry: the instant of the next free slot, shared by all replicas.
CREATE TABLE budgets (
    name          TEXT NOT NULL PRIMARY KEY,
    next_slot_at  TIMESTAMPTZ NOT NULL,
    blocked_until TIMESTAMPTZ,
    failures       BIGINT  NOT NULL
);

-- What was drawn from the registry's hourly limits, by minute.
CREATE TABLE budget_draws (
    name   TEXT NOT NULL,
    minute TIMESTAMPTZ NOT NULL,
    drawn  BIGINT NOT NULL,
    PRIMARY KEY (name, minute)
);

-- The registry's tokens, shared by all replicas.
CREATE TABLE registry_sessions (
    account      TEXT NOT NULL PRIMARY KEY,
    sealed       BYTEA,
    halted_until TIMESTAMPTZ,
    claimed_by   TEXT,
    lease_until  TIMESTAMPTZ
);

CREATE TABLE calendars (
    version    TEXT NOT NULL PRIMARY KEY,
    csv        TEXT NOT NULL,
    active     BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Answers to requests with an Idempotency-Key, written with the effect. A large array stores its parts.
CREATE TABLE idempotency (
    iys_code    BIGINT   NOT NULL,
    api_key_id TEXT  NOT NULL,
    route      TEXT  NOT NULL,
    idem_key   TEXT  NOT NULL,
    part        BIGINT   NOT NULL,
    body_hash  BYTEA NOT NULL,
    status     BIGINT,
    answer     BYTEA,
    created_at TIMESTAMPTZ  NOT NULL,
    expires_at TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (iys_code, api_key_id, route, idem_key, part)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE audit (
    iys_code  BIGINT  NOT NULL,
    id       UUID NOT NULL,
    at       TIMESTAMPTZ NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    PRIMARY KEY (iys_code, id)
);
