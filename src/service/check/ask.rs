//! Asking the registry for a list of addresses (registry-protocol section 4.8), for bounds below the hour that the change
//! feed hides. The answers are observations with the time of asking, not movements.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::TimeDelta;
use kopru_domain::governor::CallClass;
use kopru_store::brands::BrandRow;
use kopru_store::{Key, Priority, permissions};
use tokio::time::timeout;

use crate::bootstrap::App;
use crate::service::check::{CheckRequest, Entry, keys_of};
use crate::service::observing::List;
use crate::service::{ServiceError, ServiceResult};

/// The registry gets this long even where the caller is not ready to wait.
const LEAST_WAIT: Duration = Duration::from_secs(10);

/// Asks the registry about the addresses that nobody asked about within the bound. A registry that does not answer leaves
/// them as they are: the check then refuses them as stale.
pub(super) async fn refresh(
    app: &App,
    brand: &BrandRow,
    request: &CheckRequest,
    entries: &[Entry],
    bound: Duration,
    wait: Duration,
) -> ServiceResult<()> {
    let wanted = unseen(app, brand, entries, bound).await?;
    if wanted.is_empty() || app.registry.silent_until().await?.is_some() {
        return Ok(());
    }
    let list = List {
        iys_code: brand.iys_code,
        brand_code: brand.brand_code,
        channel: request.channel,
        recipient_type: request.recipient_type,
    };
    let asked_at = app.clocks.business();
    let question = list.ask(app, CallClass::Person, wanted.values().cloned().collect());
    match timeout(wait.max(LEAST_WAIT), question).await {
        Ok(Ok(approved)) => {
            let mut tx = app.db.begin(Priority::Interactive).await?;
            list.record(&mut tx, app, wanted, &approved, asked_at).await?;
            tx.commit().await?;
            app.wake.wake();
            Ok(())
        }
        Ok(Err(ServiceError::Store(error))) => Err(error.into()),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a check could not ask the registry");
            Ok(())
        }
        Err(_) => {
            tracing::warn!("a check waited in vain for the registry");
            Ok(())
        }
    }
}

/// Addresses without an observation that is young enough, by key: each is asked about once (H193).
async fn unseen(
    app: &App,
    brand: &BrandRow,
    entries: &[Entry],
    bound: Duration,
) -> ServiceResult<HashMap<Key, String>> {
    let oldest = app.clocks.business() - TimeDelta::from_std(bound).unwrap_or(TimeDelta::MAX);
    let mut tx = app.db.read().await?;
    let seen: HashSet<Key> = permissions::of_keys(&mut tx, brand.iys_code, keys_of(entries))
        .await?
        .into_iter()
        .filter(|row| row.permission.observation.is_some_and(|seen| seen.asked_at >= oldest))
        .map(|row| row.key)
        .collect();
    let usable = entries.iter().filter_map(|entry| match entry {
        Entry::Usable { recipient, key } => Some((*key, recipient.as_str().to_owned())),
        Entry::Unusable(_) => None,
    });
    Ok(usable.filter(|(key, _)| !seen.contains(key)).collect())
}
