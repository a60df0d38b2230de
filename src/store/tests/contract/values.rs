//! What is written is what is read, on both databases: instants to the microsecond, absent values, texts and sets.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{IysCode, SubmissionState};
use kopru_store::args;
use kopru_store::sql::Value;
use kopru_store::{Key, cursors, permissions, providers, submissions};

use crate::fixture::{Store, statement};
use crate::sample::{BRAND, PROVIDER, assert_same, at, claim, id, key, permission, singles, submission};

on_both!(
    instants_keep_their_microseconds,
    instants_are_ordered_whatever_their_digits,
    every_optional_field_may_be_absent_or_there,
    texts_come_back_as_they_went_in,
    bytes_come_back_as_they_went_in,
    sets_take_three_thousand_members,
    empty_sets_have_no_member,
    words_of_a_set_may_hold_any_character,
    the_largest_and_smallest_numbers_fit,
);

/// Instants with 0, 3 and 6 digits of a second; before 1970 too.
fn instants() -> Vec<DateTime<Utc>> {
    let micros = [0, 1, 999, 1_000, 10_000, 123_456, 500_000, 999_000, 999_999];
    let seconds = [at(0), at(-2_000_000_000), at(86_400 * 365 * 60)];
    seconds.iter().flat_map(|second| micros.map(|micro| *second + TimeDelta::microseconds(micro))).collect()
}

async fn instants_keep_their_microseconds(store: Store) {
    for (number, instant) in (0..).zip(instants()) {
        let row =
            submissions::SubmissionRow { target_at: instant, wire_date: Some(instant), ..submission(number) };
        store.write(async |tx| submissions::save(tx, vec![row.clone()], instant).await.unwrap()).await;
        let found = store
            .read(async |tx| submissions::find(tx, PROVIDER, row.consent_id).await.unwrap().unwrap())
            .await;
        assert_eq!((found.target_at, found.wire_date), (instant, Some(instant)));
    }
}

/// SQLite compares texts: more digits must not sort before fewer.
async fn instants_are_ordered_whatever_their_digits(store: Store) {
    let mut expected = instants();
    for (number, instant) in (0..).zip(&expected) {
        let row = submissions::SubmissionRow { target_at: *instant, ..submission(number) };
        store.write(async |tx| submissions::save(tx, vec![row], at(0)).await.unwrap()).await;
    }
    expected.sort_unstable();
    let rows = store.rows("SELECT target_at FROM submissions ORDER BY target_at", vec![]).await;
    let found: Vec<DateTime<Utc>> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(found, expected);
    for (place, instant) in expected.iter().enumerate() {
        let earlier =
            store.number("SELECT count(*) FROM submissions WHERE target_at < $1", args![*instant]).await;
        assert_eq!(usize::try_from(earlier).unwrap(), place, "{instant}");
    }
}

async fn every_optional_field_may_be_absent_or_there(store: Store) {
    let absent = submissions::SubmissionRow { wire_date: None, ..submission(1) };
    let there = submissions::SubmissionRow {
        state: SubmissionState::Unresolved,
        code: Some("H175".to_owned()),
        late: true,
        at_risk: true,
        attempt: 7,
        wire: Some(vec![0, 255, 0]),
        batch_id: Some(id(77)),
        batch_index: Some(0),
        transaction_id: Some(String::new()),
        creation_date: Some(at(-5)),
        cause: Some("quota".to_owned()),
        ..submission(2)
    };
    let rows = vec![absent.clone(), there.clone()];
    store.write(async |tx| submissions::save(tx, rows, at(0)).await.unwrap()).await;
    for expected in [absent, there] {
        let found =
            store.read(async |tx| submissions::find(tx, PROVIDER, expected.consent_id).await.unwrap()).await;
        assert_same!(found, Some(expected));
    }
}

async fn texts_come_back_as_they_went_in(store: Store) {
    let texts = [
        "",
        " ",
        "O'Neil; DROP TABLE providers; --",
        "İIıi ŞşĞğÇçÖöÜü",
        "\"tırnak\" \\ters\\ %_ \n\t\r",
        "$1 {in $2 text} ?",
        "🇹🇷 \u{202e}tersine",
    ];
    for (number, text) in (1..).zip(texts) {
        store.write(async |tx| providers::add(tx, IysCode(number), text, None, at(0)).await.unwrap()).await;
        let found = store.read(async |tx| providers::find(tx, IysCode(number)).await.unwrap().unwrap()).await;
        assert_eq!(found.title, text);
    }
}

