//! What becomes of the wish to have an address confirmed.

use chrono::{DateTime, Utc};
use kopru_domain::opt_in::Way;
use kopru_domain::via::Confirmer;

use crate::service::FieldProblem;

/// What became of an [`Ask`](super::Ask).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A code is on its way. The token goes to whoever typed the address, and to nobody else: with the code it confirms.
    Code {
        /// Name of the process, and half of its secret.
        token: String,
        /// Until when the code is good (wire time).
        good_until: DateTime<Utc>,
        /// Whether the registry sends it.
        by_registry: bool,
    },
    /// A link is on its way; it alone confirms.
    Link {
        /// Of the registry's link, which leads to the registry: names the page that tells how far it has come, and confirms nothing.
        token: Option<String>,
        /// Until when the link is good (wire time).
        good_until: DateTime<Utc>,
    },
    /// Too much was sent to this address, or from this client.
    TooOften {
        /// When something may be sent again (wire time).
        again_at: DateTime<Utc>,
    },
    /// The brand has no sender: nothing can be sent on its behalf.
    NoSender,
    /// The registry starts nothing for the brand at present: no right, or no credit.
    Stopped {
        /// The registry's code.
        code: String,
    },
    /// What was wanted of the registry's own way does not fit the brand's settings.
    Unfit(FieldProblem),
}

impl Asked {
    /// `code` or `link`.
    pub fn way(&self) -> &'static str {
        if matches!(self, Self::Code { .. }) { Way::Code.as_str() } else { Way::Link.as_str() }
    }

    /// Who asks. Only the registry's links have a token.
    pub fn confirmer(&self) -> Confirmer {
        match self {
            Self::Code { by_registry: true, .. } | Self::Link { token: Some(_), .. } => Confirmer::Via,
            _ => Confirmer::Own,
        }
    }
}
