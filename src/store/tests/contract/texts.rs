//! Texts in versions: added and read, never changed.

use kopru_domain::{LegalText, LegalTextKind, TextRef, Wording};
use kopru_store::all_statements;
use kopru_store::texts::{self, TextRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at};

on_both!(
    a_version_comes_back_in_every_field,
    a_version_is_given_once,
    the_newest_versions_are_listed,
    what_evidence_names_is_found,
);

fn name(code: &str, version: i64) -> TextRef {
    TextRef { code: code.to_owned(), version }
}

fn row(code: &str, version: i64) -> TextRow {
    let wording = |text: &str| Wording {
        title: format!("{text} {version}"),
        body: "Bir.\n\nİki “üç”.".to_owned(),
    };
    let text = LegalText { kind: LegalTextKind::Consent, tr: wording("Onay"), en: Some(wording("Consent")) };
    TextRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        name: name(code, version),
        sha256: text.sha256(),
        text,
        created_at: at(version),
    }
}

async fn a_version_comes_back_in_every_field(store: Store) {
    let mut turkish = row("kvkk", 1);
    turkish.text = LegalText { kind: LegalTextKind::Notice, en: None, ..turkish.text };
    store
        .write(async |tx| {
            for row in [&row("sms", 1), &turkish] {
                texts::add(tx, row).await.unwrap();
                assert_same!(texts::find(tx, PROVIDER, BRAND, &row.name).await.unwrap(), Some(row));
            }
            assert!(texts::find(tx, OTHER_PROVIDER, BRAND, &name("sms", 1)).await.unwrap().is_none());
            assert!(texts::find(tx, PROVIDER, OTHER_BRAND, &name("sms", 1)).await.unwrap().is_none());
            assert!(texts::find(tx, PROVIDER, BRAND, &name("sms", 2)).await.unwrap().is_none());
        })
        .await;
}

async fn a_version_is_given_once(store: Store) {
    store.write(async |tx| texts::add(tx, &row("sms", 1)).await.unwrap()).await;
    let mut tx = store.db.begin(kopru_store::Priority::Interactive).await.unwrap();
    assert!(texts::add(&mut tx, &row("sms", 1)).await.is_err_and(|error| error.is_conflict()));
}

async fn the_newest_versions_are_listed(store: Store) {
    let elsewhere = TextRow { brand_code: OTHER_BRAND, ..row("sms", 9) };
    store
        .write(async |tx| {
            for row in [&row("sms", 1), &row("sms", 2), &row("arama", 1), &elsewhere] {
                texts::add(tx, row).await.unwrap();
            }
            assert_same!(texts::newest(tx, PROVIDER, BRAND).await.unwrap(), [row("arama", 1), row("sms", 2)]);
            let versions = texts::versions(tx, PROVIDER, BRAND, "sms", 10).await.unwrap();
            assert_same!(versions, [row("sms", 2), row("sms", 1)]);
            assert_same!(texts::versions(tx, PROVIDER, BRAND, "sms", 1).await.unwrap(), [row("sms", 2)]);
        })
        .await;
}

async fn what_evidence_names_is_found(store: Store) {
    store
        .write(async |tx| {
            for row in [&row("sms", 1), &row("sms", 2), &row("arama", 1)] {
                texts::add(tx, row).await.unwrap();
            }
            let wanted = vec!["sms".to_owned(), "başka".to_owned()];
            let mut facts = texts::facts(tx, PROVIDER, BRAND, wanted).await.unwrap();
            facts.sort_by_key(|facts| facts.name.version);
            let names: Vec<TextRef> = facts.iter().map(|facts| facts.name.clone()).collect();
            assert_eq!(names, [name("sms", 1), name("sms", 2)]);
            assert!(facts[1].english && facts[1].sha256 == row("sms", 2).sha256);
            assert!(
                texts::facts(tx, PROVIDER, OTHER_BRAND, vec!["sms".to_owned()]).await.unwrap().is_empty()
            );
        })
        .await;
}

/// What somebody agreed to stays as it was: the store has no statement that changes or removes a version.
#[test]
fn no_statement_changes_a_version() {
    for (module, name, statement) in all_statements().into_iter().filter(|(module, ..)| *module == "texts") {
        let text = statement.for_dialect(kopru_store::Dialect::Sqlite);
        assert!(text.starts_with("SELECT") || text.starts_with("INSERT"), "{module}::{name}");
        assert!(!text.contains("ON CONFLICT"), "{module}::{name}");
    }
}
