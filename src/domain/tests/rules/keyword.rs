//! What citizens type to short numbers: every example of the data, and properties over all edits of them.

use std::collections::BTreeSet;

use kopru_domain::keyword::{fold, named_keyword, read};
use kopru_domain::{Channel, Keyword, KeywordOutcome, Line, Place, Recipient, Verbs};
use proptest::prelude::*;

const EXAMPLES: &str = include_str!("../../data/keyword-examples.csv");
const ADDRESSES: &str = include_str!("../../data/keyword-addresses.csv");

/// One line of the data.
#[derive(Clone, Debug)]
struct Example {
    text: String,
    context: String,
    outcome: KeywordOutcome,
    channels: Vec<Channel>,
}

fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn examples() -> Vec<Example> {
    let mut rows = csv::Reader::from_reader(EXAMPLES.as_bytes());
    let read = |row: csv::StringRecord| Example {
        text: row[0].to_owned(),
        context: row[1].to_owned(),
        outcome: must(row[2].parse()),
        channels: row[3].split('+').filter(|word| !word.is_empty()).map(|word| must(word.parse())).collect(),
    };
    rows.records().map(|row| read(must(row))).collect()
}

/// The engine's answer in one of the contexts of the data.
fn try_in(context: &str, text: &str) -> (KeywordOutcome, Vec<Channel>, String) {
    let (abc, verbs) = (must(Keyword::parse("ABC")), Verbs::default());
    let place = match context {
        "own" => Place::Own,
        "shared" => Place::Shared(&abc),
        "named" => Place::Named(&abc),
        other => panic!("no such context: {other}"),
    };
    let verdict = read(text, &Line { place, verbs: &verbs });
    (verdict.outcome, verdict.channels, verdict.reason.text().en.into_owned())
}

fn outcome(context: &str, text: &str) -> KeywordOutcome {
    try_in(context, text).0
}

/// Every message that is an approval, folded: written out here, apart from the engine.
fn approvals(context: &str) -> BTreeSet<String> {
    let keywords: &[&str] = match context {
        "own" => &[""],
        "shared" => &["ABC "],
        _ => &["", "ABC "],
    };
    let verbs = ["ONAY", "EVET", "KABUL", "IZIN", "ONAYLIYORUM", "ABONE"];
    let channels = ["", " SMS", " MESAJ", " ARAMA", " HEPSI", " TUM"];
    let mut all = BTreeSet::new();
    for keyword in keywords {
        for verb in verbs {
            all.extend(channels.iter().map(|channel| format!("{keyword}{verb}{channel}")));
        }
    }
    all
}

