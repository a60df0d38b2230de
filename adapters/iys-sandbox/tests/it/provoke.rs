//! Every code of the protocol that these methods can answer with, provoked over HTTP from a table.
//!
//! `tests/data/provoke*.json` hold the table: `codes` is the registry's error table (protocol 5.1),
//! `uncovered` says why a code has no row, and each row is a sequence of requests of which the last one
//! must be answered as expected. A row may name the rule it depends on; the second test takes each rule
//! out and demands that one of its rows fails.
//!
//! Words in a row: `$phone`, `$phone2`, `$ago N` and `$in N` (seconds), `$first` (one instant for the
//! whole row), `$null`, `$absent`, `$codes N`, `$phones N`; `{brand}`, `{v2}`, `{sps}`, `{partner}`,
//! `{via}`, `{pass}`, `{receiver}`, `{username}`, `{password}`, `{day N}` (so many days from today);
//! `{name.path}` reads an answer kept with `save`.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::receiver::Receiver;
use crate::world::{BRAND, PHONE, Reply, World, client, retailer, send};

#[derive(Debug, Default, Deserialize)]
pub struct Table {
    pub codes: Vec<String>,
    pub uncovered: BTreeMap<String, String>,
    /// Steps that several rows begin with, by name.
    #[serde(default)]
    given: BTreeMap<String, Vec<Step>>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The rule without which this row would fail.
    pub rule: Option<String>,
    /// What the row begins with.
    given: Option<String>,
    pub steps: Vec<Step>,
    pub expect: Expectation,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Method and path at the registry.
    pub call: String,
    /// Method and path below `/_sandbox`.
    pub control: String,
    /// Moves the clock to the beginning of a second.
    align: bool,
    /// `partner`, `provider` or `nobody`.
    pub r#as: Option<String>,
    pub token: Option<String>,
    /// What differs from an acceptable consent.
    consent: Option<Map<String, Value>>,
    /// What differs from an acceptable retailer.
    retailer: Option<Map<String, Value>>,
    /// The same for each consent of a list.
    batch: Option<Vec<Map<String, Value>>>,
    /// An acceptable list of this length.
    many: Option<usize>,
    /// What differs from the question about `$phone`.
    key: Option<Map<String, Value>>,
    without: Vec<String>,
    without_in: BTreeMap<String, Vec<String>>,
    json: Option<Value>,
    body: Option<Value>,
    raw: Option<String>,
    form: Option<String>,
    pub times: Option<usize>,
    save: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub status: u16,
    /// All codes of `errors[]`, in order. Location, value and index are those of the first.
    pub codes: Option<Vec<String>>,
    pub location: Option<Value>,
    pub value: Option<Value>,
    pub index: Option<Value>,
    pub oauth: Option<String>,
    /// Part of the sentence.
    says: Option<String>,
    /// Pointers into the body.
    #[serde(default)]
    pub body: BTreeMap<String, Value>,
}

/// The parts of the table, by what they are about.
const PARTS: [&str; 6] = [
    include_str!("../data/provoke.json"),
    include_str!("../data/provoke-retailers.json"),
    include_str!("../data/provoke-reports.json"),
    include_str!("../data/provoke-push.json"),
    include_str!("../data/provoke-via.json"),
    include_str!("../data/provoke-pass.json"),
];

/// The whole table, each row with the steps that it begins with.
pub fn table() -> Table {
    let mut whole = Table::default();
    for part in PARTS {
        let part: Table = serde_json::from_str(part).unwrap();
        whole.codes.extend(part.codes);
        whole.uncovered.extend(part.uncovered);
        for mut row in part.rows {
            if let Some(given) = &row.given {
                row.steps.splice(0..0, part.given[given].iter().cloned());
            }
            whole.rows.push(row);
        }
    }
    whole
}

/// A row on its way.
pub struct Run {
    pub world: World,
    first: String,
    saved: Map<String, Value>,
    /// Where pushes can go.
    receiver: Receiver,
}

impl Run {
    pub async fn start(client: Client, disabled: &[&str]) -> Self {
        let world = World::start_with(client).await;
        // Rows move the clock by months and make many calls; what they test of tokens and limits they
        // set themselves.
        let century = 100_i64 * 365 * 24 * 3600;
        world
            .settings(json!({
                "accessTokenSeconds": century,
                "perSecondLimit": null,
                "disabledRules": disabled,
            }))
            .await;
        let first = world.ago(60).await;
        Self { world, first, saved: Map::new(), receiver: Receiver::start().await }
    }

