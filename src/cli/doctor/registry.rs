//! The registry: whether it answers, whether the clocks agree, whether the account can log in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::{ErrorClass, IysError};
use kopru_domain::governor::Tally;
use kopru_domain::{Clock as _, Text};
use reqwest::Client;
use url::Url;

use super::{Finding, chain};
use crate::bootstrap::App;
use crate::clocks::SystemClock;
use crate::config::{Config, is_loopback};
use crate::registry::Standing;
use crate::service::reconciliation;

const PATIENCE: Duration = Duration::from_secs(10);
/// Consent dates are second by second: more than this is worth a look.
const DRIFT_WARN: TimeDelta = TimeDelta::seconds(3);
/// From here on the registry refuses consents as lying in the future (H155, H162), or they come late.
const DRIFT_FAIL: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn examine(config: &Config, app: Option<&App>) -> Vec<Finding> {
    let Some(url) = &config.registry.url else {
        let text = Text::fixed(
            "registry.url ayarlanmamış: hiçbir kayıt bildirilmez",
            "registry.url is not set: nothing is filed",
        );
        return vec![Finding::warn("registry", text).advise(
            "registry.url, registry.username ve registry.password_file ayarlayın; denemek için `kopru serve --sandbox`",
            "set registry.url, registry.username and registry.password_file; to try it out, `kopru serve --sandbox`",
        )];
    };
    let mut findings = Vec::new();
    if url.scheme() == "http" && !is_loopback(url) {
        let text = Text::new(format!("{url} şifresiz"), format!("{url} is not encrypted"));
        findings.push(Finding::warn("registry", text).advise("https kullanın", "use https"));
    }
    findings.extend(reach(config, url).await);
    if config.registry.username.is_some() && config.registry.integrator_code.is_none() {
        let text =
            Text::fixed("registry.integrator_code ayarlanmamış", "registry.integrator_code is not set");
        findings.push(Finding::warn("registry", text).advise(
            "iş ortağı hesabıyla sağlayıcı listesi ve değişiklikler için gereklidir",
            "it is needed for the list of providers and for changes with a partner's account",
        ));
    }
    match app {
        Some(app) => {
            findings.push(login(app).await);
            findings.extend(governor(app).await);
            findings.extend(pulls(app).await);
        }
        None => findings.push(Finding::warn(
            "login",
            Text::fixed("veritabanı hazır olmadan denenmedi", "not tried: the database is not ready"),
        )),
    }
    findings
}

/// One request without a token, for the answer's Date header alone.
async fn reach(config: &Config, url: &Url) -> Vec<Finding> {
    let mut builder = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    let answer = match builder.build() {
        Ok(client) => client.get(url.clone()).send().await,
        Err(error) => Err(error),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let error = chain(&error);
            let text = Text::new(
                format!("{url} yanıt vermiyor: {error}"),
                format!("{url} does not answer: {error}"),
            );
            return vec![Finding::fail("registry", text).advise(
                "adresi, ağı ve güvenlik duvarını denetleyin; çıkış IP adresinizin İYS'de tanımlı olması gerekir",
                "check the address, the network and the firewall; your outgoing IP address must be registered at İYS",
            )];
        }
    };
    let mut findings =
        vec![Finding::ok("registry", Text::new(format!("{url} yanıt veriyor"), format!("{url} answers")))];
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // A sandbox's machine has the right time, its registry's clock runs ahead: nothing to compare.
    if let Some(date) = date.filter(|_| !config.registry.sandbox_clock) {
        findings.push(clock(SystemClock.now() - date.to_utc()));
    }
    findings
}

/// How far this machine's clock is ahead of the registry's; its header has whole seconds.
fn clock(ahead: TimeDelta) -> Finding {
    let seconds = ahead.num_seconds();
    let text = Text::new(format!("İYS'ye göre fark {seconds} s"), format!("{seconds} s from the registry's"));
    let advice = (
        "saat eşitlemesini açın (chrony, systemd-timesyncd)",
        "turn time synchronisation on (chrony, systemd-timesyncd)",
    );
    match ahead.abs() {
        drift if drift >= DRIFT_FAIL => Finding::fail("clock", text).advise(advice.0, advice.1),
        drift if drift >= DRIFT_WARN => Finding::warn("clock", text).advise(advice.0, advice.1),
        _ => Finding::ok("clock", text),
    }
}

async fn login(app: &App) -> Finding {
    let Some(account) = app.registry.partner() else {
        let text = Text::fixed(
            "iş ortağı hesabı yok: her sağlayıcı kendi kullanıcısıyla bildirir",
            "no partner's account: every provider files with a user of its own",
        );
        return Finding::ok("login", text);
    };
    if let Ok(Some(until)) = app.registry.silent_until().await {
        let until = kopru_domain::time::format_rfc3339(until);
        let text = Text::new(
            format!("denenmedi: İYS istekleri yanıtlamıyor, {until} anına kadar sorulmaz"),
            format!("not tried: the registry does not answer requests, and is left alone until {until}"),
        );
        return Finding::fail("login", text).advise(
            "yapılacak bir şey yok: kayıtlar kuyrukta bekler, İYS yanıt verince kendiliğinden gönderilir",
            "there is nothing to do: consents wait in the queue and go out when the registry is back",
        );
    }
    match account.login_check().await {
        Ok(check) => {
            let until: DateTime<Utc> = check.expires_at;
            let until = kopru_domain::time::format_rfc3339(kopru_domain::time::truncate_seconds(until));
            Finding::ok(
                "login",
                Text::new(
                    format!("başarılı, anahtar {until} anına kadar"),
                    format!("works, token until {until}"),
                ),
            )
        }
        Err(error) => refused(&error),
    }
}

