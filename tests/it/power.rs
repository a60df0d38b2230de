//! A loss of power at any moment takes nothing back that was acknowledged (SQLite).
//!
//! A killed process leaves the kernel with all it wrote; only a loss of power shows what was synced too late or not at all. The
//! program runs with a recorder before the C library (`power/record.c`), and from its notes the disk is put together as it may
//! have been found at many moments: what was synced, and of the rest nothing, some of it (half-written pages among it), or all.

mod disk;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use kopru::clocks::Clocks;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{consent, scaled};
use disk::{Disk, Record, Rest};

const BRAND: &str = "600200";
const PROVIDER: &str = "600100";

/// Consents that are taken in; in the full run the log is copied into the database and begins anew, several times.
fn enough() -> u64 {
    scaled(12_000, 100_000)
}

/// How many moments are looked at.
fn moments() -> usize {
    scaled(20, 100)
}

/// A folder with a provider, a brand and a key, and the recorder beside it.
struct House {
    folder: TempDir,
    key: String,
}

impl House {
    fn new() -> Self {
        let mut house = Self { folder: tempfile::tempdir().unwrap(), key: String::new() };
        house.run(&["provider", "add", "--title", "Demo", PROVIDER]);
        house.run(&["brand", "add", "--provider", PROVIDER, "--name", "Demo", BRAND]);
        let scopes = ["--scopes", "consents:write", "--provider", PROVIDER];
        let key = house.run(&[&["key", "add", "--name", "test"], &scopes[..]].concat());
        key["key"].as_str().unwrap().clone_into(&mut house.key);
        house
    }

    fn data(&self) -> PathBuf {
        // The recorder goes by names, and the program by what they lead to.
        self.folder.path().canonicalize().unwrap().join("data")
    }

    fn notes(&self) -> PathBuf {
        self.folder.path().join("notes")
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kopru"));
        command
            .env("KOPRU__DATA_DIR", self.data())
            .env("KOPRU__HTTP__LISTEN", "127.0.0.1:0")
            .env("KOPRU__METRICS__LISTEN", "127.0.0.1:0")
            .env("KOPRU__HTTP__REQUESTS_PER_SECOND_PER_KEY", "1000000")
            .env("KOPRU__SECURITY__MASTER_KEY", "11".repeat(32))
            .env("KOPRU__LOG__LEVEL", "error")
            .arg("--json");
        command
    }

