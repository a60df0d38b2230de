//! What citizens send to short numbers, and where vendors push it to.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::{BrandCode, Channel};
use kopru_store::inbound::InboundState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::service::inbound::{
    self, Decision, InboundConnection, InboundMessage, Inbox, NewConnection, VENDORS,
};

/// An address to be made for a vendor.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionBody {
    /// `verimor`, `netgsm`, `iletimerkezi`, `twilio` or `http`.
    #[schema(example = "verimor")]
    pub vendor: String,
    /// Of Twilio: the account's auth token, which signs every push.
    pub signing_secret: Option<String>,
    /// Of Verimor, Netgsm, iletiMerkezi and Twilio: the account with which the inbox is read every other minute, so that nothing is lost that
    /// was pushed while this service could not be reached.
    pub inbox: Option<InboxBody>,
}

/// An account with a vendor.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboxBody {
    /// User name, or the API key.
    pub username: String,
    /// Password, or the key's hash.
    pub password: String,
    /// Where the vendor's interface is, if not at its known place.
    pub url: Option<String>,
}

const INBOX: &[Field] = &[
    Field::required("username", Kind::Text).also(&["user", "key"]),
    Field::required("password", Kind::Text).also(&["hash", "secret"]),
    Field::optional("url", Kind::Text),
];

impl Body for ConnectionBody {
    const FIELDS: &'static [Field] = &[
        Field::required("vendor", Kind::Word(VENDORS)).also(&["operator", "provider"]),
        Field::optional("signingSecret", Kind::Text).also(&["authtoken", "secret"]),
        Field::optional("inbox", Kind::Object(INBOX)).also(&["account"]),
    ];
}

/// What a person makes of a message.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// `rejection` or `dismissal`.
    #[schema(value_type = String, example = "rejection")]
    pub decision: DecisionWord,
    /// The channels of a rejection: `ARAMA`, `MESAJ`; messages alone where it is left out.
    #[schema(value_type = Option<Vec<String>>, example = json!(["MESAJ"]))]
    pub channels: Option<Vec<Channel>>,
}

/// What a message can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionWord {
    /// RET.
    Rejection,
    /// Nothing.
    Dismissal,
}

const DECISIONS: &[&str] = &["rejection", "dismissal"];
const CHANNELS: &[&str] = &["ARAMA", "MESAJ"];
const STATES: &[&str] = &["approval", "rejection", "unknown", "rejected", "dismissed"];

impl Body for DecisionBody {
    const FIELDS: &'static [Field] = &[
        Field::required("decision", Kind::Word(DECISIONS)).also(&["karar"]),
        Field::optional("channels", Kind::Words(CHANNELS)).also(&["types", "kanallar"]),
    ];
}

/// Where vendors push to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InboundConnections {
    /// By age.
    pub items: Vec<InboundConnection>,
}

type Id = Result<Path<Uuid>, PathRejection>;

