//! The door as a whole, over a program with a database of its own and no registry.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use kopru_domain::FixedClock;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::clocks::Clocks;
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::service::keys::{self, NewKey};
use crate::service::{Caller, Scope};

const BRAND: i64 = 612_345;

struct Door {
    app: App,
    router: Router,
    clock: Arc<FixedClock>,
    admin: String,
    _dir: tempfile::TempDir,
}

impl Door {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// With the demo provider 600100 and its brand.
    async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::for_tests(dir.path());
        change(&mut config);
        let clock = Arc::new(FixedClock::new("2026-11-20T09:00:00Z".parse().unwrap()));
        let app = App::start(config, Clocks::new(clock.clone()), Lifecycle::new()).await.unwrap();
        let router = router(app.clone());
        let mut door = Self { app, router, clock, admin: String::new(), _dir: dir };
        door.admin = door.key(&[Scope::Admin], None).await;
        door.made("/v1/providers", json!({"iysCode": 600_100, "title": "Demo A.Ş."})).await;
        door.made("/v1/brands", json!({"iysCode": 600_100, "brandCode": BRAND, "name": "Demo"})).await;
        door
    }

    async fn key(&self, scopes: &[Scope], provider: Option<i64>) -> String {
        let new = NewKey {
            iys_code: provider.map(Into::into),
            name: "test".to_owned(),
            scopes: scopes.to_vec(),
            ..NewKey::default()
        };
        keys::add(&self.app, &Caller::system("test"), new).await.unwrap().key
    }

    async fn send(&self, request: Request<Body>) -> (Response<()>, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn call(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request =
            request(method, path, key).body(body.map_or_else(Body::empty, |json| json.to_string().into()));
        let (response, json) = self.send(request.unwrap()).await;
        (response.status(), json)
    }

    async fn get(&self, path: &str, key: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, key, None).await
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, key, Some(body)).await
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, &self.admin, body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer
    }
}

fn request(method: Method, path: &str, key: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
}

fn consents() -> String {
    format!("/v1/brands/{BRAND}/consents")
}

fn consent(recipient: &str) -> Value {
    json!({"recipient": recipient, "type": "MESAJ", "status": "ONAY", "source": "HS_WEB",
        "consentDate": "2026-11-20 10:05:00", "reference": "crm-1",
        "evidence": {"textVersion": "v3", "fullName": "Ayşe Yılmaz"}})
}

fn slug(answer: &Value) -> &str {
    answer["type"].as_str().unwrap_or_default().trim_start_matches(problem::TYPE_PREFIX)
}

