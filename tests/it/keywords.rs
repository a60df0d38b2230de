//! Short numbers and keywords of the brands, and what a text to them would do.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database};

fn path(brand: i64, rest: &str) -> String {
    format!("/v1/brands/{brand}/keywords{rest}")
}

async fn add(bridge: &Bridge, brand: i64, body: Value) -> (u16, Value) {
    bridge.post_as(&bridge.admin, &path(brand, ""), body).await
}

/// A second provider with a brand of its own.
async fn neighbour(bridge: &Bridge) -> i64 {
    let (provider, brand) = (611_111, 911_111);
    let body = json!({"iysCode": provider, "title": "Komşu A.Ş."});
    assert_eq!(bridge.post_as(&bridge.admin, "/v1/providers", body).await.0, 201);
    let body = json!({"iysCode": provider, "brandCode": brand, "name": "Komşu"});
    assert_eq!(bridge.post_as(&bridge.admin, "/v1/brands", body).await.0, 201);
    brand
}

on_both_databases! {
    async fn a_number_is_shared_by_keywords_that_cannot_be_confused(database: Database) {
        let bridge = Bridge::start(database).await;
        let (own, other) = (bridge.brand(), neighbour(&bridge).await);
        let (status, abc) = add(&bridge, own, json!({"number": "7889", "keyword": "Çiçek"})).await;
        assert_eq!((status, &abc["keyword"], &abc["number"]), (201, &json!("CICEK"), &json!("7889")), "{abc}");

        for (brand, keyword, status, code) in [
            (other, "çiçek", 409, "taken"),
            (own, "CICEK", 409, "taken"),
            (other, "CICEKK", 422, "too_near"),
            (other, "CICKE", 422, "too_near"),
            (other, "iptal", 422, "verb"),
            (other, "ONAY", 422, "verb"),
            (other, "arama", 422, "verb"),
            (other, "iki söz", 422, "not_a_word"),
            (other, "B001", 422, "operator_mark"),
        ] {
            let (answered, problem) = add(&bridge, brand, json!({"number": "7889", "keyword": keyword})).await;
            let error = &problem["errors"][0];
            assert_eq!((answered, &error["field"], &error["code"]), (status, &json!("keyword"), &json!(code)), "{keyword}: {problem}");
        }
        assert_eq!(add(&bridge, other, json!({"number": "7889"})).await.0, 409, "nobody's own any more");
        assert_eq!(add(&bridge, other, json!({"number": "7889", "keyword": "MODA"})).await.0, 201);
        assert_eq!(add(&bridge, other, json!({"number": "4609", "keyword": "CICEK"})).await.0, 201, "another number");
        assert_eq!(add(&bridge, other, json!({"number": "+90 850 123 45 67"})).await.0, 201);
        let (status, problem) = add(&bridge, own, json!({"number": "08501234567", "keyword": "BIZ"})).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (409, &json!("number")), "{problem}");
        assert_eq!(add(&bridge, own, json!({"number": "KOPRU"})).await.0, 422);

        let (_, list) = bridge.get(&path(own, "")).await;
        assert_eq!(list["items"], json!([abc]), "{list}");
        let at = path(own, &format!("/{}", abc["id"].as_str().unwrap()));
        assert_eq!(bridge.get(&at).await, (200, abc.clone()));
        assert_eq!(bridge.get(&path(other, &format!("/{}", abc["id"].as_str().unwrap()))).await.0, 404);
        assert_eq!(bridge.delete_as(&bridge.key, &at).await.0, 403, "admin alone removes");
        assert_eq!(bridge.delete_as(&bridge.admin, &at).await.0, 204);
        assert_eq!(bridge.get(&at).await.0, 404);
        assert_eq!(add(&bridge, other, json!({"number": "7889", "keyword": "CICEK"})).await.0, 201, "free again");
    }
}

on_both_databases! {
    async fn a_text_is_tried_with_the_words_of_its_keyword(database: Database) {
        let bridge = Bridge::start(database).await;
        let brand = bridge.brand();
        let tried = async |body: Value| {
            let (status, answer) = bridge.post(&path(brand, "/try"), body).await;
            assert_eq!(status, 200, "{answer}");
            (answer["outcome"].as_str().unwrap().to_owned(), answer["channels"].clone())
        };
        let is = |outcome: &str, channels: Value| (outcome.to_owned(), channels);
        assert_eq!(tried(json!({"text": "ıptal"})).await, is("rejection", json!(["MESAJ"])));
        assert_eq!(tried(json!({"text": "onay"})).await, is("approval", json!(["MESAJ"])), "as on a number of its own");
        assert_eq!(tried(json!({"text": "onay", "keyword": "ABC"})).await, is("unknown", json!([])));

        let body = json!({"number": "7889", "keyword": "ABC", "approvals": ["Katıl"], "rejections": ["yeter"], "channels": ["MESAJ"]});
        let (status, abc) = add(&bridge, brand, body).await;
        assert_eq!((status, &abc["approvals"]), (201, &json!(["KATIL"])), "{abc}");
        assert!(abc["rejections"].as_array().unwrap().contains(&json!("YETER")), "{abc}");
        assert_eq!(tried(json!({"text": "abc katıl"})).await, is("approval", json!(["MESAJ"])));
        assert_eq!(tried(json!({"text": "abc onay"})).await, is("unknown", json!([])), "its own words alone");
        assert_eq!(tried(json!({"text": "abc katıl arama"})).await, is("unknown", json!([])), "not offered");
        assert_eq!(tried(json!({"text": "abc yeter"})).await, is("rejection", json!(["MESAJ"])));
        assert_eq!(tried(json!({"text": "ret hepsi", "number": "7889"})).await, is("rejection", json!(["ARAMA", "MESAJ"])));
        assert_eq!(bridge.post(&path(brand, "/try"), json!({"text": "ret", "number": "4609"})).await.0, 404);

        let at = path(brand, &format!("/{}", abc["id"].as_str().unwrap()));
        let change = json!({"approvals": [], "rejections": [], "channels": ["ARAMA", "MESAJ"]});
        let (status, changed) = bridge.patch_as(&bridge.admin, &at, change).await;
        assert_eq!((status, &changed["channels"]), (200, &json!(["ARAMA", "MESAJ"])), "{changed}");
        assert_eq!(tried(json!({"text": "abc onay"})).await, is("approval", json!(["MESAJ"])));
        for (change, field, code) in [
            (json!({"approvals": ["REY"]}), "approvals", "doubtful_approval"),
            (json!({"approvals": ["SMS"]}), "approvals", "verb"),
            (json!({"rejections": ["abc"]}), "keyword", "verb"),
            (json!({"channels": ["EPOSTA"]}), "channels", "channels"),
        ] {
            let (status, problem) = bridge.patch_as(&bridge.admin, &at, change.clone()).await;
            let error = &problem["errors"][0];
            assert_eq!((status, &error["field"], &error["code"]), (422, &json!(field), &json!(code)), "{change}: {problem}");
        }
    }
}
