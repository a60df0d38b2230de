-- Double opt-in: what a person typed and has not confirmed yet, and what was sent for it.
CREATE TABLE opt_ins (
    iys_code      BIGINT  NOT NULL,
    id           UUID NOT NULL,
    brand_code    BIGINT  NOT NULL,
    -- the form or campaign
    origin       TEXT NOT NULL,
    way          TEXT NOT NULL CHECK (way IN ('code', 'link')),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'done', 'abandoned')),
    -- SHA-256 of the name under which the person's browser or mail knows it
    token_hash   BYTEA NOT NULL,
    -- HMAC of what was sent last, bound to the process and what it is about
    proof        BYTEA NOT NULL,
    -- blind name of the address
    address      BYTEA NOT NULL,
    -- the consents that a confirmation makes, with address and evidence, sealed
    sealed       BYTEA NOT NULL,
    good_until   TIMESTAMPTZ NOT NULL,
    -- when it counts as abandoned
    ends_at      TIMESTAMPTZ NOT NULL,
    wrong         BIGINT  NOT NULL,
    sends         BIGINT  NOT NULL,
    -- business time: the moment of consent
    confirmed_at TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (iys_code, id)
);
CREATE INDEX opt_ins_by_token ON opt_ins (token_hash);
CREATE INDEX opt_ins_pending ON opt_ins (ends_at) WHERE state = 'pending';
CREATE INDEX opt_ins_confirmed ON opt_ins (iys_code, id) WHERE state = 'confirmed';
CREATE INDEX opt_ins_of_brand ON opt_ins (iys_code, brand_code, state, id);

CREATE TABLE opt_in_sends (
    iys_code    BIGINT  NOT NULL,
    -- blind name of the address, or of the client's network address
    sender     BYTEA NOT NULL,
    sent_at    TIMESTAMPTZ NOT NULL,
    id         UUID NOT NULL,
    PRIMARY KEY (iys_code, sender, sent_at, id)
);
CREATE INDEX opt_in_sends_old ON opt_in_sends (sent_at);
