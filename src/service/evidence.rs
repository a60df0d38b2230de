//! The evidence of one consent in full (rules.md C6): what the person saw, who acted, when and how, with the proof that the ledger
//! has held it unchanged since. Large parts (a scan, a voice record) are named by their hashes.

use kopru_domain::ledger::{GENESIS, commitment, entry_hash};
use kopru_domain::legal_text::ShownText;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{Evidence, IysCode, LegalText, ProviderSource};
use kopru_store::consents::{self, ConsentRow};
use kopru_store::{ProviderKeys, StoreError, Tx, texts};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::consents::{find, note_shown};
use crate::service::ledger::record;
use crate::service::{Caller, Scope, ServiceResult, mirror};

/// Everything that proves one consent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidencePack {
    /// The consent.
    pub consent_id: Uuid,
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// The address, in full.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[schema(value_type = String)]
    pub recipient_type: &'static str,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: &'static str,
    /// `ONAY` or `RET`.
    #[schema(value_type = String, example = "ONAY")]
    pub status: &'static str,
    /// Where it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source: Option<&'static str>,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// When it reached this service.
    pub received_at: String,
    /// When it was recorded.
    pub recorded_at: String,
    /// The retailer who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retailer_code: Option<i64>,
    /// The client's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What is kept of how it was given, field by field; missing once it was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub facts: Option<Value>,
    /// The text that was shown or read out, word for word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextProof>,
    /// The privacy notice that stood beside it, word for word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<TextProof>,
    /// Large parts that are kept elsewhere, by their hashes.
    pub parts: Vec<EvidencePart>,
    /// The proof that nothing of this was changed since.
    pub ledger: LedgerProof,
}

/// A text as the person saw or heard it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextProof {
    /// `code/version`.
    pub name: String,
    /// `consent`, `notice`, `call_script` or `paper_form`.
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// The language it was shown in.
    #[schema(value_type = String)]
    pub language: &'static str,
    /// Heading.
    pub title: String,
    /// Paragraphs, parted by an empty line.
    pub body: String,
    /// SHA-256 of the version as the evidence names it.
    pub sha256: String,
    /// Whether the version that is kept now has that hash.
    pub intact: bool,
}

/// A part that is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidencePart {
    /// `voice_record` or `scan`.
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// Its id where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// SHA-256 of its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where in a voice record the answer is, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_seconds: Option<u32>,
}

/// The consent's link in the provider's hash chain, with all that is needed to compute it anew:
/// `hash = SHA-256(previousHash ‖ record)`, and the record holds both commitments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerProof {
    /// Number in the chain, from 1.
    pub sequence: i64,
    /// Hash of the link before, hexadecimal.
    pub previous_hash: String,
    /// The canonical record, hexadecimal.
    pub record: String,
    /// Hash of this link, hexadecimal.
    pub hash: String,
    /// The commitment to the address: SHA-256(salt ‖ address).
    pub recipient: Commitment,
    /// The commitment to the facts: SHA-256(salt ‖ stored form); missing once they were destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Commitment>,
    /// Whether all of this fits together.
    pub holds: bool,
}

/// A commitment opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// The salt, hexadecimal.
    pub salt: String,
    /// What was committed to, byte for byte.
    pub value: String,
    /// SHA-256(salt ‖ value), hexadecimal.
    pub sha256: String,
}

impl Commitment {
    fn open(salt: &[u8; 32], value: &[u8], committed: &[u8; 32]) -> (Self, bool) {
        let opened = Self {
            salt: hex::encode(salt),
            value: String::from_utf8_lossy(value).into_owned(),
            sha256: hex::encode(committed),
        };
        (opened, commitment(value, salt) == *committed)
    }
}

