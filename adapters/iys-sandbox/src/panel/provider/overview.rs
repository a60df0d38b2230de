//! The provider at a glance: subscription, quota, brands.

use axum::response::Response;
use maud::{Markup, html};

use super::Provider;
use crate::control::providers::{Named, ProviderRequest, SubscriptionRequest, put_provider};
use crate::panel::form::Mistakes;
use crate::panel::frame::{form, select, time};
use crate::panel::session::Door;
use crate::panel::words::{self, number};
use crate::panel::{PageError, Posted, Visitor};
use crate::store::providers::{self, Subscription, SubscriptionStatus};

const STATES: [SubscriptionStatus; 4] = [
    SubscriptionStatus::Active,
    SubscriptionStatus::Paused,
    SubscriptionStatus::Expired,
    SubscriptionStatus::Closed,
];

pub(super) async fn show(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let (provider, subscription, brands) = visitor
        .app
        .registry
        .run(move |desk| {
            let brands = providers::list_brands(desk.db, iys_code)?;
            let subscription = providers::find_subscription(desk.db, iys_code)?;
            Ok((providers::find(desk.db, iys_code)?, subscription, brands))
        })
        .await?;
    let provider = provider.ok_or(PageError::NotFound(Door::Provider))?;
    let page = visitor.page(provider.title, "/hizmet-saglayici");
    let options: Vec<(String, String)> = STATES
        .into_iter()
        .map(|state| (state.as_str().to_owned(), words::subscription(state).to_owned()))
        .collect();
    let chosen = subscription.as_ref().map_or("", |subscription| subscription.status.as_str());
    Ok(page.show(&html! {
        section.card {
            h2 { "Abonelik" }
            @match &subscription {
                Some(subscription) => (facts(subscription, provider.used_addresses)),
                None => p { "Abonelik yok: API çağrıları reddedilir." },
            }
            (form(&visitor.visit, "/hizmet-saglayici/abonelik", &html! {
                (select("durum", "Aboneliğin durumunu değiştir", &options, chosen, &Mistakes::default()))
                button.quiet type="submit" { "Değiştir" }
            }))
        }
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

fn facts(subscription: &Subscription, used: i64) -> Markup {
    let limit = subscription.consent_limit;
    let api_use = if subscription.api_use { "Var" } else { "Yok" };
    html! {
        dl {
            div { dt { "Durum" } dd { (state(subscription.status)) } }
            div { dt { "Paket" } dd { (subscription.package) } }
            div { dt { "Başlangıç" } dd { (time(subscription.start_at)) } }
            div { dt { "Bitiş" } dd { (time(subscription.expires_at)) } }
            div { dt { "API kullanımı" } dd { (api_use) } }
            div {
                dt #kota { "Kayıtlı adres" }
                dd {
                    (number(used)) " / " (number(limit))
                    @if subscription.consent_limit_exceed { span.dim { " (aşılabilir)" } }
                    " " meter aria-labelledby="kota" min="0" max=(limit.max(1)) value=(used.min(limit.max(1)))
                        high=(limit / 10 * 9) { }
                }
            }
        }
    }
}

fn state(status: SubscriptionStatus) -> Markup {
    let word = words::subscription(status);
    match status {
        SubscriptionStatus::Active => html! { span.badge.yes { (word) } },
        _ => html! { span.badge.no { (word) } },
    }
}

pub(super) async fn change_subscription(
    Posted { visitor, form }: Posted<Provider>,
) -> Result<Response, PageError> {
    let status = SubscriptionStatus::parse(form.get("durum")).ok_or(PageError::Unreadable(Door::Provider))?;
    let request = ProviderRequest {
        iys_code: Some(visitor.person.iys_code),
        subscription: Named::Value(SubscriptionRequest {
            status: Some(status.as_str().to_owned()),
            ..SubscriptionRequest::default()
        }),
        ..ProviderRequest::default()
    };
    let put = visitor.app.registry.run(move |desk| put_provider(desk, request)).await?;
    put.map_err(|_| PageError::Unreadable(Door::Provider))?;
    let notice = format!("Aboneliğin durumu: {}.", words::subscription(status).to_lowercase());
    Ok(visitor.go("/hizmet-saglayici", notice))
}
