//! Service providers.

use std::fmt;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::IysCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::In;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::registry::OwnCredentials;
use crate::service::onboarding::{self, SyncReport, SyncRequest};
use crate::service::providers::{self, NewProvider, Provider};

/// A provider to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderBody {
    /// Its number at the registry.
    pub iys_code: i64,
    /// Legal title.
    pub title: String,
    /// Its own registry user; left out: the partner's account files for it.
    pub credentials: Option<CredentialsBody>,
}

/// A registry user of a provider's own.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialsBody {
    /// User name, as the registry issued it.
    pub username: String,
    /// Password. Kept sealed, never shown.
    pub password: String,
}

/// Shows neither name nor password.
impl fmt::Debug for CredentialsBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsBody")
    }
}

impl From<CredentialsBody> for OwnCredentials {
    fn from(body: CredentialsBody) -> Self {
        Self { username: body.username, password: body.password }
    }
}

const CREDENTIALS: &[Field] = &[
    Field::required("username", Kind::Text).also(&["user", "kullanici"]),
    Field::required("password", Kind::Text).also(&["parola", "sifre"]),
];

impl Body for ProviderBody {
    const FIELDS: &'static [Field] = &[
        Field::required("iysCode", Kind::Number).also(&["code", "iysno"]),
        Field::required("title", Kind::Text).also(&["name", "unvan"]),
        Field::optional("credentials", Kind::Object(CREDENTIALS)),
    ];
}

/// How a provider is to log in at the registry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginBody {
    /// Its own registry user; null or left out: the partner's account files for it.
    pub credentials: Option<CredentialsBody>,
}

impl Body for LoginBody {
    const FIELDS: &'static [Field] = &[Field::optional("credentials", Kind::Object(CREDENTIALS))];
}

