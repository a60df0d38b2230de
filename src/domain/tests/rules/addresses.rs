//! What people, spreadsheets and systems write into an address field.

use kopru_domain::address::{AddressWarning, warnings};
use kopru_domain::{Channel, Lang, Recipient};
use proptest::prelude::*;

/// The canonical form, or the code of the refusal.
fn read(raw: &str, channel: Channel) -> String {
    match Recipient::parse(raw, channel) {
        Ok(recipient) => recipient.as_str().to_owned(),
        Err(error) => error.code.to_string(),
    }
}

#[test]
fn typed_mobile_numbers() {
    for raw in [
        "+905321234567",
        "05321234567",
        "5321234567",
        "905321234567",
        "00905321234567",
        "532 123 45 67",
        "0532 123 45 67",
        "0532 1234567",
        "0 532 123 45 67",
        "+90 (532) 123-45-67",
        "+90(532)1234567",
        "(+90) 532 123 45 67",
        "(0532) 123 45 67",
        "0 (532) 123 45 67",
        "0090 (0) 532 1234567",
        "90 0532 123 45 67",
        "+90 0532 123 45 67",
        "+9005321234567",
        "+05321234567",
        "0905321234567",
        "0532.123.45.67",
        "0532/123/45/67",
        "0532-123-45-67",
        "0532\u{2013}123\u{2013}45\u{2013}67",
        "532\u{a0}123\u{a0}45\u{a0}67",
        "\u{feff}05321234567",
        "\u{202a}+905321234567\u{202c}",
        "05321\u{200b}234567",
        "'05321234567",
        "\u{2019}05321234567",
        "\"05321234567\"",
        "  05321234567\t",
        "tel:+90-532-123-45-67",
        "Tel: 0532 123 45 67",
        "٠٥٣٢١٢٣٤٥٦٧",
        "۰۵۳۲۱۲۳۴۵۶۷",
        "０５３２１２３４５６７",
        "\u{ff0b}905321234567",
        "5321234567.0",
        "5321234567,00",
        "5.321.234.567",
        "0532\n1234567",
    ] {
        assert_eq!(read(raw, Channel::Message), "+905321234567", "{raw:?}");
        assert_eq!(read(raw, Channel::Call), "+905321234567", "{raw:?}");
    }
}

#[test]
fn numbers_that_only_a_call_reaches() {
    for (raw, canonical) in [
        ("0212 123 00 00", "+902121230000"),
        ("+90 (216) 123 00 00", "+902161230000"),
        ("3921234567", "+903921234567"),
        ("0442 123 45 67", "+904421234567"),
        ("0850 123 45 67", "+908501234567"),
    ] {
        assert_eq!(read(raw, Channel::Call), canonical, "{raw:?}");
        assert_eq!(read(raw, Channel::Message), "landline_for_message", "{raw:?}");
    }
}

#[test]
fn numbers_that_cannot_be_read_for_certain() {
    for (raw, code) in [
        ("", "missing"),
        ("   ", "missing"),
        ("\u{200b}", "missing"),
        ("5,32E+09", "digits_lost"),
        ("5.32E+09", "digits_lost"),
        ("9,05321E+11", "digits_lost"),
        ("5E9", "digits_lost"),
        ("532123456", "too_short"),
        ("0532123456", "too_short"),
        ("+9053212345", "too_short"),
        ("1234567", "too_short"),
        ("0", "too_short"),
        ("053212345678", "too_long"),
        ("+90532123456789", "too_long"),
        ("491511234567", "too_long"),
        ("0532 123 45 67 / 68", "too_long"),
        ("0532 123 45 67 / 0533 123 45 67", "two_numbers"),
        ("05321234567;05331234567", "two_numbers"),
        ("05321234567,05331234567", "two_numbers"),
        ("05321234567\n05331234567", "two_numbers"),
        ("5321234567 5331234567", "two_numbers"),
        ("0532 123 45 67 0533 123 45 67", "two_numbers"),
        ("0532-1234567 0533-1234567", "two_numbers"),
        ("+905321234567+905331234567", "two_numbers"),
        ("0532 123 45 67 veya 0533 123 45 67", "two_numbers"),
        ("0532 123 45 67 ev", "letters"),
        ("0212 123 00 00 dahili 12", "letters"),
        ("0212 123 00 00 x12", "letters"),
        ("O532 123 45 67", "letters"),
        ("yok", "letters"),
        ("0532 *** ** 67", "masked"),
        ("0532xxx4567", "masked"),
        ("0532 XXX 45 67", "masked"),
        ("0532_123_45_67", "unexpected_character"),
        ("0532 123 45 67?", "unexpected_character"),
        ("-", "unexpected_character"),
        ("+49 151 12345678", "foreign"),
        ("0049 151 12345678", "foreign"),
        ("+1 212 555 0100", "foreign"),
        ("+5321234567", "foreign"),
        ("3338", "short_code"),
        ("112", "short_code"),
        ("444 1 234", "service_number"),
        ("0 444 1 234", "service_number"),
        ("0800 123 45 67", "service_number"),
        ("9001234567", "service_number"),
        ("1234567890", "unknown_prefix"),
        ("0632 123 45 67", "unknown_prefix"),
        ("ali@example.com", "email_for_phone"),
    ] {
        assert_eq!(read(raw, Channel::Message), code, "{raw:?}");
        assert_eq!(read(raw, Channel::Call), code, "{raw:?}");
    }
    assert_eq!(read(&"5".repeat(600), Channel::Message), "too_long");
}

