//! What is asked for: which words are typed, how often, and the most they found, by day. Nothing about who asked.
//!
//! Written down in batches, off the way of the request; what a killed process had not written yet is lost, a few seconds of
//! counting. Bounded in days and rows by the settings.

mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::kernel::Kernel;
use crate::kernel::db::{Db, Write};
use crate::kernel::error::Result;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// How long counts are gathered before they are written.
const GATHER: Duration = Duration::from_secs(5);
/// Different questions that wait to be written; more than these within seconds come from a program.
const MOST: usize = 500;
/// Characters of a question that is kept; longer ones are no words that somebody else will type.
const LONGEST: usize = 100;
/// From so many digits on a question may hold somebody's number.
const DIGITS: usize = 7;

/// A question as it was counted over some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
pub struct AskedFor {
    #[schema(example = "tea caddy")]
    pub words: String,
    /// How often it was asked.
    #[schema(example = 12)]
    pub times: i64,
    /// The most records it found for anybody who asked.
    #[schema(example = 0)]
    pub found: i64,
}

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    db: Db,
    days: i64,
    rows: i64,
    stop: CancellationToken,
    waiting: Mutex<Waiting>,
}

/// By day and words: how often, and the most that was found.
type Counts = HashMap<(i64, String), (i64, i64)>;

#[derive(Default)]
struct Waiting {
    counts: Counts,
    /// Somebody is about to write them.
    begun: bool,
}

impl Log {
    pub fn new(kernel: &Kernel) -> Self {
        let settings = &kernel.config.search;
        Self(Arc::new(Inner {
            db: kernel.db.clone(),
            days: settings.log_days.into(),
            rows: settings.log_rows.into(),
            stop: kernel.stop.clone(),
            waiting: Mutex::default(),
        }))
    }

    /// Whether anything is counted here.
    pub fn is_on(&self) -> bool {
        self.0.days > 0
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a question. Costs the request nothing: it is written later.
    pub fn note(&self, text: &str, found: u64) {
        let Some(words) = kept(text).filter(|_| self.is_on()) else {
            return;
        };
        let key = (self.0.db.clock().now() / DAY, words);
        let found = i64::try_from(found).unwrap_or(i64::MAX);
        let begun = {
            let mut waiting = self.waiting();
            if waiting.counts.len() >= MOST && !waiting.counts.contains_key(&key) {
                return;
            }
            let count = waiting.counts.entry(key).or_default();
            *count = (count.0 + 1, count.1.max(found));
            std::mem::replace(&mut waiting.begun, true)
        };
        if !begun {
            let log = self.clone();
            tokio::spawn(async move {
                // Whichever comes first: the end of the process writes at once.
                let _ = tokio::time::timeout(GATHER, log.0.stop.cancelled()).await;
                if let Err(error) = log.write_down().await {
                    tracing::warn!(?error, "what was asked for could not be counted");
                }
            });
        }
    }

    /// Writes down what waits.
    ///
    /// # Errors
    /// What the database says; what waited is then lost.
    pub async fn write_down(&self) -> Result<()> {
        let Waiting { counts, .. } = std::mem::take(&mut *self.waiting());
        if counts.is_empty() {
            return Ok(());
        }
        let counts = &counts;
        let write = self.0.db.write(Write::bulk("search.asked"), |tx| {
            Box::pin(async move {
                for ((day, words), (times, found)) in counts {
                    store::add(tx, *day, words, *times, *found).await?;
                }
                Ok(())
            })
        });
        write.await?;
        self.prune().await
    }

    /// Forgets what is too old or too much.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prune(&self) -> Result<()> {
        let write = self.0.db.write(Write::bulk("search.asked-prune"), |tx| {
            Box::pin(async move {
                let first = tx.now() / DAY - self.0.days + 1;
                store::prune(tx, first, self.0.rows).await
            })
        });
        write.await
    }

    /// What was asked most since so many days; `nothing`: of that only what found nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report(&self, days: i64, nothing: bool, limit: i64) -> Result<Vec<AskedFor>> {
        self.write_down().await?;
        let since = self.0.db.clock().now() / DAY - days + 1;
        store::report(&self.0.db, since, nothing, limit).await
    }
}

/// A question as it is kept: in small letters, without spaces to spare. Nothing where it may name somebody by an address or a
/// number.
fn kept(text: &str) -> Option<String> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if text.contains('@') || digits >= DIGITS || text.len() > 4 * LONGEST {
        return None;
    }
    let small = text.to_lowercase();
    let plain = small.replace(char::is_control, " ");
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty() && words.chars().count() <= LONGEST).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_name_somebody_is_not_kept() {
        assert_eq!(kept("  Tea \t Caddy\n").as_deref(), Some("tea caddy"));
        assert_eq!(
            kept("made 1850..1900 79.66.1").as_deref(),
            None,
            "too many digits in all"
        );
        assert_eq!(kept("79.66.11").as_deref(), Some("79.66.11"));
        for hidden in ["ada@example.org", "+44 20 7946 0958", "19790612-1234", "", " \n"] {
            assert_eq!(kept(hidden), None, "{hidden}");
        }
        assert_eq!(kept(&"x".repeat(101)), None);
    }
}
