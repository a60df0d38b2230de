//! What comes in from SMS vendors: kept, claimed, seen once, and shown to its brand.

use kopru_store::inbound::{
    self, ConnectionRow, Decided, InboundRow, InboundState, PollRow, PostRow, PostState,
};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, claim, id, key};

on_both!(
    a_connection_is_found_by_its_token,
    posts_are_claimed_ended_and_looked_at_again,
    a_message_is_seen_once,
    parts_come_back_in_order,
    messages_are_listed_by_state_and_decided_once,
    an_inbox_is_read_by_one,
    only_what_led_to_nothing_is_forgotten,
);

async fn a_connection_is_found_by_its_token(store: Store) {
    let row = ConnectionRow {
        id: id(1),
        vendor: "twilio".to_owned(),
        token_hash: vec![7; 32],
        sealed: Some(vec![1, 2]),
        last_at: None,
        created_at: at(0),
    };
    store
        .write(async |tx| {
            inbound::add_connection(tx, &row).await.unwrap();
            inbound::heard(tx, row.id, at(5)).await.unwrap();
            let found = inbound::by_token(tx, &[7; 32]).await.unwrap().unwrap();
            assert_eq!((found.id, found.last_at, found.sealed), (row.id, Some(at(5)), Some(vec![1, 2])));
            assert!(inbound::by_token(tx, &[8; 32]).await.unwrap().is_none());
            assert_eq!(inbound::connections(tx).await.unwrap().len(), 1);
            assert!(inbound::remove_connection(tx, row.id).await.unwrap());
            assert!(!inbound::remove_connection(tx, row.id).await.unwrap());
        })
        .await;
}

fn post(number: u128, received: i64) -> PostRow {
    PostRow {
        id: id(number),
        vendor: "verimor".to_owned(),
        sealed: vec![9],
        received_at: at(received),
        attempt: 0,
    }
}

async fn posts_are_claimed_ended_and_looked_at_again(store: Store) {
    store
        .write(async |tx| {
            for row in [&post(2, 2), &post(1, 1), &post(3, 100)] {
                inbound::store(tx, row).await.unwrap();
            }
            assert!(!inbound::is_due(tx, at(0)).await.unwrap());
            let ids = |rows: Vec<PostRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
            let first = inbound::claim(tx, at(10), at(10), claim(1, 60), 10).await.unwrap();
            assert_eq!(ids(first), [id(1), id(2)], "by age");
            assert!(inbound::claim(tx, at(10), at(10), claim(2, 60), 10).await.unwrap().is_empty());
            assert!(
                !inbound::finish(tx, id(1), claim(2, 60), PostState::Done).await.unwrap(),
                "not its claim"
            );
            assert!(inbound::finish(tx, id(1), claim(1, 60), PostState::Unplaced).await.unwrap());
            assert!(inbound::release(tx, id(2), claim(1, 60), at(50)).await.unwrap());
            assert!(!inbound::is_due(tx, at(49)).await.unwrap());
            assert_eq!(inbound::reopen(tx, at(20)).await.unwrap(), 1);
            let again = inbound::claim(tx, at(20), at(20), claim(3, 60), 10).await.unwrap();
            assert_eq!(ids(again), [id(1)]);
            assert!(inbound::finish(tx, id(1), claim(3, 60), PostState::Done).await.unwrap());
            assert_eq!(inbound::purge(tx, at(50), at(0)).await.unwrap(), 1, "what is done alone");
        })
        .await;
}

async fn a_message_is_seen_once(store: Store) {
    store
        .write(async |tx| {
            assert!(inbound::see(tx, &[1; 32], at(0)).await.unwrap());
            assert!(!inbound::see(tx, &[1; 32], at(1)).await.unwrap());
            let seen = inbound::seen(tx, vec![vec![1; 32], vec![2; 32]]).await.unwrap();
            assert_eq!(seen, [vec![1; 32]]);
            assert_eq!(inbound::purge(tx, at(0), at(10)).await.unwrap(), 1);
        })
        .await;
}

async fn parts_come_back_in_order(store: Store) {
    store
        .write(async |tx| {
            for part in [2, 1, 2] {
                inbound::add_part(tx, &[1; 32], part, vec![u8::try_from(part).unwrap()], at(0))
                    .await
                    .unwrap();
            }
            assert_eq!(inbound::parts(tx, &[1; 32]).await.unwrap(), [(1, vec![1]), (2, vec![2])]);
            assert!(inbound::parts(tx, &[2; 32]).await.unwrap().is_empty());
        })
        .await;
}

