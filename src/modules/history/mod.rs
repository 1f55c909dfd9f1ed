//! History: what was changed, by whom and why, as change sets with what each of them touched.

mod api;
mod service;
mod ui;

use std::sync::Arc;

use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::{Module, NavEntry};

/// To read change sets; what they touch is cut by visibility.
pub const HISTORY_READ: Permission = Permission("history.read");

struct HistoryModule {
    service: Arc<service::Service>,
    pages: ui::Pages,
}

/// Builds the module.
///
/// # Errors
/// `Unavailable` without records.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let pages = ui::Pages {
        db: kernel.db.clone(),
        records: bus.port::<dyn Records>()?,
    };
    let service = Arc::new(service::Service {
        db: kernel.db.clone(),
        access: kernel.access.clone(),
        records: pages.records.clone(),
    });
    Ok(Box::new(HistoryModule { service, pages }))
}

impl Module for HistoryModule {
    fn name(&self) -> &'static str {
        "history"
    }
    fn routes(&self) -> Routes {
        api::routes(self.service.clone()).merge(ui::routes(self.pages.clone()))
    }
    fn permissions(&self) -> &'static [Permission] {
        &[HISTORY_READ]
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.changes",
            href: "/changes",
            permission: HISTORY_READ,
            order: 40,
        }]
    }
}
