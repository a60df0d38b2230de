//! A simulator in which a documented example can happen.

mod past;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::receiver::Receiver;
use crate::world::{BRAND, Reply, World, retailer, send};

/// What became of an example.
pub enum Sent {
    Answered(Reply),
    /// The state that it needs, or the way to it, is not known.
    NotArranged,
}

/// Until then old consents may be loaded, so that the age of a date alone refuses none.
const LATER: &str = "2100-01-01 00:00:00";
const LONG_AGO: &str = "2020-01-01 00:00:00";

/// A request as text.
#[derive(Clone)]
struct Draft {
    method: Method,
    path: String,
    variables: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    body: Value,
    raw: Option<&'static str>,
    bearer: bool,
}

/// A simulator and one of its methods.
pub struct Arrangement {
    world: World,
    method: Method,
    path: String,
    who: &'static str,
    retailers: Vec<i64>,
    receiver: Receiver,
}

impl Arrangement {
    /// For the method with this name.
    pub async fn of(name: &str) -> Self {
        let (method, path) = name.split_once(' ').unwrap();
        let world = World::start().await;
        let everything = json!({"ETK": ["MESAJ", "ARAMA", "EPOSTA"], "KVK": ["AYDINLATMA_METNI", "ACIK_RIZA_METNI", "YURTDISI_AKTARIM"]});
        world
            .settings(
                json!({"perSecondLimit": null, "accessTokenSeconds": 100_000_000, "pushAllowHttp": true}),
            )
            .await;
        world
            .control(
                "POST",
                "/providers",
                json!({
                    "iysCode": 600_100, "via": {"credit": 100}, "viaPass": {"credit": 100}, "activationDate": LATER,
                    "templates": [{"templateId": "1", "method": "SMS_OTP"}],
                    "authorisations": [{"integratorCode": 900_001, "brandCode": 600_100, "viaControl": true, "agreementControl": true}],
                    "forms": [{"formId": 1, "kind": "OTP", "titles": everything},
                        {"formId": 2, "kind": "SHORTURL", "titles": everything},
                        {"formId": 3, "kind": "APPROVALURL", "titles": everything}],
                }),
            )
            .await;
        world.control("POST", "/providers", json!({"iysCode": 600_200})).await;
        let mut retailers = Vec::new();
        for tckn in ["10000000146", "10000000214"] {
            let mut body = retailer();
            body["tckn"] = tckn.into();
            let reply = world.partner("POST", &format!("{BRAND}/retailers"), Some(&body)).await;
            retailers.push(reply.body["retailerCode"].as_i64().unwrap());
        }
        let who = if path == "/sps/{iysCode}/brands" { "provider" } else { "partner" };
        let (method, path) = (method.parse().unwrap(), path.to_owned());
        Self { world, method, path, who, retailers, receiver: Receiver::start().await }
    }

    /// Sends an example as it is, but for numbers and dates.
    pub async fn success(&self, example: &Value) -> Reply {
        let mut draft = self.draft(example).await;
        self.happen(&mut draft).await;
        self.send(&draft).await
    }

    /// Sends an example so that it should be refused as documented.
    pub async fn refusal(
        &self,
        example: &Value,
        codes: &[String],
        errors: &[Map<String, Value>],
        name: &str,
    ) -> Sent {
        let mut draft = self.draft(example).await;
        let [code] = codes else {
            let all_located = !errors.is_empty() && errors.iter().all(|error| error.contains_key("location"));
            return if all_located { self.located(draft, errors).await } else { Sent::NotArranged };
        };
        match code.as_str() {
            "H351" => draft.bearer = false,
            "H353" if name.to_lowercase().contains("brand") && draft.path.contains("{brandCode}") => {
                draft.variables.insert("brandCode".to_owned(), "600200".to_owned());
            }
            "H353" if name.to_lowercase().contains("iyscode") && draft.path.contains("{iysCode}") => {
                draft.variables.insert("iysCode".to_owned(), "600200".to_owned());
                draft.variables.insert("brandCode".to_owned(), "600200".to_owned());
            }
            "H001" if draft.path.contains("/retailers") || self.who == "provider" => {
                draft.variables.insert("iysCode".to_owned(), "999999".to_owned());
            }
            "H018" => {
                draft.variables.insert("brandCode".to_owned(), "600999".to_owned());
            }
            "H014" if draft.method != Method::GET => draft.raw = Some("["),
            "H521" => return self.subscribed(draft, json!({"status": "CLOSED"})).await,
            "H520" => return self.subscribed(draft, json!({"status": "PAUSED"})).await,
            "H524" => return self.subscribed(draft, Value::Null).await,
            "H586" => return self.subscribed(draft, json!({"apiUse": false})).await,
            "H124" => {
                self.world.settings(json!({"perSecondLimit": 1})).await;
                let first = self.send(&draft).await;
                let reply = if first.status == 429 { first } else { self.send(&draft).await };
                self.world.settings(json!({"perSecondLimit": null})).await;
                return Sent::Answered(reply);
            }
            _ if errors.iter().all(|error| error.contains_key("location")) => {
                return self.located(draft, errors).await;
            }
            _ => return Sent::NotArranged,
        }
        Sent::Answered(self.send(&draft).await)
    }

