//! Double opt-ins: started by a client's own form, confirmed by the owner of the address.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use kopru_domain::opt_in::OptInState;
use kopru_domain::time::format_rfc3339;
use kopru_domain::via::{Confirmer, Verification};
use kopru_domain::{Channel, Evidence, Lang, RecipientType, ShownText, Text, TextRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::Page;
use crate::service::consents::explain;
use crate::service::opt_in::{self, Answered, Asked, NewOptIn, OptIn};
use crate::service::via::{self, Wanted};
use crate::service::{FieldProblem, ServiceError};

/// What a form of yours has taken, to be confirmed by the owner of the address.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OptInBody {
    /// Phone number or e-mail address, as people write it.
    #[schema(example = "0532 123 45 67")]
    pub recipient: String,
    /// What is agreed to: `MESAJ`, `ARAMA` or both of a number, or `EPOSTA` alone.
    #[schema(value_type = Vec<String>, example = json!(["MESAJ", "ARAMA"]))]
    pub types: Vec<Channel>,
    /// `HS_WEB` (the default), `HS_MOBIL`, `HS_EORTAM` …
    pub source: Option<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// The retailer who takes it.
    pub retailer_code: Option<i64>,
    /// A reference of your own, at most 200 characters.
    pub reference: Option<String>,
    /// The form, page or campaign, at most 200 characters.
    pub origin: Option<String>,
    /// Where the person can read more; it stands in the message.
    #[schema(example = "https://www.example.com/izin")]
    pub info: Option<String>,
    /// The text version kept here that was shown, as `code/version`.
    #[schema(example = "sms-onay/1")]
    pub text: Option<String>,
    /// The version of the privacy notice that stood beside it, as `code/version`.
    pub notice: Option<String>,
    /// The name the person gave.
    pub full_name: Option<String>,
    /// The person's network address; at most three codes or links are sent on its behalf in a quarter of an hour.
    #[schema(value_type = Option<String>)]
    pub client_address: Option<String>,
    /// The person's browser.
    pub user_agent: Option<String>,
    /// The language of the message and of the page: `tr` (the default) or `en`. What the registry sends is in its own words.
    #[schema(value_type = Option<String>)]
    pub language: Option<Lang>,
    /// Who asks: `own` (this service) or `via` (the registry, see `PUT …/via`). Left out: as the brand has set it.
    #[schema(value_type = Option<String>, example = "via")]
    pub confirmation: Option<Confirmer>,
    /// How the registry asks: `SMS_OTP`, `SMS_SHORTURL`, `EPOSTA_OTP`, `EPOSTA_SHORTURL` or `EPOSTA_APPROVALURL`. Left out: the first of the
    /// brand's that reaches the address.
    #[schema(value_type = Option<String>, example = "SMS_OTP")]
    pub verification_type: Option<Verification>,
}

const VERIFICATIONS: &[&str] =
    &["SMS_OTP", "SMS_SHORTURL", "EPOSTA_OTP", "EPOSTA_SHORTURL", "EPOSTA_APPROVALURL"];

impl Body for OptInBody {
    const FIELDS: &'static [Field] = &[
        Field::required("recipient", Kind::Text)
            .also(&["phone", "gsm", "telefon", "email", "eposta", "alici"]),
        Field::required("types", Kind::Words(&["MESAJ", "ARAMA", "EPOSTA"]))
            .also(&["type", "channels", "kanallar"]),
        Field::optional("source", Kind::Text).also(&["kaynak"]),
        Field::optional("recipientType", Kind::Word(&["BIREYSEL", "TACIR"])).also(&["alicitipi"]),
        Field::optional("retailerCode", Kind::Number).also(&["bayikodu", "retailer"]),
        Field::optional("reference", Kind::Text).also(&["referans", "ref"]),
        Field::optional("origin", Kind::Text).also(&["form", "campaign", "kampanya"]),
        Field::optional("info", Kind::Text).also(&["bilgi", "url", "link"]),
        Field::optional("text", Kind::Text).also(&["metin", "consenttext"]),
        Field::optional("notice", Kind::Text).also(&["aydinlatma"]),
        Field::optional("fullName", Kind::Text).also(&["name", "adsoyad", "ad"]),
        Field::optional("clientAddress", Kind::Text).also(&["ip", "clientip"]),
        Field::optional("userAgent", Kind::Text).also(&["browser"]),
        Field::optional("language", Kind::Word(&["tr", "en"])).also(&["lang", "dil"]),
        Field::optional("confirmation", Kind::Word(&["own", "via"])).also(&["provider"]),
        Field::optional("verificationType", Kind::Word(VERIFICATIONS)),
    ];
}

