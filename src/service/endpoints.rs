//! Webhook endpoints of clients: where events go, and with which secret they are signed.
//!
//! The secret is shown once, when an endpoint is added or its secret rotated; it is kept sealed. While a secret is rotated both sign, so that the receiver can change over without losing a call.

mod replay;
mod view;

use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, IysCode, Lang, Text};
use kopru_store::endpoints::{self, EndpointRow};
use kopru_store::{Priority, Tx, brands, deliveries, heads, ids};
use kopru_webhook::{Request, Secret, TargetPolicy, check_url};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::config::Config;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, delivery, providers};

pub use replay::{Replay, parse_since, replay, replay_in};
pub use view::{Attempt, Delivery, Endpoint, IssuedEndpoint, RotatedSecret, TestResult};

/// How long the old secret keeps signing beside a new one.
pub const ROTATION: TimeDelta = TimeDelta::hours(24);
/// Endpoints of one provider, so that one event cannot become a flood.
const MOST_ENDPOINTS: i64 = 50;
const LONGEST_DESCRIPTION: usize = 300;
/// Deliveries that wait for their next attempt and are made due when their endpoint is enabled again; what waits beyond
/// them comes at its time.
const MOST_RETRIED: i64 = 1_000;

/// An endpoint to be added.
#[derive(Debug, Clone, Default)]
pub struct NewEndpoint {
    /// Its provider; `None` = the caller's own, or that of the brand.
    pub iys_code: Option<IysCode>,
    /// Only this brand's events; `None` = all brands of the provider.
    pub brand_code: Option<BrandCode>,
    /// Where events go.
    pub url: String,
    /// The client's own words.
    pub description: String,
}

/// Whom webhooks may be sent to, by the settings.
pub fn target_policy(config: &Config) -> TargetPolicy {
    if config.webhooks.allow_private_targets {
        TargetPolicy::AllowAll
    } else if config.webhooks.allow_loopback_targets {
        TargetPolicy::AllowLoopback
    } else {
        TargetPolicy::Public
    }
}

/// Adds an endpoint and makes its secret. Events that happen from now on go there.
pub async fn add(app: &App, caller: &Caller, new: NewEndpoint) -> ServiceResult<IssuedEndpoint> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let issued = add_in(&mut tx, app, caller, new).await?;
    tx.commit().await?;
    Ok(issued)
}

/// As [`add`], inside a transaction of the caller's.
pub async fn add_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    new: NewEndpoint,
) -> ServiceResult<IssuedEndpoint> {
    caller.require(Scope::WebhooksManage)?;
    let provider = provider_of(tx, caller, &new).await?;
    check(&new, target_policy(&app.config))?;
    if endpoints::list(tx, provider, Uuid::nil(), MOST_ENDPOINTS).await?.len() as i64 == MOST_ENDPOINTS {
        return Err(ServiceError::Conflict(Text::new(
            format!("bir hizmet sağlayıcının en çok {MOST_ENDPOINTS} uç noktası olabilir"),
            format!("a provider can have {MOST_ENDPOINTS} endpoints at most"),
        )));
    }
    let secret = new_secret()?;
    let now = app.clocks.wire();
    let row = EndpointRow {
        iys_code: provider,
        id: ids::new_id(now),
        brand_code: new.brand_code,
        url: new.url,
        description: new.description.trim().to_owned(),
        secret: delivery::seal_secret(app, &secret),
        old_secret: None,
        old_secret_until: None,
        active: true,
        disabled_reason: None,
        failing_since: None,
        failures: 0,
        wait_until: None,
        created_at: now,
    };
    endpoints::add(tx, &row).await?;
    providers::note(tx, app, caller, provider, "endpoint.added", &row.id.to_string()).await?;
    Ok(IssuedEndpoint { details: row.into(), secret: secret.expose() })
}

/// A page of endpoints in order of their age, after an id.
pub async fn list(
    app: &App,
    caller: &Caller,
    provider: Option<IysCode>,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<Endpoint>> {
    caller.require(Scope::WebhooksManage)?;
    let provider = providers::meant(caller, provider)?;
    let mut tx = app.db.read().await?;
    let rows = endpoints::list(&mut tx, provider, after.unwrap_or_default(), limit).await?;
    Ok(rows.into_iter().map(Endpoint::from).collect())
}

/// One endpoint.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<Endpoint> {
    caller.require(Scope::WebhooksManage)?;
    let mut tx = app.db.read().await?;
    Ok(find(&mut tx, caller, id).await?.into())
}

