//! Outgoing mail: written down with what it speaks of, sent by a job, and seen by those who run the house.
//!
//! Without a mail server nothing is sent and nothing waits: whoever asks learns it and shows a link instead.

mod api;
mod health;
mod jobs;
mod model;
mod server;
mod service;
mod store;
mod ui;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::Arc;

use crate::contract::messages::Messages;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{HealthCheck, Module, NavEntry};
use crate::kernel::schedule::Schedule;

use service::Service;

/// See what was sent and what was not.
pub const READ: Permission = Permission("messages.read");
/// Send a test mail, try again what failed.
pub const MANAGE: Permission = Permission("messages.manage");

struct MessagesModule {
    service: Arc<Service>,
}

/// Builds the module and offers its port.
///
/// # Errors
/// Settings of the mail server that cannot work; when another module offers the port.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let service = Arc::new(Service::new(kernel)?);
    bus.provide::<dyn Messages>(service.clone())?;
    Ok(Box::new(MessagesModule { service }))
}

impl Module for MessagesModule {
    fn name(&self) -> &'static str {
        "messages"
    }
    fn routes(&self) -> Routes {
        api::routes(self.service.clone()).merge(ui::routes(self.service.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "messages.title",
            href: "/messages",
            permission: READ,
            order: 66,
        }]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        jobs::handlers(&self.service)
    }
    fn schedules(&self) -> Vec<Schedule> {
        vec![jobs::schedule()]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[READ, MANAGE]
    }
    fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        vec![Arc::new(health::Mail(self.service.clone()))]
    }
}
