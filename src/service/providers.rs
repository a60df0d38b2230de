//! Service providers (hizmet sağlayıcı): adding one gives it a place in the ledger, a data key and, where it files with a
//! registry user of its own, sealed credentials, all in one transaction.

use std::fmt;

use chrono::{DateTime, Utc};
use iys::IysError;
use kopru_domain::ledger::GENESIS;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{IysCode, Text};
use kopru_store::audit::{self, AuditRow};
use kopru_store::providers::{self, ProviderRow};
use kopru_store::{Priority, Tx, heads};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::registry::{OwnCredentials, RegistryError};
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult};

/// The longest name or title, in characters.
pub(super) const LONGEST_NAME: usize = 300;

/// A provider as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its number at the registry.
    pub iys_code: i64,
    /// Legal title.
    pub title: String,
    /// Disabled providers file nothing and take nothing in.
    pub active: bool,
    /// Whether it files with a registry user of its own instead of the partner's account.
    pub own_credentials: bool,
    /// When the registry accepted its own user, before it was kept, RFC 3339 with +03:00; left out where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_tested_at: Option<String>,
    /// When it was added, RFC 3339 with +03:00.
    pub created_at: String,
}

/// A provider to be added.
pub struct NewProvider {
    /// Its number at the registry.
    pub iys_code: IysCode,
    /// Legal title.
    pub title: String,
    /// Its own registry user; `None` = the partner's account files for it.
    pub credentials: Option<OwnCredentials>,
    /// When the registry accepted that user ([`try_out`]); `None` = it was not asked.
    pub tested_at: Option<DateTime<Utc>>,
}

/// Shows no credentials.
impl fmt::Debug for NewProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewProvider")
            .field("iys_code", &self.iys_code)
            .field("title", &self.title)
            .field("own_credentials", &self.credentials.is_some())
            .field("tested_at", &self.tested_at)
            .finish()
    }
}

impl From<ProviderRow> for Provider {
    fn from(row: ProviderRow) -> Self {
        Self {
            iys_code: row.iys_code.0,
            title: row.title,
            active: row.active,
            own_credentials: row.own_credentials,
            credentials_tested_at: row.tested_at.map(format_rfc3339),
            created_at: format_rfc3339(row.created_at),
        }
    }
}

/// Adds a provider. Needs `admin` and a partner-wide caller; a provider that exists is a conflict. With `test` credentials of
/// its own are tried first ([`try_out`]).
pub async fn add(app: &App, caller: &Caller, mut new: NewProvider, test: bool) -> ServiceResult<Provider> {
    caller.require(Scope::Admin)?;
    if test {
        try_new(app, &mut new).await?;
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let provider = add_in(&mut tx, app, caller, new).await?;
    tx.commit().await?;
    Ok(provider)
}

/// Tries the credentials of a provider that is to be added, if it brings any and is otherwise in order.
pub async fn try_new(app: &App, new: &mut NewProvider) -> ServiceResult<()> {
    checked(new)?;
    if let Some(own) = &new.credentials {
        new.tested_at = try_out(app, new.iys_code, Some(own)).await?;
    }
    Ok(())
}

/// As [`add`], inside a transaction of the caller's.
pub async fn add_in(tx: &mut Tx, app: &App, caller: &Caller, new: NewProvider) -> ServiceResult<Provider> {
    caller.require(Scope::Admin)?;
    if !caller.sees(new.iys_code) {
        return Err(ServiceError::NotFound("provider"));
    }
    let title = checked(&new)?;
    let sealed = new.credentials.as_ref().map(|credentials| credentials.seal(&app.vault));
    let now = app.clocks.wire();
    if !providers::add(tx, new.iys_code, &title, sealed, now).await? {
        return Err(taken(
            "iysCode",
            Text::fixed(
                "bu iysCode ile bir hizmet sağlayıcı zaten var",
                "a provider with this iysCode exists already",
            ),
        ));
    }
    if let Some(at) = new.tested_at {
        providers::tested(tx, new.iys_code, at).await?;
    }
    heads::add(tx, new.iys_code, GENESIS).await?;
    app.vault.add_provider(tx, new.iys_code, now).await?;
    note(tx, app, caller, new.iys_code, "provider.added", &new.iys_code.to_string()).await?;
    let row = providers::find(tx, new.iys_code).await?.ok_or(ServiceError::NotFound("provider"))?;
    Ok(row.into())
}

/// Providers that the caller sees, by number, after one; at most 1 000.
pub async fn list(app: &App, caller: &Caller, after: IysCode) -> ServiceResult<Vec<Provider>> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    let rows = match caller.provider {
        Some(own) => providers::find(&mut tx, own).await?.filter(|_| own > after).into_iter().collect(),
        None => providers::list(&mut tx, after).await?,
    };
    Ok(rows.into_iter().map(Provider::from).collect())
}

/// One provider.
pub async fn get(app: &App, caller: &Caller, iys_code: IysCode) -> ServiceResult<Provider> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    Ok(find(&mut tx, caller, iys_code).await?.into())
}

