//! Outgoing messages: queued once, claimed once, codes apart from the rest.

use kopru_store::messages::{
    self, DeliveryReport, DeliveryState, Finish, Late, MessageChannel, MessageRow, MessageState, Purpose,
};
use kopru_store::senders::{self, SenderRow};
use uuid::Uuid;

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, at, claim, id, key};

on_both!(
    a_message_comes_back_in_every_field,
    the_same_key_twice_is_one_message,
    codes_and_the_rest_are_claimed_apart_and_once,
    what_was_being_sent_comes_back_unsure,
    a_lost_claim_records_nothing,
    what_is_finished_is_kept_and_a_code_forgotten,
    the_last_brand_to_an_address_is_found,
    a_late_notice_is_told_once,
    reports_only_lead_on,
    what_arrived_is_not_sent_again,
    a_reported_message_is_found_by_either_id,
    an_old_message_forgets_whom_and_what,
    a_sender_comes_back_in_every_field,
);

fn message(number: u64, purpose: Purpose) -> MessageRow {
    MessageRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: BRAND,
        channel: MessageChannel::Sms,
        purpose,
        dedupe: format!("d{number}"),
        key: key(number),
        recipient: vec![1],
        body: Some(vec![2]),
        state: MessageState::Queued,
        attempt: 0,
        unsure: false,
        late: false,
        next_attempt_at: at(i64::try_from(number).unwrap()),
        not_after: at(10_000),
        account: None,
        vendor: None,
        vendor_id: None,
        code: None,
        answer: None,
        created_at: at(0),
        updated_at: at(0),
        sent_at: None,
        delivery: None,
    }
}

fn sent(forget: bool) -> Finish {
    Finish {
        state: MessageState::Sent,
        next_attempt_at: at(50),
        unsure: false,
        account: Some(("main".to_owned(), "verimor".to_owned())),
        vendor_id: Some("20212".to_owned()),
        code: None,
        answer: Some(vec![3]),
        forget,
    }
}

async fn add(store: &Store, rows: Vec<MessageRow>) {
    store
        .write(async |tx| {
            for row in rows {
                assert!(messages::add(tx, row).await.unwrap());
            }
        })
        .await;
}

async fn take(store: &Store, codes: bool, by: u128, wire: i64) -> Vec<MessageRow> {
    let now = at(100);
    store
        .write(async |tx| {
            let due = messages::is_due(tx, codes, now, at(wire)).await.unwrap();
            let rows = messages::claim(tx, codes, 10, now, at(wire), claim(by, wire + 60)).await.unwrap();
            assert_eq!(due, !rows.is_empty());
            rows
        })
        .await
}

