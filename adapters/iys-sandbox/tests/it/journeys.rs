//! What a client lives through with the registry.

use iys::wire::{AddResponse, BatchAddResponse, BatchResult, ChangesPage, HistoryResponse, StatusResponse};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::world::{BRAND, PHONE, Reply, World, send};

/// Reads an answer with the client's own types.
fn read<T: DeserializeOwned>(reply: &Reply) -> T {
    serde_json::from_value(reply.body.clone()).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

fn key() -> Value {
    json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ"})
}

fn consents() -> String {
    format!("{BRAND}/consents")
}

fn feed(source: &str, more: &str) -> String {
    format!("{BRAND}/consents/changes?source={source}{more}")
}

#[tokio::test]
async fn an_approval_shows_in_status_history_and_after_an_hour_in_the_feed() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 600).await;
    let reply = world.partner("POST", &consents(), Some(&consent)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let added: AddResponse = read(&reply);
    assert_eq!(added.transaction_id.len(), 64);

    let status: StatusResponse =
        read(&world.partner("POST", &format!("{BRAND}/consents/status"), Some(&key())).await);
    assert_eq!(status.status, "ONAY");
    assert_eq!(status.consent_date.as_deref(), consent["consentDate"].as_str());
    assert_eq!(status.creation_date.as_deref(), Some(added.creation_date.as_str()));
    assert_eq!(status.transaction_id.as_deref(), Some(added.transaction_id.as_str()));

    let history: HistoryResponse =
        read(&world.partner("POST", &format!("{BRAND}/consents/history"), Some(&key())).await);
    assert_eq!(history.list.len(), 1);
    assert_eq!(history.pagination.total_count, 1);

    assert_eq!(world.partner("GET", &feed("HS", ""), None).await.status, 204, "the last hour is hidden");
    world.advance("65m").await;
    let page: ChangesPage = read(&world.partner("GET", &feed("HS", ""), None).await);
    assert_eq!(page.list.len(), 1);
    assert_eq!(page.list[0].transaction_id, added.transaction_id);
    assert_eq!(world.partner("GET", &feed("IYS", ""), None).await.status, 204, "nothing by citizens");
    let after = format!("&after={}", page.after.unwrap());
    assert_eq!(world.partner("GET", &feed("HS", &after), None).await.status, 204, "nothing new");
}

#[tokio::test]
async fn a_batch_is_empty_at_first_and_then_tells_each_item() {
    let world = World::start().await;
    let first = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&first)).await.status, 200);
    let mut unknown = world.consent("RET", 60).await;
    unknown["recipient"] = "+905551112244".into();
    let mut new = world.consent("ONAY", 60).await;
    new["recipient"] = "+905551112255".into();
    let batch =
        json!([world.consent("RET", 60).await, unknown, new, world.consent_by_email("ALI@Ornek.com").await]);
    let reply = world.partner("POST", &format!("{BRAND}/consents/request"), Some(&batch)).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let accepted: BatchAddResponse = read(&reply);
    assert_eq!(accepted.sub_requests.len(), 4);
    assert_eq!(accepted.sub_requests[3].recipient, "ali@ornek.com");

    let path = format!("{BRAND}/consents/request/{}", accepted.request_id);
    let waiting: BatchResult = read(&world.partner("GET", &path, None).await);
    assert!(waiting.items.is_empty(), "{waiting:?}");
    world.settings(json!({"batchPending": "enqueue"})).await;
    let waiting: BatchResult = read(&world.partner("GET", &path, None).await);
    assert!(waiting.items.len() == 4 && waiting.items.iter().all(|item| item.status == "enqueue"));

    world.advance("61s").await;
    let done: BatchResult = read(&world.partner("GET", &path, None).await);
    let told: Vec<_> = done
        .items
        .iter()
        .map(|item| (item.is_recorded(), item.error.as_ref().and_then(|error| error.code.as_deref())))
        .collect();
    assert_eq!(told, [(true, None), (false, Some("H175")), (true, None), (true, None)]);
    for (item, sub_request) in done.items.iter().zip(&accepted.sub_requests) {
        assert_eq!(item.sub_request_id.as_deref(), Some(sub_request.sub_request_id.as_str()));
    }
    let status: StatusResponse =
        read(&world.partner("POST", &format!("{BRAND}/consents/status"), Some(&key())).await);
    assert_eq!(status.status, "RET");
}

