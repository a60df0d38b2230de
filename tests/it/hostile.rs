//! A day on which little works: the sandbox's shipped `hostile-day` (low limits, failures, withdrawn rights, providers that
//! are paused, closed or full) for fifty providers, with citizens and clients who act meanwhile and workers that die.
//!
//! In the end every consent has ended or says why it waits, nothing is lost, nothing was filed twice, and the mirror of every
//! brand that may be read is what the sandbox holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::worker;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, scaled};

/// Providers of the day, the scenario's own among them.
const PROVIDERS: usize = 50;
/// Consents of the gate's run; the full run has 50 000.
const GATE: usize = 2_000;
const PARTNER: i64 = 900_001;
/// How much faster than the wire business time runs while there is work: a second in so many milliseconds.
const SECOND: Duration = Duration::from_millis(25);
/// Requests a second of the bridge; the registry refuses more than three.
const PACE: f64 = 2.5;
const UNDER_WAY: [&str; 4] = ["queued", "in_flight", "batched", "unresolved"];
/// What the registry says where a right, a subscription or room is missing.
const WITHHELD: [&str; 7] = ["H353", "H355", "H520", "H521", "H524", "H525", "H586"];

fn size() -> usize {
    scaled(GATE, 50_000)
}

#[expect(clippy::disallowed_methods, reason = "business time is moved, and leases run out, in real time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A brand as the partner sees it.
#[derive(Clone, Copy)]
struct Brand {
    code: i64,
    place: usize,
    /// Its feed can be read: the provider is in good standing and gave the partner a right.
    readable: bool,
}

impl Brand {
    fn address(self, number: usize) -> (String, &'static str) {
        match number % 10 {
            0 => (format!("kisi{number}.{}@ornek.com", self.place), "EPOSTA"),
            1 => (self.phone(number), "ARAMA"),
            _ => (self.phone(number), "MESAJ"),
        }
    }

    fn phone(self, number: usize) -> String {
        format!("+90532{:07}", self.place * 10_000 + number)
    }
}

/// The bridge, its replicas, and what was posted.
struct Day {
    bridge: Bridge,
    replicas: Vec<App>,
    brands: Vec<Brand>,
    accepted: HashMap<i64, HashSet<String>>,
}

impl Day {
    async fn begin(database: Database) -> Self {
        let registry = Registry::scenario("hostile-day").await;
        let options = Options {
            batch_threshold: Some(10),
            requests_per_second: Some(PACE),
            registry_timeout: Some(Duration::from_millis(400)),
            lease: Some(Duration::from_secs(3)),
            ..Options::default()
        };
        let bridge = Bridge::with(database, registry, options).await;
        let mut day = Self { bridge, replicas: Vec::new(), brands: Vec::new(), accepted: HashMap::new() };
        day.replicas.push(day.bridge.app.clone());
        if database == Database::Postgres {
            day.replicas.push(day.another().await);
        }
        day.enrol().await;
        day
    }

    async fn another(&self) -> App {
        let clocks = Clocks::default();
        clocks.set_offset(self.bridge.registry.sandbox.clock_offset());
        App::start(self.bridge.app.config.clone(), clocks, Lifecycle::new()).await.unwrap()
    }

    /// Adds providers that work until there are enough, and tells the bridge of all.
    async fn enrol(&mut self) {
        let there = self.bridge.registry.get("providers", &[]).await["list"].as_array().unwrap().len();
        for number in 0..PROVIDERS - there {
            let code = 630_100 + 100 * number;
            let right = json!({"integratorCode": PARTNER, "brandCode": code, "agreementControl": true});
            let provider = json!({"iysCode": code, "title": format!("SAĞLAM {number} TİCARET ANONİM ŞİRKETİ"),
                "brands": [{"brandCode": code, "name": format!("Sağlam {number}")}], "authorisations": [right]});
            self.bridge.registry.post("providers", provider).await;
        }
        let providers = self.bridge.registry.get("providers", &[]).await;
        for provider in providers["list"].as_array().unwrap() {
            self.enrol_one(provider).await;
        }
        assert!(self.brands.len() >= PROVIDERS, "{} brands", self.brands.len());
    }

