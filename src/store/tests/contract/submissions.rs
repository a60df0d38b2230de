//! Filings: what is stored, found, ended and counted.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, ConsentStatus, ProviderSource, SubmissionState};
use kopru_store::consents;
use kopru_store::submissions::{self, EndedFilter, ListFilter, PROBE, SubmissionRow};
use uuid::Uuid;

use crate::claims::{add, set};
use crate::fixture::Store;
use crate::sample::{
    BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, claim, consent, id, key, submission,
};

use SubmissionState::{
    Batched, Expired, Held, InFlight, NotNeeded, Queued, Refused, Registered, Superseded, Unresolved,
};

on_both!(
    a_row_is_saved_in_every_field_that_may_change,
    saving_never_reopens_what_has_ended,
    what_was_recorded_is_registered,
    the_newest_generation_is_found,
    a_generation_is_added_once,
    open_movements_come_in_the_order_of_their_key,
    only_what_is_at_home_is_superseded,
    a_batch_moves_as_one,
    a_list_is_filtered_and_comes_in_pages,
    the_newest_ended_filings_are_found_in_pages,
    approvals_expire_after_their_latest_instant,
    what_comes_near_its_target_is_told_once,
    the_holder_of_what_is_open_is_known,
    held_movements_are_released_by_brand_and_channel,
    the_queue_is_counted,
);

async fn find(store: &Store, number: u64) -> SubmissionRow {
    store.read(async |tx| submissions::find(tx, PROVIDER, id(number.into())).await.unwrap().unwrap()).await
}

fn numbers(ids: &[Uuid]) -> Vec<u128> {
    let mut numbers: Vec<u128> = ids.iter().map(Uuid::as_u128).collect();
    numbers.sort_unstable();
    numbers
}

fn of(rows: &[SubmissionRow]) -> Vec<u128> {
    rows.iter().map(|row| row.consent_id.as_u128()).collect()
}

async fn a_row_is_saved_in_every_field_that_may_change(store: Store) {
    add(&store, vec![submission(1), submission(2)]).await;
    let mine = claim(4, 30);
    let changed = SubmissionRow {
        state: Unresolved,
        code: Some("H178".to_owned()),
        wire_date: Some(at(77)),
        late: true,
        at_risk: true,
        attempt: 3,
        next_attempt_at: at(99),
        wire: Some(b"bytes".to_vec()),
        batch_id: Some(id(5)),
        batch_index: Some(12),
        transaction_id: Some("abc".to_owned()),
        creation_date: Some(at(78)),
        cause: Some("quota".to_owned()),
        claim: Some(mine),
        ..submission(1)
    };
    let saved =
        store.write(async |tx| submissions::save(tx, vec![changed.clone()], at(50)).await.unwrap()).await;
    assert_eq!(saved, [id(1)]);
    assert_same!(find(&store, 1).await, SubmissionRow { claim: None, ..changed });
    assert_same!(find(&store, 2).await, submission(2));
    let stored =
        store.rows("SELECT claimed_by, lease_until FROM submissions WHERE attempt = 3", vec![]).await;
    let stored: (Uuid, DateTime<Utc>) = (stored[0].get(0).unwrap(), stored[0].get(1).unwrap());
    assert_eq!(stored, (mine.by, mine.until));
    // What a filing is about never changes.
    let other = SubmissionRow {
        key: key(9),
        ordered_at: at(9),
        target_at: at(9),
        calendar: String::new(),
        ..submission(2)
    };
    store.write(async |tx| submissions::save(tx, vec![other], at(50)).await.unwrap()).await;
    assert_same!(find(&store, 2).await, submission(2));
}

