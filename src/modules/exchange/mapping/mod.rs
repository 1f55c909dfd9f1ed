//! Mappings: which column of a file goes into which field of a type that is there, and how. Text, kept under a name and used
//! again for the next file with the same columns.

mod api;
mod apply;
mod form;
pub mod model;
mod place;
mod service;
mod store;
mod ui;

pub use api::routes;
pub use apply::Applied;
pub use model::Mapping;
pub use service::{Asked, check, missing, prepare};
pub use ui::routes as pages;
