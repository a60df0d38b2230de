//! Plans: the statements of the hot paths use their indexes on tables of some size, and none reads a big table whole.
//!
//! SQLite plans without statistics in production and may get them from an operator, so both are asked. PostgreSQL gets
//! them from its own housekeeping.

use kopru_domain::{BrandCode, Channel, SubmissionState};
use kopru_store::changes::ChangeRow;
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::sql::Value;
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Dialect, Key, all_statements, args, changes, consents, endpoints};
use uuid::Uuid;

use crate::fixture::{Store, statement};
use crate::sample::{BRAND, PROVIDER, at, change, claim, consent, endpoint, id, key, permission, submission};

on_both!(hot_statements_use_their_indexes, claims_from_a_long_queue_use_their_indexes);
on_sqlite!(no_statement_reads_a_big_table_whole);
on_postgres!(
    claims_look_keys_up_without_statistics,
    sets_are_looked_up_one_by_one_without_statistics,
    a_dead_endpoint_s_queue_is_not_read
);

/// Rows of each big table.
const ROWS: u64 = 20_000;
const BRANDS: i64 = 20;

/// A table after years: nearly everything has ended.
fn history(number: u64) -> SubmissionRow {
    use SubmissionState::{Batched, Held, InFlight, Queued, Registered, Unresolved};
    let state = match number % 40 {
        0 | 1 => Queued,
        2 => [Held, InFlight, Batched, Unresolved][usize::try_from(number / 40 % 4).unwrap()],
        _ => Registered,
    };
    SubmissionRow {
        state,
        brand_code: brand(number),
        target_at: at(i64::try_from(number).unwrap()),
        next_attempt_at: at(i64::try_from(number).unwrap() - 50_000),
        ordered_at: at(i64::try_from(number).unwrap()),
        batch_id: (state == Batched).then(|| id(u128::from(number) / 4_000)),
        creation_date: (state == Registered).then(|| at(i64::try_from(number).unwrap())),
        claim: state.has_left_the_house().then(|| claim(1, 0)),
        cause: (state == Held).then(|| "quota".to_owned()),
        ..submission(number)
    }
}

fn brand(number: u64) -> BrandCode {
    BrandCode(BRAND.0 + i64::try_from(number).unwrap() / 7 % BRANDS)
}

async fn fill(store: &Store) {
    for first in (0..ROWS).step_by(1_000) {
        let rows: Vec<SubmissionRow> = (first..first + 1_000).map(history).collect();
        let ledger =
            (i64::try_from(first).unwrap() + 1..).zip(&rows).map(|(seq, row)| consent(seq, row)).collect();
        let mirror =
            (first..first + 1_000).map(|n| PermissionRow { brand_code: brand(n), ..permission(n) }).collect();
        let events = (first + 1..=first + 1_000)
            .map(|n| ChangeRow { brand_code: brand(n), ..change(i64::try_from(n).unwrap()) })
            .collect();
        store
            .write(async |tx| {
                if first == 0 {
                    endpoints::add(tx, &endpoint(1)).await.unwrap();
                }
                submissions::save(tx, rows, at(0)).await.unwrap();
                consents::append(tx, PROVIDER, ledger).await.unwrap();
                permissions::save(tx, PROVIDER, mirror, at(0)).await.unwrap();
                changes::append(tx, PROVIDER, events).await.unwrap();
            })
            .await;
    }
    store.execute("UPDATE deliveries SET state = 'delivered' WHERE change_seq <= 19000", vec![]).await;
}

/// A statement, its arguments, and the indexes it must use: on SQLite each of them, on PostgreSQL one of them at least.
pub struct Hot {
    module: &'static str,
    name: &'static str,
    args: Vec<Value>,
    indexes: &'static [&'static str],
}

pub fn hot(
    module: &'static str,
    name: &'static str,
    args: Vec<Value>,
    indexes: &'static [&'static str],
) -> Hot {
    Hot { module, name, args, indexes }
}

/// On SQLite the primary key is the table itself, or an index of its own beside a table by rowid.
pub const KEY: &str = "PRIMARY KEY";

