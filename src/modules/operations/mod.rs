//! Looking after the house: jobs, schedules, processes, health and figures; and forgetting old jobs.

mod api;
mod bundle;
mod health;
mod jobs;
mod logs;
mod model;
mod orders;
mod overview;
mod queues;
mod schedules;
mod scrub;
mod settings;
mod timeline;
mod ui;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::sync::Arc;

use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::db::Db;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{HealthBoard, HealthCheck, Module, NavEntry};
use crate::kernel::schedule::Schedule;

/// See jobs with their results and logs.
pub const JOBS_READ: Permission = Permission("jobs.read");
/// Cancel jobs and try them again, run schedules by hand.
pub const JOBS_MANAGE: Permission = Permission("jobs.manage");
/// See processes, schedules, figures and why something is not healthy.
pub const OPERATIONS_READ: Permission = Permission("operations.read");
/// Pause roles of running processes, change how much they log, pack what helps others to help.
pub const OPERATIONS_MANAGE: Permission = Permission("operations.manage");
/// Read what the processes have logged.
pub const LOGS_READ: Permission = Permission("logs.read");

/// What the handlers work with.
#[derive(Clone)]
struct Room {
    kernel: Kernel,
    board: Arc<HealthBoard>,
}

struct Operations {
    room: Room,
}

/// Builds the module. Shows the checks of the board that the bus offers, if it does.
///
/// # Errors
/// None today.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let board = bus.find::<HealthBoard>().unwrap_or_default();
    Ok(Box::new(Operations {
        room: Room {
            kernel: kernel.clone(),
            board,
        },
    }))
}

impl Operations {
    fn db(&self) -> &Db {
        &self.room.kernel.db
    }
}

impl Module for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }
    fn routes(&self) -> Routes {
        let pages = ui::Pages {
            db: self.room.kernel.db.clone(),
            access: self.room.kernel.access.clone(),
            stop: self.room.kernel.stop.clone(),
            keep_failed_days: self.room.kernel.config.jobs.keep_failed_days,
        };
        api::routes(self.room.clone())
            .merge(health::routes(self.room.clone()))
            .merge(bundle::routes(self.room.clone()))
            .merge(logs::routes(self.room.clone()))
            .merge(orders::routes(self.room.clone()))
            .merge(overview::routes(self.room.clone()))
            .merge(queues::routes(self.room.clone()))
            .merge(schedules::routes(self.room.clone()))
            .merge(settings::routes(self.room.clone()))
            .merge(timeline::routes(self.room.clone()))
            .merge(ui::routes(pages))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        let entry = |label, href, permission, order| NavEntry {
            label,
            href,
            permission,
            order,
        };
        vec![
            entry("nav.jobs", "/jobs", JOBS_READ, 60),
            entry("nav.operations", "/operations", OPERATIONS_READ, 70),
            entry("nav.logs", "/logs", LOGS_READ, 72),
            entry("nav.settings", "/settings", OPERATIONS_READ, 74),
        ]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        vec![jobs::handler(&self.room.kernel)]
    }
    fn schedules(&self) -> Vec<Schedule> {
        vec![jobs::schedule()]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[JOBS_READ, JOBS_MANAGE, OPERATIONS_READ, OPERATIONS_MANAGE, LOGS_READ]
    }
    fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        health::checks(self.db())
    }
}
