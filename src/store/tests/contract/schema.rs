//! One schema, written twice: the two must not drift apart.

use std::collections::{BTreeMap, BTreeSet};

use kopru_store::{Db, PoolSizes, StoreError};

use crate::fixture::Store;

on_both!(migrating_again_changes_nothing, a_newer_schema_is_refused);
on_postgres!(tables_columns_keys_and_indexes_are_the_same, keys_begin_with_the_provider);
on_sqlite!(tables_are_strict, the_file_is_durable);

#[test]
fn both_lists_of_migrations_are_the_same() {
    let [sqlite, postgres] = Db::migrations();
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, postgres);
    let versions: Vec<i64> = sqlite.iter().map(|(version, _)| *version).collect();
    assert!(versions.is_sorted(), "{versions:?}");
}

async fn migrating_again_changes_nothing(store: Store) {
    let before = schema(&store).await;
    store.db.migrate().await.unwrap();
    let second = Db::connect(&store.url, PoolSizes::default()).await.unwrap();
    second.migrate().await.unwrap();
    second.close().await;
    assert_eq!(before, schema(&store).await);
}

async fn a_newer_schema_is_refused(store: Store) {
    let (checksum, applied) =
        if store.is_postgres() { ("'\\x00'", "now()") } else { ("x'00'", "datetime()") };
    store
        .execute(
            &format!(
                "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 VALUES (99990101000000, 'from the future', {applied}, {}, {checksum}, 1)",
                if store.is_postgres() { "true" } else { "1" }
            ),
            vec![],
        )
        .await;
    assert!(matches!(store.db.migrate().await, Err(StoreError::Migration(_))));
}

async fn tables_columns_keys_and_indexes_are_the_same(postgres: Store) {
    let (sqlite, _folder) = Store::in_temporary_file().await;
    let (on_sqlite, on_postgres) = (schema(&sqlite).await, schema(&postgres).await);
    assert_eq!(
        on_sqlite.columns.keys().collect::<Vec<_>>(),
        on_postgres.columns.keys().collect::<Vec<_>>(),
        "tables"
    );
    for (table, columns) in &on_sqlite.columns {
        assert_eq!(columns, &on_postgres.columns[table], "columns of {table}");
    }
    assert_eq!(on_sqlite.keys, on_postgres.keys, "primary keys");
    assert_eq!(on_sqlite.indexes, on_postgres.indexes, "indexes");
}

/// So that the tables can be distributed by provider later. What belongs to the installation is named here, as is the one
/// index that spans the providers: each brand number is given once.
async fn keys_begin_with_the_provider(store: Store) {
    let of_the_installation = [
        "budget_draws",
        "budget_waits",
        "budgets",
        "calendars",
        "circuits",
        "inbound_connections",
        "inbound_parts",
        "inbound_polls",
        "inbound_posts",
        "inbound_seen",
        "leases",
        "registry_sessions",
        "short_numbers",
    ];
    let schema = schema(&store).await;
    for (table, key) in &schema.keys {
        assert_eq!(key[0] != "iys_code", of_the_installation.contains(&table.as_str()), "{table}: {key:?}");
    }
    let unique = store
        .rows(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'",
            vec![],
        )
        .await;
    for row in unique {
        let definition: String = row.get(0).unwrap();
        let exempt = of_the_installation
            .iter()
            .chain(&["_sqlx_migrations", "brands_by_code"])
            .any(|table| definition.contains(table));
        assert!(exempt || definition.contains("(iys_code"), "{definition}");
    }
}

async fn tables_are_strict(store: Store) {
    let loose = store
        .rows(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND name NOT LIKE '!_%' ESCAPE '!'
                AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
            vec![],
        )
        .await;
    let loose: Vec<String> = loose.iter().map(|row| row.get(0).unwrap()).collect();
    assert!(loose.is_empty(), "{loose:?}");
}

/// What is acknowledged must survive a power cut: SQLite keeps the file whole, and the log is synced beside it (tests of
/// `sqlite::wal`).
async fn the_file_is_durable(store: Store) {
    let (normal, full) = (1, 2);
    let set = async || {
        let pragma = |name: &str| crate::fixture::statement(&format!("PRAGMA {name}"));
        let (journal, synchronous) = (pragma("journal_mode"), pragma("synchronous"));
        store
            .write(async |tx| {
                let journal: String = tx.row(&journal, vec![]).await.unwrap().unwrap().get(0).unwrap();
                assert_eq!(journal, "wal");
                tx.row(&synchronous, vec![]).await.unwrap().unwrap().get::<i64>(0).unwrap()
            })
            .await
    };
    assert_eq!(set().await, full, "a command beside a server");
    store.db.serve().await.unwrap();
    assert_eq!(set().await, normal);
}

/// Names and kinds, comparable between the databases.
#[derive(Debug, PartialEq, Eq)]
struct Schema {
    /// Of each table its columns: name, kind and whether it may be null.
    columns: BTreeMap<String, BTreeSet<(String, &'static str, bool)>>,
    /// Of each table its primary key, in order.
    keys: BTreeMap<String, Vec<String>>,
    /// Table and name of each index that is not a primary key.
    indexes: BTreeSet<(String, String)>,
}

async fn schema(store: &Store) -> Schema {
    let [columns, keys, indexes] = if store.is_postgres() { POSTGRES } else { SQLITE };
    let mut schema = Schema { columns: BTreeMap::new(), keys: BTreeMap::new(), indexes: BTreeSet::new() };
    for row in store.rows(columns, vec![]).await {
        let kind = kind(&row.get::<String>(2).unwrap());
        let column = (row.get(1).unwrap(), kind, row.get(3).unwrap());
        schema.columns.entry(row.get(0).unwrap()).or_default().insert(column);
    }
    for row in store.rows(keys, vec![]).await {
        schema.keys.entry(row.get(0).unwrap()).or_default().push(row.get(1).unwrap());
    }
    for row in store.rows(indexes, vec![]).await {
        schema.indexes.insert((row.get(0).unwrap(), row.get(1).unwrap()));
    }
    schema
}

/// SQLite has fewer types: what it stores alike is alike here.
fn kind(of: &str) -> &'static str {
    match of {
        "INTEGER" | "bigint" | "boolean" | "timestamp with time zone" => "number",
        "TEXT" | "text" => "text",
        "BLOB" | "bytea" | "uuid" => "bytes",
        other => panic!("unknown type {other}"),
    }
}

const SQLITE: [&str; 3] = [
    "SELECT t.name, c.name, c.type, c.\"notnull\" = 0 FROM pragma_table_list t, pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '!_%' ESCAPE '!'",
    "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
     WHERE t.type = 'table' AND c.pk > 0 AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '!_%' ESCAPE '!'
     ORDER BY t.name, c.pk",
    "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
];

const POSTGRES: [&str; 3] = [
    "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name NOT LIKE '!_%' ESCAPE '!'",
    "SELECT table_name::text, column_name::text FROM information_schema.key_column_usage
     WHERE table_schema = 'public' AND table_name NOT LIKE '!_%' ESCAPE '!' ORDER BY table_name, ordinal_position",
    "SELECT tablename::text, indexname::text FROM pg_indexes
     WHERE schemaname = 'public' AND indexname NOT LIKE '%!_pkey' ESCAPE '!'",
];
