//! The line in which a process's requests wait for their turn at the pace: by class, and inside a class by arrival.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kopru_domain::governor::{CallClass, Waiting, next_in_line};
use tokio::sync::oneshot;

/// The line. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Line(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    tickets: u64,
    turns: u64,
    taken: bool,
    waiting: BTreeMap<(CallClass, u64), oneshot::Sender<Turn>>,
}

/// The one turn there is. Dropped, it goes to the next in line.
#[derive(Debug)]
pub(super) struct Turn(Line);

/// Somebody's place in the line; dropped, it is free.
struct Place<'a> {
    line: &'a Line,
    key: (CallClass, u64),
}

impl Line {
    /// A ticket: among equals the lower one goes first, also after it has let others go before.
    pub fn ticket(&self) -> u64 {
        let mut state = self.lock();
        state.tickets += 1;
        state.tickets
    }

    /// Waits for the turn.
    pub async fn turn(&self, class: CallClass, ticket: u64) -> Turn {
        let key = (class, ticket);
        loop {
            let receiver = {
                let mut state = self.lock();
                if !state.taken {
                    state.taken = true;
                    state.turns += 1;
                    return Turn(self.clone());
                }
                let (sender, receiver) = oneshot::channel();
                state.waiting.insert(key, sender);
                receiver
            };
            let _place = Place { line: self, key };
            if let Ok(turn) = receiver.await {
                return turn;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The classes of those who wait behind, if anybody does.
    pub fn behind(&self) -> Option<Waiting> {
        let state = self.0.lock();
        let ((first, _), (last, _)) = (state.waiting.first_key_value()?.0, state.waiting.last_key_value()?.0);
        Some(Waiting { first: first.rank(), last: last.rank() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            let turn = state.turns + 1;
            let next = next_in_line(state.waiting.keys().copied(), turn);
            let sender = next.and_then(|key| state.waiting.remove(&key));
            if sender.is_some() {
                state.turns = turn;
            } else {
                state.taken = false;
            }
            sender
        };
        if let Some(sender) = next {
            // Who has left the line meanwhile drops it in turn.
            drop(sender.send(Turn(self.0.clone())));
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.lock().waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    async fn taken(line: &Line, class: CallClass) -> Turn {
        let ticket = line.ticket();
        line.turn(class, ticket).await
    }

    #[tokio::test]
    async fn the_turn_goes_by_class_and_then_by_arrival() {
        let line = Line::default();
        let first = taken(&line, CallClass::Background).await;
        let mut pull = Box::pin(taken(&line, CallClass::Background));
        let mut one = Box::pin(taken(&line, CallClass::Filing));
        let mut two = Box::pin(taken(&line, CallClass::Filing));
        assert!(pull.as_mut().now_or_never().is_none());
        assert!(one.as_mut().now_or_never().is_none());
        assert!(two.as_mut().now_or_never().is_none());
        let ranks = Waiting { first: CallClass::Filing.rank(), last: CallClass::Background.rank() };
        assert_eq!(first.behind(), Some(ranks));
        drop(first);
        assert!(pull.as_mut().now_or_never().is_none());
        assert!(two.as_mut().now_or_never().is_none());
        drop(one.await);
        assert!(pull.as_mut().now_or_never().is_none());
        drop(two.await);
        assert_eq!(pull.await.behind(), None);
    }

    #[tokio::test]
    async fn who_leaves_the_line_takes_no_turn_along() {
        let line = Line::default();
        let first = taken(&line, CallClass::Filing).await;
        let mut gone = Box::pin(taken(&line, CallClass::Filing));
        let mut next = Box::pin(taken(&line, CallClass::Background));
        assert!(gone.as_mut().now_or_never().is_none());
        assert!(next.as_mut().now_or_never().is_none());
        // It is this one's turn, and it never looks.
        drop(first);
        drop(gone);
        drop(next.await);
        drop(taken(&line, CallClass::Background).await);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let line = Line::default();
        let mut turn = taken(&line, CallClass::Filing).await;
        let mut pull = Box::pin(taken(&line, CallClass::Background));
        assert!(pull.as_mut().now_or_never().is_none());
        let mut turns = 0;
        loop {
            let mut filing = Box::pin(taken(&line, CallClass::Filing));
            assert!(filing.as_mut().now_or_never().is_none());
            drop(turn);
            turns += 1;
            if pull.as_mut().now_or_never().is_some() {
                break;
            }
            turn = filing.await;
        }
        assert!(turns <= 10, "{turns}");
    }
}
