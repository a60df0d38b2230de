//! Reports on the days that are over.

use serde_json::{Value, json};

use crate::openssl;
use crate::world::{BRAND, PHONE, World, send};

/// A world in which a day of movements has passed, and the name of that day.
async fn after_a_day() -> (World, String) {
    let world = World::start().await;
    world.settings(json!({"perSecondLimit": null, "accessTokenSeconds": 10_000_000})).await;
    // Noon of tomorrow, so that the day has whatever is done next in it.
    let day = world.day(1).await;
    world.control("POST", "/clock", json!({"set": format!("{day}T12:00:00+03:00")})).await;
    for (status, ago) in [("ONAY", 300), ("RET", 200), ("ONAY", 100), ("ONAY", 50)] {
        let consent = world.consent(status, ago).await;
        assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
        world.advance("1s").await;
    }
    world.reject_as_citizen("IYS_MOBIL").await;
    let merchant = json!({"recipient": PHONE, "type": "ARAMA", "status": "ONAY", "recipientType": "TACIR"});
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&merchant)).await.status, 200);
    (world, day.to_string())
}

async fn get(world: &World, path: &str) -> (u16, Value) {
    let reply = world.partner("GET", &format!("{BRAND}{path}"), None).await;
    (reply.status, reply.body)
}

/// The bytes of a download, its media type and under which name it is to be saved.
async fn download(world: &World, path: &str) -> (Vec<u8>, String, String) {
    let request = world.request("GET", &format!("{BRAND}{path}")).bearer_auth(world.token("partner").await);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (kind, name) = (header("content-type"), header("content-disposition"));
    (response.bytes().await.unwrap().to_vec(), kind, name)
}

#[tokio::test]
async fn a_day_is_counted_by_channel_and_side() {
    let (world, day) = after_a_day().await;
    world.advance("1d").await;
    let (status, body) = get(&world, &format!("/changes/{day}/recipients/BIREYSEL")).await;
    assert_eq!(status, 200);
    let of = |stats: &Value, kind: &str, source: &str| -> [i64; 4] {
        let stats = stats["changeStats"].as_array().unwrap();
        let consents = &stats.iter().find(|entry| entry["type"] == kind).unwrap()["consents"];
        let counts = consents.as_array().unwrap().iter().find(|entry| entry["source"] == source).unwrap();
        ["approval", "rejection", "pending", "total"].map(|count| counts[count].as_i64().unwrap())
    };
    // The last of the approvals repeats one: a movement, but no change.
    assert_eq!(of(&body, "MESAJ", "HS"), [2, 1, 0, 4]);
    assert_eq!(of(&body, "MESAJ", "IYS"), [0, 1, 0, 1]);
    assert_eq!(of(&body, "EPOSTA", "HS"), [0; 4]);
    let (_, merchants) = get(&world, &format!("/changes/{day}/recipients/TACIR")).await;
    assert_eq!(of(&merchants, "ARAMA", "HS"), [1, 0, 0, 1]);

    // What still waits in a list counts as pending on the day it came.
    world.settings(json!({"batchDelaySeconds": 3 * 24 * 3600})).await;
    let batch = json!([world.consent_by_email("ali@ornek.com").await]);
    let today = world.day(0).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents/request"), Some(&batch)).await.status, 202);
    world.advance("1d").await;
    let (_, waiting) = get(&world, &format!("/changes/{today}/recipients/BIREYSEL")).await;
    assert_eq!(of(&waiting, "EPOSTA", "HS"), [0, 0, 1, 1]);
}

