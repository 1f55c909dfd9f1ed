//! Exchange: files come in as imports, records go out as exports. Offers the port
//! [`crate::contract::exchange::Exchange`]; knows records only through their port.

mod api;
mod dina;
mod draft;
mod export;
mod import;
mod interpret;
mod keeper;
mod lookup;
mod mapping;
mod marks;
mod model;
mod original;
mod read;
mod recast;
mod sample;
mod service;
mod shape;
mod store;

use std::sync::Arc;

use serde_json::json;

use crate::contract::exchange::Exchange;
use crate::contract::records::{RECORDS_READ, RECORDS_WRITE, Records};
use crate::kernel::Kernel;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::jobs::{EXCHANGE, JobHandler, NewJob};
use crate::kernel::module::{Module, NavEntry};
use crate::kernel::schedule::Schedule;
use export::job::{EXPORT, Exporter};
use import::Importer;
use read::Spool;
use service::Service;

struct ExchangeModule {
    service: Service,
    importer: Importer,
    exporter: Exporter,
}

/// Builds the module and offers its port.
///
/// # Errors
/// `Unavailable` without records: there is nothing to exchange.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let records = bus.port::<dyn Records>()?;
    let spool = Spool::of(&kernel.data)?;
    let service = Service {
        kernel: kernel.clone(),
        records: records.clone(),
        spool: spool.clone(),
    };
    bus.provide::<dyn Exchange>(Arc::new(service.clone()))?;
    records.keep_types(Arc::new(service.clone()));
    kernel.blobs.hold(Arc::new(service.clone()));
    let exporter = Exporter {
        kernel: kernel.clone(),
        records: records.clone(),
    };
    let importer = Importer {
        kernel: kernel.clone(),
        records,
        spool,
    };
    Ok(Box::new(ExchangeModule {
        service,
        importer,
        exporter,
    }))
}

impl Module for ExchangeModule {
    fn name(&self) -> &'static str {
        "exchange"
    }
    fn routes(&self) -> Routes {
        api::routes(self.service.clone())
            .merge(export::api::routes(self.service.clone()))
            .merge(export::ui::routes(self.service.clone()))
            .merge(sample::routes(self.service.clone()))
            .merge(dina::routes(self.service.clone()))
            .merge(mapping::routes(self.service.clone()))
            .merge(mapping::pages(self.service.clone()))
            .merge(dina::ui::routes(self.service.clone()))
            .merge(draft::api::routes(self.service.clone()))
            .merge(draft::start::routes(self.service.clone()))
            .merge(draft::ui::routes(self.service.clone()))
            .merge(draft::running::routes(self.service.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        let entry = |label, href, permission, order| NavEntry {
            label,
            href,
            permission,
            order,
        };
        vec![
            entry("nav.import", "/import", RECORDS_WRITE, 50),
            entry("exports.title", "/exports", RECORDS_READ, 106),
        ]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        let importer = self.importer.clone();
        let run = move |context| {
            let importer = importer.clone();
            async move { Box::pin(importer.run(context)).await }
        };
        let exporter = self.exporter.clone();
        let export = move |context| {
            let exporter = exporter.clone();
            async move { Box::pin(exporter.run(context)).await }
        };
        let service = self.service.clone();
        let look = move |context| {
            let service = service.clone();
            async move { Box::pin(service.run_look(context)).await }
        };
        let service = self.service.clone();
        let clear = move |_| {
            let service = service.clone();
            async move { Ok(json!({ "cleared": service.clear_expired().await? })) }
        };
        vec![
            JobHandler::new(model::IMPORT, run),
            JobHandler::new(EXPORT, export),
            JobHandler::new(draft::LOOK, look),
            JobHandler::new(draft::CLEAR, clear),
            export::service::handler(&self.service),
            export::whole::handler(&self.service),
        ]
    }
    fn schedules(&self) -> Vec<Schedule> {
        let clear = || {
            NewJob::new(draft::CLEAR, json!({}))
                .queue(EXCHANGE)
                .unique_key(draft::CLEAR)
        };
        vec![
            Schedule::new(draft::CLEAR, "20 3 * * *", clear),
            export::service::schedule(),
        ]
    }
}
