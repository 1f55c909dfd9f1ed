//! Reading once more what did not change itself: everything, after a type changed; and who tells of what changed: the
//! records that show a name, and all that hangs below what was moved. In bounded steps between the changes of the ledger,
//! while questions are answered; what is left stands in each commit, so that nothing is forgotten.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::follow::{Follower, Progress, write};
use super::rebuild::BATCH;
use super::types::Reached;
use crate::kernel::error::Result;

/// Changes whose reach waits; with more of them everything is read once more instead.
const MOST: usize = 2_000;

/// Looking at everything once more after a type changed: source by source, by id.
#[derive(Default)]
pub(super) struct Sweep {
    done: HashSet<&'static str>,
    after: Option<String>,
}

/// A change that reaches others, with the kind it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reach {
    pub kind: String,
    #[serde(flatten)]
    pub change: Reached,
}

/// Changes whose reach has not been read yet.
#[derive(Default)]
pub(super) struct Spread {
    waiting: VecDeque<Reach>,
    /// Of the first that waits: what is left of it, the deepest last; after which id each goes on.
    open: Vec<(Reached, String)>,
    since: Option<Instant>,
}

impl Spread {
    /// As the last commit left it.
    pub fn resume(waiting: Vec<Reach>) -> Self {
        let since = (!waiting.is_empty()).then(Instant::now);
        Self {
            waiting: waiting.into(),
            open: Vec::new(),
            since,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What a commit has to keep.
    pub fn left(&self) -> Vec<Reach> {
        self.waiting.iter().cloned().collect()
    }

    /// Adds changes; false where there are too many to be followed one by one.
    pub fn add(&mut self, kind: &str, reached: Vec<Reached>) -> bool {
        for change in reached {
            let reach = Reach {
                kind: kind.to_owned(),
                change,
            };
            // The first may be half read: what it leads to since is read again.
            if !self.waiting.iter().skip(1).any(|known| *known == reach) {
                self.waiting.push_back(reach);
            }
        }
        if self.waiting.len() > MOST {
            self.waiting.clear();
            self.open.clear();
        }
        if self.waiting.is_empty() {
            let is_cut = self.since.take().is_some();
            return !is_cut;
        }
        self.since.get_or_insert_with(Instant::now);
        true
    }

    /// Says how much is left and for how long.
    pub fn measure(&self) {
        let seconds = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        metrics::gauge!("vitrine_search_reach").set(self.waiting.len() as f64);
        metrics::gauge!("vitrine_search_reach_lag_seconds").set(seconds);
    }
}

impl Follower {
    /// One step of looking at everything once more.
    pub(super) async fn sweep(&self, mut progress: Progress) -> Result<Progress> {
        let Some(sweep) = &mut progress.sweep else {
            return Ok(progress);
        };
        let Some((kind, source)) = self.sources.iter().find(|(kind, _)| !sweep.done.contains(*kind)) else {
            progress.sweep = None;
            // The commit says that the sweep is over.
            progress.first_pending.get_or_insert_with(Instant::now);
            return Ok(progress);
        };
        let ids = source.page(sweep.after.as_deref(), BATCH).await?;
        match ids.last() {
            None => {
                sweep.done.insert(kind);
                sweep.after = None;
                Ok(progress)
            }
            Some(last) => {
                sweep.after = Some(last.clone());
                progress.bulk = true;
                let documents = source.load(&ids).await?;
                write(progress, ids, documents).await
            }
        }
    }

    /// Notes which of these changes reach others.
    pub(super) async fn note_reach(
        &self,
        mut progress: Progress,
        kind: &'static str,
        changes: &[(String, i64)],
    ) -> Result<Progress> {
        if let Some(source) = self.sources.get(kind) {
            let reached = source.reached(changes).await?;
            if !reached.is_empty() && !progress.spread.add(kind, reached) {
                progress.sweep = Some(Sweep::default());
            }
        }
        Ok(progress)
    }

    /// One step of reading who tells of what changed: at most a batch of them.
    pub(super) async fn spread(&self, mut progress: Progress) -> Result<Progress> {
        let Some(first) = progress.spread.waiting.front() else {
            return Ok(progress);
        };
        let Some(source) = self.sources.get(first.kind.as_str()) else {
            progress.spread.waiting.pop_front();
            return Ok(progress);
        };
        if progress.spread.open.is_empty() {
            let begun = (first.change.clone(), String::new());
            progress.spread.open.push(begun);
        }
        let (mut ids, mut asked) = (Vec::new(), 0);
        while ids.len() < BATCH as usize && asked < BATCH {
            let Some((at, after)) = progress.spread.open.pop() else {
                break;
            };
            asked += 1;
            let room = BATCH - ids.len() as i64;
            let found = source.pointing(&at.id, &after, room).await?;
            if found.len() as i64 == room
                && let Some((last, _)) = found.last()
            {
                progress.spread.open.push((at.clone(), last.clone()));
            }
            for (id, hangs) in found {
                if at.deep && hangs {
                    let below = Reached {
                        id: id.clone(),
                        deep: true,
                    };
                    progress.spread.open.push((below, String::new()));
                }
                ids.push(id);
            }
        }
        if progress.spread.open.is_empty() {
            progress.spread.waiting.pop_front();
            if progress.spread.waiting.is_empty() {
                progress.spread.since = None;
            }
            // The commit says that it is over.
            progress.first_pending.get_or_insert_with(Instant::now);
        }
        progress.bulk |= ids.len() >= BATCH as usize;
        progress.spread.measure();
        if ids.is_empty() {
            return Ok(progress);
        }
        let documents = source.load(&ids).await?;
        write(progress, ids, documents).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str) -> Reached {
        Reached {
            id: id.to_owned(),
            deep: true,
        }
    }

    #[test]
    fn what_waits_stands_once_and_too_many_become_everything() {
        let mut spread = Spread::default();
        assert!(spread.add("record", vec![change("a"), change("b"), change("b")]));
        // The first is being read: it is read once more.
        assert!(spread.add("record", vec![change("a"), change("b")]));
        let left: Vec<String> = spread.left().into_iter().map(|reach| reach.change.id).collect();
        assert_eq!(left, ["a", "b", "a"]);
        let many = (0..=MOST).map(|n| change(&n.to_string())).collect();
        assert!(!spread.add("record", many));
        assert!(spread.is_empty());
        assert!(spread.add("record", vec![]));
    }
}
