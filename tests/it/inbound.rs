//! SMS of citizens: pushed by each vendor, repeated, unproved, and what reaches the registry.

use std::time::Instant;

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent, kopru};

const CITIZEN: &str = "+905321234567";

/// A raw request of a vendor, as its documents show it.
pub struct Push<'a> {
    pub content_type: &'a str,
    pub headers: Vec<(&'a str, String)>,
    pub query: &'a str,
    pub body: Vec<u8>,
}

pub fn json_push(body: &str) -> Push<'_> {
    Push { content_type: "application/json", headers: Vec::new(), query: "", body: body.as_bytes().to_vec() }
}

/// Posts to the address of a connection; the status and how long it took.
pub async fn push(url: &str, push: &Push<'_>) -> u16 {
    let started = Instant::now();
    let request = reqwest::Client::builder()
        .build()
        .unwrap()
        .post(format!("{url}{}", push.query))
        .header("content-type", push.content_type);
    let request = push.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let status = request.body(push.body.clone()).send().await.unwrap().status().as_u16();
    assert!(started.elapsed().as_secs() < 5, "the answer took too long");
    status
}

/// Makes an address for a vendor.
pub async fn connect(bridge: &Bridge, body: Value) -> String {
    let (status, made) = bridge.post_as(&bridge.admin, "/v1/inbound-connections", body).await;
    assert_eq!(status, 201, "{made}");
    made["url"].as_str().unwrap().to_owned()
}

pub async fn keyword(bridge: &Bridge, brand: i64, body: Value) {
    let (status, made) = bridge.post_as(&bridge.admin, &format!("/v1/brands/{brand}/keywords"), body).await;
    assert_eq!(status, 201, "{made}");
}

