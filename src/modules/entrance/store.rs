//! What the ledger says of the first steps. Reads only.

use crate::kernel::db::{Db, sql};
use crate::kernel::error::Result;

/// Somebody has imported a file; the sample, which the house itself brings, does not count.
pub(super) async fn has_imported(db: &Db) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT id FROM change_set WHERE kind = $1 AND actor <> $2 LIMIT 1")
        .bind("import")
        .bind(HOUSE)
        .opt(db)
        .await?;
    Ok(found.is_some())
}

/// Somebody has changed a type after it was made.
pub(super) async fn has_looked(db: &Db) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT id FROM change_set WHERE kind = $1 LIMIT 1")
        .bind("type.edit")
        .opt(db)
        .await?;
    Ok(found.is_some())
}

/// The house itself made this entity: it came with the sample.
pub(super) async fn is_sample(db: &Db, entity: &str) -> Result<bool> {
    let maker: Option<(String,)> = sql(
        "SELECT s.actor FROM version v JOIN change_set s ON s.id = v.set_id WHERE v.entity = $1 AND v.version = $2",
    )
    .bind(entity)
    .bind(1_i64)
    .opt(db)
    .await?;
    Ok(maker.is_some_and(|(actor,)| actor == HOUSE))
}

/// The actor of what nobody asked for.
const HOUSE: &str = "system";
