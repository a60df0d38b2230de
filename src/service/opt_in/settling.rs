//! What follows a confirmation, or the lack of one.

use chrono::TimeDelta;
use kopru_domain::evidence::Otp;
use kopru_domain::opt_in::SENDS_WITHIN;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{ConsentStatus, Evidence};
use kopru_store::opt_ins::{self as rows, OptInRow};
use kopru_store::{Priority, links};

use super::{Ask, opened};
use crate::bootstrap::App;
use crate::service::intake::{self, ConsentInput, IntakeItem, IntakeRequest};
use crate::service::{ServiceError, ServiceResult, brands};

/// Rows of one round.
const MOST: i64 = 500;

/// Files what was confirmed before a process died, and ends what nobody confirmed; returns how much there was.
pub async fn tend(app: &App) -> ServiceResult<usize> {
    let now = app.clocks.wire();
    let (overdue, unfiled) = {
        let mut tx = app.db.read().await?;
        (rows::overdue(&mut tx, now).await?, rows::confirmed(&mut tx, MOST).await?)
    };
    let mut done = 0;
    if overdue {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        done += usize::try_from(rows::abandon(&mut tx, now, MOST).await?).unwrap_or_default();
        tx.commit().await?;
    }
    for row in unfiled {
        // What was confirmed a moment ago is being filed by whoever confirmed it.
        if row.confirmed_at.is_none_or(|at| app.clocks.business() - at < TimeDelta::minutes(1)) {
            continue;
        }
        let keys = {
            let mut tx = app.db.read().await?;
            app.vault.keys(&mut tx, row.iys_code).await?
        };
        let ask = opened(&keys, &row)?;
        file(app, &row, ask).await?;
        done += 1;
    }
    Ok(done)
}

/// Forgets sends that count no more.
pub async fn purge(app: &App) -> ServiceResult<u64> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let forgotten = rows::forget_sends(&mut tx, app.clocks.wire() - SENDS_WITHIN).await?;
    tx.commit().await?;
    Ok(forgotten)
}

/// Hands the consents of a confirmed process to intake. The same process twice makes the same consents.
pub(super) async fn file(app: &App, row: &OptInRow, ask: Ask) -> ServiceResult<()> {
    let brand = brands::load(app, row.brand_code).await?.ok_or(ServiceError::NotFound("brand"))?;
    let confirmed_at = row.confirmed_at.unwrap_or_else(|| app.clocks.business());
    let evidence = Evidence {
        door: Some(ask.door),
        origin: Some(ask.origin.clone()),
        otp: Some(Otp {
            id: row.id,
            confirmed_at,
            wrong_attempts: u32::try_from(row.wrong).unwrap_or_default(),
        }),
        ..ask.evidence.clone()
    };
    let items = ask.channels.iter().enumerate().map(|(index, channel)| IntakeItem {
        index,
        consent: ConsentInput {
            recipient: Some(ask.recipient.as_str().to_owned()),
            channel: Some(channel.as_str().to_owned()),
            status: Some(ConsentStatus::Approval.as_str().to_owned()),
            source: Some(ask.source.as_str().to_owned()),
            consent_date: Some(format_rfc3339(confirmed_at)),
            recipient_type: Some(ask.recipient_type.as_str().to_owned()),
            retailer_code: ask.retailer_code,
            act: Some(format!("opt-in/{}", row.id)),
            ..ConsentInput::default()
        },
        reference: ask.reference.clone(),
        evidence: evidence.clone(),
        own_channel: true,
    });
    let request = IntakeRequest {
        stops: brand.stops(),
        notices: brand.notices(),
        brand: brand.row.clone(),
        door: ask.door.as_str(),
        items: items.collect(),
        idempotency: None,
        lang: ask.lang,
    };
    let answer = Box::pin(intake::submit(app, request)).await?;
    for refused in &answer.refused {
        tracing::error!(opt_in.id = %row.id, field = refused.field, code = refused.code, "a confirmed consent cannot be taken in");
        metrics::counter!("opt_ins_refused_total").increment(1);
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let first = rows::done(&mut tx, row.iys_code, row.id).await?;
    if let Some(link) = ask.link.filter(|_| first) {
        links::count(&mut tx, row.iys_code, link, [0, 1, 0]).await?;
    }
    Ok(tx.commit().await?)
}
