//! The ground floor: what every module stands on. Knows no module and nothing of `contract`.

pub mod access;
pub mod blobs;
pub mod bus;
pub mod civil;
pub mod clock;
pub mod config;
pub mod control;
pub mod coordinates;
pub mod crypto;
pub mod data;
pub mod db;
pub mod error;
pub mod fetch;
pub mod geo;
pub mod health;
pub mod http;
pub mod i18n;
pub mod id;
pub mod jobs;
pub mod ledger;
pub mod module;
pub mod process;
pub mod program;
pub mod schedule;
pub mod search;
pub mod telemetry;
#[cfg(feature = "testing")]
#[expect(clippy::expect_used, reason = "a test that cannot be set up should stop at once")]
pub mod testing;
pub mod ui;

use std::sync::Arc;

/// What the house gives every module. Cheap to clone.
#[derive(Clone)]
pub struct Kernel {
    pub config: Arc<config::Config>,
    pub data: Arc<data::DataDir>,
    pub db: db::Db,
    pub clock: clock::Clock,
    pub blobs: blobs::Blobs,
    pub search: search::Search,
    pub access: access::Access,
    /// Fires when the process should end; long work looks at it between steps.
    pub stop: tokio_util::sync::CancellationToken,
    /// The id of this process in the table `process`.
    pub process: Arc<str>,
    /// What this process was told while it runs.
    pub orders: process::Orders,
}
