//! SQL of saved searches and of what they have matched.

use super::Saved;
use super::watch::Baseline;
use crate::kernel::db::{Db, Tx, insert_many, sql};
use crate::kernel::error::Result;
use crate::kernel::ledger::Position;

pub(super) async fn of(db: &Db, owner: &str, limit: i64) -> Result<Vec<Saved>> {
    sql("SELECT id, owner, name, query, shared, watched, seen_txid, seen_position, wide, news, news_since, created_at, deleted_at \
         FROM saved_search WHERE owner = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT $2")
        .bind(owner)
        .bind(limit)
        .all(db)
        .await
}

/// Those that are watched, by owner.
pub(super) async fn watched(db: &Db, after: (&str, &str), limit: i64) -> Result<Vec<Saved>> {
    sql("SELECT id, owner, name, query, shared, watched, seen_txid, seen_position, wide, news, news_since, created_at, deleted_at \
         FROM saved_search WHERE watched AND deleted_at IS NULL AND (owner, id) > ($1, $2) ORDER BY owner, id LIMIT $3")
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .all(db)
        .await
}

pub(super) async fn get(db: &Db, id: &str) -> Result<Option<Saved>> {
    sql("SELECT id, owner, name, query, shared, watched, seen_txid, seen_position, wide, news, news_since, created_at, deleted_at \
         FROM saved_search WHERE id = $1")
        .bind(id)
        .opt(db)
        .await
}

pub(super) async fn count(tx: &mut Tx<'_>, owner: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM saved_search WHERE owner = $1 AND deleted_at IS NULL")
        .bind(owner)
        .one(tx)
        .await?;
    Ok(count)
}

pub(super) async fn insert(tx: &mut Tx<'_>, saved: &Saved) -> Result<()> {
    sql("INSERT INTO saved_search (id, owner, name, query, shared, watched, seen_txid, seen_position, wide, news, news_since, created_at, deleted_at) \
         VALUES ($1, $2, $3, $4, $5, FALSE, 0, 0, FALSE, 0, $6, $6, NULL)")
        .bind(&saved.id)
        .bind(&saved.owner)
        .bind(&saved.name)
        .bind(&saved.query)
        .bind(saved.shared)
        .bind(saved.created_at)
        .exec(tx)
        .await?;
    Ok(())
}

/// Its name, and for whom it is.
pub(super) async fn rename(tx: &mut Tx<'_>, saved: &Saved) -> Result<()> {
    sql("UPDATE saved_search SET name = $2, shared = $3 WHERE id = $1")
        .bind(&saved.id)
        .bind(&saved.name)
        .bind(saved.shared)
        .exec(tx)
        .await?;
    Ok(())
}

/// Counting what is new begins anew.
pub(super) async fn looked_at(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE saved_search SET news = 0, news_since = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

/// It is watched from now on.
pub(super) async fn begin(tx: &mut Tx<'_>, id: &str, baseline: &Baseline) -> Result<()> {
    sql("DELETE FROM saved_search_match WHERE search_id = $1")
        .bind(id)
        .exec(&mut *tx)
        .await?;
    sql("UPDATE saved_search SET watched = TRUE, seen_txid = $2, seen_position = $3, wide = $4 WHERE id = $1")
        .bind(id)
        .bind(baseline.position.txid)
        .bind(baseline.position.position)
        .bind(baseline.wide)
        .exec(&mut *tx)
        .await?;
    matched(tx, id, &baseline.known).await
}

/// It is watched no longer.
pub(super) async fn end(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    sql("DELETE FROM saved_search_match WHERE search_id = $1")
        .bind(id)
        .exec(&mut *tx)
        .await?;
    sql("UPDATE saved_search SET watched = FALSE, news = 0 WHERE id = $1")
        .bind(id)
        .exec(tx)
        .await?;
    Ok(())
}

/// Remembers that these match.
pub(super) async fn matched(tx: &mut Tx<'_>, id: &str, records: &[String]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let rows = records.iter().map(|record| vec![id.into(), record.as_str().into()]);
    let tail = "ON CONFLICT (search_id, record_id) DO NOTHING";
    insert_many(
        tx,
        "saved_search_match",
        &["search_id", "record_id"],
        tail,
        rows.collect(),
    )
    .await
    .map(drop)
}

/// Every record that is remembered to match.
pub(super) async fn known(db: &Db, id: &str) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT record_id FROM saved_search_match WHERE search_id = $1")
        .bind(id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Goes on to a place and adds what is new, unless somebody else was there first or it is watched no longer.
pub(super) async fn go_on(tx: &mut Tx<'_>, saved: &Saved, to: Position, wide: bool, news: i64) -> Result<bool> {
    let gone = sql(
        "UPDATE saved_search SET seen_txid = $4, seen_position = $5, wide = $6, news = news + $7 \
         WHERE id = $1 AND seen_txid = $2 AND seen_position = $3 AND watched AND deleted_at IS NULL",
    )
    .bind(&saved.id)
    .bind(saved.seen_txid)
    .bind(saved.seen_position)
    .bind(to.txid)
    .bind(to.position)
    .bind(wide)
    .bind(news)
    .exec(&mut *tx)
    .await?;
    if wide && !saved.wide && gone == 1 {
        sql("DELETE FROM saved_search_match WHERE search_id = $1")
            .bind(&saved.id)
            .exec(tx)
            .await?;
    }
    Ok(gone == 1)
}

pub(super) async fn set_deleted(tx: &mut Tx<'_>, id: &str, at: Option<i64>) -> Result<()> {
    sql("UPDATE saved_search SET deleted_at = $2 WHERE id = $1")
        .bind(id)
        .bind(at)
        .exec(tx)
        .await?;
    Ok(())
}

/// Everything of an owner.
pub(super) async fn forget(tx: &mut Tx<'_>, owner: &str) -> Result<()> {
    sql("DELETE FROM saved_search_match WHERE search_id IN (SELECT id FROM saved_search WHERE owner = $1)")
        .bind(owner)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM saved_search WHERE owner = $1")
        .bind(owner)
        .exec(tx)
        .await?;
    Ok(())
}

/// Those deleted before then.
pub(super) async fn prune(tx: &mut Tx<'_>, before: i64) -> Result<u64> {
    sql("DELETE FROM saved_search_match WHERE search_id IN (SELECT id FROM saved_search WHERE deleted_at < $1)")
        .bind(before)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM saved_search WHERE deleted_at < $1")
        .bind(before)
        .exec(tx)
        .await
}
