//! A retailer's profile (protocol 4.14). The document's examples of these refusals have no place and no
//! value, only code and sentence.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::query::Number;
use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::identity::{self, MERSIS_DIGITS, TCKN_DIGITS, VKN_DIGITS};
use crate::store::retailers::RetailerStatus;

/// The longest text of a profile.
const TEXT_MAX: usize = 255;
/// The most retailers of a brand.
pub(crate) const RETAILERS_MAX: i64 = 3000;

/// A profile as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProfileCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    pub(crate) addresses: AddressPolicy,
}

impl<'a> ProfileCase<'a> {
    /// A field that holds a text, or a number for a text as the document has it in its examples.
    pub(crate) fn text(&self, field: &str) -> Option<Cow<'a, str>> {
        text(self.map.get(field)?)
    }

    fn missing(&self, field: &str) -> bool {
        !self.map.contains_key(field)
    }

    /// A field that is there and has nothing to say.
    fn blank(&self, field: &str) -> Option<Finding> {
        (!self.missing(field) && is_blank(self.map.get(field))).then(Finding::new)
    }

    /// A field that has to be an object, is there, and is none.
    fn no_object(&self, field: &str) -> Option<Finding> {
        self.map.get(field).filter(|value| !value.is_object()).map(|_| Finding::new())
    }

    fn part_blank(&self, field: &str, part: &str) -> Option<Finding> {
        is_blank(self.map.get(field)?.as_object()?.get(part)).then(Finding::new)
    }

    fn too_long(&self, field: &str) -> Option<Finding> {
        (self.text(field)?.chars().count() > TEXT_MAX).then(|| Finding::new().detail(field))
    }

    /// A text with other characters than these, or no text. A blank one has a rule of its own where the
    /// field is required.
    fn unreadable(&self, field: &str, allowed: fn(char) -> bool) -> Option<Finding> {
        if self.missing(field) {
            return None;
        }
        let readable = self
            .text(field)
            .is_some_and(|text| text.chars().all(allowed) && text.chars().any(char::is_alphanumeric));
        (!readable).then(|| Finding::new().detail(field))
    }

    /// A number that is given and of another length.
    fn of_other_length(&self, field: &str, lengths: &[usize]) -> Option<Finding> {
        let fits = self.text(field).is_some_and(|text| lengths.contains(&text.chars().count()));
        (!self.missing(field) && !fits).then(Finding::new)
    }

    /// A number of the right length that is none.
    fn unusable(&self, field: &str, lengths: &[usize], is_right: fn(&str) -> bool) -> Option<Finding> {
        let text = self.text(field)?;
        (lengths.contains(&text.chars().count()) && !is_right(&text)).then(Finding::new)
    }
}

/// The text of a value, or of a whole number.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if number.is_u64() => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    value.and_then(text).is_none_or(|text| text.trim().is_empty())
}

/// What a person's name is written with.
fn in_names(c: char) -> bool {
    c.is_alphabetic() || matches!(c, ' ' | '.' | '-' | '\'' | '’')
}

/// What a company's name is written with. "Alphanumeric" cannot be meant to the letter: the titles of
/// companies have stops in them (assumption).
fn in_titles(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '\'' | '’' | '&' | '/' | '(' | ')')
}

const REQUIRED: [&str; 5] = ["title", "name", "tckn", "city", "town"];

type ProfileCheck = for<'a> fn(&ProfileCase<'a>) -> Option<Finding>;

/// The rules about a new retailer's profile.
pub(crate) const PROFILE: &[Rule<ProfileCheck>] = &[
    Rule::new("H016", 400, "retailer_keys_missing", |case| {
        let missing: Vec<&str> = REQUIRED.into_iter().filter(|field| case.missing(field)).collect();
        (!missing.is_empty()).then(|| Finding::new().detail(missing.join(", ")))
    }),
    Rule::new("H017", 400, "retailer_title_too_long", |case| case.too_long("title")),
    Rule::new("H017", 400, "retailer_name_too_long", |case| case.too_long("name")),
    Rule::new("H017", 400, "retailer_alias_too_long", |case| case.too_long("alias")),
    Rule::new("H214", 400, "retailer_title_blank", |case| case.blank("title")),
    Rule::new("H215", 400, "retailer_name_blank", |case| case.blank("name")),
    Rule::new("H216", 400, "retailer_tckn_blank", |case| case.blank("tckn")),
    Rule::new("H217", 400, "retailer_city_blank", |case| case.no_object("city")),
    Rule::new("H218", 400, "retailer_city_code_blank", |case| case.part_blank("city", "code")),
    Rule::new("H219", 400, "retailer_city_name_blank", |case| case.part_blank("city", "name")),
    Rule::new("H220", 400, "retailer_town_blank", |case| case.no_object("town")),
    Rule::new("H221", 400, "retailer_town_code_blank", |case| case.part_blank("town", "code")),
    Rule::new("H222", 400, "retailer_town_name_blank", |case| case.part_blank("town", "name")),
    Rule::new("H229", 400, "retailer_title_unreadable", |case| {
        case.unreadable("title", in_titles).filter(|_| case.blank("title").is_none())
    }),
    Rule::new("H229", 400, "retailer_name_unreadable", |case| {
        case.unreadable("name", in_names).filter(|_| case.blank("name").is_none())
    }),
    // Empty texts are errors in optional fields too (protocol 2).
    Rule::new("H229", 400, "retailer_alias_unreadable", |case| case.unreadable("alias", in_titles)),
    Rule::new("H201", 400, "retailer_status_unknown", |case| {
        let known = case.text("status").is_some_and(|text| RetailerStatus::parse(&text).is_some());
        (!case.missing("status") && !known).then(Finding::new)
    }),
    Rule::new("H224", 400, "retailer_mobile_invalid", |case| {
        let phone = case
            .text("mobile")
            .is_some_and(|text| matches!(address::kind(&text, case.addresses), Kind::Phone(_)));
        (!case.missing("mobile") && !phone).then(Finding::new)
    }),
    Rule::new("H226", 400, "retailer_tckn_length", |case| {
        case.of_other_length("tckn", &[TCKN_DIGITS]).filter(|_| case.blank("tckn").is_none())
    }),
    Rule::new("H225", 400, "retailer_tckn_invalid", |case| {
        case.unusable("tckn", &[TCKN_DIGITS], identity::is_tckn)
    }),
    Rule::new("H228", 400, "retailer_mersis_length", |case| case.of_other_length("mersis", &[MERSIS_DIGITS])),
    Rule::new("H227", 400, "retailer_mersis_invalid", |case| {
        case.unusable("mersis", &[MERSIS_DIGITS], identity::is_mersis)
    }),
    Rule::new("H288", 400, "retailer_tin_blank", |case| is_blank(case.map.get("tin")).then(Finding::new)),
    Rule::new("H244", 400, "retailer_tin_length", |case| {
        let blank = is_blank(case.map.get("tin"));
        case.of_other_length("tin", &[VKN_DIGITS, TCKN_DIGITS]).filter(|_| !blank)
    }),
    Rule::new("H243", 400, "retailer_tin_invalid", |case| {
        case.unusable("tin", &[VKN_DIGITS, TCKN_DIGITS], |text| {
            identity::is_vkn(text) || identity::is_tckn(text)
        })
    }),
];