fn hot_statements() -> Vec<Hot> {
    let now = at(30_000);
    let (by, until) = (id(9), at(40_000));
    // In proportion to the table as a thousand is to millions.
    let keys: Vec<Key> = (0..20).map(|n| key(n * 937)).collect();
    let ids: Vec<Uuid> = (0..20).map(|n| id(n * 937)).collect();
    let (before, last) = Key::span(BRAND, Channel::Message);
    let statuses = vec!["RET".to_owned(), "ONAY".to_owned()];
    let codes = vec!["H174".to_owned(), "H467".to_owned()];
    vec![
        hot(
            "submissions",
            "CLAIM",
            args![PROVIDER, BRAND, statuses, 50_i64, now, by, until, 20_i64, id(3)],
            &["submissions_due_by_brand", "submissions_open"],
        ),
        hot(
            "submissions",
            "NEXT_IN_TURN",
            args!["ONAY", now, PROVIDER, BRAND],
            &["submissions_due_by_brand"],
        ),
        hot(
            "submissions",
            "NEXT_BY_TARGET",
            args![now, vec![PROVIDER.0], vec![BRAND.0 + 1]],
            &["submissions_due"],
        ),
        hot("submissions", "CLAIM_UNRESOLVED", args![now, now, by, until, 100_i64], &["submissions_out"]),
        hot("submissions", "NEXT_QUESTION", args![codes.clone(), now, now], &["submissions_out"]),
        hot(
            "submissions",
            "CLAIM_QUESTIONS",
            args![PROVIDER, BRAND, codes.clone(), now, now, 100_i64, by, until],
            &["submissions_out"],
        ),
        hot(
            "submissions",
            "REJECTIONS_TO_ASK",
            args![at(100), codes, 100_i64, at(100)],
            &["submissions_due", "submissions_out"],
        ),
        hot("submissions", "OPEN_OF_KEYS", args![PROVIDER, keys.clone()], &["submissions_open"]),
        hot("submissions", "OPEN_BESIDE", args![PROVIDER, keys.clone(), by], &["submissions_open"]),
        hot("submissions", "DUE", args![PROVIDER, BRAND, "ONAY", now, 50_i64], &["submissions_due_by_brand"]),
        hot("submissions", "SUPERSEDE", args![PROVIDER, ids.clone(), "RET", now], &[KEY]),
        hot("submissions", "FIND", args![PROVIDER, id(1)], &[KEY]),
        hot("submissions", "FIND_MANY", args![PROVIDER, ids.clone()], &[KEY]),
        hot("submissions", "OF_BATCH", args![PROVIDER, id(2)], &["submissions_of_batch"]),
        hot("submissions", "BATCH_ACCEPTED", args![PROVIDER, id(2), now], &["submissions_of_batch"]),
        hot("submissions", "BATCH_UNKNOWN", args![PROVIDER, id(2), now], &["submissions_of_batch"]),
        hot("submissions", "BATCH_RELEASED", args![PROVIDER, id(2), now, now], &["submissions_of_batch"]),
        hot("submissions", "EXPIRING", args![now, now, 500_i64], &["submissions_due", "submissions_held"]),
        hot("submissions", "AT_RISK", args![at(100), 500_i64], &["submissions_warn"]),
        hot("submissions", "CLAIMS", args![PROVIDER, ids.clone()], &[KEY]),
        hot(
            "submissions",
            "RELEASE_HELD",
            args![PROVIDER, BRAND, "MESAJ", 100_i64, now, "probe"],
            &["submissions_held"],
        ),
        hot("queue", "EARLIEST", args![], &["submissions_due"]),
        hot(
            "submissions",
            "LIST",
            args![PROVIDER, BRAND, id(5_000), "", "", until, 100_i64],
            &["submissions_recent"],
        ),
        hot(
            "submissions",
            "ENDED",
            args![
                PROVIDER,
                BRAND,
                id(5_000),
                vec!["refused".to_owned()],
                false,
                vec!["H180".to_owned()],
                at(0),
                until,
                1_000_i64
            ],
            &["submissions_ended"],
        ),
        hot(
            "submissions",
            "REGISTERED",
            args![PROVIDER, BRAND, at(5_000), id(1), at(9_000), 100_i64],
            &["submissions_registered"],
        ),
        hot("submissions", "HURRY", args![PROVIDER, ids.clone(), now], &[KEY]),
        hot("submissions", "HURRY_WAITING", args![PROVIDER, BRAND, "MESAJ", now], &["submissions_out"]),
        hot("consents", "SOURCES", args![PROVIDER, ids.clone()], &[KEY]),
        hot("permissions", "OF_KEYS", args![PROVIDER, keys], &[KEY]),
        hot(
            "permissions",
            "UNSURE",
            args![PROVIDER, BRAND, "MESAJ", before.clone(), last, now, 100_i64],
            &[KEY],
        ),
        hot(
            "permissions",
            "UNASKED",
            args![PROVIDER, BRAND, "MESAJ", before, last, "BIREYSEL", now, 100_i64],
            &[KEY],
        ),
        hot(
            "deliveries",
            "CLAIM",
            args![PROVIDER, id(1), now, now, by, until, 100_i64],
            &["deliveries_due", "deliveries_open"],
        ),
        hot("endpoints", "DUE", args![now, now, true, 8_i64], &["deliveries_due", "deliveries_open"]),
        hot(
            "deliveries",
            "DELIVERED",
            args![PROVIDER, id(1), (1..64_i64).collect::<Vec<_>>(), 0_i64, by, 200_i64, now],
            &[KEY],
        ),
        hot("deliveries", "RELEASE", args![PROVIDER, id(1), (1..64_i64).collect::<Vec<_>>(), by], &[KEY]),
        hot("deliveries", "RETRY_NOW", args![PROVIDER, id(1), now, 1_000_i64], &["deliveries_due"]),
        hot("deliveries", "OPEN_REPLAYS", args![PROVIDER, id(1), 1_i64, 5_000_i64, 6_000_i64], &[KEY]),
        hot("deliveries", "REPLAY", args![PROVIDER, id(1), 1_i64, 5_000_i64, 6_000_i64, now, now], &[KEY]),
        hot("changes", "BY_SEQS", args![PROVIDER, (1..64_i64).collect::<Vec<_>>()], &[KEY]),
        hot("changes", "AT_OR_AFTER", args![PROVIDER, 5_000_i64], &[KEY]),
        hot("deliveries", "LIST", args![PROVIDER, id(1), 5_000_i64, 0_i64, 50_i64], &[KEY]),
        hot("changes", "AFTER", args![PROVIDER, BRAND, 19_000_i64, 100_i64], &["changes_by_brand"]),
        hot("changes", "FAN_OUT", args![PROVIDER, 19_990_i64, 20_000_i64, now], &[KEY]),
        hot("consents", "FIND_MANY", args![PROVIDER, ids.clone()], &[KEY]),
        hot("consents", "TAKEN", args![PROVIDER, ids], &[KEY]),
        hot("consents", "CHAIN", args![PROVIDER, 100_i64], &["consents_seq"]),
    ]
}

