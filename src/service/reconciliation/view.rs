//! How well a brand's record at the registry is known here, as it is shown.

use chrono::{DateTime, Utc};
use kopru_domain::cadence::in_use;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, IysCode};
use kopru_store::cursors;
use kopru_store::sweeps::{self, SweepRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::push::watch;
use crate::service::reconciliation::{SILENCE, freshness};

/// How well what the registry holds of a brand is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Start of the last complete reading of the registry's feed, RFC 3339 with +03:00; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Until when everything is known: the feed hides its last hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
    /// The types of which push tells what the feed still hides: for them everything is known up to `asOf`.
    #[schema(value_type = Vec<String>)]
    pub pushed: Vec<&'static str>,
    /// Whether its addresses were checked in the last seven days: then it is read more often.
    pub in_use: bool,
    /// When the feed is read next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_pull_at: Option<String>,
    /// Whether no reading has succeeded for three days: find out why, beyond seven days movements are missed.
    pub alarm: bool,
    /// Why the last reading failed; missing where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The questions after the last gap of more than seven days, if there ever was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// After a gap that the feed cannot fill, all addresses of a brand are asked for anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// `forgetting` what may have changed, `asking` the registry, `done`.
    #[schema(value_type = String)]
    pub phase: &'static str,
    /// When the gap was found.
    pub started_at: String,
    /// When everything had been asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Permissions of which the registry's side was forgotten.
    pub forgotten: i64,
    /// Addresses asked for since.
    pub asked: i64,
    /// Of these, approved.
    pub approved: i64,
    /// Why the last question failed; missing where it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl From<SweepRow> for Sweep {
    fn from(row: SweepRow) -> Self {
        Self {
            phase: row.phase.as_str(),
            started_at: format_rfc3339(row.started_at),
            ended_at: row.ended_at.map(format_rfc3339),
            forgotten: row.forgotten,
            asked: row.asked,
            approved: row.approved,
            last_error: row.last_error,
        }
    }
}

/// How well a brand is known.
pub async fn mirror(app: &App, provider: IysCode, brand: BrandCode) -> ServiceResult<Mirror> {
    let now = app.clocks.business();
    let mut tx = app.db.read().await?;
    let freshness = freshness(&mut tx, provider, brand).await?;
    let pushed = match freshness.as_of {
        Some(as_of) => watch::covered(app, &mut tx, provider, brand, as_of).await?,
        None => Vec::new(),
    };
    let rows = cursors::of_brand(&mut tx, provider, brand).await?;
    let sweep = sweeps::find(&mut tx, provider, brand).await?;
    let next: Option<DateTime<Utc>> = rows.iter().map(|row| row.next_attempt_at).min();
    Ok(Mirror {
        as_of: freshness.as_of.map(format_rfc3339),
        horizon: freshness.horizon.map(format_rfc3339),
        pushed: pushed.into_iter().map(kopru_domain::Channel::as_str).collect(),
        in_use: rows.iter().any(|row| in_use(row.used_at, now)),
        next_pull_at: next.map(format_rfc3339),
        alarm: rows.iter().any(|row| now - row.heard_at > SILENCE),
        last_error: rows.into_iter().find_map(|row| row.last_error),
        sweep: sweep.map(Sweep::from),
    })
}
