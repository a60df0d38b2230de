//! Adds one consent and asks for its status.
//!
//! ```text
//! cargo run -p iys --example add_and_status -- URL USER PASSWORD IYS_CODE BRAND_CODE +90555…
//! ```

use std::error::Error;
use std::process::ExitCode;

use iys::wire::{ConsentRequest, StatusRequest, format_date};
use iys::{BrandCodes, Clock, Credentials, ErrorClass, IysClient, SystemClock};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, password, iys_code, brand_code, recipient] = arguments.as_slice() else {
        eprintln!("usage: add_and_status URL USER PASSWORD IYS_CODE BRAND_CODE RECIPIENT");
        return ExitCode::FAILURE;
    };
    match run(url, Credentials::new(user, password.as_str()), (iys_code, brand_code), recipient).await {
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
    recipient: &str,
) -> Result<(), Box<dyn Error>> {
    let account = IysClient::builder(url).build()?.account(credentials);
    let brand = BrandCodes::new(iys_code.parse()?, brand_code.parse()?);

    let consent = ConsentRequest {
        recipient: recipient.to_owned(),
        r#type: "MESAJ".to_owned(),
        source: Some("HS_WEB".to_owned()),
        status: "ONAY".to_owned(),
        consent_date: Some(format_date(&SystemClock.now())),
        recipient_type: Some("BIREYSEL".to_owned()),
        ..ConsentRequest::default()
    };
    match account.add_consent(brand, &consent).await {
        Ok(added) => println!("recorded as {} at {}", added.transaction_id, added.creation_date),
        Err(error) if error.class() == ErrorClass::AlreadySo => println!("nothing to record: {error}"),
        Err(error) => {
            if let Some(info) = error.info() {
                eprintln!("{}\n{}", info.tr, info.en);
            }
            return Err(error.into());
        }
    }

    let request = StatusRequest {
        recipient: recipient.to_owned(),
        recipient_type: "BIREYSEL".to_owned(),
        r#type: "MESAJ".to_owned(),
    };
    match account.status(brand, &request).await? {
        Some(record) => println!("{} since {}", record.status, record.consent_date.unwrap_or_default()),
        None => println!("the registry has no record"),
    }
    Ok(())
}
