//! API keys: `kpr_<id>_<secret>`. The id is public and names the key; of the secret only a SHA-256 is kept, which is enough
//! for 256 random bits. A key belongs to one provider or to the whole installation, and carries scopes, an optional list
//! of networks and an optional expiry.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{IysCode, Text};
use kopru_store::keys::{self, ApiKeyRow};
use kopru_store::{Priority, Tx, random};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};

/// What every key starts with, so that scanners for leaked secrets recognise it.
const PREFIX: &str = "kpr_";
/// Characters of the id: 60 random bits.
const ID_LENGTH: usize = 12;
/// Characters of the secret: 256 random bits in base64url.
const SECRET_LENGTH: usize = 43;
/// Letters and digits that nobody confuses when reading an id aloud.
const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// `iys_code` of keys that are for the whole installation.
pub const PARTNER_WIDE: IysCode = IysCode(0);

/// A key as it is shown; the secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The public part.
    pub id: String,
    /// The provider it is for; 0 = all providers of the installation.
    pub iys_code: i64,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Networks it may come from; empty = all.
    pub ip_allow: Vec<String>,
    /// Until when it holds, RFC 3339 with +03:00; missing = for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Since when it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A key that was made just now, with its text: the only time it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub details: ApiKey,
    /// The whole key, to be sent as `Authorization: Bearer …`. Keep it: it is not shown again.
    pub key: String,
}

/// Does not show the key.
impl fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IssuedKey").field(&self.details).finish()
    }
}

/// A key to be made.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// The provider it is for; `None` = the caller's own, or all for a partner-wide caller.
    pub iys_code: Option<IysCode>,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Networks it may come from; empty = all.
    pub ip_allow: Vec<IpNet>,
    /// Until when it holds (wire time); `None` = for good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The two parts of a key's text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyText<'a> {
    /// The public part.
    pub id: &'a str,
    secret: &'a str,
}

impl<'a> KeyText<'a> {
    /// Takes a text apart; `None` where it has not the shape of a key.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(ID_LENGTH)?;
        let secret = secret.strip_prefix('_')?;
        let shaped = id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && secret.len() == SECRET_LENGTH
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        shaped.then_some(Self { id, secret })
    }

    /// Whether this is the secret behind a stored hash; takes the same time whatever differs.
    pub fn matches(&self, secret_hash: &[u8]) -> bool {
        hash(self.secret).as_slice().ct_eq(secret_hash).into()
    }
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            iys_code: row.iys_code.0,
            name: row.name,
            scopes: row.scopes,
            ip_allow: row.ip_allow,
            expires_at: row.expires_at.map(format_rfc3339),
            disabled_at: row.disabled_at.map(format_rfc3339),
            created_at: format_rfc3339(row.created_at),
        }
    }
}

/// Makes a key. Needs `admin`; a caller that belongs to a provider makes keys of that provider only.
pub async fn add(app: &App, caller: &Caller, new: NewKey) -> ServiceResult<IssuedKey> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let issued = add_in(&mut tx, app, caller, new).await?;
    tx.commit().await?;
    Ok(issued)
}

/// As [`add`], inside a transaction of the caller's.
pub async fn add_in(tx: &mut Tx, app: &App, caller: &Caller, new: NewKey) -> ServiceResult<IssuedKey> {
    caller.require(Scope::Admin)?;
    let iys_code = new.iys_code.or(caller.provider).unwrap_or(PARTNER_WIDE);
    if !caller.sees(iys_code) {
        return Err(ServiceError::NotFound("provider"));
    }
    if iys_code != PARTNER_WIDE {
        providers::find(tx, caller, iys_code).await?;
    }
    let now = app.clocks.wire();
    let name = checked(&new, now)?;
    let (id, secret) = fresh();
    let mut scopes: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let row = ApiKeyRow {
        iys_code,
        id,
        name,
        secret_hash: hash(&secret).to_vec(),
        scopes,
        ip_allow: new.ip_allow.iter().map(ToString::to_string).collect(),
        expires_at: new.expires_at,
        disabled_at: None,
        created_at: now,
    };
    keys::add(tx, &row).await?;
    providers::note(tx, app, caller, iys_code, "key.added", &row.id).await?;
    let key = format!("{PREFIX}{}_{secret}", row.id);
    Ok(IssuedKey { details: row.into(), key })
}

