//! Opt-ins, reject links and verifications from beginning to end, with the citizen at the other side.

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use crate::openssl;
use crate::world::{BRAND, PHONE, Reply, World, send};

const VIA: &str = "/via/sps/600100";
const EMAIL: &str = "ayse@ornek.com";

/// A provider with the opt-in service.
async fn world() -> World {
    let world = World::start().await;
    // Some of these processes take days.
    world.settings(json!({"perSecondLimit": null, "accessTokenSeconds": 1_000_000_000})).await;
    let etk = json!(["MESAJ", "ARAMA", "EPOSTA"]);
    let kvk = json!(["AYDINLATMA_METNI", "ACIK_RIZA_METNI"]);
    let form = |id: i64, kind: &str| json!({"formId": id, "kind": kind, "titles": {"ETK": etk, "KVK": kvk}});
    world
        .control(
            "POST",
            "/providers",
            json!({
                "iysCode": 600_100, "via": {"credit": 10}, "viaPass": {},
                "authorisations": [{"integratorCode": 900_001, "brandCode": 600_100, "viaControl": true}],
                "forms": [form(1, "OTP"), form(2, "SHORTURL"), form(3, "APPROVALURL")],
                "templates": [{"templateId": "T3", "method": "SMS_SHORT_URL"}],
            }),
        )
        .await;
    world
}

async fn start(world: &World, form: i64, method: &str, recipient: &str, types: Value) -> String {
    let body = json!({
        "formId": form.to_string(), "recipient": recipient, "verificationType": method,
        "consentTypes": [
            {"title": "ETK", "brandCodes": [600_100], "types": types, "recipientType": "BIREYSEL"},
            {"title": "KVK", "types": ["ACIK_RIZA_METNI"],
             "personData": {"name": "Ayşe Örnek", "recipientIdNumber": "11111111111"}},
        ],
    });
    let reply = world.partner("POST", &format!("{VIA}/consent"), Some(&body)).await;
    assert_eq!((reply.status, &reply.body["code"]), (200, &json!("OK")), "{reply:?}");
    reply.body["message"]["requestId"].as_str().unwrap().to_owned()
}

/// The last letter to a recipient.
async fn letter(world: &World, recipient: &str) -> Value {
    let path = format!("/outbox?recipient={}", recipient.replace('+', "%2B"));
    let mut list = world.control("GET", &path, Value::Null).await;
    list["list"].as_array_mut().unwrap().pop().unwrap()
}

async fn confirm(world: &World, request_id: &str, codes: &[(&str, &Value)]) -> Reply {
    let entries: Vec<Value> =
        codes.iter().map(|(title, code)| json!({"title": title, "otpCode": code})).collect();
    let body = json!({"requestId": request_id, "verificationType": "SMS_OTP", "consentTypes": entries});
    world.partner("POST", &format!("{VIA}/confirmation"), Some(&body)).await
}

/// Stage and status, and which things were approved.
async fn status(world: &World, request_id: &str) -> (String, Vec<bool>) {
    let reply = world.partner("GET", &format!("{VIA}/consent/request/{request_id}"), None).await;
    let message = &reply.body["message"];
    let last = &message["lastStatus"];
    let details = message["requestDetails"].as_array().unwrap_or_else(|| panic!("{reply:?}"));
    let granted = details.iter().map(|detail| detail["operationStatusMessage"] == "Onay verildi").collect();
    (format!("{} {}", last["stage"].as_str().unwrap(), last["status"].as_str().unwrap()), granted)
}

async fn records(world: &World, recipient: &str) -> Vec<Value> {
    let path = format!("/consents?brandCode=600100&recipient={}", recipient.replace('+', "%2B"));
    world.control("GET", &path, Value::Null).await["list"].as_array().unwrap().clone()
}

async fn credit(world: &World) -> Value {
    world.control("GET", "/providers", Value::Null).await["list"][0]["via"]["credit"].clone()
}

/// What the citizen sees behind a link, or gets for a decision.
async fn visit(world: &World, link: &Value, form: Option<&str>) -> Reply {
    let link = link.as_str().unwrap();
    assert!(link.starts_with(&world.base), "{link}");
    match form {
        None => send(world.client.get(link)).await,
        Some(form) => send(world.client.post(link).body(form.to_owned())).await,
    }
}

