//! The page on which the owner of an address confirms it: `/c/{token}`. A look changes nothing, so scanners of mail and previews
//! of links do no harm; only the form's POST acts. It works without JavaScript.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use kopru_domain::opt_in::{OptInState, Way, identity, named};
use kopru_domain::{Lang, Text, time};

use crate::http::body;
use crate::http::html::{escape, page};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::ServiceError;
use crate::service::opt_in::{self, Answered, Asked, Shown};

/// Longest form in bytes.
const LIMIT: usize = 4 * 1024;

/// All routes.
pub fn routes() -> Router<HttpState> {
    Router::new().route("/c/{token}", get(show).post(confirm)).route("/c/{token}/again", post(again))
}

async fn show(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mailed = uri.query() == Some("mail=1");
    let note = mailed.then(|| {
        Text::fixed(
            "E-posta adresinize de ayrı bir onay bağlantısı gönderdik.",
            "We have also sent a link to your e-mail address, to be confirmed by itself.",
        )
    });
    match looked(&state, &token).await? {
        Some(shown) => Ok(asking(StatusCode::OK, &token, &shown, note)),
        None => Ok(unknown()),
    }
}

async fn confirm(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Some(shown) = looked(&state, &token).await? else { return Ok(unknown()) };
    let body = body::read(request.into_body(), LIMIT).await?;
    let code = url::form_urlencoded::parse(&body).find(|(name, _)| name == "code");
    let answered = opt_in::confirm(&state.app, &token, code.as_ref().map(|(_, code)| code.as_ref())).await?;
    let wrong = |title: Text, status| Ok(asking(status, &token, &shown, Some(title)));
    match answered {
        Answered::Confirmed => Ok(ended(StatusCode::OK, &Shown { state: OptInState::Done, ..shown })),
        Answered::Ended => Ok(ended(StatusCode::GONE, &Shown { state: OptInState::Abandoned, ..shown })),
        Answered::Wrong { left } => wrong(
            Text::new(
                format!("Kod doğru değil. {left} deneme hakkınız kaldı."),
                format!("The code is not right. You have {left} more tries."),
            ),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        Answered::TooOld => wrong(
            Text::fixed(
                "Kodun süresi doldu. Aşağıdan yeni bir kod isteyin.",
                "The code is too old. Ask for a new one below.",
            ),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    }
}

async fn again(State(state): State<HttpState>, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(shown) = looked(&state, &token).await? else { return Ok(unknown()) };
    let (status, text) = match opt_in::again(&state.app, &token).await {
        Ok(Asked::TooOften { again_at }) => {
            let at = time::local(again_at).format("%H:%M");
            (
                StatusCode::TOO_MANY_REQUESTS,
                Text::new(
                    format!("Kısa sürede çok kod istendi. Saat {at} sonrasında yeniden isteyebilirsiniz."),
                    format!("Too many codes were asked for. You can ask again after {at}."),
                ),
            )
        }
        Ok(Asked::NoSender) => {
            return Ok(ended(StatusCode::GONE, &Shown { state: OptInState::Abandoned, ..shown }));
        }
        Ok(_) => (StatusCode::OK, Text::fixed("Yeni kod gönderildi.", "A new code was sent.")),
        Err(ServiceError::NotFound(_)) => return Ok(ended(StatusCode::GONE, &shown)),
        Err(error) => return Err(error.into()),
    };
    Ok(asking(status, &token, &shown, Some(text)))
}

async fn looked(state: &HttpState, token: &str) -> Result<Option<Shown>, Problem> {
    match opt_in::look(&state.app, token).await {
        Ok(shown) => Ok(Some(shown)),
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The page of a process that waits; what has ended has its own.
fn asking(status: StatusCode, token: &str, shown: &Shown, note: Option<Text>) -> Response {
    if shown.state != OptInState::Pending {
        return ended(status, shown);
    }
    let lang = shown.lang;
    let pick = |tr: &'static str, en: &'static str| if lang == Lang::Tr { tr } else { en };
    let (title, channels) = (escape(&shown.title), named(&shown.channels, lang));
    let identity = escape(&identity(&shown.identity));
    let purpose = match lang {
        Lang::Tr => format!(
            "<strong>{title}</strong>, size {channels} ile ticari ileti göndermek için onayınızı istiyor."
        ),
        Lang::En => format!(
            "<strong>{title}</strong> asks for your consent to send you commercial messages by {channels}."
        ),
    };
    let note = note.map_or_else(String::new, |note| {
        let class = if status.is_success() { "dim" } else { "wrong" };
        format!("<p class=\"{class}\" role=\"status\">{}</p>\n", escape(note.get(lang)))
    });
    let close = pick(
        "Onaylamak istemiyorsanız bu sayfayı kapatın; size ticari ileti gönderilmez.",
        "If you do not want to agree, close this page; no commercial messages are sent to you.",
    );
    let main = format!(
        "<p>{purpose}</p>\n<p class=\"dim\">{identity}</p>\n{note}{}<p class=\"dim\">{close}</p>\n",
        form(token, shown)
    );
    page(status, lang, pick("Onayınız gerekiyor", "Please confirm"), &main)
}

/// What the person fills in or presses.
fn form(token: &str, shown: &Shown) -> String {
    let pick = |tr: &'static str, en: &'static str| if shown.lang == Lang::Tr { tr } else { en };
    let (recipient, token) = (escape(&shown.recipient), escape(token));
    let agree = pick("Onaylıyorum", "I agree");
    if shown.way == Way::Link {
        return format!(
            "<p class=\"dim\">{recipient}</p>\n<form method=\"post\" action=\"/c/{token}\">\n<button type=\"submit\">{agree}</button>\n</form>\n"
        );
    }
    let (label, hint) =
        (pick("6 haneli kod", "Code of 6 digits"), pick("Kodun gönderildiği numara:", "Sent to"));
    let again = pick("Yeni kod gönder", "Send a new code");
    format!(
        "<form method=\"post\" action=\"/c/{token}\">\n<label for=\"code\">{label}</label>\n<p class=\"dim\" id=\"hint\">{hint} {recipient}</p>\n\
         <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"12\" required aria-describedby=\"hint\">\n\
         <br><button type=\"submit\">{agree}</button>\n</form>\n<form method=\"post\" action=\"/c/{token}/again\">\n\
         <button class=\"quiet\" type=\"submit\">{again}</button>\n</form>\n"
    )
}

fn ended(status: StatusCode, shown: &Shown) -> Response {
    let lang = shown.lang;
    let done = matches!(shown.state, OptInState::Confirmed | OptInState::Done);
    let title = escape(&shown.title);
    let channels = named(&shown.channels, lang);
    let (heading, text) = match (done, lang) {
        (true, Lang::Tr) => (
            "Onayınız alındı",
            format!(
                "{title}, size {channels} ile ticari ileti gönderebilir. Dilediğiniz an vazgeçebilirsiniz."
            ),
        ),
        (true, Lang::En) => (
            "Your consent was received",
            format!("{title} may send you commercial messages by {channels}. You can withdraw at any time."),
        ),
        (false, Lang::Tr) => (
            "Onay alınmadı",
            format!(
                "Bu onayın süresi doldu ya da çok sayıda yanlış kod girildi. {title} size bu adresten ticari ileti gönderemez. İsterseniz formu yeniden doldurun."
            ),
        ),
        (false, Lang::En) => (
            "No consent was taken",
            format!(
                "This confirmation is over, or too many wrong codes were entered. {title} may not send you commercial messages there. You may fill in the form again."
            ),
        ),
    };
    page(status, lang, heading, &format!("<p role=\"status\">{text}</p>\n"))
}

/// Nothing is told of who else might be meant.
fn unknown() -> Response {
    let text = "<p>Bağlantı geçerli değil ya da süresi dolmuş.</p>\n<p lang=\"en\">The link is not valid, or too old.</p>\n";
    page(StatusCode::NOT_FOUND, Lang::Tr, "Bağlantı bulunamadı", text)
}
