//! Providers, their brands, partners and what they may do, subscriptions.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::word;
use crate::error::Result;
use crate::words::Channel;

/// The state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionStatus {
    Active,
    Paused,
    Expired,
    Closed,
}

impl SubscriptionStatus {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "ACTIVE" => Some(Self::Active),
            "PAUSED" => Some(Self::Paused),
            "EXPIRED" => Some(Self::Expired),
            "CLOSED" => Some(Self::Closed),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Expired => "EXPIRED",
            Self::Closed => "CLOSED",
        }
    }
}

/// A provider's or partner's subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// iysCode or integratorCode of the owner.
    pub(crate) code: i64,
    pub(crate) id: String,
    pub(crate) package: String,
    pub(crate) status: SubscriptionStatus,
    pub(crate) start_at: i64,
    pub(crate) expires_at: i64,
    /// The package includes the use of the API.
    pub(crate) api_use: bool,
    /// How many addresses may be recorded.
    pub(crate) consent_limit: i64,
    /// More than that may be recorded.
    pub(crate) consent_limit_exceed: bool,
}

/// A service provider.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) iys_code: i64,
    pub(crate) title: String,
    /// Before it, consents of any age may be loaded (protocol 7.5); `None` is long past.
    pub(crate) activation_at: Option<i64>,
    /// How many addresses are recorded.
    pub(crate) used_addresses: i64,
}

/// A brand of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Brand {
    pub(crate) code: i64,
    pub(crate) iys_code: i64,
    pub(crate) name: String,
    pub(crate) master: bool,
}

/// What a partner may do with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Write,
    Read,
    None,
}

impl Right {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "write" => Some(Self::Write),
            "read" => Some(Self::Read),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::None => "none",
        }
    }

    /// The word in lists; nothing where there is no right (protocol 11, U23).
    pub(crate) fn shown(self) -> Option<String> {
        (self != Self::None).then(|| self.as_str().to_owned())
    }

    pub(crate) fn can_write(self) -> bool {
        self == Self::Write
    }

    pub(crate) fn can_read(self) -> bool {
        self != Self::None
    }
}

/// What a brand lets a partner do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authorisation {
    pub(crate) message: Right,
    pub(crate) call: Right,
    pub(crate) email: Right,
    pub(crate) agreement_control: bool,
    pub(crate) via_control: bool,
}

impl Authorisation {
    /// The right on a channel.
    pub(crate) fn right(self, channel: Channel) -> Right {
        match channel {
            Channel::Message => self.message,
            Channel::Call => self.call,
            Channel::Email => self.email,
        }
    }
}

/// Looks a provider up.
pub(crate) fn find(db: &Connection, iys_code: i64) -> Result<Option<Provider>> {
    let sql = "SELECT iys_code, title, activation_at, used_addresses FROM providers WHERE iys_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([iys_code], read_provider).optional()?)
}

/// All providers.
pub(crate) fn list(db: &Connection) -> Result<Vec<Provider>> {
    let sql = "SELECT iys_code, title, activation_at, used_addresses FROM providers ORDER BY iys_code";
    Ok(db.prepare_cached(sql)?.query_map([], read_provider)?.collect::<Result<_, _>>()?)
}

fn read_provider(row: &Row<'_>) -> rusqlite::Result<Provider> {
    Ok(Provider {
        iys_code: row.get(0)?,
        title: row.get(1)?,
        activation_at: row.get(2)?,
        used_addresses: row.get(3)?,
    })
}

/// Adds a provider or changes its title and activation date.
pub(crate) fn put(db: &Connection, iys_code: i64, title: &str, activation_at: Option<i64>) -> Result<()> {
    let sql = "INSERT INTO providers (iys_code, title, activation_at) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET title = ?2, activation_at = ?3";
    db.execute(sql, params![iys_code, title, activation_at])?;
    Ok(())
}

/// Counts one more recorded address of a provider.
pub(crate) fn count_address(db: &Connection, iys_code: i64) -> Result<()> {
    db.prepare_cached("UPDATE providers SET used_addresses = used_addresses + 1 WHERE iys_code = ?1")?
        .execute([iys_code])?;
    Ok(())
}

/// Looks a brand up.
pub(crate) fn find_brand(db: &Connection, brand_code: i64) -> Result<Option<Brand>> {
    let sql = "SELECT brand_code, iys_code, name, master FROM brands WHERE brand_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([brand_code], read_brand).optional()?)
}

/// The brands of a provider, the master brand first.
pub(crate) fn list_brands(db: &Connection, iys_code: i64) -> Result<Vec<Brand>> {
    let sql = "SELECT brand_code, iys_code, name, master FROM brands WHERE iys_code = ?1
               ORDER BY master DESC, brand_code";
    Ok(db.prepare_cached(sql)?.query_map([iys_code], read_brand)?.collect::<Result<_, _>>()?)
}

fn read_brand(row: &Row<'_>) -> rusqlite::Result<Brand> {
    Ok(Brand { code: row.get(0)?, iys_code: row.get(1)?, name: row.get(2)?, master: row.get(3)? })
}

/// Adds a brand or renames it.
pub(crate) fn put_brand(db: &Connection, brand: &Brand) -> Result<()> {
    let sql = "INSERT INTO brands (brand_code, iys_code, name, master) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET iys_code = ?2, name = ?3, master = ?4";
    db.execute(sql, params![brand.code, brand.iys_code, brand.name, brand.master])?;
    Ok(())
}

/// Adds a partner or changes its title.
pub(crate) fn put_partner(db: &Connection, integrator_code: i64, title: &str) -> Result<()> {
    let sql = "INSERT INTO partners (integrator_code, title) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET title = ?2";
    db.execute(sql, params![integrator_code, title])?;
    Ok(())
}

