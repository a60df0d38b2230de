//! The day's reports, and the movement file piece by piece; and the lists of provinces and districts.

use std::time::Duration;

use chrono::NaiveDate;
use futures::TryStreamExt;
use iys::wire::{Agreement, City, DailySummary, MovementError, MovementReader, Place, Town};
use iys::{Bytes, ErrorClass, IysError};
use serde_json::json;

use crate::support::{BRAND, FakeClock, FakeRegistry, answer, credentials, file, ok, refusal};

const BASE: &str = "/sps/612345/brands/612346";
const HEADER: &str = "creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n";
const ROWS: &str = "\
2026-11-20 10:05:04,5f0c,+905551112233,BIREYSEL,MESAJ,ONAY,2026-11-20 10:05:00,HS_WEB
2026-11-20 10:06:04,5f0d,a@b.co,TACIR,EPOSTA,RET,,IYS_AHS_HAT_KAPATMA
";

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

fn csv(pieces: &[&str]) -> crate::support::Answer {
    file("text/csv", pieces.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect())
}

#[tokio::test]
async fn a_summary_is_asked_and_read() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "changeStats": [{ "type": "MESAJ", "consents": [
        { "source": "HS", "approval": 38, "rejection": "2", "pending": 1, "total": 41 }, { "source": "IYS" },
    ] }] })));
    let summary = account.daily_summary(BRAND, date(), "BIREYSEL").await.unwrap();
    let counts = &summary.change_stats[0].consents;
    assert_eq!((counts[0].rejection, counts[0].total, counts[1].total), (2, 41, 0));
    registry.will(answer(204, ""));
    assert_eq!(account.daily_summary(BRAND, date(), "TACIR").await.unwrap(), DailySummary::default());
    registry.will(refusal(422, "H502"));
    assert_eq!(account.daily_summary(BRAND, date(), "TACIR").await.unwrap_err().code(), Some("H502"));
    let calls = registry.calls();
    assert_eq!(calls[0].line(), format!("GET {BASE}/changes/2026-11-20/recipients/BIREYSEL"));
}

#[tokio::test]
async fn an_agreement_is_asked_and_confirmed() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "processStatus": "completed", "hashValue": "f082", "hashMethod": "SHA-384",
        "agreementStatus": "false" })));
    let agreement = account.agreement(BRAND, date()).await.unwrap().unwrap();
    assert!(agreement.is_completed() && !agreement.agreement_status);
    assert!(agreement.matches("F082") && !agreement.matches("f083"));
    registry.will(answer(204, ""));
    assert_eq!(account.agreement(BRAND, date()).await.unwrap(), None);
    for (given, expected) in [
        (ok(&json!({ "agreementCaptured": true })), true),
        (ok(&json!({ "aggrementCaptured": "true" })), true),
        (ok(&json!({ "agreementCaptured": false })), false),
        (answer(204, ""), false),
    ] {
        registry.will(given.clone());
        assert_eq!(account.confirm_agreement(BRAND, date()).await.unwrap(), expected, "{given:?}");
    }
    let calls = registry.calls();
    assert_eq!(calls[0].line(), format!("GET {BASE}/agreements/2026-11-20"));
    assert_eq!(calls[2].line(), format!("PUT {BASE}/agreements/2026-11-20"));
    assert_eq!(calls[2].json(), json!({ "agreementStatus": true }));
}

#[test]
fn a_hash_that_is_not_made_yet_matches_nothing() {
    for status in ["queued", "inprogress", "error", ""] {
        let agreement = Agreement {
            process_status: status.into(),
            hash_value: Some("f082".into()),
            ..Agreement::default()
        };
        assert!(!agreement.matches("f082"), "{status}");
    }
    let empty = Agreement { process_status: "completed".into(), ..Agreement::default() };
    assert!(!empty.is_completed() && !empty.matches(""));
}

#[tokio::test]
async fn a_time_stamp_comes_as_it_is() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let der = Bytes::from_static(&[0x30, 0x82, 0, 255, 13, 10]);
    registry.will(file("text/plain", vec![der.clone()]));
    assert_eq!(account.agreement_timestamp(BRAND, date()).await.unwrap(), Some(der));
    for nothing in [answer(204, ""), answer(200, "")] {
        registry.will(nothing);
        assert_eq!(account.agreement_timestamp(BRAND, date()).await.unwrap(), None);
    }
    assert_eq!(registry.calls()[0].line(), format!("GET {BASE}/agreements/2026-11-20/timestamp"));
}

