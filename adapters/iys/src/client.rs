//! The client: one registry address, one connection pool, one pace.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::login::{Login, TokenBudget};
use crate::transport::{Call, Opened, Reply, Transport};
use crate::{
    Account, AccountKey, AdaptivePacer, BoxError, Clock, Credentials, Ended, IysError, MemoryTokenStore,
    NotBefore, Operation, Pacer, SystemClock, TokenStore, codes,
};

/// The registry's production address; the caller's IP address must be on its list.
pub const PRODUCTION: &str = "https://api.iys.org.tr";

/// The registry's public test environment; it knows no business partners.
pub const REGISTRY_SANDBOX: &str = "https://api.sandbox.iys.org.tr";

/// ViA Pass' own address in the registry's test environment, for [`IysClientBuilder::via_pass_url`]. The documents do
/// not tell the one in production.
pub const VIA_PASS_SANDBOX: &str = "https://viapass.sandbox.iys.org.tr";

/// How many different unknown codes are counted by name; further ones are counted together.
const MOST_UNKNOWN_CODES: usize = 100;

/// A longer text in a code's place is no code.
const LONGEST_CODE: usize = 32;

/// Shorter than servers and gateways usually keep an idle connection.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// A client of one registry address. Cheap to clone; all clones share connections, pace and tokens.
#[derive(Debug, Clone)]
pub struct IysClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn TokenStore>,
    pub budget: TokenBudget,
    /// Names this client to the token store.
    pub holder: String,
    /// Longer than a refresh and a login together can take.
    pub login_lease: Duration,
    pacer: Arc<dyn Pacer>,
    transport: Transport,
    logins: Mutex<HashMap<AccountKey, Arc<Login>>>,
    unknown_codes: Mutex<BTreeMap<String, u64>>,
}

/// Why a client could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base address is not a URL.
    #[error("the registry's address is not a URL")]
    Url(#[from] url::ParseError),
    /// The base address is a URL of another kind.
    #[error("the registry's address must be http:// or https:// with a host and without query")]
    NotHttp,
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[from] reqwest::Error),
}

/// Builds an [`IysClient`].
#[derive(Debug)]
#[must_use]
pub struct IysClientBuilder {
    base_url: String,
    via_pass_url: Option<String>,
    connect_timeout: Duration,
    timeout: Duration,
    user_agent: String,
    token_calls_per_hour: u32,
    clock: Arc<dyn Clock>,
    pacer: Option<Arc<dyn Pacer>>,
    store: Option<Arc<dyn TokenStore>>,
}

impl IysClient {
    /// Starts to build a client of the registry at this address, [`PRODUCTION`] for one.
    pub fn builder(base_url: impl Into<String>) -> IysClientBuilder {
        IysClientBuilder {
            base_url: base_url.into(),
            via_pass_url: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            token_calls_per_hour: 10,
            clock: Arc::new(SystemClock),
            pacer: None,
            store: None,
        }
    }

    /// An account at the registry. Nothing is sent yet. Accounts of one user name share their token, unless the
    /// password differs: then the newer one takes over.
    pub fn account(&self, credentials: Credentials) -> Account {
        let key = AccountKey::new(self.inner.transport.base(), &credentials.username);
        let mut logins = self.inner.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let login = match logins.get(&key) {
            Some(login) if login.has_password(&credentials.password) => login.clone(),
            _ => {
                let login = Arc::new(Login::new(key.clone(), credentials));
                logins.insert(key, login.clone());
                login
            }
        };
        Account::new(self.inner.clone(), login)
    }

    /// The error codes met so far that are in no table of [`codes`], with how often: in refusals, and in the items of
    /// answers that carry codes. Codes beyond the hundredth, and texts that are no code, count as `other`.
    pub fn unknown_codes(&self) -> BTreeMap<String, u64> {
        self.inner.unknown_codes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The registry's address.
    pub fn base_url(&self) -> &Url {
        self.inner.transport.base()
    }
}

impl IysClientBuilder {
    /// Where ViA Pass is, which has an address of its own ([`VIA_PASS_SANDBOX`]). Default: the registry's address.
    pub fn via_pass_url(mut self, url: impl Into<String>) -> Self {
        self.via_pass_url = Some(url.into());
        self
    }

    /// How long a connection may take to come about. Default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take as a whole, its answer included; for the movement file, how long the registry may
    /// be silent. Default 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The `User-Agent` of all requests.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How many calls of the token endpoint the client allows itself in any hour, over all accounts. Default 10: the
    /// registry's documents say 10 in one place and 100 in another, and one call too many costs an hour of silence.
    pub fn token_calls_per_hour(mut self, calls: u32) -> Self {
        self.token_calls_per_hour = calls;
        self
    }

    /// The clock of token lives and of the default pacer. Default [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who decides when a request may leave. Default [`AdaptivePacer`] at eight a second.
    pub fn pacer(mut self, pacer: Arc<dyn Pacer>) -> Self {
        self.pacer = Some(pacer);
        self
    }

