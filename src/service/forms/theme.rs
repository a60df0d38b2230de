//! Colours and logo of a form.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::colour::Colour;

/// Colours and logo of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Theme {
    /// Colour of the button, as `#rrggbb`; white stands on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "#0b5c8a")]
    pub accent: Option<String>,
    /// Colour of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "#ffffff")]
    pub background: Option<String>,
    /// Colour of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "#1b1b1b")]
    pub text: Option<String>,
    /// Logo as `data:image/png;base64,…` (or `jpeg`, `webp`), at most 64 kB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
}

impl Theme {
    /// The colour of the button, the usual one where none is set.
    pub fn accent(&self) -> Colour {
        colour_or(self.accent.as_deref(), [0x0b, 0x5c, 0x8a])
    }

    /// The colour of the page.
    pub fn background(&self) -> Colour {
        colour_or(self.background.as_deref(), [0xff; 3])
    }

    /// The colour of the text.
    pub fn text(&self) -> Colour {
        colour_or(self.text.as_deref(), [0x1b; 3])
    }
}

fn colour_or(colour: Option<&str>, usual: [u8; 3]) -> Colour {
    colour.and_then(Colour::parse).unwrap_or(Colour(usual))
}
