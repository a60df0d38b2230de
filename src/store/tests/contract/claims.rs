//! Claiming what is due: the order of the queue, and what one movement of a key means for the others.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode, SubmissionState};
use kopru_store::submissions::{self, Portion, SubmissionRow};
use kopru_store::{Claim, Priority, consents};
use uuid::Uuid;

use crate::fixture::Store;
use crate::sample::{
    BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, claim, consent, id, key, singles,
    submission,
};

use ConsentStatus::{Approval, Rejection};

on_both!(
    a_claim_takes_the_row_and_says_so,
    more_than_go_as_singles_become_a_batch,
    what_is_due_is_found_before_it_is_claimed,
    what_stands_beside_a_claim_is_found,
    the_earliest_target_goes_first,
    a_rejection_wins_a_tie,
    only_what_was_asked_for_is_claimed,
    one_movement_of_a_key_at_a_time_in_its_order,
    equal_instants_inside_a_key_have_an_order_too,
    a_movement_out_of_the_house_blocks_its_key,
    what_waits_for_its_next_attempt_still_comes_before_its_followers,
    a_held_movement_blocks_later_ones_unless_it_waits_for_a_review,
    an_ended_movement_blocks_nothing,
    keys_of_other_providers_do_not_matter,
    turns_go_round_over_brands_and_providers,
    turns_pass_over_what_is_not_due,
    the_next_brand_by_target,
    claimers_never_overlap,
);
on_postgres!(claimers_do_not_wait_for_each_other, a_claim_never_exceeds_its_limit_whatever_the_plan);

const BOTH: &[ConsentStatus] = &[Rejection, Approval];

pub async fn add(store: &Store, rows: Vec<SubmissionRow>) {
    store.write(async |tx| submissions::save(tx, rows, at(0)).await.unwrap()).await;
}

/// What a claim by worker 1 brings at this instant, in its order.
async fn claimed(store: &Store, statuses: &[ConsentStatus], limit: i64, now: DateTime<Utc>) -> Vec<u128> {
    let rows = store
        .write(async |tx| {
            submissions::claim(tx, PROVIDER, BRAND, statuses, singles(limit), now, claim(1, 60))
                .await
                .unwrap()
        })
        .await;
    rows.iter().map(|row| row.consent_id.as_u128()).collect()
}

/// Puts a submission into a state as its worker would.
pub async fn set(store: &Store, number: u64, state: SubmissionState) {
    store
        .write(async |tx| {
            let row = submissions::find(tx, PROVIDER, id(number.into())).await.unwrap().unwrap();
            submissions::save(tx, vec![SubmissionRow { state, ..row }], at(0)).await.unwrap();
        })
        .await;
}

async fn a_claim_takes_the_row_and_says_so(store: Store) {
    add(&store, vec![SubmissionRow { attempt: 4, ..submission(1) }]).await;
    let mine = claim(7, 60);
    let rows = store
        .write(async |tx| {
            submissions::claim(tx, PROVIDER, BRAND, BOTH, singles(10), at(5), mine).await.unwrap()
        })
        .await;
    let expected =
        SubmissionRow { state: SubmissionState::InFlight, attempt: 5, claim: Some(mine), ..submission(1) };
    assert_same!(rows, [&expected]);
    let found = store.read(async |tx| submissions::find(tx, PROVIDER, id(1)).await.unwrap().unwrap()).await;
    assert_same!(found, SubmissionRow { claim: None, ..expected });
    let stored = store.rows("SELECT claimed_by, lease_until, updated_at FROM submissions", vec![]).await;
    let stored: (Uuid, DateTime<Utc>, DateTime<Utc>) =
        (stored[0].get(0).unwrap(), stored[0].get(1).unwrap(), stored[0].get(2).unwrap());
    assert_eq!(stored, (mine.by, mine.until, at(5)));
    assert!(claimed(&store, BOTH, 10, at(5)).await.is_empty(), "nobody claims it again");
}

