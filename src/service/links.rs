//! Links (rules.md 4.1): a campaign's, which leads to a form; one person's, which asks for one consent; and for refusals. A link
//! holds random bits and no address. Opening one only shows: link scanners and previews open them too.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::evidence::Door;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    BrandCode, Channel, ConsentStatus, Evidence, IysCode, Lang, LinkKind, ProviderSource, Recipient,
    RecipientType, Text,
};
use kopru_store::links::{self, LinkRow};
use kopru_store::{
    Priority, ProviderKeys, StoreError, Tx, forms as form_rows, ids, providers as provider_rows, random,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::consents::{Showing, note_shown};
use crate::service::forms::filing::{self, Visitor};
use crate::service::forms::{self, Place, ShownForm, address};
use crate::service::intake::{Accepted, ConsentInput, IntakeItem};
use crate::service::opt_in::{self, Asked};
use crate::service::via::{self, Wanted};
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult, providers};

/// Links of one request at most.
pub const MOST: usize = 1_000;
/// How long a person's link leads somewhere, where it is not said.
const LIFE: TimeDelta = TimeDelta::hours(72);
/// The longest that may be said.
pub const LONGEST_LIFE: Duration = Duration::from_hours(24 * 90);
const SEALED: &str = "links.sealed";

/// A link to be made.
#[derive(Clone)]
pub struct NewLink {
    /// What it is for.
    pub kind: LinkKind,
    /// The code of the form: for campaigns and persons.
    pub form: Option<String>,
    /// The channel: for persons and refusals.
    pub channel: Option<Channel>,
    /// The address: for persons and refusals.
    pub recipient: Option<String>,
    /// In which capacity.
    pub recipient_type: RecipientType,
    /// How long it leads somewhere.
    pub life: Option<Duration>,
}

/// A link as it is shown to its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Identity.
    pub id: Uuid,
    /// The brand.
    pub brand_code: i64,
    /// `campaign`, `recipient` or `refusal`.
    #[schema(value_type = String, example = "campaign")]
    pub kind: &'static str,
    /// The address to be given to people.
    #[schema(example = "https://kopru.example.com/l/qk3…")]
    pub url: String,
    /// The channel, where it is about one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<&'static str>,
    /// Whose link it is; masked unless the key has `recipients:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Whether it leads anywhere.
    pub active: bool,
    /// When it ends, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// How often its page was opened, by people and by programs that look at links.
    pub opened: i64,
    /// How often it led to a consent.
    pub confirmed: i64,
    /// How often it led to a refusal.
    pub refused: i64,
    /// Headers for an e-mail with this link (RFC 8058), for refusals of `EPOSTA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_unsubscribe: Option<String>,
    /// When it was made.
    pub created_at: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Sealed {
    token: String,
    domain: Option<String>,
    recipient: Option<String>,
    recipient_type: RecipientType,
}

/// A link with what its page shows.
#[derive(Clone)]
pub struct ShownLink {
    /// The link.
    pub row: LinkRow,
    /// The brand.
    pub brand: KnownBrand,
    /// The provider's title.
    pub title: String,
    /// The form it leads to.
    pub form: Option<ShownForm>,
    /// Whether it has ended.
    pub ended: bool,
    sealed: Sealed,
}

impl ShownLink {
    /// The address, masked.
    pub fn masked(&self) -> Option<String> {
        self.sealed.recipient.as_deref().map(|recipient| Showing::Masked.apply(recipient))
    }

