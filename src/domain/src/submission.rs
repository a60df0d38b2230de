//! The states of a submission: one filing of one consent at the registry (design.md section 4.7).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// Where a submission stands.
    pub enum SubmissionState("submission state") {
        /// Waiting for its turn.
        Queued = "queued",
        /// Its bytes are stored and are being sent.
        InFlight = "in_flight",
        /// It travels in a batch; the result per item is to be asked for.
        Batched = "batched",
        /// Sent, outcome unknown: only the same bytes may be sent again.
        Unresolved = "unresolved",
        /// Stopped for a [`HeldCause`]; its deadline runs on.
        Held = "held",
        /// The registry confirmed it. Terminal.
        Registered = "registered",
        /// The registry, or its twin here, refused it. Terminal.
        Refused = "refused",
        /// An approval that came too late to be recorded. Terminal.
        Expired = "expired",
        /// The registry already holds what it says, or has nothing to reject. Terminal.
        NotNeeded = "not_needed",
        /// A later decision of the same person overtook it. Terminal.
        Superseded = "superseded",
    }
}

/// A step the state machine does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a submission that is {from} cannot become {to}")]
pub struct IllegalTransition {
    /// The state it is in.
    pub from: SubmissionState,
    /// The state it should have reached.
    pub to: SubmissionState,
}

impl SubmissionState {
    /// Whether no state can follow. A terminal submission is never reopened: a redrive creates a new
    /// one.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Registered | Self::Refused | Self::Expired | Self::NotNeeded | Self::Superseded => true,
            Self::Queued | Self::InFlight | Self::Batched | Self::Unresolved | Self::Held => false,
        }
    }

    /// Whether something is still to happen. At most one submission of a consent is open.
    pub const fn is_open(self) -> bool {
        !self.is_terminal()
    }

    /// Whether the registry may have seen it: it can no longer be superseded, only awaited.
    pub const fn has_left_the_house(self) -> bool {
        matches!(self, Self::InFlight | Self::Batched | Self::Unresolved)
    }

    /// The whole transition table. Staying in a state is no transition.
    pub const fn can_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(
                next,
                Self::InFlight
                    | Self::Batched
                    | Self::Held
                    | Self::Refused
                    | Self::Expired
                    | Self::NotNeeded
                    | Self::Superseded
            ),
            // Back to queued only when it is certain that nothing was written.
            Self::InFlight => matches!(
                next,
                Self::Queued
                    | Self::Batched
                    | Self::Unresolved
                    | Self::Held
                    | Self::Registered
                    | Self::Refused
                    | Self::Expired
                    | Self::NotNeeded
            ),
            Self::Batched => matches!(
                next,
                Self::Queued
                    | Self::Unresolved
                    | Self::Held
                    | Self::Registered
                    | Self::Refused
                    | Self::Expired
                    | Self::NotNeeded
            ),
            // Sent again, or decided by what the registry says about the address.
            Self::Unresolved => matches!(
                next,
                Self::Queued
                    | Self::InFlight
                    | Self::Registered
                    | Self::Refused
                    | Self::Expired
                    | Self::NotNeeded
            ),
            Self::Held => matches!(
                next,
                Self::Queued | Self::Refused | Self::Expired | Self::NotNeeded | Self::Superseded
            ),
            Self::Registered | Self::Refused | Self::Expired | Self::NotNeeded | Self::Superseded => false,
        }
    }

    /// Takes a step.
    pub const fn transition(self, next: Self) -> Result<Self, IllegalTransition> {
        if self.can_become(next) { Ok(next) } else { Err(IllegalTransition { from: self, to: next }) }
    }
}

words! {
    /// Why a submission is [`SubmissionState::Held`].
    pub enum HeldCause("held cause") {
        /// The provider has not authorised us, or withdrew it (H353).
        NotAuthorised = "not_authorised",
        /// The right for this channel is missing (H355).
        TypeRight = "type_right",
        /// The provider's subscription does not allow it now (H437, H520, H521, H524, H586).
        Subscription = "subscription",
        /// The provider's consent quota is used up (H525).
        Quota = "quota",
        /// A human has to look at it; never released automatically.
        Review = "review",
    }
}

impl HeldCause {
    /// Whether the submission goes on by itself once the cause is gone.
    pub const fn is_released_automatically(self) -> bool {
        !matches!(self, Self::Review)
    }
}

/// Why a submission is in its state: an H-code of the registry (`H175`) or one of ours
/// (`deadline_passed`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(Cow<'static, str>);

