//! What citizens send to short numbers.
//!
//! What comes in is proved by the token in its address, kept as it is and answered ([`receiving`]); a worker reads it
//! ([`reading`]), finds the brand, asks the keyword engine and takes the consent in ([`acting`]). The vendors' inboxes are
//! read besides ([`polling`]). A text that nobody understands waits for a person, who may take it for a rejection or for nothing, and
//! never for an approval.

mod acting;
mod answers;
pub mod polling;
pub mod reading;
pub mod receiving;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Channel, IysCode, Lang, Recipient, Text};
use kopru_sms::Vendor;
use kopru_store::inbound::{self, ConnectionRow, Decided, InboundRow, InboundState, Unread};
use kopru_store::{Priority, ProviderKeys, StoreError, Tx, ids, random};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::config::is_loopback;
use crate::service::consents::{Showing, note_shown};
use crate::service::messages::enqueue;
use crate::service::push::hash_token;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands, providers};

/// Where vendors post or get; vendor and token follow.
const PATH: &str = "in/sms/";
/// Under which a vendor's secrets are sealed.
const SECRET: &str = "inbound_connections.sealed";
/// Under which what is known of a message is sealed.
const MESSAGE: &str = "inbound_messages.sealed";
/// What belongs to no provider.
const INSTALLATION: IysCode = IysCode(0);
/// The vendors that push. The file of trials does not.
pub const VENDORS: &[&str] = &["verimor", "netgsm", "iletimerkezi", "twilio", "http"];

/// Where a vendor pushes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboundConnection {
    /// Identity.
    pub id: Uuid,
    /// `verimor`, `netgsm`, `iletimerkezi`, `twilio` or `http`.
    #[schema(example = "verimor")]
    pub vendor: String,
    /// The address to be given to the vendor; its token is shown when it is made, and never again.
    #[schema(example = "https://kopru.example.com/in/sms/verimor/…")]
    pub url: String,
    /// Whether the vendor signs and the signature is checked.
    pub signed: bool,
    /// Whether the vendor's inbox is read as well.
    pub inbox: bool,
    /// When the inbox was last read, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_read_at: Option<String>,
    /// Why it could not be read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_error: Option<String>,
    /// When something came in last, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<String>,
    /// When it was added.
    pub created_at: String,
}

/// How a vendor's inbox is read. `Debug` shows no secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Inbox {
    /// The account: user name, or the API key.
    pub username: String,
    /// Its password, or the key's hash.
    pub password: String,
    /// Where the vendor's interface is, where it is not where it says.
    pub url: Option<String>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What is to be known of a vendor.
#[derive(Debug, Clone, Default)]
pub struct NewConnection {
    /// The secret with which it signs.
    pub signing_secret: Option<String>,
    /// Its inbox.
    pub inbox: Option<Inbox>,
}

/// What is kept sealed of a connection.
#[derive(Default, Serialize, Deserialize)]
struct Secrets {
    signing: Option<String>,
    inbox: Option<Inbox>,
}

impl Secrets {
    fn seal(&self, app: &App) -> Vec<u8> {
        app.vault.master().seal(SECRET, &serde_json::to_vec(self).unwrap_or_default())
    }

    fn open(app: &App, row: &ConnectionRow) -> ServiceResult<Self> {
        let Some(sealed) = &row.sealed else { return Ok(Self::default()) };
        let json = app.vault.master().open(SECRET, sealed)?;
        let corrupt = |_| StoreError::Corrupt { what: "inbound_connections", detail: "sealed".to_owned() };
        Ok(serde_json::from_slice(&json).map_err(corrupt)?)
    }
}

/// A message of a citizen, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboundMessage {
    /// Identity.
    pub id: Uuid,
    /// The brand.
    pub brand_code: i64,
    /// The number it was sent to.
    pub number: String,
    /// Who sent it; masked unless the key has `recipients:read`.
    pub sender: String,
    /// What was written.
    pub text: String,
    /// `approval`, `rejection`, `unknown` (waits for a person), `rejected` or `dismissed` (a person decided).
    #[schema(value_type = String, example = "unknown")]
    pub state: &'static str,
    /// Why, in the caller's language.
    pub why: String,
    /// A stable word for the reason.
    pub reason: String,
    /// The channels that it was about.
    #[schema(value_type = Vec<String>)]
    pub channels: Vec<Channel>,
    /// The consents that were made of it.
    pub consents: Vec<Uuid>,
    /// Whether the citizen was answered.
    pub answered: bool,
    /// When the operator received it, RFC 3339 with +03:00.
    pub received_at: String,
    /// Who decided by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
}

/// What is kept sealed of a message.
#[derive(Clone, Serialize, Deserialize)]
struct Sealed {
    sender: String,
    text: String,
    /// The vendor's record.
    raw: String,
    vendor: String,
    message_id: Option<String>,
    keyword: Option<String>,
    why: Text,
    channels: Vec<Channel>,
    consents: Vec<Uuid>,
}