    /// Its token, as it stands in its address.
    pub fn token(&self) -> &str {
        &self.sealed.token
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Makes links. Needs `consents:write`.
pub async fn add_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: Vec<(usize, NewLink)>,
) -> ServiceResult<Vec<Link>> {
    caller.require(Scope::ConsentsWrite)?;
    let brand = brands::visible(tx, caller, brand).await?;
    let keys = app.vault.keys(tx, brand.iys_code).await?;
    let now = app.clocks.wire();
    let (mut rows, mut made, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (index, new) in new {
        let form = match &new.form {
            Some(code) => form_rows::by_code(tx, brand.iys_code, brand.brand_code, code).await?,
            None => None,
        };
        let content = form.as_ref().map(forms::content).transpose()?;
        let found = check(&new, content.as_ref());
        if !found.is_empty() {
            problems.extend(found.into_iter().map(|problem| FieldProblem { index: Some(index), ..problem }));
            continue;
        }
        let channel = new.channel.unwrap_or(Channel::Message);
        let recipient = new.recipient.as_deref().and_then(|typed| Recipient::parse(typed, channel).ok());
        let sealed = Sealed {
            token: URL_SAFE_NO_PAD.encode(random::<16>()),
            domain: content.and_then(|content| content.domain),
            recipient: recipient.map(|recipient| recipient.as_str().to_owned()),
            recipient_type: new.recipient_type,
        };
        let usual = (new.kind == LinkKind::Recipient).then_some(LIFE);
        let life = new.life.and_then(|life| TimeDelta::from_std(life).ok()).or(usual);
        let row = LinkRow {
            form_id: form.map(|form| form.id),
            expires_at: life.map(|life| now + life),
            ..fresh(&keys, (brand.iys_code, brand.brand_code), new.kind, new.channel, &sealed, now)
        };
        made.push(view(app, &row, &sealed, Showing::to(caller)));
        rows.push(row);
    }
    if !problems.is_empty() {
        return Err(ServiceError::Invalid(problems));
    }
    let subject = format!("{} links of brand {}", rows.len(), brand.brand_code);
    links::add(tx, rows).await?;
    providers::note(tx, app, caller, brand.iys_code, "link.added", &subject).await?;
    Ok(made)
}

fn fresh(
    keys: &ProviderKeys,
    (iys_code, brand_code): (IysCode, BrandCode),
    kind: LinkKind,
    channel: Option<Channel>,
    sealed: &Sealed,
    now: DateTime<Utc>,
) -> LinkRow {
    LinkRow {
        iys_code,
        id: ids::new_id(now),
        brand_code,
        kind,
        form_id: None,
        channel,
        token_hash: hash(&sealed.token),
        sealed: keys.seal(SEALED, &serde_json::to_vec(sealed).unwrap_or_default()),
        active: true,
        expires_at: None,
        counters: [0; 3],
        created_at: now,
    }
}

/// A link for refusals of an address, to be stored with what tells of it, and where it leads.
pub(super) fn refusal(
    keys: &ProviderKeys,
    brand: (IysCode, BrandCode),
    place: &Place,
    channel: Channel,
    (recipient, recipient_type): (&str, RecipientType),
    now: DateTime<Utc>,
) -> (LinkRow, String) {
    let sealed = Sealed {
        token: URL_SAFE_NO_PAD.encode(random::<16>()),
        domain: place.domain.clone(),
        recipient: Some(recipient.to_owned()),
        recipient_type,
    };
    let url = format!("{}r/{}", place.url, sealed.token);
    (fresh(keys, brand, LinkKind::Refusal, Some(channel), &sealed, now), url)
}

/// As [`add_in`], one link in a transaction of its own.
pub async fn add(app: &App, caller: &Caller, brand: BrandCode, new: NewLink) -> ServiceResult<Link> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let made = add_in(&mut tx, app, caller, brand, vec![(0, new)]).await?;
    tx.commit().await?;
    made.into_iter().next().ok_or(ServiceError::NotFound("link"))
}

fn check(new: &NewLink, form: Option<&forms::FormContent>) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut refuse = |field: &str, code: &str, title: Text| {
        problems.push(providers::field_problem(field, code, title));
    };
    let personal = new.kind != LinkKind::Campaign;
    if new.kind != LinkKind::Refusal && form.is_none() {
        refuse(
            "form",
            "unknown_form",
            Text::fixed(
                "markanın bir formunun kodu gerekli",
                "the code of one of the brand's forms is needed",
            ),
        );
    }
    if new.kind == LinkKind::Refusal && new.form.is_some() {
        refuse(
            "form",
            "unneeded",
            Text::fixed("ret bağlantısının formu olmaz", "a link for refusals has no form"),
        );
    }
    if new.kind == LinkKind::Refusal && new.life.is_some() {
        let title = Text::fixed("ret bağlantısının süresi dolmaz", "a link for refusals never ends");
        refuse("life", "unneeded", title);
    }
    if !personal && (new.recipient.is_some() || new.channel.is_some()) {
        let title =
            Text::fixed("kampanya bağlantısı kimseye ait değildir", "a campaign's link is nobody's own");
        refuse("recipient", "unneeded", title);
    }
    match (personal, new.channel, &new.recipient) {
        (true, None, _) => refuse("type", "H111", Text::fixed("izin türü gerekli", "the type is needed")),
        (true, Some(channel), recipient) => {
            if form.is_some_and(|form| !form.channels.contains(&channel)) {
                refuse(
                    "type",
                    "unknown_value",
                    Text::fixed("formda bu kanal yok", "the form has no such channel"),
                );
            }
            if let Err(error) = Recipient::parse(recipient.as_deref().unwrap_or_default(), channel) {
                refuse("recipient", error.h_code(), error.text());
            }
        }
        _ => {}
    }
    problems
}

