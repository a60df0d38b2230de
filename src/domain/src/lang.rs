//! The two languages in which the service talks to people.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// A language a text is available in.
    #[derive(Default)]
    pub enum Lang("language") {
        /// Turkish, the default: most users of the service read nothing else.
        #[default]
        Tr = "tr",
        /// English.
        En = "en",
    }
}

/// One text in both languages. Texts start in lower case and carry no full stop, so that they can
/// stand inside a sentence, a table cell or a problem document alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// Turkish.
    pub tr: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// A text that is known when the program is compiled.
    pub const fn fixed(tr: &'static str, en: &'static str) -> Self {
        Self { tr: Cow::Borrowed(tr), en: Cow::Borrowed(en) }
    }

    /// A text that is put together while the program runs.
    pub fn new(tr: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { tr: tr.into(), en: en.into() }
    }

    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Tr => &self.tr,
            Lang::En => &self.en,
        }
    }
}
