//! Forgetting jobs that ended long ago, with their logs, each night. How long they are kept is a setting.

use serde_json::json;

use crate::kernel::Kernel;
use crate::kernel::jobs::{self, EVENTS, JobContext, JobHandler, NewJob, State};
use crate::kernel::schedule::{self, Schedule};

const KIND: &str = "operations.prune";
const DAY: i64 = 86_400_000;
/// Deliveries of events that arrived are many and say little.
const KEEP_DELIVERIES: i64 = DAY;

pub(super) fn schedule() -> Schedule {
    Schedule::new(KIND, "17 3 * * *", || {
        NewJob::new(KIND, json!({})).priority(-10).time_limit(DAY / 24)
    })
}

pub(super) fn handler(kernel: &Kernel) -> JobHandler {
    let (db, settings) = (kernel.db.clone(), kernel.config.jobs.clone());
    JobHandler::new(KIND, move |context: JobContext| {
        let (db, settings) = (db.clone(), settings.clone());
        async move {
            let now = db.clock().now();
            let keep = i64::from(settings.keep_days) * DAY;
            let keep_failed = i64::from(settings.keep_failed_days) * DAY;
            let ended = [State::Done, State::Cancelled, State::Superseded];
            let mut removed = jobs::prune(&db, Some(EVENTS), &ended, now - keep.min(KEEP_DELIVERIES)).await?;
            context.check()?;
            removed += jobs::prune(&db, None, &ended, now - keep).await?;
            context.check()?;
            removed += jobs::prune(&db, None, &[State::Failed], now - keep_failed).await?;
            context.check()?;
            schedule::prune(&db, now - keep_failed).await?;
            Ok(json!({ "removed": removed }))
        }
    })
}
