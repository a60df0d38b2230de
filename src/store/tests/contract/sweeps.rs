//! Sweeps: one a brand, begun anew by each gap, asked for by one process at a time from where the last one stopped.

use chrono::{DateTime, Utc};
use kopru_domain::{Channel, Observation, RecipientType, RegistryKnowledge};
use kopru_store::Key;
use kopru_store::brands;
use kopru_store::permissions::{self, Page, PermissionRow};
use kopru_store::sweeps::{self, Asked, Phase, Place, SweepRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, at, brand, claim, key, permission};

on_both!(a_sweep_forgets_asks_and_ends, a_new_gap_begins_anew, only_what_is_unsure_and_unasked_is_found);

fn page(after: &[u8], limit: i64) -> Page<'_> {
    Page { iys_code: PROVIDER, brand_code: BRAND, channel: Channel::Message, after, limit }
}

async fn find(store: &Store) -> SweepRow {
    store.read(async |tx| sweeps::find(tx, PROVIDER, BRAND).await.unwrap().unwrap()).await
}

fn place(pass: i64, key: &[u8]) -> Place {
    Place { pass, key: key.to_vec() }
}

fn asked(place: Place, ended_at: Option<DateTime<Utc>>) -> Asked {
    Asked { place, asked: 1_000, approved: 400, ended_at }
}

async fn begin(store: &Store, seconds: i64) {
    store
        .write(async |tx| sweeps::begin(tx, PROVIDER, BRAND, at(seconds), at(seconds + 10)).await.unwrap())
        .await;
}

async fn forgotten(store: &Store, phase: Phase, to: Place) {
    let row = find(store).await;
    store.write(async |tx| sweeps::forgot(tx, &row, phase, to, 7, at(20)).await.unwrap()).await;
}

async fn a_sweep_forgets_asks_and_ends(store: Store) {
    store.write(async |tx| assert!(brands::add(tx, &brand(BRAND)).await.unwrap())).await;
    assert!(store.read(async |tx| sweeps::find(tx, PROVIDER, BRAND).await.unwrap()).await.is_none());
    begin(&store, 0).await;
    let claimed = async |wire| {
        store.write(async |tx| sweeps::claim(tx, at(100), at(wire), claim(1, wire + 60)).await.unwrap()).await
    };
    assert!(claimed(0).await.is_none(), "it forgets first");
    forgotten(&store, Phase::Forgetting, place(1, b"k")).await;
    assert_eq!((find(&store).await.place, find(&store).await.forgotten), (place(1, b"k"), 7));
    forgotten(&store, Phase::Asking, Place::default()).await;
    assert_eq!(store.read(async |tx| sweeps::open_count(tx).await.unwrap()).await, 1);

    let row = claimed(0).await.unwrap();
    assert_eq!((row.phase, row.attempt, &row.place), (Phase::Asking, 1, &Place::default()));
    assert!(claimed(30).await.is_none(), "one process at a time");
    let again = claimed(61).await.unwrap();
    store
        .write(async |tx| {
            let stranger = claim(2, 99);
            assert!(!sweeps::advance(tx, &again, stranger, asked(place(0, b"a"), None)).await.unwrap());
            sweeps::fail(tx, &again, claim(1, 121), "503", at(130)).await.unwrap();
        })
        .await;
    assert_eq!((find(&store).await.attempt, find(&store).await.last_error.as_deref()), (2, Some("503")));
    assert!(claimed(200).await.is_none(), "it waits");
    let row = store
        .write(async |tx| sweeps::claim(tx, at(130), at(200), claim(1, 260)).await.unwrap().unwrap())
        .await;
    store
        .write(async |tx| {
            assert!(sweeps::advance(tx, &row, claim(1, 260), asked(place(0, b"a"), None)).await.unwrap());
            assert!(!sweeps::advance(tx, &row, claim(1, 260), asked(place(0, b"b"), None)).await.unwrap());
        })
        .await;
    let row = find(&store).await;
    assert_eq!((row.place, row.asked, row.approved, row.attempt), (place(0, b"a"), 1_000, 400, 0));
    let row = store
        .write(async |tx| sweeps::claim(tx, at(130), at(200), claim(1, 260)).await.unwrap().unwrap())
        .await;
    store
        .write(async |tx| {
            assert!(
                sweeps::advance(tx, &row, claim(1, 260), asked(place(6, b""), Some(at(140)))).await.unwrap()
            );
        })
        .await;
    assert_eq!((find(&store).await.phase, find(&store).await.ended_at), (Phase::Done, Some(at(140))));
    assert_eq!(store.read(async |tx| sweeps::open_count(tx).await.unwrap()).await, 0);
}

