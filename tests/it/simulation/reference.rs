//! The strict order, as plainly as it can be written: in each slot the brand that owns the earliest open target sends up to so
//! many of its items, earliest target first; RET wins ties, then the lower numbers. It shares nothing with the program.

use super::load::{Item, Load, SLOTS};
use super::world::provider;

/// In which slot each item is filed.
pub fn strict_order(load: &Load, silent: impl Fn(u32) -> bool) -> Vec<Option<u32>> {
    let mut filed: Vec<Option<u32>> = vec![None; load.items.len()];
    for slot in 0..SLOTS {
        if silent(slot) {
            continue;
        }
        let open = |place: &usize| filed[*place].is_none() && load.ready(&load.items[*place]) <= slot;
        for place in next_request(load, (0..load.items.len()).filter(open).collect()) {
            filed[place] = Some(slot);
        }
    }
    filed
}

/// The items of the next request out of those that are open.
fn next_request(load: &Load, mut open: Vec<usize>) -> Vec<usize> {
    let order = |place: &usize| {
        let Item { target, rejection, brand, .. } = load.items[*place];
        (target, !rejection, provider(brand), brand, *place)
    };
    open.sort_by_key(order);
    let Some(first) = open.first() else { return open };
    let brand = load.items[*first].brand;
    open.retain(|place| load.items[*place].brand == brand);
    open.truncate(load.items_per_request as usize);
    open
}

/// Whether the strict order would file these items in time if it began `start` slots from `slot`, with so many percent of the
/// budget, and nothing else came.
pub fn safe(load: &Load, mut open: Vec<usize>, slot: u32, start: u32, share: u32) -> bool {
    let mut requests = 0;
    while !open.is_empty() {
        requests += 1;
        let taken = next_request(load, open.clone());
        // The n-th request is accepted n slots after its start.
        let accepted = f64::from(slot + start) + f64::from(requests) * 100.0 / f64::from(share);
        if taken.iter().any(|place| accepted > f64::from(load.items[*place].target) + 0.5) {
            return false;
        }
        open.retain(|place| !taken.contains(place));
    }
    true
}
