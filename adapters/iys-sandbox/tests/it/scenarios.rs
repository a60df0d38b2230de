//! Scenario files: those that are shipped, and those that cannot be used.

use std::path::Path;

use iys_sandbox::{Error, Sandbox, SandboxConfig, Scenario, ScenarioError, Seed};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{World, client, send};

async fn start(scenario: Scenario) -> World {
    World::serve(SandboxConfig { scenario: Some(scenario), ..SandboxConfig::default() }, client()).await
}

async fn shipped(name: &str) -> World {
    let world = start(Scenario::load(Path::new(name)).unwrap()).await;
    world.settings(json!({"perSecondLimit": null})).await;
    world
}

/// Why a text is refused, when it is read or when it is applied.
fn refusal(text: &str) -> ScenarioError {
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => return error,
    };
    let config = SandboxConfig { scenario: Some(scenario), ..SandboxConfig::default() };
    match Sandbox::open(config) {
        Err(Error::Scenario(error)) => error,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_shipped_file_is_built_in_under_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut shipped = Scenario::SHIPPED.map(|(name, _)| name);
    shipped.sort_unstable();
    assert_eq!(names, shipped);
    for (_, text) in Scenario::SHIPPED {
        assert!(!Scenario::parse(text).unwrap().description().is_empty());
    }
}

