//! How the other commands find the trial of `serve --sandbox` that runs in the same folder: the registry is in that process,
//! with an address, a clock and an account that no setting names.
//!
//! The service leaves a note in the data folder while it runs, readable for its owner alone. What a dead process has left does not
//! count: nobody holds the lock of its sandbox's data any more.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use kopru_domain::Text;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Failure;
use super::serve::{clock, lock_of};
use crate::clocks::Clocks;
use crate::config::{Config, files};

/// What the settings of a trial are beyond those that are set.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trial {
    /// Where the registry listens.
    pub sandbox: String,
    /// The partner's account there.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The partner's number.
    pub integrator_code: i64,
    /// Of the sandbox's control interface.
    pub token: Option<String>,
    /// Where the sandbox reaches the service.
    pub public_url: Option<String>,
}

/// The note; it goes when this is dropped.
#[must_use]
pub(super) struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl Trial {
    /// Changes the settings so that they are those of the trial.
    pub fn apply(&self, config: &mut Config) {
        config.registry.url = Url::parse(&self.sandbox).ok();
        config.registry.username = Some(self.username.clone());
        config.registry.password = Some(self.password.clone().into());
        config.registry.integrator_code = Some(self.integrator_code);
        config.http.public_url = self.public_url.as_deref().and_then(|url| Url::parse(url).ok());
        config.webhooks.allow_loopback_targets = true;
        config.use_log_accounts();
    }

    /// Leaves the note.
    pub fn announce(&self, config: &Config) -> Result<Note, Failure> {
        let path = path(config);
        let json = serde_json::to_vec_pretty(self).unwrap_or_default();
        files::replace_private(&path, &json).map_err(|error| {
            let message = Text::new(
                format!("{} yazılamadı", path.display()),
                format!("{} cannot be written", path.display()),
            );
            Failure::new("sandbox", message).because(error)
        })?;
        Ok(Note(path))
    }
}

/// Joins the trial that runs in this folder, where there is one and no registry is set: its clock is taken over, too.
pub(super) async fn join(config: &mut Config, clocks: &Clocks) {
    if config.registry.url.is_some() || !is_running(config) {
        return;
    }
    let note = std::fs::read(path(config)).ok();
    let Some(trial) = note.and_then(|note| serde_json::from_slice::<Trial>(&note).ok()) else { return };
    let mut joined = config.clone();
    trial.apply(&mut joined);
    joined.registry.sandbox_clock = true;
    joined.registry.sandbox_token = trial.token.map(SecretString::from);
    if clock::adopt(&joined, clocks).await.is_ok() {
        *config = joined;
    }
}

/// Whether somebody holds the lock of the sandbox's data: what a killed process has left belongs to nobody, and another folder's
/// trial may listen in its place.
fn is_running(config: &Config) -> bool {
    let lock = File::open(lock_of(&data(config)));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The data of the sandbox in the process of a trial.
pub(super) fn data(config: &Config) -> PathBuf {
    config.data_dir.join("sandbox.db")
}

fn path(config: &Config) -> PathBuf {
    config.data_dir.join("trial.json")
}
