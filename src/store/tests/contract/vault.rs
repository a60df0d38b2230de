//! Keys: one master key a database, one data key a provider.

use kopru_domain::{Channel, RecipientType};
use kopru_store::{MasterKey, Priority, StoreError, Vault};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_PROVIDER, PROVIDER, at};

on_both!(
    a_database_accepts_its_own_master_key_alone,
    a_damaged_check_value_is_refused,
    keys_outlive_the_process,
    each_provider_has_keys_of_its_own,
    a_provider_keeps_its_first_key,
    keys_that_were_rolled_back_are_not_used,
    a_provider_without_keys_is_an_error,
    another_master_key_opens_no_data_key,
);

async fn a_database_accepts_its_own_master_key_alone(store: Store) {
    let master = MasterKey::generate();
    let known = async || store.read(async |tx| Vault::master_key_id(tx).await.unwrap()).await;
    assert_eq!(known().await, None);
    let check = async |key: MasterKey| store.write(async |tx| Vault::new(key).check(tx, at(0)).await).await;
    check(master.clone()).await.unwrap();
    assert_eq!(known().await, Some(master.id()));
    check(master.clone()).await.unwrap();
    check(MasterKey::from_text(&master.to_text()).unwrap()).await.unwrap();
    let wrong = check(MasterKey::generate()).await;
    assert!(
        matches!(&wrong, Err(StoreError::WrongMasterKey { expected }) if *expected == master.id()),
        "{wrong:?}"
    );
    // The refused key left nothing behind.
    check(master.clone()).await.unwrap();
    assert_eq!(known().await, Some(master.id()));
}

async fn a_damaged_check_value_is_refused(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    store.write(async |tx| vault.check(tx, at(0)).await.unwrap()).await;
    store.execute("UPDATE data_keys SET wrapped = $1", kopru_store::args![vec![1_u8; 40]]).await;
    let checked = store.write(async |tx| vault.check(tx, at(0)).await).await;
    assert!(matches!(checked, Err(StoreError::WrongMasterKey { .. })), "{checked:?}");
}

async fn keys_outlive_the_process(store: Store) {
    let master = MasterKey::generate();
    let first = Vault::new(master.clone());
    store.write(async |tx| first.add_provider(tx, PROVIDER, at(0)).await.unwrap()).await;
    assert!(first.known(PROVIDER).is_none());
    let before = store.read(async |tx| first.keys(tx, PROVIDER).await.unwrap()).await;
    assert!(first.known(PROVIDER).is_some());
    let second = Vault::new(master);
    let after = store.read(async |tx| second.keys(tx, PROVIDER).await.unwrap()).await;
    let name = |keys: &kopru_store::ProviderKeys| {
        keys.key(BRAND, RecipientType::Individual, Channel::Message, "+905321234567")
    };
    assert_eq!(name(&before), name(&after));
    assert_eq!(after.open("consents", &before.seal("consents", b"+905321234567")).unwrap(), b"+905321234567");
}

async fn each_provider_has_keys_of_its_own(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    store
        .write(async |tx| {
            vault.add_provider(tx, PROVIDER, at(0)).await.unwrap();
            vault.add_provider(tx, OTHER_PROVIDER, at(0)).await.unwrap();
        })
        .await;
    let (one, other) = store
        .read(async |tx| {
            (vault.keys(tx, PROVIDER).await.unwrap(), vault.keys(tx, OTHER_PROVIDER).await.unwrap())
        })
        .await;
    assert!(other.open("consents", &one.seal("consents", b"x")).is_err());
    let name = |keys: &kopru_store::ProviderKeys| {
        keys.key(BRAND, RecipientType::Merchant, Channel::Email, "a@example.com")
    };
    assert_ne!(name(&one), name(&other));
    // A wrapped key works in its own place alone.
    store
        .execute(
            "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE iys_code = $1) WHERE iys_code = $2",
            kopru_store::args![PROVIDER, OTHER_PROVIDER],
        )
        .await;
    let fresh = Vault::new(vault.master().clone());
    assert!(store.read(async |tx| fresh.keys(tx, OTHER_PROVIDER).await.is_err()).await);
}

async fn a_provider_keeps_its_first_key(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    store.write(async |tx| vault.add_provider(tx, PROVIDER, at(0)).await.unwrap()).await;
    let sealed = store.read(async |tx| vault.keys(tx, PROVIDER).await.unwrap().seal("t", b"x")).await;
    store.write(async |tx| vault.add_provider(tx, PROVIDER, at(1)).await.unwrap()).await;
    let fresh = Vault::new(vault.master().clone());
    let keys = store.read(async |tx| fresh.keys(tx, PROVIDER).await.unwrap()).await;
    assert_eq!(keys.open("t", &sealed).unwrap(), b"x");
}

/// What is sealed under a key that no database holds is lost for ever.
async fn keys_that_were_rolled_back_are_not_used(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    vault.add_provider(&mut tx, PROVIDER, at(0)).await.unwrap();
    vault.keys(&mut tx, PROVIDER).await.unwrap();
    drop(tx);
    store.write(async |tx| vault.add_provider(tx, PROVIDER, at(1)).await.unwrap()).await;
    let sealed = store.read(async |tx| vault.keys(tx, PROVIDER).await.unwrap().seal("t", b"x")).await;
    let fresh = Vault::new(vault.master().clone());
    let keys = store.read(async |tx| fresh.keys(tx, PROVIDER).await.unwrap()).await;
    assert_eq!(keys.open("t", &sealed).unwrap(), b"x");
}

async fn a_provider_without_keys_is_an_error(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    let found = store.read(async |tx| vault.keys(tx, PROVIDER).await.map(drop)).await;
    assert!(matches!(found, Err(StoreError::Corrupt { what: "data_keys", .. })), "{found:?}");
    assert!(vault.known(PROVIDER).is_none());
}

async fn another_master_key_opens_no_data_key(store: Store) {
    let vault = Vault::new(MasterKey::generate());
    store.write(async |tx| vault.add_provider(tx, PROVIDER, at(0)).await.unwrap()).await;
    let stranger = Vault::new(MasterKey::generate());
    assert!(store.read(async |tx| stranger.keys(tx, PROVIDER).await.is_err()).await);
}
