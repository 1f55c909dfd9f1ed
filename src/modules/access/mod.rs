//! What you may: the rules of who may do what.
//!
//! `kernel::access` asks it; it knows accounts only by their ids.

use crate::kernel::Kernel;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::module::Module;

struct AccessModule;

/// Builds the module.
///
/// # Errors
/// None today.
pub fn wire(_kernel: &Kernel, _bus: &mut Bus) -> Result<Box<dyn Module>> {
    Ok(Box::new(AccessModule))
}

impl Module for AccessModule {
    fn name(&self) -> &'static str {
        "access"
    }
}