#[tokio::test]
async fn codes_record_what_they_approve_and_tell_it_everywhere() {
    let world = world().await;
    let request_id = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ", "ARAMA"])).await;
    let sent = letter(&world, PHONE).await;
    assert_eq!(sent["channel"], "SMS");
    let (etk, kvk) = (&sent["codes"]["ETK"], &sent["codes"]["KVK"]);
    for code in [etk, kvk] {
        assert!(sent["text"].as_str().unwrap().contains(code.as_str().unwrap()), "{sent}");
    }
    assert_eq!(status(&world, &request_id).await, ("CONSENT_REQUESTED PENDING".to_owned(), vec![false; 3]));
    let wrong = confirm(&world, &request_id, &[("ETK", etk), ("KVK", &json!("x"))]).await;
    assert_eq!(wrong.codes(), ["H1052"]);
    assert_eq!(status(&world, &request_id).await.0, "CONSENT_REQUESTED OTP_CODE_INCORRECT");
    assert_eq!(records(&world, PHONE).await, [] as [Value; 0], "a wrong code records nothing");

    let done = confirm(&world, &request_id, &[("KVK", kvk), ("ETK", etk)]).await;
    let types: Vec<&str> =
        done.body["message"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["MESAJ", "ARAMA", "ACIK_RIZA_METNI"]);
    assert_eq!(done.body["message"][0]["brandCode"], "600100");
    assert!(done.body["message"][2].get("brandCode").is_none());
    let records = records(&world, PHONE).await;
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!((&record["status"], &record["source"]), (&json!("ONAY"), &json!("IYS_KISAMESAJ")));
        assert_eq!(record["history"][0]["side"], "IYS");
    }
    assert_eq!(status(&world, &request_id).await, ("COMPLETED SUCCESS".to_owned(), vec![true; 3]));
    assert!(letter(&world, PHONE).await["text"].as_str().unwrap().contains("kaydedildi"));
    assert_eq!(credit(&world).await, 9);

    let kvk = world.partner("GET", &format!("{VIA}/consent/{request_id}"), None).await.body;
    assert_eq!(kvk["message"].as_array().unwrap().len(), 1);
    let kvk = &kvk["message"][0];
    assert_eq!((&kvk["type"], &kvk["recipientName"]), (&json!("ACIK_RIZA_METNI"), &json!("Ayşe Örnek")));
    assert!(kvk["consentDate"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000_000);
    let question = json!({"type": "ACIK_RIZA_METNI", "recipient": PHONE});
    let list = world.partner("POST", &format!("{VIA}/consent/status"), Some(&question)).await.body;
    assert_eq!(list["message"], json!([request_id]));
    let question = json!({"type": "AYDINLATMA_METNI", "recipient": PHONE});
    let list = world.partner("POST", &format!("{VIA}/consent/status"), Some(&question)).await.body;
    assert_eq!(list["message"], json!([]));
}

#[tokio::test]
async fn titles_may_be_confirmed_one_by_one() {
    let world = world().await;
    let request_id = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ"])).await;
    let codes = letter(&world, PHONE).await["codes"].clone();
    assert_eq!(confirm(&world, &request_id, &[("ETK", &codes["ETK"])]).await.status, 200);
    assert_eq!(
        status(&world, &request_id).await,
        ("CONSENT_REQUESTED PENDING".to_owned(), vec![true, false])
    );
    assert_eq!(credit(&world).await, 10);
    assert_eq!(confirm(&world, &request_id, &[("KVK", &codes["KVK"])]).await.status, 200);
    assert_eq!(status(&world, &request_id).await, ("COMPLETED SUCCESS".to_owned(), vec![true; 2]));
    assert_eq!(credit(&world).await, 9);
    assert_eq!(confirm(&world, &request_id, &[("KVK", &codes["KVK"])]).await.codes(), ["H1032"]);
}

#[tokio::test]
async fn an_approval_that_could_not_be_stored_can_be_tried_again() {
    let world = world().await;
    let request_id = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ"])).await;
    let codes = letter(&world, PHONE).await["codes"].clone();
    let both = [("ETK", &codes["ETK"]), ("KVK", &codes["KVK"])];
    world.settings(json!({"viaStoreFails": true})).await;
    assert_eq!(confirm(&world, &request_id, &both).await.codes(), ["H1059"]);
    assert_eq!(status(&world, &request_id).await.0, "ENQUEUE SYSTEM_FAILURE");
    world.settings(json!({"viaStoreFails": false, "viaStoreSeconds": 60})).await;
    assert_eq!(confirm(&world, &request_id, &both).await.status, 200);
    assert_eq!(status(&world, &request_id).await, ("ENQUEUE PENDING".to_owned(), vec![true; 2]));
    world.advance("61s").await;
    assert_eq!(status(&world, &request_id).await.0, "COMPLETED SUCCESS");
}

