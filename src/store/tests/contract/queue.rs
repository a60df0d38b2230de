//! Jobs and leases.

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::future::join_all;
use kopru_domain::IysCode;
use kopru_store::jobs::{self, JobRow};
use kopru_store::{Claim, Priority, leases};

use crate::fixture::Store;
use crate::sample::{PROVIDER, assert_same, at, claim, id};

on_both!(
    a_job_is_claimed_when_it_is_due,
    a_job_comes_back_when_its_worker_dies,
    a_job_may_be_queued_again_or_end,
    a_lost_claim_finishes_nothing,
    a_job_in_steps_keeps_how_far_it_has_come,
    one_of_a_kind_waits_at_a_time,
    ended_jobs_are_forgotten,
    workers_never_share_a_job,
    a_lease_has_one_holder,
    a_lease_is_won_by_one_of_many,
);

const INSTALLATION: IysCode = IysCode(0);

async fn claimed(store: &Store, now: i64, mine: Claim) -> Option<JobRow> {
    store.write(async |tx| jobs::claim(tx, at(now), mine).await.unwrap()).await
}

async fn finish(store: &Store, job: &JobRow, mine: Claim, state: &str, next: i64) -> bool {
    let error = (state != "done").then_some("hata");
    store.write(async |tx| jobs::finish(tx, job, mine, state, at(next), error).await.unwrap()).await
}

async fn a_job_is_claimed_when_it_is_due(store: Store) {
    store
        .write(async |tx| {
            jobs::add(tx, INSTALLATION, id(1), "purge", "{}", at(20)).await.unwrap();
            jobs::add(tx, PROVIDER, id(2), "report", "{\"gün\":\"dün\"}", at(10)).await.unwrap();
        })
        .await;
    assert!(claimed(&store, 9, claim(1, 60)).await.is_none());
    let first = claimed(&store, 30, claim(1, 60)).await;
    let expected = JobRow {
        iys_code: PROVIDER,
        id: id(2),
        kind: "report".to_owned(),
        payload: "{\"gün\":\"dün\"}".to_owned(),
        attempt: 1,
    };
    assert_same!(first, Some(expected));
    let second = claimed(&store, 30, claim(1, 60)).await.unwrap();
    assert_eq!((second.iys_code, second.id), (INSTALLATION, id(1)));
    assert!(claimed(&store, 30, claim(1, 60)).await.is_none());
}

async fn a_job_comes_back_when_its_worker_dies(store: Store) {
    store.write(async |tx| jobs::add(tx, INSTALLATION, id(1), "purge", "{}", at(0)).await.unwrap()).await;
    assert!(claimed(&store, 0, claim(1, 60)).await.is_some());
    assert!(claimed(&store, 60, claim(2, 120)).await.is_none());
    assert_eq!(claimed(&store, 61, claim(2, 120)).await.unwrap().attempt, 2);
}

async fn a_job_may_be_queued_again_or_end(store: Store) {
    store.write(async |tx| jobs::add(tx, INSTALLATION, id(1), "purge", "{}", at(0)).await.unwrap()).await;
    let job = claimed(&store, 0, claim(1, 60)).await.unwrap();
    assert!(finish(&store, &job, claim(1, 60), "queued", 30).await);
    assert!(claimed(&store, 29, claim(1, 60)).await.is_none());
    let job = claimed(&store, 30, claim(1, 60)).await.unwrap();
    assert_eq!(job.attempt, 2);
    assert!(finish(&store, &job, claim(1, 60), "done", 30).await);
    assert!(claimed(&store, 9_000, claim(1, 9_999)).await.is_none());
}

async fn a_lost_claim_finishes_nothing(store: Store) {
    store.write(async |tx| jobs::add(tx, INSTALLATION, id(1), "purge", "{}", at(0)).await.unwrap()).await;
    let late = claimed(&store, 0, claim(1, 60)).await.unwrap();
    let job = claimed(&store, 61, claim(2, 120)).await.unwrap();
    assert!(!finish(&store, &late, claim(1, 60), "failed", 61).await);
    assert!(finish(&store, &job, claim(2, 120), "done", 61).await);
    assert!(!finish(&store, &job, claim(2, 120), "queued", 61).await);
}

