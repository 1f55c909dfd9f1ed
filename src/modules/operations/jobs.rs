//! Forgetting jobs that ended long ago, each night.

use serde_json::json;

use crate::kernel::db::Db;
use crate::kernel::jobs::{self, EVENTS, JobContext, JobHandler, NewJob, State};
use crate::kernel::schedule::Schedule;

const KIND: &str = "operations.prune";
const DAY: i64 = 86_400_000;
/// Deliveries of events that arrived are many and say little.
const KEEP_DELIVERIES: i64 = DAY;
const KEEP_ENDED: i64 = 30 * DAY;
/// What failed waits longer for somebody to look.
const KEEP_FAILED: i64 = 90 * DAY;

pub(super) fn schedule() -> Schedule {
    Schedule::new(KIND, "17 3 * * *", || NewJob::new(KIND, json!({})).priority(-10))
}

pub(super) fn handler(db: &Db) -> JobHandler {
    let db = db.clone();
    JobHandler::new(KIND, move |context: JobContext| {
        let db = db.clone();
        async move {
            let now = db.clock().now();
            let ended = [State::Done, State::Cancelled];
            let mut removed = jobs::prune(&db, Some(EVENTS), &ended, now - KEEP_DELIVERIES).await?;
            context.check()?;
            removed += jobs::prune(&db, None, &ended, now - KEEP_ENDED).await?;
            context.check()?;
            removed += jobs::prune(&db, None, &[State::Failed], now - KEEP_FAILED).await?;
            Ok(json!({ "removed": removed }))
        }
    })
}