#[tokio::test]
async fn a_movement_file_is_read_and_hashed() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(csv(&[HEADER, ROWS]));
    let mut movements = account.movement_file(BRAND, date()).await.unwrap().unwrap().movements();
    let first = movements.next().await.unwrap().unwrap();
    assert_eq!((first.status.as_str(), first.source.as_deref()), ("ONAY", Some("HS_WEB")));
    assert_eq!(first.consent_date.as_deref(), Some("2026-11-20 10:05:00"));
    assert_eq!(movements.sha384(), None, "the file has not ended yet");
    let second = movements.next().await.unwrap().unwrap();
    assert_eq!((second.recipient.as_str(), second.consent_date), ("a@b.co", None));
    assert!(movements.next().await.unwrap().is_none() && movements.next().await.unwrap().is_none());
    // By `printf … | sha384sum`.
    let expected = concat!(
        "088722a0e4ca6edfccb32c05fc0457e5eed0c2904c036ce2",
        "3cb4894391618dc581474bd2d8e1d744048112d58ed3ef21"
    );
    assert_eq!(movements.sha384().as_deref(), Some(expected));
    assert_eq!(registry.calls()[0].line(), format!("GET {BASE}/changes/2026-11-20/file"));

    registry.will(answer(204, ""));
    assert!(account.movement_file(BRAND, date()).await.unwrap().is_none());
    registry.will(refusal(403, "H353"));
    assert_eq!(account.movement_file(BRAND, date()).await.unwrap_err().code(), Some("H353"));
    registry.will(refusal(401, "H351"));
    registry.will(csv(&[HEADER, ROWS]));
    let file = account.movement_file(BRAND, date()).await.unwrap().unwrap();
    let all: Vec<_> = file.movements().into_stream().try_collect().await.unwrap();
    assert_eq!(all.len(), 2, "with a new token");
}

#[tokio::test]
async fn movements_are_there_before_the_file_has_ended() {
    let registry = FakeRegistry::start().await;
    let client = registry.client(&FakeClock::new()).timeout(Duration::from_millis(200)).build().unwrap();
    let account = client.account(credentials());
    registry.will(csv(&[HEADER, ROWS, "2026-11-20 11:"]).stalled());
    let mut movements = account.movement_file(BRAND, date()).await.unwrap().unwrap().movements();
    for _ in 0..2 {
        assert!(movements.next().await.unwrap().is_some());
    }
    let error = movements.next().await.unwrap_err();
    assert!(matches!(error, IysError::Interrupted { .. }), "{error:?}");
    assert_eq!((error.class(), movements.sha384()), (ErrorClass::Retry, None));
}

#[tokio::test]
async fn a_movement_file_that_breaks_off_is_not_taken_for_whole() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(csv(&[HEADER, ROWS]).cut());
    // The cut may reach the client before the head of the answer does.
    let outcome: Result<Vec<_>, _> = match account.movement_file(BRAND, date()).await {
        Ok(file) => file.unwrap().movements().into_stream().try_collect().await,
        Err(error) => Err(error),
    };
    assert!(matches!(outcome, Err(IysError::Interrupted { .. })));
    registry.will(csv(&[HEADER, ROWS, "<html>Bad gateway</html>\n"]));
    let file = account.movement_file(BRAND, date()).await.unwrap().unwrap();
    let outcome: Result<Vec<_>, _> = file.movements().into_stream().try_collect().await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, IysError::Malformed { .. }), "{error:?}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.downcast_ref(), Some(&MovementError::Fields(4)));

    registry.will(csv(&[HEADER, ROWS, "2026-11-20 10:07:04,5f0e"]));
    let mut movements = account.movement_file(BRAND, date()).await.unwrap().unwrap().movements();
    let mut good = 0;
    while let Ok(Some(_)) = movements.next().await {
        good += 1;
    }
    assert_eq!(good, 2);
    assert!(movements.next().await.is_err() && movements.next().await.is_err(), "never a good end");
}

#[tokio::test]
async fn a_movement_file_may_be_longer_than_any_other_answer() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let pieces: Vec<Bytes> = std::iter::once(Bytes::from_static(HEADER.as_bytes()))
        .chain(std::iter::repeat_n(Bytes::from(ROWS.repeat(800)), 150))
        .collect();
    let length: usize = pieces.iter().map(Bytes::len).sum();
    assert!(length > 16 * 1024 * 1024);
    registry.will(file("text/csv", pieces));
    let mut file = account.movement_file(BRAND, date()).await.unwrap().unwrap();
    let mut seen = 0;
    while let Some(piece) = file.chunk().await.unwrap() {
        seen += piece.len();
    }
    assert_eq!(seen, length);
    assert_eq!(file.sha384().unwrap().len(), 96);
}

fn read(pieces: &[&[u8]]) -> Result<Vec<iys::wire::Change>, MovementError> {
    let mut reader = MovementReader::new();
    for piece in pieces {
        reader.feed(piece)?;
    }
    reader.finish()?;
    Ok(std::iter::from_fn(|| reader.take()).collect())
}

