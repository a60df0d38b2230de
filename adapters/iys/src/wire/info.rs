//! Provinces and districts (registry-protocol 4.20).

use serde::{Deserialize, Serialize};

use super::{Place, lenient};

/// A province.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct City {
    /// Its plate number: 34 is İstanbul.
    #[serde(deserialize_with = "lenient::int")]
    pub code: i64,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
}

/// A district.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Town {
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Its number, counted through the whole country.
    #[serde(deserialize_with = "lenient::int")]
    pub code: i64,
    /// Its province; the schema spells the key `cityCode`, the examples `city_code`.
    #[serde(alias = "cityCode", default, deserialize_with = "lenient::int")]
    pub city_code: i64,
}

impl From<&City> for Place {
    fn from(city: &City) -> Self {
        Self { name: city.name.clone(), code: city.code.to_string() }
    }
}

impl From<&Town> for Place {
    fn from(town: &Town) -> Self {
        Self { name: town.name.clone(), code: town.code.to_string() }
    }
}
