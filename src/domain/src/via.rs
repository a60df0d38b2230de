//! The registry's own way to collect a consent, ViA (registry-protocol section 10): it sends the code or link itself, records what
//! the citizen approves and carries the burden of proof. What is approved is therefore never filed from here.

use chrono::{DateTime, TimeDelta, Utc};

use crate::opt_in::Way;
use crate::words::{Channel, Source, words};

/// How long the registry takes a code.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(3);
/// How long its links lead somewhere.
pub const LINK_LIFE: TimeDelta = TimeDelta::hours(24);
/// Wrong codes after which the registry takes no more.
pub const TRIES: u32 = 3;
/// A process that the registry could not be asked to start within this time is given up: nobody waits for its code any more.
pub const START_CODE_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// The same of a link.
pub const START_LINK_WITHIN: TimeDelta = TimeDelta::hours(24);
/// After the life of a code or link the registry is asked once more this much later.
const AFTER_LIFE: TimeDelta = TimeDelta::seconds(30);
/// The first and the longest pause between two questions about a link.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(2);

words! {
    /// Who asks the owner of an address to confirm it.
    pub enum Confirmer("confirmation") {
        /// This service, by a message of the brand.
        Own = "own",
        /// The registry.
        Via = "via",
    }
}

words! {
    /// How the registry asks; its value `verificationType`. Of several that reach an address the first is preferred.
    pub enum Verification("verificationType") {
        /// A code by SMS.
        SmsOtp = "SMS_OTP",
        /// A link by SMS, behind which the citizen ticks what he approves.
        SmsShortUrl = "SMS_SHORTURL",
        /// A link by e-mail that approves all of it.
        EmailApprovalUrl = "EPOSTA_APPROVALURL",
        /// A link by e-mail, behind which the citizen ticks what he approves.
        EmailShortUrl = "EPOSTA_SHORTURL",
        /// A code by e-mail.
        EmailOtp = "EPOSTA_OTP",
    }
}

impl Verification {
    /// Whether it reaches the address of these channels: MESAJ and ARAMA by SMS, EPOSTA by e-mail (H1086).
    pub fn reaches(self, channels: &[Channel]) -> bool {
        let mail = channels.contains(&Channel::Email);
        !channels.is_empty() && mail != self.is_sms()
    }

    /// Whether it goes to a phone number.
    pub const fn is_sms(self) -> bool {
        matches!(self, Self::SmsOtp | Self::SmsShortUrl)
    }

    /// A code that the person tells us, or a link that leads to the registry.
    pub const fn way(self) -> Way {
        match self {
            Self::SmsOtp | Self::EmailOtp => Way::Code,
            Self::SmsShortUrl | Self::EmailShortUrl | Self::EmailApprovalUrl => Way::Link,
        }
    }

    /// How long what the registry sends is good for.
    pub const fn life(self) -> TimeDelta {
        match self.way() {
            Way::Code => CODE_LIFE,
            Way::Link => LINK_LIFE,
        }
    }

    /// Within what time the registry must have been asked to start.
    pub const fn start_within(self) -> TimeDelta {
        match self.way() {
            Way::Code => START_CODE_WITHIN,
            Way::Link => START_LINK_WITHIN,
        }
    }

    /// The source of what it records (10.2).
    pub fn is_source(self, source: &Source) -> bool {
        let word = source.to_string();
        if self.is_sms() { word == "IYS_KISAMESAJ" } else { word == "IYS_EPOSTA" }
    }

    /// How long to wait before the registry is asked for the state of a process, after so many questions. Of a code the
    /// confirmation itself tells; it is asked once its time is over. Of a link ever more rarely, and when its time is over.
    pub fn pause(self, questions: u32, started_at: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
        let over = started_at + self.life() + AFTER_LIFE;
        let growing = FIRST_PAUSE * (1 << questions.min(10));
        let pause = match self.way() {
            Way::Code if now < over => over - now,
            _ => growing.min(LONGEST_PAUSE),
        };
        if now < over { pause.min(over - now) } else { pause }
    }
}

words! {
    /// How far a process has come.
    pub enum ViaState("via state") {
        /// The registry is to be asked to start it.
        Queued = "queued",
        /// The registry is being asked: whether it has sent anything is not known before it answers.
        Starting = "starting",
        /// The registry gave no answer to the start; its record shows whether the citizen has approved.
        Unknown = "unknown",
        /// The registry waits for the citizen.
        Waiting = "waiting",
        /// The citizen has approved all or a part; it is recorded at the registry.
        Approved = "approved",
        /// The citizen has approved nothing.
        Refused = "refused",
        /// Nobody answered in time.
        Expired = "expired",
        /// It came to nothing: the message was not delivered, too many wrong codes, or the registry did not start it.
        Failed = "failed",
    }
}

