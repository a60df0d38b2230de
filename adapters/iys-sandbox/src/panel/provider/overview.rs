//! The provider at a glance: subscriptions with quota and credit, brands.

use axum::response::Response;
use maud::html;

use super::Provider;
use super::subscriptions::Subscriptions;
use crate::panel::form::{Form, Mistakes};
use crate::panel::session::Door;
use crate::panel::{PageError, Visitor};
use crate::store::providers;

pub(super) async fn show(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    page(&visitor, &Form::default(), Mistakes::default()).await
}

pub(super) async fn page(
    visitor: &Visitor<Provider>,
    filled: &Form,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let (provider, subscriptions, brands) = visitor
        .app
        .registry
        .run(move |desk| {
            let brands = providers::list_brands(desk.db, iys_code)?;
            let subscriptions = Subscriptions::read(desk, iys_code)?;
            Ok((providers::find(desk.db, iys_code)?, subscriptions, brands))
        })
        .await?;
    let provider = provider.ok_or(PageError::NotFound(Door::Provider))?;
    let page = visitor.page(provider.title, "/hizmet-saglayici").mistaken(mistakes);
    Ok(page.show(&html! {
        (subscriptions.show(&visitor.visit, provider.used_addresses, filled, &page.mistakes))
        section.card {
            h2 { "Markalar" }
            ul.rows {
                @for brand in &brands {
                    li { div.what { strong { (brand.name) } p.dim { "Marka no " (brand.code) } }
                        @if brand.master { span.badge { "Ana marka" } } }
                }
            }
            div.actions { a href="/hizmet-saglayici/markalar" { "Markaları yönet" } }
        }
    }))
}