    async fn enrol_one(&mut self, provider: &Value) {
        let (bridge, seed) = (&self.bridge, &self.bridge.registry.seed);
        let code = provider["iysCode"].as_i64().unwrap();
        if code != seed.iys_code {
            let body = json!({"iysCode": code, "title": provider["title"]});
            let answer = bridge.post_as(&bridge.admin, "/v1/providers", body).await;
            assert_eq!(answer.0, 201, "{}", answer.1);
        }
        let subscription = &provider["subscription"];
        let stands = subscription["status"] == "ACTIVE" && subscription["apiUse"] != json!(false);
        for brand in provider["brands"].as_array().unwrap() {
            let brand_code = brand["brandCode"].as_i64().unwrap();
            if brand_code != seed.brand_code {
                let body = json!({"iysCode": code, "brandCode": brand_code, "name": brand["name"]});
                let answer = bridge.post_as(&bridge.admin, "/v1/brands", body).await;
                assert_eq!(answer.0, 201, "{}", answer.1);
            }
            let rights = provider["authorisations"].as_array().unwrap();
            let right = rights.iter().any(|right| right["brandCode"] == brand_code);
            self.brands.push(Brand { code: brand_code, place: self.brands.len(), readable: stands && right });
        }
    }

    /// A client posts a decision of each of these addresses of every brand.
    async fn clients(&mut self, numbers: &[usize], status: &str, date: DateTime<Utc>) {
        for brand in self.brands.clone() {
            let items: Vec<Value> = numbers
                .iter()
                .map(|number| {
                    let (recipient, kind) = brand.address(*number);
                    json!({"recipient": recipient, "type": kind, "status": status, "source": "HS_WEB",
                        "recipientType": "BIREYSEL", "consentDate": kopru_domain::time::format_rfc3339(date)})
                })
                .collect();
            for part in items.chunks(1_000) {
                let path = format!("/v1/brands/{}/consents", brand.code);
                let (code, answer) = self.bridge.post(&path, json!(part)).await;
                assert_eq!(code, 202, "{answer}");
                assert_eq!(answer["refused"].as_array().map_or(0, Vec::len), 0, "{answer}");
                let ids = answer["accepted"].as_array().unwrap().iter();
                let ids = ids.map(|item| item["id"].as_str().unwrap().to_owned());
                self.accepted.entry(brand.code).or_default().extend(ids);
            }
        }
    }

    /// Citizens decide at the registry about each of these addresses of every brand that can be read.
    async fn citizens(&self, numbers: impl Iterator<Item = usize> + Clone, status: &str, source: &str) {
        for brand in self.brands.iter().filter(|brand| brand.readable) {
            for number in numbers.clone() {
                let (recipient, kind) = brand.address(number);
                let body = json!({"brandCode": brand.code, "recipient": recipient, "recipientType": "BIREYSEL",
                    "type": kind, "status": status, "source": source});
                self.bridge.registry.post("citizen/movements", body).await;
            }
        }
    }

    /// The operator closes lines. One that nobody consented for is none to close.
    async fn lines_close(&self, numbers: impl Iterator<Item = usize> + Clone) {
        for brand in self.brands.iter().filter(|brand| brand.readable) {
            for number in numbers.clone() {
                let body = json!({ "recipient": brand.phone(number) });
                self.bridge.registry.try_post("line-closure", body).await;
            }
        }
    }

    fn follow_clock(&self) {
        // The bridge serves requests also when the worker that it began with has died.
        for app in self.replicas.iter().chain([&self.bridge.app]) {
            app.clocks.set_offset(self.bridge.registry.sandbox.clock_offset());
        }
    }

    /// All replicas work until nothing is due, while time runs fast.
    async fn work(&self) {
        tokio::select! {
            () = async { drop(join_all(self.replicas.iter().map(drained)).await) } => {}
            () = self.hurry() => {}
        }
    }

    /// Works for so long, and then a replica dies where it stands; another takes its place.
    async fn work_and_die(&mut self, after: Duration) {
        drop(tokio::time::timeout(after, self.work()).await);
        let reborn = self.another().await;
        self.replicas.pop();
        self.replicas.push(reborn);
    }

    async fn hurry(&self) {
        loop {
            pause(SECOND).await;
            self.bridge.registry.advance("1s").await;
            self.follow_clock();
        }
    }

