//! Failures on demand: what a client must survive.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::messages;
use crate::rules::{ErrorItem, Refusal};

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With this HTTP status and an `errors[]` body, before any work.
    Status(u16),
    /// With 502 and a page, as a proxy in between would.
    Html,
    /// Not at all, but late.
    Slow,
    /// Without an answer, before any work.
    TimeoutBeforeWrite,
    /// Without an answer, after the work was done.
    TimeoutAfterWrite,
    /// With a closed socket, before any work.
    Cut,
    /// With a closed socket, after the work was done.
    CutAfterWrite,
    /// A push that is never sent.
    Drop,
    /// A push that is sent twice.
    Duplicate,
    /// A push whose events come newest first.
    OutOfOrder,
}

/// The name of the deliveries to push connections, which are no requests but can fail like them.
pub(crate) const PUSH: &str = "push";

impl Kind {
    /// Reads the name of a kind; a number is an HTTP status of 400 and above.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "html" => Self::Html,
            "slow" => Self::Slow,
            "timeout_before_write" => Self::TimeoutBeforeWrite,
            "timeout_after_write" => Self::TimeoutAfterWrite,
            "cut" => Self::Cut,
            "cut_after_write" => Self::CutAfterWrite,
            "drop" => Self::Drop,
            "duplicate" => Self::Duplicate,
            "out_of_order" => Self::OutOfOrder,
            status => Self::Status(status.parse().ok().filter(|status| (400..600).contains(status))?),
        })
    }

    /// The name of the kind.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Html => "html".to_owned(),
            Self::Slow => "slow".to_owned(),
            Self::TimeoutBeforeWrite => "timeout_before_write".to_owned(),
            Self::TimeoutAfterWrite => "timeout_after_write".to_owned(),
            Self::Cut => "cut".to_owned(),
            Self::CutAfterWrite => "cut_after_write".to_owned(),
            Self::Drop => "drop".to_owned(),
            Self::Duplicate => "duplicate".to_owned(),
            Self::OutOfOrder => "out_of_order".to_owned(),
        }
    }

    /// Whether an operation can fail in this way: requests and deliveries differ.
    pub(crate) fn suits(self, operation: &str) -> bool {
        match self {
            Self::Slow => true,
            Self::Drop | Self::Duplicate | Self::OutOfOrder => operation == PUSH,
            _ => operation != PUSH,
        }
    }
}

/// An ordered failure.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    /// The name of an operation, or `*`.
    pub(crate) operation: String,
    pub(crate) kind: Kind,
    /// How many requests it still hits.
    pub(crate) remaining: u64,
    /// The registry's code, for faults with a status.
    pub(crate) code: Option<&'static str>,
    /// How long a slow request waits, in real time; a slow push waits by the registry's clock.
    pub(crate) delay: Duration,
    /// It hits one of so many requests.
    pub(crate) every: u64,
    /// How many it has spared since it hit one.
    pub(crate) spared: u64,
}

impl Fault {
    fn is_for(&self, operation: &str) -> bool {
        self.operation == operation || self.operation == "*"
    }

    /// Counts a request that it may hit; whether it does.
    fn hits(&mut self) -> bool {
        self.spared += 1;
        let hits = self.spared >= self.every;
        if hits {
            self.spared = 0;
        }
        hits
    }
}

/// The ordered failures, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Orders>);

#[derive(Debug, Default)]
struct Orders {
    last_id: u64,
    list: VecDeque<Fault>,
}

impl Faults {
    /// Orders a failure.
    pub(crate) fn add(&self, mut fault: Fault) -> Fault {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.last_id += 1;
        fault.id = orders.last_id;
        orders.list.push_back(fault.clone());
        fault
    }

    /// What is still ordered.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).list.iter().cloned().collect()
    }

    /// Takes everything back.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).list.clear();
    }

    /// The failure of this request, if one is ordered.
    pub(crate) fn take(&self, operation: &str) -> Option<Fault> {
        self.take_where(|fault| fault.is_for(operation))
    }

    /// The failure of this delivery to a push connection, if one is ordered; `*` means requests.
    pub(crate) fn take_push(&self) -> Option<Fault> {
        self.take_where(|fault| fault.operation == PUSH)
    }

    fn take_where(&self, is_for: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = orders.list.iter_mut().position(|fault| is_for(fault) && fault.hits())?;
        let fault = orders.list.get_mut(position)?;
        fault.remaining -= 1;
        let taken = fault.clone();
        if taken.remaining == 0 {
            orders.list.remove(position);
        }
        Some(taken)
    }
}

/// The registry's code that goes with a status when none is ordered.
pub(crate) fn usual_code(status: u16, operation: &str) -> &'static str {
    if operation.starts_with("pass_") {
        return match status {
            400 => "ERR-SYS-0001",
            401 => "ERR-SYS-0006",
            429 => "H124",
            503 => "ERR-SYS-0002",
            504 => "ERR-SYS-0003",
            _ => "ERR-SYS-0004",
        };
    }
    match status {
        400 => "H123",
        401 => "H351",
        429 if operation == "token" => "H084",
        429 => "H124",
        500 if operation.starts_with("via_") || operation.starts_with("kvk_") => "H1019",
        500 => "H015",
        503 => "H192",
        _ => "",
    }
}

/// Codes that can be ordered: chiefly those that no request provokes by itself.
const ORDERABLE: [&str; 21] = [
    "H015", "H060", "H061", "H062", "H067", "H082", "H083", "H084", "H086", "H089", "H101", "H103", "H123",
    "H124", "H192", "H250", "H252", "H351", "H412", "H470", "H476",
];

/// The same of the opt-in service: failures of its inner parts.
const ORDERABLE_VIA: [&str; 22] = [
    "H1001", "H1002", "H1003", "H1004", "H1007", "H1008", "H1009", "H1017", "H1018", "H1019", "H1020",
    "H1033", "H1034", "H1035", "H1036", "H1046", "H1047", "H1053", "H1058", "H1059", "H1068", "H1073",
];

/// Reads a code that can be ordered.
pub(crate) fn orderable(code: &str) -> Option<&'static str> {
    ORDERABLE.into_iter().chain(ORDERABLE_VIA).find(|known| *known == code)
}

/// A refusal with one code and no place.
pub(crate) fn refusal(status: u16, code: &'static str) -> Refusal {
    let message = messages::text("", code, "");
    Refusal {
        status,
        errors: vec![ErrorItem { code, message, location: Vec::new(), value: None, index: None }],
    }
}
