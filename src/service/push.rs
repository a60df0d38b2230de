//! Receivers of the registry's pushes (registry-protocol section 8): at most two for each channel of a brand, each with a token
//! and a pair of credentials of its own.
//!
//! A receiver is added and removed here, in the database; a worker tells the registry ([`registering`]). What comes in is kept
//! as it is before it is answered ([`receiving`]), and merged by a worker ([`merging`]). Push is a hint and the pull the truth:
//! a refusal acts at once, an approval when the feed confirms it. Whether push can be relied on is watched ([`watch`]).

pub mod merging;
pub mod receiving;
pub mod registering;
pub(in crate::service) mod watch;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Channel, Lang, Text};
use kopru_store::push::{self, ConnectionRow, ConnectionState};
use kopru_store::{Priority, StoreError, Tx, heads, ids, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::config::{Config, is_loopback};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands, providers};

/// The registry's bound for a channel of a brand (registry-protocol section 6).
const MOST: usize = 2;
/// Where the registry posts; the token follows.
const PATH: &str = "hooks/iys/";
const SEALED: &str = "push_connections.sealed";

/// A receiver as it is shown: without its token and its credentials, which only the registry needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushConnection {
    /// Identity.
    pub id: Uuid,
    /// The brand.
    pub brand_code: i64,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: &'static str,
    /// `registering` (the registry is being told), `active`, `lost` (the registry does not list it any more and is told anew),
    /// `refused`, `removing`.
    #[schema(value_type = String, example = "active")]
    pub state: &'static str,
    /// Whether push can be relied on: the registry has confirmed the connection lately, and no movement was missed within a day.
    pub alive: bool,
    /// Where the registry posts; the token is left out.
    #[schema(example = "https://kopru.example.com/hooks/iys/…")]
    pub url: String,
    /// Since when the registry pushes, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_since: Option<String>,
    /// When the registry last said that it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// When a movement was last found in the change feed that should have been pushed and was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_at: Option<String>,
    /// When something was last pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_push_at: Option<String>,
    /// Pushes of the last days that could not be read.
    pub unreadable: i64,
    /// The registry's code, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the code means and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Why the registry could not be told or asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was added.
    pub created_at: String,
}

/// What the registry is told of a receiver, and wants to see again at the removal.
#[derive(Clone, Serialize, Deserialize)]
struct Secrets {
    url: String,
    username: String,
    password: String,
}

impl Secrets {
    fn seal(&self, app: &App) -> Vec<u8> {
        app.vault.master().seal(SEALED, &serde_json::to_vec(self).unwrap_or_default())
    }

    fn open(app: &App, sealed: &[u8]) -> ServiceResult<Self> {
        let json = app.vault.master().open(SEALED, sealed)?;
        let unreadable = StoreError::Corrupt { what: "push_connections", detail: "sealed".to_owned() };
        serde_json::from_slice(&json).map_err(|_| unreadable.into())
    }
}

/// SHA-256 of a token, which has 256 random bits.
pub(in crate::service) fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// SHA-256 of name and password, as HTTP Basic joins them.
fn hash_credentials(joined: &[u8]) -> [u8; 32] {
    Sha256::digest(joined).into()
}

/// Adds a receiver for a channel of a brand, with a token and credentials of its own. The registry is told by a worker. Needs
/// `admin`.
pub async fn add_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    channel: Channel,
) -> ServiceResult<PushConnection> {
    caller.require(Scope::Admin)?;
    let brand = brands::visible(tx, caller, brand).await?;
    if !brand.active {
        return Err(conflict("marka kapatılmış", "the brand is disabled"));
    }
    let base = base_url(&app.config)?;
    // Two requests at once must not both find the last place free.
    heads::lock(tx, brand.iys_code).await?;
    let taken = push::of_brand(tx, brand.iys_code, brand.brand_code).await?;
    let counts = |row: &&ConnectionRow| row.channel == channel && row.state != ConnectionState::Refused;
    if taken.iter().filter(counts).count() >= MOST {
        return Err(conflict(
            "İYS bir marka ve izin türü için en çok iki alıcı kabul eder; önce birini kaldırın",
            "the registry takes two receivers at most for a brand and type; remove one first",
        ));
    }
    let token = URL_SAFE_NO_PAD.encode(random::<32>());
    let secrets = Secrets {
        url: format!("{base}{PATH}{token}"),
        username: format!("kopru-{}", hex::encode(random::<4>())),
        password: URL_SAFE_NO_PAD.encode(random::<32>()),
    };
    let joined = format!("{}:{}", secrets.username, secrets.password);
    let now = app.clocks.wire();
    let row = ConnectionRow {
        iys_code: brand.iys_code,
        id: ids::new_id(now),
        brand_code: brand.brand_code,
        channel,
        state: ConnectionState::Registering,
        token_hash: hash_token(&token).to_vec(),
        credentials_hash: hash_credentials(joined.as_bytes()).to_vec(),
        sealed: secrets.seal(app),
        code: None,
        active_since: None,
        confirmed_at: None,
        gap_at: None,
        attempt: 0,
        next_attempt_at: app.clocks.business(),
        last_error: None,
        created_at: now,
    };
    push::add(tx, &row).await?;
    providers::note(tx, app, caller, brand.iys_code, "push.added", &row.id.to_string()).await?;
    view(tx, app, caller.lang, row).await
}