    fn run(&self, args: &[&str]) -> Value {
        let output = self.program().args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The program under the eyes of the recorder.
    fn spawn(&self) -> Child {
        let recorder = self.folder.path().join("record.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/power/record.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&recorder)
            .args([source, "-ldl"])
            .status();
        assert!(compiled.unwrap().success(), "{source} does not compile");
        self.program()
            .arg("serve")
            .env("LD_PRELOAD", recorder)
            .env("RECORD_FOLDER", self.data())
            .env("RECORD_FILE", self.notes())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The program once it serves, and its address.
    fn serve(&self) -> (Child, String) {
        let mut child = self.spawn();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let greeting: Value = serde_json::from_str(&greeting).unwrap();
        (child, greeting["api"].as_str().unwrap().to_owned())
    }
}

/// Ids that were acknowledged when the notes were so long.
struct Acknowledged {
    notes: u64,
    ids: Vec<String>,
}

fn numbered(number: u64, given: DateTime<Utc>) -> Value {
    let status = if number.is_multiple_of(10) { "RET" } else { "ONAY" };
    // Scattered, as people's numbers are.
    consent(&format!("+9053{:08}", number * 38_196_601 % 100_000_000), "MESAJ", status, given)
}

/// Posts single consents and arrays side by side, until those of these numbers are taken.
async fn post(house: &House, api: &str, numbers: Range<u64>) -> Vec<Acknowledged> {
    let url: Arc<str> = format!("{api}/v1/brands/{BRAND}/consents").into();
    let given = Clocks::default().business() - TimeDelta::minutes(5);
    let next = Arc::new(AtomicU64::new(numbers.start));
    let http = reqwest::Client::builder().build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for size in [1, 1, 1, 1, 1, 1, 1, 1, 40, 250] {
        let (http, url, key, notes, next) =
            (http.clone(), url.clone(), house.key.clone(), house.notes(), next.clone());
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            loop {
                let first = next.fetch_add(size, Ordering::Relaxed);
                if first >= numbers.end {
                    return acknowledged;
                }
                let body = if size == 1 {
                    numbered(first, given)
                } else {
                    (first..first + size).map(|number| numbered(number, given)).collect()
                };
                let response = http.post(&*url).bearer_auth(&key).json(&body).send().await.unwrap();
                let (status, answer) = (response.status(), response.json::<Value>().await.unwrap());
                assert_eq!(status, 202, "{answer}");
                let ids =
                    answer["accepted"].as_array().unwrap().iter().map(|taken| taken["id"].as_str().unwrap());
                acknowledged.push(Acknowledged {
                    ids: ids.map(|id| id.replace('-', "")).collect(),
                    notes: std::fs::metadata(&notes).unwrap().len(),
                });
            }
        });
    }
    let mut all: Vec<Acknowledged> = tasks.join_all().await.into_iter().flatten().collect();
    all.sort_by_key(|acknowledged| acknowledged.notes);
    all
}

/// What is found when the power is back.
async fn found(folder: &Path) -> HashSet<String> {
    use sqlx::{ConnectOptions as _, Row as _};

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("kopru.db"));
    let mut connection = options.connect().await.unwrap();
    let whole: String = sqlx::query_scalar("PRAGMA quick_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(whole, "ok");
    let together = "SELECT (SELECT count(*) FROM consents) AS consents, (SELECT count(*) FROM submissions) AS submissions,
        (SELECT ledger_seq FROM heads WHERE iys_code = $1) AS head";
    let row = sqlx::query(together).bind(PROVIDER).fetch_one(&mut connection).await.unwrap();
    let counts: [i64; 3] = ["consents", "submissions", "head"].map(|column| row.get(column));
    assert!(counts.iter().all(|count| *count == counts[0]), "half a transaction is there: {counts:?}");
    let ids =
        sqlx::query_scalar("SELECT lower(hex(id)) FROM consents").fetch_all(&mut connection).await.unwrap();
    ids.into_iter().collect()
}

/// Whatever becomes of what is not synced: what was told is there.
async fn holds(disk: &Disk, seed: u64, told: &[&String]) {
    for rest in [Rest::Nothing, Rest::Some(seed), Rest::All] {
        let folder = tempfile::tempdir().unwrap();
        disk.leave(folder.path(), rest);
        let found = found(folder.path()).await;
        let lost = told.iter().filter(|id| !found.contains(**id)).count();
        assert_eq!(lost, 0, "of {} acknowledged, {rest:?}", told.len());
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn can_record() -> bool {
    let can = cfg!(all(target_os = "linux", target_env = "gnu"));
    if !can {
        println!("SKIPPED: the recorder is made for Linux with the GNU C library");
    }
    can
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_of_power_takes_nothing_back() {
    if !can_record() {
        return;
    }
    let house = House::new();
    let disk = Disk::begin(&house.data());
    let (child, api) = house.serve();
    let acknowledged = post(&house, &api, 0..enough()).await;
    kill(child);
    look(&house, disk, &acknowledged, Some(moments())).await;
}

/// Looks at the disk just before syncs are known to have ended, so many or all: nobody can have been told yet of what they bring to
/// it.
async fn look(house: &House, mut disk: Disk, acknowledged: &[Acknowledged], moments: Option<usize>) {
    let notes = std::fs::read(house.notes()).unwrap();
    let is_looked_at = |record: &Record<'_>| record.is_synced() && record.end >= acknowledged[0].notes;
    let syncs = disk::records(&notes).filter(is_looked_at).count();
    let moments = moments.unwrap_or(syncs);
    assert!(syncs >= moments && moments > 0, "only {syncs} syncs");
    let mut synced = 0;
    for record in disk::records(&notes) {
        if is_looked_at(&record) {
            synced += 1;
            if synced % (syncs / moments) == 0 {
                let told = acknowledged.iter().take_while(|acknowledged| acknowledged.notes < record.end);
                let told: Vec<&String> = told.flat_map(|acknowledged| &acknowledged.ids).collect();
                holds(&disk, record.end, &told).await;
            }
        }
        disk.apply(&record);
    }
    let told: Vec<&String> = acknowledged.iter().flat_map(|acknowledged| &acknowledged.ids).collect();
    holds(&disk, 1, &told).await;
    println!("{syncs} syncs, {} acknowledgements", acknowledged.len());
}

/// After a failed sync the kernel calls the next one a success and shows what is on no disk. The program went on writing, a restart
/// built on what was only shown, and a checkpoint of it would have torn the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_stops_the_program_and_the_next_start_makes_it_good() {
    if !can_record() {
        return;
    }
    let house = House::new();
    let disk = Disk::begin(&house.data());
    let (child, api) = house.serve();
    let mut acknowledged = post(&house, &api, 0..500).await;
    kill(child);

    // The log is empty again, but for one consent: of the pages that are lost now, few stand in what was synced of it.
    let (mut child, api) = house.serve();
    acknowledged.extend(post(&house, &api, 1_000..1_001).await);
    let broken = house.data().join("kopru.db-wal.broken");
    File::create(&broken).unwrap();
    let url = format!("{api}/v1/brands/{BRAND}/consents");
    let http = reqwest::Client::builder().build().unwrap();
    let given = Clocks::default().business() - TimeDelta::minutes(5);
    let body: Value = (1_500..1_750).map(|number| numbered(number, given)).collect();
    // Or the service's own work has met the disk first, and it is ending.
    if let Ok(refused) = http.post(url).bearer_auth(&house.key).json(&body).send().await {
        assert_eq!(refused.status(), 503, "{:?}", refused.text().await);
    }
    stopped(&mut child);
    std::fs::remove_file(&broken).unwrap();

    // The database fails where the log has gone well: all stays in the log.
    let broken = house.data().join("kopru.db.broken");
    File::create(&broken).unwrap();
    let mut child = house.spawn();
    stopped(&mut child);
    std::fs::remove_file(&broken).unwrap();

    let (child, api) = house.serve();
    acknowledged.extend(post(&house, &api, 2_000..2_500).await);
    kill(child);
    assert!(acknowledged.iter().map(|acknowledged| acknowledged.ids.len()).sum::<usize>() >= 1_000);
    look(&house, disk, &acknowledged, None).await;
}

/// It ends by itself, and says why.
fn stopped(child: &mut Child) {
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("disk"), "{said}");
}
