//! `/hizmet-saglayici`: what a provider does in the registry's web panel (protocol 9): its subscriptions, its
//! brands, what its partners may do, its forms for opt-ins, the daily agreement, and the complaints about it.

mod agreements;
mod brands;
mod complaints;
mod login;
mod opt_in_forms;
mod overview;
mod partners;
mod subscriptions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::session::{Door, Who};
use super::{Person, log_out};
use crate::http::App;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/hizmet-saglayici", get(overview::show))
        .route("/hizmet-saglayici/giris", get(login::show).post(login::enter))
        .route("/hizmet-saglayici/cikis", post(log_out::<Provider>))
        .route("/hizmet-saglayici/abonelik", post(subscriptions::change_messages))
        .route("/hizmet-saglayici/abonelik/via", post(subscriptions::change_via))
        .route("/hizmet-saglayici/abonelik/via-pass", post(subscriptions::change_pass))
        .route("/hizmet-saglayici/markalar", get(brands::show).post(brands::add))
        .route("/hizmet-saglayici/is-ortaklari", get(partners::list))
        .route("/hizmet-saglayici/yetki", get(partners::show).post(partners::put))
        .route("/hizmet-saglayici/yetki/kaldir", post(partners::remove))
        .route("/hizmet-saglayici/via-formlari", get(opt_in_forms::list).post(opt_in_forms::add))
        .route("/hizmet-saglayici/via-formlari/{id}", get(opt_in_forms::show).post(opt_in_forms::change))
        .route("/hizmet-saglayici/via-formlari/{id}/kaldir", post(opt_in_forms::remove))
        .route("/hizmet-saglayici/mutabakat", get(agreements::show).post(agreements::agree))
        .route("/hizmet-saglayici/sikayetler", get(complaints::list))
        .route("/hizmet-saglayici/sikayetler/{id}", get(complaints::show).post(complaints::answer))
}

/// Somebody of a provider.
#[derive(Debug)]
struct Provider {
    iys_code: i64,
}

impl Person for Provider {
    const DOOR: Door = Door::Provider;

    fn of(who: &Who) -> Option<Self> {
        match who {
            Who::Provider(iys_code) => Some(Self { iys_code: *iys_code }),
            _ => None,
        }
    }

    fn name(&self) -> String {
        format!("İYS no {}", self.iys_code)
    }
}
