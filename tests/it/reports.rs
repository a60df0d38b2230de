//! What vendors report of texts that were sent: each in its own words, in any order, twice, and before the sending is written down.

use axum::extract::Request;
use chrono::TimeDelta;
use kopru::service::messages::{self, Content, MessageChannel, NewMessage, Purpose, sending};
use kopru_domain::{BrandCode, Channel, IysCode, Recipient};
use kopru_store::{Claim, Priority};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::inbound::{Push, connect, json_push, push};
use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, background, kopru};

/// Takes every text as the vendors do, each with an id of its own.
async fn answer(request: Request) -> String {
    match request.uri().path() {
        "/2010-04-01/Accounts/AC1/Messages.json" => r#"{"sid": "SM77", "status": "queued"}"#,
        "/v1/send-sms/json" => {
            r#"{"response": {"status": {"code": 200, "message": "ok"}, "order": {"id": "104525848"}}}"#
        }
        _ => "20121",
    }
    .to_owned()
}

async fn bridge(database: Database) -> Bridge {
    let app = axum::Router::new().fallback(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    background(async move { axum::serve(listener, app).await.unwrap() });
    let options = Options { sms_url: Some(url), ..Options::default() };
    Bridge::with(database, Registry::start().await, options).await
}

async fn enqueue(bridge: &Bridge, purpose: Purpose, dedupe: &str) -> Uuid {
    let seed = &bridge.registry.seed;
    let new = NewMessage {
        provider: IysCode(seed.iys_code),
        brand: BrandCode(seed.brand_code),
        channel: MessageChannel::Sms,
        recipient: Recipient::parse("+905319876543", Channel::Message).unwrap(),
        purpose,
        content: Content::sms("Kod: 1"),
        dedupe: dedupe.to_owned(),
        not_after: None,
    };
    let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
    let (id, _) = messages::enqueue(&mut tx, &bridge.app, new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Sends a text through an account.
async fn send(bridge: &Bridge, account: &str, purpose: Purpose) -> Uuid {
    let body = json!({"title": "Örnek A.Ş.", "identity": "0123456789012345", "smsAccount": account});
    let path = format!("/v1/brands/{}/sender", bridge.brand());
    assert_eq!(bridge.put_as(&bridge.admin, &path, body).await.0, 200);
    let id = enqueue(bridge, purpose, account).await;
    bridge.drain().await;
    id
}

async fn message(bridge: &Bridge, id: Uuid) -> Value {
    let (status, page) = bridge.get(&format!("/v1/brands/{}/messages", bridge.brand())).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap();
    items.iter().find(|it| it["id"] == json!(id.to_string())).unwrap_or_else(|| panic!("{page}")).clone()
}

fn form(body: &str) -> Push<'_> {
    Push {
        content_type: "application/x-www-form-urlencoded",
        body: body.as_bytes().to_vec(),
        ..json_push("")
    }
}

on_both_databases! {
    /// Verimor pushes a list with our own reference in it; Twilio a form for each step; iletiMerkezi one object.
    async fn each_vendor_reports_in_its_own_words(database: Database) {
        let bridge = bridge(database).await;
        let verimor = connect(&bridge, json!({"vendor": "verimor"})).await;
        let code = send(&bridge, "main", Purpose::Code).await;
        assert_eq!(message(&bridge, code).await["state"], "sent");
        let body = format!(r#"[
            {{"type": "outbound", "campaign_id": 20121, "campaign_custom_id": "{0}", "message_id": "13582302",
             "message_custom_id": "{0}", "dest": "905319876543", "size": 1, "international_multiplier": 1, "credits": 1,
             "status": "NOT_DELIVERED", "gsm_error": "27", "sent_at": "2015-02-20 16:06:00", "done_at": "2015-02-20 16:06:00"}}]"#, code.simple());
        for _ in 0..2 {
            assert_eq!(push(&verimor, &json_push(&body)).await, 200);
            bridge.drain().await;
        }
        let failed = message(&bridge, code).await["delivery"].clone();
        assert_eq!((&failed["state"], &failed["code"], &failed["at"]),
            (&json!("failed"), &json!("NOT_DELIVERED 27"), &json!("2015-02-20T16:06:00+03:00")), "{failed}");
        let report = failed["report"].as_str().unwrap();
        assert!(report.contains("13582302") && !report.contains("5319876543"), "{report}");

        let merkezi = connect(&bridge, json!({"vendor": "iletimerkezi"})).await;
        let notice = send(&bridge, "merkezi", Purpose::Notice).await;
        let body = r#"{"report": {"id": 1599558518, "packet_id": 104525848, "status": "delivered", "to": "+905319876543", "body": "Kod: 1"}}"#;
        assert_eq!(push(&merkezi, &json_push(body)).await, 200);
        bridge.drain().await;
        assert_eq!(message(&bridge, notice).await["delivery"]["state"], "delivered");
        // Another vendor's id is another's.
        let other = connect(&bridge, json!({"vendor": "verimor"})).await;
        let foreign = r#"[{"type": "outbound", "campaign_id": 104525848, "status": "EXPIRED", "gsm_error": "0", "done_at": null}]"#;
        assert_eq!(push(&other, &json_push(foreign)).await, 200);
        bridge.drain_for(3, "1m").await;
        assert_eq!(message(&bridge, notice).await["delivery"]["state"], "delivered");

        let (ok, lines) = kopru(&bridge, &["message", "list", "--brand", &bridge.brand().to_string()]);
        assert!(ok && lines.iter().any(|line| line["delivery"]["state"] == "failed"), "{lines:?}");
    }
}

on_both_databases! {
    /// Twilio signs each step, and the steps overtake each other.
    async fn steps_in_any_order_end_alike(database: Database) {
        let bridge = bridge(database).await;
        let url = connect(&bridge, json!({"vendor": "twilio", "signingSecret": "x"})).await;
        let id = send(&bridge, "twilio", Purpose::Confirmation).await;
        for status in ["undelivered", "sent", "queued", "undelivered"] {
            let body = format!("MessageSid=SM77&MessageStatus={status}&ErrorCode=30003&To=%2B905319876543&From=%2B15017122661&AccountSid=AC1");
            assert_eq!(push(&url, &form(&body)).await, 401, "not signed");
            let signed = format!("{url}AccountSidAC1ErrorCode30003From+15017122661MessageSidSM77MessageStatus{status}To+905319876543");
            let signature = crate::inbound::twilio_signature("x", &signed);
            let signed = Push { headers: vec![("x-twilio-signature", signature)], ..form(&body) };
            assert_eq!(push(&url, &signed).await, 200);
            bridge.drain().await;
        }
        let delivery = message(&bridge, id).await["delivery"].clone();
        assert_eq!((&delivery["state"], &delivery["code"]), (&json!("failed"), &json!("undelivered 30003")), "{delivery}");
    }
}

on_both_databases! {
    /// The report comes while the process that sent is dead: what arrived is not sent again. One that comes before the vendor's id is
    /// written down waits.
    async fn a_report_may_come_before_the_answer(database: Database) {
        let bridge = bridge(database).await;
        let verimor = connect(&bridge, json!({"vendor": "verimor"})).await;
        let merkezi = connect(&bridge, json!({"vendor": "iletimerkezi"})).await;
        let dead = enqueue(&bridge, Purpose::Notice, "dead").await;
        let claim = Claim { by: Uuid::new_v4(), until: bridge.app.clocks.wire() + TimeDelta::hours(1) };
        assert!(sending::claim(&bridge.app, false, claim).await.unwrap().is_some());
        let body = format!(r#"[{{"campaign_id": 9, "message_custom_id": "{}", "status": "DELIVERED", "gsm_error": "0"}}]"#, dead.simple());
        assert_eq!(push(&verimor, &json_push(&body)).await, 200);
        bridge.drain().await;
        let shown = message(&bridge, dead).await;
        assert_eq!((&shown["state"], &shown["delivery"]["state"], &shown["delivery"]["code"]), (&json!("sending"), &json!("delivered"), &json!("DELIVERED")), "{shown}");

        let early = r#"{"report": {"id": 1, "packet_id": 104525848, "status": "undelivered", "to": "+905319876543"}}"#;
        assert_eq!(push(&merkezi, &json_push(early)).await, 200);
        bridge.drain().await;
        let id = send(&bridge, "merkezi", Purpose::Confirmation).await;
        assert!(message(&bridge, id).await["delivery"].is_null());
        bridge.drain_for(3, "1m").await;
        assert_eq!(message(&bridge, id).await["delivery"]["state"], "failed");
    }
}