/// In the order in which they are claimed, so that each has its place in the batch already.
async fn more_than_go_as_singles_become_a_batch(store: Store) {
    let targets = [(1, 30, Approval), (2, 10, Approval), (3, 20, Approval), (4, 20, Rejection)];
    let rows = targets.map(|(number, target, status)| SubmissionRow {
        status,
        target_at: at(target),
        code: Some("H467".to_owned()),
        ..submission(number)
    });
    add(&store, rows.to_vec()).await;
    let take = async |limit| {
        let portion = Portion { limit, singles: 2, batch: id(900) };
        store
            .write(async |tx| {
                submissions::claim(tx, PROVIDER, BRAND, BOTH, portion, at(0), claim(1, 60)).await.unwrap()
            })
            .await
    };
    let places = |rows: &[SubmissionRow]| {
        let place = |row: &SubmissionRow| {
            (row.consent_id.as_u128(), row.state, row.batch_id, row.batch_index, row.code.clone())
        };
        rows.iter().map(place).collect::<Vec<_>>()
    };
    let batched = |number, place| (number, SubmissionState::Batched, Some(id(900)), Some(place), None);
    assert_eq!(places(&take(3).await), [batched(2, 0), batched(4, 1), batched(3, 2)]);
    let single = (1, SubmissionState::InFlight, None, None, Some("H467".to_owned()));
    assert_eq!(places(&take(3).await), [single]);
    let items = store.read(async |tx| submissions::of_batch(tx, PROVIDER, id(900)).await.unwrap()).await;
    assert_eq!(places(&items), [batched(2, 0), batched(4, 1), batched(3, 2)]);
}

async fn what_is_due_is_found_before_it_is_claimed(store: Store) {
    let mut rows = of_one_key();
    rows.push(SubmissionRow { next_attempt_at: at(9), ..submission(4) });
    rows.push(SubmissionRow { brand_code: OTHER_BRAND, ..submission(5) });
    add(&store, rows).await;
    let due = async |statuses: &[ConsentStatus], limit, now| {
        let found = store
            .read(async |tx| submissions::due(tx, PROVIDER, BRAND, statuses, limit, at(now)).await.unwrap());
        found.await.iter().map(|(consent, _)| consent.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(due(BOTH, 10, 0).await, [2, 3, 1]);
    assert_eq!(due(&[Approval], 1, 0).await, [3]);
    assert_eq!(due(&[Approval], 10, 9).await, [3, 1, 4]);
}

async fn what_stands_beside_a_claim_is_found(store: Store) {
    let rows = of_one_key();
    let ledger = (1..).zip(&rows).map(|(seq, row)| consent(seq, row)).collect();
    store.write(async |tx| consents::append(tx, PROVIDER, ledger).await.unwrap()).await;
    add(&store, rows).await;
    let beside = async |mine| {
        let keys = vec![key(1), key(2)];
        let open =
            store.read(async |tx| submissions::open_beside(tx, PROVIDER, keys, mine).await.unwrap()).await;
        open.iter().map(|row| row.consent_id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [1]);
    assert_eq!(beside(claim(1, 60)).await, [2, 3]);
    assert_eq!(beside(claim(2, 60)).await, [1, 2, 3], "what another has taken counts too");
}

async fn the_earliest_target_goes_first(store: Store) {
    let targets = [30, 10, 50, 20, 40];
    let rows = (1..).zip(targets).map(|(n, target)| SubmissionRow { target_at: at(target), ..submission(n) });
    add(&store, rows.collect()).await;
    assert_eq!(claimed(&store, BOTH, 2, at(0)).await, [2, 4]);
    assert_eq!(claimed(&store, BOTH, 0, at(0)).await, [0_u128; 0]);
    assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [1, 5, 3]);
}

async fn a_rejection_wins_a_tie(store: Store) {
    let with = |number, status, target| SubmissionRow { status, target_at: at(target), ..submission(number) };
    add(
        &store,
        vec![with(1, Approval, 10), with(2, Rejection, 10), with(3, Approval, 9), with(4, Rejection, 11)],
    )
    .await;
    assert_eq!(claimed(&store, BOTH, 2, at(0)).await, [3, 2]);
    assert_eq!(claimed(&store, BOTH, 2, at(0)).await, [1, 4]);
}

async fn only_what_was_asked_for_is_claimed(store: Store) {
    add(
        &store,
        vec![
            SubmissionRow { status: Rejection, ..submission(1) },
            submission(2),
            SubmissionRow { brand_code: OTHER_BRAND, ..submission(3) },
            SubmissionRow { iys_code: OTHER_PROVIDER, ..submission(4) },
            SubmissionRow { next_attempt_at: at(11), ..submission(5) },
            SubmissionRow { state: SubmissionState::Held, cause: Some("quota".to_owned()), ..submission(6) },
        ],
    )
    .await;
    assert_eq!(claimed(&store, &[Rejection], 10, at(10)).await, [1]);
    assert_eq!(claimed(&store, &[Approval], 10, at(10)).await, [2]);
    assert_eq!(claimed(&store, BOTH, 10, at(10)).await, [0_u128; 0]);
    assert_eq!(claimed(&store, BOTH, 10, at(11)).await, [5]);
}

/// Three movements of one key whose targets are in the other order.
fn of_one_key() -> Vec<SubmissionRow> {
    [(1, 30, 100, Approval), (2, 20, 200, Rejection), (3, 10, 300, Approval)]
        .map(|(number, target, ordered, status)| SubmissionRow {
            key: key(1),
            status,
            target_at: at(target),
            ordered_at: at(ordered),
            ..submission(number)
        })
        .to_vec()
}

async fn one_movement_of_a_key_at_a_time_in_its_order(store: Store) {
    add(&store, of_one_key()).await;
    for number in [1, 2, 3] {
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [u128::from(number)]);
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [0_u128; 0], "{number} is in flight");
        set(&store, number, SubmissionState::Registered).await;
    }
}

