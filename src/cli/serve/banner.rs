//! What `serve` prints when it is ready: addresses, and with the sandbox a key and three lines to paste.

use std::net::SocketAddr;

use kopru_domain::Lang;
use kopru_domain::time::format_rfc3339;
use kopru_domain::time::truncate_seconds;
use serde::Serialize;
use serde_json::json;

use super::Role;
use super::control_header;
use super::demo::Demo;
use crate::bootstrap::App;
use crate::cli::output::{DIM, GOOD, STRONG, WARN, paint};
use crate::cli::{Failure, Output};

/// Where this process is reached.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The API; `None` for workers.
    pub api: Option<String>,
    /// Metrics.
    pub metrics: String,
    /// What the process does.
    pub role: Role,
}

/// The first line of `serve --sandbox --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DemoObject<'a> {
    api: Option<&'a str>,
    sandbox: &'a str,
    panel: Option<&'a str>,
    metrics: &'a str,
    api_key: &'a str,
    admin_key: &'a str,
    iys_code: i64,
    brand_code: i64,
    integrator_code: i64,
    registry_username: &'a str,
    registry_password: &'a str,
}

/// Prints the start of a service without a sandbox.
pub(super) fn plain(output: Output, app: &App, addresses: &Addresses) -> Result<(), Failure> {
    let Addresses { api, metrics, role } = addresses;
    if output.is_json() {
        return output.object(&json!({"api": api, "panel": null, "metrics": metrics, "role": role}));
    }
    let registry = app.config.registry.url.as_ref();
    if registry.is_none() {
        tracing::warn!("registry.url is not set: consents are taken in and queue up, nothing is filed");
    }
    output.line(title(output.lang()))?;
    if let Some(api) = api {
        output.line(entry("API", api))?;
        output.line(entry("docs", &format!("{api}/docs")))?;
    }
    output.line(entry("metrics", &format!("{metrics}/metrics")))?;
    output.line(entry("registry", registry.map_or("-", url::Url::as_str)))
}

/// Prints the start of the demo.
pub(super) fn demo(
    output: Output,
    app: &App,
    addresses: &Addresses,
    sandbox: &str,
    demo: &Demo,
) -> Result<(), Failure> {
    let api = addresses.api.as_deref();
    if output.is_json() {
        return output.object(&DemoObject {
            api,
            sandbox,
            panel: None,
            metrics: &addresses.metrics,
            api_key: &demo.api_key,
            admin_key: &demo.admin_key,
            iys_code: demo.seed.iys_code,
            brand_code: demo.seed.brand_code,
            integrator_code: demo.seed.integrator_code,
            registry_username: &demo.seed.username,
            registry_password: &demo.seed.password,
        });
    }
    let tr = output.lang() == Lang::Tr;
    let api = api.unwrap_or("-");
    let (registry, key, admin, hook) = if tr {
        ("İYS deneme", "API anahtarı", "yönetici", "webhook alıcı")
    } else {
        ("sandbox", "API key", "admin key", "webhooks to")
    };
    output.line(title(output.lang()))?;
    for (name, value) in [
        ("API", api),
        ("docs", &format!("{api}/docs")),
        (registry, sandbox),
        ("metrics", &format!("{}/metrics", addresses.metrics)),
        (hook, &demo.receiver),
        (key, &demo.api_key),
        (admin, &demo.admin_key),
    ] {
        output.line(entry(name, value))?;
    }
    warn_if_closed(output, app.config.sandbox.listen, app.config.sandbox.token.is_some())?;
    for (number, (text, line)) in steps(app, api, sandbox, demo, tr).into_iter().enumerate() {
        output.line(format!("\n{} {}", paint(STRONG, number + 1), paint(DIM, text)))?;
        output.line(line)?;
    }
    output.line("")
}

/// Tells that a sandbox lets nobody control it, because it listens beyond this machine and has no token to tell who may.
pub(in crate::cli) fn warn_if_closed(output: Output, listen: SocketAddr, token: bool) -> Result<(), Failure> {
    if listen.ip().is_loopback() || token {
        return Ok(());
    }
    let text = match output.lang() {
        Lang::Tr => {
            "! Deneme ortamı bu makinenin dışına da açık ve jetonu yok: saati, vatandaşı ve sayfaları herkese, bu makineye de \
             kapalı. KOPRU__SANDBOX__TOKEN verin ya da yalnız 127.0.0.1'de dinletin."
        }
        Lang::En => {
            "! The sandbox listens beyond this machine and has no token: its clock, its citizen and its pages are closed to \
             everybody, this machine too. Set KOPRU__SANDBOX__TOKEN, or let it listen on 127.0.0.1."
        }
    };
    output.line(paint(WARN, text))
}

fn title(lang: Lang) -> String {
    let text = match lang {
        Lang::Tr => "Köprü çalışıyor",
        Lang::En => "Köprü is running",
    };
    paint(GOOD, text)
}

fn entry(name: &str, value: &str) -> String {
    format!("  {} {value}", paint(DIM, format!("{name:<14}")))
}

/// The journey in three lines. Each start proposes another number, because a citizen who has refused once is not asked
/// again so easily.
fn steps(app: &App, api: &str, sandbox: &str, demo: &Demo, tr: bool) -> [(&'static str, String); 3] {
    let number = u32::from_be_bytes(kopru_store::random()) % 10_000_000;
    let recipient = format!("+90532{number:07}");
    let (brand, key) = (demo.seed.brand_code, &demo.api_key);
    let given = format_rfc3339(truncate_seconds(app.clocks.business()));
    // Written by hand, so that the fields stand in the order in which people think of them.
    let consent = format!(
        r#"{{"recipient":"{recipient}","recipientType":"BIREYSEL","type":"MESAJ","status":"ONAY","source":"HS_WEB","consentDate":"{given}"}}"#
    );
    let withdrawal = format!(
        r#"{{"brandCode":{brand},"recipient":"{recipient}","recipientType":"BIREYSEL","type":"MESAJ","status":"RET","source":"IYS_WEB"}}"#
    );
    let curl = "curl -sS -w '\\n'";
    let body = "-H 'Content-Type: application/json' -d";
    let control = control_header(&app.config);
    // The pauses are for who pastes all three at once: filing and reading the feed take a moment each.
    let add = format!(
        "{curl} {api}/v1/brands/{brand}/consents -H 'Authorization: Bearer {key}' {body} '{consent}' && sleep 2"
    );
    let withdraw = format!(
        "{curl}{control} {sandbox}/_sandbox/citizen/movements {body} '{withdrawal}' && \
         {curl}{control} {sandbox}/_sandbox/clock {body} '{{\"advance\":\"65m\"}}' && sleep 2"
    );
    let read = format!("{curl} '{api}/v1/brands/{brand}/changes?wait=10s' -H 'Authorization: Bearer {key}'");
    if tr {
        [
            ("bir onay gönderin; hemen deftere yazılır ve İYS'ye bildirilir", add),
            (
                "vatandaş olarak İYS'de reddedin, saati 65 dakika ileri alın (İYS son bir saati göstermez)",
                withdraw,
            ),
            ("değişiklikleri okuyun; aynı olay yukarıdaki webhook alıcısına da imzalı gelir", read),
        ]
    } else {
        [
            ("post a consent: it is in the ledger at once and filed with the registry", add),
            (
                "withdraw it as the citizen and advance the clock 65 minutes (the registry hides the last hour)",
                withdraw,
            ),
            ("read the changes; the same event arrives, signed, at the webhook receiver above", read),
        ]
    }
}
