//! On whose behalf a brand's messages go out.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    SAVE = "INSERT INTO message_senders (iys_code, brand_code, title, identity, sms_account, sms_from, mail_account, mail_from, ret_number, ret_keyword, contact, notices, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (iys_code, brand_code) DO UPDATE SET title = excluded.title, identity = excluded.identity,
                sms_account = excluded.sms_account, sms_from = excluded.sms_from, mail_account = excluded.mail_account, mail_from = excluded.mail_from,
                ret_number = excluded.ret_number, ret_keyword = excluded.ret_keyword, contact = excluded.contact, notices = excluded.notices,
                updated_at = excluded.updated_at";
    FIND = "SELECT iys_code, brand_code, title, identity, sms_account, sms_from, mail_account, mail_from, ret_number, ret_keyword, contact, notices, updated_at
            FROM message_senders WHERE iys_code = $1 AND brand_code = $2";
    REMOVE = "DELETE FROM message_senders WHERE iys_code = $1 AND brand_code = $2";
}

/// A brand as the sender of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// The company's title; of a tradesperson name and surname.
    pub title: String,
    /// MERSİS number; of a tradesperson the T.C. number.
    pub identity: String,
    /// The account of the settings for SMS; `None`: the default one.
    pub sms_account: Option<String>,
    /// The sender's name that the vendor has approved; `None`: the account's.
    pub sms_from: Option<String>,
    /// The account of the settings for e-mail; `None`: the default one.
    pub mail_account: Option<String>,
    /// The sender's address; `None`: the account's.
    pub mail_from: Option<String>,
    /// The number to which RET is sent.
    pub ret_number: Option<String>,
    /// The keyword before it, on a shared number.
    pub ret_keyword: Option<String>,
    /// Where else one says no: an address or a telephone number.
    pub contact: Option<String>,
    /// Whether electronic consents are answered by a notice on the same day.
    pub notices: bool,
    /// When it was set (wire time).
    pub updated_at: DateTime<Utc>,
}

/// Sets a brand's sender.
pub async fn save(tx: &mut Tx, row: &SenderRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.brand_code,
        row.title.as_str(),
        row.identity.as_str(),
        row.sms_account.as_deref(),
        row.sms_from.as_deref(),
        row.mail_account.as_deref(),
        row.mail_from.as_deref(),
        row.ret_number.as_deref(),
        row.ret_keyword.as_deref(),
        row.contact.as_deref(),
        row.notices,
        row.updated_at
    ];
    tx.execute(&SAVE, args).await.map(drop)
}

/// A brand's sender.
pub async fn find(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Option<SenderRow>> {
    tx.row(&FIND, args![provider, brand]).await?.map(|row| read(&row)).transpose()
}

/// Forgets a brand's sender; false when there was none.
pub async fn remove(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<bool> {
    Ok(tx.execute(&REMOVE, args![provider, brand]).await? == 1)
}

fn read(row: &Row) -> Result<SenderRow> {
    Ok(SenderRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        title: row.get(2)?,
        identity: row.get(3)?,
        sms_account: row.get(4)?,
        sms_from: row.get(5)?,
        mail_account: row.get(6)?,
        mail_from: row.get(7)?,
        ret_number: row.get(8)?,
        ret_keyword: row.get(9)?,
        contact: row.get(10)?,
        notices: row.get(11)?,
        updated_at: row.get(12)?,
    })
}
