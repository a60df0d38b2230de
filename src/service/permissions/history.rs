//! The registry's own history of an address (registry-protocol section 4.9).

use iys::wire::{StatusRequest, parse_date};
use iys::{Account, MAX_PAGE};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{Channel, IysCode, Recipient, RecipientType};
use kopru_store::brands::BrandRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::registry::{RegistryError, codes};
use crate::service::ServiceResult;

/// A movement as the registry tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    /// `ONAY` or `RET`.
    pub status: String,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// Who wrote it: `HS_…` or `IYS_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the registry recorded it.
    pub creation_date: String,
    /// The registry's id of the movement.
    pub transaction_id: String,
}

/// Asks the registry for the newest movements of an address, at most 100.
pub async fn history(
    app: &App,
    brand: &BrandRow,
    recipient: &Recipient,
    recipient_type: RecipientType,
    channel: Channel,
) -> ServiceResult<Vec<Movement>> {
    let account = account(app, brand.iys_code).await?;
    let request = StatusRequest {
        recipient: recipient.as_str().to_owned(),
        recipient_type: recipient_type.as_str().to_owned(),
        r#type: channel.as_str().to_owned(),
    };
    let result = account.history(codes(brand.iys_code, brand.brand_code), &request, 0, MAX_PAGE).await;
    let answer = result.map_err(RegistryError::Iys)?;
    Ok(answer
        .list
        .into_iter()
        .map(|change| Movement {
            status: change.status,
            consent_date: change.consent_date.map(in_our_form),
            source: change.source,
            creation_date: in_our_form(change.creation_date),
            transaction_id: change.transaction_id,
        })
        .collect())
}

/// The account that speaks to the registry for a provider.
pub(in crate::service) async fn account(app: &App, provider: IysCode) -> ServiceResult<Account> {
    if !app.registry.configured() {
        return Err(RegistryError::NoCredentials.into());
    }
    let mut tx = app.db.read().await?;
    Ok(app.registry.account(&mut tx, provider).await?)
}

/// A date of the registry in RFC 3339; what is no date stands as it came.
fn in_our_form(date: String) -> String {
    parse_date(&date).map_or(date, |date| format_rfc3339(date.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_registry_get_their_offset() {
        assert_eq!(in_our_form("2026-11-20 10:05:00".to_owned()), "2026-11-20T10:05:00+03:00");
        assert_eq!(in_our_form("?".to_owned()), "?");
    }
}
