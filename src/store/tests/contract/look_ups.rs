//! Plans of what the channels look up: forms by the key in their address, links and double opt-ins by their token, messages by what
//! a report names; and of what is forgotten after its term.

use kopru_domain::call::NoConsent;
use kopru_domain::opt_in::{OptInState, Way};
use kopru_domain::{BrandCode, Channel, LinkKind};
use kopru_store::calls::{self, OutcomeRow};
use kopru_store::forms::{self, FormRow};
use kopru_store::inbound::{self, InboundRow, InboundState};
use kopru_store::links::{self, LinkRow};
use kopru_store::messages::{self, MessageChannel, MessageRow, MessageState, Purpose};
use kopru_store::opt_ins::{self, OptInRow};
use kopru_store::{args, form_posts, sql::Value};
use uuid::Uuid;

use crate::fixture::Store;
use crate::plans::{Hot, KEY, all_use_their_indexes, hot};
use crate::sample::{BRAND, PROVIDER, at, id, key};

on_both!(look_ups_of_the_channels_use_their_indexes);

/// Rows of each table, nearly all of which have ended well.
const ROWS: u64 = 3_000;
const BRANDS: u64 = 20;

fn brand(number: u64) -> BrandCode {
    BrandCode(BRAND.0 + second(number % BRANDS))
}

async fn look_ups_of_the_channels_use_their_indexes(store: Store) {
    store
        .write(async |tx| {
            for number in 0..ROWS {
                assert!(forms::add(tx, &form(number)).await.unwrap());
                form_posts::add(tx, PROVIDER, vec![key(number)], at(second(number)), at(0)).await.unwrap();
                opt_ins::add(tx, &opt_in(number)).await.unwrap();
                assert!(inbound::add(tx, &text(number)).await.unwrap());
            }
            links::add(tx, (0..ROWS).map(link).collect()).await.unwrap();
            for first in 0..BRANDS {
                let calls = (first..ROWS).step_by(20).map(call).collect();
                calls::add(tx, PROVIDER, brand(first), calls).await.unwrap();
            }
            tx.run(vec![messages::add_step((0..ROWS).map(message).collect())]).await.unwrap();
        })
        .await;
    store
        .execute(
            "UPDATE messages SET vendor = 'verimor', vendor_id = dedupe, state = 'sent' WHERE purpose = 'notice'",
            vec![],
        )
        .await;
    all_use_their_indexes(&store, statements).await;
}

fn statements() -> Vec<Hot> {
    let limit = || Value::from(20_i64);
    let (old, ids) = (at(10), vec!["d7".to_owned(), "d70".to_owned()]);
    let uuids: Vec<Uuid> = vec![id(7), id(70)];
    vec![
        hot("forms", "BY_KEY", args!["key-7"], &["forms_by_key", KEY]),
        hot("forms", "BY_CODE", args![PROVIDER, brand(7), "form-7"], &["forms_by_code", KEY]),
        hot("forms", "BY_ID", args![PROVIDER, id(7)], &[KEY]),
        hot("form_posts", "SINCE", args![PROVIDER, vec![key(7), key(70)], at(0)], &[KEY]),
        hot("form_posts", "PURGE", args![old, limit()], &["form_posts_old"]),
        hot("links", "BY_TOKEN", args![token(7)], &["links_by_token"]),
        hot("links", "LIST", args![PROVIDER, BRAND, id(7), limit()], &["links_by_brand"]),
        hot("links", "COUNT", args![PROVIDER, id(7), 1_i64, 0_i64, 0_i64], &[KEY]),
        hot("links", "PURGE", args![old, limit()], &["links_idle"]),
        hot("opt_ins", "BY_TOKEN", args![token(7)], &["opt_ins_by_token"]),
        hot("opt_ins", "LOCK", args![PROVIDER, id(7)], &[KEY]),
        hot("opt_ins", "LIST", args![PROVIDER, BRAND, "done", id(7), limit()], &["opt_ins_of_brand"]),
        hot("opt_ins", "OVERDUE", args![old], &["opt_ins_pending"]),
        hot("opt_ins", "CONFIRMED", args![limit()], &["opt_ins_confirmed"]),
        hot("opt_ins", "PURGE", args![old, limit()], &["opt_ins_abandoned"]),
        hot("messages", "BY_VENDOR_ID", args!["verimor", ids, at(0)], &["messages_by_vendor_id"]),
        hot("messages", "BY_REFERENCE", args![uuids], &["messages_by_id"]),
        hot("messages", "FORGET", args![old, limit(), Vec::<u8>::new()], &["messages_kept"]),
        hot("calls", "LIST", args![PROVIDER, BRAND, id(7), limit()], &["call_outcomes_by_brand"]),
        hot("calls", "PURGE", args![old, limit()], &["call_outcomes_old"]),
        hot("inbound", "FORGET", args![old, limit()], &["inbound_messages_idle"]),
    ]
}

fn token(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(4)
}

fn second(number: u64) -> i64 {
    i64::try_from(number).unwrap()
}

fn form(number: u64) -> FormRow {
    FormRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: brand(number),
        code: format!("form-{number}"),
        public_key: format!("key-{number}"),
        active: true,
        version: 1,
        created_at: at(1),
        content: "{}".to_owned(),
    }
}

fn opt_in(number: u64) -> OptInRow {
    let state = match number % 50 {
        0 => OptInState::Abandoned,
        1 => OptInState::Pending,
        2 => OptInState::Confirmed,
        _ => OptInState::Done,
    };
    OptInRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: brand(number),
        origin: "form".to_owned(),
        way: Way::Code,
        state,
        token_hash: token(number),
        proof: vec![1; 32],
        address: key(number),
        sealed: vec![1],
        good_until: at(180),
        ends_at: at(second(number)),
        wrong: 0,
        sends: 1,
        confirmed_at: None,
        created_at: at(0),
    }
}

fn link(number: u64) -> LinkRow {
    LinkRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: brand(number),
        kind: LinkKind::Recipient,
        form_id: None,
        channel: Some(Channel::Message),
        token_hash: token(number),
        sealed: vec![1],
        active: true,
        expires_at: Some(at(second(number))),
        counters: [1, i64::from(!number.is_multiple_of(50)), 0],
        created_at: at(1),
    }
}

fn call(number: u64) -> OutcomeRow {
    OutcomeRow {
        id: id(u128::from(number)),
        mark: key(number),
        channel: Channel::Call,
        reason: NoConsent::Silence,
        sealed: vec![1],
        received_at: at(second(number)),
    }
}

fn text(number: u64) -> InboundRow {
    InboundRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: brand(number),
        number: "7889".to_owned(),
        key: key(number),
        digest: token(number),
        state: if number.is_multiple_of(50) { InboundState::Dismissed } else { InboundState::Rejection },
        reason: "verb".to_owned(),
        sealed: vec![5],
        received_at: at(second(number)),
        answered: true,
        decided_by: None,
        decided_at: None,
    }
}

fn message(number: u64) -> MessageRow {
    MessageRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: brand(number),
        channel: MessageChannel::Sms,
        purpose: if number.is_multiple_of(50) { Purpose::Code } else { Purpose::Notice },
        dedupe: format!("d{number}"),
        key: key(number),
        recipient: vec![1],
        body: None,
        state: MessageState::Queued,
        attempt: 0,
        unsure: false,
        late: false,
        next_attempt_at: at(second(number)),
        not_after: at(10_000),
        account: None,
        vendor: None,
        vendor_id: None,
        code: None,
        answer: None,
        created_at: at(second(number)),
        updated_at: at(0),
        sent_at: None,
        delivery: None,
    }
}
