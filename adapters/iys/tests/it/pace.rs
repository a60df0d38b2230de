//! The pace, on a clock where waiting costs nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt, ready};
use iys::wire::StatusRequest;
use iys::{AdaptivePacer, BoxError, Clock, Ended, ErrorClass, IysError, NotBefore, Operation, Pacer};

use crate::support::{BRAND, FakeClock, FakeRegistry, added, consent, credentials, html, refusal};

/// When each of `count` requests left.
async fn departures(pacer: &AdaptivePacer, clock: &FakeClock, count: usize) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    for _ in 0..count {
        pacer.acquire(Operation::Add).await.unwrap();
        times.push(clock.now());
    }
    times
}

fn most_in_any_second(times: &[DateTime<Utc>]) -> usize {
    let within = |start: &DateTime<Utc>| {
        times.iter().filter(|time| **time >= *start && **time - *start < TimeDelta::seconds(1)).count()
    };
    times.iter().map(within).max().unwrap_or_default()
}

#[tokio::test]
async fn no_second_sees_more_than_the_registry_takes() {
    let clock = FakeClock::new();
    let pacer = AdaptivePacer::new(AdaptivePacer::DEFAULT_PER_SECOND, clock.clone());
    let times = departures(&pacer, &clock, 200).await;
    assert!(most_in_any_second(&times) <= 9, "{}", most_in_any_second(&times));
    let took = (times[199] - times[0]).as_seconds_f64();
    assert!((24.0..=25.0).contains(&took), "200 at eight a second take about 25 s, not {took}");
}

#[tokio::test]
async fn a_rest_saves_up_no_more_than_two() {
    let clock = FakeClock::new();
    let pacer = AdaptivePacer::new(8.0, clock.clone());
    clock.advance(TimeDelta::hours(1));
    let times = departures(&pacer, &clock, 20).await;
    assert_eq!(times.iter().filter(|time| **time == times[0]).count(), 2);
    assert!(most_in_any_second(&times) <= 9);
}

#[tokio::test]
async fn a_refusal_halves_the_rate_once_and_time_brings_it_back() {
    let clock = FakeClock::new();
    let pacer = AdaptivePacer::new(8.0, clock.clone());
    departures(&pacer, &clock, 5).await;
    let refused_at = clock.now();
    for _ in 0..3 {
        pacer.throttled(Operation::Add, Duration::from_secs(1)).await;
    }
    assert!((pacer.per_second() - 4.0).abs() < 1e-9, "three refusals of one crowd count once");
    let next = departures(&pacer, &clock, 1).await[0];
    assert!(next - refused_at >= TimeDelta::seconds(1), "the pause is kept");

    clock.advance(TimeDelta::seconds(3));
    let before = pacer.per_second();
    pacer.throttled(Operation::Add, Duration::from_secs(1)).await;
    assert!((pacer.per_second() - before / 2.0).abs() < 1e-9, "a refusal later on counts anew");

    clock.advance(TimeDelta::seconds(4));
    let gained = pacer.per_second() - before / 2.0;
    assert!((gained - 4.0 * AdaptivePacer::RECOVERY_PER_SECOND).abs() < 1e-9, "{gained}");
    clock.advance(TimeDelta::minutes(5));
    assert!((pacer.per_second() - 8.0).abs() < 1e-9, "it never passes its limit");
}

#[tokio::test]
async fn the_rate_never_falls_to_nothing() {
    let clock = FakeClock::new();
    let pacer = AdaptivePacer::new(8.0, clock.clone());
    for _ in 0..50 {
        pacer.throttled(Operation::Add, Duration::from_secs(1)).await;
        clock.advance(TimeDelta::milliseconds(1_001));
    }
    assert!(pacer.per_second() >= AdaptivePacer::FLOOR_PER_SECOND);
    let start = clock.now();
    departures(&pacer, &clock, 3).await;
    assert!(clock.now() - start < TimeDelta::seconds(15));
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_the_traffic() {
    let clock = FakeClock::new();
    let pacer = AdaptivePacer::new(8.0, clock.clone());
    departures(&pacer, &clock, 3).await;
    clock.advance(TimeDelta::hours(-2));
    let start = clock.now();
    departures(&pacer, &clock, 8).await;
    assert!(clock.now() - start < TimeDelta::seconds(2));
}

#[tokio::test]
async fn absurd_rates_mean_the_default() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let pacer = AdaptivePacer::new(rate, FakeClock::new());
        assert!((pacer.per_second() - AdaptivePacer::DEFAULT_PER_SECOND).abs() < 1e-9, "{rate}");
    }
}