/// Disables a provider for good: nothing is taken in or filed for it. Needs a partner-wide caller. Doing it twice changes
/// nothing.
pub async fn disable(app: &App, caller: &Caller, iys_code: IysCode) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    if caller.provider.is_some() {
        return Err(ServiceError::NotFound("provider"));
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    find(&mut tx, caller, iys_code).await?;
    if providers::disable(&mut tx, iys_code).await? {
        note(&mut tx, app, caller, iys_code, "provider.disabled", &iys_code.to_string()).await?;
    }
    Ok(tx.commit().await?)
}

/// Changes how a provider logs in at the registry: a user of its own, or (`None`) the partner's account. With `test` the
/// registry is asked first, and nothing is kept that it refuses or cannot be asked about. Processes that run take the change
/// over at their next call, and the old user's session is dropped.
pub async fn set_credentials(
    app: &App,
    caller: &Caller,
    iys_code: IysCode,
    credentials: Option<OwnCredentials>,
    test: bool,
) -> ServiceResult<Provider> {
    caller.require(Scope::Admin)?;
    if let Some(own) = &credentials {
        check_credentials(own)?;
    }
    {
        let mut tx = app.db.read().await?;
        find(&mut tx, caller, iys_code).await?;
    }
    let tested_at = if test { try_out(app, iys_code, credentials.as_ref()).await? } else { None };
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let old = find(&mut tx, caller, iys_code).await?.credentials;
    if let Some(old) = old {
        app.registry.drop_session(&mut tx, iys_code, &old, credentials.as_ref()).await?;
    }
    let sealed = credentials.as_ref().map(|credentials| credentials.seal(&app.vault));
    providers::set_credentials(&mut tx, iys_code, sealed, tested_at).await?;
    note(&mut tx, app, caller, iys_code, "provider.credentials_changed", &iys_code.to_string()).await?;
    let row = find(&mut tx, caller, iys_code).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(row.into())
}

/// Asks the registry whether it accepts a provider's own user, or the partner's account, without changing anything there.
/// `None` when there is no registry to ask.
pub async fn try_out(
    app: &App,
    iys_code: IysCode,
    credentials: Option<&OwnCredentials>,
) -> ServiceResult<Option<DateTime<Utc>>> {
    if !app.registry.configured() {
        return Ok(None);
    }
    let outcome = match credentials {
        Some(own) => app.registry.try_out(iys_code, own).await,
        None => match app.registry.try_partner().await {
            Err(RegistryError::Iys(error)) => Err(error),
            other => return Ok(other.map(|()| None)?),
        },
    };
    match outcome {
        Ok(()) => Ok(Some(app.clocks.wire())),
        Err(error @ IysError::CredentialsRefused { .. }) => {
            tracing::info!(error = &error as &dyn std::error::Error, "the registry refuses credentials");
            let title = Text::fixed(
                "İYS bu kullanıcı adını ve parolayı kabul etmedi; hiçbir şey değiştirilmedi",
                "the registry does not accept this username and password; nothing was changed",
            );
            Err(invalid("credentials", "refused", title))
        }
        Err(IysError::Refused(refusal)) if refusal.status < 500 => {
            let code = refusal.code().unwrap_or("no_code").to_owned();
            let title = Text::new(
                format!(
                    "İYS bu kullanıcıyla oturum açtı ama {iys_code} numaralı sağlayıcının markalarını göstermedi ({code}); \
                     hiçbir şey değiştirilmedi"
                ),
                format!(
                    "the registry logged this user in, but does not show it the brands of provider {iys_code} ({code}); \
                     nothing was changed"
                ),
            );
            Err(invalid("credentials", &code, title))
        }
        Err(error) => Err(RegistryError::Iys(error).into()),
    }
}

/// The providers among which an id of the caller's is to be looked for: its own, or all.
pub(super) async fn visible(tx: &mut Tx, caller: &Caller) -> ServiceResult<Vec<IysCode>> {
    if let Some(own) = caller.provider {
        return Ok(vec![own]);
    }
    let mut codes: Vec<IysCode> = Vec::new();
    loop {
        let page = providers::list(tx, codes.last().copied().unwrap_or(IysCode(0))).await?;
        if page.is_empty() {
            return Ok(codes);
        }
        codes.extend(page.into_iter().map(|row| row.iys_code));
    }
}

/// A provider that the caller sees.
pub(super) async fn find(tx: &mut Tx, caller: &Caller, iys_code: IysCode) -> ServiceResult<ProviderRow> {
    if !caller.sees(iys_code) {
        return Err(ServiceError::NotFound("provider"));
    }
    providers::find(tx, iys_code).await?.ok_or(ServiceError::NotFound("provider"))
}

/// The provider that a request is about: the caller's own, or the one it names. A partner-wide caller has to name one.
pub(crate) fn meant(caller: &Caller, named: Option<IysCode>) -> ServiceResult<IysCode> {
    match (caller.provider, named) {
        (Some(own), None) => Ok(own),
        (_, Some(named)) if caller.sees(named) => Ok(named),
        (_, Some(_)) => Err(ServiceError::NotFound("provider")),
        (None, None) => Err(invalid(
            "iysCode",
            "missing",
            Text::fixed(
                "bu anahtar bütün hizmet sağlayıcılar için; hangisi olduğunu iysCode ile bildirin",
                "this key is for all providers; say which one with iysCode",
            ),
        )),
    }
}

