//! Retailers: made, shown and deleted at the registry and mirrored here, and which consents they may use.

use std::io::Write as _;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent, kopru};

const TCKN: [&str; 3] = ["10000000146", "19191919190", "11111111110"];

fn retailer(number: usize) -> Value {
    json!({"title": format!("Örnek Bayi {number} Ltd."), "name": "Ayşe Yılmaz", "tckn": TCKN[number], "tin": TCKN[number],
        "city": {"name": "İstanbul", "code": "34"}, "town": {"name": "Kadıköy", "code": "1"}, "mobile": "+905321234567"})
}

async fn synced(database: Database) -> Bridge {
    let bridge = Bridge::start(database).await;
    let (status, report) = bridge.post_as(&bridge.admin, "/v1/providers/sync", json!({})).await;
    assert_eq!(status, 200, "{report}");
    bridge
}

fn path(bridge: &Bridge, rest: &str) -> String {
    format!("/v1/brands/{}/retailers{rest}", bridge.brand())
}

async fn made(bridge: &Bridge, number: usize) -> i64 {
    let (status, answer) = bridge.post(&path(bridge, ""), retailer(number)).await;
    assert_eq!(status, 201, "{answer}");
    answer["retailerCode"].as_i64().unwrap()
}

fn masked_key() -> Value {
    json!({"name": "masked", "scopes": ["consents:read", "consents:write"]})
}

on_both_databases! {
    /// The registry's lists have numbers, which were refused here: "not a number".
    async fn the_codes_of_city_and_town_may_be_numbers(database: Database) {
        let bridge = synced(database).await;
        let mut body = retailer(0);
        body["city"]["code"] = json!(34);
        body["town"]["code"] = json!(1);
        let (status, answer) = bridge.post(&path(&bridge, ""), body).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!((&answer["city"]["code"], &answer["town"]["code"]), (&json!("34"), &json!("1")), "{answer}");
        let mut wrong = retailer(1);
        wrong["city"]["code"] = json!(3.5);
        let (status, problem) = bridge.post(&path(&bridge, ""), wrong).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("city.code")), "{problem}");
    }
}

on_both_databases! {
    async fn a_retailer_s_life(database: Database) {
        let bridge = synced(database).await;
        let (_, key) = bridge.post_as(&bridge.admin, "/v1/keys", masked_key()).await;
        let key = key["key"].as_str().unwrap();
        let body = serde_json::to_vec(&retailer(0)).unwrap();
        let header = [("idempotency-key", "bayi-1")];
        let first = bridge.post_raw(&path(&bridge, ""), key, &header, body.clone()).await;
        assert_eq!(first.0, 201, "{}", first.1);
        assert_eq!((&first.1["tckn"], &first.1["name"]), (&json!("*********46"), &json!("A*** Y***")), "{}", first.1);
        let again = bridge.post_raw(&path(&bridge, ""), key, &header, body.clone()).await;
        assert_eq!(first, again, "one retailer, whoever repeats it");
        let code = first.1["retailerCode"].as_i64().unwrap();

        // Its number is known here, so another with the same person is refused as the registry says it.
        let (status, problem) = bridge.post(&path(&bridge, ""), retailer(0)).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!("H231")), "{problem}");
        assert_eq!(problem["errors"][0]["field"], "tckn", "{problem}");
        let mut bad = retailer(1);
        bad["tckn"] = json!("12345678901");
        bad["mobile"] = json!("12");
        let (status, problem) = bridge.post(&path(&bridge, ""), bad).await;
        assert_eq!(status, 422);
        let errors: Vec<(&str, &str)> = problem["errors"].as_array().unwrap().iter()
            .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())).collect();
        assert!(errors.contains(&("tckn", "H225")) && errors.contains(&("mobile", "H224")), "{problem}");

        let one = path(&bridge, &format!("/{code}"));
        let (_, shown) = bridge.get(&one).await;
        assert_eq!((&shown["tckn"], &shown["canBeDeleted"]), (&json!(TCKN[0]), &json!(true)), "recipients:read: {shown}");
        let (_, list) = bridge.get_as(key, &path(&bridge, "")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        assert!(!list.to_string().contains(TCKN[0]) && !list.to_string().contains("Yılmaz"), "{list}");

        assert_eq!(bridge.delete_as(key, &one).await.0, 204);
        assert_eq!(bridge.delete_as(key, &one).await.0, 404, "it is gone at the registry too");
        assert_eq!(bridge.get(&one).await.0, 404);
        let (_, list) = bridge.get(&path(&bridge, "?refresh=true")).await;
        assert_eq!(list["items"], json!([]));
    }
}