#[tokio::test]
async fn the_small_shop_has_one_brand_and_a_customer_with_a_history() {
    let world = shipped("small-shop").await;
    assert_eq!((world.seed.iys_code, world.seed.integrator_code), (600_100, 900_001));
    let list = world.partner("GET", "/integrator/900001/sps", None).await.body;
    assert_eq!(
        (&list["pagination"]["totalCount"], &list["list"][0]["name"]),
        (&json!(1), &json!("Mavi Dükkân"))
    );
    let (mut browser, page) = Browser::citizen(&world, "05551112233").await;
    assert!(page.has("Mavi Dükkân") && page.has("(tacir)") && page.has("23.04.2026 10:00"));
    assert_eq!(browser.get("/vatandas/gecmis").await.html.matches("<tr>").count(), 1 + 5);
    let consent = world.consent("RET", 60).await;
    let answer = world.partner("POST", "/sps/600100/brands/600100/consents", Some(&consent)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn the_reseller_has_fifty_providers_with_mixed_rights() {
    let world = shipped("reseller").await;
    let providers = world.control("GET", "/providers", Value::Null).await;
    let providers = providers["list"].as_array().unwrap();
    assert_eq!(providers.len(), 50);
    let of = |code: i64| providers.iter().find(|provider| provider["iysCode"] == code).unwrap();
    assert_eq!(of(611_100)["title"], "MODA 2 GİYİM SANAYİ ANONİM ŞİRKETİ");
    let without_calls = providers.iter().filter(|it| it["authorisations"][0]["ARAMA"] == "none").count();
    assert_eq!(without_calls, 22);
    assert_eq!(of(700_100)["subscription"]["status"], "PAUSED");
    assert_eq!(of(710_100)["usedAddresses"], 97);
    let add = |iys_code: i64, brand_code: i64, consent: Value| {
        let world = &world;
        async move {
            let path = format!("/sps/{iys_code}/brands/{brand_code}/consents");
            world.partner("POST", &path, Some(&consent)).await
        }
    };
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(add(700_100, 700_100, consent.clone()).await.codes(), ["H520"]);
    assert_eq!(add(670_100, 670_102, consent.clone()).await.codes(), ["H353"]);
    let mut call = consent.clone();
    call["type"] = "ARAMA".into();
    assert_eq!(add(630_100, 630_100, call).await.codes(), ["H355"]);
    for last in 0..4 {
        let mut new = consent.clone();
        new["recipient"] = format!("+90532000000{last}").into();
        let answer = add(710_100, 710_100, new).await;
        let expected: &[&str] = if last < 3 { &[] } else { &["H525"] };
        assert_eq!(answer.codes(), expected, "the {last}. new address of three");
    }
}

#[tokio::test]
async fn the_hostile_day_is_hostile() {
    let scenario = Scenario::load(Path::new("hostile-day")).unwrap();
    let world = start(scenario).await;
    let settings = world.control("GET", "/settings", Value::Null).await;
    assert_eq!((&settings["perSecondLimit"], &settings["batchDelaySeconds"]), (&json!(3), &json!(900)));
    let faults = world.control("GET", "/faults", Value::Null).await;
    assert_eq!((&faults["list"][0]["operation"], &faults["list"][0]["every"]), (&json!("add"), &json!(7)));
    world.settings(json!({"perSecondLimit": null})).await;
    world.control("DELETE", "/faults", Value::Null).await;
    let consent = world.consent("ONAY", 60).await;
    for (code, expected) in [
        (610_100, "H355"),
        (620_100, "H520"),
        (621_100, "H520"),
        (622_100, "H521"),
        (623_100, "H586"),
        (624_100, "H525"),
    ] {
        let path = format!("/sps/{code}/brands/{code}/consents");
        let answer = world.partner("POST", &path, Some(&consent)).await;
        let codes: Vec<&Value> =
            answer.body["errors"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
        assert_eq!(codes, [expected], "{code}");
    }
}

#[tokio::test]
async fn a_fault_with_every_spares_the_others() {
    let world = World::start().await;
    world
        .control(
            "POST",
            "/faults",
            json!({"operation": "subscription", "kind": "500", "every": 3, "count": 2}),
        )
        .await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(world.partner("GET", "/sps/600100/subscription", None).await.status);
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500, 200, 200]);
    let wrong = json!({"operation": "add", "kind": "500", "every": 0});
    assert_eq!(send(world.request("POST", "/_sandbox/faults").json(&wrong)).await.status, 422);
}

const PROVIDER: &str = "[[partners]]\nintegratorCode = 900001\n[[providers]]\niysCode = 600100\n";

#[tokio::test]
async fn generated_consents_are_the_same_for_the_same_seed() {
    let mut lists = Vec::new();
    for seed in [1, 1, 2] {
        let text = format!(
            "seed = {seed}\n{PROVIDER}generated = {{ count = 30, types = [\"MESAJ\", \"EPOSTA\"], rejectedPercent = 50 }}"
        );
        let world = start(Scenario::parse(&text).unwrap()).await;
        let list = world.control("GET", "/consents?limit=1000", Value::Null).await;
        let list: Vec<(String, String)> = list["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| (record["recipient"].to_string(), record["status"].to_string()))
            .collect();
        assert_eq!(list.len(), 60);
        assert!(list.iter().filter(|(_, status)| status == "\"RET\"").count() > 15);
        lists.push(list);
    }
    assert_eq!(lists[0], lists[1]);
    assert_ne!(lists[0], lists[2]);
}

#[test]
fn a_scenario_is_applied_once_and_to_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = Some(folder.path().join("sandbox.db"));
    let scenario = || Some(Scenario::load(Path::new("small-shop")).unwrap());
    let open = |scenario| {
        Sandbox::open(SandboxConfig {
            data: data.clone(),
            scenario,
            seed: Seed::demo(),
            ..SandboxConfig::default()
        })
    };
    let seed = open(scenario()).unwrap().seed_info().cloned().unwrap();
    assert_eq!(open(None).unwrap().seed_info(), Some(&seed), "taken up again without the scenario");
    let error = open(scenario()).unwrap_err();
    let Error::Scenario(error @ ScenarioError::NotEmpty) = error else { panic!("{error:?}") };
    assert!(error.to_string().contains("another data file") && error.turkish().contains("veri dosyasıyla"));
}

#[test]
fn a_scenario_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = Some(folder.path().join("sandbox.db"));
    let broken = format!("{PROVIDER}[settings]\nperSecondLimit = 1\n[[faults]]\nkind = \"boom\"");
    let open = |text: &str| {
        let scenario = Some(Scenario::parse(text).unwrap());
        Sandbox::open(SandboxConfig { data: data.clone(), scenario, ..SandboxConfig::default() })
    };
    assert!(open(&broken).is_err());
    assert!(open(PROVIDER).unwrap().seed_info().is_some());
}

