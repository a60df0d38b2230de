//! Double opt-in over the running bridge: a code by SMS, a link by e-mail, and those who guess, are late or never come.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kopru::bootstrap::App;
use kopru::clocks::{Clocks, SystemClock};
use kopru::lifecycle::Lifecycle;
use kopru::service::opt_in::{self, Answered};
use kopru_domain::opt_in::OptInState;
use kopru_domain::{Clock, IysCode};
use kopru_store::{Priority, opt_ins};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database};

/// A clock that is ahead by minutes.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::minutes(self.0)
    }
}

/// Another process of the same bridge whose clock is ahead.
async fn later(bridge: &Bridge, minutes: i64) -> App {
    let clocks = Clocks::new(Arc::new(Ahead(minutes)));
    App::start(bridge.app.config.clone(), clocks, Lifecycle::new()).await.unwrap()
}

async fn bridge(database: Database) -> Bridge {
    let bridge = Bridge::start(database).await;
    let path = format!("/v1/brands/{}/sender", bridge.brand());
    let sender =
        json!({"title": "Örnek Mağazacılık A.Ş.", "identity": "0123456789012345", "retNumber": "4609"});
    let (status, answer) = bridge.put_as(&bridge.admin, &path, sender).await;
    assert_eq!(status, 200, "{answer}");
    let text = json!({"code": "sms-onay", "kind": "consent", "tr": {"title": "Onay", "body": "SMS ve arama ile ticari ileti almayı kabul ediyorum."}});
    let (status, answer) =
        bridge.post_as(&bridge.admin, &format!("/v1/brands/{}/texts", bridge.brand()), text).await;
    assert_eq!(status, 201, "{answer}");
    bridge
}

fn path(bridge: &Bridge, rest: &str) -> String {
    format!("/v1/brands/{}/opt-ins{rest}", bridge.brand())
}

async fn start(bridge: &Bridge, body: Value) -> Value {
    let (status, answer) = bridge.post(&path(bridge, ""), body).await;
    assert_eq!(status, 202, "{answer}");
    bridge.drain().await;
    answer
}

fn by_phone(number: &str) -> Value {
    json!({"recipient": number, "types": ["MESAJ", "ARAMA"], "text": "sms-onay/1", "fullName": "Ayşe Yılmaz",
        "origin": "kayit-formu", "clientAddress": "203.0.113.7", "info": "https://example.com/izin"})
}

/// What went out so far, newest last.
fn sent(bridge: &Bridge) -> Vec<Value> {
    let file = bridge.database().folder().join("messages.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text_of(message: &Value) -> String {
    message.to_string()
}

/// The code of the last message.
fn code(bridge: &Bridge) -> String {
    let text = text_of(sent(bridge).last().unwrap());
    let start = text.find("kod ").unwrap() + 4;
    text[start..start + 6].to_owned()
}

fn other_than(code: &str) -> &'static str {
    if code == "111111" { "222222" } else { "111111" }
}

