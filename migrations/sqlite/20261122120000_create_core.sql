-- One schema for both databases: the two files differ in type names and storage clauses only. SQLite holds times as
-- microseconds since 1970, and wide or much-indexed tables by rowid: appended at their end, and named briefly in each index.
-- iys_code comes first in every key, so that tables can be distributed by provider. 0 = the installation itself.
-- On tables that are written by the million a list of words is written out with OR: SQLite makes a small tree of an IN with more
-- than two words for each row.

CREATE TABLE providers (
    iys_code         INTEGER  NOT NULL PRIMARY KEY,
    title           TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    -- 'partner': the installation's partner account files for it; 'own': its own registry user
    credential_mode TEXT NOT NULL CHECK (credential_mode IN ('partner', 'own')),
    credentials     BLOB,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE brands (
    iys_code           INTEGER  NOT NULL,
    brand_code         INTEGER  NOT NULL,
    name              TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    onay_refresh      TEXT NOT NULL CHECK (onay_refresh IN ('never', 'source_change', 'always')),
    after_citizen_ret TEXT NOT NULL CHECK (after_citizen_ret IN ('review', 'evidence', 'refuse')),
    -- JSON array of source values that may be declared; null = all
    allowed_sources   TEXT,
    created_at        INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
) STRICT, WITHOUT ROWID;
-- The registry gives each brand number once. Not led by the provider: a brand belongs to one of them.
CREATE UNIQUE INDEX brands_by_code ON brands (brand_code);

-- What the registry refuses for a whole brand or channel: filing waits, one probe at a time.
CREATE TABLE holds (
    iys_code    INTEGER  NOT NULL,
    brand_code  INTEGER  NOT NULL,
    channel    TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    cause      TEXT NOT NULL CHECK (cause IN ('not_authorised', 'type_right', 'subscription', 'quota')),
    code       TEXT NOT NULL,
    since      INTEGER NOT NULL,
    probe_at   INTEGER NOT NULL,
    -- what was held goes back to the queue bit by bit; the row goes last
    lifted     INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE retailers (
    iys_code       INTEGER  NOT NULL,
    brand_code     INTEGER  NOT NULL,
    retailer_code  INTEGER  NOT NULL,
    title         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('active', 'passive', 'suspended')),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code, retailer_code)
) STRICT, WITHOUT ROWID;

-- Last link of the ledger's chain and last number of the change feed; locked by every commit that appends.
CREATE TABLE heads (
    iys_code     INTEGER   NOT NULL PRIMARY KEY,
    ledger_seq   INTEGER   NOT NULL,
    ledger_hash BLOB NOT NULL,
    change_seq   INTEGER   NOT NULL
) STRICT;

-- The ledger: append-only. `sealed` holds recipient, reference and the salts of the commitments.
CREATE TABLE consents (
    iys_code        INTEGER   NOT NULL,
    id             BLOB  NOT NULL,
    seq             INTEGER   NOT NULL,
    brand_code      INTEGER   NOT NULL,
    key            BLOB NOT NULL,
    recipient_type TEXT  NOT NULL CHECK (recipient_type IN ('BIREYSEL', 'TACIR')),
    channel        TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    status         TEXT  NOT NULL CHECK (status IN ('ONAY', 'RET')),
    source         TEXT,
    consent_date   INTEGER,
    retailer_code  INTEGER,
    door           TEXT  NOT NULL,
    received_at    INTEGER  NOT NULL,
    recorded_at    INTEGER  NOT NULL,
    sealed         BLOB NOT NULL,
    -- commitments to the address and to the evidence: what the chain holds on to when both are destroyed
    recipient_hash BLOB NOT NULL,
    evidence_hash  BLOB NOT NULL,
    hash           BLOB NOT NULL,
    -- what proves it, sealed; null once destroyed
    evidence       BLOB,
    PRIMARY KEY (iys_code, id)
) STRICT;
CREATE UNIQUE INDEX consents_seq ON consents (iys_code, seq);