async fn plan(store: &Store, hot: Hot) -> String {
    let (_, _, of) = all_statements()
        .into_iter()
        .find(|(module, name, _)| (*module, *name) == (hot.module, hot.name))
        .unwrap_or_else(|| panic!("{}::{} is not listed", hot.module, hot.name));
    let (explain, column) = match store.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Dialect::Postgres => ("EXPLAIN (COSTS OFF)", 0),
    };
    let explain = statement(&format!("{explain} {}", of.for_dialect(store.dialect())));
    let rows = store.write(async |tx| tx.rows(&explain, hot.args).await.unwrap()).await;
    rows.iter().map(|row| row.get::<String>(column).unwrap()).collect::<Vec<_>>().join("\n")
}

/// What is wrong with a plan, if anything.
fn verdict(store: &Store, indexes: &[&str], plan: &str) -> Option<&'static str> {
    let found = |index: &&str| match store.dialect() {
        Dialect::Sqlite if *index == KEY => {
            plan.contains("USING PRIMARY KEY") || plan.contains("INDEX sqlite_autoindex_")
        }
        Dialect::Postgres if *index == KEY => plan.contains("_pkey"),
        _ => plan.contains(*index),
    };
    match store.dialect() {
        Dialect::Sqlite if !indexes.iter().all(found) => Some("does not use its indexes"),
        Dialect::Postgres if !indexes.iter().any(found) => Some("does not use its index"),
        Dialect::Sqlite if plan.lines().any(reads_a_big_table_whole) => Some("reads a table whole"),
        Dialect::Postgres if BIG.iter().any(|big| plan.contains(&format!("Seq Scan on {big}"))) => {
            Some("reads a table whole")
        }
        _ => None,
    }
}

const BIG: [&str; 5] = ["submissions", "permissions", "consents", "changes", "deliveries"];

/// Indexes that hold only what has not ended: reading them whole is reading the queue.
const QUEUES: [&str; 21] = [
    "batches_due",
    "deliveries_due",
    "deliveries_open",
    "inbound_messages_waiting",
    "inbound_posts_unread",
    "messages_codes_due",
    "messages_due",
    "messages_late",
    "messages_open",
    "opt_ins_confirmed",
    "pushes_due",
    "pushes_waiting",
    "submissions_due",
    "submissions_due_by_brand",
    "submissions_held",
    "submissions_open",
    "submissions_out",
    "submissions_warn",
    "via_processes_due",
    "via_processes_start",
    "webhook_endpoints_turn",
];

