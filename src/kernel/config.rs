//! Configuration: `config/default.toml` < file < environment `APP__SECTION__KEY` < flags.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Every setting. Each key stands with its meaning in `config/default.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data: Data,
    pub http: Http,
    pub database: Database,
    pub jobs: Jobs,
    pub search: Search,
    pub import: Import,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// All local state.
    pub dir: PathBuf,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub bind: String,
    /// Where people reach it; empty: `http://localhost:PORT`.
    pub public_url: String,
    /// Other host names it answers to.
    pub hosts: Vec<String>,
    pub body_limit: u64,
    pub upload_limit: u64,
    pub timeout_seconds: u64,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:` or `postgres://…`. May hold a password: redacted in `Debug` and `config show`.
    pub url: String,
    pub connections: u32,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub concurrency: u32,
    pub lease_seconds: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Bytes the index writer may hold.
    pub memory: u64,
    pub threads: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Unpacked bytes a file may have.
    pub max_bytes: u64,
    pub max_rows: u64,
    pub max_columns: u64,
    pub max_cell_bytes: u64,
    /// Nesting depth of JSON.
    pub max_depth: u32,
    /// Unpacked bytes per packed byte.
    pub max_ratio: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    pub level: String,
}
