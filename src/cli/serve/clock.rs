//! Following the clock of a sandbox, so that business time runs ahead with it.

use std::time::Duration;

use chrono::TimeDelta;
use kopru_domain::Text;
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::watch;
use url::Url;

use crate::bootstrap::App;
use crate::cli::Failure;
use crate::clocks::Clocks;
use crate::config::Config;

/// How often another process's clock is read.
const LOOK: Duration = Duration::from_secs(1);
/// How long a reading may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a sandbox's clock is read.
struct Remote {
    client: Client,
    url: Url,
    token: Option<SecretString>,
}

/// What the sandbox tells of its clock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reading {
    offset_millis: i64,
}

impl Remote {
    /// `None` where business time follows no clock.
    fn of(config: &Config) -> Result<Option<Self>, Failure> {
        let Some(url) = config.registry.url.as_ref().filter(|_| config.registry.sandbox_clock) else {
            return Ok(None);
        };
        let mut url = url.clone();
        url.set_path("/_sandbox/clock");
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().map_err(|error| {
            Failure::new("sandbox_clock", Text::fixed("HTTP istemcisi kurulamadı", "no HTTP client"))
                .because(error)
        })?;
        Ok(Some(Self { client, url, token: config.registry.sandbox_token.clone() }))
    }

    async fn offset(&self) -> reqwest::Result<TimeDelta> {
        let mut request = self.client.get(self.url.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let reading: Reading = request.send().await?.error_for_status()?.json().await?;
        Ok(TimeDelta::try_milliseconds(reading.offset_millis).unwrap_or_default())
    }
}

/// Takes the sandbox's clock over before anything reads the time. A sandbox that does not answer is an error: deadlines
/// would be counted from the wrong day.
pub(in crate::cli) async fn adopt(config: &Config, clocks: &Clocks) -> Result<(), Failure> {
    let Some(remote) = Remote::of(config)? else { return Ok(()) };
    let offset = remote.offset().await.map_err(|error| {
        let message = Text::new(
            format!(
                "deneme ortamının saati okunamadı ({}); ortam çalışıyor mu, registry.sandbox_token doğru mu?",
                remote.url
            ),
            format!(
                "the sandbox's clock cannot be read ({}); is it running, is registry.sandbox_token right?",
                remote.url
            ),
        );
        Failure::new("sandbox_clock", message).because(error)
    })?;
    clocks.set_offset(offset);
    Ok(())
}

/// Follows the clock of a sandbox in another process.
pub(super) fn follow(app: &App) -> Result<(), Failure> {
    let Some(remote) = Remote::of(&app.config)? else { return Ok(()) };
    let (task, stopping) = (app.clone(), app.lifecycle.stopping());
    app.lifecycle.spawn("sandbox clock", async move {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut silent = false;
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                _ = ticks.tick() => {}
            }
            match remote.offset().await {
                Ok(offset) => {
                    silent = false;
                    moved(&task, offset);
                }
                Err(error) if !silent => {
                    silent = true;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the sandbox's clock does not answer"
                    );
                }
                Err(_) => {}
            }
        }
    });
    Ok(())
}

/// Follows the clock of the sandbox in this process.
pub(super) fn follow_in_process(app: &App, mut offsets: watch::Receiver<TimeDelta>) {
    let (task, stopping) = (app.clone(), app.lifecycle.stopping());
    app.lifecycle.spawn("sandbox clock", async move {
        tokio::pin!(stopping);
        loop {
            let offset = *offsets.borrow_and_update();
            moved(&task, offset);
            tokio::select! {
                () = &mut stopping => return,
                changed = offsets.changed() => if changed.is_err() { return },
            }
        }
    });
}

/// Moves business time; what has become due by that must not wait for the next look.
fn moved(app: &App, offset: TimeDelta) {
    if app.clocks.set_offset(offset) {
        tracing::info!(clock.offset_seconds = offset.num_seconds(), "the sandbox's clock was moved");
        app.wake.wake();
    }
}

#[cfg(test)]
mod tests {
    use iys_sandbox::{Sandbox, SandboxConfig};
    use kopru_domain::Lang;

    use super::*;
    use crate::lifecycle::Lifecycle;

    /// A sandbox whose clock is 65 minutes ahead.
    async fn sandbox() -> Url {
        let config = SandboxConfig { control_token: Some("t0ken".into()), ..SandboxConfig::default() };
        let sandbox = Sandbox::open(config).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        Lifecycle::new()
            .spawn("sandbox", async move { sandbox.serve(listener, std::future::pending()).await });
        let client = Client::builder().no_proxy().build().unwrap();
        let advance = client.post(url.join("/_sandbox/clock").unwrap()).bearer_auth("t0ken");
        let answer = advance.body(r#"{"advance":"65m"}"#).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        url
    }

    fn config(url: Url, token: Option<&str>) -> Config {
        let mut config = Config::for_tests(std::path::Path::new("/nowhere"));
        config.registry.url = Some(url);
        config.registry.sandbox_clock = true;
        config.registry.sandbox_token = token.map(SecretString::from);
        config
    }

    #[tokio::test]
    async fn the_clock_of_a_sandbox_is_taken_over() {
        let clocks = Clocks::default();
        adopt(&config(sandbox().await, Some("t0ken")), &clocks).await.unwrap();
        assert_eq!(clocks.offset(), TimeDelta::minutes(65));
    }

    #[tokio::test]
    async fn a_clock_that_cannot_be_read_is_an_error_and_none_is_none() {
        let clocks = Clocks::default();
        let refused = adopt(&config(sandbox().await, Some("other")), &clocks).await.unwrap_err();
        assert!(refused.line(Lang::En).contains("registry.sandbox_token"));
        let mut without = config("http://127.0.0.1:1".parse().unwrap(), None);
        without.registry.sandbox_clock = false;
        adopt(&without, &clocks).await.unwrap();
        assert_eq!(clocks.offset(), TimeDelta::zero());
    }
}
