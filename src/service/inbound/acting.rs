//! One message: whose it is, what it means, and what follows. The consent is taken in first, with a key under which a repetition
//! finds it again; then the message, the answer to the citizen and the note that it was seen are one transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kopru_domain::evidence::Door;
use kopru_domain::keyword::{ENGINE_VERSION, ShortNumber, named_keyword, read};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    Channel, ConsentStatus, Evidence, IysCode, Keyword, KeywordOutcome, Lang, Line, Place, Recipient,
    RecipientType, Text, Verbs,
};
use kopru_sms::Vendor;
use kopru_store::idempotency::IdempotencyKey;
use kopru_store::inbound::{self, InboundRow, InboundState};
use kopru_store::keywords::{self, KeywordRow};
use kopru_store::{Key, Priority, ProviderKeys, Tx, ids, key_states, permissions};
use uuid::Uuid;

use super::Sealed;
use super::answers::{self, Taken};
use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::intake::{self, ConsentInput, Idempotency, IntakeAnswer, IntakeItem, IntakeRequest};
use crate::service::{Caller, ServiceError, ServiceResult, messages, providers};

/// A message that has been read.
pub(super) struct Incoming<'a> {
    pub vendor: Vendor,
    pub digest: [u8; 32],
    pub number: ShortNumber,
    pub sender: Recipient,
    pub text: String,
    /// The vendor's idea of whose it is.
    pub keyword: Option<&'a str>,
    pub raw: &'a str,
    pub message_id: Option<&'a str>,
    /// When the operator received it.
    pub at: DateTime<Utc>,
}

/// A brand that a message may be for.
struct Addressee {
    row: KeywordRow,
    brand: KnownBrand,
    keys: std::sync::Arc<ProviderKeys>,
    /// Whether the vendor has named the keyword.
    by_vendor: bool,
    /// Blind names of the sender: for messages as an individual, and as a merchant.
    known: Vec<RecipientType>,
    key: Key,
}

/// What was made of a message for a brand.
struct Made {
    state: InboundState,
    reason: String,
    why: Text,
    channels: Vec<Channel>,
    consents: Vec<Uuid>,
}

/// Deals with a message; false when it is for nobody.
pub(super) async fn act(app: &App, incoming: &Incoming<'_>) -> ServiceResult<bool> {
    let Some(addressees) = addressees(app, incoming).await? else { return Ok(false) };
    let mut made = Vec::new();
    for addressee in &addressees {
        made.push(decide(app, incoming, addressee).await?);
    }
    // A text that names nobody and that nobody understands is shown to those alone who know its sender.
    let mut pairs: Vec<(Addressee, Made)> = addressees.into_iter().zip(made).collect();
    if pairs.len() > 1 {
        pairs.retain(|(addressee, made)| made.state != InboundState::Unknown || !addressee.known.is_empty());
    }
    if pairs.is_empty() {
        return Ok(false);
    }
    finish(app, incoming, pairs).await?;
    Ok(true)
}

/// The brands that a message is for: the one whose keyword it names, else the one that wrote to its sender last, else all on the
/// number. `None` where there is none.
async fn addressees(app: &App, incoming: &Incoming<'_>) -> ServiceResult<Option<Vec<Addressee>>> {
    let mut tx = app.db.read().await?;
    let rows = keywords::of_number(&mut tx, &incoming.number).await?;
    let vendors = incoming.keyword.and_then(|word| Keyword::parse(word).ok());
    let by_vendor = rows.iter().find(|row| vendors.is_some() && row.keyword == vendors).cloned();
    let named =
        named_keyword(&incoming.text, rows.iter().filter_map(|row| row.keyword.as_ref()), &Verbs::default());
    let named = rows.iter().find(|row| named.is_some() && row.keyword.as_ref() == named).cloned();
    let chosen = match (by_vendor, named) {
        (Some(row), _) => vec![(row, true)],
        (None, Some(row)) => vec![(row, false)],
        (None, None) => match last_writer(app, &mut tx, &rows, &incoming.sender).await? {
            Some(row) => vec![(row, false)],
            None => once_a_brand(rows).into_iter().map(|row| (row, false)).collect(),
        },
    };
    drop(tx);
    let mut found = Vec::new();
    for (row, by_vendor) in chosen {
        found.extend(addressee(app, incoming, row, by_vendor).await?);
    }
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// A brand's first keyword alone: a message to the number itself is one to the brand.
fn once_a_brand(mut rows: Vec<KeywordRow>) -> Vec<KeywordRow> {
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert((row.iys_code, row.brand_code)));
    rows
}

