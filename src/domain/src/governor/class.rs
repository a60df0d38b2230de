//! Who goes first when requests wait for their turn.

use crate::words::words;

words! {
    /// Why the registry is asked. What is declared first goes first.
    pub enum CallClass("class of a call") {
        /// A token: without one nothing else goes.
        Login = "login",
        /// Filing, and what has to be asked before or after it. Among filings the queue decides (design.md section 4.5).
        Filing = "filing",
        /// The result of a batch.
        BatchResult = "batch_result",
        /// A pull that is close to the end of the feed's window: what it misses nobody tells again.
        UrgentPull = "urgent_pull",
        /// Somebody waits for the answer.
        Person = "person",
        /// Ordinary pulls, sweeps, reconciliation and whatever else has time.
        Background = "background",
    }
}

/// One slot in so many goes by the time of waiting instead of the class, so that no class waits for ever.
const OPEN_EVERY: u64 = 10;

impl CallClass {
    /// Its place: 0 goes first.
    pub fn rank(self) -> i64 {
        Self::ALL.iter().position(|class| *class == self).map_or(i64::MAX, |rank| rank as i64)
    }
}

/// The classes of the requests that wait in one process, by rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of the one that goes first.
    pub first: i64,
    /// Of the one that goes last.
    pub last: i64,
}

/// Inside a process: which of the waiting requests gets the `turn`-th turn. `waiting` holds class and ticket; tickets are
/// given out in order of arrival.
pub fn next_in_line(waiting: impl Iterator<Item = (CallClass, u64)>, turn: u64) -> Option<(CallClass, u64)> {
    if turn.is_multiple_of(OPEN_EVERY) { waiting.min_by_key(|(_, ticket)| *ticket) } else { waiting.min() }
}

/// Between processes: whether a request of this class may draw the `slot`-th slot while these wait in the others. Ordinary
/// slots go to the highest class, every tenth to the lowest.
pub fn may_draw(class: CallClass, others: &[Waiting], slot: u64) -> bool {
    let rank = class.rank();
    if slot.is_multiple_of(OPEN_EVERY) {
        others.iter().all(|other| other.last <= rank)
    } else {
        others.iter().all(|other| other.first >= rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_classes_is_their_rank() {
        assert!(CallClass::ALL.is_sorted_by_key(|class| class.rank()));
        assert!(CallClass::Filing < CallClass::BatchResult && CallClass::Person < CallClass::Background);
    }

    #[test]
    fn a_turn_goes_to_the_class_and_every_tenth_to_the_one_that_waited_longest() {
        let waiting = [(CallClass::Background, 1), (CallClass::Filing, 3), (CallClass::Filing, 2)];
        for turn in 1..10 {
            assert_eq!(next_in_line(waiting.into_iter(), turn), Some((CallClass::Filing, 2)));
        }
        assert_eq!(next_in_line(waiting.into_iter(), 10), Some((CallClass::Background, 1)));
        assert_eq!(next_in_line(std::iter::empty(), 1), None);
    }

    #[test]
    fn a_lower_class_leaves_the_slot_to_another_process_and_gets_every_tenth() {
        let (filing, background) = (CallClass::Filing, CallClass::Background);
        let busy = [Waiting { first: filing.rank(), last: filing.rank() }];
        let idle = [Waiting { first: background.rank(), last: background.rank() }];
        assert!(!may_draw(background, &busy, 3) && may_draw(filing, &idle, 3));
        assert!(may_draw(background, &busy, 10) && !may_draw(filing, &idle, 10));
        assert!(may_draw(filing, &busy, 3) && may_draw(filing, &busy, 10), "equals share");
        assert!(may_draw(background, &[], 3));
    }

    /// Whoever waits, somebody may draw: no slot can be refused to everybody.
    #[test]
    fn of_any_processes_one_may_draw() {
        for slot in 1..=10 {
            for one in CallClass::ALL {
                for other in CallClass::ALL {
                    let waits = |class: CallClass| [Waiting { first: class.rank(), last: class.rank() }];
                    assert!(
                        may_draw(*one, &waits(*other), slot) || may_draw(*other, &waits(*one), slot),
                        "{one} {other} {slot}"
                    );
                }
            }
        }
    }
}
