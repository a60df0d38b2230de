//! The citizen's other ways to the registry: the short number 3338, the voice centre, and the operator who
//! reports that a line was closed (protocol 7.15 and 10.7).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::citizen::{individual, told};
use super::problem::{Problem, read};
use crate::address;
use crate::draft::Key;
use crate::error::Result;
use crate::http::App;
use crate::registry::{Desk, citizen};
use crate::store::outbox::{self, Letter};
use crate::store::{consents, opt_in, providers};
use crate::words::{Channel, Product, RecipientType, SHORT_NUMBER, Status, VOICE_CENTRE};

/// The most records of a line in one brand: three channels in two capacities.
const RECORDS_MAX: i64 = 6;

/// The phone that a person at the control interface meant.
fn phone(app: &App, text: &str) -> Result<String, Problem> {
    let recipient = address::lenient(text);
    let policy = app.registry.settings.get().settings.address_policy();
    match address::misfit(&recipient, Channel::Call, policy) {
        None => Ok(recipient),
        Some(wrong) => Err(Problem::unusable("recipient", wrong)),
    }
}

/// A text message to 3338.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortMessage {
    recipient: String,
    text: String,
}

/// A text message to the short number: brand numbers or short names, with or without `RET` before them.
///
/// Documented is that it rejects. Assumed is that it rejects messages and nothing else, in both capacities
/// of the number, that what is not approved stays as it is, and that several names may stand in a message.
pub(super) async fn short_number(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let message: ShortMessage = read(&body)?;
    let recipient = phone(&app, &message.recipient)?;
    let answer = app.registry.run(move |desk| reject_by_message(desk, &recipient, &message.text)).await?;
    Ok(Json(answer))
}

fn reject_by_message(desk: &Desk<'_>, recipient: &str, text: &str) -> Result<Value> {
    let folded = fold(text);
    let mut words = folded.split_whitespace().peekable();
    words.next_if_eq(&"RET");
    let (mut results, mut replies) = (Vec::new(), Vec::new());
    for word in words {
        let (outcome, reply, movements) = reject_word(desk, recipient, word)?;
        results.push(json!({"word": word, "outcome": outcome, "movements": movements}));
        replies.push(reply);
    }
    if results.is_empty() {
        replies
            .push("Ret için RET yazıp bir boşluk bırakarak marka adını ya da numarasını yazın.".to_owned());
    }
    let reply = replies.join(" ");
    outbox::send(desk.db, &Letter::new(recipient, reply.clone(), desk.now()))?;
    Ok(json!({"recipient": recipient, "results": results, "reply": reply}))
}

/// Rejects the brand of a word: what came of it, what the citizen is told, and the movements.
fn reject_word(desk: &Desk<'_>, recipient: &str, word: &str) -> Result<(&'static str, String, Vec<Value>)> {
    let brand_code = match word.parse::<i64>() {
        Ok(number) => Some(number),
        Err(_) => opt_in::brand_of_short_name(desk.db, word)?,
    };
    let brand = brand_code.map(|code| providers::find_brand(desk.db, code)).transpose()?.flatten();
    let Some(brand) = brand else {
        return Ok(("unknown_brand", format!("{word} adında bir marka bulunamadı."), Vec::new()));
    };
    let (mut known, mut movements) = (false, Vec::new());
    for recipient_type in [RecipientType::Individual, RecipientType::Merchant] {
        let key = Key { recipient: recipient.to_owned(), recipient_type, channel: Channel::Message };
        known |= consents::find_current(desk.db, brand.code, &key)?.is_some();
        if let Some(written) = citizen::reject_approved(desk, &brand, key.clone(), SHORT_NUMBER)? {
            movements.push(told(desk, brand.code, &key, written)?);
        }
    }
    Ok(if !movements.is_empty() {
        opt_in::take_credit(desk.db, brand.iys_code, Product::Via)?;
        ("rejected", format!("{} markasının mesajları için ret talebiniz kaydedildi.", brand.name), movements)
    } else if known {
        let reply = format!("{} markasının mesajları için ret kaydınız zaten var.", brand.name);
        ("already_rejected", reply, movements)
    } else {
        ("no_record", format!("{} markasında numaranıza ait izin yok.", brand.name), movements)
    })
}

/// Writes a text in the capitals in which short names are kept: Turkish letters lose their marks, and
/// everything but letters and digits separates words.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            'ı' | 'i' | 'İ' | 'î' | 'Î' => 'I',
            'ş' | 'Ş' => 'S',
            'ğ' | 'Ğ' => 'G',
            'ü' | 'Ü' => 'U',
            'ö' | 'Ö' => 'O',
            'ç' | 'Ç' => 'C',
            'â' | 'Â' => 'A',
            // The dot that capital İ leaves behind in lower case; it joins nothing and separates nothing.
            '\u{307}' => '\u{307}',
            letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
            _ => ' ',
        })
        .filter(|letter| *letter != '\u{307}')
        .collect()
}

/// A call to the voice centre.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VoiceCall {
    brand_code: i64,
    recipient: String,
    #[serde(default = "individual")]
    recipient_type: RecipientType,
    #[serde(default = "calls")]
    r#type: Channel,
    #[serde(default = "rejection")]
    status: Status,
}

fn calls() -> Channel {
    Channel::Call
}

fn rejection() -> Status {
    Status::Rejection
}

/// What the citizen says to the voice centre: a rejection of calls, unless the body says otherwise.
pub(super) async fn voice(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let call: VoiceCall = read(&body)?;
    let recipient = phone(&app, &call.recipient)?;
    if call.r#type == Channel::Email {
        return Err(Problem::invalid("type", "ARAMA, MESAJ"));
    }
    let key = Key { recipient, recipient_type: call.recipient_type, channel: call.r#type };
    let written = app
        .registry
        .run(move |desk| {
            let Some(brand) = providers::find_brand(desk.db, call.brand_code)? else { return Ok(None) };
            let written = citizen::act_now(desk, &brand, key.clone(), call.status, VOICE_CENTRE)?;
            told(desk, brand.code, &key, written).map(Some)
        })
        .await?;
    written.map(Json).ok_or_else(|| Problem::not_found("brandCode"))
}

/// A line that was closed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosedLine {
    recipient: String,
}

/// The operator reports a closed line: every record of the number becomes a rejection.
pub(super) async fn line_closure(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let line: ClosedLine = read(&body)?;
    let recipient = phone(&app, &line.recipient)?;
    let list = app.registry.run(move |desk| close_everywhere(desk, &recipient)).await?;
    Ok(Json(json!({ "list": list })))
}

fn close_everywhere(desk: &Desk<'_>, recipient: &str) -> Result<Vec<Value>> {
    let mut list = Vec::new();
    for provider in providers::list(desk.db)? {
        for brand in providers::list_brands(desk.db, provider.iys_code)? {
            for key in consents::keys(desk.db, brand.code, Some(recipient), RECORDS_MAX)? {
                let Some(current) = consents::find_current(desk.db, brand.code, &key)? else { continue };
                let written = citizen::close_line(desk, &brand, key.clone(), &current)?;
                list.push(told(desk, brand.code, &key, written)?);
            }
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_folded_and_signs_separate() {
        assert_eq!(fold("ret şık-Çiçek"), "RET SIK CICEK");
        assert_eq!(fold("i\u{307}pek"), "IPEK");
        assert_eq!(fold("RET 600100!"), "RET 600100 ");
    }
}
