//! The notice of an electronic consent, on the same calendar day and on the consented channel (rules.md C4), with the sender's
//! identity (M1) and a way to say no (M4).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use kopru_domain::time::{format_rfc3339, instant, local, truncate_seconds};
use kopru_domain::{Channel, IysCode, ProviderSource, Recipient, RecipientType};
use kopru_store::links::LinkRow;
use kopru_store::messages::{self, Late, MessageChannel, MessageRow, MessageState, Purpose};
use kopru_store::senders::SenderRow;
use kopru_store::{Priority, ProviderKeys, Tx, consents, heads};
use uuid::Uuid;

use super::{Content, NewMessage, row};
use crate::bootstrap::App;
use crate::service::events::{EventData, EventLog, Subject};
use crate::service::forms::Place;
use crate::service::{ServiceResult, links, mirror};

/// The alarm is given so long before the day's end: at 21:00.
const ALARM: TimeDelta = TimeDelta::hours(3);
/// A notice of a late consent has a chance before the alarm is given.
const CHANCE: TimeDelta = TimeDelta::minutes(10);

/// Before the consent's id in the dedupe key of its notice.
const DEDUPE: &str = "notice:";

/// Whether a consent with this source was given by electronic means.
pub fn is_electronic(source: ProviderSource) -> bool {
    matches!(
        source.as_str(),
        "HS_WEB"
            | "HS_MOBIL"
            | "HS_MESAJ"
            | "HS_EPOSTA"
            | "HS_EORTAM"
            | "HS_SOSYAL_MEDYA"
            | "HS_CAGRI_MERKEZI"
            | "HS_ATM"
    )
}

/// How the electronic consents of a brand are answered.
#[derive(Debug)]
pub struct Notices {
    /// On whose behalf.
    pub sender: Arc<SenderRow>,
    /// Where the links for refusals lead; without one the notices name the sender's number or contact.
    pub refusals: Option<Place>,
}

/// How one says no to a brand on a channel, as a sentence for the end of a message, and where `List-Unsubscribe` leads: by a
/// link of his own, where there is one.
fn ret_way(sender: &SenderRow, channel: MessageChannel, link: Option<&str>) -> (String, Option<String>) {
    let contact = sender.contact.as_deref();
    if let Some(link) = link {
        let unsubscribe = (channel == MessageChannel::Email).then(|| link.to_owned());
        return (format!("Vazgeçmek için: {link}"), unsubscribe);
    }
    match channel {
        MessageChannel::Sms => match (&sender.ret_number, contact) {
            (Some(number), _) => {
                let keyword = sender.ret_keyword.as_ref().map(|word| format!("{word} ")).unwrap_or_default();
                (format!("Vazgeçmek için {keyword}RET yazıp {number} numarasına gönderin."), None)
            }
            (None, contact) => (format!("Vazgeçmek için: {}", contact.unwrap_or_default()), None),
        },
        MessageChannel::Email => match contact {
            Some(address) if kopru_mail::check_address(address) => (
                format!("Vazgeçmek için {address} adresine RET yazın."),
                Some(format!("mailto:{address}?subject=RET")),
            ),
            Some(place) => (format!("Vazgeçmek için: {place}"), None),
            None => ret_way(sender, MessageChannel::Sms, None),
        },
    }
}

/// A consent that a notice is about.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The consent.
    pub consent: Uuid,
    /// Of which channel.
    pub channel: Channel,
    /// To whom the notice goes, canonical.
    pub recipient: &'a str,
    /// In which capacity.
    pub recipient_type: RecipientType,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// The notice of a consent, to be queued with it, and the link by which it may be refused; `None` where its day is over already.
pub fn of(
    app: &App,
    keys: &ProviderKeys,
    notices: &Notices,
    given: Given<'_>,
    now: DateTime<Utc>,
) -> Option<(MessageRow, Option<LinkRow>)> {
    let not_after = end_of_day(given.at);
    let recipient = Recipient::from_canonical(given.recipient).ok()?;
    if now >= not_after {
        return None;
    }
    let channel = match given.channel {
        Channel::Call | Channel::Message => MessageChannel::Sms,
        Channel::Email => MessageChannel::Email,
    };
    let sender = &notices.sender;
    let brand = (sender.iys_code, sender.brand_code);
    let (link, url) = notices
        .refusals
        .as_ref()
        .map(|place| {
            let whose = (given.recipient, given.recipient_type);
            links::refusal(keys, brand, place, given.channel, whose, app.clocks.wire())
        })
        .unzip();
    let new = NewMessage {
        provider: sender.iys_code,
        brand: sender.brand_code,
        channel,
        recipient,
        purpose: Purpose::Notice,
        content: content(sender, given, channel, url.as_deref()),
        dedupe: format!("{DEDUPE}{}", given.consent),
        not_after: Some(not_after),
    };
    Some((row(keys, new, now), link))
}