/// A double opt-in that was started.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// `code` (by SMS) or `link` (by e-mail).
    #[schema(value_type = String)]
    pub way: &'static str,
    /// Who asks: `own` or `via`.
    #[schema(value_type = String)]
    pub confirmation: &'static str,
    /// Of a code: names the process. Give it to nobody but the person's own browser; with the code it confirms. Of a link of the
    /// registry it confirms nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Of a code: the page on which the person enters it, if you have none of your own. Of a link of the registry: the page that tells
    /// how far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Until when the code or link is good, RFC 3339 with +03:00.
    pub good_until: String,
}

/// A code that a person has entered on a page of yours.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// The token that the start answered.
    pub token: String,
    /// The code as typed.
    #[schema(example = "048213")]
    pub code: String,
}

impl Body for CodeBody {
    const FIELDS: &'static [Field] =
        &[Field::required("token", Kind::Text), Field::required("code", Kind::Text).also(&["kod", "otp"])];
}

/// What became of a code.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    /// `confirmed`, `wrong`, `too_old` (ask for a new one), `ended` (start anew) or `later` (of the registry's codes: it cannot be asked
    /// at present; send the same once more in a moment).
    #[schema(value_type = String)]
    pub outcome: &'static str,
    /// Tries left after a wrong code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u32>,
}

