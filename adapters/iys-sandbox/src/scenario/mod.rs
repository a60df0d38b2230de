//! What an empty simulator begins with, from a TOML file.
//!
//! ```toml
//! description = "A shop and the partner that files for it"
//!
//! [settings]                  # as PUT /_sandbox/settings; "off" stands for null, which TOML has not
//! perSecondLimit = 5
//!
//! [[partners]]                # as POST /_sandbox/partners
//! integratorCode = 900001
//!
//! [[providers]]               # as POST /_sandbox/providers, with two keys more
//! iysCode = 600100
//! brands = [{ brandCode = 600100, name = "Mavi" }]
//! authorisations = [{ integratorCode = 900001, brandCode = 600100, ARAMA = "none" }]
//! copies = 3                  # so many such providers; {n} in a text is 1, 2, 3 and codes are 1000 apart
//! generated = { count = 100, types = ["MESAJ"], rejectedPercent = 10, days = 365 }    # for each of its brands
//!
//! [[consents]]                # what is recorded already, in the order of its dates
//! brandCode = 600100
//! recipient = "+905551112233"
//! type = "MESAJ"
//! status = "ONAY"
//!
//! [[faults]]                  # as POST /_sandbox/faults; like those, forgotten at a restart
//! operation = "add"
//! kind = "500"
//! every = 10
//! count = 100
//! ```
//!
//! `seed` makes other addresses of the generated consents. A scenario is applied once, whole or not at all, and only
//! where nothing is yet. In place of the demo's, [`crate::SeedInfo`] then names the first provider, its first brand and
//! the first partner of the file.

mod apply;
mod consents;
mod file;

use std::path::Path;

pub(crate) use self::apply::apply;
use self::file::File;

/// Why a scenario cannot be used. `Display` is English; [`Self::turkish`] says the same in Turkish.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read, and none of that name is built in.
    #[error("the scenario {name} cannot be read; besides files there are {shipped}", shipped = shipped_names())]
    Unreadable {
        /// The file's name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not the TOML that is wanted. The source names the line and the key.
    #[error("the scenario is not written as it should be")]
    Syntax(#[from] toml::de::Error),
    /// A value that cannot be used.
    #[error("{field}: {en}")]
    Invalid {
        /// Which one, for example `providers[3]`. Entries are counted from 1.
        field: String,
        /// What is wrong and what is wanted, in Turkish.
        tr: String,
        /// The same in English.
        en: String,
    },
    /// The simulator has data already.
    #[error("this sandbox has data already; start it without a scenario, or with another data file")]
    NotEmpty,
}

impl ScenarioError {
    /// What is wrong, in Turkish.
    pub fn turkish(&self) -> String {
        match self {
            Self::Unreadable { name, .. } => {
                format!(
                    "{name} senaryosu okunamıyor; dosya dışında şunlar kullanılabilir: {}",
                    shipped_names()
                )
            }
            Self::Syntax(_) => "senaryo beklendiği gibi yazılmamış".to_owned(),
            Self::Invalid { field, tr, .. } => format!("{field}: {tr}"),
            Self::NotEmpty => {
                "bu deneme ortamında veri var; senaryo vermeden ya da başka bir veri dosyasıyla \
                               başlatın"
                    .to_owned()
            }
        }
    }

    fn invalid(field: impl Into<String>, tr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), tr: tr.into(), en: en.into() }
    }
}

/// What an empty simulator begins with. Made with [`Self::load`] or [`Self::parse`], used in
/// [`crate::SandboxConfig::scenario`].
#[derive(Debug, Clone)]
pub struct Scenario {
    file: File,
}

impl Scenario {
    /// The scenarios that are built in, by name.
    pub const SHIPPED: [(&str, &str); 3] = [
        ("small-shop", include_str!("../../scenarios/small-shop.toml")),
        ("reseller", include_str!("../../scenarios/reseller.toml")),
        ("hostile-day", include_str!("../../scenarios/hostile-day.toml")),
    ];

    /// Reads a file, or takes the built-in scenario of that name where there is no such file.
    ///
    /// # Errors
    /// When there is neither, or the text is not a scenario.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let shipped = Self::SHIPPED.into_iter().find(|(name, _)| Path::new(name) == path);
        match (std::fs::read_to_string(path), shipped) {
            (Ok(text), _) => Self::parse(&text),
            (Err(_), Some((_, text))) => Self::parse(text),
            (Err(source), None) => {
                Err(ScenarioError::Unreadable { name: path.display().to_string(), source })
            }
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it is no TOML, or has keys and values that no scenario has. Values that depend on each other
    /// are looked at when the scenario is applied.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Ok(Self { file: toml::from_str(text)? })
    }

    /// What the file says about itself.
    pub fn description(&self) -> &str {
        &self.file.description
    }
}

fn shipped_names() -> String {
    Scenario::SHIPPED.map(|(name, _)| name).join(", ")
}
