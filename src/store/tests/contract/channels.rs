//! Acts that are told more than once, and what call centres report.

use kopru_domain::Channel;
use kopru_domain::call::{CallSettings, NoConsent};
use kopru_store::acts;
use kopru_store::calls::{self, OutcomeRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, id, key};

on_both!(
    an_act_leads_to_its_first_consent,
    call_settings_have_defaults_and_are_changed,
    a_call_without_a_decision_is_noted_once,
);

async fn an_act_leads_to_its_first_consent(store: Store) {
    store
        .write(async |tx| {
            tx.run(vec![acts::add_step(PROVIDER, vec![(key(1), id(1)), (key(2), id(2))])]).await.unwrap();
            tx.run(vec![acts::add_step(PROVIDER, vec![(key(1), id(9))])]).await.unwrap();
            let mut found = acts::find(tx, PROVIDER, vec![key(1), key(2), key(3)]).await.unwrap();
            found.sort_by_key(|(_, consent)| *consent);
            assert_eq!(found, [(key(1), id(1)), (key(2), id(2))]);
            assert!(acts::find(tx, OTHER_PROVIDER, vec![key(1)]).await.unwrap().is_empty());
        })
        .await;
}

async fn call_settings_have_defaults_and_are_changed(store: Store) {
    let changed =
        CallSettings { voice_record: false, approval_key: "5".to_owned(), rejection_key: "6".to_owned() };
    store
        .write(async |tx| {
            assert_eq!(calls::settings(tx, PROVIDER, BRAND).await.unwrap(), CallSettings::default());
            for settings in [&CallSettings::default(), &changed] {
                calls::set(tx, PROVIDER, BRAND, settings).await.unwrap();
                assert_eq!(&calls::settings(tx, PROVIDER, BRAND).await.unwrap(), settings);
            }
            assert_eq!(calls::settings(tx, PROVIDER, OTHER_BRAND).await.unwrap(), CallSettings::default());
        })
        .await;
}

async fn a_call_without_a_decision_is_noted_once(store: Store) {
    let row = |number: u64, reason| OutcomeRow {
        id: id(u128::from(number)),
        mark: key(number),
        channel: Channel::Call,
        reason,
        sealed: b"sealed".to_vec(),
        received_at: at(5),
    };
    let (first, second) = (row(1, NoConsent::Silence), row(2, NoConsent::OtherKey));
    let again = OutcomeRow { id: id(3), ..first.clone() };
    store
        .write(async |tx| {
            calls::add(tx, PROVIDER, BRAND, vec![first.clone(), second.clone()]).await.unwrap();
            calls::add(tx, PROVIDER, BRAND, vec![again]).await.unwrap();
            assert_same!(calls::list(tx, PROVIDER, BRAND, id(0), 10).await.unwrap(), [&first, &second]);
            assert_same!(calls::list(tx, PROVIDER, BRAND, id(1), 10).await.unwrap(), [&second]);
            assert!(calls::list(tx, PROVIDER, OTHER_BRAND, id(0), 10).await.unwrap().is_empty());
            assert_eq!(calls::purge(tx, at(5), 10).await.unwrap(), 0);
            let purged =
                [calls::purge(tx, at(6), 1).await.unwrap(), calls::purge(tx, at(6), 10).await.unwrap()];
            assert_eq!(purged, [1, 1]);
        })
        .await;
}
