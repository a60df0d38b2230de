//! Double opt-in: what somebody typed becomes a consent when the owner of the address has confirmed it, with a code by SMS or a
//! link by e-mail (rules: [`kopru_domain::opt_in`]). Where a brand, a form or a caller wants it, the registry sends and records it
//! instead ([`via`]).
//!
//! What is sent is queued in the transaction that remembers it; the database holds an HMAC of a code, bound to the process, the
//! form, the address and the versions of the texts. A confirmation is committed before anything is filed, with its moment as the
//! date of consent, and filed again by housekeeping if the process dies in between: the name of the process makes that one consent.

mod again;
mod asked;
mod settling;
mod start;
mod view;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::evidence::Door;
use kopru_domain::opt_in::{self, Asker, Attempt, OptInState, Process, SENDS_WITHIN, TRIES, Way};
use kopru_domain::time::truncate_seconds;
use kopru_domain::via::ViaState;
use kopru_domain::{Channel, Evidence, IysCode, Lang, ProviderSource, Recipient, RecipientType};
use kopru_store::opt_ins::{self as rows, OptInRow};
use kopru_store::senders::SenderRow;
use kopru_store::{Key, Priority, ProviderKeys, StoreError, Tx, ids, providers, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::messages::{self, Content, MessageChannel, NewMessage, Purpose};
use crate::service::via::{self, ViaWay, Wanted};
use crate::service::{Caller, Scope, ServiceError, ServiceResult};

use again::may_ask_again;

pub use again::again;
pub use asked::Asked;
pub use settling::{purge, tend};
pub use start::{NewOptIn, start_in};
pub use view::{OptIn, get, list};

/// Under which the process is sealed.
const SEALED: &str = "opt_ins.sealed";
/// Characters of a token: 128 random bits in base64url.
const TOKEN_LENGTH: usize = 22;
/// The registry tells of the end of a process some time after it.
const MARGIN: TimeDelta = TimeDelta::hours(2);

/// What somebody typed, of one address: what a confirmation makes. It is kept sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ask {
    /// The form or campaign.
    pub origin: String,
    /// The door it came through.
    pub door: Door,
    /// The source that its consents are filed with.
    pub source: ProviderSource,
    /// Whose address it is to be.
    #[serde(with = "canonical")]
    pub recipient: Recipient,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// What is agreed to: e-mail alone, or messages, calls, or both.
    pub channels: Vec<Channel>,
    /// The retailer who takes it.
    pub retailer_code: Option<i64>,
    /// The client's own reference.
    pub reference: Option<String>,
    /// What was shown, and who looked at it.
    pub evidence: Evidence,
    /// Where more can be read.
    pub info: Option<String>,
    /// The client's network address, by which sends are counted as well.
    pub client: Option<IpAddr>,
    /// The language of what is sent.
    pub lang: Lang,
    /// The link of ours that led to it.
    #[serde(default)]
    pub link: Option<Uuid>,
}

/// What became of a code or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Confirmed, now or before.
    Confirmed,
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u32,
    },
    /// Too old: ask for a new one.
    TooOld,
    /// Ended without a confirmation.
    Ended,
    /// The registry cannot be asked at present, or another press is being looked at: the same once more in a moment.
    Later,
}

/// A process as the person's page shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Code or link.
    pub way: Way,
    /// How far it has come.
    pub state: OptInState,
    /// Until when what was sent last is good (wire time).
    pub good_until: DateTime<Utc>,
    /// Title of the provider.
    pub title: String,
    /// Its MERSİS number, or a tradesperson's T.C. number.
    pub identity: String,
    /// The address, masked.
    pub recipient: String,
    /// What is confirmed.
    pub channels: Vec<Channel>,
    /// The language of the form.
    pub lang: Lang,
    /// How far the registry is with it; `None` where we ask ourselves.
    pub via: Option<ViaState>,
    /// Whether a new code may be asked for.
    pub may_ask_again: bool,
}

/// Asks the owner of an address to confirm it, by us or the registry. `base` is where links of ours lead.
pub async fn ask(
    app: &App,
    brand: &KnownBrand,
    base: &str,
    wanted: Wanted,
    ask: Ask,
) -> ServiceResult<Asked> {
    brand.require_active()?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let asked = ask_as(&mut tx, app, brand, base, wanted, ask).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(asked)
}

