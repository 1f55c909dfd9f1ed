//! History: what was changed, by whom and why, as change sets with what each of them touched; taking one back; and the
//! whole of it for auditors.

mod api;
mod audit;
mod service;
mod ui;
mod undo;

use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{Module, NavEntry};

/// To read change sets; what they touch is cut by visibility.
pub const HISTORY_READ: Permission = Permission("history.read");
/// To take change sets back. Each record that is put back needs the right to write it, too.
pub const HISTORY_UNDO: Permission = Permission("history.undo");
/// To read who changed what of everything, in one piece.
pub const HISTORY_AUDIT: Permission = Permission("history.audit");

struct HistoryModule {
    service: service::Service,
}

/// Builds the module.
///
/// # Errors
/// `Unavailable` without records.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let records = bus.port::<dyn Records>()?;
    let service = service::Service {
        db: kernel.db.clone(),
        access: kernel.access.clone(),
        undos: undo::Undos {
            db: kernel.db.clone(),
            records: records.clone(),
        },
        records,
    };
    Ok(Box::new(HistoryModule { service }))
}

impl Module for HistoryModule {
    fn name(&self) -> &'static str {
        "history"
    }
    fn routes(&self) -> Routes {
        let service = &self.service;
        api::routes(service.clone())
            .merge(audit::routes(service.clone()))
            .merge(ui::routes(service.clone()))
            .merge(undo::routes(service.clone()))
            .merge(undo::pages(service.clone()))
    }
    fn jobs(&self) -> Vec<JobHandler> {
        let undoer = undo::Undoer {
            db: self.service.db.clone(),
            access: self.service.access.clone(),
            records: self.service.records.clone(),
        };
        let run = move |context| {
            let undoer = undoer.clone();
            async move { Box::pin(undoer.run(context)).await }
        };
        vec![JobHandler::new(undo::KIND, run)]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[HISTORY_READ, HISTORY_UNDO, HISTORY_AUDIT]
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
