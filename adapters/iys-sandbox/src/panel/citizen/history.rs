//! Everything that was ever recorded about the citizen's address.

use std::collections::HashMap;

use axum::extract::Query;
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::Citizen;
use super::consents::badge;
use crate::panel::frame::time;
use crate::panel::{PageError, Visitor, words};
use crate::store::citizens;
use crate::words::RecipientType;

const PAGE: i64 = 50;

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    #[serde(default)]
    sayfa: i64,
}

pub(super) async fn show(
    visitor: Visitor<Citizen>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let address = visitor.person.address.clone();
    let number = place.sayfa.clamp(1, 100_000);
    let (mut list, brands) = visitor
        .app
        .registry
        .run(move |desk| {
            // One more than is shown tells whether there is a next page.
            let list = citizens::movements(desk.db, &address, PAGE + 1, (number - 1) * PAGE)?;
            Ok((list, citizens::brands(desk.db)?))
        })
        .await?;
    let has_more = list.len() as i64 > PAGE;
    list.truncate(PAGE as usize);
    let names: HashMap<i64, &str> = brands.iter().map(|brand| (brand.code, brand.name.as_str())).collect();
    let page = visitor.page("Geçmiş", "/vatandas/gecmis");
    Ok(page.show(&html! {
        @if list.is_empty() { p { "Bu adres için kayıtlı hareket yok." } }
        @else {
            table {
                thead { tr {
                    th scope="col" { "Tarih" } th scope="col" { "Marka" } th scope="col" { "Kanal" }
                    th scope="col" { "Durum" } th scope="col" { "Kaynak" }
                } }
                tbody {
                    @for movement in &list {
                        tr {
                            td data-label="Tarih" { (time(movement.consent_date.unwrap_or(movement.created_at))) }
                            td data-label="Marka" { (names.get(&movement.brand_code).copied().unwrap_or("–")) }
                            td data-label="Kanal" {
                                (words::channel(movement.channel))
                                @if movement.recipient_type == RecipientType::Merchant { " (tacir)" }
                            }
                            td data-label="Durum" { (badge(Some(movement.status))) }
                            td data-label="Kaynak" {
                                (words::source(movement.source.as_deref()))
                                @if let Some(name) = &movement.citizen_name { ", " (name) }
                            }
                        }
                    }
                }
            }
        }
        @if number > 1 || has_more {
            nav.pages aria-label="Geçmişin sayfaları" {
                @if number > 1 { a.button.quiet href={ "/vatandas/gecmis?sayfa=" (number - 1) } { "Daha yeni" } }
                @if has_more { a.button.quiet href={ "/vatandas/gecmis?sayfa=" (number + 1) } { "Daha eski" } }
            }
        }
    }))
}