/// A partner's title.
pub(crate) fn find_partner(db: &Connection, integrator_code: i64) -> Result<Option<String>> {
    let sql = "SELECT title FROM partners WHERE integrator_code = ?1";
    Ok(db.prepare_cached(sql)?.query_row([integrator_code], |row| row.get(0)).optional()?)
}

/// All partners with their titles.
pub(crate) fn list_partners(db: &Connection) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT integrator_code, title FROM partners ORDER BY integrator_code";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a brand lets a partner do; `None` when it lets it do nothing at all.
pub(crate) fn find_authorisation(
    db: &Connection,
    integrator_code: i64,
    brand_code: i64,
) -> Result<Option<Authorisation>> {
    let sql = "SELECT message, call, email, agreement_control, via_control FROM authorisations
               WHERE integrator_code = ?1 AND brand_code = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row([integrator_code, brand_code], |row| read_authorisation(row, 0))
        .optional()?;
    Ok(found)
}

/// Whether a partner may act for any brand of a provider.
pub(crate) fn serves_provider(db: &Connection, integrator_code: i64, iys_code: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM brands b JOIN authorisations a ON a.brand_code = b.brand_code
               WHERE b.iys_code = ?2 AND a.integrator_code = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([integrator_code, iys_code], |row| row.get(0))?)
}

/// A brand as it stands in a partner's list.
#[derive(Debug, Clone)]
pub(crate) struct AuthorisedBrand {
    pub(crate) brand: Brand,
    /// The provider's title.
    pub(crate) title: String,
    pub(crate) authorisation: Authorisation,
}

/// The brands that authorised a partner, of one provider or of all.
pub(crate) fn list_authorised(
    db: &Connection,
    integrator_code: i64,
    iys_code: Option<i64>,
) -> Result<Vec<AuthorisedBrand>> {
    let sql = "SELECT b.brand_code, b.iys_code, b.name, b.master, p.title,
                      a.message, a.call, a.email, a.agreement_control, a.via_control
               FROM authorisations a JOIN brands b ON b.brand_code = a.brand_code
               JOIN providers p ON p.iys_code = b.iys_code
               WHERE a.integrator_code = ?1 AND (?2 IS NULL OR b.iys_code = ?2)
               ORDER BY b.iys_code, b.brand_code";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![integrator_code, iys_code], |row| {
        Ok(AuthorisedBrand {
            brand: read_brand(row)?,
            title: row.get(4)?,
            authorisation: read_authorisation(row, 5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_authorisation(row: &Row<'_>, from: usize) -> rusqlite::Result<Authorisation> {
    Ok(Authorisation {
        message: word(row, from, Right::parse)?,
        call: word(row, from + 1, Right::parse)?,
        email: word(row, from + 2, Right::parse)?,
        agreement_control: row.get(from + 3)?,
        via_control: row.get(from + 4)?,
    })
}

/// Gives or changes a partner's rights on a brand.
pub(crate) fn put_authorisation(
    db: &Connection,
    integrator_code: i64,
    brand_code: i64,
    authorisation: Authorisation,
) -> Result<()> {
    let sql = "INSERT INTO authorisations
                   (integrator_code, brand_code, message, call, email, agreement_control, via_control)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT DO UPDATE SET message = ?3, call = ?4, email = ?5,
                   agreement_control = ?6, via_control = ?7";
    let Authorisation { message, call, email, agreement_control, via_control } = authorisation;
    db.execute(
        sql,
        params![
            integrator_code,
            brand_code,
            message.as_str(),
            call.as_str(),
            email.as_str(),
            agreement_control,
            via_control
        ],
    )?;
    Ok(())
}

/// Takes all of a partner's rights on a brand.
pub(crate) fn remove_authorisation(db: &Connection, integrator_code: i64, brand_code: i64) -> Result<()> {
    let sql = "DELETE FROM authorisations WHERE integrator_code = ?1 AND brand_code = ?2";
    db.execute(sql, [integrator_code, brand_code])?;
    Ok(())
}

/// Looks the subscription of a provider or partner up.
pub(crate) fn find_subscription(db: &Connection, code: i64) -> Result<Option<Subscription>> {
    let sql = "SELECT code, id, package, status, start_at, expires_at, api_use, consent_limit,
                      consent_limit_exceed
               FROM subscriptions WHERE code = ?1";
    let found = db
        .prepare_cached(sql)?
        .query_row([code], |row| {
            Ok(Subscription {
                code: row.get(0)?,
                id: row.get(1)?,
                package: row.get(2)?,
                status: word(row, 3, SubscriptionStatus::parse)?,
                start_at: row.get(4)?,
                expires_at: row.get(5)?,
                api_use: row.get(6)?,
                consent_limit: row.get(7)?,
                consent_limit_exceed: row.get(8)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Adds or replaces a subscription.
pub(crate) fn put_subscription(db: &Connection, subscription: &Subscription) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO subscriptions
                   (code, id, package, status, start_at, expires_at, api_use, consent_limit,
                    consent_limit_exceed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let s = subscription;
    db.execute(
        sql,
        params![
            s.code,
            s.id,
            s.package,
            s.status.as_str(),
            s.start_at,
            s.expires_at,
            s.api_use,
            s.consent_limit,
            s.consent_limit_exceed
        ],
    )?;
    Ok(())
}

/// Removes a subscription.
pub(crate) fn remove_subscription(db: &Connection, code: i64) -> Result<()> {
    db.execute("DELETE FROM subscriptions WHERE code = ?1", [code])?;
    Ok(())
}