impl Sealed {
    fn seal(&self, keys: &ProviderKeys) -> Vec<u8> {
        keys.seal(MESSAGE, &serde_json::to_vec(self).unwrap_or_default())
    }

    fn sender(&self) -> ServiceResult<Recipient> {
        let corrupt = |_| StoreError::Corrupt { what: "inbound_messages", detail: "sender".to_owned() };
        Ok(Recipient::from_canonical(&self.sender).map_err(corrupt)?)
    }

    fn open(keys: &ProviderKeys, row: &InboundRow) -> ServiceResult<Self> {
        let json = keys.open(MESSAGE, &row.sealed)?;
        let corrupt = |_| StoreError::Corrupt { what: "inbound_messages", detail: "sealed".to_owned() };
        Ok(serde_json::from_slice(&json).map_err(corrupt)?)
    }
}

/// Makes an address for a vendor's pushes. Numbers and accounts are the installation's: only keys that belong to no provider may.
pub async fn connect_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    vendor: &str,
    new: NewConnection,
) -> ServiceResult<InboundConnection> {
    require_operator(caller)?;
    let Some(base) = app.config.http.public_base() else {
        return Err(ServiceError::Conflict(Text::fixed(
            "operatörün bu hizmete ulaşacağı adresi http.public_url ayarına yazın",
            "set http.public_url to the address under which the vendor reaches this service",
        )));
    };
    let Some(vendor) = vendor.parse::<Vendor>().ok().filter(|_| VENDORS.contains(&vendor)) else {
        let list = VENDORS.join(", ");
        let title = Text::new(format!("şunlardan biri olmalı: {list}"), format!("it must be one of {list}"));
        return Err(providers::invalid("vendor", "vendor", title));
    };
    let NewConnection { signing_secret, inbox } = new;
    if (vendor == Vendor::Twilio) != signing_secret.is_some() {
        let title = Text::fixed(
            "twilio için hesabın auth token değerini yazın, diğer operatörler için boş bırakın",
            "write the account's auth token for twilio, and leave it out for other vendors, which do not sign",
        );
        return Err(providers::invalid("signingSecret", "signing_secret", title));
    }
    if let Some(inbox) = &inbox {
        check_inbox(vendor, inbox)?;
    }
    let secrets = Secrets { signing: signing_secret.map(|secret| secret.trim().to_owned()), inbox };
    let token = URL_SAFE_NO_PAD.encode(random::<32>());
    let now = app.clocks.wire();
    let row = ConnectionRow {
        id: ids::new_id(now),
        vendor: vendor.as_str().to_owned(),
        token_hash: hash_token(&token).to_vec(),
        sealed: Some(secrets.seal(app)),
        last_at: None,
        created_at: now,
    };
    inbound::add_connection(tx, &row).await?;
    providers::note(tx, app, caller, INSTALLATION, "inbound.connected", &row.id.to_string()).await?;
    let url = format!("{base}{PATH}{vendor}/{token}");
    Ok(InboundConnection { url, ..connection(tx, app, row).await? })
}

/// As [`connect_in`], in a transaction of its own.
pub async fn connect(
    app: &App,
    caller: &Caller,
    vendor: &str,
    new: NewConnection,
) -> ServiceResult<InboundConnection> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let made = connect_in(&mut tx, app, caller, vendor, new).await?;
    tx.commit().await?;
    Ok(made)
}

/// All connections, by age.
pub async fn connections(app: &App, caller: &Caller) -> ServiceResult<Vec<InboundConnection>> {
    require_operator(caller)?;
    let mut tx = app.db.read().await?;
    let mut list = Vec::new();
    for row in inbound::connections(&mut tx).await? {
        list.push(connection(&mut tx, app, row).await?);
    }
    Ok(list)
}

/// Takes nothing more through a connection.
pub async fn disconnect(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<()> {
    require_operator(caller)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    if !inbound::remove_connection(&mut tx, id).await? {
        return Err(ServiceError::NotFound("inbound connection"));
    }
    providers::note(&mut tx, app, caller, INSTALLATION, "inbound.disconnected", &id.to_string()).await?;
    Ok(tx.commit().await?)
}

/// Messages to a brand in a state, after a place, by age.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    state: InboundState,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<InboundMessage>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let after = after.unwrap_or(Uuid::nil());
    let rows = inbound::list(&mut tx, brand.iys_code, brand.brand_code, state, after, limit).await?;
    drop(tx);
    let showing = Showing::to(caller);
    if showing == Showing::Full && !rows.is_empty() {
        let subject = format!("{} messages to brand {}", rows.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "recipient.shown", &subject).await?;
    }
    rows.into_iter().map(|row| view(&keys, row, showing, caller.lang)).collect()
}

/// What waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Messages that were not understood: by brand how many, and since when the oldest.
    pub unknown: Vec<(BrandCode, i64, DateTime<Utc>)>,
    /// What vendors pushed and nobody could place or read.
    pub unread: Vec<Unread>,
}

