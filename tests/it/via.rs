//! Confirmations by the registry itself (ViA): it sends, it records, it proves; the bridge starts, follows and keeps the evidence, and
//! files nothing.

use std::time::Duration;

use chrono::TimeDelta;
use kopru_domain::IysCode;
use kopru_store::{Claim, Priority, via_processes};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, kopru};
use crate::texts;

const PHONE: &str = "+905321234567";
const MAIL: &str = "ayse@ornek.com";

struct Via {
    bridge: Bridge,
    http: reqwest::Client,
}

impl Via {
    /// A brand that has given the right, with a form of each kind and ten credits.
    async fn start(database: Database) -> Self {
        Self::with(database, Options::default()).await
    }

    async fn with(database: Database, options: Options) -> Self {
        let via = Self::without_settings(database, options, true).await;
        let (status, set) =
            via.set(json!({"forms": {"SMS_OTP": 1, "SMS_SHORTURL": 2, "EPOSTA_APPROVALURL": 3}})).await;
        assert_eq!(status, 200, "{set}");
        assert_eq!((&set["permitted"], &set["byDefault"]), (&json!(true), &json!(false)), "{set}");
        via
    }

    async fn without_settings(database: Database, options: Options, permitted: bool) -> Self {
        let registry = Registry::start().await;
        let (iys, integrator) = (registry.seed.iys_code, registry.seed.integrator_code);
        let titles = json!({"ETK": ["MESAJ", "ARAMA", "EPOSTA"]});
        let form = |id: i64, kind: &str| json!({"formId": id, "kind": kind, "titles": titles});
        let right = json!({"integratorCode": integrator, "brandCode": registry.seed.brand_code, "viaControl": permitted});
        let provider = json!({"iysCode": iys, "via": {"credit": 10}, "authorisations": [right],
            "forms": [form(1, "OTP"), form(2, "SHORTURL"), form(3, "APPROVALURL")]});
        registry.provider(provider).await;
        let bridge = Bridge::with(database, registry, options).await;
        Self { bridge, http: reqwest::Client::builder().build().unwrap() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/brands/{}/{rest}", self.bridge.brand())
    }

    async fn set(&self, body: Value) -> (u16, Value) {
        self.bridge.put_as(&self.bridge.admin, &self.path("via"), body).await
    }

    async fn settings(&self) -> Value {
        let (status, set) = self.bridge.get_as(&self.bridge.admin, &self.path("via")).await;
        assert_eq!(status, 200, "{set}");
        set
    }

    async fn try_ask(&self, recipient: &str, types: Value, verification: &str) -> (u16, Value) {
        let body = json!({"recipient": recipient, "types": types, "confirmation": "via", "verificationType": verification});
        self.bridge.post(&self.path("opt-ins"), body).await
    }

    /// Starts one, and has the registry asked.
    async fn ask(&self, recipient: &str, types: Value, verification: &str) -> Value {
        let (status, started) = self.try_ask(recipient, types, verification).await;
        assert_eq!(status, 202, "{started}");
        assert_eq!(started["confirmation"], "via", "{started}");
        self.bridge.drain().await;
        started
    }

    async fn enter(&self, started: &Value, code: &str) -> Value {
        let body = json!({"token": started["token"], "code": code});
        let (status, answer) = self.bridge.post(&self.path("opt-ins/confirm"), body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The letters that the registry has sent to an address, newest last.
    async fn letters(&self, recipient: &str) -> Vec<Value> {
        let box_ = self.bridge.registry.get("outbox", &[("recipient", recipient)]).await;
        box_["list"].as_array().unwrap().clone()
    }

    async fn code(&self, recipient: &str) -> String {
        let letters = self.letters(recipient).await;
        letters.last().unwrap()["code"].as_str().unwrap().to_owned()
    }

    /// What the citizen gets behind a link, or for a decision.
    async fn visit(&self, recipient: &str, decision: Option<&'static str>) -> u16 {
        let letters = self.letters(recipient).await;
        let link = letters.last().unwrap()["link"].as_str().unwrap().to_owned();
        let request = match decision {
            None => self.http.get(link),
            Some(decision) => self.http.post(link).body(decision),
        };
        request.send().await.unwrap().status().as_u16()
    }

    async fn page(&self, path: &str, form: Option<&'static str>) -> (u16, String, String) {
        let url = format!("{}{path}", self.bridge.url);
        let request = match form {
            None => self.http.get(url),
            Some(form) => {
                self.http.post(url).body(form).header("content-type", "application/x-www-form-urlencoded")
            }
        };
        let response = request.header("accept-language", "tr").send().await.unwrap();
        let (status, url) = (response.status().as_u16(), response.url().path().to_owned());
        (status, url, response.text().await.unwrap())
    }

    async fn in_state(&self, state: &str) -> Vec<Value> {
        let (status, page) = self.bridge.get(&self.path(&format!("opt-ins?state={state}"))).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().unwrap().clone()
    }

    /// The one double opt-in in a state.
    async fn only(&self, state: &str) -> Value {
        let found = self.in_state(state).await;
        assert_eq!(found.len(), 1, "{state}: {found:?}");
        found[0].clone()
    }

    async fn calls(&self, operation: &str) -> i64 {
        self.bridge.registry.stats().await["operations"][operation]["calls"].as_i64().unwrap_or_default()
    }

    async fn credit(&self, credit: i64) {
        let iys = self.bridge.registry.seed.iys_code;
        self.bridge.registry.provider(json!({"iysCode": iys, "via": {"credit": credit}})).await;
    }

    /// Nothing of it may leave the house as a consent of ours.
    async fn nothing_is_filed(&self) {
        let (_, page) = self.bridge.get(&self.path("consents")).await;
        assert_eq!(page["items"], json!([]), "no consent of ours");
        assert_eq!(
            (self.calls("add").await, self.calls("add_v2").await, self.calls("add_batch").await),
            (0, 0, 0)
        );
        let movements = self.bridge.registry.movements().await;
        assert!(
            movements.iter().all(|it| it["source"].as_str().unwrap().starts_with("IYS_")),
            "{movements:?}"
        );
    }

    fn provider(&self) -> IysCode {
        IysCode(self.bridge.registry.seed.iys_code)
    }
}

on_both_databases! {
    /// The code comes from the registry and only it knows whether it is right; what it records lands in the mirror once.
    async fn a_code_by_sms_is_confirmed_and_proved(database: Database) {
        let via = Via::start(database).await;
        let started = via.ask(PHONE, json!(["MESAJ", "ARAMA"]), "SMS_OTP").await;
        assert_eq!(started["way"], "code");
        let (_, _, page) = via.page(&format!("/c/{}", started["token"].as_str().unwrap()), None).await;
        assert!(page.contains("İYS") && page.contains("<form") && !page.contains(PHONE), "{page}");
        assert_eq!(via.only("pending").await["via"]["state"], "waiting");
        let code = via.code(PHONE).await;
        assert_eq!(via.enter(&started, "0").await, json!({"outcome": "wrong", "triesLeft": 3}), "that is no code and costs no try");
        let other = if code == "111111" { "222222" } else { "111111" };
        assert_eq!(via.enter(&started, other).await, json!({"outcome": "wrong", "triesLeft": 2}));
        for _ in 0..2 {
            assert_eq!(via.enter(&started, &code).await, json!({"outcome": "confirmed"}));
        }
        assert_eq!(via.calls("via_confirmation").await, 2, "a second press asks nobody");
        via.bridge.drain().await;

        let done = via.only("done").await;
        let shown = &done["via"];
        assert_eq!((&shown["state"], &shown["evidence"]["state"]), (&json!("approved"), &json!("stored")), "{done}");
        let types: Vec<&str> = shown["movements"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["ARAMA", "MESAJ"], "{done}");
        let id = done["id"].as_str().unwrap();
        let (kind, file) = via.bridge.download(&via.path(&format!("opt-ins/{id}/evidence")), "application/zip").await;
        let account = via.bridge.app.registry.partner().unwrap();
        let request_id = shown["requestId"].as_str().unwrap();
        let original = account.via_evidence(via.provider().0, request_id).await.unwrap();
        assert!(kind == "application/zip" && file == original.as_ref(), "as it came");
        assert_eq!(shown["evidence"]["sha256"], hex::encode(Sha256::digest(&file)));

        for kind in ["MESAJ", "ARAMA"] {
            let permission = via.bridge.permission(PHONE, kind).await["permissions"][0].clone();
            assert_eq!((&permission["status"], &permission["registry"]["source"]), (&json!("ONAY"), &json!("IYS_KISAMESAJ")), "{permission}");
            assert_eq!(permission["registry"]["optInId"], id, "tied to its process");
        }
        via.bridge.drain_for(3, "40m").await;
        let events = via.bridge.changes().await;
        assert_eq!(events.len(), 2, "the feed tells nothing new: {events:?}");
        assert!(events.iter().all(|it| it["data"]["cause"] == "via" && it["data"]["status"] == "ONAY"), "{events:?}");
        via.nothing_is_filed().await;
        via.bridge.ledger_holds().await;

        let (status, problem) = via.bridge.get_as(&via.bridge.admin, &via.path(&format!("opt-ins/{id}/evidence"))).await;
        assert_eq!(status, 403, "addresses in full are a right of their own: {problem}");
    }
}

on_both_databases! {
    async fn three_wrong_codes_end_it_and_the_right_one_is_too_late(database: Database) {
        let via = Via::start(database).await;
        let started = via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        let code = via.code(PHONE).await;
        let other = if code == "111111" { "222222" } else { "111111" };
        for left in [2, 1] {
            assert_eq!(via.enter(&started, other).await["triesLeft"], left);
        }
        assert_eq!(via.enter(&started, other).await["outcome"], "ended");
        assert_eq!(via.enter(&started, &code).await["outcome"], "ended");
        assert_eq!(via.calls("via_confirmation").await, 3);
        let ended = via.only("abandoned").await;
        assert_eq!((&ended["via"]["state"], &ended["via"]["code"], &ended["wrong"]), (&json!("failed"), &json!("H1050"), &json!(3)));
        via.nothing_is_filed().await;
    }
}

on_both_databases! {
    /// A link leads to the registry, where the citizen may tick a part. A campaign's link counts what came of it.
    async fn a_link_by_sms_is_acted_on_at_the_registry(database: Database) {
        let via = Via::start(database).await;
        let (status, _) = via.set(json!({"forms": {"SMS_SHORTURL": 2}, "byDefault": true})).await;
        assert_eq!(status, 200);
        for (code, kind) in [("onay", "consent"), ("aydinlatma", "notice")] {
            texts::add(&via.bridge, texts::text(code, kind, "Metin.")).await;
        }
        let form = json!({"mersis": "0123456789012345", "text": "onay/1", "notice": "aydinlatma/1", "channels": ["ARAMA", "MESAJ"]});
        let (status, answer) = via.bridge.put_as(&via.bridge.admin, &via.path("forms/bulten"), form).await;
        assert_eq!(status, 201, "{answer}");
        let (status, link) = via.bridge.post(&via.path("links"), json!({"kind": "campaign", "form": "bulten"})).await;
        assert_eq!(status, 201, "{link}");
        let link = &link["items"][0];
        let public = link["url"].as_str().unwrap().strip_prefix(&via.bridge.url).unwrap().trim_start_matches('/').to_owned();
        let (status, at, page) = via
            .page(&format!("/{public}"), Some("fullName=Ay%C5%9Fe+Y%C4%B1lmaz&phone=0532+123+45+67&channels=MESAJ&channels=ARAMA&page=x1"))
            .await;
        assert!(status == 200 && at.starts_with("/c/") && page.contains("İYS'den gelen bağlantıya bakın"), "{status} {at} {page}");
        via.bridge.drain().await;
        assert_eq!(via.visit(PHONE, None).await, 200);
        via.bridge.drain_for(1, "2m").await;
        assert_eq!(via.only("pending").await["via"]["code"], "REQUEST_OPENED/PENDING");
        assert_eq!(via.visit(PHONE, Some("karar=onay&kalem=0")).await, 200);
        via.bridge.drain_for(2, "10m").await;
        let done = via.only("done").await;
        assert_eq!(done["via"]["movements"].as_array().unwrap().len(), 1, "one box: {done}");
        assert_eq!(done["via"]["evidence"]["state"], "stored", "{done}");
        let (_, _, page) = via.page(&at, None).await;
        assert!(page.contains("Onayınız alındı"), "{page}");
        let (_, shown) = via.bridge.get(&via.path(&format!("links/{}", link["id"].as_str().unwrap()))).await;
        assert_eq!((&shown["confirmed"], &shown["refused"]), (&json!(1), &json!(0)), "{shown}");
        via.nothing_is_filed().await;
    }
}

on_both_databases! {
    /// A person's link: the button has the registry ask, and the citizen says no there.
    async fn an_approval_link_by_e_mail_is_refused_and_then_approved(database: Database) {
        let via = Via::start(database).await;
        for (code, kind) in [("onay", "consent"), ("aydinlatma", "notice")] {
            texts::add(&via.bridge, texts::text(code, kind, "Metin.")).await;
        }
        let form = json!({"mersis": "0123456789012345", "text": "onay/1", "notice": "aydinlatma/1", "channels": ["EPOSTA"], "confirmation": "via"});
        let (status, answer) = via.bridge.put_as(&via.bridge.admin, &via.path("forms/bulten"), form.clone()).await;
        assert_eq!(status, 201, "{answer}");
        let mut unfit = form;
        unfit["doubleOptIn"] = json!(false);
        let (status, problem) = via.bridge.put_as(&via.bridge.admin, &via.path("forms/bulten"), unfit).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("confirmation")), "{problem}");

        let body = json!({"kind": "recipient", "form": "bulten", "type": "EPOSTA", "recipient": MAIL});
        let (_, link) = via.bridge.post(&via.path("links"), body).await;
        let link = link["items"][0].clone();
        let public = link["url"].as_str().unwrap().strip_prefix(&via.bridge.url).unwrap().trim_start_matches('/').to_owned();
        for (decision, state) in [("karar=ret", "refused"), ("karar=onay", "approved")] {
            let (status, at, page) = via.page(&format!("/{public}"), Some("answer=confirm&lang=tr")).await;
            assert!(status == 200 && at.starts_with("/c/") && page.contains("bağlantı gönderiyor"), "{status} {at} {page}");
            via.bridge.drain().await;
            assert_eq!(via.visit(MAIL, Some(decision)).await, 200);
            via.bridge.drain_for(2, "5m").await;
            let list = if state == "refused" { "abandoned" } else { "done" };
            assert_eq!(via.only(list).await["via"]["state"], state);
        }
        let (_, shown) = via.bridge.get(&via.path(&format!("links/{}", link["id"].as_str().unwrap()))).await;
        assert_eq!((&shown["confirmed"], &shown["refused"]), (&json!(1), &json!(1)), "{shown}");
        let movements = via.bridge.registry.movements().await;
        assert_eq!((movements.len(), &movements[0]["source"]), (1, &json!("IYS_EPOSTA")), "{movements:?}");
        via.nothing_is_filed().await;
    }
}

on_both_databases! {
    async fn a_used_up_credit_stops_starts_until_it_is_refilled(database: Database) {
        let via = Via::start(database).await;
        via.credit(0).await;
        via.ask(PHONE, json!(["MESAJ"]), "SMS_SHORTURL").await;
        let held = via.only("pending").await;
        assert_eq!((&held["via"]["state"], &held["via"]["code"]), (&json!("queued"), &json!("H1015")), "{held}");
        let (status, problem) = via.try_ask(MAIL, json!(["EPOSTA"]), "EPOSTA_APPROVALURL").await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("H1015"), "{problem}");
        let stopped = via.settings().await["stopped"].clone();
        assert_eq!(stopped["code"], "H1015");
        assert!(stopped["probeAt"].is_string() && stopped["explanation"]["who"] == "client", "{stopped}");
        let (_, lines) = kopru(&via.bridge, &["doctor"]);
        assert!(lines.iter().any(|it| it["check"] == "via" && it["message"].as_str().unwrap().contains("H1015")), "{lines:?}");
        via.bridge.drain_for(2, "5m").await;
        assert_eq!(via.calls("via_start").await, 1, "it is left alone for a while");

        via.credit(5).await;
        via.bridge.drain_for(2, "10m").await;
        assert_eq!(via.letters(PHONE).await.len(), 1, "it goes on by itself");
        assert_eq!(via.settings().await["stopped"], Value::Null);
        assert_eq!(via.try_ask(MAIL, json!(["EPOSTA"]), "EPOSTA_APPROVALURL").await.0, 202);
    }
}

