//! Texts in versions, and consents that name them in their evidence.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent, kopru};

pub fn path(bridge: &Bridge, rest: &str) -> String {
    format!("/v1/brands/{}/texts{rest}", bridge.brand())
}

pub fn text(code: &str, kind: &str, body: &str) -> Value {
    json!({"code": code, "kind": kind, "tr": {"title": "Ticari ileti onayı", "body": body}})
}

/// Adds a version and returns its hash.
pub async fn add(bridge: &Bridge, body: Value) -> String {
    let (status, answer) = bridge.post_as(&bridge.admin, &path(bridge, ""), body).await;
    assert_eq!(status, 201, "{answer}");
    answer["sha256"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn a_change_makes_a_version_and_edits_none(database: Database) {
        let bridge = Bridge::start(database).await;
        let mut first = text("sms-onay", "consent", "Kampanya SMS’leri almak istiyorum.\r\n\r\nİstediğim an vazgeçebilirim.");
        first["en"] = json!({"title": "Consent", "body": "I want campaign messages."});
        let hash = add(&bridge, first.clone()).await;
        // The same once more adds nothing, however its lines end.
        first["tr"]["body"] = json!("Kampanya SMS’leri almak istiyorum.\n\n\nİstediğim an vazgeçebilirim.\n");
        let (status, same) = bridge.post_as(&bridge.admin, &path(&bridge, ""), first).await;
        assert_eq!((status, &same["version"], &same["sha256"]), (200, &json!(1), &json!(hash)), "{same}");
        let changed = add(&bridge, text("sms-onay", "consent", "Kampanya iletileri almak istiyorum.")).await;
        assert_ne!(changed, hash);
        add(&bridge, text("aydinlatma", "notice", "Verileriniz şu amaçla işlenir.")).await;

        let (_, old) = bridge.get(&path(&bridge, "/sms-onay/1")).await;
        assert_eq!(old["tr"]["body"], "Kampanya SMS’leri almak istiyorum.\n\nİstediğim an vazgeçebilirim.", "{old}");
        assert_eq!((&old["sha256"], &old["en"]["title"], &old["name"]), (&json!(hash), &json!("Consent"), &json!("sms-onay/1")));
        let (_, history) = bridge.get(&path(&bridge, "/sms-onay")).await;
        let versions: Vec<_> = history["items"].as_array().unwrap().iter().map(|it| it["version"].as_i64().unwrap()).collect();
        assert_eq!(versions, [2, 1]);
        let (_, list) = bridge.get(&path(&bridge, "")).await;
        let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["aydinlatma/1", "sms-onay/2"]);
        let (_, notices) = bridge.get(&path(&bridge, "?kind=notice")).await;
        assert_eq!(notices["items"].as_array().unwrap().len(), 1, "{notices}");

        let wrong = [
            (text("SMS", "consent", "a"), "code"),
            (text("sms-onay", "notice", "a"), "kind"),
            (text("a", "letter", "a"), "kind"),
            (text("a", "consent", "a\u{202e}b"), "tr.body"),
            (text("a", "consent", " "), "tr.body"),
        ];
        for (body, field) in wrong {
            let (status, problem) = bridge.post_as(&bridge.admin, &path(&bridge, ""), body).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
        }
        assert_eq!(bridge.get(&path(&bridge, "/sms-onay/3")).await.0, 404);
        assert_eq!(bridge.get(&path(&bridge, "/yok")).await.0, 404);
        assert_eq!(bridge.post(&path(&bridge, ""), text("a", "consent", "b")).await.0, 403, "admin alone adds");

        let brand = bridge.brand().to_string();
        let (ok, lines) = kopru(&bridge, &["text", "show", "sms-onay/1", "--brand", &brand]);
        assert!(ok && lines[0] == old, "{lines:?}");
        let (ok, lines) = kopru(&bridge, &["text", "list", "--brand", &brand]);
        assert!(ok && lines.len() == 2, "{lines:?}");
    }
}

on_both_databases! {
    async fn a_consent_keeps_the_hash_of_the_text_it_names(database: Database) {
        let bridge = Bridge::start(database).await;
        let hash = add(&bridge, text("sms-onay", "consent", "Kabul ediyorum.")).await;
        add(&bridge, text("aydinlatma", "notice", "Bilgi.")).await;
        let at = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let with = |recipient: &str, evidence: Value| {
            let mut body = consent(recipient, "MESAJ", "ONAY", at);
            body["evidence"] = evidence;
            body
        };
        let body = json!([
            with("+905321234501", json!({"text": "sms-onay/1", "notice": "aydinlatma/1"})),
            with("+905321234502", json!({"text": "sms-onay/2"})),
            with("+905321234503", json!({"text": "sms-onay"})),
            with("+905321234504", json!({"text": "aydinlatma/1"})),
            with("+905321234505", json!({"text": "sms-onay/1", "language": "en"})),
            with("+905321234506", json!({"text": "sms-onay/1", "textSha256": "0".repeat(64)})),
            with("+905321234507", json!({"textVersion": "bizim-3"})),
        ]);
        let (status, answer) = bridge.consents(body).await;
        assert_eq!(status, 202, "{answer}");
        let refused: Vec<(i64, &str, &str)> = answer["refused"].as_array().unwrap().iter()
            .map(|it| (it["index"].as_i64().unwrap(), it["field"].as_str().unwrap(), it["code"].as_str().unwrap()))
            .collect();
        assert_eq!(refused, [
            (1, "evidence.text", "unknown_text"),
            (2, "evidence.text", "text"),
            (3, "evidence.text", "wrong_kind"),
            (4, "evidence.language", "no_wording"),
            (5, "evidence.textSha256", "text_mismatch"),
        ], "{answer}");
        assert!(answer["refused"][0]["title"].as_str().unwrap().contains("sms-onay/2"), "{answer}");

        let id = answer["accepted"][0]["id"].as_str().unwrap();
        bridge.drain().await;
        let shown = bridge.state(id).await;
        assert_eq!(shown["state"], "registered", "{shown}");
        let evidence = &shown["evidence"];
        assert_eq!((&evidence["text"], &evidence["notice"]), (&json!("sms-onay/1"), &json!("aydinlatma/1")), "{shown}");
        assert_eq!(evidence["textSha256"], json!(hash), "{shown}");
        bridge.ledger_holds().await;
    }
}