fn view(app: &App, row: &LinkRow, sealed: &Sealed, showing: Showing) -> Link {
    let path = if row.kind == LinkKind::Refusal { "r" } else { "l" };
    let url = address(app, sealed.domain.as_deref(), &format!("{path}/{}", sealed.token));
    let by_email = row.kind == LinkKind::Refusal && row.channel == Some(Channel::Email);
    let [opened, confirmed, refused] = row.counters;
    Link {
        id: row.id,
        brand_code: row.brand_code.0,
        kind: row.kind.as_str(),
        list_unsubscribe: by_email.then(|| {
            format!("List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click")
        }),
        url,
        channel: row.channel.map(Channel::as_str),
        recipient: sealed.recipient.as_deref().map(|recipient| showing.apply(recipient)),
        active: row.active && row.expires_at.is_none_or(|end| end > app.clocks.wire()),
        expires_at: row.expires_at.map(format_rfc3339),
        opened,
        confirmed,
        refused,
        created_at: format_rfc3339(row.created_at),
    }
}

async fn open(app: &App, tx: &mut Tx, row: &LinkRow) -> ServiceResult<Sealed> {
    let keys = app.vault.keys(tx, row.iys_code).await?;
    let unreadable = |_| StoreError::Corrupt { what: "links", detail: "sealed".to_owned() };
    Ok(serde_json::from_slice(&keys.open(SEALED, &row.sealed)?).map_err(unreadable)?)
}

/// A brand's links after an id, oldest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<Link>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let (provider, page) = {
        let mut tx = app.db.read().await?;
        let brand = brands::visible(&mut tx, caller, brand).await?;
        let rows =
            links::list(&mut tx, brand.iys_code, brand.brand_code, after.unwrap_or_default(), limit).await?;
        let mut page = Vec::with_capacity(rows.len());
        for row in rows {
            let sealed = open(app, &mut tx, &row).await?;
            page.push(view(app, &row, &sealed, showing));
        }
        (brand.iys_code, page)
    };
    if showing == Showing::Full && page.iter().any(|link| link.recipient.is_some()) {
        let subject = format!("{} links of brand {brand}", page.len());
        note_shown(app, caller, provider, "recipient.shown", &subject).await?;
    }
    Ok(page)
}

/// One link; its address always masked.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<Link> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = links::find(&mut tx, brand.iys_code, brand.brand_code, id).await?;
    let row = row.ok_or(ServiceError::NotFound("link"))?;
    let sealed = open(app, &mut tx, &row).await?;
    Ok(view(app, &row, &sealed, Showing::Masked))
}

/// Ends a link; doing it twice changes nothing. A link for refusals cannot be ended: a refusal must always be possible.
pub async fn disable(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<()> {
    caller.require(Scope::ConsentsWrite)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = links::find(&mut tx, brand.iys_code, brand.brand_code, id).await?;
    if row.ok_or(ServiceError::NotFound("link"))?.kind == LinkKind::Refusal {
        return Err(ServiceError::Conflict(Text::fixed(
            "ret bağlantısı kapatılamaz; ret her zaman mümkün olmalı",
            "a link for refusals cannot be ended; a refusal must always be possible",
        )));
    }
    if links::disable(&mut tx, brand.iys_code, brand.brand_code, id).await? {
        providers::note(&mut tx, app, caller, brand.iys_code, "link.disabled", &format!("link {id}")).await?;
    }
    Ok(tx.commit().await?)
}

/// The link of a token with what its page shows; whosever it is, for the token is the right to it.
pub async fn shown(app: &App, token: &str) -> ServiceResult<Option<ShownLink>> {
    let mut tx = app.db.read().await?;
    let Some(row) = links::by_token(&mut tx, &hash(token)).await? else { return Ok(None) };
    let sealed = open(app, &mut tx, &row).await?;
    let Some(brand) = brands::load_in(&mut tx, app, row.brand_code).await? else { return Ok(None) };
    let provider = provider_rows::find(&mut tx, row.iys_code).await?;
    let form = match row.form_id {
        Some(id) => match form_rows::by_id(&mut tx, row.iys_code, id).await? {
            Some(form) => forms::complete(app, &mut tx, form).await?,
            None => None,
        },
        None => None,
    };
    let ended = !row.active || row.expires_at.is_some_and(|end| end <= app.clocks.wire());
    let title = provider.map(|provider| provider.title).unwrap_or_default();
    Ok(Some(ShownLink { row, brand, title, form, ended, sealed }))
}

/// Counts what became of a link: opened, confirmed, refused.
pub async fn count(app: &App, link: &LinkRow, counts: [i64; 3]) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    links::count(&mut tx, link.iys_code, link.id, counts).await?;
    Ok(tx.commit().await?)
}