async fn saving_never_reopens_what_has_ended(store: Store) {
    let terminal = [Registered, Refused, Expired, NotNeeded, Superseded];
    let open = [Queued, InFlight, Batched, Unresolved, Held];
    let rows = (1..)
        .zip(terminal.into_iter().chain(open))
        .map(|(n, state)| SubmissionRow { state, ..submission(n) });
    let rows: Vec<SubmissionRow> = rows.collect();
    add(&store, rows.clone()).await;
    for next in open.into_iter().chain(terminal) {
        let changed =
            rows.iter().map(|row| SubmissionRow { state: next, code: Some("NEW".to_owned()), ..row.clone() });
        let changed: Vec<SubmissionRow> = changed.collect();
        let mut tx = store.db.begin(kopru_store::Priority::Bulk).await.unwrap();
        let saved = submissions::save(&mut tx, changed, at(1)).await.unwrap();
        assert_eq!(numbers(&saved), [6, 7, 8, 9, 10], "as {next}");
        for row in &rows[..5] {
            assert_same!(submissions::find(&mut tx, PROVIDER, row.consent_id).await.unwrap(), Some(row));
        }
        drop(tx);
    }
}

/// By one statement for any number, which leaves alone what has ended and what it does not name.
async fn what_was_recorded_is_registered(store: Store) {
    let states =
        [Queued, InFlight, Batched, Unresolved, Held, Registered, Refused, Expired, NotNeeded, Superseded];
    let open = |number: u64| SubmissionRow {
        state: states[usize::try_from(number % 10).unwrap()],
        code: Some("H178".to_owned()),
        wire: Some(b"bytes".to_vec()),
        batch_id: Some(id(5)),
        batch_index: Some(12),
        cause: Some("probe".to_owned()),
        attempt: 3,
        at_risk: true,
        ..submission(number)
    };
    let rows: Vec<SubmissionRow> = (0..300).map(open).collect();
    add(&store, rows.clone()).await;
    let recorded = |row: &SubmissionRow| SubmissionRow {
        state: Registered,
        code: None,
        transaction_id: Some(format!("t{}", row.consent_id.as_u128())),
        creation_date: Some(at(9)),
        wire: None,
        batch_id: None,
        batch_index: None,
        cause: None,
        ..row.clone()
    };
    let steps = vec![submissions::register_step(rows[..290].iter().map(recorded).collect(), at(50))];
    store.write(async |tx| tx.run(steps).await.unwrap()).await;
    for (number, row) in (0..300_u64).zip(&rows) {
        let expected = if number < 290 && number % 10 < 5 { recorded(row) } else { row.clone() };
        assert_same!(find(&store, number).await, expected);
    }
}

async fn the_newest_generation_is_found(store: Store) {
    let first = SubmissionRow { state: Refused, ..submission(1) };
    let second = SubmissionRow { generation: 2, ..submission(1) };
    add(&store, vec![second.clone(), first.clone()]).await;
    store
        .read(async |tx| {
            assert_same!(submissions::find(tx, PROVIDER, id(1)).await.unwrap(), Some(&second));
            assert!(submissions::find(tx, OTHER_PROVIDER, id(1)).await.unwrap().is_none());
            let mut all = submissions::find_many(tx, PROVIDER, vec![id(1), id(2)]).await.unwrap();
            all.sort_by_key(|row| row.generation);
            assert_same!(all, [&first, &second]);
        })
        .await;
}

async fn a_generation_is_added_once(store: Store) {
    add(&store, vec![submission(1)]).await;
    let mut tx = store.db.begin(kopru_store::Priority::Bulk).await.unwrap();
    let again = submissions::add(&mut tx, vec![submission(1)], at(0)).await;
    assert!(again.is_err_and(|error| error.is_conflict()));
}