    /// With the subscription changed for this one request: the partner's where nothing is the provider's.
    async fn subscribed(&self, draft: Draft, subscription: Value) -> Sent {
        let usual = json!({"status": "ACTIVE", "apiUse": true});
        let is_partners = draft.path.starts_with("/integrator");
        let (path, owner, number) = if is_partners {
            ("/partners", "integratorCode", 900_001)
        } else {
            ("/providers", "iysCode", 600_100)
        };
        self.world.control("POST", path, json!({owner: number, "subscription": subscription})).await;
        let reply = self.send(&draft).await;
        self.world.control("POST", path, json!({owner: number, "subscription": usual})).await;
        Sent::Answered(reply)
    }

    /// With what the refusal names put where it says.
    async fn located(&self, mut draft: Draft, errors: &[Map<String, Value>]) -> Sent {
        for error in errors {
            let Some(field) = error["location"][0].as_str() else { return Sent::NotArranged };
            let (value, code) = (error.get("value"), error["code"].as_str().unwrap_or_default());
            if draft.path.contains(&format!("{{{field}}}")) {
                let Some(value) = value.and_then(Value::as_str) else { return Sent::NotArranged };
                draft.variables.insert(field.to_owned(), value.to_owned());
            } else if draft.method == Method::DELETE {
                return Sent::NotArranged;
            } else if draft.method == Method::GET || matches!(field, "limit" | "offset") {
                let text = value.map(|value| value.to_string().replace('"', ""));
                draft.query.push((field.to_owned(), text.unwrap_or_default()));
            } else {
                let index = error.get("index").and_then(Value::as_u64).unwrap_or_default();
                let is_batch = draft.body.is_array();
                let item = item(&mut draft.body, field, usize::try_from(index).unwrap());
                let long = match code {
                    "H126" if is_batch => Some((0..3001).collect()),
                    "H127" if item.get("recipients").is_some() => Some(phones(101)),
                    "H127" | "H193" => return Sent::NotArranged,
                    _ => None,
                };
                let value = long.as_ref().or(value);
                if code == "H467" {
                    let since = json!({"iysCode": 600_100, "activationDate": LONG_AGO});
                    self.world.control("POST", "/providers", since).await;
                }
                fit(item, code);
                let position = error["location"].get(1).and_then(Value::as_u64);
                put(item, field, position.and_then(|at| usize::try_from(at).ok()), value);
                if draft.path.contains("{type}") && code == "H464" {
                    let is_email = value.and_then(Value::as_str).is_some_and(|value| value.contains('@'));
                    let kind = if is_email { "MESAJ" } else { "EPOSTA" };
                    draft.variables.insert("type".to_owned(), kind.to_owned());
                }
            }
        }
        Sent::Answered(self.send(&draft).await)
    }

    /// An example with our numbers and of today.
    async fn draft(&self, example: &Value) -> Draft {
        let mut body = example.clone();
        let ago = self.world.ago(60).await;
        let list = match &mut body {
            Value::Array(items) => items.iter_mut().collect(),
            other => vec![other],
        };
        for item in list {
            if item.get("consentDate").is_some() {
                item["consentDate"] = ago.clone().into();
            }
            if item.get("retailerCode").is_some() {
                item["retailerCode"] = self.retailers[0].into();
            }
            if item.get("retailerAccess").is_some() {
                item["retailerAccess"] = json!(self.retailers);
            }
            // The one in the example has not the sixteen digits that H228 asks for.
            if let Some(fields) = item.as_object_mut() {
                fields.remove("mersis");
            }
            if item.get("formId").is_some() {
                name_our_form(item);
            }
            if item.get("connection").is_some() {
                item["connection"] = json!([self.receiver.connection("/good", "MESAJ")]);
            }
            if item.get("url").is_some() {
                *item = self.receiver.connection("/good", "MESAJ");
            }
            if let Some(Value::Array(recipients)) = item.get_mut("recipients") {
                // Some examples name one address twice, which has no meaning.
                let mut seen = Vec::new();
                recipients.retain(|one| {
                    !seen.contains(one) && {
                        seen.push(one.clone());
                        true
                    }
                });
            }
        }
        let by_email = example["recipients"][0].as_str().is_some_and(|recipient| recipient.contains('@'));
        let variables = [
            ("iysCode", "600100".to_owned()),
            ("brandCode", "600100".to_owned()),
            ("integratorCode", "900001".to_owned()),
            ("requestId", "a9817bd8-0642-4d8c-946b-cc47d5aac41a".to_owned()),
            ("retailerCode", self.retailers[0].to_string()),
            ("reportDate", self.world.day(-1).await.to_string()),
            ("recipientType", "BIREYSEL".to_owned()),
            ("type", if by_email { "EPOSTA" } else { "MESAJ" }.to_owned()),
            ("code", "34".to_owned()),
        ];
        Draft {
            method: self.method.clone(),
            path: self.path.clone(),
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            query: Vec::new(),
            body,
            raw: None,
            bearer: true,
        }
    }