/// What the retailers that are there say of a new one.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlaceCase {
    /// The provider's retailers with the same citizen's number.
    pub(crate) same_tckn: Vec<RetailerStatus>,
    /// The provider's retailers with the same register number.
    pub(crate) same_mersis: Vec<RetailerStatus>,
    /// How many retailers the brand has.
    pub(crate) count: i64,
}

impl PlaceCase {
    fn passive(&self) -> bool {
        self.same_tckn.iter().chain(&self.same_mersis).any(|status| *status == RetailerStatus::Passive)
    }
}

fn at_work(statuses: &[RetailerStatus]) -> Option<Finding> {
    statuses.iter().any(|status| *status != RetailerStatus::Passive).then(Finding::new)
}

type PlaceCheck = fn(&PlaceCase) -> Option<Finding>;

/// Whether there is a place for a new retailer. A provider's retailers are compared over all of its
/// brands: the document's sentence for H253 says so, and the other two are taken alike (assumption).
pub(crate) const PLACE: &[Rule<PlaceCheck>] = &[
    Rule::new("H253", 400, "retailer_is_passive", |case| case.passive().then(Finding::new)),
    Rule::new("H230", 400, "retailer_mersis_repeats", |case| at_work(&case.same_mersis)),
    Rule::new("H231", 400, "retailer_tckn_repeats", |case| at_work(&case.same_tckn)),
    // No code is known for it.
    Rule::new("", 400, "too_many_retailers", |case| (case.count >= RETAILERS_MAX).then(Finding::new)),
];

/// A retailer that is to be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemovalCase<'a> {
    /// The number as it stands in the path.
    pub(crate) code: &'a str,
    pub(crate) exists: bool,
    pub(crate) has_consents: bool,
}

type RemovalCheck = for<'a> fn(&RemovalCase<'a>) -> Option<Finding>;

/// The rules about removing a retailer.
pub(crate) const REMOVAL: &[Rule<RemovalCheck>] = &[
    Rule::new("H058", 404, "retailer_unknown", |case| {
        (!case.exists).then(|| Finding::new().detail(case.code))
    }),
    // The document tells the refusal and no code for it.
    Rule::new("", 400, "retailer_has_consents", |case| case.has_consents.then(Finding::new)),
];

/// The number of a retailer that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberCase {
    pub(crate) is_number: bool,
}

type NumberCheck = fn(&NumberCase) -> Option<Finding>;

/// The rule about the number of a retailer. The document has a whole number in the path and no code for anything else.
pub(crate) const NUMBER: &[Rule<NumberCheck>] = &[Rule::new("", 400, "retailer_code_not_integer", |case| {
    (!case.is_number).then(|| Finding::at("retailerCode"))
})];

/// What a list of retailers shall show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListingCase<'a> {
    pub(crate) all: Option<&'a str>,
    pub(crate) short: Option<&'a str>,
}

type ListingCheck = for<'a> fn(&ListingCase<'a>) -> Option<Finding>;

/// The rules about a list of retailers. That the two are truth values is an assumption: the document
/// calls them texts.
pub(crate) const LISTING: &[Rule<ListingCheck>] = &[
    Rule::new("H184", 422, "listing_all_invalid", |case| switch("all", case.all)),
    Rule::new("H185", 422, "listing_short_invalid", |case| switch("short", case.short)),
];

fn switch(name: &str, value: Option<&str>) -> Option<Finding> {
    let value = value.filter(|value| !matches!(*value, "true" | "false"))?;
    Some(Finding::at(name).value(Number(Some(value)).value()))
}
