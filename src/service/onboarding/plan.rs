//! What follows from what the registry says, compared with what is known here. Decides and does nothing.

use std::collections::{BTreeMap, HashMap};

use kopru_domain::{BrandCode, BrandRights, Channel, Code, HeldCause, IysCode};
use kopru_store::brands::BrandRow;
use kopru_store::holds::HoldRow;
use kopru_store::providers::ProviderRow;
use kopru_store::subscriptions::SubscriptionRow;

use super::ask::{Told, ToldBrand};
use super::report::{SyncItem, SyncReport};

/// What is known here of one provider.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub provider: Option<ProviderRow>,
    pub brands: BTreeMap<BrandCode, BrandRow>,
    pub rights: HashMap<BrandCode, BrandRights>,
    pub subscription: Option<SubscriptionRow>,
    pub holds: HashMap<(BrandCode, Channel), HoldRow>,
}

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    AddProvider(String),
    RenameProvider(String),
    AddBrand(BrandCode, String),
    RenameBrand(BrandCode, String),
    SaveRights(BrandCode, BrandRights),
    SaveSubscription(SubscriptionRow),
    Hold(BrandCode, Channel, HeldCause, Code),
    Lift(BrandCode, Channel),
}

/// How far a sync goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reach<'a> {
    /// The code with which the partner's own subscription stops its filings.
    pub partner: Option<&'a Code>,
    /// Only brands that are here already.
    pub known_only: bool,
}

struct Planner<'a> {
    provider: IysCode,
    known: &'a Known,
    acts: Vec<Act>,
    report: SyncReport,
}

/// Compares. Nothing is ever deleted, and nothing done for what was disabled here.
pub(super) fn plan(
    provider: IysCode,
    known: &Known,
    told: &Told,
    reach: Reach<'_>,
) -> (Vec<Act>, SyncReport) {
    let mut planner = Planner { provider, known, acts: Vec::new(), report: SyncReport::default() };
    let absent = known.provider.is_none();
    if known.provider.as_ref().is_some_and(|row| !row.active) || (absent && reach.known_only) {
        return (planner.acts, planner.report);
    }
    let nothing = BTreeMap::new();
    let brands = told.brands.as_ref().unwrap_or(&nothing);
    if absent && brands.is_empty() {
        return (planner.acts, planner.report);
    }
    planner.report.providers = 1;
    planner.report.brands = brands.len();
    planner.provider(told.title.as_deref());
    planner.subscription(told.subscription.as_ref());
    if !reach.known_only {
        planner.new_brands(brands);
    }
    planner.known_brands(told, brands, reach);
    (planner.acts, planner.report)
}

impl Planner<'_> {
    fn provider(&mut self, title: Option<&str>) {
        let title = title.and_then(usable);
        let item = SyncItem::of(self.provider);
        match (&self.known.provider, title) {
            (None, title) => {
                let title = title.unwrap_or_else(|| self.provider.to_string());
                self.report.created.push(item.named(&title));
                self.acts.push(Act::AddProvider(title));
            }
            (Some(row), Some(title)) if row.title != title => {
                self.report.changed.push(item.field("title", Some(&row.title), &title));
                self.acts.push(Act::RenameProvider(title));
            }
            _ => {}
        }
    }

    fn subscription(&mut self, told: Option<&SubscriptionRow>) {
        let Some(told) = told else { return };
        let before = self.known.subscription.as_ref().map(|row| row.status.as_str());
        let is_news = before.map_or(told.code.is_some(), |before| before != told.status);
        if is_news && self.known.provider.is_some() {
            let item = SyncItem::of(self.provider).field("subscription", before, &told.status);
            self.report.changed.push(item);
        }
        self.acts.push(Act::SaveSubscription(told.clone()));
    }

    fn new_brands(&mut self, told: &BTreeMap<BrandCode, ToldBrand>) {
        for (code, brand) in told.iter().filter(|(code, _)| !self.known.brands.contains_key(code)) {
            let name = usable(&brand.name).unwrap_or_else(|| code.to_string());
            self.report.created.push(SyncItem::brand(self.provider, *code).named(&name));
            self.acts.push(Act::AddBrand(*code, name));
        }
    }

    fn known_brands(&mut self, told: &Told, brands: &BTreeMap<BrandCode, ToldBrand>, reach: Reach<'_>) {
        let codes = self.known.brands.iter().filter(|(_, row)| row.active).map(|(code, _)| *code);
        let new = brands.keys().filter(|code| !self.known.brands.contains_key(code) && !reach.known_only);
        let codes: Vec<BrandCode> = codes.chain(new.copied()).collect();
        for code in codes {
            let before = self.known.rights.get(&code).copied();
            let after = match (&told.brands, brands.get(&code)) {
                (_, Some(brand)) => Some(brand.rights),
                (Some(_), None) => Some(BrandRights::NONE),
                (None, None) => before.or(told.by_default),
            };
            let Some(after) = after else { continue };
            if let (Some(row), Some(name)) =
                (self.known.brands.get(&code), brands.get(&code).and_then(|brand| usable(&brand.name)))
                && row.name != name
            {
                let item = SyncItem::brand(self.provider, code).field("name", Some(&row.name), &name);
                self.report.changed.push(item);
                self.acts.push(Act::RenameBrand(code, name));
            }
            if let Some(before) = before {
                self.report.rights_changed(self.provider, code, before, after);
            }
            self.acts.push(Act::SaveRights(code, after));
            self.holds(code, before, after, told.subscription.as_ref(), reach.partner);
        }
    }

    fn holds(
        &mut self,
        brand: BrandCode,
        before: Option<BrandRights>,
        after: BrandRights,
        told: Option<&SubscriptionRow>,
        partner: Option<&Code>,
    ) {
        let code = |row: Option<&SubscriptionRow>| row.and_then(|row| row.code.clone()).map(Code::new);
        let was = code(self.known.subscription.as_ref());
        let is = partner.cloned().or_else(|| code(told.or(self.known.subscription.as_ref())));
        // Whether it was fine by the list before: then what a filing was refused for is not what the list tells.
        let was_fine = |channel| {
            let known = before.filter(|_| self.known.subscription.is_some());
            known.is_some_and(|rights| rights.stop(was.as_ref(), channel).is_none())
        };
        for channel in Channel::ALL.iter().copied() {
            let standing = self.known.holds.get(&(brand, channel));
            match (after.stop(is.as_ref(), channel), standing) {
                (Some((cause, code)), standing) => {
                    let as_before = standing.is_some_and(|hold| {
                        hold.listed && hold.cause == cause.as_str() && hold.code == code.as_str()
                    });
                    if !as_before {
                        let item = SyncItem::brand(self.provider, brand).on(channel).because(cause, &code);
                        self.report.held.push(item);
                    }
                    self.acts.push(Act::Hold(brand, channel, cause, code));
                }
                (None, Some(hold)) if hold.cause != HeldCause::Quota.as_str() => {
                    if hold.listed || !was_fine(channel) {
                        self.report.released.push(SyncItem::brand(self.provider, brand).on(channel));
                        self.acts.push(Act::Lift(brand, channel));
                    }
                }
                (None, _) => {}
            }
        }
    }
}

/// A name of the registry as it is kept here: one line, not too long; nothing where there is nothing in it.
fn usable(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let name: String = words.join(" ").trim().chars().take(super::LONGEST_NAME).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
