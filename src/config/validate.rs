//! Settings that are well-formed each, but cannot be used, alone or together.

use std::time::Duration;

use kopru_domain::Text;
use kopru_store::MasterKey;
use secrecy::ExposeSecret as _;
use url::Url;

use super::{Config, Problem};
use crate::telemetry;

/// Most requests a second that the registry takes from one address (registry-protocol section 6).
const REGISTRY_LIMIT: f64 = 10.0;
/// Most items of a batch and of a page (registry-protocol sections 4.4 and 4.8).
const REGISTRY_PAGE: u32 = 1_000;

/// A brand that is not read for three days is an alarm.
const LONGEST_PULL: Duration = Duration::from_hours(24);

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn unless(&mut self, holds: bool, key: &'static str, tr: &'static str, en: &'static str) {
        if !holds {
            self.0.push(Problem::new(key, Text::fixed(tr, en)));
        }
    }
}

impl Config {
    /// Everything that cannot be used; empty when all is well.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        self.check_doors(&mut problems);
        self.check_keys_and_logs(&mut problems);
        self.check_registry(&mut problems);
        self.check_work(&mut problems);
        let messaging = self.sms.problems().into_iter().chain(self.mail.problems());
        problems.0.extend(messaging.map(|(key, message)| Problem::new(key, message)));
        problems.0
    }

    fn check_doors(&self, problems: &mut Problems) {
        let scheme = self.database.url.as_ref().is_none_or(|url| {
            ["sqlite://", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
        });
        problems.unless(
            scheme,
            "database.url",
            "sqlite://DOSYA ya da postgres://… biçiminde yazın",
            "write sqlite://PATH or postgres://…",
        );
        problems.unless(
            self.database.connections >= 1,
            "database.connections",
            "en az 1 olmalıdır",
            "must be at least 1",
        );
        let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.query().is_none();
        problems.unless(
            self.http.public_url.as_ref().is_none_or(usable),
            "http.public_url",
            "sorgusuz bir http:// ya da https:// adresi yazın",
            "write an http:// or https:// address without a query",
        );
        problems.unless(
            self.http.requests_per_second_per_key >= 1,
            "http.requests_per_second_per_key",
            "en az 1 olmalıdır",
            "must be at least 1",
        );
        problems.unless(
            self.http.body_limit >= 1_024,
            "http.body_limit",
            "en az 1024 bayt olmalıdır",
            "must be at least 1024 bytes",
        );
        problems.unless(
            self.http.listen.port() == 0 || self.http.listen != self.metrics.listen,
            "metrics.listen",
            "http.listen ile aynı; metriklere ayrı bir kapı verin",
            "is the same as http.listen; give the metrics a port of their own",
        );
    }

    fn check_keys_and_logs(&self, problems: &mut Problems) {
        let key = self.security.master_key.as_ref();
        problems.unless(
            key.is_none_or(|key| MasterKey::from_text(key.expose_secret()).is_ok()),
            "security.master_key",
            "64 onaltılık rakam olmalıdır; `kopru config new-master-key` bir anahtar üretir",
            "must be 64 hexadecimal digits; `kopru config new-master-key` makes a key",
        );
        problems.unless(
            telemetry::is_level(&self.log.level),
            "log.level",
            "error, warn, info, debug, trace, off ya da bunlarla hedef=düzey listesi olmalıdır",
            "must be error, warn, info, debug, trace, off, or a list of target=level with them",
        );
    }

    fn check_registry(&self, problems: &mut Problems) {
        let registry = &self.registry;
        let url = registry.url.as_ref();
        problems.unless(
            url.is_none_or(|url| {
                matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
            }),
            "registry.url",
            "sorgusuz bir http:// ya da https:// adresi yazın",
            "write an http:// or https:// address without a query",
        );
        problems.unless(
            !registry.is_real() || url.is_some_and(|url| url.scheme() == "https"),
            "registry.url",
            "İYS'ye yalnızca https ile gidilir",
            "the registry is reached by https alone",
        );
        problems.unless(
            registry.username.is_some() == registry.password.is_some(),
            "registry.username",
            "kullanıcı adı ile parola birlikte verilir",
            "user name and password are given together",
        );
        problems.unless(
            !(registry.sandbox_clock && registry.is_real()),
            "registry.sandbox_clock",
            "gerçek İYS ile kullanılamaz; kapatın",
            "cannot be used with the real registry; turn it off",
        );
        problems.unless(
            !registry.sandbox_clock || url.is_some(),
            "registry.sandbox_clock",
            "saatine uyulacak deneme ortamının adresi registry.url'de eksik",
            "needs the sandbox's address in registry.url",
        );
        problems.unless(
            (0.0..=REGISTRY_LIMIT).contains(&registry.requests_per_second),
            "registry.requests_per_second",
            "0 ile 10 arasında olmalıdır: İYS bir adresten saniyede en çok 10 istek kabul eder",
            "must be from 0 to 10: the registry takes at most 10 requests a second from one address",
        );
        problems.unless(
            !registry.is_real() || registry.requests_per_second != 0.0,
            "registry.requests_per_second",
            "0 (sınırsız) İYS'ye karşı kullanılamaz",
            "0 (no limit) is not for the registry",
        );
        problems.unless(
            (0.0..=1.0).contains(&registry.guard_below),
            "registry.guard_below",
            "0 ile 1 arasında bir oran olmalıdır; 0 kapatır",
            "must be a share from 0 to 1; 0 turns it off",
        );
        for (calls, most, key) in [
            (registry.token_calls_per_hour, 100, "registry.token_calls_per_hour"),
            (registry.status_calls_per_hour, 1_000, "registry.status_calls_per_hour"),
            (registry.history_calls_per_hour, 100, "registry.history_calls_per_hour"),
        ] {
            problems.unless(calls >= 1, key, "en az 1 olmalıdır", "must be at least 1");
            problems.unless(
                !registry.is_real() || calls <= most,
                key,
                "İYS'nin saatlik sınırından çok olamaz: oturum 100, durum 1000, geçmiş 100",
                "must not pass the registry's hourly limit: logins 100, status 1000, history 100",
            );
        }
        problems.unless(
            registry.integrator_code.is_none_or(|code| code > 0),
            "registry.integrator_code",
            "pozitif bir sayı olmalıdır",
            "must be a positive number",
        );
        positive(problems, registry.timeout, "registry.timeout");
    }

    fn check_work(&self, problems: &mut Problems) {
        problems.unless(
            (1..=REGISTRY_PAGE).contains(&self.filing.batch_threshold),
            "filing.batch_threshold",
            "1 ile 1000 arasında olmalıdır",
            "must be from 1 to 1000",
        );
        problems.unless(
            self.filing.lease > self.registry.timeout,
            "filing.lease",
            "registry.timeout'tan uzun olmalıdır, yoksa aynı iş iki kez alınır",
            "must be longer than registry.timeout, or work is claimed twice",
        );
        problems.unless(
            self.filing.concurrency >= 1,
            "filing.concurrency",
            "en az 1 olmalıdır",
            "must be at least 1",
        );
        problems.unless(
            (1..=REGISTRY_PAGE).contains(&self.pull.page),
            "pull.page",
            "1 ile 1000 arasında olmalıdır",
            "must be from 1 to 1000",
        );
        problems.unless(
            self.webhooks.concurrency >= 1,
            "webhooks.concurrency",
            "en az 1 olmalıdır",
            "must be at least 1",
        );
        problems.unless(
            self.webhooks.endpoint_concurrency >= 1,
            "webhooks.endpoint_concurrency",
            "en az 1 olmalıdır",
            "must be at least 1",
        );
        problems.unless(
            self.check.freshness >= self.pull.interval,
            "check.freshness",
            "pull.interval'den kısa olamaz, yoksa yanıtlar çoğunlukla bayat sayılır",
            "must not be shorter than pull.interval, or most answers count as stale",
        );
        problems.unless(
            (self.pull.interval..=LONGEST_PULL).contains(&self.pull.longest_interval),
            "pull.longest_interval",
            "pull.interval ile 24 saat arasında olmalıdır",
            "must be between pull.interval and 24 hours",
        );
        problems.unless(
            self.daily.ready_after <= Duration::from_hours(24),
            "daily.ready_after",
            "en çok 24h olabilir: İYS yedi günden eskisini vermez",
            "must be at most 24h: the registry tells nothing older than seven days",
        );
        for (duration, key) in [
            (self.filing.first_look, "filing.first_look"),
            (self.filing.probe_interval, "filing.probe_interval"),
            (self.pull.interval, "pull.interval"),
            (self.daily.look_again, "daily.look_again"),
            (self.push.check_interval, "push.check_interval"),
            (self.webhooks.timeout, "webhooks.timeout"),
            (self.sms.timeout, "sms.timeout"),
            (self.mail.timeout, "mail.timeout"),
        ] {
            positive(problems, duration, key);
        }
        records(problems, self.retention.messages, "retention.messages");
        records(problems, self.retention.inbound, "retention.inbound");
    }
}

/// How long records of messages sent and received are kept at least (rules.md 1.4).
const RECORDS: Duration = Duration::from_hours(3 * 365 * 24);

fn records(problems: &mut Problems, duration: Duration, key: &'static str) {
    problems.unless(
        duration.is_zero() || duration >= RECORDS,
        key,
        "en az 1095d olmalıdır (kayıtlar üç yıl saklanır); 0s: hiç silinmez",
        "must be at least 1095d (records are kept for three years); 0s: for ever",
    );
}

fn positive(problems: &mut Problems, duration: Duration, key: &'static str) {
    problems.unless(!duration.is_zero(), key, "sıfırdan uzun olmalıdır", "must be longer than 0");
}