on_both_databases! {
    /// The registry may have sent its code though its answer is lost: there is never a second one for one press.
    async fn a_start_without_an_answer_is_not_repeated(database: Database) {
        let options = Options { registry_timeout: Some(Duration::from_millis(700)), ..Options::default() };
        let via = Via::with(database, options).await;
        via.bridge.registry.fault("via_start", "timeout_after_write", 1).await;
        let started = via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        via.bridge.drain_for(3, "2m").await;
        assert_eq!((via.calls("via_start").await, via.letters(PHONE).await.len()), (1, 1));
        assert_eq!(via.only("abandoned").await["via"]["state"], "failed");
        let code = via.code(PHONE).await;
        assert_eq!(via.enter(&started, &code).await["outcome"], "ended", "without the registry's id it is of no use");

        via.bridge.registry.fault("via_start", "timeout_after_write", 1).await;
        via.ask(MAIL, json!(["EPOSTA"]), "EPOSTA_APPROVALURL").await;
        assert_eq!(via.only("pending").await["via"]["state"], "unknown");
        assert_eq!(via.visit(MAIL, Some("karar=onay")).await, 200);
        via.bridge.drain_for(3, "11m").await;
        let done = via.only("done").await;
        assert_eq!((&done["via"]["state"], &done["via"]["evidence"]["state"]), (&json!("approved"), &json!("none")), "{done}");
        assert_eq!((via.calls("via_start").await, via.letters(MAIL).await.len()), (2, 2), "the link, and what the registry confirms");
        assert_eq!(via.bridge.permission(MAIL, "EPOSTA").await["permissions"][0]["registry"]["optInId"], done["id"]);
        via.nothing_is_filed().await;
    }
}

