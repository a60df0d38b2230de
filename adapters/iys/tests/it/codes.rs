//! The table of codes against the list of the registry's document.

use std::collections::BTreeSet;

use iys::{Actor, ErrorClass, codes};

/// Every code of registry-protocol 5.1.
const DOCUMENTED: &str = "
    H001 H014 H015 H016 H017 H018 H031 H058 H060 H061 H062 H067 H082 H083 H084 H085 H086 H089 H090 H091 H092 H093
    H095 H097 H098 H100 H101 H102 H103 H105 H106 H107 H110 H111 H112 H113 H114 H115 H116 H117 H118 H119 H120 H121
    H122 H123 H124 H125 H126 H127 H129 H155 H156 H157 H158 H160 H162 H163 H164 H166 H168 H169 H170 H171 H172 H173
    H174 H175 H176 H178 H179 H180 H181 H182 H183 H184 H185 H186 H187 H190 H191 H192 H193 H194 H195 H196 H197 H198
    H199 H201 H214 H215 H216 H217 H218 H219 H220 H221 H222 H224 H225 H226 H227 H228 H229 H230 H231 H241 H243 H244
    H245 H250 H251 H252 H253 H266 H267 H268 H288 H351 H353 H355 H363 H400 H401 H402 H403 H404 H405 H408 H412 H437
    H450 H452 H453 H454 H455 H456 H459 H460 H462 H463 H464 H465 H467 H470 H476 H478 H486 H501 H502 H503 H506 H507
    H512 H520 H521 H522 H524 H525 H530 H531 H568 H586";

#[test]
fn every_documented_code_is_known_once_and_no_other() {
    let documented: Vec<&str> = DOCUMENTED.split_whitespace().collect();
    let known: Vec<&str> = codes::all().map(|info| info.code).collect();
    assert_eq!(known, documented);
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
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
    let mut turkish = 0;
    for info in codes::all() {
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
    assert_eq!(turkish, codes::all().count(), "a Turkish sentence has Turkish letters");
}

#[test]
fn the_columns_agree_with_each_other() {
    for info in codes::all() {
        let code = info.code;
        assert!(info.http == 200 || (400..=503).contains(&info.http), "{code}");
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
