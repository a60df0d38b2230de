use std::fs;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use secrecy::ExposeSecret as _;

use super::*;

fn load(file: Option<&str>, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = file.map(|text| {
        let path = dir.path().join("kopru.toml");
        fs::write(&path, text).unwrap();
        path
    });
    Config::from_sources(path.as_deref(), variables.iter().copied())
}

fn refusal(file: Option<&str>, variables: &[(&str, &str)]) -> String {
    load(file, variables).unwrap_err().to_string()
}

#[test]
fn the_reference_is_a_usable_configuration() {
    let config = load(None, &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!(config.database_url(), "sqlite://./data/kopru.db");
    assert!(config.is_sqlite());
    assert!(config.http.listen.ip().is_loopback());
    assert!(config.metrics.listen.ip().is_loopback());
    assert!(config.sandbox.listen.ip().is_loopback());
    assert_eq!(config.registry.url, None);
    assert_eq!(config.registry.integrator_code, None);
    assert_eq!(config.filing.first_look, Duration::from_mins(5));
    assert_eq!(config.filing.lease, Duration::from_mins(2));
    assert!(config.security.master_key.is_none());
    assert!(!config.webhooks.allow_private_targets);
}

#[test]
fn the_turkish_reference_has_the_same_settings() {
    let settings = |text: &'static str| -> Vec<&str> {
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
    };
    assert_eq!(settings(REFERENCE), settings(REFERENCE_TR));
}

#[test]
fn the_tables_of_the_readmes_tell_the_defaults_of_the_reference() {
    let reference = Figment::new().merge(Toml::string(REFERENCE));
    let default = |key: &str| match reference.extract_inner(key) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Number(number)) => {
            number.as_f64().filter(|it| *it != 0.0).map_or_else(String::new, |it| it.to_string())
        }
        Ok(serde_json::Value::Bool(value)) => value.to_string(),
        Ok(serde_json::Value::Array(list)) if list.is_empty() => String::new(),
        other => panic!("{key}: {other:?}"),
    };
    let ticked =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut tables = Vec::new();
    for (readme, head) in [
        (include_str!("../../README.md"), "| key | default | meaning |"),
        (include_str!("../../README.tr.md"), "| ayar | varsayılan | anlamı |"),
    ] {
        let rows =
            readme.split_once(head).unwrap().1.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut keys = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.split('|').collect();
            let (names, told) = (ticked(cells[1]), ticked(cells[2]));
            let section = names[0].rsplit_once('.').map_or("", |(section, _)| section);
            for (index, name) in names.iter().enumerate() {
                let key = if name.starts_with('.') { format!("{section}{name}") } else { name.clone() };
                // Made from `data_dir` where the setting is empty.
                let told = told.get(index).map(String::as_str).filter(|told| !told.contains("{data_dir}"));
                assert_eq!(told.unwrap_or_default(), default(&key), "{key}");
                keys.push(key);
            }
        }
        tables.push(keys);
    }
    assert!(tables[0].len() > 20, "{tables:?}");
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn the_file_of_a_sqlite_address_is_found() {
    let file = |url| load(None, &[("KOPRU__DATABASE__URL", url)]).unwrap().sqlite_file();
    assert_eq!(load(None, &[]).unwrap().sqlite_file(), Some(PathBuf::from("./data/kopru.db")));
    assert_eq!(file("sqlite:///srv/k.db?mode=rwc"), Some(PathBuf::from("/srv/k.db")));
    assert_eq!(file("postgres://db/kopru"), None);
}

#[test]
fn a_variable_beats_the_file_and_the_file_beats_the_reference() {
    let file = "[registry]\nrequests_per_second = 3\n[pull]\npage = 10\n[http]\nlisten = \"0.0.0.0:1\"";
    let config =
        load(Some(file), &[("KOPRU__PULL__PAGE", "20"), ("KOPRU__DATA_DIR", "/srv/k"), ("OTHER", "x")])
            .unwrap();
    assert_eq!(config.pull.page, 20);
    assert!((config.registry.requests_per_second - 3.0).abs() < f64::EPSILON);
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:1");
    assert_eq!(config.pull.interval, Duration::from_mins(15));
    assert_eq!(config.database_url(), "sqlite:///srv/k/kopru.db");
}

