//! Posting to push connections: the tries of a registration and the delivery of movements (protocol 8).
//!
//! Documented are the method, Basic authentication, the five seconds of a registration and the shape of
//! the events. Assumed (protocol 11, U20): up to 100 events a post, any 2xx is a success, a refused post
//! is tried again after 1, 5, 15 and 60 minutes of the registry's time and every hour from then on, is
//! given up after a day, and holds nothing else back, so that events can overtake each other.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::error::Result;
use crate::http::App;
use crate::http::faults::Kind;
use crate::registry::Desk;
use crate::registry::answer::Answer;
use crate::registry::push::connected;
use crate::rules::push::{ProbeCase, Reply};
use crate::store::consents::Movement;
use crate::store::providers;
use crate::store::push::{self as store, Delivery, PushConnection};
use crate::wire_time;

/// The most events in a post.
const EVENTS_MAX: usize = 100;
/// Seconds until the next try, by the number of tries made; the last one repeats.
const BACKOFF: [i64; 4] = [60, 300, 900, 3600];
/// How long an event is tried, in seconds.
const GIVE_UP: i64 = 24 * 60 * 60;

/// Posts to the world outside. The client is made when it is first needed: most simulators never push.
#[derive(Debug, Default)]
pub(crate) struct Poster(OnceLock<reqwest::Client>);

impl Poster {
    fn client(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let made = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(self.0.get_or_init(|| made))
    }

    async fn post(
        &self,
        to: &PushConnection,
        credentials: bool,
        events: &[Value],
        limit: Duration,
    ) -> Result<Reply> {
        let mut request = self.client()?.post(&to.url).timeout(limit).json(&json!({ "list": events }));
        if credentials {
            request = request.basic_auth(&to.username, Some(&to.password));
        }
        Ok(match request.send().await {
            Ok(response) => Reply::Status(response.status().as_u16()),
            Err(error) if error.is_timeout() => Reply::TimedOut,
            Err(_) => Reply::Broken,
        })
    }
}

/// The event that every new connection receives, the same for everybody (protocol 8).
fn test_event() -> Value {
    json!({
        "iysCode": 121_212,
        "brandCode": 121_212,
        "consentDate": "2015-05-01 15:00:00",
        "creationDate": "2015-05-01 15:00:00",
        "source": "IYS_MOBIL",
        "recipient": "pushtest@iys.org.tr",
        "recipientType": "BIREYSEL",
        "status": "ONAY",
        "type": "EPOSTA",
        "transactionId": "e52ee30512adfcd2a41fb3b4682f5bd61eee5b1c92bda665fc0b7e56644d429d",
    })
}

fn patience(app: &App) -> Duration {
    Duration::from_millis(app.registry.settings.get().settings.push_timeout_millis)
}

/// Tries connections and stores what became of them: a post without credentials must be refused with 401,
/// the test event with them must be taken.
pub(crate) async fn connect(app: &App, wanted: Vec<PushConnection>) -> Result<Answer> {
    let limit = patience(app);
    let mut tried = Vec::new();
    for connection in wanted {
        let event = [test_event()];
        let without = app.poster.post(&connection, false, &event, limit).await?;
        let with = match without {
            Reply::Status(_) => app.poster.post(&connection, true, &event, limit).await?,
            silent => silent,
        };
        tried.push((connection, ProbeCase { without, with, others: 0 }));
    }
    app.registry.run(move |desk| connected(desk, tried)).await
}

/// What is posted to one connection at once.
#[derive(Debug)]
struct Parcel {
    connection: PushConnection,
    deliveries: Vec<Delivery>,
    events: Vec<Value>,
}

/// What becomes of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrived,
    Failed,
    /// Not tried; again after so many seconds.
    Later(i64),
}