async fn equal_instants_inside_a_key_have_an_order_too(store: Store) {
    add(
        &store,
        of_one_key().into_iter().rev().map(|row| SubmissionRow { ordered_at: at(0), ..row }).collect(),
    )
    .await;
    for number in [1, 2, 3] {
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [u128::from(number)]);
        set(&store, number, SubmissionState::Refused).await;
    }
}

async fn a_movement_out_of_the_house_blocks_its_key(store: Store) {
    use SubmissionState::{Batched, InFlight, Unresolved};
    for (number, state) in [(10, InFlight), (20, Batched), (30, Unresolved)] {
        // The later dated one left first: the earlier one waits all the same.
        let out = SubmissionRow { state, ordered_at: at(9), ..submission(number) };
        let waiting = SubmissionRow { key: out.key, ordered_at: at(1), ..submission(number + 1) };
        add(&store, vec![out, waiting]).await;
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [0_u128; 0], "{state}");
        set(&store, number, SubmissionState::Registered).await;
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [u128::from(number) + 1], "{state}");
    }
}

async fn what_waits_for_its_next_attempt_still_comes_before_its_followers(store: Store) {
    let mut rows = of_one_key();
    rows[0].next_attempt_at = at(100);
    add(&store, rows).await;
    assert_eq!(claimed(&store, BOTH, 10, at(99)).await, [0_u128; 0]);
    assert_eq!(
        claimed(&store, &[Rejection], 10, at(99)).await,
        [0_u128; 0],
        "though the first is of another status"
    );
    assert_eq!(claimed(&store, BOTH, 10, at(100)).await, [1]);
}

async fn a_held_movement_blocks_later_ones_unless_it_waits_for_a_review(store: Store) {
    for (number, cause, blocks) in [
        (10, "review", false),
        (20, "quota", true),
        (30, "not_authorised", true),
        (40, "type_right", true),
        (50, "subscription", true),
    ] {
        let held = SubmissionRow {
            state: SubmissionState::Held,
            cause: Some(cause.to_owned()),
            ordered_at: at(5),
            ..submission(number)
        };
        let other =
            |number, ordered| SubmissionRow { key: held.key, ordered_at: at(ordered), ..submission(number) };
        let (earlier, later) = (other(number + 1, 1), other(number + 2, 9));
        add(&store, vec![held, earlier, later]).await;
        assert_eq!(
            claimed(&store, BOTH, 10, at(0)).await,
            [u128::from(number) + 1],
            "{cause}: the earlier one goes"
        );
        set(&store, number + 1, SubmissionState::Registered).await;
        let expected = if blocks { vec![] } else { vec![u128::from(number) + 2] };
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, expected, "{cause}: the later one");
    }
}