/// Writes an act down in the audit trail, in the transaction of the act.
pub(super) async fn note(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    provider: IysCode,
    action: &str,
    subject: &str,
) -> ServiceResult<()> {
    let detail = caller.client.or(caller.peer).map(|address| format!("from {address}")).unwrap_or_default();
    let row = AuditRow {
        at: app.clocks.wire(),
        actor: caller.actor.clone(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail,
    };
    Ok(audit::add(tx, provider, &row).await?)
}

/// One unusable field.
pub(super) fn invalid(field: &str, code: &str, title: Text) -> ServiceError {
    ServiceError::Invalid(vec![field_problem(field, code, title)])
}

/// A field that names what exists already.
pub(super) fn taken(field: &str, title: Text) -> ServiceError {
    ServiceError::Taken(field_problem(field, "taken", title))
}

/// A problem of a field outside arrays.
pub(crate) fn field_problem(field: &str, code: &str, title: Text) -> FieldProblem {
    FieldProblem { index: None, field: field.to_owned(), code: code.to_owned(), title }
}

/// A name or title without surrounding blanks, 1 to [`LONGEST_NAME`] characters and no control characters.
pub(crate) fn checked_name(field: &str, name: &str) -> Result<String, FieldProblem> {
    let name = name.trim();
    let usable = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control);
    if usable {
        return Ok(name.to_owned());
    }
    let title = Text::new(
        format!("1 ile {LONGEST_NAME} karakter arasında, tek satır bir ad yazın"),
        format!("write a name of 1 to {LONGEST_NAME} characters on one line"),
    );
    Err(field_problem(field, "name", title))
}

/// A number of the registry is positive.
pub(super) fn checked_code(field: &str, code: i64) -> Result<i64, FieldProblem> {
    if code > 0 {
        return Ok(code);
    }
    let title = Text::fixed(
        "İYS'deki numarayı, sıfırdan büyük olarak yazın",
        "write the number at the registry, above zero",
    );
    Err(field_problem(field, "number", title))
}

fn checked(new: &NewProvider) -> ServiceResult<String> {
    let mut problems = Vec::new();
    problems.extend(checked_code("iysCode", new.iys_code.0).err());
    let title =
        checked_name("title", &new.title).map_err(|problem| problems.push(problem)).unwrap_or_default();
    if let Some(Err(ServiceError::Invalid(more))) = new.credentials.as_ref().map(check_credentials) {
        problems.extend(more);
    }
    if problems.is_empty() { Ok(title) } else { Err(ServiceError::Invalid(problems)) }
}

fn check_credentials(own: &OwnCredentials) -> ServiceResult<()> {
    let empty = |text: &str| text.trim().is_empty() || text.len() > LONGEST_NAME;
    if empty(&own.username) || empty(&own.password) {
        let title = Text::fixed(
            "İYS kullanıcısının adı (username) ve parolası (password) birlikte gerekir",
            "the registry user's username and password are both needed",
        );
        return Err(invalid("credentials", "credentials", title));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(provider: i64) -> Caller {
        Caller { provider: Some(IysCode(provider)), ..Caller::system("test") }
    }

    #[test]
    fn a_bound_caller_means_its_own_provider_and_sees_no_other() {
        assert_eq!(meant(&bound(7), None).unwrap(), IysCode(7));
        assert_eq!(meant(&bound(7), Some(IysCode(7))).unwrap(), IysCode(7));
        assert!(matches!(meant(&bound(7), Some(IysCode(8))), Err(ServiceError::NotFound("provider"))));
    }

    #[test]
    fn a_partner_wide_caller_has_to_name_one() {
        let partner = Caller::system("test");
        assert_eq!(meant(&partner, Some(IysCode(8))).unwrap(), IysCode(8));
        assert!(
            matches!(meant(&partner, None), Err(ServiceError::Invalid(problems)) if problems[0].field == "iysCode")
        );
    }

    #[test]
    fn everything_wrong_with_a_new_provider_is_told_at_once() {
        let new = NewProvider {
            iys_code: IysCode(0),
            title: " ".to_owned(),
            credentials: Some(OwnCredentials { username: "u".to_owned(), password: String::new() }),
            tested_at: None,
        };
        let Err(ServiceError::Invalid(problems)) = checked(&new) else { panic!("it was taken") };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["iysCode", "title", "credentials"]);
        assert!(!format!("{new:?}").contains("password"));
    }

    #[test]
    fn names_are_trimmed_and_have_one_line() {
        assert_eq!(checked_name("name", "  Ada  ").unwrap(), "Ada");
        assert!(checked_name("name", "a\nb").is_err());
        assert!(checked_name("name", &"x".repeat(LONGEST_NAME + 1)).is_err());
    }
}
