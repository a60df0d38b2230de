//! Double opt-ins as a client of ours sees them: above all those that were abandoned.

use kopru_domain::BrandCode;
use kopru_domain::opt_in::OptInState;
use kopru_domain::time::format_rfc3339;
use kopru_domain::via::Confirmer;
use kopru_store::opt_ins::{self as rows, OptInRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Ask, opened};
use crate::bootstrap::App;
use crate::service::consents::{Showing, note_shown};
use crate::service::via::{self, ViaView};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands};

/// A double opt-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OptIn {
    /// Identity.
    pub id: Uuid,
    /// The form or campaign.
    pub origin: String,
    /// `code` or `link`.
    #[schema(value_type = String)]
    pub way: &'static str,
    /// `pending`, `confirmed`, `done` or `abandoned`.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// The address, masked unless the key has `recipients:read`.
    pub recipient: String,
    /// What was to be confirmed: `ARAMA`, `MESAJ`, `EPOSTA`.
    #[schema(value_type = Vec<String>)]
    pub types: Vec<&'static str>,
    /// Wrong codes.
    pub wrong: i64,
    /// How often a code or link was sent.
    pub sends: i64,
    /// When the form was filled in, RFC 3339 with +03:00.
    pub created_at: String,
    /// The moment of consent, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// Who asks: `own` (this service) or `via` (the registry, which also records what is approved).
    #[schema(value_type = String)]
    pub confirmation: &'static str,
    /// The registry's part, where it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<ViaView>,
}

impl OptIn {
    fn new(row: &OptInRow, ask: &Ask, via: Option<ViaView>, showing: Showing) -> Self {
        let confirmer = if via.is_some() { Confirmer::Via } else { Confirmer::Own };
        Self {
            confirmation: confirmer.as_str(),
            via,
            id: row.id,
            origin: row.origin.clone(),
            way: row.way.as_str(),
            state: row.state.as_str(),
            recipient: showing.apply(ask.recipient.as_str()),
            types: ask.channels.iter().map(|channel| channel.as_str()).collect(),
            wrong: row.wrong,
            sends: row.sends,
            created_at: format_rfc3339(row.created_at),
            confirmed_at: row.confirmed_at.map(format_rfc3339),
        }
    }
}

/// A page of a brand's in one state, oldest first, after an id. Needs `consents:read`.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    state: OptInState,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<OptIn>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let (brand, page) = {
        let mut tx = app.db.read().await?;
        let brand = brands::visible(&mut tx, caller, brand).await?;
        let found =
            rows::list(&mut tx, brand.iys_code, brand.brand_code, state, after.unwrap_or_default(), limit)
                .await?;
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        let ids = found.iter().map(|row| row.id).collect();
        let mut via = via::processes_of(&mut tx, brand.iys_code, ids, caller.lang).await?;
        let page =
            found.iter().map(|row| Ok(OptIn::new(row, &opened(&keys, row)?, via.remove(&row.id), showing)));
        (brand, page.collect::<ServiceResult<Vec<OptIn>>>()?)
    };
    if showing == Showing::Full && !page.is_empty() {
        let subject = format!("{} opt-ins of brand {}", page.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "recipient.shown", &subject).await?;
    }
    Ok(page)
}

/// One of a brand's. Needs `consents:read`.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<OptIn> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let (provider, shown) = {
        let mut tx = app.db.read().await?;
        let brand = brands::visible(&mut tx, caller, brand).await?;
        let row = rows::find(&mut tx, brand.iys_code, id).await?;
        let row = row.filter(|row| row.brand_code == brand.brand_code);
        let row = row.ok_or(ServiceError::NotFound("opt-in"))?;
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        let via = via::processes_of(&mut tx, brand.iys_code, vec![id], caller.lang).await?.remove(&id);
        (brand.iys_code, OptIn::new(&row, &opened(&keys, &row)?, via, showing))
    };
    if showing == Showing::Full {
        note_shown(app, caller, provider, "recipient.shown", &format!("opt-in {id}")).await?;
    }
    Ok(shown)
}
