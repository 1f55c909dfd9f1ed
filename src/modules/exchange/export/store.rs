//! SQL of exports as jobs: who asked, where the file is, and until when.

use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// Where the file of an export is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    pub blob: Option<String>,
    pub expires_at: Option<i64>,
}

/// Notes that somebody asks for an export; one that is on its way already is noted already.
pub async fn begin(tx: &mut Tx<'_>, job_id: &str, owner: &str) -> Result<()> {
    let now = tx.now();
    sql("INSERT INTO export_file (job_id, owner, created_at) VALUES ($1, $2, $3) ON CONFLICT (job_id) DO NOTHING")
        .bind(job_id)
        .bind(owner)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

/// How many exports of somebody wait, run or are kept.
pub async fn count(on: impl Into<Exec<'_>>, owner: &str, now: i64) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM export_file e WHERE e.owner = $1 \
         AND ((e.blob IS NOT NULL AND e.expires_at > $2) \
              OR EXISTS (SELECT 1 FROM job j WHERE j.id = e.job_id AND j.state IN ('waiting', 'running')))")
    .bind(owner)
    .bind(now)
    .one(on)
    .await?;
    Ok(count)
}

/// Notes the file, and how long it is kept.
pub async fn keep(tx: &mut Tx<'_>, job_id: &str, owner: &str, blob: &str, expires_at: i64) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO export_file (job_id, owner, blob, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (job_id) DO UPDATE SET blob = excluded.blob, expires_at = excluded.expires_at",
    )
    .bind(job_id)
    .bind(owner)
    .bind(blob)
    .bind(now)
    .bind(expires_at)
    .exec(tx)
    .await?;
    Ok(())
}

pub async fn kept(db: &Db, job_id: &str) -> Result<Option<Kept>> {
    sql("SELECT blob, expires_at FROM export_file WHERE job_id = $1")
        .bind(job_id)
        .opt(db)
        .await
}

/// Exports whose time is over: job and file.
pub async fn expired(db: &Db, now: i64, limit: i64) -> Result<Vec<(String, String)>> {
    sql("SELECT job_id, blob FROM export_file WHERE blob IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2")
        .bind(now)
        .bind(limit)
        .all(db)
        .await
}

/// The newest exports that somebody asked for, those thrown away and those that were parts of another left out.
pub async fn own(db: &Db, owner: &str, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT e.job_id FROM export_file e JOIN job j ON j.id = e.job_id \
         WHERE e.owner = $1 AND j.parent_id IS NULL AND (e.blob IS NOT NULL OR j.state <> 'done') \
           AND j.state <> 'cancelled' ORDER BY e.job_id DESC LIMIT $2")
    .bind(owner)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Lets go of a file.
pub async fn clear(tx: &mut Tx<'_>, job_id: &str) -> Result<()> {
    sql("UPDATE export_file SET blob = NULL WHERE job_id = $1")
        .bind(job_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets exports whose jobs are forgotten.
pub async fn forget(tx: &mut Tx<'_>) -> Result<u64> {
    sql("DELETE FROM export_file WHERE blob IS NULL AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = export_file.job_id)")
        .exec(tx)
        .await
}