async fn enter(bridge: &Bridge, token: &Value, code: &str) -> Value {
    let (status, answer) =
        bridge.post(&path(bridge, "/confirm"), json!({"token": token, "code": code})).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn consents(bridge: &Bridge) -> Vec<Value> {
    let (status, page) = bridge.get(&format!("/v1/brands/{}/consents", bridge.brand())).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

async fn in_state(bridge: &Bridge, state: &str) -> Vec<Value> {
    let (status, page) = bridge.get(&path(bridge, &format!("?state={state}"))).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

on_both_databases! {
    async fn a_code_confirms_calls_and_messages(database: Database) {
        let bridge = bridge(database).await;
        let started = start(&bridge, by_phone("0532 123 45 67")).await;
        assert_eq!(started["way"], "code");
        let message = text_of(&sent(&bridge)[0]);
        for part in ["Örnek Mağazacılık A.Ş.", "arama ve SMS", "0123456789012345", "https://example.com/izin"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert_eq!(consents(&bridge).await.len(), 0, "nothing before the confirmation");

        let right = code(&bridge);
        let wrong = enter(&bridge, &started["token"], other_than(&right)).await;
        assert_eq!(wrong, json!({"outcome": "wrong", "triesLeft": 4}));
        let before = bridge.app.clocks.business();
        for _ in 0..2 {
            assert_eq!(enter(&bridge, &started["token"], &right).await, json!({"outcome": "confirmed"}));
        }
        assert_eq!(enter(&bridge, &started["token"], other_than(&right)).await, json!({"outcome": "ended"}));
        bridge.drain_for(3, "6m").await;

        let movements = bridge.registry.movements().await;
        let mut told: Vec<(&str, &str, &str)> = movements
            .iter()
            .map(|movement| {
                let word = |name: &str| movement[name].as_str().unwrap();
                (word("type"), word("status"), word("source"))
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, [("ARAMA", "ONAY", "HS_WEB"), ("MESAJ", "ONAY", "HS_WEB")]);

        let all = consents(&bridge).await;
        assert_eq!(all.len(), 2, "{all:?}");
        let taken = bridge.state(all[0]["id"].as_str().unwrap()).await;
        let date: DateTime<Utc> = taken["consentDate"].as_str().unwrap().parse().unwrap();
        assert!(date >= before - TimeDelta::seconds(2) && date <= before + TimeDelta::minutes(1), "{taken}");
        let evidence = &taken["evidence"];
        assert!(evidence["confirmedAt"].is_string(), "{evidence}");
        assert_eq!(in_state(&bridge, "done").await.len(), 1);
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Whoever looks at the link changes nothing; the button acts, once.
    async fn a_link_confirms_e_mail_and_a_look_does_not(database: Database) {
        let bridge = bridge(database).await;
        let started = start(&bridge, json!({"recipient": "Ayse@Ornek.com", "types": ["EPOSTA"], "language": "en"})).await;
        assert_eq!((&started["way"], &started["token"]), (&json!("link"), &Value::Null), "only the mail knows the link: {started}");
        let message = text_of(sent(&bridge).last().unwrap());
        let link = &message[message.find("/c/").unwrap()..][..25];
        for _ in 0..3 {
            let (kind, page) = bridge.download(link, "text/html").await;
            let page = String::from_utf8(page).unwrap();
            assert!(kind.starts_with("text/html") && page.contains("Örnek Mağazacılık A.Ş.") && page.contains("<form"), "{page}");
            assert!(!page.contains("ayse@ornek.com"), "the address is masked: {page}");
        }
        assert_eq!(consents(&bridge).await.len(), 0, "a prefetcher confirms nothing");
        for _ in 0..2 {
            let (status, page) = press(&bridge, link, "").await;
            assert_eq!(status, 200, "{page}");
            assert!(page.contains("Your consent was received"), "{page}");
        }
        bridge.drain_for(3, "6m").await;
        let movements = bridge.registry.movements().await;
        assert_eq!(movements.len(), 1, "{movements:?}");
        assert_eq!((&movements[0]["type"], &movements[0]["recipient"]), (&json!("EPOSTA"), &json!("ayse@ornek.com")));
    }
}

async fn press(bridge: &Bridge, link: &str, form: &'static str) -> (u16, String) {
    let client = reqwest::Client::builder().build().unwrap();
    let request = client
        .post(format!("{}{link}", bridge.url))
        .header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(form).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

on_both_databases! {
    async fn the_page_takes_the_code_and_says_what_is_wrong(database: Database) {
        let bridge = bridge(database).await;
        let started = start(&bridge, by_phone("0532 123 45 67")).await;
        let page = format!("/c/{}", started["token"].as_str().unwrap());
        let (status, text) = press(&bridge, &page, "code=abc").await;
        assert!(status == 422 && text.contains("4 deneme"), "{status} {text}");
        let (status, text) = press(&bridge, &format!("{page}/again"), "").await;
        assert!(status == 200 && text.contains("Yeni kod gönderildi"), "{status} {text}");
        bridge.drain().await;
        assert_eq!(sent(&bridge).len(), 2);
        let form: &'static str = format!("code={}", code(&bridge)).leak();
        let (status, text) = press(&bridge, &page, form).await;
        assert!(status == 200 && text.contains("Onayınız alındı"), "{status} {text}");
        let (status, text) = press(&bridge, "/c/AAAAAAAAAAAAAAAAAAAAAA", "code=123456").await;
        assert!(status == 404 && text.contains("geçerli değil"), "{status} {text}");
    }
}

on_both_databases! {
    async fn five_guesses_end_it_and_the_right_code_is_too_late(database: Database) {
        let bridge = bridge(database).await;
        let started = start(&bridge, by_phone("0532 123 45 67")).await;
        let right = code(&bridge);
        for left in [4, 3, 2, 1] {
            assert_eq!(enter(&bridge, &started["token"], other_than(&right)).await["triesLeft"], left);
        }
        assert_eq!(enter(&bridge, &started["token"], other_than(&right)).await["outcome"], "ended");
        assert_eq!(enter(&bridge, &started["token"], &right).await["outcome"], "ended");
        assert_eq!(consents(&bridge).await.len(), 0);
        let abandoned = in_state(&bridge, "abandoned").await;
        assert_eq!((abandoned.len(), &abandoned[0]["wrong"]), (1, &json!(5)), "{abandoned:?}");
    }
}

on_both_databases! {
    async fn a_code_grows_old_and_who_never_comes_is_listed(database: Database) {
        let bridge = bridge(database).await;
        let started = start(&bridge, by_phone("0532 123 45 67")).await;
        let (token, right) = (started["token"].as_str().unwrap().to_owned(), code(&bridge));
        let after_four = later(&bridge, 4).await;
        assert_eq!(opt_in::confirm(&after_four, &token, Some(&right)).await.unwrap(), Answered::TooOld);
        let after_an_hour = later(&bridge, 60).await;
        opt_in::tend(&after_an_hour).await.unwrap();
        assert_eq!(in_state(&bridge, "abandoned").await.len(), 1);
        assert_eq!(opt_in::confirm(&bridge.app, &token, Some(&right)).await.unwrap(), Answered::Ended);
    }
}

on_both_databases! {
    /// Three sends to an address, and three on behalf of a client whatever the address.
    async fn a_fourth_send_waits(database: Database) {
        let bridge = bridge(database).await;
        for _ in 0..3 {
            start(&bridge, by_phone("0532 123 45 67")).await;
        }
        let other = json!({"recipient": "0532 123 45 67", "types": ["MESAJ"], "clientAddress": "203.0.113.8"});
        let (status, problem) = bridge.post(&path(&bridge, ""), other).await;
        assert_eq!(status, 429, "the address: {problem}");
        let (status, problem) = bridge.post(&path(&bridge, ""), by_phone("0533 123 45 67")).await;
        assert_eq!(status, 429, "the client: {problem}");
        let third = json!({"recipient": "0533 123 45 67", "types": ["MESAJ"], "clientAddress": "203.0.113.9"});
        assert_eq!(bridge.post(&path(&bridge, ""), third).await.0, 202, "somebody else is not hurt");
        assert_eq!(sent(&bridge).len(), 3);
    }
}

on_both_databases! {
    /// The process dies between the confirmation's commit and the intake: the next one files it, once, with its own date.
    async fn what_was_confirmed_before_a_death_is_filed(database: Database) {
        let bridge = bridge(database).await;
        start(&bridge, by_phone("0532 123 45 67")).await;
        let provider = IysCode(bridge.registry.seed.iys_code);
        let confirmed_at = kopru_domain::time::truncate_seconds(bridge.app.clocks.business() - TimeDelta::minutes(2));
        let pending = in_state(&bridge, "pending").await;
        let id = pending[0]["id"].as_str().unwrap().parse().unwrap();
        let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
        let mut row = opt_ins::lock(&mut tx, provider, id).await.unwrap().unwrap();
        row.state = OptInState::Confirmed;
        row.confirmed_at = Some(confirmed_at);
        opt_ins::save(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        opt_in::tend(&bridge.app).await.unwrap();
        opt_in::tend(&bridge.app).await.unwrap();
        let all = consents(&bridge).await;
        assert_eq!(all.len(), 2, "{all:?}");
        let date: DateTime<Utc> = all[0]["consentDate"].as_str().unwrap().parse().unwrap();
        assert_eq!(date, confirmed_at);
        assert_eq!(in_state(&bridge, "done").await.len(), 1);
    }
}

on_both_databases! {
    async fn what_cannot_be_confirmed_is_refused_field_by_field(database: Database) {
        let bridge = bridge(database).await;
        let fields = async |body: Value| {
            let (status, problem) = bridge.post(&path(&bridge, ""), body).await;
            assert_eq!(status, 422, "{problem}");
            let errors = problem["errors"].as_array().unwrap().iter();
            errors.map(|error| error["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(fields(json!({"recipient": "0532 123 45 67", "types": ["MESAJ", "EPOSTA"]})).await[0], "types");
        assert_eq!(fields(json!({"recipient": "0212 123 45 67", "types": ["ARAMA"]})).await, ["recipient"], "a land line takes no code");
        assert_eq!(fields(json!({"recipient": "0532 123 45", "types": ["MESAJ"]})).await, ["recipient"]);
        assert_eq!(fields(json!({"recipient": "0532 123 45 67", "types": ["MESAJ"], "source": "IYS_WEB"})).await, ["source"]);
        assert_eq!(fields(json!({"recipient": "0532 123 45 67", "types": ["MESAJ"], "text": "yok/1"})).await, ["evidence.text"]);
        assert_eq!(fields(json!({"recipient": "0532 123 45 67", "types": ["MESAJ"], "clientAddress": "here"})).await, ["clientAddress"]);
        let (status, _) = bridge.delete_as(&bridge.admin, &format!("/v1/brands/{}/sender", bridge.brand())).await;
        assert_eq!(status, 204);
        let (status, problem) = bridge.post(&path(&bridge, ""), by_phone("0532 123 45 67")).await;
        assert_eq!(status, 409, "{problem}");
        assert_eq!(sent(&bridge).len(), 0);
    }
}
