//! What the citizen does at the registry, or an operator for him (protocol 7.15).

use super::Desk;
use super::add::{self, Place};
use crate::draft::{Consent, Key};
use crate::error::Result;
use crate::store::consents::{self, Current, Origin, Written};
use crate::store::providers::Brand;
use crate::words::{LINE_CLOSED, Status};

/// A movement of the registry's side.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) key: Key,
    pub(crate) status: Status,
    /// `IYS_…`
    pub(crate) source: String,
    /// When the citizen acted, Unix seconds; merchants' records may have none.
    pub(crate) date: Option<i64>,
    /// Shown in the feed with `IYS_WEB_YENI`.
    pub(crate) citizen_name: Option<String>,
}

/// Writes a movement of a brand. None of the rules for providers holds here.
pub(crate) fn act(desk: &Desk<'_>, brand: &Brand, act: Act, current: Option<&Current>) -> Result<Written> {
    let place = Place { iys_code: brand.iys_code, brand_code: brand.code };
    let Act { key, status, source, date, citizen_name } = act;
    let consent =
        Consent { key, status, source: Some(source), date, retailer_code: None, retailer_access: Vec::new() };
    let is_new = add::is_new_address(desk.db, place, &consent, current)?;
    let origin = Origin { is_registry: true, citizen_name, batch: None };
    add::put(desk, place, &consent, current, is_new, &origin, desk.now())
}

/// Acts now, whatever is recorded.
pub(crate) fn act_now(
    desk: &Desk<'_>,
    brand: &Brand,
    key: Key,
    status: Status,
    source: &str,
) -> Result<Written> {
    let current = consents::find_current(desk.db, brand.code, &key)?;
    let source = source.to_owned();
    let done = Act { key, status, source, date: Some(desk.now()), citizen_name: None };
    act(desk, brand, done, current.as_ref())
}

/// Rejects now what is approved; `None` when it is not.
pub(crate) fn reject_approved(
    desk: &Desk<'_>,
    brand: &Brand,
    key: Key,
    source: &str,
) -> Result<Option<Written>> {
    let current = consents::find_current(desk.db, brand.code, &key)?;
    let Some(current) = current.filter(|current| current.status == Status::Approval) else {
        return Ok(None);
    };
    let source = source.to_owned();
    let done = Act { key, status: Status::Rejection, source, date: Some(desk.now()), citizen_name: None };
    act(desk, brand, done, Some(&current)).map(Some)
}

/// Ends the record of a closed line. It repeats the date of the record it ends, which merchants may not
/// have (protocol 4.10).
pub(crate) fn close_line(desk: &Desk<'_>, brand: &Brand, key: Key, current: &Current) -> Result<Written> {
    let (source, date) = (LINE_CLOSED.to_owned(), current.consent_date);
    let done = Act { key, status: Status::Rejection, source, date, citizen_name: None };
    act(desk, brand, done, Some(current))
}
