//! What must have happened before an example can succeed.

use serde_json::{Value, json};

use super::{Arrangement, Draft};
use crate::world::BRAND;

const PASS: &str = "/otp-management/api/v1";

impl Arrangement {
    /// Lets it happen, and names in the draft what came of it.
    pub(super) async fn happen(&self, draft: &mut Draft) {
        match self.path.as_str() {
            "/oauth2/token" => self.know_the_account(&mut draft.body).await,
            path if path.ends_with("/consents/request/{requestId}") => self.file_a_list(draft).await,
            path if path.contains("{reportDate}") => self.close_a_day(draft).await,
            path if path.ends_with("/confirmation") => self.ask_for_codes(draft).await,
            path if path.starts_with("/via/") && path.contains("{requestId}") => self.opt_in(draft).await,
            path if path.starts_with(PASS) && path.contains("{requestId}") => self.verify(draft).await,
            path if path.ends_with("/unregistration") => {
                let connection = json!({"connection": [draft.body]});
                self.done(&format!("{BRAND}/push/registration"), &connection).await;
            }
            path if path.contains("/retailers/access") || path.ends_with("/consents/status") => {
                let mut consent = self.world.consent("ONAY", 120).await;
                for key in ["recipient", "recipientType", "type"] {
                    consent[key] = draft.body[key].clone();
                }
                if draft.body.get("recipient").is_none() {
                    consent["recipient"] = draft.body["recipients"][0].clone();
                }
                self.done(&format!("{BRAND}/consents"), &consent).await;
            }
            _ => {}
        }
    }

    /// A call of the partner that must succeed.
    async fn done(&self, path: &str, body: &Value) -> Value {
        let reply = self.world.partner("POST", path, Some(body)).await;
        assert!(reply.status < 300, "{path} {body}: {reply:?}");
        reply.body
    }

    /// Logs in with the account that there is, or with the token that it got.
    async fn know_the_account(&self, body: &mut Value) {
        let seed = &self.world.seed;
        let login = json!({"grant_type": "password", "username": seed.username, "password": seed.password});
        if body["grant_type"] == "refresh_token" {
            body["refresh_token"] = self.done("/oauth2/token", &login).await["refresh_token"].take();
        } else {
            *body = login;
        }
    }

    async fn file_a_list(&self, draft: &mut Draft) {
        let list = json!([self.world.consent("ONAY", 120).await]);
        let answer = self.done(&format!("{BRAND}/consents/request"), &list).await;
        self.world.advance("6m").await;
        draft.name("requestId", &answer["requestId"]);
    }

    /// A day with a movement, whose report has been made.
    async fn close_a_day(&self, draft: &mut Draft) {
        let consent = self.world.consent("ONAY", 1).await;
        let day = self.world.day(0).await;
        self.done(&format!("{BRAND}/consents"), &consent).await;
        self.world.advance("36h").await;
        draft.name("reportDate", &day.to_string().into());
    }

    /// Starts what the body wants to complete, and puts the codes into it that the citizen has got.
    async fn ask_for_codes(&self, draft: &mut Draft) {
        let method = draft.body["verificationType"].as_str().unwrap_or_default().to_owned();
        let kinds = draft.body["consentTypes"].as_array().into_iter().flatten();
        let titles: Vec<String> =
            kinds.filter_map(|kind| kind["title"].as_str().map(ToOwned::to_owned)).collect();
        draft.body["requestId"] = self.start(&method, &titles).await;
        let codes = self.last_message().await["codes"].clone();
        for kind in draft.body["consentTypes"].as_array_mut().into_iter().flatten() {
            kind["otpCode"] = codes[kind["title"].as_str().unwrap_or_default()].clone();
        }
    }

    /// An opt-in to personal-data texts that the citizen has completed.
    async fn opt_in(&self, draft: &mut Draft) {
        let request = self.start("SMS_OTP", &["KVK".to_owned()]).await;
        let code = self.last_message().await["code"].clone();
        let kinds = json!([{"title": "KVK", "otpCode": code}]);
        let done = json!({"requestId": request, "verificationType": "SMS_OTP", "consentTypes": kinds});
        self.done("/via/sps/600100/confirmation", &done).await;
        draft.name("requestId", &request);
    }

    async fn start(&self, method: &str, titles: &[String]) -> Value {
        let by_email = method.starts_with("EPOSTA");
        let (recipient, channel) =
            if by_email { ("ornek@ornek.com", "EPOSTA") } else { ("+905551112233", "MESAJ") };
        let kinds: Vec<Value> = titles
            .iter()
            .map(|title| match title.as_str() {
                "ETK" => json!({"title": "ETK", "brandCodes": [600_100], "types": [channel], "recipientType": "BIREYSEL"}),
                _ => json!({"title": title, "types": ["ACIK_RIZA_METNI"], "personData": {"name": "Aslı Can"}}),
            })
            .collect();
        let body =
            json!({"formId": "1", "recipient": recipient, "verificationType": method, "consentTypes": kinds});
        self.done("/via/sps/600100/consent", &body).await["message"]["requestId"].take()
    }

    /// A second factor that the citizen has completed.
    async fn verify(&self, draft: &mut Draft) {
        let body = json!({"phoneNumber": "+905551112233", "templateId": "1", "vkn": "1111111111"});
        let started = self.done(&format!("{PASS}/600100/sms/start"), &body).await;
        let request = started["data"]["requestId"].clone();
        let done = json!({"requestId": request, "otpCode": self.last_message().await["code"]});
        self.done(&format!("{PASS}/sms/complete"), &done).await;
        draft.name("requestId", &request);
    }

    async fn last_message(&self) -> Value {
        let outbox = self.world.control("GET", "/outbox", Value::Null).await;
        outbox["list"].as_array().and_then(|list| list.last()).cloned().unwrap_or_default()
    }
}

impl Draft {
    fn name(&mut self, variable: &str, value: &Value) {
        self.variables.insert(variable.to_owned(), value.as_str().unwrap().to_owned());
    }
}
