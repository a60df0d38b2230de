//! Whatever arrives, no reader panics; keys that are not known change nothing; what is written strictly is read back.

use std::fmt::{Debug, Write};

use iys::wire::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The keys that the readers look for, so that arbitrary JSON comes near to real answers.
const KEYS: [&str; 40] = [
    "list",
    "pagination",
    "errors",
    "error",
    "code",
    "code:",
    "message",
    "location",
    "value",
    "index",
    "data",
    "content",
    "requestId",
    "subRequests",
    "subrequestId",
    "status",
    "lastStatus",
    "requestDetails",
    "brandCode",
    "iysCode",
    "recipient",
    "recipients",
    "type",
    "creationDate",
    "consentDate",
    "transactionId",
    "retailerAccess",
    "city",
    "town",
    "changeStats",
    "consents",
    "total",
    "errorCode",
    "subSystemErrorInfo",
    "field",
    "after",
    "originalRequestInformation",
    "viaSubscriptionPackage",
    "stats",
    "totalCount",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z0-9+@. :-]{1,24}",
        any::<String>(),
        Just("2026-11-20 10:05:00".to_owned()),
        Just("true".to_owned()),
        Just("COMPLETED,SUCCESS".to_owned()),
        "-?[0-9]{1,30}",
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let key = prop_oneof![proptest::sample::select(KEYS.to_vec()).prop_map(ToOwned::to_owned), text()];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(key.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Reads a body as each type that the crate reads; the answers do not matter.
fn read_all(body: &[u8]) {
    fn read<T: DeserializeOwned + Debug>(body: &[u8]) {
        if let Ok(value) = serde_json::from_slice::<T>(body) {
            let _ = format!("{value:?}");
        }
    }
    read::<TokenResponse>(body);
    read::<AddResponse>(body);
    read::<BatchAddResponse>(body);
    read::<BatchResult>(body);
    read::<StatusResponse>(body);
    read::<StatusesResponse>(body);
    read::<HistoryResponse>(body);
    read::<ChangesPage>(body);
    read::<Vec<BrandInfo>>(body);
    read::<PartnerList>(body);
    read::<Subscription>(body);
    read::<RetailerAdded>(body);
    read::<Retailer>(body);
    read::<RetailerList>(body);
    read::<DailySummary>(body);
    read::<Agreement>(body);
    read::<AgreementCaptured>(body);
    read::<Vec<PushRegistration>>(body);
    read::<MessageResponse>(body);
    read::<Vec<City>>(body);
    read::<Vec<Town>>(body);
    read::<ViaStarted>(body);
    read::<ViaRecorded>(body);
    read::<ViaStatus>(body);
    read::<KvkConsent>(body);
    read::<RejectLink>(body);
    read::<ViaPassStarted>(body);
    read::<ViaPassHistory>(body);
    read::<ViaPassAccount>(body);
    if let Ok(consent) = serde_json::from_slice::<KvkConsent>(body) {
        let _ = consent.consent_instant();
    }
    if let Ok(event) = PushEvent::parse(body) {
        let _ = (event.is_test(), format!("{event:?}"));
    }
    if let Some(error) = ErrorBody::parse(body) {
        let _ = error.code();
        for item in &error.errors {
            let _ = (item.field(), item.position());
        }
    }
}

proptest! {
    #[test]
    fn no_reader_panics_on_json(value in json_value()) {
        read_all(value.to_string().as_bytes());
    }

    #[test]
    fn no_reader_panics_on_bytes(bytes in vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn no_date_panics(text in text()) {
        let _ = parse_date(&text);
    }

    #[test]
    fn the_movement_reader_does_not_panic(
        pieces in vec(prop_oneof![
            vec(any::<u8>(), 0..80),
            "[a-z,\"\r\n]{0,80}".prop_map(String::into_bytes),
            Just(b"creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n".to_vec()),
            Just(b"2026-11-20 10:05:04,5f0c,a@b.co,BIREYSEL,EPOSTA,RET,,IYS_WEB\n".to_vec()),
        ], 0..8),
    ) {
        let mut reader = MovementReader::new();
        let fed = pieces.iter().try_for_each(|piece| reader.feed(piece));
        let _ = fed.and_then(|()| reader.finish());
        while reader.take().is_some() {}
    }

    #[test]
    fn movements_are_read_back_however_the_file_is_cut(
        rows in vec(("[0-9a-f]{1,64}", "[a-z0-9.]{1,20}@[a-z]{2,9}\\.co", "ONAY|RET", "|2026-11-20 10:05:00", "|HS_WEB"), 0..12),
        size in 1_usize..200,
    ) {
        let mut file = String::from("creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n");
        let mut expected = Vec::new();
        for (id, recipient, status, date, source) in rows {
            writeln!(file, "2026-11-20 10:05:04,{id},{recipient},BIREYSEL,EPOSTA,{status},{date},{source}").unwrap();
            expected.push(Change {
                creation_date: "2026-11-20 10:05:04".into(),
                transaction_id: id,
                recipient,
                recipient_type: "BIREYSEL".into(),
                r#type: "EPOSTA".into(),
                status,
                consent_date: Some(date).filter(|text| !text.is_empty()),
                source: Some(source).filter(|text| !text.is_empty()),
                citizen_name: None,
            });
        }
        let mut reader = MovementReader::new();
        for piece in file.as_bytes().chunks(size) {
            reader.feed(piece).unwrap();
        }
        reader.finish().unwrap();
        let read: Vec<_> = std::iter::from_fn(|| reader.take()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_retailer_is_written_strictly_and_read_back(
        required in proptest::array::uniform4("[A-Za-z0-9 ]{1,12}"),
        optional in proptest::array::uniform4(proptest::option::of("[A-Za-z0-9+]{1,12}")),
    ) {
        let [title, name, tckn, tin] = required;
        let [mersis, alias, mobile, status] = optional;
        let place = Place { name: "İstanbul".into(), code: "34".into() };
        let request = RetailerRequest {
            title, name, tckn, tin, city: place.clone(), town: place, mersis, alias, mobile, status,
        };
        written_strictly(&request)?;
    }

    #[test]
    fn the_start_of_an_approval_is_written_strictly_and_read_back(
        brands in vec(1_i64..1_000_000, 0..3),
        types in vec("MESAJ|ARAMA|EPOSTA", 1..3),
        kind in proptest::option::of("BIREYSEL|TACIR"),
        person in proptest::option::of(("[a-z ]{1,9}", proptest::option::of("[0-9]{11}"))),
    ) {
        let person_data = person.map(|(name, number)| ViaPerson { name, recipient_id_number: number, address: None });
        let one = ViaConsentType { title: "ETK".into(), brand_codes: brands, types, recipient_type: kind, person_data };
        let request = ViaStartRequest {
            form_id: "12".into(),
            recipient: "a@b.co".into(),
            verification_type: verification_type::EMAIL_OTP.into(),
            consent_types: vec![one],
        };
        written_strictly(&request)?;
    }
}

/// Nothing empty is written, at any depth, and the same value comes back.
fn written_strictly<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    value: &T,
) -> Result<(), TestCaseError> {
    fn has_empty(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty() || items.iter().any(has_empty),
            Value::Object(fields) => fields.is_empty() || fields.values().any(has_empty),
            _ => false,
        }
    }
    let written = serde_json::to_value(value).unwrap();
    prop_assert!(!has_empty(&written), "{}", written);
    prop_assert_eq!(&serde_json::from_value::<T>(written).unwrap(), value);
    Ok(())
}

/// The same answer with keys of later years at every depth.
fn with_more_keys(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_more_keys).collect(),
        Value::Object(fields) => {
            let mut more: serde_json::Map<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), with_more_keys(value))).collect();
            more.insert("x-later".into(), json!({ "list": [1, "two", null], "status": 7 }));
            Value::Object(more)
        }
        other => other.clone(),
    }
}

