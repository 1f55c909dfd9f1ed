//! What a type holds, laid out so that the rows of a file find their records: by key, by name and rank, by a path of names
//! from the top down. A question with several answers gets all of them; nobody guesses. However many records there are, they
//! take the same memory.

mod fill;
mod shelf;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

pub use fill::{Terms, fill, levels};
pub use shelf::Places;
use shelf::{RUN, Shelf};
pub use tally::Tally;

use crate::kernel::error::Result;
use crate::modules::exchange::read::Spool;

/// Steps from a record to the top of its tree.
const DEEPEST: usize = 200;
/// Answers that are named.
const NAMED: usize = 4;
/// Questions whose answers are remembered.
const REMEMBERED: usize = 10_000;

/// A record, or one that will be there when the import is done in earnest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    pub id: Option<String>,
    pub key: Option<String>,
    /// What it is called; the first is shown.
    pub names: Vec<String>,
    pub rank: String,
    /// Id or key of what it hangs below.
    pub parent: Option<String>,
}

impl Entry {
    fn shown(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// What a question leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    One(String),
    /// A record that this rehearsal has not made.
    Promised,
    Nothing,
    /// Each with its path.
    Several(Vec<String>),
    /// Nothing among the records that a look at the first rows reads; there are more.
    Later,
}

/// See the module's text.
#[derive(Debug)]
pub struct Directory {
    shelf: Shelf,
    ids: Places,
    keys: Places,
    names: Places,
    /// By name and rank together.
    ranked: Places,
    count: usize,
    is_part: bool,
    hasher: RandomState,
    remembered: Mutex<HashMap<String, Answer>>,
}

/// A name as it is compared: spaces and capitals say nothing.
pub fn fold(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").nfc().flat_map(char::to_lowercase).collect()
}

impl Directory {
    pub fn new(spool: &Spool) -> Self {
        Self {
            shelf: Shelf::new(spool),
            ids: Places::new(spool, RUN),
            keys: Places::new(spool, RUN),
            names: Places::new(spool, RUN),
            ranked: Places::new(spool, RUN),
            count: 0,
            is_part: false,
            hasher: RandomState::new(),
            remembered: Mutex::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// There are more records than were taken in.
    pub fn is_only_a_part(&mut self) {
        self.is_part = true;
    }

    /// Takes a record in. Of those that have the same key the first counts.
    pub fn add(&mut self, entry: &Entry) -> Result<()> {
        let at = self.shelf.put(entry)?;
        let rank = fold(&entry.rank);
        let mut folded: Vec<String> = entry.names.iter().map(|name| fold(name)).collect();
        folded.dedup();
        for name in folded {
            self.names.put(self.hasher.hash_one(&name), at)?;
            self.ranked.put(self.hasher.hash_one((&name, &rank)), at)?;
        }
        if let Some(id) = &entry.id {
            self.ids.put(self.hasher.hash_one(id), at)?;
        }
        if let Some(key) = &entry.key {
            self.keys.put(self.hasher.hash_one(key), at)?;
        }
        self.count += 1;
        Ok(())
    }

    /// To be called once all are there, before anything is asked.
    pub fn settle(&mut self) {
        for places in [&mut self.ids, &mut self.keys, &mut self.names, &mut self.ranked] {
            places.settle();
        }
    }

    pub fn by_key(&self, key: &str) -> Result<Answer> {
        self.answer(format!("k{key}"), || Ok(self.of_key(key)?.into_iter().collect()))
    }

    /// What a key stands for.
    pub fn of_key(&self, key: &str) -> Result<Option<Entry>> {
        for at in self.keys.find(self.hasher.hash_one(key))? {
            let entry: Entry = self.shelf.get(at)?;
            if entry.key.as_deref() == Some(key) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// By name, and by rank where one is asked for. Records that have no rank answer where none has the right one.
    pub fn by_name(&self, name: &str, rank: Option<&str>) -> Result<Answer> {
        let name = fold(name);
        let rank = rank.map(fold).filter(|rank| !rank.is_empty());
        let find = || -> Result<Vec<Entry>> {
            let Some(rank) = &rank else {
                let places = self.names.find(self.hasher.hash_one(&name))?;
                return self.called(&places, &name, None);
            };
            for rank in [rank.as_str(), ""] {
                let places = self.ranked.find(self.hasher.hash_one((&name, &rank)))?;
                let found = self.called(&places, &name, Some(rank))?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Ok(Vec::new())
        };
        self.answer(format!("n{name}\u{1}{}", rank.as_deref().unwrap_or_default()), find)
    }

    /// Those that are called so: as many as are named, and one more.
    fn called(&self, places: &[u64], name: &str, rank: Option<&str>) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        for at in places {
            let entry: Entry = self.shelf.get(*at)?;
            let fits =
                entry.names.iter().any(|own| fold(own) == name) && rank.is_none_or(|rank| fold(&entry.rank) == rank);
            if fits && self.counts(*at, &entry)? {
                found.push(entry);
            }
            if found.len() > NAMED {
                break;
            }
        }
        Ok(found)
    }

    /// Whether it is the first of its key.
    fn counts(&self, at: u64, entry: &Entry) -> Result<bool> {
        let Some(key) = &entry.key else { return Ok(true) };
        for other in self.keys.find(self.hasher.hash_one(key))? {
            if other == at {
                return Ok(true);
            }
            let before: Entry = self.shelf.get(other)?;
            if before.key.as_ref() == Some(key) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// By names from the top down. Steps between them may be left out; where several answer, the one whose path has no
    /// other steps is meant.
    pub fn by_path(&self, path: &[String]) -> Result<Answer> {
        let Some((last, above)) = path.split_last() else {
            return Ok(Answer::Nothing);
        };
        let (last, above) = (fold(last), above.iter().map(|name| fold(name)).collect::<Vec<_>>());
        let find = || -> Result<Vec<Entry>> {
            let (mut found, mut whole) = (Vec::new(), Vec::new());
            for at in self.names.find(self.hasher.hash_one(&last))? {
                let entry: Entry = self.shelf.get(at)?;
                if !entry.names.iter().any(|own| fold(own) == last) || !self.counts(at, &entry)? {
                    continue;
                }
                let mut chain: Vec<String> = self.way(&entry)?.iter().map(|node| fold(node.shown())).collect();
                chain.reverse();
                if chain == above {
                    whole.push(entry);
                } else if found.len() <= NAMED && is_within(&above, &chain) {
                    found.push(entry);
                }
                if whole.len() > NAMED {
                    break;
                }
            }
            if whole.len() == 1 {
                return Ok(whole);
            }
            whole.extend(found);
            Ok(whole)
        };
        self.answer(format!("p{}\u{1}{last}", above.join("\u{1}")), find)
    }

    /// What a record hangs below, from itself upwards.
    fn way(&self, entry: &Entry) -> Result<Vec<Entry>> {
        let mut way: Vec<Entry> = Vec::new();
        while way.len() < DEEPEST {
            let Some(parent) = &way.last().unwrap_or(entry).parent else {
                break;
            };
            let above = match self.of_id(parent)? {
                Some(above) => Some(above),
                None => self.of_key(parent)?,
            };
            let Some(above) = above else { break };
            way.push(above);
        }
        Ok(way)
    }

    fn of_id(&self, id: &str) -> Result<Option<Entry>> {
        for at in self.ids.find(self.hasher.hash_one(id))? {
            let entry: Entry = self.shelf.get(at)?;
            if entry.id.as_deref() == Some(id) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// What was found, in an answer. Files ask the same again and again.
    fn answer(&self, question: String, find: impl FnOnce() -> Result<Vec<Entry>>) -> Result<Answer> {
        if let Some(known) = self.remembered().get(&question) {
            return Ok(known.clone());
        }
        let found = find()?;
        let answer = match found.as_slice() {
            [] if self.is_part => Answer::Later,
            [] => Answer::Nothing,
            [one] => one.id.clone().map_or(Answer::Promised, Answer::One),
            many => {
                let paths: Result<Vec<String>> = many.iter().take(NAMED).map(|entry| self.path(entry)).collect();
                Answer::Several(paths?)
            }
        };
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(question, answer.clone());
        Ok(answer)
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its path in words.
    fn path(&self, entry: &Entry) -> Result<String> {
        let way = self.way(entry)?;
        let mut names: Vec<&str> = way.iter().rev().map(Entry::shown).collect();
        names.push(entry.shown());
        let words = names.join(" › ");
        Ok(match fold(&entry.rank) {
            rank if rank.is_empty() => words,
            rank => format!("{words} ({rank})"),
        })
    }
}

/// Whether the names stand in the chain in this order, with whatever between them.
fn is_within(names: &[String], chain: &[String]) -> bool {
    let mut rest = chain.iter();
    names.iter().all(|name| rest.any(|step| step == name))
}
