//! Search: the page and the JSON interface through which records are found, on the index of `kernel::search`.

mod api;
mod fields;
pub mod service;
pub mod suggest;
mod ui;

use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::access::{OPEN, Permission};
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::{Health, HealthCheck, Module, NavEntry};
use crate::kernel::search::Search;

struct SearchModule {
    service: service::Service,
}

/// Builds the module.
///
/// # Errors
/// `Unavailable` without records: there is nothing else to find yet.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let records = bus.port::<dyn Records>()?;
    let service = service::Service {
        search: kernel.search.clone(),
        records,
        access: kernel.access.clone(),
        db: kernel.db.clone(),
        image_hosts: kernel.config.http.image_hosts.clone().into(),
    };
    Ok(Box::new(SearchModule { service }))
}

impl Module for SearchModule {
    fn name(&self) -> &'static str {
        "search"
    }
    fn routes(&self) -> Routes {
        api::routes(self.service.clone()).merge(ui::routes(self.service.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.search",
            href: "/search",
            permission: OPEN,
            order: 10,
        }]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[api::SEARCH_REBUILD]
    }
    fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        vec![Arc::new(Index(self.service.search.clone()))]
    }
}

/// How the index of this process is.
struct Index(Search);

#[async_trait]
impl HealthCheck for Index {
    fn name(&self) -> &'static str {
        "search"
    }
    async fn check(&self) -> Health {
        self.0.health()
    }
}
