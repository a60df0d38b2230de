//! Sections `[sms]` and `[mail]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kopru_domain::Text;
use kopru_sms::inbound::Mapping;
use kopru_sms::{Template, Vendor};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Problem, secret, value};

/// The account that writes to a file; it needs no settings.
pub const LOG_ACCOUNT: &str = "log";
/// The file of [`LOG_ACCOUNT`], in the data folder.
const LOG_FILE: &str = "messages.jsonl";

/// Text messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// The account of brands that name none; empty: none.
    pub default: String,
    /// How long one call to a vendor may take.
    #[serde(deserialize_with = "value::duration")]
    pub timeout: Duration,
    /// Accounts by name.
    pub accounts: BTreeMap<String, SmsAccount>,
    /// Names of fields in what a vendor pushes, where they differ from the built-in ones, by vendor.
    pub inbound: BTreeMap<String, Mapping>,
}

/// An account with a vendor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsAccount {
    /// `verimor`, `netgsm`, `iletimerkezi`, `twilio` or `http`.
    pub vendor: String,
    /// The sender's name or number of brands that name none.
    #[serde(default)]
    pub from: String,
    /// User name; of iletiMerkezi the key, of Twilio the account's SID.
    #[serde(default)]
    pub user: String,
    /// Password; of iletiMerkezi the hash, of Twilio the token, of `http` what stands for `{secret}`.
    #[serde(default, deserialize_with = "value::secret")]
    pub password: Option<SecretString>,
    /// A file with that password in it.
    #[serde(default, deserialize_with = "value::optional_path")]
    pub password_file: Option<PathBuf>,
    /// Where the vendor is, if not where its documents say.
    #[serde(default)]
    pub url: String,
    /// Of Twilio: where it is to report what becomes of a text, the address of an inbound connection.
    #[serde(default, deserialize_with = "value::optional")]
    pub report_url: Option<String>,
    /// Netgsm's `appname`.
    #[serde(default, deserialize_with = "value::optional")]
    pub appname: Option<String>,
    /// How `http` is asked.
    #[serde(default)]
    pub template: Option<Template>,
}

/// E-mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The account of brands that name none; empty: none.
    pub default: String,
    /// How long the conversation with a server may take.
    #[serde(deserialize_with = "value::duration")]
    pub timeout: Duration,
    /// Accounts by name.
    pub accounts: BTreeMap<String, MailAccount>,
}

/// A server for outgoing mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailAccount {
    /// Its name.
    pub host: String,
    /// Its port; 0: 465 with `tls`, 587 with `starttls`, else 25.
    #[serde(default)]
    pub port: u16,
    /// `starttls` (the default), `tls`, or `none` for a server on this machine.
    #[serde(default = "starttls")]
    pub security: String,
    /// The sender of brands that name none, with a name if wanted.
    #[serde(default)]
    pub from: String,
    /// User name; empty: none.
    #[serde(default)]
    pub user: String,
    /// Password.
    #[serde(default, deserialize_with = "value::secret")]
    pub password: Option<SecretString>,
    /// A file with that password in it.
    #[serde(default, deserialize_with = "value::optional_path")]
    pub password_file: Option<PathBuf>,
}

fn starttls() -> String {
    "starttls".to_owned()
}

/// The account that writes to a file.
pub fn sms_log(data_dir: &Path) -> kopru_sms::Account {
    kopru_sms::Account::Log(kopru_sms::log::Account { file: data_dir.join(LOG_FILE) })
}

/// The account that writes to a file.
pub fn mail_log(data_dir: &Path) -> kopru_mail::Account {
    kopru_mail::Account::Log(kopru_mail::Log { file: data_dir.join(LOG_FILE) })
}

impl Sms {
    /// How a vendor's pushes are read.
    pub fn mapping(&self, vendor: Vendor) -> Mapping {
        self.inbound.get(vendor.as_str()).cloned().unwrap_or_default().or(vendor)
    }

    pub(super) fn read_secrets(&mut self, problems: &mut Vec<Problem>) {
        for account in self.accounts.values_mut() {
            let SmsAccount { password, password_file, .. } = account;
            secret::twin("sms.accounts.password", password, password_file.as_deref(), problems);
        }
    }

    /// What is wrong with the section.
    pub(super) fn problems(&self) -> Vec<(&'static str, Text)> {
        let mut problems = Vec::new();
        for (name, account) in &self.accounts {
            problems.extend(account.build().err().map(|text| ("sms.accounts", named(name, &text))));
        }
        for vendor in self.inbound.keys().filter(|vendor| vendor.parse::<Vendor>().is_err()) {
            let text = Text::fixed("böyle bir sağlayıcı yok", "there is no such vendor");
            problems.push(("sms.inbound", named(vendor, &text)));
        }
        problems
            .extend(unknown_default(&self.default, self.accounts.keys()).map(|text| ("sms.default", text)));
        problems
    }
}