#[tokio::test]
async fn behind_a_short_link_the_citizen_ticks_what_he_approves() {
    let world = world().await;
    let request_id = start(&world, 2, "SMS_SHORTURL", PHONE, json!(["MESAJ", "ARAMA"])).await;
    let link = letter(&world, PHONE).await["link"].clone();
    let page = visit(&world, &link, None).await;
    let text = page.body.as_str().unwrap();
    assert!(page.status == 200 && text.contains("kısa mesaj") && !text.contains(" checked"), "{text}");
    assert_eq!(status(&world, &request_id).await.0, "REQUEST_OPENED PENDING");
    assert_eq!(records(&world, PHONE).await, [] as [Value; 0], "looking does nothing");
    assert_eq!(visit(&world, &link, Some("karar=onay")).await.status, 422, "nothing is ticked");
    assert_eq!(visit(&world, &link, Some("kalem=1")).await.status, 422, "nothing is decided");
    assert_eq!(visit(&world, &link, Some("karar=onay&kalem=1&kalem=2&kalem=7")).await.status, 200);
    assert_eq!(status(&world, &request_id).await, ("COMPLETED SUCCESS".to_owned(), vec![false, true, true]));
    let records = records(&world, PHONE).await;
    assert_eq!((records.len(), &records[0]["type"]), (1, &json!("ARAMA")));
    assert_eq!(visit(&world, &link, Some("karar=ret")).await.status, 409);
    assert_eq!(visit(&world, &json!(format!("{}/v/abc", world.base)), None).await.status, 404);
}

#[tokio::test]
async fn an_approval_link_approves_everything_and_a_refusal_changes_no_record() {
    let world = world().await;
    let mut consent = world.consent_by_email(EMAIL).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    let refused = start(&world, 3, "EPOSTA_APPROVALURL", "Ayse@Ornek.com", json!(["EPOSTA"])).await;
    let link = letter(&world, EMAIL).await["link"].clone();
    assert_eq!(visit(&world, &link, Some("karar=ret")).await.status, 200);
    assert_eq!(status(&world, &refused).await, ("COMPLETED SUCCESS".to_owned(), vec![false, false]));
    assert_eq!(records(&world, EMAIL).await[0]["source"], "HS_WEB");
    assert_eq!(credit(&world).await, 9, "a refusal is an operation too");

    let approved = start(&world, 3, "EPOSTA_APPROVALURL", EMAIL, json!(["EPOSTA"])).await;
    let link = letter(&world, EMAIL).await["link"].clone();
    assert_eq!(visit(&world, &link, None).await.status, 200);
    assert_eq!(status(&world, &approved).await.0, "CONSENT_REQUESTED PENDING", "looking is not told here");
    assert_eq!(visit(&world, &link, Some("karar=onay")).await.status, 200);
    assert_eq!(status(&world, &approved).await, ("COMPLETED SUCCESS".to_owned(), vec![true, true]));
    assert_eq!(records(&world, EMAIL).await[0]["source"], "IYS_EPOSTA");
    consent["consentDate"] = world.ago(3600).await.into();
    let older = world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await;
    assert_eq!(older.codes(), ["H178"], "the approval renewed the date");
}

#[tokio::test]
async fn what_is_not_answered_in_time_ends() {
    let world = world().await;
    let code = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ"])).await;
    let closed = start(&world, 2, "SMS_SHORTURL", PHONE, json!(["MESAJ"])).await;
    let opened = start(&world, 2, "SMS_SHORTURL", "+905551112244", json!(["MESAJ"])).await;
    let link = letter(&world, "+905551112244").await["link"].clone();
    visit(&world, &link, None).await;
    world.advance("4m").await;
    assert_eq!(status(&world, &code).await.0, "COMPLETED OTP_CODE_EXPIRED");
    world.advance("24h").await;
    assert_eq!(status(&world, &closed).await.0, "COMPLETED LINK_CLICK_TIMEOUT");
    assert_eq!(status(&world, &opened).await.0, "COMPLETED SHORT_URL_EXPIRED");
    assert_eq!(visit(&world, &link, Some("karar=onay&kalem=0")).await.status, 410);

    let wrong = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ"])).await;
    for _ in 0..3 {
        assert_eq!(confirm(&world, &wrong, &[("ETK", &json!("x"))]).await.codes(), ["H1052"]);
    }
    assert_eq!(status(&world, &wrong).await.0, "COMPLETED OTP_CODE_INCORRECT");
    world.settings(json!({"viaDeliverySeconds": 30})).await;
    let fresh = start(&world, 1, "SMS_OTP", PHONE, json!(["MESAJ"])).await;
    assert_eq!(status(&world, &fresh).await.0, "SUCCESS START");
    world.settings(json!({"viaDeliveryFails": true})).await;
    let lost = start(&world, 1, "SMS_OTP", "+905551112255", json!(["MESAJ"])).await;
    assert_eq!(status(&world, &lost).await.0, "COMPLETED SMSMAIL_OUT_FAILURE");
    let outbox = world.control("GET", "/outbox?recipient=905551112255", Value::Null).await;
    assert_eq!(outbox["list"], json!([]));
}

