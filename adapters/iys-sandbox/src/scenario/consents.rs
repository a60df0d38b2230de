//! Consents that are recorded when a simulator begins: listed ones and made-up ones.

use sha2::{Digest, Sha256};

use super::ScenarioError;
use super::file::{ConsentEntry, Generated};
use crate::address;
use crate::draft::{Consent, Key};
use crate::error::Result;
use crate::registry::Desk;
use crate::registry::add::{self, Place};
use crate::rules::state::{STATE, StateCase};
use crate::store::consents::{Origin, find_current};
use crate::store::providers;
use crate::wire_time;
use crate::words::{Channel, REGISTRY_SOURCES, Status, provider_source};

const DAY: i64 = 24 * 60 * 60;
/// How long after its date a made-up consent was recorded, in seconds.
const RECORDED_AFTER: i64 = 90;

/// Records what the file lists.
pub(super) fn put_listed(desk: &Desk<'_>, entries: &[ConsentEntry]) -> Result<()> {
    for (place, entry) in entries.iter().enumerate() {
        let wrong = |key: &str, tr: String, en: String| {
            ScenarioError::invalid(format!("consents[{}].{key}", place + 1), tr, en)
        };
        let Some(brand) = providers::find_brand(desk.db, entry.brand_code)? else {
            let code = entry.brand_code;
            let (tr, en) = (format!("{code} numaralı marka yok"), format!("there is no brand {code}"));
            return Err(wrong("brandCode", tr, en).into());
        };
        let policy = desk.settings.settings.address_policy();
        let recipient = address::stored(&entry.recipient);
        if let Some((tr, en)) = address::misfit(&recipient, entry.r#type, policy) {
            return Err(wrong("recipient", tr, en).into());
        }
        let is_registry = desk.settings.settings.takes_registry_source(&entry.source);
        if !is_registry && provider_source(&entry.source).is_none() {
            let known = REGISTRY_SOURCES.join(", ");
            let tr = format!("HS_WEB gibi bir HS_ değeri ya da şunlardan biri olmalı: {known}");
            let en = format!("wants HS_WEB and the like, or one of {known}");
            return Err(wrong("source", tr, en).into());
        }
        let date = match entry.consent_date.as_deref().map(wire_time::read) {
            None => desk.now(),
            Some(Ok(date)) if date <= desk.now() => date,
            Some(_) => {
                let (tr, en) = (
                    "geçmiş bir an olmalı: 2026-11-20 10:05:00",
                    "wants a past instant: 2026-11-20 10:05:00",
                );
                return Err(wrong("consentDate", tr.to_owned(), en.to_owned()).into());
            }
        };
        let key = Key { recipient, recipient_type: entry.recipient_type, channel: entry.r#type };
        let consent = consent(key, entry.status, entry.source.clone(), date);
        let place = Place { iys_code: brand.iys_code, brand_code: brand.code };
        if let Err((code, message)) = put(desk, place, &consent, is_registry)? {
            let (tr, en) =
                (format!("{code}: {message}"), format!("the registry would refuse it with {code}"));
            return Err(wrong("status", tr, en).into());
        }
    }
    Ok(())
}

fn consent(key: Key, status: Status, source: String, date: i64) -> Consent {
    Consent {
        key,
        status,
        source: Some(source),
        date: Some(date),
        retailer_code: None,
        retailer_access: Vec::new(),
    }
}

/// Records a consent as if it had come some time ago, or gives the code and the sentence with which the registry would
/// have refused it. What the citizen does is never refused.
fn put(
    desk: &Desk<'_>,
    place: Place,
    consent: &Consent,
    is_registry: bool,
) -> Result<Result<(), (&'static str, String)>> {
    let current = find_current(desk.db, place.brand_code, &consent.key)?;
    if !is_registry {
        let case = StateCase { consent, current: current.as_ref() };
        if let Err(refusal) = desk.settings.first(STATE, |check| check(&case)) {
            let first = refusal.errors.into_iter().next();
            return Ok(Err(first.map(|item| (item.code, item.message)).unwrap_or_default()));
        }
    }
    let is_new = add::is_new_address(desk.db, place, consent, current.as_ref())?;
    let origin = Origin { is_registry, ..Origin::default() };
    let recorded_at = consent.date.map_or(desk.now(), |date| desk.now().min(date + RECORDED_AFTER));
    add::put(desk, place, consent, current.as_ref(), is_new, &origin, recorded_at)?;
    Ok(Ok(()))
}

/// Records made-up consents for each brand of a provider: the same seed makes the same addresses.
pub(super) fn generate(desk: &Desk<'_>, seed: u64, iys_code: i64, wanted: &Generated) -> Result<()> {
    for brand in providers::list_brands(desk.db, iys_code)? {
        let place = Place { iys_code, brand_code: brand.code };
        for number in 0..wanted.count {
            for channel in &wanted.types {
                generate_one(desk, place, &Dice::new(seed, brand.code, number, *channel), number, wanted)?;
            }
        }
    }
    Ok(())
}

fn generate_one(desk: &Desk<'_>, place: Place, dice: &Dice, number: u32, wanted: &Generated) -> Result<()> {
    const SOURCES: [&str; 4] = ["HS_WEB", "HS_MOBIL", "HS_FIZIKSEL_ORTAM", "HS_CAGRI_MERKEZI"];
    let recipient = match dice.channel {
        Channel::Email => format!("kisi{:07}@posta.example", dice.address(number)),
        Channel::Call | Channel::Message => format!("+90555{:07}", dice.address(number)),
    };
    let key = Key { recipient, recipient_type: wanted.recipient_type, channel: dice.channel };
    // The last day is left free, so that a rejection can follow.
    let age = DAY + dice.roll(0, i64::from(wanted.days.max(1)) * DAY);
    let source = SOURCES[dice.roll(1, 4) as usize].to_owned();
    let given = consent(key.clone(), Status::Approval, source, desk.now() - age);
    record(desk, place, &given, false)?;
    if dice.roll(2, 100) < i64::from(wanted.rejected_percent) {
        let by_citizen = dice.roll(3, 2) == 0;
        let source = if by_citizen { "IYS_MOBIL" } else { "HS_CAGRI_MERKEZI" }.to_owned();
        let date = desk.now() - dice.roll(4, age - RECORDED_AFTER - 1) - 1;
        record(desk, place, &consent(key, Status::Rejection, source, date), by_citizen)?;
    }
    Ok(())
}

/// Records what has no reason to be refused.
fn record(desk: &Desk<'_>, place: Place, consent: &Consent, is_registry: bool) -> Result<()> {
    put(desk, place, consent, is_registry)?.map_err(|(code, message)| {
        ScenarioError::invalid(
            "generated",
            format!("{code}: {message}"),
            format!("the registry would refuse {} with {code}", consent.key.recipient),
        )
        .into()
    })
}

/// What chance decides about one consent, always the same for the same consent.
struct Dice {
    channel: Channel,
    /// Of the brand: where its addresses begin.
    start: u64,
    rolled: [u8; 32],
}

impl Dice {
    fn new(seed: u64, brand_code: i64, number: u32, channel: Channel) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(brand_code.to_be_bytes());
        let start = word(&hash.clone().finalize(), 0);
        hash.update(number.to_be_bytes());
        hash.update(channel.as_str().as_bytes());
        Self { channel, start, rolled: hash.finalize().into() }
    }

    /// Seven digits that no other number of this brand has: an odd step that is no multiple of five goes through all.
    fn address(&self, number: u32) -> u64 {
        const ALL: u64 = 10_000_000;
        (self.start % ALL + u64::from(number) * 7_654_321) % ALL
    }

    /// A number below `end`, by the place of the die.
    fn roll(&self, place: usize, end: i64) -> i64 {
        let word = word(&self.rolled, place) % u64::try_from(end).unwrap_or(1).max(1);
        word as i64
    }
}

/// Some bytes of a hash as a number; places overlap beyond the fourth.
fn word(hash: &[u8], place: usize) -> u64 {
    let from = (place * 6) % 25;
    hash.iter().skip(from).take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn addresses_of_a_brand_are_all_different() {
        let address = |number| Dice::new(1, 600_100, number, Channel::Message).address(number);
        let all: HashSet<u64> = (0..5000).map(address).collect();
        assert_eq!(all.len(), 5000);
    }

    #[test]
    fn chance_is_the_same_for_the_same_consent_and_differs_with_the_seed() {
        let rolls = |seed| {
            let dice = Dice::new(seed, 600_100, 7, Channel::Email);
            ([0, 1, 2, 3, 4].map(|place| dice.roll(place, 1_000_000)), dice.address(7))
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
    }
}