#[test]
fn a_scenario_without_a_partner_has_nobody_to_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    let data = Some(folder.path().join("sandbox.db"));
    let scenario = Some(Scenario::parse("[[providers]]\niysCode = 600100").unwrap());
    let config = SandboxConfig { data: data.clone(), scenario, ..SandboxConfig::default() };
    assert!(Sandbox::open(config).unwrap().seed_info().is_none());
    let again = SandboxConfig { data, seed: Seed::demo(), ..SandboxConfig::default() };
    assert!(Sandbox::open(again).unwrap().seed_info().is_none(), "no demo is put into it later");
}

#[test]
fn mistakes_are_named_with_their_place_in_both_languages() {
    let consent = |line: &str| {
        let good = [
            ("brandCode", "600100"),
            ("recipient", "\"+905551112233\""),
            ("type", "\"MESAJ\""),
            ("status", "\"ONAY\""),
        ];
        let key = line.split(' ').next().unwrap();
        let others: Vec<String> = good
            .iter()
            .filter(|(name, _)| *name != key)
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        format!("{PROVIDER}[[consents]]\n{}\n{line}\n", others.join("\n"))
    };
    for (text, field, says) in [
        (format!("{PROVIDER}[settings]\nperSecnd = 1"), "settings", "perSecnd"),
        (format!("{PROVIDER}[settings]\nperSecondLimit = \"many\""), "settings", "many"),
        (format!("{PROVIDER}[settings]\ndisabledRules = [\"none\"]"), "settings", "none"),
        (format!("{PROVIDER}brnds = []"), "providers[1]", "brnds"),
        (format!("{PROVIDER}copies = 0"), "providers[1].copies", "1000"),
        (format!("{PROVIDER}forms = [{{ formId = 1, kind = \"OTP\" }}]"), "providers[1]", "forms[].titles"),
        (format!("{PROVIDER}generated = {{ cnt = 1 }}"), "providers[1].generated", "cnt"),
        (format!("{PROVIDER}subscription = {{ status = \"OVER\" }}"), "providers[1]", "PAUSED"),
        (format!("{PROVIDER}[[providers]]\niysCode = 600100"), "providers[2].iysCode", "600100"),
        (
            format!("{PROVIDER}authorisations = [{{ integratorCode = 9, brandCode = 600100 }}]"),
            "providers[1]",
            "integratorCode",
        ),
        ("[[partners]]\ntitel = \"x\"".to_owned(), "partners[1]", "titel"),
        ("[[partners]]\nsubscription = { status = \"x\" }".to_owned(), "partners[1]", "ACTIVE"),
        (format!("{PROVIDER}[[faults]]\nkind = \"boom\""), "faults[1]", "slow"),
        (consent("brandCode = 5"), "consents[1].brandCode", "5"),
        (consent("type = \"EPOSTA\""), "consents[1].recipient", "ali@ornek.com"),
        (consent("source = \"WEB\""), "consents[1].source", "HS_WEB"),
        (consent("source = \"IYS_FOO\""), "consents[1].source", "IYS_MOBIL"),
        (consent("consentDate = \"2099-01-01 00:00:00\""), "consents[1].consentDate", "2026-11-20"),
        (consent("consentDate = \"dün\""), "consents[1].consentDate", "2026-11-20"),
        (consent("status = \"RET\""), "consents[1].status", "H175"),
    ] {
        let error = refusal(&text);
        let ScenarioError::Invalid { field: found, tr, en } = &error else { panic!("{text}: {error:?}") };
        assert_eq!(found, field, "{text}");
        assert!(tr.contains(says) && en.contains(says), "{text}: {tr} | {en}");
        assert!(error.to_string().starts_with(field) && error.turkish().starts_with(field));
    }
    for (text, says) in
        [("sed = 1", "sed"), ("seed = ", "line 1"), ("[[consents]]\nbrandCode = \"x\"", "brandCode")]
    {
        let error = refusal(text);
        let ScenarioError::Syntax(source) = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains(says), "{source}");
    }
    let error = Scenario::load(Path::new("no-such.toml")).unwrap_err();
    assert!(error.to_string().contains("small-shop") && error.turkish().contains("no-such.toml"));
}
