//! Who you are: accounts of people and programs, signing in, sessions, tokens, one-time links.
//!
//! Installs identity and directory into `kernel::access`. What somebody may is decided there and in the module `access`.

mod account;
mod api;
mod cache;
mod hashing;
mod jobs;
mod model;
mod names;
mod password;
mod picture;
mod providers;
mod recorded;
mod service;
mod store;
mod totp;
mod ui;
mod webauthn;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::Arc;

use crate::contract::access::Grants;
use crate::contract::accounts::{Doors, Owners};
use crate::contract::messages::Messages;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{Module, NavEntry};
use crate::kernel::schedule::Schedule;

use service::Service;

/// Make, list and revoke tokens. The name is stored in scopes of tokens, so it stays.
pub const TOKENS: Permission = Permission("access.tokens");
/// Invite people, switch accounts off, hand out links, give roles.
pub const MANAGE: Permission = Permission("accounts.manage");

struct AccountsModule {
    service: Arc<Service>,
}

/// Builds the module and makes its secrets known.
///
/// # Errors
/// When another module offers the same port.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let service = Arc::new(Service::new(
        kernel,
        bus.find::<dyn Grants>(),
        bus.find::<dyn Messages>(),
    )?);
    kernel.access.install_identity(Box::new(service.clone()));
    kernel.access.install_directory(Box::new(service.clone()));
    bus.provide::<dyn Doors>(service.clone())?;
    bus.provide::<dyn Owners>(service.clone())?;
    Ok(Box::new(AccountsModule { service }))
}

impl Module for AccountsModule {
    fn name(&self) -> &'static str {
        "accounts"
    }
    fn routes(&self) -> Routes {
        api::routes(&self.service).merge(ui::routes(&self.service))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "people.title",
            href: "/people",
            permission: MANAGE,
            order: 60,
        }]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        jobs::handlers(&self.service)
    }
    fn schedules(&self) -> Vec<Schedule> {
        vec![jobs::schedule()]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[TOKENS, MANAGE]
    }
}
