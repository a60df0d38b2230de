//! A brand as the sender of messages: company title and number, accounts, and how one says no.

use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Text};
use kopru_store::messages::MessageChannel;
use kopru_store::senders::{self, SenderRow};
use kopru_store::{Priority, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult, brands, providers};

/// Longest sender's name, number, keyword or contact.
const LONGEST: usize = 100;

/// A brand as the sender of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// The brand.
    pub brand_code: i64,
    /// The company's title (ticaret unvanı); of a tradesperson name and surname.
    pub title: String,
    /// MERSİS number, 16 digits; of a tradesperson the T.C. number, 11 digits.
    pub identity: String,
    /// The account of the settings for SMS; missing: the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_account: Option<String>,
    /// The sender's name that the vendor has approved; missing: the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_from: Option<String>,
    /// The account of the settings for e-mail; missing: the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_account: Option<String>,
    /// The sender's address, with a name if wanted; missing: the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// The number to which RET is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret_number: Option<String>,
    /// The keyword before it, on a shared number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret_keyword: Option<String>,
    /// Where else one says no: an e-mail address, telephone number or page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether electronic consents are answered by a notice on the same day.
    pub notices: bool,
    /// When it was set, RFC 3339 with +03:00.
    pub updated_at: String,
}

impl From<SenderRow> for Sender {
    fn from(row: SenderRow) -> Self {
        Self {
            brand_code: row.brand_code.0,
            title: row.title,
            identity: row.identity,
            sms_account: row.sms_account,
            sms_from: row.sms_from,
            mail_account: row.mail_account,
            mail_from: row.mail_from,
            ret_number: row.ret_number,
            ret_keyword: row.ret_keyword,
            contact: row.contact,
            notices: row.notices,
            updated_at: format_rfc3339(row.updated_at),
        }
    }
}

/// What a brand's sender is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Sender`")]
pub struct NewSender {
    pub title: String,
    pub identity: String,
    pub sms_account: Option<String>,
    pub sms_from: Option<String>,
    pub mail_account: Option<String>,
    pub mail_from: Option<String>,
    pub ret_number: Option<String>,
    pub ret_keyword: Option<String>,
    pub contact: Option<String>,
    pub notices: bool,
}

/// Sets a brand's sender, all of it. Needs `admin`.
pub async fn set(app: &App, caller: &Caller, brand: BrandCode, new: NewSender) -> ServiceResult<Sender> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let new = checked(app, new)?;
    let row = SenderRow {
        iys_code: brand.iys_code,
        brand_code: brand.brand_code,
        title: new.title,
        identity: new.identity,
        sms_account: new.sms_account,
        sms_from: new.sms_from,
        mail_account: new.mail_account,
        mail_from: new.mail_from,
        ret_number: new.ret_number,
        ret_keyword: new.ret_keyword,
        contact: new.contact,
        notices: new.notices,
        updated_at: app.clocks.wire(),
    };
    senders::save(&mut tx, &row).await?;
    note(&mut tx, app, caller, &row, "sender.set").await?;
    tx.commit().await?;
    // What waited for an account may have one now.
    app.wake.wake();
    Ok(row.into())
}

/// A brand's sender. Needs `admin`.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<Sender> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = senders::find(&mut tx, brand.iys_code, brand.brand_code).await?;
    row.map(Sender::from).ok_or(ServiceError::NotFound("sender"))
}

/// Forgets a brand's sender: its messages go out by the settings' defaults, and no notices. Needs `admin`.
pub async fn remove(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = senders::find(&mut tx, brand.iys_code, brand.brand_code).await?;
    let row = row.ok_or(ServiceError::NotFound("sender"))?;
    senders::remove(&mut tx, row.iys_code, row.brand_code).await?;
    note(&mut tx, app, caller, &row, "sender.removed").await?;
    Ok(tx.commit().await?)
}

async fn note(tx: &mut Tx, app: &App, caller: &Caller, row: &SenderRow, action: &str) -> ServiceResult<()> {
    let subject = format!("sender of brand {}", row.brand_code);
    providers::note(tx, app, caller, row.iys_code, action, &subject).await
}

/// Everything that is wrong with it, at once.
fn checked(app: &App, new: NewSender) -> ServiceResult<NewSender> {
    let mut problems = Vec::new();
    let title = providers::checked_name("title", &new.title);
    let title = title.map_err(|problem| problems.push(problem)).unwrap_or_default();
    let identity = new.identity.trim().to_owned();
    if !matches!(identity.len(), 11 | 16) || !identity.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.push(problem(
            "identity",
            "identity",
            "16 haneli MERSİS numarası, esnaf için 11 haneli T.C. kimlik numarası yazın",
            "write the MERSİS number of 16 digits, or a tradesperson's T.C. number of 11",
        ));
    }
    for (channel, field, name) in [
        (MessageChannel::Sms, "smsAccount", &new.sms_account),
        (MessageChannel::Email, "mailAccount", &new.mail_account),
    ] {
        if name.as_ref().is_some_and(|name| !app.couriers.has(channel, name)) {
            problems.push(problem(
                field,
                "unknown_account",
                "ayarlarda bu adla bir hesap yok ([sms.accounts], [mail.accounts])",
                "the settings have no account of this name ([sms.accounts], [mail.accounts])",
            ));
        }
    }
    if new.mail_from.as_ref().is_some_and(|from| !kopru_mail::check_address(from)) {
        problems.push(problem(
            "mailFrom",
            "address",
            "bir e-posta adresi yazın, gerekirse adıyla: Örnek A.Ş. <onay@example.com>",
            "write an e-mail address, with a name if wanted: Örnek A.Ş. <onay@example.com>",
        ));
    }
    for (field, text) in [
        ("smsFrom", &new.sms_from),
        ("mailFrom", &new.mail_from),
        ("retNumber", &new.ret_number),
        ("retKeyword", &new.ret_keyword),
        ("contact", &new.contact),
    ] {
        let usable = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.contains(char::is_control)
        };
        if text.as_ref().is_some_and(|text| !usable(text)) {
            problems.push(problem(
                field,
                "text",
                "en çok 100 karakter, tek satır; boşsa alanı göndermeyin",
                "at most 100 characters on one line; leave the field out where it is empty",
            ));
        }
    }
    if new.notices && new.ret_number.is_none() && new.contact.is_none() {
        problems.push(problem(
            "contact",
            "no_ret_way",
            "bildirimler ret yolunu söylemek zorundadır: retNumber ya da contact yazın",
            "notices have to tell how to say no: write retNumber or contact",
        ));
    }
    if problems.is_empty() {
        Ok(NewSender { title, identity, ..new })
    } else {
        Err(ServiceError::Invalid(problems))
    }
}

fn problem(field: &str, code: &str, tr: &'static str, en: &'static str) -> FieldProblem {
    providers::field_problem(field, code, Text::fixed(tr, en))
}
