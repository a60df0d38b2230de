//! Those who hammer a form or guess its codes get nowhere, and hurt nobody else.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use serde_json::json;

use crate::forms::{Page, Web, url};
use crate::on_both_databases;
use crate::support::{Database, scaled};
use crate::texts;

/// Posts of the gate's run; the full run has 10 000.
const GATE: usize = 600;
const AT_ONCE: usize = 32;
/// The other tenant is asked so often in between, from the same address: fewer than its own form takes in one go.
const LOOKS: usize = 6;
/// How long a person waits for a page.
const PATIENCE: Duration = Duration::from_secs(5);

fn size() -> usize {
    scaled(GATE, 10_000)
}

/// A second tenant with a form of its own; returns its address and its brand.
async fn neighbour(web: &Web) -> (String, i64) {
    let (bridge, iys_code, brand) = (&web.bridge, 700_001, 700_002);
    let provider = json!({"iysCode": iys_code, "title": "Komşu A.Ş."});
    assert_eq!(bridge.post_as(&bridge.admin, "/v1/providers", provider).await.0, 201);
    let new = json!({"iysCode": iys_code, "brandCode": brand, "name": "Komşu"});
    assert_eq!(bridge.post_as(&bridge.admin, "/v1/brands", new).await.0, 201);
    for (code, kind) in [("onay", "consent"), ("aydinlatma", "notice")] {
        let path = format!("/v1/brands/{brand}/texts");
        assert_eq!(bridge.post_as(&bridge.admin, &path, texts::text(code, kind, "Metin.")).await.0, 201);
    }
    let form = json!({"mersis": "0123456789012345", "text": "onay/1", "notice": "aydinlatma/1", "channels": ["MESAJ"], "doubleOptIn": false});
    let (status, form) = bridge.put_as(&bridge.admin, &format!("/v1/brands/{brand}/forms/komsu"), form).await;
    assert_eq!(status, 201, "{form}");
    (url(&form).to_owned(), brand)
}

/// One post in the flood; `None`: a visit to the other tenant, which has to be answered as ever.
async fn step(web: &Web, hammered: &str, neighbour: &str, number: usize) -> Option<u16> {
    let phone = format!("0532{number:07}");
    let page = format!("sayfa-{number}");
    let fields =
        [("fullName", "A"), ("phone", phone.as_str()), ("channels", "MESAJ"), ("page", page.as_str())];
    if number % (size() / LOOKS) == size() / LOOKS / 2 {
        let start = Instant::now();
        assert_eq!(web.get(neighbour).await.status, 200);
        let sent = web.post(neighbour, &fields, &[]).await;
        assert!(sent.status == 200 && sent.text.contains("Kaydınız alındı"), "{}", sent.text);
        assert!(start.elapsed() < PATIENCE, "the neighbour waited for {:?}", start.elapsed());
        return None;
    }
    let answer = web.post(hammered, &fields, &[]).await;
    if answer.status == 429 {
        let after: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(after >= 1 && answer.text.contains("Çok fazla istek"), "{}", answer.text);
    }
    Some(answer.status)
}

