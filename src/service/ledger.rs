//! Verifying the ledger: every link of every provider's chain, what is kept beside it, the commitments, and the head.

use kopru_domain::IysCode;
use kopru_domain::ledger::{ChainError, ChainWalk, Record, RecordKind, verify_commitment};
use kopru_domain::{Evidence, Lang, Source, Text};
use kopru_store::consents::{self, ConsentRow};
use kopru_store::{ProviderKeys, StoreError, Tx, heads, providers};
use serde::Serialize;

use crate::bootstrap::App;
use crate::service::{ServiceError, ServiceResult, mirror};

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
    /// What is wrong, there or with the head.
    pub problem: Option<String>,
    /// Whether the chain ends where the head says; nothing where the walk ended at a bad row before.
    pub head_matches: Option<bool>,
}

/// Where a chain does not hold: the row, unless it is the head, and what is wrong.
type Fault = (Option<i64>, Text);

/// Walks the chain of one provider, or of all.
pub async fn verify(app: &App, only: Option<IysCode>, lang: Lang) -> ServiceResult<Vec<LedgerReport>> {
    let mut tx = app.db.read().await?;
    let mut reports = Vec::new();
    for provider in consents::ledgers(&mut tx).await? {
        if only.is_none_or(|only| only == provider) {
            reports.push(verify_provider(app, &mut tx, provider, lang).await?);
        }
    }
    if only.is_some() && reports.is_empty() {
        return Err(ServiceError::NotFound("provider"));
    }
    Ok(reports)
}

async fn verify_provider(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    lang: Lang,
) -> ServiceResult<LedgerReport> {
    let mut walk = ChainWalk::from_genesis();
    let fault = follow(app, tx, provider, &mut walk).await?;
    let (row, problem) = fault.map_or((None, None), |(row, text)| (row, Some(text)));
    Ok(LedgerReport {
        iys_code: provider.0,
        rows: walk.head().0,
        ok: problem.is_none(),
        first_bad_seq: row,
        head_matches: row.is_none().then_some(problem.is_none()),
        problem: problem.map(|text| text.get(lang).to_owned()),
    })
}

/// Walks up to the head, and looks behind it.
async fn follow(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    walk: &mut ChainWalk,
) -> ServiceResult<Option<Fault>> {
    if providers::find(tx, provider).await?.is_none() {
        let text = Text::fixed("defterin hizmet sağlayıcısı yok", "the ledger's provider is missing");
        return Ok(Some((None, text)));
    }
    let keys = match app.vault.keys(tx, provider).await {
        Err(error @ StoreError::Corrupt { .. }) => return Ok(Some((None, damaged(&error)))),
        keys => keys?,
    };
    // Read first: rows that come while the walk goes on lie behind it.
    let head = match heads::get(tx, provider).await {
        Err(error @ StoreError::Corrupt { .. }) => return Ok(Some((None, damaged(&error)))),
        head => head?,
    };
    // Below the first number nothing belongs either.
    let mut after = i64::MIN;
    while after < head.ledger_seq {
        let page = consents::chain(tx, provider, after).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (seq, row) in page.into_iter().take_while(|(seq, _)| *seq <= head.ledger_seq) {
            let checked =
                row.map_err(|error| damaged(&error)).and_then(|row| check(provider, &keys, walk, &row));
            if let Err(problem) = checked {
                return Ok(Some((Some(seq), problem)));
            }
        }
    }
    if walk.head() != (head.ledger_seq, head.ledger_hash) {
        let text = Text::fixed(
            "son kayıt zincirin başıyla uyuşmuyor",
            "the last row is not the one that the head names",
        );
        return Ok(Some((None, text)));
    }
    if let Some(fault) = behind_the_head(tx, provider).await? {
        return Ok(Some(fault));
    }
    let missed = consents::missed(tx, provider).await?;
    Ok(missed.map(|id| {
        let text = Text::new(
            format!("{id} kaydı bildirilmiş ama defterde yok"),
            format!("the consent {id} was filed and is not in the ledger"),
        );
        (None, text)
    }))
}

/// A row that no head has ever named. Each commit writes its rows and the head at once, so that the head read after the row
/// names it.
async fn behind_the_head(tx: &mut Tx, provider: IysCode) -> ServiceResult<Option<Fault>> {
    let Some(last) = consents::last(tx, provider).await? else { return Ok(None) };
    let head = heads::get(tx, provider).await?.ledger_seq;
    let text = Text::new(
        format!("zincirin başı {head}. kayıttır, bu kayıt onun ardında duruyor"),
        format!("the head names entry {head}, this one stands behind it"),
    );
    Ok((last > head).then_some((Some(last), text)))
}

fn check(provider: IysCode, keys: &ProviderKeys, walk: &mut ChainWalk, row: &ConsentRow) -> Result<(), Text> {
    let mut next = walk.clone();
    next.step(&record(provider, row), &row.hash).map_err(|error| broken(&error))?;
    let opened = mirror::open_consent(keys, &row.sealed)
        .map_err(|_| Text::fixed("kişisel bölümü açılamıyor", "its sealed part cannot be opened"))?;
    verify_commitment(row.seq, &row.recipient_hash, opened.recipient.as_bytes(), &opened.salt)
        .map_err(|error| broken(&error))?;
    if row.key != keys.key(row.brand_code, row.recipient_type, row.channel, &opened.recipient) {
        return Err(Text::fixed("anahtarı adresine uymuyor", "its key does not belong to its address"));
    }
    let sealed = row.evidence.as_ref().ok_or_else(|| Text::fixed("kanıtı yok", "its evidence is missing"))?;
    let (salt, evidence) = mirror::open_evidence(keys, sealed)
        .map_err(|_| Text::fixed("kanıtı açılamıyor", "its evidence cannot be opened"))?;
    verify_commitment(row.seq, &row.evidence_hash, &evidence, &salt).map_err(|error| broken(&error))?;
    // The door is proved by the evidence, which names it too.
    let door = serde_json::from_slice::<Evidence>(&evidence).ok().and_then(|evidence| evidence.door);
    if door.is_some_and(|door| door.as_str() != row.door) {
        return Err(Text::fixed("kapısı kanıtındaki değil", "its door is not the one of its evidence"));
    }
    *walk = next;
    Ok(())
}

fn broken(error: &ChainError) -> Text {
    let tr = match error {
        ChainError::Number { expected, found } => {
            format!("{expected} numaralı kaydın yerinde {found} duruyor")
        }
        ChainError::Hash { .. } => "özeti içeriğine ve öncesine uymuyor".to_owned(),
        ChainError::Commitment { .. } => "kişisel bölümü özetine uymuyor".to_owned(),
    };
    Text::new(tr, error.to_string())
}

/// A value of the wrong shape: what stands in the database is not what was written.
fn damaged(error: &StoreError) -> Text {
    Text::new(format!("hasarlı: {error}"), format!("damaged: {error}"))
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
