//! SQL of mappings that are kept.

use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

/// A mapping as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    pub name: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub document: String,
    pub owner: String,
    pub version: i64,
    pub updated_at: i64,
}

pub async fn all(db: &Db, limit: i64) -> Result<Vec<Row>> {
    sql("SELECT name, type, document, owner, version, updated_at FROM import_mapping ORDER BY updated_at DESC, name LIMIT $1")
        .bind(limit)
        .all(db)
        .await
}

pub async fn get(db: &Db, name: &str) -> Result<Option<Row>> {
    sql("SELECT name, type, document, owner, version, updated_at FROM import_mapping WHERE name = $1")
        .bind(name)
        .opt(db)
        .await
}

/// How many there are without this one.
pub async fn others(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM import_mapping WHERE name <> $1")
        .bind(name)
        .one(tx)
        .await?;
    Ok(count)
}

/// Keeps one under its name, in the place of the one before.
pub async fn put(tx: &mut Tx<'_>, name: &str, type_name: &str, document: &str, owner: &str) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO import_mapping (name, type, document, owner, version, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, $5, $5) \
         ON CONFLICT (name) DO UPDATE SET type = excluded.type, document = excluded.document, owner = excluded.owner, \
         version = import_mapping.version + 1, updated_at = excluded.updated_at",
    )
    .bind(name)
    .bind(type_name)
    .bind(document)
    .bind(owner)
    .bind(now)
    .exec(tx)
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    Ok(sql("DELETE FROM import_mapping WHERE name = $1")
        .bind(name)
        .exec(tx)
        .await?
        == 1)
}