/// As [`add_in`], in a transaction of its own, and tells the registry at once; for a process without workers.
pub async fn add(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    channel: Channel,
) -> ServiceResult<PushConnection> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let added = add_in(&mut tx, app, caller, brand, channel).await?;
    tx.commit().await?;
    registering::now(app, added.id).await?;
    get(app, caller, brand, added.id).await
}

/// The receivers of a brand, by channel and age.
pub async fn list(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<Vec<PushConnection>> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let mut list = Vec::new();
    for row in push::of_brand(&mut tx, brand.iys_code, brand.brand_code).await? {
        list.push(view(&mut tx, app, caller.lang, row).await?);
    }
    Ok(list)
}

/// One receiver.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<PushConnection> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    let row = find(&mut tx, caller, brand, id).await?;
    view(&mut tx, app, caller.lang, row).await
}

/// Lets the registry be rid of a receiver; it disappears once that is done. Doing it twice changes nothing. Needs `admin`.
pub async fn remove(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<PushConnection> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = find(&mut tx, caller, brand, id).await?;
    if push::remove(&mut tx, row.iys_code, id, app.clocks.business()).await? {
        providers::note(&mut tx, app, caller, row.iys_code, "push.removed", &id.to_string()).await?;
    }
    let row = ConnectionRow { state: ConnectionState::Removing, last_error: None, ..row };
    let removed = view(&mut tx, app, caller.lang, row).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(removed)
}

async fn find(tx: &mut Tx, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<ConnectionRow> {
    let brand = brands::visible(tx, caller, brand).await?;
    let rows = push::of_brand(tx, brand.iys_code, brand.brand_code).await?;
    rows.into_iter().find(|row| row.id == id).ok_or(ServiceError::NotFound("push connection"))
}

async fn view(tx: &mut Tx, app: &App, lang: Lang, row: ConnectionRow) -> ServiceResult<PushConnection> {
    let url = Secrets::open(app, &row.sealed)?.url;
    let shown = url.split_once(PATH).map_or("…".to_owned(), |(base, _)| format!("{base}{PATH}…"));
    let lagging = watch::is_lagging(app, tx, row.iys_code, row.brand_code).await?;
    let explanation = row.code.as_deref().and_then(iys::codes::lookup).map(|info| match lang {
        Lang::Tr => info.tr.to_owned(),
        Lang::En => info.en.to_owned(),
    });
    Ok(PushConnection {
        id: row.id,
        brand_code: row.brand_code.0,
        channel: row.channel.as_str(),
        state: row.state.as_str(),
        alive: !lagging && watch::is_alive(app, &row, app.clocks.business()),
        url: shown,
        active_since: row.active_since.map(format_rfc3339),
        confirmed_at: row.confirmed_at.map(format_rfc3339),
        gap_at: row.gap_at.map(format_rfc3339),
        last_push_at: push::last_push(tx, row.iys_code, row.id).await?.map(format_rfc3339),
        unreadable: push::unreadable(tx, row.iys_code, row.id).await?,
        code: row.code,
        explanation,
        last_error: row.last_error,
        created_at: format_rfc3339(row.created_at),
    })
}

/// The address under which the registry reaches us: https, as it demands (H531). Plain http is for a simulator on this machine
/// alone, which has to be told to take it (`pushAllowHttp`).
fn base_url(config: &Config) -> ServiceResult<Url> {
    if config.registry.url.is_none() {
        return Err(conflict("registry.url ayarlanmamış", "registry.url is not set"));
    }
    let usable = |url: &Url| url.scheme() == "https" || (!config.registry.is_real() && is_loopback(url));
    config.http.public_base().filter(usable).ok_or_else(|| {
        conflict(
            "İYS'nin bu hizmete ulaşacağı https adresini http.public_url ayarına yazın",
            "set http.public_url to the https address under which the registry reaches this service",
        )
    })
}

fn conflict(tr: &'static str, en: &'static str) -> ServiceError {
    ServiceError::Conflict(Text::fixed(tr, en))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(public: &str, registry: &str) -> Option<String> {
        let mut config = Config::for_tests(std::path::Path::new("unused"));
        config.http.public_url = public.parse().ok();
        config.registry.url = registry.parse().ok();
        base_url(&config).ok().map(|url| url.to_string())
    }

    #[test]
    fn the_registry_is_told_an_https_address_and_a_simulator_also_one_of_this_machine() {
        let (real, simulator) = ("https://api.iys.org.tr", "http://127.0.0.1:9090");
        assert_eq!(base("https://k.example.com", real).as_deref(), Some("https://k.example.com/"));
        assert_eq!(base("https://k.example.com/a", real).as_deref(), Some("https://k.example.com/a/"));
        assert_eq!(base("http://127.0.0.1:8080", simulator).as_deref(), Some("http://127.0.0.1:8080/"));
        for (public, registry) in [
            ("http://127.0.0.1:8080", real),
            ("http://k.example.com", simulator),
            ("", simulator),
            ("https://k.example.com", ""),
        ] {
            assert_eq!(base(public, registry), None, "{public} {registry}");
        }
    }
}
