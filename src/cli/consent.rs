//! `kopru consent`: looking at consents.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::Lang;
use serde_json::Value;
use uuid::Uuid;

use super::admin::{self, with_app};
use super::output::{STRONG, paint};
use super::{Failure, Global, Output, labels};
use crate::service::consents::{self, Consent};
use crate::service::{Scope, evidence};

/// Arguments of `consent`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show one consent: where its filing stands, why, who must act and what to do
    Show {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Print all that proves one consent, as JSON; it is personal data, and leaves an audit row
    Evidence {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let mut caller = admin::caller(output.lang());
    with_app(global, async |app| {
        let id = match args.action {
            Action::Show { id } => id,
            Action::Evidence { id } => {
                caller.scopes.push(Scope::RecipientsRead);
                output.object(&evidence::pack(app, &caller, id).await?)?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let consent = consents::get(app, &caller, id).await?;
        if output.is_json() {
            output.object(&consent)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (name, value) in lines(&consent, output.lang()) {
            output.line(admin::entry(name, &value, output.lang()))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What people look for, in that order.
fn lines(consent: &Consent, lang: Lang) -> Vec<(&'static str, String)> {
    let filing = &consent.submission;
    let mut lines = vec![
        ("id", consent.id.to_string()),
        ("brandCode", consent.brand_code.to_string()),
        ("recipient", consent.recipient.clone()),
        ("type", format!("{} {} {}", consent.channel, consent.recipient_type, consent.status)),
        ("consentDate", consent.consent_date.clone().unwrap_or_else(|| "-".to_owned())),
        ("state", paint(STRONG, filing.state)),
        ("target", filing.deadline.target.clone()),
        ("latest", filing.deadline.latest.clone()),
        ("attempts", filing.attempts.to_string()),
        ("generation", filing.generation.to_string()),
    ];
    let mut more = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    more("heldCause", filing.held_cause.clone());
    more("code", filing.code.clone());
    if let Some(explanation) = &filing.explanation {
        more("cause", Some(explanation.cause.to_owned()));
        more("action", Some(explanation.action.to_owned()).filter(|action| !action.is_empty()));
        more("who", Some(labels::actor(explanation.who, lang).to_owned()));
        more("redriveHelps", Some(admin::cell(&Value::from(explanation.redrive_helps), lang)));
    }
    more("nextAttemptAt", filing.next_attempt_at.clone());
    more("transactionId", filing.registry.as_ref().map(|answer| answer.transaction_id.clone()));
    lines
}