    async fn send(&self, draft: &Draft) -> Reply {
        let path = draft
            .variables
            .iter()
            .fold(draft.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&draft.query).finish();
        let mut request = self.world.request(draft.method.as_str(), &format!("{path}?{query}"));
        if draft.bearer {
            request = request.bearer_auth(self.world.token(self.who).await);
        }
        if let Some(raw) = draft.raw {
            request = request.header("content-type", "application/json").body(raw);
        } else if !draft.body.is_null() {
            request = request.json(&draft.body);
        }
        send(request).await
    }
}

/// An opt-in that names our form and brand.
fn name_our_form(item: &mut Value) {
    let form = match item["verificationType"].as_str().unwrap_or_default() {
        method if method.ends_with("_OTP") => "1",
        method if method.ends_with("_SHORTURL") => "2",
        _ => "3",
    };
    item["formId"] = form.into();
    for kind in item["consentTypes"].as_array_mut().into_iter().flatten() {
        if kind.get("brandCodes").is_some() {
            kind["brandCodes"] = json!([600_100]);
        }
    }
}

/// So many addresses.
fn phones(count: usize) -> Value {
    (0..count).map(|number| format!("+90555{:07}", 1_000_000 + number)).collect()
}

/// What a refusal's location is in: an item of a list, made where it is missing; the first of the list that the body
/// is about; or the whole body.
fn item<'a>(body: &'a mut Value, field: &str, index: usize) -> &'a mut Value {
    let inner = ["connection", "recipients"]
        .into_iter()
        .find(|list| *list != field && body.pointer(&format!("/{list}/0")).is_some_and(Value::is_object));
    if let Some(list) = inner {
        return &mut body[list][0];
    }
    let Value::Array(items) = body else { return body };
    while items.len() <= index {
        let mut further = items[0].clone();
        let number = items.len();
        further["recipient"] = format!("ornek{number}@ornek.com").into();
        further["type"] = "EPOSTA".into();
        items.push(further);
    }
    &mut items[index]
}

/// Makes of a request what a refusal takes for granted.
fn fit(item: &mut Value, code: &str) {
    let (field, value) = match code {
        "H155" => ("source", "HS_2015"),
        "H408" => ("source", "HS_KARAR"),
        "H120" => ("type", "EPOSTA"),
        "H121" | "H160" | "H166" => ("type", "MESAJ"),
        // A merchant's first consent needs neither date nor source.
        "H112" | "H113" => ("recipientType", "BIREYSEL"),
        _ => return,
    };
    if item.get(field).is_some() {
        item[field] = value.into();
    }
    if field == "type"
        && let Some(Value::Array(recipients)) = item.get_mut("recipients")
    {
        recipients.truncate(1);
    }
}

/// Puts a value where a refusal found it, or takes away what it missed.
fn put(item: &mut Value, field: &str, position: Option<usize>, value: Option<&Value>) {
    // A refusal of one of several addresses may name the one.
    let in_list = item.get(field).is_none() && field == "recipient" && item.get("recipients").is_some();
    let (field, position) = if in_list { ("recipients", Some(0)) } else { (field, position) };
    let field = if item.get(field).is_none() && field == "recipients" { "recipient" } else { field };
    match (position, value) {
        (None, None) => {
            if let Some(fields) = item.as_object_mut() {
                fields.remove(field);
            }
        }
        (None, Some(value)) => item[field] = value.clone(),
        (Some(position), Some(value)) => {
            let Some(list) = item[field].as_array_mut() else { return };
            if list.len() <= position {
                list.push(value.clone());
            } else {
                list[position] = value.clone();
            }
        }
        (Some(_), None) => {}
    }
}
