//! What operators and clients set up: providers, brands, holds, keys, endpoints, calendars; and the audit trail.

use kopru_domain::{AfterCitizenRet, BrandCode, BrandPolicy, Channel, IysCode, OnayRefresh, ProviderSource};
use kopru_store::audit::{self, AuditRow};
use kopru_store::brands::{self, BrandRow};
use kopru_store::endpoints::{self, EndpointRow};
use kopru_store::holds::{self, HoldRow};
use kopru_store::keys::{self, ApiKeyRow};
use kopru_store::providers::{self, ProviderRow};
use kopru_store::{Tx, calendars};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, brand, endpoint, id};

on_both!(
    a_provider_is_added_once_and_disabled_once,
    providers_are_listed_by_number,
    a_brand_comes_back_in_every_field,
    a_brand_number_is_given_once,
    brands_belong_to_their_provider,
    a_hold_is_renewed_and_lifted,
    an_api_key_comes_back_in_every_field,
    an_api_key_is_disabled_for_good,
    an_endpoint_comes_back_in_every_field,
    an_endpoint_s_secret_is_rotated,
    an_endpoint_is_disabled_and_enabled,
    one_calendar_is_active,
    the_audit_trail_shows_the_newest_acts,
);

async fn a_provider_is_added_once_and_disabled_once(store: Store) {
    let sealed = Some(b"user and password".to_vec());
    let expected = ProviderRow {
        iys_code: PROVIDER,
        title: "Şirket A.Ş.".to_owned(),
        active: true,
        own_credentials: true,
        credentials: sealed.clone(),
        created_at: at(1),
        tested_at: None,
    };
    store
        .write(async |tx| {
            assert!(providers::add(tx, PROVIDER, "Şirket A.Ş.", sealed, at(1)).await.unwrap());
            assert!(!providers::add(tx, PROVIDER, "Başka", None, at(2)).await.unwrap());
            assert_same!(providers::find(tx, PROVIDER).await.unwrap(), Some(&expected));
            assert!(providers::find(tx, OTHER_PROVIDER).await.unwrap().is_none());
            assert!(providers::set_credentials(tx, PROVIDER, None, None).await.unwrap());
            assert!(!providers::set_credentials(tx, OTHER_PROVIDER, None, None).await.unwrap());
            providers::tested(tx, PROVIDER, at(9)).await.unwrap();
            assert!(providers::disable(tx, PROVIDER).await.unwrap());
            assert!(!providers::disable(tx, PROVIDER).await.unwrap());
            assert!(!providers::disable(tx, OTHER_PROVIDER).await.unwrap());
            let partner = ProviderRow {
                active: false,
                own_credentials: false,
                credentials: None,
                tested_at: Some(at(9)),
                ..expected
            };
            assert_same!(providers::find(tx, PROVIDER).await.unwrap(), Some(partner));
        })
        .await;
}

async fn providers_are_listed_by_number(store: Store) {
    store
        .write(async |tx| {
            for number in [30, 10, 20] {
                assert!(providers::add(tx, IysCode(number), "A", None, at(0)).await.unwrap());
            }
            let codes: Vec<i64> =
                providers::list(tx, IysCode(10)).await.unwrap().iter().map(|row| row.iys_code.0).collect();
            assert_eq!(codes, [20, 30]);
        })
        .await;
}

async fn a_brand_comes_back_in_every_field(store: Store) {
    let refreshes = [OnayRefresh::Never, OnayRefresh::SourceChange, OnayRefresh::Always];
    let afters = [AfterCitizenRet::Review, AfterCitizenRet::Evidence, AfterCitizenRet::Refuse];
    let sources = [None, Some(vec![]), Some(vec![ProviderSource::Web, ProviderSource::Before2015])];
    for (number, ((onay_refresh, after_citizen_ret), allowed_sources)) in
        (1..).zip(refreshes.into_iter().zip(afters).zip(sources))
    {
        let policy = BrandPolicy { onay_refresh, after_citizen_ret };
        let row = BrandRow { policy, allowed_sources, ..brand(BrandCode(number)) };
        store
            .write(async |tx| {
                assert!(brands::add(tx, &row).await.unwrap());
                assert!(!brands::add(tx, &row).await.unwrap());
                assert_same!(brands::find_by_code(tx, row.brand_code).await.unwrap(), Some(&row));
            })
            .await;
    }
}

