//! `kopru forecast`: what the present budget can do for what is queued.

use std::process::ExitCode;

use kopru_domain::{IysCode, Lang};

use super::admin::{self, with_app};
use super::output::{BAD, GOOD, STRONG, paint};
use super::{Failure, Global, Output};
use crate::service::Caller;
use crate::service::forecast::{self, QueueForecast};

/// Arguments of `forecast`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this provider's part, brand by brand
    #[arg(long, value_name = "IYS_CODE")]
    provider: Option<IysCode>,
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = Caller { provider: args.provider, ..admin::caller(output.lang()) };
    with_app(global, async |app| {
        let forecast = forecast::get(app, &caller).await?;
        if output.is_json() {
            output.object(&forecast)?;
            return Ok(ExitCode::SUCCESS);
        }
        output.line(sentence(&forecast, output.lang()))?;
        if !forecast.brands.is_empty() {
            output.line("")?;
            let columns = ["iysCode", "brandCode", "queued", "late", "earliestTarget", "emptyAt"];
            admin::show_all(output, &columns, &forecast.brands)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn sentence(forecast: &QueueForecast, lang: Lang) -> String {
    let QueueForecast { requests_per_second: rate, queued, requests, late, .. } = forecast;
    let style = if *late > 0 { BAD } else { GOOD };
    let empty = paint(STRONG, forecast.empty_at.as_deref().unwrap_or("-"));
    match lang {
        Lang::Tr => format!(
            "saniyede {rate} istekle {queued} kayıt ({requests} istek) {empty} anında biter; {}",
            paint(style, format!("{late} kayıt hedefini kaçırır"))
        ),
        Lang::En => format!(
            "at {rate} requests a second the queue of {queued} ({requests} requests) is empty at {empty}; {}",
            paint(style, format!("{late} would miss their target"))
        ),
    }
}