/// Of SQLite's plans: a scan that is neither of a queue nor of a list or a result of the statement itself; or a search
/// for nothing but the provider.
fn reads_a_big_table_whole(line: &str) -> bool {
    let queue = QUEUES.iter().any(|index| line.contains(&format!(" INDEX {index}")));
    if let Some(scan) = line.strip_prefix("SCAN ") {
        let own = ["json_each", "due", "placed", "ret", "onay", "late", "doubted", "CONSTANT", "(subquery"];
        return !queue && !own.iter().any(|own| scan.starts_with(own));
    }
    // A provider has few endpoints, which the fan-out calls `e`.
    line.starts_with("SEARCH ") && line.ends_with("(iys_code=?)") && !queue && !line.starts_with("SEARCH e ")
}

async fn hot_statements_use_their_indexes(store: Store) {
    fill(&store).await;
    all_use_their_indexes(&store, hot_statements).await;
}

/// Asks for the plans, without and with statistics.
pub async fn all_use_their_indexes(store: &Store, statements: fn() -> Vec<Hot>) {
    let analyzed: &[bool] = if store.is_postgres() { &[true] } else { &[false, true] };
    let mut failures = Vec::new();
    for analyzed in analyzed {
        if *analyzed {
            store.execute("ANALYZE", vec![]).await;
        }
        for hot in statements() {
            let (module, name, indexes) = (hot.module, hot.name, hot.indexes);
            let plan = plan(store, hot).await;
            if let Some(wrong) = verdict(store, indexes, &plan) {
                failures
                    .push(format!("{module}::{name} (analyzed: {analyzed}) {wrong} {indexes:?}:\n{plan}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// After an import or an outage the queue is the table, and all of it belongs to one brand: reading it whole at each claim
/// would make the work grow with its square.
async fn claims_from_a_long_queue_use_their_indexes(store: Store) {
    for first in (0..ROWS).step_by(5_000) {
        let rows = (first..first + 5_000)
            .map(|n| SubmissionRow { target_at: at(i64::try_from(n).unwrap()), ..submission(n) });
        let rows = rows.collect();
        store.write(async |tx| submissions::save(tx, rows, at(0)).await.unwrap()).await;
    }
    store.execute("ANALYZE", vec![]).await;
    let of_the_queue =
        |hot: &Hot| hot.module == "submissions" && (hot.name == "CLAIM" || hot.name.starts_with("NEXT"));
    for hot in hot_statements().into_iter().filter(of_the_queue) {
        let (name, indexes) = (hot.name, hot.indexes);
        let plan = plan(&store, hot).await;
        assert_eq!(verdict(&store, indexes, &plan), None, "{name}:\n{plan}");
        assert!(!plan.contains("Hash") && !plan.contains("Merge"), "{name}:\n{plan}");
    }
}

/// Tables that stay small for a provider or as a whole, and single statements about such; the audit trail, which is read from its
/// end; and what verifies a ledger, which walks all of it (but for the last row, which is the end of its index).
const SMALL: [&str; 20] = [
    "audit",
    "brands",
    "calendars",
    "consents::LAST",
    "consents::LEDGERS",
    "consents::MISSED",
    "cursors",
    "holds",
    "inbound::CONNECTIONS",
    "jobs",
    "keys",
    "providers",
    "push::GAP",
    "rights",
    "sessions",
    "sweeps",
    "vault",
    "via::ALL_HOLDS",
    "via::PACKAGE",
    "via::PACKAGES",
];

async fn no_statement_reads_a_big_table_whole(store: Store) {
    fill(&store).await;
    for analyzed in [false, true] {
        if analyzed {
            store.execute("ANALYZE", vec![]).await;
        }
        let failures = whole_reads(&store).await;
        assert!(failures.is_empty(), "analyzed: {analyzed}\n{}", failures.join("\n\n"));
    }
}

async fn whole_reads(store: &Store) -> Vec<String> {
    let mut failures = Vec::new();
    for (module, name, of) in all_statements() {
        let explain = statement(&format!("EXPLAIN QUERY PLAN {}", of.for_dialect(Dialect::Sqlite)));
        let rows = store.write(async |tx| tx.rows(&explain, vec![]).await.unwrap()).await;
        let lines: Vec<String> = rows.iter().map(|row| row.get(3).unwrap()).collect();
        let is_small = SMALL.contains(&module) || SMALL.contains(&format!("{module}::{name}").as_str());
        if lines.iter().any(|line| reads_a_big_table_whole(line)) && !is_small {
            failures.push(format!("{module}::{name}:\n{}", lines.join("\n")));
        }
    }
    failures
}

/// A new installation's first import is there before the first statistics are.
async fn claims_look_keys_up_without_statistics(store: Store) {
    fill(&store).await;
    for hot in hot_statements().into_iter().filter(|hot| {
        [("CLAIM", "submissions"), ("CLAIM", "deliveries"), ("DUE", "endpoints")]
            .contains(&(hot.name, hot.module))
    }) {
        let module = hot.module;
        let plan = plan(&store, hot).await;
        let by_key = plan.lines().any(|line| line.contains("Index Cond") && line.contains("(key = "));
        assert!(by_key && !plan.contains("Anti Join"), "{module}:\n{plan}");
    }
}

/// Nor may a look-up of many keys read the provider, which PostgreSQL would take for a few rows.
async fn sets_are_looked_up_one_by_one_without_statistics(store: Store) {
    fill(&store).await;
    let by_set = ["OF_KEYS", "OPEN_OF_KEYS", "OPEN_BESIDE", "SUPERSEDE", "FIND_MANY", "TAKEN", "CLAIMS"];
    for hot in hot_statements().into_iter().filter(|hot| by_set.contains(&hot.name)) {
        let (module, name) = (hot.module, hot.name);
        let plan = plan(&store, hot).await;
        let one_by_one =
            plan.lines().any(|line| line.contains("Index Cond") && line.contains("= wanted.value"));
        assert!(one_by_one, "{module}::{name}:\n{plan}");
    }
}

/// What waits for an endpoint that is left alone or disabled is not read by the looks for something to do: not by their
/// plan, as the others show, and not in fact.
async fn a_dead_endpoint_s_queue_is_not_read(store: Store) {
    fill(&store).await;
    store.execute("UPDATE deliveries SET state = 'queued', next_attempt_at = $1", args![at(0)]).await;
    store.execute("ANALYZE", vec![]).await;
    let standing =
        endpoints::Standing { failures: 3, wait_until: Some(at(50_000)), failing_since: Some(at(0)) };
    store
        .write(async |tx| {
            let mine = claim(1, 1);
            assert!(endpoints::claim(tx, PROVIDER, id(1), at(0), at(0), mine).await.unwrap().is_some());
            assert!(endpoints::finish(tx, PROVIDER, id(1), mine, standing).await.unwrap());
        })
        .await;
    assert!(rows_read(&store).await < 10, "while it is left alone");
    store.write(async |tx| endpoints::disable(tx, PROVIDER, id(1), "failing").await.unwrap()).await;
    assert!(rows_read(&store).await < 10, "while it is disabled");
    let event = change(i64::try_from(ROWS).unwrap() + 1);
    store
        .write(async |tx| {
            endpoints::add(tx, &endpoint(2)).await.unwrap();
            changes::append(tx, PROVIDER, vec![event]).await.unwrap();
        })
        .await;
    assert!(rows_read(&store).await < 10, "beside one that works");
    let due = store.read(async |tx| endpoints::due(tx, at(30_000), at(30_000), true, 8).await.unwrap()).await;
    assert_eq!(due, [(PROVIDER, id(2))]);
}

/// Deliveries that a look for endpoints with something to do reads.
async fn rows_read(store: &Store) -> u64 {
    let (_, _, due) = all_statements()
        .into_iter()
        .find(|(module, name, _)| (*module, *name) == ("endpoints", "DUE"))
        .unwrap();
    let explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)";
    let explain = statement(&format!("{explain} {}", due.for_dialect(Dialect::Postgres)));
    let args = args![at(30_000), at(30_000), true, 8_i64];
    let lines = store.write(async |tx| tx.rows(&explain, args).await.unwrap()).await;
    let plan: Vec<String> = lines.iter().map(|line| line.get(0).unwrap()).collect();
    let number = |text: &str, label: &str| -> f64 {
        let (_, rest) = text.split_once(label).unwrap_or(("", "0"));
        rest.split([' ', ')']).next().unwrap().parse().unwrap()
    };
    let (mut of_deliveries, mut read) = (false, 0.0);
    for line in &plan {
        if line.contains("rows=") || line.contains("never executed") {
            of_deliveries = line.contains(" on deliveries");
            read += if of_deliveries { number(line, "rows=") * number(line, "loops=") } else { 0.0 };
        } else if of_deliveries {
            read += number(line, "Rows Removed by Filter: ");
        }
    }
    assert!(plan.iter().any(|line| line.contains(" on deliveries")), "{}", plan.join("\n"));
    read as u64
}
