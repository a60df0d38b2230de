use proptest::prelude::*;

use super::*;
use crate::Vendor;

fn read(vendor: Vendor, content_type: &str, body: &[u8]) -> Read {
    let request = Request { content_type: Some(content_type), query: None, body };
    parse(&Mapping::of(vendor), request).unwrap()
}

#[test]
fn verimor_pushes_a_list() {
    let body = br#"[
        {"message_id": 1234, "type": "inbound", "received_at": "2017-01-01 09:00:00", "network": "TURKCELL",
         "source_addr": "905319876543", "destination_addr": "4609", "keyword": "ABC", "content": "ABC RET"},
        {"message_id": 1235, "type": "inbound", "received_at": "2017-01-01 10:00:00", "network": "VODAFONE",
         "source_addr": "905444876543", "destination_addr": "908501234567", "keyword": "", "content": ""}]"#;
    let read = read(Vendor::Verimor, "application/json", body);
    let [first, second] = &read.messages[..] else { panic!("{read:?}") };
    assert_eq!(first.id.as_deref(), Some("1234"));
    assert_eq!((first.from.as_str(), first.to.as_deref()), ("905319876543", Some("4609")));
    assert_eq!((first.text.as_str(), first.keyword.as_deref()), ("ABC RET", Some("ABC")));
    assert_eq!(first.received_at.unwrap().to_rfc3339(), "2017-01-01T06:00:00+00:00");
    assert!(first.raw.contains("TURKCELL"));
    assert_eq!((second.text.as_str(), second.keyword.as_deref()), ("", None));
    assert_eq!((read.reports.len(), read.unread), (0, 0));
}

#[test]
fn reports_and_messages_of_one_push_are_told_apart() {
    let body = br#"[
        {"type": "outbound", "campaign_id": 20121, "campaign_custom_id": "c1", "message_id": "13582302",
         "message_custom_id": "m1", "dest": "905319876543", "status": "NOT_DELIVERED", "gsm_error": "27",
         "done_at": "2015-02-20 16:06:00"},
        {"message_id": 9, "type": "inbound", "source_addr": "905319876543", "content": "ret"},
        {"something": "else"}]"#;
    let read = read(Vendor::Verimor, "application/json", body);
    let report = &read.reports[0];
    assert_eq!((report.id.as_deref(), report.reference.as_deref()), (Some("20121"), Some("m1")));
    assert_eq!((report.state, report.detail.as_deref()), (Delivery::Failed, Some("27")));
    assert!(report.raw.contains("13582302") && !format!("{report:?}").contains("905319876543"));
    assert_eq!(read.messages.len(), 1);
    assert_eq!(read.unread, 1);
}

#[test]
fn twilio_pushes_a_form() {
    let body =
        "ToCountry=TR&SmsMessageSid=SM1&NumMedia=0&SmsStatus=received&Body=%C4%B0PTAL+et&To=%2B908501234567\
                &NumSegments=1&MessageSid=SM1&AccountSid=AC1&From=%2B905319876543&ApiVersion=2010-04-01"
            .as_bytes();
    let read = read(Vendor::Twilio, "application/x-www-form-urlencoded", body);
    let message = &read.messages[0];
    assert_eq!((message.id.as_deref(), message.text.as_str()), (Some("SM1"), "İPTAL et"));
    assert_eq!((message.from.as_str(), message.to.as_deref()), ("+905319876543", Some("+908501234567")));

    let report = b"MessageSid=SM2&MessageStatus=undelivered&ErrorCode=30003&To=%2B905319876543&From=ABC";
    let read = super::tests::read(Vendor::Twilio, "application/x-www-form-urlencoded", report);
    assert_eq!(read.reports[0].state, Delivery::Failed);
    assert_eq!(read.reports[0].detail.as_deref(), Some("30003"));
    assert!(read.messages.is_empty());
    let given = super::tests::read(
        Vendor::Twilio,
        "application/x-www-form-urlencoded",
        b"MessageSid=SM2&MessageStatus=sent",
    );
    assert_eq!(given.reports[0].state, Delivery::Sent, "the network may still say more");
}

