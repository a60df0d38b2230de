//! `/vatandas`: the citizen's own consents, and complaints about who does not keep to them.

mod brands;
mod complaints;
mod consents;
mod help;
mod history;
mod login;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::session::{Door, Who};
use super::{Person, log_out};
use crate::address::{self, AddressPolicy};
use crate::draft::Key;
use crate::error::Result;
use crate::http::App;
use crate::panel::words::CHANNELS;
use crate::registry::{Desk, citizen};
use crate::store::consents::find_current;
use crate::store::providers::Brand;
use crate::words::{Channel, Status};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/vatandas", get(consents::show))
        .route("/vatandas/giris", get(login::show).post(login::ask))
        .route("/vatandas/kod", get(login::show_code).post(login::enter))
        .route("/vatandas/cikis", post(log_out::<Citizen>))
        .route("/vatandas/izin", post(consents::change))
        .route("/vatandas/tumunu-reddet", post(consents::reject_all))
        .route("/vatandas/marka-ekle", get(brands::choose))
        .route("/vatandas/marka-ekle/{brand}", get(brands::show).post(brands::add))
        .route("/vatandas/gecmis", get(history::show))
        .route("/vatandas/sikayetler", get(complaints::list))
        .route("/vatandas/sikayet", get(complaints::write).post(complaints::file))
        .route("/vatandas/sikayetler/{id}", get(complaints::show))
        .route("/vatandas/sikayetler/{id}/kapat", post(complaints::close))
        .route("/vatandas/yardim", get(help::show))
}

/// A citizen, as the address that he has shown to be his.
#[derive(Debug)]
struct Citizen {
    address: String,
}

impl Person for Citizen {
    const DOOR: Door = Door::Citizen;

    fn of(who: &Who) -> Option<Self> {
        match who {
            Who::Citizen(address) => Some(Self { address: address.clone() }),
            _ => None,
        }
    }

    fn name(&self) -> String {
        self.address.clone()
    }
}

/// The channels that an address can be reached on.
fn channels(address: &str, policy: AddressPolicy) -> Vec<Channel> {
    let kind = address::kind(address, policy);
    CHANNELS.into_iter().filter(|channel| address::fits(kind, *channel, policy)).collect()
}

/// What a citizen does with a consent.
struct Act<'a> {
    key: Key,
    status: Status,
    /// `IYS_…`
    source: &'a str,
    /// Told with a brand that is added for the first time.
    name: Option<String>,
}

/// Writes what a citizen did, unless the record already says so. Returns whether it was written.
fn act(desk: &Desk<'_>, brand: &Brand, act: Act<'_>) -> Result<bool> {
    let current = find_current(desk.db, brand.code, &act.key)?;
    if current.as_ref().map(|current| current.status) == Some(act.status) {
        return Ok(false);
    }
    let Act { key, status, source, name } = act;
    let (source, date) = (source.to_owned(), Some(desk.now()));
    let done = citizen::Act { key, status, source, date, citizen_name: name };
    citizen::act(desk, brand, done, current.as_ref())?;
    Ok(true)
}
