//! Asking for a replay of events to an endpoint.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use kopru_domain::Text;
use kopru_domain::time::{format_rfc3339, instant, parse_consent_date};
use kopru_store::{Priority, Tx};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::find;
use crate::bootstrap::App;
use crate::service::delivery::replay;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};

/// A replay that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Identity of the replay's job.
    pub id: Uuid,
    /// The endpoint.
    pub endpoint_id: Uuid,
    /// Events of this instant and later are sent, RFC 3339 with +03:00.
    pub since: String,
    /// From about this place of the provider's feed on; missing where nothing has happened since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_sequence: Option<i64>,
    /// Up to this place: what comes behind it is delivered in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_sequence: Option<i64>,
}

/// Reads where a replay begins: `YYYY-MM-DD` (the day's first instant in Turkey), `YYYY-MM-DD HH:mm:ss` in Turkey time, or
/// RFC 3339 with an offset.
pub fn parse_since(text: &str) -> Option<DateTime<Utc>> {
    let day = |day| instant(day, NaiveTime::MIN);
    text.parse::<NaiveDate>().map(day).or_else(|_| parse_consent_date(text)).ok()
}

/// Delivers events since an instant once more, as the endpoint's brand allows, outside the order of their keys. Events that
/// still wait for their first delivery are left out: they come by themselves.
///
/// # Errors
/// `Conflict` where the endpoint is disabled or another replay of it goes on, `Invalid` where `since` is to come.
pub async fn replay_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    id: Uuid,
    since: DateTime<Utc>,
) -> ServiceResult<Replay> {
    caller.require(Scope::WebhooksManage)?;
    let endpoint = find(tx, caller, id).await?;
    if since > app.clocks.business() {
        let title = Text::fixed(
            "gelecekte bir an; geçmişte bir an yazın",
            "it is to come; write an instant of the past",
        );
        return Err(ServiceError::Invalid(vec![providers::field_problem("since", "future", title)]));
    }
    if !endpoint.active {
        return Err(ServiceError::Conflict(Text::fixed(
            "uç nokta kapalı; önce yeniden açın",
            "the endpoint is disabled; enable it first",
        )));
    }
    let Some((job, range)) = replay::begin(tx, app, endpoint.iys_code, id, since).await? else {
        return Err(ServiceError::Conflict(Text::fixed(
            "bu uç nokta için bir yeniden gönderim sürüyor; bitmesini bekleyin",
            "a replay of this endpoint is going on; wait until it has ended",
        )));
    };
    providers::note(tx, app, caller, endpoint.iys_code, "endpoint.replayed", &id.to_string()).await?;
    let some = range.first <= range.last;
    Ok(Replay {
        id: job,
        endpoint_id: id,
        since: format_rfc3339(since),
        from_sequence: some.then_some(range.first),
        to_sequence: some.then_some(range.last),
    })
}

/// As [`replay_in`], in a transaction of its own.
pub async fn replay(app: &App, caller: &Caller, id: Uuid, since: DateTime<Utc>) -> ServiceResult<Replay> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let replay = replay_in(&mut tx, app, caller, id, since).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(replay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_begins_at_a_day_or_an_instant() {
        for text in ["2026-11-20", "2026-11-20 00:00:00", "2026-11-20T00:00:00+03:00", "2026-11-19T21:00:00Z"]
        {
            assert_eq!(parse_since(text), Some("2026-11-19T21:00:00Z".parse().unwrap()), "{text}");
        }
        for text in ["", "yesterday", "2026-11-31", "2026-11-20T10:00:00", "20.11.2026"] {
            assert_eq!(parse_since(text), None, "{text}");
        }
    }
}
