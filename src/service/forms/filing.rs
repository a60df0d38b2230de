//! What people send by forms and links, on its way to the intake.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use kopru_domain::evidence::{Door, ShownBox};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    AddressError, AddressErrorCode, Channel, ConsentStatus, Evidence, Lang, ProviderSource, Recipient,
    RecipientType, ShownText, Text,
};

use crate::bootstrap::App;
use crate::service::brands::KnownBrand;
use crate::service::forms::{self, ShownForm, limits};
use crate::service::intake::{self, Accepted, ConsentInput, IntakeItem, IntakeRequest, Refused};
use crate::service::opt_in::{self, Asked};
use crate::service::via::Wanted;
use crate::service::{FieldProblem, ServiceResult, providers};

const LONGEST_NAME: usize = 200;

/// Who sent something, as the door has seen it.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Address of the connection.
    pub peer: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// Address of the person, where a trusted proxy names it.
    pub client: Option<IpAddr>,
    /// The browser.
    pub user_agent: Option<String>,
    /// The language of the page.
    pub lang: Lang,
}

/// What somebody sent by a form.
#[derive(Clone, Default)]
pub struct Sent {
    /// Name and surname.
    pub full_name: String,
    /// For `ARAMA` and `MESAJ`.
    pub phone: String,
    /// For `EPOSTA`.
    pub email: String,
    /// The boxes that were ticked.
    pub channels: Vec<Channel>,
    /// The page's own name: sent twice, it is the same act.
    pub page: Option<String>,
    /// The link that led to the form.
    pub link: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// In the ledger.
    Taken(Vec<(Channel, Accepted)>),
    /// Their owners are asked to confirm the addresses: nothing is filed before.
    Asked {
        /// The token of the page on which a code is entered, where one was sent.
        token: Option<String>,
        /// Whether a link was sent by e-mail.
        mail: bool,
        /// Whether that page only tells how far the registry's link has come: there is no code.
        by_link: bool,
    },
    /// Too much was sent by this visitor, with this address, or to it.
    TooOften {
        /// When something may be sent again (wire time).
        again_at: DateTime<Utc>,
    },
    /// The form wants its addresses confirmed, and the brand has no sender: nothing was filed.
    NoConfirmation,
    /// Fields to be mended.
    Invalid(Vec<FieldProblem>),
}

/// The words beside the box of a channel.
pub fn box_label(channel: Channel, lang: Lang) -> &'static str {
    match (channel, lang) {
        (Channel::Call, Lang::Tr) => "Telefonla aranmak istiyorum",
        (Channel::Call, Lang::En) => "I want to be called by phone",
        (Channel::Message, Lang::Tr) => "SMS almak istiyorum",
        (Channel::Message, Lang::En) => "I want to receive text messages (SMS)",
        (Channel::Email, Lang::Tr) => "E-posta almak istiyorum",
        (Channel::Email, Lang::En) => "I want to receive e-mail",
    }
}

/// The boxes of a form as they were left.
pub fn boxes(shown: &[Channel], ticked: &[Channel], lang: Lang) -> Vec<ShownBox> {
    let shown = shown.iter();
    shown
        .map(|channel| ShownBox {
            label: box_label(*channel, lang).to_owned(),
            ticked: ticked.contains(channel),
        })
        .collect()
}

/// Takes what somebody sent by a form: the one way from every form to the intake. With double opt-in the owners of the
/// addresses are asked first, and what they confirm is filed then.
pub async fn file(app: &App, form: &ShownForm, visitor: &Visitor, sent: Sent) -> ServiceResult<Filed> {
    form.brand.require_active()?;
    let problems = problems(form, &sent);
    if !problems.is_empty() {
        return Ok(Filed::Invalid(problems));
    }
    if let Some(again_at) = limits::count(app, form, visitor, &sent).await? {
        return Ok(Filed::TooOften { again_at });
    }
    if form.content.double_opt_in {
        return ask(app, form, visitor, &sent).await;
    }
    let now = app.clocks.business();
    let channels = ticked(form, &sent);
    let items =
        channels.iter().enumerate().map(|(index, channel)| item(form, visitor, &sent, index, *channel, now));
    let answer = submit(app, &form.brand, items.collect(), Door::Form, visitor.lang).await?;
    if answer.accepted.is_empty() {
        return Ok(Filed::Invalid(answer.refused.into_iter().map(unplaced).collect()));
    }
    let channel = |accepted: Accepted| channels.get(accepted.index).map(|channel| (*channel, accepted));
    Ok(Filed::Taken(answer.accepted.into_iter().filter_map(channel).collect()))
}

