//! A service that is stopped right after its start ends at once: no claim that is just being made keeps the others waiting.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::config::Config;
use kopru::lifecycle::Lifecycle;
use kopru::worker;

const STARTS: u32 = 20;
/// Far below `stop_timeout`, after which a stop gives up on what still runs.
const AT_ONCE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "the instant of the stop is what is tried")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_stop_whenever_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::for_tests(folder.path());
    config.registry.url = Some("http://127.0.0.1:1".parse().unwrap());
    for start in 0..STARTS {
        let lifecycle = Lifecycle::new();
        let app = App::start(config.clone(), Clocks::default(), lifecycle.clone()).await.unwrap();
        worker::spawn(&app);
        // From before the first claims to between later ones.
        pause(Duration::from_micros(u64::from(start) * 300)).await;
        lifecycle.stop();
        assert!(lifecycle.drained(AT_ONCE).await, "start {start}: {} tasks are left", lifecycle.tasks());
        app.db.close().await;
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
