//! The machine and the settings by themselves: folders, key files, free space, open doors, the calendar.

use std::net::SocketAddr;
use std::path::Path;

use chrono::{Months, NaiveDate};
use kopru_domain::time::local;
use kopru_domain::{BusinessCalendar, Clock as _, Text};

use super::Finding;
use crate::clocks::SystemClock;
use crate::config::{Config, files, master_key_path};

/// Less free space than this is a failure, less than ten times this a warning.
const LITTLE_ROOM: u64 = 200 << 20;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![data_dir(config)];
    findings.extend(key_files(config));
    findings.extend(disk(config));
    findings.push(calendar(BusinessCalendar::builtin(), local(SystemClock.now()).date()));
    findings.extend(doors(config));
    findings
}

fn data_dir(config: &Config) -> Finding {
    let (check, folder) = ("data folder", config.data_dir.display());
    match files::is_open_to_others(&config.data_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::ok(
            check,
            Text::new(
                format!("{folder} henüz yok, ilk çalıştırmada oluşturulur"),
                format!("{folder} is not there yet and is made at the first start"),
            ),
        ),
        Err(error) => {
            Finding::fail(check, Text::new(format!("{folder}: {error}"), format!("{folder}: {error}")))
        }
        Ok(false) => Finding::ok(check, Text::new(folder.to_string(), folder.to_string())),
        Ok(true) => Finding::warn(
            check,
            Text::new(
                format!("{folder} başka kullanıcılara açık"),
                format!("{folder} is open to other users"),
            ),
        )
        .advise(format!("chmod 700 {folder}"), format!("chmod 700 {folder}")),
    }
}

/// Files with secrets in them that others may read.
fn key_files(config: &Config) -> Vec<Finding> {
    let key = master_key_path(config);
    let named = [
        &config.security.master_key_file,
        &config.registry.password_file,
        &config.registry.sandbox_token_file,
        &config.sandbox.token_file,
        &config.database.url_file,
    ];
    let sms = config.sms.accounts.values().map(|account| &account.password_file);
    let mail = config.mail.accounts.values().map(|account| &account.password_file);
    let files = named
        .into_iter()
        .chain(sms)
        .chain(mail)
        .filter_map(Option::as_deref)
        .chain(Some(key.as_path()).filter(|path| path.exists()));
    files.map(key_file).collect()
}

fn key_file(path: &Path) -> Finding {
    let (check, shown) = ("secret file", path.display());
    match files::is_open_to_others(path) {
        Ok(false) => Finding::ok(check, Text::new(shown.to_string(), shown.to_string())),
        Ok(true) => Finding::warn(
            check,
            Text::new(
                format!("{shown} dosyasını başkaları okuyabilir"),
                format!("{shown} can be read by others"),
            ),
        )
        .advise(
            format!("chmod 600 {shown} (kapsayıcıda bağlanan sırlar için klasörün kapalı olması yeter)"),
            format!("chmod 600 {shown} (for secrets mounted into a container a closed folder is enough)"),
        ),
        Err(error) => {
            Finding::fail(check, Text::new(format!("{shown}: {error}"), format!("{shown}: {error}")))
        }
    }
}

fn disk(config: &Config) -> Option<Finding> {
    let (check, free) = ("disk", free_space(&config.data_dir)?);
    let text = Text::new(format!("{} MB boş", free >> 20), format!("{} MB free", free >> 20));
    let advice = (
        "yer açın: disk dolarsa yeni izin kaydı kabul edilmez",
        "make room: on a full disk no consent is accepted",
    );
    Some(match free {
        free if free < LITTLE_ROOM => Finding::fail(check, text).advise(advice.0, advice.1),
        free if free < 10 * LITTLE_ROOM => Finding::warn(check, text).advise(advice.0, advice.1),
        _ => Finding::ok(check, text),
    })
}

/// Bytes that are free for us where the folder is or will be.
#[cfg(unix)]
fn free_space(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|folder| folder.exists());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let space = rustix::fs::statvfs(there).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}

pub(super) fn calendar(calendar: &BusinessCalendar, today: NaiveDate) -> Finding {
    let (check, version) = ("calendar", calendar.version());
    let (_, last) = calendar.years();
    let ahead = today.checked_add_months(Months::new(12)).unwrap_or(today);
    if calendar.covers(today) && calendar.covers(ahead) {
        let (tr, en) =
            (format!("{version}, {last} sonuna kadar"), format!("{version}, to the end of {last}"));
        return Finding::ok(check, Text::new(tr, en));
    }
    let text = Text::new(
        format!("{version} önümüzdeki 12 ayı kapsamıyor ({last} sonunda bitiyor); tatiller eksik sayılır"),
        format!("{version} does not cover the next 12 months (it ends with {last}); holidays will be missed"),
    );
    let finding =
        if calendar.covers(today) { Finding::warn(check, text) } else { Finding::fail(check, text) };
    finding.advise(
        "yeni sürüme geçin ya da güncel tatil tablosunu yükleyin",
        "upgrade, or install a current holiday table",
    )
}

