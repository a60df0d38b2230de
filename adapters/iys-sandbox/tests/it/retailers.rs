//! Retailers, and which consents they can see.

use serde_json::{Value, json};

use crate::world::{BRAND, PHONE, World, retailer};

/// A retailer that is not the one of [`retailer`], and one that is neither of them.
fn others() -> [Value; 2] {
    ["57703411244", "10000000214"].map(|tckn| {
        let mut other = retailer();
        other["tckn"] = tckn.into();
        other["title"] = format!("Bayi {tckn}").into();
        other
    })
}

async fn add(world: &World, body: &Value) -> i64 {
    let reply = world.partner("POST", &format!("{BRAND}/retailers"), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let code = reply.body["retailerCode"].as_i64().unwrap();
    assert!((10_000_000..100_000_000).contains(&code), "{code}");
    code
}

async fn one(world: &World, code: i64) -> Value {
    world.partner("GET", &format!("{BRAND}/retailers/{code}"), None).await.body
}

async fn unlimited() -> World {
    let world = World::start().await;
    world.settings(json!({ "perSecondLimit": null })).await;
    world
}

/// The numbers of the retailers that can see the consent of [`PHONE`].
async fn seeing(world: &World) -> Vec<i64> {
    let path = format!("{BRAND}/consent/retailers/access/list");
    let reply = world.partner("POST", &path, Some(&key())).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let list = reply.body["list"].as_array().unwrap();
    assert_eq!(reply.body["pagination"]["totalCount"], list.len());
    list.iter().map(|retailer| retailer["retailerCode"].as_i64().unwrap()).collect()
}

fn key() -> Value {
    json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ"})
}

fn many(retailers: &[i64]) -> Value {
    // The second has no consent, and is passed over.
    json!({
        "recipients": [PHONE, "+905551112299"], "recipientType": "BIREYSEL", "type": "MESAJ",
        "retailerAccess": retailers,
    })
}

#[tokio::test]
async fn retailers_are_made_listed_and_removed() {
    let world = unlimited().await;
    let profile = retailer();
    let code = add(&world, &profile).await;
    let shown = one(&world, code).await;
    for field in ["title", "name", "alias", "tckn", "tin", "mobile", "city", "town"] {
        assert_eq!(shown[field], profile[field], "{field}");
    }
    assert_eq!((&shown["status"], &shown["canBeDeleted"]), (&json!("active"), &json!(true)));
    let mut numbers = others()[0].clone();
    numbers["tckn"] = 57_703_411_244_i64.into();
    numbers["town"]["code"] = 433.into();
    numbers["status"] = "suspended".into();
    let second = add(&world, &numbers).await;
    let shown = one(&world, second).await;
    assert_eq!((&shown["tckn"], &shown["town"]["code"]), (&json!("57703411244"), &json!("433")));

    let page = world.partner("GET", &format!("{BRAND}/retailers?offset=1&limit=1"), None).await.body;
    let pagination = json!({"offset": 1, "pageSize": 1, "totalCount": 2, "currentPage": 2});
    assert_eq!(page["pagination"], pagination);
    assert_eq!(page["list"][0]["retailerCode"], code.max(second));
    let short = world.partner("GET", &format!("{BRAND}/retailers?short=true"), None).await.body;
    let mut keys: Vec<&String> = short["list"][0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["city", "retailerAccessCount", "retailerCode", "status", "title"]);
    let brands = world.call("provider", "GET", "/sps/600100/brands", None).await.body;
    assert_eq!(brands[0]["stats"]["retailers"]["total"], 2);

    let gone = world.partner("DELETE", &format!("{BRAND}/retailers/{code}"), None).await;
    assert!(gone.status == 200 && gone.body.is_string(), "a text: {gone:?}");
    assert_eq!(one(&world, code).await, json!({}));
    let again = world.partner("DELETE", &format!("{BRAND}/retailers/{code}"), None).await;
    assert_eq!(again.codes(), ["H058"]);
    add(&world, &profile).await;
}

#[tokio::test]
async fn access_is_given_replaced_and_taken() {
    let world = unlimited().await;
    let [second, third] = others();
    let (a, b, c) = (add(&world, &retailer()).await, add(&world, &second).await, add(&world, &third).await);
    let mut consent = world.consent("ONAY", 60).await;
    consent["retailerCode"] = a.into();
    consent["retailerAccess"] = json!([b]);
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    assert_eq!(seeing(&world).await, [a, b], "the one that took it sees it too");

    let access = format!("{BRAND}/consents/retailers/access");
    let mut grant = key();
    grant["retailerAccess"] = json!([b, c]);
    let granted = world.partner("POST", &access, Some(&grant)).await;
    assert_eq!(granted.status, 200);
    assert_eq!(granted.body["transactionId"].as_str().unwrap().len(), 64);
    assert_eq!(seeing(&world).await, [a, b, c]);
    let status = world.partner("POST", &format!("{BRAND}/consents/status"), Some(&key())).await.body;
    assert_eq!((&status["retailerAccessCount"], &status["retailerCode"]), (&json!(2), &json!(a)));
    assert_ne!(status["transactionId"], granted.body["transactionId"], "it is no movement");

    let replaced = world.partner("PUT", &access, Some(&many(&[c]))).await;
    assert_eq!((replaced.status, replaced.body), (202, Value::Null));
    assert_eq!(seeing(&world).await, [c], "not even the one that took it");
    for code in [a, b] {
        assert_eq!(one(&world, code).await["canBeDeleted"], true, "no consent names it any more");
    }
    let grant = json!({
        "recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ", "retailerAccess": [a, b],
    });
    world.partner("POST", &access, Some(&grant)).await;
    let taken = world.partner("POST", &format!("{access}/remove"), Some(&many(&[c, a]))).await;
    assert_eq!((taken.status, taken.body), (202, Value::Null));
    assert_eq!(seeing(&world).await, [b]);
    assert_eq!(one(&world, b).await["retailerAccessCount"], 1);
    let mut all = many(&[]);
    all.as_object_mut().unwrap().remove("retailerAccess");
    assert_eq!(world.partner("POST", &format!("{access}/remove/all"), Some(&all)).await.status, 202);
    assert_eq!(seeing(&world).await, [] as [i64; 0]);
    let plural = world.partner("POST", &format!("{access}/list"), Some(&key())).await;
    assert_eq!(plural.status, 200, "the older path");
}

#[tokio::test]
async fn a_new_movement_says_anew_who_sees_it() {
    let world = unlimited().await;
    let [second, _] = others();
    let (a, b) = (add(&world, &retailer()).await, add(&world, &second).await);
    for (ago, retailers) in [(180, vec![a, b]), (120, vec![b]), (60, vec![])] {
        let mut consent = world.consent("ONAY", ago).await;
        if !retailers.is_empty() {
            consent["retailerAccess"] = json!(retailers);
        }
        assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
        assert_eq!(seeing(&world).await, retailers);
        let deletable = [!retailers.contains(&a), !retailers.contains(&b)];
        assert_eq!(
            [one(&world, a).await["canBeDeleted"] == true, one(&world, b).await["canBeDeleted"] == true],
            deletable
        );
    }
}

#[tokio::test]
async fn a_retailer_without_a_city_has_no_city_in_the_short_list_either() {
    let world = World::start().await;
    let brands = json!([{"brandCode": 600_100, "retailers": [11_223_344]}]);
    world.control("POST", "/providers", json!({"iysCode": 600_100, "brands": brands})).await;
    for query in ["", "?short=true"] {
        let list =
            world.partner("GET", &format!("{BRAND}/retailers{query}"), None).await.body["list"].clone();
        let made = list.as_array().unwrap().iter().find(|it| it["retailerCode"] == 11_223_344).unwrap();
        assert!(made.get("city").is_none(), "null stood there: {made}");
    }
}

#[tokio::test]
async fn a_city_and_a_town_may_be_named_by_the_numbers_of_the_lists() {
    let world = World::start().await;
    let mut body = retailer();
    body["city"]["code"] = 34.into();
    body["town"]["code"] = 420.into();
    let made = world.partner("POST", &format!("{BRAND}/retailers"), Some(&body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("{BRAND}/retailers/{}", made.body["retailerCode"]);
    let shown = world.partner("GET", &path, None).await.body;
    assert_eq!((&shown["city"]["code"], &shown["town"]["code"]), (&json!("34"), &json!("420")));
}
