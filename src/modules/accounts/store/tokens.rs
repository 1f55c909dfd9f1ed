//! SQL of tokens, of the house and of accounts.

use super::super::model::Token;
use crate::kernel::db::{Db, Exec, Tx, sql};
use crate::kernel::error::Result;

/// A token with the state and the name of its account, where it has one.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in super::super) struct Held {
    #[sqlx(flatten)]
    pub token: Token,
    pub account_name: Option<String>,
    pub account_state: Option<String>,
}

impl Held {
    /// True where its secret opens something at `now`.
    pub(in super::super) fn is_live(&self, now: i64) -> bool {
        self.token.is_live(now) && (self.token.account_id.is_none() || self.account_state.as_deref() == Some("active"))
    }
}

pub(in super::super) async fn insert(tx: &mut Tx<'_>, token: &Token, digest: &str) -> Result<()> {
    sql(
        "INSERT INTO token (id, name, digest, kind, scope, created_at, expires_at, account_id) VALUES ($1, $2, $3, 'token', $4, $5, $6, $7)",
    )
    .bind(&token.id)
    .bind(&token.name)
    .bind(digest)
    .bind(&token.scope)
    .bind(token.created_at)
    .bind(token.expires_at)
    .bind(token.account_id.as_deref())
    .exec(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn by_digest(db: &Db, digest: &str) -> Result<Option<Held>> {
    sql("SELECT t.id, t.name, t.scope, t.created_at, t.expires_at, t.used_at, t.revoked_at, t.account_id, a.name AS account_name, a.state AS account_state \
         FROM token t LEFT JOIN account a ON a.id = t.account_id WHERE t.digest = $1 AND t.kind = 'token'")
        .bind(digest)
        .opt(db)
        .await
}

pub(in super::super) async fn get(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<Token>> {
    sql("SELECT id, name, scope, created_at, expires_at, used_at, revoked_at, account_id FROM token WHERE id = $1 AND kind = 'token'")
        .bind(id)
        .opt(on)
        .await
}

/// Every token, newest first.
pub(in super::super) async fn list(db: &Db, limit: i64) -> Result<Vec<Token>> {
    sql("SELECT id, name, scope, created_at, expires_at, used_at, revoked_at, account_id FROM token WHERE kind = 'token' ORDER BY id DESC LIMIT $1")
        .bind(limit)
        .all(db)
        .await
}

/// The tokens of an account, newest first.
pub(in super::super) async fn of(db: &Db, account: &str, limit: i64) -> Result<Vec<Token>> {
    sql("SELECT id, name, scope, created_at, expires_at, used_at, revoked_at, account_id FROM token WHERE kind = 'token' AND account_id = $1 ORDER BY id DESC LIMIT $2")
        .bind(account)
        .bind(limit)
        .all(db)
        .await
}

/// True where a browser was ever the operator's, by a link of an earlier version.
pub(in super::super) async fn any_cookie(db: &Db) -> Result<bool> {
    let row: Option<(String,)> = sql("SELECT id FROM token WHERE kind = 'cookie' LIMIT 1")
        .opt(db)
        .await?;
    Ok(row.is_some())
}

/// Answers whether it was live until now.
pub(in super::super) async fn revoke(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let now = tx.now();
    let rows = sql("UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(id)
        .exec(tx)
        .await?;
    Ok(rows > 0)
}

pub(in super::super) async fn revoke_all(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    let now = tx.now();
    sql("UPDATE token SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(account)
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes a use, unless another process has just noted one.
pub(in super::super) async fn touch(tx: &mut Tx<'_>, id: &str, before: i64) -> Result<()> {
    let now = tx.now();
    sql("UPDATE token SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $3)")
        .bind(now)
        .bind(id)
        .bind(before)
        .exec(tx)
        .await?;
    Ok(())
}
