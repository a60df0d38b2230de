//! The examples of the registry's own document, sent to the simulator.
//!
//! The document is not ours to keep: `KOPRU_REGISTRY_OPENAPI` names the file. Two things are held against it: the
//! answers that the rows of `provoke.rs` expect, and what the simulator says to the example requests, changed so that
//! each documented refusal should come. A refusal says by itself what was wrong with its request: `location` and
//! `value` name what to put where.

mod arrange;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::arrange::{Arrangement, Sent};
use crate::provoke::table;

const VARIABLE: &str = "KOPRU_REGISTRY_OPENAPI";

/// Documented answers that are known not to come, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// A method of the registry in its document.
struct Method {
    /// `POST /sps/{iysCode}/…`.
    name: String,
    /// The examples of its request, by name; one `null` for a method without body.
    requests: Vec<(String, Value)>,
    answers: Vec<Documented>,
}

/// An example of an answer.
struct Documented {
    name: String,
    status: u16,
    errors: Vec<Map<String, Value>>,
    codes: Vec<String>,
}

/// The document's methods; `None` when nobody says where the document is.
#[expect(clippy::disallowed_methods, reason = "the document is not part of the repository")]
fn document() -> Option<Vec<Method>> {
    let Some(path) = std::env::var_os(VARIABLE) else {
        println!("skipped: {VARIABLE} does not name the registry's document");
        return None;
    };
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    // The browser's widget is no part of the simulator.
    let methods = paths.filter(|(path, _)| !path.starts_with("/widget")).flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        let methods = methods.filter(|(name, _)| ["get", "post", "put", "delete"].contains(&name.as_str()));
        methods.map(move |(name, method)| Method::read(format!("{} {path}", name.to_uppercase()), method))
    });
    Some(methods.collect())
}

impl Method {
    fn read(name: String, method: &Value) -> Self {
        let mut requests: Vec<_> = examples(&method["requestBody"]["content"]).collect();
        if requests.is_empty() && method.get("requestBody").is_none() {
            requests.push((String::new(), Value::Null));
        }
        let answers = method["responses"].as_object().unwrap().iter().flat_map(|(status, response)| {
            let status = status.parse().unwrap();
            examples(&response["content"]).map(move |(name, body)| Documented::read(name, status, &body))
        });
        Self { name, requests, answers: answers.collect() }
    }
}

/// The examples of a body, by name; those of JSON.
fn examples(content: &Value) -> impl Iterator<Item = (String, Value)> {
    let examples = content["application/json"]["examples"].as_object().cloned().unwrap_or_default();
    examples.into_iter().map(|(name, example)| (name, example["value"].clone()))
}

impl Documented {
    fn read(name: String, status: u16, body: &Value) -> Self {
        let errors: Vec<Map<String, Value>> = match &body["errors"] {
            Value::Array(errors) => errors.iter().filter_map(Value::as_object).cloned().collect(),
            Value::Object(error) => vec![error.clone()],
            _ if body.get("code").is_some() || body.get("errorCode").is_some() => {
                vec![body.as_object().unwrap().clone()]
            }
            _ => Vec::new(),
        };
        let code = |error: &Map<String, Value>| {
            let code = ["code", "code:", "errorCode"].iter().find_map(|key| error.get(*key));
            code.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut codes: Vec<String> = errors.iter().map(code).collect();
        let behind = body["subSystemErrorInfo"]["errors"].as_array().into_iter().flatten();
        codes.extend(behind.filter_map(|error| error["code"].as_str()).map(ToOwned::to_owned));
        Self { name, status, errors, codes }
    }
}

/// The name of the method that a row's last step calls.
fn method_of<'a>(methods: &'a [Method], call: &str) -> Option<&'a Method> {
    let call = [
        ("{brand}", "/sps/1/brands/1"),
        ("{v2}", "/v2/sps/1/brands/1"),
        ("{sps}", "/sps/1"),
        ("{partner}", "/integrator/1"),
        ("{via}", "/via/sps/1"),
        ("{pass}", "/otp-management/api/v1"),
    ]
    .iter()
    .fold(call.to_owned(), |call, (word, path)| call.replace(word, path));
    let segments: Vec<&str> = call.split('?').next().unwrap_or_default().split('/').collect();
    methods.iter().find(|method| {
        let pattern: Vec<&str> = method.name.split('/').collect();
        let fits = |(wanted, found): (&&str, &&str)| wanted.starts_with('{') || wanted == found;
        pattern.len() == segments.len() && pattern.iter().zip(&segments).all(fits)
    })
}

