//! The trial of `serve --sandbox`, and the other commands in a second terminal in the same folder.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The program in this folder, with nothing set but where it is.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kopru"));
    command.env("KOPRU__DATA_DIR", folder);
    command
}

/// The trial and its greeting.
fn serve(folder: &Path) -> (Child, Value) {
    let mut child = program(folder)
        .args(["serve", "--sandbox", "--json"])
        .env("KOPRU__HTTP__LISTEN", "127.0.0.1:0")
        .env("KOPRU__METRICS__LISTEN", "127.0.0.1:0")
        .env("KOPRU__SANDBOX__LISTEN", "127.0.0.1:0")
        .env("KOPRU__SANDBOX__TOKEN", "t0ken")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    // Its receiver goes on printing.
    std::thread::spawn(move || lines.for_each(drop));
    (child, greeting)
}

/// Runs a command beside it: whether it succeeds, and its lines.
fn beside(folder: &Path, args: &[&str]) -> (bool, Vec<Value>) {
    let output = program(folder).args(args).arg("--json").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}")));
    (output.status.success(), lines.collect())
}

fn succeeds(folder: &Path, args: &[&str]) -> Vec<Value> {
    let (success, lines) = beside(folder, args);
    assert!(success, "{args:?}: {lines:?}");
    lines
}

async fn control(greeting: &Value, method: reqwest::Method, path: &str, body: Value) {
    let url = format!("{}/_sandbox/{path}", greeting["sandbox"].as_str().unwrap());
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.request(method, url).bearer_auth("t0ken").json(&body);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

/// The other commands knew neither the registry of the trial nor its clock, and refused its receiver on loopback.
#[tokio::test(flavor = "multi_thread")]
async fn other_commands_in_its_folder_work_on_the_trial() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path();
    let (mut child, greeting) = serve(folder);
    let code = |name: &str| greeting[name].to_string();
    let (provider, brand) = (code("iysCode"), code("brandCode"));
    let note = folder.join("trial.json");
    assert!(!kopru::config::files::is_open_to_others(&note).unwrap());

    succeeds(folder, &["provider", "sync"]);
    let findings = succeeds(folder, &["doctor"]);
    for check in ["registry", "login"] {
        let found = findings.iter().find(|finding| finding["check"] == check).unwrap();
        assert_eq!(found["status"], "ok", "{found}");
    }
    let listed = succeeds(folder, &["endpoint", "list", "--provider", &provider]);
    let tested = succeeds(folder, &["endpoint", "test", listed[0]["id"].as_str().unwrap()]);
    assert_eq!(tested[0]["delivered"], true);
    succeeds(folder, &["endpoint", "add", "http://127.0.0.1:9/hook", "--provider", &provider]);
    control(&greeting, reqwest::Method::PUT, "settings", json!({"pushAllowHttp": true})).await;
    let added = succeeds(folder, &["push", "add", "--brand", &brand, "--type", "MESAJ"]);
    assert_eq!(added[0]["state"], "active");
    succeeds(folder, &["redrive", "--all"]);

    let now = |folder: &Path| {
        let forecast = succeeds(folder, &["forecast"]);
        chrono::DateTime::parse_from_rfc3339(forecast[0]["asOf"].as_str().unwrap()).unwrap()
    };
    let before = now(folder);
    control(&greeting, reqwest::Method::POST, "clock", json!({"advance": "72h"})).await;
    assert!(now(folder) - before >= chrono::TimeDelta::hours(72), "by the sandbox's clock");

    // What a killed process leaves does not count.
    child.kill().unwrap();
    child.wait().unwrap();
    let alone = |folder: &Path| {
        let (_, findings) = beside(folder, &["doctor"]);
        findings.iter().any(|it| it["check"] == "registry" && it["status"] == "warn")
    };
    assert!(note.exists() && alone(folder));

    let (mut child, _) = serve(folder);
    assert!(!alone(folder));
    let stop = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stop.success() && child.wait().unwrap().success());
    assert!(!note.exists() && alone(folder));
}
