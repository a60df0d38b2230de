//! The program under a load: its own claim, on a real database, its own governor for the slots, and its own recording of what
//! the registry answered. What is left out is the request itself: the answer is put in its place.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::BatchAddResponse;
use iys::{BoxError, Bytes, Ended, IysError, NotBefore, Operation};
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::config::Config;
use kopru::lifecycle::Lifecycle;
use kopru::registry::words;
use kopru::service::brands::{self, NewBrand};
use kopru::service::filing::{self, Outgoing, Turn};
use kopru::service::providers::{self, NewProvider};
use kopru::service::{Caller, mirror};
use kopru_domain::clock::FixedClock;
use kopru_domain::schedule::Reserve;
use kopru_domain::{
    BrandCode, BrandPolicy, Channel, ConsentStatus, DailyAgreement, IysCode, ProviderSource, RecipientType,
    RegistryAnswer, SubmissionState,
};
use kopru_store::batches::BatchRow;
use kopru_store::consents::{self, ConsentRow};
use kopru_store::holds::{self, HoldRow};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Key, Priority, ProviderKeys};
use uuid::Uuid;

use super::load::{BRANDS, Item, Load, SLOTS};
use super::reference::safe;
use crate::support::{Database, TestDatabase};

/// One request every so often: as long as a forecast is believed, so that each slot sees a fresh one.
const SLOT: TimeDelta = TimeDelta::seconds(10);
const PER_SECOND: f64 = 0.1;
const MOST_SINGLES: u32 = 3;
/// The governor answers at once: the clock stands on a slot (real time).
const LONGEST_WAIT: Duration = Duration::from_secs(20);

pub struct World {
    /// One on SQLite, where one process serves all; two replicas on PostgreSQL.
    apps: Vec<App>,
    clock: Arc<FixedClock>,
    keys: HashMap<IysCode, Arc<ProviderKeys>>,
    rows: i64,
    _database: TestDatabase,
}

/// What happened.
pub struct Played {
    /// In which slot each item was filed.
    pub filed: Vec<Option<u32>>,
    /// Slots in which there was no registry, or the program left it alone because of that.
    pub silent: Vec<u32>,
    /// What it did, slot by slot.
    pub trace: Vec<String>,
    /// Where it broke one of its own rules.
    pub fault: Option<String>,
}

pub const fn provider(brand: usize) -> IysCode {
    IysCode(700 + brand as i64 % 2)
}

const fn brand_code(brand: usize) -> BrandCode {
    BrandCode(7_000 + brand as i64)
}

impl World {
    pub async fn open(database: Database) -> Self {
        let database = database.fresh().await;
        let clock = Arc::new(FixedClock::new("2026-12-01T06:00:00Z".parse().unwrap()));
        let mut config = Config::for_tests(database.folder());
        config.database.url = Some(database.url.clone());
        config.registry.url = Some("http://127.0.0.1:1".parse().unwrap());
        config.registry.username = Some("nobody".to_owned());
        config.registry.password = Some("nothing".to_owned().into());
        config.registry.requests_per_second = PER_SECOND;
        config.filing.batch_threshold = MOST_SINGLES;
        let replicas = if config.is_sqlite() { 1 } else { 2 };
        if replicas == 2 {
            config.security.master_key = Some("11".repeat(32).into());
        }
        let mut apps = Vec::new();
        for _ in 0..replicas {
            let clocks = Clocks::new(clock.clone());
            apps.push(App::start(config.clone(), clocks, Lifecycle::new()).await.unwrap());
        }
        let mut world = Self { apps, clock, keys: HashMap::new(), rows: 0, _database: database };
        world.set_up().await;
        world
    }

    async fn set_up(&mut self) {
        let (app, caller) = (&self.apps[0], Caller::system("simulation"));
        for code in [provider(0), provider(1)] {
            let new =
                NewProvider { iys_code: code, title: "Sim".to_owned(), credentials: None, tested_at: None };
            providers::add(app, &caller, new, false).await.unwrap();
            let mut tx = app.db.read().await.unwrap();
            self.keys.insert(code, app.vault.keys(&mut tx, code).await.unwrap());
        }
        for brand in 0..BRANDS {
            let new = NewBrand {
                iys_code: provider(brand),
                brand_code: brand_code(brand),
                name: "Sim".to_owned(),
                policy: BrandPolicy::default(),
                allowed_sources: None,
                daily_agreement: DailyAgreement::Off,
            };
            brands::add(app, &caller, new).await.unwrap();
        }
    }

