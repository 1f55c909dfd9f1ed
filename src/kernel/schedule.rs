//! Schedules: cron text with a time zone, turned into jobs by deduplicated inserts, so any number of schedulers is safe.

use super::jobs::NewJob;

/// When a due time was missed because nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Run once, now.
    RunOnce,
    /// Wait for the next due time.
    Skip,
}

/// One schedule of a module.
#[derive(Clone)]
pub struct Schedule {
    /// Stored: never rename it.
    pub name: &'static str,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: &'static str,
    pub missed: Missed,
    /// The job to make.
    pub job: fn() -> NewJob,
}
