//! What each request looks up anew (keys, brands), remembered for some seconds: long enough that the hot path asks the
//! database of nothing, short enough that disabling takes effect at once for a human.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long an entry counts.
const LIFE: Duration = Duration::from_secs(5);
/// With more entries than this the cache is emptied: somebody is guessing.
const MOST: usize = 10_000;

/// Values by key; what does not exist is remembered as well.
#[derive(Debug)]
pub struct Cache<K, V> {
    entries: RwLock<HashMap<K, Entry<V>>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: Option<Arc<V>>,
    until: Instant,
}

/// What is remembered of a key: its value, or that there is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Remembered<V>(pub Option<Arc<V>>);

impl<K: Eq + Hash, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { entries: RwLock::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// What is remembered of a key and still counts.
    pub fn get<Q>(&self, key: &Q, now: Instant) -> Option<Remembered<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|entry| now < entry.until).map(|entry| Remembered(entry.value.clone()))
    }

    /// What was remembered last, even where it no longer counts.
    pub fn stale<Q>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).and_then(|entry| entry.value.clone())
    }

    /// Remembers a value, or that there is none.
    pub fn put(&self, key: K, value: Option<V>, now: Instant) -> Option<Arc<V>> {
        let value = value.map(Arc::new);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(key, Entry { value: value.clone(), until: now + LIFE });
        value
    }

    /// Forgets everything: something was changed here.
    pub fn clear(&self) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_for_some_seconds() {
        let cache: Cache<String, u8> = Cache::default();
        let now = Instant::now();
        assert_eq!(cache.get("a", now), None);
        cache.put("a".to_owned(), Some(7), now);
        cache.put("b".to_owned(), None, now);
        assert_eq!(cache.get("a", now + Duration::from_secs(4)), Some(Remembered(Some(Arc::new(7)))));
        assert_eq!(cache.get("b", now), Some(Remembered(None)));
        assert_eq!(cache.get("a", now + LIFE), None);
        assert_eq!(cache.stale("a"), Some(Arc::new(7)));
        cache.clear();
        assert_eq!(cache.get("a", now), None);
    }

    #[test]
    fn guessing_cannot_fill_the_memory() {
        let cache: Cache<usize, u8> = Cache::default();
        let now = Instant::now();
        for key in 0..=MOST {
            cache.put(key, None, now);
        }
        assert_eq!(cache.entries.read().unwrap().len(), 1);
    }
}