on_both_databases! {
    /// The registry made it and the answer was lost: the repetition finds it.
    async fn what_nobody_heard_of_is_found(database: Database) {
        let bridge = synced(database).await;
        bridge.registry.fault("*", "timeout_after_write", 1).await;
        let code = made(&bridge, 0).await;
        let (_, list) = bridge.get(&path(&bridge, "?refresh=true")).await;
        assert_eq!(list["items"][0]["retailerCode"], code, "{list}");
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "once: {list}");
    }
}

on_both_databases! {
    async fn consents_and_their_retailers(database: Database) {
        let bridge = synced(database).await;
        let (first, second, third) = (made(&bridge, 0).await, made(&bridge, 1).await, made(&bridge, 2).await);
        let at = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let with = |recipient: &str, more: Value| {
            let mut body = consent(recipient, "MESAJ", "ONAY", at);
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        // Refused at the door, its neighbours live.
        let body = json!([
            with("+905321234501", json!({"retailerCode": first, "retailerAccess": [second]})),
            with("+905321234502", json!({"retailerCode": 99_999_999})),
            with("+905321234503", json!({"retailerAccess": [second, 88_888_888]})),
            with("+905321234504", json!({})),
            with("+905321234505", json!({"retailerAccess": vec![1; 3_001]})),
        ]);
        let (status, answer) = bridge.consents(body).await;
        assert_eq!(status, 202, "{answer}");
        let refused: Vec<(i64, &str, &str)> = answer["refused"].as_array().unwrap().iter()
            .map(|it| (it["index"].as_i64().unwrap(), it["field"].as_str().unwrap(), it["code"].as_str().unwrap()))
            .collect();
        let expected = [(1, "retailerCode", "H180"), (2, "retailerAccess", "H180"), (4, "retailerAccess", "H126")];
        assert_eq!(refused, expected, "{answer}");
        assert!(answer["refused"][0]["title"].as_str().unwrap().contains("99999999"), "{answer}");
        bridge.drain().await;
        let id = answer["accepted"][0]["id"].as_str().unwrap();
        let state = bridge.state(id).await;
        assert_eq!((&state["state"], &state["retailerAccess"]), (&json!("registered"), &json!([second])), "{state}");

        let query = async |recipient: &str| {
            let body = json!({"recipient": recipient, "type": "MESAJ"});
            let (status, page) = bridge.post(&path(&bridge, "/access/query"), body).await;
            assert_eq!(status, 200, "{page}");
            let mut codes: Vec<i64> =
                page["items"].as_array().unwrap().iter().map(|it| it["retailerCode"].as_i64().unwrap()).collect();
            codes.sort_unstable();
            codes
        };
        let sorted = |mut codes: Vec<i64>| {
            codes.sort_unstable();
            codes
        };
        assert_eq!(query("0532 123 45 01").await, sorted(vec![first, second]));

        let change = async |what: &str, recipients: Value, retailers: Value| {
            let body = json!({"recipients": recipients, "type": "MESAJ", "retailers": retailers});
            bridge.post(&path(&bridge, &format!("/access/{what}")), body).await
        };
        let (status, receipt) =
            change("grant", json!(["+905321234504", "+905321234509"]), json!([first, third, third])).await;
        assert_eq!((status, receipt["done"].as_i64()), (200, Some(1)), "{receipt}");
        let refused = &receipt["refused"][0];
        assert_eq!((&refused["index"], &refused["field"], &refused["code"]), (&json!(1), &json!("recipients"), &json!("H401")));
        assert_eq!(query("+905321234504").await, sorted(vec![first, third]));

        let (status, problem) = change("grant", json!(["+905321234504"]), json!([first, 99_999_999])).await;
        assert_eq!(status, 422, "{problem}");
        let error = &problem["errors"][0];
        assert_eq!((&error["field"], &error["index"], &error["code"]), (&json!("retailers"), &json!(1), &json!("H180")), "{problem}");
        let (status, problem) = change("replace", json!(["0212 123 45 67"]), json!([])).await;
        assert_eq!((status, problem["errors"].as_array().unwrap().len()), (422, 2), "{problem}");

        // 101 addresses are two calls to the registry.
        let calls = async || {
            let stats = bridge.registry.stats().await;
            let operations = stats["operations"].as_object().unwrap();
            operations.iter().filter(|(name, _)| name.contains("access")).map(|(_, it)| it["calls"].as_i64().unwrap()).sum::<i64>()
        };
        let before = calls().await;
        let mut many: Vec<String> = (0..100).map(|n| format!("+90533{:07}", 1_000_000 + n)).collect();
        many.push("+905321234501".to_owned());
        let (status, receipt) = change("replace", json!(many), json!([third])).await;
        assert_eq!((status, receipt["done"].as_i64()), (202, Some(101)), "{receipt}");
        assert_eq!(calls().await - before, 2);
        assert_eq!(query("+905321234501").await, [third], "not even the one who took it");
        let (status, _) = change("revoke", json!(["+905321234504"]), json!([first])).await;
        assert_eq!((status, query("+905321234504").await), (202, vec![third]));
        let (status, problem) = bridge.delete_as(&bridge.key, &path(&bridge, &format!("/{third}"))).await;
        assert_eq!(status, 409, "{problem}");
        let (status, _) = change("revoke", json!(["+905321234501", "+905321234504"]), Value::Null).await;
        assert_eq!((status, query("+905321234501").await), (202, vec![]));
        assert_eq!(bridge.delete_as(&bridge.key, &path(&bridge, &format!("/{third}"))).await.0, 204);
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// A retailer that was made in the registry's own panel is known with the first consent that names it; where nobody can be
    /// asked, or nobody ever was, the registry decides when it is filed.
    async fn a_retailer_of_the_registry_s_panel(database: Database) {
        let bridge = Bridge::start(database).await;
        let (iys_code, brand) = (bridge.registry.seed.iys_code, bridge.brand());
        let make = async |code: i64| {
            let brands = json!([{"brandCode": brand, "retailers": [code]}]);
            bridge.registry.provider(json!({"iysCode": iys_code, "brands": brands})).await;
        };
        let at = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let post = async |recipient: &str, code: i64| {
            let mut body = consent(recipient, "MESAJ", "ONAY", at);
            body["retailerCode"] = json!(code);
            bridge.consents(body).await
        };
        make(10_000_001).await;
        assert_eq!(post("+905321234501", 99_999_999).await.0, 202, "the brand was never synced");
        bridge.post_as(&bridge.admin, "/v1/providers/sync", json!({})).await;
        assert_eq!(post("+905321234502", 10_000_001).await.0, 202);
        let (status, problem) = post("+905321234503", 10_000_002).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!("H180")), "{problem}");
        make(10_000_002).await;
        assert_eq!(post("+905321234503", 10_000_002).await.0, 422, "the list is some seconds old");
        bridge.advance("6m").await;
        assert_eq!(post("+905321234503", 10_000_002).await.0, 202, "and is read again");
        bridge.advance("6m").await;
        bridge.registry.fault("*", "503", 1_000).await;
        assert_eq!(post("+905321234504", 99_999_998).await.0, 202, "nobody can say");
    }
}