impl ViaState {
    /// Whether nothing more is expected of the citizen.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Approved | Self::Refused | Self::Expired | Self::Failed)
    }
}

/// What the registry's state of a process (10.4) comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Open,
    /// It has ended so.
    Ended(ViaState),
}

/// Reads stage and status of a process; `approved` says whether anything of it is approved. A pair that is not documented goes
/// on, unless its stage is the last one.
pub fn progress(stage: &str, status: &str, approved: bool) -> Progress {
    if stage != "COMPLETED" {
        return Progress::Open;
    }
    Progress::Ended(match status {
        "SUCCESS" if approved => ViaState::Approved,
        "SUCCESS" => ViaState::Refused,
        "LINK_CLICK_TIMEOUT" | "SHORT_URL_EXPIRED" | "OTP_CODE_EXPIRED" => ViaState::Expired,
        _ => ViaState::Failed,
    })
}

/// What a person typed as a code of the registry, whose length it does not document: four to ten digits.
pub fn read_code(typed: &str) -> Option<String> {
    crate::opt_in::digits(typed).filter(|digits| (4..=10).contains(&digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn each_way_reaches_its_own_kind_of_address() {
        use Channel::{Call, Email, Message};
        assert!(Verification::SmsOtp.reaches(&[Call, Message]) && Verification::SmsShortUrl.reaches(&[Call]));
        assert!(!Verification::SmsOtp.reaches(&[Email]) && !Verification::SmsOtp.reaches(&[]));
        for mail in [Verification::EmailOtp, Verification::EmailShortUrl, Verification::EmailApprovalUrl] {
            assert!(mail.reaches(&[Email]) && !mail.reaches(&[Message]));
        }
        let source = |word: &str| word.parse::<Source>().unwrap();
        assert!(Verification::SmsOtp.is_source(&source("IYS_KISAMESAJ")));
        assert!(!Verification::EmailOtp.is_source(&source("IYS_KISAMESAJ")));
        assert!(!Verification::SmsShortUrl.is_source(&source("HS_WEB")));
    }

    #[test]
    fn the_documented_pairs_are_read() {
        for (stage, status) in
            [("SUCCESS", "START"), ("CONSENT_REQUESTED", "OTP_CODE_INCORRECT"), ("ENQUEUE", "SYSTEM_FAILURE")]
        {
            assert_eq!(progress(stage, status, false), Progress::Open, "{stage} {status}");
        }
        for (status, approved, ended) in [
            ("SUCCESS", true, ViaState::Approved),
            ("SUCCESS", false, ViaState::Refused),
            ("LINK_CLICK_TIMEOUT", false, ViaState::Expired),
            ("SHORT_URL_EXPIRED", false, ViaState::Expired),
            ("OTP_CODE_EXPIRED", false, ViaState::Expired),
            ("OTP_CODE_INCORRECT", false, ViaState::Failed),
            ("SMSMAIL_OUT_FAILURE", false, ViaState::Failed),
            ("SOMETHING_NEW", false, ViaState::Failed),
        ] {
            assert_eq!(progress("COMPLETED", status, approved), Progress::Ended(ended), "{status}");
        }
    }

    #[test]
    fn questions_grow_rarer_and_none_is_missing_at_the_end() {
        let code = Verification::SmsOtp;
        assert_eq!(code.pause(0, at(0), at(0)), CODE_LIFE + AFTER_LIFE);
        assert_eq!(
            code.pause(1, at(0), at(4)),
            TimeDelta::minutes(2),
            "and then again, as long as it is open"
        );
        let link = Verification::EmailApprovalUrl;
        let (mut now, mut asked) = (at(0), 0);
        while now <= at(0) + LINK_LIFE {
            now += link.pause(asked, at(0), now);
            asked += 1;
        }
        assert_eq!(now, at(0) + LINK_LIFE + AFTER_LIFE);
        assert!((12..=24).contains(&asked), "{asked}");
    }

    #[test]
    fn codes_of_the_registry_have_no_documented_length() {
        assert_eq!(read_code(" 12-34 ").as_deref(), Some("1234"));
        assert_eq!(read_code("393291").as_deref(), Some("393291"));
        assert_eq!((read_code("123"), read_code("12a4"), read_code("12345678901")), (None, None, None));
    }
}
