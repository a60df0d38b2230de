//! Asks a citizen for a consent through the registry's own opt-in service, by a code in an SMS.
//!
//! ```text
//! cargo run -p iys --example opt_in -- URL USER PASSWORD IYS_CODE BRAND_CODE FORM_ID +90555…
//! ```

use std::error::Error;
use std::io::{BufRead, Write};
use std::process::ExitCode;

use iys::wire::{ViaCode, ViaConfirmRequest, ViaConsentType, ViaStartRequest, verification_type, via_title};
use iys::{Credentials, IysClient, IysError};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Ok(arguments) = <[String; 7]>::try_from(arguments) else {
        eprintln!("usage: opt_in URL USER PASSWORD IYS_CODE BRAND_CODE FORM_ID RECIPIENT");
        return ExitCode::FAILURE;
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            if let Some(info) = error.downcast_ref::<IysError>().and_then(IysError::info) {
                eprintln!("{}\n{}", info.tr, info.en);
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(
    [url, user, password, iys_code, brand_code, form_id, recipient]: [String; 7],
) -> Result<(), Box<dyn Error>> {
    let account = IysClient::builder(url).build()?.account(Credentials::new(user, password));
    let iys_code = iys_code.parse()?;
    let start = ViaStartRequest {
        form_id,
        recipient,
        verification_type: verification_type::SMS_OTP.to_owned(),
        consent_types: vec![ViaConsentType {
            title: via_title::MESSAGES.to_owned(),
            brand_codes: vec![brand_code.parse()?],
            types: vec!["MESAJ".to_owned()],
            recipient_type: Some("BIREYSEL".to_owned()),
            ..ViaConsentType::default()
        }],
    };
    let request_id = account.via_start(iys_code, &start).await?.request_id;

    print!("the citizen's code: ");
    std::io::stdout().flush()?;
    let mut code = String::new();
    std::io::stdin().lock().read_line(&mut code)?;
    let confirm = ViaConfirmRequest {
        request_id: request_id.clone(),
        verification_type: start.verification_type,
        consent_types: vec![ViaCode {
            title: via_title::MESSAGES.to_owned(),
            otp_code: code.trim().to_owned(),
        }],
    };
    for movement in account.via_confirm(iys_code, &confirm).await? {
        println!("{} recorded as {}", movement.r#type, movement.transaction_id);
    }
    let state = account.via_status(iys_code, &request_id).await?.last_status;
    println!("the approval is {} / {}", state.stage, state.status);
    Ok(())
}
