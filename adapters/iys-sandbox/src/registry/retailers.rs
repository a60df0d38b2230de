//! Retailers (protocol 4.14): making, listing, showing and removing them.

use iys::wire::Pagination;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Content, Download, Outcome, Stop};
use super::operation::Call;
use super::status;
use crate::error::Result;
use crate::messages;
use crate::rules::retailer::{
    self as rules, LISTING, ListingCase, NUMBER, NumberCase, PLACE, PROFILE, PlaceCase, ProfileCase, REMOVAL,
    RemovalCase,
};
use crate::rules::shape::Wanted;
use crate::rules::{ErrorItem, Refusal};
use crate::store::retailers::{self, Identity, Locality, Retailer, RetailerStatus};

/// The smallest number of a retailer: eight digits.
const FIRST_CODE: i64 = 10_000_000;
/// How many numbers of eight digits there are.
const CODES: u64 = 90_000_000;
/// How often a free number is looked for.
const TRIES: usize = 32;

/// A retailer as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mersis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tckn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<ShownPlace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    town: Option<ShownPlace>,
    status: &'static str,
    retailer_access_count: i64,
    retailer_code: i64,
}

/// A city or town of a profile. The number is the text that came, as in the document's examples.
#[derive(Debug, Serialize)]
struct ShownPlace {
    name: String,
    code: String,
}

impl From<Locality> for ShownPlace {
    fn from(Locality { code, name }: Locality) -> Self {
        Self { name, code }
    }
}

fn shown(desk: &Desk<'_>, retailer: Retailer) -> Result<Shown> {
    Ok(Shown {
        title: retailer.title,
        mersis: retailer.mersis,
        alias: retailer.alias,
        name: retailer.name,
        tckn: retailer.tckn,
        mobile: retailer.mobile,
        tin: retailer.tin,
        city: retailer.city.map(ShownPlace::from),
        town: retailer.town.map(ShownPlace::from),
        status: retailer.status.as_str(),
        retailer_access_count: retailers::count_consents(desk.db, retailer.code)?,
        retailer_code: retailer.code,
    })
}

/// Makes a retailer and gives it a number.
pub(crate) fn add(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let empty = Map::new();
    let map = body.as_object().unwrap_or(&empty);
    let case = ProfileCase { map, addresses: desk.settings.settings.address_policy() };
    desk.settings.all(PROFILE, |check| check(&case))?;
    let with = |identity, field: &str| match case.text(field) {
        Some(number) => retailers::statuses_with(desk.db, access.iys_code(), identity, &number),
        None => Ok(Vec::new()),
    };
    let place = PlaceCase {
        same_tckn: with(Identity::Tckn, "tckn")?,
        same_mersis: with(Identity::Mersis, "mersis")?,
        count: retailers::count(desk.db, access.brand_code)?,
    };
    desk.settings.all(PLACE, |check| check(&place))?;
    let retailer = read(&case, free_code(desk)?, access.brand_code);
    retailers::add(desk.db, &retailer)?;
    Ok(Answer::Json(201, json!({ "retailerCode": retailer.code })))
}

/// The retailer of a profile that has passed the rules.
fn read(case: &ProfileCase<'_>, code: i64, brand_code: i64) -> Retailer {
    let text = |field: &str| case.text(field).map(std::borrow::Cow::into_owned);
    let locality = |field: &str| {
        let place = case.map.get(field)?.as_object()?;
        let part = |part: &str| place.get(part).and_then(rules::text);
        Some(Locality { code: part("code")?.into_owned(), name: part("name")?.into_owned() })
    };
    Retailer {
        code,
        brand_code,
        title: text("title").unwrap_or_default(),
        name: text("name"),
        alias: text("alias"),
        tckn: text("tckn"),
        tin: text("tin"),
        mersis: text("mersis"),
        mobile: text("mobile"),
        city: locality("city"),
        town: locality("town"),
        status: text("status")
            .and_then(|text| RetailerStatus::parse(&text))
            .unwrap_or(RetailerStatus::Active),
    }
}

