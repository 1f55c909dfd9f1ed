//! Configuration: `config/default.toml` < file < environment `APP__SECTION__KEY` < flags.
//!
//! The only room that reads the environment. [`load`] knows where each value came from; [`Config::check`] refuses unsafe
//! values. No secret leaves this room in a message, a `Debug` or a listing.

mod layers;
mod providers;
mod rules;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use layers::{DEFAULT, Entry, Loaded, Sources, load};
pub use providers::{Provider, RoleRule, explained_as};
pub use rules::{listen_address, network, redacted_url};
pub use secret::Secret;

use crate::kernel::i18n::Language;

/// Every setting. Each key stands with its meaning in `config/default.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data: Data,
    pub http: Http,
    pub accounts: Accounts,
    pub messages: Messages,
    pub database: Database,
    pub jobs: Jobs,
    pub search: Search,
    pub import: Import,
    pub export: Export,
    pub log: Log,
    /// Each value as it was set, with where it came from; secrets masked.
    #[serde(skip)]
    pub origins: Vec<Entry>,
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
    /// Where people reach it; empty: `http://localhost:PORT`. Filled in by the time modules are wired.
    pub public_url: String,
    /// Other host names it answers to.
    pub hosts: Vec<String>,
    /// Other hosts whose images pages may show.
    pub image_hosts: Vec<String>,
    /// Proxies whose word about who asks is taken: addresses, or networks such as 10.0.0.0/8.
    pub trusted_proxies: Vec<String>,
    /// What pages and mail are written in for whoever names no language.
    pub language: String,
    /// Accept plain http for another host than localhost.
    pub allow_plain: bool,
    pub body_limit: u64,
    pub upload_limit: u64,
    pub timeout_seconds: u64,
    /// Requests that an account, or an address, may send in a minute; 0: no limit.
    pub reads_per_minute: u64,
    pub writes_per_minute: u64,
    pub files_per_minute: u64,
    /// Other sites whose pages may use the API, with a token.
    pub cors_origins: Vec<String>,
}

impl Http {
    /// The language of the house.
    pub fn spoken(&self) -> Language {
        Language::find(&self.language).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// A session that nobody uses ends after this.
    pub session_idle_minutes: u32,
    /// A session ends after this in any case.
    pub session_hours: u32,
    /// An invitation and a link for a new password work this long.
    pub link_hours: u32,
    /// Roles that must show a second factor.
    pub second_factor: Vec<String>,
    /// Strangers may make an account of their own.
    pub sign_up: bool,
    /// Only with addresses in one of these domains; empty: with any.
    pub sign_up_domains: Vec<String>,
    /// Others who say who somebody is, by the name that stands in their addresses here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<String, Provider>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// The mail server; empty: none.
    pub host: String,
    /// 0: the usual one.
    pub port: u16,
    /// `starttls`, `tls` or `plain`.
    pub security: String,
    /// A certificate in PEM form that is trusted besides those of the web.
    pub ca_file: String,
    pub user: String,
    pub password: Secret,
    /// A file that holds the password instead; already read into `password`.
    pub password_file: String,
    /// From whom: an address, or a name and an address.
    pub from: String,
    pub timeout_seconds: u32,
    /// Messages of one kind that one address gets within an hour.
    pub most_per_hour: u32,
    pub keep_days: u32,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:` or `postgres://…`. May hold a password: redacted in `Debug` and `config show`.
    pub url: String,
    /// A file that holds the address instead; already read into `url`.
    pub url_file: String,
    pub connections: u32,
}

impl Database {
    /// True where several processes may share the data folder.
    pub fn is_shared(&self) -> bool {
        !self.url.starts_with("sqlite:")
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &redacted_url(&self.url))
            .field("connections", &self.connections)
            .finish()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub concurrency: u32,
    /// Queues that a worker serves; empty: all.
    pub queues: Vec<String>,
    /// `queue:jobs` for queues with a limit of their own.
    pub limits: Vec<String>,
    pub lease_seconds: u64,
    /// How long running jobs may go on after the process was asked to stop.
    pub stop_seconds: u64,
    /// Jobs that ended well, or were cancelled, are kept this long.
    pub keep_days: u32,
    /// Jobs that failed are kept this long.
    pub keep_failed_days: u32,
}

impl Jobs {
    /// How many jobs of a queue one process runs at the same time, where that is not `concurrency`.
    pub fn limits(&self) -> HashMap<String, usize> {
        let pairs = self.limits.iter().filter_map(|text| rules::limit(text));
        pairs.map(|(queue, jobs)| (queue.to_owned(), jobs)).collect()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Bytes the index writer may hold.
    pub memory: u64,
    pub threads: u32,
    /// Of texts whose type names none.
    pub language: String,
    /// Days for which it is counted what is asked for; 0: not at all.
    pub log_days: u32,
    /// Different questions of all days that are counted.
    pub log_rows: u32,
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
pub struct Export {
    /// How long the file of an export that ran as a job is kept.
    pub keep_hours: u32,
    /// Exports of one caller that wait, run or are kept.
    pub most: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    pub level: String,
    /// Bytes that all kept log files may have together.
    pub keep_bytes: u64,
    /// Where a collector takes traces by OTLP over HTTP; empty: none are sent.
    pub traces: String,
    /// How many of a hundred traces that begin here are sent.
    pub traces_percent: u64,
    /// A header that the collector wants, `name: value`.
    pub traces_header: Secret,
    /// A file that holds the header instead; already read into `traces_header`.
    pub traces_header_file: String,
}

/// The address of the service manager's notification socket, if there is one. No setting of ours, so it stands apart.
#[expect(clippy::disallowed_methods, reason = "this room is where the environment is read")]
pub fn notify_socket() -> Option<std::ffi::OsString> {
    std::env::var_os("NOTIFY_SOCKET").filter(|value| !value.is_empty())
}
