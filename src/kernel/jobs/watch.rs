//! Watching a job: each state it goes through, for progress bars and live pages.

use std::time::Duration;

use futures_util::stream::{self, Stream};

use super::view::{self, Job};
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