/// As [`ask`], in the caller's transaction. Wake the workers afterwards.
async fn ask_as(
    tx: &mut Tx,
    app: &App,
    brand: &KnownBrand,
    base: &str,
    wanted: Wanted,
    ask: Ask,
) -> ServiceResult<Asked> {
    match via::way(tx, &brand.row, wanted, &ask.channels).await? {
        Ok(way) => ask_in(tx, app, brand, base, way, ask).await,
        Err(problem) => Ok(Asked::Unfit(problem)),
    }
}

async fn ask_in(
    tx: &mut Tx,
    app: &App,
    brand: &KnownBrand,
    base: &str,
    registry: Option<ViaWay>,
    ask: Ask,
) -> ServiceResult<Asked> {
    if registry.is_none() && brand.sender.is_none() {
        return Ok(Asked::NoSender);
    }
    if registry.is_some()
        && let Some(stop) = via::stop(tx, app, &brand.row).await?
    {
        return Ok(Asked::Stopped { code: stop.code });
    }
    let way = registry.map_or_else(|| way_of(&ask), |registry| registry.verification.way());
    let (life, patience) = match registry {
        Some(registry) => (registry.verification.life(), patience_with(registry)),
        None => (way.life(), way.patience()),
    };
    let provider = brand.row.iys_code;
    let now = app.clocks.wire();
    let keys = app.vault.keys(tx, provider).await?;
    let address = keys.address_key(ask.recipient.as_str());
    let senders = senders(&keys, address, ask.client);
    if let Some(again_at) = too_often(tx, provider, &senders, now).await? {
        return Ok(Asked::TooOften { again_at });
    }
    let token = URL_SAFE_NO_PAD.encode(random::<16>());
    let sealed = serde_json::to_vec(&ask).map_err(|_| corrupt())?;
    let mut row = OptInRow {
        iys_code: provider,
        id: ids::new_id(now),
        brand_code: brand.row.brand_code,
        origin: ask.origin.clone(),
        way,
        state: OptInState::Pending,
        token_hash: hash(&token),
        proof: Vec::new(),
        address,
        sealed: keys.seal(SEALED, &sealed),
        good_until: now + life,
        ends_at: now + patience,
        wrong: 0,
        sends: 0,
        confirmed_at: None,
        created_at: now,
    };
    if let Some(sender) = brand.sender.as_deref().filter(|_| registry.is_none()) {
        send(tx, app, (&keys, sender), &mut row, &ask, &link(base, &token)).await?;
    }
    rows::add(tx, &row).await?;
    if let Some(registry) = registry {
        via::queue(tx, app, &row, registry, ask.link).await?;
    }
    for sender in senders {
        rows::sent(tx, provider, sender, now, row.id).await?;
    }
    let good_until = row.good_until;
    Ok(match way {
        Way::Code => Asked::Code { token, good_until, by_registry: registry.is_some() },
        Way::Link => Asked::Link { token: registry.map(|_| token), good_until },
    })
}

/// How long the page of a process of the registry is waited for, in our own clock: the registry tells when it has ended.
fn patience_with(way: ViaWay) -> TimeDelta {
    way.verification.way().patience().min(way.verification.start_within() + way.verification.life() + MARGIN)
}

/// What a person's page shows. Looking changes nothing that counts: scanners of mail look, too.
pub async fn look(app: &App, token: &str) -> ServiceResult<Shown> {
    let row = find(app, token).await?;
    let brand = brands::load(app, row.brand_code).await?.ok_or(ServiceError::NotFound("brand"))?;
    let (keys, process, provider) = {
        let mut tx = app.db.read().await?;
        let keys = app.vault.keys(&mut tx, row.iys_code).await?;
        (keys, via::process(&mut tx, &row).await?, providers::find(&mut tx, row.iys_code).await?)
    };
    let ask = opened(&keys, &row)?;
    let sender = brand.sender.as_deref();
    let now = app.clocks.wire();
    let state = state_at(&row, now);
    let title = sender.map(|sender| sender.title.clone());
    Ok(Shown {
        way: row.way,
        state,
        good_until: row.good_until,
        title: title.or(provider.map(|provider| provider.title)).unwrap_or_default(),
        identity: sender.map(|sender| sender.identity.clone()).unwrap_or_default(),
        recipient: ask.recipient.masked(),
        channels: ask.channels,
        lang: ask.lang,
        may_ask_again: match &process {
            Some(process) => may_ask_again(&row, process, now),
            None => row.way == Way::Code && state == OptInState::Pending,
        },
        via: process.map(|process| process.state),
    })
}

