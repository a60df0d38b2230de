//! `kopru reconcile`: a day at the registry beside what was filed from here.

use std::process::ExitCode;

use chrono::{Days, NaiveDate};
use kopru_domain::{BrandCode, Lang, time};
use kopru_store::brands::BrandRow;

use super::admin::{self, with_app};
use super::output::{BAD, DIM, GOOD, STRONG, WARN, paint};
use super::{Failure, Global, Output};
use crate::bootstrap::App;
use crate::service::daily::repair::{self, Repair};
use crate::service::daily::view::{self, DailyReport, DifferenceView};
use crate::service::{Caller, brands};

/// Differences asked for at once.
const PAGE: i64 = 1_000;

/// Arguments of `reconcile`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The brand's number at the registry
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
    /// The day, by Turkey's calendar; yesterday when left out
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<NaiveDate>,
    /// Do what is proposed for each difference
    #[arg(long)]
    apply: bool,
    /// Let the service read the registry's file of the day again, from its beginning
    #[arg(long, conflicts_with = "apply")]
    again: bool,
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| {
        let brand = brands::find(app, &caller, args.brand).await?.row;
        let today = time::local(app.clocks.business()).date();
        let day = args.date.or(today.checked_sub_days(Days::new(1))).unwrap_or(today);
        if args.again {
            let report = view::again(app, &caller, &brand, day).await?;
            return show_report(output, &report).map(|()| ExitCode::SUCCESS);
        }
        let report = view::get(app, &caller, &brand, day).await?;
        show_report(output, &report)?;
        show_differences(app, &caller, &brand, day, output).await?;
        let mut left = report.unrepaired;
        if args.apply {
            let repair = apply(app, &caller, &brand, day).await?;
            left = repair.remaining;
            show_repair(output, &repair)?;
        }
        let sound = left == 0 && matches!(report.status, "equal" | "different");
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Repairs portion by portion until nothing more can be done.
async fn apply(app: &App, caller: &Caller, brand: &BrandRow, day: NaiveDate) -> Result<Repair, Failure> {
    let mut all = Repair { date: day.to_string(), ..Repair::default() };
    loop {
        let part = repair::repair(app, caller, brand, day).await?;
        all.repaired += part.repaired;
        all.redrive += part.redrive;
        all.ask_status += part.ask_status;
        all.apply_movement += part.apply_movement;
        all.acknowledge += part.acknowledge;
        all.remaining = part.remaining;
        if part.repaired == 0 || part.remaining == 0 {
            return Ok(all);
        }
    }
}

fn show_report(output: Output, report: &DailyReport) -> Result<(), Failure> {
    if output.is_json() {
        return output.object(report);
    }
    let tr = output.lang() == Lang::Tr;
    let (style, mark) = match report.status {
        "equal" => (GOOD, "✓"),
        "awaited" => (WARN, "…"),
        "different" => (WARN, "!"),
        _ => (BAD, "✗"),
    };
    let head = paint(STRONG, format!("{} {}", report.brand_code, report.date));
    output.line(format!("{head}  {} {}", paint(style, mark), report.title))?;
    if let Some(error) = &report.error {
        output.line(format!("  {}", paint(DIM, error)))?;
    }
    let names = if tr {
        ["hareket", "eşleşen", "İYS'de yok", "burada yok", "farklı", "onarılmamış"]
    } else {
        ["movements", "matched", "missing there", "missing here", "different", "unrepaired"]
    };
    let counts = [
        report.movements,
        report.matched,
        report.missing_there,
        report.missing_here,
        report.different,
        report.unrepaired,
    ];
    let cells: Vec<String> =
        names.iter().zip(counts).map(|(name, count)| format!("{name} {count}")).collect();
    output.line(format!("  {}", cells.join("  ")))?;
    let agreed = match (report.agreed, tr) {
        (true, true) => "mutabakat sağlandı",
        (true, false) => "agreed",
        (false, true) => "mutabakat sağlanmadı",
        (false, false) => "not agreed",
    };
    let stamp = report.time_stamp.as_ref().map(|stamp| match (stamp.fits, tr) {
        (true, true) => "zaman damgası dosyaya ait",
        (true, false) => "time stamp is of this file",
        (false, true) => "zaman damgası bu dosyaya ait değil",
        (false, false) => "time stamp is not of this file",
    });
    let hash = report.sha384.as_deref().map(|hash| format!("sha384 {}…", &hash[..hash.len().min(16)]));
    let facts: Vec<String> =
        [Some(agreed.to_owned()), stamp.map(ToOwned::to_owned), hash].into_iter().flatten().collect();
    output.line(format!("  {}", paint(DIM, facts.join("  "))))
}

async fn show_differences(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    day: NaiveDate,
    output: Output,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = view::differences(app, caller, brand, day, after, PAGE).await?;
        for difference in &page {
            if output.is_json() {
                output.object(difference)?;
            } else {
                output.line(line(difference))?;
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn line(difference: &DifferenceView) -> String {
    let what = format!("{:<14} {:<16}", difference.kind, difference.cause);
    let who = [difference.channel, difference.recipient.as_deref()];
    let who = who.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let then = match (&difference.proposal, &difference.outcome) {
        (Some(proposal), _) => format!("→ {}: {}", proposal.action, proposal.title),
        (None, outcome) => paint(DIM, format!("✓ {}", outcome.as_deref().unwrap_or_default())),
    };
    format!("  {what} {who}  {then}")
}

fn show_repair(output: Output, repair: &Repair) -> Result<(), Failure> {
    if output.is_json() {
        return output.object(repair);
    }
    let Repair { redrive, ask_status, apply_movement, acknowledge, remaining, .. } = repair;
    output.line(match output.lang() {
        Lang::Tr => format!(
            "  onarıldı: yeniden bildirilen {redrive}, sorulan {ask_status}, işlenen {apply_movement}, not edilen {acknowledge}; kalan {remaining}"
        ),
        Lang::En => format!(
            "  repaired: filed again {redrive}, asked {ask_status}, applied {apply_movement}, noted {acknowledge}; remaining {remaining}"
        ),
    })
}