pub async fn messages(bridge: &Bridge, brand: i64, state: &str) -> Vec<Value> {
    let (status, page) = bridge.get(&format!("/v1/brands/{brand}/inbound?state={state}")).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

/// The citizen has approved messages and calls.
pub async fn approved(bridge: &Bridge) {
    let at = bridge.app.clocks.business() - chrono::TimeDelta::minutes(9);
    for kind in ["MESAJ", "ARAMA"] {
        bridge.consent(consent(CITIZEN, kind, "ONAY", at)).await;
    }
    bridge.drain().await;
    bridge.advance("5s").await;
}

/// Files everything, and returns the movements of the brand as (type, status, source).
pub async fn filed(bridge: &Bridge) -> Vec<(String, String, String)> {
    bridge.drain_for(2, "5s").await;
    let text = |movement: &Value, name: &str| movement[name].as_str().unwrap_or_default().to_owned();
    let all = bridge.registry.movements().await;
    all.iter().map(|it| (text(it, "type"), text(it, "status"), text(it, "source"))).collect()
}

pub fn movement(kind: &str, status: &str, source: &str) -> (String, String, String) {
    (kind.to_owned(), status.to_owned(), source.to_owned())
}

fn turkish(at: chrono::DateTime<chrono::Utc>) -> String {
    kopru_domain::time::format_registry(at)
}

on_both_databases! {
    /// Verimor's push, with the comma that its guide leaves out; twice; and the misspelt word for cancel.
    async fn verimor_pushes_a_rejection_with_dotless_and_lost_letters(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
        let url = connect(&bridge, json!({"vendor": "verimor"})).await;
        approved(&bridge).await;
        let at = turkish(bridge.app.clocks.business());
        let body = format!(r#"[{{"message_id": 900001 "type": "inbound", "created_at": "{at}", "network": "TURKCELL",
            "source_addr": "905321234567", "destination_addr": "4609", "keyword": "ABC", "content": "ıptl et lütfen", "received_at": "{at}"}}]"#);
        assert_eq!(push(&url, &json_push(&body)).await, 200);
        assert_eq!(push(&url, &json_push(&body)).await, 200, "a repetition is taken as well");
        bridge.drain().await;
        assert_eq!(bridge.permission(CITIZEN, "MESAJ").await["permissions"][0]["status"], "RET");

        let of_brand = filed(&bridge).await;
        assert_eq!(of_brand.last(), Some(&movement("MESAJ", "RET", "HS_MESAJ")), "{of_brand:?}");
        assert_eq!(of_brand.iter().filter(|it| it.1 == "RET").count(), 1, "{of_brand:?}");
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!((&list[0]["text"], &list[0]["reason"], &list[0]["channels"]), (&json!("ıptl et lütfen"), &json!("verb"), &json!(["MESAJ"])));
        assert_eq!(list[0]["sender"], CITIZEN, "the key may read addresses");
        let (_, masked) = bridge.get_as(&bridge.admin, &format!("/v1/brands/{}/inbound?state=rejection", bridge.brand())).await;
        assert!(!masked.to_string().contains("1234567"), "{masked}");
        let consent = bridge.state(list[0]["consents"][0].as_str().unwrap()).await;
        assert_eq!(consent["state"], "registered", "{consent}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// An exact approval on the right keyword is filed; anything less waits for a person, who cannot make it one.
    async fn an_approval_is_exact_or_waits(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
        let url = connect(&bridge, json!({"vendor": "http"})).await;
        let sent = async |id: &str, text: &str| {
            let body = json!({"id": id, "from": "0532 123 45 67", "to": "4609", "text": text}).to_string();
            assert_eq!(push(&url, &json_push(&body)).await, 200);
            bridge.drain().await;
        };
        sent("1", "ABC ONAY?").await;
        sent("2", "abc onay ama sadece indirim").await;
        assert_eq!(messages(&bridge, bridge.brand(), "approval").await.len(), 0);
        let unknown = messages(&bridge, bridge.brand(), "unknown").await;
        assert_eq!(unknown.len(), 2, "{unknown:?}");
        sent("3", "Abc  onay").await;
        assert_eq!(filed(&bridge).await, [movement("MESAJ", "ONAY", "HS_MESAJ")]);

        let at = |message: &Value| format!("/v1/brands/{}/inbound/{}/decision", bridge.brand(), message["id"].as_str().unwrap());
        let (status, problem) = bridge.post(&at(&unknown[0]), json!({"decision": "approval"})).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("decision")), "{problem}");
        let (status, dismissed) = bridge.post(&at(&unknown[0]), json!({"decision": "dismissal"})).await;
        assert_eq!((status, &dismissed["state"]), (200, &json!("dismissed")), "{dismissed}");
        assert_eq!(bridge.post(&at(&unknown[0]), json!({"decision": "rejection"})).await.0, 409);
        bridge.advance("5s").await;
        sent("4", "yeter artık bıktım abc").await;
        let last = messages(&bridge, bridge.brand(), "unknown").await.pop().unwrap();
        let (status, rejected) = bridge.post(&at(&last), json!({"decision": "rejection"})).await;
        assert_eq!((status, &rejected["state"], &rejected["answered"]), (200, &json!("rejected"), &json!(true)), "{rejected}");
        bridge.drain().await;
        let file = std::fs::read_to_string(bridge.database().folder().join("messages.jsonl")).unwrap();
        let told = file.lines().filter(|line| line.contains("SMS almama isteğiniz kaydedildi")).count();
        assert_eq!(told, 1, "as the engine's own rejections are answered: {file}");
        assert_eq!(filed(&bridge).await.last(), Some(&movement("MESAJ", "RET", "HS_MESAJ")));
    }
}