    /// Where tokens are kept. Default [`MemoryTokenStore`].
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Builds the client. Connects to nothing.
    ///
    /// # Errors
    /// [`BuildError`] when the address is unusable or the HTTP client cannot be set up.
    pub fn build(self) -> Result<IysClient, BuildError> {
        let base = address(&self.base_url)?;
        let via_pass = self.via_pass_url.as_deref().map_or_else(|| Ok(base.clone()), address)?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .user_agent(self.user_agent)
            // A connection that the other side closes while a POST is on its way leaves its outcome unknown.
            .pool_idle_timeout(IDLE_CONNECTION)
            // A redirected POST would carry the token, and the consent, to a stranger.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&base) {
            // A simulator on this machine is not behind the proxy that leads to the registry.
            http = http.no_proxy();
        }
        let clock = self.clock;
        let pacer = self.pacer.unwrap_or_else(|| {
            Arc::new(AdaptivePacer::new(AdaptivePacer::DEFAULT_PER_SECOND, clock.clone()))
        });
        Ok(IysClient {
            inner: Arc::new(Inner {
                store: self.store.unwrap_or_else(|| Arc::new(MemoryTokenStore::default())),
                budget: TokenBudget::new(self.token_calls_per_hour),
                holder: format!("{:016x}", RandomState::new().build_hasher().finish()),
                login_lease: self.timeout * 2 + Duration::from_secs(15),
                pacer,
                transport: Transport::new(http.build()?, base, via_pass, self.timeout),
                logins: Mutex::default(),
                unknown_codes: Mutex::default(),
                clock,
            }),
        })
    }
}

impl Inner {
    /// Waits for the pace, sends, and turns everything but a success into its error. Reads the whole answer.
    pub async fn exchange(&self, call: &Call, bearer: Option<&SecretString>) -> Result<Reply, IysError> {
        self.open(call, bearer).await?.whole().await
    }

    /// As [`exchange`](Self::exchange), but reads only the head of a success.
    pub async fn open(&self, call: &Call, bearer: Option<&SecretString>) -> Result<Opened, IysError> {
        let operation = call.operation;
        self.pacer.acquire(operation).await.map_err(|error| held_back(operation, error))?;
        let started = self.clock.now();
        let outcome = self.send(call, bearer).await;
        let elapsed_ms = (self.clock.now() - started).num_milliseconds();
        match &outcome {
            Ok(_) => tracing::debug!(registry.operation = operation.name(), elapsed_ms, "registry answered"),
            Err(error) => {
                tracing::debug!(registry.operation = operation.name(), elapsed_ms, %error, "registry call failed");
                let codes = error.items().iter().filter_map(|item| item.code.as_deref());
                let alone = error.code().filter(|_| error.items().is_empty() && error.status().is_some());
                self.note_codes(operation, codes.chain(alone));
                if let Some(pause) = crowded(error) {
                    self.pacer.throttled(operation, pause).await;
                } else if let Some(pause) = used_up(error) {
                    self.pacer.used_up(operation, pause).await;
                }
            }
        }
        let ended = Ended { operation, brand: call.brand(), error: outcome.as_ref().err() };
        self.pacer.ended(ended).await;
        outcome
    }

    async fn send(&self, call: &Call, bearer: Option<&SecretString>) -> Result<Opened, IysError> {
        let opened = self.transport.open(call, bearer).await?;
        if opened.status().is_success() && !opened.is_page() {
            return Ok(opened);
        }
        let reply = opened.whole().await?;
        Err(reply.into_error(self.clock.now()))
    }

    /// Counts those of the registry's codes that are in no table.
    pub fn note_codes<'a>(&self, operation: Operation, codes: impl Iterator<Item = &'a str>) {
        // The token endpoint has words instead of codes.
        let unknown =
            |code: &&str| operation != Operation::Token && codes::lookup_for(operation, code).is_none();
        for code in codes.filter(unknown) {
            let is_code = code.len() <= LONGEST_CODE && code.is_ascii();
            let mut counted = self.unknown_codes.lock().unwrap_or_else(PoisonError::into_inner);
            let has_room = counted.len() < MOST_UNKNOWN_CODES || counted.contains_key(code);
            let name = if is_code && has_room { code } else { "other" };
            *counted.entry(name.to_owned()).or_default() += 1;
            tracing::warn!(
                registry.operation = operation.name(),
                code = name,
                "unknown code of the registry"
            );
        }
    }
}

/// Reads one of the registry's addresses.
fn address(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
        return Err(BuildError::NotHttp);
    }
    Ok(url)
}

/// The pause that a refusal of the per-second limit asks for. The hourly limits, and codes that mean something else,
/// say nothing about the pace.
fn crowded(error: &IysError) -> Option<Duration> {
    match error {
        IysError::Throttled { status: Some(_), code, retry_after, .. } => match code.as_deref() {
            None | Some("H083" | "H124") => Some(*retry_after),
            Some(code) => crate::codes::lookup(code).is_none().then_some(*retry_after),
        },
        _ => None,
    }
}

/// The rest of the hour, after a refusal of an hourly limit that counts requests of one kind.
fn used_up(error: &IysError) -> Option<Duration> {
    match error {
        IysError::Throttled { code: Some(code), retry_after, .. }
            if matches!(code.as_str(), "H086" | "H089") =>
        {
            Some(*retry_after)
        }
        _ => None,
    }
}

/// What a pacer that gave no leave means to the caller. Nothing was sent.
fn held_back(operation: Operation, error: BoxError) -> IysError {
    match error.downcast::<NotBefore>() {
        Ok(wait) => IysError::Throttled { operation, code: None, status: None, retry_after: wait.0 },
        Err(error) => IysError::Port { operation, port: "pacer", source: error.into() },
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
