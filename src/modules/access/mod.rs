//! What you may: roles of accounts and groups, held as relations, and who sees what.
//!
//! Installs the authorizer into `kernel::access`. Knows accounts only by their ids.

mod explain;
mod grants;
mod relations;
mod rights;
mod schema;

use std::sync::Arc;

use crate::contract::access::{GRANTS, Grants, MANAGE};
use crate::kernel::Kernel;
use crate::kernel::access::{Permission, VIEW_AS};
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::{Module, NavEntry};

use grants::GrantService;
use relations::Relations;
use rights::Rights;

struct AccessModule {
    grants: Arc<GrantService>,
}

/// Builds the module and lets relations decide.
///
/// # Errors
/// A schema that is not right; another module that offers the same port.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let relations = Arc::new(Relations::new(kernel.db.clone())?);
    let rights = Rights::new(relations.clone(), kernel.access.clone(), &kernel.db)?;
    kernel.access.install(Box::new(rights));
    let grants = Arc::new(GrantService {
        db: kernel.db.clone(),
        access: kernel.access.clone(),
        relations,
    });
    bus.provide::<dyn Grants>(grants.clone())?;
    Ok(Box::new(AccessModule { grants }))
}

impl Module for AccessModule {
    fn name(&self) -> &'static str {
        "access"
    }
    fn routes(&self) -> Routes {
        grants::api::routes(self.grants.clone())
            .merge(grants::ui::routes(self.grants.clone()))
            .merge(explain::api::routes(self.grants.clone()))
            .merge(explain::ui::routes(self.grants.clone()))
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.access",
            href: "/access",
            permission: GRANTS,
            order: 65,
        }]
    }
    fn permissions(&self) -> &'static [Permission] {
        &[GRANTS, MANAGE, VIEW_AS]
    }
}
