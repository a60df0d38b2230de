//! Web forms (rules.md 4.1): kept in versions per brand, shown by this service or put into a client's own page.
//!
//! What people send passes [`filing::file`], the one place before the intake: a confirmation belongs there.

mod check;
pub mod colour;
pub mod filing;
pub mod limits;
mod theme;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kopru_domain::legal_text::is_code;
use kopru_domain::time::format_rfc3339;
use kopru_domain::via::Confirmer;
use kopru_domain::{BrandCode, Channel, Lang, TextRef, Wording};
use kopru_store::brands::BrandRow;
use kopru_store::forms::{self, FormRow};
use kopru_store::{Priority, StoreError, Tx, heads, ids, providers as provider_rows, random, texts};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;
use utoipa::ToSchema;

pub use self::theme::Theme;
use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::texts::code_problem;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};

/// What a form holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormContent {
    /// The provider's 16-digit MERSİS number, which the page shows.
    #[schema(example = "0123456789012345")]
    pub mersis: String,
    /// The consent text that is shown, as `code/version`.
    #[schema(example = "sms-onay/1")]
    pub text: String,
    /// The privacy notice that stands apart from it, as `code/version`.
    #[schema(example = "aydinlatma/1")]
    pub notice: String,
    /// One box each, none ticked: `ARAMA`, `MESAJ`, `EPOSTA`.
    #[schema(value_type = Vec<String>)]
    pub channels: Vec<Channel>,
    /// Whether an address is confirmed before anything is filed (the default).
    #[serde(default = "yes", deserialize_with = "or_yes")]
    pub double_opt_in: bool,
    /// Who asks for the confirmation: `own` (this service) or `via` (the registry, see `PUT …/via`). Left out: as the brand has set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "via")]
    pub confirmation: Option<Confirmer>,
    /// The retailer whose form it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retailer_code: Option<i64>,
    /// Pages that may post to it or hold it, as `https://www.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub allowed_origins: Vec<String>,
    /// A host name of the client's own under which the form and its links are shown; it has to lead to this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "izin.example.com")]
    pub domain: Option<String>,
    /// Colours and logo.
    #[serde(default, deserialize_with = "or_default")]
    pub theme: Theme,
}

fn yes() -> bool {
    true
}

/// Null is the default, as a missing field is.
fn or_yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(true))
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A form as it is shown to its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// The brand.
    pub brand_code: i64,
    /// Its name.
    #[schema(example = "bulten")]
    pub code: String,
    /// From 1; each change makes a new one.
    pub version: i64,
    /// Whether it takes anything.
    pub active: bool,
    /// The public key: what stands in its address, and what own pages post to.
    pub public_key: String,
    /// Where it is shown; own pages post there too.
    pub url: String,
    /// The script that puts it into a page.
    pub embed_url: String,
    /// When it was added, RFC 3339 with +03:00.
    pub created_at: String,
    /// What it holds.
    #[serde(flatten)]
    pub content: FormContent,
}

/// A form with all that its page shows.
#[derive(Debug, Clone)]
pub struct ShownForm {
    /// The form.
    pub row: FormRow,
    /// What it holds.
    pub content: FormContent,
    /// The brand, with whether it takes anything.
    pub brand: KnownBrand,
    /// The provider's title.
    pub title: String,
    /// The consent text.
    pub text: (TextRef, Wording, Option<Wording>),
    /// The privacy notice.
    pub notice: (TextRef, Wording, Option<Wording>),
}

impl ShownForm {
    /// The wordings in a language, Turkish where there is no other; both are in one language.
    pub fn wordings(&self, lang: Lang) -> (Lang, &Wording, &Wording) {
        match (lang, &self.text.2, &self.notice.2) {
            (Lang::En, Some(text), Some(notice)) => (Lang::En, text, notice),
            _ => (Lang::Tr, &self.text.1, &self.notice.1),
        }
    }

    /// Whether all of it can be shown in English.
    pub fn has_english(&self) -> bool {
        self.text.2.is_some() && self.notice.2.is_some()
    }

    /// Whether pages of this origin may post to it.
    pub fn allows(&self, origin: &str) -> bool {
        self.content.allowed_origins.iter().any(|allowed| allowed == origin)
    }

    /// Whether it is shown under this host name.
    pub fn lives_at(&self, app: &App, host: &str) -> bool {
        let own = self.content.domain.as_deref();
        own == Some(host) || app.config.http.public_url.as_ref().is_none_or(|url| host_of(url) == host)
    }
}

/// Host name and port of an address, as a `Host` header writes them.
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The address of a path, under a client's own domain or the service's.
pub fn address(app: &App, domain: Option<&str>, path: &str) -> String {
    match (domain, &app.config.http.public_url) {
        (Some(domain), _) => format!("https://{domain}/{path}"),
        (None, Some(url)) => format!("{}/{path}", url.as_str().trim_end_matches('/')),
        (None, None) => format!("http://{}/{path}", app.config.http.listen),
    }
}

/// Where a brand's links lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The brand's own host name.
    pub domain: Option<String>,
    /// Its address, with a slash at the end.
    pub url: String,
}

/// Where a brand's links lead: to its own domain where one of its forms has one, else to this service where it has an address.
pub async fn place(app: &App, tx: &mut Tx, brand: &BrandRow) -> ServiceResult<Option<Place>> {
    let at = |domain: Option<String>| Place { url: address(app, domain.as_deref(), ""), domain };
    for row in forms::of_brand(tx, brand.iys_code, brand.brand_code).await? {
        let domain = content(&row)?.domain.filter(|_| row.active);
        if domain.is_some() {
            return Ok(Some(at(domain)));
        }
    }
    Ok(app.config.http.public_url.is_some().then(|| at(None)))
}