    async fn advance(&self, step: &str) {
        self.bridge.registry.advance(step).await;
        self.follow_clock();
    }

    /// Works and lets time pass until nothing is under way; returns in how many steps.
    async fn finish(&self) -> usize {
        for step in 0.. {
            self.work().await;
            let under_way = self.under_way().await;
            if under_way.is_empty() {
                return step;
            }
            if step == 60 {
                let stats = self.bridge.registry.stats().await;
                panic!("still under way: {under_way:#?}\n{stats}");
            }
            // What the dead had in hand comes back in real time.
            pause(Duration::from_millis(100)).await;
            self.advance("7m").await;
        }
        unreachable!("the loop has no end")
    }

    /// What has neither ended nor says why it waits, a few of each brand.
    async fn under_way(&self) -> Vec<Value> {
        let mut tx = self.bridge.app.db.read().await.unwrap();
        let counts = kopru_store::submissions::counts(&mut tx).await.unwrap();
        drop(tx);
        let mut found = Vec::new();
        for state in UNDER_WAY {
            if counts.iter().all(|open| open.state.as_str() != state) {
                continue;
            }
            for brand in &self.brands {
                let path = format!("/v1/brands/{}/consents?state={state}&limit=1000", brand.code);
                let (status, page) = self.bridge.get(&path).await;
                assert_eq!(status, 200, "{page}");
                let items = page["items"].as_array().unwrap().iter();
                found.extend(items.filter(|item| !waits_for_others(item)).take(3).cloned());
            }
        }
        found
    }

    /// Every consent is there, and has ended or says why it waits.
    async fn all_explained(&self) -> BTreeMap<String, usize> {
        let mut tally: BTreeMap<String, usize> = BTreeMap::new();
        for brand in &self.brands {
            let mut missing = self.accepted[&brand.code].clone();
            for item in self.listed(brand.code).await {
                missing.remove(item["id"].as_str().unwrap());
                let (state, code) = (item["state"].as_str().unwrap(), item["code"].as_str());
                *tally.entry(format!("{state} {}", code.unwrap_or_default())).or_default() += 1;
                match state {
                    "registered" | "superseded" => {}
                    "refused" | "expired" | "not_needed" | "held" => {
                        assert!(item["explanation"]["title"].is_string(), "unexplained: {item}");
                    }
                    _ => assert!(waits_for_others(&item), "under way: {item}"),
                }
            }
            assert!(missing.is_empty(), "lost: {missing:?}");
        }
        tally
    }

    async fn listed(&self, brand: i64) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/brands/{brand}/consents?limit=1000{after}");
            let (status, page) = self.bridge.get(&path).await;
            assert_eq!(status, 200, "{page}");
            items.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) if page["hasMore"] != json!(false) => after = format!("&after={next}"),
                _ => return items,
            }
        }
    }

    /// Nothing was filed twice, nothing that was not posted was filed, and the mirror is what the sandbox holds.
    async fn mirrors_are_true(&self, since: DateTime<Utc>) {
        for brand in &self.brands {
            let movements = self.bridge.registry.movements_of(brand.code).await;
            let mut truth: HashMap<(String, String), &Value> = HashMap::new();
            let mut filed: HashSet<(String, String, String, String)> = HashSet::new();
            for movement in &movements {
                let text = |name: &str| movement[name].as_str().unwrap_or_default().to_owned();
                if movement["side"] == "HS" && created(movement) >= since {
                    let one = (text("recipient"), text("type"), text("status"), text("consentDate"));
                    assert!(filed.insert(one), "filed twice: {movement}");
                }
                truth.insert((text("recipient"), text("type")), movement);
            }
            let of_today = filed.len();
            assert!(of_today <= self.accepted[&brand.code].len(), "{of_today} were filed of {}", brand.code);
            if brand.readable {
                self.mirror_is_true(*brand, truth, since).await;
            }
        }
    }

    async fn mirror_is_true(
        &self,
        brand: Brand,
        truth: HashMap<(String, String), &Value>,
        since: DateTime<Utc>,
    ) {
        let path = format!("/v1/brands/{}/permissions/query", brand.code);
        for ((recipient, kind), movement) in truth {
            // What happened before the feed's window is not told.
            if created(movement) < since {
                continue;
            }
            let query = json!({"recipient": recipient, "type": kind, "recipientType": "BIREYSEL"});
            let (status, answer) = self.bridge.post(&path, query).await;
            assert_eq!(status, 200, "{answer}");
            let mirror = &answer["permissions"][0]["registry"];
            assert_eq!(
                (mirror["status"].as_str(), mirror["transactionId"].as_str()),
                (movement["status"].as_str(), movement["transactionId"].as_str()),
                "the sandbox holds {movement}, the mirror {answer}"
            );
        }
    }
}

