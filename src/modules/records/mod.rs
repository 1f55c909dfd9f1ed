//! Records: types as text, documents with their history, identifiers that lead to them and links between them. Offers the
//! port [`crate::contract::records::Records`].

mod api;
mod index;
mod infer;
mod labels;
pub mod model;
mod places;
pub mod service;
mod sitemap;
mod store;
mod ui;

#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::Arc;

use crate::contract::access::Grants;
use crate::contract::accounts::Owners;
use crate::contract::records::{
    RECORDS_DELETE, RECORDS_READ, RECORDS_RESTRICTED, RECORDS_WRITE, Records, TYPES_READ, TYPES_WRITE,
};
use crate::kernel::Kernel;
use crate::kernel::access::{Access, Permission};
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::{Routes, SitemapSource, public_url};
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{Module, NavEntry};
use crate::kernel::schedule::Schedule;
use crate::kernel::search::{IndexSource, Tongue};
use service::{Service, batch, collection, embargo, opening, reshape};

struct RecordsModule {
    service: Arc<Service>,
    access: Access,
    /// Of texts whose type names no language.
    language: Option<Tongue>,
    pages: ui::Pages,
    public_url: Arc<str>,
}

impl Module for RecordsModule {
    fn name(&self) -> &'static str {
        "records"
    }
    fn routes(&self) -> Routes {
        let api = api::Api {
            service: self.service.clone(),
            batches: self.pages.batches.clone(),
            labels: self.pages.labels.clone(),
            public_url: self.public_url.clone(),
            search: self.pages.search.clone(),
        };
        api::routes(api).merge(ui::routes(self.pages.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.types",
            href: "/types",
            permission: TYPES_READ,
            order: 20,
        }]
    }
    fn index_sources(&self) -> Vec<Arc<dyn IndexSource>> {
        vec![Arc::new(index::RecordIndex {
            service: self.service.clone(),
            access: self.access.clone(),
            language: self.language,
            kept: index::Kept::default(),
        })]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        let (opens, removal) = (self.service.clone(), self.service.clone());
        let open = move |context| {
            let service = opens.clone();
            async move { service.run_opening(context).await }
        };
        let remove = move |context| {
            let service = removal.clone();
            async move { service.run_removal(context).await }
        };
        let embargoes = self.service.clone();
        let embargo = move |context| {
            let service = embargoes.clone();
            async move { Box::pin(service.run_embargo(context)).await }
        };
        let shaper = self.service.clone();
        let move_values = move |context| {
            let service = shaper.clone();
            async move { Box::pin(service.run_reshape(context)).await }
        };
        let (batches, clearing) = (self.pages.batches.clone(), self.pages.batches.clone());
        let run_batch = move |context| {
            let batches = batches.clone();
            async move { Box::pin(batches.run(context)).await }
        };
        let files = self.pages.labels.clone();
        let clear = move |_| {
            let (batches, files) = (clearing.clone(), files.clone());
            async move {
                files.clear().await?;
                batches.clear().await
            }
        };
        let labels = self.pages.labels.clone();
        let print = move |context| {
            let labels = labels.clone();
            async move { Box::pin(labels.run(context)).await }
        };
        vec![
            JobHandler::new(batch::BATCH, run_batch),
            JobHandler::new(batch::CLEAR, clear),
            JobHandler::new(labels::LABELS, print),
            JobHandler::new(opening::OPEN, open),
            JobHandler::new(collection::REMOVE, remove),
            JobHandler::new(embargo::EMBARGO, embargo),
            JobHandler::new(reshape::RESHAPE, move_values),
        ]
    }
    fn schedules(&self) -> Vec<Schedule> {
        vec![
            Schedule::new(embargo::EMBARGO, "40 3 * * *", embargo::sweep),
            batch::schedule(),
        ]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[
            TYPES_READ,
            TYPES_WRITE,
            RECORDS_READ,
            RECORDS_WRITE,
            RECORDS_DELETE,
            RECORDS_RESTRICTED,
        ]
    }
}

/// Builds the module and offers its port.
///
/// # Errors
/// When the port is offered already.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let service = Arc::new(Service::new(
        kernel.db.clone(),
        kernel.access.clone(),
        bus.find::<dyn Grants>(),
    ));
    bus.provide::<dyn Records>(service.clone())?;
    if let Some(owners) = bus.find::<dyn Owners>() {
        owners.keep_accounts(service.clone());
    }
    kernel.blobs.hold(service.clone());
    kernel.access.install_places(Box::new(service.clone()));
    bus.provide::<dyn SitemapSource>(Arc::new(sitemap::Addresses {
        service: service.clone(),
        access: kernel.access.clone(),
    }))?;
    let batches = batch::Batches {
        service: service.clone(),
        search: kernel.search.clone(),
    };
    let labels = labels::Labels {
        batches: batches.clone(),
        blobs: kernel.blobs.clone(),
        public_url: public_url(&kernel.config).into(),
    };
    kernel.blobs.hold(Arc::new(labels.clone()));
    let pages = ui::Pages {
        batches,
        labels,
        service: service.clone(),
        db: kernel.db.clone(),
        access: kernel.access.clone(),
        search: kernel.search.clone(),
        image_hosts: kernel.config.http.image_hosts.clone().into(),
    };
    Ok(Box::new(RecordsModule {
        service,
        pages,
        access: kernel.access.clone(),
        language: Tongue::find(&kernel.config.search.language),
        public_url: public_url(&kernel.config).into(),
    }))
}