    fn app(&self, claimer: usize) -> &App {
        &self.apps[claimer % self.apps.len()]
    }

    /// Plays a case to its end.
    pub async fn play(&mut self, load: &Load) -> Played {
        // Whatever the case before has left behind (a breaker, a lower pace) is over.
        self.clock.advance(TimeDelta::hours(1));
        let mut case = Case::new(load, self.clock.now_cut());
        for slot in 0..SLOTS {
            self.clock.set(case.at(slot));
            self.arrive(&mut case, slot).await;
            if case.is_through() {
                break;
            }
            self.slot(&mut case, slot).await;
        }
        if let Some((brand, _)) = load.held {
            self.lift(brand).await;
        }
        assert!(case.is_through(), "not all was filed: {:?}\n{}", case.load, case.played.trace.join("\n"));
        case.played
    }

    /// What comes at a slot: new items, and a brand that is no longer held.
    async fn arrive(&mut self, case: &mut Case<'_>, slot: u32) {
        if let Some((brand, until)) = case.load.held {
            if slot == 0 {
                self.hold(brand).await;
            } else if slot == until {
                self.lift(brand).await;
            }
        }
        let new: Vec<usize> =
            (0..case.load.items.len()).filter(|place| case.load.items[*place].arrival == slot).collect();
        if new.is_empty() {
            return;
        }
        let mut ledger: HashMap<IysCode, Vec<ConsentRow>> = HashMap::new();
        let mut queue = Vec::new();
        for place in new {
            let (consent, row) = self.rows_of(case, place);
            case.places.insert(row.consent_id, place);
            ledger.entry(row.iys_code).or_default().push(consent);
            queue.push(row);
        }
        let mut tx = self.apps[0].db.begin(Priority::Bulk).await.unwrap();
        for (provider, rows) in ledger {
            consents::append(&mut tx, provider, rows).await.unwrap();
        }
        submissions::add(&mut tx, queue, case.at(slot)).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn rows_of(&mut self, case: &Case<'_>, place: usize) -> (ConsentRow, SubmissionRow) {
        self.rows += 1;
        let Item { brand, rejection, target, .. } = case.load.items[place];
        let id = Uuid::from_u128((self.rows as u128) << 64 | place as u128);
        let given = case.start - TimeDelta::hours(1);
        let recipient = format!("+90532{:07}", self.rows % 10_000_000);
        let consent = ConsentRow {
            id,
            seq: self.rows,
            brand_code: brand_code(brand),
            key: Key(*id.as_bytes()),
            recipient_type: RecipientType::Individual,
            channel: Channel::Message,
            status: if rejection { ConsentStatus::Rejection } else { ConsentStatus::Approval },
            source: Some(ProviderSource::Web),
            consent_date: Some(given),
            retailer_code: None,
            door: "api".to_owned(),
            received_at: given,
            recorded_at: given,
            sealed: mirror::seal_consent(&self.keys[&provider(brand)], &[0; 32], &recipient, None),
            recipient_hash: [0; 32],
            evidence_hash: [0; 32],
            hash: [0; 32],
            evidence: None,
        };
        // Between two slots: whether it is met is no matter of rounding.
        let target = case.at(target) + SLOT / 2;
        let latest = target + TimeDelta::days(30);
        let row = SubmissionRow {
            iys_code: provider(brand),
            consent_id: id,
            generation: 1,
            brand_code: consent.brand_code,
            key: consent.key,
            channel: consent.channel,
            status: consent.status,
            state: SubmissionState::Queued,
            code: None,
            ordered_at: given,
            wire_date: Some(given),
            target_at: target,
            legal_at: latest,
            latest_at: latest,
            calendar: "sim".to_owned(),
            late: false,
            at_risk: false,
            attempt: 0,
            next_attempt_at: given,
            wire: None,
            batch_id: None,
            batch_index: None,
            transaction_id: None,
            creation_date: None,
            cause: None,
            claim: None,
        };
        (consent, row)
    }

    async fn hold(&self, brand: usize) {
        let now = self.clock.now_cut();
        let hold = HoldRow {
            iys_code: provider(brand),
            brand_code: brand_code(brand),
            channel: Channel::Message,
            cause: "not_authorised".to_owned(),
            listed: false,
            code: "H353".to_owned(),
            since: now,
            probe_at: now + TimeDelta::days(30),
        };
        let mut tx = self.apps[0].db.begin(Priority::Bulk).await.unwrap();
        holds::set(&mut tx, &hold).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn lift(&self, brand: usize) {
        let mut tx = self.apps[0].db.begin(Priority::Bulk).await.unwrap();
        let (provider, brand) = (provider(brand), brand_code(brand));
        holds::lift(&mut tx, provider, brand, Channel::Message, true, self.apps[0].clocks.business())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        while filing::release_lifted(&self.apps[0]).await.unwrap() > 0 {}
    }

    /// One slot of the budget: one request, if anything can go.
    async fn slot(&self, case: &mut Case<'_>, slot: u32) {
        let first = case.load.claimers[slot as usize];
        for claimer in [first, 1 - first] {
            if case.hands[claimer].is_empty() {
                self.claim(case, claimer, slot).await;
            }
            let app = self.app(claimer);
            while let Some(request) = case.hands[claimer].pop_front() {
                let operation = request.operation();
                let place = tokio::time::timeout(LONGEST_WAIT, app.registry.place(operation)).await;
                match place.expect("the governor has a place in every slot") {
                    Err(refused) => self.turned_away(case, app, request, &refused, slot).await,
                    Ok(()) if case.load.is_down(slot) => return self.fail(case, app, request, slot).await,
                    Ok(()) => return self.succeed(case, app, request, slot).await,
                }
            }
        }
        if case.waits_until > case.at(slot) {
            case.played.silent.push(slot);
        }
    }

    async fn claim(&self, case: &mut Case<'_>, claimer: usize, slot: u32) {
        let app = self.app(claimer);
        // A claim of a held brand has nothing to send.
        for _ in 0..20 {
            let claim = Claim { by: Uuid::new_v4(), until: app.clocks.wire() + TimeDelta::hours(5) };
            let Some(work) = filing::claim_due(app, &case.turns[claimer], claim).await.unwrap() else {
                return;
            };
            assert!(work.ask_first.is_empty() && work.sift.is_empty(), "nothing here is late by its date");
            let mut places = Vec::new();
            if let Some((batch, body)) = work.batch {
                let mut tx = app.db.read().await.unwrap();
                let rows = submissions::of_batch(&mut tx, batch.iys_code, batch.id).await.unwrap();
                places.extend(rows.iter().map(|row| case.places[&row.consent_id]));
                case.hands[claimer].push_back(Request::Batch(Box::new(batch), body, places.clone()));
            }
            for out in work.singles {
                places.push(case.places[&out.row.consent_id]);
                case.hands[claimer].push_back(Request::Single(Box::new(out)));
            }
            if !places.is_empty() {
                return case.claimed(slot, claimer, &places);
            }
        }
    }

    async fn succeed(&self, case: &mut Case<'_>, app: &App, request: Request, slot: u32) {
        app.registry.ended(Ended { operation: request.operation(), brand: None, error: None }).await;
        match request {
            Request::Batch(batch, body, places) => {
                let taken = BatchAddResponse { request_id: batch.id.to_string(), sub_requests: Vec::new() };
                filing::posted(app, *batch, &body, Ok(taken)).await.unwrap();
                for place in places {
                    case.file(place, slot);
                }
            }
            Request::Single(out) => {
                let place = case.places[&out.row.consent_id];
                let answer = RegistryAnswer::Registered {
                    transaction_id: out.row.consent_id.to_string(),
                    creation_date: self.clock.now_cut(),
                };
                filing::record(app, out.row.iys_code, vec![(out.row, answer)]).await.unwrap();
                case.file(place, slot);
            }
        }
    }

    /// The registry cannot be reached, and the breaker learns of it.
    async fn fail(&self, case: &mut Case<'_>, app: &App, request: Request, slot: u32) {
        let (operation, source) = (request.operation(), Arc::new(std::io::Error::other("down")));
        let error = IysError::Unreachable { operation, source };
        app.registry.ended(Ended { operation, brand: None, error: Some(&error) }).await;
        case.played.silent.push(slot);
        case.played.trace.push(format!("{slot}: unreachable"));
        self.put_back(case, app, request, error).await;
    }

    /// The breaker has opened since the claim: what is still in hand is not sent, as the client says it.
    async fn turned_away(
        &self,
        case: &mut Case<'_>,
        app: &App,
        request: Request,
        refused: &BoxError,
        slot: u32,
    ) {
        let wait = refused.downcast_ref::<NotBefore>().unwrap_or_else(|| panic!("no place: {refused}"));
        case.played.trace.push(format!("{slot}: turned away for {:?}", wait.0));
        let error = IysError::Throttled {
            operation: request.operation(),
            code: None,
            status: None,
            retry_after: wait.0,
        };
        self.put_back(case, app, request, error).await;
    }

    /// What was claimed goes back to its queue and waits a little.
    async fn put_back(&self, case: &mut Case<'_>, app: &App, request: Request, error: IysError) {
        let (provider, ids) = match request {
            Request::Batch(batch, body, places) => {
                let ids = case.places.iter().filter(|(_, place)| places.contains(place)).map(|(id, _)| *id);
                let (provider, ids) = (batch.iys_code, ids.collect());
                filing::posted(app, *batch, &body, Err(error)).await.unwrap();
                (provider, ids)
            }
            Request::Single(out) => {
                let (provider, ids) = (out.row.iys_code, vec![out.row.consent_id]);
                let answer = words::answer(&Err(error));
                filing::record(app, provider, vec![(out.row, answer)]).await.unwrap();
                (provider, ids)
            }
        };
        let mut tx = app.db.read().await.unwrap();
        for row in submissions::find_many(&mut tx, provider, ids).await.unwrap() {
            assert_eq!(row.state, SubmissionState::Queued, "nothing has left the house");
            case.waits_until = case.waits_until.max(row.next_attempt_at);
        }
        drop(tx);
        let silent = app.registry.silent_until().await.unwrap();
        case.waits_until = case.waits_until.max(silent.unwrap_or(case.start));
    }
}

impl Request {
    fn operation(&self) -> Operation {
        match self {
            Self::Batch(..) => Operation::AddBatch,
            Self::Single(_) => Operation::Add,
        }
    }
}

trait Cut {
    fn now_cut(&self) -> DateTime<Utc>;
}

impl Cut for Arc<FixedClock> {
    fn now_cut(&self) -> DateTime<Utc> {
        kopru_domain::Clock::now(self)
    }
}

enum Request {
    Batch(Box<BatchRow>, Bytes, Vec<usize>),
    Single(Box<Outgoing>),
}

/// A case that is being played.
struct Case<'a> {
    load: &'a Load,
    start: DateTime<Utc>,
    turns: [Turn; 2],
    hands: [VecDeque<Request>; 2],
    places: HashMap<Uuid, usize>,
    /// Until when something waits because of the outage.
    waits_until: DateTime<Utc>,
    /// How often each brand was passed over since its turn, by status.
    passed: [[u32; BRANDS]; 2],
    played: Played,
}

impl<'a> Case<'a> {
    fn new(load: &'a Load, start: DateTime<Utc>) -> Self {
        let reserve = Reserve {
            outage: SLOT * i32::try_from(load.reserve).unwrap(),
            share: f64::from(load.share) / 100.0,
        };
        let count = load.items.len();
        Self {
            load,
            start,
            turns: [(); 2].map(|()| Turn::scaled(load.items_per_request, reserve)),
            hands: [VecDeque::new(), VecDeque::new()],
            places: HashMap::new(),
            waits_until: start,
            passed: [[0; BRANDS]; 2],
            played: Played { filed: vec![None; count], silent: Vec::new(), trace: Vec::new(), fault: None },
        }
    }

