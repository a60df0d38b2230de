//! Texts that people agree to or are informed by. A version is added and read, never changed.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode, LegalText, LegalTextKind, TextRef, Wording};

use crate::error::{Result, StoreError};
use crate::{Tx, args, sql::Row, statements};

/// The columns of [`TextRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "t.iys_code, t.brand_code, t.code, t.version, t.kind, t.title_tr, t.body_tr, t.title_en, t.body_en, t.sha256, t.created_at"
    };
}

statements! {
    ADD = "INSERT INTO texts (iys_code, brand_code, code, version, kind, title_tr, body_tr, title_en, body_en, sha256, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND = concat!("SELECT ", row!(), " FROM texts t WHERE t.iys_code = $1 AND t.brand_code = $2 AND t.code = $3 AND t.version = $4");
    VERSIONS = concat!("SELECT ", row!(), " FROM texts t WHERE t.iys_code = $1 AND t.brand_code = $2 AND t.code = $3
                ORDER BY t.version DESC LIMIT $4");
    NEWEST = concat!("SELECT ", row!(), " FROM texts t WHERE t.iys_code = $1 AND t.brand_code = $2
              AND NOT EXISTS (SELECT 1 FROM texts later WHERE later.iys_code = t.iys_code AND later.brand_code = t.brand_code
                              AND later.code = t.code AND later.version > t.version)
              ORDER BY t.code LIMIT 1000");
    FACTS = "SELECT t.code, t.version, t.kind, t.body_en IS NOT NULL, t.sha256
             FROM {each $3 text of texts AS t: t.iys_code = $1 AND t.brand_code = $2 AND t.code = wanted.value}";
}

/// One version of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Code and version.
    pub name: TextRef,
    /// What it says.
    pub text: LegalText,
    /// SHA-256 of its canonical form.
    pub sha256: [u8; 32],
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

/// What has to be known of a version to name it in evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFacts {
    /// Code and version.
    pub name: TextRef,
    /// What it is for.
    pub kind: LegalTextKind,
    /// Whether there is an English wording.
    pub english: bool,
    /// SHA-256 of its canonical form.
    pub sha256: [u8; 32],
}

/// Adds a version; a conflict where it is there already.
pub async fn add(tx: &mut Tx, row: &TextRow) -> Result<()> {
    let en = row.text.en.as_ref();
    let args = args![
        row.iys_code,
        row.brand_code,
        row.name.code.as_str(),
        row.name.version,
        row.text.kind.as_str(),
        row.text.tr.title.as_str(),
        row.text.tr.body.as_str(),
        en.map(|en| en.title.as_str()),
        en.map(|en| en.body.as_str()),
        row.sha256.to_vec(),
        row.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// One version.
pub async fn find(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    name: &TextRef,
) -> Result<Option<TextRow>> {
    let args = args![provider, brand, name.code.as_str(), name.version];
    tx.row(&FIND, args).await?.map(|row| read(&row)).transpose()
}

/// The versions of a text, newest first.
pub async fn versions(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    code: &str,
    limit: i64,
) -> Result<Vec<TextRow>> {
    tx.rows(&VERSIONS, args![provider, brand, code, limit]).await?.iter().map(read).collect()
}

/// The newest version of each text of a brand, by code; at most 1 000.
pub async fn newest(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<TextRow>> {
    tx.rows(&NEWEST, args![provider, brand]).await?.iter().map(read).collect()
}

/// What is known of all versions of these texts, in no order.
pub async fn facts(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    codes: Vec<String>,
) -> Result<Vec<TextFacts>> {
    let rows = tx.rows(&FACTS, args![provider, brand, codes]).await?;
    rows.iter()
        .map(|row| {
            Ok(TextFacts {
                name: TextRef { code: row.get(0)?, version: row.get(1)? },
                kind: row.word(2)?,
                english: row.get(3)?,
                sha256: hash(row.get(4)?)?,
            })
        })
        .collect()
}

fn read(row: &Row) -> Result<TextRow> {
    let title_en: Option<String> = row.get(7)?;
    let body_en: Option<String> = row.get(8)?;
    Ok(TextRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        name: TextRef { code: row.get(2)?, version: row.get(3)? },
        text: LegalText {
            kind: row.word(4)?,
            tr: Wording { title: row.get(5)?, body: row.get(6)? },
            en: title_en.zip(body_en).map(|(title, body)| Wording { title, body }),
        },
        sha256: hash(row.get(9)?)?,
        created_at: row.get(10)?,
    })
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::corrupt("texts", "sha256"))
}