/// The brand on the number that has written to the sender last, within 30 days. Of several providers that have, nobody knows which
/// was the last: then a message is for all.
async fn last_writer(
    app: &App,
    tx: &mut Tx,
    rows: &[KeywordRow],
    sender: &Recipient,
) -> ServiceResult<Option<KeywordRow>> {
    let providers: BTreeSet<IysCode> = rows.iter().map(|row| row.iys_code).collect();
    let mut found = Vec::new();
    for provider in providers {
        let brand = messages::last_brand_to(app, tx, provider, sender).await?;
        found.extend(rows.iter().find(|row| row.iys_code == provider && Some(row.brand_code) == brand));
    }
    Ok(match found.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    })
}

/// A brand with what is needed to act for it; `None` where it or its provider is closed.
async fn addressee(
    app: &App,
    incoming: &Incoming<'_>,
    row: KeywordRow,
    by_vendor: bool,
) -> ServiceResult<Option<Addressee>> {
    let known_brand = brands::load(app, row.brand_code).await?.filter(|known| known.require_active().is_ok());
    let Some(known_brand) = known_brand else { return Ok(None) };
    let brand = &known_brand.row;
    let mut tx = app.db.read().await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let address = incoming.sender.as_str();
    let key = |kind| keys.key(brand.brand_code, kind, Channel::Message, address);
    let kinds = [RecipientType::Individual, RecipientType::Merchant];
    let rows = permissions::of_keys(&mut tx, brand.iys_code, kinds.map(key).to_vec()).await?;
    let known = kinds.into_iter().filter(|kind| rows.iter().any(|row| row.key == key(*kind))).collect();
    let key = key(RecipientType::Individual);
    Ok(Some(Addressee { row, brand: known_brand, keys, by_vendor, known, key }))
}

/// What a message means for a brand; a consent that follows is taken in.
async fn decide(app: &App, incoming: &Incoming<'_>, addressee: &Addressee) -> ServiceResult<Made> {
    let verbs = addressee.row.verbs().unwrap_or_default();
    let place = match &addressee.row.keyword {
        None => Place::Own,
        Some(keyword) if addressee.by_vendor => Place::Named(keyword),
        Some(keyword) => Place::Shared(keyword),
    };
    let verdict = read(&incoming.text, &Line { place, verbs: &verbs });
    let mut made = Made {
        state: InboundState::Unknown,
        reason: verdict.reason.code().to_owned(),
        why: verdict.reason.text(),
        channels: verdict.channels,
        consents: Vec::new(),
    };
    let (state, status) = match verdict.outcome {
        KeywordOutcome::Approval => (InboundState::Approval, ConsentStatus::Approval),
        KeywordOutcome::Rejection => (InboundState::Rejection, ConsentStatus::Rejection),
        KeywordOutcome::Unknown => return Ok(made),
    };
    let addresses = known_addresses(app, addressee, verdict.addresses).await?;
    if addresses.is_empty() {
        // Nobody knows which address is meant.
        made.channels.retain(|channel| *channel != Channel::Email);
    }
    if made.channels.is_empty() {
        made.channels.push(Channel::Email);
        "no_email_address".clone_into(&mut made.reason);
        made.why = Text::fixed(
            "e-posta reddedilmiş; SMS, markanın bildiği bir e-posta adresi söylemiyor",
            "e-mails are refused; the SMS does not say an e-mail address that the brand knows",
        );
        return Ok(made);
    }
    let evidence = Evidence {
        decision: Some(format!("keyword engine {ENGINE_VERSION}: {}", made.why.get(Lang::En))),
        ..evidence(incoming.raw, &addressee.row, incoming.message_id)
    };
    let key = (addressee.brand.row.brand_code.0, hex::encode(incoming.digest));
    let taken = take_in(
        app,
        &addressee.brand,
        items(
            targets(&incoming.sender, &addressee.known, status, &made.channels, addresses),
            status,
            incoming.at,
            &evidence,
        ),
        format!("{} {}", key.0, key.1),
        incoming.digest,
    )
    .await?;
    if let Some(refused) = taken.refused.first().filter(|_| taken.accepted.is_empty()) {
        // The rules of the brand do not take it: a person has to see that.
        made.reason.clone_from(&refused.code);
        made.why = refused.title.clone();
        return Ok(made);
    }
    made.state = state;
    made.consents = taken.accepted.iter().map(|accepted| accepted.id).collect();
    Ok(made)
}

