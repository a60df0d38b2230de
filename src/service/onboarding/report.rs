//! What a sync did, or would do.

use kopru_domain::{BrandCode, BrandRights, Channel, Code, HeldCause, IysCode, Lang};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::consents::explain;

/// What a sync did, or with `dryRun` would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Providers that were looked at.
    pub providers: usize,
    /// Brands that the registry lets us file for.
    pub brands: usize,
    /// Providers and brands that are new here.
    pub created: Vec<SyncItem>,
    /// Names, rights and subscriptions that are others now.
    pub changed: Vec<SyncItem>,
    /// Authorisations and rights that were taken away.
    pub withdrawn: Vec<SyncItem>,
    /// Channels whose consents are held from now on.
    pub held: Vec<SyncItem>,
    /// Channels that are free again; what was held for them is filed.
    pub released: Vec<SyncItem>,
    /// What could not be asked for or done; everything else was.
    pub failed: Vec<SyncItem>,
}

/// One thing that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncItem {
    /// The provider.
    pub iys_code: i64,
    /// The brand, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand_code: Option<i64>,
    /// The channel, where it is about one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    /// Name of what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What changed: `title`, `name`, `right`, `agreementControl`, `viaControl` or `subscription`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub field: Option<&'static str>,
    /// As it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// As it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Why it is held: `not_authorised`, `type_right` or `subscription`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cause: Option<&'static str>,
    /// The registry's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened or what to do, in the language of `Accept-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

impl SyncItem {
    pub(super) fn of(provider: IysCode) -> Self {
        Self { iys_code: provider.0, ..Self::default() }
    }

    pub(super) fn brand(provider: IysCode, brand: BrandCode) -> Self {
        Self { brand_code: Some(brand.0), ..Self::of(provider) }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    pub(super) fn field(self, field: &'static str, before: Option<&str>, after: &str) -> Self {
        let before = before.map(ToOwned::to_owned);
        Self { field: Some(field), before, after: Some(after.to_owned()), ..self }
    }

    pub(super) fn on(self, channel: Channel) -> Self {
        Self { channel: Some(channel), ..self }
    }

    pub(super) fn because(self, cause: HeldCause, code: &Code) -> Self {
        Self { cause: Some(cause.as_str()), code: Some(code.as_str().to_owned()), ..self }
    }

    fn explained(self, lang: Lang) -> Self {
        let explanation = self.code.as_deref().and_then(|code| explain(code, lang));
        let explanation = explanation.map(|explanation| explanation.title.to_owned());
        Self { explanation: self.explanation.or(explanation), ..self }
    }
}

impl SyncReport {
    /// Notes what changed in the rights on a brand that was known.
    pub(super) fn rights_changed(
        &mut self,
        provider: IysCode,
        brand: BrandCode,
        before: BrandRights,
        after: BrandRights,
    ) {
        let item = || SyncItem::brand(provider, brand);
        if before.authorised && !after.authorised {
            self.withdrawn.push(item());
            return;
        }
        for channel in Channel::ALL.iter().copied() {
            let (was, is) = (before.on(channel), after.on(channel));
            let list = if is > was { &mut self.withdrawn } else { &mut self.changed };
            if was != is {
                list.push(item().on(channel).field("right", Some(was.as_str()), is.as_str()));
            }
        }
        for (field, was, is) in [
            ("agreementControl", before.agreement_control, after.agreement_control),
            ("viaControl", before.via_control, after.via_control),
        ] {
            if was != is {
                self.changed.push(item().field(field, Some(&was.to_string()), &is.to_string()));
            }
        }
    }

    /// Adds what happened at one provider.
    pub(super) fn add(&mut self, other: Self) {
        self.providers += other.providers;
        self.brands += other.brands;
        self.created.extend(other.created);
        self.changed.extend(other.changed);
        self.withdrawn.extend(other.withdrawn);
        self.held.extend(other.held);
        self.released.extend(other.released);
        self.failed.extend(other.failed);
    }

    /// With its codes explained in one language.
    pub(super) fn explained(mut self, lang: Lang) -> Self {
        for list in [&mut self.held, &mut self.failed] {
            for item in list.iter_mut() {
                *item = std::mem::take(item).explained(lang);
            }
        }
        self
    }

    /// Whether anything is other than before.
    pub fn has_changes(&self) -> bool {
        let lists = [&self.created, &self.changed, &self.withdrawn, &self.held, &self.released];
        lists.iter().any(|list| !list.is_empty())
    }

    /// Everything in order, each with the name of its list.
    pub fn items(&self) -> impl Iterator<Item = (&'static str, &SyncItem)> {
        let lists = [
            ("created", &self.created),
            ("changed", &self.changed),
            ("withdrawn", &self.withdrawn),
            ("held", &self.held),
            ("released", &self.released),
            ("failed", &self.failed),
        ];
        lists.into_iter().flat_map(|(name, list)| list.iter().map(move |item| (name, item)))
    }
}
