//! What was found out about secrets, for a second, so that a request costs no database; and who guesses too often.
//!
//! Emptied by the signal `Access`; another process's revocation is seen within the second even if the signal is lost.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::kernel::access::Subject;

const LIFE: Duration = Duration::from_secs(1);
const MAX_ENTRIES: usize = 10_000;
/// Unknown secrets that one address may show in a minute.
const MAX_GUESSES: u32 = 30;
const GUESS_WINDOW: Duration = Duration::from_secs(60);

struct Entry {
    subject: Subject,
    until: Instant,
    /// When the secret itself ends, by the clock of the house.
    ends_at: i64,
}

struct Inner {
    entries: HashMap<String, Entry>,
    /// Secrets that open nothing and never will: a browser that still shows one asks no database and guesses nothing.
    dead: HashMap<String, Instant>,
    guesses: HashMap<IpAddr, (u32, Instant)>,
    changed: watch::Receiver<u64>,
}

/// See the module's text.
pub(super) struct Cache(Mutex<Inner>);

impl Cache {
    pub(super) fn new(changed: watch::Receiver<u64>) -> Self {
        Self(Mutex::new(Inner {
            entries: HashMap::new(),
            dead: HashMap::new(),
            guesses: HashMap::new(),
            changed,
        }))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing in here can be half done: a poisoned lock is as good as any.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is known about a digest at `now`: `None` where the database has to be asked.
    pub(super) fn get(&self, key: &str, now: i64) -> Option<Option<Subject>> {
        let mut inner = self.inner();
        if inner.dead.get(key).is_some_and(|until| Instant::now() < *until) {
            return Some(None);
        }
        if inner.changed.has_changed().unwrap_or(false) {
            inner.changed.mark_unchanged();
            inner.entries.clear();
        }
        let entry = inner.entries.get(key)?;
        (Instant::now() < entry.until && now < entry.ends_at).then(|| Some(entry.subject.clone()))
    }

    /// Keeps that a secret is unknown for good: that of an account that is only switched off is not.
    pub(super) fn bury(&self, key: String) {
        let mut inner = self.inner();
        let now = Instant::now();
        if inner.dead.len() >= MAX_ENTRIES {
            inner.dead.retain(|_, until| now < *until);
        }
        if inner.dead.len() < MAX_ENTRIES {
            inner.dead.insert(key, now + GUESS_WINDOW);
        }
    }

    /// Before the database is asked, so that what changes meanwhile is not kept.
    pub(super) fn mark(&self) -> u64 {
        *self.inner().changed.borrow()
    }

    /// Keeps an answer, unless rights have changed since [`Cache::mark`].
    pub(super) fn put(&self, mark: u64, key: String, subject: Subject, ends_at: i64) {
        let mut inner = self.inner();
        if *inner.changed.borrow() != mark {
            return;
        }
        let now = Instant::now();
        if inner.entries.len() >= MAX_ENTRIES {
            inner.entries.retain(|_, entry| now < entry.until);
        }
        if inner.entries.len() < MAX_ENTRIES {
            inner.entries.insert(
                key,
                Entry {
                    subject,
                    until: now + LIFE,
                    ends_at,
                },
            );
        }
    }

    /// Notes an unknown secret.
    pub(super) fn guessed(&self, peer: IpAddr) {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.guesses.len() >= MAX_ENTRIES {
            inner.guesses.retain(|_, (_, since)| now - *since < GUESS_WINDOW);
        }
        if inner.guesses.len() >= MAX_ENTRIES {
            return;
        }
        let (count, since) = inner.guesses.entry(peer).or_insert((0, now));
        if now - *since >= GUESS_WINDOW {
            (*count, *since) = (0, now);
        }
        *count += 1;
    }

    /// Seconds until this address may show another unknown secret; `None` where it may now.
    pub(super) fn wait(&self, peer: IpAddr) -> Option<u64> {
        let inner = self.inner();
        let (count, since) = inner.guesses.get(&peer)?;
        let left = GUESS_WINDOW.checked_sub(since.elapsed())?;
        (*count >= MAX_GUESSES).then_some(left.as_secs() + 1)
    }
}
