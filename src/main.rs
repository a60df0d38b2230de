//! The program: arguments, then the command, then how it ended.

use std::process::ExitCode;

use kopru::cli::Cli;

/// Much of what one thread allocates another frees (rows and values cross to the database's threads), which this one is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(answered) => return answered,
    };
    let output = cli.output();
    match cli.run() {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    }
}