macro_rules! own_codes {
    ($(
        $(#[$meta:meta])*
        $name:ident = $word:literal {
            tr: $tr:literal,
            en: $en:literal,
            who: $who:ident,
            redrive_helps: $redrive:literal $(,)?
        }
    )+) => {
        impl Code {
            $($(#[$meta])* pub const $name: Self = Self::fixed($word);)+

            /// Every code of ours.
            pub const OWN: &'static [Self] = &[$(Self::$name),+];
        }

        /// Explains one of our own codes; `None` for H-codes, which the registry client explains.
        pub fn explain_own_code(code: &str) -> Option<CodeText> {
            match code {
                $($word => Some(CodeText { tr: $tr, en: $en, who: Actor::$who, redrive_helps: $redrive }),)+
                _ => None,
            }
        }
    };
}

own_codes! {
    /// An approval that is not later than a rejection of the same person.
    OLDER_THAN_REJECTION = "older_than_rejection" {
        tr: "Bu onaydan sonra ya da aynı anda verilmiş bir ret var. Yapılacak bir şey yok: geçerli olan ret.",
        en: "The person refused after this approval, or in the same second. There is nothing to do: the refusal stands.",
        who: Nobody,
        redrive_helps: false,
    }
    /// A rejection that was overtaken by a later approval before it could be filed.
    NEWER_APPROVAL = "newer_approval" {
        tr: "Bu retten daha sonra verilmiş bir onay İYS'de kayıtlı. Yapılacak bir şey yok: geçerli olan onay.",
        en: "The registry holds an approval given later than this rejection. There is nothing to do: the approval stands.",
        who: Nobody,
        redrive_helps: false,
    }
    /// An approval whose last instant passed while it was waiting here.
    DEADLINE_PASSED = "deadline_passed" {
        tr: "Üç iş günlük süre İYS'ye kaydedilmeden doldu. Kişiden yeniden onay alın.",
        en: "The three business days passed before it was filed. Ask the person for a new approval.",
        who: Client,
        redrive_helps: false,
    }
    /// An approval of what is approved already, which the brand does not refresh.
    ALREADY_APPROVED = "already_approved" {
        tr: "İYS'de geçerli bir onay zaten var; marka ayarı gereği yenilenmedi. Yapılacak bir şey yok.",
        en: "The registry already holds a valid approval, which this brand does not refresh. There is nothing to do.",
        who: Nobody,
        redrive_helps: false,
    }
    /// A late rejection of what is not approved.
    NO_APPROVAL = "no_approval" {
        tr: "İYS'de bu adres için geçerli bir onay yok; reddedilecek bir şey kalmadı. Yapılacak bir şey yok.",
        en: "The registry holds no approval of this address, so nothing is left to reject. There is nothing to do.",
        who: Nobody,
        redrive_helps: false,
    }
    /// A day's movement file that the brand lets nobody but itself read.
    NO_AGREEMENT_CONTROL = "no_agreement_control" {
        tr: "Marka, günlük mutabakatı görme yetkisi (agreementControl) vermemiş. Hizmet sağlayıcı bu yetkiyi İYS panelinde vermeli.",
        en: "The brand has not given the right to see its daily agreement (agreementControl). The provider has to give it in the registry's panel.",
        who: Client,
        redrive_helps: false,
    }
    /// An approval after the citizen's own refusal: a human decides.
    REVIEW_AFTER_CITIZEN_RET = "review_after_citizen_ret" {
        tr: "Kişi İYS üzerinden kendisi ret vermiş. Onayı inceleyin; ancak ondan sonra gönderilir.",
        en: "The citizen refused at the registry in person. Review this approval; it is filed only after that.",
        who: Operator,
        redrive_helps: false,
    }
    /// The same, refused because the brand is set so.
    REFUSED_AFTER_CITIZEN_RET = "refused_after_citizen_ret" {
        tr: "Kişi İYS üzerinden kendisi ret vermiş; marka ayarı gereği bu onay gönderilmez. Yalnızca kişi İYS üzerinden onay verebilir.",
        en: "The citizen refused at the registry in person, and this brand does not file approvals after that. Only the person can approve at the registry.",
        who: Citizen,
        redrive_helps: false,
    }
    /// A reviewer decided against it.
    REVIEW_DECLINED = "review_declined" {
        tr: "İnceleme sonucunda gönderilmemesine karar verildi. Yapılacak bir şey yok.",
        en: "A reviewer decided not to file it. There is nothing to do.",
        who: Nobody,
        redrive_helps: false,
    }
    /// The provider has not authorised us for the brand.
    NOT_AUTHORISED = "not_authorised" {
        tr: "Hizmet sağlayıcı bu marka için iş ortağı yetkisi vermemiş. İYS'de yetki verin; kayıt ondan sonra kendiliğinden gönderilir.",
        en: "The provider has not authorised this partner for the brand. Give the authorisation at the registry; it goes out by itself then.",
        who: Client,
        redrive_helps: false,
    }
    /// The right for the channel is missing.
    TYPE_RIGHT = "type_right" {
        tr: "Bu izin türü (arama, mesaj, e-posta) için yetki yok. İYS'de yetki verin; kayıt ondan sonra kendiliğinden gönderilir.",
        en: "The right for this channel is missing. Give it at the registry; it goes out by itself then.",
        who: Client,
        redrive_helps: false,
    }
    /// The provider's subscription does not allow it.
    SUBSCRIPTION = "subscription" {
        tr: "Hizmet sağlayıcının İYS aboneliği uygun değil. Aboneliği düzeltin; kayıt ondan sonra kendiliğinden gönderilir.",
        en: "The provider's subscription does not allow it now. Put the subscription right; it goes out by itself then.",
        who: Client,
        redrive_helps: false,
    }
    /// The provider's quota of addresses is used up.
    QUOTA = "quota" {
        tr: "Hizmet sağlayıcının İYS izin kotası dolu. Kotayı artırın; kayıt ondan sonra kendiliğinden gönderilir.",
        en: "The provider's consent quota is used up. Raise it; it goes out by itself then.",
        who: Client,
        redrive_helps: false,
    }
    /// It was sent, and nobody knows whether it was written.
    OUTCOME_UNKNOWN = "outcome_unknown" {
        tr: "Kayıt İYS'ye gönderildi ama kesin bir yanıt alınamadı. Yapılacak bir şey yok: işlenip işlenmediği İYS'ye sorulur, aynı kayıt iki kez yazılmaz.",
        en: "It was sent and no definite answer came back. There is nothing to do: the registry is asked whether it is there, and it is never written twice.",
        who: Nobody,
        redrive_helps: false,
    }
    /// It waits in the queue for a registry that does not answer.
    REGISTRY_SILENT = "registry_silent" {
        tr: "İYS şu anda yanıt vermiyor. Yapılacak bir şey yok: kayıt kuyrukta bekler, İYS yanıt verince kendiliğinden gönderilir.",
        en: "The registry does not answer just now. There is nothing to do: it waits in the queue and goes out by itself when the registry is back.",
        who: Nobody,
        redrive_helps: false,
    }
    /// It waits in the queue of an installation that knows no registry.
    NO_REGISTRY = "no_registry" {
        tr: "Bu kurulumda İYS hesabı ayarlanmamış. registry.* ayarlarını girin; kayıt kuyrukta bekler, sonra kendiliğinden gönderilir.",
        en: "This installation has no account at the registry. Set registry.*; it waits in the queue and goes out by itself then.",
        who: Operator,
        redrive_helps: false,
    }
    /// The same consent is being filed under another id.
    ALREADY_OPEN = "already_open" {
        tr: "Aynı kaydın bildirimi zaten sürüyor. Sonucunu bekleyin.",
        en: "The same consent is being filed already. Wait for its outcome.",
        who: Nobody,
        redrive_helps: false,
    }
    /// The same act (call, scan, link) was told again.
    ALREADY_TAKEN = "already_taken" {
        tr: "Bu çağrı, form ya da bağlantı daha önce bildirilmiş; ilk kaydı gösterilir. Yapılacak bir şey yok.",
        en: "This call, form or link was told before; its first consent is shown. There is nothing to do.",
        who: Nobody,
        redrive_helps: false,
    }
    /// What the registry has confirmed is not filed once more.
    ALREADY_REGISTERED = "already_registered" {
        tr: "Kayıt İYS'ye işlenmiş. Yapılacak bir şey yok.",
        en: "The registry has recorded it. There is nothing to do.",
        who: Nobody,
        redrive_helps: false,
    }
    /// Left by a redrive: what its code says cannot change.
    CANNOT_HELP = "cannot_help" {
        tr: "Kodun anlattığı neden sürüyor; yeniden göndermek yardımcı olmaz. Kaydı düzelterek yeniden gönderin ya da force ile zorlayın.",
        en: "What its code says has not changed, so filing it again cannot help. Send a corrected consent, or use force.",
        who: Client,
        redrive_helps: false,
    }
    /// The registry refused without a code.
    NO_CODE = "no_code" {
        tr: "İYS kod bildirmeden reddetti. Yeniden gönderin; yine olmazsa İYS desteğine başvurun.",
        en: "The registry refused without a code. File it again; if that fails too, contact its support.",
        who: Operator,
        redrive_helps: true,
    }
    /// A code that is in no table of this version.
    UNKNOWN_CODE = "unknown_code" {
        tr: "İYS bu sürümün tanımadığı bir kodla yanıt verdi. Kodu İYS desteğine sorun, sonra yeniden gönderin.",
        en: "The registry answered with a code that this version does not know. Ask its support about it, then file again.",
        who: Operator,
        redrive_helps: true,
    }
}

/// Declares constants for the registry's codes that the domain itself decides.
macro_rules! h_codes {
    ($($name:ident: $meaning:literal,)+) => {
        impl Code {
            $(#[doc = $meaning] pub const $name: Self = Self::fixed(stringify!($name));)+
        }
    };
}

h_codes! {
    H112: "consentDate is missing.",
    H113: "source is missing.",
    H155: "HS_2015 demands 2015-05-01 00:00:00.",
    H156: "consentDate before 1 May 2015.",
    H162: "consentDate in the future.",
    H174: "RET on RET: already in the wanted state.",
    H175: "The first record may not be a RET: nothing to reject.",
    H178: "consentDate is not later than the stored one.",
    H353: "Provider or brand outside the account's rights.",
    H355: "The right for the channel is missing.",
    H408: "HS_KARAR must come with RET.",
    H462: "An update of a TACIR record needs its consentDate.",
    H463: "An update of a TACIR record needs its source.",
    H467: "Older than three business days.",
    H486: "The source is not accepted for this record.",
}

impl Code {
    /// A code known when the program is compiled.
    pub const fn fixed(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// A code that came from outside or from the database.
    pub fn new(code: impl Into<String>) -> Self {
        Self(Cow::Owned(code.into()))
    }

    /// The code as it is written everywhere.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the registry's: `H` and digits.
    pub fn is_registry_code(&self) -> bool {
        self.0
            .strip_prefix('H')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

words! {
    /// Who can do something about a code.
    pub enum Actor("actor") {
        /// The client whose consent it is (the provider or its software).
        Client = "client",
        /// Whoever runs this service.
        Operator = "operator",
        /// Only the person concerned.
        Citizen = "citizen",
        /// Nobody needs to.
        Nobody = "nobody",
        /// Whoever writes the software: a defect.
        Developer = "developer",
    }
}

/// What a code means to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CodeText {
    /// Cause and, as a sentence of its own, what to do, in Turkish.
    pub tr: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Who must act.
    pub who: Actor,
    /// Whether filing it again can help.
    pub redrive_helps: bool,
}

#[cfg(test)]
mod tests {
    use super::SubmissionState::*;
    use super::*;

    #[test]
    fn a_terminal_state_is_never_left() {
        for from in SubmissionState::ALL.iter().filter(|state| state.is_terminal()) {
            for to in SubmissionState::ALL {
                assert_eq!(from.transition(*to), Err(IllegalTransition { from: *from, to: *to }));
            }
        }
    }

    #[test]
    fn every_open_state_reaches_an_end_and_is_no_step_from_itself() {
        for from in SubmissionState::ALL.iter().filter(|state| state.is_open()) {
            assert!(!from.can_become(*from));
            assert!(from.can_become(NotNeeded) && from.can_become(Expired) && from.can_become(Refused));
        }
    }

    #[test]
    fn only_what_stayed_in_the_house_can_be_superseded() {
        for from in SubmissionState::ALL.iter().filter(|state| state.is_open()) {
            assert_eq!(from.can_become(Superseded), !from.has_left_the_house(), "{from}");
        }
    }

    #[test]
    fn only_what_was_sent_can_be_registered() {
        for from in SubmissionState::ALL {
            assert_eq!(from.can_become(Registered), from.has_left_the_house(), "{from}");
        }
        assert!(
            Queued.can_become(InFlight) && InFlight.can_become(Batched) && Batched.can_become(Unresolved)
        );
        assert!(Unresolved.can_become(InFlight) && !Unresolved.can_become(Held));
    }

    #[test]
    fn every_code_of_ours_is_explained_in_both_languages() {
        for code in Code::OWN {
            let text = explain_own_code(code.as_str()).unwrap();
            assert_ne!(text.tr, text.en);
            for sentences in [text.tr, text.en] {
                assert!(sentences.contains(". ") && sentences.ends_with('.'), "{code}: cause and what to do");
            }
            assert!(!code.is_registry_code());
        }
        assert_eq!(explain_own_code("H175"), None);
        assert!(Code::H175.is_registry_code());
        assert_eq!(serde_json::to_string(&Code::H467).unwrap(), "\"H467\"");
        assert_eq!(serde_json::from_str::<Code>("\"quota\"").unwrap(), Code::QUOTA);
    }

    #[test]
    fn a_review_waits_for_a_human() {
        for cause in HeldCause::ALL {
            assert_eq!(cause.is_released_automatically(), *cause != HeldCause::Review);
        }
    }
}
