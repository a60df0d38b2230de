-- Double opt-in: what a person typed and has not confirmed yet, and what was sent for it.
CREATE TABLE opt_ins (
    iys_code      INTEGER  NOT NULL,
    id           BLOB NOT NULL,
    brand_code    INTEGER  NOT NULL,
    -- the form or campaign
    origin       TEXT NOT NULL,
    way          TEXT NOT NULL CHECK (way IN ('code', 'link')),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'done', 'abandoned')),
    -- SHA-256 of the name under which the person's browser or mail knows it
    token_hash   BLOB NOT NULL,
    -- HMAC of what was sent last, bound to the process and what it is about
    proof        BLOB NOT NULL,
    -- blind name of the address
    address      BLOB NOT NULL,
    -- the consents that a confirmation makes, with address and evidence, sealed
    sealed       BLOB NOT NULL,
    good_until   INTEGER NOT NULL,
    -- when it counts as abandoned
    ends_at      INTEGER NOT NULL,
    wrong         INTEGER  NOT NULL,
    sends         INTEGER  NOT NULL,
    -- business time: the moment of consent
    confirmed_at INTEGER,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (iys_code, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX opt_ins_by_token ON opt_ins (token_hash);
CREATE INDEX opt_ins_pending ON opt_ins (ends_at) WHERE state = 'pending';
CREATE INDEX opt_ins_confirmed ON opt_ins (iys_code, id) WHERE state = 'confirmed';
CREATE INDEX opt_ins_of_brand ON opt_ins (iys_code, brand_code, state, id);

CREATE TABLE opt_in_sends (
    iys_code    INTEGER  NOT NULL,
    -- blind name of the address, or of the client's network address
    sender     BLOB NOT NULL,
    sent_at    INTEGER NOT NULL,
    id         BLOB NOT NULL,
    PRIMARY KEY (iys_code, sender, sent_at, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX opt_in_sends_old ON opt_in_sends (sent_at);