on_both_databases! {
    /// The token is looked at before the body, and Twilio's signature before anything is kept.
    async fn what_is_not_proved_is_not_kept(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "+15017122661"})).await;
        let verimor = connect(&bridge, json!({"vendor": "verimor"})).await;
        let body = json_push(r#"[{"message_id": 1, "source_addr": "905321234567", "destination_addr": "4609", "content": "RET"}]"#);
        assert_eq!(push(&format!("{verimor}x"), &body).await, 404);
        assert_eq!(push(&verimor.replace("verimor", "netgsm"), &body).await, 404, "another vendor's token");
        let wrong = format!("{}{}", &verimor[..verimor.len() - 43], "A".repeat(43));
        assert_eq!(push(&wrong, &body).await, 404);
        let long = Push { body: vec![b' '; 64 * 1024 + 1], ..json_push("") };
        assert_eq!(push(&verimor, &long).await, 413);

        assert_eq!(bridge.post_as(&bridge.admin, "/v1/inbound-connections", json!({"vendor": "twilio"})).await.0, 422, "no secret");
        let twilio = connect(&bridge, json!({"vendor": "twilio", "signingSecret": "twilio-auth-token"})).await;
        let form = "MessageSid=SM1&AccountSid=AC1&From=%2B905321234567&To=%2B15017122661&Body=%C4%B0ptal&NumMedia=0&SmsStatus=received";
        // URL, then every field by name, name and value one after the other.
        let signed = format!("{twilio}AccountSidAC1Bodyİptal{}", "From+905321234567MessageSidSM1NumMedia0SmsStatusreceivedTo+15017122661");
        let right = twilio_signature("twilio-auth-token", &signed);
        let with = |signature: Option<String>| Push {
            content_type: "application/x-www-form-urlencoded",
            headers: signature.map(|signature| ("x-twilio-signature", signature)).into_iter().collect(),
            query: "",
            body: form.as_bytes().to_vec(),
        };
        assert_eq!(push(&twilio, &with(None)).await, 401);
        assert_eq!(push(&twilio, &with(Some(twilio_signature("guess", &signed)))).await, 401);
        bridge.drain().await;
        assert_eq!(messages(&bridge, bridge.brand(), "rejection").await.len(), 0);
        assert_eq!(push(&twilio, &with(Some(right))).await, 200);
        bridge.drain().await;
        assert_eq!(messages(&bridge, bridge.brand(), "rejection").await.len(), 1);
    }
}

/// HMAC-SHA1 in base64, by Twilio's description of it and none of our code.
pub fn twilio_signature(token: &str, text: &str) -> String {
    use base64::Engine as _;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(aws_lc_rs::hmac::sign(&key, text.as_bytes()))
}

on_both_databases! {
    /// Netgsm and iletiMerkezi push what they please: common names are read, in Windows-1254 too, and a text without an id is known
    /// again by its minute.
    async fn other_vendors_push_in_their_own_words(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "0850 123 45 67"})).await;
        approved(&bridge).await;
        let at = bridge.app.clocks.business();
        let netgsm = connect(&bridge, json!({"vendor": "netgsm"})).await;
        let date = kopru_domain::time::local(at).format("%d.%m.%Y %H:%M:%S").to_string().replace(' ', "+");
        // İPTAL in Windows-1254
        let body = format!("ceptel=5321234567&aboneno=8501234567&mesaj=%DDPTAL&tarih={date}").into_bytes();
        let form = Push { content_type: "application/x-www-form-urlencoded", headers: Vec::new(), query: "", body };
        for _ in 0..2 {
            assert_eq!(push(&netgsm, &form).await, 200);
        }
        let merkezi = connect(&bridge, json!({"vendor": "iletimerkezi"})).await;
        let body = json!({"id": 7, "sender": "905321234567", "receiver": "908501234567", "text": "beni aramayın"}).to_string();
        assert_eq!(push(&merkezi, &json_push(&body)).await, 200);
        bridge.drain().await;
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        let seen: Vec<_> = list.iter().map(|it| (it["text"].clone(), it["channels"].clone())).collect();
        assert_eq!(seen, [(json!("İPTAL"), json!(["MESAJ"])), (json!("beni aramayın"), json!(["ARAMA"]))], "{list:?}");
        let of_brand = filed(&bridge).await;
        for kind in ["MESAJ", "ARAMA"] {
            assert!(of_brand.contains(&movement(kind, "RET", "HS_MESAJ")), "{of_brand:?}");
        }
    }
}