async fn an_ended_movement_blocks_nothing(store: Store) {
    use SubmissionState::{Expired, NotNeeded, Refused, Registered, Superseded};
    for (number, state) in [(10, Registered), (20, Refused), (30, Expired), (40, NotNeeded), (50, Superseded)]
    {
        let ended = SubmissionRow { state, ordered_at: at(1), ..submission(number) };
        let next = SubmissionRow { key: ended.key, ordered_at: at(2), ..submission(number + 1) };
        add(&store, vec![ended, next]).await;
        assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [u128::from(number) + 1], "{state}");
    }
}

async fn keys_of_other_providers_do_not_matter(store: Store) {
    let elsewhere =
        SubmissionRow { iys_code: OTHER_PROVIDER, state: SubmissionState::InFlight, ..submission(1) };
    add(&store, vec![elsewhere, submission(1)]).await;
    assert_eq!(claimed(&store, BOTH, 10, at(0)).await, [1]);
}

async fn turns_go_round_over_brands_and_providers(store: Store) {
    let places = [(1, 9), (1, 12), (2, 3), (2, 9), (3, 1)].map(|(p, b)| (IysCode(p), BrandCode(b)));
    let rows = (1..).zip(places).flat_map(|(number, (iys_code, brand_code))| {
        [number, number + 100].map(|number| SubmissionRow { iys_code, brand_code, ..submission(number) })
    });
    add(&store, rows.collect()).await;
    let mut last = (IysCode(0), BrandCode(0));
    let mut seen = Vec::new();
    for _ in 0..7 {
        last = store
            .read(async |tx| submissions::next_in_turn(tx, Approval, at(0), last).await.unwrap().unwrap())
            .await;
        seen.push(last);
    }
    assert_eq!(seen[..5], places);
    assert_eq!(seen[5..], places[..2], "it wraps around");
}

async fn turns_pass_over_what_is_not_due(store: Store) {
    let of = |number, brand, status, due| SubmissionRow {
        brand_code: BrandCode(brand),
        status,
        next_attempt_at: at(due),
        ..submission(number)
    };
    add(
        &store,
        vec![of(1, 1, Approval, 50), of(2, 2, Rejection, 0), of(3, 3, Approval, 0), of(4, 4, Approval, 0)],
    )
    .await;
    set(&store, 4, SubmissionState::Held).await;
    let next = async |status, now, last: i64| {
        let last = (PROVIDER, BrandCode(last));
        let next =
            store.read(async |tx| submissions::next_in_turn(tx, status, at(now), last).await.unwrap()).await;
        next.map(|(provider, brand)| {
            assert_eq!(provider, PROVIDER);
            brand.0
        })
    };
    assert_eq!(next(Approval, 0, 0).await, Some(3));
    assert_eq!(next(Approval, 0, 3).await, Some(3), "the only one is next again");
    assert_eq!(next(Rejection, 0, 0).await, Some(2));
    assert_eq!(next(Approval, 50, 0).await, Some(1));
    assert_eq!(next(Rejection, -1, 0).await, None);
}

async fn the_next_brand_by_target(store: Store) {
    let of = |number, brand, status, target| SubmissionRow {
        brand_code: BrandCode(brand),
        status,
        target_at: at(target),
        ..submission(number)
    };
    let not_due = SubmissionRow { next_attempt_at: at(9), ..of(5, 5, Rejection, 1) };
    add(
        &store,
        vec![
            of(1, 1, Approval, 20),
            of(2, 2, Approval, 10),
            of(3, 3, Rejection, 10),
            of(4, 4, Rejection, 30),
            not_due,
        ],
    )
    .await;
    let mut except = Vec::new();
    for expected in [Some(3), Some(2), Some(1), Some(4), None] {
        let next =
            store.read(async |tx| submissions::next_by_target(tx, at(0), &except).await.unwrap()).await;
        assert_eq!(next, expected.map(|brand| (PROVIDER, BrandCode(brand))));
        except.extend(next);
    }
    let next = store.read(async |tx| submissions::next_by_target(tx, at(9), &[]).await.unwrap()).await;
    assert_eq!(next, Some((PROVIDER, BrandCode(5))));
}

