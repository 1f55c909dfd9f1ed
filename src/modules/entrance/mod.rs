//! Entrance: the start page. What is here, the ways in, what came last; in an empty house the first steps.
//!
//! Holds nothing of its own: it reads through the port of records, the search of this process and the ledger.

mod store;
mod ui;

#[cfg(test)]
mod tests;

use crate::contract::exchange::Exchange;
use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::Module;

struct EntranceModule {
    sources: ui::Sources,
}

/// Builds the module. Without records the page shows the first steps.
///
/// # Errors
/// None.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let sources = ui::Sources {
        records: bus.find::<dyn Records>(),
        exchange: bus.find::<dyn Exchange>(),
        search: kernel.search.clone(),
        access: kernel.access.clone(),
        db: kernel.db.clone(),
        image_hosts: kernel.config.http.image_hosts.clone().into(),
    };
    Ok(Box::new(EntranceModule { sources }))
}

impl Module for EntranceModule {
    fn name(&self) -> &'static str {
        "entrance"
    }
    fn routes(&self) -> Routes {
        ui::routes(self.sources.clone())
    }
}