#[tokio::test]
async fn the_client_tells_the_pacer_of_a_crowded_second_only() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    for (given, slower) in [
        (refusal(429, "H124"), true),
        (refusal(429, "H083"), true),
        (html(429), true),
        (refusal(429, "H086"), false),
        (refusal(429, "H089"), false),
        (refusal(500, "H015"), false),
        (added(), false),
    ] {
        let pacer = Arc::new(AdaptivePacer::new(8.0, clock.clone()));
        let account = registry.client(&clock).pacer(pacer.clone()).build().unwrap().account(credentials());
        account.login_check().await.unwrap();
        registry.will(given.clone());
        let _ = account.add_consent(BRAND, &consent()).await;
        assert_eq!(pacer.per_second() < 7.9, slower, "{given:?}");
    }
}

/// A pacer whose database is down.
#[derive(Debug)]
struct Broken;

impl Pacer for Broken {
    fn acquire(&self, _: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Err("the database is down".into())).boxed()
    }
}

#[tokio::test]
async fn a_pacer_that_fails_keeps_the_request_at_home() {
    let registry = FakeRegistry::start().await;
    let client = registry.client(&FakeClock::new()).pacer(Arc::new(Broken)).build().unwrap();
    let error = client.account(credentials()).add_consent(BRAND, &consent()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    assert_eq!(error.to_string(), "the pacer failed before token");
    assert!(registry.calls().is_empty() && registry.token_calls().is_empty());
}

/// A pacer whose budget of status queries is used up, and that remembers what the registry refused.
#[derive(Debug, Default)]
struct Budgeted(std::sync::Mutex<Vec<(Operation, Duration)>>);

impl Pacer for Budgeted {
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        let used_up = operation == Operation::Status;
        ready(if used_up { Err(NotBefore(Duration::from_mins(7)).into()) } else { Ok(()) }).boxed()
    }

    fn used_up(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push((operation, pause));
        ready(()).boxed()
    }
}

#[tokio::test]
async fn a_used_up_budget_holds_the_request_back_and_names_the_wait() {
    let registry = FakeRegistry::start().await;
    let pacer = Arc::new(Budgeted::default());
    let client = registry.client(&FakeClock::new()).pacer(pacer.clone()).build().unwrap();
    let account = client.account(credentials());
    account.login_check().await.unwrap();
    let request = StatusRequest::default();
    let error = account.status(BRAND, &request).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Wait { after: Duration::from_mins(7) });
    assert_eq!((error.status(), registry.calls().len()), (None, 0), "nothing was sent");

    registry.will(refusal(429, "H089"));
    let error = account.history(BRAND, &request, 0, 100).await.unwrap_err();
    let ErrorClass::Wait { after } = error.class() else { panic!("{error}") };
    assert_eq!(*pacer.0.lock().unwrap(), [(Operation::History, after)], "the pacer learns of the hour");
}

/// A pacer that remembers how requests ended.
#[derive(Debug, Default)]
struct Watching(std::sync::Mutex<Vec<(Operation, bool, Option<u16>)>>);

impl Pacer for Watching {
    fn acquire(&self, _: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Ok(())).boxed()
    }

    fn ended<'a>(&'a self, ended: Ended<'a>) -> BoxFuture<'a, ()> {
        let status = ended.error.map_or(Some(200), IysError::status);
        self.0.lock().unwrap().push((ended.operation, ended.brand == Some(BRAND), status));
        ready(()).boxed()
    }
}

#[tokio::test]
async fn a_pacer_is_told_how_each_request_ended() {
    let registry = FakeRegistry::start().await;
    let pacer = Arc::new(Watching::default());
    let client = registry.client(&FakeClock::new()).pacer(pacer.clone()).build().unwrap();
    let account = client.account(credentials());
    for answer in [added(), refusal(400, "H174"), html(502), html(200)] {
        registry.will(answer);
        let _ = account.add_consent(BRAND, &consent()).await;
    }
    let add = |status| (Operation::Add, true, Some(status));
    let token = (Operation::Token, false, Some(200));
    // A page with a success's status is none.
    assert_eq!(*pacer.0.lock().unwrap(), [token, add(200), add(400), add(502), add(200)]);
    registry.will(html(200));
    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
}
