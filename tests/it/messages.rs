//! Outgoing messages: sent once whoever dies, tried again while a vendor is down, and the notice of an electronic consent on its day.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use kopru::service::messages::{self, Content, MessageChannel, NewMessage, Purpose, sending};
use kopru_domain::time::{format_rfc3339, instant, local};
use kopru_domain::{BrandCode, Channel, IysCode, Recipient};
use kopru_store::{Claim, Priority};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, background, consent, kopru};

/// An SMS vendor that speaks as Verimor does, word for word: campaigns by the sender's own reference.
#[derive(Clone, Default)]
struct Vendor(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Texts by reference, in order of their coming.
    taken: Vec<(String, String)>,
    /// What the next requests are answered instead.
    faults: Vec<Fault>,
    calls: BTreeMap<String, u32>,
}

#[derive(Clone, Copy)]
enum Fault {
    /// Takes it and says nothing for longer than anybody waits.
    Silent,
    Says(u16, &'static str),
}

impl Vendor {
    async fn start() -> (Self, String) {
        let vendor = Self::default();
        let app = axum::Router::new().fallback(answer).with_state(vendor.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        background(async move { axum::serve(listener, app).await.unwrap() });
        (vendor, url)
    }

    fn fails(&self, faults: &[Fault]) {
        self.0.lock().unwrap().faults = faults.iter().rev().copied().collect();
    }

    fn taken(&self) -> Vec<String> {
        self.0.lock().unwrap().taken.iter().map(|(_, text)| text.clone()).collect()
    }

    fn calls(&self, path: &str) -> u32 {
        self.0.lock().unwrap().calls.get(path).copied().unwrap_or_default()
    }
}

async fn answer(State(vendor): State<Vendor>, request: Request) -> (StatusCode, String) {
    let (path, query) =
        (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let fault = {
        let mut known = vendor.0.lock().unwrap();
        *known.calls.entry(path.clone()).or_default() += 1;
        let fault = known.faults.pop();
        if let Some(Fault::Says(status, word)) = fault {
            return (StatusCode::from_u16(status).unwrap(), word.to_owned());
        }
        if path == "/v2/status" {
            let wanted = query.split('&').find_map(|pair| pair.strip_prefix("custom_id=")).unwrap();
            let found = known.taken.iter().any(|(reference, _)| reference == wanted);
            let campaign = format!(
                r#"[{{"campaign_id": 20212, "campaign_custom_id": "{wanted}", "status": "SENDING"}}]"#
            );
            let missing = (StatusCode::NOT_FOUND, "Bu idye sahip kampanya bulunamadı".to_owned());
            return if found { (StatusCode::OK, campaign) } else { missing };
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = &body["messages"][0];
        let of = |value: &Value| value.as_str().unwrap().to_owned();
        known.taken.push((of(&body["custom_id"]), of(&message["msg"])));
        fault
    };
    if fault.is_some() {
        std::future::pending::<()>().await;
    }
    (StatusCode::OK, "20212".to_owned())
}

/// A bridge whose SMS go to the stand-in.
async fn bridge(database: Database) -> (Bridge, Vendor) {
    let (vendor, url) = Vendor::start().await;
    let options = Options { sms_url: Some(url), ..Options::default() };
    (Bridge::with(database, Registry::start().await, options).await, vendor)
}

fn new(bridge: &Bridge, purpose: Purpose, dedupe: &str, text: &str) -> NewMessage {
    let seed = &bridge.registry.seed;
    NewMessage {
        provider: IysCode(seed.iys_code),
        brand: BrandCode(seed.brand_code),
        channel: MessageChannel::Sms,
        recipient: Recipient::parse("+905319876543", Channel::Message).unwrap(),
        purpose,
        content: Content::sms(text),
        dedupe: dedupe.to_owned(),
        not_after: (purpose == Purpose::Code).then(|| bridge.app.clocks.business() + TimeDelta::minutes(3)),
    }
}

async fn enqueue(bridge: &Bridge, new: NewMessage) -> (Uuid, bool) {
    let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
    let queued = messages::enqueue(&mut tx, &bridge.app, new).await.unwrap();
    tx.commit().await.unwrap();
    queued
}

/// A process claims what is due and dies: its lease is over already.
async fn claim_and_die(bridge: &Bridge, codes: bool) {
    let claim = Claim { by: Uuid::new_v4(), until: bridge.app.clocks.wire() - TimeDelta::seconds(1) };
    assert!(sending::claim(&bridge.app, codes, claim).await.unwrap().is_some());
}

async fn list(bridge: &Bridge) -> Vec<Value> {
    let (status, page) = bridge.get(&format!("/v1/brands/{}/messages", bridge.brand())).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

async fn the_one(bridge: &Bridge) -> Value {
    let mut list = list(bridge).await;
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

async fn body_is_kept(bridge: &Bridge, id: Uuid) -> bool {
    let mut tx = bridge.app.db.read().await.unwrap();
    let provider = IysCode(bridge.registry.seed.iys_code);
    kopru_store::messages::find(&mut tx, provider, id).await.unwrap().unwrap().body.is_some()
}

fn sender(notices: bool) -> Value {
    json!({"title": "Örnek A.Ş.", "identity": "0123456789012345", "smsFrom": "ORNEK", "retNumber": "4609",
        "retKeyword": "ORNEK", "contact": "ret@example.com", "mailFrom": "Örnek A.Ş. <onay@example.com>",
        "notices": notices})
}

async fn set_sender(bridge: &Bridge, body: Value) {
    let path = format!("/v1/brands/{}/sender", bridge.brand());
    let (status, answer) = bridge.put_as(&bridge.admin, &path, body).await;
    assert_eq!(status, 200, "{answer}");
}

/// Moves on to the next time that it is so late in Turkey.
async fn wait_until(bridge: &Bridge, hour: u32, minute: u32) -> DateTime<Utc> {
    let now = bridge.app.clocks.business();
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let mut then = instant(local(now).date(), time);
    if then <= now {
        then += TimeDelta::days(1);
    }
    bridge.registry.post("clock", json!({"set": format_rfc3339(then)})).await;
    bridge.follow_clock();
    then
}

/// Where a text says that one may refuse.
fn refusal_link(text: &str) -> String {
    let start = text.find("http").unwrap();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

/// The lines of the file that stands for vendors in a trial.
fn written(bridge: &Bridge) -> Vec<Value> {
    let text = std::fs::read_to_string(bridge.database().folder().join("messages.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

on_both_databases! {
    async fn a_message_goes_out_once_whoever_dies(database: Database) {
        let (bridge, vendor) = bridge(database).await;
        let (id, queued) = enqueue(&bridge, new(&bridge, Purpose::Code, "otp:1", "Kod: 1")).await;
        assert!(queued);
        assert_eq!(enqueue(&bridge, new(&bridge, Purpose::Code, "otp:1", "Kod: 2")).await, (id, false));
        // Dies before it sends: the vendor, asked, has nothing.
        claim_and_die(&bridge, true).await;
        bridge.drain().await;
        assert_eq!((vendor.taken(), vendor.calls("/v2/status")), (vec!["Kod: 1".to_owned()], 1));
        let message = the_one(&bridge).await;
        assert_eq!((&message["state"], &message["vendor"], &message["vendorId"]), (&json!("sent"), &json!("verimor"), &json!("20212")), "{message}");
        assert_eq!((&message["recipient"], &message["attempts"]), (&json!("+90 531 *** ** 43"), &json!(2)));
        assert!(!body_is_kept(&bridge, id).await);

        // The vendor takes it and is not heard: asked, it has it.
        vendor.fails(&[Fault::Silent]);
        let (id, _) = enqueue(&bridge, new(&bridge, Purpose::Code, "otp:2", "Kod: 3")).await;
        bridge.drain().await;
        assert_eq!(list(&bridge).await[0]["state"], "queued");
        assert!(body_is_kept(&bridge, id).await);
        bridge.advance("11s").await;
        bridge.drain().await;
        assert_eq!(vendor.taken(), ["Kod: 1", "Kod: 3"]);
        assert_eq!(list(&bridge).await[0]["state"], "sent");
        let seed = bridge.registry.seed.clone();
        let mut tx = bridge.app.db.read().await.unwrap();
        let to = Recipient::parse("+905319876543", Channel::Message).unwrap();
        let last = messages::last_brand_to(&bridge.app, &mut tx, IysCode(seed.iys_code), &to).await.unwrap();
        assert_eq!(last, Some(BrandCode(seed.brand_code)));
    }
}

on_both_databases! {
    async fn a_code_in_doubt_is_never_sent_again_and_anything_else_is(database: Database) {
        let (bridge, vendor) = bridge(database).await;
        // This one cannot be asked what it has.
        set_sender(&bridge, json!({"title": "Örnek", "identity": "12345678901", "smsAccount": "mute"})).await;
        vendor.fails(&[Fault::Silent, Fault::Silent]);
        let (code, _) = enqueue(&bridge, new(&bridge, Purpose::Code, "otp:1", "Kod: 1")).await;
        enqueue(&bridge, new(&bridge, Purpose::Confirmation, "done:1", "Tamam")).await;
        bridge.drain().await;
        bridge.advance("11s").await;
        bridge.drain().await;
        let texts = vendor.taken();
        assert_eq!(texts.iter().filter(|text| *text == "Kod: 1").count(), 1, "{texts:?}");
        assert_eq!(texts.iter().filter(|text| *text == "Tamam").count(), 2, "{texts:?}");
        let list = list(&bridge).await;
        let state = |purpose: &str| list.iter().find(|it| it["purpose"] == purpose).unwrap()["state"].clone();
        assert_eq!((state("code"), state("confirmation")), (json!("unknown"), json!("sent")), "{list:?}");
        assert!(!body_is_kept(&bridge, code).await);

        // A second doubt is the last: nobody is told a third time.
        vendor.fails(&[Fault::Silent, Fault::Silent]);
        enqueue(&bridge, new(&bridge, Purpose::Confirmation, "done:2", "Belki")).await;
        bridge.drain_for(3, "11s").await;
        bridge.advance("2h").await;
        bridge.drain().await;
        assert_eq!(vendor.taken().iter().filter(|text| *text == "Belki").count(), 2);
        assert_eq!(self::list(&bridge).await[0]["state"], "unknown");
    }
}

on_both_databases! {
    async fn while_the_vendor_is_down_messages_wait(database: Database) {
        let (bridge, vendor) = bridge(database).await;
        vendor.fails(&[Fault::Says(503, ""), Fault::Says(400, "INSUFFICIENT_CREDITS")]);
        enqueue(&bridge, new(&bridge, Purpose::Help, "help:1", "Yardım")).await;
        bridge.drain().await;
        let message = the_one(&bridge).await;
        assert_eq!((&message["state"], &message["code"]), (&json!("queued"), &json!("http_503")), "{message}");
        bridge.advance("6s").await;
        bridge.drain().await;
        let message = the_one(&bridge).await;
        assert_eq!((&message["code"], &message["answer"]), (&json!("INSUFFICIENT_CREDITS"), &json!("400 INSUFFICIENT_CREDITS")), "{message}");
        // The account is left alone: another message does not try it.
        enqueue(&bridge, new(&bridge, Purpose::Help, "help:2", "Bir daha")).await;
        bridge.drain().await;
        assert_eq!(vendor.calls("/v2/send.json"), 2);
        let (_, findings) = kopru(&bridge, &["doctor"]);
        let told = findings.iter().any(|it| it["check"] == "messages" && it["message"].as_str().unwrap().contains("INSUFFICIENT_CREDITS"));
        assert!(told, "{findings:?}");
        bridge.advance("61s").await;
        bridge.drain().await;
        assert_eq!(vendor.taken().len(), 2);
        // Nobody will ever take this one, and it is not tried again.
        vendor.fails(&[Fault::Says(400, "FORBIDDEN_MESSAGE")]);
        enqueue(&bridge, new(&bridge, Purpose::Help, "help:3", "Yasak")).await;
        bridge.drain().await;
        bridge.advance("2h").await;
        bridge.drain().await;
        assert_eq!((&list(&bridge).await[0]["state"], vendor.calls("/v2/send.json")), (&json!("failed"), 5));
    }
}

on_both_databases! {
    async fn a_code_that_is_over_is_not_sent(database: Database) {
        let (bridge, vendor) = bridge(database).await;
        vendor.fails(&[Fault::Says(503, "")]);
        let (id, _) = enqueue(&bridge, new(&bridge, Purpose::Code, "otp:1", "Kod: 1")).await;
        bridge.drain().await;
        bridge.advance("4m").await;
        bridge.drain().await;
        assert_eq!((&the_one(&bridge).await["state"], vendor.taken().len()), (&json!("expired"), 0));
        assert!(!body_is_kept(&bridge, id).await);
    }
}

on_both_databases! {
    async fn an_electronic_consent_is_answered_on_its_channel(database: Database) {
        let bridge = Bridge::start(database).await;
        wait_until(&bridge, 12, 0).await;
        let now = bridge.app.clocks.business();
        let given = |recipient: &str, kind: &str, status: &str, source: &str| {
            let mut body = consent(recipient, kind, status, now);
            body["source"] = json!(source);
            body
        };
        // Without the switch nothing is said.
        set_sender(&bridge, sender(false)).await;
        bridge.consent(given("+905319876540", "MESAJ", "ONAY", "HS_WEB")).await;
        set_sender(&bridge, sender(true)).await;
        let mesaj = bridge.consent(given("+905319876541", "MESAJ", "ONAY", "HS_WEB")).await;
        bridge.consent(given("+905319876541", "ARAMA", "ONAY", "HS_CAGRI_MERKEZI")).await;
        bridge.consent(given("ayse@example.net", "EPOSTA", "ONAY", "HS_EPOSTA")).await;
        // On paper, a rejection, and the same once more
        bridge.consent(given("+905319876542", "MESAJ", "ONAY", "HS_ISLAK_IMZA")).await;
        bridge.consent(given("+905319876543", "MESAJ", "RET", "HS_WEB")).await;
        assert_eq!(bridge.consent(given("+905319876541", "MESAJ", "ONAY", "HS_WEB")).await, mesaj);
        bridge.drain().await;
        let mut lines = written(&bridge);
        lines.sort_by_key(|line| line["text"].as_str().unwrap().to_owned());
        assert_eq!(lines.len(), 3, "{lines:?}");
        let date = local(now).format("%d.%m.%Y").to_string();
        let mail = lines.iter().find(|line| line["channel"] == "email").unwrap();
        assert_eq!((&mail["to"], &mail["from"]), (&json!("ayse@example.net"), &json!("Örnek A.Ş. <onay@example.com>")));
        let texts: Vec<_> = lines.iter().filter(|line| line["to"] == "+905319876541").map(|line| line["text"].as_str().unwrap()).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        for (text, by) in texts.iter().zip(["SMS", "arama"]) {
            let said = format!("Örnek A.Ş.: {date} tarihinde {by} ile ticari ileti onayınız alındı. Vazgeçmek için: {}/r/", bridge.url);
            assert!(text.starts_with(&said) && text.ends_with(" Mersis: 0123456789012345"), "{text}");
        }
        assert!(list(&bridge).await.iter().all(|it| it["purpose"] == "notice" && it["state"] == "sent"));

        let (ok, shown) = kopru(&bridge, &["message", "list", "--brand", &bridge.brand().to_string()]);
        assert!(ok && shown.len() == 3 && shown[0]["state"] == "sent", "{shown:?}");
        let (ok, shown) = kopru(&bridge, &["sender", "show", "--brand", &bridge.brand().to_string()]);
        assert!(ok && shown[0]["notices"] == json!(true), "{shown:?}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Each notice carries a link of its own: by the button of its page, or by one click of a mail program. Twice is once.
    async fn a_notice_is_answered_by_its_own_link(database: Database) {
        let bridge = Bridge::start(database).await;
        wait_until(&bridge, 12, 0).await;
        let now = bridge.app.clocks.business();
        set_sender(&bridge, sender(true)).await;
        for (recipient, kind) in [("+905319876541", "MESAJ"), ("+905319876541", "ARAMA"), ("ayse@example.net", "EPOSTA")] {
            bridge.consent(consent(recipient, kind, "ONAY", now)).await;
        }
        bridge.drain().await;
        bridge.advance("1m").await;
        let lines = written(&bridge);
        let http = reqwest::Client::builder().build().unwrap();
        let of = |word: &str| refusal_link(lines.iter().map(|line| line["text"].as_str().unwrap()).find(|text| text.contains(word)).unwrap());
        let (call, mail) = (of("arama ile"), of("e-posta ile"));
        let told = lines.iter().find(|line| line["channel"] == "email").unwrap();
        assert_eq!(told["unsubscribe"], json!(mail), "{told}");
        for link in [&call, &mail] {
            assert!(link.starts_with(&format!("{}/r/", bridge.url)) && !link.contains("5319876541"), "{link}");
            assert_eq!(http.get(link).send().await.unwrap().status(), 200);
        }
        for _ in 0..2 {
            assert_eq!(http.post(&call).send().await.unwrap().status(), 200);
            let one_click = http.post(&mail).form(&[("List-Unsubscribe", "One-Click")]).send().await.unwrap();
            assert_eq!(one_click.status(), 200);
        }
        bridge.drain_for(2, "5s").await;
        let movements = bridge.registry.movements().await;
        let mut refused: Vec<_> = movements.iter().filter(|it| it["status"] == "RET").map(|it| (it["type"].as_str().unwrap(), it["source"].as_str().unwrap())).collect();
        refused.sort_unstable();
        assert_eq!(refused, [("ARAMA", "HS_WEB"), ("EPOSTA", "HS_EPOSTA")], "and SMS may still be sent: {movements:?}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// The links of a brand with a domain of its own lead there.
    async fn a_notice_s_link_leads_to_the_brand_s_own_domain(database: Database) {
        let bridge = Bridge::start(database).await;
        wait_until(&bridge, 12, 0).await;
        for (code, kind) in [("onay", "consent"), ("aydinlatma", "notice")] {
            crate::texts::add(&bridge, crate::texts::text(code, kind, "Metin.")).await;
        }
        let form = json!({"mersis": "0123456789012345", "text": "onay/1", "notice": "aydinlatma/1", "channels": ["EPOSTA"], "domain": "izin.example.com"});
        let (status, answer) = bridge.put_as(&bridge.admin, &format!("/v1/brands/{}/forms/bulten", bridge.brand()), form).await;
        assert_eq!(status, 201, "{answer}");
        set_sender(&bridge, sender(true)).await;
        bridge.consent(consent("ayse@example.net", "EPOSTA", "ONAY", bridge.app.clocks.business())).await;
        bridge.drain().await;
        let mail = written(&bridge).remove(0);
        let link = refusal_link(mail["text"].as_str().unwrap());
        let token = link.strip_prefix("https://izin.example.com/r/").unwrap_or_else(|| panic!("{mail}"));
        assert_eq!(mail["unsubscribe"], json!(link));
        let http = reqwest::Client::builder().build().unwrap();
        let here = http.get(format!("{}/r/{token}", bridge.url)).header("host", "izin.example.com").send().await.unwrap();
        assert_eq!(here.status(), 200);
    }
}

on_both_databases! {
    async fn a_notice_that_is_not_sent_is_an_alarm_at_nine_in_the_evening(database: Database) {
        let (bridge, vendor) = bridge(database).await;
        set_sender(&bridge, sender(true)).await;
        vendor.fails(&[Fault::Says(401, ""); 200]);
        let at = wait_until(&bridge, 18, 0).await;
        bridge.consent(consent("+905319876541", "MESAJ", "ONAY", at)).await;
        bridge.drain().await;
        wait_until(&bridge, 20, 59).await;
        bridge.drain().await;
        assert_eq!(the_one(&bridge).await["late"], json!(false));
        wait_until(&bridge, 21, 0).await;
        bridge.advance("1s").await;
        bridge.drain().await;
        let message = the_one(&bridge).await;
        assert_eq!((&message["late"], &message["state"]), (&json!(true), &json!("queued")), "{message}");
        bridge.drain().await;
        let told: Vec<Value> = bridge.changes().await.into_iter().filter(|it| it["type"] == "notice.late").collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let data = &told[0]["data"];
        assert_eq!((&data["recipient"], &data["type"], &data["cause"], &data["code"]),
            (&json!("+905319876541"), &json!("MESAJ"), &json!("not_sent"), &json!("http_401")), "{data}");
        assert!(data["consentId"].is_string() && data["status"] == "ONAY", "{data}");
        let (_, findings) = kopru(&bridge, &["doctor"]);
        assert!(findings.iter().any(|it| it["check"] == "messages" && it["message"].as_str().unwrap().contains("1 notices")), "{findings:?}");
        wait_until(&bridge, 0, 0).await;
        bridge.drain().await;
        let message = the_one(&bridge).await;
        assert_eq!((&message["state"], vendor.taken().len()), (&json!("expired"), 0), "{message}");
        assert!(message["notAfter"].as_str().unwrap().ends_with("T23:59:59+03:00"), "{message}");
    }
}

on_both_databases! {
    async fn a_sender_that_cannot_work_is_refused_field_by_field(database: Database) {
        let bridge = Bridge::start(database).await;
        let path = format!("/v1/brands/{}/sender", bridge.brand());
        assert_eq!(bridge.get_as(&bridge.admin, &path).await.0, 404);
        let wrong = json!({"title": "", "identity": "12", "smsAccount": "nobody", "mailFrom": "x", "notices": true});
        let (status, problem) = bridge.put_as(&bridge.admin, &path, wrong).await;
        assert_eq!(status, 422, "{problem}");
        let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["title", "identity", "smsAccount", "mailFrom", "contact"], "{problem}");
        assert_eq!(bridge.put_as(&bridge.key, &path, sender(true)).await.0, 403);
        set_sender(&bridge, sender(true)).await;
        assert_eq!(bridge.get_as(&bridge.admin, &path).await.1["retKeyword"], "ORNEK");
        assert_eq!(bridge.delete_as(&bridge.admin, &path).await.0, 204);
        assert_eq!(bridge.get_as(&bridge.admin, &path).await.0, 404);
    }
}