/// Those of the e-mail addresses that the brand has a permission or a consent of, with the kinds of recipient: a stranger's
/// addresses are not taken from an SMS.
async fn known_addresses(
    app: &App,
    addressee: &Addressee,
    addresses: Vec<Recipient>,
) -> ServiceResult<Vec<(Recipient, RecipientType)>> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let brand = &addressee.brand.row;
    let key = |address: &Recipient, kind| {
        addressee.keys.key(brand.brand_code, kind, Channel::Email, address.as_str())
    };
    let kinds = [RecipientType::Individual, RecipientType::Merchant];
    let pairs = addresses.iter().flat_map(|address| kinds.map(|kind| (address.clone(), kind)));
    let pairs: Vec<(Recipient, RecipientType)> = pairs.collect();
    let mut tx = app.db.read().await?;
    let keys = pairs.iter().map(|(address, kind)| key(address, *kind)).collect();
    let rows = key_states::load(&mut tx, brand.iys_code, keys).await?;
    let known: BTreeSet<Key> =
        rows.permissions.iter().map(|row| row.key).chain(rows.open.iter().map(|row| row.key)).collect();
    Ok(pairs.into_iter().filter(|(address, kind)| known.contains(&key(address, *kind))).collect())
}

/// A person takes a message for a rejection; returns the brand.
pub(super) async fn reject_by_hand(
    app: &App,
    caller: &Caller,
    row: &InboundRow,
    sealed: &Sealed,
    channels: &[Channel],
) -> ServiceResult<KnownBrand> {
    let Some(brand) = brands::load(app, row.brand_code).await? else {
        return Err(ServiceError::NotFound("brand"));
    };
    brand.require_active()?;
    let evidence = Evidence {
        raw_input: Some(sealed.raw.clone()),
        message_id: sealed.message_id.clone(),
        origin: Some(origin(&row.number, sealed.keyword.as_deref())),
        operator: Some(caller.actor.clone()),
        decision: Some("read by a person".to_owned()),
        ..Evidence::observed(Door::Sms)
    };
    let status = ConsentStatus::Rejection;
    let targets = targets(&sealed.sender()?, &[], status, channels, Vec::new());
    if targets.is_empty() {
        let title = Text::fixed(
            "SMS gönderenin numarası bir e-posta adresi değildir; e-posta reddini …/consents ile bildirin",
            "the number of an SMS is no e-mail address; file a rejection of e-mails with …/consents",
        );
        return Err(providers::invalid("channels", "no_email_address", title));
    }
    let items = items(targets, status, row.received_at, &evidence);
    let digest = row.digest.clone().try_into().unwrap_or_default();
    let taken = take_in(app, &brand, items, format!("by hand {}", row.id), digest).await?;
    match taken.refused.into_iter().next().filter(|_| taken.accepted.is_empty()) {
        Some(refused) => Err(providers::invalid(&refused.field, &refused.code, refused.title)),
        None => Ok(brand),
    }
}

fn evidence(raw: &str, row: &KeywordRow, message_id: Option<&str>) -> Evidence {
    Evidence {
        raw_input: Some(raw.to_owned()),
        origin: Some(origin(row.number.as_str(), row.keyword.as_ref().map(Keyword::as_str))),
        message_id: message_id.map(str::to_owned),
        ..Evidence::observed(Door::Sms)
    }
}

fn origin(number: &str, keyword: Option<&str>) -> String {
    format!("SMS {number} {}", keyword.unwrap_or_default()).trim_end().to_owned()
}

