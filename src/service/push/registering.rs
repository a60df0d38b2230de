//! Telling the registry of receivers, asking it for their state now and then, and ridding it of them.
//!
//! Each step is a call and then a transaction. A step whose outcome is unknown is made again: to the registry the same address
//! for the same channel is the same connection (assumed, registry-protocol section 11, U22).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::{PushConnection, PushRegistration};
use iys::{Account, ErrorClass, IysError};
use kopru_domain::outcome::retry_delay;
use kopru_store::push::{self, ConnectionRow, ConnectionState};
use kopru_store::{Claim, Priority};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::registry::codes;
use crate::service::permissions::account;
use crate::service::push::Secrets;
use crate::service::{ServiceResult, filing};

/// The registry may take so long: it tries the address while it is told of it.
const LEASE: Duration = Duration::from_mins(2);
/// What was asked of the registry and it does not know: there is no such connection, or not with these credentials.
const NOT_THERE: &str = "H530";

/// Claims the receiver that has waited longest for something to be done.
pub async fn claim(app: &App, claim: Claim) -> ServiceResult<Option<ConnectionRow>> {
    claim_one(app, claim, None).await
}

async fn claim_one(app: &App, claim: Claim, only: Option<Uuid>) -> ServiceResult<Option<ConnectionRow>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let row = push::claim(&mut tx, app.clocks.business(), app.clocks.wire(), claim, only).await?;
    tx.commit().await?;
    Ok(row)
}

/// Does what is due for one receiver, in the caller's task.
pub async fn now(app: &App, id: Uuid) -> ServiceResult<()> {
    let until = app.clocks.wire() + TimeDelta::from_std(LEASE).unwrap_or_default();
    let mine = Claim { by: Uuid::new_v4(), until };
    match claim_one(app, mine, Some(id)).await? {
        Some(row) => step(app, row, mine).await,
        None => Ok(()),
    }
}

/// Does what is due for a claimed receiver.
pub async fn step(app: &App, row: ConnectionRow, claim: Claim) -> ServiceResult<()> {
    let secrets = Secrets::open(app, &row.sealed)?;
    let account = match account(app, row.iys_code).await {
        Ok(account) => account,
        Err(error) => {
            let row = later(app, row, app.clocks.business(), None, error.to_string());
            return settle(app, row, claim).await;
        }
    };
    match row.state {
        ConnectionState::Registering | ConnectionState::Lost => {
            register(app, &account, row, secrets, claim).await
        }
        ConnectionState::Active => ask(app, &account, row, &secrets, claim).await,
        ConnectionState::Removing => unregister(app, &account, row, secrets, claim).await,
        ConnectionState::Refused => Ok(()),
    }
}

fn connection(row: &ConnectionRow, secrets: Secrets) -> PushConnection {
    PushConnection {
        url: secrets.url,
        r#type: row.channel.as_str().to_owned(),
        username: secrets.username,
        password: secrets.password.into(),
    }
}

async fn register(
    app: &App,
    account: &Account,
    row: ConnectionRow,
    secrets: Secrets,
    claim: Claim,
) -> ServiceResult<()> {
    let place = codes(row.iys_code, row.brand_code);
    let result = account.register_push(place, &[connection(&row, secrets)]).await;
    filing::count("push_register", &result);
    let now = app.clocks.business();
    let row = match result {
        Ok(_) => ConnectionRow {
            state: ConnectionState::Active,
            code: None,
            active_since: Some(now),
            confirmed_at: Some(now),
            ..well(app, row, now)
        },
        Err(error) if is_definite(&error) => {
            tracing::warn!(
                brand.code = row.brand_code.0,
                error = &error as &dyn std::error::Error,
                "the registry does not take a push connection"
            );
            let code = error.code().map(str::to_owned);
            let refused = row.state == ConnectionState::Registering;
            let row = ConnectionRow { code, last_error: Some(error.to_string()), ..well(app, row, now) };
            if refused { ConnectionRow { state: ConnectionState::Refused, ..row } } else { row }
        }
        Err(error) => later(app, row, now, Some(&error), error.to_string()),
    };
    settle(app, row, claim).await
}