#[test]
fn variables_take_the_reference_s_types() {
    let config = load(
        None,
        &[
            ("KOPRU__REGISTRY__URL", "http://127.0.0.1:9090"),
            ("KOPRU__REGISTRY__USERNAME", "007"),
            ("KOPRU__REGISTRY__PASSWORD", "0123"),
            ("KOPRU__REGISTRY__INTEGRATOR_CODE", "900001"),
            ("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "5"),
            ("KOPRU__REGISTRY__SANDBOX_CLOCK", "true"),
            ("KOPRU__REGISTRY__SANDBOX_TOKEN", "true"),
            ("KOPRU__HTTP__TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"),
            ("KOPRU__LOG__FORMAT", "json"),
        ],
    )
    .unwrap();
    assert_eq!(config.registry.username.as_deref(), Some("007"));
    assert_eq!(config.registry.password.unwrap().expose_secret(), "0123");
    assert_eq!(config.registry.sandbox_token.unwrap().expose_secret(), "true");
    assert_eq!(config.registry.integrator_code, Some(900_001));
    assert!(config.registry.sandbox_clock);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.log.format, LogFormat::Json);
    let config = load(None, &[("KOPRU__HTTP__TRUSTED_PROXIES", r#"["10.0.0.0/8", "fd00::/8"]"#)]).unwrap();
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert!(load(None, &[("KOPRU__HTTP__TRUSTED_PROXIES", "")]).unwrap().http.trusted_proxies.is_empty());
}

#[test]
fn unknown_keys_are_refused_with_their_origin() {
    let text = refusal(Some("[http]\nlisten_on = \"x\""), &[]);
    assert!(text.contains("listen_on") && text.contains("kopru.toml"), "{text}");
    let text = refusal(None, &[("KOPRU__HTTP__LISTN", "127.0.0.1:1")]);
    assert!(text.contains("listn") && text.contains("KOPRU__HTTP__LISTN"), "{text}");
    assert!(refusal(Some("colour = 1"), &[]).contains("colour"));
    assert!(refusal(None, &[("KOPRU__HTTP", "x")]).contains("KOPRU__HTTP"));
}

#[test]
fn a_value_of_the_wrong_form_names_its_key_and_origin() {
    for (name, value, key) in [
        ("KOPRU__HTTP__LISTEN", "8080", "http.listen"),
        ("KOPRU__PULL__PAGE", "many", "pull.page"),
        ("KOPRU__PULL__INTERVAL", "15", "pull.interval"),
        ("KOPRU__DATABASE__MIGRATE", "perhaps", "database.migrate"),
        ("KOPRU__HTTP__TRUSTED_PROXIES", "10.0.0.0/33", "http.trusted_proxies"),
        ("KOPRU__REGISTRY__URL", "not a url", "registry.url"),
        ("KOPRU__LOG__FORMAT", "xml", "log.format"),
    ] {
        let text = refusal(None, &[(name, value)]);
        assert!(text.contains(key) && text.contains(name), "{text}");
    }
    assert!(refusal(Some("[http"), &[]).contains("kopru.toml"));
}

#[test]
fn a_missing_file_is_an_error() {
    let error = Config::load(Some(Path::new("/nowhere/kopru.toml"))).unwrap_err();
    assert!(error.to_string().contains("/nowhere/kopru.toml"));
}

#[test]
fn settings_must_fit_together() {
    let real = ("KOPRU__REGISTRY__URL", "https://api.iys.org.tr");
    for (variables, key) in [
        (vec![real, ("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")], "registry.sandbox_clock"),
        (
            vec![
                ("KOPRU__REGISTRY__URL", "https://API.iys.org.tr./"),
                ("KOPRU__REGISTRY__SANDBOX_CLOCK", "true"),
            ],
            "registry.sandbox_clock",
        ),
        (vec![("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")], "registry.sandbox_clock"),
        (vec![("KOPRU__REGISTRY__URL", "http://api.iys.org.tr")], "registry.url"),
        (vec![real, ("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "11")], "registry.requests_per_second"),
        (vec![real, ("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "0")], "registry.requests_per_second"),
        (vec![("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "-1")], "registry.requests_per_second"),
        (vec![("KOPRU__REGISTRY__USERNAME", "u")], "registry.username"),
        (vec![("KOPRU__FILING__LEASE", "30s")], "filing.lease"),
        (vec![("KOPRU__PULL__PAGE", "1001")], "pull.page"),
        (vec![("KOPRU__CHECK__FRESHNESS", "14m")], "check.freshness"),
        (vec![("KOPRU__DATABASE__URL", "mysql://x")], "database.url"),
        (vec![("KOPRU__METRICS__LISTEN", "127.0.0.1:8080")], "metrics.listen"),
    ] {
        let Err(ConfigError(problems)) = load(None, &variables) else { panic!("{variables:?}") };
        assert!(problems.iter().any(|problem| problem.key == key), "{problems:?}");
    }
    // Only hosts of the registry count as the registry.
    let other = ("KOPRU__REGISTRY__URL", "http://notiys.org.tr");
    assert!(load(None, &[other, ("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")]).is_ok());
}

#[test]
fn secrets_are_read_from_files_and_never_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let file = path.to_str().unwrap();
    fs::write(&path, " p4ss word \r\n").unwrap();
    let name = ("KOPRU__REGISTRY__USERNAME", "u");
    let config = load(None, &[name, ("KOPRU__REGISTRY__PASSWORD_FILE", file)]).unwrap();
    assert_eq!(config.registry.password.unwrap().expose_secret(), " p4ss word ");
    let both = [("KOPRU__SANDBOX__TOKEN", "x"), ("KOPRU__SANDBOX__TOKEN_FILE", file)];
    assert!(refusal(None, &both).starts_with("sandbox.token: sandbox.token_file is set too"));
    let both = [("KOPRU__DATABASE__URL", "sqlite://x"), ("KOPRU__DATABASE__URL_FILE", file)];
    assert!(refusal(None, &both).starts_with("database.url: database.url_file is set too"));
    fs::write(&path, "postgres://u:p@h/d\n").unwrap();
    let config = load(None, &[("KOPRU__DATABASE__URL_FILE", file)]).unwrap();
    assert_eq!(config.database_url(), "postgres://u:p@h/d");
    fs::write(&path, "\n").unwrap();
    let empty = refusal(None, &[("KOPRU__SECURITY__MASTER_KEY_FILE", file)]);
    assert!(empty.starts_with("security.master_key: ") && empty.ends_with("is empty"), "{empty}");
    let missing = refusal(None, &[("KOPRU__SECURITY__MASTER_KEY_FILE", "/nowhere/key")]);
    assert!(missing.contains("/nowhere/key cannot be read"), "{missing}");
}

#[test]
fn accounts_for_messages_are_checked_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    fs::write(&path, "hunter2\n").unwrap();
    let file = format!(
        "[sms]\ndefault = \"main\"\n[sms.accounts.main]\nvendor = \"verimor\"\nuser = \"90850\"\npassword_file = {path:?}\n\
         [sms.inbound.netgsm]\nfrom = [\"ceptel\"]\n[mail.accounts.main]\nhost = \"smtp.example.com\""
    );
    let config = load(Some(&file), &[("KOPRU__MAIL__DEFAULT", "main")]).unwrap();
    assert!(config.sms.accounts["main"].build().is_ok());
    assert_eq!(config.sms.mapping(kopru_sms::Vendor::Netgsm).from, ["ceptel"]);
    assert_eq!(config.sms.mapping(kopru_sms::Vendor::Verimor).from, ["source_addr"]);
    assert!(!format!("{config:?}").contains("hunter2"));
    for (settings, told) in [
        ("[sms]\ndefault = \"main\"", "sms.default: there is no account main"),
        ("[sms.accounts.a]\nvendor = \"x\"", "sms.accounts: a: vendor must be"),
        ("[sms.accounts.a]\nvendor = \"netgsm\"", "sms.accounts: a: user and password"),
        ("[sms.accounts.a]\nvendor = \"http\"", "sms.accounts: a: template is needed"),
        ("[sms.inbound.vodafone]", "sms.inbound: vodafone: there is no such vendor"),
        ("[mail.accounts.a]\nhost = \"\"", "mail.accounts: a: host is needed"),
        ("[mail.accounts.a]\nhost = \"x\"\nuser = \"u\"", "user and password are given together"),
        ("[mail.accounts.a]\nhost = \"x\"\nsecurity = \"ssl\"", "security must be starttls"),
    ] {
        let refused = refusal(Some(settings), &[]);
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn no_secret_is_shown() {
    let config = load(
        None,
        &[
            ("KOPRU__DATABASE__URL", "postgres://kopru:hunter2@db/kopru?password=hunter2"),
            ("KOPRU__REGISTRY__USERNAME", "u"),
            ("KOPRU__REGISTRY__PASSWORD", "hunter2"),
            ("KOPRU__REGISTRY__SANDBOX_TOKEN", "hunter2"),
            ("KOPRU__SANDBOX__TOKEN", "hunter2"),
            ("KOPRU__SECURITY__MASTER_KEY", &"5ec4e7".repeat(11)[..64]),
        ],
    )
    .unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(!shown.contains("hunter2") && !shown.contains("5ec4e7"), "{shown}");
    assert!(shown.contains("kopru:***@db"), "{shown}");
    assert!(config.database_url().contains("hunter2"));
    let refused = refusal(Some("[registry]\npassword = 4711"), &[]);
    assert!(!refused.contains("4711") && refused.contains("registry.password"), "{refused}");
    let refused = refusal(None, &[("KOPRU__SECURITY__MASTER_KEY", "hunter2")]);
    assert!(!refused.contains("hunter2"), "{refused}");
}

/// The check named one mistake at a time, and passed over a master key that is none, a misspelt level and too fast a pace.
#[test]
fn every_mistake_is_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "c2hvcnQgYW5kIGluIGJhc2U2NA==").unwrap();
    let file = format!(
        "colour = 1\n[http]\nlisten = \"8080\"\n[log]\nlevel = \"inof\"\n[registry]\nrequests_per_second = 100\n\
         sandbox_token_file = \"/nowhere/token\"\n[security]\nmaster_key_file = {key:?}"
    );
    let variables = [("KOPRU__PULL__INTERVAL", "15"), ("KOPRU__FILING__CONCURRENCY", "0")];
    let Err(error @ ConfigError(_)) = load(Some(&file), &variables) else { panic!("nothing was found") };
    for key in [
        "colour",
        "http.listen",
        "log.level",
        "registry.requests_per_second",
        "registry.sandbox_token",
        "security.master_key",
        "pull.interval",
        "filing.concurrency",
    ] {
        assert_eq!(error.0.iter().filter(|problem| problem.key == key).count(), 1, "{key}: {error}");
    }
    assert_eq!(error.0.len(), 8, "{error}");
    let tr = error.text().tr;
    assert!(tr.contains("böyle bir ayar yok") && tr.contains("bir süre değil"), "{tr}");
    assert!(tr.contains("ortam değişkeni KOPRU__PULL__INTERVAL") && !tr.contains("expected"), "{tr}");
}

#[test]
fn durations_are_written_as_people_do() {
    for (text, millis) in [
        ("500ms", 500),
        ("30s", 30_000),
        ("15m", 900_000),
        ("1h30m", 5_400_000),
        ("7d", 604_800_000),
        ("0s", 0),
    ] {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        assert_eq!(format_duration(Duration::from_millis(millis)), text);
    }
    assert_eq!(parse_duration(" 90m "), Some(Duration::from_mins(90)));
    for text in
        ["", "15", "m", "1.5h", "-5m", "5w", "5 m", "1h 30m", "5ş", "99999999999999999999s", "9999999999999d"]
    {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}

mod master_keys {
    use super::*;

    fn config(dir: &Path) -> Config {
        Config::for_tests(dir)
    }

    #[test]
    fn a_new_sqlite_database_gets_a_key_of_its_own_that_stays() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(&dir.path().join("data"));
        let first = master_key(&config, None).unwrap();
        assert!(!files::is_open_to_others(&master_key_path(&config)).unwrap());
        assert_eq!(master_key(&config, None).unwrap().id(), first.id());
        assert_eq!(master_key(&config, Some(first.id())).unwrap().id(), first.id());
    }

    #[test]
    fn a_lost_key_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let lost = master_key(&config, Some("abcd".to_owned()));
        assert!(matches!(lost, Err(MasterKeyError::Lost { id, .. }) if id == "abcd"));
        assert!(!master_key_path(&config).exists());
    }

    #[test]
    fn postgres_makes_no_key_and_names_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        config.database.url = Some("postgres://db/kopru".to_owned());
        let text = master_key(&config, None).unwrap_err().to_string();
        assert!(text.contains("kopru config new-master-key"), "{text}");
        assert!(!master_key_path(&config).exists());
    }

    #[test]
    fn a_key_in_the_settings_comes_first_and_must_be_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        let key = kopru_store::MasterKey::generate();
        config.security.master_key = Some(key.to_text().into());
        assert_eq!(master_key(&config, None).unwrap().id(), key.id());
        config.security.master_key = Some("secret-but-short".into());
        let error = master_key(&config, None).unwrap_err();
        assert!(matches!(error, MasterKeyError::Unreadable { .. }));
        assert!(!format!("{error} {error:?}").contains("secret-but-short"));
    }
}