async fn open_movements_come_in_the_order_of_their_key(store: Store) {
    let one_key = |number, state, ordered| SubmissionRow {
        key: key(1),
        state,
        ordered_at: at(ordered),
        ..submission(number)
    };
    let rows = vec![
        one_key(1, Queued, 50),
        SubmissionRow { cause: Some("review".to_owned()), ..one_key(2, Held, 40) },
        one_key(3, InFlight, 30),
        one_key(4, Batched, 30),
        SubmissionRow { wire_date: None, ..one_key(5, Unresolved, 10) },
        one_key(6, Registered, 0),
        one_key(7, Superseded, 0),
        SubmissionRow { key: key(2), ordered_at: at(45), status: ConsentStatus::Rejection, ..submission(8) },
        SubmissionRow { key: key(3), ..submission(9) },
    ];
    let ledger = (1..).zip(&rows).map(|(seq, row)| {
        let source = (row.consent_id != id(5)).then_some(ProviderSource::OwnDecision);
        consents::ConsentRow { source, ..consent(seq, row) }
    });
    let ledger = ledger.collect();
    store.write(async |tx| consents::append(tx, PROVIDER, ledger).await.unwrap()).await;
    add(&store, rows).await;
    let keys = vec![key(2), key(1), key(77)];
    let open =
        store.read(async |tx| submissions::open_of_keys(tx, PROVIDER, keys.clone()).await.unwrap()).await;
    let order: Vec<u128> = open.iter().map(|row| row.consent_id.as_u128()).collect();
    assert_eq!(order, [5, 3, 4, 2, 8, 1]);
    assert_eq!((open[0].source, open[0].wire_date, open[0].state), (None, None, Unresolved));
    assert_eq!(
        (open[3].cause.as_deref(), open[3].source),
        (Some("review"), Some(ProviderSource::OwnDecision))
    );
    assert_eq!((open[4].key, open[4].status, open[4].ordered_at), (key(2), ConsentStatus::Rejection, at(45)));
    assert_eq!((open[5].generation, open[5].wire_date), (1, Some(at(0))));
    let other =
        store.read(async |tx| submissions::open_of_keys(tx, OTHER_PROVIDER, keys).await.unwrap()).await;
    assert!(other.is_empty());
}

async fn only_what_is_at_home_is_superseded(store: Store) {
    let states =
        [Queued, Held, InFlight, Batched, Unresolved, Registered, Refused, Expired, NotNeeded, Superseded];
    add(&store, (1..).zip(states).map(|(n, state)| SubmissionRow { state, ..submission(n) }).collect()).await;
    add(&store, vec![SubmissionRow { iys_code: OTHER_PROVIDER, ..submission(1) }, submission(11)]).await;
    let ids = (1..=10).chain([99]).map(id).collect();
    let step = submissions::supersede_step(PROVIDER, ids, "BY_RET", at(5));
    store.write(async |tx| tx.run(vec![step]).await.unwrap()).await;
    for (number, before) in (1..).zip(states) {
        let expected = if number <= 2 { Superseded } else { before };
        let row = find(&store, number).await;
        assert_eq!(row.state, expected);
        assert_eq!(row.code.as_deref(), (number <= 2).then_some("BY_RET"));
    }
    assert_eq!(find(&store, 11).await.state, Queued);
    let elsewhere =
        store.read(async |tx| submissions::find(tx, OTHER_PROVIDER, id(1)).await.unwrap().unwrap()).await;
    assert_eq!(elsewhere.state, Queued);
}

