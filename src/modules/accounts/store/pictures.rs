//! SQL of pictures: one for an account, and in the account's own row which one it is.

use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

/// A picture as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Picture {
    /// `image/png` or `image/jpeg`.
    pub kind: String,
    pub content: Vec<u8>,
    pub created_at: i64,
}

/// Puts a picture in the place of the one before.
pub(in super::super) async fn put(
    tx: &mut Tx<'_>,
    account: &str,
    version: &str,
    kind: &str,
    content: &[u8],
) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO account_picture (account_id, kind, content, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id) DO UPDATE SET kind = $2, content = $3, created_at = $4",
    )
    .bind(account)
    .bind(kind)
    .bind(content)
    .bind(now)
    .exec(&mut *tx)
    .await?;
    sql("UPDATE account SET version = version + 1, picture = $2 WHERE id = $1")
        .bind(account)
        .bind(version)
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes the picture of an account away; true where there was one.
pub(in super::super) async fn remove(tx: &mut Tx<'_>, account: &str) -> Result<bool> {
    let gone = sql("DELETE FROM account_picture WHERE account_id = $1")
        .bind(account)
        .exec(&mut *tx)
        .await?;
    if gone == 0 {
        return Ok(false);
    }
    sql("UPDATE account SET version = version + 1, picture = NULL WHERE id = $1")
        .bind(account)
        .exec(tx)
        .await?;
    Ok(true)
}

pub(in super::super) async fn of(db: &Db, account: &str) -> Result<Option<Picture>> {
    sql("SELECT kind, content, created_at FROM account_picture WHERE account_id = $1")
        .bind(account)
        .opt(db)
        .await
}