#[test]
fn a_movement_file_is_read_in_any_form_it_may_have() {
    let whole = format!("{HEADER}{ROWS}");
    let expected = read(&[whole.as_bytes()]).unwrap();
    assert_eq!(expected.len(), 2);
    let windows = whole.replace('\n', "\r\n");
    let marked = format!("\u{feff}{whole}");
    let quoted = whole.replace("HS_WEB", "\"HS_WEB\"");
    let more = whole.replace("source\n", "source,new\n").replace("HS_WEB\n", "HS_WEB,x\n");
    for form in [ROWS, whole.trim_end(), windows.as_str(), marked.as_str(), quoted.as_str(), more.as_str()] {
        assert_eq!(read(&[form.as_bytes()]).unwrap(), expected, "{form}");
    }
    // Other columns first, one missing, spaces around.
    let other = "\
Status, transactionId ,type,recipientType,recipient,creationDate
RET,5f0d,EPOSTA,TACIR,a@b.co, 2026-11-20 10:06:04
";
    let movement = &read(&[other.as_bytes()]).unwrap()[0];
    assert_eq!((movement.status.as_str(), movement.creation_date.as_str()), ("RET", "2026-11-20 10:06:04"));
    assert_eq!((&movement.source, &movement.consent_date), (&None, &None));
    assert!(read(&[b""]).unwrap().is_empty() && read(&[HEADER.as_bytes(), b"\n\n"]).unwrap().is_empty());
}

#[test]
fn a_movement_file_may_be_cut_anywhere_into_pieces() {
    let whole = format!("\u{feff}{HEADER}{ROWS}").replace('\n', "\r\n");
    let expected = read(&[whole.as_bytes()]).unwrap();
    for at in 0..=whole.len() {
        let (one, other) = whole.as_bytes().split_at(at);
        // A byte order mark in two pieces is not one to the CSV reader, but it is to us.
        assert_eq!(read(&[one, other]).unwrap(), expected, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    assert_eq!(read(&bytes).unwrap(), expected);
}

#[test]
fn a_movement_file_that_is_none_is_refused_with_its_place() {
    let short = format!("{HEADER}2026-11-20 10:05:04,5f0c,a@b.co\n");
    let bytes = [HEADER.as_bytes(), b"2026-11-20 10:05:04,\xff\xfe,a,b,c,d\n"].concat();
    let long = format!("{HEADER}{}", "x".repeat(100_000));
    let open = format!("{HEADER}\"{}", ROWS.repeat(1_000));
    let wide = format!("{HEADER}{}\n", ",".repeat(100));
    for (given, expected) in [
        (short.as_bytes(), MovementError::Fields(2)),
        (b"creationDate,transactionId,recipientType,type,status\n", MovementError::Column("recipient")),
        (&bytes, MovementError::Encoding(2)),
        (long.as_bytes(), MovementError::Length(2)),
        (open.as_bytes(), MovementError::Length(2)),
        (wide.as_bytes(), MovementError::Length(2)),
        (b"<html></html>", MovementError::Fields(1)),
    ] {
        assert_eq!(read(&[given]).unwrap_err(), expected);
    }
    let mut reader = MovementReader::new();
    reader.feed(b"2026-11-20 10:05:04,5f0c,a@b.co").unwrap();
    assert!(!format!("{reader:?}").contains("b.co"));
}

#[tokio::test]
async fn provinces_and_districts_are_asked_and_read() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!([{ "code": "34", "name": "İstanbul" }, { "code": 1, "name": "Adana" }])));
    let cities = account.cities().await.unwrap();
    assert_eq!(cities[0], City { code: 34, name: "İstanbul".into() });
    assert_eq!(Place::from(&cities[0]), Place { name: "İstanbul".into(), code: "34".into() });
    registry.will(ok(&json!({ "code": "34", "name": "Istanbul" })));
    assert_eq!(account.city(34).await.unwrap().unwrap().code, 34);
    registry.will(answer(204, ""));
    assert_eq!(account.city(99).await.unwrap(), None);
    registry.will(ok(&json!([
        { "name": "Seyhan", "code": 1, "city_code": 1 }, { "name": "Ceyhan", "code": "2", "cityCode": "1" },
    ])));
    let towns = account.towns().await.unwrap();
    assert_eq!(towns[1], Town { name: "Ceyhan".into(), code: 2, city_code: 1 });
    assert_eq!(serde_json::to_value(&towns[1]).unwrap()["city_code"], 1);
    registry.will(answer(204, ""));
    assert_eq!(account.town(9_999).await.unwrap(), None);
    registry.will(answer(400, r#"{"status":400,"message":"m"}"#));
    assert_eq!(account.town(9_999).await.unwrap_err().status(), Some(400));
    let lines = registry.lines();
    assert_eq!(
        lines[..5],
        ["GET /info/city", "GET /info/city/34", "GET /info/city/99", "GET /info/town", "GET /info/town/9999"]
    );
}
