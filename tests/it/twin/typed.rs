//! Where the two differ on purpose: what people type. The domain reads and repairs, the registry takes
//! its own forms only; and the domain refuses what no message of a commercial sender should go to,
//! though the registry has a place for it. Each row shows both, so that a change of either is seen.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::shape::check_shape;
use kopru_domain::time::format_registry;
use kopru_domain::{Channel, RawConsent};
use serde_json::{Value, json};

use super::runtime;
use super::world::{Answer, World};

use Channel::{Call, Email, Message};

/// What was typed, what the domain makes of it, what the registry says to what was typed, and what it
/// says to what the domain makes of it.
type Row = (Channel, &'static str, Result<&'static str, &'static str>, &'static str, &'static str);

/// The registry took it.
const TAKEN: &str = "taken";
/// The domain made nothing of it, so there is nothing to file.
const NOTHING: &str = "nothing";

const ADDRESSES: &[Row] = &[
    // Mobile numbers, typed in any way: the registry knows one.
    (Message, "+905321234567", Ok("+905321234567"), TAKEN, TAKEN),
    (Message, "05321234567", Ok("+905321234567"), "H121", TAKEN),
    (Message, "5321234567", Ok("+905321234567"), "H121", TAKEN),
    (Message, "905321234567", Ok("+905321234567"), "H121", TAKEN),
    (Message, "00905321234567", Ok("+905321234567"), "H121", TAKEN),
    (Message, "+90 (532) 123-45-67", Ok("+905321234567"), "H121", TAKEN),
    (Message, "'0532 123 45 67", Ok("+905321234567"), "H121", TAKEN),
    (Message, "5321234567.0", Ok("+905321234567"), "H121", TAKEN),
    (Message, "٠٥٣٢١٢٣٤٥٦٧", Ok("+905321234567"), "H121", TAKEN),
    (Call, " +905321234567", Ok("+905321234567"), "H121", TAKEN),
    // The trunk zero behind the country code: the registry makes a record of it that nobody finds.
    (Message, "+9005321234567", Ok("+905321234567"), TAKEN, TAKEN),
    // A block that nobody uses: both only look at the shape.
    (Message, "+905991234567", Ok("+905991234567"), TAKEN, TAKEN),
    // Landlines: for calls. The registry is assumed to take them for messages too (U28).
    (Call, "+902121230000", Ok("+902121230000"), TAKEN, TAKEN),
    (Call, "0212 123 00 00", Ok("+902121230000"), "H121", TAKEN),
    (Message, "+902121230000", Err("H121"), TAKEN, NOTHING),
    (Call, "+903921234567", Ok("+903921234567"), TAKEN, TAKEN),
    (Call, "+908501234567", Ok("+908501234567"), TAKEN, TAKEN),
    // An area code that is nobody's: the registry knows the number plan, the domain leaves it to it.
    (Call, "+902131234567", Ok("+902131234567"), "H121", "H121"),
    // Service numbers are nobody's own.
    (Call, "+904441234", Err("H121"), TAKEN, NOTHING),
    (Call, "+908001234567", Err("H121"), TAKEN, NOTHING),
    (Call, "+909001234567", Err("H121"), TAKEN, NOTHING),
    (Call, "3338", Err("H121"), "H121", NOTHING),
    // Foreign numbers: the registry takes them, the bridge does not.
    (Message, "+4915112345678", Err("H121"), TAKEN, NOTHING),
    (Call, "+12025550123", Err("H121"), TAKEN, NOTHING),
    (Message, "+9999999999", Err("H121"), "H121", NOTHING),
    // What is no number.
    (Message, "5,32E+09", Err("H121"), "H121", NOTHING),
    (Message, "+90532123456", Err("H121"), "H121", NOTHING),
    (Message, "+9053212345678", Err("H121"), "H121", NOTHING),
    (Message, "9055436100000000", Err("H121"), "H121 H160", NOTHING),
    (Message, "05321234567 05331234567", Err("H121"), "H121", NOTHING),
    (Message, "ali@ornek.com", Err("H121"), "H121", NOTHING),
    (Email, "+905321234567", Err("H120"), "H120", NOTHING),
    (Message, "", Err("H114"), "H121", NOTHING),
    // E-mail addresses. The registry stores lower case, whatever is sent.
    (Email, "ali@ornek.com", Ok("ali@ornek.com"), TAKEN, TAKEN),
    (Email, "ALI@ORNEK.COM", Ok("ali@ornek.com"), TAKEN, TAKEN),
    (Email, " ali@ornek.com ", Ok("ali@ornek.com"), "H120", TAKEN),
    (Email, "mailto:ali@ornek.com", Ok("ali@ornek.com"), "H120", TAKEN),
    (Email, "ali.veli+etiket_1-2@ornek.com.tr", Ok("ali.veli+etiket_1-2@ornek.com.tr"), TAKEN, TAKEN),
    (Email, "a@bc.de", Ok("a@bc.de"), TAKEN, TAKEN),
    (Email, "a@b.de", Err("H120"), "H120", NOTHING),
    (Email, "ali@örnek.com", Ok("ali@xn--rnek-4qa.com"), "H120", TAKEN),
    (Email, "ALİ@ornek.com", Err("H120"), "H120", NOTHING),
    (Email, "Ali <ali@ornek.com>", Err("H120"), "H120", NOTHING),
    (Email, "ali%1@ornek.com", Err("H120"), "H120", NOTHING),
    (Email, "ali@@ornek.com", Err("H120"), "H120", NOTHING),
    // Dots at the ends and in a row, labels with hyphens at the ends, tops of digits: no mail arrives.
    (Email, ".ali@ornek.com", Err("H120"), TAKEN, NOTHING),
    (Email, "ali..veli@ornek.com", Err("H120"), TAKEN, NOTHING),
    (Email, "ali@-ornek.com", Err("H120"), TAKEN, NOTHING),
    (Email, "ali@192.168.10.20", Err("H120"), TAKEN, NOTHING),
];

/// What was typed, what the domain makes of it, and what the registry says to what was typed. The present
/// is 2034-03-03 12:00:00.
const DATES: &[(&str, Result<&str, &str>, &str)] = &[
    ("2034-03-03 11:00:00", Ok("2034-03-03 11:00:00"), TAKEN),
    ("2034-03-03 11:00:01 ", Ok("2034-03-03 11:00:01"), "H158"),
    ("2034-03-03T11:00:02+03:00", Ok("2034-03-03 11:00:02"), "H158"),
    ("2034-03-03T08:00:03.999Z", Ok("2034-03-03 11:00:03"), "H158"),
    ("2034-03-03T11:00:04", Err("H158"), "H158"),
    ("2034-03-03 11:00", Err("H158"), "H158"),
    ("03.03.2034 11:00:00", Err("H158"), "H158"),
    ("2034-02-29 11:00:00", Err("H157"), "H157"),
    ("2034-03-02 24:00:00", Err("H157"), "H157"),
    ("2034-03-03 11:00:60", Err("H157"), "H157"),
    ("2034-03-03 12:00:00", Ok("2034-03-03 12:00:00"), TAKEN),
    ("2034-03-03 12:01:00", Err("H162"), "H162"),
    ("2015-04-30 23:59:59", Err("H156"), "H156"),
    ("", Err("H112"), "H158"),
];

/// A registry whose clock stands at the present of [`DATES`].
async fn registry() -> (World, DateTime<Utc>) {
    let world = World::open("legal", &[]).await;
    let now = "2034-03-03T09:00:00Z".parse().expect("an instant");
    // Past that day the sandbox's clock would not stand there; the tables need a new date then.
    assert_eq!(world.go_to(now).await, now);
    (world, now)
}

fn body(channel: Channel, recipient: &str, date: &str) -> Value {
    json!({"recipient": recipient, "type": channel.as_str(), "status": "ONAY", "source": "HS_WEB", "consentDate": date})
}

/// What the domain makes of one field, or the code of what is wrong.
fn read(
    channel: Channel,
    recipient: &str,
    date: &str,
    now: DateTime<Utc>,
) -> Result<(String, String), &'static str> {
    let raw = RawConsent {
        recipient: Some(recipient),
        channel: Some(channel.as_str()),
        status: Some("ONAY"),
        source: Some("HS_WEB"),
        consent_date: Some(date),
        recipient_type: None,
    };
    match check_shape(&raw, now) {
        Ok(shaped) => {
            let date = shaped.consent_date.map(format_registry).unwrap_or_default();
            Ok((shaped.recipient.as_str().to_owned(), date))
        }
        Err(errors) => {
            assert_eq!(errors.len(), 1, "{recipient} {date}: {errors:?}");
            Err(errors[0].h_code)
        }
    }
}