fn ignores_more<T: DeserializeOwned + PartialEq + Debug>(answer: &Value) {
    let plain: T = serde_json::from_value(answer.clone()).unwrap();
    let more: T = serde_json::from_value(with_more_keys(answer)).unwrap();
    assert_eq!(more, plain);
}

#[test]
fn keys_that_are_not_known_change_nothing() {
    let movement = json!({ "consentDate": "d", "creationDate": "c", "source": "IYS_WEB", "recipient": "a@b.co",
        "recipientType": "BIREYSEL", "status": "RET", "type": "EPOSTA", "transactionId": "t" });
    let page = json!({ "offset": 0, "pageSize": 1, "totalCount": 1 });
    let retailer = json!({ "title": "X", "retailerCode": 7, "city": { "name": "İstanbul", "code": "34" } });
    ignores_more::<AddResponse>(&json!({ "transactionId": "t", "creationDate": "c" }));
    ignores_more::<BatchAddResponse>(&json!({ "requestId": "r", "subRequests": [{ "subRequestId": "s" }] }));
    ignores_more::<BatchResult>(&json!([{ "index": 0, "status": "failure", "error": { "code": "H175" } }]));
    ignores_more::<StatusResponse>(&movement);
    ignores_more::<StatusesResponse>(&json!({ "requestId": "r", "list": ["a@b.co"] }));
    ignores_more::<HistoryResponse>(&json!({ "list": [movement], "pagination": page }));
    ignores_more::<ChangesPage>(&json!({ "after": "a", "list": [movement] }));
    ignores_more::<BrandInfo>(&json!({ "brandCode": 7, "stats": { "consents": { "total": 7 } } }));
    ignores_more::<PartnerList>(&json!({ "list": [{ "brandCode": 7, "iysCode": 7 }], "pagination": page }));
    ignores_more::<Subscription>(
        &json!({ "status": "ACTIVE", "viaSubscriptionPackage": { "viaCredit": 7 } }),
    );
    ignores_more::<RetailerAdded>(&json!({ "retailerCode": 7 }));
    ignores_more::<RetailerList>(&json!({ "list": [retailer], "pagination": page }));
    ignores_more::<DailySummary>(
        &json!({ "changeStats": [{ "type": "MESAJ", "consents": [{ "source": "HS", "total": 1 }] }] }),
    );
    ignores_more::<Agreement>(&json!({ "processStatus": "completed", "hashValue": "f0" }));
    ignores_more::<AgreementCaptured>(&json!({ "agreementCaptured": true }));
    ignores_more::<Vec<PushRegistration>>(&json!([{ "url": "u", "type": "MESAJ", "status": "s" }]));
    let mut pushed = movement.clone();
    pushed["brandCode"] = json!(7);
    ignores_more::<PushEvent>(&json!({ "list": [pushed] }));
    ignores_more::<Vec<City>>(&json!([{ "code": 34, "name": "İstanbul" }]));
    ignores_more::<Vec<Town>>(&json!([{ "code": 1, "name": "Seyhan", "city_code": 1 }]));
    ignores_more::<ViaStatus>(&json!({ "requestId": "r", "requestDetails": [{ "consentType": "ETK" }],
                 "lastStatus": { "stage": "ENQUEUE", "status": "PENDING" } }));
    ignores_more::<KvkConsent>(&json!({ "requestId": "r", "status": "ONAY" }));
    ignores_more::<RejectLink>(&json!({ "recipient": "a@b.co", "code": "H568", "message": "m" }));
    ignores_more::<ViaPassHistory>(
        &json!({ "content": [{ "status": "SUCCESS" }], "pagination": { "currentPage": 1 } }),
    );
    ignores_more::<ViaPassAccount>(
        &json!({ "status": "ACTIVE", "viaSubscriptionPackage": { "isLimited": true } }),
    );
}
