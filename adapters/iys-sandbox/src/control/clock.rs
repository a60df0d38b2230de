//! `/_sandbox/clock`: reading the registry's time and moving it forward.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::clock::{Clock, ClockRefusal, parse_step};
use crate::http::App;
use crate::wire_time;

/// The two bodies that move the clock.
const MOVES: &str = r#"{"advance": "65m"} | {"set": "2026-11-30T09:00:00+03:00"}"#;

/// How the clock is to be moved: by a step or to an instant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: Option<String>,
    set: Option<String>,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    Json(view(&app.registry.clock))
}

pub(super) async fn advance(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let Move { advance, set } = read(&body)?;
    let moved = match (advance, set) {
        (Some(step), None) => {
            let step = parse_step(&step).ok_or_else(|| Problem::invalid("advance", "65m, 2h, 4d, 90s"))?;
            app.registry.move_clock(move |clock| clock.advanced(step)).await?
        }
        (None, Some(instant)) => {
            let instant = DateTime::parse_from_rfc3339(&instant)
                .map_err(|_| Problem::invalid("set", "2026-11-30T09:00:00+03:00"))?
                .to_utc();
            app.registry.move_clock(move |clock| clock.set_to(instant)).await?
        }
        _ => return Err(Problem::invalid("body", MOVES)),
    };
    match moved {
        Ok(()) => Ok(Json(view(&app.registry.clock))),
        Err(ClockRefusal::Backwards) => Err(Problem::clock_backwards()),
        Err(ClockRefusal::TooFar) => Err(Problem::clock_too_far()),
    }
}

fn view(clock: &Clock) -> Value {
    json!({
        "now": wire_time::rfc3339(clock.now().timestamp()),
        "offsetMillis": clock.offset().num_milliseconds(),
    })
}