fn said(answer: &Answer) -> String {
    if matches!(answer, Answer::Taken { .. }) { TAKEN.to_owned() } else { answer.codes().join(" ") }
}

#[test]
fn addresses_as_they_are_typed() {
    runtime().block_on(async {
        let (world, now) = registry().await;
        let mut wrong = Vec::new();
        for (second, row) in (0..).zip(ADDRESSES) {
            let (channel, typed, expected, to_typed, to_canonical) = *row;
            // Later each time, because some rows are about one address.
            let date = |shift: i64| format_registry(now + TimeDelta::seconds(2 * second + shift - 3_600));
            let domain = read(channel, typed, &date(0), now).map(|(canonical, _)| canonical);
            let registry = said(&world.add(&body(channel, typed, &date(0)), false).await);
            let filed = match &domain {
                Ok(canonical) => said(&world.add(&body(channel, canonical, &date(1)), false).await),
                Err(_) => NOTHING.to_owned(),
            };
            if (domain.as_deref().map_err(|code| *code), registry.as_str(), filed.as_str())
                != (expected, to_typed, to_canonical)
            {
                wrong.push(format!(
                    "{typed:?} for {channel}: {domain:?}, typed {registry}, canonical {filed}"
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn dates_as_they_are_typed() {
    runtime().block_on(async {
        let (world, now) = registry().await;
        for (number, (typed, expected, to_typed)) in (0..).zip(DATES) {
            let recipient = format!("+90532{:07}", 1_000_000 + number);
            let domain = read(Message, &recipient, typed, now).map(|(_, date)| date);
            assert_eq!(domain.as_deref().map_err(|code| *code), *expected, "{typed:?}");
            let registry = said(&world.add(&body(Message, &recipient, typed), false).await);
            assert_eq!(registry, *to_typed, "{typed:?}");
        }
    });
}
