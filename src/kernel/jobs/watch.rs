//! Watching a job: each state it goes through, for progress bars and live pages.

use std::time::Duration;

use futures_util::stream::{self, Stream};

use super::view::{self, Job, LogLine};
use crate::kernel::db::{Db, Signal};
use crate::kernel::error::Result;

/// Without a wake-up the job is looked at this often.
const POLL: Duration = Duration::from_secs(1);

/// The job now and after each change, up to and with its end. Some changes may be skipped; the last one never is.
pub fn watch(db: &Db, id: &str) -> impl Stream<Item = Result<Job>> + Send + 'static + use<> {
    let (db, id) = (db.clone(), id.to_owned());
    let signal = db.signals().subscribe(Signal::Progress);
    stream::unfold(Some((signal, None::<Job>)), move |state| {
        let (db, id) = (db.clone(), id.clone());
        async move {
            let (mut signal, last) = state?;
            loop {
                signal.borrow_and_update();
                let job = match view::get(&db, &id).await {
                    Ok(job) => job,
                    Err(error) => return Some((Err(error), None)),
                };
                if last.as_ref() != Some(&job) {
                    let next = if job.state.is_final() {
                        None
                    } else {
                        Some((signal, Some(job.clone())))
                    };
                    return Some((Ok(job), next));
                }
                // A lost wake-up is made good by the time limit.
                let _ = tokio::time::timeout(POLL, signal.changed()).await;
            }
        }
    })
}

/// Lines that are sent at a time.
const LINES: i64 = 500;

/// As [`watch`], with the lines of its log after one: whenever either changes.
pub fn watch_log(
    db: &Db,
    id: &str,
    after: i64,
) -> impl Stream<Item = Result<(Job, Vec<LogLine>)>> + Send + 'static + use<> {
    let (db, id) = (db.clone(), id.to_owned());
    let signal = db.signals().subscribe(Signal::Progress);
    stream::unfold(Some((signal, None::<Job>, after)), move |state| {
        let (db, id) = (db.clone(), id.clone());
        async move {
            let (mut signal, last, after) = state?;
            loop {
                signal.borrow_and_update();
                // The job first: what it wrote before its end is then among the lines.
                let seen = async {
                    let job = view::get(&db, &id).await?;
                    let lines = view::log_lines(&db, &id, after, LINES).await?;
                    Ok((job, lines))
                };
                let (job, lines) = match seen.await {
                    Ok(seen) => seen,
                    Err(error) => return Some((Err(error), None)),
                };
                if last.as_ref() != Some(&job) || !lines.is_empty() {
                    let after = lines.last().map_or(after, |line| line.line);
                    let is_over = job.state.is_final() && (lines.len() as i64) < LINES;
                    let next = (!is_over).then(|| (signal, Some(job.clone()), after));
                    return Some((Ok((job, lines)), next));
                }
                // A lost wake-up is made good by the time limit.
                let _ = tokio::time::timeout(POLL, signal.changed()).await;
            }
        }
    })
}