/// Delivers everything that is due, and says how long it takes until there is more; `None` when nothing
/// waits.
pub(crate) async fn deliver(app: &Arc<App>) -> Result<Option<Duration>> {
    // Two servers of one simulator must not both deliver.
    let _turn = app.registry.delivering.lock().await;
    loop {
        let parcels = app.registry.run(pack).await?;
        if parcels.is_empty() {
            break;
        }
        let sent = join_all(parcels.into_iter().map(|parcel| send(app, parcel))).await;
        let sent = sent.into_iter().collect::<Result<Vec<_>>>()?;
        app.registry
            .run(move |desk| sent.iter().try_for_each(|(parcel, fate)| file(desk, parcel, *fate)))
            .await?;
    }
    let Some(due) = app.registry.run(|desk| store::next_due(desk.db)).await? else { return Ok(None) };
    let millis = due.saturating_mul(1000).saturating_sub(app.registry.clock.now_millis());
    Ok(Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default())))
}

/// Takes what is due, a parcel for each connection.
fn pack(desk: &Desk<'_>) -> Result<Vec<Parcel>> {
    let newest_first = desk.settings.settings.push_out_of_order;
    let mut parcels = Vec::new();
    for connection in store::due_connections(desk.db, desk.now())? {
        let deliveries = store::due(desk.db, connection.id, desk.now(), newest_first, EVENTS_MAX)?;
        let iys_code = providers::find_brand(desk.db, connection.brand_code)?.map(|brand| brand.iys_code);
        let events = deliveries.iter().map(|delivery| event(iys_code, &delivery.movement)).collect();
        parcels.push(Parcel { connection, deliveries, events });
    }
    Ok(parcels)
}

fn event(iys_code: Option<i64>, movement: &Movement) -> Value {
    json!({
        "iysCode": iys_code,
        "brandCode": movement.brand_code,
        // As in the change feed: a closed line of a merchant may have no date.
        "consentDate": movement.consent_date.map(wire_time::write).unwrap_or_default(),
        "creationDate": wire_time::write(movement.created_at),
        "source": movement.source,
        "recipient": movement.recipient,
        "recipientType": movement.recipient_type,
        "status": movement.status,
        "type": movement.channel,
        "transactionId": hex::encode(movement.transaction_id),
    })
}

/// Sends a parcel, or does with it what the settings or an ordered failure want.
async fn send(app: &App, mut parcel: Parcel) -> Result<(Parcel, Fate)> {
    let settings = app.registry.settings.get();
    let fault = app.faults.take_push();
    let ordered = |kind: Kind| fault.as_ref().is_some_and(|fault| fault.kind == kind);
    if let Some(fault) = fault.as_ref().filter(|fault| fault.kind == Kind::Slow) {
        let seconds = fault.delay.as_millis().div_ceil(1000);
        return Ok((parcel, Fate::Later(i64::try_from(seconds).unwrap_or(i64::MAX))));
    }
    if ordered(Kind::Drop) || settings.settings.push_drop {
        return Ok((parcel, Fate::Arrived));
    }
    if ordered(Kind::OutOfOrder) {
        parcel.events.reverse();
    }
    let copies = if ordered(Kind::Duplicate) || settings.settings.push_duplicate { 2 } else { 1 };
    let mut fate = Fate::Failed;
    for _ in 0..copies {
        let reply = app.poster.post(&parcel.connection, true, &parcel.events, patience(app)).await?;
        fate = if reply.is_success() { Fate::Arrived } else { Fate::Failed };
    }
    Ok((parcel, fate))
}

/// Notes what became of a parcel.
fn file(desk: &Desk<'_>, parcel: &Parcel, fate: Fate) -> Result<()> {
    for delivery in &parcel.deliveries {
        match fate {
            Fate::Arrived => store::finish(desk.db, delivery.id)?,
            Fate::Later(seconds) => {
                let due_at = desk.now().saturating_add(seconds);
                store::reschedule(desk.db, delivery.id, delivery.attempt, due_at)?;
            }
            Fate::Failed => {
                let step = usize::try_from(delivery.attempt).unwrap_or_default().min(BACKOFF.len() - 1);
                let due_at = desk.now().saturating_add(BACKOFF[step]);
                if due_at - delivery.queued_at > GIVE_UP {
                    store::finish(desk.db, delivery.id)?;
                } else {
                    store::reschedule(desk.db, delivery.id, delivery.attempt + 1, due_at)?;
                }
            }
        }
    }
    Ok(())
}