/// A row's answer may not have another status than the examples of its method give that code.
#[test]
fn rows_expect_the_documented_status() {
    let Some(methods) = document() else { return };
    let (mut wrong, mut compared) = (Vec::new(), BTreeSet::new());
    for row in table().rows {
        let call = &row.steps.last().unwrap().call;
        let Some(method) = method_of(&methods, call) else { continue };
        let codes: Vec<String> = row.expect.codes.unwrap_or_default();
        for code in codes.iter().filter(|code| !code.is_empty()) {
            let documented: BTreeSet<u16> = method
                .answers
                .iter()
                .filter(|answer| answer.codes.contains(code))
                .map(|answer| answer.status)
                .collect();
            if !documented.is_empty() {
                compared.insert((method.name.clone(), code.clone()));
            }
            if !documented.is_empty() && !documented.contains(&row.expect.status) {
                wrong.push(format!("{call}: {code} with {}, documented {documented:?}", row.expect.status));
            }
        }
    }
    println!("{} codes of methods have the documented status", compared.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What came of the replays.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: Vec<String>,
    /// Examples that cannot be arranged, by method.
    left_out: BTreeMap<String, Vec<String>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_are_answered_as_documented() {
    let Some(methods) = document() else { return };
    let mut tally = Tally::default();
    for method in &methods {
        replay(method, &mut tally).await;
    }
    println!("{} examples are answered as documented; left out:", tally.right);
    for (method, names) in &tally.left_out {
        println!("  {method}: {}", names.join(", "));
    }
    assert!(tally.wrong.is_empty(), "{} differ:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
}

async fn replay(method: &Method, tally: &mut Tally) {
    let Some(arrangement) = Arrangement::of(&method.name).await else {
        tally.left_out.entry(method.name.clone()).or_default().push("the whole method".to_owned());
        return;
    };
    let successes: BTreeSet<u16> =
        method.answers.iter().map(|answer| answer.status).filter(|status| *status < 300).collect();
    for (name, request) in &method.requests {
        let sent = arrangement.success(request).await;
        match sent {
            Sent::NotArranged => tally.left_out(method, name),
            Sent::Answered(reply) if successes.is_empty() || successes.contains(&reply.status) => {
                tally.right += 1;
            }
            Sent::Answered(reply) => tally.differs(method, name, &format!("{reply:?}, not {successes:?}")),
        }
    }
    for answer in method.answers.iter().filter(|answer| answer.status >= 400) {
        let Some((_, request)) = method.requests.first() else { return };
        match arrangement.refusal(request, &answer.codes, &answer.errors, &answer.name).await {
            Sent::NotArranged => tally.left_out(method, &answer.name),
            Sent::Answered(reply)
                if (reply.status, colons(&reply)) == (answer.status, answer.codes.clone()) =>
            {
                tally.right += 1;
            }
            Sent::Answered(reply) => {
                let wanted = format!("not {} {:?}", answer.status, answer.codes);
                tally.differs(method, &answer.name, &format!("{} {:?}, {wanted}", reply.status, reply.body));
            }
        }
    }
}

/// The codes of an answer; one key has a colon in it in some examples, and so it may here.
fn colons(reply: &crate::world::Reply) -> Vec<String> {
    let mut reply = reply.clone();
    for error in reply.body["errors"].as_array_mut().into_iter().flatten() {
        if let Some(code) = error.as_object_mut().and_then(|error| error.remove("code:")) {
            error["code"] = code;
        }
    }
    reply.codes()
}

impl Tally {
    fn left_out(&mut self, method: &Method, name: &str) {
        self.left_out.entry(method.name.clone()).or_default().push(name.to_owned());
    }

    fn differs(&mut self, method: &Method, name: &str, what: &str) {
        let known = DEVIATIONS.iter().any(|known| (known.0, known.1) == (&*method.name, name));
        if !known {
            let what: String = what.chars().take(400).collect();
            self.wrong.push(format!("{} {name}: {what}", method.name));
        }
    }
}
