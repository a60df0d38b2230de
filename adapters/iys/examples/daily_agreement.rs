//! Downloads a day's movements, compares the file's hash with the registry's, and confirms the day if told to.
//!
//! ```text
//! cargo run -p iys --example daily_agreement -- URL USER PASSWORD IYS_CODE BRAND_CODE 2026-11-20 [confirm]
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use iys::{Account, BrandCodes, Credentials, IysClient};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(([url, user, password, iys_code, brand_code, date], rest)) = arguments.split_first_chunk()
    else {
        eprintln!("usage: daily_agreement URL USER PASSWORD IYS_CODE BRAND_CODE DATE [confirm]");
        return ExitCode::FAILURE;
    };
    let confirm = rest.iter().any(|argument| argument == "confirm");
    match run(url, Credentials::new(user, password.as_str()), (iys_code, brand_code), date, confirm).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    url: &str,
    credentials: Credentials,
    (iys_code, brand_code): (&str, &str),
    date: &str,
    confirm: bool,
) -> Result<(), Box<dyn Error>> {
    let account: Account = IysClient::builder(url).build()?.account(credentials);
    let brand = BrandCodes::new(iys_code.parse()?, brand_code.parse()?);
    let date = date.parse()?;

    let Some(file) = account.movement_file(brand, date).await? else {
        println!("no movements on {date}");
        return Ok(());
    };
    let mut movements = file.movements();
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    while let Some(movement) = movements.next().await? {
        *counts.entry((movement.r#type, movement.status)).or_default() += 1;
    }
    for ((channel, status), count) in counts {
        println!("{channel:8} {status:6} {count:>9}");
    }

    let hash = movements.sha384().unwrap_or_default();
    match account.agreement(brand, date).await? {
        Some(agreement) if agreement.matches(&hash) => {
            println!("the hash is the registry's: {hash}");
            if confirm && !agreement.agreement_status {
                println!("confirmed: {}", account.confirm_agreement(brand, date).await?);
            }
        }
        Some(agreement) if agreement.is_completed() => println!("the hash DIFFERS from the registry's"),
        Some(agreement) => println!("the registry has no hash yet ({})", agreement.process_status),
        None => println!("the registry has no hash of this day"),
    }
    Ok(())
}