on_both_databases! {
    /// Some vendors push by GET, with everything in the query: a plus, spaces, Windows-1254, and Twilio's signature over the whole address.
    async fn a_push_by_get_is_one(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "0850 123 45 67"})).await;
        approved(&bridge).await;
        let get = async |url: String, signature: Option<String>| {
            let mut request = reqwest::Client::builder().build().unwrap().get(url);
            if let Some(signature) = signature {
                request = request.header("x-twilio-signature", signature);
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let at = kopru_domain::time::local(bridge.app.clocks.business()).format("%d.%m.%Y%%20%H:%M:%S").to_string();
        let netgsm = connect(&bridge, json!({"vendor": "netgsm"})).await;
        // İPTAL in Windows-1254, and a plus that stands for itself
        let query = format!("ceptel=+905321234567&aboneno=908501234567&mesaj=%DDPTAL%20et&tarih={at}");
        for _ in 0..2 {
            assert_eq!(get(format!("{netgsm}?{query}"), None).await, (200, "OK".to_owned()));
        }
        let http = connect(&bridge, json!({"vendor": "http"})).await;
        let query = "id=7&from=%2B905321234567&to=08501234567&text=beni%20aramay%C4%B1n";
        assert_eq!(get(format!("{http}?{query}"), None).await.0, 200);
        let twilio = connect(&bridge, json!({"vendor": "twilio", "signingSecret": "x"})).await;
        let called = format!("{twilio}?MessageSid=SM9&From=%2B905321234567&To=%2B908501234567&Body=ret&SmsStatus=received");
        assert_eq!(get(called.clone(), None).await.0, 401);
        let signature = twilio_signature("x", &called);
        assert_eq!(get(format!("{called}&Body=onay"), Some(signature.clone())).await.0, 401, "another address");
        let (status, answer) = get(called, Some(signature)).await;
        assert_eq!((status, answer.contains("<Response/>")), (200, true), "{answer}");
        bridge.drain().await;
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        let mut texts: Vec<_> = list.iter().map(|it| it["text"].as_str().unwrap()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["beni aramayın", "ret", "İPTAL et"], "{list:?}");

        // A look at the address is none of a message.
        assert_eq!(get(http.clone(), None).await.0, 200);
        let head = reqwest::Client::builder().build().unwrap().head(format!("{http}?{query}")).send().await.unwrap();
        assert_eq!(head.status(), 200);
        bridge.drain().await;
        let (_, findings) = kopru(&bridge, &["doctor"]);
        let waits = findings.iter().any(|it| it["check"] == "inbound" && it["status"] != "ok");
        assert!(!waits, "{findings:?}");
    }
}

