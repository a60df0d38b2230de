-- What vendors report of texts that were sent. 'sent': given to a network that may say more.
ALTER TABLE messages ADD COLUMN delivery TEXT CHECK (delivery IN ('pending', 'sent', 'delivered', 'failed'));
-- the vendor's words
ALTER TABLE messages ADD COLUMN delivery_code TEXT;
ALTER TABLE messages ADD COLUMN delivery_at INTEGER;
-- the report as it came, sealed
ALTER TABLE messages ADD COLUMN delivery_report BLOB;
CREATE INDEX messages_by_vendor_id ON messages (vendor, vendor_id) WHERE vendor_id IS NOT NULL;
CREATE INDEX messages_by_id ON messages (id);
-- A notice that did not arrive was not given.
DROP INDEX messages_late;
CREATE INDEX messages_late ON messages (not_after) WHERE purpose = 'notice' AND NOT late AND (state <> 'sent' OR delivery = 'failed');