/// Whether the registry still pushes to the receiver.
async fn ask(
    app: &App,
    account: &Account,
    row: ConnectionRow,
    secrets: &Secrets,
    claim: Claim,
) -> ServiceResult<()> {
    let result = account.push_registrations(codes(row.iys_code, row.brand_code)).await;
    filing::count("push_registrations", &result);
    let now = app.clocks.business();
    let row = match result {
        Ok(list) if is_listed(&list, &row, secrets) => {
            ConnectionRow { confirmed_at: Some(now), ..well(app, row, now) }
        }
        Ok(_) => {
            tracing::warn!(
                brand.code = row.brand_code.0,
                channel = row.channel.as_str(),
                "the registry does not push to our receiver any more; it is told of it anew"
            );
            metrics::counter!("push_connections_lost_total").increment(1);
            let row = ConnectionRow { state: ConnectionState::Lost, active_since: None, ..row };
            ConnectionRow { attempt: 0, next_attempt_at: now, last_error: None, ..row }
        }
        Err(error) => later(app, row, now, Some(&error), error.to_string()),
    };
    settle(app, row, claim).await
}

/// An unknown phrase for its state is not taken for the loss of a connection that is listed.
fn is_listed(list: &[PushRegistration], row: &ConnectionRow, secrets: &Secrets) -> bool {
    let ours = |it: &&PushRegistration| it.url == secrets.url && it.r#type == row.channel.as_str();
    list.iter().filter(ours).any(|it| it.is_connected() != Some(false))
}

async fn unregister(
    app: &App,
    account: &Account,
    row: ConnectionRow,
    secrets: Secrets,
    claim: Claim,
) -> ServiceResult<()> {
    let place = codes(row.iys_code, row.brand_code);
    let result = account.unregister_push(place, &connection(&row, secrets)).await;
    filing::count("push_unregister", &result);
    let never_was = row.active_since.is_none() && row.code.is_some();
    let gone = match &result {
        Ok(_) => true,
        Err(error) => error.code() == Some(NOT_THERE) || (never_was && is_definite(error)),
    };
    if gone {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        push::delete(&mut tx, &row, claim).await?;
        return Ok(tx.commit().await?);
    }
    let now = app.clocks.business();
    let row = match result {
        Err(error) if !is_definite(&error) => later(app, row, now, Some(&error), error.to_string()),
        // Only a person can help; until then it is tried now and then, and what is pushed is still taken.
        Err(error) => ConnectionRow { last_error: Some(error.to_string()), ..well(app, row, now) },
        Ok(_) => row,
    };
    settle(app, row, claim).await
}

/// Whether the same request would always be refused.
fn is_definite(error: &IysError) -> bool {
    match error.class() {
        ErrorClass::Pause { .. } | ErrorClass::Repair | ErrorClass::AlreadySo | ErrorClass::Bug => true,
        ErrorClass::Config => error.code().is_some(),
        _ => false,
    }
}

/// The registry answered; it is asked again after the usual time.
fn well(app: &App, row: ConnectionRow, now: DateTime<Utc>) -> ConnectionRow {
    let every = TimeDelta::from_std(app.config.push.check_interval).unwrap_or(TimeDelta::hours(1));
    ConnectionRow { attempt: 0, next_attempt_at: now + every, last_error: None, ..row }
}

fn later(
    app: &App,
    row: ConnectionRow,
    now: DateTime<Utc>,
    error: Option<&IysError>,
    text: String,
) -> ConnectionRow {
    let attempt = u32::try_from(row.attempt).unwrap_or(u32::MAX);
    let (_, seed) = row.id.as_u64_pair();
    let delay = match error.map(IysError::class) {
        Some(ErrorClass::Wait { after }) => after,
        _ => retry_delay(attempt, seed).min(app.config.push.check_interval),
    };
    let next_attempt_at = now + TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(15));
    ConnectionRow { next_attempt_at, last_error: Some(text), ..row }
}

async fn settle(app: &App, row: ConnectionRow, claim: Claim) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    push::settle(&mut tx, &row, claim).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}
