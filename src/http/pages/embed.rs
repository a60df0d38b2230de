//! The script that puts a form into a client's page: in a shadow tree of its own, built node by node, with a style sheet object. It
//! needs no inline script or style, so a strict policy of the page only has to name this service (`script-src`, `connect-src`).

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kopru_domain::{Channel, Lang, Wording};
use serde_json::{Value, json};

use super::form::{context, known};
use super::form_view::{email_hint, phone_hint};
use super::theme;
use super::view::STYLE;
use super::words::Words;
use super::{lang, missing};
use crate::http::state::HttpState;
use crate::service::forms::filing::box_label;
use crate::service::forms::{ShownForm, address};

const SCRIPT: &str = include_str!("embed.js");
/// Where the form's data goes.
const PLACE: &str = "\"KOPRU_FORM\"";

/// The script of a form.
pub async fn script(State(state): State<HttpState>, Path(key): Path<String>, request: Request) -> Response {
    let lang = lang(request.uri(), context(&request).lang);
    let form = match known(&state, &key, request.headers()).await {
        Ok(Some(form)) if form.row.active => form,
        Ok(_) => return missing(lang),
        Err(problem) => return problem.into_response(),
    };
    let action = address(&state.app, form.content.domain.as_deref(), &format!("f/{key}"));
    let script = SCRIPT.replacen(PLACE, &literal(&data(&form, &action, lang)), 1);
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (StatusCode::OK, headers, script).into_response()
}

fn data(form: &ShownForm, action: &str, lang: Lang) -> Value {
    let (lang, text, notice) = form.wordings(lang);
    let words = Words(lang);
    let wording = |wording: &Wording| json!({"title": wording.title, "paragraphs": wording.paragraphs().collect::<Vec<_>>()});
    let channels = &form.content.channels;
    let mut fields = vec![
        json!({"name": "fullName", "label": words.full_name(), "type": "text", "autocomplete": "name", "required": true}),
    ];
    if channels.iter().any(|channel| *channel != Channel::Email) {
        fields.push(json!({"name": "phone", "label": words.phone(), "hint": phone_hint(channels, words), "required": !channels.contains(&Channel::Email), "type": "tel", "autocomplete": "tel"}));
    }
    if channels.contains(&Channel::Email) {
        fields.push(json!({"name": "email", "label": words.email(), "hint": email_hint(channels, words), "required": email_hint(channels, words).is_none(), "type": "email", "autocomplete": "email"}));
    }
    json!({
        "action": action,
        "lang": lang.as_str(),
        "css": format!("{}{STYLE}", theme::host(&form.content.theme)),
        "heading": words.form_title(),
        "origins": form.content.allowed_origins,
        "foreign": words.foreign(),
        "company": form.title,
        "brand": form.brand.row.name,
        "mersis": format!("{} {}", words.mersis(), form.content.mersis),
        "textHeading": words.consent_text(),
        "text": wording(text),
        "noticeHeading": words.notice(),
        "notice": wording(notice),
        "legend": words.channels(),
        "hint": words.channels_hint(),
        "boxes": channels.iter().map(|channel| json!({"value": channel.as_str(), "label": box_label(*channel, lang)})).collect::<Vec<_>>(),
        "fields": fields,
        "trap": words.leave_empty(),
        "send": words.send(),
        "takeBack": words.take_back(),
        "errors": words.errors(),
        "failed": words.failed(),
    })
}

/// JSON that is also JavaScript, and ends no script element.
fn literal(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_literal() {
        let text = literal(&json!({"a": "</script><script>alert(1)</script>\u{2028}\"'\\"}));
        assert!(!text.contains('<') && !text.contains('\u{2028}'), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap()["a"],
            "</script><script>alert(1)</script>\u{2028}\"'\\"
        );
    }

    #[test]
    fn the_script_needs_nothing_that_a_strict_policy_forbids() {
        assert_eq!(SCRIPT.matches(PLACE).count(), 1);
        for word in [
            "eval(",
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "new Function",
            ".style",
            "\"style\"",
            "onclick",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
