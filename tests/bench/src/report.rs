//! Figures and how they are printed.

use std::fmt::Write as _;

use kopru_store::Dialect;
use serde::Serialize;

/// One line of the result.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Which benchmark.
    pub name: &'static str,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Of all three values.
    pub unit: &'static str,
    /// Köprü's.
    pub ours: f64,
    /// The machine's, measured in the same run; for `footprint` the limit that the project has set itself.
    pub ceiling: Option<f64>,
    /// That of the plain way, where there is one.
    pub naive: Option<f64>,
    /// Ours by the ceiling: the median of the pairs' ratios.
    pub ratio: Option<f64>,
}

/// One paired run.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Köprü's figure.
    pub ours: f64,
    /// The ceiling's.
    pub ceiling: f64,
    /// The plain way's.
    pub naive: Option<f64>,
}

/// Where results go: text to standard output, or JSON there and the text to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    json: bool,
}

/// `sqlite` or `postgres`.
pub fn word(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    }
}

/// The middle value; of an even number the mean of the middle two. 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values.len() / 2, values.len().saturating_sub(1) / 2);
    match (values.get(lower), values.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => 0.0,
    }
}

impl Figure {
    /// The medians of paired runs.
    pub fn of_pairs(name: &'static str, dialect: Dialect, unit: &'static str, pairs: &[Pair]) -> Self {
        let of = |value: fn(&Pair) -> f64| median(pairs.iter().map(value).collect());
        let naive: Vec<f64> = pairs.iter().filter_map(|pair| pair.naive).collect();
        Self {
            name,
            database: word(dialect),
            unit,
            ours: tidy(of(|pair| pair.ours)),
            ceiling: Some(tidy(of(|pair| pair.ceiling))),
            naive: (!naive.is_empty()).then(|| tidy(median(naive))),
            ratio: Some(tidy(of(|pair| pair.ours / pair.ceiling))),
        }
    }

    /// A value with a limit that it should stay below.
    pub fn limited(name: &'static str, unit: &'static str, ours: f64, limit: Option<f64>) -> Self {
        Self {
            name,
            database: word(Dialect::Sqlite),
            unit,
            ours: tidy(ours),
            ceiling: limit,
            naive: None,
            ratio: limit.map(|limit| tidy(ours / limit)),
        }
    }

    /// One line for people; writing to a String does not fail.
    fn line(&self) -> String {
        let mut line =
            format!("{:<18} {:<9} {:>12} {}", self.name, self.database, grouped(self.ours), self.unit);
        if let (Some(ceiling), Some(ratio)) = (self.ceiling, self.ratio) {
            let _ = write!(line, "   ceiling {}   ratio {ratio:.3}", grouped(ceiling));
        }
        if let Some(naive) = self.naive.filter(|naive| *naive > 0.0) {
            let _ = write!(line, "   naive {} ({:.1} times)", grouped(naive), self.ours / naive);
        }
        line
    }
}

impl Report {
    /// Prints text, or JSON.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// A remark for people.
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "what this program is for")]
    pub fn note(self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// A result.
    #[expect(clippy::print_stdout, reason = "what this program is for")]
    pub fn figure(self, figure: &Figure) {
        self.note(&figure.line());
        if self.json
            && let Ok(line) = serde_json::to_string(figure)
        {
            println!("{line}");
        }
    }
}

/// Tells on standard error why there are no more results.
#[expect(clippy::print_stderr, reason = "what this program is for")]
pub fn failed(error: &anyhow::Error) {
    eprintln!("kopru-bench: {error:#}");
}

/// Four decimals say enough.
fn tidy(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// `12 345` above a thousand, `12.3` below a hundred.
fn grouped(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).to_bits(), 2.5_f64.to_bits());
        assert_eq!(median(Vec::new()).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn the_ratio_is_that_of_the_pairs_and_not_of_the_medians() {
        let pair = |ours, ceiling| Pair { ours, ceiling, naive: None };
        let pairs = [pair(10.0, 100.0), pair(20.0, 50.0), pair(30.0, 40.0)];
        let figure = Figure::of_pairs("x", Dialect::Sqlite, "u", &pairs);
        assert_eq!(
            (figure.ours.to_bits(), figure.ceiling.map(f64::to_bits)),
            (20.0_f64.to_bits(), Some(50.0_f64.to_bits()))
        );
        assert_eq!(figure.ratio.map(f64::to_bits), Some(0.4_f64.to_bits()));
        assert_eq!(figure.naive, None);
    }

    #[test]
    fn json_has_the_keys_that_readers_know() {
        let figure = Figure::limited("footprint-start", "ms", 120.0, Some(300.0));
        let line = serde_json::to_string(&figure).unwrap();
        assert_eq!(
            line,
            r#"{"name":"footprint-start","database":"sqlite","unit":"ms","ours":120.0,"ceiling":300.0,"naive":null,"ratio":0.4}"#
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1_234_567.4), "1 234 567");
        assert_eq!(grouped(999.6), "1 000");
        assert_eq!(grouped(12.34), "12.3");
    }
}
