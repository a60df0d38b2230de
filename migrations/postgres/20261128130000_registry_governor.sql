-- One governor of the requests to the registry, shared by all replicas. Every name here contains the registry's address.

-- Eighths of the pace that failures of the registry have taken away, and when that changed last; slots drawn so far.
ALTER TABLE budgets RENAME COLUMN failures TO missing_eighths;
ALTER TABLE budgets ADD COLUMN eased_at TIMESTAMPTZ;
ALTER TABLE budgets ADD COLUMN slots BIGINT NOT NULL DEFAULT 0;

-- Which classes of requests wait in each process, by rank: the lower number goes first. Wire time.
CREATE TABLE budget_waits (
    name    TEXT NOT NULL,
    replica UUID NOT NULL,
    first   BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    until   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name, replica)
);

-- The circuit breaker: how often in a row the registry was left alone, until when (business time), and who tries whether
-- it is back (wire time).
CREATE TABLE circuits (
    name         TEXT NOT NULL PRIMARY KEY,
    rounds       BIGINT NOT NULL,
    silent_until TIMESTAMPTZ,
    probe_by     UUID,
    probe_until  TIMESTAMPTZ
);

-- What became of the requests of the last day: all together (iys_code and brand_code 0) by ten minutes, and those that file
-- for a brand by the hour.
CREATE TABLE registry_outcomes (
    iys_code   BIGINT NOT NULL,
    brand_code BIGINT NOT NULL,
    name       TEXT NOT NULL,
    since      TIMESTAMPTZ NOT NULL,
    requests   BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (iys_code, brand_code, name, since)
);
CREATE INDEX registry_outcomes_recent ON registry_outcomes (since);

-- The password that the registry refused last, sealed: it is not tried again before it is changed or somebody asks for it.
ALTER TABLE registry_sessions ADD COLUMN refused BYTEA;

-- When the registry accepted a provider's own user the last time that it was tried, before it was kept.
ALTER TABLE providers ADD COLUMN credentials_tested_at TIMESTAMPTZ;