/// Asks for the number's and for the e-mail address's confirmation, each by its own message.
async fn ask(app: &App, form: &ShownForm, visitor: &Visitor, sent: &Sent) -> ServiceResult<Filed> {
    let domain = form.content.domain.as_deref();
    if domain.is_none() && app.config.http.public_url.is_none() {
        return Ok(Filed::NoConfirmation);
    }
    let base = forms::address(app, domain, "");
    let (mail, phone): (Vec<Channel>, Vec<Channel>) =
        ticked(form, sent).into_iter().partition(|channel| *channel == Channel::Email);
    let (mut token, mut mailed, mut by_link) = (None, false, false);
    for channels in [phone, mail] {
        let Some(first) = channels.iter().max().copied() else { continue };
        // What was checked before.
        let Ok(recipient) = Recipient::parse(address(sent, first), first) else { continue };
        let new = opt_in::Ask {
            origin: form.row.code.clone(),
            door: Door::Form,
            source: ProviderSource::Web,
            recipient,
            recipient_type: RecipientType::Individual,
            channels,
            retailer_code: form.content.retailer_code,
            reference: None,
            evidence: Evidence {
                raw_input: Some(address(sent, first).to_owned()),
                ..proof(form, visitor, sent)
            },
            info: None,
            client: visitor.client.or(visitor.peer),
            lang: visitor.lang,
            link: sent.link.as_ref().and_then(|link| link.parse().ok()),
        };
        // The person is on one page at a time.
        let links_only = token.is_some();
        let wanted = Wanted { confirmer: form.content.confirmation, links_only, ..Wanted::default() };
        let refused = match opt_in::ask(app, &form.brand, &base, wanted, new).await? {
            Asked::Code { token: fresh, .. } => {
                token = Some(fresh);
                continue;
            }
            Asked::Link { token: Some(fresh), .. } if token.is_none() => {
                (token, by_link) = (Some(fresh), true);
                continue;
            }
            Asked::Link { .. } => {
                mailed = true;
                continue;
            }
            // What was sent before is still on its way.
            Asked::TooOften { again_at } => Filed::TooOften { again_at },
            Asked::NoSender => Filed::NoConfirmation,
            Asked::Stopped { code } => {
                tracing::warn!(form.id = %form.row.id, code, "the registry confirms nothing for a form at present");
                Filed::NoConfirmation
            }
            Asked::Unfit(problem) => {
                let why = problem.title.get(Lang::En);
                tracing::warn!(form.id = %form.row.id, why, "a form cannot be confirmed as it wants");
                Filed::NoConfirmation
            }
        };
        if token.is_none() {
            return Ok(refused);
        }
    }
    Ok(Filed::Asked { token, mail: mailed, by_link })
}

/// The ticked boxes that the form has.
fn ticked(form: &ShownForm, sent: &Sent) -> Vec<Channel> {
    form.content.channels.iter().copied().filter(|channel| sent.channels.contains(channel)).collect()
}

/// What proves a consent by a form.
fn proof(form: &ShownForm, visitor: &Visitor, sent: &Sent) -> Evidence {
    let (lang, ..) = form.wordings(visitor.lang);
    let evidence = evidence(form, visitor, Door::Form);
    let by_link = sent.link.as_ref().map(|link| format!("form {}, link {link}", form.row.code));
    Evidence {
        full_name: Some(sent.full_name.trim().to_owned()),
        boxes: boxes(&form.content.channels, &sent.channels, lang),
        origin: by_link.or(evidence.origin.clone()),
        ..evidence
    }
}

/// Hands items of a brand to the intake.
pub(in crate::service) async fn submit(
    app: &App,
    brand: &KnownBrand,
    items: Vec<IntakeItem>,
    door: Door,
    lang: Lang,
) -> ServiceResult<intake::IntakeAnswer> {
    let request = IntakeRequest {
        brand: brand.row.clone(),
        stops: brand.stops(),
        notices: brand.notices(),
        door: door.as_str(),
        items,
        idempotency: None,
        lang,
    };
    intake::submit(app, request).await
}

/// What the intake refused, of one item alone.
pub(in crate::service) fn unplaced(refused: Refused) -> FieldProblem {
    FieldProblem { index: None, field: refused.field, code: refused.code, title: refused.title }
}

