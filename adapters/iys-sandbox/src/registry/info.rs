//! Provinces and districts (protocol 4.20).

use serde_json::{Value, json};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::places::{self, Town};
use crate::rules::report::PLACE_CODE;

fn city((code, name): (usize, &str)) -> Value {
    json!({ "code": code, "name": name })
}

fn town(Town { code, city_code, name }: Town) -> Value {
    json!({ "name": name, "code": code, "city_code": city_code })
}

/// The number in the path; `None` when there cannot be a place of that number.
fn asked_code(desk: &Desk<'_>, call: &Call) -> Result<Option<usize>, Stop> {
    let code = call.variable("code");
    desk.settings.first(PLACE_CODE, |check| check(&code))?;
    Ok(code.parse().ok())
}

fn one(place: Option<Value>) -> Answer {
    place.map_or(Answer::Empty(204), |place| Answer::Json(200, place))
}

/// All provinces.
pub(crate) fn cities(_: &Desk<'_>, _: &Call, _: &Access) -> Outcome {
    Ok(Answer::ok(&places::cities().map(city).collect::<Vec<_>>())?)
}

/// One province.
pub(crate) fn one_city(desk: &Desk<'_>, call: &Call, _: &Access) -> Outcome {
    let asked = asked_code(desk, call)?;
    Ok(one(places::cities().find(|(code, _)| Some(*code) == asked).map(city)))
}

/// All districts.
pub(crate) fn towns(_: &Desk<'_>, _: &Call, _: &Access) -> Outcome {
    Ok(Answer::ok(&places::towns().map(town).collect::<Vec<_>>())?)
}

/// One district.
pub(crate) fn one_town(desk: &Desk<'_>, call: &Call, _: &Access) -> Outcome {
    let asked = asked_code(desk, call)?;
    Ok(one(places::towns().find(|town| Some(town.code) == asked).map(town)))
}
