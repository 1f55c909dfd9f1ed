//! Markers of the next page: opaque, versioned, bound to the question they came from, and checked before use.
//!
//! A marker holds nothing but the place of a record its owner has seen; the check value guards against accidents and
//! guesses, not against somebody who wants to start a page of their own question elsewhere.

use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tantivy::Searcher;

use super::sort::After;
use super::types::Query;
use crate::kernel::error::{Code, Error, Result};

const VERSION: u8 = 1;
const CHECK: usize = 8;
/// Longest marker that is read.
const MAX_LENGTH: usize = 8_192;

/// What a marker is bound to: everything that decides which records come in which order.
pub(super) fn digest(query: &Query) -> [u8; 32] {
    let bound = format!(
        "{:?}|{:?}|{:?}|{:?}|{}|{:?}|{:?}|{:?}|{}|{:?}|{:?}",
        query.kind,
        query.types,
        query.text,
        query.tree,
        query.typing,
        query.filters,
        query.area,
        query.sort,
        query.newer,
        query.ids,
        query.visibility
    );
    Sha256::digest(bound.as_bytes()).into()
}

fn check(digest: &[u8; 32], payload: &[u8]) -> [u8; CHECK] {
    let mut hash = Sha256::new();
    hash.update([VERSION]);
    hash.update(digest);
    hash.update(payload);
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; CHECK];
    short.copy_from_slice(&full[..CHECK]);
    short
}

/// Writes a marker.
pub(super) fn encode(digest: &[u8; 32], after: &After) -> Result<String> {
    let payload = serde_json::to_vec(after)?;
    let mut bytes = vec![VERSION];
    bytes.extend(check(digest, &payload));
    bytes.extend(payload);
    Ok(hex::encode(bytes))
}

/// Reads a marker.
///
/// # Errors
/// `BadRequest` for anything that [`encode`] did not write for this question.
pub(super) fn decode(digest: &[u8; 32], cursor: &str) -> Result<After> {
    let read = || {
        let bytes = (cursor.len() <= MAX_LENGTH).then(|| hex::decode(cursor).ok())??;
        let (version, rest) = bytes.split_first()?;
        let (sum, payload) = rest.split_at_checked(CHECK)?;
        (*version == VERSION && sum == check(digest, payload)).then(|| serde_json::from_slice(payload).ok())?
    };
    read().ok_or_else(|| {
        Error::new(
            Code::BadRequest,
            "cursor: this page marker does not belong to this question. Ask for the first page again, without cursor.",
        )
    })
}

/// How long a page of a list by relevance can be continued.
const KEPT_MS: i64 = 60_000;
/// Searchers kept at most; each holds the files of its state of the index.
const MAX_KEPT: usize = 48;

/// Searchers that somebody may want the next page of.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<(u64, u64, i64, Searcher)>>);

impl Kept {
    fn list(&self) -> std::sync::MutexGuard<'_, Vec<(u64, u64, i64, Searcher)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Keeps a searcher for a minute from now.
    pub fn keep(&self, epoch: u64, searcher: &Searcher, now: i64) {
        let generation = searcher.generation().generation_id();
        let mut list = self.list();
        list.retain(|(e, g, until, _)| *until > now && (*e, *g) != (epoch, generation));
        if list.len() >= MAX_KEPT {
            list.remove(0);
        }
        list.push((epoch, generation, now + KEPT_MS, searcher.clone()));
    }

    /// The searcher of an earlier page.
    ///
    /// # Errors
    /// `CursorExpired` after a minute, or when it is of another process.
    pub fn find(&self, epoch: u64, generation: u64, now: i64) -> Result<Searcher> {
        let mut list = self.list();
        list.retain(|(_, _, until, _)| *until > now);
        let found = list
            .iter()
            .find(|(e, g, ..)| (*e, *g) == (epoch, generation))
            .map(|(.., searcher)| searcher.clone());
        found.ok_or_else(|| {
            Error::new(Code::CursorExpired, "cursor: a list by relevance can be continued for 60 seconds. Ask for the first page again, or sort by a field.")
        })
    }

    /// Lets go of what has expired.
    pub fn sweep(&self, now: i64) {
        self.list().retain(|(_, _, until, _)| *until > now);
    }
}
