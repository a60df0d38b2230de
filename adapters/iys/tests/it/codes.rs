//! The table of codes against the list of the registry's document.

use std::collections::BTreeSet;

use iys::{Actor, ErrorClass, Operation, codes};

/// One documented code: its HTTP statuses, and whether to send again.
struct Documented {
    code: &'static str,
    statuses: Vec<u16>,
    again: &'static str,
}

/// The table of the registry's documents.
fn documented() -> Vec<Documented> {
    include_str!("../data/codes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [code, statuses, again] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let statuses = statuses.split(',').map(|status| status.parse().unwrap()).collect();
            Documented { code, statuses, again }
        })
        .collect()
}

#[test]
fn every_documented_code_is_known_once_and_no_other() {
    let documented: BTreeSet<&str> = documented().iter().map(|row| row.code).collect();
    let known: BTreeSet<&str> = codes::all().map(|info| info.code).collect();
    assert_eq!(known, documented);
    assert_eq!(codes::all().count(), known.len(), "a code stands there twice");
}

#[test]
fn every_code_has_a_documented_status_and_is_sent_again_as_documented() {
    for Documented { code, statuses, again } in documented() {
        let info = codes::lookup(code).unwrap();
        assert!(statuses.contains(&info.http), "{code}");
        let is_as_documented = match again {
            "yes" => info.class == ErrorClass::Retry,
            "wait" => matches!(info.class, ErrorClass::Wait { .. }),
            "auth" => info.class == ErrorClass::Reauthenticate,
            // H162 is a date in the future, which a clock behind ours sees; H530 and H531 an address that may be mended.
            "later" => {
                matches!(info.class, ErrorClass::Pause { .. } | ErrorClass::Wait { .. })
                    || ["H162", "H530", "H531"].contains(&code)
            }
            "no" => matches!(
                info.class,
                ErrorClass::AlreadySo
                    | ErrorClass::TooLate
                    | ErrorClass::Repair
                    | ErrorClass::Config
                    | ErrorClass::Bug
            ),
            other => panic!("{code}: {other}"),
        };
        assert!(is_as_documented, "{code}: {again}, but {:?}", info.class);
    }
}

#[test]
fn a_code_with_two_meanings_is_told_apart_by_the_operation() {
    for (code, here, there) in [
        ("H093", Operation::PushRegister, Operation::Status),
        ("H191", Operation::PushUnregister, Operation::Add),
        ("H363", Operation::Brands, Operation::PartnerBrands),
        ("H097", Operation::RejectLinks, Operation::Status),
    ] {
        let (one, other) = (codes::lookup_for(here, code).unwrap(), codes::lookup_for(there, code).unwrap());
        assert_eq!((one.code, other.code), (code, code));
        assert_ne!(one.en, other.en);
        assert_ne!(one.tr, other.tr);
        let main = codes::lookup(code).unwrap();
        assert_eq!(codes::lookup_for(Operation::AddBatch, code), Some(main), "{code} elsewhere");
    }
    assert_eq!(codes::lookup_for(Operation::PushRegister, "H530"), codes::lookup("H530"));
    assert_eq!(codes::lookup_for(Operation::PushRegister, "H999"), None);
    for (_, info) in codes::second_meanings() {
        assert!(codes::lookup(info.code).is_some_and(|main| main != info), "{}", info.code);
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Operation::ALL.into_iter().map(Operation::name).collect();
    assert_eq!(names.len(), Operation::ALL.len());
    for operation in Operation::ALL {
        assert!(operation.writes() || operation.is_repeatable(), "{operation}: a query can be repeated");
    }
}

#[test]
fn a_code_is_found_by_its_name_only() {
    assert_eq!(codes::lookup("H174").unwrap().code, "H174");
    for unknown in ["", "H1744", "h174", "174", "H999", "invalid_grant"] {
        assert!(codes::lookup(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn every_code_has_two_sentences_in_two_languages() {
    let second = || codes::second_meanings().map(|(_, info)| info);
    let mut turkish = 0;
    for info in codes::all().chain(second()) {
        for text in [info.tr, info.en] {
            assert!(text.ends_with('.') && text.len() > 20 && !text.contains("  "), "{}: {text}", info.code);
        }
        assert_ne!(info.tr, info.en);
        assert!(
            info.en.chars().filter(|letter| letter.is_alphabetic()).all(|letter| letter.is_ascii()),
            "{}",
            info.code
        );
        turkish += usize::from(info.tr.contains(['ı', 'ğ', 'ş', 'ç', 'ö', 'ü', 'İ', 'Ş']));
    }
    assert_eq!(turkish, codes::all().count() + second().count(), "a Turkish sentence has Turkish letters");
}

#[test]
fn the_columns_agree_with_each_other() {
    for info in codes::all().chain(codes::second_meanings().map(|(_, info)| info)) {
        let code = info.code;
        assert!(info.http == 200 || (400..=504).contains(&info.http), "{code}");
        match info.class {
            ErrorClass::Bug => assert!(info.who == Actor::Developer && info.redrive_helps, "{code}"),
            ErrorClass::AlreadySo => assert!(info.who == Actor::Nobody && !info.redrive_helps, "{code}"),
            ErrorClass::TooLate => assert!(!info.redrive_helps, "{code}"),
            ErrorClass::Pause { .. } => assert!(info.who == Actor::Client && info.redrive_helps, "{code}"),
            ErrorClass::Retry => assert!(info.who == Actor::Registry && info.redrive_helps, "{code}"),
            ErrorClass::Wait { .. } => assert!(info.who == Actor::Nobody && info.redrive_helps, "{code}"),
            ErrorClass::Repair => assert_ne!(info.who, Actor::Nobody, "{code}"),
            ErrorClass::Config | ErrorClass::Reauthenticate => assert!(info.redrive_helps, "{code}"),
            other => panic!("{code}: {other:?} is for failures without a code"),
        }
        if info.http >= 500 {
            assert_eq!(info.class, ErrorClass::Retry, "{code}");
        }
        if info.http == 429 {
            assert!(matches!(info.class, ErrorClass::Wait { .. }), "{code}");
        }
    }
}

#[test]
fn the_registrys_own_list_of_codes_to_resend_is_resent() {
    for code in ["H015", "H101", "H102", "H103", "H123", "H179", "H192", "H412", "H470"] {
        assert_eq!(codes::lookup(code).unwrap().class, ErrorClass::Retry, "{code}");
    }
    assert!(matches!(codes::lookup("H124").unwrap().class, ErrorClass::Wait { .. }));
}
