//! The message as it goes over the wire.

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::{Failure, FailureKind, Mail};

/// Whether the text can be a sender: an address, with a name before it if wanted.
pub fn check_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Envelope and bytes.
pub(crate) fn build(mail: Mail<'_>) -> Result<(Envelope, Vec<u8>), Failure> {
    let from: Mailbox =
        mail.from.parse().map_err(|error| Failure::new(FailureKind::Account, "message", error))?;
    let to: Address = mail.to.parse().map_err(refused)?;
    let id = format!("<{}@{}>", mail.reference, from.email.domain());
    let mut builder = Message::builder()
        .date(mail.now.into())
        .message_id(Some(id))
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(one_line(mail.subject))
        // Nobody reads what an automat would answer
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    if let Some(place) = mail.unsubscribe {
        builder = builder.raw_header(header("List-Unsubscribe", format!("<{}>", one_line(place))));
        if place.starts_with("https://") {
            builder =
                builder.raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
    }
    let message = match mail.html {
        Some(html) => {
            builder.multipart(MultiPart::alternative_plain_html(mail.text.to_owned(), html.to_owned()))
        }
        None => builder.singlepart(SinglePart::plain(mail.text.to_owned())),
    };
    let message = message.map_err(refused)?;
    Ok((message.envelope().clone(), message.formatted()))
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new(FailureKind::Refused, "message", error)
}

/// A header that is written as it stands: an address must not be folded or encoded.
fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// A line break in a header would begin another header.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail<'static> {
        Mail {
            from: "Örnek A.Ş. <onay@example.com>",
            to: "ayse@example.net",
            subject: "Onayınız alındı",
            text: "Merhaba ğüşıöç",
            html: None,
            unsubscribe: Some(
                "https://kopru.example.com/r/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh",
            ),
            reference: "m-1",
            now: "2026-11-28T18:05:00Z".parse().unwrap(),
        }
    }

    fn text(mail: Mail<'_>) -> String {
        String::from_utf8(build(mail).unwrap().1).unwrap()
    }

    #[test]
    fn one_click_stands_in_the_headers_unbroken() {
        let text = text(mail());
        let place = mail().unsubscribe.unwrap();
        assert!(text.contains(&format!("\r\nList-Unsubscribe: <{place}>\r\n")), "{text}");
        assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
        assert!(text.contains("\r\nMessage-ID: <m-1@example.com>\r\n"), "{text}");
        assert!(text.contains("Date: Sat, 28 Nov 2026 18:05:00 +0000\r\n"), "{text}");
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn an_address_to_write_to_is_no_single_click() {
        let text = text(Mail { unsubscribe: Some("mailto:ret@example.com?subject=RET"), ..mail() });
        assert!(text.contains("List-Unsubscribe: <mailto:ret@example.com?subject=RET>\r\n"), "{text}");
        assert!(!text.contains("List-Unsubscribe-Post"), "{text}");
    }

    #[test]
    fn no_text_begins_a_header_of_its_own() {
        let nasty = Mail {
            subject: "x\r\nBcc: all@example.net",
            unsubscribe: Some("https://x/\r\nBcc: all@example.net"),
            ..mail()
        };
        let text = text(nasty);
        assert!(!text.contains("\nBcc:"), "{text}");
    }

    #[test]
    fn addresses_that_are_none_are_told_apart_by_whose_they_are() {
        let kind = |mail| build(mail).unwrap_err().kind;
        assert_eq!(kind(Mail { to: "ayse", ..mail() }), FailureKind::Refused);
        assert_eq!(kind(Mail { from: "onay", ..mail() }), FailureKind::Account);
        assert!(check_address("Örnek A.Ş. <onay@example.com>") && check_address("onay@example.com"));
        assert!(!check_address("Örnek A.Ş.") && !check_address(""));
    }

    #[test]
    fn html_stands_beside_the_text() {
        let text = text(Mail { html: Some("<p>Merhaba</p>"), ..mail() });
        assert!(text.contains("multipart/alternative") && text.contains("text/html"), "{text}");
    }
}
