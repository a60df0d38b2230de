//! `kopru ledger`: the ledger of consents.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::{IysCode, Lang};

use super::admin::with_app;
use super::output::{BAD, GOOD, paint};
use super::{Failure, Global, Output};
use crate::service::ledger::{self, LedgerReport};

/// Arguments of `ledger`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prove that no row of the ledger was changed, taken out or put in between
    Verify {
        /// Only this provider's ledger
        #[arg(long, value_name = "IYS_CODE")]
        provider: Option<IysCode>,
    },
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let Action::Verify { provider } = args.action;
    with_app(global, async |app| {
        let reports = ledger::verify(app, provider, output.lang()).await?;
        let mut sound = true;
        for report in &reports {
            sound &= report.ok;
            if output.is_json() {
                output.object(report)?;
            } else {
                output.line(line(report, output.lang()))?;
            }
        }
        if reports.is_empty() && !output.is_json() {
            output.line(match output.lang() {
                Lang::Tr => "defter boş",
                Lang::En => "the ledger is empty",
            })?;
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn line(report: &LedgerReport, lang: Lang) -> String {
    let LedgerReport { iys_code, rows, ok, first_bad_seq, problem, .. } = report;
    let tr = lang == Lang::Tr;
    if *ok {
        let text = if tr { "kayıt, zincir sağlam" } else { "rows, the chain is sound" };
        return format!("{iys_code}  {} {rows} {text}", paint(GOOD, "✓"));
    }
    let problem = problem.as_deref().unwrap_or_default();
    let told = match first_bad_seq {
        Some(seq) if tr => format!("{seq}. kayıt zincire uymuyor ({problem})"),
        Some(seq) => format!("row {seq} does not fit the chain ({problem})"),
        None => problem.to_owned(),
    };
    format!("{iys_code}  {} {rows}: {told}", paint(BAD, "✗"))
}
