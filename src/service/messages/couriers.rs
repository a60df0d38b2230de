//! The accounts of the settings, and which of them are to be left alone for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use kopru_domain::Lang;
use kopru_sms::{Unverified, Vendor};
use kopru_store::messages::MessageChannel;
use kopru_store::senders::SenderRow;

use crate::config::Config;
use crate::config::messaging::{self, LOG_ACCOUNT};

/// An account and its usual sender.
#[derive(Debug)]
struct Account<A> {
    account: A,
    from: String,
}

/// Who carries messages.
#[derive(Debug)]
pub struct Couriers {
    pub(super) client: kopru_sms::Client,
    sms: BTreeMap<String, Account<kopru_sms::Account>>,
    mail: BTreeMap<String, Account<kopru_mail::Account>>,
    defaults: [String; 2],
    /// Accounts that failed, until when (business time).
    paused: Mutex<HashMap<(MessageChannel, String), DateTime<Utc>>>,
}

/// Whom a message goes through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'a> {
    pub account: &'a str,
    pub courier: Courier<'a>,
    pub from: &'a str,
}

/// The account itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Courier<'a> {
    Sms(&'a kopru_sms::Account),
    Mail(&'a kopru_mail::Account),
}

impl Courier<'_> {
    /// As in lists and metrics.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::Sms(account) => account.vendor().as_str(),
            Self::Mail(kopru_mail::Account::Smtp(_)) => "smtp",
            Self::Mail(kopru_mail::Account::Log(_)) => LOG_ACCOUNT,
        }
    }
}

impl Couriers {
    /// The accounts of the settings.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let client = kopru_sms::Client::builder().timeout(config.sms.timeout).build();
        let client = client.context("the client for SMS vendors cannot be built")?;
        let log = |account| Account { account, from: "KOPRU".to_owned() };
        let mut sms = BTreeMap::from([(LOG_ACCOUNT.to_owned(), log(messaging::sms_log(&config.data_dir)))]);
        for (name, settings) in &config.sms.accounts {
            let account = settings
                .build()
                .map_err(|text| anyhow::anyhow!("sms.accounts.{name}: {}", text.get(Lang::En)))?;
            sms.insert(name.clone(), Account { account, from: settings.from.clone() });
        }
        let log =
            Account { account: messaging::mail_log(&config.data_dir), from: "kopru@localhost".to_owned() };
        let mut mail = BTreeMap::from([(LOG_ACCOUNT.to_owned(), log)]);
        for (name, settings) in &config.mail.accounts {
            let account = settings
                .build(config.mail.timeout)
                .map_err(|text| anyhow::anyhow!("mail.accounts.{name}: {}", text.get(Lang::En)))?;
            mail.insert(name.clone(), Account { account, from: settings.from.clone() });
        }
        let defaults = [config.sms.default.clone(), config.mail.default.clone()];
        Ok(Self { client, sms, mail, defaults, paused: Mutex::default() })
    }

    /// Whether an account of the name is there.
    pub fn has(&self, channel: MessageChannel, name: &str) -> bool {
        match channel {
            MessageChannel::Sms => self.sms.contains_key(name),
            MessageChannel::Email => self.mail.contains_key(name),
        }
    }

    /// Whom a brand's messages go through; `None` where neither it nor the settings name an account that is there.
    pub(super) fn route<'a>(
        &'a self,
        channel: MessageChannel,
        sender: Option<&'a SenderRow>,
    ) -> Option<Route<'a>> {
        let own = |of: fn(&SenderRow) -> &Option<String>| sender.and_then(|sender| of(sender).as_deref());
        match channel {
            MessageChannel::Sms => {
                let name = own(|sender| &sender.sms_account).unwrap_or(&self.defaults[0]);
                let (account, found) = self.sms.get_key_value(name)?;
                let from = own(|sender| &sender.sms_from).unwrap_or(&found.from);
                Some(Route { account, courier: Courier::Sms(&found.account), from })
            }
            MessageChannel::Email => {
                let name = own(|sender| &sender.mail_account).unwrap_or(&self.defaults[1]);
                let (account, found) = self.mail.get_key_value(name)?;
                let from = own(|sender| &sender.mail_from).unwrap_or(&found.from);
                Some(Route { account, courier: Courier::Mail(&found.account), from })
            }
        }
    }

    /// Until when an account is left alone.
    pub(super) fn paused(
        &self,
        channel: MessageChannel,
        account: &str,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.get(&(channel, account.to_owned())).copied().filter(|until| now < *until)
    }

    /// Leaves an account alone for a while.
    pub(super) fn pause(&self, channel: MessageChannel, account: &str, until: DateTime<Utc>) {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.insert((channel, account.to_owned()), until);
    }

    /// What of the vendors in use nobody has confirmed yet.
    pub fn unverified(&self) -> impl Iterator<Item = (Vendor, &'static Unverified)> {
        let mut vendors: Vec<Vendor> = self.sms.values().map(|account| account.account.vendor()).collect();
        vendors.sort_unstable();
        vendors.dedup();
        vendors.into_iter().flat_map(|vendor| vendor.unverified().iter().map(move |note| (vendor, note)))
    }

    /// The accounts of a channel that are the default and write to a file instead of sending.
    pub fn only_written(&self) -> impl Iterator<Item = MessageChannel> {
        let channels = [MessageChannel::Sms, MessageChannel::Email];
        channels
            .into_iter()
            .zip(&self.defaults)
            .filter(|(_, name)| *name == LOG_ACCOUNT)
            .map(|(channel, _)| channel)
    }
}
