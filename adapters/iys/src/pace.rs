//! The pace of requests: the registry takes ten a second from one IP address (registry-protocol section 6).
//!
//! The limit holds for all customers of a program behind one address, so one [`Pacer`] serves all accounts of a
//! client. Several processes behind one address need a shared one: supply your own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, FutureExt, ready};

use crate::{BoxError, BrandCodes, Clock, IysError, Operation};

/// Decides when the next request may leave.
pub trait Pacer: fmt::Debug + Send + Sync {
    /// Resolves when a request of this kind may be sent.
    ///
    /// # Errors
    /// [`NotBefore`] when the request may not leave now: the caller gets [`IysError::Throttled`](crate::IysError) with the
    /// wait. Otherwise what keeps the pacer from deciding (its database, say). The request is not sent in either case.
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>>;

    /// The registry has refused a request for its per-second limit (H083, H124, or HTTP 429 without a known code) and
    /// is to be left alone for `pause`.
    fn throttled(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        let _ = (operation, pause);
        ready(()).boxed()
    }

    /// The registry has refused a request for the hourly limit of its kind (H086 for status queries, H089 for the
    /// history) and will take no other of it for `pause`.
    fn used_up(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        let _ = (operation, pause);
        ready(()).boxed()
    }

    /// A request that was let go has ended, well or not. Told of each, once; after [`throttled`](Self::throttled) and
    /// [`used_up`](Self::used_up). Never told of one whose caller gave up on it.
    fn ended<'a>(&'a self, ended: Ended<'a>) -> BoxFuture<'a, ()> {
        let _ = ended;
        ready(()).boxed()
    }
}

/// A request that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// What was asked for.
    pub operation: Operation,
    /// The brand in its path.
    pub brand: Option<BrandCodes>,
    /// What went wrong; `None` when the registry answered with a success, whose body may still be unread.
    pub error: Option<&'a IysError>,
}

/// A pacer's answer that a request may not leave before some time has passed, because a budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not before {} s have passed", .0.as_secs_f64())]
pub struct NotBefore(pub Duration);

/// No pace at all, for tests and for programs that pace above this client.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpaced;

impl Pacer for Unpaced {
    fn acquire(&self, _: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Ok(())).boxed()
    }
}

/// The in-process default: a GCRA (a leaky bucket kept as one instant), first come first served.
///
/// It adapts: each refusal halves the rate and pauses; the rate then climbs back by a constant amount a second.
/// Answers to requests that had left before the first refusal arrived do not halve it again.
#[derive(Debug)]
pub struct AdaptivePacer {
    clock: Arc<dyn Clock>,
    limit: f64,
    /// Held while waiting for a slot, so that waiters queue in order and the head of the queue sees every change of
    /// the rate.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The theoretical arrival time of the next request.
    next: DateTime<Utc>,
    /// The rate right after the latest refusal.
    cut_rate: f64,
    /// When the latest refusal that counted was.
    cut_at: DateTime<Utc>,
}

impl AdaptivePacer {
    /// The default rate: eight a second leaves room under the registry's ten for requests that bunch up on the way.
    pub const DEFAULT_PER_SECOND: f64 = 8.0;
    /// The rate never falls below this.
    pub const FLOOR_PER_SECOND: f64 = 0.5;
    /// How fast the rate climbs back: requests a second, per second.
    pub const RECOVERY_PER_SECOND: f64 = 0.25;
    /// How many requests may leave at once after a rest. With eight a second, at most nine fall into any second.
    const BURST: f64 = 2.0;
    /// Refusals this close to the last one are echoes of the same crowding.
    const ECHO: Duration = Duration::from_secs(1);
    /// No pause is longer; a slot farther away than this means that the clock was set back.
    const LONGEST_PAUSE: Duration = Duration::from_mins(1);

    /// A pacer of `per_second` requests; values that are no positive number mean the default.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>) -> Self {
        let limit =
            if per_second.is_finite() && per_second > 0.0 { per_second } else { Self::DEFAULT_PER_SECOND };
        let now = clock.now();
        let state = State { next: now, cut_rate: limit, cut_at: now };
        Self { clock, limit, turn: tokio::sync::Mutex::new(()), state: Mutex::new(state) }
    }

    /// The present rate in requests a second.
    pub fn per_second(&self) -> f64 {
        self.rate(*self.lock(), self.clock.now())
    }

    fn rate(&self, state: State, now: DateTime<Utc>) -> f64 {
        let since = (now - state.cut_at).as_seconds_f64().max(0.0);
        (state.cut_rate + since * Self::RECOVERY_PER_SECOND).min(self.limit)
    }

    /// Takes a slot, or says how long to wait before trying again.
    fn reserve(&self, now: DateTime<Utc>) -> Result<(), Duration> {
        let mut state = self.lock();
        let interval = Duration::from_secs_f64(1.0 / self.rate(*state, now));
        let tolerance = interval.mul_f64(Self::BURST - 1.0);
        let ahead = (state.next - now).to_std().unwrap_or_default();
        if ahead > Self::LONGEST_PAUSE + tolerance + interval {
            state.next = now;
        } else if ahead > tolerance {
            return Err(ahead.saturating_sub(tolerance));
        }
        state.next = state.next.max(now) + interval;
        Ok(())
    }

    fn cut(&self, now: DateTime<Utc>, pause: Duration) {
        let mut state = self.lock();
        let rate = self.rate(*state, now);
        let echo = rate < self.limit && now - state.cut_at < chrono_of(Self::ECHO);
        if !echo {
            state.cut_rate = (rate / 2.0).max(Self::FLOOR_PER_SECOND.min(self.limit));
            state.cut_at = now;
        }
        let interval = Duration::from_secs_f64(1.0 / self.rate(*state, now));
        let tolerance = interval.mul_f64(Self::BURST - 1.0);
        state.next = state.next.max(now + pause.min(Self::LONGEST_PAUSE) + tolerance);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pacer for AdaptivePacer {
    fn acquire(&self, _: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        async {
            let _turn = self.turn.lock().await;
            while let Err(wait) = self.reserve(self.clock.now()) {
                self.clock.sleep(wait).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn throttled(&self, _: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        self.cut(self.clock.now(), pause);
        ready(()).boxed()
    }
}

fn chrono_of(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