pub(super) fn content(row: &FormRow) -> ServiceResult<FormContent> {
    let unreadable =
        |error: serde_json::Error| StoreError::Corrupt { what: "forms", detail: error.to_string() };
    Ok(serde_json::from_str(&row.content).map_err(unreadable)?)
}

fn view(app: &App, row: &FormRow, content: FormContent) -> Form {
    let url = address(app, content.domain.as_deref(), &format!("f/{}", row.public_key));
    Form {
        brand_code: row.brand_code.0,
        code: row.code.clone(),
        version: row.version,
        active: row.active,
        public_key: row.public_key.clone(),
        embed_url: format!("{url}/embed.js"),
        url,
        created_at: format_rfc3339(row.created_at),
        content,
    }
}

/// Adds a form, or changes all that it holds: a new version, under the same address. What says the same as the present version
/// changes nothing. The flag tells whether the form is new. Needs `admin`.
pub async fn put(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    code: &str,
    content: FormContent,
) -> ServiceResult<(Form, bool)> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    if !is_code(code) {
        return Err(ServiceError::Invalid(vec![code_problem("code")]));
    }
    // Two changes at once are two versions.
    heads::lock(&mut tx, brand.iys_code).await?;
    let content = check::checked(&mut tx, &brand, content).await?;
    let json = serde_json::to_string(&content).unwrap_or_default();
    let now = app.clocks.wire();
    let before = forms::by_code(&mut tx, brand.iys_code, brand.brand_code, code).await?;
    let added = before.is_none();
    let row = match before {
        Some(row) if row.active && row.content == json => return Ok((view(app, &row, content), false)),
        Some(row) => {
            let row = FormRow { version: row.version + 1, active: true, content: json, ..row };
            forms::renew(&mut tx, &row, now).await?;
            row
        }
        None => {
            let row = FormRow {
                iys_code: brand.iys_code,
                id: ids::new_id(now),
                brand_code: brand.brand_code,
                code: code.to_owned(),
                public_key: URL_SAFE_NO_PAD.encode(random::<16>()),
                active: true,
                version: 1,
                created_at: now,
                content: json,
            };
            forms::add(&mut tx, &row).await?;
            row
        }
    };
    note(&mut tx, app, caller, &row, if added { "form.added" } else { "form.changed" }).await?;
    tx.commit().await?;
    Ok((view(app, &row, content), added))
}

/// Ends a form: its page says so and takes nothing. A change opens it again. Needs `admin`.
pub async fn disable(app: &App, caller: &Caller, brand: BrandCode, code: &str) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = FormRow { active: false, ..find(&mut tx, &brand, code).await? };
    forms::set(&mut tx, &row).await?;
    note(&mut tx, app, caller, &row, "form.disabled").await?;
    Ok(tx.commit().await?)
}

/// A brand's forms, by code.
pub async fn list(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<Vec<Form>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let rows = forms::of_brand(&mut tx, brand.iys_code, brand.brand_code).await?;
    rows.iter().map(|row| Ok(view(app, row, content(row)?))).collect()
}

/// One form.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, code: &str) -> ServiceResult<Form> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = find(&mut tx, &brand, code).await?;
    let content = content(&row)?;
    Ok(view(app, &row, content))
}

/// The form behind an address, with all that its page shows; whosever it is, for it is public.
pub async fn shown(app: &App, public_key: &str) -> ServiceResult<Option<ShownForm>> {
    let mut tx = app.db.read().await?;
    match forms::by_key(&mut tx, public_key).await? {
        Some(row) => complete(app, &mut tx, row).await,
        None => Ok(None),
    }
}

pub(super) async fn complete(app: &App, tx: &mut Tx, row: FormRow) -> ServiceResult<Option<ShownForm>> {
    let content = content(&row)?;
    let Some(brand) = brands::load_in(tx, app, row.brand_code).await? else { return Ok(None) };
    let provider = provider_rows::find(tx, row.iys_code).await?;
    let text = wording(tx, &row, &content.text).await?;
    let notice = wording(tx, &row, &content.notice).await?;
    let title = provider.map(|provider| provider.title).unwrap_or_default();
    Ok(Some(ShownForm { row, content, brand, title, text, notice }))
}

async fn wording(
    tx: &mut Tx,
    row: &FormRow,
    name: &str,
) -> ServiceResult<(TextRef, Wording, Option<Wording>)> {
    let missing = || StoreError::Corrupt { what: "forms", detail: format!("text {name} is missing") };
    let name: TextRef = name.parse().map_err(|_| missing())?;
    let found = texts::find(tx, row.iys_code, row.brand_code, &name).await?.ok_or_else(missing)?;
    Ok((name, found.text.tr, found.text.en))
}

pub(super) async fn find(tx: &mut Tx, brand: &BrandRow, code: &str) -> ServiceResult<FormRow> {
    let row = forms::by_code(tx, brand.iys_code, brand.brand_code, code).await?;
    row.ok_or(ServiceError::NotFound("form"))
}

async fn note(tx: &mut Tx, app: &App, caller: &Caller, row: &FormRow, action: &str) -> ServiceResult<()> {
    let subject = format!("form {} version {} of brand {}", row.code, row.version, row.brand_code);
    providers::note(tx, app, caller, row.iys_code, action, &subject).await
}
