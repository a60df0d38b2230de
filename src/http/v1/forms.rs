//! Web forms.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kopru_domain::BrandCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::json::{self, Body, Field, Kind};
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::permissions::CHANNELS;
use crate::service::forms::{self, Form, FormContent};

const THEME: &[Field] = &[
    Field::optional("accent", Kind::Text).also(&["primary", "color", "renk"]),
    Field::optional("background", Kind::Text).also(&["zemin"]),
    Field::optional("text", Kind::Text).also(&["yazi"]),
    Field::optional("logo", Kind::Text),
];

impl Body for FormContent {
    const FIELDS: &'static [Field] = &[
        Field::required("mersis", Kind::Text).also(&["mersisno"]),
        Field::required("text", Kind::Text).also(&["metin", "consenttext"]),
        Field::required("notice", Kind::Text).also(&["aydinlatma"]),
        Field::required("channels", Kind::Words(CHANNELS)).also(&["types", "kanallar"]),
        Field::optional("doubleOptIn", Kind::Flag).also(&["confirm"]),
        Field::optional("confirmation", Kind::Word(&["own", "via"])),
        Field::optional("retailerCode", Kind::Number).also(&["bayi", "retailer"]),
        Field::optional("allowedOrigins", Kind::Texts).also(&["origins"]),
        Field::optional("domain", Kind::Text).also(&["host", "alanadi"]),
        Field::optional("theme", Kind::Object(THEME)).also(&["tema", "style"]),
    ];
}

/// Forms of a brand.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Forms {
    /// By code; at most 1 000.
    pub items: Vec<Form>,
}

/// List a brand's web forms
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/forms",
    operation_id = "listForms",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The forms", body = Forms)),
    extensions(("x-summary-tr" = json!("Markanın web formlarını listele")), ("x-scope" = json!("consents:read"))),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<Forms>, Problem> {
    Ok(Json(Forms { items: forms::list(&state.app, &call, brand).await? }))
}

/// Show one web form
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/forms/{code}",
    operation_id = "getForm",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("code" = String, Path, description = "The form's code"),
    ),
    responses((status = 200, description = "The form", body = Form)),
    extensions(("x-summary-tr" = json!("Bir web formunu göster")), ("x-scope" = json!("consents:read"))),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    at: Within<String>,
) -> Result<Json<Form>, Problem> {
    let (brand, code) = at.or_missing("form")?;
    Ok(Json(forms::get(&state.app, &call, brand, &code).await?))
}

/// Add or change a web form
///
/// All of what it holds; a change makes a new version under the same address, and opens a form that was ended. Its page is at `url`, in
/// Turkish and English, for phones and screen readers, and works without JavaScript. Title, MERSİS number, consent text and notice are
/// shown apart, with one unticked box for each channel. `embedUrl` is a script that puts it into a page of an allowed origin; own forms
/// of such pages post to `url` (`fullName`, `phone`, `email`, `channels`). With double opt-in, the default, nothing is filed as long as
/// addresses cannot be confirmed. With `confirmation: via` the registry confirms them, by its own code or link, and records what is
/// approved; so it does for the links to one person that lead to such a form.
#[utoipa::path(
    put,
    path = "/v1/brands/{brandCode}/forms/{code}",
    operation_id = "putForm",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("code" = String, Path, description = "The form's code: lower-case letters a-z, digits and hyphens"),
    ),
    request_body(content = FormContent),
    responses(
        (status = 201, description = "The new form", body = Form),
        (status = 200, description = "The form", body = Form),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Web formu ekle ya da değiştir")),
        ("x-description-tr" = json!("İçeriğin tamamı; değişiklik aynı adreste yeni bir sürüm olur, kapatılmış formu yeniden açar. Sayfası url adresindedir: Türkçe ve İngilizce, telefon ve ekran okuyucu için, JavaScript olmadan çalışır. Unvan, MERSİS, onay metni ve aydınlatma ayrı ayrı, her kanal için işaretsiz bir kutuyla gösterilir. embedUrl, formu izinli bir kaynağın sayfasına yerleştiren betiktir; o sayfaların kendi formları url adresine gönderir (fullName, phone, email, channels). Çift onay (varsayılan) açıkken, adresler doğrulanamadığı sürece kayıt alınmaz. confirmation: via ile adresi İYS kendi kodu ya da bağlantısıyla doğrular ve onayı kaydeder; böyle bir forma götüren kişiye özel bağlantılarda da öyledir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn put(
    State(state): State<HttpState>,
    call: Call,
    at: Within<String>,
    JsonBody(bytes): JsonBody,
) -> Result<(StatusCode, Json<Form>), Problem> {
    let (brand, code) = at.or_missing("form")?;
    let content: FormContent = json::read(&bytes)?;
    let (form, added) = forms::put(&state.app, &call, brand, &code, content).await?;
    state.forms.clear();
    Ok((if added { StatusCode::CREATED } else { StatusCode::OK }, Json(form)))
}

/// End a web form
///
/// Its page says so and takes nothing. What came by it stays.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/forms/{code}",
    operation_id = "disableForm",
    tag = "channels",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("code" = String, Path, description = "The form's code"),
    ),
    responses((status = 204, description = "Ended")),
    extensions(
        ("x-summary-tr" = json!("Bir web formunu kapat")),
        ("x-description-tr" = json!("Sayfası kapandığını söyler ve kayıt almaz. Alınmış kayıtlar kalır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn disable(
    State(state): State<HttpState>,
    call: Call,
    at: Within<String>,
) -> Result<StatusCode, Problem> {
    let (brand, code) = at.or_missing("form")?;
    forms::disable(&state.app, &call, brand, &code).await?;
    state.forms.clear();
    Ok(StatusCode::NO_CONTENT)
}
