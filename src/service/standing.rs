//! How a brand stands at the registry: what it has authorised, its provider's subscription, and what cannot be filed for now.

use kopru_domain::time::format_rfc3339;
use kopru_domain::{Channel, Code, HeldCause, IysCode, Lang, Right, Text};
use kopru_store::Tx;
use kopru_store::brands::BrandRow;
use kopru_store::holds::{self, HoldRow};
use kopru_store::rights::{self, RightsRow};
use kopru_store::subscriptions::{self, SubscriptionRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::ServiceResult;
use crate::service::consents::explain;

/// What is known to be unfilable for a brand, by channel: an intake holds it at once instead of queueing it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stops(Vec<(Channel, HeldCause, Code)>);

impl Stops {
    /// The stops of a brand. None where the registry was never asked for its rights: then only a filing tells. A used-up
    /// package is none either: it refuses new addresses alone.
    pub fn of(rights: Option<&RightsRow>, holds: &[HoldRow]) -> Self {
        if rights.is_none() {
            return Self::default();
        }
        let stop = |hold: &HoldRow| {
            let cause: HeldCause = hold.cause.parse().ok()?;
            (cause != HeldCause::Quota).then(|| (hold.channel, cause, Code::new(hold.code.clone())))
        };
        Self(holds.iter().filter_map(stop).collect())
    }

    /// Why nothing can be filed on a channel, if so.
    pub fn on(&self, channel: Channel) -> Option<(HeldCause, Code)> {
        let found = self.0.iter().find(|(stopped, _, _)| *stopped == channel)?;
        Some((found.1, found.2.clone()))
    }
}

/// What is known of a brand's place at the registry.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// What it has authorised; `None`: never asked.
    pub rights: Option<RightsRow>,
    /// Its provider's subscription; `None`: never asked.
    pub subscription: Option<SubscriptionRow>,
    /// What stops filings.
    pub holds: Vec<HoldRow>,
}

impl Standing {
    /// Reads it.
    pub async fn load(tx: &mut Tx, brand: &BrandRow) -> ServiceResult<Self> {
        Ok(Self {
            rights: rights::find(tx, brand.iys_code, brand.brand_code).await?,
            subscription: subscriptions::find(tx, brand.iys_code).await?,
            holds: holds::of_brand(tx, brand.iys_code, brand.brand_code).await?,
        })
    }

    /// Reads those of brands of one provider, in their order.
    pub async fn of_provider(
        tx: &mut Tx,
        provider: IysCode,
        brands: &[BrandRow],
    ) -> ServiceResult<Vec<Self>> {
        let rights = rights::of_provider(tx, provider).await?;
        let subscription = subscriptions::find(tx, provider).await?;
        let holds = holds::of_provider(tx, provider).await?;
        let standing = |brand: &BrandRow| Self {
            rights: rights.iter().find(|row| row.brand_code == brand.brand_code).copied(),
            subscription: subscription.clone(),
            holds: holds.iter().filter(|hold| hold.brand_code == brand.brand_code).cloned().collect(),
        };
        Ok(brands.iter().map(standing).collect())
    }

    /// As it is shown in one language.
    pub fn view(&self, lang: Lang) -> StandingView {
        StandingView {
            authorised: self.rights.map(|row| row.rights.authorised),
            rights: self.rights.as_ref().map(RightsView::from),
            subscription: self.subscription.as_ref().map(SubscriptionView::from),
            held: self.holds.iter().map(|hold| HoldView::new(hold, lang)).collect(),
            warnings: self.warnings(lang),
        }
    }

    fn warnings(&self, lang: Lang) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.rights.is_none() {
            let text = Text::fixed(
                "İYS'ye bu markanın yetkileri henüz sorulmadı; `kopru provider sync` ile sorun",
                "the registry has not been asked for this brand's rights yet; ask it with `kopru provider sync`",
            );
            warnings.push(Warning::new("rights_unknown", None, &text, lang));
        }
        for hold in &self.holds {
            warnings.push(Warning::new(&hold.cause, Some(hold.channel), &what_is_held(hold), lang));
        }
        warnings
    }
}

/// What a hold means for whoever looks at the brand, and who has to do what.
fn what_is_held(hold: &HoldRow) -> Text {
    let HoldRow { channel, code, .. } = hold;
    let [tr, en] = match hold.cause.parse() {
        Ok(HeldCause::NotAuthorised) => [
            "marka, iş ortağı olarak bizi yetkilendirmemiş: İYS panelinde İş Ortaklığı altında yetki verilmeli",
            "the brand has not authorised this partner: it has to, in the registry's panel under İş Ortaklığı",
        ],
        Ok(HeldCause::TypeRight) => [
            "bu izin türü için yazma yetkisi yok: marka İYS panelinde vermeli",
            "the right to write is missing on this channel: the brand has to give it in the registry's panel",
        ],
        Ok(HeldCause::Subscription) => [
            "hizmet sağlayıcının İYS aboneliği uygun değil: abonelik açılmalı ya da yenilenmeli",
            "the provider's subscription does not allow it: it has to be opened or renewed",
        ],
        _ => [
            "hizmet sağlayıcının izin kotası dolu: paket büyütülmeli",
            "the provider's consent quota is used up: the package has to grow",
        ],
    };
    Text::new(
        format!("{channel} izinleri alınır ama bildirilemez ({code}); {tr}. Süre işlemeye devam eder."),
        format!("{channel} consents are taken in but cannot be filed ({code}); {en}. The deadline runs on."),
    )
}

