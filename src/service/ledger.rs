//! Verifying the ledger: every link of every provider's chain, the commitments, and the head.

use kopru_domain::IysCode;
use kopru_domain::Source;
use kopru_domain::ledger::{ChainWalk, Record, RecordKind, verify_commitment};
use kopru_store::consents::{self, ConsentRow};
use kopru_store::{ProviderKeys, Tx, heads, providers};
use serde::Serialize;

use crate::bootstrap::App;
use crate::service::{ServiceResult, mirror};

/// What the walk along one chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerReport {
    /// Provider.
    pub iys_code: i64,
    /// Rows walked.
    pub rows: i64,
    /// Whether everything fits.
    pub ok: bool,
    /// The first row that does not.
    pub first_bad_seq: Option<i64>,
    /// What is wrong there.
    pub problem: Option<String>,
    /// Whether the chain ends where the head says.
    pub head_matches: bool,
}

/// Walks the chain of one provider, or of all.
pub async fn verify(app: &App, only: Option<IysCode>) -> ServiceResult<Vec<LedgerReport>> {
    let mut reports = Vec::new();
    let mut after = IysCode(0);
    loop {
        let mut tx = app.db.read().await?;
        let page = providers::list(&mut tx, after).await?;
        let Some(last) = page.last() else { return Ok(reports) };
        after = last.iys_code;
        for provider in page.iter().filter(|provider| only.is_none_or(|only| only == provider.iys_code)) {
            reports.push(verify_provider(app, &mut tx, provider.iys_code).await?);
        }
    }
}

async fn verify_provider(app: &App, tx: &mut Tx, provider: IysCode) -> ServiceResult<LedgerReport> {
    let keys = app.vault.keys(tx, provider).await?;
    // Read first: rows that come while the walk goes on lie behind it.
    let head = heads::get(tx, provider).await?;
    let mut walk = ChainWalk::from_genesis();
    let mut report = LedgerReport {
        iys_code: provider.0,
        rows: 0,
        ok: true,
        first_bad_seq: None,
        problem: None,
        head_matches: false,
    };
    'walk: while report.rows < head.ledger_seq {
        let page = consents::chain(tx, provider, report.rows).await?;
        if page.is_empty() {
            break;
        }
        for row in page.into_iter().take_while(|row| row.seq <= head.ledger_seq) {
            if let Err(problem) = check(provider, &keys, &mut walk, &row) {
                report = LedgerReport {
                    ok: false,
                    first_bad_seq: Some(row.seq),
                    problem: Some(problem),
                    ..report
                };
                break 'walk;
            }
            report.rows += 1;
        }
    }
    report.head_matches = walk.head() == (head.ledger_seq, head.ledger_hash);
    report.ok &= report.head_matches;
    Ok(report)
}

fn check(
    provider: IysCode,
    keys: &ProviderKeys,
    walk: &mut ChainWalk,
    row: &ConsentRow,
) -> Result<(), String> {
    if let Err(error) = walk.step(&record(provider, row), &row.hash) {
        return Err(error.to_string());
    }
    let Ok(opened) = mirror::open_consent(keys, &row.sealed) else {
        return Err(format!("the sealed part of entry {} cannot be opened", row.seq));
    };
    if let Err(error) =
        verify_commitment(row.seq, &row.recipient_hash, opened.recipient.as_bytes(), &opened.salt)
    {
        return Err(error.to_string());
    }
    let Some(sealed) = &row.evidence else {
        return Err(format!("the evidence of entry {} is missing", row.seq));
    };
    let Ok((salt, evidence)) = mirror::open_evidence(keys, sealed) else {
        return Err(format!("the evidence of entry {} cannot be opened", row.seq));
    };
    verify_commitment(row.seq, &row.evidence_hash, &evidence, &salt).map_err(|error| error.to_string())
}

/// The canonical record of a row.
pub(super) fn record(provider: IysCode, row: &ConsentRow) -> Record {
    Record {
        number: row.seq,
        iys_code: provider,
        brand_code: row.brand_code,
        consent_id: row.id,
        kind: RecordKind::Consent,
        channel: row.channel,
        recipient_type: row.recipient_type,
        status: row.status,
        source: row.source.map(Source::Provider),
        consent_date: row.consent_date,
        received_at: row.received_at,
        recorded_at: row.recorded_at,
        retailer_code: row.retailer_code,
        recipient: row.recipient_hash,
        evidence: row.evidence_hash,
    }
}
