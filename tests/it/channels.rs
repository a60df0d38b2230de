//! Call centres, paper and events: each consent reaches the registry with its source, and its evidence rebuilds what was said,
//! shown or signed.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::time::format_rfc3339;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::on_both_databases;
use crate::support::{Bridge, Database, kopru};
use crate::texts;

const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn path(bridge: &Bridge, rest: &str) -> String {
    format!("/v1/brands/{}{rest}", bridge.brand())
}

fn call(id: &str, recipient: &str, at: DateTime<Utc>, more: &Value) -> Value {
    let mut body = json!({"callId": id, "recipient": recipient, "answeredAt": format_rfc3339(at),
        "startedAt": format_rfc3339(at - TimeDelta::minutes(2)), "agent": "ayse.k", "voiceRecordId": format!("kayit-{id}"),
        "voiceOffsetSeconds": 42, "voiceSha256": SHA, "script": "cagri-metni/1"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn evidence(bridge: &Bridge, id: &str) -> Value {
    let (status, pack) = bridge.get(&format!("/v1/consents/{id}/evidence")).await;
    assert_eq!(status, 200, "{pack}");
    assert_eq!(pack["ledger"]["holds"], true, "{pack}");
    // What the pack says can be computed by anybody.
    let bytes = |name: &str| hex::decode(pack["ledger"][name].as_str().unwrap()).unwrap();
    let link = Sha256::digest([bytes("previousHash"), bytes("record")].concat());
    assert_eq!(hex::encode(link), pack["ledger"]["hash"], "{pack}");
    for name in ["recipient", "evidence"] {
        let part = &pack["ledger"][name];
        let salt = hex::decode(part["salt"].as_str().unwrap()).unwrap();
        let digest = hex::encode(Sha256::digest(
            [salt.as_slice(), part["value"].as_str().unwrap().as_bytes()].concat(),
        ));
        assert_eq!(part["sha256"], digest, "{pack}");
        assert!(pack["ledger"]["record"].as_str().unwrap().contains(&digest), "{pack}");
    }
    pack
}

async fn at_the_registry(bridge: &Bridge, recipient: &str) -> Vec<(String, String)> {
    let movements = bridge.registry.movements().await;
    let of = movements.iter().filter(|it| it["recipient"] == recipient);
    of.map(|it| (it["status"].as_str().unwrap().to_owned(), it["source"].as_str().unwrap().to_owned()))
        .collect()
}

on_both_databases! {
    async fn calls_become_consents_or_notes(database: Database) {
        let bridge = Bridge::start(database).await;
        texts::add(&bridge, texts::text("cagri-metni", "call_script", "Kampanya araması almak ister misiniz? Evet için 1, hayır için 9.")).await;
        let at = bridge.app.clocks.business() - TimeDelta::minutes(10);
        let body = json!([
            call("c-1", "0532 123 45 01", at, &json!({"key": "1"})),
            call("c-2", "+905321234502", at, &json!({"key": "5"})),
            call("c-3", "+905321234503", at, &json!({})),
            call("c-4", "+905321234504", at, &json!({"key": "1", "voiceRecordId": null})),
            call("c-5", "+905321234505", at, &json!({"status": "ONAY", "answeredAt": null})),
            call("c-6", "+905321234506", at, &json!({"status": "ONAY", "type": "MESAJ"})),
            call("c-7", "5", at, &json!({})),
        ]);
        let (status, answer) = bridge.post(&path(&bridge, "/calls"), body.clone()).await;
        assert_eq!(status, 202, "{answer}");
        let places = |name: &str, what: &str| -> Vec<(i64, String)> {
            answer[name].as_array().unwrap().iter().map(|it| (it["index"].as_i64().unwrap(), it[what].as_str().unwrap().to_owned())).collect()
        };
        assert_eq!(places("accepted", "state"), [(0, "queued".to_owned()), (5, "queued".to_owned())], "{answer}");
        assert_eq!(places("undecided", "reason"), [(1, "other_key".to_owned()), (2, "silence".to_owned())], "{answer}");
        assert_eq!(places("refused", "field"), [(3, "voiceRecordId".to_owned()), (4, "answeredAt".to_owned()), (6, "recipient".to_owned())], "{answer}");
        bridge.drain().await;
        assert_eq!(at_the_registry(&bridge, "+905321234501").await, [("ONAY".to_owned(), "HS_CAGRI_MERKEZI".to_owned())]);

        // The same calls again, long after they were filed: the same consents, and nothing new.
        let (_, again) = bridge.post(&path(&bridge, "/calls"), body).await;
        assert_eq!(again["accepted"][0]["id"], answer["accepted"][0]["id"], "{again}");
        assert_eq!((&again["accepted"][0]["state"], &again["accepted"][0]["code"]), (&json!("registered"), &json!("already_taken")), "{again}");
        let (_, notes) = bridge.get(&path(&bridge, "/calls")).await;
        let noted: Vec<_> = notes["items"].as_array().unwrap().iter().map(|it| (it["callId"].as_str().unwrap(), it["agent"].as_str().unwrap())).collect();
        assert!(noted.len() == 2 && noted.contains(&("c-2", "ayse.k")) && noted.contains(&("c-3", "ayse.k")), "{notes}");

        let pack = evidence(&bridge, answer["accepted"][0]["id"].as_str().unwrap()).await;
        assert_eq!((&pack["recipient"], &pack["source"], &pack["type"]), (&json!("+905321234501"), &json!("HS_CAGRI_MERKEZI"), &json!("ARAMA")));
        assert_eq!(pack["text"]["body"], "Kampanya araması almak ister misiniz? Evet için 1, hayır için 9.", "{pack}");
        assert_eq!((&pack["text"]["intact"], &pack["text"]["kind"]), (&json!(true), &json!("call_script")), "{pack}");
        assert_eq!(pack["parts"], json!([{"kind": "voice_record", "id": "kayit-c-1", "sha256": SHA, "offsetSeconds": 42}]));
        let facts = &pack["facts"];
        assert_eq!((&facts["operator"], &facts["keyPressed"], &facts["callId"]), (&json!("ayse.k"), &json!("1"), &json!("c-1")), "{pack}");
        assert_eq!((&facts["declared"], &facts["door"]), (&json!(true), &json!("call_centre")), "{pack}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// One key of the agent is enough, it blocks the next dial, and it comes once.
    async fn a_refusal_on_the_phone_needs_nothing_else(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(10);
        texts::add(&bridge, texts::text("cagri-metni", "call_script", "Metin")).await;
        let (status, answer) = bridge.post(&path(&bridge, "/calls"), call("c-1", "+905321234501", given, &json!({"key": "1"}))).await;
        assert_eq!(status, 202, "{answer}");
        bridge.drain_for(2, "16m").await;
        let may_call = async || bridge.post(&path(&bridge, "/calls/check"), json!({"recipient": "0532 123 45 01"})).await.1;
        let verdict = may_call().await;
        assert_eq!(verdict["allowed"], true, "{verdict}");

        let refusal = json!({"callId": "c-2", "recipient": "+905321234501", "rejection": true, "said": "bir daha aramayın"});
        let (status, answer) = bridge.post(&path(&bridge, "/calls"), refusal.clone()).await;
        assert_eq!(status, 202, "{answer}");
        let verdict = may_call().await;
        assert_eq!((&verdict["allowed"], &verdict["reason"]), (&json!(false), &json!("RET")), "before it is filed: {verdict}");
        bridge.drain_for(2, "5s").await;
        let (_, again) = bridge.post(&path(&bridge, "/calls"), refusal).await;
        assert_eq!(again["accepted"][0]["id"], answer["accepted"][0]["id"], "{again}");
        bridge.drain_for(2, "5s").await;
        let told: Vec<_> = at_the_registry(&bridge, "+905321234501").await.into_iter().map(|(status, _)| status).collect();
        assert_eq!(told, ["ONAY", "RET"]);
        let pack = evidence(&bridge, answer["accepted"][0]["id"].as_str().unwrap()).await;
        assert_eq!(pack["facts"]["said"], "bir daha aramayın", "{pack}");
    }
}

on_both_databases! {
    async fn a_day_s_calls_come_as_a_table(database: Database) {
        let bridge = Bridge::start(database).await;
        let settings = path(&bridge, "/calls/settings");
        let (_, before) = bridge.get(&settings).await;
        assert_eq!((&before["voiceRecordRequired"], &before["approvalKey"]), (&json!(true), &json!("1")), "{before}");
        let change = json!({"voiceRecordRequired": false, "approvalKey": "2", "rejectionKey": "3"});
        let (status, after) = bridge.patch_as(&bridge.admin, &settings, change).await;
        assert_eq!((status, &after["voiceRecordRequired"]), (200, &json!(false)), "{after}");
        let same = bridge.patch_as(&bridge.admin, &settings, json!({"approvalKey": "3"})).await;
        assert_eq!((same.0, &same.1["errors"][0]["field"]), (422, &json!("rejectionKey")), "{}", same.1);

        let at = kopru_domain::time::format_registry(bridge.app.clocks.business() - TimeDelta::minutes(10));
        let table = format!(
            "\u{feff}çağrı no;telefon;tuş;tarih;temsilci\r\nk-1;0532 123 45 01;2;{at};ali\r\nk-2;0532 123 45 02;3;{at};ali\r\nk-3;0532 123 45 03;;{at};ali\r\n"
        );
        let (status, answer) = bridge
            .post_raw(&path(&bridge, "/calls"), &bridge.key, &[("content-type", "text/csv; charset=utf-8")], table.into_bytes())
            .await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!((answer["accepted"].as_array().unwrap().len(), answer["undecided"][0]["index"].as_i64()), (2, Some(2)), "{answer}");
        bridge.drain().await;
        assert_eq!(at_the_registry(&bridge, "+905321234501").await, [("ONAY".to_owned(), "HS_CAGRI_MERKEZI".to_owned())]);
        assert_eq!(bridge.permission("+905321234502", "ARAMA").await["permissions"][0]["status"], "RET");
        let wrong = "callId,phnoe\na,b\n".as_bytes().to_vec();
        let (status, problem) = bridge.post_raw(&path(&bridge, "/calls"), &bridge.key, &[("content-type", "text/csv")], wrong).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("phnoe")), "{problem}");
    }
}

fn paper(recipient: &str, date: &str, more: &Value) -> Value {
    let mut body = json!({"recipient": recipient, "type": "MESAJ", "status": "ONAY", "signatureDate": date, "signaturePresent": true,
        "scanSha256": SHA, "scanId": "arsiv-17", "form": "magaza-formu/1", "notice": "aydinlatma/1", "fullName": "Ayşe Yılmaz",
        "operator": "mehmet", "place": "Kadıköy mağazası", "batch": "2026-11-27/1"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

on_both_databases! {
    async fn forms_on_paper_run_from_their_signature(database: Database) {
        let bridge = Bridge::start(database).await;
        texts::add(&bridge, texts::text("magaza-formu", "paper_form", "Kampanya iletisi almayı onaylıyorum.")).await;
        texts::add(&bridge, texts::text("aydinlatma", "notice", "Verileriniz şöyle işlenir.")).await;
        let now = bridge.app.clocks.business();
        let fresh = format_rfc3339(now - TimeDelta::minutes(30));
        let day = |days: i64| kopru_domain::time::local(now - TimeDelta::days(days)).date().to_string();
        let deadlines = |date: &str| kopru_domain::Deadline::of(kopru::service::endpoints::parse_since(date).unwrap(), &bridge.app.calendar);
        // The oldest day that can still be filed, and one that cannot.
        let near = (1..12).map(day).find(|date| deadlines(date).target < now + TimeDelta::hours(24) && deadlines(date).latest > now + TimeDelta::hours(1)).unwrap();
        let lost = day(30);
        let body = json!([
            paper("0532 123 45 01", &fresh, &json!({})),
            paper("0532 123 45 02", &near, &json!({"source": "HS_ETKINLIK"})),
            paper("0532 123 45 03", &lost, &json!({"signaturePresent": false})),
            paper("0532 123 45 04", &fresh, &json!({"source": "HS_WEB"})),
            paper("0532 123 45 05", &fresh, &json!({"scanSha256": null, "fullName": null, "operator": null})),
            paper("0532 123 45 06", &fresh, &json!({"source": "HS_ISLAK_IMZA", "signaturePresent": false})),
            paper("0532 123 45 07", "dün", &json!({})),
            paper("0532 123 45 01", &fresh, &json!({})),
            paper("0532 123 45 08", &fresh, &json!({"source": "HS_ETKINLIK"})),
        ]);
        let (status, answer) = bridge.post(&path(&bridge, "/papers"), body).await;
        assert_eq!(status, 202, "{answer}");
        let states: Vec<_> = answer["accepted"].as_array().unwrap().iter().map(|it| (it["index"].as_i64().unwrap(), it["state"].as_str().unwrap())).collect();
        assert_eq!(states, [(0, "queued"), (1, "queued"), (2, "expired"), (7, "queued"), (8, "queued")], "{answer}");
        assert_eq!(answer["accepted"][0]["id"], answer["accepted"][3]["id"], "one scan, one consent");
        let warnings: Vec<_> = answer["warnings"].as_array().unwrap().iter().map(|it| (it["index"].as_i64().unwrap(), it["code"].as_str().unwrap())).collect();
        assert_eq!(warnings, [(1, "near_expiry"), (2, "expired")], "{answer}");
        assert_eq!(answer["warnings"][0]["deadline"]["target"], format_rfc3339(deadlines(&near).target), "{answer}");
        let refused: Vec<_> = answer["refused"].as_array().unwrap().iter().map(|it| (it["index"].as_i64().unwrap(), it["field"].as_str().unwrap())).collect();
        assert_eq!(refused, [(3, "source"), (4, "operator"), (4, "scanSha256"), (4, "fullName"), (5, "signaturePresent"), (6, "signatureDate")], "{answer}");

        // What is near its limit goes as a batch.
        bridge.drain_for(3, "6m").await;
        assert_eq!(at_the_registry(&bridge, "+905321234501").await, [("ONAY".to_owned(), "HS_ISLAK_IMZA".to_owned())]);
        assert_eq!(at_the_registry(&bridge, "+905321234508").await, [("ONAY".to_owned(), "HS_ETKINLIK".to_owned())]);
        let id = answer["accepted"][0]["id"].as_str().unwrap();
        let pack = evidence(&bridge, id).await;
        assert_eq!((&pack["text"]["body"], &pack["notice"]["body"]), (&json!("Kampanya iletisi almayı onaylıyorum."), &json!("Verileriniz şöyle işlenir.")));
        assert_eq!(pack["parts"], json!([{"kind": "scan", "id": "arsiv-17", "sha256": SHA}]));
        let facts = &pack["facts"];
        assert_eq!((&facts["place"], &facts["fullName"], &facts["signature"]), (&json!("Kadıköy mağazası"), &json!("Ayşe Yılmaz"), &json!(true)), "{pack}");

        // Personal data is for those with the right alone, and each look is written down.
        let masked = json!({"name": "masked", "scopes": ["consents:read"]});
        let (_, key) = bridge.post_as(&bridge.admin, "/v1/keys", masked).await;
        let (status, problem) = bridge.get_as(key["key"].as_str().unwrap(), &format!("/v1/consents/{id}/evidence")).await;
        assert_eq!((status, &problem["scope"]), (403, &json!("recipients:read")), "{problem}");
        let (ok, lines) = kopru(&bridge, &["consent", "evidence", id]);
        assert!(ok && lines[0] == pack, "{lines:?}");
        let mut tx = bridge.app.db.read().await.unwrap();
        let trail = kopru_store::audit::list(&mut tx, bridge.registry.seed.iys_code.into(), 20).await.unwrap();
        assert_eq!(trail.iter().filter(|row| row.action == "evidence.shown").count(), 2, "{trail:?}");
        bridge.ledger_holds().await;
    }
}