on_both_databases! {
    /// The process dies between the commit and the registry's answer.
    async fn a_death_during_the_start_sends_nothing_twice(database: Database) {
        let via = Via::start(database).await;
        let (status, _) = via.try_ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        assert_eq!(status, 202);
        let (business, wire) = (via.bridge.app.clocks.business(), via.bridge.app.clocks.wire());
        let dead = Claim { by: Uuid::new_v4(), until: wire - TimeDelta::seconds(1) };
        let mut tx = via.bridge.app.db.begin(Priority::Interactive).await.unwrap();
        let row = via_processes::claim(&mut tx, true, business, wire, dead).await.unwrap().unwrap();
        assert!(via_processes::begin(&mut tx, &row, dead, business).await.unwrap());
        tx.commit().await.unwrap();
        via.bridge.drain_for(2, "1m").await;
        assert_eq!((via.calls("via_start").await, via.letters(PHONE).await.len()), (0, 0));
        assert_eq!(via.only("abandoned").await["via"]["state"], "failed");
        via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        assert_eq!(via.letters(PHONE).await.len(), 1, "another press is another start");
    }
}

on_both_databases! {
    async fn an_answer_to_a_code_that_is_lost_is_asked_for(database: Database) {
        let options = Options { registry_timeout: Some(Duration::from_millis(700)), ..Options::default() };
        let via = Via::with(database, options).await;
        let started = via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        via.bridge.registry.fault("via_confirmation", "timeout_after_write", 1).await;
        let code = via.code(PHONE).await;
        assert_eq!(via.enter(&started, &code).await["outcome"], "confirmed");
        assert_eq!(via.calls("via_confirmation").await, 1);
        via.bridge.drain().await;
        assert_eq!(via.only("done").await["via"]["movements"].as_array().unwrap().len(), 1);
    }
}

