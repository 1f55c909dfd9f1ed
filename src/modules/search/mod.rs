//! Search: the page and the JSON interface through which records are found, on the index of `kernel::search`.

mod api;
mod asked;
mod feed;
mod fields;
mod promoted;
mod saved;
pub mod service;
pub mod suggest;
mod synonyms;
mod ui;

use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::accounts::Owners;
use crate::contract::messages::Messages;
use crate::contract::records::Records;
use crate::kernel::Kernel;
use crate::kernel::access::{OPEN, Permission};
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::{Routes, public_url};
use crate::kernel::jobs::JobHandler;
use crate::kernel::module::{Health, HealthCheck, Module, NavEntry};
use crate::kernel::schedule::Schedule;
use crate::kernel::search::Search;

struct SearchModule {
    saves: saved::Saves,
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
        asked: asked::Log::new(kernel),
        shown_first: Arc::new(promoted::ShownFirst::new(&kernel.db)),
    };
    let owners = bus.find::<dyn Owners>();
    let public_url = public_url(&kernel.config);
    let saves = saved::Saves::new(service, owners.clone(), bus.find::<dyn Messages>(), &public_url);
    if let Some(owners) = owners {
        owners.keep_accounts(Arc::new(saves.clone()));
    }
    Ok(Box::new(SearchModule { saves }))
}

impl Module for SearchModule {
    fn name(&self) -> &'static str {
        "search"
    }
    fn routes(&self) -> Routes {
        api::routes(self.saves.clone()).merge(ui::routes(self.saves.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        let entry = |label, href, permission, order| NavEntry {
            label,
            href,
            permission,
            order,
        };
        vec![
            entry("nav.search", "/search", OPEN, 10),
            entry("asked.title", "/search/asked", promoted::SEARCH_CURATE, 55),
            entry("saved.title", "/search/saved", saved::SEARCH_SAVE, 105),
        ]
    }
    fn jobs(&self) -> Vec<JobHandler> {
        saved::handlers(&self.saves)
    }
    fn schedules(&self) -> Vec<Schedule> {
        saved::schedules()
    }
    fn permissions(&self) -> &'static [Permission] {
        &[api::SEARCH_REBUILD, promoted::SEARCH_CURATE, saved::SEARCH_SAVE]
    }
    fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        vec![Arc::new(Index(self.saves.service.search.clone()))]
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
