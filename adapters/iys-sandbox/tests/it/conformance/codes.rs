//! Every refusal of the table of `provoke.rs`, read by the client.

use std::sync::Arc;

use futures::StreamExt;
use iys::wire::ErrorItem;
use iys::{Credentials, ErrorClass, IysClient, IysError, Operation, PauseScope, Unpaced, codes};
use serde_json::{Value, json};

use super::drive::{Driven, drive};
use super::listing::{self, Entry, Way};
use super::relay::Relay;
use crate::provoke::{Expectation, Row, Run, table};
use crate::world::{client, send};

/// Refusals that the client hands on as "there is none".
const ABSENCES: [(Operation, &str); 1] = [(Operation::Retailer, "H058")];

fn iys_client(base: &str) -> IysClient {
    IysClient::builder(base).pacer(Arc::new(Unpaced)).token_calls_per_hour(u32::MAX).build().unwrap()
}

/// The client uses the second versions only.
fn of_second_version(mut row: Row) -> Row {
    for step in &mut row.steps {
        let Some((method, path)) = step.call.split_once(' ') else { continue };
        let path = path.replace("{brand}", "/sps/600100/brands/600100");
        let segments: Vec<&str> = path.split('/').collect();
        let is_first = matches!(segments[..], ["", "sps", _, "brands", _, "consents"])
            || matches!(segments[..], ["", "sps", _, "brands", _, "consents", "request", ..]);
        if is_first {
            step.call = format!("{method} /v2{path}");
        }
    }
    row
}

/// Plays a row, its last request by the client; `None` when the client has no function for it.
async fn play(
    relay: &Relay,
    shared: &IysClient,
    http: &reqwest::Client,
    number: usize,
    row: &Row,
) -> Option<(Driven, Way)> {
    let (last, before) = row.steps.split_last().unwrap();
    let mut run = Run::start(http.clone(), &[]).await;
    for step in before {
        run.step(step).await;
    }
    for _ in 1..last.times.unwrap_or(1) {
        send(run.request(last).await).await;
    }
    let name = format!("row-{number}");
    let request = run.request(last).await.build().unwrap();
    relay.expect(&name, request.try_clone().unwrap());
    // What the token endpoint says keeps a whole client from asking on.
    let own = request.url().path().starts_with("/oauth2/").then(|| iys_client(&relay.base));
    let account = own.as_ref().unwrap_or(shared).account(Credentials::new(&*name, "password"));
    let driven = drive(&account, &request).await?;
    let own_bearer = last.token.is_none() && last.r#as.as_deref() != Some("nobody");
    let way = match &driven.refused_locally {
        Some(_) => Way::Refused,
        None if relay.was_alike(&name) && own_bearer => Way::Typed,
        None => Way::Raw,
    };
    Some((driven, way))
}

/// What to do about a code, from the client's own table.
fn class(operation: Operation, code: &str, status: u16) -> Result<ErrorClass, String> {
    let info = codes::lookup_for(operation, code).ok_or(format!("{code} is in no table of the client"))?;
    let scope = if operation.has_brand() { PauseScope::Brand } else { PauseScope::Tenant };
    Ok(match info.class {
        ErrorClass::Pause { scope: PauseScope::Brand } => ErrorClass::Pause { scope },
        ErrorClass::Reauthenticate if status == 403 => ErrorClass::Pause { scope },
        ErrorClass::Retry if operation.writes() && ["H192", "ERR-SYS-0003"].contains(&code) => {
            ErrorClass::OutcomeUnknown
        }
        class => class,
    })
}

