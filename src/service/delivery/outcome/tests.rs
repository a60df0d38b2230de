use kopru_domain::IysCode;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

fn row(attempt: i64) -> DeliveryRow {
    DeliveryRow {
        iys_code: IysCode(1),
        endpoint_id: Uuid::from_u128(7),
        change_seq: 9,
        replay: 0,
        key: kopru_store::Key([0; 16]),
        state: DeliveryState::InFlight,
        attempt,
        next_attempt_at: now(),
        last_status: None,
        last_error: None,
        updated_at: now(),
    }
}

fn endpoint(failures: i64, failing_since: Option<DateTime<Utc>>) -> EndpointRow {
    EndpointRow {
        iys_code: IysCode(1),
        id: Uuid::from_u128(7),
        brand_code: None,
        url: String::new(),
        description: String::new(),
        secret: Vec::new(),
        old_secret: None,
        old_secret_until: None,
        active: true,
        disabled_reason: None,
        failing_since,
        failures,
        wait_until: None,
        created_at: now(),
    }
}

fn answer(status: u16, retry_after: Option<Duration>) -> Sent {
    let elapsed = Duration::from_millis(12);
    let response = Response { status, retry_after, body_excerpt: String::new(), elapsed };
    Sent { at: now(), elapsed, result: Ok(response) }
}

fn tally(verdicts: &[Verdict]) -> Tally {
    let mut tally = Tally::default();
    for verdict in verdicts {
        tally.add(*verdict);
    }
    tally
}

#[test]
fn each_wait_is_within_a_fifth_of_the_schedule_and_the_last_attempt_ends_it() {
    for (place, base) in RETRIES.iter().enumerate() {
        let wait = delay(&row(place as i64 + 1), None).unwrap().to_std().unwrap();
        assert!(wait >= base.mul_f64(0.79) && wait <= base.mul_f64(1.21), "{place}: {wait:?}");
    }
    assert_eq!(delay(&row(11), None), None);
    let (finish, _) = judge(&row(11), &answer(500, None), now());
    assert_eq!(finish.state, DeliveryState::Parked);
}

#[test]
fn waits_differ_from_delivery_to_delivery() {
    let wait = |change_seq| delay(&DeliveryRow { change_seq, ..row(1) }, None).unwrap();
    let waits: std::collections::BTreeSet<TimeDelta> = (0..50).map(wait).collect();
    assert!(waits.len() > 40, "{}", waits.len());
}

#[test]
fn a_longer_retry_after_is_honoured_by_the_delivery_and_by_the_endpoint() {
    let asked = Duration::from_mins(5);
    for status in [429, 503, 500] {
        let (finish, verdict) = judge(&row(1), &answer(status, Some(asked)), now());
        assert_eq!(
            (finish.state, finish.next_attempt_at - now()),
            (DeliveryState::Queued, TimeDelta::minutes(5))
        );
        assert_eq!(verdict, Verdict::Down(Some(asked)));
        let standing = tally(&[verdict, Verdict::Down(None)]).standing(&endpoint(0, None), now());
        assert_eq!(standing.wait_until, Some(now() + TimeDelta::minutes(5)));
    }
}

#[test]
fn answers_say_what_is_the_matter_with_the_endpoint() {
    let verdict = |status| judge(&row(1), &answer(status, None), now()).1;
    assert_eq!([200, 204, 299].map(verdict), [Verdict::Taken; 3]);
    assert_eq!([301, 400, 401, 404, 422, 500].map(verdict), [Verdict::Refused; 6]);
    assert_eq!([408, 429, 502, 503, 504].map(verdict), [Verdict::Down(None); 5]);
    let silent = Sent { at: now(), elapsed: Duration::from_secs(15), result: Err(SendError::Timeout) };
    let (finish, verdict) = judge(&row(1), &silent, now());
    assert_eq!(verdict, Verdict::Down(None));
    assert_eq!((finish.attempt.status, finish.attempt.elapsed_ms), (None, 15_000));
}

#[test]
fn what_was_sent_to_a_receiver_that_is_gone_stays_queued() {
    let (finish, verdict) = judge(&row(1), &answer(410, None), now());
    assert_eq!(
        (finish.state, finish.next_attempt_at, verdict),
        (DeliveryState::Queued, now(), Verdict::Gone)
    );
    let tally = tally(&[Verdict::Taken, verdict]);
    assert!(tally.stops());
    assert_eq!(tally.disables(tally.standing(&endpoint(0, None), now()), now()), Some(GONE));
}

#[test]
fn an_endpoint_that_takes_some_and_refuses_others_goes_on() {
    let tally = tally(&[Verdict::Taken, Verdict::Refused, Verdict::Refused]);
    assert!(!tally.stops());
    let standing = tally.standing(&endpoint(4, Some(now())), now());
    assert_eq!(standing, Standing { failures: 0, wait_until: None, failing_since: None });
}

#[test]
fn an_endpoint_that_takes_nothing_is_left_alone_longer_and_longer_but_not_for_hours() {
    for verdict in [Verdict::Refused, Verdict::Down(None)] {
        let tally = tally(&[verdict]);
        assert!(tally.stops());
        for (before, seconds) in [(0, 5), (1, 60), (2, 300), (3, 300), (400, 300)] {
            let standing = tally.standing(&endpoint(before, None), now());
            assert_eq!(standing.failures, before + 1);
            let pause = (standing.wait_until.unwrap() - now()).num_milliseconds();
            assert!((seconds * 790..=seconds * 1_210).contains(&pause), "{before}: {pause}");
        }
    }
}

#[test]
fn five_days_without_success_disable() {
    let down = tally(&[Verdict::Down(None)]);
    let first = down.standing(&endpoint(0, None), now());
    assert_eq!((first.failing_since, down.disables(first, now())), (Some(now()), None));
    let long_ago = Some(now() - TimeDelta::days(5));
    let later = down.standing(&endpoint(90, long_ago), now());
    assert_eq!((later.failing_since, down.disables(later, now())), (long_ago, Some(FAILING)));
    let almost = down.standing(&endpoint(90, long_ago), now() - TimeDelta::seconds(1));
    assert_eq!(down.disables(almost, now() - TimeDelta::seconds(1)), None);
    // It took something before it went down: the five days begin anew.
    let mixed = tally(&[Verdict::Taken, Verdict::Down(None)]);
    let standing = mixed.standing(&endpoint(90, long_ago), now());
    assert_eq!((standing.failures, standing.failing_since), (1, Some(now())));
    // A turn without a call says nothing.
    let idle = tally(&[]);
    let standing = idle.standing(&endpoint(90, long_ago), now());
    assert_eq!(
        (standing.failures, standing.failing_since, idle.disables(standing, now())),
        (90, long_ago, None)
    );
}