/// What waits for a person, of the whole installation.
pub async fn waiting(app: &App) -> ServiceResult<Waiting> {
    let mut tx = app.db.read().await?;
    Ok(Waiting { unknown: inbound::waiting(&mut tx).await?, unread: inbound::unread(&mut tx).await? })
}

/// What a person makes of a message that nobody understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A rejection of these channels.
    Rejection(Vec<Channel>),
    /// Nothing.
    Dismissal,
}

/// Decides a message that waits for a person. It is never an approval: those are exact, or none. Needs `consents:write`.
pub async fn decide(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    id: Uuid,
    decision: Decision,
) -> ServiceResult<InboundMessage> {
    caller.require(Scope::ConsentsWrite)?;
    let (brand, row, keys) = {
        let mut tx = app.db.read().await?;
        let brand = brands::visible(&mut tx, caller, brand).await?;
        let row = inbound::find(&mut tx, brand.iys_code, id).await?;
        let row = row.filter(|row| row.brand_code == brand.brand_code);
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        (brand, row.ok_or(ServiceError::NotFound("inbound message"))?, keys)
    };
    if row.state != InboundState::Unknown {
        return Err(decided());
    }
    let sealed = Sealed::open(&keys, &row)?;
    let (state, action, confirmation) = match &decision {
        Decision::Rejection(channels) => {
            // On the heap: an intake is a large future.
            let known = Box::pin(acting::reject_by_hand(app, caller, &row, &sealed, channels)).await?;
            let told = answers::by_hand(app, &known, &row, sealed.sender()?, channels);
            (InboundState::Rejected, "inbound.rejected", Some(told))
        }
        Decision::Dismissal => (InboundState::Dismissed, "inbound.dismissed", None),
    };
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let answered = confirmation.is_some();
    let decision = Decided { state, by: &caller.actor, at: app.clocks.business(), answered };
    if !inbound::decide(&mut tx, brand.iys_code, id, decision).await? {
        return Err(decided());
    }
    if let Some(confirmation) = confirmation {
        enqueue(&mut tx, app, confirmation).await?;
    }
    providers::note(&mut tx, app, caller, brand.iys_code, action, &id.to_string()).await?;
    let row =
        inbound::find(&mut tx, brand.iys_code, id).await?.ok_or(ServiceError::NotFound("inbound message"))?;
    tx.commit().await?;
    app.wake.wake();
    view(&keys, row, Showing::to(caller), caller.lang)
}

fn decided() -> ServiceError {
    ServiceError::Conflict(Text::fixed("bu mesaj karara bağlanmış", "this message is decided already"))
}

/// What belongs to no provider is for those who belong to none.
fn require_operator(caller: &Caller) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    if caller.provider.is_none() { Ok(()) } else { Err(ServiceError::MissingScope(Scope::Admin)) }
}

fn check_inbox(vendor: Vendor, inbox: &Inbox) -> ServiceResult<()> {
    if !vendor.has_inbox() {
        let title =
            Text::fixed("bu operatörün okunacak bir gelen kutusu yok", "this vendor has no inbox to be read");
        return Err(providers::invalid("inbox", "no_inbox", title));
    }
    let usable = |text: &str| {
        text.parse::<Url>()
            .is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
    };
    if inbox.url.as_deref().is_some_and(|url| !usable(url)) {
        let title =
            Text::fixed("https ile başlayan bir adres yazın", "write an address that begins with https");
        return Err(providers::invalid("inbox.url", "url", title));
    }
    Ok(())
}

async fn connection(tx: &mut Tx, app: &App, row: ConnectionRow) -> ServiceResult<InboundConnection> {
    let secrets = Secrets::open(app, &row)?;
    let poll = inbound::find_poll(tx, &row.id.to_string()).await?;
    let base = app.config.http.public_base().map_or_else(|| "/".to_owned(), |url| url.to_string());
    let (read_at, error) = poll.unwrap_or_default();
    Ok(InboundConnection {
        id: row.id,
        url: format!("{base}{PATH}{}/…", row.vendor),
        vendor: row.vendor,
        signed: secrets.signing.is_some(),
        inbox: secrets.inbox.is_some(),
        inbox_read_at: read_at.map(format_rfc3339),
        inbox_error: error,
        last_at: row.last_at.map(format_rfc3339),
        created_at: format_rfc3339(row.created_at),
    })
}

fn view(keys: &ProviderKeys, row: InboundRow, showing: Showing, lang: Lang) -> ServiceResult<InboundMessage> {
    let sealed = Sealed::open(keys, &row)?;
    Ok(InboundMessage {
        id: row.id,
        brand_code: row.brand_code.0,
        number: row.number,
        sender: showing.apply(&sealed.sender),
        text: sealed.text,
        state: row.state.as_str(),
        why: sealed.why.get(lang).to_owned(),
        reason: row.reason,
        channels: sealed.channels,
        consents: sealed.consents,
        answered: row.answered,
        received_at: format_rfc3339(row.received_at),
        decided_by: row.decided_by,
        decided_at: row.decided_at.map(format_rfc3339),
    })
}
