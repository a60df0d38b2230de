//! Forms in versions, and links.

use kopru_domain::{Channel, LinkKind};
use kopru_store::forms::{self, FormRow};
use kopru_store::links::{self, LinkRow};
use kopru_store::{Key, form_posts};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, id, key};

on_both!(
    a_form_comes_back_in_its_present_version,
    a_form_s_code_is_given_once,
    posts_are_counted_by_name_and_minute,
    a_link_is_found_counted_and_ended,
    only_an_ended_link_of_which_nothing_came_is_deleted,
);

fn form(number: u128, code: &str) -> FormRow {
    FormRow {
        iys_code: PROVIDER,
        id: id(number),
        brand_code: BRAND,
        code: code.to_owned(),
        public_key: format!("key-{number}"),
        active: true,
        version: 1,
        created_at: at(1),
        content: "{\"a\":\"ş\"}".to_owned(),
    }
}

async fn a_form_comes_back_in_its_present_version(store: Store) {
    let second = FormRow { version: 2, content: "{\"b\":2}".to_owned(), ..form(1, "bulten") };
    let closed = FormRow { active: false, ..second.clone() };
    store
        .write(async |tx| {
            assert!(forms::add(tx, &form(1, "bulten")).await.unwrap());
            assert_same!(forms::by_key(tx, "key-1").await.unwrap(), Some(form(1, "bulten")));
            forms::renew(tx, &second, at(5)).await.unwrap();
            assert_same!(forms::by_code(tx, PROVIDER, BRAND, "bulten").await.unwrap(), Some(&second));
            forms::set(tx, &closed).await.unwrap();
            assert_same!(forms::by_id(tx, PROVIDER, id(1)).await.unwrap(), Some(&closed));
            assert_same!(forms::of_brand(tx, PROVIDER, BRAND).await.unwrap(), [&closed]);
            assert!(forms::by_code(tx, PROVIDER, OTHER_BRAND, "bulten").await.unwrap().is_none());
            assert!(forms::by_id(tx, OTHER_PROVIDER, id(1)).await.unwrap().is_none());
        })
        .await;
    assert_eq!(store.number("SELECT count(*) FROM form_versions", vec![]).await, 2);
}

async fn a_form_s_code_is_given_once(store: Store) {
    store
        .write(async |tx| {
            assert!(forms::add(tx, &form(1, "bulten")).await.unwrap());
            assert!(!forms::add(tx, &form(2, "bulten")).await.unwrap());
            assert!(forms::add(tx, &form(3, "uyelik")).await.unwrap());
            assert!(forms::by_key(tx, "key-2").await.unwrap().is_none());
        })
        .await;
}

async fn posts_are_counted_by_name_and_minute(store: Store) {
    let (one, two) = (key(1), key(2));
    let count = async |names: Vec<Key>, minute: i64, since: i64| {
        let add = async |tx: &mut kopru_store::Tx| {
            form_posts::add(tx, PROVIDER, names, at(minute), at(since)).await.unwrap()
        };
        let rows = store.write(add).await;
        rows.iter().map(|row| (row.name == one, row.minute, row.posts)).collect::<Vec<_>>()
    };
    assert_eq!(count(vec![one, two, one], 60, 0).await.len(), 2, "twice in a list is once");
    assert_eq!(count(vec![one], 60, 0).await, [(true, at(60), 2)]);
    assert_eq!(count(vec![one], 120, 60).await, [(true, at(120), 1)], "after the instant");
    assert_eq!(count(vec![one], 120, 0).await.iter().map(|row| row.2).sum::<i64>(), 4);
    store
        .write(async |tx| {
            assert_eq!(form_posts::purge(tx, at(60), 10).await.unwrap(), 0);
            let purged = [
                form_posts::purge(tx, at(61), 1).await.unwrap(),
                form_posts::purge(tx, at(61), 9).await.unwrap(),
            ];
            assert_eq!(purged, [1, 1]);
        })
        .await;
}

fn row(number: u128, channel: Option<Channel>) -> LinkRow {
    LinkRow {
        iys_code: PROVIDER,
        id: id(number),
        brand_code: BRAND,
        kind: LinkKind::Recipient,
        form_id: Some(id(7)),
        channel,
        token_hash: vec![u8::try_from(number).unwrap(); 32],
        sealed: b"sealed".to_vec(),
        active: true,
        expires_at: Some(at(60)),
        counters: [0; 3],
        created_at: at(1),
    }
}

async fn only_an_ended_link_of_which_nothing_came_is_deleted(store: Store) {
    let of = |number, counters| LinkRow { counters, ..row(number, Some(Channel::Email)) };
    let refusal = LinkRow { kind: LinkKind::Refusal, expires_at: None, ..of(4, [0; 3]) };
    let later = LinkRow { expires_at: Some(at(61)), ..of(5, [0; 3]) };
    let rows = vec![of(1, [9, 0, 0]), of(2, [1, 1, 0]), of(3, [1, 0, 1]), refusal, later, of(6, [0; 3])];
    store
        .write(async |tx| {
            links::add(tx, rows).await.unwrap();
            assert_eq!(links::purge(tx, at(60), 10).await.unwrap(), 0);
            assert_eq!(links::purge(tx, at(61), 1).await.unwrap(), 1);
            assert_eq!(links::purge(tx, at(61), 10).await.unwrap(), 1);
            assert_eq!(links::purge(tx, at(61), 10).await.unwrap(), 0);
            let left = links::list(tx, PROVIDER, BRAND, id(0), 10).await.unwrap();
            assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [id(2), id(3), id(4), id(5)]);
        })
        .await;
}

async fn a_link_is_found_counted_and_ended(store: Store) {
    let counted = LinkRow { counters: [2, 1, 0], ..row(1, Some(Channel::Message)) };
    let campaign = LinkRow { kind: LinkKind::Campaign, expires_at: None, ..row(2, None) };
    store
        .write(async |tx| {
            links::add(tx, vec![row(1, Some(Channel::Message)), campaign.clone()]).await.unwrap();
            for counts in [[1, 0, 0], [1, 1, 0]] {
                links::count(tx, PROVIDER, id(1), counts).await.unwrap();
            }
            assert_same!(links::by_token(tx, &[1; 32]).await.unwrap(), Some(&counted));
            assert!(links::by_token(tx, &[9; 32]).await.unwrap().is_none());
            assert_same!(links::list(tx, PROVIDER, BRAND, id(0), 10).await.unwrap(), [&counted, &campaign]);
            assert_same!(links::list(tx, PROVIDER, BRAND, id(1), 10).await.unwrap(), [&campaign]);
            assert!(links::find(tx, PROVIDER, OTHER_BRAND, id(1)).await.unwrap().is_none());
            assert!(links::disable(tx, PROVIDER, BRAND, id(2)).await.unwrap());
            assert!(!links::disable(tx, PROVIDER, BRAND, id(2)).await.unwrap());
            assert!(!links::find(tx, PROVIDER, BRAND, id(2)).await.unwrap().unwrap().active);
        })
        .await;
}
