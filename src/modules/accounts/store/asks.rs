//! SQL of what was asked for at the door: kept until a job has looked at it, or until its link is used or over.

use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Ask {
    pub id: String,
    /// `lost` or `sign-up`.
    pub kind: String,
    pub name: String,
    pub mail: Option<String>,
    pub language: Option<String>,
}

/// Writes it down for so long, and forgets what is over.
pub(in super::super) async fn insert(tx: &mut Tx<'_>, ask: &Ask, life: i64) -> Result<()> {
    prune(&mut *tx).await?;
    let ends = tx.now() + life;
    sql("INSERT INTO account_ask (id, kind, name, mail, language, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&ask.id)
        .bind(&ask.kind)
        .bind(&ask.name)
        .bind(ask.mail.as_deref())
        .bind(ask.language.as_deref())
        .bind(ends)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn get(db: &Db, id: &str) -> Result<Option<Ask>> {
    sql("SELECT id, kind, name, mail, language FROM account_ask WHERE id = $1")
        .bind(id)
        .opt(db)
        .await
}

/// It was answered by a link that works so long.
pub(in super::super) async fn answered(tx: &mut Tx<'_>, id: &str, digest: &str, life: i64) -> Result<()> {
    let ends = tx.now() + life;
    sql("UPDATE account_ask SET digest = $2, expires_at = $3 WHERE id = $1")
        .bind(id)
        .bind(digest)
        .bind(ends)
        .exec(tx)
        .await?;
    Ok(())
}

/// What a link answers, while it works.
pub(in super::super) async fn open(on: impl Into<Exec<'_>>, digest: &str, now: i64) -> Result<Option<Ask>> {
    sql("SELECT id, kind, name, mail, language FROM account_ask WHERE digest = $1 AND expires_at > $2")
        .bind(digest)
        .bind(now)
        .opt(on)
        .await
}

/// Forgets it. True for exactly one of those who try.
pub(in super::super) async fn forget(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let gone = sql("DELETE FROM account_ask WHERE id = $1").bind(id).exec(tx).await?;
    Ok(gone == 1)
}

/// Forgets everything that asked for an account under an address: it has one now.
pub(in super::super) async fn forget_address(tx: &mut Tx<'_>, mail: &str) -> Result<()> {
    sql("DELETE FROM account_ask WHERE kind = 'sign-up' AND mail = $1")
        .bind(mail)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets what is over.
pub(in super::super) async fn prune(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    sql("DELETE FROM account_ask WHERE expires_at < $1")
        .bind(now)
        .exec(tx)
        .await
}