async fn only_what_led_to_nothing_is_forgotten(store: Store) {
    use InboundState::{Approval, Dismissed, Rejected, Rejection, Unknown};
    store
        .write(async |tx| {
            for (number, state) in (1..).zip([Approval, Rejection, Rejected, Unknown, Dismissed]) {
                assert!(inbound::add(tx, &message(number, state)).await.unwrap());
            }
            for (number, state) in (1..).zip([PostState::Done, PostState::Unplaced, PostState::Unreadable]) {
                inbound::store(tx, &post(number, 0)).await.unwrap();
                inbound::claim(tx, at(0), at(0), claim(number, 60), 10).await.unwrap();
                assert!(inbound::finish(tx, id(number), claim(number, 60), state).await.unwrap());
            }
            inbound::store(tx, &post(4, 0)).await.unwrap();
            assert_eq!(inbound::waiting(tx).await.unwrap(), [(BRAND, 1, at(0))]);
            let unread: Vec<_> = inbound::unread(tx)
                .await
                .unwrap()
                .iter()
                .map(|it| (it.unplaced, it.count, it.oldest))
                .collect();
            assert_eq!(unread, [(true, 1, at(0)), (false, 1, at(0))]);
            assert_eq!(inbound::forget(tx, at(0), 10).await.unwrap(), 0);
            assert_eq!(inbound::forget(tx, at(1), 1).await.unwrap(), 2, "one of each");
            assert_eq!(inbound::forget(tx, at(1), 10).await.unwrap(), 2);
            for state in [Approval, Rejection, Rejected] {
                let left = inbound::list(tx, PROVIDER, BRAND, state, id(0), 10).await.unwrap();
                assert_eq!(left.len(), 1, "{state:?} is evidence");
            }
        })
        .await;
    assert_eq!(store.number("SELECT count(*) FROM inbound_posts", vec![]).await, 2, "done, and not read yet");
}

fn message(number: u128, state: InboundState) -> InboundRow {
    InboundRow {
        iys_code: PROVIDER,
        id: id(number),
        brand_code: BRAND,
        number: "7889".to_owned(),
        key: key(1),
        digest: number.to_be_bytes().to_vec(),
        state,
        reason: "nothing_known".to_owned(),
        sealed: vec![5],
        received_at: at(0),
        answered: state == InboundState::Unknown,
        decided_by: None,
        decided_at: None,
    }
}

async fn messages_are_listed_by_state_and_decided_once(store: Store) {
    let rows = [
        message(1, InboundState::Unknown),
        message(2, InboundState::Rejection),
        message(3, InboundState::Unknown),
    ];
    store
        .write(async |tx| {
            for row in &rows {
                assert!(inbound::add(tx, row).await.unwrap());
                let again = InboundRow { id: id(99), ..row.clone() };
                assert!(!inbound::add(tx, &again).await.unwrap(), "once a brand");
            }
            let unknown = async |tx: &mut kopru_store::Tx, after: u128| {
                inbound::list(tx, PROVIDER, BRAND, InboundState::Unknown, id(after), 10).await.unwrap()
            };
            assert_same!(unknown(tx, 0).await, [rows[0].clone(), rows[2].clone()]);
            assert_same!(unknown(tx, 1).await, [rows[2].clone()]);
            let elsewhere =
                inbound::list(tx, PROVIDER, OTHER_BRAND, InboundState::Unknown, id(0), 10).await.unwrap();
            assert!(elsewhere.is_empty());
            assert!(inbound::find(tx, OTHER_PROVIDER, id(1)).await.unwrap().is_none());
            assert!(inbound::was_answered(tx, PROVIDER, BRAND, key(1), at(-1)).await.unwrap());
            assert!(!inbound::was_answered(tx, PROVIDER, BRAND, key(1), at(0)).await.unwrap());
            assert!(!inbound::was_answered(tx, PROVIDER, BRAND, key(2), at(-1)).await.unwrap());

            let decide = async |tx: &mut kopru_store::Tx, number| {
                let state = InboundState::Dismissed;
                let decided = Decided { state, by: "cli", at: at(9), answered: number == 1 };
                inbound::decide(tx, PROVIDER, id(number), decided).await.unwrap()
            };
            assert!(decide(tx, 1).await);
            assert!(!decide(tx, 1).await, "once");
            assert!(!decide(tx, 2).await, "only what waits");
            let decided = inbound::find(tx, PROVIDER, id(1)).await.unwrap().unwrap();
            assert_eq!((decided.decided_by.as_deref(), decided.decided_at), (Some("cli"), Some(at(9))));
        })
        .await;
}

async fn an_inbox_is_read_by_one(store: Store) {
    store
        .write(async |tx| {
            let first = inbound::claim_poll(tx, "main", at(0), at(0), claim(1, 60)).await.unwrap().unwrap();
            assert_eq!((first.cursor.as_deref(), first.attempt), (None, 1));
            assert!(inbound::claim_poll(tx, "main", at(0), at(0), claim(2, 60)).await.unwrap().is_none());
            let read = PollRow { cursor: Some("77".to_owned()), read_at: Some(at(0)), attempt: 0, ..first };
            assert!(!inbound::finish_poll(tx, &read, claim(2, 60), at(30), None).await.unwrap());
            assert!(inbound::finish_poll(tx, &read, claim(1, 60), at(30), None).await.unwrap());
            assert!(inbound::poll_waits(tx, "main", at(29)).await.unwrap());
            assert!(!inbound::poll_waits(tx, "main", at(30)).await.unwrap());
            let next = inbound::claim_poll(tx, "main", at(30), at(30), claim(3, 90)).await.unwrap().unwrap();
            assert_eq!((next.cursor.as_deref(), next.read_at), (Some("77"), Some(at(0))));
        })
        .await;
}
