//! SQL of sessions.

use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// A row of the table `session` without its digest, with the account's name and state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Session {
    pub id: String,
    pub account_id: Option<String>,
    pub whole: bool,
    pub created_at: i64,
    pub used_at: i64,
    pub expires_at: i64,
    pub address: String,
    pub agent: String,
    pub name: Option<String>,
    pub state: Option<String>,
}

impl Session {
    /// When it ends if nobody uses it any more.
    pub(in super::super) fn ends_at(&self, idle: i64) -> i64 {
        self.expires_at.min(self.used_at + idle)
    }
    /// True where it opens something at `now`.
    pub(in super::super) fn is_live(&self, now: i64, idle: i64) -> bool {
        now < self.ends_at(idle) && (self.account_id.is_none() || self.state.as_deref() == Some("active"))
    }
}

pub(in super::super) async fn insert(tx: &mut Tx<'_>, session: &Session, digest: &str) -> Result<()> {
    let now = tx.now();
    sql("INSERT INTO session (id, digest, account_id, whole, created_at, used_at, expires_at, address, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(&session.id)
        .bind(digest)
        .bind(session.account_id.as_deref())
        .bind(session.whole)
        .bind(session.created_at)
        .bind(session.used_at)
        .bind(session.expires_at)
        .bind(&session.address)
        .bind(&session.agent)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM session WHERE expires_at < $1")
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn by_digest(on: impl Into<Exec<'_>>, digest: &str) -> Result<Option<Session>> {
    sql("SELECT s.id, s.account_id, s.whole, s.created_at, s.used_at, s.expires_at, s.address, s.agent, a.name, a.state \
         FROM session s LEFT JOIN account a ON a.id = s.account_id WHERE s.digest = $1")
        .bind(digest)
        .opt(on)
        .await
}

/// Was it opened by somebody whom an institution knows?
pub(in super::super) async fn came_by_identity(db: &Db, id: &str) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT id FROM session WHERE id = $1 AND identity_id IS NOT NULL")
        .bind(id)
        .opt(db)
        .await?;
    Ok(found.is_some())
}

/// The whole sessions of an account; of the operator where there is none.
pub(in super::super) async fn of(db: &Db, account: Option<&str>, limit: i64) -> Result<Vec<Session>> {
    sql("SELECT s.id, s.account_id, s.whole, s.created_at, s.used_at, s.expires_at, s.address, s.agent, a.name, a.state \
         FROM session s LEFT JOIN account a ON a.id = s.account_id \
         WHERE s.account_id IS NOT DISTINCT FROM $1 AND s.whole ORDER BY s.used_at DESC, s.id DESC LIMIT $2")
        .bind(account)
        .bind(limit)
        .all(db)
        .await
}

/// Every whole session, newest first.
pub(in super::super) async fn all(db: &Db, limit: i64) -> Result<Vec<Session>> {
    sql("SELECT s.id, s.account_id, s.whole, s.created_at, s.used_at, s.expires_at, s.address, s.agent, a.name, a.state \
         FROM session s LEFT JOIN account a ON a.id = s.account_id WHERE s.whole ORDER BY s.id DESC LIMIT $1")
        .bind(limit)
        .all(db)
        .await
}

pub(in super::super) async fn touch(tx: &mut Tx<'_>, id: &str, before: i64) -> Result<()> {
    let now = tx.now();
    sql("UPDATE session SET used_at = $1 WHERE id = $2 AND used_at < $3")
        .bind(now)
        .bind(id)
        .bind(before)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn end(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(sql("DELETE FROM session WHERE id = $1").bind(id).exec(tx).await? > 0)
}

/// Ends one session of an account, of nobody else's.
pub(in super::super) async fn end_own(tx: &mut Tx<'_>, account: &str, id: &str) -> Result<bool> {
    Ok(sql("DELETE FROM session WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .exec(tx)
        .await?
        > 0)
}

pub(in super::super) async fn end_by_digest(tx: &mut Tx<'_>, digest: &str) -> Result<()> {
    sql("DELETE FROM session WHERE digest = $1")
        .bind(digest)
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends every session of an account but one.
pub(in super::super) async fn end_all(tx: &mut Tx<'_>, account: &str, but: Option<&str>) -> Result<u64> {
    sql("DELETE FROM session WHERE account_id = $1 AND id <> $2")
        .bind(account)
        .bind(but.unwrap_or_default())
        .exec(tx)
        .await
}

/// Forgets sessions that have ended by themselves.
pub(in super::super) async fn prune(tx: &mut Tx<'_>, idle: i64) -> Result<u64> {
    let now = tx.now();
    sql("DELETE FROM session WHERE expires_at < $1 OR used_at < $2")
        .bind(now)
        .bind(now - idle)
        .exec(tx)
        .await
}

/// True where the account was signed in from there within its sessions' life.
pub(in super::super) async fn knows_address(on: impl Into<Exec<'_>>, account: &str, address: &str) -> Result<bool> {
    let row: Option<(String,)> = sql("SELECT id FROM session WHERE account_id = $1 AND address = $2 AND whole LIMIT 1")
        .bind(account)
        .bind(address)
        .opt(on)
        .await?;
    Ok(row.is_some())
}
