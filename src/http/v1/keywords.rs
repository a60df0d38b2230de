//! Short numbers and keywords.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kopru_domain::{BrandCode, Channel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::permissions::CHANNELS;
use crate::service::keywords::{self, BrandKeyword, NewKeyword, TriedText, Words};

/// What a brand is to have on a number.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordBody {
    /// The number that takes the SMS.
    #[schema(example = "7889")]
    pub number: String,
    /// The keyword on a shared number; left out, the number is this brand's own.
    #[schema(example = "ABC")]
    pub keyword: Option<String>,
    /// Words of approval in place of the built-in ones.
    pub approvals: Option<Vec<String>>,
    /// Words of rejection beside the built-in ones, which are always understood.
    pub rejections: Option<Vec<String>>,
    /// For which an approval is taken: `ARAMA`, `MESAJ`; both where it is left out.
    #[schema(value_type = Option<Vec<String>>, example = json!(["MESAJ"]))]
    pub channels: Option<Vec<Channel>>,
}

/// What is to be understood.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordChange {
    /// Words of approval in place of the built-in ones; an empty list brings those back.
    pub approvals: Option<Vec<String>>,
    /// Words of rejection beside the built-in ones.
    pub rejections: Option<Vec<String>>,
    /// For which an approval is taken: `ARAMA`, `MESAJ`.
    #[schema(value_type = Option<Vec<String>>, example = json!(["MESAJ"]))]
    pub channels: Option<Vec<Channel>>,
}

/// A text to be tried.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryBody {
    /// What a citizen would send.
    #[schema(example = "ABC RET")]
    pub text: String,
    /// The number it would be sent to; left out, the brand's number whose keyword it names, or its first.
    pub number: Option<String>,
    /// The keyword to be tried.
    pub keyword: Option<String>,
}

const APPROVALS: Field = Field::optional("approvals", Kind::Texts).also(&["onay", "approvalwords"]);
const REJECTIONS: Field = Field::optional("rejections", Kind::Texts).also(&["ret", "rejectionwords"]);
const TYPES: Field = Field::optional("channels", Kind::Words(CHANNELS)).also(&["types", "kanallar"]);

impl Body for KeywordBody {
    const FIELDS: &'static [Field] = &[
        Field::required("number", Kind::Text).also(&["shortnumber", "numara"]),
        Field::optional("keyword", Kind::Text).also(&["anahtar", "word"]),
        APPROVALS,
        REJECTIONS,
        TYPES,
    ];
}

impl Body for KeywordChange {
    const FIELDS: &'static [Field] = &[APPROVALS, REJECTIONS, TYPES];
}

impl Body for TryBody {
    const FIELDS: &'static [Field] = &[
        Field::required("text", Kind::Text).also(&["message", "metin"]),
        Field::optional("number", Kind::Text).also(&["shortnumber", "numara"]),
        Field::optional("keyword", Kind::Text).also(&["anahtar", "word"]),
    ];
}

/// What a brand has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Keywords {
    /// By number and keyword; at most 100.
    pub items: Vec<BrandKeyword>,
}

/// Add a short number or keyword
///
/// Without a keyword the number is the brand's own. With one it may be shared by brands of any provider: a keyword that another
/// brand has there, that is one letter away from another's, or that is a word of approval, rejection or a channel is refused.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/keywords",
    operation_id = "addKeyword",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = KeywordBody),
    responses(
        (status = 201, description = "Added", body = BrandKeyword),
        (status = 409, description = "The number or keyword is taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Kısa numara ya da anahtar sözcük ekle")),
        ("x-description-tr" = json!("Anahtar sözcük verilmezse numara yalnızca bu markanındır. Verilirse numara başka sağlayıcıların markalarıyla paylaşılabilir: orada başka markanın olan, bir başkasından tek harf uzak olan ya da onay, ret veya kanal bildiren sözcükler reddedilir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let KeywordBody { number, keyword, approvals, rejections, channels } = json::read(&bytes)?;
    let new = NewKeyword { number, keyword, words: Words { approvals, rejections, channels } };
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let added = keywords::add_in(&mut turn.tx, &state.app, &call, brand, new).await?;
    turn.finish(StatusCode::CREATED, &added).await
}

/// List a brand's short numbers and keywords
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/keywords",
    operation_id = "listKeywords",
    tag = "keywords",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The keywords", body = Keywords)),
    extensions(
        ("x-summary-tr" = json!("Markanın kısa numara ve anahtar sözcüklerini listele")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<Keywords>, Problem> {
    Ok(Json(Keywords { items: keywords::list(&state.app, &call, brand).await? }))
}

/// Show a short number or keyword
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/keywords/{id}",
    operation_id = "getKeyword",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "Its identity"),
    ),
    responses((status = 200, description = "The keyword", body = BrandKeyword)),
    extensions(
        ("x-summary-tr" = json!("Bir kısa numara ya da anahtar sözcüğü göster")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<Json<BrandKeyword>, Problem> {
    let (brand, id) = at.or_missing("keyword")?;
    Ok(Json(keywords::get(&state.app, &call, brand, id).await?))
}

/// Change what a keyword understands
///
/// Fields that are left out stay. Number and keyword stay: what is printed on posters does not change its meaning.
#[utoipa::path(
    patch,
    path = "/v1/brands/{brandCode}/keywords/{id}",
    operation_id = "changeKeyword",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "Its identity"),
    ),
    request_body(content = KeywordChange),
    responses(
        (status = 200, description = "The keyword as it is now", body = BrandKeyword),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Anahtar sözcüğün anladığını değiştir")),
        ("x-description-tr" = json!("Yazılmayan alanlar olduğu gibi kalır. Numara ve anahtar sözcük değişmez: afişlere basılan sözün anlamı değişmemelidir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn change(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
    JsonBody(bytes): JsonBody,
) -> Result<Json<BrandKeyword>, Problem> {
    let (brand, id) = at.or_missing("keyword")?;
    let KeywordChange { approvals, rejections, channels } = json::read(&bytes)?;
    let words = Words { approvals, rejections, channels };
    Ok(Json(keywords::change(&state.app, &call, brand, id, words).await?))
}

/// Remove a short number or keyword
///
/// What is sent to it from now on is nobody's, and kept for a person to look at.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/keywords/{id}",
    operation_id = "removeKeyword",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "Its identity"),
    ),
    responses((status = 204, description = "Removed")),
    extensions(
        ("x-summary-tr" = json!("Kısa numara ya da anahtar sözcüğü kaldır")),
        ("x-description-tr" = json!("Bundan sonra oraya gönderilenler kimsenin değildir ve bir kişinin bakması için saklanır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn remove(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<StatusCode, Problem> {
    let (brand, id) = at.or_missing("keyword")?;
    keywords::remove(&state.app, &call, brand, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a text
///
/// What an SMS with this text would do, and why. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/keywords/try",
    operation_id = "tryKeyword",
    tag = "keywords",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = TryBody),
    responses(
        (status = 200, description = "What it would do", body = TriedText),
        (status = 404, description = "The brand has nothing on that number, or not that keyword", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir metni dene")),
        ("x-description-tr" = json!("Bu metinle gelen bir SMS ne yapar ve neden. Hiçbir şey saklanmaz.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn try_text(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    JsonBody(bytes): JsonBody,
) -> Result<Json<TriedText>, Problem> {
    let TryBody { text, number, keyword } = json::read(&bytes)?;
    let tried =
        keywords::try_text(&state.app, &call, brand, &text, number.as_deref(), keyword.as_deref()).await?;
    Ok(Json(tried))
}
