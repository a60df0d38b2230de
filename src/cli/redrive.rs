//! `kopru redrive`: files once more what has ended without the registry's record.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use kopru_domain::time::parse_consent_date;
use kopru_domain::{BrandCode, Lang, SubmissionState};
use kopru_store::submissions::EndedFilter;
use uuid::Uuid;

use super::admin::{self, with_app};
use super::output::{DIM, GOOD, STRONG, WARN, paint};
use super::{Failure, Global, Output};
use crate::service::redrive::{self, ENDED, Redrive, RedriveGroup, Wish};

/// Arguments of `redrive`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "brand", "all"])))]
pub(super) struct Args {
    /// Only this consent; may stand there several times
    #[arg(long, value_name = "ID", conflicts_with_all = ["code", "state", "from", "to"])]
    id: Vec<Uuid>,
    /// Only this brand's consents
    #[arg(long, value_name = "BRAND_CODE")]
    brand: Option<BrandCode>,
    /// Consents of all brands
    #[arg(long)]
    all: bool,
    /// Only filings that ended with this code (H180); may stand there several times
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// Only filings that ended so; all when left out
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state())]
    state: Vec<SubmissionState>,
    /// Only filings that ended at this instant (2026-11-25T17:00:00+03:00) or later
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Option<DateTime<Utc>>,
    /// Only filings that ended before this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    to: Option<DateTime<Utc>>,
    /// Also what its code says cannot be helped; never against the rules
    #[arg(long)]
    force: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do it; left out: only tell what would happen
    #[arg(long)]
    yes: bool,
}

fn state() -> impl clap::builder::TypedValueParser<Value = SubmissionState> {
    PossibleValuesParser::new(ENDED.map(SubmissionState::as_str))
        .try_map(|word| word.parse::<SubmissionState>())
}

fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    parse_consent_date(text)
        .map_err(|_| "write an instant (2026-11-25T17:00:00+03:00, or 2026-11-25 17:00:00 in Turkey time)")
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    let wish = Wish { dry_run: !args.yes, force: args.force, reason: args.reason };
    let states = if args.state.is_empty() { ENDED.to_vec() } else { args.state };
    let filter = EndedFilter { states, codes: args.code, from: args.from, to: args.to };
    with_app(global, async |app| {
        let redrive = if args.id.is_empty() {
            redrive::whole(app, &caller, args.brand, &filter, &wish).await?
        } else {
            redrive::consents(app, &caller, &args.id, &wish).await?
        };
        if output.is_json() {
            output.object(&redrive)?;
        } else {
            for line in lines(&redrive, output.lang()) {
                output.line(line)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn lines(redrive: &Redrive, lang: Lang) -> Vec<String> {
    let word = |tr: &'static str, en: &'static str| if lang == Lang::Tr { tr } else { en };
    let mut lines: Vec<String> = redrive.groups.iter().flat_map(|group| group_lines(group, lang)).collect();
    let done = if redrive.dry_run {
        word("yeniden bildirilecek", "would be filed once more")
    } else {
        word("yeniden sıraya alındı", "queued to be filed once more")
    };
    let Redrive { redriven, left, .. } = redrive;
    lines.push(paint(
        STRONG,
        format!("{redriven} {done}, {left} {}", word("olduğu gibi kalır", "left as they are")),
    ));
    if redrive.dry_run && *redriven > 0 {
        let hint = word("Yapmak için --yes ekleyin.", "Add --yes to do it.");
        lines.push(paint(WARN, hint));
    }
    lines
}

fn group_lines(group: &RedriveGroup, lang: Lang) -> Vec<String> {
    let sign = if group.redriven { paint(GOOD, "↻") } else { paint(DIM, "–") };
    let code = group.code.as_deref().unwrap_or("-");
    let title = group.explanation.as_ref().map_or("", |explanation| explanation.title);
    let mut lines = vec![format!(
        "{sign} {:>7} {:<4} {:<10} {code}  {}",
        group.count,
        group.status,
        group.state,
        paint(DIM, title)
    )];
    if let Some(left) = &group.left_because {
        let because = if lang == Lang::Tr { "kalır" } else { "left" };
        let title = left.explanation.as_ref().map_or("", |explanation| explanation.title);
        lines.push(format!("            {because}: {}  {}", left.code, paint(DIM, title)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(redriven: bool) -> RedriveGroup {
        RedriveGroup {
            status: "ONAY",
            state: "refused",
            code: Some("H180".to_owned()),
            explanation: crate::service::consents::explain("H180", Lang::En),
            count: 3,
            redriven,
            left_because: None,
            consents: Vec::new(),
        }
    }

    #[test]
    fn people_see_the_counts_and_how_to_go_on() {
        let text = |dry_run| {
            let redrive = Redrive { dry_run, looked_at: 3, redriven: 3, left: 0, groups: vec![group(true)] };
            anstream::adapter::strip_str(&lines(&redrive, Lang::En).join("\n")).to_string()
        };
        assert!(text(true).contains("3 would be filed once more, 0 left"), "{}", text(true));
        assert!(text(true).contains("--yes") && text(true).contains("H180"));
        assert!(text(false).contains("queued") && !text(false).contains("--yes"));
    }
}