on_both_databases! {
    async fn scopes_and_foreign_brands(database: Database) {
        let bridge = Bridge::start(database).await;
        let (_, reader) =
            bridge.post_as(&bridge.admin, "/v1/keys", json!({"name": "r", "scopes": ["consents:read"]})).await;
        let reader = reader["key"].as_str().unwrap();
        assert_eq!(bridge.post_as(reader, &path(&bridge, ""), retailer(0)).await.0, 403);
        assert_eq!(bridge.delete_as(reader, &path(&bridge, "/1")).await.0, 403);
        let grant = json!({"recipients": ["+905321234501"], "type": "MESAJ", "retailers": [1]});
        assert_eq!(bridge.post_as(reader, &path(&bridge, "/access/grant"), grant.clone()).await.0, 403);
        bridge.post_as(&bridge.admin, "/v1/providers", json!({"iysCode": 700_001, "title": "Başka A.Ş."})).await;
        let foreign = json!({"name": "f", "scopes": ["consents:read", "consents:write"], "iysCode": 700_001});
        let (_, foreign) = bridge.post_as(&bridge.admin, "/v1/keys", foreign).await;
        let foreign = foreign["key"].as_str().unwrap();
        assert_eq!(bridge.get_as(foreign, &path(&bridge, "")).await.0, 404);
        assert_eq!(bridge.get_as(foreign, &path(&bridge, "/1")).await.0, 404);
        assert_eq!(bridge.post_as(foreign, &path(&bridge, "/access/grant"), grant).await.0, 404);
        assert_eq!(bridge.delete_as(foreign, &path(&bridge, "/1")).await.0, 404);
    }
}

