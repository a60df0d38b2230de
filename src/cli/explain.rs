//! `kopru explain`: what a code means.

use std::process::ExitCode;

use kopru_domain::{Code, Text};
use serde::Serialize;

use super::admin::show;
use super::{Failure, Output};
use crate::service::consents::{Explanation, explain};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The registry's code (H174, H1015, ERR-SYS-0001) or a word of this service (deadline_passed)
    #[arg(value_name = "CODE")]
    code: String,
}

#[derive(Serialize)]
struct Explained<'a> {
    code: &'a str,
    #[serde(flatten)]
    explanation: Explanation,
}

/// What people read: one language, and nothing twice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    code: &'a str,
    cause: &'a str,
    action: &'a str,
    who: &'a str,
    redrive_helps: bool,
}

const COLUMNS: [&str; 5] = ["code", "cause", "action", "who", "redriveHelps"];

pub(super) fn run(args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let typed = args.code.trim();
    let upper = typed.to_ascii_uppercase();
    let found = [typed, &upper].into_iter().find_map(|code| Some((code, explain(code, output.lang())?)));
    let Some((code, explanation)) = found else {
        let own: Vec<&str> = Code::OWN.iter().map(Code::as_str).collect();
        let message = Text::new(
            format!(
                "{typed}: böyle bir kod bilinmiyor; İYS kodları H174 gibidir, bu hizmetinkiler: {}",
                own.join(", ")
            ),
            format!(
                "{typed}: no such code is known; the registry's are like H174, those of this service: {}",
                own.join(", ")
            ),
        );
        return Err(Failure::new("unknown_code", message));
    };
    if output.is_json() {
        output.object(&Explained { code, explanation })?;
        return Ok(ExitCode::SUCCESS);
    }
    let Explanation { cause, action, who, redrive_helps, .. } = explanation;
    show(output, &COLUMNS, &Told { code, cause, action, who, redrive_helps })
}
