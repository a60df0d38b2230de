//! Use cases, one file each. The doors (http, worker, cli) call these and nothing below; these know no HTTP.

pub mod brands;
pub mod calls;
pub mod changes;
pub mod check;
pub mod consents;
pub mod daily;
pub mod delivery;
pub mod endpoints;
pub mod events;
pub mod evidence;
pub mod filing;
pub mod forecast;
pub mod forms;
pub mod gauges;
pub mod housekeeping;
pub mod inbound;
pub mod intake;
pub mod keys;
pub mod keywords;
pub mod ledger;
pub mod links;
pub mod messages;
pub mod mirror;
pub mod observing;
pub mod onboarding;
pub mod opt_in;
pub mod papers;
pub mod permissions;
pub mod providers;
pub mod push;
pub mod reconciliation;
pub mod redrive;
pub mod retailers;
pub mod retention;
pub mod standing;
pub mod texts;
pub mod via;

use std::net::IpAddr;

use kopru_domain::{IysCode, Lang, Text};
use kopru_store::StoreError;

/// Who calls, as the door has established it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For the audit trail: `key <id>`, `cli`, `system`.
    pub actor: String,
    /// The public part of the API key; empty where there is none.
    pub key_id: String,
    /// The provider that the key belongs to; `None` = partner-wide.
    pub provider: Option<IysCode>,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// Address of the connection.
    pub peer: Option<IpAddr>,
    /// Address of the client, when a trusted proxy names it.
    pub client: Option<IpAddr>,
    /// As the client sent it, cut to 200 characters.
    pub user_agent: Option<String>,
    /// Language of texts for this caller.
    pub lang: Lang,
}

impl Caller {
    /// The program itself.
    pub fn system(actor: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            key_id: String::new(),
            provider: None,
            scopes: vec![Scope::Admin],
            peer: None,
            client: None,
            user_agent: None,
            lang: Lang::En,
        }
    }

    /// Whether the caller may do this; `admin` may do everything but read addresses in full.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
            || (scope != Scope::RecipientsRead && self.scopes.contains(&Scope::Admin))
    }

    /// Refuses a caller who lacks a right.
    pub fn require(&self, scope: Scope) -> Result<(), ServiceError> {
        if self.may(scope) { Ok(()) } else { Err(ServiceError::MissingScope(scope)) }
    }

    /// Whether the caller may see a provider at all; what it may not see does not exist for it.
    pub fn sees(&self, provider: IysCode) -> bool {
        self.provider.is_none_or(|own| own == provider)
    }
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the wire values say it")]
pub enum Scope {
    ConsentsWrite,
    ConsentsRead,
    PermissionsRead,
    ChangesRead,
    WebhooksManage,
    ImportsWrite,
    ExportsRead,
    MessagesSend,
    RecipientsRead,
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 10] = [
        Self::ConsentsWrite,
        Self::ConsentsRead,
        Self::PermissionsRead,
        Self::ChangesRead,
        Self::WebhooksManage,
        Self::ImportsWrite,
        Self::ExportsRead,
        Self::MessagesSend,
        Self::RecipientsRead,
        Self::Admin,
    ];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConsentsWrite => "consents:write",
            Self::ConsentsRead => "consents:read",
            Self::PermissionsRead => "permissions:read",
            Self::ChangesRead => "changes:read",
            Self::WebhooksManage => "webhooks:manage",
            Self::ImportsWrite => "imports:write",
            Self::ExportsRead => "exports:read",
            Self::MessagesSend => "messages:send",
            Self::RecipientsRead => "recipients:read",
            Self::Admin => "admin",
        }
    }

    /// Reads a wire value.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A field that cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Place in an array, from 0; `None` outside arrays.
    pub index: Option<usize>,
    /// The field's JSON name.
    pub field: String,
    /// The registry's H-code where it has one, else a word of ours.
    pub code: String,
    /// What is wrong and what to do, in both languages.
    pub title: Text,
}

/// What [`ServiceError::NotFound`] names, in both languages.
pub fn thing(name: &'static str) -> Text {
    let tr = match name {
        "brand" => "marka",
        "consent" => "izin kaydı",
        "endpoint" => "uç nokta",
        "evidence" => "kanıt",
        "form" => "form",
        "format" => "biçim",
        "inbound connection" => "gelen SMS bağlantısı",
        "inbound message" => "gelen SMS",
        "key" => "API anahtarı",
        "keyword" => "anahtar kelime",
        "link" => "bağlantı",
        "opt-in" => "çift onay",
        "provider" => "hizmet sağlayıcı",
        "push connection" => "İYS bildirim bağlantısı",
        "receiver" => "alıcı",
        "report" => "rapor",
        "retailer" => "bayi",
        "sender" => "gönderen",
        "text" => "metin",
        "time stamp" => "zaman damgası",
        "via" => "İYS üzerinden onay",
        other => other,
    };
    Text::fixed(tr, name)
}

/// Why a use case could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It does not exist, or not for this caller; [`thing`] has its name in Turkish.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The caller lacks a right.
    #[error("the key lacks the scope {}", .0.as_str())]
    MissingScope(Scope),
    /// Fields cannot be used.
    #[error("{} fields cannot be used", .0.len())]
    Invalid(Vec<FieldProblem>),
    /// It exists already, or its state does not allow this.
    #[error("conflict: {}", .0.get(Lang::En))]
    Conflict(Text),
    /// What a field names exists already and can exist only once.
    #[error("{} is taken", .0.field)]
    Taken(FieldProblem),
    /// The same Idempotency-Key came with another body.
    #[error("the idempotency key was used with another body")]
    IdempotencyMismatch,
    /// A request with the same Idempotency-Key is still running.
    #[error("a request with the same idempotency key is running")]
    IdempotencyRunning,
    /// Too much at once; try again shortly.
    #[error("overloaded")]
    Overloaded,
    /// The program is stopping.
    #[error("shutting down")]
    ShuttingDown,
    /// The registry could not be asked.
    #[error("registry: {0}")]
    Registry(#[source] std::sync::Arc<iys::IysError>),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<iys::IysError> for ServiceError {
    fn from(error: iys::IysError) -> Self {
        Self::Registry(std::sync::Arc::new(error))
    }
}

impl From<crate::registry::RegistryError> for ServiceError {
    fn from(error: crate::registry::RegistryError) -> Self {
        use crate::registry::RegistryError;
        match error {
            RegistryError::Store(error) => Self::Store(error),
            RegistryError::Iys(error) => error.into(),
            RegistryError::NoCredentials => Self::Conflict(Text::fixed(
                "İYS'ye bağlanmak için kullanıcı tanımlanmamış",
                "no user for the registry is configured",
            )),
        }
    }
}

/// Rows that are worked out while the database writes or looks up others, where a transaction has many.
const SLICE: usize = 250;

/// Shorthand.
pub type ServiceResult<T> = Result<T, ServiceError>;