/// Start a double opt-in
///
/// For a form of your own: the owner of the address confirms it, by a code of six digits sent by SMS (three minutes, five tries) or by
/// a link sent by e-mail (72 hours). Nothing is filed before; the moment of confirmation becomes the date of consent. At most three
/// sends to an address, and on behalf of a `clientAddress`, in a quarter of an hour. The brand needs a sender.
///
/// With `confirmation: via` the registry sends the code or link (three minutes and three tries, or 24 hours), records what is approved as
/// its own movement (`IYS_KISAMESAJ`, `IYS_EPOSTA`), and nothing is filed from here.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/opt-ins",
    operation_id = "startOptIn",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = OptInBody),
    responses(
        (status = 202, description = "A code or link is on its way", body = Started),
        (status = 409, description = "The brand has no sender, is disabled, or the registry starts nothing for it (no right, no credit)", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too much was sent to this address or on behalf of this client", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Çift onay başlat")),
        ("x-description-tr" = json!("Kendi formunuz için: adresin sahibi, SMS ile gelen altı haneli kodla (üç dakika, beş deneme) ya da e-posta ile gelen bağlantıyla (72 saat) onaylar. Öncesinde hiçbir şey bildirilmez; onay tarihi, onaylandığı andır. Bir adrese ve bir clientAddress adına on beş dakikada en çok üç gönderim yapılır. Markanın göndericisi olmalıdır. confirmation: via ile kodu ya da bağlantıyı İYS gönderir (üç dakika ve üç deneme ya da 24 saat), onayı kendi hareketi olarak kaydeder (IYS_KISAMESAJ, IYS_EPOSTA); buradan bildirim yapılmaz.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn start(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let new = read(json::read(&bytes)?)?;
    let base = base(&state)?;
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let asked = opt_in::start_in(&mut turn.tx, &state.app, &call, &brand, &base, new).await?;
    let (way, confirmer) = (asked.way(), asked.confirmer());
    let (token, good_until) = match asked {
        Asked::Code { token, good_until, .. } => (Some(token), good_until),
        Asked::Link { token, good_until } => (token, good_until),
        Asked::TooOften { again_at } => {
            let wait = (again_at - state.app.clocks.wire()).to_std().unwrap_or(Duration::from_secs(1));
            return Err(Problem::RateLimited(wait));
        }
        Asked::NoSender => return Err(no_sender()),
        Asked::Stopped { code } => return Err(stopped(&code)),
        Asked::Unfit(problem) => return Err(Problem::Fields(vec![problem])),
    };
    let page = token.as_ref().map(|token| format!("{}/c/{token}", base.trim_end_matches('/')));
    let good_until = format_rfc3339(good_until);
    let started = Started { way, confirmation: confirmer.as_str(), token, page, good_until };
    let answer = turn.finish(StatusCode::ACCEPTED, &started).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// Confirm a double opt-in
///
/// With the code that the person has entered on a page of yours. The same code again is confirmed again and changes nothing.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/opt-ins/confirm",
    operation_id = "confirmOptIn",
    tag = "consents",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = CodeBody),
    responses((status = 200, description = "What became of it", body = Confirmed)),
    extensions(
        ("x-summary-tr" = json!("Çift onayı tamamla")),
        ("x-description-tr" = json!("Kişinin sizin sayfanızda girdiği kodla. Aynı kod yeniden gelirse sonuç aynıdır, hiçbir şey değişmez.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn confirm(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(bytes): JsonBody,
) -> Result<Json<Confirmed>, Problem> {
    let body: CodeBody = json::read(&bytes)?;
    let answered = opt_in::confirm_of(&state.app, &call, &brand, &body.token, &body.code).await?;
    let (outcome, tries_left) = match answered {
        Answered::Confirmed => ("confirmed", None),
        Answered::Wrong { left } => ("wrong", Some(left)),
        Answered::TooOld => ("too_old", None),
        Answered::Ended => ("ended", None),
        Answered::Later => ("later", None),
    };
    Ok(Json(Confirmed { outcome, tries_left }))
}

/// List double opt-ins
///
/// In one state, oldest first: above all the abandoned ones, whose owners never confirmed. Addresses are masked without
/// `recipients:read`.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/opt-ins",
    operation_id = "listOptIns",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("state" = Option<String>, Query, description = "`pending`, `confirmed`, `done` or `abandoned` (the default)"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1000"),
    ),
    responses((status = 200, description = "A page", body = Page<OptIn>)),
    extensions(
        ("x-summary-tr" = json!("Çift onayları listele")),
        ("x-description-tr" = json!("Tek bir durumdakiler, en eskiden başlayarak: özellikle sahibinin hiç onaylamadığı, yarım kalanlar. recipients:read yetkisi yoksa adresler maskelenir.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
) -> Result<Json<Page<OptIn>>, Problem> {
    let code = brand.row.brand_code;
    let list = List::OptIns(code.0);
    let mut params = Params::of(&uri, &["state", "after", "limit"]);
    let wanted = params.word("state", &["pending", "confirmed", "done", "abandoned"]);
    let after = params.cursor("after", list, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let wanted = wanted.unwrap_or(OptInState::Abandoned);
    let items = opt_in::list(&state.app, &call, code, wanted, after, limit).await?;
    Ok(Json(Page::cut(items, limit, list, |item| Place::Id(item.id))))
}

type Named = Result<Path<(i64, Uuid)>, PathRejection>;

fn named(at: Named) -> Result<Uuid, Problem> {
    at.map(|Path((_, id))| id).map_err(|_| Problem::NotFound("opt-in"))
}

/// Show one double opt-in
///
/// With what the registry says of it, where it asks (ViA): what was approved, and its evidence.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/opt-ins/{id}",
    operation_id = "getOptIn",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The double opt-in's identity"),
    ),
    responses((status = 200, description = "The double opt-in", body = OptIn)),
    extensions(
        ("x-summary-tr" = json!("Bir çift onayı göster")),
        ("x-description-tr" = json!("İYS soruyorsa (ViA) onun söylediğiyle: verilen onaylar ve ispat dosyası.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    at: Named,
) -> Result<Json<OptIn>, Problem> {
    Ok(Json(opt_in::get(&state.app, &call, brand.row.brand_code, named(at)?).await?))
}

/// Download the registry's evidence of a double opt-in
///
/// Of one that the registry has carried out (ViA) and the citizen approved: its ZIP file with a summary (PDF) and time stamp, as it came.
/// `via.evidence` tells whether it is here, and its SHA-256. It names the citizen: needs `recipients:read` too, and leaves an audit row.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/opt-ins/{id}/evidence",
    operation_id = "getOptInEvidence",
    tag = "consents",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The double opt-in's identity"),
    ),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/zip")),
    extensions(
        ("x-summary-tr" = json!("Bir çift onayın İYS ispat dosyasını indir")),
        ("x-description-tr" = json!("İYS'nin yürüttüğü (ViA) ve vatandaşın onayladığı işlemler için: özet (PDF) ve zaman damgası içeren ZIP dosyası, geldiği gibi. via.evidence dosyanın gelip gelmediğini ve SHA-256 özetini gösterir. Vatandaşın adresini içerir: recipients:read de gerekir, denetim kaydı bırakır.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn evidence(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    at: Named,
) -> Result<Response, Problem> {
    let id = named(at)?;
    let file = via::evidence(&state.app, &call, brand.row.brand_code, id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.zip\"")),
    ];
    Ok((headers, file).into_response())
}

/// Where the pages are for the person.
fn base(state: &HttpState) -> Result<String, Problem> {
    let url = state.app.config.http.public_url.as_ref();
    url.map(|url| url.as_str().to_owned()).ok_or_else(|| {
        Problem::Conflict(Text::fixed(
            "http.public_url ayarlanmamış: bağlantılar için dışarıdan erişilebilen adres gerekli",
            "http.public_url is not set: links need an address that can be reached from outside",
        ))
    })
}

fn no_sender() -> Problem {
    Problem::Conflict(Text::fixed(
        "markanın göndericisi yok; PUT …/sender ile belirleyin",
        "the brand has no sender; set one with PUT …/sender",
    ))
}

/// The registry starts nothing for the brand at present.
fn stopped(code: &str) -> Problem {
    let [tr, en] = [Lang::Tr, Lang::En].map(|lang| explain(code, lang).map_or("", |known| known.title));
    Problem::Conflict(Text::new(
        format!(
            "İYS bu marka için şu anda doğrulama başlatmıyor ({code}). {tr} Durum GET …/via ile görünür."
        ),
        format!(
            "the registry starts no confirmations for this brand at present ({code}). {en} GET …/via shows how it stands."
        ),
    ))
}

fn read(body: OptInBody) -> Result<NewOptIn, Problem> {
    let mut problems = Vec::new();
    let lang = body.language.unwrap_or_default();
    let mut shown = |field: &'static str, name: Option<String>| {
        let text = name.map(|name| name.parse::<TextRef>());
        text.and_then(|text| match text {
            Ok(text) => Some(ShownText::new(text, lang)),
            Err(_) => {
                problems.push(problem(
                    field,
                    Text::fixed(
                        "kod/sürüm biçiminde yazın: sms-onay/1",
                        "write it as code/version: sms-onay/1",
                    ),
                ));
                None
            }
        })
    };
    let (text, notice) = (shown("text", body.text), shown("notice", body.notice));
    let client = body.client_address.map(|address| address.trim().parse::<IpAddr>());
    if matches!(client, Some(Err(_))) {
        problems
            .push(problem("clientAddress", Text::fixed("bir IP adresi olmalı", "it must be an IP address")));
    }
    if !problems.is_empty() {
        return Err(ServiceError::Invalid(problems).into());
    }
    let client = client.and_then(Result::ok);
    Ok(NewOptIn {
        recipient: body.recipient,
        types: body.types,
        source: body.source,
        recipient_type: body.recipient_type,
        retailer_code: body.retailer_code,
        reference: body.reference,
        origin: body.origin,
        info: body.info,
        client,
        evidence: Evidence {
            text,
            notice,
            full_name: body.full_name,
            resolved_address: client,
            user_agent: body.user_agent,
            ..Evidence::default()
        },
        lang: Some(lang),
        wanted: Wanted {
            confirmer: body.confirmation,
            verification: body.verification_type,
            links_only: false,
        },
    })
}

fn problem(field: &str, title: Text) -> FieldProblem {
    FieldProblem { index: None, field: field.to_owned(), code: "shape".to_owned(), title }
}
