//! The program: arguments, then the command, then how it ended.

use std::process::ExitCode;

use clap::Parser as _;
use kopru::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = cli.output();
    match cli.run() {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    }
}
