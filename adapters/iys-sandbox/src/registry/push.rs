//! Push connections: making, listing and removing them, and queueing what they are told (protocol 8).

use serde_json::{Map, Value, json};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::error::Result;
use crate::rules::push::{
    CONNECTION, ConnectionCase, PROBE, ProbeCase, REGISTRATION, REMOVAL, RegistrationCase, RemovalCase,
};
use crate::rules::shape::Wanted;
use crate::rules::{ErrorItem, Refusal};
use crate::store::push::{self, PushConnection};
use crate::wire_time;
use crate::words::Channel;

/// Reads the connections that are wanted. Whether they can be made depends on the addresses themselves,
/// which are tried afterwards, outside of any transaction.
pub(crate) fn register(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let case = RegistrationCase { connection: body.get("connection") };
    desk.settings.first(REGISTRATION, |check| check(&case))?;
    let maps = case.connection.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    Ok(Answer::Connect(read(desk, access, maps)?))
}

/// Reads connections; all findings about their fields come together.
fn read<'a>(
    desk: &Desk<'_>,
    access: &Access,
    maps: impl Iterator<Item = &'a Map<String, Value>>,
) -> Result<Vec<PushConnection>, Stop> {
    let mut errors: Vec<ErrorItem> = Vec::new();
    let mut wanted = Vec::new();
    for map in maps {
        let case = ConnectionCase { map, allow_http: desk.settings.settings.push_allow_http };
        let found = desk.settings.all(CONNECTION, |check| check(&case));
        errors.extend(found.err().into_iter().flat_map(|refusal| refusal.errors));
        let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        wanted.extend(Channel::parse(&text("type")).map(|channel| PushConnection {
            id: 0,
            brand_code: access.brand_code,
            channel,
            url: text("url"),
            username: text("username"),
            password: text("password"),
            active: true,
            registered_at: desk.now(),
        }));
    }
    if !errors.is_empty() {
        return Err(Refusal { status: 422, errors }.into());
    }
    for connection in &wanted {
        // A partner hears only of channels that it may read (protocol 9).
        access.permit(desk, connection.channel, false, None)?;
    }
    Ok(wanted)
}

/// Stores what became of the tries, in the order of the request. An attempt that failed is listed too.
pub(crate) fn connected(desk: &Desk<'_>, tried: Vec<(PushConnection, ProbeCase)>) -> Result<Answer> {
    let mut errors = Vec::new();
    for (connection, mut case) in tried {
        let other = |known: &&PushConnection| {
            known.active && known.channel == connection.channel && known.url != connection.url
        };
        case.others = push::list(desk.db, connection.brand_code)?.iter().filter(other).count();
        let judged = desk.settings.first(PROBE, |check| check(&case));
        push::put(desk.db, &PushConnection { active: judged.is_ok(), ..connection })?;
        errors.extend(judged.err().into_iter().flat_map(|refusal| refusal.errors));
    }
    Ok(if errors.is_empty() {
        Answer::Json(200, json!({ "message": "Bağlantı oluşturuldu" }))
    } else {
        Answer::Refused(Refusal { status: 422, errors })
    })
}

/// The connections of the brand.
pub(crate) fn list(desk: &Desk<'_>, _: &Call, access: &Access) -> Outcome {
    let readable = access.readable();
    let list: Vec<Value> = push::list(desk.db, access.brand_code)?
        .into_iter()
        .filter(|connection| readable.contains(&connection.channel))
        .map(|connection| {
            json!({
                "url": connection.url,
                "type": connection.channel,
                "status": if connection.active { "Bağlantı Oluşturuldu" } else { "Bağlantı Oluşturulamadı" },
                "registerTime": wire_time::write(connection.registered_at),
            })
        })
        .collect();
    Ok(Answer::ok(&list)?)
}

/// Removes a connection. All four fields must be those of its registration, which is assumed.
pub(crate) fn unregister(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let wanted = read(desk, access, body.as_object().into_iter())?;
    let mut case = RemovalCase { removed: false };
    for connection in &wanted {
        case.removed = push::remove(desk.db, connection)?;
    }
    desk.settings.first(REMOVAL, |check| check(&case))?;
    Ok(Answer::Json(200, json!({ "message": "Bağlantı Kaldırıldı" })))
}

/// Queues the movement that was just written for everybody who asked to be told.
pub(super) fn announce(desk: &Desk<'_>, brand_code: i64, channel: Channel) -> Result<()> {
    let delay = desk.settings.settings.push_delay_seconds.max(0);
    if push::enqueue(desk.db, brand_code, channel, desk.now(), desk.now().saturating_add(delay))? {
        desk.announced.set(true);
    }
    Ok(())
}