/// A number that no retailer has. They are drawn by lot, as the registry's look; H067 when none is found.
fn free_code(desk: &Desk<'_>) -> Result<i64, Stop> {
    for _ in 0..TRIES {
        let mut lot = [0_u8; 8];
        getrandom::fill(&mut lot)?;
        let code = FIRST_CODE + (u64::from_be_bytes(lot) % CODES) as i64;
        if !retailers::is_taken(desk.db, code)? {
            return Ok(code);
        }
    }
    let message = messages::text("", "H067", "");
    let item = ErrorItem { code: "H067", message, location: Vec::new(), value: None, index: None };
    Err(Refusal { status: 400, errors: vec![item] }.into())
}

/// A brand's retailers, page by page.
pub(crate) fn list(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let case = ListingCase { all: call.parameter("all"), short: call.parameter("short") };
    let listing = desk.settings.all(LISTING, |check| check(&case));
    let (offset, limit) = status::checked_page(desk, call, listing)?;
    let short = case.short == Some("true") && case.all != Some("true");
    let mut list = Vec::new();
    for retailer in retailers::list(desk.db, access.brand_code, offset, limit)? {
        let shown = shown(desk, retailer)?;
        list.push(if short { shorter(&shown) } else { serde_json::to_value(shown)? });
    }
    let total_count = retailers::count(desk.db, access.brand_code)?;
    let pagination = Pagination { offset, page_size: list.len() as i64, total_count };
    let mut pagination = serde_json::to_value(pagination)?;
    pagination["currentPage"] = (offset / limit.max(1) + 1).into();
    Ok(Answer::Json(200, json!({ "pagination": pagination, "list": list })))
}

/// The short form. As in the long one, a city that is not known is no key: the registry writes no `null`.
fn shorter(shown: &Shown) -> Value {
    let mut short = json!({
        "title": shown.title,
        "retailerAccessCount": shown.retailer_access_count,
        "retailerCode": shown.retailer_code,
        "status": shown.status,
    });
    if let Some(city) = &shown.city {
        short["city"] = json!(city);
    }
    short
}

/// One retailer. One that does not exist is told as an object without fields: the document has 200 for
/// it and no body (assumption).
pub(crate) fn one(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let case = NumberCase { is_number: call.code("retailerCode").number().is_some() };
    desk.settings.first(NUMBER, |check| check(&case))?;
    let Some(retailer) = find(desk, call, access)? else { return Ok(Answer::Json(200, json!({}))) };
    let can_be_deleted = !retailers::has_consents(desk.db, retailer.code)?;
    let mut body = serde_json::to_value(shown(desk, retailer)?)?;
    body["canBeDeleted"] = can_be_deleted.into();
    Ok(Answer::Json(200, body))
}

/// Removes a retailer that no consent names.
pub(crate) fn remove(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let retailer = find(desk, call, access)?;
    let has_consents = match &retailer {
        Some(retailer) => retailers::has_consents(desk.db, retailer.code)?,
        None => false,
    };
    let case = RemovalCase { code: call.variable("retailerCode"), exists: retailer.is_some(), has_consents };
    desk.settings.first(REMOVAL, |check| check(&case))?;
    if let Some(retailer) = retailer {
        retailers::remove(desk.db, retailer.code)?;
    }
    let content = Content::Bytes("Bayi silindi.".into());
    Ok(Answer::File(Download { media_type: "text/plain; charset=utf-8", name: None, content }))
}

/// The retailer of the path. What is no number is nobody's.
fn find(desk: &Desk<'_>, call: &Call, access: &Access) -> Result<Option<Retailer>, Stop> {
    match call.code("retailerCode").number() {
        Some(code) => Ok(retailers::find(desk.db, access.brand_code, code)?),
        None => Ok(None),
    }
}

/// A retailer as it stands in the list of those that can see a consent (protocol 4.15): without state
/// and count.
pub(super) fn listed(desk: &Desk<'_>, retailer: Retailer) -> Result<Value> {
    let mut body = serde_json::to_value(shown(desk, retailer)?)?;
    if let Some(fields) = body.as_object_mut() {
        for field in ["status", "tin", "retailerAccessCount"] {
            fields.remove(field);
        }
    }
    Ok(body)
}
