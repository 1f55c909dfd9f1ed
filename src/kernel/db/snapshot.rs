//! A reader that sees one state across several statements. Hold it 5 s at most: on SQLite it keeps the write-ahead log
//! from being folded in, on PostgreSQL it holds followers back. Exports page by key instead.

use sqlx::{Postgres, Sqlite, Transaction};

use super::error::from_sqlx;
use super::{Db, Inner};
use crate::kernel::error::Result;

/// See the module's text. Ends when dropped.
pub enum Snapshot {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens a snapshot.
    ///
    /// # Errors
    /// What the database says.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        match &*self.0 {
            Inner::Sqlite(s) => Ok(Snapshot::Sqlite(s.read.begin().await.map_err(from_sqlx)?)),
            Inner::Postgres(p) => {
                let tx = p
                    .pool()?
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await
                    .map_err(from_sqlx)?;
                Ok(Snapshot::Postgres(tx))
            }
        }
    }
}