    fn at(&self, slot: u32) -> DateTime<Utc> {
        self.start + SLOT * i32::try_from(slot).unwrap()
    }

    fn is_through(&self) -> bool {
        self.played.filed.iter().all(Option::is_some)
    }

    fn file(&mut self, place: usize, slot: u32) {
        assert_eq!(self.played.filed[place].replace(slot), None, "filed twice");
    }

    /// Holds a claim against the rules of design.md section 4.5.
    fn claimed(&mut self, slot: u32, claimer: usize, places: &[usize]) {
        let items = &self.load.items;
        let open: Vec<usize> = (0..items.len())
            .filter(|place| self.played.filed[*place].is_none() && !self.in_hand(*place, places))
            .filter(|place| items[*place].arrival <= slot)
            .collect();
        let mut targets: Vec<u32> = places.iter().map(|place| items[*place].target).collect();
        targets.sort_unstable();
        let comfortable = safe(self.load, open.clone(), slot, 1 + self.load.reserve, self.load.share);
        let brand = items[places[0]].brand;
        let order = if comfortable { "in turn" } else { "by target" };
        self.played
            .trace
            .push(format!("{slot}: claimer {claimer} takes {places:?} of brand {brand}, {order}"));
        // Where something waits for another try, or for its brand, the queue is not what it looks like.
        let held = self.load.held.is_some_and(|(_, until)| slot < until);
        if held || self.waits_until > self.at(slot) {
            self.passed = [[0; BRANDS]; 2];
            return;
        }
        let fault = if comfortable {
            self.in_turn(places, &open, brand)
        } else {
            self.passed = [[0; BRANDS]; 2];
            by_target(self.load, &open, brand, &targets)
        };
        if let Some(fault) = fault {
            self.played.fault.get_or_insert(format!("slot {slot}: {fault}"));
        }
    }

