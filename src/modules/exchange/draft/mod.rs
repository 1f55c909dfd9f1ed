//! Drafts of imports, the way of a person with a file: bring it, see how it is read, correct the type that was found,
//! see what would happen, then import. Everything is stored, so that it can be left and gone on with.

pub mod api;
mod doubts;
pub mod form;
mod import;
pub mod lines;
pub mod look;
pub mod model;
mod naming;
pub mod pages;
pub mod running;
pub mod service;
pub mod start;
pub mod store;
pub mod ui;

use serde::{Deserialize, Serialize};

/// The kinds of the jobs; stored.
pub const LOOK: &str = "exchange.look";
pub const CLEAR: &str = "exchange.clear-drafts";

/// The payload of a job that looks at a whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LookAt {
    pub draft: String,
    /// So that the file is kept while the job waits.
    pub blob: String,
}
