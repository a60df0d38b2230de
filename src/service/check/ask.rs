//! Asking the registry for a list of addresses (registry-protocol section 4.8), for bounds below the hour that the change
//! feed hides. The answers are observations with the time of asking, not movements.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::governor::CallClass;
use kopru_domain::{Observation, Recipient};
use kopru_store::brands::BrandRow;
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::{Key, Priority, heads};
use tokio::time::timeout;

use crate::bootstrap::App;
use crate::registry::{RegistryError, codes, priority};
use crate::service::check::{CheckRequest, Entry, keys_of};
use crate::service::events::{EventLog, Subject};
use crate::service::mirror::{self, KeyStates};
use crate::service::permissions::account;
use crate::service::{ServiceError, ServiceResult, filing};

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
    let asked_at = app.clocks.business();
    let question = statuses(
        app,
        brand,
        request,
        wanted.values().map(|recipient| recipient.as_str().to_owned()).collect(),
    );
    match timeout(wait.max(LEAST_WAIT), question).await {
        Ok(Ok(approved)) => record(app, brand, request, wanted, &approved, asked_at).await,
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
) -> ServiceResult<HashMap<Key, Recipient>> {
    let oldest = app.clocks.business() - TimeDelta::from_std(bound).unwrap_or(TimeDelta::MAX);
    let mut tx = app.db.read().await?;
    let seen: HashSet<Key> = permissions::of_keys(&mut tx, brand.iys_code, keys_of(entries))
        .await?
        .into_iter()
        .filter(|row| row.permission.observation.is_some_and(|seen| seen.asked_at >= oldest))
        .map(|row| row.key)
        .collect();
    let usable = entries.iter().filter_map(|entry| match entry {
        Entry::Usable { recipient, key } => Some((*key, recipient.clone())),
        Entry::Unusable(_) => None,
    });
    Ok(usable.filter(|(key, _)| !seen.contains(key)).collect())
}

/// Which of the addresses are approved at the registry.
async fn statuses(
    app: &App,
    brand: &BrandRow,
    request: &CheckRequest,
    recipients: Vec<String>,
) -> ServiceResult<HashSet<String>> {
    let account = account(app, brand.iys_code).await?;
    let place = codes(brand.iys_code, brand.brand_code);
    let asking = filing::approved(&account, place, request.recipient_type, request.channel, recipients);
    let approved = priority::run(CallClass::Person, asking).await;
    Ok(approved.map_err(RegistryError::Iys)?)
}

/// Keeps the answers, and tells where one changed what may be done.
async fn record(
    app: &App,
    brand: &BrandRow,
    request: &CheckRequest,
    wanted: HashMap<Key, Recipient>,
    approved: &HashSet<String>,
    asked_at: DateTime<Utc>,
) -> ServiceResult<()> {
    let provider = brand.iys_code;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let keys = app.vault.keys(&mut tx, provider).await?;
    let mut head = heads::lock(&mut tx, provider).await?;
    let mut states = KeyStates::load(&mut tx, provider, wanted.keys().copied().collect()).await?;
    let now = app.clocks.business();
    let mut events = EventLog::new(provider, keys.clone(), now);
    let mut rows = Vec::with_capacity(wanted.len());
    for (key, recipient) in wanted {
        let permission = &mut states.of(key).permission;
        let before = permission.effective(request.recipient_type);
        permission.observe(Observation { asked_at, approved: approved.contains(recipient.as_str()) });
        let subject = Subject {
            brand_code: brand.brand_code,
            key,
            recipient: recipient.as_str().to_owned(),
            recipient_type: request.recipient_type,
            channel: request.channel,
        };
        events.permission_changed(subject, before, permission, "status_query", None);
        rows.push(PermissionRow {
            key,
            brand_code: brand.brand_code,
            recipient_type: request.recipient_type,
            channel: request.channel,
            recipient: mirror::seal_recipient(&keys, recipient.as_str()),
            permission: permission.clone(),
        });
    }
    permissions::save(&mut tx, provider, rows, now).await?;
    events.append(&mut tx, &mut head).await?;
    heads::advance(&mut tx, provider, &head).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}