#[test]
fn every_example_has_its_outcome() {
    let wrong: Vec<String> = examples()
        .iter()
        .filter_map(|example| {
            let (outcome, channels, why) = try_in(&example.context, &example.text);
            let right = outcome == example.outcome && channels == example.channels;
            (!right).then(|| format!("{example:?}: {outcome} {channels:?}, {why}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), examples().len(), wrong.join("\n"));
}

#[test]
fn a_rejection_may_name_e_mail_addresses_and_an_approval_none() {
    let mut rows = csv::Reader::from_reader(ADDRESSES.as_bytes());
    let (abc, verbs) = (must(Keyword::parse("ABC")), Verbs::default());
    let mut wrong = Vec::new();
    for row in rows.records().map(must) {
        let words = |at: usize| row[at].split('+').filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let place = match &row[1] {
            "own" => Place::Own,
            "shared" => Place::Shared(&abc),
            _ => Place::Named(&abc),
        };
        let verdict = read(&row[0], &Line { place, verbs: &verbs });
        let channels: Vec<&str> = verdict.channels.iter().map(|channel| channel.as_str()).collect();
        let addresses: Vec<&str> = verdict.addresses.iter().map(Recipient::as_str).collect();
        if (verdict.outcome.as_str(), &channels, &addresses) != (&row[2], &words(3), &words(4)) {
            wrong.push(format!("{row:?}: {} {channels:?} {addresses:?}", verdict.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_are_many_and_no_two_are_the_same() {
    let all = examples();
    let mut seen = BTreeSet::new();
    for example in &all {
        assert!(seen.insert((&example.text, &example.context)), "twice: {example:?}");
        assert_eq!(example.channels.is_empty(), example.outcome == KeywordOutcome::Unknown, "{example:?}");
    }
    let texts: BTreeSet<&str> = all.iter().map(|example| example.text.as_str()).collect();
    assert!(texts.len() >= 400, "{} different texts", texts.len());
}

#[test]
fn a_message_names_its_keyword() {
    let keywords = ["ABC", "MODA", "CICEK"].map(|word| Keyword::parse(word).unwrap());
    let named = |text: &str| {
        named_keyword(text, &keywords, &Verbs::default()).map(|keyword| keyword.as_str().to_owned())
    };
    for (text, keyword) in [
        ("abc ret", "ABC"),
        ("RET ABC", "ABC"),
        ("lütfen ret moda", "MODA"),
        ("çiçek iptal", "CICEK"),
        ("MODARET", "MODA"),
        ("RETMODA", "MODA"),
        ("mdoa ret", "MODA"),
        ("cicekk ret", "CICEK"),
        ("çi?ek ret", "CICEK"),
        ("moda abc ret", "MODA"),
    ] {
        assert_eq!(named(text).as_deref(), Some(keyword), "{text}");
    }
    for text in ["", "ret", "ABD RET", "ret hepsi bir iki üç moda", "mesaj atmayın"] {
        assert_eq!(named(text), None, "{text}");
    }
}

/// All texts that are one insertion, deletion, substitution or exchange of neighbours away.
fn edits(text: &str) -> impl Iterator<Item = String> {
    const LETTERS: &str = "AEITONYRDLMKVZBUaıİş?. 1\u{307}👍";
    let letters: Vec<char> = text.chars().collect();
    let n = letters.len();
    let join = move |letters: &[char], from: usize, to: usize, middle: &[char]| -> String {
        letters[..from].iter().chain(middle).chain(&letters[to..]).collect()
    };
    let deleted = (0..n).map({
        let letters = letters.clone();
        move |at| join(&letters, at, at + 1, &[])
    });
    let swapped = (1..n).map({
        let letters = letters.clone();
        move |at| join(&letters, at - 1, at + 1, &[letters[at], letters[at - 1]])
    });
    let inserted = (0..=n).flat_map({
        let letters = letters.clone();
        move |at| LETTERS.chars().map(|c| join(&letters, at, at, &[c])).collect::<Vec<_>>()
    });
    let substituted = (0..n)
        .flat_map(move |at| LETTERS.chars().map(|c| join(&letters, at, at + 1, &[c])).collect::<Vec<_>>());
    deleted.chain(swapped).chain(inserted).chain(substituted)
}

#[test]
fn no_single_edit_of_a_rejection_is_an_approval() {
    // All edits of the short ones; of longer ones the property below takes samples.
    let short = |example: &&Example| {
        example.outcome == KeywordOutcome::Rejection && example.text.chars().count() <= 12
    };
    for example in examples().iter().filter(short) {
        for edited in edits(&example.text) {
            assert_ne!(
                outcome(&example.context, &edited),
                KeywordOutcome::Approval,
                "{example:?} became {edited:?}"
            );
        }
    }
}

#[test]
fn no_single_edit_of_an_approval_is_a_rejection_and_only_exact_ones_stay_approvals() {
    for context in ["own", "shared", "named"] {
        let exact = approvals(context);
        for text in &exact {
            assert_eq!(outcome(context, text), KeywordOutcome::Approval, "{context}: {text}");
            for edited in edits(text) {
                let outcome = outcome(context, &edited);
                assert_ne!(outcome, KeywordOutcome::Rejection, "{context}: {text} became {edited}");
                let expected = exact.contains(&fold(&edited));
                assert!(expected || outcome != KeywordOutcome::Approval, "{context}: {text} became {edited}");
            }
        }
    }
}

/// What people's fingers make: words of the engine and others, in any order, with marks and errors.
fn typed() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => proptest::sample::select(vec![
            "ABC", "abc", "ONAY", "onay", "EVET", "kabul", "izin", "abone", "onaylıyorum", "RET", "iptal", "istemiyorum",
            "vermiyorum", "değil", "yok", "hayır", "SMS", "arama", "hepsi", "tüm", "eposta", "lütfen", "B001",
            "0123456789012345", "onaylamıyorum", "mi", "ama", "evet", "dur", "?", "...", "👍", "\n", ">", "\"",
        ]).prop_map(str::to_owned),
        1 => "[a-zA-ZıİşŞğĞçÇöÖüÜ?.!]{0,8}",
        1 => "\\PC{0,4}",
    ];
    proptest::collection::vec(
        (word, proptest::sample::select(vec![" ", "", "  ", ", ", "-", "\u{a0}"])),
        0..6,
    )
    .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn only_an_exact_approval_is_one(text in typed()) {
        for context in ["own", "shared", "named"] {
            if outcome(context, &text) == KeywordOutcome::Approval {
                prop_assert!(approvals(context).contains(&fold(&text)), "{context}: {text}");
            }
        }
    }

    #[test]
    fn no_edit_of_anything_refused_is_an_approval(text in typed(), which in any::<proptest::sample::Index>()) {
        let edited: Vec<String> = edits(&text).collect();
        let edited = which.get(&edited);
        for context in ["own", "shared", "named"] {
            if outcome(context, &text) == KeywordOutcome::Rejection {
                prop_assert_ne!(outcome(context, edited), KeywordOutcome::Approval, "{}: {:?} became {:?}", context, text, edited);
            }
        }
    }

    #[test]
    fn no_edit_of_an_example_of_rejection_is_an_approval(
        example in proptest::sample::select(examples()),
        which in any::<proptest::sample::Index>(),
    ) {
        let edited: Vec<String> = edits(&example.text).collect();
        if example.outcome == KeywordOutcome::Rejection {
            prop_assert_ne!(outcome(&example.context, which.get::<String>(&edited)), KeywordOutcome::Approval, "{:?}", example);
        }
    }

    #[test]
    fn a_plain_verb_of_rejection_in_front_always_refuses(rest in "\\PC{0,40}", verb in proptest::sample::select(vec!["RET", "iptal", "İPTAL", "istemiyorum", "STOP"])) {
        for context in ["own", "shared", "named"] {
            prop_assert_eq!(outcome(context, &format!("{verb} {rest}")), KeywordOutcome::Rejection);
        }
    }

    #[test]
    fn folding_twice_is_folding_once_and_nothing_panics(text in any::<String>(), more in typed()) {
        for text in [text, more] {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
            for context in ["own", "shared", "named"] {
                let (outcome, channels, why) = try_in(context, &text);
                prop_assert_eq!(channels.is_empty(), outcome == KeywordOutcome::Unknown);
                prop_assert!(!why.is_empty());
            }
        }
    }
}
