-- Filings that ended without the registry's record: few beside those that it has, and looked for when they are driven again.
CREATE INDEX submissions_ended ON submissions (iys_code, brand_code, consent_id)
    WHERE (state = 'refused' OR state = 'expired' OR state = 'not_needed' OR state = 'superseded');
