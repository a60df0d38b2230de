//! The provider's subscriptions: the one for messages with its quota of addresses, and those of the opt-in services with
//! their credit.

use axum::response::Response;
use maud::{Markup, html};

use super::{Provider, overview};
use crate::control::opt_in::PackageRequest;
use crate::control::providers::{Named, ProviderRequest, SubscriptionRequest, put_provider};
use crate::error::Result;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, form, select, tick, time};
use crate::panel::session::{Door, Visit};
use crate::panel::words::{self, number};
use crate::panel::{PageError, Posted};
use crate::registry::Desk;
use crate::store::opt_in::{self, Package, UNLIMITED};
use crate::store::providers::{self, Subscription, SubscriptionStatus};
use crate::words::Product;

const STATES: [SubscriptionStatus; 4] = [
    SubscriptionStatus::Active,
    SubscriptionStatus::Paused,
    SubscriptionStatus::Expired,
    SubscriptionStatus::Closed,
];

/// A service that is subscribed to, with the words and names that the page has for it.
#[derive(Debug, Clone, Copy)]
struct Service {
    title: &'static str,
    path: &'static str,
    status: &'static str,
    /// The field of its quota or credit.
    amount: &'static str,
    without: &'static str,
}

const MESSAGES: Service = Service {
    title: "İleti",
    path: "/hizmet-saglayici/abonelik",
    status: "durum",
    amount: "kota",
    without: "Abonelik yok: API çağrıları reddedilir.",
};
const VIA: Service = Service {
    title: "VİA",
    path: "/hizmet-saglayici/abonelik/via",
    status: "via-durum",
    amount: "via-kredi",
    without: "Abonelik yok: VİA ile onay istenemez.",
};
const PASS: Service = Service {
    title: "VİA Pass",
    path: "/hizmet-saglayici/abonelik/via-pass",
    status: "pass-durum",
    amount: "pass-kredi",
    without: "Abonelik yok: VİA Pass ile doğrulama yapılamaz.",
};

/// The subscriptions of a provider.
pub(super) struct Subscriptions {
    messages: Option<Subscription>,
    via: Option<Package>,
    pass: Option<Package>,
}

impl Subscriptions {
    pub(super) fn read(desk: &Desk<'_>, iys_code: i64) -> Result<Self> {
        Ok(Self {
            messages: providers::find_subscription(desk.db, iys_code)?,
            via: opt_in::find_package(desk.db, iys_code, Product::Via)?,
            pass: opt_in::find_package(desk.db, iys_code, Product::Pass)?,
        })
    }

    /// Each subscription with the form that changes it.
    pub(super) fn show(&self, visit: &Visit, used: i64, filled: &Form, mistakes: &Mistakes) -> Markup {
        let exceed = match filled.get(MESSAGES.status) {
            "" => self.messages.as_ref().is_none_or(|it| it.consent_limit_exceed),
            _ => filled.is_ticked("asilir"),
        };
        let limit = self.messages.as_ref().map(|it| it.consent_limit);
        let messages = self.messages.as_ref().map(|it| (it.status, facts(it, used)));
        html! {
            (card(visit, MESSAGES, messages.as_ref(), filled, &html! {
                (amount(MESSAGES, "En çok kayıtlı adres", "", limit, filled, mistakes))
                (tick("asilir", "1", "Kota aşılabilir", exceed))
            }))
            @for (service, package) in [(VIA, &self.via), (PASS, &self.pass)] {
                @let present = package.as_ref().map(|it| (it.status, package_facts(it)));
                (card(visit, service, present.as_ref(), filled, &html! {
                    (amount(service, "Kredi", "Sınırsız için -1 yazın.", package.as_ref().map(|it| it.credit),
                        filled, mistakes))
                }))
            }
        }
    }
}

fn card(
    visit: &Visit,
    service: Service,
    present: Option<&(SubscriptionStatus, Markup)>,
    filled: &Form,
    more: &Markup,
) -> Markup {
    let options: Vec<(String, String)> = STATES
        .into_iter()
        .map(|state| (state.as_str().to_owned(), words::subscription(state).to_owned()))
        .collect();
    let stored = present.map_or("", |(status, _)| status.as_str());
    let chosen = filled.all(service.status).next().unwrap_or(stored);
    html! {
        section.card {
            h2 { (service.title) " aboneliği" }
            @match present {
                Some((_, facts)) => (facts),
                None => p { (service.without) },
            }
            (form(visit, service.path, &html! {
                (select(service.status, "Durum", &options, chosen, &Mistakes::default()))
                (more)
                button.quiet type="submit" {
                    @if present.is_some() { "Değiştir" } @else { "Abonelik aç" }
                    span.hidden { ": " (service.title) }
                }
            }))
        }
    }
}

