//! All SQL of tokens and setup links. Secrets come here only as digests.

use super::model::{Kind, Token};
use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

pub(super) async fn insert(tx: &mut Tx<'_>, token: &Token, digest: &str) -> Result<()> {
    sql(
        "INSERT INTO token (id, name, digest, kind, scope, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&token.id)
    .bind(&token.name)
    .bind(digest)
    .bind(&token.kind)
    .bind(&token.scope)
    .bind(token.created_at)
    .bind(token.expires_at)
    .exec(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_digest(db: &Db, digest: &str, kind: Kind) -> Result<Option<Token>> {
    sql("SELECT id, name, kind, scope, created_at, expires_at, used_at, revoked_at FROM token WHERE digest = $1 AND kind = $2")
        .bind(digest)
        .bind(kind.as_str())
        .opt(db)
        .await
}

pub(super) async fn get(on: impl Into<Exec<'_>>, id: &str, kind: Kind) -> Result<Option<Token>> {
    sql("SELECT id, name, kind, scope, created_at, expires_at, used_at, revoked_at FROM token WHERE id = $1 AND kind = $2")
        .bind(id)
        .bind(kind.as_str())
        .opt(on)
        .await
}

/// Newest first.
pub(super) async fn list(db: &Db, kind: Kind, limit: i64) -> Result<Vec<Token>> {
    sql("SELECT id, name, kind, scope, created_at, expires_at, used_at, revoked_at FROM token WHERE kind = $1 ORDER BY id DESC LIMIT $2")
        .bind(kind.as_str())
        .bind(limit)
        .all(db)
        .await
}

/// True where a secret of this kind was ever made.
pub(super) async fn any(db: &Db, kind: Kind) -> Result<bool> {
    let row: Option<(String,)> = sql("SELECT id FROM token WHERE kind = $1 LIMIT 1")
        .bind(kind.as_str())
        .opt(db)
        .await?;
    Ok(row.is_some())
}

/// Answers whether it was live until now.
pub(super) async fn revoke(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(id)
        .exec(tx)
        .await?;
    Ok(rows > 0)
}

pub(super) async fn revoke_by_digest(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE token SET revoked_at = $1 WHERE digest = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(digest)
        .exec(tx)
        .await?;
    Ok(rows > 0)
}

/// Notes a use, unless another process has just noted one.
pub(super) async fn touch(tx: &mut Tx<'_>, id: &str, before: i64) -> Result<()> {
    let now = tx.now();
    sql("UPDATE token SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $3)")
        .bind(now)
        .bind(id)
        .bind(before)
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_link(tx: &mut Tx<'_>, digest: &str, life: i64) -> Result<()> {
    let now = tx.now();
    sql("INSERT INTO setup_link (digest, created_at, expires_at) VALUES ($1, $2, $3)")
        .bind(digest)
        .bind(now)
        .bind(now + life)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM setup_link WHERE expires_at < $1")
        .bind(now - life)
        .exec(tx)
        .await?;
    Ok(())
}

/// True where the link still works.
pub(super) async fn link_is_open(db: &Db, digest: &str, now: i64) -> Result<bool> {
    let row: Option<(i64,)> =
        sql("SELECT expires_at FROM setup_link WHERE digest = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(digest)
            .bind(now)
            .opt(db)
            .await?;
    Ok(row.is_some())
}

/// Uses the link up. True for exactly one of those who try.
pub(super) async fn use_link(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE setup_link SET used_at = $1 WHERE digest = $2 AND used_at IS NULL AND expires_at > $1")
        .bind(now)
        .bind(digest)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}
