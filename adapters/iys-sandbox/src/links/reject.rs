//! Rejecting a brand's e-mails (protocol 10.7).

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use maud::html;

use super::Page;
use crate::draft::Key;
use crate::error::Result;
use crate::http::App;
use crate::registry::reject_links::LIFE;
use crate::registry::{Desk, citizen};
use crate::store::opt_in;
use crate::store::outbox::{self, Letter};
use crate::store::providers::{self, Brand};
use crate::store::reject_links::{self as store, RejectLink};
use crate::words::{BY_EMAIL, Channel, Product};

/// The link and its brand, if it can still be used.
fn find(desk: &Desk<'_>, token: &str) -> Result<Result<(RejectLink, Brand), Page>> {
    let Some(link) = store::find(desk.db, token)? else { return Ok(Err(Page::unknown())) };
    let Some(brand) = providers::find_brand(desk.db, link.brand_code)? else {
        return Ok(Err(Page::unknown()));
    };
    if link.used_at.is_some() {
        return Ok(Err(Page::used()));
    }
    if desk.now() - link.made_at > LIFE {
        return Ok(Err(Page::expired()));
    }
    Ok(Ok((link, brand)))
}

/// Shows what the button will do.
pub(super) async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Page, Page> {
    let (link, brand) = app.registry.run(move |desk| find(desk, &token)).await??;
    let content = html! {
        p { (brand.name) " markasının " (link.recipient) " adresine e-posta göndermesini reddediyorsunuz." }
        form method="post" { button type="submit" { "Reddediyorum" } }
    };
    Ok(Page { status: StatusCode::OK, heading: "E-posta reddi", content })
}

/// Rejects.
pub(super) async fn answer(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Page, Page> {
    let done = app.registry.run(move |desk| {
        let (link, brand) = match find(desk, &token)? {
            Ok(found) => found,
            Err(page) => return Ok(page),
        };
        reject(desk, link, &brand)
    });
    Ok(done.await?)
}

/// Only what is approved becomes rejected. A credit is taken where there is one: a citizen's rejection is
/// never turned away, which is assumed.
fn reject(desk: &Desk<'_>, link: RejectLink, brand: &Brand) -> Result<Page> {
    store::use_up(desk.db, &link.token, desk.now())?;
    let (recipient, recipient_type) = (link.recipient, link.recipient_type);
    let key = Key { recipient: recipient.clone(), recipient_type, channel: Channel::Email };
    let text = if citizen::reject_approved(desk, brand, key, BY_EMAIL)?.is_some() {
        opt_in::take_credit(desk.db, brand.iys_code, Product::Via)?;
        format!("{} markasının e-postaları için ret talebiniz kaydedildi.", brand.name)
    } else {
        format!("{} markasının e-postaları için onayınız zaten yok.", brand.name)
    };
    outbox::send(desk.db, &Letter::new(&recipient, text.clone(), desk.now()))?;
    Ok(Page::text(StatusCode::OK, "Ret kaydedildi", &text))
}