    pub async fn step(&mut self, step: &Step) -> Reply {
        if step.align {
            let next = self.world.ago(-1).await.replace(' ', "T");
            self.world.control("POST", "/clock", json!({ "set": format!("{next}+03:00") })).await;
            return Reply { status: 200, body: Value::Null };
        }
        if !step.control.is_empty() {
            let (method, path) = step.control.split_once(' ').unwrap();
            let body = self.value(step.body.as_ref().unwrap_or(&Value::Null)).await;
            let body = self.world.control(method, &self.text(path), body).await;
            if let Some(name) = &step.save {
                self.saved.insert(name.clone(), body.clone());
            }
            return Reply { status: 200, body };
        }
        let mut reply = self.call(step).await;
        for _ in 1..step.times.unwrap_or(1) {
            reply = self.call(step).await;
        }
        if let Some(name) = &step.save {
            self.saved.insert(name.clone(), reply.body.clone());
        }
        reply
    }

    async fn call(&self, step: &Step) -> Reply {
        send(self.request(step).await).await
    }

    /// The request of a step, not sent yet.
    pub async fn request(&self, step: &Step) -> RequestBuilder {
        let (method, path) = step.call.split_once(' ').unwrap();
        let path = self.days(path).await;
        let mut request = self.world.request(method, &self.text(&path));
        match step.r#as.as_deref().unwrap_or("partner") {
            "nobody" => {}
            who => request = request.bearer_auth(self.world.token(who).await),
        }
        if let Some(token) = &step.token {
            request = request.bearer_auth(token);
        }
        if let Some(form) = &step.form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
        } else if let Some(raw) = &step.raw {
            request = request.header("content-type", "application/json").body(raw.clone());
        } else if let Some(body) = self.body(step).await {
            request = request.json(&body);
        }
        request
    }

    async fn body(&self, step: &Step) -> Option<Value> {
        if let Some(changes) = &step.consent {
            return Some(self.consent(changes, &step.without).await);
        }
        if let Some(changes) = &step.retailer {
            return Some(self.changed(retailer(), changes, &step.without).await);
        }
        if let Some(changes) = &step.key {
            let base = json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ"});
            return Some(self.changed(base, changes, &step.without).await);
        }
        if let Some(list) = &step.batch {
            let mut batch = Vec::new();
            for (index, changes) in list.iter().enumerate() {
                let without = step.without_in.get(&index.to_string()).cloned().unwrap_or_default();
                batch.push(self.consent(changes, &without).await);
            }
            return Some(batch.into());
        }
        if let Some(length) = step.many {
            let base = self.consent(&Map::new(), &[]).await;
            let consents = phones(length).into_iter().map(|phone| {
                let mut consent = base.clone();
                consent["recipient"] = phone;
                consent
            });
            return Some(consents.collect());
        }
        match &step.json {
            Some(json) => Some(self.value(json).await),
            None => None,
        }
    }

    async fn consent(&self, changes: &Map<String, Value>, without: &[String]) -> Value {
        let base = self.world.consent("ONAY", 60).await;
        self.changed(base, changes, without).await
    }

    async fn changed(&self, mut base: Value, changes: &Map<String, Value>, without: &[String]) -> Value {
        for (key, value) in changes {
            base[key] = self.value(value).await;
        }
        for key in without {
            base.as_object_mut().unwrap().remove(key);
        }
        base
    }

    /// A value with its words replaced.
    async fn value(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => {
                let mut replaced = Vec::new();
                for item in items {
                    replaced.push(Box::pin(self.value(item)).await);
                }
                replaced.into()
            }
            Value::Object(fields) => {
                let mut replaced = Map::new();
                for (key, value) in fields {
                    replaced.insert(key.clone(), Box::pin(self.value(value)).await);
                }
                replaced.into()
            }
            Value::String(text) => self.word(text).await,
            other => other.clone(),
        }
    }

    async fn word(&self, text: &str) -> Value {
        let number = || text.split_once(' ').unwrap().1.parse::<i64>().unwrap();
        match text.split(' ').next().unwrap_or_default() {
            "$phone" => PHONE.into(),
            "$phone2" => "+905551112244".into(),
            "$ago" => self.world.ago(number()).await.into(),
            "$in" => self.world.ago(-number()).await.into(),
            "$first" => self.first.clone().into(),
            "$null" => Value::Null,
            "$codes" => (0..number()).map(|code| Value::from(10_000_000 + code)).collect(),
            "$phones" => phones(number() as usize).into(),
            _ => self.text(text).into(),
        }
    }

    /// A text with its `{day N}` replaced.
    async fn days(&self, text: &str) -> String {
        let mut text = text.to_owned();
        while let Some((before, rest)) = text.split_once("{day ") {
            let (number, after) = rest.split_once('}').unwrap();
            let day = self.world.day(number.parse().unwrap()).await;
            text = format!("{before}{day}{after}");
        }
        text
    }

    /// A text with its `{…}` replaced.
    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in [
            ("{brand}", BRAND),
            ("{v2}", &format!("/v2{BRAND}")),
            ("{sps}", "/sps/600100"),
            ("{partner}", "/integrator/900001"),
            ("{via}", "/via/sps/600100"),
            ("{pass}", "/otp-management/api/v1"),
            ("{receiver}", &self.receiver.base),
            ("{username}", &self.world.seed.username),
            ("{password}", &self.world.seed.password),
        ] {
            text = text.replace(name, value);
        }
        while let Some((before, rest)) = text.split_once('{').filter(|(_, rest)| rest.contains('}')) {
            let (path, after) = rest.split_once('}').unwrap();
            let (name, path) = path.split_once('.').unwrap();
            let value = self.saved[name].pointer(&format!("/{}", path.replace('.', "/")));
            let value = value.and_then(Value::as_str).unwrap_or("(nothing was kept)");
            text = format!("{before}{value}{after}");
        }
        text
    }

    /// What is wrong with an answer.
    fn judge(&self, expected: &Expectation, reply: &Reply) -> Result<(), String> {
        let first = &reply.body["errors"][0];
        let wrong = |what: &str| Err(format!("{what}: {reply:?}"));
        if reply.status != expected.status {
            return wrong("status");
        }
        if expected.codes.as_ref().is_some_and(|codes| *codes != reply.codes()) {
            return wrong("codes");
        }
        for (name, wanted) in
            [("location", &expected.location), ("value", &expected.value), ("index", &expected.index)]
        {
            if wanted.as_ref().is_some_and(|wanted| first[name] != *wanted) {
                return wrong(name);
            }
        }
        if expected.oauth.as_ref().is_some_and(|word| reply.body["error"] != **word) {
            return wrong("error");
        }
        let sentence = format!("{} {}", first["message"], reply.body["error_description"]);
        if expected.says.as_ref().is_some_and(|part| !sentence.contains(part)) {
            return wrong("sentence");
        }
        for (pointer, wanted) in &expected.body {
            let found = reply.body.pointer(pointer);
            let right = match wanted.as_str() {
                Some("$absent") => found.is_none(),
                Some(text) => found.and_then(Value::as_str) == Some(&self.text(text)),
                None => found == Some(wanted),
            };
            if !right {
                return wrong(pointer);
            }
        }
        Ok(())
    }
}