#[tokio::test]
async fn the_file_tells_every_movement_and_its_hash_is_what_is_agreed_on() {
    let (world, day) = after_a_day().await;
    let (status, _) = get(&world, &format!("/agreements/{day}")).await;
    assert_eq!(status, 422, "the day is not over");
    // Noon and a bit, twelve hours to midnight, and less than six more.
    world.advance("17h").await;
    let agreement = format!("/agreements/{day}");
    let awaited = json!({"processStatus": "inprogress", "hashMethod": "SHA-384", "agreementStatus": false});
    assert_eq!(get(&world, &agreement).await, (200, awaited));
    assert_eq!(get(&world, &format!("/changes/{day}/file")).await.0, 204);
    assert_eq!(get(&world, &format!("{agreement}/timestamp")).await.0, 204);
    let yes = json!({"agreementStatus": true});
    let path = format!("{BRAND}{agreement}");
    assert_eq!(world.partner("PUT", &path, Some(&yes)).await.status, 204);

    world.advance("2h").await;
    let (bytes, kind, name) = download(&world, &format!("/changes/{day}/file")).await;
    assert_eq!((kind.as_str(), name.contains(".csv")), ("text/csv; charset=utf-8", true));
    let text = String::from_utf8(bytes.clone()).unwrap();
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    assert_eq!(lines[0], "creationDate,transactionId,recipient,recipientType,type,status,consentDate,source");
    assert!(lines.len() == 7 && lines[1..].is_sorted() && text.ends_with('\n'), "{text}");
    let movements = world.control("GET", "/movements", Value::Null).await;
    let mut expected: Vec<String> = movements["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            let text = |field: &str| m[field].as_str().unwrap_or_default().to_owned();
            [
                "creationDate",
                "transactionId",
                "recipient",
                "recipientType",
                "type",
                "status",
                "consentDate",
                "source",
            ]
            .map(text)
            .join(",")
        })
        .collect();
    expected.sort();
    assert_eq!(lines[1..], expected);
    assert!(lines.iter().any(|line| line.ends_with(",ONAY,,")), "a merchant's first record has neither");

    let (_, body) = get(&world, &agreement).await;
    assert_eq!(body["processStatus"], "completed");
    assert_eq!((&body["hashMethod"], &body["agreementStatus"]), (&json!("SHA-384"), &json!(false)));
    let hash = sha_384(&bytes);
    assert_eq!(body["hashValue"], hash.as_str());
    let agreed = world.partner("PUT", &path, Some(&yes)).await;
    assert_eq!((agreed.status, agreed.body), (200, json!({"agreementCaptured": true})));
    let (_, body) = get(&world, &agreement).await;
    assert_eq!((&body["hashValue"], &body["agreementStatus"]), (&json!(hash), &json!(true)));
}

fn sha_384(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha384::digest(bytes))
}

#[tokio::test]
async fn openssl_verifies_the_time_stamp() {
    if !openssl::is_here() {
        return;
    }
    let (world, day) = after_a_day().await;
    world.advance("1d").await;
    let (file, ..) = download(&world, &format!("/changes/{day}/file")).await;
    let (stamp, kind, name) = download(&world, &format!("/agreements/{day}/timestamp")).await;
    assert_eq!((kind.as_str(), name.contains(".tsr")), ("text/plain", true));
    let (again, ..) = download(&world, &format!("/agreements/{day}/timestamp")).await;
    assert_eq!(stamp, again, "a day is stamped once");
    let trusted = send(world.request("GET", "/_sandbox/time-stamp-authority")).await.body;
    let verify = |file: &[u8]| openssl::verify(trusted.as_str().unwrap(), file, &stamp);
    let verified = verify(&file);
    let said =
        format!("{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    assert!(verified.status.success() && said.contains("Verification: OK"), "{said}");
    assert!(!verify(b"another file").status.success());
}

#[tokio::test]
async fn places_fit_together() {
    let world = World::start().await;
    let cities = world.partner("GET", "/info/city", None).await.body;
    let towns = world.call("provider", "GET", "/info/town", None).await.body;
    let (cities, towns) = (cities.as_array().unwrap(), towns.as_array().unwrap());
    assert_eq!((cities.len(), towns.len()), (81, 970));
    for town in towns {
        assert!(cities.iter().any(|city| city["code"] == town["city_code"]), "{town}");
    }
}
