//! What the registry lets us do: rights, subscriptions, what the list holds, and retailers.

use kopru_domain::{BrandRights, Channel, ConsentStatus, RetailerCode, Right, SubmissionState};
use kopru_store::holds::{self, HoldRow};
use kopru_store::retailers::{self, RetailerRow};
use kopru_store::rights::{self, RightsRow};
use kopru_store::submissions;
use kopru_store::subscriptions::{self, SubscriptionRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, at, id, submission};

on_both!(
    rights_come_back_in_every_field,
    a_subscription_comes_back_in_every_field,
    what_the_list_says_stays_the_list_s,
    what_no_hold_speaks_for_is_found,
    retailers_are_mirrored,
    access_comes_back_with_its_consent,
);

async fn rights_come_back_in_every_field(store: Store) {
    let told = BrandRights {
        authorised: true,
        call: Right::None,
        message: Right::Write,
        email: Right::Read,
        agreement_control: true,
        via_control: false,
    };
    let row = |rights, at, retailers_at| RightsRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        rights,
        synced_at: at,
        retailers_at,
    };
    store
        .write(async |tx| {
            assert_eq!(rights::find(tx, PROVIDER, BRAND).await.unwrap(), None);
            rights::save(tx, PROVIDER, BRAND, &told, at(1)).await.unwrap();
            assert_eq!(rights::find(tx, PROVIDER, BRAND).await.unwrap(), Some(row(told, at(1), None)));
            assert_eq!(rights::find(tx, OTHER_PROVIDER, BRAND).await.unwrap(), None);
            rights::retailers_read(tx, PROVIDER, BRAND, at(2)).await.unwrap();
            rights::save(tx, PROVIDER, BRAND, &BrandRights::NONE, at(3)).await.unwrap();
            rights::save(tx, PROVIDER, OTHER_BRAND, &told, at(3)).await.unwrap();
            let all = rights::of_provider(tx, PROVIDER).await.unwrap();
            assert_eq!(all[0], row(BrandRights::NONE, at(3), Some(at(2))));
            assert_eq!(all[1].brand_code, OTHER_BRAND);
            assert!(rights::of_provider(tx, OTHER_PROVIDER).await.unwrap().is_empty());
        })
        .await;
}

async fn a_subscription_comes_back_in_every_field(store: Store) {
    let active = SubscriptionRow {
        iys_code: PROVIDER,
        status: "ACTIVE".to_owned(),
        package: Some("İleti+".to_owned()),
        expires_at: Some(at(1_000)),
        code: None,
        synced_at: at(1),
    };
    let none = SubscriptionRow {
        status: "NONE".to_owned(),
        package: None,
        expires_at: None,
        code: Some("H524".to_owned()),
        synced_at: at(2),
        ..active.clone()
    };
    store
        .write(async |tx| {
            for row in [&active, &none] {
                subscriptions::save(tx, row).await.unwrap();
                assert_eq!(subscriptions::find(tx, PROVIDER).await.unwrap().as_ref(), Some(row));
            }
            assert_eq!(subscriptions::find(tx, OTHER_PROVIDER).await.unwrap(), None);
        })
        .await;
}

fn hold(channel: Channel, listed: bool) -> HoldRow {
    HoldRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        channel,
        cause: "type_right".to_owned(),
        code: "H355".to_owned(),
        since: at(1),
        probe_at: at(2),
        listed,
    }
}

/// A refusal renews it and does not make it one that a probe may lift.
async fn what_the_list_says_stays_the_list_s(store: Store) {
    store
        .write(async |tx| {
            assert!(holds::set(tx, &hold(Channel::Call, true)).await.unwrap());
            let refused = HoldRow { since: at(9), probe_at: at(9), ..hold(Channel::Call, false) };
            assert!(!holds::set(tx, &refused).await.unwrap(), "it stood");
            let found = holds::of_provider(tx, PROVIDER).await.unwrap();
            assert!(found.len() == 1 && found[0].listed && found[0].since == at(1), "{found:?}");
            assert!(holds::lift(tx, PROVIDER, BRAND, Channel::Call, false, at(1_000_000)).await.unwrap());
            assert!(holds::of_provider(tx, PROVIDER).await.unwrap().is_empty());
            holds::set(tx, &refused).await.unwrap();
            assert!(!holds::of_provider(tx, PROVIDER).await.unwrap()[0].listed, "it was taken back");
            assert!(holds::of_provider(tx, OTHER_PROVIDER).await.unwrap().is_empty());
            assert_eq!(holds::counts(tx).await.unwrap(), [("type_right".to_owned(), 1)]);
        })
        .await;
}