fn phones(count: usize) -> Vec<Value> {
    (0..count).map(|number| format!("+90555{:07}", 1_000_000 + number).into()).collect()
}

/// Plays a row with some rules taken out.
async fn play(client: &Client, row: &Row, disabled: &[&str]) -> Result<(), String> {
    let mut run = Run::start(client.clone(), disabled).await;
    let mut reply = Reply { status: 0, body: Value::Null };
    for step in &row.steps {
        reply = run.step(step).await;
    }
    run.judge(&row.expect, &reply)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_answered_as_expected() {
    let (table, client) = (table(), &client());
    let failures: Vec<String> = futures::stream::iter(table.rows.iter().enumerate())
        .map(|(number, row)| async move {
            play(client, row, &[]).await.err().map(|why| format!("row {number} ({:?}): {why}", row.rule))
        })
        .buffer_unordered(4)
        .filter_map(|failure| async { failure })
        .collect()
        .await;
    assert!(failures.is_empty(), "{} rows fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_code_is_provoked_or_excused() {
    let table = table();
    let mut provoked: BTreeSet<String> = BTreeSet::new();
    for row in &table.rows {
        provoked.extend(row.expect.codes.iter().flatten().filter(|code| !code.is_empty()).cloned());
    }
    let known: BTreeSet<String> = table.codes.iter().cloned().collect();
    println!("provoked ({}): {}", provoked.len(), provoked.iter().cloned().collect::<Vec<_>>().join(" "));
    for (code, why) in &table.uncovered {
        println!("not provoked: {code}: {why}");
        assert!(!provoked.contains(code), "{code} is provoked and excused");
        assert!(!why.is_empty() && known.contains(code), "{code}");
    }
    for code in &known {
        assert!(provoked.contains(code) || table.uncovered.contains_key(code), "{code} is missing");
    }
    assert!(provoked.is_subset(&known), "{:?}", provoked.difference(&known));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rule_can_be_taken_out_unnoticed() {
    let (table, client) = (table(), &client());
    let rules = iys_sandbox::rules();
    for row in &table.rows {
        let Some(rule) = &row.rule else { continue };
        assert!(rules.iter().any(|known| known.name == rule), "no rule is called {rule}");
    }
    let unnoticed: Vec<&str> = futures::stream::iter(&rules)
        .map(|rule| {
            let table = &table;
            async move {
                for row in table.rows.iter().filter(|row| row.rule.as_deref() == Some(rule.name)) {
                    if play(client, row, &[rule.name]).await.is_err() {
                        return None;
                    }
                }
                Some(rule.name)
            }
        })
        .buffer_unordered(4)
        .filter_map(|rule| async move { rule })
        .collect()
        .await;
    assert!(unnoticed.is_empty(), "nothing fails without {unnoticed:?}");
}