/// Waits for somebody else to act, and says for whom and why.
fn waits_for_others(item: &Value) -> bool {
    let code = item["code"].as_str().unwrap_or_default();
    item["explanation"]["title"].is_string() && WITHHELD.contains(&code)
}

fn created(movement: &Value) -> DateTime<Utc> {
    let text = format!("{} +0300", movement["creationDate"].as_str().unwrap());
    DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S %z").unwrap().to_utc()
}

async fn drained(app: &App) {
    if let Err(error) = worker::drain(app).await {
        panic!("{error}");
    }
}

on_both_databases! {
    async fn every_consent_ends_and_every_mirror_is_true(database: Database) {
        let mut day = Day::begin(database).await;
        let begun = day.bridge.app.clocks.business();
        let half = size() / day.brands.len() / 2;
        let given = |day: &Day| day.bridge.app.clocks.business() - TimeDelta::minutes(1);

        let early: Vec<usize> = (0..half).collect();
        day.clients(&early, "ONAY", given(&day)).await;
        day.work_and_die(Duration::from_millis(1_500)).await;
        day.work().await;
        day.citizens((0..half).step_by(8), "RET", "IYS_WEB").await;
        day.lines_close((5..half).step_by(16)).await;

        let late: Vec<usize> = (half..2 * half).collect();
        day.clients(&late, "ONAY", given(&day)).await;
        let refusing: Vec<usize> = (0..half).filter(|number| number % 9 == 1).collect();
        day.clients(&refusing, "RET", given(&day)).await;
        day.work_and_die(Duration::from_millis(2_500)).await;
        day.advance("40m").await;
        day.work().await;
        day.citizens((0..half).step_by(24), "ONAY", "IYS_MOBIL").await;
        day.citizens((half..2 * half).step_by(12), "RET", "IYS_KISAMESAJ").await;
        // Clients who do not know yet what the citizens have said.
        let again: Vec<usize> = (0..half).filter(|number| number % 7 == 3).collect();
        day.clients(&again, "ONAY", given(&day)).await;

        let steps = day.finish().await;
        // The feed hides its last hour, and some of its pages fail.
        for _ in 0..6 {
            day.advance("16m").await;
            day.work().await;
        }
        // What waits for others was tried again meanwhile, perhaps into a fault.
        day.finish().await;
        let tally = day.all_explained().await;
        let stats = day.bridge.registry.stats().await;
        let hours = (day.bridge.app.clocks.business() - begun).num_minutes() as f64 / 60.0;
        println!("{steps} steps, {hours:.1} hours: {tally:?}\n{stats}");
        day.mirrors_are_true(begun - TimeDelta::days(6)).await;
        day.bridge.ledger_holds().await;
        day.calls_are_bounded(&stats, hours);
    }
}

impl Day {
    /// No busy loop: what was called is in proportion to what there was to do.
    fn calls_are_bounded(&self, stats: &Value, hours: f64) {
        let calls = |operation: &str| stats["operations"][operation]["calls"].as_f64().unwrap_or_default();
        let consents: usize = self.accepted.values().map(HashSet::len).sum();
        let brands = self.brands.len() as f64;
        let within = |operation: &str, most: f64| {
            let made = calls(operation);
            assert!(made <= most, "{made} calls of {operation} in {hours:.1} hours, at most {most}: {stats}");
        };
        within("add_batch", consents as f64 / 100.0 + brands * 10.0);
        within("batch_result", brands * 30.0);
        within("add", consents as f64 / 2.0 + brands * 20.0);
        within("status", 60.0 * (hours + 1.0));
        within("token", 10.0 * (hours + 1.0));
        // Two feeds a brand every quarter of an hour, and a few pages and failures more.
        within("changes", brands * 2.0 * (hours * 4.0 + 2.0) * 1.5);
    }
}
