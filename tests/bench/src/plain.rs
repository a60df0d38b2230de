//! The plain way to take a consent in: a transaction for each request, one statement after the other.
//!
//! It is what a handler looks like over the same schema, rules and sealing without the intake's design: nothing is committed
//! together, no statements are joined. Its rows are those of the intake, so that the ledger verifies. The door is thinner than
//! the real one (no authentication, no rate limit), which is in the plain way's favour.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use chrono::{DateTime, Utc};
use kopru::bootstrap::App;
use kopru::service::events::{EventLog, Subject};
use kopru::service::mirror::{self, KeyStates};
use kopru_domain::evidence::Door;
use kopru_domain::ledger::{Record, RecordKind, commitment, entry_hash};
use kopru_domain::shape::check_shape;
use kopru_domain::{Admission, Candidate, Code, Evidence, RetailerCode, Source};
use kopru_store::brands::BrandRow;
use kopru_store::consents::{self, ConsentRow};
use kopru_store::heads::{self, Head};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Priority, ProviderKeys, ids, permissions, random};
use serde_json::{Value, json};

use crate::bare::{self, Body};

#[cfg(test)]
mod tests;

/// Serves the plain way at [`bare::PATH`].
pub async fn one_transaction_a_request(app: App, brand: BrandRow) -> Result<SocketAddr> {
    let plain = Arc::new(Plain::new(app, brand).await?);
    bare::serve(Router::new().route(bare::PATH, post(answer)).with_state(plain)).await
}

async fn answer(State(plain): State<Arc<Plain>>, body: Bytes) -> Response {
    match plain.take(&body).await {
        Ok(answer) => (StatusCode::ACCEPTED, Json(answer)).into_response(),
        Err(error) => bare::refused(&format!("{error:#}")),
    }
}

struct Plain {
    app: App,
    brand: BrandRow,
    keys: Arc<ProviderKeys>,
}

impl Plain {
    async fn new(app: App, brand: BrandRow) -> Result<Self> {
        let keys = app.vault.keys(&mut app.db.read().await?, brand.iys_code).await?;
        Ok(Self { app, brand, keys })
    }

    async fn take(&self, body: &[u8]) -> Result<Value> {
        let (mut row, subject, reference) = self.sealed(serde_json::from_slice(body)?)?;
        let (provider, candidate) = (self.brand.iys_code, candidate(&row));
        let mut tx = self.app.db.begin(Priority::Interactive).await?;
        let mut head = heads::lock(&mut tx, provider).await?;
        let mut states = KeyStates::load(&mut tx, provider, vec![row.key]).await?;
        let now = self.app.clocks.business();
        let state = states.of(row.key);
        let before = state.permission.effective(row.recipient_type);
        let admitted = match state.admit(&candidate, &self.brand.policy, &self.app.calendar, now) {
            Admission::Admitted(admitted) => admitted,
            Admission::Duplicate { consent_id } => {
                return Ok(json!({ "id": consent_id, "code": "already_open" }));
            }
        };
        let answer = json!({ "id": row.id, "state": admitted.state, "deadline": admitted.deadline });

        if !admitted.superseded.is_empty() {
            let (ids, code) = (admitted.superseded.clone(), Code::OLDER_THAN_REJECTION);
            tx.run(vec![submissions::supersede_step(provider, ids, code.as_str(), now)]).await?;
        }
        self.chain(&mut head, &mut row, now);
        let (ordered_at, calendar) = (candidate.true_time(), self.app.calendar.version());
        let submission = SubmissionRow::first(provider, &row, ordered_at, &admitted, calendar);
        consents::append(&mut tx, provider, vec![row]).await?;
        submissions::add(&mut tx, vec![submission], now).await?;
        if admitted.local_rejection {
            let recipient = mirror::seal_recipient(&self.keys, &subject.recipient);
            let Subject { key, brand_code, recipient_type, channel, .. } = subject;
            let row = states.permission_row(key, brand_code, recipient_type, channel, recipient);
            let mut events = EventLog::new(provider, self.keys.clone(), now);
            events.permission_changed(subject, before, &row.permission, "local_rejection", reference);
            permissions::save(&mut tx, provider, vec![row], now).await?;
            events.append(&mut tx, &mut head).await?;
        }
        heads::advance(&mut tx, provider, &head).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The ledger row but for its place in the chain, the address it is for, and the client's reference.
    fn sealed(&self, body: Body) -> Result<(ConsentRow, Subject, Option<String>)> {
        let (keys, brand_code) = (&self.keys, self.brand.brand_code);
        let now = self.app.clocks.business();
        let shaped = check_shape(&body.raw(), now).map_err(|errors| anyhow!("{errors:?}"))?;
        let (recipient_type, channel) = (shaped.recipient_type, shaped.channel);
        let recipient = shaped.recipient.as_str().to_owned();
        let key = keys.key(brand_code, recipient_type, channel, &recipient);
        let evidence = serde_json::to_vec(&Evidence {
            declared: true,
            door: Some(Door::Api),
            raw_input: body.recipient,
            reference: body.reference.clone(),
            ..Evidence::default()
        })?;
        let (salt, evidence_salt) = (random(), random());
        let row = ConsentRow {
            id: ids::new_id(now),
            seq: 0,
            brand_code,
            key,
            recipient_type,
            channel,
            status: shaped.status,
            source: shaped.source,
            consent_date: shaped.consent_date,
            retailer_code: body.retailer_code.map(RetailerCode),
            door: "api".to_owned(),
            received_at: now,
            recorded_at: now,
            sealed: mirror::seal_consent(keys, &salt, &recipient, body.reference.as_deref()),
            recipient_hash: commitment(recipient.as_bytes(), &salt),
            evidence_hash: commitment(&evidence, &evidence_salt),
            hash: [0; 32],
            evidence: Some(mirror::seal_evidence(keys, &evidence_salt, &evidence)),
        };
        Ok((row, Subject { brand_code, key, recipient, recipient_type, channel }, body.reference))
    }

    /// Gives a row the next place in the chain.
    fn chain(&self, head: &mut Head, row: &mut ConsentRow, now: DateTime<Utc>) {
        head.ledger_seq += 1;
        let record = Record {
            number: head.ledger_seq,
            iys_code: self.brand.iys_code,
            brand_code: row.brand_code,
            consent_id: row.id,
            kind: RecordKind::Consent,
            channel: row.channel,
            recipient_type: row.recipient_type,
            status: row.status,
            source: row.source.map(Source::Provider),
            consent_date: row.consent_date,
            received_at: row.received_at,
            recorded_at: now,
            retailer_code: row.retailer_code,
            recipient: row.recipient_hash,
            evidence: row.evidence_hash,
        };
        head.ledger_hash = entry_hash(&head.ledger_hash, &record);
        (row.seq, row.recorded_at, row.hash) = (head.ledger_seq, now, head.ledger_hash);
    }
}

fn candidate(row: &ConsentRow) -> Candidate {
    Candidate {
        consent_id: row.id,
        recipient_type: row.recipient_type,
        channel: row.channel,
        status: row.status,
        source: row.source,
        consent_date: row.consent_date,
        received_at: row.received_at,
        own_channel: false,
        reviewed_at: None,
    }
}
