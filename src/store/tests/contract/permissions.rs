//! The mirror: both sides of a permission in every shape, and the value that is stored beside them.

use chrono::TimeDelta;
use kopru_domain::{
    Channel, ConsentStatus, Effective, LocalRejection, Observation, Permission, ProviderSource,
    RecipientType, RegistryKnowledge, RegistrySide, Source,
};
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::{StoreError, args};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, id, key, permission};

on_both!(
    every_shape_comes_back,
    saving_again_replaces_both_sides_and_nothing_else,
    keys_belong_to_their_provider,
    unreadable_values_are_an_error,
);

fn shape() -> impl Strategy<Value = Permission> {
    let instant = || {
        (-90_000_000_000_000_i64..90_000_000_000_000)
            .prop_map(|micros| at(0) + TimeDelta::microseconds(micros))
    };
    let source = prop_oneof![
        proptest::sample::select(ProviderSource::ALL).prop_map(Source::Provider),
        Just(Source::Registry(Source::LINE_CLOSURE.to_owned())),
        Just(Source::Registry("IYS_WEB".to_owned())),
    ];
    let status = prop_oneof![Just(ConsentStatus::Approval), Just(ConsentStatus::Rejection)];
    let side =
        (status, proptest::option::of(instant()), proptest::option::of(source), instant(), "[a-z0-9]{1,40}")
            .prop_map(|(status, consent_date, source, creation_date, transaction_id)| RegistrySide {
                status,
                consent_date,
                source,
                creation_date,
                transaction_id,
            });
    let registry = prop_oneof![
        Just(RegistryKnowledge::NotKnown),
        instant().prop_map(|as_of| RegistryKnowledge::KnownEmpty { as_of }),
        side.prop_map(RegistryKnowledge::Known),
    ];
    let local =
        (instant(), any::<u128>()).prop_map(|(at, number)| LocalRejection { at, consent_id: id(number) });
    let observation =
        (instant(), any::<bool>()).prop_map(|(asked_at, approved)| Observation { asked_at, approved });
    (registry, proptest::option::of(local), proptest::option::of(observation))
        .prop_map(|(registry, local, observation)| Permission { registry, local, observation })
}

fn row() -> impl Strategy<Value = PermissionRow> {
    let kind = prop_oneof![Just(RecipientType::Individual), Just(RecipientType::Merchant)];
    let channel = prop_oneof![Just(Channel::Call), Just(Channel::Message), Just(Channel::Email)];
    (kind, channel, proptest::collection::vec(any::<u8>(), 0..60), shape()).prop_map(
        |(recipient_type, channel, recipient, permission)| PermissionRow {
            key: key(0),
            brand_code: BRAND,
            recipient_type,
            channel,
            recipient,
            permission,
        },
    )
}

/// The stored word is what reports and look-ups read without knowing the rules.
fn word(effective: Effective) -> &'static str {
    match effective {
        Effective::Approval => "ONAY",
        Effective::Rejection => "RET",
        Effective::Unknown => "unknown",
    }
}

async fn every_shape_comes_back(store: Store) {
    let handle = tokio::runtime::Handle::current();
    let rows = proptest::collection::vec(row(), 1..40);
    let property = |mut rows: Vec<PermissionRow>| {
        for (number, row) in (0..).zip(&mut rows) {
            row.key = key(number);
        }
        let check = async {
            store.execute("DELETE FROM permissions", vec![]).await;
            let saved = rows.clone();
            store.write(async |tx| permissions::save(tx, PROVIDER, saved, at(0)).await.unwrap()).await;
            for row in &rows {
                let found = store
                    .read(async |tx| permissions::of_keys(tx, PROVIDER, vec![row.key]).await.unwrap())
                    .await;
                assert_same!(found, [row]);
                let stored = "SELECT effective FROM permissions WHERE key = $1";
                let stored: String = store.rows(stored, args![row.key]).await[0].get(0).unwrap();
                assert_eq!(stored, word(row.permission.effective(row.recipient_type)));
            }
        };
        tokio::task::block_in_place(|| handle.block_on(check));
        Ok(())
    };
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&rows, property).unwrap();
}

async fn saving_again_replaces_both_sides_and_nothing_else(store: Store) {
    let mut first = permission(1);
    first.permission.mark_empty(at(10));
    first.permission.observe(Observation { asked_at: at(11), approved: true });
    let mut second = PermissionRow { recipient: b"sealed again".to_vec(), ..permission(1) };
    second.permission.reject_locally(at(12), id(1));
    store
        .write(async |tx| {
            permissions::save(tx, PROVIDER, vec![first.clone()], at(0)).await.unwrap();
            permissions::save(tx, PROVIDER, vec![second.clone()], at(1)).await.unwrap();
            let found = permissions::of_keys(tx, PROVIDER, vec![key(1)]).await.unwrap();
            assert_same!(found, [PermissionRow { recipient: first.recipient.clone(), ..second }]);
        })
        .await;
}

async fn keys_belong_to_their_provider(store: Store) {
    store
        .write(async |tx| {
            let other = PermissionRow { brand_code: OTHER_BRAND, ..permission(3) };
            permissions::save(tx, PROVIDER, vec![permission(1), permission(2), other], at(0)).await.unwrap();
            permissions::save(tx, OTHER_PROVIDER, vec![permission(1)], at(0)).await.unwrap();
            assert_eq!(
                permissions::of_keys(tx, OTHER_PROVIDER, vec![key(1), key(2)]).await.unwrap().len(),
                1
            );
        })
        .await;
}

/// A value that a newer version wrote must not be read as something else.
async fn unreadable_values_are_an_error(store: Store) {
    store.write(async |tx| permissions::save(tx, PROVIDER, vec![permission(1)], at(0)).await.unwrap()).await;
    for change in [
        "source = 'HS_GELECEK', registry = 'ONAY', creation_date = updated_at",
        "registry = 'RET'",
        "registry = 'empty'",
    ] {
        store
            .execute(
                "UPDATE permissions SET registry = 'not_known', source = NULL, creation_date = NULL",
                vec![],
            )
            .await;
        store.execute(&format!("UPDATE permissions SET {change}"), vec![]).await;
        let found = store.read(async |tx| permissions::of_keys(tx, PROVIDER, vec![key(1)]).await).await;
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{change}: {found:?}");
    }
}
