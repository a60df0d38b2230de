//! `kopru keyword`: short numbers and their keywords.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::keyword::read;
use kopru_domain::{
    BrandCode, Channel, Keyword, KeywordOutcome, KeywordVerdict, Lang, Line, Place, Text, Verbs,
};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::admin::{self, with_app};
use super::output::{BAD, DIM, GOOD, WARN, paint};
use super::{Failure, Global, Output, Report};
use crate::service::keywords::{self, NewKeyword, Words};

const COLUMNS: [&str; 6] = ["id", "brandCode", "number", "keyword", "channels", "createdAt"];

/// Arguments of `keyword`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tell what an SMS to a short number would do, and why; asks no database
    Try {
        /// The text of the SMS; `-` reads one a line
        #[arg(value_name = "TEXT", allow_hyphen_values = true)]
        text: String,
        /// The keyword of the brand on a shared number; without it the number is the brand's own
        #[arg(long, value_name = "WORD")]
        keyword: Option<String>,
    },
    /// Give a brand a short number, or a keyword on a shared one
    Add {
        /// The number that takes the SMS
        #[arg(value_name = "NUMBER")]
        number: String,
        /// The keyword; without it the number is the brand's own
        #[arg(value_name = "KEYWORD")]
        keyword: Option<String>,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// Words of approval in place of the built-in ones
        #[arg(long = "approval", value_name = "WORD")]
        approvals: Vec<String>,
        /// Words of rejection beside the built-in ones
        #[arg(long = "rejection", value_name = "WORD")]
        rejections: Vec<String>,
        /// For which an approval is taken: ARAMA, MESAJ; both where it is left out
        #[arg(long = "type", value_name = "TYPE")]
        channels: Vec<Channel>,
    },
    /// List a brand's short numbers and keywords
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
    /// Take a short number or keyword from a brand
    Remove {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    match args.action {
        Action::Try { text, keyword } => try_text(&text, keyword.as_deref(), output),
        Action::Add { number, keyword, brand, approvals, rejections, channels } => {
            with_app(global, async |app| {
                let given = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
                let channels = Some(channels).filter(|list| !list.is_empty());
                let words = Words { approvals: given(approvals), rejections: given(rejections), channels };
                let new = NewKeyword { number, keyword, words };
                admin::show(output, &COLUMNS, &keywords::add(app, &caller, brand, new).await?)
            })
        }
        Action::List { brand } => with_app(global, async |app| {
            admin::show_all(output, &COLUMNS, &keywords::list(app, &caller, brand).await?)
        }),
        Action::Remove { id, brand } => with_app(global, async |app| {
            keywords::remove(app, &caller, brand, id).await?;
            admin::done(output, "keyword.removed", id, &Text::fixed("kaldırıldı", "removed"))
        }),
    }
}

fn try_text(text: &str, keyword: Option<&str>, output: Output) -> Result<ExitCode, Failure> {
    let keyword = keyword.map(Keyword::parse).transpose();
    let keyword = keyword.map_err(|error| Failure::new("keyword", error.text()))?;
    let verbs = Verbs::default();
    let place = keyword.as_ref().map_or(Place::Own, Place::Shared);
    let decide =
        |text: &str| Decision { verdict: read(text, &Line { place, verbs: &verbs }), lang: output.lang() };
    if text != "-" {
        output.show(&decide(text))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in admin::lines() {
        match line? {
            Ok(line) => output.show(&decide(&line))?,
            Err(message) => admin::show_unreadable(output, &message)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the engine decided.
struct Decision {
    verdict: KeywordVerdict,
    lang: Lang,
}

/// What programs read.
#[derive(Serialize)]
struct Object<'a> {
    outcome: KeywordOutcome,
    channels: &'a [Channel],
    why: &'a str,
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let KeywordVerdict { outcome, channels, reason, .. } = &self.verdict;
        Object { outcome: *outcome, channels, why: reason.text().get(self.lang) }.serialize(serializer)
    }
}

impl Report for Decision {
    fn text(&self, lang: Lang) -> String {
        let word = |tr, en| Text::fixed(tr, en).get(lang).to_owned();
        let outcome = match self.verdict.outcome {
            KeywordOutcome::Approval => paint(GOOD, word("onay", "approval")),
            KeywordOutcome::Rejection => paint(BAD, word("ret", "rejection")),
            KeywordOutcome::Unknown => paint(WARN, word("bilinmiyor", "unknown")),
        };
        let channels =
            self.verdict.channels.iter().copied().map(Channel::as_str).collect::<Vec<_>>().join(" ");
        let why = paint(DIM, self.verdict.reason.text().get(lang));
        [outcome, channels, why].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str, keyword: Option<&str>, lang: Lang) -> String {
        let keyword = keyword.map(|word| Keyword::parse(word).unwrap());
        let place = keyword.as_ref().map_or(Place::Own, Place::Shared);
        let verdict = read(text, &Line { place, verbs: &Verbs::default() });
        serde_json::to_string(&Decision { verdict, lang }).unwrap()
    }

    #[test]
    fn the_object_has_exactly_the_agreed_keys() {
        assert_eq!(
            object("abc onay", Some("ABC"), Lang::En),
            r#"{"outcome":"approval","channels":["MESAJ"],"why":"the whole message is ONAY, a word of approval"}"#
        );
        assert_eq!(
            object("RET HEPSİ", None, Lang::Tr),
            r#"{"outcome":"rejection","channels":["ARAMA","MESAJ"],"why":"RET ret bildirir"}"#
        );
        assert!(
            object("onay", Some("ABC"), Lang::En)
                .starts_with(r#"{"outcome":"unknown","channels":[],"why":""#)
        );
    }
}
