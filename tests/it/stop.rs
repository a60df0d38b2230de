//! A service that is told to stop ends at once, however short its life was and whatever it was doing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::worker;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const STARTS: u32 = 20;
/// Far below `stop_timeout`, after which a stop gives up on what still runs.
const AT_ONCE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "the instant of the stop is what is tried")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

on_both_databases! {
    /// Handlers are in hand and the next claims under way when the stop comes: a claim that nobody goes on with must not
    /// keep the write connection from the handlers.
    async fn workers_stop_in_the_midst_of_work(database: Database) {
        let options = Options { batch_threshold: Some(1_000), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        for start in 0..STARTS {
            let body: Vec<_> = (0..100)
                .map(|n| consent(&format!("+90532{:07}", start * 1_000 + n), "MESAJ", "ONAY", given))
                .collect();
            assert_eq!(bridge.consents(json!(body)).await.0, 202);
            let lifecycle = Lifecycle::new();
            let app = App::start(bridge.app.config.clone(), Clocks::default(), lifecycle.clone()).await.unwrap();
            worker::spawn(&app);
            pause(Duration::from_millis(u64::from(start) * 10)).await;
            lifecycle.stop();
            assert!(lifecycle.drained(AT_ONCE).await, "start {start}: {} tasks are left", lifecycle.tasks());
            app.db.close().await;
        }
    }
}

/// The program, ready to serve.
fn serve(folder: &std::path::Path) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kopru"))
        .args(["serve", "--json"])
        .env("KOPRU__DATA_DIR", folder)
        .env("KOPRU__HTTP__LISTEN", "127.0.0.1:0")
        .env("KOPRU__METRICS__LISTEN", "127.0.0.1:0")
        .env("KOPRU__LOG__LEVEL", "warn")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    child
}

#[test]
fn the_program_stops_right_after_its_start() {
    let folder = tempfile::tempdir().unwrap();
    for start in 0..STARTS {
        let mut child = serve(folder.path());
        std::thread::sleep(Duration::from_micros(u64::from(start) * 200));
        let told = Instant::now();
        let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let status = child.wait().unwrap();
        assert!(
            status.success() && told.elapsed() < AT_ONCE,
            "start {start}: {status} after {:?}",
            told.elapsed()
        );
    }
}