fn content(sender: &SenderRow, given: Given<'_>, channel: MessageChannel, link: Option<&str>) -> Content {
    let SenderRow { title, identity, .. } = sender;
    let date = local(given.at).format("%d.%m.%Y");
    let by = match given.channel {
        Channel::Call => "arama",
        Channel::Message => "SMS",
        Channel::Email => "e-posta",
    };
    let number = if identity.len() == 16 { "Mersis" } else { "T.C. kimlik no" };
    let (ret, unsubscribe) = ret_way(sender, channel, link);
    let what = format!("{date} tarihinde {by} ile ticari ileti onayınız alındı.");
    match channel {
        MessageChannel::Sms => Content::sms(format!("{title}: {what} {ret} {number}: {identity}")),
        MessageChannel::Email => Content {
            subject: Some(format!("{title}: {by} onayınız alındı")),
            text: format!("{what}\n\n{ret}\n\n{title}\n{number}: {identity}\n"),
            html: None,
            unsubscribe,
        },
    }
}

/// 23:59:59 of the day, Turkish time.
fn end_of_day(at: DateTime<Utc>) -> DateTime<Utc> {
    let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
    instant(local(at).date(), last)
}

/// Tells once of each notice that is not sent, or has not arrived, at 21:00 of its day: an event `notice.late`, the log and a metric;
/// lists and `doctor` show it. Returns how many were found.
pub async fn tell_late(app: &App) -> ServiceResult<usize> {
    let now = truncate_seconds(app.clocks.business());
    let untold = {
        let mut tx = app.db.read().await?;
        messages::untold(&mut tx, now + ALARM, now - CHANCE).await?
    };
    let mut of_brands: BTreeMap<(IysCode, i64), Vec<Uuid>> = BTreeMap::new();
    let found = untold.len();
    for (provider, brand, id) in untold {
        of_brands.entry((provider, brand.0)).or_default().push(id);
    }
    for ((provider, brand), ids) in of_brands {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let late = messages::tell(&mut tx, provider, ids).await?;
        let count = late.len();
        log_late(app, &mut tx, provider, late).await?;
        tx.commit().await?;
        if count == 0 {
            continue;
        }
        app.wake.wake();
        metrics::counter!("notices_late_total").increment(count as u64);
        tracing::error!(
            provider = provider.0,
            brand,
            notices = count,
            "notices of consents are not sent and their day ends; see GET /v1/brands/{{brandCode}}/messages"
        );
    }
    Ok(found)
}