/// What the registry refuses, and what is held back for it.
async fn governor(app: &App) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Ok(standing) = app.registry.standing().await {
        findings.push(success(&standing));
    }
    let refused = async {
        let mut tx = app.db.read().await?;
        app.registry.refused(&mut tx).await
    };
    // What cannot be read is told by the checks of the database.
    for user in refused.await.unwrap_or_default() {
        let text = Text::new(
            format!("İYS {user} kullanıcısının parolasını reddetti; değişene kadar onunla sorulmaz"),
            format!(
                "the registry refused the password of {user}; it is not asked with it before that changes"
            ),
        );
        findings.push(Finding::fail("credentials", text).advise(
            "parolayı `kopru provider credentials` ya da registry.password_file ile değiştirin; doğruysa aynısını yeniden verin",
            "change it by `kopru provider credentials` or registry.password_file; if it is right, give the same again",
        ));
    }
    findings
}

/// The share of requests that succeed.
fn success(standing: &Standing) -> Finding {
    let Tally { requests, failed } = standing.day;
    let percent = (standing.day.success() * 100.0).floor();
    let text = Text::new(
        format!("son 24 saatte {requests} isteğin {failed} tanesi başarısız (başarı % {percent})"),
        format!("{failed} of {requests} requests failed in the last 24 hours ({percent} % succeed)"),
    );
    if !standing.careful {
        return Finding::ok("success", text);
    }
    let brands: Vec<String> = standing.failing.iter().map(|(_, brand)| brand.0.to_string()).collect();
    let brands = if brands.is_empty() { "-".to_owned() } else { brands.join(", ") };
    Finding::warn("success", text).advise(
        format!(
            "İYS % 70'in altındaki adresi listeden çıkarır: bekletilen markaların yoklaması, kaydı olmayacak adreslerin sorgusu ve \
             şu markaların bildirimleri bekliyor: {brands}; reddedilen izinlere bakın"
        ),
        format!(
            "the registry throws an address out below 70 %: probes of held brands, queries of addresses without a record and the \
             filings of these brands wait: {brands}; look at their refused consents"
        ),
    )
}

/// Brands whose feed has not been read for days.
async fn pulls(app: &App) -> Option<Finding> {
    let silent = reconciliation::silent(app).await;
    Some(match silent {
        Ok(silent) if silent.is_empty() => {
            Finding::ok("pulls", Text::fixed("her marka okunuyor", "every brand is being read"))
        }
        Ok(silent) => {
            let brands: Vec<String> = silent.iter().map(|silent| silent.brand_code.to_string()).collect();
            let (brands, first) = (brands.join(", "), &silent[0]);
            let cause = first.last_error.as_deref().unwrap_or("-");
            let text = Text::new(
                format!("üç gündür okunamayan markalar: {brands}; {cause}"),
                format!("brands not read for three days: {brands}; {cause}"),
            );
            Finding::fail("pulls", text).advise(
                "hizmet çalışıyor mu, markanın yetkisi sürüyor mu? Yedi günden sonra değişiklikler kaçar ve markanın bütün adresleri yeniden sorulur",
                "is the service running, does the brand still authorise you? After seven days changes are missed and all of the brand's addresses are asked for anew",
            )
        }
        // The checks of the database tell why.
        Err(_) => return None,
    })
}

fn refused(error: &IysError) -> Finding {
    let text = chain(error);
    let finding = Finding::fail("login", Text::new(text.clone(), text));
    match error.class() {
        ErrorClass::Wait { .. } => finding.advise(
            "İYS bu IP adresinden oturum açmayı sınırlıyor; bir saat beklenir, tekrar denemek süreyi uzatır",
            "the registry limits logins from this IP address; wait an hour, each try starts it anew",
        ),
        ErrorClass::Config | ErrorClass::Reauthenticate => finding.advise(
            "registry.username ile parolayı ve hesabın entegratör yetkisini denetleyin",
            "check registry.username, the password and the account's rights as a partner",
        ),
        _ => finding.advise("daha sonra yeniden deneyin", "try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_noticed_either_way() {
        assert_eq!(clock(TimeDelta::seconds(1)).status, Status::Ok);
        assert_eq!(clock(TimeDelta::seconds(-10)).status, Status::Warn);
        assert_eq!(clock(TimeDelta::seconds(90)).status, Status::Fail);
        assert_eq!(clock(TimeDelta::hours(-3)).status, Status::Fail);
    }

    #[tokio::test]
    async fn a_registry_that_does_not_answer_is_a_failure_with_advice() {
        let mut config = Config::for_tests(std::path::Path::new("/nowhere"));
        config.registry.url = Some("http://127.0.0.1:1".parse().unwrap());
        let findings = examine(&config, None).await;
        assert!(findings.iter().any(|it| it.status == Status::Fail && it.advice.is_some()), "{findings:#?}");
        config.registry.url = None;
        assert_eq!(examine(&config, None).await[0].status, Status::Warn);
    }
}
