//! Search: one index per process for all kinds, on a fixed schema, following the ledger.

pub mod types;

use async_trait::async_trait;

use super::error::Result;
pub use types::*;

/// What of a module the index holds: turns entities of one ledger kind into documents.
#[async_trait]
pub trait IndexSource: Send + Sync {
    /// The ledger kind it serves, such as [`super::ledger::RECORD`].
    fn kind(&self) -> &'static str;
    /// The current state of these entities. An id that is missing from the answer is removed from the index.
    async fn load(&self, ids: &[String]) -> Result<Vec<Document>>;
    /// Ids of everything there is, in id order after `after`, for a rebuild.
    async fn page(&self, after: Option<&str>, limit: i64) -> Result<Vec<String>>;
}

/// The search of this process. Cheap to clone. A process without an index answers `Unavailable`.
#[derive(Clone, Default)]
pub struct Search {}