/// Add a provider
///
/// Gives it a ledger, a data key and, where sent, sealed credentials of its own. Needs a key that is for all providers.
#[utoipa::path(
    post,
    path = "/v1/providers",
    operation_id = "addProvider",
    tag = "administration",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
        ("test" = Option<bool>, Query, description = "Whether the registry is asked first if it accepts the credentials: true"),
    ),
    request_body(content = ProviderBody),
    responses(
        (status = 201, description = "The provider", body = Provider),
        (status = 409, description = "It exists already", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Hizmet sağlayıcı ekle")),
        ("x-description-tr" = json!("Defterini, veri anahtarını ve gönderildiyse mühürlü İYS kullanıcısını oluşturur. Bütün hizmet sağlayıcılara açık bir anahtar gerekir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    uri: Uri,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    call.require(crate::service::Scope::Admin)?;
    call.require_partner_wide()?;
    let body: ProviderBody = json::read(&bytes)?;
    let mut new = NewProvider {
        iys_code: IysCode(body.iys_code),
        title: body.title,
        credentials: body.credentials.map(OwnCredentials::from),
        tested_at: None,
    };
    // Before the transaction, which must not stay open while the registry is asked.
    if wants_test(&uri)? {
        providers::try_new(&state.app, &mut new).await?;
    }
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let provider = providers::add_in(&mut turn.tx, &state.app, &call, new).await?;
    turn.finish(StatusCode::CREATED, &provider).await
}

/// Sync providers with the registry
///
/// Reads which brands have authorised the partner, for what, and how their subscriptions stand; makes providers and brands
/// that are new here, holds what cannot be filed with the reason, and releases what can be again. Nothing is deleted. It also
/// runs by itself (`providers.sync_interval`). With `dryRun` nothing is written. Needs a key that is for all providers; doing
/// it twice changes nothing.
#[utoipa::path(
    post,
    path = "/v1/providers/sync",
    operation_id = "syncProviders",
    tag = "administration",
    params(
        ("iysCode" = Option<i64>, Query, description = "Only this provider"),
        ("dryRun" = Option<bool>, Query, description = "Only tell what would change"),
    ),
    responses(
        (status = 200, description = "What was done, or would be", body = SyncReport),
        (status = 409, description = "The partner's account is incomplete", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The registry could not be asked", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Hizmet sağlayıcıları İYS ile eşitle")),
        ("x-description-tr" = json!("Hangi markaların iş ortağını ne için yetkilendirdiğini ve aboneliklerin durumunu okur; burada olmayan sağlayıcı ve markaları oluşturur, bildirilemeyeni nedeniyle bekletir, yeniden bildirilebileni serbest bırakır. Hiçbir şey silinmez. Kendiliğinden de çalışır (providers.sync_interval). dryRun ile hiçbir şey yazılmaz. Bütün hizmet sağlayıcılara açık bir anahtar gerekir; yinelemek bir şeyi değiştirmez.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn sync(State(state): State<HttpState>, call: Call, uri: Uri) -> Result<Json<SyncReport>, Problem> {
    call.require(crate::service::Scope::Admin)?;
    call.require_partner_wide()?;
    let mut params = Params::of(&uri, &["iysCode", "dryRun"]);
    let provider = params.code("iysCode").map(IysCode);
    let dry_run = params.word("dryRun", &["true", "false"]).unwrap_or_default();
    params.finish()?;
    let report = onboarding::sync(&state.app, &call, SyncRequest { provider, dry_run }).await?;
    state.brands.clear();
    Ok(Json(report))
}

/// List providers
#[utoipa::path(
    get,
    path = "/v1/providers",
    operation_id = "listProviders",
    tag = "administration",
    params(
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 999"),
    ),
    responses((status = 200, description = "A page, by number", body = Page<Provider>)),
    extensions(("x-summary-tr" = json!("Hizmet sağlayıcıları listele")), ("x-scope" = json!("admin"))),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    uri: Uri,
) -> Result<Json<Page<Provider>>, Problem> {
    let mut params = Params::of(&uri, &["after", "limit"]);
    let after = params.cursor("after", List::Providers, List::number).unwrap_or_default();
    let limit = params.limit(999);
    params.finish()?;
    let items = providers::list(&state.app, &call, IysCode(after)).await?;
    Ok(Json(Page::cut(items, limit, List::Providers, |item| Place::Number(item.iys_code))))
}

/// Show one provider
#[utoipa::path(
    get,
    path = "/v1/providers/{iysCode}",
    operation_id = "getProvider",
    tag = "administration",
    params(("iysCode" = i64, Path, description = "The provider's number at the registry")),
    responses((status = 200, description = "The provider", body = Provider)),
    extensions(("x-summary-tr" = json!("Hizmet sağlayıcıyı göster")), ("x-scope" = json!("admin"))),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    In(provider): In<IysCode>,
) -> Result<Json<Provider>, Problem> {
    Ok(Json(providers::get(&state.app, &call, provider).await?))
}

/// Disable a provider
///
/// For good: nothing is taken in or filed for it any more. Needs a key that is for all providers.
#[utoipa::path(
    delete,
    path = "/v1/providers/{iysCode}",
    operation_id = "disableProvider",
    tag = "administration",
    params(("iysCode" = i64, Path, description = "The provider's number at the registry")),
    responses((status = 204, description = "Disabled")),
    extensions(
        ("x-summary-tr" = json!("Hizmet sağlayıcıyı kapat")),
        ("x-description-tr" = json!("Kalıcıdır: onun adına artık bir şey alınmaz ve bildirilmez. Bütün hizmet sağlayıcılara açık bir anahtar gerekir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn disable(
    State(state): State<HttpState>,
    call: Call,
    In(provider): In<IysCode>,
) -> Result<StatusCode, Problem> {
    call.require(crate::service::Scope::Admin)?;
    call.require_partner_wide()?;
    providers::disable(&state.app, &call, provider).await?;
    state.brands.clear();
    Ok(StatusCode::NO_CONTENT)
}

/// Change how a provider logs in at the registry
///
/// A login at the registry and a look at the provider's brands come first; what it refuses, or cannot be asked about, is not
/// kept. With `test=false` it is kept unasked. Running processes take the change over without a restart.
#[utoipa::path(
    put,
    path = "/v1/providers/{iysCode}/credentials",
    operation_id = "setProviderCredentials",
    tag = "administration",
    params(
        ("iysCode" = i64, Path, description = "The provider's number at the registry"),
        ("test" = Option<bool>, Query, description = "Whether the registry is asked first if it accepts the credentials: true"),
    ),
    request_body(content = LoginBody),
    responses(
        (status = 200, description = "The provider", body = Provider),
        (status = 422, description = "The registry refuses them", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The registry could not be asked", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("İYS kullanıcısını değiştir")),
        ("x-description-tr" = json!("Önce İYS'de oturum açılır ve sağlayıcının markaları okunur; kabul edilmeyen ya da sorulamayan bilgi saklanmaz. `test=false` ile sorulmadan saklanır. Çalışan süreçler değişikliği yeniden başlatılmadan alır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn set_credentials(
    State(state): State<HttpState>,
    call: Call,
    In(provider): In<IysCode>,
    uri: Uri,
    JsonBody(bytes): JsonBody,
) -> Result<Json<Provider>, Problem> {
    let body: LoginBody = json::read(&bytes)?;
    let credentials = body.credentials.map(OwnCredentials::from);
    let (code, test) = (provider, wants_test(&uri)?);
    Ok(Json(providers::set_credentials(&state.app, &call, code, credentials, test).await?))
}

/// Whether credentials are tried before they are kept.
fn wants_test(uri: &Uri) -> Result<bool, Problem> {
    let mut params = Params::of(uri, &["test"]);
    let test = params.word("test", &["true", "false"]).unwrap_or(true);
    params.finish()?;
    Ok(test)
}
