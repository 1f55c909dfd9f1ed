//! Who you are: tokens for programs, sessions of browsers, the one-time setup link.
//!
//! Installs the identity into `kernel::access`. What somebody may is decided there and in the module `access`.

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

use crate::contract::accounts::Doors;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::Module;

use service::Service;

/// Make, list and revoke tokens. The name is stored in scopes of tokens, so it stays.
pub const TOKENS: Permission = Permission("access.tokens");

struct AccountsModule {
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
    Ok(Box::new(AccountsModule { service }))
}

impl Module for AccountsModule {
    fn name(&self) -> &'static str {
        "accounts"
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