/// The keys of a provider, or (`None` for a partner-wide caller) those of the whole installation; oldest first, at most
/// 1 000.
pub async fn list(app: &App, caller: &Caller, provider: Option<IysCode>) -> ServiceResult<Vec<ApiKey>> {
    caller.require(Scope::Admin)?;
    let provider = provider.or(caller.provider).unwrap_or(PARTNER_WIDE);
    if !caller.sees(provider) {
        return Err(ServiceError::NotFound("provider"));
    }
    let mut tx = app.db.read().await?;
    Ok(keys::list(&mut tx, provider).await?.into_iter().map(ApiKey::from).collect())
}

/// One key.
pub async fn get(app: &App, caller: &Caller, id: &str) -> ServiceResult<ApiKey> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    Ok(find(&mut tx, caller, id).await?.into())
}

/// Disables a key for good; it stops working within seconds in every process. Doing it twice changes nothing.
pub async fn disable(app: &App, caller: &Caller, id: &str) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = find(&mut tx, caller, id).await?;
    if keys::disable(&mut tx, row.iys_code, id, app.clocks.wire()).await? {
        providers::note(&mut tx, app, caller, row.iys_code, "key.disabled", id).await?;
    }
    Ok(tx.commit().await?)
}

/// The key of a public part, whosever it is: for a door that has the secret to compare.
pub async fn load(app: &App, id: &str) -> ServiceResult<Option<ApiKeyRow>> {
    let mut tx = app.db.read().await?;
    Ok(keys::find(&mut tx, id).await?)
}

async fn find(tx: &mut Tx, caller: &Caller, id: &str) -> ServiceResult<ApiKeyRow> {
    let row = keys::find(tx, id).await?.filter(|row| caller.sees(row.iys_code));
    row.ok_or(ServiceError::NotFound("key"))
}

fn checked(new: &NewKey, now: DateTime<Utc>) -> ServiceResult<String> {
    let mut problems = Vec::new();
    let name = providers::checked_name("name", &new.name)
        .map_err(|problem| problems.push(problem))
        .unwrap_or_default();
    if new.scopes.is_empty() {
        let all = Scope::ALL.map(Scope::as_str).join(", ");
        let title = Text::new(
            format!("en az bir yetki gerekir: {all}"),
            format!("at least one scope is needed: {all}"),
        );
        problems.push(providers::field_problem("scopes", "empty", title));
    }
    if new.expires_at.is_some_and(|end| end <= now) {
        let title = Text::fixed("bitiş zamanı geçmişte", "the expiry lies in the past");
        problems.push(providers::field_problem("expiresAt", "past", title));
    }
    if problems.is_empty() { Ok(name) } else { Err(ServiceError::Invalid(problems)) }
}

/// A new id and secret.
fn fresh() -> (String, String) {
    let id =
        random::<ID_LENGTH>().iter().map(|byte| char::from(ID_ALPHABET[usize::from(byte % 32)])).collect();
    (id, URL_SAFE_NO_PAD.encode(random::<32>()))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_reads_back_and_matches_its_own_hash_alone() {
        let (id, secret) = fresh();
        let text = format!("{PREFIX}{id}_{secret}");
        let key = KeyText::parse(&text).unwrap();
        assert_eq!((key.id, key.secret), (id.as_str(), secret.as_str()));
        assert!(key.matches(&hash(&secret)));
        assert!(!key.matches(&hash(&fresh().1)));
        assert!(!key.matches(&[]));
    }

    #[test]
    fn what_is_no_key_is_told_by_its_shape() {
        let (id, secret) = fresh();
        for text in [
            String::new(),
            "kpr_".to_owned(),
            format!("kpr_{id}"),
            format!("kpr_{id}{secret}"),
            format!("KPR_{id}_{secret}"),
            format!("kpr_{id}_{secret}x"),
            format!("kpr_{id}_{}", &secret[1..]),
            format!("kpr_ğğğğğğ_{secret}"),
            format!("kpr_{id}_{}ö", &secret[2..]),
        ] {
            assert!(KeyText::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_key_needs_a_name_a_scope_and_a_future() {
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let new = NewKey { expires_at: Some(now), ..NewKey::default() };
        let Err(ServiceError::Invalid(problems)) = checked(&new, now) else { panic!("it was taken") };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["name", "scopes", "expiresAt"]);
    }

    #[test]
    fn a_log_line_does_not_show_a_key() {
        let details = ApiKey {
            id: "abc".to_owned(),
            iys_code: 0,
            name: "n".to_owned(),
            scopes: Vec::new(),
            ip_allow: Vec::new(),
            expires_at: None,
            disabled_at: None,
            created_at: String::new(),
        };
        let issued = IssuedKey { details, key: "kpr_secret".to_owned() };
        assert!(!format!("{issued:?}").contains("kpr_secret"));
    }
}
