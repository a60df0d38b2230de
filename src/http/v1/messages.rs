//! Outgoing messages, and on whose behalf they go out.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use kopru_domain::BrandCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::In;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::service::messages::sender::{self, NewSender, Sender};
use crate::service::messages::{self, Message};

/// A brand as the sender of messages.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SenderBody {
    /// The company's title (ticaret unvanı); of a tradesperson name and surname.
    #[schema(example = "Örnek Mağazacılık A.Ş.")]
    pub title: String,
    /// MERSİS number, 16 digits; of a tradesperson the T.C. number, 11 digits.
    #[schema(example = "0123456789012345")]
    pub identity: String,
    /// The account of the settings for SMS; left out: the default one.
    pub sms_account: Option<String>,
    /// The sender's name that the vendor has approved; left out: the account's.
    #[schema(example = "ORNEK")]
    pub sms_from: Option<String>,
    /// The account of the settings for e-mail; left out: the default one.
    pub mail_account: Option<String>,
    /// The sender's address, with a name if wanted; left out: the account's.
    pub mail_from: Option<String>,
    /// The number to which RET is sent.
    #[schema(example = "4609")]
    pub ret_number: Option<String>,
    /// The keyword before it, on a shared number.
    pub ret_keyword: Option<String>,
    /// Where else one says no: an e-mail address, telephone number or page.
    pub contact: Option<String>,
    /// Whether electronic consents are answered by a notice on the same day; left out: not.
    pub notices: Option<bool>,
}

impl Body for SenderBody {
    const FIELDS: &'static [Field] = &[
        Field::required("title", Kind::Text).also(&["unvan", "name"]),
        Field::required("identity", Kind::Text).also(&["mersis", "tckn", "mersisno"]),
        Field::optional("smsAccount", Kind::Text),
        Field::optional("smsFrom", Kind::Text).also(&["baslik", "header", "sender"]),
        Field::optional("mailAccount", Kind::Text).also(&["emailaccount"]),
        Field::optional("mailFrom", Kind::Text).also(&["emailfrom"]),
        Field::optional("retNumber", Kind::Text).also(&["shortnumber", "kisanumara"]),
        Field::optional("retKeyword", Kind::Text).also(&["keyword", "anahtar"]),
        Field::optional("contact", Kind::Text).also(&["iletisim"]),
        Field::optional("notices", Kind::Flag).also(&["bildirim", "notice"]),
    ];
}

/// Set a brand's sender
///
/// All of it: what is left out is unset. With `notices` each consent that is given by electronic means is answered on the same day,
/// on its own channel, with the sender's identity and a way to say no.
#[utoipa::path(
    put,
    path = "/v1/brands/{brandCode}/sender",
    operation_id = "setSender",
    tag = "messages",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = SenderBody),
    responses(
        (status = 200, description = "The sender", body = Sender),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Markanın göndericisini belirle")),
        ("x-description-tr" = json!("Bütünüyle: gönderilmeyen alan boşaltılır. notices açıkken elektronik yolla verilen her izne aynı gün, kendi kanalından, göndericinin kimliği ve ret yoluyla bildirim gider.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn set_sender(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    JsonBody(bytes): JsonBody,
) -> Result<Json<Sender>, Problem> {
    let body: SenderBody = json::read(&bytes)?;
    let new = NewSender {
        title: body.title,
        identity: body.identity,
        sms_account: body.sms_account,
        sms_from: body.sms_from,
        mail_account: body.mail_account,
        mail_from: body.mail_from,
        ret_number: body.ret_number,
        ret_keyword: body.ret_keyword,
        contact: body.contact,
        notices: body.notices.unwrap_or_default(),
    };
    let sender = sender::set(&state.app, &call, brand, new).await?;
    state.brands.clear();
    Ok(Json(sender))
}

/// Show a brand's sender
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/sender",
    operation_id = "getSender",
    tag = "messages",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The sender", body = Sender)),
    extensions(("x-summary-tr" = json!("Markanın göndericisini göster")), ("x-scope" = json!("admin"))),
)]
pub async fn get_sender(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<Sender>, Problem> {
    Ok(Json(sender::get(&state.app, &call, brand).await?))
}

/// Remove a brand's sender
///
/// Its messages go out by the settings' defaults from now on, and no notices.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/sender",
    operation_id = "removeSender",
    tag = "messages",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 204, description = "Removed")),
    extensions(
        ("x-summary-tr" = json!("Markanın göndericisini kaldır")),
        ("x-description-tr" = json!("İletileri bundan sonra ayarlardaki varsayılanlarla gider, bildirim gitmez.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn remove_sender(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<StatusCode, Problem> {
    sender::remove(&state.app, &call, brand).await?;
    state.brands.clear();
    Ok(StatusCode::NO_CONTENT)
}

/// List a brand's messages
///
/// Codes, notices, confirmations and answers that went out or are to go out, newest first, with what the vendor said. Recipients are
/// masked, texts are not shown.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/messages",
    operation_id = "listMessages",
    tag = "messages",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1000"),
    ),
    responses((status = 200, description = "A page", body = Page<Message>)),
    extensions(
        ("x-summary-tr" = json!("Markanın iletilerini listele")),
        ("x-description-tr" = json!("Giden ya da gidecek kod, bildirim, teyit ve yanıtlar, en yeniden başlayarak, sağlayıcının yanıtıyla. Alıcılar maskelenir, metinler gösterilmez.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    uri: Uri,
) -> Result<Json<Page<Message>>, Problem> {
    let list = List::Messages(brand.0);
    let mut params = Params::of(&uri, &["after", "limit"]);
    let after = params.cursor("after", list, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let items = messages::list(&state.app, &call, brand, after, limit).await?;
    Ok(Json(Page::cut(items, limit, list, |item| Place::Id(item.id))))
}