/// Two replicas add one number for two providers at the same moment: one of them succeeds.
async fn a_brand_number_is_given_once(store: Store) {
    let add = async |provider| {
        let row = BrandRow { iys_code: provider, ..brand(BRAND) };
        store.write(async |tx| brands::add(tx, &row).await.unwrap()).await
    };
    let (one, other) = futures::join!(add(PROVIDER), add(OTHER_PROVIDER));
    assert!(one != other, "{one} {other}");
    assert_eq!(store.number("SELECT count(*) FROM brands", vec![]).await, 1);
}

async fn brands_belong_to_their_provider(store: Store) {
    store
        .write(async |tx| {
            for code in [BRAND, OTHER_BRAND] {
                assert!(brands::add(tx, &brand(code)).await.unwrap());
            }
            let foreign = BrandRow { iys_code: OTHER_PROVIDER, ..brand(BrandCode(5)) };
            assert!(brands::add(tx, &foreign).await.unwrap());
            let list = async |tx: &mut Tx, provider, after| {
                let rows = brands::list(tx, provider, BrandCode(after)).await.unwrap();
                rows.iter().map(|row| row.brand_code).collect::<Vec<_>>()
            };
            assert_eq!(list(tx, PROVIDER, 0).await, [BRAND, OTHER_BRAND]);
            assert_eq!(list(tx, PROVIDER, BRAND.0).await, [OTHER_BRAND]);
            assert_eq!(list(tx, OTHER_PROVIDER, 0).await, [BrandCode(5)]);
            assert_eq!(
                brands::find_by_code(tx, BrandCode(5)).await.unwrap().unwrap().iys_code,
                OTHER_PROVIDER
            );
            assert!(!brands::disable(tx, PROVIDER, BrandCode(5)).await.unwrap(), "it is another's");
            assert!(brands::disable(tx, PROVIDER, BRAND).await.unwrap());
            assert!(!brands::disable(tx, PROVIDER, BRAND).await.unwrap());
            assert!(!brands::find_by_code(tx, BRAND).await.unwrap().unwrap().active);
        })
        .await;
}

async fn a_hold_is_renewed_and_lifted(store: Store) {
    let first = HoldRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        channel: Channel::Email,
        cause: "quota".to_owned(),
        code: "H080".to_owned(),
        since: at(10),
        probe_at: at(20),
        listed: false,
    };
    let renewed = HoldRow {
        cause: "type_right".to_owned(),
        code: "H053".to_owned(),
        since: at(15),
        probe_at: at(40),
        ..first.clone()
    };
    let call = HoldRow { channel: Channel::Call, probe_at: at(30), ..first.clone() };
    store
        .write(async |tx| {
            for (hold, is_new) in [(&first, true), (&renewed, false), (&call, true)] {
                assert_eq!(holds::set(tx, hold).await.unwrap(), is_new);
            }
            let expected = HoldRow { since: at(10), ..renewed };
            let mut of_brand = holds::of_brand(tx, PROVIDER, BRAND).await.unwrap();
            of_brand.sort_by_key(|hold| hold.channel.as_str());
            assert_same!(of_brand, [&call, &expected]);
            assert!(holds::of_brand(tx, PROVIDER, OTHER_BRAND).await.unwrap().is_empty());
            assert!(holds::due(tx, at(29)).await.unwrap().is_empty());
            assert_same!(holds::due(tx, at(30)).await.unwrap(), [&call]);
            assert_same!(holds::due(tx, at(40)).await.unwrap(), [&call, &expected]);
            assert!(!holds::clear(tx, PROVIDER, BRAND, Channel::Call).await.unwrap(), "it stands");
            assert!(
                !holds::lift(tx, PROVIDER, BRAND, Channel::Call, false, at(1_000_000)).await.unwrap(),
                "its quota is used up"
            );
            assert!(holds::lift(tx, PROVIDER, BRAND, Channel::Call, true, at(1_000_000)).await.unwrap());
            // It stops and probes nothing any more, until the last of what it kept back has gone.
            assert_same!(holds::of_brand(tx, PROVIDER, BRAND).await.unwrap(), [&expected]);
            assert_same!(holds::due(tx, at(40)).await.unwrap(), [&expected]);
            assert_same!(holds::lifted(tx).await.unwrap(), [&call]);
            assert!(holds::clear(tx, PROVIDER, BRAND, Channel::Call).await.unwrap());
            assert!(!holds::clear(tx, PROVIDER, BRAND, Channel::Call).await.unwrap());
            assert!(holds::lifted(tx).await.unwrap().is_empty());
            // Refused again while it is being lifted: it stands again.
            assert!(holds::lift(tx, PROVIDER, BRAND, Channel::Email, false, at(1_000_000)).await.unwrap());
            holds::set(tx, &expected).await.unwrap();
            assert_same!(holds::of_brand(tx, PROVIDER, BRAND).await.unwrap(), [&expected]);
        })
        .await;
}

