//! The table of codes in the documentation of the crate: written anew from the rows that were played, and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use iys::Operation;

use crate::provoke::Row;

/// How a refusal was provoked through the client, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The client's function sent the request.
    Typed,
    /// The client's function would not send such a request; it was sent in its place.
    Raw,
    /// The client refuses the request itself, with the same code; it was sent in its place.
    Refused,
    /// The client has no such function.
    Never,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Typed => "sent",
            Self::Raw => "replaced",
            Self::Refused => "refused",
            Self::Never => "never",
        }
    }
}

/// A code and a row that provokes it.
pub struct Entry {
    code: String,
    status: u16,
    row: String,
    way: Way,
}

impl Entry {
    /// Those of a row.
    pub fn of(row: &Row, operation: Option<Operation>, way: Way) -> Vec<Self> {
        let inside = row.expect.body.iter().filter(|(pointer, _)| pointer.ends_with("/error/code"));
        let inside = inside.filter_map(|(_, code)| code.as_str().map(ToOwned::to_owned));
        let codes = row.expect.codes.iter().flatten().filter(|code| !code.is_empty()).cloned();
        let ordered = row.steps.iter().any(|step| step.control.ends_with("/faults"));
        let rule = row.rule.as_deref().unwrap_or(if ordered { "(ordered)" } else { "(several rules)" });
        let name = operation.map_or("none", Operation::name);
        codes
            .chain(inside)
            .map(|code| Self { code, status: row.expect.status, row: format!("{name}: {rule}"), way })
            .collect()
    }
}

const HEAD: &str = "\
# Codes and their tests

Each row of `tests/data/provoke*.json` makes the simulator answer with a code, and names the rule that it does so by.
Three tests play them all: `provoke::every_row_is_answered_as_expected`,
`provoke::no_rule_can_be_taken_out_unnoticed` and, through the client,
`conformance::codes::every_refusal_is_read_as_it_is_meant`, which also holds this table against the rows.

*Client* says how a code was provoked through the client: *sent* by its own function; *replaced*, because the function
cannot send such a request; *refused* by the client itself with the same code, and sent all the same; *never*, for it
has no such function.

| Code | HTTP | Operation: rule | Client |
|---|---|---|---|
";

/// The document as it should be.
fn document(entries: &[Entry], uncovered: &BTreeMap<String, String>) -> String {
    let codes: BTreeSet<&str> = entries.iter().map(|entry| entry.code.as_str()).collect();
    let mut text = HEAD.to_owned();
    for code in codes {
        let of_code = || entries.iter().filter(|entry| entry.code == code);
        let statuses: BTreeSet<String> = of_code().map(|entry| entry.status.to_string()).collect();
        let rows: BTreeSet<&str> = of_code().map(|entry| entry.row.as_str()).collect();
        let (statuses, rows) = (Vec::from_iter(statuses).join(", "), Vec::from_iter(rows).join("; "));
        let way = of_code().map(|entry| entry.way).min().map_or("", Way::name);
        writeln!(text, "| {code} | {statuses} | {rows} | {way} |").unwrap();
    }
    text.push_str("\nWithout a test, and why:\n\n| Code | Why |\n|---|---|\n");
    for (code, why) in uncovered {
        writeln!(text, "| {code} | {why} |").unwrap();
    }
    text
}

/// Compares the document with what was played.
pub fn assert_is_current(entries: &[Entry], uncovered: &BTreeMap<String, String>) {
    let document = document(entries, uncovered);
    let kept = include_str!("../../../CODES.md");
    if kept != document {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("CODES.md");
        std::fs::write(&path, document).unwrap();
        panic!("CODES.md is not current; copy {} over it", path.display());
    }
}
