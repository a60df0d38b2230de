//! What the registry lets a partner do for a brand (registry-protocol sections 4.12, 4.13 and 9), and what follows for filings.

use crate::submission::{Code, HeldCause};
use crate::words::{Channel, words};

words! {
    /// What a partner may do with one channel of a brand. ONAY and RET both need [`Right::Write`].
    pub enum Right("right") {
        /// File and read.
        Write = "write",
        /// Read alone.
        Read = "read",
        /// Nothing.
        None = "none",
    }
}

/// What a brand has authorised, as the registry's list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandRights {
    /// Whether the brand is in the list at all.
    pub authorised: bool,
    /// On calls.
    pub call: Right,
    /// On messages.
    pub message: Right,
    /// On e-mails.
    pub email: Right,
    /// Whether the daily agreement may be seen and confirmed.
    pub agreement_control: bool,
    /// Whether the registry's own opt-in services may be used.
    pub via_control: bool,
}

impl BrandRights {
    /// Of a brand that has not authorised the partner.
    pub const NONE: Self = Self {
        authorised: false,
        call: Right::None,
        message: Right::None,
        email: Right::None,
        agreement_control: false,
        via_control: false,
    };

    /// Of a provider's own account, which may do everything.
    pub const ALL: Self = Self {
        authorised: true,
        call: Right::Write,
        message: Right::Write,
        email: Right::Write,
        agreement_control: true,
        via_control: true,
    };

    /// The right on one channel.
    pub const fn on(&self, channel: Channel) -> Right {
        match channel {
            Channel::Call => self.call,
            Channel::Message => self.message,
            Channel::Email => self.email,
        }
    }

    /// Why nothing can be filed on a channel, with the code that the registry would give; the first reason in its own order.
    /// `subscription` is the code of a subscription that stops filings.
    pub fn stop(&self, subscription: Option<&Code>, channel: Channel) -> Option<(HeldCause, Code)> {
        if !self.authorised {
            return Some((HeldCause::NotAuthorised, Code::H353));
        }
        if let Some(code) = subscription {
            return Some((HeldCause::Subscription, code.clone()));
        }
        (self.on(channel) != Right::Write).then_some((HeldCause::TypeRight, Code::H355))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_is_the_registrys() {
        let read = BrandRights { message: Right::Read, ..BrandRights::ALL };
        let paused = Code::new("H520");
        assert_eq!(BrandRights::ALL.stop(None, Channel::Message), None);
        assert_eq!(read.stop(None, Channel::Call), None);
        assert_eq!(read.stop(None, Channel::Message), Some((HeldCause::TypeRight, Code::H355)));
        let stop = read.stop(Some(&paused), Channel::Message);
        assert_eq!(stop, Some((HeldCause::Subscription, paused.clone())));
        let stop = BrandRights::NONE.stop(Some(&paused), Channel::Email);
        assert_eq!(stop, Some((HeldCause::NotAuthorised, Code::H353)));
    }
}
