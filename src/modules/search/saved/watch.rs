//! What is new to a watched search: what matched when it began is remembered, and so is what was told; the ledger says what
//! changed since, the index which of that matches now, by the rights of the owner at that moment.
//!
//! Where more match than are remembered one by one, only records made since count as new: each is made once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Saved, Saves};
use crate::contract::records::{RECORDS_READ, StoredType};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, Position};
use crate::kernel::search::{MAX_LIMIT, Query, Sort};
use crate::modules::search::ui;

/// Matches remembered one by one.
const KNOWN: usize = 2_000;
/// Changes read at once.
const STEP: i64 = 1_000;
/// How long the index may take to reach what is looked at.
const PATIENCE: Duration = Duration::from_secs(30);

/// From where on, and beside what, matches are new.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    pub position: Position,
    pub wide: bool,
    pub known: Vec<String>,
}

/// What came to a watched search.
#[derive(Debug, Default)]
pub(super) struct News {
    pub count: i64,
    /// To be remembered; empty where it is wide.
    pub fresh: Vec<String>,
    pub wide: bool,
}

/// The types with what an owner sees of them.
pub(super) type Types = [(Arc<StoredType>, Level)];

impl Saves {
    /// Waits until the index shows what the ledger held then.
    pub(super) async fn reached(&self, position: Position) -> Result<()> {
        if self.service.search.wait_for(position, PATIENCE).await? {
            return Ok(());
        }
        Err(Error::new(
            Code::Unavailable,
            "The search is still catching up with recent changes. Try again in a moment.",
        ))
    }

    /// What matches now, so that only what comes is new.
    pub(super) async fn baseline(&self, caller: &Caller, saved: &Saved) -> Result<Baseline> {
        let position = ledger::settled(&self.service.db).await?;
        self.reached(position).await?;
        let types = self.service.types(caller, None).await?;
        let mut query = self.question(caller, saved, &types).await?;
        query.limit = MAX_LIMIT;
        let mut known = Vec::new();
        loop {
            let answer = self.service.answer(caller, query.clone()).await?;
            known.extend(answer.hits.into_iter().map(|hit| hit.id));
            query.cursor = answer.next;
            if known.len() > KNOWN {
                return Ok(Baseline {
                    position,
                    wide: true,
                    known: Vec::new(),
                });
            }
            if query.cursor.is_none() {
                return Ok(Baseline {
                    position,
                    wide: false,
                    known,
                });
            }
        }
    }

    /// The question of a saved search by the rights of now, in an order that can be paged to its end.
    async fn question(&self, caller: &Caller, saved: &Saved, types: &Types) -> Result<Query> {
        Ok(Query {
            sort: Sort::Created { descending: true },
            visibility: self.service.access.filter(caller, RECORDS_READ).await?,
            ..ui::asks(&saved.query, types)?
        })
    }

    /// What is new between where a search was looked for and `until`, which the index has reached.
    pub(super) async fn news(&self, caller: &Caller, saved: &Saved, types: &Types, until: Position) -> Result<News> {
        let mut news = News {
            wide: saved.wide,
            ..News::default()
        };
        let mut known: HashSet<String> = if saved.wide {
            HashSet::new()
        } else {
            super::store::known(&self.service.db, &saved.id)
                .await?
                .into_iter()
                .collect()
        };
        let query = self.question(caller, saved, types).await?;
        let mut after = saved.seen();
        while after < until {
            let changes = ledger::follow(&self.service.db, after, STEP).await?;
            let Some(last) = changes.last() else { break };
            let end = last.at;
            let mut ids: Vec<String> = Vec::new();
            for change in changes.into_iter().filter(|change| change.at <= until) {
                let counts = !news.wide || change.version == 1;
                if change.kind == ledger::RECORD
                    && counts
                    && !known.contains(&change.entity)
                    && !ids.contains(&change.entity)
                {
                    ids.push(change.entity);
                }
            }
            for some in ids.chunks(MAX_LIMIT) {
                let query = Query {
                    ids: some.to_vec(),
                    limit: some.len(),
                    ..query.clone()
                };
                for hit in self.service.answer(caller, query).await?.hits {
                    news.count += 1;
                    if !news.wide {
                        known.insert(hit.id.clone());
                        news.fresh.push(hit.id);
                    }
                }
            }
            if !news.wide && known.len() > KNOWN {
                // From here on only what is made counts; what was changed so far is counted and in the past.
                news.wide = true;
                news.fresh.clear();
            }
            after = end;
        }
        Ok(news)
    }
}