#[tokio::test]
async fn a_batch_is_recorded_as_of_its_own_time_and_before_what_came_later() {
    let world = World::start().await;
    let batch = json!([world.consent("ONAY", 600).await]);
    let sent = world.now().await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents/request"), Some(&batch)).await.status, 202);
    world.advance("1h").await;
    let rejection = world.consent("RET", 60).await;
    assert_eq!(
        world.partner("POST", &consents(), Some(&rejection)).await.status,
        200,
        "the approval came first"
    );
    let movements = world.control("GET", "/movements?brandCode=600100", Value::Null).await;
    let list = movements["list"].as_array().unwrap();
    assert_eq!([&list[0]["status"], &list[1]["status"]], ["ONAY", "RET"]);
    let created = list[0]["creationDate"].as_str().unwrap().replace(' ', "T");
    let created: chrono::NaiveDateTime = created.parse().unwrap();
    assert!((60..=120).contains(&(created - sent).num_seconds()), "{created} {sent}");
}

#[tokio::test]
async fn a_resent_batch_points_to_the_first_one() {
    let world = World::start().await;
    let batch = json!([world.consent("ONAY", 600).await]);
    let path = format!("/v2{BRAND}/consents/request");
    let mut requests = Vec::new();
    for _ in 0..2 {
        // Both wait in the queue together: the second was sent because the first had no answer.
        let accepted: BatchAddResponse = read(&world.partner("POST", &path, Some(&batch)).await);
        requests.push(accepted.request_id);
    }
    world.advance("2m").await;
    let results = |version: &'static str, id: String| {
        let world = &world;
        async move {
            let path = format!("{version}{BRAND}/consents/request/{id}");
            read::<BatchResult>(&world.partner("GET", &path, None).await).items.remove(0)
        }
    };
    let first = results("/v2", requests[0].clone()).await;
    let second = results("/v2", requests[1].clone()).await;
    assert!(first.original_request_information.is_none());
    assert_eq!(second.original_request_information.unwrap().request_id, requests[0]);
    assert_eq!(second.is_add_consent_v2_service, Some(true));
    assert_eq!((first.transaction_id, first.creation_date), (second.transaction_id, second.creation_date));
    assert!(results("", requests[1].clone()).await.original_request_information.is_none());
    let movements = world.control("GET", "/movements", Value::Null).await;
    assert_eq!(movements["list"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn v2_answers_a_repeated_approval_with_the_old_id_even_after_a_citizens_rejection() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 600).await;
    let path = format!("/v2{BRAND}/consents");
    let first: AddResponse = read(&world.partner("POST", &path, Some(&consent)).await);
    world.advance("1m").await;
    world.reject_as_citizen("IYS_WEB").await;
    world.advance("1m").await;
    let again: AddResponse = read(&world.partner("POST", &path, Some(&consent)).await);
    assert_eq!(first, again);
    let status: StatusResponse =
        read(&world.partner("POST", &format!("{BRAND}/consents/status"), Some(&key())).await);
    assert_eq!((status.status.as_str(), status.source.as_deref()), ("RET", Some("IYS_WEB")));
}

#[tokio::test]
async fn a_citizens_rejection_comes_in_the_feed_of_the_registry() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&consent)).await.status, 200);
    world.advance("1m").await;
    let made = world.reject_as_citizen("IYS_KISAMESAJ").await;
    world.advance("65m").await;
    let page: ChangesPage = read(&world.partner("GET", &feed("IYS", ""), None).await);
    assert_eq!(page.list.len(), 1);
    let change = &page.list[0];
    assert_eq!((change.status.as_str(), change.source.as_deref()), ("RET", Some("IYS_KISAMESAJ")));
    assert_eq!(made["transactionId"], change.transaction_id);
    let statuses = world
        .partner(
            "POST",
            &format!("{BRAND}/consents/BIREYSEL/status/MESAJ"),
            Some(&json!({"recipients": [PHONE]})),
        )
        .await;
    assert_eq!(statuses.body["list"], json!([]));
}

