//! Who may come in: tokens for programs, and the operator's one-time setup link and session.
//!
//! Installs the identity into `kernel::access`, whose rules decide. Knows no accounts yet: there is one operator.

mod api;
mod cache;
mod doors;
mod model;
mod service;
mod store;
mod ui;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::Arc;

use crate::contract::access::Doors;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::Module;

use service::Service;

/// Make, list and revoke tokens.
pub const TOKENS: Permission = Permission("access.tokens");

struct AccessModule {
    service: Arc<Service>,
}

/// Builds the module and makes its secrets known.
///
/// # Errors
/// When another module offers the same port.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let service = Arc::new(Service::new(kernel));
    kernel.access.install_identity(Box::new(service.clone()));
    bus.provide::<dyn Doors>(service.clone())?;
    Ok(Box::new(AccessModule { service }))
}

impl Module for AccessModule {
    fn name(&self) -> &'static str {
        "access"
    }
    fn routes(&self) -> Routes {
        api::routes(self.service.clone())
            .merge(ui::routes(self.service.clone()))
            .merge(doors::routes(self.service.clone()))
    }
    fn permissions(&self) -> &'static [Permission] {
        &[TOKENS]
    }
}
