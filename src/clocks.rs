//! The two clocks. *Wire* time is real: leases, tokens, key expiry, webhook timestamps. *Business* time is what deadlines,
//! due times and pull windows follow: it is wire time, moved by the registry sandbox's offset when the registry is the sandbox.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::Clock;
use kopru_domain::time::truncate_micros;
use tokio::sync::Notify;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the program reads the time")]
    fn now(&self) -> DateTime<Utc> {
        truncate_micros(Utc::now())
    }
}

/// Both clocks. Cheap to clone.
#[derive(Clone)]
pub struct Clocks {
    wire: Arc<dyn Clock>,
    offset_micros: Arc<AtomicI64>,
    moved: Arc<Notify>,
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clocks(offset {})", self.offset())
    }
}

impl Default for Clocks {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Clocks {
    /// Both clocks over one source.
    pub fn new(wire: Arc<dyn Clock>) -> Self {
        Self { wire, offset_micros: Arc::default(), moved: Arc::default() }
    }

    /// Business time.
    pub fn business(&self) -> DateTime<Utc> {
        self.wire.now() + self.offset()
    }

    /// Wire time.
    pub fn wire(&self) -> DateTime<Utc> {
        self.wire.now()
    }

    /// How far business time is ahead of wire time.
    pub fn offset(&self) -> TimeDelta {
        TimeDelta::microseconds(self.offset_micros.load(Ordering::Relaxed))
    }

    /// Moves business time; returns whether it moved. It never goes back.
    pub fn set_offset(&self, offset: TimeDelta) -> bool {
        let micros = offset.num_microseconds().unwrap_or_default();
        let moves = self.offset_micros.fetch_max(micros, Ordering::Relaxed) < micros;
        if moves {
            self.moved.notify_waiters();
        }
        moves
    }

    /// Waits until business time is moved after this call.
    pub fn moved(&self) -> impl Future<Output = ()> + Send {
        self.moved.notified()
    }
}