CREATE TABLE submissions (
    iys_code          INTEGER   NOT NULL,
    consent_id       BLOB  NOT NULL,
    generation        INTEGER   NOT NULL,
    brand_code        INTEGER   NOT NULL,
    key              BLOB NOT NULL,
    channel          TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    status           TEXT  NOT NULL CHECK (status IN ('ONAY', 'RET')),
    state            TEXT  NOT NULL CHECK (state = 'queued' OR state = 'in_flight' OR state = 'batched' OR state = 'unresolved' OR state = 'held' OR
                                                     state = 'registered' OR state = 'refused' OR state = 'expired' OR state = 'not_needed' OR state = 'superseded'),
    -- H-code of the registry or a code of ours
    code             TEXT,
    -- order inside the key: the consent's true time, or its arrival where it has none
    ordered_at       INTEGER  NOT NULL,
    -- the date that the registry is told; later than the true time for a RET in the second of an ONAY or a late one
    wire_date        INTEGER,
    target_at        INTEGER  NOT NULL,
    legal_at         INTEGER  NOT NULL,
    latest_at        INTEGER  NOT NULL,
    calendar         TEXT  NOT NULL,
    late             INTEGER  NOT NULL,
    at_risk          INTEGER  NOT NULL,
    attempt           INTEGER   NOT NULL DEFAULT 0,
    next_attempt_at  INTEGER  NOT NULL,
    claimed_by       BLOB,
    lease_until      INTEGER,
    -- the exact bytes of a single add, until its outcome is known
    wire             BLOB,
    batch_id         BLOB,
    batch_index      INTEGER,
    transaction_id   TEXT,
    creation_date    INTEGER,
    cause            TEXT,
    updated_at       INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, consent_id, generation)
) STRICT;
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
    iys_code         INTEGER   NOT NULL,
    id              BLOB  NOT NULL,
    brand_code       INTEGER   NOT NULL,
    state           TEXT  NOT NULL CHECK (state IN ('posting', 'unresolved', 'waiting', 'done')),
    -- the exact bytes of the POST, until every item's outcome is known
    body            BLOB,
    items            INTEGER   NOT NULL,
    request_id      TEXT,
    -- the registry's ids of the items, a JSON array by place
    sub_requests    TEXT,
    earliest_target INTEGER  NOT NULL,
    posted_at       INTEGER,
    looks            INTEGER   NOT NULL,
    -- an earlier POST of the same bytes had no answer and may have been taken
    resent          INTEGER  NOT NULL,
    attempt          INTEGER   NOT NULL,
    next_attempt_at INTEGER  NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    created_at      INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_due ON batches (next_attempt_at) WHERE state <> 'done';
CREATE INDEX batches_done ON batches (created_at) WHERE state = 'done';

-- The mirror: what the registry holds, and a RET of ours that it does not show yet. A key begins with its brand and channel.
CREATE TABLE permissions (
    iys_code          INTEGER   NOT NULL,
    key              BLOB NOT NULL,
    brand_code        INTEGER   NOT NULL,
    recipient_type   TEXT  NOT NULL CHECK (recipient_type IN ('BIREYSEL', 'TACIR')),
    channel          TEXT  NOT NULL CHECK (channel = 'ARAMA' OR channel = 'MESAJ' OR channel = 'EPOSTA'),
    recipient        BLOB NOT NULL,
    registry         TEXT  NOT NULL CHECK (registry = 'not_known' OR registry = 'empty' OR registry = 'ONAY' OR registry = 'RET'),
    consent_date     INTEGER,
    source           TEXT,
    -- for 'empty': when the registry said so
    creation_date    INTEGER,
    transaction_id   TEXT,
    local_at         INTEGER,
    local_consent_id BLOB,
    observed_at      INTEGER,
    observed         INTEGER,
    effective        TEXT  NOT NULL CHECK (effective = 'ONAY' OR effective = 'RET' OR effective = 'unknown'),
    updated_at       INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, key)
) STRICT;

-- The change feed; seq is drawn under the lock of the provider's head, so it is in commit order without gaps.
CREATE TABLE changes (
    iys_code    INTEGER   NOT NULL,
    seq         INTEGER   NOT NULL,
    brand_code  INTEGER   NOT NULL,
    key        BLOB NOT NULL,
    id         BLOB  NOT NULL,
    type       TEXT  NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, seq)
) STRICT;
CREATE INDEX changes_by_brand ON changes (iys_code, brand_code, seq);

CREATE TABLE webhook_endpoints (
    iys_code         INTEGER   NOT NULL,
    id              BLOB  NOT NULL,
    brand_code      INTEGER,
    url             TEXT  NOT NULL,
    description     TEXT  NOT NULL,
    secret          BLOB NOT NULL,
    old_secret      BLOB,
    old_secret_until INTEGER,
    state           TEXT  NOT NULL CHECK (state IN ('active', 'disabled')),
    disabled_reason TEXT,
    failing_since   INTEGER,
    -- Calls are made in turns: one holder of the lease at a time, none before wait_until (business time) after a failure.
    failures         INTEGER   NOT NULL,
    wait_until      INTEGER,
    turn_at         INTEGER  NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    replays          INTEGER   NOT NULL,
    created_at      INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_endpoints_turn ON webhook_endpoints (turn_at) WHERE state = 'active';

CREATE TABLE deliveries (
    iys_code         INTEGER   NOT NULL,
    endpoint_id     BLOB  NOT NULL,
    change_seq       INTEGER   NOT NULL,
    -- 0: the event itself; n: as part of the endpoint's n-th replay, outside the order of its key.
    replay           INTEGER   NOT NULL DEFAULT 0,
    key             BLOB NOT NULL,
    state           TEXT  NOT NULL CHECK (state = 'queued' OR state = 'in_flight' OR state = 'delivered' OR state = 'parked'),
    attempt          INTEGER   NOT NULL,
    next_attempt_at INTEGER  NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    last_status     INTEGER,
    last_error      TEXT,
    updated_at      INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, endpoint_id, change_seq, replay)
) STRICT, WITHOUT ROWID;
-- Endpoints' ids are unique. With the provider in front, PostgreSQL would take this index for finding the head of a key.
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_attempt_at) WHERE state IN ('queued', 'in_flight');
CREATE INDEX deliveries_open ON deliveries (iys_code, key, change_seq) WHERE state IN ('queued', 'in_flight') AND replay = 0;

