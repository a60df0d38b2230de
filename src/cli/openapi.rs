//! `kopru openapi`: prints the API's description, without a server or a database.

use std::process::ExitCode;

use super::{Failure, Output};

pub(super) fn run(output: Output) -> Result<ExitCode, Failure> {
    let document = crate::http::openapi();
    if output.is_json() {
        output.object(&document)?;
    } else {
        let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::output(error.into()))?;
        output.line(text)?;
    }
    Ok(ExitCode::SUCCESS)
}