/// Appends an event for each notice's consent.
async fn log_late(app: &App, tx: &mut Tx, provider: IysCode, late: Vec<Late>) -> ServiceResult<()> {
    let about = |late: Late| Some((late.dedupe.strip_prefix(DEDUPE)?.parse::<Uuid>().ok()?, late));
    let late: BTreeMap<Uuid, Late> = late.into_iter().filter_map(about).collect();
    let rows = consents::find_many(tx, provider, late.keys().copied().collect()).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let keys = app.vault.keys(tx, provider).await?;
    let mut events = EventLog::new(provider, keys.clone(), app.clocks.business());
    for row in rows {
        let opened = mirror::open_consent(&keys, &row.sealed)?;
        let Some(late) = late.get(&row.id) else { continue };
        let subject = Subject {
            brand_code: row.brand_code,
            key: row.key,
            recipient: opened.recipient,
            recipient_type: row.recipient_type,
            channel: row.channel,
        };
        let data = EventData {
            status: Some(row.status.as_str().to_owned()),
            consent_date: row.consent_date.map(format_rfc3339),
            source: row.source.map(|source| source.as_str().to_owned()),
            cause: if late.state == MessageState::Sent { "not_delivered" } else { "not_sent" }.to_owned(),
            code: late.code.clone(),
            consent_id: Some(row.id),
            reference: opened.reference,
            ..EventData::default()
        };
        events.consent(subject, "notice.late", data);
    }
    let mut head = heads::lock(tx, provider).await?;
    events.append(tx, &mut head).await?;
    Ok(heads::advance(tx, provider, &head).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_domain::BrandCode;
    use kopru_sms::Segments;

    fn sender() -> SenderRow {
        SenderRow {
            iys_code: IysCode(1),
            brand_code: BrandCode(2),
            title: "Örnek Mağazacılık A.Ş.".to_owned(),
            identity: "0123456789012345".to_owned(),
            sms_account: None,
            sms_from: None,
            mail_account: None,
            mail_from: None,
            ret_number: Some("4609".to_owned()),
            ret_keyword: Some("ORNEK".to_owned()),
            contact: Some("ret@example.com".to_owned()),
            notices: true,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn given(channel: Channel) -> Given<'static> {
        let at = "2026-11-28T18:05:00Z".parse().unwrap();
        let recipient_type = RecipientType::Individual;
        Given { consent: Uuid::nil(), channel, recipient: "+905319876543", recipient_type, at }
    }

    #[test]
    fn a_notice_says_who_what_and_how_to_say_no() {
        let sms = content(&sender(), given(Channel::Message), MessageChannel::Sms, None);
        assert_eq!(
            sms.text,
            "Örnek Mağazacılık A.Ş.: 28.11.2026 tarihinde SMS ile ticari ileti onayınız alındı. Vazgeçmek için ORNEK RET \
             yazıp 4609 numarasına gönderin. Mersis: 0123456789012345"
        );
        assert_eq!(Segments::of(&sms.text).parts, 2);
        assert!(
            content(&sender(), given(Channel::Call), MessageChannel::Sms, None).text.contains("arama ile")
        );
        let mail = content(&sender(), given(Channel::Email), MessageChannel::Email, None);
        assert_eq!(mail.subject.as_deref(), Some("Örnek Mağazacılık A.Ş.: e-posta onayınız alındı"));
        assert_eq!(mail.unsubscribe.as_deref(), Some("mailto:ret@example.com?subject=RET"));
        assert!(mail.text.contains("ret@example.com adresine RET yazın"), "{}", mail.text);
    }

    #[test]
    fn a_link_of_his_own_comes_before_number_and_contact() {
        let link = "https://izin.example.com/r/AAAAAAAAAAAAAAAAAAAAAA";
        let sms = content(&sender(), given(Channel::Message), MessageChannel::Sms, Some(link));
        assert_eq!(
            sms.text,
            format!(
                "Örnek Mağazacılık A.Ş.: 28.11.2026 tarihinde SMS ile ticari ileti onayınız alındı. Vazgeçmek için: {link} Mersis: \
                 0123456789012345"
            )
        );
        assert_eq!((Segments::of(&sms.text).parts, sms.unsubscribe), (2, None));
        let mail = content(&sender(), given(Channel::Email), MessageChannel::Email, Some(link));
        assert!(mail.text.contains(link) && mail.unsubscribe.as_deref() == Some(link), "{}", mail.text);
    }

    #[test]
    fn without_a_short_number_the_contact_is_named() {
        let mut sender = SenderRow { ret_number: None, ..sender() };
        assert_eq!(ret_way(&sender, MessageChannel::Sms, None).0, "Vazgeçmek için: ret@example.com");
        sender.contact = Some("0850 123 45 67".to_owned());
        assert_eq!(
            ret_way(&sender, MessageChannel::Email, None),
            ("Vazgeçmek için: 0850 123 45 67".to_owned(), None)
        );
        sender = SenderRow { contact: None, ..self::sender() };
        assert!(ret_way(&sender, MessageChannel::Email, None).0.contains("4609"));
    }

    #[test]
    fn the_day_ends_in_turkey() {
        let end = |at: &str| end_of_day(at.parse().unwrap()).to_rfc3339();
        assert_eq!(end("2026-11-28T18:05:00Z"), "2026-11-28T20:59:59+00:00");
        assert_eq!(end("2026-11-28T21:05:00Z"), "2026-11-29T20:59:59+00:00");
    }
}
