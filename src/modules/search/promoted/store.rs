//! SQL of what is shown first.

use super::Promoted;
use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

/// By words, and for the same words in the order in which they were chosen.
pub(super) async fn all(db: &Db, limit: i64) -> Result<Vec<Promoted>> {
    sql("SELECT id, words, record_id FROM promoted_result ORDER BY words, id LIMIT $1")
        .bind(limit)
        .all(db)
        .await
}

pub(super) async fn find(tx: &mut Tx<'_>, words: &str, record: &str) -> Result<Option<Promoted>> {
    sql("SELECT id, words, record_id FROM promoted_result WHERE words = $1 AND record_id = $2")
        .bind(words)
        .bind(record)
        .opt(tx)
        .await
}

/// How many there are, and for these words.
pub(super) async fn counts(tx: &mut Tx<'_>, words: &str) -> Result<(i64, i64)> {
    sql("SELECT COUNT(*), COUNT(*) FILTER (WHERE words = $1) FROM promoted_result")
        .bind(words)
        .one(tx)
        .await
}

pub(super) async fn insert(tx: &mut Tx<'_>, new: &Promoted) -> Result<()> {
    let now = tx.now();
    sql("INSERT INTO promoted_result (id, words, record_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&new.id)
        .bind(&new.words)
        .bind(&new.record_id)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx<'_>, id: &str) -> Result<u64> {
    sql("DELETE FROM promoted_result WHERE id = $1").bind(id).exec(tx).await
}