/// What was shown and seen of a form, for the evidence of a consent.
pub fn evidence(form: &ShownForm, visitor: &Visitor, door: Door) -> Evidence {
    let (lang, ..) = form.wordings(visitor.lang);
    Evidence {
        actor: Some(format!("form {}", form.row.id)),
        origin: Some(format!("form {}", form.row.code)),
        form_version: Some(form.row.version),
        text: Some(ShownText::new(form.text.0.clone(), lang)),
        notice: Some(ShownText::new(form.notice.0.clone(), lang)),
        ..seen(visitor, door)
    }
}

/// What was seen of a visitor.
pub fn seen(visitor: &Visitor, door: Door) -> Evidence {
    Evidence {
        peer: visitor.peer,
        peer_port: visitor.port,
        resolved_address: visitor.client,
        user_agent: visitor.user_agent.clone(),
        ..Evidence::observed(door)
    }
}

fn item(
    form: &ShownForm,
    visitor: &Visitor,
    sent: &Sent,
    index: usize,
    channel: Channel,
    now: DateTime<Utc>,
) -> IntakeItem {
    IntakeItem {
        index,
        consent: ConsentInput {
            recipient: Some(address(sent, channel).to_owned()),
            channel: Some(channel.as_str().to_owned()),
            status: Some(ConsentStatus::Approval.as_str().to_owned()),
            source: Some(ProviderSource::Web.as_str().to_owned()),
            consent_date: Some(format_rfc3339(now)),
            retailer_code: form.content.retailer_code,
            act: sent.page.as_ref().map(|page| format!("form/{page}")),
            ..ConsentInput::default()
        },
        reference: None,
        own_channel: true,
        evidence: proof(form, visitor, sent),
    }
}

fn address(sent: &Sent, channel: Channel) -> &str {
    match channel {
        Channel::Call | Channel::Message => &sent.phone,
        Channel::Email => &sent.email,
    }
}

/// What is wrong with an address, for the person who typed it: the registry's words mean nothing to him.
fn told(error: AddressError) -> Text {
    let email = error.channel == Channel::Email;
    match error.code {
        AddressErrorCode::Missing if email => {
            Text::fixed("e-posta adresinizi yazın", "write your e-mail address")
        }
        AddressErrorCode::Missing => Text::fixed("telefon numaranızı yazın", "write your phone number"),
        AddressErrorCode::LandlineForMessage => Text::fixed(
            "SMS alabilecek, 5 ile başlayan bir cep telefonu numarası yazın",
            "write a mobile number, which begins with 5 and can receive text messages",
        ),
        AddressErrorCode::Foreign | AddressErrorCode::ServiceNumber | AddressErrorCode::UnknownPrefix => {
            error.text()
        }
        _ if email => Text::fixed(
            "e-posta adresini ad@ornek.com biçiminde yazın",
            "write the e-mail address in the form name@example.com",
        ),
        _ => Text::fixed(
            "numarayı 10 hane olarak yazın, örneğin 0532 123 45 67",
            "write the number with its 10 digits, for example 0532 123 45 67",
        ),
    }
}

fn problems(form: &ShownForm, sent: &Sent) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut refuse = |field: &str, code: &str, title: Text| {
        if problems.iter().all(|known: &FieldProblem| known.field != field) {
            problems.push(providers::field_problem(field, code, title));
        }
    };
    // In the order in which the page shows them.
    if sent.channels.is_empty() {
        let title =
            Text::fixed("onay vermek için en az bir kutuyu işaretleyin", "to consent, tick at least one box");
        refuse("channels", "empty", title);
    }
    let name = sent.full_name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        refuse("fullName", "name", Text::fixed("adınızı ve soyadınızı yazın", "write your name and surname"));
    }
    for channel in &sent.channels {
        if !form.content.channels.contains(channel) {
            let title = Text::fixed("bu formda böyle bir kutu yok", "this form has no such box");
            refuse("channels", "unknown_value", title);
            continue;
        }
        let field = if *channel == Channel::Email { "email" } else { "phone" };
        if let Err(error) = Recipient::parse(address(sent, *channel), *channel) {
            refuse(field, error.h_code(), told(error));
        }
    }
    if form.content.double_opt_in
        && sent.channels.contains(&Channel::Call)
        && Recipient::parse(&sent.phone, Channel::Message).is_err()
    {
        // A code goes by SMS, which a land line does not take.
        let title = Text::fixed(
            "doğrulama kodunu alabilecek bir cep telefonu yazın",
            "write a mobile number, which can receive the code",
        );
        refuse("phone", "no_code", title);
    }
    problems
}
