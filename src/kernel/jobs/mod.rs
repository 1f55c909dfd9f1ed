//! Jobs: every long thing, with progress, log, cancel, retry and a reason while it waits.
//!
//! At least once, said openly. A handler that writes only through [`JobContext::finish_with`] is exactly once, because
//! completion commits with its writes. Workers claim in batches, hold a lease and renew it; whoever lost the lease can
//! no longer complete the job. The states of jobs are `waiting`, `running`, `done`, `failed`, `cancelled` and `superseded`.

mod claim;
mod context;
mod control;
mod enqueue;
mod feed;
mod front;
mod handler;
mod keeper;
mod model;
mod queues;
mod recover;
mod run;
mod settle;
mod store;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod view;
mod wait;
mod watch;
mod worker;

pub use context::JobContext;
pub use control::{cancel, prune, retry, retry_failed};
pub(in crate::kernel) use enqueue::{JobRow, insert};
pub use enqueue::{NewJob, enqueue, enqueue_many, enqueue_with_parts};
pub use handler::JobHandler;
pub use model::{Parts, Progress, Rule, State, Wait};
pub use queues::{Pause, Queue, pause, queues, resume};
pub use view::{
    Job, JobFilter, LogLine, QueueCount, counts, failed_kinds, front_kinds, get, kinds, list, log_lines, throughput,
};
pub use watch::{watch, watch_log};
pub use worker::{Worker, WorkerOptions};

/// The queue of ordinary jobs.
pub const DEFAULT: &str = "default";
/// The queue of event deliveries.
pub const EVENTS: &str = "events";
/// The queue of imports and exports.
pub const EXCHANGE: &str = "exchange";
/// The queue of what asks the search index: served by every process that keeps one, whatever its roles.
pub const INDEX: &str = "index";
/// Every queue of the house, for a worker that serves them all.
pub const QUEUES: [&str; 4] = [EVENTS, DEFAULT, EXCHANGE, INDEX];