/// Takes a code that a client's own page was given for a process of its brand. Needs `consents:write`.
pub async fn confirm_of(
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    token: &str,
    code: &str,
) -> ServiceResult<Answered> {
    caller.require(Scope::ConsentsWrite)?;
    let row = find(app, token).await?;
    // A link is pressed by the person alone.
    if row.brand_code != brand.row.brand_code || row.way != Way::Code {
        return Err(ServiceError::NotFound("opt-in"));
    }
    confirm(app, token, Some(code)).await
}

/// Takes a code, or the press of a link's button (no code), and files what it confirms.
pub async fn confirm(app: &App, token: &str, code: Option<&str>) -> ServiceResult<Answered> {
    let found = find(app, token).await?;
    let process = {
        let mut tx = app.db.read().await?;
        via::process(&mut tx, &found).await?
    };
    if let Some(process) = process {
        return Box::pin(via::confirm(app, found, process, code)).await;
    }
    let now = app.clocks.wire();
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let mut row = locked(&mut tx, &found).await?;
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let ask = opened(&keys, &row)?;
    let told = match row.way {
        Way::Code => code.and_then(opt_in::read_code).unwrap_or_default(),
        Way::Link => String::new(),
    };
    let right: bool = proof(&keys, &row, &ask, &told).ct_eq(&row.proof[..]).into();
    let process = Process {
        state: state_at(&row, now),
        good_until: row.good_until,
        wrong: u32::try_from(row.wrong).unwrap_or(TRIES),
    };
    let attempt = process.attempt(right, now);
    match attempt {
        Attempt::Right => {
            row.state = OptInState::Confirmed;
            row.confirmed_at = Some(truncate_seconds(app.clocks.business()));
        }
        Attempt::Wrong { left } => {
            row.wrong += 1;
            row.state = if left == 0 { OptInState::Abandoned } else { row.state };
        }
        Attempt::Already | Attempt::TooOld | Attempt::Ended => {}
    }
    rows::save(&mut tx, &row).await?;
    tx.commit().await?;
    metrics::counter!("opt_in_attempts_total", "outcome" => word(attempt)).increment(1);
    if row.state == OptInState::Confirmed {
        settling::file(app, &row, ask).await?;
    }
    Ok(match attempt {
        Attempt::Right | Attempt::Already => Answered::Confirmed,
        Attempt::Wrong { left: 0 } | Attempt::Ended => Answered::Ended,
        Attempt::Wrong { left } => Answered::Wrong { left },
        Attempt::TooOld => Answered::TooOld,
    })
}

/// By whom sends are counted: the address, and the client where it is known.
fn senders(keys: &ProviderKeys, address: Key, client: Option<IpAddr>) -> Vec<Key> {
    let client = client.map(|client| keys.client_key(&client.to_string()));
    [Some(address), client].into_iter().flatten().collect()
}

/// When something may be sent again, where too much was.
async fn too_often(
    tx: &mut Tx,
    provider: IysCode,
    senders: &[Key],
    now: DateTime<Utc>,
) -> ServiceResult<Option<DateTime<Utc>>> {
    let mut latest = None;
    for sender in senders {
        let sends = rows::sends(tx, provider, *sender, now - SENDS_WITHIN).await?;
        latest = latest.max(opt_in::may_send(&sends, now).err());
    }
    Ok(latest)
}