fn api_key(public: &str) -> ApiKeyRow {
    ApiKeyRow {
        iys_code: PROVIDER,
        id: public.to_owned(),
        name: "Muhasebe \"2\"".to_owned(),
        secret_hash: vec![9; 32],
        scopes: vec!["consents:write".to_owned(), "changes:read".to_owned()],
        ip_allow: vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()],
        expires_at: Some(at(500)),
        disabled_at: None,
        created_at: at(0),
    }
}

async fn an_api_key_comes_back_in_every_field(store: Store) {
    let open =
        ApiKeyRow { scopes: vec![], ip_allow: vec![], expires_at: None, created_at: at(1), ..api_key("b") };
    let partner = ApiKeyRow { iys_code: IysCode(0), ..api_key("c") };
    store
        .write(async |tx| {
            for key in [&open, &partner, &api_key("a")] {
                keys::add(tx, key).await.unwrap();
                assert_same!(keys::find(tx, &key.id).await.unwrap(), Some(key));
            }
            assert!(keys::find(tx, "d").await.unwrap().is_none());
            assert_same!(keys::list(tx, PROVIDER).await.unwrap(), [&api_key("a"), &open]);
            assert_same!(keys::list(tx, IysCode(0)).await.unwrap(), [&partner]);
        })
        .await;
}

async fn an_api_key_is_disabled_for_good(store: Store) {
    store
        .write(async |tx| {
            keys::add(tx, &api_key("a")).await.unwrap();
            assert!(!keys::disable(tx, OTHER_PROVIDER, "a", at(5)).await.unwrap());
            assert!(keys::disable(tx, PROVIDER, "a", at(5)).await.unwrap());
            assert!(!keys::disable(tx, PROVIDER, "a", at(6)).await.unwrap());
            assert_eq!(keys::find(tx, "a").await.unwrap().unwrap().disabled_at, Some(at(5)));
        })
        .await;
    let mut tx = store.db.begin(kopru_store::Priority::Interactive).await.unwrap();
    assert!(keys::add(&mut tx, &api_key("a")).await.is_err_and(|error| error.is_conflict()));
}