async fn a_batch_moves_as_one(store: Store) {
    let batch = id(500);
    let item = |number, index, state| SubmissionRow {
        state,
        batch_id: Some(batch),
        batch_index: Some(index),
        claim: Some(claim(1, 60)),
        ..submission(number)
    };
    add(&store, vec![item(1, 2, InFlight), item(2, 1, InFlight), item(3, 0, Registered)]).await;
    add(&store, vec![SubmissionRow { batch_id: Some(id(501)), ..item(4, 0, InFlight) }]).await;
    let accept = async || {
        store.write(async |tx| submissions::batch_accepted(tx, PROVIDER, batch, at(1)).await.unwrap()).await
    };
    let doubt = async || {
        store.write(async |tx| submissions::batch_unknown(tx, PROVIDER, batch, at(1)).await.unwrap()).await
    };
    let release = async || {
        store
            .write(async |tx| submissions::batch_released(tx, PROVIDER, batch, at(40), at(1)).await.unwrap())
            .await
    };
    let states = async || {
        let rows = store.read(async |tx| submissions::of_batch(tx, PROVIDER, batch).await.unwrap()).await;
        (of(&rows), rows.first().map(|row| row.state))
    };
    assert_eq!(states().await, (vec![2, 1], Some(InFlight)));
    assert_eq!(doubt().await, 2);
    assert_eq!(states().await, (vec![2, 1], Some(Unresolved)));
    assert_eq!(accept().await, 2);
    assert_eq!(states().await, (vec![2, 1], Some(Batched)));
    assert_eq!(accept().await, 0, "they are there already");
    assert_eq!(doubt().await, 2);
    assert_eq!(accept().await, 2);
    assert_eq!(release().await, 2);
    assert_eq!(states().await, (vec![], None));
    let row = find(&store, 1).await;
    assert_eq!((row.state, row.batch_id, row.batch_index, row.next_attempt_at), (Queued, None, None, at(40)));
    let left = "SELECT count(*) FROM submissions WHERE claimed_by IS NOT NULL AND state = 'queued'";
    assert_eq!(store.number(left, vec![]).await, 0);
    assert_eq!(find(&store, 3).await.state, Registered);
    assert_eq!(find(&store, 4).await.state, InFlight);
}

