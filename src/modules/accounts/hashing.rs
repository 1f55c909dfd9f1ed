//! Passwords hashed with Argon2id, a few at a time, so that many who sign in at once hold up nobody else.
//!
//! A hash says its own parameters; one with older ones still opens and is made anew at the next sign-in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::kernel::crypto;
use crate::kernel::error::{Code, Error, Result};

/// Memory in KiB, rounds, lanes.
const NOW: (u32, u32, u32) = (19 * 1024, 2, 1);
const SALT: usize = 16;
const LENGTH: usize = 32;
/// Whoever comes when this many wait is asked to come back.
const MOST_WAITING: usize = 200;

/// See the module's text.
pub(super) struct Hasher {
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Of no password: what unknown names are compared with, so that they take as long.
    nobody: String,
}

fn computed(password: &str, salt: &[u8], (memory, rounds, lanes): (u32, u32, u32)) -> Option<[u8; LENGTH]> {
    let params = Params::new(memory, rounds, lanes, Some(LENGTH)).ok()?;
    let mut out = [0u8; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

fn written(salt: &[u8], hash: &[u8], (memory, rounds, lanes): (u32, u32, u32)) -> String {
    format!(
        "argon2id:19:{memory}:{rounds}:{lanes}:{}:{}",
        hex::encode(salt),
        hex::encode(hash)
    )
}

/// Memory, rounds and lanes.
type Cost = (u32, u32, u32);

/// Parameters, salt and hash of what is stored.
fn read(stored: &str) -> Option<(Cost, Vec<u8>, String)> {
    let parts: Vec<&str> = stored.split(':').collect();
    let ["argon2id", "19", memory, rounds, lanes, salt, hash] = parts.as_slice() else {
        return None;
    };
    let params = (memory.parse().ok()?, rounds.parse().ok()?, lanes.parse().ok()?);
    Some((params, hex::decode(salt).ok()?, (*hash).to_owned()))
}

impl Hasher {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            // One core is left to everybody else.
            room: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            waiting: AtomicUsize::new(0),
            nobody: written(&crypto::random::<SALT>(), &crypto::random::<LENGTH>(), NOW),
        }
    }

    /// Runs the work when it is its turn, beside the threads that answer requests.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        struct Place<'a>(&'a AtomicUsize);
        impl Drop for Place<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if before >= MOST_WAITING {
            let text = "Very many people sign in right now. Try again in a few seconds.";
            return Err(Error::new(Code::Busy, text).with("retry_after", 5));
        }
        let permit = self.room.clone().acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(Error::internal)
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        let salt = crypto::random::<SALT>();
        let hash = self.in_turn(move || computed(&password, &salt, NOW).map(|hash| written(&salt, &hash, NOW)));
        hash.await?
            .ok_or_else(|| Error::internal(anyhow::anyhow!("Argon2 refused its parameters")))
    }

    /// Whether this is the password; takes as long where there is none. A password too long to be one comes as `None`.
    pub(super) async fn verify(&self, password: Option<String>, stored: Option<&str>) -> Result<bool> {
        let possible = password.is_some() && stored.is_some();
        let (params, salt, hash) = stored
            .and_then(read)
            .or_else(|| read(&self.nobody))
            .ok_or_else(|| Error::internal(anyhow::anyhow!("no hash to compare with")))?;
        let password = password.unwrap_or_default();
        let found = self.in_turn(move || computed(&password, &salt, params)).await?;
        let same = found.is_some_and(|found| crypto::same(&hex::encode(found), &hash));
        Ok(possible && same)
    }

    /// True for a hash that should be made anew.
    pub(super) fn is_old(stored: &str) -> bool {
        read(stored).is_none_or(|(params, _, _)| params != NOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_open_for_their_password_only() {
        let hasher = Hasher::new();
        let hash = hasher.hash("right".to_owned()).await.unwrap();
        assert!(!hash.contains("right") && !Hasher::is_old(&hash));
        let is = async |password: Option<&str>, stored: Option<&str>| {
            hasher.verify(password.map(str::to_owned), stored).await.unwrap()
        };
        assert!(is(Some("right"), Some(&hash)).await);
        assert!(!is(Some("wrong"), Some(&hash)).await);
        assert!(!is(None, Some(&hash)).await);
        assert!(!is(Some("right"), None).await);
        assert!(!is(Some("right"), Some("broken")).await);
        assert!(Hasher::is_old("argon2id:19:8192:1:1:00:00"));
    }
}