on_both_databases! {
    async fn a_brand_without_the_right_is_told_so_and_one_that_withdraws_it_is_held(database: Database) {
        let via = Via::without_settings(database, Options::default(), false).await;
        let (status, problem) = via.set(json!({"forms": {"SMS_OTP": 1}})).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("viaControl"), "{problem}");
        let right = |given: bool| {
            let seed = &via.bridge.registry.seed;
            json!([{"integratorCode": seed.integrator_code, "brandCode": seed.brand_code, "viaControl": given}])
        };
        via.bridge.registry.clear_brand_rights(right(true)).await;
        let (status, set) = via.set(json!({"forms": {"SMS_OTP": 1, "SMS_SHORTURL": 2}, "byDefault": true})).await;
        assert_eq!(status, 200, "the registry is asked again: {set}");

        let (status, _) = via.try_ask(PHONE, json!(["MESAJ"]), "SMS_SHORTURL").await;
        assert_eq!(status, 202);
        via.bridge.registry.clear_brand_rights(right(false)).await;
        via.bridge.drain().await;
        let held = via.only("pending").await;
        assert_eq!((&held["via"]["state"], &held["via"]["code"]), (&json!("queued"), &json!("H1104")), "{held}");
        let (status, report) = via.bridge.post_as(&via.bridge.admin, "/v1/providers/sync", json!({})).await;
        assert_eq!(status, 200, "{report}");
        assert_eq!(via.settings().await["permitted"], false);
        let (status, problem) = via.try_ask("+905321234568", json!(["MESAJ"]), "SMS_OTP").await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("H1104"), "{problem}");

        via.bridge.registry.clear_brand_rights(right(true)).await;
        let (status, _) = via.bridge.post_as(&via.bridge.admin, "/v1/providers/sync", json!({})).await;
        assert_eq!(status, 200);
        via.bridge.drain_for(2, "16m").await;
        assert_eq!(via.letters(PHONE).await.len(), 1, "what was held goes on");
    }
}