#[tokio::test]
async fn a_reject_link_rejects_once_and_for_ninety_days() {
    let world = world().await;
    let consent = world.consent_by_email(EMAIL).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    let recipients = json!({"recipients": [
        {"recipient": "Ayse@Ornek.com", "recipientType": "BIREYSEL"},
        {"recipient": EMAIL, "recipientType": "BIREYSEL"},
        {"recipient": "baska@ornek.com", "recipientType": "BIREYSEL"},
    ]});
    let links = world.partner("POST", &format!("{BRAND}/via-hash-links"), Some(&recipients)).await.body;
    assert_eq!((&links[0]["recipient"], &links[2]["code"]), (&json!(EMAIL), &json!("H568")));
    let (first, second) = (&links[0]["url"], &links[1]["url"]);
    assert!(visit(&world, first, None).await.body.as_str().unwrap().contains(EMAIL));
    assert_eq!(records(&world, EMAIL).await[0]["status"], "ONAY", "looking does nothing");
    assert_eq!(visit(&world, first, Some("")).await.status, 200);
    let record = records(&world, EMAIL).await.remove(0);
    assert_eq!((&record["status"], &record["source"]), (&json!("RET"), &json!("IYS_EPOSTA")));
    assert_eq!(visit(&world, first, Some("")).await.status, 409);
    assert_eq!(visit(&world, second, Some("")).await.status, 200, "there is nothing left to reject");
    assert_eq!(records(&world, EMAIL).await[0]["history"].as_array().unwrap().len(), 2);
    assert_eq!(credit(&world).await, 9);

    let approval = json!({"brandCode": 600_100, "recipient": EMAIL, "type": "EPOSTA", "status": "ONAY", "source": "IYS_WEB"});
    world.control("POST", "/citizen/movements", approval).await;
    let links = world.partner("POST", &format!("{BRAND}/via-hash-links"), Some(&recipients)).await.body;
    world.advance("91d").await;
    assert_eq!(visit(&world, &links[0]["url"], Some("")).await.status, 410);
}

#[tokio::test]
async fn an_address_is_proved_through_a_link() {
    let world = world().await;
    let body = json!({"phoneNumber": PHONE, "templateId": "T3", "vkn": "1234567890"});
    let path = "/otp-management/api/v1/600100/sms/start/short-url";
    let started = world.partner("POST", path, Some(&body)).await.body;
    let link = letter(&world, PHONE).await["link"].clone();
    let short_url = started["data"][0]["shortUrl"].as_str().unwrap();
    assert!(link.as_str().unwrap().ends_with(short_url));
    assert_eq!(visit(&world, &link, None).await.status, 200);
    assert_eq!(visit(&world, &link, Some("")).await.status, 200);
    assert_eq!(visit(&world, &link, Some("")).await.status, 409);
    let question = json!({"requestId": started["data"][0]["requestId"]});
    let path = "/otp-management/api/v1/request-history";
    let history = world.partner("POST", path, Some(&question)).await.body;
    assert_eq!(history["content"][1]["status"], "SUCCESS");
    let subscription = world.partner("GET", "/otp-management/api/v1/subscription/600100", None).await.body;
    assert_eq!(subscription["data"][0]["viaCredit"], 999);
}

#[tokio::test]
async fn packages_stand_in_the_subscription_and_their_credit_is_the_providers() {
    let world = world().await;
    let seen = world.call("provider", "GET", "/sps/600100/subscription", None).await.body;
    assert_eq!(seen["viaSubscriptionPackage"]["viaCredit"], 10);
    assert_eq!(seen["viaPassSubscriptionPackage"]["viaPassCredit"], 1000);
    let seen = world.partner("GET", "/sps/600100/subscription", None).await.body;
    assert_eq!(seen["viaSubscriptionPackage"]["status"], "ACTIVE");
    assert!(seen["viaSubscriptionPackage"].get("viaCredit").is_none());
}