fn amount(
    service: Service,
    label: &str,
    hint: &str,
    present: Option<i64>,
    filled: &Form,
    mistakes: &Mistakes,
) -> Markup {
    let present = present.map(|present| present.to_string()).unwrap_or_default();
    let value = filled.all(service.amount).next().unwrap_or(&present);
    Field { name: service.amount, label, hint, value, optional: true, ..Field::default() }.show(mistakes)
}

fn facts(subscription: &Subscription, used: i64) -> Markup {
    let limit = subscription.consent_limit;
    let api_use = if subscription.api_use { "Var" } else { "Yok" };
    html! {
        dl {
            (term(subscription.status, &subscription.package, subscription.start_at, subscription.expires_at))
            div { dt { "API kullanımı" } dd { (api_use) } }
            div {
                dt #kayitli { "Kayıtlı adres" }
                dd {
                    (number(used)) " / " (number(limit))
                    @if subscription.consent_limit_exceed { span.dim { " (aşılabilir)" } }
                    " " meter aria-labelledby="kayitli" min="0" max=(limit.max(1))
                        value=(used.min(limit.max(1))) high=(limit / 10 * 9) { }
                }
            }
        }
    }
}

fn package_facts(package: &Package) -> Markup {
    html! {
        dl {
            (term(package.status, &package.name, package.start_at, package.expires_at))
            div {
                dt { "Kalan kredi" }
                dd { @if package.credit == UNLIMITED { "Sınırsız" } @else { (number(package.credit)) } }
            }
        }
    }
}

/// What every subscription has.
fn term(status: SubscriptionStatus, package: &str, start_at: i64, expires_at: i64) -> Markup {
    let word = words::subscription(status);
    html! {
        div {
            dt { "Durum" }
            dd {
                @match status {
                    SubscriptionStatus::Active => span.badge.yes { (word) },
                    _ => span.badge.no { (word) },
                }
            }
        }
        div { dt { "Paket" } dd { (package) } }
        div { dt { "Başlangıç" } dd { (time(start_at)) } }
        div { dt { "Bitiş" } dd { (time(expires_at)) } }
    }
}

pub(super) async fn change_messages(posted: Posted<Provider>) -> Result<Response, PageError> {
    let exceed = posted.form.is_ticked("asilir");
    change(posted, MESSAGES, |status, consent_limit| {
        let consent_limit_exceed = Some(exceed);
        let request = SubscriptionRequest {
            status,
            consent_limit,
            consent_limit_exceed,
            ..SubscriptionRequest::default()
        };
        ProviderRequest { subscription: Named::Value(request), ..ProviderRequest::default() }
    })
    .await
}

pub(super) async fn change_via(posted: Posted<Provider>) -> Result<Response, PageError> {
    change(posted, VIA, |status, credit| ProviderRequest {
        via: Named::Value(PackageRequest { status, credit, package: None }),
        ..ProviderRequest::default()
    })
    .await
}

pub(super) async fn change_pass(posted: Posted<Provider>) -> Result<Response, PageError> {
    change(posted, PASS, |status, credit| ProviderRequest {
        via_pass: Named::Value(PackageRequest { status, credit, package: None }),
        ..ProviderRequest::default()
    })
    .await
}

/// Changes or opens a subscription. An empty amount stays what it is.
async fn change(
    Posted { visitor, form }: Posted<Provider>,
    service: Service,
    request: impl FnOnce(Option<String>, Option<i64>) -> ProviderRequest,
) -> Result<Response, PageError> {
    let unreadable = || PageError::Unreadable(Door::Provider);
    let status = SubscriptionStatus::parse(form.get(service.status)).ok_or_else(unreadable)?;
    let amount = form.number(service.amount);
    let unusable = || Mistakes::of(service.amount, "Bir sayı yazın.");
    if amount.is_none() && !form.get(service.amount).is_empty() {
        return overview::page(&visitor, &form, unusable()).await;
    }
    let request = request(Some(status.as_str().to_owned()), amount);
    let request = ProviderRequest { iys_code: Some(visitor.person.iys_code), ..request };
    let put = visitor.app.registry.run(move |desk| put_provider(desk, request)).await?;
    // The status is one of the list's, so that only the number can have been refused.
    if put.is_err() {
        return overview::page(&visitor, &form, unusable()).await;
    }
    let word = words::subscription(status).to_lowercase();
    Ok(visitor.go("/hizmet-saglayici", format!("{} aboneliğinin durumu: {word}.", service.title)))
}
