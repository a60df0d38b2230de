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

/// How the clock is to be moved: by a step or to an instant.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Move {
    Advance(String),
    Set(String),
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    Json(view(&app.registry.clock))
}

pub(super) async fn advance(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let moved = match read(&body)? {
        Move::Advance(step) => {
            let step = parse_step(&step).ok_or_else(|| Problem::invalid("advance", "65m, 2h, 4d, 90s"))?;
            app.registry.move_clock(move |clock| clock.advanced(step)).await?
        }
        Move::Set(instant) => {
            let instant = DateTime::parse_from_rfc3339(&instant)
                .map_err(|_| Problem::invalid("set", "2026-11-30T09:00:00+03:00"))?
                .to_utc();
            app.registry.move_clock(move |clock| clock.set_to(instant)).await?
        }
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