#[test]
fn typed_e_mail_addresses() {
    for (raw, canonical) in [
        ("ali@ornek.com", "ali@ornek.com"),
        (" ALI.VELI@Ornek.COM ", "ali.veli@ornek.com"),
        ("INFO@ORNEK.COM.TR", "info@ornek.com.tr"),
        ("ali+liste@ornek.com", "ali+liste@ornek.com"),
        ("a_b-c@ornek.com", "a_b-c@ornek.com"),
        ("a@ab.co", "a@ab.co"),
        ("mailto:ali@ornek.com", "ali@ornek.com"),
        ("\"ali@ornek.com\"", "ali@ornek.com"),
        ("'ali@ornek.com'", "ali@ornek.com"),
        ("'ali@ornek.com", "ali@ornek.com"),
        ("ali@ornek\u{200b}.com", "ali@ornek.com"),
        ("ali@GMAİL.COM", "ali@gmail.com"),
        ("ali@gmai\u{307}l.com", "ali@gmail.com"),
        ("ali@müşteri.com.tr", "ali@xn--mteri-kva70e.com.tr"),
        ("ali@MÜŞTERİ.com.tr", "ali@xn--mteri-kva70e.com.tr"),
        ("12345@ornek.com", "12345@ornek.com"),
    ] {
        assert_eq!(read(raw, Channel::Email), canonical, "{raw:?}");
    }
}

#[test]
fn e_mail_addresses_that_are_none() {
    for (raw, code) in [
        ("", "missing"),
        ("ali", "email_without_at"),
        ("ali.ornek.com", "email_without_at"),
        ("0532 123 45 67", "phone_for_email"),
        ("ali@ornek.com; veli@ornek.com", "two_addresses"),
        ("ali@@ornek.com", "two_addresses"),
        ("ali veli@ornek.com", "email_blank"),
        ("ali@ornek .com", "email_blank"),
        ("Ali Veli <ali@ornek.com>", "email_display_name"),
        ("\"ali veli\"@ornek.com", "email_quoted"),
        ("ali(iş)@ornek.com", "email_quoted"),
        ("@ornek.com", "email_local_length"),
        ("ışıl@ornek.com", "email_non_ascii_local"),
        ("İnfo@ornek.com", "email_non_ascii_local"),
        ("o'hara@ornek.com", "email_local_character"),
        ("ali%liste@ornek.com", "email_local_character"),
        (".ali@ornek.com", "email_dots"),
        ("ali.@ornek.com", "email_dots"),
        ("ali..veli@ornek.com", "email_dots"),
        ("ali@[10.0.0.1]", "email_ip_literal"),
        ("ali@10.0.0.1", "email_ip_literal"),
        ("ali@ornek", "email_domain"),
        ("ali@", "email_domain"),
        ("ali@.com", "email_domain"),
        ("ali@ornek..com", "email_domain"),
        ("ali@-ornek.com", "email_domain"),
        ("ali@ornek_1.com", "email_domain"),
        ("ali@ornek.c", "email_domain"),
        ("ali@a.com", "email_domain"),
        ("ali@ornek.123", "email_domain"),
        ("ali@ornek.com,", "email_domain"),
    ] {
        assert_eq!(read(raw, Channel::Email), code, "{raw:?}");
    }
    assert_eq!(read(&format!("{}@ornek.com", "a".repeat(65)), Channel::Email), "email_local_length");
    assert_eq!(read(&format!("a@{}.com", "b.".repeat(124)), Channel::Email), "email_domain");
    let long =
        format!("{}@{}.com", "a".repeat(64), ["b".repeat(62), "c".repeat(62), "d".repeat(62)].join("."));
    assert_eq!(read(&long, Channel::Email), "too_long");
}

#[test]
fn a_refusal_has_the_registry_s_code_and_says_what_to_do() {
    for (raw, channel, h_code) in [
        ("", Channel::Message, "H114"),
        ("5,32E+09", Channel::Message, "H121"),
        ("ali@ornek.com", Channel::Call, "H121"),
        ("05321234567", Channel::Email, "H120"),
    ] {
        let error = Recipient::parse(raw, channel).unwrap_err();
        assert_eq!(error.h_code(), h_code);
        assert!(!error.message(Lang::Tr).is_empty() && error.message(Lang::Tr) != error.message(Lang::En));
    }
    assert_eq!(Recipient::from_canonical("ali").unwrap_err().h_code(), "H122");
}