impl SmsAccount {
    /// The account, ready for use.
    pub fn build(&self) -> Result<kopru_sms::Account, Text> {
        use kopru_sms::{Account, http, iletimerkezi, netgsm, twilio, verimor};
        let vendor: Vendor = self.vendor.parse().map_err(|_| {
            Text::fixed(
                "vendor verimor, netgsm, iletimerkezi, twilio ya da http olmalıdır",
                "vendor must be verimor, netgsm, iletimerkezi, twilio or http",
            )
        })?;
        let url =
            |own: &str| if self.url.is_empty() { own } else { &self.url }.trim_end_matches('/').to_owned();
        let credentials = || match &self.password {
            Some(password) if !self.user.is_empty() => Ok((self.user.clone(), password.clone())),
            _ => Err(Text::fixed(
                "user ve password (ya da password_file) gerekli",
                "user and password (or password_file) are needed",
            )),
        };
        Ok(match vendor {
            Vendor::Verimor => {
                let (username, password) = credentials()?;
                Account::Verimor(verimor::Account { username, password, url: url(verimor::URL) })
            }
            Vendor::Netgsm => {
                let (username, password) = credentials()?;
                let appname = self.appname.clone();
                Account::Netgsm(netgsm::Account { username, password, appname, url: url(netgsm::URL) })
            }
            Vendor::IletiMerkezi => {
                let (key, hash) = credentials()?;
                Account::IletiMerkezi(iletimerkezi::Account { key, hash, url: url(iletimerkezi::URL) })
            }
            Vendor::Twilio => {
                let (account_sid, auth_token) = credentials()?;
                let (url, status_callback) = (url(twilio::URL), self.report_url.clone());
                Account::Twilio(twilio::Account { account_sid, auth_token, url, status_callback })
            }
            Vendor::Http => {
                let missing = || Text::fixed("template gerekli", "template is needed");
                let template = self.template.clone().ok_or_else(missing)?;
                let account = http::Account::new(template, self.password.clone());
                Account::Http(account.map_err(|error| {
                    Text::new(
                        format!("template kullanılamaz: {error}"),
                        format!("template cannot be used: {error}"),
                    )
                })?)
            }
            Vendor::Log => {
                return Err(Text::fixed(
                    "log hesabı zaten var ve ayar istemez",
                    "the account log is there already and needs no settings",
                ));
            }
        })
    }
}

impl Mail {
    pub(super) fn read_secrets(&mut self, problems: &mut Vec<Problem>) {
        for account in self.accounts.values_mut() {
            let MailAccount { password, password_file, .. } = account;
            secret::twin("mail.accounts.password", password, password_file.as_deref(), problems);
        }
    }

    /// What is wrong with the section.
    pub(super) fn problems(&self) -> Vec<(&'static str, Text)> {
        let mut problems = Vec::new();
        for (name, account) in &self.accounts {
            let built = account.build(self.timeout);
            problems.extend(built.err().map(|text| ("mail.accounts", named(name, &text))));
        }
        problems
            .extend(unknown_default(&self.default, self.accounts.keys()).map(|text| ("mail.default", text)));
        problems
    }
}

impl MailAccount {
    /// The account, ready for use.
    pub fn build(&self, timeout: Duration) -> Result<kopru_mail::Account, Text> {
        use kopru_mail::{Account, Security, Smtp};
        let (security, usual) = match self.security.as_str() {
            "starttls" => (Security::StartTls, 587),
            "tls" => (Security::Tls, 465),
            "none" => (Security::None, 25),
            _ => {
                return Err(Text::fixed(
                    "security starttls, tls ya da none olmalıdır",
                    "security must be starttls, tls or none",
                ));
            }
        };
        if self.host.is_empty() {
            return Err(Text::fixed("host gerekli", "host is needed"));
        }
        if !self.from.is_empty() && !kopru_mail::check_address(&self.from) {
            return Err(Text::fixed("from bir e-posta adresi olmalıdır", "from must be an e-mail address"));
        }
        let credentials = match &self.password {
            Some(password) if !self.user.is_empty() => Some((self.user.clone(), password.clone())),
            None if self.user.is_empty() => None,
            _ => {
                return Err(Text::fixed(
                    "user ve password birlikte verilir",
                    "user and password are given together",
                ));
            }
        };
        let port = if self.port == 0 { usual } else { self.port };
        Ok(Account::Smtp(Smtp { host: self.host.clone(), port, security, credentials, timeout }))
    }
}

fn named(name: &str, text: &Text) -> Text {
    Text::new(format!("{name}: {}", text.tr), format!("{name}: {}", text.en))
}

fn unknown_default<'a>(default: &str, mut names: impl Iterator<Item = &'a String>) -> Option<Text> {
    let known = default.is_empty() || default == LOG_ACCOUNT || names.any(|name| name == default);
    (!known).then(|| {
        Text::new(format!("{default} adında bir hesap yok"), format!("there is no account {default}"))
    })
}