#[tokio::test]
async fn a_closed_line_repeats_the_old_date_or_none() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&consent)).await.status, 200);
    let merchant = json!({"recipient": PHONE, "type": "MESAJ", "status": "ONAY", "recipientType": "TACIR"});
    assert_eq!(world.partner("POST", &consents(), Some(&merchant)).await.status, 200);
    world.advance("1m").await;
    for kind in ["BIREYSEL", "TACIR"] {
        let closed = json!({
            "brandCode": 600_100, "recipient": PHONE, "recipientType": kind, "type": "MESAJ",
            "status": "RET", "source": "IYS_AHS_HAT_KAPATMA",
        });
        world.control("POST", "/citizen/movements", closed).await;
    }
    world.advance("65m").await;
    let page = world.partner("GET", &feed("IYS", ""), None).await;
    let mut dates: Vec<(String, String)> = page.body["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["recipientType"].to_string(), item["consentDate"].to_string()))
        .collect();
    dates.sort();
    let dated = consent["consentDate"].to_string();
    assert_eq!(dates, [("\"BIREYSEL\"".into(), dated), ("\"TACIR\"".into(), "\"\"".into())]);
}

#[tokio::test]
async fn the_feed_is_ordered_and_its_pages_leave_no_gap() {
    let world = World::start().await;
    world.settings(json!({"perSecondLimit": null, "batchDelaySeconds": 0})).await;
    let template = world.consent("ONAY", 600).await;
    for round in 0..3 {
        let batch: Vec<Value> = (0..20)
            .map(|number| {
                let mut consent = template.clone();
                consent["recipient"] = format!("+90555{:07}", 2_000_000 + round * 100 + number).into();
                consent
            })
            .collect();
        let batch = Value::from(batch);
        assert_eq!(
            world.partner("POST", &format!("{BRAND}/consents/request"), Some(&batch)).await.status,
            202
        );
        world.advance("1s").await;
    }
    // Two movements of one key in one second share their id: no page may fall between them unseen.
    let next = world.ago(-1).await.replace(' ', "T");
    world.control("POST", "/clock", json!({"set": format!("{next}+03:00")})).await;
    for (status, ago) in [("ONAY", 500), ("RET", 400)] {
        let consent = world.consent(status, ago).await;
        assert_eq!(world.partner("POST", &consents(), Some(&consent)).await.status, 200);
    }
    world.advance("65m").await;
    for limit in [1, 7, 61, 62, 1000] {
        let mut after = String::new();
        let mut seen = Vec::new();
        loop {
            let reply = world.partner("GET", &feed("HS", &format!("&limit={limit}{after}")), None).await;
            if reply.status == 204 {
                break;
            }
            let page: ChangesPage = read(&reply);
            assert!(page.list.len() <= limit);
            after = format!("&after={}", page.after.unwrap());
            seen.extend(
                page.list.into_iter().map(|item| (item.creation_date, item.transaction_id, item.status)),
            );
        }
        assert_eq!(seen.len(), 62, "limit {limit}");
        let places: Vec<_> = seen.iter().map(|(date, id, _)| (date.clone(), id.clone())).collect();
        assert!(places.is_sorted(), "limit {limit}");
        assert_eq!(seen[60].1, seen[61].1);
        assert_eq!((seen[60].2.as_str(), seen[61].2.as_str()), ("ONAY", "RET"));
    }
}

#[tokio::test]
async fn a_cursor_older_than_the_window_begins_at_the_window() {
    let world = World::start().await;
    world.settings(json!({"accessTokenSeconds": 100_000_000})).await;
    let first = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&first)).await.status, 200);
    world.advance("65m").await;
    let page: ChangesPage = read(&world.partner("GET", &feed("HS", ""), None).await);
    world.advance("10d").await;
    let second = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&second)).await.status, 200);
    world.advance("65m").await;
    let after = format!("&after={}", page.after.unwrap());
    let page: ChangesPage = read(&world.partner("GET", &feed("HS", &after), None).await);
    assert_eq!(page.list.len(), 1);
    assert_eq!(page.list[0].consent_date.as_deref(), second["consentDate"].as_str());
}