/// Whom a message is about, on which channel: each channel of its number, a rejection also for the merchant where the brand has one
/// under this number; and e-mail addresses that it names.
fn targets(
    sender: &Recipient,
    known: &[RecipientType],
    status: ConsentStatus,
    channels: &[Channel],
    addresses: Vec<(Recipient, RecipientType)>,
) -> Vec<(Recipient, Channel, RecipientType)> {
    let merchant = status == ConsentStatus::Rejection && known.contains(&RecipientType::Merchant);
    let kinds = [Some(RecipientType::Individual), merchant.then_some(RecipientType::Merchant)];
    let of_number = channels.iter().filter(|channel| **channel != Channel::Email);
    let of_number =
        of_number.flat_map(|channel| kinds.iter().flatten().map(|kind| (sender.clone(), *channel, *kind)));
    let by_email = addresses.into_iter().map(|(address, kind)| (address, Channel::Email, kind));
    of_number.chain(by_email).collect()
}

/// A consent for each target.
fn items(
    targets: Vec<(Recipient, Channel, RecipientType)>,
    status: ConsentStatus,
    at: DateTime<Utc>,
    evidence: &Evidence,
) -> Vec<IntakeItem> {
    targets
        .into_iter()
        .enumerate()
        .map(|(index, (recipient, channel, kind))| IntakeItem {
            index,
            consent: ConsentInput {
                recipient: Some(recipient.as_str().to_owned()),
                channel: Some(channel.as_str().to_owned()),
                status: Some(status.as_str().to_owned()),
                source: Some("HS_MESAJ".to_owned()),
                consent_date: Some(format_rfc3339(at)),
                recipient_type: Some(kind.as_str().to_owned()),
                ..ConsentInput::default()
            },
            reference: None,
            evidence: evidence.clone(),
            own_channel: true,
        })
        .collect()
}

async fn take_in(
    app: &App,
    brand: &KnownBrand,
    items: Vec<IntakeItem>,
    key: String,
    body_hash: [u8; 32],
) -> ServiceResult<IntakeAnswer> {
    let key = IdempotencyKey {
        iys_code: brand.row.iys_code,
        api_key_id: "inbound".to_owned(),
        route: "sms".to_owned(),
        key,
    };
    let request = IntakeRequest {
        brand: brand.row.clone(),
        stops: brand.stops(),
        notices: brand.notices(),
        door: "sms",
        items,
        idempotency: Some(Idempotency { key, body_hash }),
        lang: Lang::Tr,
    };
    intake::submit(app, request).await
}

/// Writes down what was made of a message, answers the citizen once, and notes that the message was seen.
async fn finish(app: &App, incoming: &Incoming<'_>, pairs: Vec<(Addressee, Made)>) -> ServiceResult<()> {
    let now = app.clocks.business();
    let mut tx = app.db.begin(Priority::Interactive).await?;
    if !inbound::see(&mut tx, &incoming.digest, now).await? {
        // Another replica was faster.
        return Ok(());
    }
    let brands = pairs.len();
    let mut told = false;
    for (addressee, made) in pairs {
        let sealed = Sealed {
            sender: incoming.sender.as_str().to_owned(),
            text: incoming.text.clone(),
            raw: incoming.raw.to_owned(),
            vendor: incoming.vendor.as_str().to_owned(),
            message_id: incoming.message_id.map(str::to_owned),
            keyword: addressee.row.keyword.as_ref().map(Keyword::to_string),
            why: made.why,
            channels: made.channels,
            consents: made.consents,
        };
        let mut row = InboundRow {
            iys_code: addressee.brand.row.iys_code,
            id: ids::new_id(app.clocks.wire()),
            brand_code: addressee.brand.row.brand_code,
            number: incoming.number.as_str().to_owned(),
            key: addressee.key,
            digest: incoming.digest.to_vec(),
            state: made.state,
            reason: made.reason,
            sealed: sealed.seal(&addressee.keys),
            received_at: incoming.at,
            answered: false,
            decided_by: None,
            decided_at: None,
        };
        if !told {
            let taken = Taken { channels: &sealed.channels, consents: &sealed.consents, brands };
            let Addressee { row: keyword, brand, .. } = &addressee;
            told = answers::queue(app, &mut tx, brand, keyword, &row, &incoming.sender, taken).await?;
            row.answered = told;
        }
        inbound::add(&mut tx, &row).await?;
    }
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}
