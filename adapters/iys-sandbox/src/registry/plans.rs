//! That no request reads through what is stored, however much it is: SQLite's own plans are asked.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bytes::Bytes;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::operation::{Call, OPERATIONS};
use super::{Desk, access, settle_one};
use crate::control::providers::{PartnerRequest, ProviderRequest, apply_partner, put_provider};
use crate::settings::{Effective, Settings};
use crate::store::accounts;
use crate::store::schema;
use crate::tsa::Authority;
use crate::wire_time;

thread_local! {
    /// The statements that this thread's connection ran.
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Noon of a Thursday.
const NOON: i64 = 1_795_078_800;
const CODE: i64 = 600_100;

/// A provider's user at a registry without HTTP around it.
struct World {
    db: Connection,
    settings: Effective,
    now: i64,
}

impl World {
    fn new() -> Self {
        let db = Connection::open_in_memory().unwrap();
        schema::prepare(&db).unwrap();
        Authority::open(&db).unwrap();
        let settings = Effective::new(Settings { batch_delay_seconds: 0, ..Settings::default() });
        let world = Self { db, settings, now: NOON };
        let desk = world.desk();
        apply_partner(&desk, PartnerRequest::default()).unwrap();
        put_provider(&desk, ProviderRequest { iys_code: Some(CODE), ..ProviderRequest::default() })
            .unwrap()
            .unwrap();
        accounts::add_token(desk.db, "token", false, &format!("api@{CODE}.iys.test"), i64::MAX).unwrap();
        world.db.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
        world
    }

    fn desk(&self) -> Desk<'_> {
        Desk::new(&self.db, self.now * 1000, &self.settings)
    }

    /// Asks an operation, as HTTP does, and processes what is due first.
    fn ask(&mut self, name: &str, version: u8, path: &[(&str, &str)], body: &Value) -> Answer {
        while settle_one(&mut self.db, self.now * 1000, &self.settings).unwrap() {}
        let is_it =
            |operation: &&super::operation::Operation| operation.name == name && operation.version == version;
        let operation = OPERATIONS.iter().find(is_it).unwrap();
        let code = CODE.to_string();
        let path = [("iysCode", code.as_str()), ("brandCode", code.as_str())]
            .into_iter()
            .chain(path.iter().copied());
        let call = Call {
            path: path.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            bearer: Some("token".to_owned()),
            media_type: "application/json".to_owned(),
            body: Bytes::from(body.to_string()),
            ..Call::default()
        };
        let desk = self.desk();
        let access = access::admit(&desk, &call, operation.scope.unwrap());
        answer::settle(access.and_then(|access| (operation.run)(&desk, &call, &access))).unwrap()
    }

    /// The steps of a plan that take the longer, the more is stored: over a whole table, or over a whole
    /// brand's records or movements.
    fn growing(&self, sql: &str) -> Vec<String> {
        let mut statement = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
        let plan: Vec<String> = rows.collect::<rusqlite::Result<_>>().unwrap();
        plan.into_iter()
            .filter(|step| step.starts_with("SCAN") || step.ends_with("(brand_code=?)"))
            .filter(|step| !BOUNDED.iter().any(|bounded| step.starts_with(bounded)))
            .collect()
    }
}

/// What is read through and stays short: no table at all, the lists that still wait, the day that a
/// statement has gathered already.
const BOUNDED: [&str; 3] = ["SCAN CONSTANT ROW", "SCAN batches USING INDEX batches_due", "SCAN moved"];

#[expect(clippy::needless_pass_by_value, reason = "the form that rusqlite asks for")]
fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        SEEN.with_borrow_mut(|seen| seen.insert(sql.to_owned()));
    }
}

#[test]
fn no_request_on_the_way_of_a_consent_reads_through_what_is_stored() {
    let mut world = World::new();
    let key = json!({"recipient": "+905551112233", "recipientType": "BIREYSEL", "type": "MESAJ"});
    let consent = |status: &str, ago: i64, now: i64| {
        let mut consent = key.clone();
        consent["status"] = status.into();
        consent["source"] = "HS_WEB".into();
        consent["consentDate"] = wire_time::write(now - ago).into();
        consent
    };
    for (version, ago) in [(1, 300), (2, 200)] {
        let body = json!([consent("ONAY", ago, world.now)]);
        let Answer::Json(202, accepted) = world.ask("add_batch", version, &[], &body) else { panic!() };
        let request_id = accepted["requestId"].as_str().unwrap().to_owned();
        world.now += 1;
        let asked = world.ask("batch_result", version, &[("requestId", &request_id)], &Value::Null);
        let Answer::Json(200, results) = asked else { panic!() };
        assert_eq!(results[0]["status"], "success", "{results}");
        let body = consent("ONAY", ago - 50, world.now);
        assert_eq!(world.ask("add", version, &[], &body).status(), 200);
    }
    let many = [("recipientType", "BIREYSEL"), ("type", "MESAJ")];
    for (operation, path, body) in [
        ("status", &[][..], &key),
        ("history", &[], &key),
        ("statuses", &many, &json!({"recipients": ["+905551112233"]})),
    ] {
        assert_eq!(world.ask(operation, 1, path, body).status(), 200, "{operation}");
    }
    let day = wire_time::local(world.now).date().to_string();
    world.now += 24 * 60 * 60;
    assert_eq!(world.ask("changes", 1, &[], &Value::Null).status(), 204);
    let report = [("reportDate", day.as_str()), ("recipientType", "BIREYSEL")];
    for operation in ["report_summary", "agreement", "time_stamp", "movement_file"] {
        assert_eq!(world.ask(operation, 1, &report, &Value::Null).status(), 200, "{operation}");
    }
    let seen = SEEN.take();
    assert!(seen.iter().any(|sql| sql.contains("INSERT INTO movements")), "{seen:?}");
    for sql in seen.iter().filter(|sql| !matches!(sql.as_str(), "BEGIN DEFERRED" | "COMMIT")) {
        let growing = world.growing(sql);
        assert!(growing.is_empty(), "{growing:?} in {sql}");
    }
}
