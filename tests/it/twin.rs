//! The domain's twin of the registry against the registry sandbox, whose rules are another hand's.
//!
//! Random histories of one key are told to both. Before each filing the domain is asked
//! (`check_shape`, `judge`) with no more than the registry has confirmed so far; then it is filed,
//! and both must have come to the same end: `File` is taken, `Refuse` and `NotNeeded` are refused with
//! that very code, `Expired` is H467. The sandbox reads "three business days" in each of its three
//! ways. Its clock stands at instants where readings part: before holidays, at the ends of days.
//!
//! What is not asked to be equal, and why:
//!
//! * **The gap.** The twin calls an approval too late only after the most lenient reading, and a
//!   rejection never (design.md sections 4.3 and 4.6). Where the registry reads more strictly, the twin
//!   says `File` and the registry H467. Still nothing goes unchecked: H467 must come exactly when the
//!   domain's own calendar says that the registry's reading has passed (`Reading::end`).
//! * **Masks.** Where several rules fit, the registry names the first in its order, or all that concern
//!   fields, and the twin one of its own choice, preferring those after which nothing needs to be done
//!   (`agreement::MASKS`). There the registry is asked again without the rule that spoke first, until
//!   the twin's code shows; a filing that is taken then, or refused for another reason, is a
//!   disagreement.
//! * **Ignorance.** Some histories begin with a registry nobody asked. Until it has confirmed
//!   something, the twin says nothing about its state (`agreement::STATE_CODES`); what it does say must
//!   hold.
//! * **The idempotent method** answers a body it has taken before with the first transaction, whatever
//!   the rules say. That answer must not move what is known (design.md section 4.2).
//! * **Several movements at once.** The bridge has one movement of a key in flight, a second apart from
//!   the last, so nothing is ever "on its way" here. The domain's own tests have these interleavings.
//! * **Addresses** are canonical and of kinds that both sides take; `typed` has the others.
//!
//! The registry counts in whole seconds, so the verdict is asked at both ends of the running one.

mod agreement;
mod history;
mod telling;
mod typed;
mod world;

use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::{Builder, Runtime};

use self::agreement::Reading;
use self::history::{History, history};
use self::telling::{Tally, Telling};
use crate::support::scaled;

/// Tells as many histories as given to both sides, with some rules of the sandbox taken out.
fn tell(
    config: Config,
    reading: Reading,
    without: &[&'static str],
) -> (BTreeMap<String, usize>, Result<(), TestError<History>>) {
    let tally = Tally::default();
    let runtime = runtime();
    let told = TestRunner::new(config).run(&history(), |history| {
        let telling = async { Telling::begin(&history, reading, without, &tally).await.tell().await };
        runtime.block_on(telling).map_err(TestCaseError::fail)
    });
    (tally.into_inner(), told)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Histories of one reading, where there is little time.
const GATE: u32 = 180;

/// How many histories: `gate`, or twenty times as many with `KOPRU_TEST_SCALE=full`.
fn config(gate: u32) -> Config {
    let mut config = Config {
        cases: scaled(gate, 20 * gate),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(getrandom::u64().expect("a random number"));
    }
    config
}

/// What happens often enough to be asked for in every run: without it the histories are worth little.
const SEEN: &str = "taken, expired, citizen, closed line, uninformed, repeated, H112, H113, H119, H155, H162, \
    H174, H175, H178, H408, H462, H174 behind H467, H175 behind H467, H178 behind H467, H175 behind H486, \
    H463 behind H462";

fn they_agree(reading: Reading) {
    let config = config(GATE);
    let seed = config.rng_seed;
    let (tally, told) = tell(config, reading, &[]);
    if let Err(error) = told {
        panic!("PROPTEST_RNG_SEED={seed}: {error}");
    }
    println!("{reading:?}: {tally:?}");
    let missing: Vec<&str> = SEEN.split(", ").filter(|what| !tally.contains_key(*what)).collect();
    assert!(missing.is_empty(), "{missing:?} never happened (PROPTEST_RNG_SEED={seed}): {tally:?}");
}

#[test]
fn they_agree_where_the_registry_counts_to_the_same_time_of_day() {
    they_agree(Reading::Exact);
}

#[test]
fn they_agree_where_the_registry_counts_to_the_end_of_the_day() {
    they_agree(Reading::Legal);
}

#[test]
fn they_agree_where_the_registry_does_not_count_half_days() {
    they_agree(Reading::Latest);
}

/// The rules of the sandbox that the domain claims to know. H486 is not among them: the twin says H175
/// of what it refuses.
const KNOWN_RULES: &[&str] = &[
    "consent_date_missing",
    "source_missing",
    "source_unknown",
    "date_before_may_2015",
    "hs_2015_has_one_date",
    "date_in_future",
    "three_business_days",
    "own_decision_only_rejects",
    "first_record_rejects",
    "merchant_update_without_date",
    "merchant_update_without_source",
    "rejection_on_rejection",
    "date_not_after_the_recorded_one",
    "v2_repeat",
];

#[test]
fn they_disagree_as_soon_as_the_registry_loses_any_rule() {
    for rule in KNOWN_RULES {
        assert!(iys_sandbox::rules().iter().any(|known| known.name == *rule), "no rule is called {rule}");
        let config = Config { max_shrink_iters: 0, ..config(10 * GATE) };
        let seed = config.rng_seed;
        let (tally, told) = tell(config, Reading::Legal, &[rule]);
        assert!(
            matches!(told, Err(TestError::Fail(..))),
            "nobody misses {rule} (PROPTEST_RNG_SEED={seed}): {tally:?}"
        );
    }
}
