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
    /// A provider's subscription.
    Subscription,
    /// A partner's own subscription.
    PartnerSubscription,
    /// Add a retailer.
    AddRetailer,
    /// A page of a brand's retailers.
    Retailers,
    /// One retailer.
    Retailer,
    /// Delete a retailer.
    DeleteRetailer,
    /// Let retailers use one consent.
    AddRetailerAccess,
    /// Set the retailers of several consents.
    SetRetailerAccess,
    /// A page of the retailers that may use one consent.
    RetailerAccess,
    /// Take retailers away from several consents.
    RemoveRetailerAccess,
    /// Take all retailers away from several consents.
    ClearRetailerAccess,
    /// A day's movements, counted.
    DailySummary,
    /// The hash of a day's movements.
    Agreement,
    /// Confirm a day's movements.
    ConfirmAgreement,
    /// The time stamp of a day's movements.
    AgreementTimestamp,
    /// The file of a day's movements.
    MovementFile,
    /// Register receivers of push calls.
    PushRegister,
    /// The registered receivers.
    PushRegistrations,
    /// Remove a receiver.
    PushUnregister,
    /// The provinces, or one.
    Cities,
    /// The districts, or one.
    Towns,
    /// Start an approval.
    ViaStart,
    /// Complete an approval by code.
    ViaConfirm,
    /// How far an approval has come.
    ViaStatus,
    /// The evidence of an approval.
    ViaEvidence,
    /// The texts on personal data that an approval covers.
    KvkConsents,
    /// The approvals of an address for a text on personal data.
    KvkRequests,
    /// Links by which citizens withdraw.
    RejectLinks,
    /// Start a second-factor check.
    ViaPassStart,
    /// Complete a second-factor check.
    ViaPassComplete,
    /// The evidence of a second-factor check.
    ViaPassEvidence,
    /// The steps of a second-factor check.
    ViaPassHistory,
    /// A provider's subscription to the second-factor service.
    ViaPassSubscription,
}

/// What a path names, which is what a missing right is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Brand,
    /// The provider, the partner, or nobody in particular.
    Wider,
}

/// Whether a call changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Writes,
}

impl Operation {
    /// Every operation, for programs that prepare a metric for each.
    pub const ALL: [Self; 43] = [
        Self::Token,
        Self::Add,
        Self::AddBatch,
        Self::BatchResult,
        Self::Status,
        Self::Statuses,
        Self::History,
        Self::Changes,
        Self::Brands,
        Self::PartnerBrands,
        Self::Subscription,
        Self::PartnerSubscription,
        Self::AddRetailer,
        Self::Retailers,
        Self::Retailer,
        Self::DeleteRetailer,
        Self::AddRetailerAccess,
        Self::SetRetailerAccess,
        Self::RetailerAccess,
        Self::RemoveRetailerAccess,
        Self::ClearRetailerAccess,
        Self::DailySummary,
        Self::Agreement,
        Self::ConfirmAgreement,
        Self::AgreementTimestamp,
        Self::MovementFile,
        Self::PushRegister,
        Self::PushRegistrations,
        Self::PushUnregister,
        Self::Cities,
        Self::Towns,
        Self::ViaStart,
        Self::ViaConfirm,
        Self::ViaStatus,
        Self::ViaEvidence,
        Self::KvkConsents,
        Self::KvkRequests,
        Self::RejectLinks,
        Self::ViaPassStart,
        Self::ViaPassComplete,
        Self::ViaPassEvidence,
        Self::ViaPassHistory,
        Self::ViaPassSubscription,
    ];

    fn facts(self) -> (&'static str, Scope, Effect) {
        use Effect::{Reads, Writes};
        use Scope::{Brand, Wider};
        match self {
            Self::Token => ("token", Wider, Reads),
            Self::Add => ("add", Brand, Writes),
            Self::AddBatch => ("add_batch", Brand, Writes),
            Self::BatchResult => ("batch_result", Brand, Reads),
            Self::Status => ("status", Brand, Reads),
            Self::Statuses => ("statuses", Brand, Reads),
            Self::History => ("history", Brand, Reads),
            Self::Changes => ("changes", Brand, Reads),
            Self::Brands => ("brands", Wider, Reads),
            Self::PartnerBrands => ("partner_brands", Wider, Reads),
            Self::Subscription => ("subscription", Wider, Reads),
            Self::PartnerSubscription => ("partner_subscription", Wider, Reads),
            Self::AddRetailer => ("add_retailer", Brand, Writes),
            Self::Retailers => ("retailers", Brand, Reads),
            Self::Retailer => ("retailer", Brand, Reads),
            Self::DeleteRetailer => ("delete_retailer", Brand, Writes),
            Self::AddRetailerAccess => ("add_retailer_access", Brand, Writes),
            Self::SetRetailerAccess => ("set_retailer_access", Brand, Writes),
            Self::RetailerAccess => ("retailer_access", Brand, Reads),
            Self::RemoveRetailerAccess => ("remove_retailer_access", Brand, Writes),
            Self::ClearRetailerAccess => ("clear_retailer_access", Brand, Writes),
            Self::DailySummary => ("daily_summary", Brand, Reads),
            Self::Agreement => ("agreement", Brand, Reads),
            Self::ConfirmAgreement => ("confirm_agreement", Brand, Writes),
            Self::AgreementTimestamp => ("agreement_timestamp", Brand, Reads),
            Self::MovementFile => ("movement_file", Brand, Reads),
            Self::PushRegister => ("push_register", Brand, Writes),
            Self::PushRegistrations => ("push_registrations", Brand, Reads),
            Self::PushUnregister => ("push_unregister", Brand, Writes),
            Self::Cities => ("cities", Wider, Reads),
            Self::Towns => ("towns", Wider, Reads),
            Self::ViaStart => ("via_start", Wider, Writes),
            Self::ViaConfirm => ("via_confirm", Wider, Writes),
            Self::ViaStatus => ("via_status", Wider, Reads),
            Self::ViaEvidence => ("via_evidence", Wider, Reads),
            Self::KvkConsents => ("kvk_consents", Wider, Reads),
            Self::KvkRequests => ("kvk_requests", Wider, Reads),
            // A second link changes nothing.
            Self::RejectLinks => ("reject_links", Brand, Reads),
            Self::ViaPassStart => ("via_pass_start", Wider, Writes),
            Self::ViaPassComplete => ("via_pass_complete", Wider, Writes),
            Self::ViaPassEvidence => ("via_pass_evidence", Wider, Reads),
            Self::ViaPassHistory => ("via_pass_history", Wider, Reads),
            Self::ViaPassSubscription => ("via_pass_subscription", Wider, Reads),
        }
    }

    /// The operation's short name, as in logs and metrics.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// Whether a call that was sent may have changed something at the registry.
    pub fn writes(self) -> bool {
        self.facts().2 == Effect::Writes
    }

    /// Whether the call is about one brand.
    pub fn has_brand(self) -> bool {
        self.facts().1 == Scope::Brand
    }

    /// Whether the very same request can be sent again without doing its work twice: it changes nothing, or the
    /// registry answers the repetition with the first result (v2), or it sets a state that is then already set.
    /// `false` for calls that would send a citizen a second message, use a second credit or a second try, or are
    /// refused the second time.
    pub fn is_repeatable(self) -> bool {
        !matches!(
            self,
            Self::AddRetailer
                | Self::DeleteRetailer
                | Self::PushUnregister
                | Self::ViaStart
                | Self::ViaConfirm
                | Self::ViaPassStart
                | Self::ViaPassComplete
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}