/// What the client makes wrong of an answer.
fn judge(expected: &Expectation, driven: &Driven) -> Result<(), String> {
    let codes: Vec<&str> =
        expected.codes.iter().flatten().map(String::as_str).filter(|code| !code.is_empty()).collect();
    let error = match &driven.outcome {
        Ok(answer) if expected.status < 400 => return judge_success(expected, answer.as_ref()),
        Ok(None) if codes.iter().any(|code| ABSENCES.contains(&(driven.operation, code))) => return Ok(()),
        Ok(answer) => return Err(format!("{answer:?} instead of {codes:?}")),
        Err(error) => error,
    };
    let wrong = |what: &str| Err(format!("{what}: {error:?}, {:?}", error.class()));
    if (error.status(), error.operation()) != (Some(expected.status), driven.operation) {
        return wrong("status or operation");
    }
    if let Some(word) = &expected.oauth {
        let refused = matches!(error, IysError::CredentialsRefused { .. });
        return if refused && error.code() == Some(word) { Ok(()) } else { wrong("word") };
    }
    // An answer of the second-factor service has the codes behind it last, and they tell more.
    let behind = codes.iter().find(|code| codes[0].starts_with("ERR-SYS") && code.starts_with('H'));
    let deciding = behind.or(codes.first()).copied();
    if error.code() != deciding {
        return wrong("code");
    }
    let Some(deciding) = deciding else { return Ok(()) };
    match (class(driven.operation, deciding, expected.status)?, error.class()) {
        (ErrorClass::Wait { .. }, ErrorClass::Wait { .. }) => return Ok(()),
        (wanted, found) if wanted == found => {}
        (wanted, _) => return wrong(&format!("class, not {wanted:?}")),
    }
    judge_items(expected, &codes, behind.is_some(), error.items()).or_else(|what| wrong(&what))
}

fn judge_success(expected: &Expectation, answer: Option<&Value>) -> Result<(), String> {
    for (pointer, code) in &expected.body {
        if pointer.ends_with("/error/code") && answer.and_then(|answer| answer.pointer(pointer)) != Some(code)
        {
            return Err(format!("{code} is lost in {answer:?}"));
        }
    }
    Ok(())
}

/// The reasons of a refusal and where they are.
fn judge_items(
    expected: &Expectation,
    codes: &[&str],
    behind: bool,
    items: &[ErrorItem],
) -> Result<(), String> {
    let found: Vec<&str> = items.iter().filter_map(|item| item.code.as_deref()).collect();
    let fields = expected.body.iter().filter(|(pointer, _)| pointer.starts_with("/data/"));
    let fields: Vec<&Value> =
        fields.filter(|(pointer, _)| pointer.ends_with("/field")).map(|(_, field)| field).collect();
    if !fields.is_empty() {
        let named: Vec<Value> = items.iter().map(|item| json!(item.field())).collect();
        return if named.iter().eq(fields) { Ok(()) } else { Err(format!("fields {named:?}")) };
    }
    // The client has the codes behind an answer before the answer's own.
    let mut codes = codes.to_vec();
    codes.rotate_left(usize::from(behind));
    if found != codes {
        return Err(format!("codes {found:?}"));
    }
    let first = json!(items[0]);
    for (name, wanted) in
        [("location", &expected.location), ("value", &expected.value), ("index", &expected.index)]
    {
        if wanted.as_ref().is_some_and(|wanted| first[name] != *wanted) {
            return Err(name.to_owned());
        }
    }
    Ok(())
}

/// Where the client refuses by itself, it gives the registry's code.
fn judge_own_refusal(expected: &Expectation, driven: &Driven) -> Result<(), String> {
    let Some(code) = &driven.refused_locally else { return Ok(()) };
    let registry = expected.codes.iter().flatten().next().map_or("", String::as_str);
    if code == registry { Ok(()) } else { Err(format!("the client refuses with {code} itself")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_read_as_it_is_meant() {
    let (table, http) = (table(), client());
    let relay = &Relay::start(http.clone()).await;
    let (shared, http) = (&iys_client(&relay.base), &http);
    let rows = table.rows.into_iter().map(of_second_version).enumerate();
    let played: Vec<_> = futures::stream::iter(rows)
        .map(|(number, row)| async move {
            let driven = play(relay, shared, http, number, &row).await;
            (number, row, driven)
        })
        .buffered(4)
        .collect()
        .await;
    let (mut failures, mut entries) = (Vec::new(), Vec::new());
    for (number, row, played) in played {
        let way = match &played {
            None => Way::Never,
            Some((driven, way)) => {
                let judged = judge(&row.expect, driven).and_then(|()| judge_own_refusal(&row.expect, driven));
                if let Err(why) = judged {
                    failures.push(format!(
                        "row {number} ({:?}, {:?}): {why}",
                        row.rule,
                        row.steps.last().unwrap().call
                    ));
                }
                *way
            }
        };
        entries.extend(Entry::of(&row, played.map(|(driven, _)| driven.operation), way));
    }
    assert!(failures.is_empty(), "{} rows fail:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(shared.unknown_codes(), std::collections::BTreeMap::new(), "codes that are in no table");
    listing::assert_is_current(&entries, &table.uncovered);
}
