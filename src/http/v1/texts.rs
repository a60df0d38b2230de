//! Consent texts, privacy notices, call scripts and paper forms.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::{BrandCode, LegalTextKind, TextRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::service::texts::{self, NewText, TextVersion};

/// A text in one language.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WordingBody {
    /// Heading, at most 200 characters.
    #[schema(example = "SMS ile ticari ileti onayı")]
    pub title: String,
    /// Plain text, at most 20 000 characters; an empty line parts paragraphs.
    pub body: String,
}

/// A version to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextBody {
    /// The text's code: lower-case letters a-z, digits and hyphens. A new code begins a text.
    #[schema(example = "sms-onay")]
    pub code: String,
    /// `consent`, `notice` (aydınlatma metni), `call_script` or `paper_form`; the same for all versions.
    #[schema(value_type = String, example = "consent")]
    pub kind: LegalTextKind,
    /// In Turkish.
    pub tr: WordingBody,
    /// In English.
    pub en: Option<WordingBody>,
}

const KINDS: &[&str] = &["consent", "notice", "call_script", "paper_form"];

const WORDING: &[Field] = &[
    Field::required("title", Kind::Text).also(&["baslik", "heading"]),
    Field::required("body", Kind::Text).also(&["metin", "text", "content"]),
];

impl Body for TextBody {
    const FIELDS: &'static [Field] = &[
        Field::required("code", Kind::Text).also(&["kod", "name", "id"]),
        Field::required("kind", Kind::Word(KINDS)).also(&["type", "tur"]),
        Field::required("tr", Kind::Object(WORDING)).also(&["turkish", "turkce"]),
        Field::optional("en", Kind::Object(WORDING)).also(&["english", "ingilizce"]),
    ];
}

/// Versions of texts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Texts {
    /// At most 1 000.
    pub items: Vec<TextVersion>,
}

type Version = Result<Path<(i64, String, String)>, PathRejection>;

/// Add a text, or a new version of one
///
/// A version is never changed: what people agreed to stays as they saw it. A code that is there already gets its next version; what
/// says the same as the newest version adds none and answers 200 with that one. Consents name a version in `evidence.text` or
/// `evidence.notice` as `code/version`; its hash is kept with them.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/texts",
    operation_id = "addText",
    tag = "texts",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = TextBody),
    responses(
        (status = 201, description = "The new version", body = TextVersion),
        (status = 200, description = "The newest version says the same", body = TextVersion),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Metin ya da yeni sürüm ekle")),
        ("x-description-tr" = json!("Bir sürüm hiç değiştirilmez: insanların onayladığı metin gördükleri gibi kalır. Var olan bir kod için sonraki sürüm eklenir; son sürümle aynı olan metin sürüm eklemez, 200 ile o sürüm döner. İzin kayıtları sürümü evidence.text ya da evidence.notice alanında kod/sürüm biçiminde anar; özeti kayıtla birlikte saklanır.")),
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
    let body: TextBody = json::read(&bytes)?;
    let pair = |wording: WordingBody| (wording.title, wording.body);
    let new = NewText { code: body.code, kind: body.kind, tr: pair(body.tr), en: body.en.map(pair) };
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let (text, added) = texts::add_in(&mut turn.tx, &state.app, &call, brand, new).await?;
    turn.finish(if added { StatusCode::CREATED } else { StatusCode::OK }, &text).await
}

/// List a brand's texts
///
/// The newest version of each, by code.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/texts",
    operation_id = "listTexts",
    tag = "texts",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("kind" = Option<String>, Query, description = "Only texts of this kind"),
    ),
    responses((status = 200, description = "The texts", body = Texts)),
    extensions(
        ("x-summary-tr" = json!("Markanın metinlerini listele")),
        ("x-description-tr" = json!("Her birinin son sürümü, koda göre.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    uri: Uri,
) -> Result<Json<Texts>, Problem> {
    let mut params = Params::of(&uri, &["kind"]);
    let kind = params.word("kind", KINDS);
    params.finish()?;
    Ok(Json(Texts { items: texts::list(&state.app, &call, brand, kind).await? }))
}

/// Show the history of a text
///
/// All its versions, newest first.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/texts/{code}",
    operation_id = "getTextHistory",
    tag = "texts",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("code" = String, Path, description = "The text's code"),
    ),
    responses((status = 200, description = "The versions", body = Texts)),
    extensions(
        ("x-summary-tr" = json!("Bir metnin geçmişini göster")),
        ("x-description-tr" = json!("Bütün sürümleri, en yeniden başlayarak.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn history(
    State(state): State<HttpState>,
    call: Call,
    at: Within<String>,
) -> Result<Json<Texts>, Problem> {
    let (brand, code) = at.or_missing("text")?;
    let items = texts::history(&state.app, &call, brand, &code).await?;
    Ok(Json(Texts { items }))
}

/// Show one version of a text
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/texts/{code}/{version}",
    operation_id = "getText",
    tag = "texts",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("code" = String, Path, description = "The text's code"),
        ("version" = i64, Path, description = "The version, from 1"),
    ),
    responses((status = 200, description = "The version", body = TextVersion)),
    extensions(("x-summary-tr" = json!("Bir metin sürümünü göster")), ("x-scope" = json!("consents:read"))),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    at: Version,
) -> Result<Json<TextVersion>, Problem> {
    let missing = || Problem::NotFound("text");
    let Ok(Path((brand, code, version))) = at else { return Err(missing()) };
    let name: TextRef = format!("{code}/{version}").parse().map_err(|_| missing())?;
    Ok(Json(texts::get(&state.app, &call, BrandCode(brand), &name).await?))
}