async fn an_endpoint_comes_back_in_every_field(store: Store) {
    let of_brand = EndpointRow { brand_code: Some(BRAND), ..endpoint(2) };
    let foreign = EndpointRow { iys_code: OTHER_PROVIDER, ..endpoint(3) };
    store
        .write(async |tx| {
            for row in [&of_brand, &endpoint(1), &foreign] {
                endpoints::add(tx, row).await.unwrap();
                assert_same!(endpoints::find(tx, row.iys_code, row.id).await.unwrap(), Some(row));
            }
            assert!(endpoints::find(tx, PROVIDER, id(3)).await.unwrap().is_none());
            assert_same!(endpoints::list(tx, PROVIDER, id(0), 10).await.unwrap(), [&endpoint(1), &of_brand]);
            assert_same!(endpoints::list(tx, PROVIDER, id(0), 1).await.unwrap(), [endpoint(1)]);
            assert_same!(endpoints::list(tx, PROVIDER, id(1), 10).await.unwrap(), [&of_brand]);
        })
        .await;
}

async fn an_endpoint_s_secret_is_rotated(store: Store) {
    store
        .write(async |tx| {
            endpoints::add(tx, &endpoint(1)).await.unwrap();
            assert!(!endpoints::rotate(tx, OTHER_PROVIDER, id(1), vec![], vec![], at(9)).await.unwrap());
            assert!(
                endpoints::rotate(tx, PROVIDER, id(1), b"second".to_vec(), b"first".to_vec(), at(60))
                    .await
                    .unwrap()
            );
            let expected = EndpointRow {
                secret: b"second".to_vec(),
                old_secret: Some(b"first".to_vec()),
                old_secret_until: Some(at(60)),
                ..endpoint(1)
            };
            assert_same!(endpoints::find(tx, PROVIDER, id(1)).await.unwrap(), Some(expected));
        })
        .await;
}

async fn an_endpoint_is_disabled_and_enabled(store: Store) {
    store
        .write(async |tx| {
            endpoints::add(tx, &endpoint(1)).await.unwrap();
            assert!(endpoints::disable(tx, PROVIDER, id(1), "failing").await.unwrap());
            assert!(!endpoints::disable(tx, PROVIDER, id(1), "again").await.unwrap());
            let row = endpoints::find(tx, PROVIDER, id(1)).await.unwrap().unwrap();
            assert_eq!((row.active, row.disabled_reason.as_deref()), (false, Some("failing")));
            assert!(endpoints::enable(tx, PROVIDER, id(1)).await.unwrap());
            assert!(!endpoints::enable(tx, PROVIDER, id(1)).await.unwrap());
            assert_same!(endpoints::find(tx, PROVIDER, id(1)).await.unwrap(), Some(endpoint(1)));
        })
        .await;
}

async fn one_calendar_is_active(store: Store) {
    let active = async |tx: &mut Tx| calendars::active(tx).await.unwrap();
    store
        .write(async |tx| {
            assert_eq!(active(tx).await, None);
            for (version, csv, now) in [("2026.1", "a", 1), ("2027.1", "b", 2), ("2026.1", "c\n", 3)] {
                calendars::activate(tx, version, csv, at(now)).await.unwrap();
                assert_eq!(active(tx).await, Some((version.to_owned(), csv.to_owned())));
            }
        })
        .await;
    let count = if store.is_postgres() { "count(*) FILTER (WHERE active)" } else { "sum(active)" };
    assert_eq!(store.number(&format!("SELECT {count} FROM calendars"), vec![]).await, 1);
}

async fn the_audit_trail_shows_the_newest_acts(store: Store) {
    let act = |seconds: i64| AuditRow {
        at: at(seconds),
        actor: "key:k1".to_owned(),
        action: format!("act.{seconds}"),
        subject: "endpoint:1".to_owned(),
        detail: "açıklama".to_owned(),
    };
    store
        .write(async |tx| {
            for seconds in [3, 1, 2] {
                audit::add(tx, PROVIDER, &act(seconds)).await.unwrap();
            }
            audit::add(tx, OTHER_PROVIDER, &act(9)).await.unwrap();
            assert_same!(audit::list(tx, PROVIDER, 2).await.unwrap(), [act(3), act(2)]);
            assert_same!(audit::list(tx, OTHER_PROVIDER, 10).await.unwrap(), [act(9)]);
        })
        .await;
}
