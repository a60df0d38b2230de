-- One governor of the requests to the registry, shared by all replicas. Every name here contains the registry's address.

-- Eighths of the pace that failures of the registry have taken away, and when that changed last; slots drawn so far.
ALTER TABLE budgets RENAME COLUMN failures TO missing_eighths;
ALTER TABLE budgets ADD COLUMN eased_at INTEGER;
ALTER TABLE budgets ADD COLUMN slots INTEGER NOT NULL DEFAULT 0;

-- Which classes of requests wait in each process, by rank: the lower number goes first. Wire time.
CREATE TABLE budget_waits (
    name    TEXT NOT NULL,
    replica BLOB NOT NULL,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (name, replica)
) STRICT, WITHOUT ROWID;

-- The circuit breaker: how often in a row the registry was left alone, until when (business time), and who tries whether
-- it is back (wire time).
CREATE TABLE circuits (
    name         TEXT NOT NULL PRIMARY KEY,
    rounds       INTEGER NOT NULL,
    silent_until INTEGER,
    probe_by     BLOB,
    probe_until  INTEGER
) STRICT;

-- What became of the requests of the last day: all together (iys_code and brand_code 0) by ten minutes, and those that file
-- for a brand by the hour.
CREATE TABLE registry_outcomes (
    iys_code   INTEGER NOT NULL,
    brand_code INTEGER NOT NULL,
    name       TEXT NOT NULL,
    since      INTEGER NOT NULL,
    requests   INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    PRIMARY KEY (iys_code, brand_code, name, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_outcomes_recent ON registry_outcomes (since);

-- The password that the registry refused last, sealed: it is not tried again before it is changed or somebody asks for it.
ALTER TABLE registry_sessions ADD COLUMN refused BLOB;

-- When the registry accepted a provider's own user the last time that it was tried, before it was kept.
ALTER TABLE providers ADD COLUMN credentials_tested_at INTEGER;