/// Stops deliveries to an endpoint; what waits for it stays until it is enabled again. Doing it twice changes nothing.
pub async fn disable(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<()> {
    caller.require(Scope::WebhooksManage)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = find(&mut tx, caller, id).await?;
    if endpoints::disable(&mut tx, row.iys_code, id, delivery::BY_OWNER).await? {
        providers::note(&mut tx, app, caller, row.iys_code, "endpoint.disabled", &id.to_string()).await?;
    }
    Ok(tx.commit().await?)
}

/// Starts deliveries again, those first that were waiting for their next attempt. What happened while the endpoint was
/// disabled was not queued for it: see [`replay_in`].
pub async fn enable_in(tx: &mut Tx, app: &App, caller: &Caller, id: Uuid) -> ServiceResult<Endpoint> {
    caller.require(Scope::WebhooksManage)?;
    let row = find(tx, caller, id).await?;
    if endpoints::enable(tx, row.iys_code, id).await? {
        deliveries::retry_now(tx, row.iys_code, id, app.clocks.business(), MOST_RETRIED).await?;
        providers::note(tx, app, caller, row.iys_code, "endpoint.enabled", &id.to_string()).await?;
    }
    Ok(find(tx, caller, id).await?.into())
}

/// As [`enable_in`], in a transaction of its own; wakes the deliveries that waited.
pub async fn enable(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<Endpoint> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let endpoint = enable_in(&mut tx, app, caller, id).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(endpoint)
}

/// Makes a new secret; for [`ROTATION`] calls carry a signature of each.
pub async fn rotate_in(tx: &mut Tx, app: &App, caller: &Caller, id: Uuid) -> ServiceResult<RotatedSecret> {
    caller.require(Scope::WebhooksManage)?;
    let provider = find(tx, caller, id).await?.iys_code;
    // Two at once would each take the same old secrets over, and the first's new one would never sign.
    heads::lock(tx, provider).await?;
    let row = find(tx, caller, id).await?;
    let secret = new_secret()?;
    let now = app.clocks.wire();
    let until = now + ROTATION;
    let old = delivery::retire_secret(app, &row, now, until)?;
    endpoints::rotate(tx, row.iys_code, id, delivery::seal_secret(app, &secret), old, until).await?;
    providers::note(tx, app, caller, row.iys_code, "endpoint.secret_rotated", &id.to_string()).await?;
    Ok(RotatedSecret { id, secret: secret.expose(), old_secret_valid_until: format_rfc3339(until) })
}

/// As [`rotate_in`], in a transaction of its own.
pub async fn rotate(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<RotatedSecret> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let rotated = rotate_in(&mut tx, app, caller, id).await?;
    tx.commit().await?;
    Ok(rotated)
}

/// Sends one signed call of type `endpoint.test` now, outside the queue, and tells what came back. Works on a disabled
/// endpoint too: that is when one wants to try.
pub async fn test(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<TestResult> {
    caller.require(Scope::WebhooksManage)?;
    let row = {
        let mut tx = app.db.read().await?;
        find(&mut tx, caller, id).await?
    };
    let now = app.clocks.wire();
    let event_id = ids::new_id(now);
    // The shape of an event, so that the receiver's own reader is tried as well.
    let mut data = serde_json::json!({ "schemaVersion": 1, "iysCode": row.iys_code.0, "cause": "test" });
    if let Some(brand) = row.brand_code {
        data["brandCode"] = brand.0.into();
    }
    let timestamp = format_rfc3339(now);
    let body =
        serde_json::json!({ "id": event_id, "type": "endpoint.test", "timestamp": timestamp, "data": data });
    let signer = delivery::signer(app, &row, now)?;
    let request = Request {
        url: &row.url,
        id: &event_id.to_string(),
        timestamp: now.timestamp(),
        body: Bytes::from(body.to_string()),
        signer: &signer,
        timeout: app.config.webhooks.timeout.min(Duration::from_secs(15)),
    };
    let sent = app.webhooks.send(request).await;
    Ok(match sent {
        Ok(answer) => TestResult {
            event_id,
            delivered: answer.is_success(),
            status: Some(answer.status),
            elapsed_ms: Some(u64::try_from(answer.elapsed.as_millis()).unwrap_or(u64::MAX)),
            error: None,
            message: None,
        },
        Err(error) => TestResult {
            event_id,
            delivered: false,
            status: None,
            elapsed_ms: None,
            error: Some(error.code().to_owned()),
            message: Some(match caller.lang {
                Lang::Tr => error.turkish(),
                Lang::En => error.to_string(),
            }),
        },
    })
}

/// Deliveries of an endpoint with their attempts, newest event first, before a place: that of an event in the feed, and the
/// number of a replay of it.
pub async fn deliveries(
    app: &App,
    caller: &Caller,
    id: Uuid,
    before: Option<(i64, i64)>,
    limit: i64,
) -> ServiceResult<Vec<Delivery>> {
    caller.require(Scope::WebhooksManage)?;
    let mut tx = app.db.read().await?;
    let endpoint = find(&mut tx, caller, id).await?;
    let provider = endpoint.iys_code;
    let rows = deliveries::list(&mut tx, provider, id, before.unwrap_or((i64::MAX, 0)), limit).await?;
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let attempts = deliveries::attempts(&mut tx, &row).await?;
        list.push(Delivery::new(row, attempts));
    }
    Ok(list)
}

async fn find(tx: &mut Tx, caller: &Caller, id: Uuid) -> ServiceResult<EndpointRow> {
    for provider in providers::visible(tx, caller).await? {
        if let Some(row) = endpoints::find(tx, provider, id).await? {
            return Ok(row);
        }
    }
    Err(ServiceError::NotFound("endpoint"))
}

/// The provider of a new endpoint: a brand says whose it is.
async fn provider_of(tx: &mut Tx, caller: &Caller, new: &NewEndpoint) -> ServiceResult<IysCode> {
    let Some(brand) = new.brand_code else {
        let provider = providers::meant(caller, new.iys_code)?;
        return Ok(providers::find(tx, caller, provider).await?.iys_code);
    };
    let row = brands::find_by_code(tx, brand).await?.filter(|row| caller.sees(row.iys_code));
    row.filter(|row| new.iys_code.is_none_or(|named| named == row.iys_code))
        .map(|row| row.iys_code)
        .ok_or(ServiceError::NotFound("brand"))
}

fn check(new: &NewEndpoint, policy: TargetPolicy) -> ServiceResult<()> {
    let mut problems = Vec::new();
    if let Err(problem) = check_url(&new.url, policy) {
        problems.push(providers::field_problem(
            "url",
            problem.code(),
            Text::new(problem.turkish(), problem.to_string()),
        ));
    }
    if new.description.chars().count() > LONGEST_DESCRIPTION {
        let title = Text::new(
            format!("en çok {LONGEST_DESCRIPTION} karakter yazın"),
            format!("write {LONGEST_DESCRIPTION} characters at most"),
        );
        problems.push(providers::field_problem("description", "too_long", title));
    }
    if problems.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(problems)) }
}

