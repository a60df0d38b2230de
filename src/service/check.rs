//! "May I send to this list?" (design.md section 4.10). Fails closed: what is not known to be allowed now is refused, with
//! the reason.
//!
//! Two ways to be sure of the present: the mirror, where the last complete reading of the registry's feed is not older
//! than the bound; and, for bounds below the hour that the feed hides, the registry's own list query, whose answers are
//! kept as observations.

mod ask;
mod fresh;
mod verdict;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{AddressError, Channel, Recipient, RecipientType, Text};
use kopru_store::brands::BrandRow;
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::submissions::{self, OpenRow};
use kopru_store::{Key, ProviderKeys, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::config::format_duration;
use crate::service::reconciliation::{self, Freshness};
use crate::service::{Caller, Scope, ServiceResult, providers};

pub use verdict::{Reason, Verdict};

/// Addresses of one check at most: what the registry answers in one call.
pub const MOST: usize = 1_000;
/// The longest wait for a stale mirror to be read again.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What the registry's feed hides (registry-protocol section 4.10): bounds below it cannot be met by the mirror.
const HIDDEN: Duration = Duration::from_hours(1);

/// What is to be checked.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The way the messages would go.
    pub channel: Channel,
    /// In which capacity the addresses are held.
    pub recipient_type: RecipientType,
    /// Addresses as typed, at most [`MOST`].
    pub recipients: Vec<String>,
    /// How old the knowledge may be; `None` = the installation's bound, which a request can only lower.
    pub freshness: Option<Duration>,
    /// How long a stale brand may be waited for, at most [`LONGEST_WAIT`].
    pub wait: Duration,
}

/// The verdicts of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckAnswer {
    /// Start of the last complete reading of the registry's feed, RFC 3339 with +03:00; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Until when the mirror knows everything: the feed hides its last hour, of which only push tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
    /// The bound that was applied, such as `2h`.
    #[schema(example = "2h")]
    pub freshness: String,
    /// Whether that bound could not be met for some address, which was refused for it.
    pub stale: bool,
    /// How many addresses may be written to.
    pub allowed: usize,
    /// One verdict for each address, in the order asked.
    pub verdicts: Vec<Verdict>,
}

/// An address of the request after reading it.
enum Entry {
    Usable { recipient: Recipient, key: Key },
    Unusable(AddressError),
}

/// What is known of the addresses.
struct Known {
    permissions: HashMap<Key, PermissionRow>,
    open: HashMap<Key, Vec<OpenRow>>,
    freshness: Freshness,
}

/// Checks a list of addresses.
pub async fn check(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    request: CheckRequest,
) -> ServiceResult<CheckAnswer> {
    caller.require(Scope::PermissionsRead)?;
    check_size(request.recipients.len())?;
    let bound = request.freshness.unwrap_or(app.config.check.freshness).min(app.config.check.freshness);
    let guarded = bound < HIDDEN;
    reconciliation::used(app, brand.iys_code, brand.brand_code).await;
    let wait = request.wait.min(LONGEST_WAIT);
    let entries = {
        let mut tx = app.db.read().await?;
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        entries(&keys, brand, &request)
    };
    if guarded {
        ask::refresh(app, brand, &request, &entries, bound, wait).await?;
    } else {
        fresh::wait_for(app, brand, bound, wait).await?;
    }
    let known = {
        let mut tx = app.db.read().await?;
        Known::load(app, &mut tx, brand, request.channel, &entries).await?
    };
    let now = app.clocks.business();
    Ok(answer(caller, request, &entries, &known, Bound { most: bound, guarded, now }))
}

fn check_size(count: usize) -> ServiceResult<()> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    let title = Text::new(
        format!("bir istekte 1 ile {MOST} arasında adres sorulabilir; {count} adres gönderildi"),
        format!("one request takes 1 to {MOST} addresses; {count} were sent"),
    );
    Err(providers::invalid("recipients", "count", title))
}