fn doors(config: &Config) -> Vec<Finding> {
    let check = "doors";
    let open = |address: &SocketAddr| !address.ip().is_loopback();
    let mut findings = Vec::new();
    if open(&config.metrics.listen) {
        let text = Text::fixed(
            "metrikler bu makinenin dışına açık ve kimlik sormuyor",
            "metrics are reachable from other machines and ask for no key",
        );
        findings.push(Finding::warn(check, text).advise(
            "metrics.listen'i 127.0.0.1'de tutun ya da güvenlik duvarıyla kapatın",
            "keep metrics.listen on 127.0.0.1, or close it with a firewall",
        ));
    }
    if open(&config.sandbox.listen) && config.sandbox.token.is_none() {
        let text = Text::fixed(
            "deneme ortamı bu makinenin dışına açık ve jetonu yok: denetim arayüzü ve sayfaları herkese kapalı kalır",
            "the sandbox listens beyond this machine without a token: its control and its pages stay closed to everybody",
        );
        findings.push(Finding::warn(check, text).advise(
            "sandbox.token ayarlayın ya da sandbox.listen'i 127.0.0.1'de tutun",
            "set sandbox.token, or keep sandbox.listen on 127.0.0.1",
        ));
    }
    if open(&config.http.listen) && config.http.trusted_proxies.is_empty() {
        let text = Text::fixed(
            "API başka makinelere açık, ama güvenilen vekil sunucu yok: TLS'siz olabilir, istemci adresleri bilinmez",
            "the API is reachable from other machines, but no proxy is trusted: it may lack TLS, and clients' addresses stay unknown",
        );
        findings.push(Finding::warn(check, text).advise(
            "önüne TLS sonlandıran bir vekil koyun ve http.trusted_proxies ile bildirin",
            "put a proxy that ends TLS before it and name it in http.trusted_proxies",
        ));
    }
    if config.webhooks.allow_private_targets {
        let text = Text::fixed(
            "webhook'lar iç ağdaki adreslere de gidebilir",
            "webhooks may go to addresses in private networks",
        );
        findings.push(Finding::warn(check, text).advise(
            "uç noktaları yabancılar tanımlıyorsa webhooks.allow_private_targets'ı kapatın",
            "turn webhooks.allow_private_targets off where strangers register endpoints",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            check,
            Text::fixed("beklenmeyen açık kapı yok", "nothing is open that should not be"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_calendar_that_ends_soon_is_noticed() {
        let builtin = BusinessCalendar::builtin();
        assert_eq!(calendar(builtin, date("2026-11-22")).status, Status::Ok);
        assert_eq!(calendar(builtin, date("2034-12-31")).status, Status::Ok);
        assert_eq!(calendar(builtin, date("2035-01-01")).status, Status::Warn);
        assert_eq!(calendar(builtin, date("2036-01-01")).status, Status::Fail);
    }

    #[test]
    fn open_doors_are_named_one_by_one() {
        let mut config = Config::for_tests(Path::new("/nowhere"));
        assert!(doors(&config).iter().all(|it| it.status == Status::Ok));
        config.metrics.listen = "0.0.0.0:9100".parse().unwrap();
        config.sandbox.listen = "0.0.0.0:9090".parse().unwrap();
        config.http.listen = "0.0.0.0:8080".parse().unwrap();
        config.webhooks.allow_private_targets = true;
        assert_eq!(doors(&config).iter().filter(|it| it.status == Status::Warn).count(), 4);
        config.sandbox.token = Some("t".into());
        config.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        assert_eq!(doors(&config).iter().filter(|it| it.status == Status::Warn).count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn open_folders_and_files_are_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(dir.path());
        let set_mode =
            |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o700);
        assert_eq!(data_dir(&config).status, Status::Ok);
        set_mode(0o755);
        assert_eq!(data_dir(&config).status, Status::Warn);
        let key = master_key_path(&config);
        std::fs::write(&key, "x").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(key_files(&config).iter().any(|it| it.status == Status::Warn));
        assert!(free_space(&config.data_dir.join("deep/er")).unwrap() > 0);
    }
}