fn ids(rows: &[MessageRow]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

async fn find(store: &Store, number: u128) -> MessageRow {
    store.read(async |tx| messages::find(tx, PROVIDER, id(number)).await.unwrap().unwrap()).await
}

async fn a_message_comes_back_in_every_field(store: Store) {
    let row = message(1, Purpose::Confirmation);
    add(&store, vec![row.clone(), MessageRow { brand_code: OTHER_BRAND, ..message(2, Purpose::Other) }])
        .await;
    assert_eq!(find(&store, 1).await, row);
    store
        .read(async |tx| {
            let list = messages::list(tx, PROVIDER, BRAND, Uuid::max(), 10).await.unwrap();
            assert_eq!(list, [row]);
            assert!(messages::list(tx, OTHER_PROVIDER, BRAND, Uuid::max(), 10).await.unwrap().is_empty());
            assert!(messages::list(tx, PROVIDER, BRAND, id(1), 10).await.unwrap().is_empty());
        })
        .await;
}

async fn the_same_key_twice_is_one_message(store: Store) {
    add(&store, vec![message(1, Purpose::Notice)]).await;
    let again = MessageRow { dedupe: "d1".to_owned(), ..message(2, Purpose::Notice) };
    let elsewhere =
        MessageRow { iys_code: OTHER_PROVIDER, dedupe: "d1".to_owned(), ..message(3, Purpose::Notice) };
    store
        .write(async |tx| {
            assert!(!messages::add(tx, again.clone()).await.unwrap());
            assert_eq!(messages::find_by_dedupe(tx, PROVIDER, "d1").await.unwrap(), Some(id(1)));
            tx.run(vec![messages::add_step(vec![again, elsewhere])]).await.unwrap();
        })
        .await;
    assert_eq!(store.number("SELECT count(*) FROM messages", vec![]).await, 2);
}

async fn codes_and_the_rest_are_claimed_apart_and_once(store: Store) {
    let later = MessageRow { next_attempt_at: at(200), ..message(4, Purpose::Notice) };
    add(
        &store,
        vec![message(1, Purpose::Code), message(2, Purpose::Notice), message(3, Purpose::Help), later],
    )
    .await;
    assert_eq!(ids(&take(&store, true, 1, 0).await), [id(1)]);
    assert_eq!(ids(&take(&store, false, 2, 0).await), [id(2), id(3)]);
    assert!(take(&store, true, 3, 0).await.is_empty() && take(&store, false, 3, 0).await.is_empty());
    let row = find(&store, 1).await;
    assert_eq!((row.state, row.attempt, row.unsure), (MessageState::Sending, 1, false));
}

async fn what_was_being_sent_comes_back_unsure(store: Store) {
    add(&store, vec![message(1, Purpose::Code)]).await;
    take(&store, true, 1, 0).await;
    let again = take(&store, true, 2, 61).await;
    assert_eq!((ids(&again), again[0].unsure, again[0].attempt), (vec![id(1)], true, 2));
}

async fn a_lost_claim_records_nothing(store: Store) {
    add(&store, vec![message(1, Purpose::Notice)]).await;
    let first = take(&store, false, 1, 0).await;
    take(&store, false, 2, 61).await;
    store
        .write(async |tx| {
            assert!(!messages::finish(tx, &first[0], claim(1, 60), sent(false), at(70)).await.unwrap());
            assert!(messages::finish(tx, &first[0], claim(2, 121), sent(false), at(70)).await.unwrap());
        })
        .await;
}

async fn what_is_finished_is_kept_and_a_code_forgotten(store: Store) {
    add(&store, vec![message(1, Purpose::Code), message(2, Purpose::Notice)]).await;
    let (code, rest) = (take(&store, true, 1, 0).await, take(&store, false, 1, 0).await);
    store
        .write(async |tx| {
            assert!(messages::finish(tx, &code[0], claim(1, 60), sent(true), at(50)).await.unwrap());
            messages::release(tx, &rest[0], claim(1, 60), at(90), Some("30")).await.unwrap();
            let counts = messages::open_counts(tx).await.unwrap();
            assert_eq!(counts, [(None, Some("30".to_owned()), 1)]);
        })
        .await;
    let row = find(&store, 1).await;
    assert_eq!((row.state, &row.body, row.sent_at), (MessageState::Sent, &None, Some(at(50))));
    assert_eq!((row.account.as_deref(), row.vendor.as_deref()), (Some("main"), Some("verimor")));
    assert_eq!((row.vendor_id.as_deref(), row.answer), (Some("20212"), Some(vec![3])));
    let row = find(&store, 2).await;
    assert_eq!((row.state, row.attempt, row.next_attempt_at), (MessageState::Queued, 0, at(90)));
    assert!(row.body.is_some());
}

async fn the_last_brand_to_an_address_is_found(store: Store) {
    let to =
        |number, brand| MessageRow { key: key(7), brand_code: brand, ..message(number, Purpose::Notice) };
    add(&store, vec![to(1, BRAND), to(2, OTHER_BRAND), to(3, BRAND)]).await;
    let rows = take(&store, false, 1, 0).await;
    store
        .write(async |tx| {
            for row in rows.iter().filter(|row| row.id != id(3)) {
                messages::finish(tx, row, claim(1, 60), sent(false), at(50)).await.unwrap();
            }
            let last =
                async |tx: &mut _, since| messages::last_brand_to(tx, PROVIDER, key(7), since).await.unwrap();
            assert_eq!(last(tx, at(0)).await, Some(OTHER_BRAND));
            assert_eq!(last(tx, at(51)).await, None);
            assert_eq!(messages::last_brand_to(tx, OTHER_PROVIDER, key(7), at(0)).await.unwrap(), None);
        })
        .await;
}

async fn a_late_notice_is_told_once(store: Store) {
    let fresh = MessageRow { created_at: at(90), ..message(3, Purpose::Notice) };
    add(&store, vec![message(1, Purpose::Notice), message(2, Purpose::Help), fresh]).await;
    store
        .write(async |tx| {
            assert!(messages::untold(tx, at(10_000), at(50)).await.unwrap().is_empty());
            let untold = messages::untold(tx, at(10_001), at(50)).await.unwrap();
            assert_eq!(untold, [(PROVIDER, BRAND, id(1))]);
            let late = Late { dedupe: "d1".to_owned(), state: MessageState::Queued, code: None };
            assert_eq!(messages::tell(tx, PROVIDER, vec![id(1)]).await.unwrap(), [late]);
            assert!(
                messages::tell(tx, PROVIDER, vec![id(1)]).await.unwrap().is_empty(),
                "by another replica"
            );
            assert!(messages::untold(tx, at(10_001), at(50)).await.unwrap().is_empty());
            assert_eq!(messages::late(tx, at(-1)).await.unwrap(), [(BRAND, 1)]);
            assert!(messages::late(tx, at(0)).await.unwrap().is_empty());
        })
        .await;
    assert!(find(&store, 1).await.late);
}

fn report(state: DeliveryState, second: i64) -> DeliveryReport {
    DeliveryReport { state, code: state.as_str().to_uppercase(), at: at(second), report: Some(vec![7]) }
}

async fn tell(store: &Store, number: u128, told: DeliveryReport) -> bool {
    store.write(async |tx| messages::report(tx, PROVIDER, id(number), &told, at(99)).await.unwrap()).await
}

async fn reports_only_lead_on(store: Store) {
    use DeliveryState::{Delivered, Failed, Pending, Sent};
    add(&store, vec![message(1, Purpose::Notice)]).await;
    let rows = take(&store, false, 1, 0).await;
    store
        .write(async |tx| {
            messages::finish(tx, &rows[0], claim(1, 60), sent(false), at(50)).await.unwrap();
        })
        .await;
    // What comes, when it says that it was, and whether it tells anything new.
    for (state, second, new) in [
        (Pending, 60, true),
        (Pending, 60, false),
        (Sent, 61, true),
        (Pending, 62, false),
        (Failed, 63, true),
        (Sent, 64, false),
        (Failed, 63, false),
        (Delivered, 62, false),
        (Delivered, 70, true),
        (Failed, 63, false),
    ] {
        assert_eq!(tell(&store, 1, report(state, second)).await, new, "{state:?} {second}");
    }
    let row = find(&store, 1).await;
    assert_eq!((row.state, row.delivery), (MessageState::Sent, Some(report(Delivered, 70))));
    assert_eq!(row.sent_at, Some(at(50)));
    // A notice that did not arrive was not given.
    add(&store, vec![message(2, Purpose::Notice)]).await;
    let rows = take(&store, false, 1, 0).await;
    store
        .write(async |tx| {
            messages::finish(tx, &rows[0], claim(1, 60), sent(false), at(50)).await.unwrap();
            assert!(messages::untold(tx, at(10_001), at(50)).await.unwrap().is_empty());
        })
        .await;
    assert!(tell(&store, 2, report(Failed, 60)).await);
    store
        .read(async |tx| {
            let untold = messages::untold(tx, at(10_001), at(50)).await.unwrap();
            assert_eq!(untold, [(PROVIDER, BRAND, id(2))]);
        })
        .await;
}

async fn what_arrived_is_not_sent_again(store: Store) {
    add(&store, vec![message(1, Purpose::Code), message(2, Purpose::Code)]).await;
    assert!(tell(&store, 1, report(DeliveryState::Delivered, 60)).await);
    assert!(tell(&store, 2, report(DeliveryState::Failed, 60)).await);
    let row = find(&store, 1).await;
    assert_eq!((row.state, row.sent_at, row.body), (MessageState::Sent, Some(at(60)), None));
    assert_eq!(ids(&take(&store, true, 1, 0).await), [id(2)]);
}

async fn a_reported_message_is_found_by_either_id(store: Store) {
    add(&store, vec![message(1, Purpose::Code), message(2, Purpose::Notice)]).await;
    let rows = take(&store, true, 1, 0).await;
    store
        .write(async |tx| {
            messages::finish(tx, &rows[0], claim(1, 60), sent(true), at(50)).await.unwrap();
            let of = async |tx: &mut _, vendor, since| {
                let ids = vec!["20212".to_owned(), "1".to_owned()];
                let found = messages::by_vendor_ids(tx, vendor, ids, since).await.unwrap();
                found.into_iter().map(|found| found.id).collect::<Vec<_>>()
            };
            assert_eq!(of(tx, "verimor", at(0)).await, [id(1)]);
            assert!(of(tx, "twilio", at(0)).await.is_empty());
            assert!(of(tx, "verimor", at(1)).await.is_empty(), "vendors count anew");
            let found = messages::by_references(tx, vec![id(2), id(9)]).await.unwrap();
            assert_eq!((found.len(), found[0].id, found[0].purpose), (1, id(2), Purpose::Notice));
        })
        .await;
}

async fn an_old_message_forgets_whom_and_what(store: Store) {
    let young = MessageRow { created_at: at(500), ..message(3, Purpose::Help) };
    add(&store, vec![message(1, Purpose::Notice), message(2, Purpose::Notice), young]).await;
    let rows = take(&store, false, 1, 0).await;
    store
        .write(async |tx| {
            for row in rows.iter().filter(|row| row.id != id(2)) {
                messages::finish(tx, row, claim(1, 60), sent(false), at(50)).await.unwrap();
            }
        })
        .await;
    assert!(tell(&store, 1, report(DeliveryState::Delivered, 60)).await);
    let forget =
        async |before| store.write(async |tx| messages::forget(tx, at(before), 10).await.unwrap()).await;
    assert_eq!([forget(0).await, forget(400).await, forget(400).await], [0, 1, 0]);
    let row = find(&store, 1).await;
    assert_eq!((row.recipient.len(), row.body, row.answer), (0, None, None));
    let delivery = row.delivery.unwrap();
    assert_eq!(
        (delivery.state, delivery.report, row.dedupe.as_str()),
        (DeliveryState::Delivered, None, "d1")
    );
    assert!(find(&store, 2).await.body.is_some(), "it is being sent");
    assert!(find(&store, 3).await.body.is_some(), "it is young");
}

async fn a_sender_comes_back_in_every_field(store: Store) {
    let text = |text: &str| Some(text.to_owned());
    let mut row = SenderRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        title: "Örnek A.Ş.".to_owned(),
        identity: "0123456789012345".to_owned(),
        sms_account: text("main"),
        sms_from: text("ORNEK"),
        mail_account: text("mail"),
        mail_from: text("onay@example.com"),
        ret_number: text("4609"),
        ret_keyword: text("ORNEK"),
        contact: text("ret@example.com"),
        notices: true,
        updated_at: at(1),
    };
    store
        .write(async |tx| {
            senders::save(tx, &row).await.unwrap();
            assert_eq!(senders::find(tx, PROVIDER, BRAND).await.unwrap().as_ref(), Some(&row));
            row = SenderRow { sms_from: None, notices: false, updated_at: at(2), ..row };
            senders::save(tx, &row).await.unwrap();
            assert_eq!(senders::find(tx, PROVIDER, BRAND).await.unwrap().as_ref(), Some(&row));
            assert!(senders::find(tx, OTHER_PROVIDER, BRAND).await.unwrap().is_none());
            assert!(senders::remove(tx, PROVIDER, BRAND).await.unwrap());
            assert!(!senders::remove(tx, PROVIDER, BRAND).await.unwrap());
        })
        .await;
}
