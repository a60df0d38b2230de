//! What brands have on the numbers to which citizens send SMS. A number belongs to nobody: several providers may share it.

use chrono::{DateTime, Utc};
use kopru_domain::keyword::{Keyword, KeywordError, ShortNumber};
use kopru_domain::{BrandCode, Channel, IysCode, Verbs};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Tx, args, sql::Row, statements};

/// The columns of [`KeywordRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, number, keyword, approvals, rejections, channels, created_at"
    };
}

statements! {
    /// Adds the number or does nothing, and holds its row either way.
    LOCK = "INSERT INTO short_numbers (number, created_at) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET number = excluded.number";
    ADD = "INSERT INTO keywords (iys_code, id, brand_code, number, keyword, approvals, rejections, channels, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CHANGE = "UPDATE keywords SET approvals = $3, rejections = $4, channels = $5 WHERE iys_code = $1 AND id = $2";
    REMOVE = "DELETE FROM keywords WHERE iys_code = $1 AND id = $2";
    OF_BRAND = concat!("SELECT ", row!(), " FROM keywords {by keywords_by_brand} WHERE iys_code = $1 AND brand_code = $2 ORDER BY number, keyword, id");
    OF_NUMBER = concat!("SELECT ", row!(), " FROM keywords {by keywords_by_number} WHERE number = $1 ORDER BY iys_code, id");
}

/// What a brand has on a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// The number.
    pub number: ShortNumber,
    /// The keyword on a shared number; `None`: the number is this brand's own.
    pub keyword: Option<Keyword>,
    /// Words of approval in place of the built-in ones; none: the built-in ones.
    pub approvals: Vec<String>,
    /// Words of rejection beside the built-in ones.
    pub rejections: Vec<String>,
    /// For which an approval is taken.
    pub channels: Vec<Channel>,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

impl KeywordRow {
    /// The verbs that are understood for it.
    pub fn verbs(&self) -> std::result::Result<Verbs, KeywordError> {
        let (approvals, rejections) = (self.approvals.iter(), self.rejections.iter());
        Ok(Verbs::new(approvals.map(String::as_str), rejections.map(String::as_str))?
            .offering(&self.channels))
    }
}

/// Holds a number until the transaction ends: nothing is added to it meanwhile.
pub async fn lock(tx: &mut Tx, number: &ShortNumber, now: DateTime<Utc>) -> Result<()> {
    tx.execute(&LOCK, args![number.as_str(), now]).await.map(drop)
}

/// Adds one; the number is locked and was looked at.
pub async fn add(tx: &mut Tx, row: &KeywordRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.number.as_str(),
        row.keyword.as_ref().map(Keyword::as_str),
        row.approvals.join(" "),
        row.rejections.join(" "),
        words(&row.channels),
        row.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// Changes the verbs and channels; false when it is gone.
pub async fn change(tx: &mut Tx, row: &KeywordRow) -> Result<bool> {
    let (approvals, rejections) = (row.approvals.join(" "), row.rejections.join(" "));
    let args = args![row.iys_code, row.id, approvals, rejections, words(&row.channels)];
    Ok(tx.execute(&CHANGE, args).await? == 1)
}

/// Removes one; false when it is gone.
pub async fn remove(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&REMOVE, args![provider, id]).await? == 1)
}

/// What a brand has, by number and keyword.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<KeywordRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

/// What there is on a number, of all brands of the installation.
pub async fn of_number(tx: &mut Tx, number: &ShortNumber) -> Result<Vec<KeywordRow>> {
    tx.rows(&OF_NUMBER, args![number.as_str()]).await?.iter().map(read).collect()
}

fn words(channels: &[Channel]) -> String {
    channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(" ")
}

fn read(row: &Row) -> Result<KeywordRow> {
    let corrupt = |what: &str| StoreError::corrupt("keywords", what);
    let list = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let keyword: Option<String> = row.get(4)?;
    let channels = list(row.get(7)?).iter().map(|word| word.parse()).collect::<std::result::Result<_, _>>();
    Ok(KeywordRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        number: ShortNumber::parse(&row.get::<String>(3)?).map_err(|_| corrupt("number"))?,
        keyword: keyword.map(|word| Keyword::parse(&word)).transpose().map_err(|_| corrupt("keyword"))?,
        approvals: list(row.get(5)?),
        rejections: list(row.get(6)?),
        channels: channels.map_err(|_| corrupt("channels"))?,
        created_at: row.get(8)?,
    })
}