    /// Whether an item was claimed before this claim and is not filed.
    fn in_hand(&self, place: usize, of_this: &[usize]) -> bool {
        !of_this.contains(&place)
            && self.hands.iter().flatten().any(|request| match request {
                Request::Batch(_, _, places) => places.contains(&place),
                Request::Single(out) => self.places[&out.row.consent_id] == place,
            })
    }

    fn in_turn(&mut self, places: &[usize], open: &[usize], brand: usize) -> Option<String> {
        let items = &self.load.items;
        let approvals = places.iter().any(|place| !items[*place].rejection);
        let left = open.iter().filter(|place| !places.contains(place));
        let waiting: Vec<&Item> = left.map(|place| &items[*place]).collect();
        if approvals && waiting.iter().any(|item| item.rejection) {
            return Some("a RET waits behind an ONAY".to_owned());
        }
        let passed = &mut self.passed[usize::from(approvals)];
        passed[brand] = 0;
        for (other, passed) in passed.iter_mut().enumerate() {
            let waits = waiting.iter().any(|item| item.brand == other && item.rejection != approvals);
            if other != brand {
                *passed = if waits { *passed + 1 } else { 0 };
            }
        }
        // Each of two claimers goes round by itself.
        let most = 2 * BRANDS as u32;
        passed.iter().any(|passed| *passed > most).then(|| "a brand waits behind another's".to_owned())
    }
}

fn by_target(load: &Load, open: &[usize], brand: usize, claimed: &[u32]) -> Option<String> {
    let earliest = open.iter().map(|place| load.items[*place].target).min();
    let mut own: Vec<u32> = open
        .iter()
        .map(|place| &load.items[*place])
        .filter(|item| item.brand == brand)
        .map(|item| item.target)
        .collect();
    own.sort_unstable();
    own.truncate(load.items_per_request as usize);
    if own.first().copied() != earliest {
        return Some(format!("brand {brand} goes, whose earliest target is not the earliest {earliest:?}"));
    }
    (own != claimed).then(|| format!("brand {brand} sends {claimed:?} and not its earliest {own:?}"))
}