fn new_secret() -> ServiceResult<Secret> {
    Secret::generate().map_err(|_| ServiceError::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_target_is_refused_with_its_field_and_both_languages() {
        let new = NewEndpoint {
            url: "http://10.0.0.7/hook".to_owned(),
            description: "x".repeat(LONGEST_DESCRIPTION + 1),
            ..NewEndpoint::default()
        };
        let Err(ServiceError::Invalid(problems)) = check(&new, TargetPolicy::Public) else {
            panic!("it was taken")
        };
        let fields: Vec<(&str, &str)> =
            problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect();
        assert_eq!(fields, [("url", "address"), ("description", "too_long")]);
        assert_ne!(problems[0].title.get(Lang::Tr), problems[0].title.get(Lang::En));
    }

    #[test]
    fn the_settings_decide_who_may_be_called() {
        let folder = std::path::Path::new("unused");
        let mut config = Config::for_tests(folder);
        config.webhooks.allow_loopback_targets = false;
        assert_eq!(target_policy(&config), TargetPolicy::Public);
        config.webhooks.allow_loopback_targets = true;
        assert_eq!(target_policy(&config), TargetPolicy::AllowLoopback);
        config.webhooks.allow_private_targets = true;
        assert_eq!(target_policy(&config), TargetPolicy::AllowAll);
    }
}
