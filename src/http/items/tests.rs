use std::fmt::Write as _;

use kopru_domain::Lang;
use proptest::prelude::*;

use super::*;
use crate::http::v1::consents::ConsentBody;

const GOOD: &str = r#"{"recipient":"+905321234567","type":"MESAJ","status":"ONAY","source":"HS_WEB",
    "consentDate":"2026-11-20 10:05:00","recipientType":"BIREYSEL","reference":"a-1","retailerCode":12345678,
    "evidence":{"textVersion":"v3","voiceOffsetSeconds":12}}"#;

fn parse(body: &[u8]) -> Result<Parsed<ConsentBody>, Problem> {
    super::parse(body)
}

fn parsed(json: &str) -> Parsed<ConsentBody> {
    parse(json.as_bytes()).unwrap()
}

fn refused(json: &str) -> Vec<(Option<usize>, String, String)> {
    parsed(json).refused.into_iter().map(|one| (one.index, one.field, one.code)).collect()
}

fn one(index: usize, field: &str, code: &str) -> (Option<usize>, String, String) {
    (Some(index), field.to_owned(), code.to_owned())
}

#[test]
fn an_object_and_an_array_are_read() {
    let single = parsed(GOOD);
    assert_eq!((single.items.len(), single.refused.len()), (1, 0));
    let (index, consent) = &single.items[0];
    assert_eq!((*index, consent.recipient.as_deref()), (0, Some("+905321234567")));
    assert_eq!(consent.evidence.as_ref().unwrap().voice_offset_seconds, Some(12));
    let many = parsed(&format!(" [{GOOD}, {GOOD}] "));
    assert_eq!(many.items.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(parsed(&format!("\u{feff}{GOOD}")), single);
}

#[test]
fn missing_fields_are_the_intakes_business() {
    assert_eq!(parsed("{}").items, [(0, ConsentBody::default())]);
}

#[test]
fn one_bad_item_leaves_its_neighbours_alive() {
    let json = format!(r#"[{GOOD}, {{"recipient": 5321234567, "gsm": "x"}}, 7, {GOOD}]"#);
    let parsed = parsed(&json);
    assert_eq!(parsed.items.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(
        refused(&json),
        [one(1, "recipient", "wrong_type"), one(1, "gsm", "unknown_field"), one(2, "", "wrong_type"),]
    );
}

#[test]
fn a_number_as_an_address_is_told_to_be_quoted() {
    let problem = parsed(r#"{"recipient": 5321234567}"#).refused.remove(0);
    assert!(problem.title.get(Lang::En).contains("double quotes"), "{problem:?}");
}

#[test]
fn what_goes_beyond_the_limits_is_refused() {
    let long = "x".repeat(201);
    let json = format!(
        r#"{{"reference":"{long}","retailerCode":0,"evidence":{{"textSha256":"abc","clientAddress":"x","callId":"a\u0000b"}}}}"#
    );
    assert_eq!(
        refused(&json),
        [
            one(0, "reference", "too_long"),
            one(0, "retailerCode", "number"),
            one(0, "evidence.callId", "control_character"),
            one(0, "evidence.textSha256", "sha256"),
            one(0, "evidence.clientAddress", "address"),
        ]
    );
    let early = r#"{"evidence":{"voiceOffsetSeconds":-1}}"#;
    assert_eq!(refused(early), [one(0, "evidence.voiceOffsetSeconds", "number")]);
}

#[test]
fn empty_and_too_long_lists_have_problems_of_their_own() {
    assert_eq!(parse(b"[]").unwrap_err(), Problem::EmptyList);
    let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(parsed(&list(MAX_ITEMS)).items.len(), MAX_ITEMS);
    let problem = Problem::TooManyItems { found: MAX_ITEMS + 1, limit: MAX_ITEMS };
    assert_eq!(parse(list(MAX_ITEMS + 1).as_bytes()).unwrap_err(), problem);
    let with_a_bad_one = list(MAX_ITEMS + 1).replacen("{}", "7", 1);
    assert_eq!(parse(with_a_bad_one.as_bytes()).unwrap_err(), problem);
}

#[test]
fn broken_text_says_where_in_the_whole() {
    let problem = parse(b"[\n {\"recipient\": 7},\n {\"type\" \"x\"}\n]").unwrap_err();
    assert!(matches!(problem, Problem::MalformedJson { line: 3, .. }), "{problem:?}");
    assert!(matches!(parse(b"{\"recipient\": \"x\"").unwrap_err(), Problem::MalformedJson { line: 1, .. }));
    assert!(matches!(parse(b"{} {}").unwrap_err(), Problem::MalformedJson { .. }));
    assert!(matches!(parse(b"[{}]x").unwrap_err(), Problem::MalformedJson { .. }));
    assert!(matches!(parse(b"nothing").unwrap_err(), Problem::MalformedJson { .. }));
}

#[test]
fn a_text_or_number_is_neither_object_nor_list() {
    let Problem::Fields(problems) = parse(b"\"x\"").unwrap_err() else { panic!("it was taken") };
    assert_eq!(problems[0].code, "wrong_type");
}

#[test]
fn depth_is_no_way_to_bring_the_reader_down() {
    let mut json = String::new();
    for _ in 0..100_000 {
        let _ = write!(json, "[");
    }
    assert!(matches!(parse(json.as_bytes()).unwrap_err(), Problem::MalformedJson { .. }));
}

proptest! {
    #[test]
    fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn every_item_is_either_taken_or_refused(
        items in proptest::collection::vec(
            prop_oneof![Just(GOOD), Just("{}"), Just("7"), Just("{\"x\":1}"), Just("null"), Just("{\"type\":[]}")], 1..20,
        )
    ) {
        let parsed = parse(format!("[{}]", items.join(",")).as_bytes()).unwrap();
        let mut places: Vec<usize> = parsed.items.iter().map(|(index, _)| *index).collect();
        places.extend(parsed.refused.iter().filter_map(|problem| problem.index));
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places, (0..items.len()).collect::<Vec<_>>());
    }
}