#[tokio::test]
async fn tokens_rotate_and_come_as_form_and_json() {
    let world = World::start().await;
    let form = [
        ("grant_type", "password"),
        ("username", world.seed.username.as_str()),
        ("password", world.seed.password.as_str()),
    ];
    let first = send(world.request("POST", "/oauth2/token").form(&form)).await;
    assert_eq!((first.status, &first.body["token_type"]), (200, &json!("bearer")));
    assert_eq!(
        (&first.body["expires_in"], &first.body["refresh_expires_in"]),
        (&json!(7200), &json!(14_400))
    );
    assert_eq!(first.body["access_token"].as_str().unwrap().split('.').count(), 3);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": first.body["refresh_token"]});
    let second = send(world.request("POST", "/oauth2/token").json(&refresh)).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.body["refresh_token"], first.body["refresh_token"]);
    let third = send(world.request("POST", "/oauth2/token").json(&refresh)).await;
    assert_eq!((third.status, &third.body["error"]), (400, &json!("invalid_grant")));
    let path = format!("{BRAND}/consents/changes");
    for reply in [&first, &second] {
        let token = reply.body["access_token"].as_str().unwrap();
        assert_eq!(send(world.request("GET", &path).bearer_auth(token)).await.status, 204);
    }
}

#[tokio::test]
async fn brands_authorisations_and_subscriptions_are_listed() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 600).await;
    assert_eq!(world.partner("POST", &consents(), Some(&consent)).await.status, 200);
    let brands = world.call("provider", "GET", "/sps/600100/brands", None).await.body;
    assert_eq!(brands[0]["brandCode"], 600_100);
    assert_eq!(brands[0]["stats"]["consents"], json!({"approval": 1, "rejection": 0, "total": 1}));
    let list = world.partner("GET", "/integrator/900001/sps", None).await.body;
    assert_eq!(list["pagination"], json!({"offset": 0, "pageSize": 1, "totalCount": 1}));
    assert_eq!((&list["list"][0]["MESAJ"], &list["list"][0]["master"]), (&json!("write"), &json!(true)));
    let one = world.partner("GET", "/integrator/900001/sps/600100", None).await.body;
    assert_eq!(one, list);
    world.settings(json!({"codesAsText": true})).await;
    let texts = world.partner("GET", "/integrator/900001/sps", None).await.body;
    assert_eq!(texts["list"][0]["brandCode"], "600100");
    let own = world.partner("GET", "/integrator/900001/subscription", None).await.body;
    assert_eq!((&own["iysCode"], &own["status"]), (&json!(900_001), &json!("ACTIVE")));
    let seen = world.call("provider", "GET", "/sps/600100/subscription", None).await.body;
    assert_eq!(seen["usedConsentLimit"], 1);
}

#[tokio::test]
async fn three_business_days_have_three_readings() {
    let world = World::start().await;
    world.settings(json!({"accessTokenSeconds": 1_000_000_000_i64})).await;
    // Given on a Monday; the third business day is the eve of Republic Day, a half day, and the next
    // is the Monday after.
    for (now, policy, expected) in [
        ("2032-10-28T10:00:00", "exact", 200),
        ("2032-10-28T10:00:31", "exact", 422),
        ("2032-10-28T23:59:30", "legal", 200),
        ("2032-10-29T00:00:00", "legal", 422),
        ("2032-11-01T23:59:30", "latest", 200),
        ("2032-11-02T00:00:00", "latest", 422),
    ] {
        world.settings(json!({"h467": policy})).await;
        world.control("POST", "/clock", json!({"set": format!("{now}+03:00")})).await;
        let mut consent = world.consent("ONAY", 0).await;
        consent["recipient"] = format!("{policy}{expected}@ornek.com").into();
        consent["type"] = "EPOSTA".into();
        consent["consentDate"] = "2032-10-25 10:00:30".into();
        let reply = world.partner("POST", &consents(), Some(&consent)).await;
        assert_eq!(reply.status, expected, "{now} {policy}: {reply:?}");
    }
}