async fn bytes_come_back_as_they_went_in(store: Store) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (number, bytes) in (1..).zip([vec![], vec![0], every_byte.clone(), every_byte.repeat(400)]) {
        let sealed = Some(bytes.clone());
        store.write(async |tx| providers::add(tx, IysCode(number), "A", sealed, at(0)).await.unwrap()).await;
        let found = store.read(async |tx| providers::find(tx, IysCode(number)).await.unwrap().unwrap()).await;
        assert_eq!(found.credentials, Some(bytes));
    }
}

async fn sets_take_three_thousand_members(store: Store) {
    let numbers: Vec<u64> = (0..3_000).collect();
    let mirror = numbers.iter().map(|number| permission(*number)).collect();
    let filings = numbers.iter().map(|number| submission(*number)).collect();
    store
        .write(async |tx| {
            permissions::save(tx, PROVIDER, mirror, at(0)).await.unwrap();
            submissions::save(tx, filings, at(0)).await.unwrap();
        })
        .await;
    // As many strangers among them, so that the set decides and not the table.
    let keys: Vec<Key> = (0..6_000).map(key).collect();
    let ids = (0..6_000).map(id).collect();
    let (found, filed) = store
        .read(async |tx| {
            let found = permissions::of_keys(tx, PROVIDER, keys).await.unwrap();
            (found, submissions::find_many(tx, PROVIDER, ids).await.unwrap())
        })
        .await;
    assert_eq!((found.len(), filed.len()), (3_000, 3_000));
}

async fn empty_sets_have_no_member(store: Store) {
    store
        .write(async |tx| {
            permissions::save(tx, PROVIDER, vec![permission(1)], at(0)).await.unwrap();
            submissions::save(tx, vec![submission(1)], at(0)).await.unwrap();
            assert!(permissions::of_keys(tx, PROVIDER, vec![]).await.unwrap().is_empty());
            assert!(submissions::find_many(tx, PROVIDER, vec![]).await.unwrap().is_empty());
            tx.run(vec![submissions::supersede_step(PROVIDER, vec![], "RET", at(0))]).await.unwrap();
            let untouched = submissions::find(tx, PROVIDER, id(1)).await.unwrap().unwrap();
            assert_eq!(untouched.state, SubmissionState::Queued);
            let none =
                submissions::claim(tx, PROVIDER, BRAND, &[], singles(10), at(0), claim(1, 60)).await.unwrap();
            assert!(none.is_empty());
        })
        .await;
}

async fn words_of_a_set_may_hold_any_character(store: Store) {
    let titles = ["[\"a\"]", "a,b", "\\", "'", "ş\n", "null", ""];
    for (number, title) in (1..).zip(titles) {
        store.write(async |tx| providers::add(tx, IysCode(number), title, None, at(0)).await.unwrap()).await;
    }
    let by_title = statement("SELECT iys_code FROM providers WHERE title {in $1 text} ORDER BY iys_code");
    let by_code = statement("SELECT title FROM providers WHERE iys_code {in $1 int} ORDER BY iys_code");
    for (number, title) in (1_i64..).zip(titles) {
        let (codes, found) = store
            .read(async |tx| {
                let asked = Value::from(vec![title.to_owned(), "not there".to_owned()]);
                let rows = tx.rows(&by_title, vec![asked]).await.unwrap();
                let codes: Vec<i64> = rows.iter().map(|row| row.get(0).unwrap()).collect();
                let rows = tx.rows(&by_code, vec![Value::from(vec![number, -number])]).await.unwrap();
                (codes, rows.iter().map(|row| row.get(0).unwrap()).collect::<Vec<String>>())
            })
            .await;
        assert_eq!((codes, found), (vec![number], vec![title.to_owned()]));
    }
}

async fn the_largest_and_smallest_numbers_fit(store: Store) {
    for code in [i64::MIN, -1, 0, i64::from(u32::MAX), i64::MAX] {
        store
            .write(async |tx| {
                assert!(providers::add(tx, IysCode(code), "A", None, at(0)).await.unwrap());
                cursors::add(tx, IysCode(code), BRAND, at(0)).await.unwrap();
            })
            .await;
        let found = store.read(async |tx| cursors::of_brand(tx, IysCode(code), BRAND).await.unwrap()).await;
        assert!(found.iter().all(|row| row.iys_code == IysCode(code)) && found.len() == 2);
    }
}
