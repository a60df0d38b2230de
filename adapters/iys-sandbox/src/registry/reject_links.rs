//! Links by which citizens reject e-mails (protocol 10.7).

use serde_json::{Value, json};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome};
use super::operation::Call;
use crate::address;
use crate::draft::Key;
use crate::rules::reject_link::{LINK, LINK_STATE, LINKS, LinkCase, LinkStateCase, LinksCase};
use crate::rules::shape::Wanted;
use crate::rules::{ErrorItem, Refusal};
use crate::store::reject_links::{self, RejectLink};
use crate::store::{consents, random_text};
use crate::words::{Channel, RecipientType};

/// How long a link works, in seconds.
pub(crate) const LIFE: i64 = 90 * 24 * 60 * 60;

/// Makes a link for every recipient whose e-mails are approved; the others are told apart in the answer.
/// That a partner needs the right to write e-mails is assumed.
pub(crate) fn make(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::StatusKey)?;
    let case = LinksCase { recipients: body.get("recipients") };
    desk.settings.first(LINKS, |check| check(&case))?;
    let mut errors: Vec<ErrorItem> = Vec::new();
    let mut keys = Vec::new();
    for item in case.recipients.and_then(Value::as_array).into_iter().flatten() {
        let map = item.as_object().cloned().unwrap_or_default();
        let case = LinkCase { map: &map, addresses: desk.settings.settings.address_policy() };
        let found = desk.settings.all(LINK, |check| check(&case));
        errors.extend(found.err().into_iter().flat_map(|refusal| refusal.errors));
        let text = |field: &str| map.get(field).and_then(Value::as_str);
        if let (Some(recipient), Some(recipient_type)) =
            (text("recipient"), text("recipientType").and_then(RecipientType::parse))
        {
            keys.push(Key { recipient: address::stored(recipient), recipient_type, channel: Channel::Email });
        }
    }
    if !errors.is_empty() {
        return Err(Refusal { status: 422, errors }.into());
    }
    access.permit(desk, Channel::Email, true, None)?;
    let list = keys.into_iter().map(|key| link(desk, call, access, key)).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::ok(&list)?)
}

fn link(desk: &Desk<'_>, call: &Call, access: &Access, key: Key) -> crate::error::Result<Value> {
    let current = consents::find_current(desk.db, access.brand_code, &key)?;
    let case = LinkStateCase { status: current.map(|current| current.status) };
    if let Err(refusal) = desk.settings.first(LINK_STATE, |check| check(&case)) {
        let item = refusal.errors.into_iter().next().map(|item| item.json(false)).unwrap_or_default();
        return Ok(json!({"recipient": key.recipient, "code": item["code"], "message": item["message"]}));
    }
    let token = random_text(16)?;
    let url = format!("{}/RET/{token}", call.origin);
    let answer = json!({"url": url, "recipient": key.recipient});
    reject_links::add(
        desk.db,
        &RejectLink {
            token,
            brand_code: access.brand_code,
            recipient: key.recipient,
            recipient_type: key.recipient_type,
            made_at: desk.now(),
            used_at: None,
        },
    )?;
    Ok(answer)
}
