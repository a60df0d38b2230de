//! Turkey's public holidays, as data with a version (rules.md section 3).
//!
//! The table is compiled in and can be replaced by the operator: religious days of coming years are
//! calculated, and the state may move them by a day or declare new ones.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

/// Version of the compiled-in table.
const BUILTIN_VERSION: &str = "tr-2026-11-22";

static BUILTIN: LazyLock<BusinessCalendar> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the table is part of the program; a test reads it")]
    BusinessCalendar::from_csv(include_str!("../data/holidays-tr.csv"), BUILTIN_VERSION)
        .expect("the compiled-in holiday table is well-formed")
});

/// A holiday table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// The text is not CSV with the expected columns, or a value in it cannot be read.
    #[error("holiday table cannot be read")]
    Csv(#[from] csv::Error),
    /// The table has no rows, so it covers no year.
    #[error("holiday table is empty")]
    Empty,
}

/// How one day stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day<'a> {
    /// A public holiday.
    Holiday {
        /// Whether only the afternoon is off, from 13:00.
        half: bool,
        /// Its name in Turkish.
        name_tr: &'a str,
        /// Its name in English.
        name_en: &'a str,
    },
    /// Not in the table. It may still be a Saturday or Sunday.
    Ordinary,
}

impl Day<'_> {
    /// Whether the whole day is off.
    pub const fn is_full_holiday(&self) -> bool {
        matches!(self, Self::Holiday { half: false, .. })
    }

    /// Whether only the afternoon is off.
    pub const fn is_half_holiday(&self) -> bool {
        matches!(self, Self::Holiday { half: true, .. })
    }
}

/// A table of public holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessCalendar {
    version: String,
    holidays: BTreeMap<NaiveDate, Holiday>,
    first_year: i32,
    last_year: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Holiday {
    half: bool,
    name_tr: String,
    name_en: String,
}

/// One row of the table. Further columns are ignored.
#[derive(Deserialize)]
struct Row {
    date: NaiveDate,
    name_tr: String,
    name_en: String,
    half_day: bool,
}

impl BusinessCalendar {
    /// The table that is compiled in, 2019 to 2035.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads a table with the columns `date` (YYYY-MM-DD), `name_tr`, `name_en` and `half_day`
    /// (true or false). Where a date stands twice, a full holiday beats a half one, and the first of
    /// equals stays. The years from the first row's to the last row's count as covered: a table
    /// names every holiday of its years.
    pub fn from_csv(text: &str, version: &str) -> Result<Self, CalendarError> {
        let mut holidays = BTreeMap::<NaiveDate, Holiday>::new();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        for row in reader.deserialize() {
            let Row { date, name_tr, name_en, half_day } = row?;
            let holiday = Holiday { half: half_day, name_tr, name_en };
            match holidays.get_mut(&date) {
                Some(known) if known.half && !holiday.half => *known = holiday,
                Some(_) => {}
                None => {
                    holidays.insert(date, holiday);
                }
            }
        }
        let (Some((first, _)), Some((last, _))) = (holidays.first_key_value(), holidays.last_key_value())
        else {
            return Err(CalendarError::Empty);
        };
        let (first_year, last_year) = (first.year(), last.year());
        Ok(Self { version: version.to_owned(), holidays, first_year, last_year })
    }

    /// The version of the table, to be stored with every deadline computed from it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the table knows the holidays of this day's year. Outside, only weekends are off.
    pub fn covers(&self, date: NaiveDate) -> bool {
        (self.first_year..=self.last_year).contains(&date.year())
    }

    /// The first and the last year the table covers.
    pub const fn years(&self) -> (i32, i32) {
        (self.first_year, self.last_year)
    }

    /// How a day stands in the table.
    pub fn day(&self, date: NaiveDate) -> Day<'_> {
        self.holidays.get(&date).map_or(Day::Ordinary, |holiday| Day::Holiday {
            half: holiday.half,
            name_tr: &holiday.name_tr,
            name_en: &holiday.name_en,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_builtin_table_covers_2019_to_2035() {
        let calendar = BusinessCalendar::builtin();
        assert_eq!(calendar.years(), (2019, 2035));
        assert_eq!(calendar.version(), "tr-2026-11-22");
        assert!(calendar.covers(date("2019-01-01")) && calendar.covers(date("2035-12-31")));
        assert!(!calendar.covers(date("2018-12-31")) && !calendar.covers(date("2036-01-01")));
    }

    #[test]
    fn a_full_holiday_beats_a_half_one_on_the_same_date() {
        let calendar = BusinessCalendar::builtin();
        for doubled in ["2022-05-01", "2023-04-23", "2027-05-19", "2029-04-23", "2033-01-01"] {
            assert!(calendar.day(date(doubled)).is_full_holiday(), "{doubled}");
        }
        let turned = BusinessCalendar::from_csv(
            "date,name_tr,name_en,half_day\n2030-01-01,tam,full,false\n2030-01-01,yarım,half,true\n",
            "test",
        )
        .unwrap();
        assert_eq!(
            turned.day(date("2030-01-01")),
            Day::Holiday { half: false, name_tr: "tam", name_en: "full" }
        );
    }

    #[test]
    fn the_eve_of_republic_day_is_half_off() {
        let calendar = BusinessCalendar::builtin();
        assert!(calendar.day(date("2026-10-28")).is_half_holiday());
        assert!(calendar.day(date("2026-10-29")).is_full_holiday());
        assert_eq!(calendar.day(date("2026-10-30")), Day::Ordinary);
    }

    #[test]
    fn a_table_that_cannot_be_read_says_where() {
        let error = BusinessCalendar::from_csv("date,name_tr,name_en,half_day\n1.1.2030,a,b,false\n", "x")
            .unwrap_err();
        let CalendarError::Csv(csv) = error else { panic!("{error}") };
        assert_eq!(csv.position().map(csv::Position::line), Some(2));
        assert!(matches!(BusinessCalendar::from_csv("date\n", "x"), Err(CalendarError::Empty)));
        assert!(BusinessCalendar::from_csv("date,half_day\n2030-01-01,true\n", "x").is_err());
    }
}