#[tokio::test]
async fn a_consent_is_taken_in_and_shown_masked_or_in_full() {
    let door = Door::open().await;
    let writer = door.key(&[Scope::ConsentsWrite, Scope::ConsentsRead], Some(600_100)).await;
    let (status, answer) = door.post(&consents(), &writer, consent("0532 123 45 67")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer["accepted"][0]["id"].as_str().unwrap();
    assert_eq!(answer["accepted"][0]["deadline"]["target"], "2026-11-24T10:05:00+03:00");

    let (_, shown) = door.get(&format!("/v1/consents/{id}"), &writer).await;
    assert_eq!(shown["recipient"], "+90 532 *** ** 67");
    assert_eq!((&shown["state"], &shown["reference"]), (&json!("queued"), &json!("crm-1")));
    assert_eq!(shown["evidence"]["textVersion"], "v3");
    assert!(!shown.to_string().contains("Ayşe"), "{shown}");
    let reader = door.key(&[Scope::ConsentsRead, Scope::RecipientsRead], None).await;
    let (_, full) = door.get(&format!("/v1/consents/{id}"), &reader).await;
    assert_eq!(full["recipient"], "+905321234567");
    let mut tx = door.app.db.read().await.unwrap();
    let trail = kopru_store::audit::list(&mut tx, 600_100.into(), 10).await.unwrap();
    let shown: Vec<_> = trail.iter().filter(|row| row.action == "recipient.shown").collect();
    assert!(shown.len() == 1 && shown[0].subject.contains(id), "{trail:?}");
    assert!(!format!("{trail:?}").contains("532"), "{trail:?}");

    let (_, list) = door.get(&format!("{}?state=queued&limit=1", consents()), &writer).await;
    assert_eq!((list["items"].as_array().unwrap().len(), &list["hasMore"]), (1, &json!(false)));
    let (_, none) = door.get(&format!("{}?due=2026-11-24T10:00:00%2B03:00", consents()), &writer).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn a_repetition_has_no_second_effect() {
    let door = Door::open().await;
    let key = door.key(&[Scope::ConsentsWrite], None).await;
    let send = async |body: Value, idempotency: &str| {
        let request = request(Method::POST, &consents(), &key).header("idempotency-key", idempotency);
        door.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (_, first) = send(consent("05321234567"), "one").await;
    let (_, again) = send(consent("05321234567"), "one").await;
    assert_eq!(first, again);
    let (response, other) = send(consent("05321234568"), "one").await;
    assert_eq!((response.status(), slug(&other)), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch"));
    let (response, bad) = send(consent("05321234568"), "a b").await;
    assert_eq!((response.status(), slug(&bad)), (StatusCode::BAD_REQUEST, "idempotency-key-invalid"));
}

#[tokio::test]
async fn a_key_is_made_once_for_each_idempotency_key() {
    let door = Door::open().await;
    let make = async |name: &str| {
        let body = json!({"name": name, "scopes": ["changes:read"]});
        let request = request(Method::POST, "/v1/keys", &door.admin).header("idempotency-key", "k-1");
        door.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (first, made) = make("CRM").await;
    assert_eq!(first.status(), StatusCode::CREATED, "{made}");
    let (second, again) = make("CRM").await;
    assert_eq!(made["key"], again["key"]);
    assert_eq!(second.headers()["idempotency-replayed"], "true");
    assert_eq!(make("ERP").await.0.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let (_, list) = door.get("/v1/keys", &door.admin).await;
    let named = list["items"].as_array().unwrap().iter().filter(|key| key["name"] == "CRM").count();
    assert_eq!(named, 1, "{list}");
    assert!(!list.to_string().contains(made["key"].as_str().unwrap()));
}

#[tokio::test]
async fn every_way_in_which_a_key_can_be_wrong_has_its_problem() {
    let door = Door::open().await;
    let key = door
        .made("/v1/keys", json!({"name": "x", "scopes": ["consents:write"], "ipAllow": ["10.0.0.0/8"]}))
        .await;
    let (status, problem) = door.get(&consents(), key["key"].as_str().unwrap()).await;
    assert_eq!((status, slug(&problem)), (StatusCode::FORBIDDEN, "network-not-allowed"));

    let until = json!({"name": "y", "scopes": ["consents:write"], "expiresAt": "2026-11-20T12:00:01+03:00"});
    let short = door.made("/v1/keys", until).await["key"].as_str().unwrap().to_owned();
    let (status, problem) = door.get(&consents(), &short).await;
    assert_eq!((status, problem["scope"].as_str()), (StatusCode::FORBIDDEN, Some("consents:read")));
    door.clock.advance(TimeDelta::seconds(2));
    let (status, problem) = door.get(&consents(), &short).await;
    assert_eq!((status, slug(&problem)), (StatusCode::UNAUTHORIZED, "key-expired"));

    let id = key["id"].as_str().unwrap();
    let (status, _) = door.call(Method::DELETE, &format!("/v1/keys/{id}"), &door.admin, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(slug(&door.get(&consents(), key["key"].as_str().unwrap()).await.1), "key-disabled");

    let mut forged = door.admin.clone();
    forged.replace_range(forged.len() - 2.., "zz");
    assert_eq!(slug(&door.get(&consents(), &forged).await.1), "key-unknown");
    assert_eq!(slug(&door.get(&consents(), "kpr_short").await.1), "key-malformed");
    let (response, problem) = door.send(Request::get(consents()).body(Body::empty()).unwrap()).await;
    assert_eq!((response.status(), slug(&problem)), (StatusCode::UNAUTHORIZED, "key-missing"));
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
}

#[tokio::test]
async fn what_belongs_to_others_does_not_exist() {
    let door = Door::open().await;
    door.made("/v1/providers", json!({"iysCode": 700_001, "title": "Başka A.Ş."})).await;
    let all = Scope::ALL;
    let foreign = door.key(&all, Some(700_001)).await;
    let own = door.key(&all, Some(600_100)).await;
    let (_, taken) = door.post(&consents(), &own, consent("05321234567")).await;
    let id = taken["accepted"][0]["id"].as_str().unwrap();
    let hook = json!({"url": "http://127.0.0.1:9/x", "brandCode": BRAND});
    let (_, endpoint) = door.post("/v1/webhook-endpoints", &own, hook.clone()).await;
    let endpoint = endpoint["id"].as_str().unwrap();

    for path in [
        consents(),
        format!("/v1/consents/{id}"),
        format!("/v1/brands/{BRAND}/changes"),
        format!("/v1/brands/{BRAND}"),
        "/v1/providers/600100".to_owned(),
        "/v1/keys?iysCode=600100".to_owned(),
        format!("/v1/webhook-endpoints/{endpoint}"),
        format!("/v1/webhook-endpoints/{endpoint}/deliveries"),
        "/v1/brands/x/changes".to_owned(),
        "/v1/consents/x".to_owned(),
    ] {
        let (status, problem) = door.get(&path, &foreign).await;
        assert_eq!((status, slug(&problem)), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
    assert_eq!(door.post(&consents(), &foreign, consent("05321234567")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(door.post("/v1/webhook-endpoints", &foreign, hook).await.0, StatusCode::NOT_FOUND);
    let (status, problem) = door.post("/v1/providers", &foreign, json!({"iysCode": 1, "title": "x"})).await;
    assert_eq!((status, slug(&problem)), (StatusCode::FORBIDDEN, "partner-wide-only"));
    let (status, problem) =
        door.post("/v1/keys", &foreign, json!({"iysCode": 600_100, "name": "x", "scopes": ["admin"]})).await;
    assert_eq!((status, slug(&problem)), (StatusCode::NOT_FOUND, "not-found"));
    let (_, list) = door.get("/v1/providers", &foreign).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_disabled_brand_takes_nothing_in() {
    let door = Door::open().await;
    let key = door.key(&[Scope::ConsentsWrite], None).await;
    assert_eq!(door.post(&consents(), &key, consent("05321234567")).await.0, StatusCode::ACCEPTED);
    let path = format!("/v1/brands/{BRAND}");
    assert_eq!(door.call(Method::DELETE, &path, &door.admin, None).await.0, StatusCode::NO_CONTENT);
    let (status, problem) = door.post(&consents(), &key, consent("05321234568")).await;
    assert_eq!((status, slug(&problem)), (StatusCode::CONFLICT, "conflict"));
    let (status, again) = door
        .post("/v1/brands", &door.admin, json!({"iysCode": 600_100, "brandCode": BRAND, "name": "x"}))
        .await;
    assert_eq!((status, slug(&again)), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(again["errors"][0]["field"], "brandCode", "{again}");
}

#[tokio::test]
async fn a_brand_belongs_to_one_provider() {
    let door = Door::open().await;
    let other = json!({"iysCode": 600_200, "title": "Başka A.Ş."});
    assert_eq!(door.post("/v1/providers", &door.admin, other.clone()).await.0, StatusCode::CREATED);
    let (status, problem) = door.post("/v1/providers", &door.admin, other).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (StatusCode::CONFLICT, &json!("iysCode")),
        "{problem}"
    );
    let brand = json!({"iysCode": 600_200, "brandCode": BRAND, "name": "x"});
    let (status, problem) = door.post("/v1/brands", &door.admin, brand).await;
    assert_eq!((status, slug(&problem)), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(problem["errors"][0]["field"], "brandCode", "{problem}");
}

#[tokio::test]
async fn bodies_and_lists_beyond_the_limits_are_refused() {
    let door = Door::open_with(|config| config.http.body_limit = 40_000).await;
    let key = door.key(&[Scope::ConsentsWrite], None).await;
    let (status, problem) = door.post(&consents(), &key, json!([{"reference": "x".repeat(40_000)}])).await;
    assert_eq!(
        (status, slug(&problem), &problem["limit"]),
        (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", &json!(40_000))
    );
    let many = format!("[{}]", vec!["{}"; 10_001].join(","));
    let (response, problem) =
        door.send(request(Method::POST, &consents(), &key).body(Body::from(many)).unwrap()).await;
    assert_eq!((response.status(), slug(&problem)), (StatusCode::PAYLOAD_TOO_LARGE, "too-many-items"));
    let (status, problem) = door.post(&consents(), &key, json!([{}, {"recipient": 7}])).await;
    assert_eq!((status, slug(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, "nothing-accepted"));
    let places: Vec<&Value> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["index"]).collect();
    assert_eq!((places.first(), places.last()), (Some(&&json!(0)), Some(&&json!(1))), "{problem}");
}

/// Both were told as broken JSON.
#[tokio::test]
async fn bodies_that_are_compressed_or_of_another_encoding_are_told_as_such() {
    let door = Door::open().await;
    let key = door.key(&[Scope::ConsentsWrite], None).await;
    let zipped = request(Method::POST, &consents(), &key).header("content-encoding", "gzip");
    let (response, problem) = door.send(zipped.body(Body::from(vec![0x1f, 0x8b])).unwrap()).await;
    assert_eq!(
        (response.status(), slug(&problem)),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded-body"),
        "{problem}"
    );
    let latin =
        request(Method::POST, &consents(), &key).body(Body::from(&b"{\"reference\": \"\xddst\"}"[..]));
    let (response, problem) = door.send(latin.unwrap()).await;
    assert_eq!((response.status(), slug(&problem)), (StatusCode::BAD_REQUEST, "wrong-encoding"), "{problem}");
}

#[tokio::test]
async fn a_key_that_asks_too_often_has_to_wait() {
    let door = Door::open_with(|config| config.http.requests_per_second_per_key = 1).await;
    let key = door.key(&[Scope::ChangesRead], None).await;
    let path = format!("/v1/brands/{BRAND}/changes");
    let mut last = None;
    for _ in 0..10 {
        let (response, problem) =
            door.send(request(Method::GET, &path, &key).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["ratelimit-policy"], "\"key\";q=2;w=2");
        last = Some((response, problem));
    }
    let (response, problem) = last.unwrap();
    assert_eq!((response.status(), slug(&problem)), (StatusCode::TOO_MANY_REQUESTS, "rate-limited"));
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    let other = door.key(&[Scope::ChangesRead], None).await;
    assert_eq!(door.get(&path, &other).await.0, StatusCode::OK, "each key has a rate of its own");
}

#[tokio::test]
async fn the_feed_goes_on_where_it_was_left_and_wakes_who_waits() {
    let door = Door::open().await;
    let key = door.key(&[Scope::ConsentsWrite, Scope::ChangesRead], None).await;
    let feed = format!("/v1/brands/{BRAND}/changes");
    let (_, empty) = door.get(&feed, &key).await;
    assert_eq!((&empty["items"], &empty["hasMore"]), (&json!([]), &json!(false)));

    let withdrawal = |recipient: &str| {
        let mut body = consent(recipient);
        body["status"] = json!("RET");
        body
    };
    let next = empty["next"].as_str().unwrap();
    let waiting = format!("{feed}?after={next}&wait=20s");
    let (page, taken) = tokio::join!(door.get(&waiting, &key), async {
        tokio::task::yield_now().await;
        door.post(&consents(), &key, json!([withdrawal("05321234567"), withdrawal("05321234568")])).await
    });
    assert_eq!(taken.0, StatusCode::ACCEPTED);
    let items = page.1["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", page.1);
    assert_eq!(
        (&items[0]["data"]["status"], &items[0]["data"]["recipient"]),
        (&json!("RET"), &json!("+905321234567"))
    );

    let (_, first) = door.get(&format!("{feed}?limit=1"), &key).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["hasMore"]), (1, &json!(true)));
    let (_, second) = door.get(&format!("{feed}?after={}", first["next"].as_str().unwrap()), &key).await;
    assert_eq!(second["items"][0], items[1]);
    let (status, problem) = door.get(&format!("{feed}?after=AAAA"), &key).await;
    assert_eq!((status, problem["errors"][0]["field"].as_str()), (StatusCode::BAD_REQUEST, Some("after")));
}

#[tokio::test]
async fn a_check_without_a_registry_fails_closed() {
    let door = Door::open().await;
    let key = door.key(&[Scope::PermissionsRead, Scope::ConsentsWrite], None).await;
    let mut withdrawal = consent("05321234567");
    withdrawal["status"] = json!("RET");
    door.post(&consents(), &key, json!([withdrawal, consent("05321234568")])).await;
    let path = format!("/v1/brands/{BRAND}/check");
    for freshness in ["2h", "10m"] {
        let body = json!({"type": "MESAJ", "freshness": freshness, "recipients": ["0532 123 45 67", "05321234568", "12"]});
        let (status, answer) = door.post(&path, &key, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let reasons: Vec<&Value> =
            answer["verdicts"].as_array().unwrap().iter().map(|verdict| &verdict["reason"]).collect();
        assert_eq!(reasons, [&json!("RET"), &json!("stale"), &json!("invalid")], "{answer}");
        assert_eq!((&answer["allowed"], &answer["stale"]), (&json!(0), &json!(true)));
        assert_eq!(answer["verdicts"][0]["recipient"], "0532 123 45 67", "as sent");
    }
}

#[tokio::test]
async fn an_endpoint_shows_its_secret_once() {
    let door = Door::open().await;
    let key = door.key(&[Scope::WebhooksManage], Some(600_100)).await;
    let (status, made) =
        door.post("/v1/webhook-endpoints", &key, json!({"url": "http://127.0.0.1:9/x"})).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let path = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(door.get(&path, &key).await.1["secret"], Value::Null);
    let (_, rotated) = door.call(Method::POST, &format!("{path}/secret/rotate"), &key, None).await;
    assert_ne!(rotated["secret"], secret);
    assert!(door.get(&path, &key).await.1["oldSecretValidUntil"].is_string());

    let (status, tried) = door.call(Method::POST, &format!("{path}/test"), &key, None).await;
    assert_eq!(
        (status, &tried["delivered"], &tried["error"]),
        (StatusCode::OK, &json!(false), &json!("connect")),
        "{tried}"
    );
    assert_eq!(door.call(Method::DELETE, &path, &key, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(door.get(&path, &key).await.1["disabledReason"], "by_owner");
    let (_, enabled) = door.call(Method::POST, &format!("{path}/enable"), &key, None).await;
    assert_eq!(enabled["active"], true);
    let (status, problem) =
        door.post("/v1/webhook-endpoints", &key, json!({"url": "http://10.0.0.7/x"})).await;
    assert_eq!(
        (status, problem["errors"][0]["field"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("url"))
    );
}

#[tokio::test]
async fn what_is_nowhere_and_what_is_not_done_are_problems_too() {
    let door = Door::open().await;
    let request = |method: Method, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, "en")
            .body(Body::empty())
            .unwrap()
    };
    let (response, problem) = door.send(request(Method::GET, "/v2/nothing?recipient=x")).await;
    assert_eq!((response.status(), slug(&problem)), (StatusCode::NOT_FOUND, "no-such-route"));
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()["x-request-id"], problem["requestId"].as_str().unwrap());
    let (response, problem) = door.send(request(Method::PUT, &consents())).await;
    assert_eq!((response.status(), slug(&problem)), (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"));
    assert!(response.headers()[header::ALLOW].to_str().unwrap().contains("POST"));
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        assert_eq!(door.send(request(Method::GET, path)).await.0.status(), StatusCode::OK, "{path}");
    }
    door.app.lifecycle.stop();
    let (response, readiness) = door.send(request(Method::GET, "/readyz")).await;
    assert_eq!(
        (response.status(), &readiness["service"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("stopping"))
    );
}

#[tokio::test]
async fn a_panic_is_a_bare_problem() {
    let door = Door::open().await;
    async fn panics() {
        panic!("on purpose");
    }
    let state = HttpState::new(door.app.clone());
    let router: Router = Router::new()
        .route("/", get(panics))
        .layer(from_fn_with_state(state.clone(), edge::edge))
        .with_state(state);
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((slug(&problem), problem.get("detail")), ("internal", None));
}