on_both_databases! {
    /// What nobody answers shows up with the abandoned ones; a code's page offers another one.
    async fn what_is_not_answered_expires_and_a_new_code_may_be_asked_for(database: Database) {
        let via = Via::start(database).await;
        via.ask(MAIL, json!(["EPOSTA"]), "EPOSTA_APPROVALURL").await;
        let started = via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        let old = via.code(PHONE).await;
        via.bridge.drain_for(1, "4m").await;
        assert_eq!(via.only("abandoned").await["via"]["code"], "COMPLETED/OTP_CODE_EXPIRED");
        let page = format!("/c/{}", started["token"].as_str().unwrap());
        let (status, _, text) = via.page(&page, None).await;
        assert!(status == 200 && text.contains("Yeni kod gönder"), "{status} {text}");
        let (status, at, text) = via.page(&format!("{page}/again"), Some("")).await;
        assert!(status == 200 && at.starts_with("/c/") && at != page, "{status} {at} {text}");
        via.bridge.drain().await;
        let fresh = via.code(PHONE).await;
        assert!(via.letters(PHONE).await.len() == 2 && (fresh != old || fresh.len() == 6));
        let (status, _, _) = via.page(&format!("{page}/again"), Some("")).await;
        assert_eq!(status, 410, "the old page has been replaced");
        let form: &'static str = format!("code={fresh}").leak();
        let (status, _, text) = via.page(&at, Some(form)).await;
        assert!(status == 200 && text.contains("Onayınız alındı"), "{status} {text}");

        via.bridge.drain_for(14, "2h").await;
        let expired = via.in_state("abandoned").await;
        let codes: Vec<&str> = expired.iter().map(|it| it["via"]["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"COMPLETED/LINK_CLICK_TIMEOUT"), "{codes:?}");
        assert!(via.calls("via_status").await < 30, "it is asked ever more rarely: {}", via.calls("via_status").await);
        via.nothing_is_filed().await;
    }
}

on_both_databases! {
    async fn what_does_not_fit_is_refused_field_by_field(database: Database) {
        let via = Via::without_settings(database, Options::default(), true).await;
        let field = async |recipient: &str, types: Value, verification: &str| {
            let (status, problem) = via.try_ask(recipient, types, verification).await;
            assert_eq!(status, 422, "{problem}");
            problem["errors"][0]["field"].as_str().unwrap().to_owned()
        };
        assert_eq!(field(PHONE, json!(["MESAJ"]), "SMS_OTP").await, "confirmation", "the brand does not use it");
        for wrong in [json!({"forms": {}}), json!({"forms": {"SMS_OTP": 0}}), json!({"forms": {"FAX": 1}})] {
            assert_eq!(via.set(wrong.clone()).await.0, 422, "{wrong}");
        }
        assert_eq!(via.set(json!({"forms": {"SMS_OTP": 1}})).await.0, 200);
        assert_eq!(field(MAIL, json!(["EPOSTA"]), "SMS_OTP").await, "verificationType");
        assert_eq!(field(PHONE, json!(["MESAJ"]), "SMS_SHORTURL").await, "verificationType");
        let own = json!({"recipient": PHONE, "types": ["MESAJ"]});
        assert_eq!(via.bridge.post(&via.path("opt-ins"), own).await.0, 409, "our own way stays the default, and has no sender");
        // The registry's own refusal of a form that does not fit: told, and not tried again.
        assert_eq!(via.set(json!({"forms": {"SMS_OTP": 99}})).await.0, 200);
        via.ask(PHONE, json!(["MESAJ"]), "SMS_OTP").await;
        let failed = via.only("abandoned").await;
        assert_eq!((&failed["via"]["state"], &failed["via"]["code"]), (&json!("failed"), &json!("H1055")), "{failed}");
        assert!(failed["via"]["explanation"]["title"].is_string());
        let (status, _) = via.bridge.delete_as(&via.bridge.admin, &via.path("via")).await;
        assert_eq!(status, 204);
        assert_eq!(via.bridge.get_as(&via.bridge.admin, &via.path("via")).await.0, 404);
    }
}
