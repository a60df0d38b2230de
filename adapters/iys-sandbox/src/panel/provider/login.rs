//! Logging in as a provider: by choosing one.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use maud::html;

use crate::error::Result;
use crate::http::App;
use crate::panel::form::Mistakes;
use crate::panel::frame::{Page, form, select};
use crate::panel::session::{Door, Visit, Who};
use crate::panel::{self, Guest, PageError, Why, guest_form, log_in, see_other};
use crate::store::providers;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let guest = Guest::of(&app, Door::Provider, &headers, why.oturum.is_some())?;
    if matches!(guest.visit.who, Who::Provider(_)) {
        return Ok(see_other("/hizmet-saglayici"));
    }
    let response = choice(&app, &guest.visit, guest.page(Door::Provider, "Giriş"), "").await?;
    Ok(guest.with_cookie(response))
}

async fn choice(app: &App, visit: &Visit, page: Page, chosen: &str) -> Result<Response> {
    let providers = app.registry.run(|desk| providers::list(desk.db)).await?;
    let options: Vec<(String, String)> = providers
        .into_iter()
        .map(|provider| {
            (provider.iys_code.to_string(), format!("{} ({})", provider.title, provider.iys_code))
        })
        .collect();
    Ok(page.show(&html! {
        p { "Deneme ortamında parola sorulmaz: hizmet sağlayıcıyı seçmeniz yeter." }
        @if options.is_empty() {
            p.aside { "Henüz hizmet sağlayıcı yok. " code { "POST /_sandbox/providers" } " ile eklenir." }
        } @else {
            (form(visit, "/hizmet-saglayici/giris", &html! {
                (select("saglayici", "Hizmet sağlayıcı", &options, chosen, &page.mistakes))
                (panel::control_token_field(app, &page.mistakes))
                button type="submit" { "Giriş yap" }
            }))
        }
    }))
}

pub(super) async fn enter(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let (visit, form) = guest_form(&app, Door::Provider, &headers, &body)?;
    let mut mistakes = Mistakes::default();
    panel::check_control_token(&app, &form, &mut mistakes);
    let known = match form.number("saglayici") {
        Some(code) => app.registry.run(move |desk| providers::find(desk.db, code)).await?,
        None => None,
    };
    if known.is_none() {
        mistakes.add("saglayici", "Listeden bir hizmet sağlayıcı seçin.");
    }
    let response = match known.filter(|_| mistakes.is_empty()) {
        Some(provider) => log_in(&app, Door::Provider, &visit, Who::Provider(provider.iys_code))?,
        None => {
            let page = Page::new(Door::Provider, "Giriş").mistaken(mistakes);
            choice(&app, &visit, page, form.get("saglayici")).await?
        }
    };
    Ok(response)
}
