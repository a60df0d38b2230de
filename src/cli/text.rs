//! `kopru text`: consent texts, privacy notices, call scripts and paper forms of the brands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Subcommand, value_parser};
use kopru_domain::{BrandCode, LegalTextKind, Text, TextRef};

use super::admin::{self, with_app};
use super::output::{DIM, STRONG, paint};
use super::{Failure, Global, Output};
use crate::service::texts::{self, NewText, TextVersion};

const COLUMNS: [&str; 5] = ["name", "kind", "title", "sha256", "createdAt"];

/// Arguments of `text`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a text, or the next version of one; a version is never changed
    Add(Add),
    /// List a brand's texts, the newest version of each
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
    /// Show all versions of a text (CODE), or one in full (CODE/VERSION)
    Show {
        /// The text's code, or a version's name such as sms-onay/3
        #[arg(value_name = "TEXT")]
        text: String,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The text's code, such as sms-onay; a new one begins a text
    #[arg(value_name = "CODE")]
    code: String,
    /// The brand
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
    /// What it is for
    #[arg(
        long,
        value_parser = PossibleValuesParser::new(["consent", "notice", "call_script", "paper_form"])
            .try_map(|word| word.parse::<LegalTextKind>())
    )]
    kind: LegalTextKind,
    /// Heading in Turkish
    #[arg(long)]
    title: String,
    /// File with the Turkish text, - for standard input; an empty line parts paragraphs
    #[arg(long, value_name = "FILE", value_parser = value_parser!(PathBuf))]
    body: PathBuf,
    /// Heading in English
    #[arg(long, requires = "body_en")]
    title_en: Option<String>,
    /// File with the English text
    #[arg(long, value_name = "FILE", requires = "title_en", value_parser = value_parser!(PathBuf))]
    body_en: Option<PathBuf>,
}

fn read(path: &Path) -> Result<String, Failure> {
    admin::read_file(path).map_err(|error| {
        let path = path.display();
        Failure::new("file", Text::new(format!("{path} okunamadı"), format!("{path} cannot be read")))
            .because(error)
    })
}

impl Add {
    fn read(self) -> Result<(BrandCode, NewText), Failure> {
        let en = match (self.title_en, self.body_en) {
            (Some(title), Some(body)) => Some((title, read(&body)?)),
            _ => None,
        };
        let tr = (self.title, read(&self.body)?);
        Ok((self.brand, NewText { code: self.code, kind: self.kind, tr, en }))
    }
}

fn table(output: Output, versions: &[TextVersion]) -> Result<ExitCode, Failure> {
    if output.is_json() {
        return admin::show_all(output, &COLUMNS, versions);
    }
    let row = |it: &TextVersion| {
        serde_json::json!({"name": it.name, "kind": it.kind, "title": it.tr.title, "sha256": it.sha256,
            "createdAt": it.created_at})
    };
    admin::show_all(output, &COLUMNS, &versions.iter().map(row).collect::<Vec<_>>())
}

fn show(output: Output, version: &TextVersion) -> Result<ExitCode, Failure> {
    if output.is_json() {
        return admin::show(output, &COLUMNS, version);
    }
    let TextVersion { name, kind, sha256, created_at, .. } = version;
    output.line(format!("{name} {}", paint(DIM, format!("{kind}, {created_at}, SHA-256 {sha256}"))))?;
    for wording in [Some(&version.tr), version.en.as_ref()].into_iter().flatten() {
        output.line(format!("\n{}\n\n{}", paint(STRONG, &wording.title), wording.body))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add(add) => {
            let (brand, new) = add.read()?;
            let (version, _) = texts::add(app, &caller, brand, new).await?;
            show(output, &version)
        }
        Action::List { brand } => table(output, &texts::list(app, &caller, brand, None).await?),
        Action::Show { text, brand } if text.contains('/') => {
            let name: TextRef = text.parse().map_err(|error| {
                let message = Text::fixed("sms-onay/3 gibi bir ad yazın", "write a name such as sms-onay/3");
                Failure::new("invalid", message).because(error)
            })?;
            show(output, &texts::get(app, &caller, brand, &name).await?)
        }
        Action::Show { text, brand } => table(output, &texts::history(app, &caller, brand, &text).await?),
    })
}