/// What became of the press of a person's link.
#[derive(Debug, Clone)]
pub enum Followed {
    /// In the ledger.
    Taken(Option<Accepted>),
    /// The registry is to confirm it.
    Asked(Asked),
}

/// The consent of the person whose link it is. That the link reached the address is its confirmation. Followed twice, it is the
/// same consent. Where the form wants the registry's confirmation, the registry asks.
pub async fn confirm(app: &App, link: &ShownLink, visitor: &Visitor) -> ServiceResult<Followed> {
    let (Some(form), Some(channel)) = (&link.form, link.row.channel) else {
        return Ok(Followed::Taken(None));
    };
    link.brand.require_active()?;
    let (lang, ..) = form.wordings(visitor.lang);
    if let Some(asked) = ask_registry(app, link, form, channel, visitor).await? {
        return Ok(Followed::Asked(asked));
    }
    let evidence = Evidence {
        boxes: filing::boxes(&[channel], &[channel], lang),
        ..filing::evidence(form, visitor, Door::Link)
    };
    let source = ProviderSource::Web;
    act(app, link, channel, ConsentStatus::Approval, source, evidence).await.map(Followed::Taken)
}

/// Has the registry confirm what the person agrees to; `None` where that is not wanted.
async fn ask_registry(
    app: &App,
    link: &ShownLink,
    form: &ShownForm,
    channel: Channel,
    visitor: &Visitor,
) -> ServiceResult<Option<Asked>> {
    let wanted = Wanted { confirmer: form.content.confirmation, ..Wanted::default() };
    let way = {
        let mut tx = app.db.read().await?;
        via::way(&mut tx, &link.brand.row, wanted, &[channel]).await?
    };
    let recipient = link.sealed.recipient.as_deref().and_then(|known| Recipient::from_canonical(known).ok());
    let Some(recipient) = recipient.filter(|_| form.content.double_opt_in && way != Ok(None)) else {
        return Ok(None);
    };
    let (lang, ..) = form.wordings(visitor.lang);
    let ask = opt_in::Ask {
        origin: form.row.code.clone(),
        door: Door::Link,
        source: ProviderSource::Web,
        recipient,
        recipient_type: link.sealed.recipient_type,
        channels: vec![channel],
        retailer_code: form.content.retailer_code,
        reference: None,
        evidence: Evidence {
            boxes: filing::boxes(&[channel], &[channel], lang),
            ..filing::evidence(form, visitor, Door::Link)
        },
        info: None,
        client: visitor.client.or(visitor.peer),
        lang: visitor.lang,
        link: Some(link.row.id),
    };
    Ok(Some(opt_in::ask(app, &link.brand, "", wanted, ask).await?))
}

/// The refusal of the person whose link it is. Without login, at any time, and twice is once.
pub async fn refuse(
    app: &App,
    link: &ShownLink,
    visitor: &Visitor,
    source: ProviderSource,
) -> ServiceResult<Option<Accepted>> {
    let Some(channel) = link.row.channel else { return Ok(None) };
    let evidence = filing::seen(visitor, Door::RefusalLink);
    act(app, link, channel, ConsentStatus::Rejection, source, evidence).await
}

async fn act(
    app: &App,
    link: &ShownLink,
    channel: Channel,
    status: ConsentStatus,
    source: ProviderSource,
    evidence: Evidence,
) -> ServiceResult<Option<Accepted>> {
    let name = format!("link {}", link.row.id);
    let item = IntakeItem {
        index: 0,
        consent: ConsentInput {
            recipient: link.sealed.recipient.clone(),
            channel: Some(channel.as_str().to_owned()),
            status: Some(status.as_str().to_owned()),
            source: Some(source.as_str().to_owned()),
            consent_date: Some(format_rfc3339(app.clocks.business())),
            recipient_type: Some(link.sealed.recipient_type.as_str().to_owned()),
            retailer_code: link.form.as_ref().and_then(|form| form.content.retailer_code),
            act: Some(name.clone()),
            ..ConsentInput::default()
        },
        reference: None,
        own_channel: true,
        evidence: Evidence { actor: Some(name.clone()), origin: Some(name), ..evidence },
    };
    let door = if status == ConsentStatus::Approval { Door::Link } else { Door::RefusalLink };
    let answer = filing::submit(app, &link.brand, vec![item], door, Lang::default()).await?;
    if answer.accepted.is_empty() {
        return Err(ServiceError::Invalid(answer.refused.into_iter().map(filing::unplaced).collect()));
    }
    Ok(answer.accepted.into_iter().next())
}
