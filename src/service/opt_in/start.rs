//! A double opt-in that a client starts itself: its own form or shop took the address, and ours confirms it.

use std::net::IpAddr;

use kopru_domain::evidence::Door;
use kopru_domain::{Channel, Evidence, Lang, ProviderSource, Recipient, RecipientType, Text};
use kopru_store::Tx;

use super::{Ask, Asked, ask_as};
use crate::bootstrap::App;
use crate::service::brands::KnownBrand;
use crate::service::providers::field_problem;
use crate::service::texts::KnownTexts;
use crate::service::via::Wanted;
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult};

/// Longest origin, name and reference, in characters.
const LONGEST: usize = 200;

/// What a client has taken.
#[derive(Clone, Default)]
pub struct NewOptIn {
    /// The address as typed.
    pub recipient: String,
    /// `MESAJ` and `ARAMA` of a number, or `EPOSTA`.
    pub types: Vec<Channel>,
    /// `HS_WEB` where it is missing.
    pub source: Option<String>,
    /// `BIREYSEL` where it is missing.
    pub recipient_type: Option<RecipientType>,
    /// The retailer who took it.
    pub retailer_code: Option<i64>,
    /// The client's own reference.
    pub reference: Option<String>,
    /// The form, page or campaign.
    pub origin: Option<String>,
    /// Where more can be read.
    pub info: Option<String>,
    /// The person's network address, where the client's own site took it.
    pub client: Option<IpAddr>,
    /// What was shown.
    pub evidence: Evidence,
    /// The language of what is sent.
    pub lang: Option<Lang>,
    /// Who is to ask, and how.
    pub wanted: Wanted,
}

/// Starts one in the caller's transaction. Needs `consents:write`.
pub async fn start_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    base: &str,
    new: NewOptIn,
) -> ServiceResult<Asked> {
    caller.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let wanted = new.wanted;
    let mut ask = checked(new)?;
    let known = KnownTexts::of(app, &brand.row, std::iter::once(&ask.evidence)).await?;
    known.settle(&mut ask.evidence).map_err(ServiceError::Invalid)?;
    ask_as(tx, app, brand, base, wanted, ask).await
}

fn checked(new: NewOptIn) -> ServiceResult<Ask> {
    let mut problems = Vec::new();
    let mut channels = new.types;
    channels.sort_unstable();
    channels.dedup();
    let mail = channels.contains(&Channel::Email);
    if channels.is_empty() || (mail && channels.len() > 1) {
        problems.push(types_problem());
    }
    // A number that takes messages takes calls, but not the other way round.
    let strictest = if mail {
        Channel::Email
    } else if channels.contains(&Channel::Message) {
        Channel::Message
    } else {
        Channel::Call
    };
    let recipient = Recipient::parse(&new.recipient, strictest);
    if let Err(error) = &recipient {
        problems.push(field_problem("recipient", error.code.as_str(), error.text()));
    }
    // A code goes by SMS: a land line has none.
    if let Ok(recipient) = &recipient
        && strictest == Channel::Call
        && Recipient::parse(recipient.as_str(), Channel::Message).is_err()
    {
        problems.push(no_code());
    }
    let source = new.source.as_deref().unwrap_or(ProviderSource::Web.as_str()).parse::<ProviderSource>();
    if source.is_err() {
        problems.push(field_problem(
            "source",
            "H119",
            Text::fixed(
                "HS_ ile başlayan bir kaynak olmalı, örneğin HS_WEB",
                "it must be a source that begins with HS_, such as HS_WEB",
            ),
        ));
    }
    for (field, value) in [("origin", &new.origin), ("reference", &new.reference), ("info", &new.info)] {
        if value.as_ref().is_some_and(|value| value.chars().count() > LONGEST) {
            problems.push(too_long(field));
        }
    }
    match (recipient, source) {
        (Ok(recipient), Ok(source)) if problems.is_empty() => Ok(Ask {
            origin: new.origin.unwrap_or_default(),
            door: Door::Api,
            source,
            recipient,
            recipient_type: new.recipient_type.unwrap_or(RecipientType::Individual),
            channels,
            retailer_code: new.retailer_code,
            reference: new.reference,
            evidence: Evidence { raw_input: Some(new.recipient), declared: true, ..new.evidence },
            info: new.info,
            client: new.client,
            lang: new.lang.unwrap_or_default(),
            link: None,
        }),
        _ => Err(ServiceError::Invalid(problems)),
    }
}

fn types_problem() -> FieldProblem {
    field_problem(
        "types",
        "types",
        Text::fixed(
            "MESAJ, ARAMA ya da ikisi; e-posta için yalnızca EPOSTA (ayrı bağlantıyla onaylanır)",
            "MESAJ, ARAMA or both; for e-mail EPOSTA alone (it is confirmed by a link of its own)",
        ),
    )
}

fn no_code() -> FieldProblem {
    field_problem(
        "recipient",
        "no_code",
        Text::fixed(
            "bu numara SMS alamaz, kod gönderilemez; ARAMA onayını çağrı kaydıyla alın (…/calls)",
            "this number takes no SMS, so no code can be sent; take the consent to calls with a voice record (…/calls)",
        ),
    )
}

fn too_long(field: &str) -> FieldProblem {
    field_problem(
        field,
        "too_long",
        Text::fixed("en çok 200 karakter olabilir", "it may have at most 200 characters"),
    )
}