async fn a_job_in_steps_keeps_how_far_it_has_come(store: Store) {
    store.write(async |tx| jobs::add(tx, INSTALLATION, id(1), "replay", "0", at(0)).await.unwrap()).await;
    let proceed = async |job: &JobRow, mine, payload: &'static str, next| {
        store.write(async |tx| jobs::proceed(tx, job, mine, payload, at(next)).await.unwrap()).await
    };
    let late = claimed(&store, 0, claim(1, 60)).await.unwrap();
    let job = claimed(&store, 61, claim(2, 120)).await.unwrap();
    assert!(!proceed(&late, claim(1, 60), "lost", 0).await);
    assert!(proceed(&job, claim(2, 120), "1000", 70).await);
    assert!(claimed(&store, 69, claim(2, 120)).await.is_none());
    let job = claimed(&store, 70, claim(2, 120)).await.unwrap();
    assert_eq!((job.payload.as_str(), job.attempt), ("1000", 1), "each step has its own attempts");
}

async fn one_of_a_kind_waits_at_a_time(store: Store) {
    let add = async |provider, number, kind: &'static str| {
        store
            .write(async |tx| jobs::add_once(tx, provider, id(number), kind, "{}", at(0)).await.unwrap())
            .await
    };
    assert!(add(INSTALLATION, 1, "purge").await);
    assert!(!add(INSTALLATION, 2, "purge").await);
    assert!(add(INSTALLATION, 3, "backup").await && add(PROVIDER, 4, "purge").await);
    let mut jobs_claimed = Vec::new();
    while let Some(job) = claimed(&store, 0, claim(1, 60)).await {
        jobs_claimed.push(job);
    }
    assert!(!add(INSTALLATION, 5, "purge").await, "one is being done");
    for job in &jobs_claimed {
        assert!(finish(&store, job, claim(1, 60), "done", 0).await);
    }
    assert!(add(INSTALLATION, 6, "purge").await);
}

async fn ended_jobs_are_forgotten(store: Store) {
    for (number, state, ended) in [(1, "done", 10), (2, "failed", 10), (3, "done", 90), (4, "queued", 10)] {
        store
            .write(async |tx| jobs::add(tx, INSTALLATION, id(number), "purge", "{}", at(0)).await.unwrap())
            .await;
        let job = claimed(&store, 0, claim(1, 60)).await.unwrap();
        assert!(finish(&store, &job, claim(1, 60), state, ended).await);
    }
    assert_eq!(store.write(async |tx| jobs::purge(tx, at(50)).await.unwrap()).await, 2);
    assert_eq!(store.number("SELECT count(*) FROM jobs", vec![]).await, 2);
}

async fn workers_never_share_a_job(store: Store) {
    store
        .write(async |tx| {
            for number in 0..60 {
                jobs::add(tx, INSTALLATION, id(number), "work", "{}", at(0)).await.unwrap();
            }
        })
        .await;
    let seen = RefCell::new(BTreeSet::new());
    let worker = async |by| loop {
        let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
        let job = jobs::claim(&mut tx, at(0), claim(by, 60)).await.unwrap();
        tokio::task::yield_now().await;
        tx.commit().await.unwrap();
        let Some(job) = job else { break };
        assert!(seen.borrow_mut().insert(job.id));
    };
    join_all((1..=5).map(worker)).await;
    assert_eq!(seen.borrow().len(), 60);
}

async fn a_lease_has_one_holder(store: Store) {
    let take = async |by, until, now| {
        store.write(async |tx| leases::take(tx, "schedules", claim(by, until), at(now)).await.unwrap()).await
    };
    assert!(take(1, 60, 0).await);
    assert!(take(1, 90, 30).await, "its holder renews it");
    assert!(!take(2, 150, 90).await, "it holds to its last instant");
    assert!(take(2, 150, 91).await);
    assert!(!take(1, 180, 92).await);
    let other =
        store.write(async |tx| leases::take(tx, "another", claim(2, 180), at(94)).await.unwrap()).await;
    assert!(other);
}

async fn a_lease_is_won_by_one_of_many(store: Store) {
    for round in 0..5 {
        let now = round * 1_000;
        let take = async |by| {
            store
                .write(async |tx| leases::take(tx, "schedules", claim(by, now + 60), at(now)).await.unwrap())
                .await
        };
        let won = join_all((1..=6).map(take)).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    }
}