#[tokio::test]
async fn opt_in_settings_of_a_provider_are_checked() {
    let world = world().await;
    world
        .control(
            "POST",
            "/providers",
            json!({"iysCode": 600_200, "brands": [{"brandCode": 600_200, "shortNames": ["Şık"]}]}),
        )
        .await;
    for wrong in [
        json!({"via": {"status": "OVER"}}),
        json!({"forms": [{"formId": 5, "kind": "LINK", "titles": {}}]}),
        json!({"iysCode": 600_200, "forms": [{"formId": 1, "kind": "OTP", "titles": {}}]}),
        json!({"templates": [{"templateId": "T9", "method": "FAX"}]}),
        json!({"iysCode": 600_200, "templates": [{"templateId": "T3", "method": "SMS_OTP"}]}),
        json!({"iysCode": 600_100, "brands": [{"brandCode": 600_100, "shortNames": ["SIK"]}]}),
        json!({"iysCode": 600_100, "brands": [{"brandCode": 600_100, "shortNames": ["A", "B", "C", "D"]}]}),
        json!({"iysCode": 600_100, "brands": [{"brandCode": 600_100, "shortNames": ["12"]}]}),
    ] {
        let reply = send(world.request("POST", "/_sandbox/providers").json(&wrong)).await;
        assert_eq!(reply.status, 422, "{wrong}");
    }
    let list = world.control("GET", "/providers", Value::Null).await;
    assert_eq!(list["list"][1]["brands"][0]["shortNames"], json!(["SIK"]));
    assert_eq!(list["list"][0]["forms"].as_array().unwrap().len(), 3);
}

/// The files of an evidence pack.
async fn evidence(world: &World, path: &str) -> [Vec<u8>; 2] {
    let request = world.request("GET", path).bearer_auth(world.token("partner").await);
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/zip".parse().unwrap())
    );
    let mut zip = zip::ZipArchive::new(Cursor::new(response.bytes().await.unwrap())).unwrap();
    ["report.pdf", "result.tsr"].map(|name| {
        let mut content = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut content).unwrap();
        content
    })
}

/// Whether a plain text stands in a PDF. Lines with Turkish letters are written in hexadecimal there.
fn says(report: &[u8], text: &str) -> bool {
    let report = String::from_utf8_lossy(report);
    report.contains(text) || report.to_lowercase().contains(&hex::encode(text))
}

#[tokio::test]
async fn evidence_is_made_once_and_stamped() {
    let world = world().await;
    let request_id = start(&world, 2, "SMS_SHORTURL", PHONE, json!(["MESAJ"])).await;
    let link = letter(&world, PHONE).await["link"].clone();
    visit(&world, &link, Some("karar=onay&kalem=0")).await;
    let path = format!("{VIA}/via/clarification/{request_id}/file");
    let [report, stamp] = evidence(&world, &path).await;
    assert!(report.starts_with(b"%PDF-"));
    for part in
        [&request_id, PHONE, "MESAJ, Demo (600100): ONAY", "onay verilmedi", "127.0.0.1", "11111111111"]
    {
        assert!(says(&report, part), "{part}: {}", String::from_utf8_lossy(&report));
    }
    assert!(!says(&report, "600101"));
    world.advance("2d").await;
    assert_eq!(evidence(&world, &path).await, [report.clone(), stamp.clone()], "made once");
    if openssl::is_here() {
        let authority = send(world.request("GET", "/_sandbox/time-stamp-authority")).await.body;
        let verified = openssl::verify(authority.as_str().unwrap(), &report, &stamp);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }

    let body = json!({"phoneNumber": PHONE, "templateId": "T3", "vkn": "1234567890"});
    let path = "/otp-management/api/v1/600100/sms/start/short-url";
    let started = world.partner("POST", path, Some(&body)).await.body;
    visit(&world, &letter(&world, PHONE).await["link"], Some("")).await;
    let request_id = started["data"][0]["requestId"].as_str().unwrap();
    let path = format!("/otp-management/api/v1/get-clarification-file/600100/{request_id}");
    let [report, _] = evidence(&world, &path).await;
    assert!(says(&report, "1234567890"));
}
