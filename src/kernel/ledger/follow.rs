//! Following the ledger: what changed after a place, below the horizon of transactions that may still commit.

use super::{Change, ChangeRow, Position};
use crate::kernel::db::{Db, pick, sql};
use crate::kernel::error::Result;

/// What changed after `after`, oldest first, at most `limit`. Never skips what is committed later with a lower number.
///
/// # Errors
/// What the database says.
pub async fn follow(db: &Db, after: Position, limit: i64) -> Result<Vec<Change>> {
    let rows: Vec<ChangeRow> = pick(
        "SELECT txid, position, kind, entity, version FROM version WHERE (txid, position) > ($1, $2) ORDER BY txid, position LIMIT $3",
        "SELECT txid, position, kind, entity, version FROM version WHERE (txid, position) > ($1, $2) \
         AND txid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) ORDER BY txid, position LIMIT $3",
    )
    .bind(after.txid)
    .bind(after.position)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// The last place that is committed now, above the horizon too: what `wait=true` waits for.
///
/// # Errors
/// What the database says.
pub async fn head(db: &Db) -> Result<Position> {
    let row: Option<(i64, i64)> = sql("SELECT txid, position FROM version ORDER BY txid DESC, position DESC LIMIT 1")
        .opt(db)
        .await?;
    Ok(row.map_or_else(Position::default, |(txid, position)| Position { txid, position }))
}

/// The last place below which nothing can appear any more: where a follower may begin that has read everything else.
///
/// # Errors
/// What the database says.
pub async fn settled(db: &Db) -> Result<Position> {
    let row: Option<(i64, i64)> = pick(
        "SELECT txid, position FROM version ORDER BY txid DESC, position DESC LIMIT 1",
        "SELECT txid, position FROM version WHERE txid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) \
         ORDER BY txid DESC, position DESC LIMIT 1",
    )
    .opt(db)
    .await?;
    Ok(row.map_or_else(Position::default, |(txid, position)| Position { txid, position }))
}

/// How many changes stand after a place, counted up to `most`.
///
/// # Errors
/// What the database says.
pub async fn count_after(db: &Db, after: Position, most: i64) -> Result<i64> {
    let (count,): (i64,) =
        sql("SELECT COUNT(*) FROM (SELECT position FROM version WHERE (txid, position) > ($1, $2) LIMIT $3) AS later")
            .bind(after.txid)
            .bind(after.position)
            .bind(most)
            .one(db)
            .await?;
    Ok(count)
}