#[test]
fn a_get_has_everything_in_its_query() {
    let query = Some("ceptel=5319876543&aboneno=8501234567&mesaj=%DDPTAL&tarih=28.11.2026+21:05:00");
    let read = parse(&Mapping::of(Vendor::Netgsm), Request { query, ..Request::default() }).unwrap();
    let message = &read.messages[0];
    assert_eq!((message.from.as_str(), message.text.as_str()), ("5319876543", "İPTAL"));
    assert_eq!(message.to.as_deref(), Some("8501234567"));
    assert_eq!(message.received_at.unwrap().to_rfc3339(), "2026-11-28T18:05:00+00:00");
}

#[test]
fn ileti_merkezi_reports_one_message() {
    let body = br#"{"report": {"id": 1599558518, "packet_id": 104525848, "status": "delivered", "to": "+905057020000",
                    "body": "Webhook test message"}}"#;
    let read = read(Vendor::IletiMerkezi, "application/json", body);
    assert_eq!(read.reports[0].id.as_deref(), Some("104525848"));
    assert_eq!(read.reports[0].state, Delivery::Delivered);
}

#[test]
fn json_in_windows_1254_and_json_called_a_text_are_read() {
    let body = b"[{\"message_id\": 7, \"source_addr\": \"905319876543\", \"content\": \"ABC \xddPTAL\"}]";
    for content_type in ["application/json; charset=windows-1254", "text/plain", ""] {
        assert_eq!(read(Vendor::Verimor, content_type, body).messages[0].text, "ABC İPTAL", "{content_type}");
    }
}

#[test]
fn json_in_a_field_of_a_form_is_read() {
    let body = b"data=%5B%7B%22from%22%3A%22905319876543%22%2C%22text%22%3A%22RET%22%7D%5D";
    assert_eq!(read(Vendor::Http, "application/x-www-form-urlencoded", body).messages[0].text, "RET");
}

#[test]
fn an_operators_mapping_wins_over_the_vendors() {
    let own = Mapping { list: vec!["data.items".into()], text: vec!["m.t".into()], ..Mapping::default() };
    let body = br#"{"data": {"items": [{"from": "905319876543", "m": {"t": "RET"}, "text": "no"}]}}"#;
    let request = Request { content_type: Some("application/json"), query: None, body };
    let read = parse(&own.or(Vendor::Http), request).unwrap();
    assert_eq!(read.messages[0].text, "RET");
}

#[test]
fn parts_are_named() {
    let body = b"msisdn=905319876543&to=4609&text=one&concat-ref=7&concat-part=2&concat-total=3";
    let read = read(Vendor::Http, "application/x-www-form-urlencoded", body);
    assert_eq!(read.messages[0].part, Some(Part { reference: "7".to_owned(), number: 2, total: 3 }));
}

#[test]
fn what_cannot_be_read_says_so() {
    let request = |body: &'static [u8]| Request { content_type: Some("application/json"), query: None, body };
    let mapping = Mapping::of(Vendor::Verimor);
    assert!(matches!(parse(&mapping, request(b"[{]")), Err(Unreadable::Json(_))));
    assert_eq!(parse(&mapping, request(b"  ")), Err(Unreadable::Empty));
    assert_eq!(parse(&mapping, request(b"[]")), Ok(Read::default()));
}

#[test]
fn debug_shows_neither_number_nor_text() {
    let read = read(Vendor::Http, "application/json", br#"{"from": "905319876543", "text": "RET ABC"}"#);
    let shown = format!("{read:?}");
    assert!(!shown.contains("905319876543") && !shown.contains("RET"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let content_type = Some(if json { "application/json" } else { "application/x-www-form-urlencoded" });
        for vendor in Vendor::ALL {
            let _ = parse(&Mapping::of(vendor), Request { content_type, query: None, body: &body });
        }
    }

    #[test]
    fn any_text_arrives_as_it_was_typed(text in "[^\u{0}]{0,80}") {
        let json = serde_json::json!([{"message_id": 1, "source_addr": "905319876543", "content": text}]).to_string();
        prop_assert_eq!(&read(Vendor::Verimor, "application/json", json.as_bytes()).messages[0].text, &text);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("From", "+905319876543")
            .append_pair("Body", &text)
            .finish();
        let read = read(Vendor::Twilio, "application/x-www-form-urlencoded", form.as_bytes());
        prop_assert_eq!(&read.messages[0].text, &text);
    }
}