async fn a_new_gap_begins_anew(store: Store) {
    store.write(async |tx| assert!(brands::add(tx, &brand(BRAND)).await.unwrap())).await;
    begin(&store, 0).await;
    forgotten(&store, Phase::Asking, Place::default()).await;
    let claimed =
        store.write(async |tx| sweeps::claim(tx, at(100), at(0), claim(1, 60)).await.unwrap().unwrap()).await;
    begin(&store, 500).await;
    let row = find(&store).await;
    assert_eq!(
        (row.phase, row.unsure_before, row.started_at, row.forgotten),
        (Phase::Forgetting, at(500), at(510), 0)
    );
    store
        .write(async |tx| {
            let late = asked(place(0, b"a"), None);
            assert!(!sweeps::advance(tx, &claimed, claim(1, 60), late).await.unwrap(), "of the one before");
        })
        .await;
    forgotten(&store, Phase::Asking, Place::default()).await;
    store.write(async |tx| brands::disable(tx, PROVIDER, BRAND).await.unwrap()).await;
    let none = store.write(async |tx| sweeps::claim(tx, at(900), at(0), claim(1, 60)).await.unwrap()).await;
    assert!(none.is_none(), "a disabled brand is not asked for");
}

async fn only_what_is_unsure_and_unasked_is_found(store: Store) {
    let of = |brand, n: u64| {
        let mut name = [0; 11];
        name.copy_from_slice(&key(n).0[..11]);
        Key::of(brand, Channel::Message, name)
    };
    let row = |n: u64| PermissionRow {
        key: of(BRAND, n),
        channel: Channel::Message,
        recipient_type: RecipientType::Individual,
        ..permission(n)
    };
    let not_known = |n: u64, observation| {
        let mut row = row(n);
        row.permission.registry = RegistryKnowledge::NotKnown;
        row.permission.observation = observation;
        row
    };
    let seen = |seconds| Some(Observation { asked_at: at(seconds), approved: true });
    let known = |n: u64, seconds| {
        let mut row = row(n);
        row.permission.registry = RegistryKnowledge::KnownEmpty { as_of: at(seconds) };
        row
    };
    let rows = vec![
        known(1, 10),
        known(2, 100),
        not_known(3, None),
        not_known(4, seen(10)),
        not_known(5, seen(100)),
        PermissionRow { recipient_type: RecipientType::Merchant, ..not_known(6, None) },
        PermissionRow { brand_code: OTHER_BRAND, key: of(OTHER_BRAND, 7), ..known(7, 10) },
    ];
    store.write(async |tx| permissions::save(tx, PROVIDER, rows, at(0)).await.unwrap()).await;
    let keys = |rows: Vec<PermissionRow>| rows.into_iter().map(|row| row.key).collect::<Vec<_>>();
    let sorted = |numbers: &[u64]| {
        let mut keys: Vec<_> = numbers.iter().map(|n| of(BRAND, *n)).collect();
        keys.sort_unstable();
        keys
    };
    let unsure = async |after: &[u8], limit| {
        keys(store.read(async |tx| permissions::unsure(tx, page(after, limit), at(50)).await.unwrap()).await)
    };
    let expected = sorted(&[1, 4]);
    assert_eq!(unsure(&[], 10).await, expected);
    assert_eq!(unsure(&[], 1).await, expected[..1]);
    assert_eq!(unsure(&expected[0].0, 10).await, expected[1..]);
    let unasked = async |kind| {
        keys(
            store.read(async |tx| permissions::unasked(tx, page(&[], 10), kind, at(50)).await.unwrap()).await,
        )
    };
    assert_eq!(unasked(RecipientType::Individual).await, sorted(&[3, 4]));
    assert_eq!(unasked(RecipientType::Merchant).await, [of(BRAND, 6)]);
}
