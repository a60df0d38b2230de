//! Every spelling of the registry's documents is read; ours is the documented example's.

use iys::SecretString;
use iys::wire::{
    AddResponse, BatchAddResponse, BatchItemResult, BatchResult, BrandInfo, Change, ChangesPage,
    ConsentRequest, ErrorBody, ErrorItem, HistoryResponse, LocationPart, OAuthError, PartnerList,
    StatusResponse, StatusesResponse, SubRequest, Subscription, TokenRequest, TokenResponse, encode,
    encode_batch,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::consent;

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

#[test]
fn a_token_answer_is_read_in_both_spellings() {
    let new: TokenResponse = read(&json!({
        "access_token": "a", "refresh_token": "r", "expires_in": 7200, "refresh_expires_in": "14400", "token_type": "bearer",
    }));
    assert_eq!((new.expires_in, new.refresh_expires_in, new.token_type.as_str()), (7_200, 14_400, "bearer"));
    let old: TokenResponse = read(&json!({
        "accessToken": "a", "refreshToken": "r", "expiresIn": "7200", "tokenType": "bearer",
    }));
    assert_eq!((old.expires_in, old.refresh_expires_in, old.token_type.as_str()), (7_200, 0, "bearer"));
}

#[test]
fn a_token_request_has_the_shape_of_its_grant() {
    let password = TokenRequest::Password { username: "u".into(), password: SecretString::from("p") };
    assert_eq!(
        serde_json::to_value(&password).unwrap(),
        json!({ "grant_type": "password", "username": "u", "password": "p" })
    );
    let refresh = TokenRequest::Refresh { refresh_token: SecretString::from("r") };
    assert_eq!(
        serde_json::to_value(&refresh).unwrap(),
        json!({ "grant_type": "refresh_token", "refresh_token": "r" })
    );
    assert!(matches!(
        read::<TokenRequest>(&json!({ "grant_type": "password", "username": "u", "password": "p" })),
        TokenRequest::Password { .. }
    ));
}

#[test]
fn a_consent_is_written_without_its_absent_optionals() {
    let bytes = encode(&consent()).unwrap();
    assert_eq!(
        std::str::from_utf8(&bytes).unwrap(),
        r#"{"recipient":"+905551112233","type":"MESAJ","source":"HS_WEB","status":"ONAY","consentDate":"2026-11-20 10:05:00"}"#
    );
    let full = ConsentRequest {
        recipient_type: Some("TACIR".into()),
        retailer_code: Some(58_954_386),
        retailer_access: vec![58_954_386, 58_954_387],
        ..consent()
    };
    let written: Value = serde_json::from_slice(&encode_batch(std::slice::from_ref(&full)).unwrap()).unwrap();
    assert_eq!(written[0]["recipientType"], "TACIR");
    assert_eq!(written[0]["retailerCode"], 58_954_386);
    assert_eq!(written[0]["retailerAccess"], json!([58_954_386, 58_954_387]));
    assert_eq!(read::<Vec<ConsentRequest>>(&written), [full]);
}

proptest! {
    #[test]
    fn a_consent_never_carries_null_or_an_empty_list_and_comes_back_equal(
        source in proptest::option::of("[A-Z_]{1,12}"),
        date in proptest::option::of("[0-9 :-]{1,19}"),
        kind in proptest::option::of("[A-Z]{1,9}"),
        retailer in proptest::option::of(10_000_000_i64..100_000_000),
        access in proptest::collection::vec(10_000_000_i64..100_000_000, 0..4),
    ) {
        let consent = ConsentRequest {
            source, consent_date: date, recipient_type: kind, retailer_code: retailer, retailer_access: access, ..consent()
        };
        let written: Value = serde_json::from_slice(&encode(&consent).unwrap()).unwrap();
        for (key, value) in written.as_object().unwrap() {
            prop_assert!(!value.is_null() && *value != json!("") && *value != json!([]), "{} is empty", key);
        }
        prop_assert_eq!(read::<ConsentRequest>(&written), consent);
    }
}

#[test]
fn an_add_answer_is_read() {
    let added: AddResponse =
        read(&json!({ "transactionId": 17, "creationDate": "2026-11-20 10:05:04", "new": true }));
    assert_eq!(added.transaction_id, "17");
}

#[test]
fn a_batch_answer_is_read_with_either_spelling_of_the_item_id() {
    let answer: BatchAddResponse = read(&json!({ "requestId": "r", "subRequests": [
        { "subRequestId": "s1", "type": "MESAJ", "recipient": "+90", "status": "ONAY", "retailerCode": "58954386" },
        { "subrequestId": "s2", "type": "EPOSTA", "recipient": "a@b", "status": "BEKLIYOR", "source": "" },
    ] }));
    assert_eq!(answer.sub_requests[0].sub_request_id, "s1");
    assert_eq!(answer.sub_requests[0].retailer_code, Some(58_954_386));
    assert_eq!(answer.sub_requests[1].sub_request_id, "s2");
    assert_eq!((answer.sub_requests[1].status.as_str(), &answer.sub_requests[1].source), ("BEKLIYOR", &None));
    assert_eq!(read::<BatchAddResponse>(&json!({ "requestId": "r", "subRequests": null })).sub_requests, []);
}

#[test]
fn a_batch_result_is_read_with_all_its_kinds_of_items() {
    let result: BatchResult = read(&json!([
        { "subRequestId": "s1", "index": 0, "status": "failure", "error": { "code": "H175", "message": "…" } },
        { "requestId": "r", "subRequestId": "s2", "index": "1", "transactionId": "t", "status": "success",
          "creationDate": "2026-11-20 10:05:04", "isAddConsentV2Service": "true",
          "originalRequestInformation": { "requestId": "r0", "subrequestId": "s0" } },
        { "index": 2, "status": "enqueue", "subrequestId": "s3" },
        { "index": 3, "status": "failure", "errors": [{ "code": "H178", "message": "…", "location": "consentDate" }] },
        { "index": 4, "status": "processing", "isAddConsentV2Service": false, "transactionId": "" },
        { "index": 5, "status": "success" },
    ]));
    let items = &result.items;
    assert!(items[0].is_failed());
    assert_eq!(items[0].error.as_ref().unwrap().code.as_deref(), Some("H175"));
    assert!(items[1].is_recorded());
    assert_eq!(items[1].index, Some(1));
    assert_eq!(items[1].is_add_consent_v2_service, Some(true));
    let original = items[1].original_request_information.as_ref().unwrap();
    assert_eq!((original.request_id.as_str(), original.sub_request_id.as_str()), ("r0", "s0"));
    assert_eq!(items[2].sub_request_id.as_deref(), Some("s3"));
    assert!(!items[2].is_recorded() && !items[2].is_failed());
    assert_eq!(items[3].error.as_ref().unwrap().field(), Some("consentDate"));
    assert_eq!((items[4].status.as_str(), items[4].is_add_consent_v2_service), ("processing", Some(false)));
    assert!(!items[5].is_recorded(), "success without a transaction id proves nothing");
}

#[test]
fn a_batch_result_may_come_wrapped() {
    let wrapped: BatchResult =
        read(&json!({ "requestId": "r", "subRequests": [{ "index": 0, "status": "enqueue" }] }));
    assert_eq!(wrapped.items.len(), 1);
    assert_eq!(read::<BatchResult>(&json!([])).items, []);
    assert_eq!(read::<BatchResult>(&json!({})).items, []);
}

#[test]
fn a_batch_item_is_written_in_the_spelling_of_the_examples() {
    let item = BatchItemResult {
        index: Some(1),
        status: "success".into(),
        sub_request_id: Some("s".into()),
        transaction_id: Some("t".into()),
        is_add_consent_v2_service: Some(true),
        ..BatchItemResult::default()
    };
    assert_eq!(
        serde_json::to_value(item).unwrap(),
        json!({ "index": 1, "status": "success", "subRequestId": "s", "transactionId": "t",
                "isAddConsentV2Service": "true" })
    );
}

#[test]
fn a_status_answer_is_read_with_what_merchants_lack() {
    let record: StatusResponse = read(&json!({
        "consentDate": "", "recipientType": "TACIR", "status": "ONAY", "type": "EPOSTA", "recipient": "a@b.co",
        "retailerCode": "55550127", "retailerAccessCount": 3, "retailerAccess": ["1", 2], "retailerTitle": null,
        "creationDate": "2020-08-06 15:50:23",
    }));
    assert_eq!((record.consent_date, record.source, record.transaction_id), (None, None, None));
    assert_eq!((record.retailer_code, record.retailer_access_count), (Some(55_550_127), Some(3)));
    assert_eq!(record.retailer_access, [1, 2]);
}

#[test]
fn unknown_values_are_kept() {
    let change: Change = read(&json!({
        "source": "IYS_KISA_LINK", "status": "BEKLIYOR", "type": "FAKS", "recipientType": "KAMU", "recipient": "x",
        "creationDate": "2026-11-20 10:05:04", "transactionId": "t", "reason": "new",
    }));
    assert_eq!(change.source.as_deref(), Some("IYS_KISA_LINK"));
    assert_eq!((change.status.as_str(), change.r#type.as_str()), ("BEKLIYOR", "FAKS"));
    assert_eq!(change.recipient_type, "KAMU");
}

#[test]
fn lists_may_be_empty_strings_and_pages_empty_objects() {
    let history: HistoryResponse = read(&json!({ "list": "", "pagination": "" }));
    assert_eq!((history.list.len(), history.pagination.total_count), (0, 0));
    let history: HistoryResponse = read(&json!({ "list": [{ "status": "RET", "transactionId": "t" }],
        "pagination": { "totalCount": "2", "pageSize": 2, "offset": 0 } }));
    assert_eq!((history.list[0].status.as_str(), history.pagination.total_count), ("RET", 2));
    assert_eq!(read::<ChangesPage>(&json!({})), ChangesPage::default());
    assert_eq!(read::<ChangesPage>(&json!({ "after": null, "list": null })), ChangesPage::default());
    let page: ChangesPage = read(&json!({ "after": "1597740617_632c", "list": [
        { "consentDate": "", "status": "RET", "source": "IYS_AHS_HAT_KAPATMA", "transactionId": "t" },
    ] }));
    assert_eq!(page.after.as_deref(), Some("1597740617_632c"));
    assert_eq!(page.list[0].consent_date, None);
    assert_eq!(read::<StatusesResponse>(&json!({ "requestId": "r", "list": [] })).list, Vec::<String>::new());
}

#[test]
fn brand_codes_and_truth_values_may_be_strings() {
    let list: PartnerList = read(
        &json!({ "pagination": { "offset": "0", "totalCount": 2, "pageSize": 2 }, "list": [
        { "brandCode": "612345", "iysCode": "000100", "name": "Örnek", "master": "true", "title": "ÖRNEK A.Ş.",
          "agreementControl": "false", "MESAJ": "write", "EPOSTA": "read", "viaControl": 1 },
        { "brandCode": 612_346, "iysCode": 612_345, "name": "İkinci", "master": false, "ARAMA": "" },
    ] }),
    );
    let (first, second) = (&list.list[0], &list.list[1]);
    assert_eq!((first.brand_code, first.iys_code, first.master), (612_345, 100, true));
    assert_eq!((first.agreement_control, first.via_control), (false, true));
    assert_eq!(
        (first.message.as_deref(), first.email.as_deref(), &first.call),
        (Some("write"), Some("read"), &None)
    );
    assert_eq!((second.brand_code, &second.call, second.agreement_control), (612_346, &None, false));
    let written = serde_json::to_value(first).unwrap();
    assert_eq!((&written["brandCode"], &written["MESAJ"]), (&json!(612_345), &json!("write")));
    assert!(written.get("ARAMA").is_none());

    let brand: BrandInfo = read(&json!({ "brandCode": "545454", "name": "Deneme", "master": true,
        "stats": { "consents": { "approval": 22, "rejection": "0", "total": 22 } } }));
    assert_eq!(
        (brand.brand_code, brand.stats.consents.approval, brand.stats.retailers.total),
        (545_454, 22, 0)
    );
}

#[test]
fn a_subscription_is_read_with_its_three_spellings_of_the_id() {
    for key in ["subscriptionId", "subscipritionId", "subsciprtionId"] {
        let subscription: Subscription = read(&json!({
            key: "12345879", "status": "ACTIVE", "consentLimit": "5000", "consentLimitExceed": "false",
            "viaSubscriptionPackage": { "viaSubscipritionId": 7, "viaCredit": -1, "status": "ACTIVE" },
        }));
        assert_eq!(subscription.subscription_id.as_deref(), Some("12345879"), "{key}");
        assert_eq!(
            (subscription.consent_limit, subscription.consent_limit_exceed),
            (Some(5_000), Some(false))
        );
        let via = subscription.via_subscription_package.unwrap();
        assert_eq!((via.via_subscription_id.as_deref(), via.via_credit), (Some("7"), Some(-1)));
        assert_eq!(subscription.used_consent_limit, None);
    }
}

#[test]
fn an_error_body_is_read_in_all_its_shapes() {
    let list = ErrorBody::parse(
        br#"{"errors":[{"code":"H126","message":"m","location":["retailerAccess",0],"value":[1],"index":3},
                       {"index":"4","location":"type","code":"H111","message":"m"}]}"#,
    )
    .unwrap();
    assert_eq!(list.code(), Some("H126"));
    let (first, second) = (&list.errors[0], &list.errors[1]);
    assert_eq!(first.location, [LocationPart::Field("retailerAccess".into()), LocationPart::Position(0)]);
    assert_eq!((first.field(), first.position(), first.index), (Some("retailerAccess"), Some(0), Some(3)));
    assert_eq!((second.field(), second.index, &second.value), (Some("type"), Some(4), &None));

    for (body, code) in [
        (r#"{"errors":[{"code:":"H353","message":"m"}]}"#, Some("H353")),
        (r#"{"code":"H084","message":"m"}"#, Some("H084")),
        (r#"{"errors":{"code":"H084"}}"#, Some("H084")),
        (r#"{"error":{"code":"H175","message":"m"}}"#, Some("H175")),
        (r#"[{"code":"H111"},{"code":"H112"}]"#, Some("H111")),
        (r#"{"error":"invalid_grant","error_description":"d"}"#, Some("invalid_grant")),
        (r#"{"status":400,"message":"m"}"#, None),
        (r#"{"errors":["m"]}"#, None),
        (r#"{"errors":[]}"#, None),
        ("{}", None),
    ] {
        assert_eq!(ErrorBody::parse(body.as_bytes()).unwrap().code(), code, "{body}");
    }
    let oauth = ErrorBody::parse(br#"{"error":"invalid_grant","error_description":"d"}"#).unwrap();
    assert_eq!(oauth.errors[0].message, "d");
    for body in ["", "<html></html>", "\"oops\"", "17", "{\"errors\":"] {
        assert!(ErrorBody::parse(body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn an_error_body_is_written_as_documented() {
    let body =
        ErrorBody { errors: vec![ErrorItem::new("H117", "m").at("type").with_value("FAKS").in_batch(2)] };
    assert_eq!(
        serde_json::to_value(&body).unwrap(),
        json!({ "errors": [{ "code": "H117", "message": "m", "location": ["type"], "value": "FAKS", "index": 2 }] })
    );
    assert_eq!(read::<ErrorBody>(&serde_json::to_value(&body).unwrap()), body);
    let duplicate = ErrorItem::new("H193", "m").at("recipients").at_position(4);
    assert_eq!(serde_json::to_value(duplicate).unwrap()["location"], json!(["recipients", 4]));
    let oauth = OAuthError { error: "invalid_request".into(), error_description: "d".into() };
    assert_eq!(
        serde_json::to_value(oauth).unwrap(),
        json!({ "error": "invalid_request", "error_description": "d" })
    );
}

#[test]
fn debug_shows_no_secret_and_no_address() {
    let address = "+905551112233";
    let shown = [
        format!("{:?}", consent()),
        format!(
            "{:?}",
            Change { recipient: address.into(), citizen_name: Some("Ayşe".into()), ..Change::default() }
        ),
        format!("{:?}", StatusResponse { recipient: address.into(), ..StatusResponse::default() }),
        format!("{:?}", StatusesResponse { list: vec![address.into()], ..StatusesResponse::default() }),
        format!("{:?}", SubRequest { recipient: address.into(), ..SubRequest::default() }),
        format!("{:?}", ErrorItem::new("H121", format!("{address} yanlış")).with_value(address)),
        format!("{:?}", TokenRequest::Refresh { refresh_token: SecretString::from(address) }),
        format!("{:?}", iys::Credentials::new("user", address)),
    ];
    for text in shown {
        assert!(!text.contains(address) && !text.contains("Ayşe"), "{text}");
    }
}