/// 400 movements of 150 keys, taken by six workers at once: none twice, and never two of a key at the same time.
async fn claimers_never_overlap(store: Store) {
    let rows = (0..400).map(|number| SubmissionRow {
        key: key(number % 150),
        ordered_at: at(i64::try_from(number).unwrap()),
        target_at: at(1_000 - i64::try_from(number).unwrap()),
        status: if number % 3 == 0 { Rejection } else { Approval },
        channel: Channel::Message,
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    let seen = RefCell::new(BTreeSet::new());
    let busy = RefCell::new(BTreeSet::new());
    let worker = async |by: u128| {
        let mine = claim(by, 60);
        loop {
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            let rows =
                submissions::claim(&mut tx, PROVIDER, BRAND, BOTH, singles(7), at(0), mine).await.unwrap();
            tokio::task::yield_now().await;
            tx.commit().await.unwrap();
            for row in &rows {
                assert!(seen.borrow_mut().insert(row.consent_id), "{} is claimed twice", row.consent_id);
                assert!(busy.borrow_mut().insert(row.key), "two movements of {:?} at once", row.key);
            }
            if rows.is_empty() && seen.borrow().len() == 400 {
                return;
            }
            let rows: Vec<_> = rows
                .into_iter()
                .map(|row| SubmissionRow { state: SubmissionState::Registered, claim: None, ..row })
                .collect();
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            let saved = submissions::save(&mut tx, rows.clone(), at(0)).await.unwrap();
            assert_eq!(saved.len(), rows.len());
            // They leave the set before anybody can see the commit, and enter it after their own.
            for row in &rows {
                assert!(busy.borrow_mut().remove(&row.key));
            }
            tx.commit().await.unwrap();
        }
    };
    join_all((1..=6).map(worker)).await;
    assert!(busy.borrow().is_empty());
}

async fn claimers_do_not_wait_for_each_other(store: Store) {
    let mut rows: Vec<_> = (0..20)
        .map(|number| SubmissionRow { target_at: at(i64::try_from(number).unwrap()), ..submission(number) })
        .collect();
    // The second of a key whose first is being claimed.
    rows.push(SubmissionRow { key: key(0), ordered_at: at(1), target_at: at(0), ..submission(20) });
    add(&store, rows).await;
    let (mut one, mut two) =
        (store.db.begin(Priority::Bulk).await.unwrap(), store.db.begin(Priority::Bulk).await.unwrap());
    let take = |by| claim(by, 60);
    let first =
        submissions::claim(&mut one, PROVIDER, BRAND, BOTH, singles(8), at(0), take(1)).await.unwrap();
    let second =
        submissions::claim(&mut two, PROVIDER, BRAND, BOTH, singles(100), at(0), take(2)).await.unwrap();
    let ids = |rows: &[SubmissionRow]| rows.iter().map(|row| row.consent_id.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(&first), (0..8).collect::<Vec<_>>());
    assert_eq!(ids(&second), (8..20).collect::<Vec<_>>());
    // A claim that is given up is everybody's again.
    drop(one);
    two.commit().await.unwrap();
    assert_eq!(claimed(&store, BOTH, 100, at(0)).await, (0..8).collect::<Vec<_>>());
}

/// A planner that runs the inner select once for each row of the table would claim more and more.
async fn a_claim_never_exceeds_its_limit_whatever_the_plan(store: Store) {
    add(&store, (0..300).map(submission).collect()).await;
    let all = "hashjoin,mergejoin,nestloop,material,memoize,indexscan,indexonlyscan,bitmapscan,seqscan,sort";
    for off in [
        "hashjoin,mergejoin,material,indexscan,indexonlyscan,bitmapscan",
        "hashjoin,mergejoin,material,seqscan",
        "hashjoin,nestloop,material,indexscan,bitmapscan",
        "mergejoin,nestloop,material,sort",
    ] {
        let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
        for (settings, value) in [(all, "on"), (off, "off")] {
            for setting in settings.split(',') {
                let set = crate::fixture::statement(&format!("SET LOCAL enable_{setting} = {value}"));
                tx.execute(&set, vec![]).await.unwrap();
            }
        }
        let mine: Claim = claim(1, 60);
        let rows = submissions::claim(&mut tx, PROVIDER, BRAND, BOTH, singles(7), at(0), mine).await.unwrap();
        assert_eq!(rows.len(), 7, "without {off}");
        let rows = submissions::claim_unresolved(&mut tx, 3, at(100), at(100), mine).await.unwrap();
        assert_eq!(rows.len(), 3, "without {off}");
    }
}