/// Queues a code or link, and keeps its proof.
async fn send(
    tx: &mut Tx,
    app: &App,
    (keys, sender): (&ProviderKeys, &SenderRow),
    row: &mut OptInRow,
    ask: &Ask,
    link: &str,
) -> ServiceResult<()> {
    let asker = Asker { title: &sender.title, identity: Some(&sender.identity), info: ask.info.as_deref() };
    let code = if row.way == Way::Code { new_code() } else { String::new() };
    row.proof = proof(keys, row, ask, &code);
    row.sends += 1;
    let (channel, content) = match row.way {
        Way::Code => {
            let text = opt_in::code_message(asker, &ask.channels, &code, ask.lang);
            (MessageChannel::Sms, Content::sms(text))
        }
        Way::Link => {
            let (subject, text) = opt_in::link_message(asker, link, ask.lang);
            (MessageChannel::Email, Content { subject: Some(subject), text, ..Content::default() })
        }
    };
    let new = NewMessage {
        provider: row.iys_code,
        brand: row.brand_code,
        channel,
        recipient: ask.recipient.clone(),
        purpose: Purpose::Code,
        content,
        dedupe: format!("opt-in:{}:{}", row.id, row.sends),
        not_after: Some(app.clocks.business() + row.way.life()),
    };
    messages::enqueue(tx, app, new).await?;
    Ok(())
}

fn new_code() -> String {
    loop {
        if let Some(code) = opt_in::code_from(u32::from_be_bytes(random::<4>())) {
            return code;
        }
    }
}

/// What shows that somebody has got what was sent: bound to the process, its form, its address and the texts that were shown.
fn proof(keys: &ProviderKeys, row: &OptInRow, ask: &Ask, code: &str) -> Vec<u8> {
    let text = |shown: &Option<kopru_domain::ShownText>| {
        shown.as_ref().map(|shown| serde_json::to_vec(shown).unwrap_or_default()).unwrap_or_default()
    };
    let parts: [&[u8]; 6] = [
        row.id.as_bytes(),
        row.origin.as_bytes(),
        ask.recipient.as_str().as_bytes(),
        &text(&ask.evidence.text),
        &text(&ask.evidence.notice),
        code.as_bytes(),
    ];
    keys.proof(&parts).to_vec()
}

fn way_of(ask: &Ask) -> Way {
    match ask.recipient {
        Recipient::Email(_) => Way::Link,
        Recipient::Phone(_) => Way::Code,
    }
}

fn link(base: &str, token: &str) -> String {
    format!("{}/c/{token}", base.trim_end_matches('/'))
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

async fn find(app: &App, token: &str) -> ServiceResult<OptInRow> {
    let unknown = ServiceError::NotFound("opt-in");
    if token.len() != TOKEN_LENGTH {
        return Err(unknown);
    }
    let mut tx = app.db.read().await?;
    rows::by_token(&mut tx, &hash(token)).await?.ok_or(unknown)
}

async fn locked(tx: &mut Tx, found: &OptInRow) -> ServiceResult<OptInRow> {
    rows::lock(tx, found.iys_code, found.id).await?.ok_or(ServiceError::NotFound("opt-in"))
}

/// How far a process has come: housekeeping may not have ended yet what nobody confirmed in time.
fn state_at(row: &OptInRow, now: DateTime<Utc>) -> OptInState {
    if row.state == OptInState::Pending && row.ends_at < now { OptInState::Abandoned } else { row.state }
}

pub(in crate::service) fn opened(keys: &ProviderKeys, row: &OptInRow) -> ServiceResult<Ask> {
    serde_json::from_slice(&keys.open(SEALED, &row.sealed)?).map_err(|_| corrupt())
}

fn corrupt() -> ServiceError {
    StoreError::Corrupt { what: "opt_ins", detail: "shape".to_owned() }.into()
}

fn word(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::Right => "confirmed",
        Attempt::Already => "already",
        Attempt::Wrong { .. } => "wrong",
        Attempt::TooOld => "too_old",
        Attempt::Ended => "ended",
    }
}

/// An address as it is kept.
mod canonical {
    use kopru_domain::Recipient;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(recipient: &Recipient, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(recipient.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Recipient, D::Error> {
        let text = String::deserialize(deserializer)?;
        Recipient::from_canonical(&text).map_err(|_| D::Error::custom("no canonical address"))
    }
}
