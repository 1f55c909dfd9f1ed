//! SQL of one-time links: setting up the house, choosing a password.

use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

pub(in super::super) async fn insert_setup(tx: &mut Tx<'_>, digest: &str, life: i64) -> Result<()> {
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
pub(in super::super) async fn setup_is_open(db: &Db, digest: &str, now: i64) -> Result<bool> {
    let row: Option<(i64,)> =
        sql("SELECT expires_at FROM setup_link WHERE digest = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(digest)
            .bind(now)
            .opt(db)
            .await?;
    Ok(row.is_some())
}

/// Uses the link up. True for exactly one of those who try.
pub(in super::super) async fn use_setup(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE setup_link SET used_at = $1 WHERE digest = $2 AND used_at IS NULL AND expires_at > $1")
        .bind(now)
        .bind(digest)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

/// An account has one link at a time.
pub(in super::super) async fn replace(
    tx: &mut Tx<'_>,
    digest: &str,
    account: &str,
    kind: &str,
    life: i64,
) -> Result<()> {
    let now = tx.now();
    sql("DELETE FROM account_link WHERE account_id = $1 OR expires_at < $2")
        .bind(account)
        .bind(now)
        .exec(&mut *tx)
        .await?;
    sql("INSERT INTO account_link (digest, account_id, kind, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(digest)
        .bind(account)
        .bind(kind)
        .bind(now)
        .bind(now + life)
        .exec(tx)
        .await?;
    Ok(())
}

/// The account and the kind of a link that works.
pub(in super::super) async fn open(
    on: impl Into<Exec<'_>>,
    digest: &str,
    now: i64,
) -> Result<Option<(String, String)>> {
    sql("SELECT account_id, kind FROM account_link WHERE digest = $1 AND expires_at > $2")
        .bind(digest)
        .bind(now)
        .opt(on)
        .await
}

/// Uses the link up. True for exactly one of those who try.
pub(in super::super) async fn use_up(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("DELETE FROM account_link WHERE digest = $1 AND expires_at > $2")
        .bind(digest)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

pub(in super::super) async fn drop_all(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    sql("DELETE FROM account_link WHERE account_id = $1")
        .bind(account)
        .exec(tx)
        .await?;
    Ok(())
}