/// Add an inbound connection
///
/// An address of your own for a vendor's pushes. The token in it is the only proof of most vendors and is shown once: give the whole
/// address to the vendor. Short numbers belong to the installation: the key must belong to no provider.
#[utoipa::path(
    post,
    path = "/v1/inbound-connections",
    operation_id = "addInboundConnection",
    tag = "keywords",
    params(("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID")),
    request_body(content = ConnectionBody),
    responses(
        (status = 201, description = "The address, in full this once", body = InboundConnection),
        (status = 409, description = "http.public_url is not set", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Gelen SMS bağlantısı ekle")),
        ("x-description-tr" = json!("Bir operatörün gelen mesajları ileteceği adres. İçindeki anahtar çoğu operatörde tek kanıttır ve bir kez gösterilir: adresin tamamını operatöre verin. Kısa numaralar kurulumundur: anahtarınız bir sağlayıcıya bağlı olmamalıdır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn connect(
    State(state): State<HttpState>,
    call: Call,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let body: ConnectionBody = json::read(&bytes)?;
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let inbox = body.inbox.map(|InboxBody { username, password, url }| Inbox { username, password, url });
    let new = NewConnection { signing_secret: body.signing_secret, inbox };
    let made = inbound::connect_in(&mut turn.tx, &state.app, &call, &body.vendor, new).await?;
    turn.finish(StatusCode::CREATED, &made).await
}

/// List inbound connections
#[utoipa::path(
    get,
    path = "/v1/inbound-connections",
    operation_id = "listInboundConnections",
    tag = "keywords",
    responses((status = 200, description = "The connections; their tokens are left out", body = InboundConnections)),
    extensions(("x-summary-tr" = json!("Gelen SMS bağlantılarını listele")), ("x-scope" = json!("admin"))),
)]
pub async fn connections(
    State(state): State<HttpState>,
    call: Call,
) -> Result<Json<InboundConnections>, Problem> {
    Ok(Json(InboundConnections { items: inbound::connections(&state.app, &call).await? }))
}

/// Remove an inbound connection
///
/// What the vendor pushes there from now on is refused.
#[utoipa::path(
    delete,
    path = "/v1/inbound-connections/{id}",
    operation_id = "removeInboundConnection",
    tag = "keywords",
    params(("id" = Uuid, Path, description = "The connection's identity")),
    responses((status = 204, description = "Removed")),
    extensions(
        ("x-summary-tr" = json!("Gelen SMS bağlantısını kaldır")),
        ("x-description-tr" = json!("Operatörün bundan sonra oraya ilettikleri reddedilir.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn disconnect(State(state): State<HttpState>, call: Call, id: Id) -> Result<StatusCode, Problem> {
    let Ok(Path(id)) = id else { return Err(Problem::NotFound("inbound connection")) };
    inbound::disconnect(&state.app, &call, id).await?;
    state.inlets.clear();
    Ok(StatusCode::NO_CONTENT)
}

/// List messages of citizens
///
/// What was sent to the brand's short numbers and what was made of it, oldest first; by itself what waits for a person.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/inbound",
    operation_id = "listInboundMessages",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("state" = Option<String>, Query, description = "`unknown` (the default), `approval`, `rejection`, `rejected`, `dismissed`"),
        ("after" = Option<String>, Query, description = "Cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 1 to 1000, 100 by default"),
    ),
    responses((status = 200, description = "The messages", body = Page<InboundMessage>)),
    extensions(
        ("x-summary-tr" = json!("Vatandaşların mesajlarını listele")),
        ("x-description-tr" = json!("Markanın kısa numaralarına gönderilenler ve ne yapıldığı, en eskiden başlayarak; seçilmezse bir kişinin bakmasını bekleyenler.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    uri: Uri,
) -> Result<Json<Page<InboundMessage>>, Problem> {
    let pages = List::Inbound(brand.0);
    let mut params = Params::of(&uri, &["state", "after", "limit"]);
    let word: Option<String> = params.word("state", STATES);
    let after = params.cursor("after", pages, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let word = word.as_deref().unwrap_or("unknown");
    let found = InboundState::ALL.into_iter().find(|state| state.as_str() == word);
    let wanted = found.unwrap_or(InboundState::Unknown);
    let items = inbound::list(&state.app, &call, brand, wanted, after, limit + 1).await?;
    Ok(Json(Page::cut(items, limit, pages, |message| Place::Id(message.id))))
}

/// Decide a message by hand
///
/// A message that was not understood is a rejection or nothing. It cannot be made an approval: an approval is exact, or none; ask the
/// citizen to send it again.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/inbound/{id}/decision",
    operation_id = "decideInboundMessage",
    tag = "keywords",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The message's identity"),
    ),
    request_body(content = DecisionBody),
    responses(
        (status = 200, description = "The message as it is now", body = InboundMessage),
        (status = 409, description = "It is decided already", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir mesajı elle karara bağla")),
        ("x-description-tr" = json!("Anlaşılamayan mesaj ya ret sayılır ya da hiçbir şey. Onay sayılamaz: onay tam eşleşmedir ya da yoktur; vatandaştan yeniden göndermesini isteyin.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn decide(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
    JsonBody(bytes): JsonBody,
) -> Result<Json<InboundMessage>, Problem> {
    let (brand, id) = at.or_missing("inbound message")?;
    let body: DecisionBody = json::read(&bytes)?;
    let decision = match body.decision {
        DecisionWord::Rejection => {
            let channels = body.channels.filter(|channels| !channels.is_empty());
            Decision::Rejection(channels.unwrap_or_else(|| vec![Channel::Message]))
        }
        DecisionWord::Dismissal => Decision::Dismissal,
    };
    Ok(Json(inbound::decide(&state.app, &call, brand, id, decision).await?))
}