async fn a_list_is_filtered_and_comes_in_pages(store: Store) {
    let rows = (1..=30).map(|number| SubmissionRow {
        state: if number % 3 == 0 { Refused } else { Queued },
        code: (number % 6 == 0).then(|| "H175".to_owned()),
        target_at: at(i64::try_from(number).unwrap()),
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    add(&store, vec![SubmissionRow { brand_code: OTHER_BRAND, ..submission(31) }]).await;
    let list = async |filter: ListFilter, after: u128, limit| {
        let rows = store
            .read(async |tx| submissions::list(tx, PROVIDER, BRAND, &filter, id(after), limit).await.unwrap())
            .await;
        of(&rows)
    };
    let all = ListFilter::default();
    assert_eq!(list(all.clone(), 0, 100).await, (1..=30).collect::<Vec<_>>());
    assert_eq!(list(all.clone(), 0, 4).await, [1, 2, 3, 4]);
    assert_eq!(list(all, 28, 4).await, [29, 30]);
    let refused = ListFilter { state: Some(Refused), ..ListFilter::default() };
    assert_eq!(list(refused.clone(), 10, 3).await, [12, 15, 18]);
    let code = ListFilter { code: Some("H175".to_owned()), ..refused.clone() };
    assert_eq!(list(code, 0, 100).await, [6, 12, 18, 24, 30]);
    let due = ListFilter { due_until: Some(at(9)), ..refused };
    assert_eq!(list(due, 0, 100).await, [3, 6, 9]);
    let none = ListFilter { state: Some(Held), ..ListFilter::default() };
    assert!(list(none, 0, 100).await.is_empty());
}

async fn the_newest_ended_filings_are_found_in_pages(store: Store) {
    let states = [Refused, Expired, NotNeeded, Superseded, Registered, Queued, Held];
    let rows = (1..).zip(states).map(|(number, state)| SubmissionRow {
        state,
        code: (number % 2 == 1).then(|| "H180".to_owned()),
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    add(&store, vec![SubmissionRow { brand_code: OTHER_BRAND, state: Refused, ..submission(20) }]).await;
    let later = SubmissionRow { state: Refused, ..submission(21) };
    add(&store, vec![later.clone(), SubmissionRow { generation: 2, state: Queued, ..later }]).await;
    let all = EndedFilter {
        states: vec![Refused, Expired, NotNeeded, Superseded, Registered],
        codes: Vec::new(),
        from: None,
        to: None,
    };
    let ended = async |filter: EndedFilter, after: u128, limit| {
        let rows = store
            .read(async |tx| {
                submissions::ended(tx, PROVIDER, BRAND, &filter, id(after), limit).await.unwrap()
            })
            .await;
        of(&rows)
    };
    assert_eq!(
        ended(all.clone(), 0, 100).await,
        [1, 2, 3, 4],
        "the registry's records and what is open are not"
    );
    assert_eq!(ended(all.clone(), 1, 2).await, [2, 3]);
    assert_eq!(ended(EndedFilter { states: vec![Expired], ..all.clone() }, 0, 100).await, [2]);
    assert_eq!(ended(EndedFilter { codes: vec!["H180".to_owned()], ..all.clone() }, 0, 100).await, [1, 3]);
    assert_eq!(ended(EndedFilter { from: Some(at(1)), ..all.clone() }, 0, 100).await, []);
    assert_eq!(
        ended(EndedFilter { from: Some(at(0)), to: Some(at(1)), ..all.clone() }, 0, 100).await.len(),
        4
    );
    assert_eq!(ended(EndedFilter { to: Some(at(0)), ..all }, 0, 100).await, []);
}

async fn approvals_expire_after_their_latest_instant(store: Store) {
    let of_state = |number, state, latest| SubmissionRow {
        state,
        target_at: at(latest - 20),
        legal_at: at(latest - 10),
        latest_at: at(latest),
        ..submission(number)
    };
    let rejection = SubmissionRow { status: ConsentStatus::Rejection, ..of_state(7, Queued, 100) };
    let rows = vec![
        of_state(1, Queued, 100),
        of_state(2, Held, 90),
        of_state(3, InFlight, 100),
        of_state(4, Batched, 100),
        of_state(5, Unresolved, 100),
        of_state(6, Registered, 100),
        rejection,
        of_state(8, Queued, 200),
    ];
    add(&store, rows).await;
    let expiring = async |now, limit| {
        let mut found = of(&store
            .read(async |tx| submissions::expiring(tx, at(now), at(now), limit).await.unwrap())
            .await);
        found.sort_unstable();
        found
    };
    assert!(expiring(90, 10).await.is_empty(), "the instant itself is inclusive");
    assert_eq!(expiring(100, 10).await, [2]);
    assert_eq!(expiring(101, 10).await, [1, 2]);
    assert_eq!(expiring(101, 1).await.len(), 1);
    assert_eq!(expiring(201, 10).await, [1, 2, 8]);
}

async fn what_comes_near_its_target_is_told_once(store: Store) {
    let states = [Queued, Held, InFlight, Batched, Unresolved, Registered, Refused];
    let rows = (1..).zip(states).map(|(number, state)| SubmissionRow {
        state,
        target_at: at(100 - i64::try_from(number).unwrap()),
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    add(&store, vec![SubmissionRow { at_risk: true, target_at: at(1), ..submission(20) }]).await;
    let near = async |until, limit| {
        of(&store.read(async |tx| submissions::at_risk(tx, at(until), limit).await.unwrap()).await)
    };
    assert_eq!(near(95, 10).await, [0_u128; 0]);
    assert_eq!(near(96, 10).await, [5]);
    assert_eq!(near(1_000, 10).await, [5, 4, 3, 2, 1]);
    assert_eq!(near(1_000, 2).await, [5, 4]);
}

async fn the_holder_of_what_is_open_is_known(store: Store) {
    let held_by = |number, state, by: Option<u128>| SubmissionRow {
        state,
        claim: by.map(|by| claim(by, 60)),
        ..submission(number)
    };
    add(
        &store,
        vec![
            held_by(1, InFlight, Some(7)),
            held_by(2, Queued, None),
            held_by(3, Registered, Some(7)),
            SubmissionRow { generation: 2, ..held_by(3, Unresolved, Some(8)) },
            held_by(4, InFlight, Some(9)),
        ],
    )
    .await;
    let ids = [1, 2, 3, 99].map(id).to_vec();
    let mut holders = store.read(async |tx| submissions::claims(tx, PROVIDER, ids).await.unwrap()).await;
    holders.sort_unstable();
    assert_eq!(holders, [(id(1), 1, Some(id(7))), (id(2), 1, None), (id(3), 2, Some(id(8)))]);
}

async fn held_movements_are_released_by_brand_and_channel(store: Store) {
    let held = |number, cause: &str, target| SubmissionRow {
        state: Held,
        cause: Some(cause.to_owned()),
        target_at: at(target),
        next_attempt_at: at(-100),
        ..submission(number)
    };
    let rows = vec![
        held(1, "quota", 30),
        held(2, "not_authorised", 10),
        held(3, "subscription", 20),
        held(4, "review", 1),
        SubmissionRow { channel: Channel::Call, ..held(5, "quota", 1) },
        SubmissionRow { brand_code: OTHER_BRAND, ..held(6, "quota", 1) },
        SubmissionRow { iys_code: OTHER_PROVIDER, ..held(7, "quota", 1) },
    ];
    add(&store, rows).await;
    let release = async |limit, as_probe| {
        store
            .write(async |tx| {
                let channel = Channel::Message;
                submissions::release_held(tx, PROVIDER, BRAND, channel, limit, at(60), as_probe)
                    .await
                    .unwrap()
            })
            .await
    };
    assert_eq!(release(1, true).await, 1);
    let row = find(&store, 2).await;
    assert_eq!((row.state, row.cause.as_deref(), row.next_attempt_at), (Queued, Some(PROBE), at(60)));
    assert_eq!(release(i64::MAX, false).await, 2);
    let row = find(&store, 1).await;
    assert_eq!((row.state, row.cause, row.next_attempt_at), (Queued, None, at(60)));
    assert_eq!(release(i64::MAX, false).await, 0);
    for number in [4, 5, 6] {
        assert_eq!(find(&store, number).await.state, Held, "{number}");
    }
}

async fn the_queue_is_counted(store: Store) {
    assert_eq!(store.read(async |tx| submissions::queue_depth(tx).await.unwrap()).await, (None, 0));
    let of_brand = |number, brand, target| SubmissionRow {
        brand_code: BrandCode(brand),
        target_at: at(target),
        ..submission(number)
    };
    add(
        &store,
        vec![
            of_brand(1, 1, 20),
            of_brand(2, 1, 20),
            of_brand(3, 2, 10),
            of_brand(4, 1, 30),
            of_brand(5, 1, 5),
        ],
    )
    .await;
    add(&store, vec![SubmissionRow { iys_code: OTHER_PROVIDER, ..of_brand(6, 1, 40) }]).await;
    for (number, state) in [(4, InFlight), (5, Registered)] {
        set(&store, number, state).await;
    }
    store
        .read(async |tx| {
            assert_eq!(submissions::queue_depth(tx).await.unwrap(), (Some(at(10)), 4));
            let mut counts = submissions::counts(tx).await.unwrap();
            counts.sort_by_key(|open| open.state.as_str());
            let counts: Vec<_> =
                counts.iter().map(|open| (open.state, open.count, open.earliest_target)).collect();
            assert_eq!(counts, [(InFlight, 1, at(30)), (Queued, 4, at(10))]);
            assert_eq!(submissions::in_flight(tx).await.unwrap(), 1);
            let buckets: Vec<_> = submissions::buckets(tx, at(0), false).await.unwrap();
            let buckets: Vec<_> =
                buckets.iter().map(|b| (b.iys_code, b.brand_code.0, b.target_at, b.count)).collect();
            assert_eq!(
                buckets,
                [(PROVIDER, 2, at(10), 1), (PROVIDER, 1, at(20), 2), (OTHER_PROVIDER, 1, at(40), 1)]
            );
        })
        .await;
}
