-- The registry's own way to collect consents (ViA): it sends the code or link, records what is approved and keeps the proof.
CREATE TABLE via_settings (
    iys_code   BIGINT NOT NULL,
    brand_code BIGINT NOT NULL,
    -- whether confirmations of the brand go this way where nothing else is said
    by_default BOOLEAN NOT NULL,
    -- JSON: the registry's form by verification type
    forms      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
);

-- What the registry refuses for a brand, or for the provider as a whole (brand_code 0).
CREATE TABLE via_holds (
    iys_code   BIGINT NOT NULL,
    brand_code BIGINT NOT NULL,
    code       TEXT NOT NULL,
    since      TIMESTAMPTZ NOT NULL,
    -- when a start is tried again
    probe_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, brand_code)
);

-- A provider's package at the registry, as it said when it was last asked.
CREATE TABLE via_packages (
    iys_code   BIGINT NOT NULL,
    status     TEXT NOT NULL,
    package    TEXT,
    -- operations left; -1 without limit, NULL where the registry does not tell (partners)
    credit     BIGINT,
    expires_at TIMESTAMPTZ,
    synced_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code)
);

-- The registry's part of a double opt-in (opt_ins) that it carries out.
CREATE TABLE via_processes (
    iys_code        BIGINT NOT NULL,
    -- the double opt-in
    id              UUID NOT NULL,
    brand_code      BIGINT NOT NULL,
    verification    TEXT NOT NULL CHECK (verification IN ('SMS_OTP', 'SMS_SHORTURL', 'EPOSTA_OTP', 'EPOSTA_SHORTURL', 'EPOSTA_APPROVALURL')),
    form_id         BIGINT NOT NULL,
    -- the link of ours that led to it
    link_id         UUID,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'unknown', 'waiting', 'approved', 'refused', 'expired', 'failed')),
    -- the registry's id of the process, once it has started it
    request_id      TEXT,
    -- the registry's last word on it: a refusal's code, or stage and status
    code            TEXT,
    -- all instants but the lease are business time
    started_at      TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    -- whether what was approved is in the mirror
    mirrored        BOOLEAN NOT NULL,
    evidence        TEXT NOT NULL CHECK (evidence IN ('none', 'due', 'stored', 'missing')),
    attempt         BIGINT NOT NULL,
    -- NULL: nothing more is to be done
    next_attempt_at TIMESTAMPTZ,
    claimed_by      UUID,
    lease_until     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX via_processes_start ON via_processes (next_attempt_at) WHERE state IN ('queued', 'starting') AND next_attempt_at IS NOT NULL;
CREATE INDEX via_processes_due ON via_processes (next_attempt_at) WHERE state NOT IN ('queued', 'starting') AND next_attempt_at IS NOT NULL;

-- What was approved: the movements at the registry that a process has led to.
CREATE TABLE via_movements (
    iys_code       BIGINT NOT NULL,
    transaction_id TEXT NOT NULL,
    id             UUID NOT NULL,
    channel        TEXT NOT NULL CHECK (channel IN ('ARAMA', 'MESAJ', 'EPOSTA')),
    -- when the citizen approved, by the registry's word
    consent_date   TIMESTAMPTZ,
    PRIMARY KEY (iys_code, transaction_id, channel)
);
CREATE INDEX via_movements_of ON via_movements (iys_code, id);

-- The registry's evidence file of a process, sealed.
CREATE TABLE via_evidence (
    iys_code   BIGINT NOT NULL,
    id         UUID NOT NULL,
    -- of the file as it came
    sha256     BYTEA NOT NULL,
    size       BIGINT NOT NULL,
    sealed     BYTEA NOT NULL,
    fetched_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