on_both_databases! {
    async fn on_the_command_line(database: Database) {
        let bridge = synced(database).await;
        let brand = bridge.brand().to_string();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(retailer(0).to_string().as_bytes()).unwrap();
        let (ok, lines) = kopru(&bridge, &["retailer", "add", "--brand", &brand, file.path().to_str().unwrap()]);
        assert!(ok, "{lines:?}");
        let code = lines[0]["retailerCode"].to_string();
        assert_eq!(lines[0]["tckn"], "*********46", "{lines:?}");
        let (ok, lines) = kopru(&bridge, &["retailer", "list", "--brand", &brand]);
        assert!(ok && lines[0]["retailerCode"].as_i64() == code.parse().ok(), "{lines:?}");
        let at = bridge.app.clocks.business() - TimeDelta::minutes(5);
        bridge.consent(consent("+905321234501", "MESAJ", "ONAY", at)).await;
        bridge.drain().await;
        let grant = ["retailer", "grant", "--brand", &brand, "--type", "MESAJ", "--retailers", &code, "+905321234501"];
        let (ok, lines) = kopru(&bridge, &grant);
        assert!(ok && lines[0]["done"] == 1, "{lines:?}");
        let (ok, lines) = kopru(&bridge, &["retailer", "access", "--brand", &brand, "--type", "MESAJ", "0532 123 45 01"]);
        assert!(ok && lines[0]["retailerCode"].as_i64() == code.parse().ok(), "{lines:?}");
        let (ok, _) = kopru(&bridge, &["retailer", "delete", "--brand", &brand, &code]);
        assert!(!ok, "a consent refers to it");
        let revoke = ["retailer", "revoke", "--brand", &brand, "--type", "MESAJ", "+905321234501"];
        assert!(kopru(&bridge, &revoke).0);
        let (ok, lines) = kopru(&bridge, &["retailer", "delete", "--brand", &brand, &code]);
        assert!(ok && lines[0]["done"] == "retailer.deleted", "{lines:?}");
    }
}
