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

/// A link to make.
pub(in super::super) struct NewLink<'a> {
    pub digest: &'a str,
    pub account: &'a str,
    pub kind: &'a str,
    /// The address it is mailed to; none where it is handed over.
    pub mail: Option<&'a str>,
    /// Milliseconds it works.
    pub life: i64,
}

/// An account has one link of a kind at a time.
pub(in super::super) async fn replace(tx: &mut Tx<'_>, new: &NewLink<'_>) -> Result<()> {
    let now = tx.now();
    sql("DELETE FROM account_link WHERE (account_id = $1 AND kind = $3) OR expires_at < $2")
        .bind(new.account)
        .bind(now)
        .bind(new.kind)
        .exec(&mut *tx)
        .await?;
    sql("INSERT INTO account_link (digest, account_id, kind, mail, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(new.digest)
        .bind(new.account)
        .bind(new.kind)
        .bind(new.mail)
        .bind(now)
        .bind(now + new.life)
        .exec(tx)
        .await?;
    Ok(())
}

/// A link that works.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Link {
    pub account_id: String,
    pub kind: String,
    pub mail: Option<String>,
}

pub(in super::super) async fn open(on: impl Into<Exec<'_>>, digest: &str, now: i64) -> Result<Option<Link>> {
    sql("SELECT account_id, kind, mail FROM account_link WHERE digest = $1 AND expires_at > $2")
        .bind(digest)
        .bind(now)
        .opt(on)
        .await
}

/// The links of an account that work: kind, address, when made and until when.
pub(in super::super) async fn of(db: &Db, account: &str, now: i64) -> Result<Vec<(String, Option<String>, i64, i64)>> {
    sql("SELECT kind, mail, created_at, expires_at FROM account_link WHERE account_id = $1 AND expires_at > $2 ORDER BY created_at")
        .bind(account)
        .bind(now)
        .all(db)
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

/// Forgets links whose time is over, and setup links that were used or are long over.
pub(in super::super) async fn prune(tx: &mut Tx<'_>, before: i64) -> Result<u64> {
    let now = tx.now();
    let links = sql("DELETE FROM account_link WHERE expires_at < $1")
        .bind(now)
        .exec(&mut *tx)
        .await?;
    let setup = sql("DELETE FROM setup_link WHERE expires_at < $1 OR used_at < $2")
        .bind(now)
        .bind(before)
        .exec(tx)
        .await?;
    Ok(links + setup)
}
