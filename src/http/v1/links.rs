//! Links to forms, to one person's consent, and for refusals.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use kopru_domain::{BrandCode, Channel, LinkKind, RecipientType, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::config::parse_duration;
use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::items::{self, Item};
use crate::http::json::{Body, Field, Kind};
use crate::http::pages::qr;
use crate::http::params::Params;
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::http::v1::permissions::{CHANNELS, RECIPIENT_TYPES};
use crate::service::FieldProblem;
use crate::service::links::{self, LONGEST_LIFE, Link, MOST, NewLink};

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkBody {
    /// `campaign` (leads to a form), `recipient` (asks one person for one consent) or `refusal`.
    #[schema(value_type = String, example = "campaign")]
    pub kind: LinkKind,
    /// The form's code: for campaigns and persons.
    pub form: Option<String>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`: for persons and refusals.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    /// Whose link it is: for persons and refusals. It does not stand in the link.
    pub recipient: Option<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// How long it leads somewhere, such as `72h` (the default for persons), at most 2160h; the others have no end by default.
    #[schema(example = "72h")]
    pub life: Option<String>,
}

/// What is sent: one link, or an array of up to 1 000.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum LinksBody {
    /// One.
    One(LinkBody),
    /// Several.
    Many(Vec<LinkBody>),
}

impl Body for LinkBody {
    const FIELDS: &'static [Field] = &[
        Field::required("kind", Kind::Word(&["campaign", "recipient", "refusal"])).also(&["tur"]),
        Field::optional("form", Kind::Text).also(&["formcode"]),
        Field::optional("type", Kind::Word(CHANNELS)).also(&["channel", "kanal"]),
        Field::optional("recipient", Kind::Text).also(&["phone", "email", "alici", "address"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)).also(&["alicitipi"]),
        Field::optional("life", Kind::Text).also(&["expiry", "ttl", "sure"]),
    ];
}

impl Item for LinkBody {
    fn problems(&self, index: usize) -> Vec<FieldProblem> {
        let usable =
            |text: &String| parse_duration(text).is_some_and(|life| !life.is_zero() && life <= LONGEST_LIFE);
        let title = Text::fixed(
            "72h ya da 30m gibi bir süre olmalı, en çok 2160h",
            "it must be a length of time such as 72h or 30m, at most 2160h",
        );
        let problem = self.life.as_ref().filter(|life| !usable(life));
        problem.map(|_| items::problem(index, "life", "duration", title)).into_iter().collect()
    }
}

impl From<LinkBody> for NewLink {
    fn from(body: LinkBody) -> Self {
        Self {
            kind: body.kind,
            form: body.form,
            channel: body.channel,
            recipient: body.recipient,
            recipient_type: body.recipient_type.unwrap_or_default(),
            life: body.life.as_deref().and_then(parse_duration),
        }
    }
}

/// Links that were made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Links {
    /// In the order sent.
    pub items: Vec<Link>,
}

/// Make links
///
/// One object, or an array of up to 1 000; all of them are made, or none. Links hold random bits and no address. Opening one only
/// shows a page, whatever program opens it; the button on it acts. A person's link asks for one consent on one channel; that it
/// reached the address is the confirmation. A link for refusals works without login, at any time, and twice; for `EPOSTA`
/// `listUnsubscribe` holds the headers for one-click refusal (RFC 8058).
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/links",
    operation_id = "addLinks",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = LinksBody),
    responses(
        (status = 201, description = "The links", body = Links),
        (status = 422, description = "Fields cannot be used; nothing was made", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bağlantı oluştur")),
        ("x-description-tr" = json!("Tek nesne ya da en çok 1 000 kayıtlık liste; ya hepsi oluşur ya hiçbiri. Bağlantıda rastgele bitler vardır, adres yoktur. Açmak yalnızca bir sayfa gösterir, kim açarsa açsın; işlemi sayfadaki düğme yapar. Kişiye özel bağlantı tek kanal için tek onay ister; bağlantının adrese ulaşması doğrulamadır. Ret bağlantısı oturum açmadan, her zaman ve iki kez de çalışır; EPOSTA için listUnsubscribe tek tıkla ret başlıklarını verir (RFC 8058).")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let parsed = items::parse::<LinkBody>(&bytes)?;
    if !parsed.refused.is_empty() {
        return Err(Problem::Fields(parsed.refused));
    }
    if parsed.items.len() > MOST {
        return Err(Problem::TooManyItems { found: parsed.items.len(), limit: MOST });
    }
    let new = parsed.items.into_iter().map(|(index, body)| (index, body.into())).collect();
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let items = links::add_in(&mut turn.tx, &state.app, &call, brand, new).await?;
    turn.finish(StatusCode::CREATED, &Links { items }).await
}

/// List a brand's links
///
/// With their counters, oldest first, page by page.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/links",
    operation_id = "listLinks",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
    ),
    responses((status = 200, description = "A page", body = Page<Link>)),
    extensions(
        ("x-summary-tr" = json!("Markanın bağlantılarını listele")),
        ("x-description-tr" = json!("Sayaçlarıyla, en eskiden başlayarak sayfa sayfa.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    uri: Uri,
) -> Result<Json<Page<Link>>, Problem> {
    let pages = List::Links(brand.0);
    let mut params = Params::of(&uri, &["after", "limit"]);
    let after = params.cursor("after", pages, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let found = links::list(&state.app, &call, brand, after, limit + 1).await?;
    Ok(Json(Page::cut(found, limit, pages, |link| Place::Id(link.id))))
}

/// Show one link
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/links/{id}",
    operation_id = "getLink",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The link's identity"),
    ),
    responses((status = 200, description = "The link", body = Link)),
    extensions(("x-summary-tr" = json!("Bir bağlantıyı göster")), ("x-scope" = json!("consents:read"))),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<Json<Link>, Problem> {
    let (brand, id) = at.or_missing("link")?;
    Ok(Json(links::get(&state.app, &call, brand, id).await?))
}

/// Show a link as a QR code
///
/// `svg` (the default) or `png`.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/links/{id}/qr",
    operation_id = "getLinkQr",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The link's identity"),
        ("format" = Option<String>, Query, description = "svg or png"),
    ),
    responses((status = 200, description = "The picture", body = String, content_type = "image/svg+xml")),
    extensions(
        ("x-summary-tr" = json!("Bağlantıyı karekod olarak göster")),
        ("x-description-tr" = json!("svg (varsayılan) ya da png.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn qr_code(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (brand, id) = at.or_missing("link")?;
    let mut params = Params::of(&uri, &["format"]);
    let format: Option<String> = params.word("format", &["svg", "png"]);
    params.finish()?;
    let link = links::get(&state.app, &call, brand, id).await?;
    let code = qr::Code::of(&link.url).ok_or(Problem::Internal)?;
    Ok(match format.as_deref() {
        None | Some("svg") => ([(header::CONTENT_TYPE, "image/svg+xml")], code.svg()).into_response(),
        Some("png") => ([(header::CONTENT_TYPE, "image/png")], code.png()).into_response(),
        Some(_) => return Err(Problem::NotFound("format")),
    })
}

/// End a link
///
/// A link for refusals cannot be ended.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/links/{id}",
    operation_id = "disableLink",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The link's identity"),
    ),
    responses((status = 204, description = "Ended")),
    extensions(
        ("x-summary-tr" = json!("Bir bağlantıyı kapat")),
        ("x-description-tr" = json!("Ret bağlantısı kapatılamaz.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn disable(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<StatusCode, Problem> {
    let (brand, id) = at.or_missing("link")?;
    links::disable(&state.app, &call, brand, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