async fn what_no_hold_speaks_for_is_found(store: Store) {
    let held = |number, cause: &str| submissions::SubmissionRow {
        state: SubmissionState::Held,
        status: ConsentStatus::Approval,
        cause: Some(cause.to_owned()),
        ..submission(number)
    };
    store
        .write(async |tx| {
            let rows = vec![held(1, "type_right"), held(2, "type_right"), held(3, "review"), submission(4)];
            submissions::add(tx, rows, at(1)).await.unwrap();
            assert!(
                holds::forgotten(tx).await.unwrap().is_empty(),
                "an intake holds only where rights are known"
            );
            rights::save(tx, PROVIDER, BRAND, &BrandRights::ALL, at(1)).await.unwrap();
            assert_eq!(holds::forgotten(tx).await.unwrap(), [(PROVIDER, BRAND, Channel::Message)]);
            holds::set(tx, &hold(Channel::Message, true)).await.unwrap();
            assert!(holds::forgotten(tx).await.unwrap().is_empty());
        })
        .await;
}

fn retailer(code: i64, state: &str) -> RetailerRow {
    RetailerRow {
        retailer_code: RetailerCode(code),
        title: format!("Bayi {code}"),
        state: state.to_owned(),
        sealed: Some(b"sealed".to_vec()),
        created_at: at(1),
    }
}

async fn retailers_are_mirrored(store: Store) {
    store
        .write(async |tx| {
            let rows = [retailer(1, "active"), retailer(2, "passive"), retailer(3, "suspended")];
            retailers::save(tx, PROVIDER, BRAND, rows.to_vec()).await.unwrap();
            retailers::save(tx, PROVIDER, OTHER_BRAND, vec![retailer(1, "active")]).await.unwrap();
            let list = retailers::list(tx, PROVIDER, BRAND, RetailerCode(1), 1).await.unwrap();
            assert_eq!(list, [retailer(2, "passive")]);
            let renewed = RetailerRow {
                title: "Yeni".to_owned(),
                sealed: None,
                created_at: at(9),
                ..retailer(2, "active")
            };
            retailers::save(tx, PROVIDER, BRAND, vec![renewed.clone()]).await.unwrap();
            let found = retailers::find(tx, PROVIDER, BRAND, RetailerCode(2)).await.unwrap();
            assert_eq!(found, Some(RetailerRow { created_at: at(1), ..renewed }));
            assert_eq!(retailers::find(tx, OTHER_PROVIDER, BRAND, RetailerCode(2)).await.unwrap(), None);
            let known = retailers::known(tx, PROVIDER, BRAND, vec![1, 3, 4]).await.unwrap();
            assert_eq!(known, [1, 3].into());
            assert_eq!(
                retailers::keep_only(tx, PROVIDER, BRAND, vec![3], at(1)).await.unwrap(),
                0,
                "seen since"
            );
            assert_eq!(retailers::keep_only(tx, PROVIDER, BRAND, vec![3], at(2)).await.unwrap(), 2);
            assert!(retailers::remove(tx, PROVIDER, BRAND, RetailerCode(3)).await.unwrap());
            assert!(!retailers::remove(tx, PROVIDER, BRAND, RetailerCode(3)).await.unwrap());
            let other = retailers::list(tx, PROVIDER, OTHER_BRAND, RetailerCode(0), 10).await.unwrap();
            assert_eq!(other.len(), 1, "another brand's");
            assert_eq!(retailers::keep_only(tx, PROVIDER, OTHER_BRAND, Vec::new(), at(2)).await.unwrap(), 1);
            rights::save(tx, PROVIDER, BRAND, &BrandRights::ALL, at(1)).await.unwrap();
            assert!(rights::with_retailers(tx).await.unwrap().is_empty());
            rights::retailers_read(tx, PROVIDER, BRAND, at(2)).await.unwrap();
            assert_eq!(rights::with_retailers(tx).await.unwrap(), [(PROVIDER, BRAND)]);
        })
        .await;
}

async fn access_comes_back_with_its_consent(store: Store) {
    store
        .write(async |tx| {
            let access = vec![(id(1), vec![10, 20]), (id(2), vec![30])];
            tx.run(vec![
                retailers::access_step(PROVIDER, access),
                retailers::access_step(PROVIDER, Vec::new()),
            ])
            .await
            .unwrap();
            let found = retailers::access(tx, PROVIDER, vec![id(1), id(3)]).await.unwrap();
            assert_eq!(found, [(id(1), vec![10, 20])].into());
            assert!(retailers::access(tx, OTHER_PROVIDER, vec![id(1)]).await.unwrap().is_empty());
        })
        .await;
}
