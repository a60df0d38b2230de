//! Who is at the pages: sessions in memory, a cookie for each of the two doors.
//!
//! The time of a session is real time and not the simulator's, so that advancing the clock logs nobody out. A restart
//! does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;

use crate::error::Result;
use crate::store::random_text;

/// The most sessions that are kept; beyond them the one that was idle longest ends.
const SESSIONS_MAX: usize = 1000;

/// One of the two sets of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Citizen,
    Provider,
}

impl Door {
    /// The path below which its pages lie, and to which its cookie goes.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Citizen => "/vatandas",
            Self::Provider => "/hizmet-saglayici",
        }
    }

    const fn cookie(self) -> &'static str {
        match self {
            Self::Citizen => "iys_vatandas",
            Self::Provider => "iys_saglayici",
        }
    }
}

/// Who somebody at a door is, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    /// Somebody who was sent a code.
    Asked {
        address: String,
        code: String,
        tries_left: u8,
    },
    /// A citizen, by phone number or e-mail address.
    Citizen(String),
    /// Somebody of a provider, by its iysCode.
    Provider(i64),
}

/// A session as a request finds it.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    id: String,
    /// What every form of this session carries.
    pub(crate) form_token: String,
    pub(crate) who: Who,
}

impl Visit {
    /// Whether a form came from a page of this session.
    pub(crate) fn owns(&self, form_token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(form_token.as_bytes()).into()
    }
}

#[derive(Debug)]
struct Session {
    door: Door,
    visit: Visit,
    /// What the next page says first.
    notice: Option<String>,
    used: Instant,
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// Begins a session.
    pub(crate) fn begin(&self, door: Door, who: Who) -> Result<Visit> {
        let visit = Visit { id: random_text(32)?, form_token: random_text(16)?, who };
        let session = Session { door, visit: visit.clone(), notice: None, used: Instant::now() };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SESSIONS_MAX
            && let Some(idle) = all.values().min_by_key(|session| session.used).map(|s| s.visit.id.clone())
        {
            all.remove(&idle);
        }
        all.insert(visit.id.clone(), session);
        Ok(visit)
    }

    /// The session of a request, unless it was idle for longer than `idle`.
    pub(crate) fn find(&self, door: Door, headers: &HeaderMap, idle: Duration) -> Option<Visit> {
        let id = cookie(headers, door)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get_mut(id).filter(|session| session.door == door)?;
        if session.used.elapsed() >= idle {
            all.remove(id);
            return None;
        }
        session.used = Instant::now();
        Some(session.visit.clone())
    }

    /// Changes what is known of a visitor who stays the same.
    pub(crate) fn put(&self, visit: &Visit, who: Who) {
        if let Some(session) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&visit.id) {
            session.visit.who = who;
        }
    }

    /// Ends a session. A log-in ends the one before it too, so that nobody can be led into a prepared one.
    pub(crate) fn end(&self, visit: &Visit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&visit.id);
    }

    /// Leaves a sentence for the next page.
    pub(crate) fn leave_notice(&self, visit: &Visit, notice: String) {
        if let Some(session) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&visit.id) {
            session.notice = Some(notice);
        }
    }

    /// Takes the sentence that was left.
    pub(crate) fn take_notice(&self, visit: &Visit) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&visit.id)?.notice.take()
    }
}

/// The cookie that names a session. It has no `Secure`: the simulator speaks plain HTTP.
pub(crate) fn set_cookie(door: Door, visit: &Visit) -> Option<HeaderValue> {
    let (name, path) = (door.cookie(), door.path());
    HeaderValue::from_str(&format!("{name}={}; Path={path}; HttpOnly; SameSite=Lax", visit.id)).ok()
}

/// Whether a request names a session, alive or not.
pub(crate) fn names_one(headers: &HeaderMap, door: Door) -> bool {
    cookie(headers, door).is_some()
}

fn cookie(headers: &HeaderMap, door: Door) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == door.cookie()).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(1);

    fn headers(door: Door, visit: &Visit) -> HeaderMap {
        let cookie = set_cookie(door, visit).unwrap();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        headers
    }

    #[test]
    fn a_session_is_found_at_its_own_door_until_it_idles_out() {
        let sessions = Sessions::default();
        let visit = sessions.begin(Door::Citizen, Who::Nobody).unwrap();
        let headers = headers(Door::Citizen, &visit);
        sessions.put(&visit, Who::Citizen("+905551112233".to_owned()));
        let found = sessions.find(Door::Citizen, &headers, IDLE).unwrap();
        assert_eq!(found.who, Who::Citizen("+905551112233".to_owned()));
        assert!(found.owns(&visit.form_token) && !found.owns("") && !found.owns("x"));
        assert!(sessions.find(Door::Provider, &headers, IDLE).is_none());
        assert!(sessions.find(Door::Citizen, &headers, Duration::ZERO).is_none());
        assert!(sessions.find(Door::Citizen, &headers, IDLE).is_none(), "it has ended");
    }

    #[test]
    fn a_cookie_of_one_door_opens_no_other() {
        let sessions = Sessions::default();
        let visit = sessions.begin(Door::Citizen, Who::Nobody).unwrap();
        let moved = headers(Door::Provider, &visit);
        assert!(sessions.find(Door::Provider, &moved, IDLE).is_none());
    }

    #[test]
    fn a_notice_is_read_once() {
        let sessions = Sessions::default();
        let visit = sessions.begin(Door::Citizen, Who::Nobody).unwrap();
        sessions.leave_notice(&visit, "Oldu.".to_owned());
        assert_eq!(sessions.take_notice(&visit).as_deref(), Some("Oldu."));
        assert_eq!(sessions.take_notice(&visit), None);
    }

    #[test]
    fn sessions_are_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin(Door::Citizen, Who::Nobody).unwrap();
        for _ in 0..SESSIONS_MAX {
            sessions.begin(Door::Provider, Who::Nobody).unwrap();
        }
        assert_eq!(sessions.0.lock().unwrap().len(), SESSIONS_MAX);
        assert!(sessions.find(Door::Citizen, &headers(Door::Citizen, &first), IDLE).is_none());
    }
}
