//! Retailers as they are shown: persons and their numbers masked, unless the caller may see them in full.

use iys::wire;
use kopru_domain::{Recipient, RetailerCode};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::service::consents::Showing;

/// A retailer of a brand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retailer {
    /// Its number at the registry: what consents carry as `retailerCode`.
    pub retailer_code: i64,
    /// Commercial title.
    pub title: String,
    /// `active`, `passive` or `suspended`.
    pub status: String,
    /// Its responsible person, masked unless the key has `recipients:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A*** Y***")]
    pub name: Option<String>,
    /// That person's citizen number, masked alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "*********46")]
    pub tckn: Option<String>,
    /// Tax number; masked where it is a person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tin: Option<String>,
    /// Number in the trade register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mersis: Option<String>,
    /// What its brand calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The person's phone number, masked alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+90 532 *** ** 67")]
    pub mobile: Option<String>,
    /// Province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<Place>,
    /// District.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub town: Option<Place>,
    /// How many consents it may use; as of the last reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retailer_access_count: Option<i64>,
    /// Whether no consent refers to it, so that it can be deleted; only where the registry was asked for it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_be_deleted: Option<bool>,
}

/// A province or district.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Name.
    #[schema(example = "İstanbul")]
    pub name: String,
    /// Number in the registry's lists, as a text; a number is taken for it.
    #[serde(deserialize_with = "code")]
    #[schema(example = "34")]
    pub code: String,
}

/// A code as a text, or as the number that stands in the registry's lists (4.20).
fn code<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Text(String),
        Number(u32),
    }
    Ok(match Code::deserialize(from)? {
        Code::Text(text) => text,
        Code::Number(number) => number.to_string(),
    })
}

impl From<Place> for wire::Place {
    fn from(place: Place) -> Self {
        Self { name: place.name, code: place.code }
    }
}

impl From<wire::Place> for Place {
    fn from(place: wire::Place) -> Self {
        Self { name: place.name, code: place.code }
    }
}

/// The letters of a tax number of a firm; a longer one is a citizen's.
const FIRM: usize = 10;

impl Retailer {
    pub(super) fn new(code: RetailerCode, told: wire::Retailer, showing: Showing) -> Self {
        let hide = |text: Option<String>, mask: fn(&str) -> String| match showing {
            Showing::Full => text,
            Showing::Masked => text.map(|text| mask(&text)),
        };
        let tin = |text: &str| if text.len() > FIRM { number(text) } else { text.to_owned() };
        Self {
            retailer_code: code.0,
            title: told.title,
            status: told.status.unwrap_or_else(|| wire::retailer_status::ACTIVE.to_owned()),
            name: hide(told.name, name),
            tckn: hide(told.tckn, number),
            tin: hide(told.tin, tin),
            mersis: told.mersis,
            alias: told.alias,
            mobile: hide(told.mobile, phone),
            city: told.city.map(Place::from),
            town: told.town.map(Place::from),
            retailer_access_count: told.retailer_access_count,
            can_be_deleted: told.can_be_deleted,
        }
    }
}

/// The first letter of each word.
fn name(text: &str) -> String {
    let words =
        text.split_whitespace().map(|word| word.chars().take(1).chain("***".chars()).collect::<String>());
    words.collect::<Vec<_>>().join(" ")
}

/// The last two digits.
fn number(text: &str) -> String {
    let length = text.chars().count();
    text.chars().enumerate().map(|(place, c)| if place + 2 < length { '*' } else { c }).collect()
}

fn phone(text: &str) -> String {
    Recipient::from_canonical(text).map_or_else(|_| number(text), |known| known.masked())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_masked_and_firms_are_not() {
        let told = || wire::Retailer {
            title: "Örnek Bayi Ltd.".to_owned(),
            name: Some("Ayşe Yılmaz".to_owned()),
            tckn: Some("10000000146".to_owned()),
            tin: Some("1234567890".to_owned()),
            mobile: Some("+905321234567".to_owned()),
            ..wire::Retailer::default()
        };
        let masked = Retailer::new(RetailerCode(7), told(), Showing::Masked);
        assert_eq!(masked.name.as_deref(), Some("A*** Y***"));
        assert_eq!(masked.tckn.as_deref(), Some("*********46"));
        assert_eq!(masked.tin.as_deref(), Some("1234567890"));
        assert_eq!(masked.mobile.as_deref(), Some("+90 532 *** ** 67"));
        let full = Retailer::new(RetailerCode(7), told(), Showing::Full);
        assert_eq!((full.name.as_deref(), full.tckn.as_deref()), (Some("Ayşe Yılmaz"), Some("10000000146")));
        let person = wire::Retailer { tin: Some("10000000146".to_owned()), ..told() };
        assert_eq!(
            Retailer::new(RetailerCode(7), person, Showing::Masked).tin.as_deref(),
            Some("*********46")
        );
    }
}
