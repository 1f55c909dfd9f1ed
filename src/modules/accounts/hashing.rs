//! Passwords hashed with Argon2id, a few at a time, so that many who sign in at once hold up nobody else.
//!
//! A hash says its own parameters; one with older ones still opens and is made anew at the next sign-in.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use crate::kernel::crypto;
use crate::kernel::error::{Code, Error, Result};

/// Memory in KiB, rounds, lanes.
type Cost = (u32, u32, u32);
const NOW: Cost = (19 * 1024, 2, 1);
const SALT: usize = 16;
const LENGTH: usize = 32;
/// Whoever comes when this many wait is asked to come back.
const MOST_WAITING: usize = 200;
/// How far threads that hash stand back behind those that answer requests, as of `nice`: one tenth of a core that is
/// wanted by both is theirs.
const NICE: i32 = 10;

/// A password to be hashed: the memory that it fills belongs to the thread.
type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// See the module's text.
pub(super) struct Hasher {
    work: Sender<Work>,
    waiting: AtomicUsize,
    /// Of no password: what unknown names are compared with, so that they take as long.
    nobody: String,
}

fn computed(
    password: &str,
    salt: &[u8],
    (memory, rounds, lanes): Cost,
    blocks: &mut Vec<Block>,
) -> Option<[u8; LENGTH]> {
    let params = Params::new(memory, rounds, lanes, Some(LENGTH)).ok()?;
    blocks.resize(params.block_count(), Block::new());
    let mut out = [0u8; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut out, blocks)
        .ok()?;
    Some(out)
}

/// Hashes until nobody can ask for it any more. The memory is given back when nobody waits.
fn hash_in_turn(inbox: &Mutex<Receiver<Work>>) {
    // Elsewhere the whole program would stand back.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "threads that hash passwords stand in line with all others");
    }
    let mut blocks = Vec::new();
    loop {
        let next = {
            let inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.try_recv().or_else(|_| {
                blocks = Vec::new();
                inbox.recv()
            })
        };
        let Ok(work) = next else { return };
        work(&mut blocks);
    }
}

fn written(salt: &[u8], hash: &[u8], (memory, rounds, lanes): Cost) -> String {
    format!(
        "argon2id:19:{memory}:{rounds}:{lanes}:{}:{}",
        hex::encode(salt),
        hex::encode(hash)
    )
}

/// Parameters, salt and hash of what is stored.
fn read(stored: &str) -> Option<(Cost, Vec<u8>, String)> {
    let parts: Vec<&str> = stored.split(':').collect();
    let ["argon2id", "19", memory, rounds, lanes, salt, hash] = parts.as_slice() else {
        return None;
    };
    let params = (memory.parse().ok()?, rounds.parse().ok()?, lanes.parse().ok()?);
    Some((params, hex::decode(salt).ok()?, (*hash).to_owned()))
}

fn gone() -> Error {
    Error::internal(anyhow::anyhow!("the threads that hash passwords have ended"))
}

impl Hasher {
    /// # Errors
    /// No thread can be begun.
    pub(super) fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (work, inbox) = channel();
        let inbox = Arc::new(Mutex::new(inbox));
        // One core is left to everybody else.
        for _ in 0..cores.saturating_sub(1).max(1) {
            let inbox = inbox.clone();
            let thread = std::thread::Builder::new().name("hashing".to_owned());
            thread.spawn(move || hash_in_turn(&inbox)).map_err(Error::internal)?;
        }
        Ok(Self {
            work,
            waiting: AtomicUsize::new(0),
            nobody: written(&crypto::random::<SALT>(), &crypto::random::<LENGTH>(), NOW),
        })
    }

    /// Runs the work when it is its turn, beside the threads that answer requests; not at all if its asker has gone.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static) -> Result<T> {
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
        let (done, answer) = oneshot::channel();
        let work = move |blocks: &mut Vec<Block>| {
            if !done.is_closed() {
                // The asker may go while it is worked out.
                let _ = done.send(work(blocks));
            }
        };
        self.work.send(Box::new(work)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        let salt = crypto::random::<SALT>();
        let hash =
            self.in_turn(move |blocks| computed(&password, &salt, NOW, blocks).map(|hash| written(&salt, &hash, NOW)));
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
        let found = self
            .in_turn(move |blocks| computed(&password, &salt, params, blocks))
            .await?;
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
        let hasher = Hasher::new().unwrap();
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
