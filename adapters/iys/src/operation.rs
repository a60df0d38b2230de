//! The registry's operations by name.

use std::fmt;

/// What a call asks the registry for. It decides which refusals mean what, and which limits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /oauth2/token`.
    Token,
    /// Add one consent.
    Add,
    /// Add up to 1 000 consents.
    AddBatch,
    /// Ask what became of a batch.
    BatchResult,
    /// Ask for one address (1 000 an hour and IP address).
    Status,
    /// Ask for up to 1 000 addresses.
    Statuses,
    /// The movements of one address (100 an hour and IP address).
    History,
    /// A page of the change feed.
    Changes,
    /// A provider's brands.
    Brands,
    /// The brands that have authorised a partner.
    PartnerBrands,
    /// A provider's or partner's subscription.
    Subscription,
}

impl Operation {
    /// The operation's short name, as in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Add => "add",
            Self::AddBatch => "add_batch",
            Self::BatchResult => "batch_result",
            Self::Status => "status",
            Self::Statuses => "statuses",
            Self::History => "history",
            Self::Changes => "changes",
            Self::Brands => "brands",
            Self::PartnerBrands => "partner_brands",
            Self::Subscription => "subscription",
        }
    }

    /// Whether a call that was sent may have changed something at the registry.
    pub fn writes(self) -> bool {
        matches!(self, Self::Add | Self::AddBatch)
    }

    /// Whether the call is about one brand.
    pub fn has_brand(self) -> bool {
        !matches!(self, Self::Token | Self::Brands | Self::PartnerBrands | Self::Subscription)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}
