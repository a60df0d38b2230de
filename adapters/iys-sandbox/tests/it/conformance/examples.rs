//! The examples of the registry's own document, sent to the simulator.
//!
//! The document is not ours to keep: `KOPRU_REGISTRY_OPENAPI` names the file. Two things are held against it: the
//! answers that the rows of `provoke.rs` expect, and what the simulator says to the example requests, changed so that
//! each documented refusal should come. A refusal says by itself what was wrong with its request: `location` and
//! `value` name what to put where.

mod arrange;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::arrange::{Arrangement, Sent};
use crate::provoke::table;

const VARIABLE: &str = "KOPRU_REGISTRY_OPENAPI";

/// Documented answers that are known not to come, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "POST /sps/{iysCode}/brands/{brandCode}/consent/retailers/access/list",
        "PaginationError2",
        "H182 for an offset, where every other method has H183",
    ),
    (
        "POST /via/sps/{iysCode}/consent",
        "KvkSmsShorUrl",
        "an identity number of ten digits, which H1096 refuses",
    ),
];

/// Documented answers that cannot be arranged, by the name of their example, and why.
const NOT_ARRANGED: &[(&str, &str)] = &[
    ("threeDay", "H467 with 400, where another example has 422"),
    ("httpException", "H1044 with 400, where the table of codes has 405"),
    ("GenelSistemHatasi", "a failure inside the registry"),
    ("default", "a failure inside the registry"),
    ("smsEmailServiceNotFound", "a failure between the registry's services"),
    ("otpRequestNotFound", "a failure between the registry's services"),
    ("subscriptionStatusNotMatched", "a failure between the registry's services"),
    ("subscriptionNotFound", "a form that is no longer its provider's"),
    ("hashLinkTimeout", "of the page behind a link, not of this method"),
    ("invalidHashLink", "of the page behind a link, not of this method"),
    ("hashLinkisUsed", "of the page behind a link, not of this method"),
];

/// A method of the registry in its document.
struct Method {
    /// `POST /sps/{iysCode}/…`.
    name: String,
    /// The examples of its request, by name; one `null` for a method without body.
    requests: Vec<(String, Value)>,
    /// The statuses of success.
    successes: BTreeSet<u16>,
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
        let statuses = method["responses"].as_object().unwrap().keys();
        let statuses = statuses.filter_map(|status| status.parse().ok());
        let successes = statuses.filter(|status| *status < 300).collect();
        let answers = method["responses"].as_object().unwrap().iter().flat_map(|(status, response)| {
            let status = status.parse().unwrap();
            examples(&response["content"]).map(move |(name, body)| Documented::read(name, status, &body))
        });
        Self { name, requests, successes, answers: answers.collect() }
    }

    /// The name without the version: both versions of a method refuse alike.
    fn first_version(&self) -> String {
        self.name.replace(" /v2/", " /")
    }
}

/// The examples of a body, by name; those of JSON.
fn examples(content: &Value) -> impl Iterator<Item = (String, Value)> {
    let examples = content["application/json"]["examples"].as_object().cloned().unwrap_or_default();
    examples.into_iter().map(|(name, example)| (name, example["value"].clone()))
}

impl Documented {
    fn read(name: String, status: u16, body: &Value) -> Self {
        let errors: Vec<Map<String, Value>> = match body.get("errors").unwrap_or(&Value::Null) {
            Value::Array(errors) => errors.iter().filter_map(Value::as_object).cloned().collect(),
            Value::Object(error) => vec![error.clone()],
            _ => body.as_object().cloned().into_iter().collect(),
        };
        let code = |error: &Map<String, Value>| {
            let code = ["code", "code:", "errorCode", "error"].iter().find_map(|key| error.get(*key));
            code.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut codes: Vec<String> = errors.iter().map(code).collect();
        let behind =
            body.pointer("/subSystemErrorInfo/errors").and_then(Value::as_array).into_iter().flatten();
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
    replayed: usize,
    /// Examples that a row of the table stands for.
    by_rows: usize,
    /// The same, but for rows of another method.
    elsewhere: usize,
    wrong: Vec<String>,
    /// Examples that cannot be arranged, by method.
    left_out: BTreeMap<String, Vec<String>>,
}

/// Methods with the statuses and codes that rows provoke of them.
type Played = BTreeSet<(String, u16, Vec<String>)>;

fn played(methods: &[Method]) -> Played {
    let rows = table().rows.into_iter().filter_map(|row| {
        let method = method_of(methods, &row.steps.last()?.call)?;
        let codes = row.expect.codes.or(row.expect.oauth.map(|word| vec![word]));
        Some((method.first_version(), row.expect.status, codes?))
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_are_answered_as_documented() {
    let Some(methods) = document() else { return };
    let played = played(&methods);
    let mut tally = Tally::default();
    for method in &methods {
        replay(method, &played, &mut tally).await;
    }
    println!(
        "{} examples are answered as documented; rows play {} more, and {} for another method; left out:",
        tally.replayed, tally.by_rows, tally.elsewhere
    );
    let mut unexplained = Vec::new();
    for (method, names) in &tally.left_out {
        for name in names {
            let reason = NOT_ARRANGED.iter().find(|known| known.0 == name).map(|known| known.1);
            println!("  {method} {name}: {}", reason.unwrap_or("?"));
            if reason.is_none() {
                unexplained.push(format!("{method} {name}"));
            }
        }
    }
    assert!(unexplained.is_empty(), "nobody knows why these cannot be arranged:\n{}", unexplained.join("\n"));
    assert!(tally.wrong.is_empty(), "{} differ:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
}

async fn replay(method: &Method, played: &Played, tally: &mut Tally) {
    let arrangement = Arrangement::of(&method.name).await;
    for (name, request) in &method.requests {
        let reply = arrangement.success(request).await;
        if method.successes.contains(&reply.status) {
            tally.replayed += 1;
        } else {
            tally.differs(method, name, &format!("{reply:?}, not {:?}", method.successes));
        }
    }
    for answer in method.answers.iter().filter(|answer| answer.status >= 400) {
        let sent = match method.requests.first() {
            Some((_, request)) => {
                arrangement.refusal(request, &answer.codes, &answer.errors, &answer.name).await
            }
            None => Sent::NotArranged,
        };
        let row = (method.first_version(), answer.status, answer.codes.clone());
        let elsewhere = played.iter().any(|(_, status, codes)| (*status, codes) == (row.1, &row.2));
        match sent {
            Sent::NotArranged if played.contains(&row) => tally.by_rows += 1,
            Sent::NotArranged if elsewhere => tally.elsewhere += 1,
            Sent::NotArranged => tally.left_out(method, &answer.name),
            Sent::Answered(reply)
                if (reply.status, colons(&reply)) == (answer.status, answer.codes.clone()) =>
            {
                tally.replayed += 1;
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
    for error in reply.body.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
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