on_both_databases! {
    /// A RET for e-mail is filed where the text holds an address that the brand knows, and answered once; else a person looks.
    async fn an_email_is_refused_by_sms_where_its_address_is_known(database: Database) {
        let bridge = Bridge::start(database).await;
        keyword(&bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
        let url = connect(&bridge, json!({"vendor": "http"})).await;
        let at = bridge.app.clocks.business() - chrono::TimeDelta::minutes(9);
        bridge.consent(consent("ayse@example.com", "EPOSTA", "ONAY", at)).await;
        bridge.drain().await;
        bridge.advance("5s").await;
        let sent = async |id: &str, text: &str| {
            let body = json!({"id": id, "from": "0532 123 45 67", "to": "4609", "text": text}).to_string();
            assert_eq!(push(&url, &json_push(&body)).await, 200);
            bridge.drain().await;
        };
        sent("1", "abc eposta ret").await;
        sent("2", "abc eposta ret baskasi@example.com").await;
        let waiting = messages(&bridge, bridge.brand(), "unknown").await;
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        assert!(waiting.iter().all(|it| it["reason"] == "no_email_address" && it["consents"] == json!([])), "{waiting:?}");
        for _ in 0..2 {
            sent("3", "ABC e-posta RET Ayse@Example.com lütfen").await;
        }
        let of_brand = filed(&bridge).await;
        assert_eq!(of_brand, [movement("EPOSTA", "ONAY", "HS_WEB"), movement("EPOSTA", "RET", "HS_MESAJ")]);
        assert_eq!(bridge.permission("ayse@example.com", "EPOSTA").await["permissions"][0]["status"], "RET");
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        assert_eq!((list.len(), &list[0]["channels"], &list[0]["answered"]), (1, &json!(["EPOSTA"]), &json!(true)), "{list:?}");
        let file = std::fs::read_to_string(bridge.database().folder().join("messages.jsonl")).unwrap();
        let told = file.lines().filter(|line| line.contains("e-posta almama isteğiniz kaydedildi")).count();
        assert_eq!(told, 1, "{file}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// On a shared number a keyword says whose a message is; without one a RET counts for all, and what nobody understands is shown
    /// to nobody who does not know its sender.
    async fn a_shared_number_keeps_its_brands_apart(database: Database) {
        let bridge = Bridge::start(database).await;
        let second = bridge.registry.second_brand().await;
        let body = json!({"iysCode": bridge.registry.seed.iys_code, "brandCode": second, "name": "İkinci"});
        assert_eq!(bridge.post_as(&bridge.admin, "/v1/brands", body).await.0, 201);
        keyword(&bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
        keyword(&bridge, second, json!({"number": "4609", "keyword": "MODA"})).await;
        let url = connect(&bridge, json!({"vendor": "http"})).await;
        let sent = async |id: &str, from: &str, text: &str| {
            let body = json!({"id": id, "from": from, "to": "4609", "text": text}).to_string();
            assert_eq!(push(&url, &json_push(&body)).await, 200);
            bridge.drain().await;
        };
        sent("1", "905321234501", "moda ret").await;
        assert_eq!((messages(&bridge, bridge.brand(), "rejection").await.len(), messages(&bridge, second, "rejection").await.len()), (0, 1));
        sent("2", "905321234502", "RET HEPSI").await;
        for brand in [bridge.brand(), second] {
            let last = messages(&bridge, brand, "rejection").await.pop().unwrap();
            assert_eq!(last["channels"], json!(["ARAMA", "MESAJ"]), "{last}");
        }
        sent("3", "905321234503", "siz kimsiniz").await;
        assert_eq!((messages(&bridge, bridge.brand(), "unknown").await.len(), messages(&bridge, second, "unknown").await.len()), (0, 0));
        let at = bridge.app.clocks.business() - chrono::TimeDelta::minutes(9);
        bridge.consent(consent("+905321234504", "MESAJ", "ONAY", at)).await;
        bridge.drain().await;
        sent("4", "905321234504", "siz kimsiniz").await;
        assert_eq!((messages(&bridge, bridge.brand(), "unknown").await.len(), messages(&bridge, second, "unknown").await.len()), (1, 0));
    }
}

on_both_databases! {
    /// What came for a number that nobody has is kept, and read once somebody has it. Long messages are put together.
    async fn nothing_is_lost_for_a_number_that_is_not_set_up(database: Database) {
        let bridge = Bridge::start(database).await;
        let url = connect(&bridge, json!({"vendor": "http"})).await;
        let part = |number: u32, text: &str| {
            json!({"id": format!("p{number}"), "from": "905321234567", "to": "4609", "text": text,
                "part_reference": "77", "part_number": number, "part_total": 2}).to_string()
        };
        assert_eq!(push(&url, &json_push(&part(2, "tmek istiyorum artık"))).await, 200);
        bridge.drain().await;
        assert_eq!(push(&url, &json_push(&part(1, "üyeliğimi ipt?l e"))).await, 200);
        bridge.drain_for(4, "1m").await;
        assert_eq!(messages(&bridge, bridge.brand(), "rejection").await.len(), 0);
        assert_eq!(push(&url, &json_push("[{")).await, 200);
        bridge.drain().await;
        let (_, findings) = kopru(&bridge, &["doctor"]);
        let told = |what: &str| findings.iter().any(|it| it["check"] == "inbound" && it["message"].as_str().unwrap().contains(what));
        assert!(told("http: 2 SMS came for a number") && told("http: 1 pushes cannot be read"), "{findings:?}");
        keyword(&bridge, bridge.brand(), json!({"number": "4609"})).await;
        bridge.drain_for(4, "1m").await;
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(list[0]["text"], "üyeliğimi ipt?l etmek istiyorum artık");
    }
}
