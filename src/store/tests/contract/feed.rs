//! The change feed: numbers in commit order without gaps, whoever writes and however long it takes.

use std::cell::Cell;

use futures::future::{join, join_all};
use kopru_domain::BrandCode;
use kopru_store::changes::{self, ChangeRow};
use kopru_store::heads::{self, Head};
use kopru_store::{Priority, Tx, args};
use tokio::task::yield_now;
use uuid::Uuid;

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, change, id, key};

on_both!(
    an_event_comes_back_in_every_field,
    a_brand_reads_its_own_events_in_pages,
    a_reader_never_misses_what_concurrent_writers_commit,
);

async fn an_event_comes_back_in_every_field(store: Store) {
    let row =
        ChangeRow { kind: "consent.expired".to_owned(), sealed: vec![0, 255], key: key(77), ..change(1) };
    store
        .write(async |tx| {
            changes::append(tx, PROVIDER, vec![row.clone()]).await.unwrap();
            assert_same!(changes::find_many(tx, PROVIDER, vec![1, 2]).await.unwrap(), [&row]);
            assert_same!(changes::after(tx, PROVIDER, BRAND, 0, 10).await.unwrap(), [&row]);
            assert!(changes::find_many(tx, OTHER_PROVIDER, vec![1]).await.unwrap().is_empty());
        })
        .await;
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    let again = changes::append(&mut tx, PROVIDER, vec![row]).await;
    assert!(again.is_err_and(|error| error.is_conflict()), "a number is given once");
}

async fn a_brand_reads_its_own_events_in_pages(store: Store) {
    let of_brand = |seq: i64| if seq % 3 == 0 { OTHER_BRAND } else { BRAND };
    let rows = (1..=300).map(|seq| ChangeRow { brand_code: of_brand(seq), ..change(seq) }).collect();
    store.write(async |tx| changes::append(tx, PROVIDER, rows).await.unwrap()).await;
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let page = store.read(async |tx| changes::after(tx, PROVIDER, BRAND, cursor, 7).await.unwrap()).await;
        let Some(last) = page.last() else { break };
        cursor = last.seq;
        seen.extend(page.iter().map(|row| row.seq));
    }
    assert_eq!(seen, (1..=300).filter(|seq| seq % 3 != 0).collect::<Vec<_>>());
}

const WRITERS: u64 = 8;
const COMMITS: u64 = 20;

/// A small generator: the same delays at every run, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    async fn delay(&mut self) {
        for _ in 0..self.below(12) {
            yield_now().await;
        }
    }
}

/// Appends 1 to 3 events of random brands under the head.
async fn append(tx: &mut Tx, dice: &mut Dice) {
    let head = heads::lock(tx, PROVIDER).await.unwrap();
    dice.delay().await;
    let count = 1 + i64::try_from(dice.below(3)).unwrap();
    let rows = (1..=count).map(|step| ChangeRow {
        brand_code: if dice.below(2) == 0 { BRAND } else { OTHER_BRAND },
        id: id(u128::from(dice.0) << 32 | u128::try_from(head.change_seq + step).unwrap()),
        ..change(head.change_seq + step)
    });
    changes::append(tx, PROVIDER, rows.collect()).await.unwrap();
    dice.delay().await;
    heads::advance(tx, PROVIDER, &Head { change_seq: head.change_seq + count, ..head }).await.unwrap();
    dice.delay().await;
}

/// Polls the feed until the writers are done and nothing more comes; each page must go on after the one before.
async fn follow(store: &Store, brand: BrandCode, done: &Cell<u64>) -> Vec<Uuid> {
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let writers_done = done.get() == WRITERS;
        let page = store.read(async |tx| changes::after(tx, PROVIDER, brand, cursor, 5).await.unwrap()).await;
        if page.is_empty() && writers_done {
            return seen;
        }
        for row in page {
            assert!(row.seq > cursor, "{} after {cursor}", row.seq);
            cursor = row.seq;
            seen.push(row.id);
        }
        yield_now().await;
    }
}

async fn a_reader_never_misses_what_concurrent_writers_commit(store: Store) {
    store.write(async |tx| heads::add(tx, PROVIDER, [0; 32]).await.unwrap()).await;
    let done = Cell::new(0);
    let writer = async |number: u64| {
        let mut dice = Dice(number);
        for _ in 0..COMMITS {
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            dice.delay().await;
            append(&mut tx, &mut dice).await;
            // Some fail after all: their numbers must go to the next.
            if dice.below(5) > 0 {
                tx.commit().await.unwrap();
            } else {
                drop(tx);
            }
        }
        done.set(done.get() + 1);
    };
    let readers = join(follow(&store, BRAND, &done), follow(&store, OTHER_BRAND, &done));
    let (_, (one, other)) = join(join_all((1..=WRITERS).map(writer)), readers).await;

    // What was read while they wrote is what stands there now: all of it, in its order.
    let stored = async |brand: BrandCode| {
        let rows = store
            .rows(
                "SELECT id FROM changes WHERE iys_code = $1 AND brand_code = $2 ORDER BY seq",
                args![PROVIDER, brand],
            )
            .await;
        rows.iter().map(|row| row.get(0).unwrap()).collect::<Vec<Uuid>>()
    };
    assert!(one == stored(BRAND).await && other == stored(OTHER_BRAND).await, "the readers missed something");
    let total = i64::try_from(one.len() + other.len()).unwrap();
    assert!(total > i64::try_from(WRITERS * COMMITS).unwrap() / 2);
    let ends = store.rows("SELECT min(seq), max(seq), count(*) FROM changes", vec![]).await;
    let ends: [i64; 3] = [0, 1, 2].map(|place| ends[0].get(place).unwrap());
    assert_eq!(ends, [1, total, total], "no gap and no number twice");
    let head = store.read(async |tx| heads::get(tx, PROVIDER).await.unwrap()).await;
    assert_eq!(head.change_seq, total);
}
