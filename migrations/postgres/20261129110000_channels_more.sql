-- What vendors report of texts that were sent. 'sent': given to a network that may say more.
ALTER TABLE messages ADD COLUMN delivery TEXT CHECK (delivery IN ('pending', 'sent', 'delivered', 'failed'));
-- the vendor's words
ALTER TABLE messages ADD COLUMN delivery_code TEXT;
ALTER TABLE messages ADD COLUMN delivery_at TIMESTAMPTZ;
-- the report as it came, sealed
ALTER TABLE messages ADD COLUMN delivery_report BYTEA;
CREATE INDEX messages_by_vendor_id ON messages (vendor, vendor_id) WHERE vendor_id IS NOT NULL;
CREATE INDEX messages_by_id ON messages (id);
-- A notice that did not arrive was not given.
DROP INDEX messages_late;
CREATE INDEX messages_late ON messages (not_after) WHERE purpose = 'notice' AND NOT late AND (state <> 'sent' OR delivery = 'failed');

-- What is forgotten after a time, so that it is found without a look at what stays.
CREATE INDEX messages_kept ON messages (created_at) WHERE length(recipient) > 0;
CREATE INDEX opt_ins_abandoned ON opt_ins (ends_at) WHERE state = 'abandoned';
CREATE INDEX call_outcomes_old ON call_outcomes (received_at);
CREATE INDEX links_idle ON links (expires_at) WHERE expires_at IS NOT NULL AND confirmed = 0 AND refused = 0;
CREATE INDEX inbound_messages_idle ON inbound_messages (received_at) WHERE state IN ('unknown', 'dismissed');
CREATE INDEX inbound_posts_unread ON inbound_posts (received_at) WHERE state IN ('unplaced', 'unreadable');

-- What a person has to look at.
CREATE INDEX messages_told ON messages (created_at) WHERE late;
CREATE INDEX inbound_messages_waiting ON inbound_messages (iys_code, brand_code, received_at) WHERE state = 'unknown';

-- What was sent by forms, by the minute: of a blind name of the address that was typed, or of the client's network and the form.
CREATE TABLE form_posts (
    iys_code BIGINT  NOT NULL,
    name     BYTEA NOT NULL,
    minute   TIMESTAMPTZ NOT NULL,
    posts    BIGINT  NOT NULL,
    PRIMARY KEY (iys_code, name, minute)
);
CREATE INDEX form_posts_old ON form_posts (minute);
