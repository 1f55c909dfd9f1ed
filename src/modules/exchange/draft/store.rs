//! SQL of drafts, and of what was imported from the same file before.

use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// A draft as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    pub owner: String,
    pub name: String,
    pub blob: String,
    pub bytes: i64,
    pub choices: String,
    pub found: Option<String>,
    pub look_job: Option<String>,
    pub preview_job: Option<String>,
    pub import_job: Option<String>,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub expires_at: i64,
}

/// An earlier import of the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Earlier {
    pub job_id: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub set_id: Option<String>,
    pub created_at: i64,
}

pub async fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    sql(
        "INSERT INTO import_draft (id, owner, name, blob, bytes, choices, version, created_at, updated_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&row.id)
    .bind(&row.owner)
    .bind(&row.name)
    .bind(&row.blob)
    .bind(row.bytes)
    .bind(&row.choices)
    .bind(row.version)
    .bind(row.created_at)
    .bind(row.updated_at)
    .bind(row.expires_at)
    .exec(tx)
    .await?;
    Ok(())
}

pub async fn get(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<Row>> {
    sql(
        "SELECT id, owner, name, blob, bytes, choices, found, look_job, preview_job, import_job, version, created_at, updated_at, expires_at \
         FROM import_draft WHERE id = $1",
    )
    .bind(id)
    .opt(on)
    .await
}

/// The drafts of somebody that were not imported yet, oldest first: the queue.
pub async fn open(db: &Db, owner: &str, limit: i64) -> Result<Vec<Row>> {
    sql(
        "SELECT id, owner, name, blob, bytes, choices, found, look_job, preview_job, import_job, version, created_at, updated_at, expires_at \
         FROM import_draft WHERE owner = $1 AND import_job IS NULL ORDER BY id LIMIT $2",
    )
    .bind(owner)
    .bind(limit)
    .all(db)
    .await
}

pub async fn count(on: impl Into<Exec<'_>>, owner: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM import_draft WHERE owner = $1 AND import_job IS NULL")
        .bind(owner)
        .one(on)
        .await?;
    Ok(count)
}

/// Writes what may change, if nobody was faster. Answers whether it did.
pub async fn update(tx: &mut Tx<'_>, row: &Row) -> Result<bool> {
    let now = tx.now();
    let changed = sql(
        "UPDATE import_draft SET choices = $3, found = $4, look_job = $5, preview_job = $6, import_job = $7, updated_at = $8, \
         expires_at = $9, version = version + 1 WHERE id = $1 AND version = $2",
    )
    .bind(&row.id)
    .bind(row.version)
    .bind(&row.choices)
    .bind(row.found.as_deref())
    .bind(row.look_job.as_deref())
    .bind(row.preview_job.as_deref())
    .bind(row.import_job.as_deref())
    .bind(now)
    .bind(row.expires_at)
    .exec(tx)
    .await?;
    Ok(changed == 1)
}

pub async fn delete(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(sql("DELETE FROM import_draft WHERE id = $1").bind(id).exec(tx).await? == 1)
}

/// Drafts whose time is over.
pub async fn expired(db: &Db, now: i64, limit: i64) -> Result<Vec<(String, String)>> {
    sql("SELECT id, blob FROM import_draft WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2")
        .bind(now)
        .bind(limit)
        .all(db)
        .await
}

/// The last time these bytes were imported.
pub async fn earlier(db: &Db, blob: &str) -> Result<Option<Earlier>> {
    sql(
        "SELECT job_id, type, set_id, created_at FROM import WHERE blob = $1 AND state = 'done' ORDER BY created_at DESC, job_id DESC LIMIT 1",
    )
    .bind(blob)
    .opt(db)
    .await
}

/// The newest imports, for the list.
pub async fn recent(db: &Db, limit: i64) -> Result<Vec<Recent>> {
    sql(
        "SELECT job_id, type, set_id, created, updated, unchanged, refused, state, created_at FROM import WHERE state <> 'gone' ORDER BY created_at DESC, job_id DESC LIMIT $1",
    )
    .bind(limit)
    .all(db)
    .await
}

/// A line of that list.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Recent {
    pub job_id: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub set_id: Option<String>,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub refused: i64,
    pub state: String,
    pub created_at: i64,
}