fn entries(keys: &ProviderKeys, brand: &BrandRow, request: &CheckRequest) -> Vec<Entry> {
    let read = |raw: &String| match Recipient::parse(raw, request.channel) {
        Ok(recipient) => {
            let key = keys.key(brand.brand_code, request.recipient_type, request.channel, recipient.as_str());
            Entry::Usable { recipient, key }
        }
        Err(error) => Entry::Unusable(error),
    };
    request.recipients.iter().map(read).collect()
}

/// The keys of the usable addresses, each once.
fn keys_of(entries: &[Entry]) -> Vec<Key> {
    let mut keys: Vec<Key> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Usable { key, .. } => Some(*key),
            Entry::Unusable(_) => None,
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl Known {
    async fn load(
        app: &App,
        tx: &mut Tx,
        brand: &BrandRow,
        channel: Channel,
        entries: &[Entry],
    ) -> ServiceResult<Self> {
        let keys = keys_of(entries);
        let rows = permissions::of_keys(tx, brand.iys_code, keys.clone()).await?;
        let mut open: HashMap<Key, Vec<OpenRow>> = HashMap::new();
        for row in submissions::open_of_keys(tx, brand.iys_code, keys).await? {
            open.entry(row.key).or_default().push(row);
        }
        let freshness =
            reconciliation::freshness_of(app, tx, brand.iys_code, brand.brand_code, &[channel]).await?;
        Ok(Self { permissions: rows.into_iter().map(|row| (row.key, row)).collect(), open, freshness })
    }
}

/// How old knowledge may be, and by which of the two ways that is met.
#[derive(Clone, Copy)]
struct Bound {
    most: Duration,
    guarded: bool,
    now: DateTime<Utc>,
}

impl Bound {
    /// Whether an instant is young enough.
    fn met_by(self, at: DateTime<Utc>) -> bool {
        self.now - at <= TimeDelta::from_std(self.most).unwrap_or(TimeDelta::MAX)
    }
}

fn answer(
    caller: &Caller,
    request: CheckRequest,
    entries: &[Entry],
    known: &Known,
    bound: Bound,
) -> CheckAnswer {
    let mirror = known.freshness.as_of.filter(|as_of| !bound.guarded && bound.met_by(*as_of));
    let verdicts: Vec<Verdict> = request
        .recipients
        .into_iter()
        .zip(entries)
        .map(|(raw, entry)| match entry {
            Entry::Unusable(error) => Verdict::invalid(raw, *error, caller.lang),
            Entry::Usable { key, .. } => {
                let row = known.permissions.get(key);
                let seen = row.and_then(|row| row.permission.observation).map(|seen| seen.asked_at);
                let as_of = mirror.max(seen.filter(|at| bound.met_by(*at)));
                let open = known.open.get(key).map_or(&[][..], Vec::as_slice);
                Verdict::judge(raw, request.recipient_type, row.map(|row| &row.permission), open, as_of)
            }
        })
        .collect();
    CheckAnswer {
        as_of: known.freshness.as_of.map(format_rfc3339),
        horizon: known.freshness.horizon.map(format_rfc3339),
        freshness: format_duration(bound.most),
        stale: verdicts.iter().any(|verdict| verdict.reason == Some(Reason::Stale)),
        allowed: verdicts.iter().filter(|verdict| verdict.allowed).count(),
        verdicts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_one_to_a_thousand_addresses() {
        assert!(check_size(1).is_ok() && check_size(MOST).is_ok());
        assert!(check_size(0).is_err() && check_size(MOST + 1).is_err());
    }

    #[test]
    fn knowledge_is_young_enough_up_to_the_bound_itself() {
        let now: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
        let bound = Bound { most: Duration::from_hours(2), guarded: false, now };
        assert!(bound.met_by(now - TimeDelta::hours(2)));
        assert!(!bound.met_by(now - TimeDelta::hours(2) - TimeDelta::microseconds(1)));
        assert!(bound.met_by(now + TimeDelta::hours(1)));
    }
}
