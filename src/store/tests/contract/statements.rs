//! Every text that the store sends is understood by both databases, and none is missing from the lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kopru_store::{Dialect, all_inserts, all_statements};

use crate::fixture::Store;

on_both!(every_statement_prepares, every_bulk_insert_prepares);
on_postgres!(bulk_inserts_name_the_types_of_their_columns);

async fn every_statement_prepares(store: Store) {
    let mut connection = store.connection().await;
    let mut failures = Vec::new();
    for (module, name, statement) in all_statements() {
        if let Err(error) = connection.prepare(statement.for_dialect(store.dialect())).await {
            failures.push(format!("{module}::{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

async fn every_bulk_insert_prepares(store: Store) {
    let mut connection = store.connection().await;
    let mut failures = Vec::new();
    for (module, name, insert) in all_inserts() {
        if let Err(error) = connection.prepare(insert.text(store.dialect())).await {
            failures.push(format!("{module}::{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// An array of another type would be cast silently, or refused only at run time.
async fn bulk_inserts_name_the_types_of_their_columns(store: Store) {
    for (module, name, insert) in all_inserts() {
        // An update has its rows in a WITH, whose columns are called as the table's.
        let (table, columns) = match insert.head.strip_prefix("INSERT INTO ") {
            Some(head) => head.split_once('(').unwrap(),
            None => {
                let (_, updated) = insert.tail.split_once("UPDATE ").unwrap();
                (updated.split(' ').next().unwrap(), insert.head.split_once('(').unwrap().1)
            }
        };
        let columns: Vec<&str> = columns.split_once(')').unwrap().0.split(',').map(str::trim).collect();
        assert_eq!(columns.len(), insert.types.len(), "{module}::{name}");
        for (column, expected) in columns.iter().zip(insert.types) {
            let rows = store
                .rows(
                    "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2",
                    kopru_store::args![table.trim(), *column],
                )
                .await;
            let found: String =
                rows.first().unwrap_or_else(|| panic!("{table} has no {column}")).get(0).unwrap();
            let found = if found == "timestamp with time zone" { "timestamptz".to_owned() } else { found };
            assert_eq!(&found, expected, "{module}::{name}, {column}");
        }
    }
}

/// The lists are written by hand; this finds what was forgotten.
#[test]
fn every_module_with_statements_is_listed() {
    let listed: BTreeSet<&str> = all_statements().into_iter().map(|(module, _, _)| module).collect();
    let inserts = all_inserts().len();
    let (mut declaring, mut declared_inserts) = (BTreeSet::new(), 0);
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("\nstatements! {") {
            declaring.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
        declared_inserts += text.matches(": Insert = Insert {").count();
    }
    assert_eq!(listed, declaring.iter().map(String::as_str).collect());
    assert_eq!(inserts, declared_inserts);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let inside = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    inside.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn names_are_unique_and_no_mark_is_left() {
    let mut seen = BTreeSet::new();
    for (module, name, statement) in all_statements() {
        assert!(seen.insert((module, name)), "{module}::{name} is listed twice");
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert!(!statement.for_dialect(dialect).contains(['{', '}']), "{module}::{name} on {dialect:?}");
        }
    }
}

/// As a subquery of the UPDATE it could run again for each row of the table, and claim more than its limit each time.
#[test]
fn rows_to_claim_are_chosen_once() {
    let claims: Vec<_> = all_statements()
        .into_iter()
        .filter(|(_, _, statement)| statement.for_dialect(Dialect::Postgres).contains("SKIP LOCKED"))
        .collect();
    assert!(claims.len() >= 7);
    for (module, name, statement) in claims {
        assert!(
            statement.for_dialect(Dialect::Postgres).starts_with("WITH due AS MATERIALIZED"),
            "{module}::{name}"
        );
    }
}