#[test]
fn a_shown_address_is_masked() {
    for (canonical, masked) in [
        ("+905321234567", "+90 532 *** ** 67"),
        ("+4915112345678", "+49 *** ** 78"),
        ("ali@domain.com", "a***@d***.com"),
        ("ali@domain.com.tr", "a***@d***.tr"),
    ] {
        let recipient = Recipient::from_canonical(canonical).unwrap();
        assert_eq!(recipient.masked(), masked);
        assert!(format!("{recipient:?}").contains(masked) && !format!("{recipient:?}").contains(canonical));
    }
}

#[test]
fn what_the_registry_holds_is_taken_as_it_is() {
    for canonical in
        ["+905321234567", "+9005321234567", "+4915112345678", ".ali..x@a.b", "pushtest@iys.org.tr"]
    {
        assert_eq!(Recipient::from_canonical(canonical).map(|r| r.as_str().to_owned()), Ok(canonical.into()));
    }
    for other in ["05321234567", "+0532", "Ali@ornek.com", "ali@ornek", "a b@ornek.com", "", "+", "@"] {
        assert!(Recipient::from_canonical(other).is_err(), "{other:?}");
    }
}

#[test]
fn an_address_fits_what_can_reach_it() {
    let fits = |canonical: &str| {
        let recipient = Recipient::from_canonical(canonical).unwrap();
        Channel::ALL.iter().filter(|c| recipient.fits(**c)).map(|c| c.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(fits("+905321234567"), ["ARAMA", "MESAJ"]);
    assert_eq!(fits("+902121230000"), ["ARAMA"]);
    assert_eq!(fits("ali@ornek.com"), ["EPOSTA"]);
}

#[test]
fn hints_do_not_refuse() {
    let hints = |raw: &str, channel| warnings(&Recipient::parse(raw, channel).unwrap());
    assert_eq!(hints("05321234567", Channel::Message), [AddressWarning::Dummy]);
    assert_eq!(hints("05321230589", Channel::Message), []);
    assert_eq!(hints("5555555555", Channel::Message), [AddressWarning::Dummy]);
    assert_eq!(hints("5000000000", Channel::Message), [AddressWarning::Dummy]);
    assert_eq!(hints("0581 333 44 55", Channel::Message), [AddressWarning::UnassignedMobileBlock]);
    assert_eq!(hints("0850 123 00 00", Channel::Call), [AddressWarning::Number850]);
    assert_eq!(hints("0213 123 00 00", Channel::Call), [AddressWarning::UnknownAreaCode]);
    assert_eq!(hints("0212 123 00 00", Channel::Call), []);
    assert_eq!(hints("ali@gmial.com", Channel::Email), [AddressWarning::MistypedDomain]);
    assert_eq!(hints("ali@example.com", Channel::Email), [AddressWarning::ExampleDomain]);
    assert_eq!(hints("ali@gmail.com", Channel::Email), []);
    let foreign = Recipient::from_canonical("+4915112345678").unwrap();
    assert_eq!(warnings(&foreign), [AddressWarning::ForeignNumber]);
    assert!(AddressWarning::ALL.iter().all(|hint| hint.message(Lang::Tr) != hint.message(Lang::En)));
}

fn any_channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(Channel::ALL)
}

/// Texts that are nearly addresses.
fn address_like() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+0-9 ()./xX*eE,;-]{0,24}",
        "\\PC{0,40}",
        "[a-zA-ZıİşŞ0-9._+'\"<>-]{0,12}@{0,2}[a-zA-ZçİıŞ0-9.-]{0,16}",
        "(\\+90|0090|90|0)? ?\\(?[2-9][0-9]{2}\\)? ?[0-9]{3} ?[0-9]{2} ?[0-9]{2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn reading_is_total_and_settles_at_once(raw in address_like(), channel in any_channel()) {
        if let Ok(recipient) = Recipient::parse(&raw, channel) {
            prop_assert!(recipient.fits(channel));
            prop_assert_eq!(Recipient::parse(recipient.as_str(), channel), Ok(recipient.clone()));
            prop_assert_eq!(Recipient::from_canonical(recipient.as_str()), Ok(recipient.clone()));
            prop_assert!(recipient.as_str().is_ascii());
            prop_assert!(!recipient.masked().contains(recipient.as_str()));
            let _ = warnings(&recipient);
        }
    }

    #[test]
    fn whatever_is_canonical_can_be_shown(text in "\\PC{0,30}") {
        if let Ok(recipient) = Recipient::from_canonical(&text) {
            let _ = (recipient.masked(), warnings(&recipient));
        }
    }

    #[test]
    fn a_mobile_number_survives_any_usual_way_of_writing(
        subscriber in 0_u32..1_000_000_000,
        prefix in prop::sample::select(&["", "0", "90", "+90", "0090", "+90 0", "90 0", "(+90)"][..]),
        separator in prop::sample::select(&["", " ", "-", ".", "\u{a0}", "/"][..]),
    ) {
        let national = format!("5{subscriber:09}");
        let parts = [&national[..3], &national[3..6], &national[6..8], &national[8..]];
        let typed = format!("{prefix}{separator}{}", parts.join(separator));
        prop_assert_eq!(read(&typed, Channel::Message), format!("+90{national}"), "{}", typed);
    }
}
