//! What a citizen is answered: what was taken, for whom, and how to take it back. Nothing that promotes anything.

use chrono::TimeDelta;
use kopru_domain::{Channel, Recipient};
use kopru_store::inbound::{self, InboundRow, InboundState};
use kopru_store::keywords::KeywordRow;
use kopru_store::{Tx, messages};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::brands::KnownBrand;
use crate::service::messages::{Content, MessageChannel, NewMessage, Purpose, enqueue};

/// A text that is not understood is answered once in this time.
const AGAIN: TimeDelta = TimeDelta::hours(24);
/// An answer that comes later than this only confuses.
const LIFE: TimeDelta = TimeDelta::hours(24);

/// What was made of a message.
pub(super) struct Taken<'a> {
    pub channels: &'a [Channel],
    pub consents: &'a [Uuid],
    /// For how many brands.
    pub brands: usize,
}

/// Answers a citizen, in the transaction in which the message is written down: one answer a message, however often it comes. The
/// notice of an approval, where the brand sends them, is its answer. Tells whether there is one.
pub(super) async fn queue(
    app: &App,
    tx: &mut Tx,
    brand: &KnownBrand,
    keyword: &KeywordRow,
    message: &InboundRow,
    sender: &Recipient,
    made: Taken<'_>,
) -> ServiceResult<bool> {
    let Taken { channels, consents, brands } = made;
    let (provider, code) = (brand.row.iys_code, brand.row.brand_code);
    for consent in consents.iter().filter(|_| message.state == InboundState::Approval) {
        if messages::find_by_dedupe(tx, provider, &format!("notice:{consent}")).await?.is_some() {
            return Ok(true);
        }
    }
    if message.state == InboundState::Unknown {
        let since = message.received_at - AGAIN;
        if inbound::was_answered(tx, provider, code, message.key, since).await? {
            return Ok(false);
        }
    }
    let Some(text) = answer(&name(brand), keyword, message.state, channels, brands) else { return Ok(false) };
    let purpose = if message.state == InboundState::Unknown { Purpose::Help } else { Purpose::Confirmation };
    let dedupe = format!("inbound:{}", hex::encode(&message.digest));
    enqueue(tx, app, new(app, brand, sender.clone(), purpose, text, dedupe)).await?;
    Ok(true)
}

/// What a citizen is told whose message a person has taken for a rejection: the same as by the engine.
pub(super) fn by_hand(
    app: &App,
    brand: &KnownBrand,
    message: &InboundRow,
    sender: Recipient,
    channels: &[Channel],
) -> NewMessage {
    let text = rejected(&name(brand), &message.number, channels, 1);
    new(app, brand, sender, Purpose::Confirmation, text, format!("inbound:decided:{}", message.id))
}

/// The brand's name for those it writes to.
fn name(brand: &KnownBrand) -> String {
    brand.sender.as_ref().map_or(&brand.row.name, |sender| &sender.title).clone()
}

fn new(
    app: &App,
    brand: &KnownBrand,
    recipient: Recipient,
    purpose: Purpose,
    text: String,
    dedupe: String,
) -> NewMessage {
    NewMessage {
        provider: brand.row.iys_code,
        brand: brand.row.brand_code,
        channel: MessageChannel::Sms,
        recipient,
        purpose,
        content: Content::sms(text),
        dedupe,
        not_after: Some(app.clocks.business() + LIFE),
    }
}

/// That a rejection was taken, for how many brands on the number.
fn rejected(brand: &str, number: &str, channels: &[Channel], brands: usize) -> String {
    let what = listed(channels);
    if brands > 1 {
        format!("{number} numarasını kullanan markalardan {what} almama isteğiniz kaydedildi.")
    } else {
        format!("{brand}: {what} almama isteğiniz kaydedildi.")
    }
}

/// The answer to a message; `brands` is how many it was taken for.
fn answer(
    brand: &str,
    row: &KeywordRow,
    state: InboundState,
    channels: &[Channel],
    brands: usize,
) -> Option<String> {
    let number = row.number.as_str();
    let to_send = |verb: &str| match &row.keyword {
        Some(keyword) => format!("{keyword} {verb}"),
        None => verb.to_owned(),
    };
    let refusal = to_send("RET");
    match state {
        InboundState::Rejection | InboundState::Rejected => Some(rejected(brand, number, channels, brands)),
        InboundState::Approval => Some(format!(
            "{brand}: {} onayınız kaydedildi. Vazgeçmek için {refusal} yazıp {number} numarasına gönderin.",
            listed(channels)
        )),
        InboundState::Unknown => {
            let verbs = row.verbs().ok()?;
            let approval = to_send(verbs.approvals().next()?);
            Some(format!(
                "{brand}: mesajınız anlaşılamadı. İleti almamak için {refusal}, onay vermek için {approval} yazıp {number} numarasına gönderin."
            ))
        }
        InboundState::Dismissed => None,
    }
}

/// `arama, SMS ve e-posta`
fn listed(channels: &[Channel]) -> String {
    let words: Vec<&str> = channels.iter().map(|channel| word(*channel)).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} ve {last}", first.join(", ")),
        words => words.concat(),
    }
}

const fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Call => "arama",
        Channel::Message => "SMS",
        Channel::Email => "e-posta",
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use kopru_domain::{BrandCode, IysCode, Keyword, ShortNumber};
    use uuid::Uuid;

    use super::*;

    fn row(keyword: Option<&str>) -> KeywordRow {
        KeywordRow {
            iys_code: IysCode(1),
            id: Uuid::nil(),
            brand_code: BrandCode(1),
            number: ShortNumber::parse("7889").unwrap(),
            keyword: keyword.map(|word| Keyword::parse(word).unwrap()),
            approvals: Vec::new(),
            rejections: Vec::new(),
            channels: vec![Channel::Call, Channel::Message],
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_answer_says_what_was_taken_and_how_to_take_it_back() {
        let (abc, both) = (row(Some("ABC")), [Channel::Call, Channel::Message]);
        let of = |row: &KeywordRow, state, channels: &[Channel], brands| {
            answer("Örnek", row, state, channels, brands)
        };
        assert_eq!(
            of(&abc, InboundState::Approval, &both[1..], 1).unwrap(),
            "Örnek: SMS onayınız kaydedildi. Vazgeçmek için ABC RET yazıp 7889 numarasına gönderin."
        );
        assert_eq!(
            of(&abc, InboundState::Rejection, &both, 1).unwrap(),
            "Örnek: arama ve SMS almama isteğiniz kaydedildi."
        );
        assert_eq!(
            of(&abc, InboundState::Rejection, Channel::ALL, 1).unwrap(),
            "Örnek: arama, SMS ve e-posta almama isteğiniz kaydedildi."
        );
        assert!(of(&abc, InboundState::Rejection, &both, 2).unwrap().starts_with("7889 numarasını"));
        assert!(
            of(&row(None), InboundState::Unknown, &[], 1)
                .unwrap()
                .contains("onay vermek için ONAY yazıp 7889")
        );
        assert_eq!(of(&abc, InboundState::Dismissed, &[], 1), None);
    }
}
