//! Documentation that is served with the program: the manual, the API for people, a page per error code, the style guide.
//!
//! The manual is Markdown under `assets/docs`, its commands run by a test; the rest is made from what the program itself
//! knows (its OpenAPI document, its codes, its components), so that it cannot be out of date. Nothing is fetched from
//! elsewhere.

mod manual;
mod model;
mod style;
mod ui;

#[cfg(all(test, feature = "testing"))]
mod tests;

use crate::kernel::Kernel;
use crate::kernel::access::OPEN;
use crate::kernel::bus::Bus;
use crate::kernel::error::Result;
use crate::kernel::http::Routes;
use crate::kernel::module::{Module, NavEntry};

struct Docs;

/// Builds the module.
///
/// # Errors
/// None.
pub fn wire(_kernel: &Kernel, _bus: &mut Bus) -> Result<Box<dyn Module>> {
    Ok(Box::new(Docs))
}

impl Module for Docs {
    fn name(&self) -> &'static str {
        "docs"
    }
    fn routes(&self) -> Routes {
        ui::routes()
    }
    fn navigation(&self) -> Vec<NavEntry> {
        vec![NavEntry {
            label: "nav.docs",
            href: "/docs",
            permission: OPEN,
            order: 90,
        }]
    }
}
