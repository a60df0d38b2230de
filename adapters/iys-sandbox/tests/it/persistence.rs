//! What outlives a restart.

use serde_json::{Value, json};

use crate::world::{BRAND, World};

#[tokio::test]
async fn everything_told_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let world = World::open(Some(file.clone())).await;
    world.settings(json!({"batchDelaySeconds": 600, "feedDelaySeconds": 0})).await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    let mut other = consent.clone();
    other["recipient"] = "+905551112244".into();
    let accepted = world.partner("POST", &format!("{BRAND}/consents/request"), Some(&json!([other]))).await;
    let token = world.token("partner").await;
    world.advance("5m").await;
    let (seed, offset) = (world.seed.clone(), world.sandbox.clock_offset());
    world.stop().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the file holds passwords");
    }

    let world = World::open(Some(file)).await;
    assert_eq!(world.seed, seed, "the same accounts");
    assert_eq!(world.sandbox.clock_offset(), offset);
    let settings = world.control("GET", "/settings", Value::Null).await;
    assert_eq!((&settings["batchDelaySeconds"], &settings["feedDelaySeconds"]), (&json!(600), &json!(0)));
    let records = world.control("GET", "/consents?brandCode=600100", Value::Null).await;
    assert_eq!(records["list"].as_array().unwrap().len(), 1);
    let path = format!("{BRAND}/consents/request/{}", accepted.body["requestId"].as_str().unwrap());
    let ask = || crate::world::send(world.request("GET", &path).bearer_auth(&token));
    assert_eq!(ask().await.body, json!([]), "the old token lives on, the batch still waits");
    world.advance("6m").await;
    assert_eq!(ask().await.body[0]["status"], "success");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let world = World::open(Some(file.clone())).await;
    world.stop().await;
    // SQLite keeps user_version in bytes 60 to 63 of the file.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&file, bytes).unwrap();
    let config = iys_sandbox::SandboxConfig { data: Some(file), ..Default::default() };
    let error = iys_sandbox::Sandbox::open(config).unwrap_err();
    assert!(matches!(error, iys_sandbox::Error::SchemaTooNew { found: 99, .. }), "{error:?}");
}
