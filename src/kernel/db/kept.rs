//! What is read from the database again and again and seldom changes, kept until a signal or its age says otherwise.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Db, Engine, Signal};
use crate::kernel::error::Result;

/// See the module's text. What others wrote in this process before a [`Kept::get`] began is always in its answer.
pub struct Kept<T> {
    changed: watch::Receiver<u64>,
    life: Duration,
    value: Mutex<Option<Entry<T>>>,
}

struct Entry<T> {
    /// The signal's count before it was read.
    mark: u64,
    since: Instant,
    value: Arc<T>,
}

impl<T> Kept<T> {
    /// Kept until the signal. On PostgreSQL, where the word of another process takes a moment, at most for `elsewhere`;
    /// with none of it everybody asks the database there.
    pub fn new(db: &Db, signal: Signal, elsewhere: Duration) -> Self {
        let life = match db.engine() {
            Engine::Sqlite => Duration::MAX,
            Engine::Postgres => elsewhere,
        };
        Self {
            changed: db.signals().subscribe(signal),
            life,
            value: Mutex::default(),
        }
    }

    /// What is kept, or else what `read` answers, which is kept then.
    ///
    /// # Errors
    /// What `read` says; nothing is kept then.
    pub async fn get(&self, read: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        // Before it is read: what is committed meanwhile makes it old at once.
        let mark = *self.changed.borrow();
        if let Some(entry) = &*self.value.lock().unwrap_or_else(PoisonError::into_inner)
            && entry.mark == mark
            && entry.since.elapsed() < self.life
        {
            return Ok(entry.value.clone());
        }
        let since = Instant::now();
        let value = Arc::new(read.await?);
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(Entry {
            mark,
            since,
            value: value.clone(),
        });
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::both;
    use crate::kernel::error::{Code, Error};
    use crate::kernel::testing::TestDb;

    async fn what_is_kept_is_read_anew_after_a_signal(db: TestDb) {
        let reads = AtomicU32::new(0);
        let kept = Kept::new(&db, Signal::Jobs, Duration::MAX);
        let always = Kept::new(&db, Signal::Jobs, Duration::ZERO);
        let read = async || Ok(reads.fetch_add(1, Ordering::Relaxed));
        assert_eq!(
            (*kept.get(read()).await.unwrap(), *kept.get(read()).await.unwrap()),
            (0, 0)
        );
        let failed = async { Err::<u32, _>(Error::new(Code::Busy, "Not now.")) };
        db.signals().raise(Signal::Jobs);
        kept.get(failed).await.unwrap_err();
        assert_eq!(
            (*kept.get(read()).await.unwrap(), *kept.get(read()).await.unwrap()),
            (1, 1)
        );
        let twice = (*always.get(read()).await.unwrap(), *always.get(read()).await.unwrap());
        assert_eq!(
            twice.0 == twice.1,
            db.engine() == Engine::Sqlite,
            "with no time of its own everybody asks on PostgreSQL"
        );
    }
    both!(what_is_kept_is_read_anew_after_a_signal);
}