/// The evidence of a consent in full. Needs `consents:read` and `recipients:read`, and leaves an audit row.
pub async fn pack(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<EvidencePack> {
    caller.require(Scope::ConsentsRead)?;
    caller.require(Scope::RecipientsRead)?;
    let (provider, pack) = {
        let mut tx = app.db.read().await?;
        let (provider, row) = find(&mut tx, caller, id).await?;
        let keys = app.vault.keys(&mut tx, provider).await?;
        (provider, read(&mut tx, &keys, provider, row).await?)
    };
    note_shown(app, caller, provider, "evidence.shown", &format!("consent {id}")).await?;
    Ok(pack)
}

async fn read(
    tx: &mut Tx,
    keys: &ProviderKeys,
    provider: IysCode,
    row: ConsentRow,
) -> ServiceResult<EvidencePack> {
    let opened = mirror::open_consent(keys, &row.sealed)?;
    let stored = row.evidence.as_ref().map(|sealed| mirror::open_evidence(keys, sealed)).transpose()?;
    let unreadable = |_| StoreError::Corrupt { what: "evidence", detail: "shape".to_owned() };
    let parsed = stored.as_ref().map(|(_, json)| serde_json::from_slice::<Evidence>(json)).transpose();
    let evidence = parsed.map_err(unreadable)?;
    let facts =
        stored.as_ref().map(|(_, json)| serde_json::from_slice(json)).transpose().map_err(unreadable)?;
    let ledger = proof(tx, provider, &row, &opened, stored.as_ref()).await?;
    let shown = evidence.as_ref();
    Ok(EvidencePack {
        consent_id: row.id,
        iys_code: provider.0,
        brand_code: row.brand_code.0,
        recipient: opened.recipient,
        recipient_type: row.recipient_type.as_str(),
        channel: row.channel.as_str(),
        status: row.status.as_str(),
        source: row.source.map(ProviderSource::as_str),
        consent_date: row.consent_date.map(format_rfc3339),
        received_at: format_rfc3339(row.received_at),
        recorded_at: format_rfc3339(row.recorded_at),
        retailer_code: row.retailer_code.map(|code| code.0),
        reference: opened.reference,
        facts,
        text: text(tx, provider, &row, shown.and_then(|it| it.text.as_ref())).await?,
        notice: text(tx, provider, &row, shown.and_then(|it| it.notice.as_ref())).await?,
        parts: shown.map(parts).unwrap_or_default(),
        ledger,
    })
}

/// What the person saw, from the version that is kept.
async fn text(
    tx: &mut Tx,
    provider: IysCode,
    row: &ConsentRow,
    shown: Option<&ShownText>,
) -> ServiceResult<Option<TextProof>> {
    let Some(shown) = shown else { return Ok(None) };
    let Some(version) = texts::find(tx, provider, row.brand_code, &shown.text()).await? else {
        return Err(
            StoreError::Corrupt { what: "texts", detail: format!("{} is missing", shown.text()) }.into()
        );
    };
    Ok(text_proof(shown, &version.text))
}

fn text_proof(shown: &ShownText, text: &LegalText) -> Option<TextProof> {
    let wording = text.get(shown.lang)?;
    Some(TextProof {
        name: shown.text().to_string(),
        kind: text.kind.as_str(),
        language: shown.lang.as_str(),
        title: wording.title.clone(),
        body: wording.body.clone(),
        intact: hex::encode(text.sha256()) == shown.sha256,
        sha256: shown.sha256.clone(),
    })
}

fn parts(evidence: &Evidence) -> Vec<EvidencePart> {
    let voice = EvidencePart {
        kind: "voice_record",
        id: evidence.voice_record_id.clone(),
        sha256: evidence.voice_sha256.clone(),
        offset_seconds: evidence.voice_offset_seconds,
    };
    let scan = EvidencePart {
        kind: "scan",
        id: evidence.scan_id.clone(),
        sha256: evidence.scan_sha256.clone(),
        offset_seconds: None,
    };
    [voice, scan].into_iter().filter(|part| part.id.is_some() || part.sha256.is_some()).collect()
}

async fn proof(
    tx: &mut Tx,
    provider: IysCode,
    row: &ConsentRow,
    opened: &mirror::SealedConsent,
    stored: Option<&([u8; 32], Vec<u8>)>,
) -> ServiceResult<LedgerProof> {
    let previous =
        if row.seq == 1 { Some(GENESIS) } else { consents::hash_at(tx, provider, row.seq - 1).await? };
    let previous = previous.ok_or_else(|| StoreError::Corrupt {
        what: "consents",
        detail: format!("entry {} is missing", row.seq - 1),
    })?;
    let record = record(provider, row);
    let (recipient, address_fits) =
        Commitment::open(&opened.salt, opened.recipient.as_bytes(), &row.recipient_hash);
    let evidence = stored.map(|(salt, json)| Commitment::open(salt, json, &row.evidence_hash));
    let facts_fit = evidence.as_ref().is_none_or(|(_, fits)| *fits);
    Ok(LedgerProof {
        sequence: row.seq,
        previous_hash: hex::encode(previous),
        record: hex::encode(record.to_bytes()),
        hash: hex::encode(row.hash),
        recipient,
        evidence: evidence.map(|(commitment, _)| commitment),
        holds: entry_hash(&previous, &record) == row.hash && address_fits && facts_fit,
    })
}
