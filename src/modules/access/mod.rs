//! What you may: roles of accounts and groups, held as relations, and who sees what.
//!
//! Installs the authorizer into `kernel::access`. Knows accounts only by their ids.

mod grants;
mod relations;
mod rights;
mod schema;

use std::sync::Arc;

use crate::contract::access::Grants;
use crate::kernel::Kernel;
use crate::kernel::access::Permission;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::module::Module;

use grants::GrantService;
use relations::Relations;
use rights::Rights;

/// Give and take roles up to curator, of a collection or of the house.
pub const GRANTS: Permission = Permission("access.grants");
/// Give and take the roles of administrators and operators, keep groups, see why somebody sees something.
pub const MANAGE: Permission = Permission("access.manage");

struct AccessModule;

/// Builds the module and lets relations decide.
///
/// # Errors
/// A schema that is not right; another module that offers the same port.
pub fn wire(kernel: &Kernel, bus: &mut Bus) -> Result<Box<dyn Module>> {
    let relations = Arc::new(Relations::new(kernel.db.clone())?);
    let rights = Rights::new(relations.clone(), kernel.access.clone(), &kernel.db)?;
    kernel.access.install(Box::new(rights));
    let grants = GrantService {
        db: kernel.db.clone(),
        access: kernel.access.clone(),
        relations,
    };
    bus.provide::<dyn Grants>(Arc::new(grants))?;
    Ok(Box::new(AccessModule))
}

impl Module for AccessModule {
    fn name(&self) -> &'static str {
        "access"
    }
    fn permissions(&self) -> &'static [Permission] {
        &[GRANTS, MANAGE]
    }
}
