//! Random loads. All times are slots: the instants at which the budget lets one request go.

use crate::support::Dice;

/// Slots that the program may lose between two looks at the queue, without any surprise: the life of a forecast is one, and
/// singles that are in hand take some more.
pub const MARGIN: u32 = 4;
/// Singles that two claimers may have in hand, but for the one that goes next: so many slots pass before something that arrives
/// can be claimed, whatever its target.
const IN_HAND: u32 = 5;
/// Brands of a case at most, spread over two providers.
pub const BRANDS: usize = 5;
/// No case takes longer.
pub const SLOTS: u32 = 300;

/// One consent to be filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub brand: usize,
    pub rejection: bool,
    /// Known from this slot on.
    pub arrival: u32,
    /// Filed in time up to this slot.
    pub target: u32,
}

/// A case.
#[derive(Debug, Clone)]
pub struct Load {
    pub items: Vec<Item>,
    pub items_per_request: u32,
    /// Slots of the reserve.
    pub reserve: u32,
    /// Percent of the budget that may be counted on.
    pub share: u32,
    /// Slots in which the registry cannot be reached: from, up to.
    pub outage: Option<(u32, u32)>,
    /// A brand that is held, up to this slot.
    pub held: Option<(usize, u32)>,
    /// Which of two claimers has each slot.
    pub claimers: Vec<usize>,
}

impl Load {
    /// The case of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = &mut Dice(seed);
        let items_per_request = dice.between(1, 4);
        let reserve = dice.between(MARGIN, 12);
        let mut surprise = reserve - MARGIN;
        let brands = dice.between(1, BRANDS as u32);
        let count = dice.between(1, 5 + 4 * items_per_request);
        // How far targets lie off: just as far as the work needs, or so far that all are safe.
        let work = count / items_per_request + 2;
        let horizon = match dice.between(0, 3) {
            0 => work,
            1 => work * 2,
            2 => work * 2 + reserve,
            _ => work * 4 + reserve * 2,
        };
        let crowd = if dice.percent(30) { 80 } else { 0 };
        let item = |dice: &mut Dice, arrival: u32| Item {
            brand: if dice.percent(crowd) { 0 } else { dice.below(brands) },
            rejection: dice.percent(40),
            arrival,
            target: arrival + dice.between(1, horizon),
        };
        let mut items: Vec<Item> = (0..count).map(|_| item(dice, 0)).collect();
        let outage = (surprise > 0 && dice.percent(40)).then(|| {
            let (from, long) = (dice.between(0, work), dice.between(1, surprise));
            surprise -= long;
            (from, from + long)
        });
        let held = dice.percent(25).then(|| (dice.below(brands), dice.between(1, work)));
        let late_comers = if dice.percent(50) { surprise } else { 0 };
        for _ in 0..late_comers {
            let arrival = dice.between(1, work);
            items.push(item(dice, arrival));
        }
        let claimers = (0..SLOTS).map(|_| dice.below(2)).collect();
        let share = if dice.percent(70) { 100 } else { 50 };
        Self { items, items_per_request, reserve, share, outage, held, claimers }
    }

    /// From when on an item can be filed.
    pub fn ready(&self, item: &Item) -> u32 {
        match self.held {
            Some((brand, until)) if brand == item.brand => item.arrival.max(until),
            _ => item.arrival,
        }
    }

    /// Whether the registry cannot be reached in a slot.
    pub fn is_down(&self, slot: u32) -> bool {
        self.outage.is_some_and(|(from, to)| (from..to).contains(&slot))
    }

    /// Whether something arrives with so little time left that what is in hand lets it miss its target: no order helps that.
    pub fn is_sudden(&self) -> bool {
        self.items.iter().any(|item| item.arrival > 0 && item.target < item.arrival + IN_HAND)
    }

    /// How many slots of work or silence came after the first slot, when `silent` slots had no registry: what the reserve is for.
    pub fn surprises(&self, silent: u32) -> u32 {
        silent + self.items.iter().filter(|item| self.ready(item) > 0).count() as u32
    }
}
