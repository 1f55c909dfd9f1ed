//! Search: the page through which people find records, on the index of `kernel::search`.

mod ui;

use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::access::OPEN;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::{Module, NavEntry};

struct SearchModule {
    pages: ui::Sources,
}

/// Builds the module.
///
/// # Errors
/// `Unavailable` without records.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let pages = ui::Sources {
        records: bus.port::<dyn Records>()?,
        search: kernel.search.clone(),
        access: kernel.access.clone(),
    };
    Ok(Box::new(SearchModule { pages }))
}

impl Module for SearchModule {
    fn name(&self) -> &'static str {
        "search"
    }
    fn routes(&self) -> Routes {
        ui::routes(self.pages.clone())
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.search",
            href: "/search",
            permission: OPEN,
            order: 10,
        }]
    }
}
