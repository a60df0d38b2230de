//! Double opt-in: codes, tries and sends.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::opt_in::{
    Asker, Attempt, CODE_LIFE, OptInState, Process, SENDS, SENDS_WITHIN, TRIES, Way, code_from, code_message,
    link_message, may_send, read_code,
};
use kopru_domain::{Channel, Lang};
use proptest::prelude::*;

use crate::trt;

fn sent_at() -> DateTime<Utc> {
    trt("2026-11-28 10:00:00")
}

fn pending(wrong: u32) -> Process {
    Process { state: OptInState::Pending, good_until: sent_at() + CODE_LIFE, wrong }
}

#[test]
fn a_code_is_good_for_three_minutes() {
    assert_eq!(pending(0).attempt(true, sent_at() + CODE_LIFE), Attempt::Right);
    assert_eq!(pending(0).attempt(true, sent_at() + CODE_LIFE + TimeDelta::seconds(1)), Attempt::TooOld);
    assert_eq!(
        pending(0).attempt(false, sent_at() + CODE_LIFE + TimeDelta::seconds(1)),
        Attempt::TooOld,
        "and a wrong one costs no try then"
    );
}

#[test]
fn the_fifth_wrong_code_ends_it() {
    let left: Vec<Attempt> = (0..TRIES).map(|wrong| pending(wrong).attempt(false, sent_at())).collect();
    assert_eq!(left, [4, 3, 2, 1, 0].map(|left| Attempt::Wrong { left }));
    let ended = Process { state: OptInState::Abandoned, ..pending(TRIES) };
    assert_eq!(ended.attempt(true, sent_at()), Attempt::Ended);
}

#[test]
fn what_is_confirmed_stays_confirmed_and_tells_a_guesser_nothing() {
    for state in [OptInState::Confirmed, OptInState::Done] {
        let process = Process { state, ..pending(1) };
        assert_eq!(process.attempt(true, sent_at() + TimeDelta::days(1)), Attempt::Already);
        assert_eq!(process.attempt(false, sent_at()), Attempt::Ended);
    }
}

#[test]
fn typed_codes_are_read_as_people_type_them() {
    for typed in ["123456", " 123 456 ", "123-456", "١٢٣٤٥٦", "۱۲۳۴۵۶", "12 34\u{a0}56"] {
        assert_eq!(read_code(typed).as_deref(), Some("123456"), "{typed}");
    }
    for typed in ["", "12345", "1234567", "12345a", "१२३४५६", "+123456", "12.3456"] {
        assert_eq!(read_code(typed), None, "{typed}");
    }
}

#[test]
fn a_fourth_send_waits_until_the_first_is_a_quarter_of_an_hour_old() {
    let at = |minutes| sent_at() + TimeDelta::minutes(minutes);
    assert_eq!(may_send(&[at(0), at(1)], at(2)), Ok(()));
    assert_eq!(may_send(&[at(2), at(0), at(1)], at(3)), Err(at(0) + SENDS_WITHIN));
    assert_eq!(may_send(&[at(0), at(1), at(2)], at(15)), Ok(()));
    assert_eq!(may_send(&[at(0), at(1), at(2), at(3)], at(4)), Err(at(1) + SENDS_WITHIN));
}

#[test]
fn the_message_names_purpose_consequence_and_every_channel() {
    let asker = Asker {
        title: "ABC A.Ş.",
        identity: Some("0123456789012345"),
        info: Some("https://k.example/f/abc"),
    };
    let text = code_message(asker, &[Channel::Message, Channel::Call], "048213", Lang::Tr);
    for part in [
        "ABC A.Ş.",
        "SMS ve arama",
        "ticari ileti",
        "048213",
        "gönderilebilir",
        "0123456789012345",
        "https://k.example/f/abc",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let english = code_message(asker, &[Channel::Message], "048213", Lang::En);
    assert!(english.contains("by SMS") && !english.contains("phone"), "{english}");
    let (subject, body) = link_message(asker, "https://k.example/c/abc", Lang::Tr);
    assert!(
        subject.contains("ABC A.Ş.") && body.contains("https://k.example/c/abc") && body.contains("72 saat")
    );
}

#[test]
fn the_way_follows_the_channel() {
    assert_eq!(Way::of(Channel::Email), Way::Link);
    assert_eq!((Way::of(Channel::Call), Way::of(Channel::Message)), (Way::Code, Way::Code));
}

proptest! {
    #[test]
    fn every_code_has_six_digits(random: u32) {
        if let Some(code) = code_from(random) {
            prop_assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(read_code(&code), Some(code));
        }
    }

    #[test]
    fn never_more_than_so_many_sends_in_any_window(gaps in proptest::collection::vec(0_i64..1_000, 1..60)) {
        let mut now = sent_at();
        let mut sends = Vec::new();
        for gap in gaps {
            now += TimeDelta::seconds(gap);
            match may_send(&sends, now) {
                Ok(()) => sends.push(now),
                Err(until) => {
                    prop_assert!(until > now && until <= now + SENDS_WITHIN);
                    prop_assert_eq!(may_send(&sends, until), Ok(()));
                }
            }
            let within = sends.iter().filter(|at| **at + SENDS_WITHIN > now).count();
            prop_assert!(within <= SENDS);
        }
    }

    #[test]
    fn reading_a_code_never_panics(typed: String) {
        let _ = read_code(&typed);
    }
}
