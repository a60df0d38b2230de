//! The partner's password where it comes from a file: whoever changes the file changes it for all replicas that read it, without
//! a restart.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use crate::clocks::Clocks;
use crate::config;

/// How often the file is looked at, while somebody asks for the account.
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// The password and its file. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct PartnerPassword {
    settings: config::Registry,
    clocks: Clocks,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    /// Wire time.
    at: DateTime<Utc>,
    password: Option<SecretString>,
}

impl PartnerPassword {
    pub fn new(settings: &config::Registry, clocks: Clocks) -> Self {
        let seen = Seen { at: clocks.wire(), password: settings.password.clone() };
        Self { settings: settings.clone(), clocks, seen: Arc::new(Mutex::new(seen)) }
    }

    /// The password in the file, if it is another than the last time.
    pub fn changed(&self) -> Option<SecretString> {
        self.settings.password_file.as_ref()?;
        let now = self.clocks.wire();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at <= now && now - seen.at < EVERY {
            return None;
        }
        seen.at = now;
        // A file that is just being replaced is read the next time.
        let password = self.settings.password_now().ok().flatten()?;
        let same = |old: &SecretString| old.expose_secret() == password.expose_secret();
        if seen.password.as_ref().is_some_and(same) {
            return None;
        }
        seen.password = Some(password.clone());
        Some(password)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use kopru_domain::Clock;

    use super::*;
    use crate::config::Config;

    #[derive(Default)]
    struct Moved(AtomicI64);

    impl Clock for Moved {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).unwrap()
        }
    }

    #[test]
    fn a_changed_file_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "one\n").unwrap();
        let mut settings = Config::for_tests(folder.path()).registry;
        settings.password = Some("one".into());
        settings.password_file = Some(file.clone());
        let clock = Arc::new(Moved::default());
        let password = PartnerPassword::new(&settings, Clocks::new(clock.clone()));
        let look = || {
            clock.0.fetch_add(11, Ordering::Relaxed);
            password.changed().map(|password| password.expose_secret().to_owned())
        };
        assert_eq!(look(), None);
        std::fs::write(&file, "two\n").unwrap();
        assert_eq!((look(), look()), (Some("two".to_owned()), None));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(look(), None);
        std::fs::write(&file, "one").unwrap();
        assert!(password.changed().is_none(), "not looked at again at once");
        assert_eq!(look(), Some("one".to_owned()));
    }
}