on_both_databases! {
    async fn a_flood_on_one_form_is_limited_and_another_tenant_does_not_notice(database: Database) {
        let web = Web::start(database).await;
        let hammered = web.form("bulten", &json!({})).await;
        let (neighbour, other) = neighbour(&web).await;
        let start = Instant::now();
        let answers: Vec<Option<u16>> = stream::iter(0..size())
            .map(|number| step(&web, url(&hammered), &neighbour, number))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let took = start.elapsed();
        let passed = answers.iter().filter(|status| **status == Some(200)).count();
        let limited = answers.iter().filter(|status| **status == Some(429)).count();
        let visits = answers.iter().filter(|status| status.is_none()).count();
        println!("{} posts in {took:?}: {passed} passed, {limited} limited", answers.len());
        assert_eq!(passed + limited + visits, answers.len(), "{answers:?}");
        // A burst of ten, and one more every six seconds.
        let allowed = 10 + usize::try_from(took.as_secs() / 6).unwrap() + 1;
        assert!((10..=allowed).contains(&passed), "{passed} of {allowed} in {took:?}");
        assert_eq!((visits, web.taken().await), (LOOKS, passed));
        let (_, list) = web.bridge.get_as(&web.bridge.admin, &format!("/v1/brands/{other}/consents")).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(LOOKS), "{list}");
        web.bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Whoever wants to confirm somebody else's number gets three codes sent and five guesses at each, whatever he does.
    async fn guessing_the_codes_of_a_form_is_stopped(database: Database) {
        let web = Web::start(database).await;
        let sender = json!({"title": "Örnek A.Ş.", "identity": "0123456789012345", "retNumber": "4609"});
        let path = format!("/v1/brands/{}/sender", web.bridge.brand());
        assert_eq!(web.bridge.put_as(&web.bridge.admin, &path, sender).await.0, 200);
        let form = web.form("bulten", &json!({"doubleOptIn": true})).await;
        let (mut actions, mut refused) = (Vec::new(), 0);
        for page in 0..8 {
            let page = page.to_string();
            let fields = [("fullName", "A"), ("phone", "05321234567"), ("channels", "MESAJ"), ("page", page.as_str())];
            // The client follows to the page on which the code is entered.
            let asked = web.post(url(&form), &fields, &[]).await;
            match asked.status {
                200 => actions.push(asked.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()),
                429 => refused += 1,
                status => panic!("{status}: {}", asked.text),
            }
        }
        assert_eq!((actions.len(), refused), (3, 5));
        web.bridge.drain().await;
        let file = std::fs::read_to_string(web.bridge.database().folder().join("messages.jsonl")).unwrap();
        let codes: Vec<&str> = file.split("için kod ").skip(1).map(|rest| &rest[..6]).collect();
        assert_eq!(codes.len(), 3, "{file}");
        for action in &actions {
            let there = format!("{}{action}", web.bridge.url);
            assert_eq!(web.post(&format!("{there}/again"), &[], &[]).await.status, 429, "no fourth code");
            let mut statuses = Vec::new();
            for guess in 0..8 {
                let guess = format!("{:06}", 111_111 * (guess % 10));
                let code = if codes.contains(&guess.as_str()) { "987654" } else { &guess };
                statuses.push(web.post(&there, &[("code", code)], &[]).await.status);
            }
            assert_eq!(statuses, [422, 422, 422, 422, 410, 410, 410, 410]);
            for code in &codes {
                assert_eq!(web.post(&there, &[("code", code)], &[]).await.status, 410, "the right one comes too late");
            }
        }
        assert_eq!(web.taken().await, 0);
        assert!(web.movements().await.is_empty());
    }
}

on_both_databases! {
    /// No text that a visitor sends leads his browser, or a mail, anywhere else.
    async fn nothing_that_is_sent_leads_elsewhere(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({})).await;
        let personal = web.link(json!({"kind": "recipient", "form": "bulten", "type": "MESAJ", "recipient": "05321234501"})).await;
        let evil = ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\r\nLocation: //evil.example"];
        let strict = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for (place, evil) in evil.iter().enumerate() {
            let query: Vec<_> = ["next", "url", "return", "lang", "mail", "page"].iter().map(|name| (*name, *evil)).collect();
            let mut fields = query.clone();
            fields.extend([("fullName", *evil), ("email", "a@example.com"), ("channels", "EPOSTA"), ("answer", *evil)]);
            for target in [url(&form), url(&personal)] {
                let mut target = url::Url::parse(target).unwrap();
                target.query_pairs_mut().extend_pairs(&query);
                let forwarded = strict.post(target).form(&fields).header("x-forwarded-host", "evil.example").send().await.unwrap();
                let (status, location) = (forwarded.status().as_u16(), forwarded.headers().get("location").cloned());
                assert!(location.is_none() && matches!(status, 200 | 422), "{place}: {status} {location:?}");
                let page = forwarded.text().await.unwrap();
                assert!(!page.contains("href=\"//") && !page.contains("href=\"http") && !page.contains("href=\"javascript"), "{page}");
            }
        }
        // Under another host name there is nothing at all.
        let other = strict.get(url(&form)).header("host", "evil.example").send().await.unwrap();
        assert_eq!(other.status(), 404);
    }
}

on_both_databases! {
    /// A page that held one connection to the database while it waited for a second would keep everybody waiting for ever.
    async fn many_may_open_pages_at_once(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({})).await;
        let personal = web.link(json!({"kind": "recipient", "form": "bulten", "type": "MESAJ", "recipient": "05321234501"})).await;
        let refusal = web.link(json!({"kind": "refusal", "type": "MESAJ", "recipient": "05321234501"})).await;
        let urls = [url(&form), url(&personal), url(&refusal)];
        let pages: Vec<Page> = stream::iter(0..3 * AT_ONCE)
            .map(|number| web.get(urls[number % urls.len()]))
            .buffer_unordered(3 * AT_ONCE)
            .collect()
            .await;
        assert!(pages.iter().all(|page| page.status == 200), "{:?}", pages.iter().map(|page| page.status).collect::<Vec<_>>());
    }
}
