//! The container files' own commands and settings, run natively: no image can be built where no engine runs.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Bridge, Database, Options, Registry, consent};

const COMPOSE: &str = include_str!("../../docker/compose.postgres.yaml");
const COMPOSE_SQLITE: &str = include_str!("../../docker/compose.yaml");
const DOCKERFILE: &str = include_str!("../../docker/Dockerfile");

/// The arrays of `command:` lines, in order.
fn commands(compose: &str) -> Vec<Vec<String>> {
    let lines = compose.lines().filter_map(|line| line.trim().strip_prefix("command: "));
    lines.map(|array| serde_json::from_str(array).unwrap()).collect()
}

/// The names of the settings that a file gives the program.
fn settings(compose: &str) -> Vec<String> {
    let lines = compose.lines().map(str::trim).filter(|line| line.starts_with("KOPRU__"));
    lines.map(|line| line.split([':', '=']).next().unwrap().to_owned()).collect()
}

/// What stands behind the settings of the PostgreSQL file here.
type Values = BTreeMap<&'static str, String>;

fn values(bridge: &Bridge) -> Values {
    let seed = &bridge.registry.seed;
    let secret = |name: &str, text: &str| {
        let file = bridge.database().folder().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    BTreeMap::from([
        ("KOPRU__DATABASE__URL_FILE", secret("database_url", &bridge.database().url)),
        ("KOPRU__SECURITY__MASTER_KEY_FILE", secret("master_key", &"11".repeat(32))),
        ("KOPRU__HTTP__PUBLIC_URL", "https://kopru.example".to_owned()),
        ("KOPRU__HTTP__TRUSTED_PROXIES", r#"["172.30.81.0/24"]"#.to_owned()),
        ("KOPRU__REGISTRY__URL", bridge.registry.url.clone()),
        ("KOPRU__REGISTRY__USERNAME", seed.username.clone()),
        ("KOPRU__REGISTRY__INTEGRATOR_CODE", seed.integrator_code.to_string()),
        ("KOPRU__REGISTRY__PASSWORD_FILE", secret("registry_password", &seed.password)),
    ])
}

fn start(bridge: &Bridge, values: &Values, command: &[String], listen: u16) -> Child {
    let mut program = Command::new(env!("CARGO_BIN_EXE_kopru"));
    program.args(command).stdout(Stdio::null()).stderr(Stdio::inherit());
    for name in settings(COMPOSE) {
        let value = values
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is new in the compose file: give it a value here"));
        program.env(&name, value);
    }
    program
        .env("KOPRU__DATA_DIR", bridge.database().folder())
        .env("KOPRU__HTTP__LISTEN", format!("127.0.0.1:{listen}"))
        .env("KOPRU__METRICS__LISTEN", "127.0.0.1:0")
        .env("KOPRU__LOG__LEVEL", "warn")
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[expect(clippy::disallowed_methods, reason = "other processes are waited for")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// SIGTERM, as an engine stops a container; returns whether the program ended well.
async fn stop(mut child: Child) -> bool {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        assert!(started.elapsed() < Duration::from_secs(45), "longer than the grace period");
        pause().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_composition_works() {
    let Some(database) = Database::postgres() else { return };
    let bridge = Bridge::with(database, Registry::start().await, Options::default()).await;
    let commands = commands(COMPOSE);
    let [migrate, api, worker] = commands.as_slice() else { panic!("{commands:?}") };
    let values = values(&bridge);
    assert!(start(&bridge, &values, migrate, 0).wait().unwrap().success());

    let ports = [free_port(), free_port()];
    let mut children: Vec<Child> = ports.iter().map(|port| start(&bridge, &values, api, *port)).collect();
    children.extend((0..2).map(|_| start(&bridge, &values, worker, 0)));
    let http = reqwest::Client::builder().build().unwrap();
    let started = Instant::now();
    for port in ports {
        while !http
            .get(format!("http://127.0.0.1:{port}/readyz"))
            .send()
            .await
            .is_ok_and(|r| r.status().is_success())
        {
            assert!(started.elapsed() < Duration::from_mins(1), "a replica does not get ready");
            pause().await;
        }
    }
    let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
    let url = format!("http://127.0.0.1:{}/v1/brands/{}/consents", ports[0], bridge.brand());
    let body = consent("+905321234567", "MESAJ", "ONAY", given);
    let answer: Value =
        http.post(url).bearer_auth(&bridge.key).json(&body).send().await.unwrap().json().await.unwrap();
    let id = answer["accepted"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    let url = format!("http://127.0.0.1:{}/v1/consents/{id}", ports[1]);
    loop {
        let state: Value =
            http.get(&url).bearer_auth(&bridge.key).send().await.unwrap().json().await.unwrap();
        if state["state"] == "registered" {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(90), "{state}");
        pause().await;
    }
    for child in children {
        assert!(stop(child).await, "a replica did not end well");
    }
}

/// The image's own command, and settings that the program knows: an unknown one is an error at start.
#[test]
fn the_image_and_the_sqlite_composition_name_what_exists() {
    let entry = DOCKERFILE.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let command: Vec<String> = serde_json::from_str(entry).unwrap();
    assert_eq!(command, ["serve"]);
    let names: Vec<String> = settings(COMPOSE_SQLITE).into_iter().chain(settings(DOCKERFILE)).collect();
    assert!(!names.is_empty());
    let reference = kopru::config::REFERENCE;
    for name in names {
        let path: Vec<String> =
            name.trim_start_matches("KOPRU__").to_lowercase().split("__").map(ToOwned::to_owned).collect();
        assert!(reference.contains(path.last().unwrap().as_str()), "{name} is not a setting");
    }
    for command in commands(COMPOSE_SQLITE) {
        let output = Command::new(env!("CARGO_BIN_EXE_kopru")).args(&command).arg("--help").output().unwrap();
        assert!(output.status.success(), "{command:?}");
    }
}
