//! The change feed of a brand: gap-free, in commit order, the same events that webhooks carry. Reading it again from the
//! same place gives the same events; a reader that waits is woken by the commit that brings the next one.

use std::time::Duration;

use kopru_store::brands::BrandRow;
use kopru_store::changes;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::bootstrap::App;
use crate::service::{Caller, Scope, ServiceResult, mirror};

/// Events of one page at most.
pub const MOST: i64 = 1_000;
/// The longest wait for something new.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Wake-ups come with every commit of the whole installation: a reader looks this often at most.
const BREATH: Duration = Duration::from_millis(50);
/// And this often at least: a wake-up of another replica is a hint that may get lost.
const LOOK: Duration = Duration::from_secs(2);

/// A page of the feed.
#[derive(Debug)]
pub struct Page {
    /// Events as JSON objects, oldest first.
    pub items: Vec<Box<RawValue>>,
    /// Place of the last event of the page; the place asked from where there is none.
    pub next: i64,
    /// Whether more was there when the page was read.
    pub has_more: bool,
}

/// Events of a brand after a place (0 = from the beginning), waiting up to `wait` for the first. Addresses stand in full:
/// a CRM cannot match a masked one.
pub async fn read(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    after: i64,
    limit: i64,
    wait: Duration,
) -> ServiceResult<Page> {
    caller.require(Scope::ChangesRead)?;
    let until = Instant::now() + wait.min(LONGEST_WAIT);
    // Watched from before the first look, so that nothing slips between look and wait.
    let mut wake = app.wake.subscribe();
    let stopping = app.lifecycle.stopping();
    tokio::pin!(stopping);
    loop {
        let page = page(app, brand, after, limit).await?;
        if !page.items.is_empty() || Instant::now() >= until {
            return Ok(page);
        }
        tokio::select! {
            () = &mut stopping => return Ok(page),
            _ = timeout_at(until.min(Instant::now() + LOOK), wake.changed()) => {}
        }
        #[expect(clippy::disallowed_methods, reason = "gathers the wake-ups of many commits into one look")]
        tokio::time::sleep(BREATH).await;
    }
}

async fn page(app: &App, brand: &BrandRow, after: i64, limit: i64) -> ServiceResult<Page> {
    let limit = limit.clamp(1, MOST);
    let mut tx = app.db.read().await?;
    let mut rows = changes::after(&mut tx, brand.iys_code, brand.brand_code, after, limit + 1).await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    drop(tx);
    let has_more = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    let next = rows.last().map_or(after, |row| row.seq);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let unreadable =
            || kopru_store::StoreError::Corrupt { what: "changes", detail: format!("event {}", row.seq) };
        let json = String::from_utf8(mirror::open_event(&keys, &row.sealed)?).map_err(|_| unreadable())?;
        items.push(RawValue::from_string(json).map_err(|_| unreadable())?);
    }
    Ok(Page { items, next, has_more })
}