CREATE TABLE delivery_attempts (
    iys_code     INTEGER  NOT NULL,
    endpoint_id BLOB NOT NULL,
    change_seq   INTEGER  NOT NULL,
    replay       INTEGER  NOT NULL,
    attempt      INTEGER  NOT NULL,
    at          INTEGER NOT NULL,
    status      INTEGER,
    error       TEXT,
    elapsed_ms   INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, endpoint_id, change_seq, replay, attempt)
) STRICT, WITHOUT ROWID;

-- Durable work that has no table of its own (housekeeping and what schedules put in).
CREATE TABLE jobs (
    iys_code         INTEGER  NOT NULL,
    id              BLOB NOT NULL,
    kind            TEXT NOT NULL,
    payload         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'in_flight', 'done', 'failed')),
    attempt          INTEGER  NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    claimed_by      BLOB,
    lease_until     INTEGER,
    last_error      TEXT,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (next_attempt_at) WHERE state IN ('queued', 'in_flight');

CREATE TABLE api_keys (
    iys_code     INTEGER  NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    scopes      TEXT NOT NULL,
    ip_allow    TEXT,
    expires_at  INTEGER,
    disabled_at INTEGER,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_id ON api_keys (id);

-- A provider's data key and index key, wrapped by the master key. iys_code 0 holds the master key's check value.
CREATE TABLE data_keys (
    iys_code       INTEGER   NOT NULL,
    id             INTEGER   NOT NULL,
    master_key_id TEXT  NOT NULL,
    wrapped       BLOB NOT NULL,
    created_at    INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;

-- Where each pull of the registry's change feed stands.
CREATE TABLE cursors (
    iys_code         INTEGER  NOT NULL,
    brand_code       INTEGER  NOT NULL,
    feed            TEXT NOT NULL CHECK (feed IN ('HS', 'IYS')),
    after           TEXT,
    as_of           INTEGER,
    next_attempt_at INTEGER NOT NULL,
    attempt          INTEGER  NOT NULL,
    last_error      TEXT,
    claimed_by      BLOB,
    lease_until     INTEGER,
    PRIMARY KEY (iys_code, brand_code, feed)
) STRICT, WITHOUT ROWID;
CREATE INDEX cursors_due ON cursors (next_attempt_at);

CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- Requests to the registry: the instant of the next free slot, shared by all replicas.
CREATE TABLE budgets (
    name          TEXT NOT NULL PRIMARY KEY,
    next_slot_at  INTEGER NOT NULL,
    blocked_until INTEGER,
    failures       INTEGER  NOT NULL
) STRICT;

-- What was drawn from the registry's hourly limits, by minute.
CREATE TABLE budget_draws (
    name   TEXT NOT NULL,
    minute INTEGER NOT NULL,
    drawn  INTEGER NOT NULL,
    PRIMARY KEY (name, minute)
) STRICT, WITHOUT ROWID;

-- The registry's tokens, shared by all replicas.
CREATE TABLE registry_sessions (
    account      TEXT NOT NULL PRIMARY KEY,
    sealed       BLOB,
    halted_until INTEGER,
    claimed_by   TEXT,
    lease_until  INTEGER
) STRICT;

CREATE TABLE calendars (
    version    TEXT NOT NULL PRIMARY KEY,
    csv        TEXT NOT NULL,
    active     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Answers to requests with an Idempotency-Key, written with the effect. A large array stores its parts.
CREATE TABLE idempotency (
    iys_code    INTEGER   NOT NULL,
    api_key_id TEXT  NOT NULL,
    route      TEXT  NOT NULL,
    idem_key   TEXT  NOT NULL,
    part        INTEGER   NOT NULL,
    body_hash  BLOB NOT NULL,
    status     INTEGER,
    answer     BLOB,
    created_at INTEGER  NOT NULL,
    expires_at INTEGER  NOT NULL,
    PRIMARY KEY (iys_code, api_key_id, route, idem_key, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE audit (
    iys_code  INTEGER  NOT NULL,
    id       BLOB NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