/// How a brand stands at the registry, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingView {
    /// Whether the brand has authorised us; missing: the registry was never asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorised: Option<bool>,
    /// What may be done for it; missing: the registry was never asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<RightsView>,
    /// Its provider's subscription; missing: the registry was never asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionView>,
    /// Channels whose consents are taken in and held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HoldView>,
    /// What somebody has to see to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// What may be done for a brand. ONAY and RET both need `write`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightsView {
    /// On calls: `write`, `read` or `none`.
    #[serde(rename = "ARAMA")]
    #[schema(value_type = String)]
    pub call: Right,
    /// On messages.
    #[serde(rename = "MESAJ")]
    #[schema(value_type = String)]
    pub message: Right,
    /// On e-mails.
    #[serde(rename = "EPOSTA")]
    #[schema(value_type = String)]
    pub email: Right,
    /// Whether the daily agreement may be seen and confirmed.
    pub agreement_control: bool,
    /// Whether the registry's own opt-in services may be used.
    pub via_control: bool,
    /// When the registry said so, RFC 3339 with +03:00.
    pub synced_at: String,
}

impl From<&RightsRow> for RightsView {
    fn from(row: &RightsRow) -> Self {
        Self {
            call: row.rights.call,
            message: row.rights.message,
            email: row.rights.email,
            agreement_control: row.rights.agreement_control,
            via_control: row.rights.via_control,
            synced_at: format_rfc3339(row.synced_at),
        }
    }
}

/// A subscription at the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionView {
    /// `ACTIVE`, `PAUSED`, `EXPIRED` or `CLOSED`; `NONE` where there is none, `NO_API` where its package has no API.
    pub status: String,
    /// Name of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Its last instant, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When the registry said so, RFC 3339 with +03:00.
    pub synced_at: String,
}

impl From<&SubscriptionRow> for SubscriptionView {
    fn from(row: &SubscriptionRow) -> Self {
        Self {
            status: row.status.clone(),
            package: row.package.clone(),
            expires_at: row.expires_at.map(format_rfc3339),
            synced_at: format_rfc3339(row.synced_at),
        }
    }
}

/// A channel whose consents are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldView {
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: Channel,
    /// `not_authorised`, `type_right`, `subscription` or `quota`.
    pub cause: String,
    /// The registry's code.
    pub code: String,
    /// What the code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Since when, RFC 3339 with +03:00.
    pub since: String,
}

impl HoldView {
    fn new(hold: &HoldRow, lang: Lang) -> Self {
        Self {
            channel: hold.channel,
            cause: hold.cause.clone(),
            code: hold.code.clone(),
            explanation: explain(&hold.code, lang).map(|explanation| explanation.title.to_owned()),
            since: format_rfc3339(hold.since),
        }
    }
}

/// What somebody has to see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// `rights_unknown`, or the cause of a hold.
    pub code: String,
    /// The channel, where it is about one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    /// What is wrong and what to do, in the language of `Accept-Language`.
    pub title: String,
}

impl Warning {
    fn new(code: &str, channel: Option<Channel>, text: &Text, lang: Lang) -> Self {
        Self { code: code.to_owned(), channel, title: text.get(lang).to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use kopru_domain::{BrandCode, BrandRights};

    use super::*;

    fn hold(cause: &str) -> HoldRow {
        HoldRow {
            iys_code: IysCode(1),
            brand_code: BrandCode(2),
            channel: Channel::Message,
            cause: cause.to_owned(),
            code: "H355".to_owned(),
            since: DateTime::UNIX_EPOCH,
            probe_at: DateTime::UNIX_EPOCH,
            listed: false,
        }
    }

    fn known() -> RightsRow {
        RightsRow {
            iys_code: IysCode(1),
            brand_code: BrandCode(2),
            rights: BrandRights::ALL,
            synced_at: DateTime::UNIX_EPOCH,
            retailers_at: None,
        }
    }

    #[test]
    fn only_known_rights_stop_an_intake_and_a_quota_never_does() {
        let holds = [hold("type_right")];
        assert_eq!(Stops::of(None, &holds), Stops::default());
        let stops = Stops::of(Some(&known()), &holds);
        assert_eq!(stops.on(Channel::Message), Some((HeldCause::TypeRight, Code::H355)));
        assert_eq!(stops.on(Channel::Call), None);
        assert_eq!(Stops::of(Some(&known()), &[hold("quota")]), Stops::default());
    }

    #[test]
    fn warnings_name_channel_code_and_what_to_do_in_both_languages() {
        let unknown = Standing::default().view(Lang::En);
        assert_eq!(unknown.warnings[0].code, "rights_unknown");
        let standing =
            Standing { rights: Some(known()), holds: vec![hold("type_right")], ..Standing::default() };
        let [tr, en] = [Lang::Tr, Lang::En].map(|lang| standing.view(lang).warnings[0].title.clone());
        assert!(tr.contains("MESAJ") && tr.contains("H355") && tr.contains("yazma yetkisi"), "{tr}");
        assert!(en.contains("MESAJ") && en.contains("right to write"), "{en}");
    }
}
