//! SQL of passkeys, and of what they are to sign.

use crate::kernel::db::{Exec, Tx, sql};
use crate::kernel::error::Result;

/// A row of the table `account_passkey`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Passkey {
    pub id: String,
    pub account_id: String,
    pub name: String,
    pub credential: String,
    pub public_key: String,
    pub algorithm: i64,
    pub signs: i64,
    pub created_at: i64,
    pub used_at: Option<i64>,
}

/// False where this authenticator is known already.
pub(in super::super) async fn insert(tx: &mut Tx<'_>, passkey: &Passkey) -> Result<bool> {
    let rows = sql(
        "INSERT INTO account_passkey (id, account_id, name, credential, public_key, algorithm, signs, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(&passkey.id)
    .bind(&passkey.account_id)
    .bind(&passkey.name)
    .bind(&passkey.credential)
    .bind(&passkey.public_key)
    .bind(passkey.algorithm)
    .bind(passkey.signs)
    .bind(passkey.created_at)
    .exec(tx)
    .await?;
    Ok(rows == 1)
}

/// The passkeys of an account, the oldest first.
pub(in super::super) async fn of(on: impl Into<Exec<'_>>, account: &str) -> Result<Vec<Passkey>> {
    sql("SELECT id, account_id, name, credential, public_key, algorithm, signs, created_at, used_at FROM account_passkey \
         WHERE account_id = $1 ORDER BY created_at, id LIMIT 100")
        .bind(account)
        .all(on)
        .await
}

pub(in super::super) async fn by_credential(on: impl Into<Exec<'_>>, credential: &str) -> Result<Option<Passkey>> {
    sql("SELECT id, account_id, name, credential, public_key, algorithm, signs, created_at, used_at FROM account_passkey WHERE credential = $1")
        .bind(credential)
        .opt(on)
        .await
}

/// Notes a use. False where another use was noted meanwhile that counted as far: somebody has a copy.
pub(in super::super) async fn used(tx: &mut Tx<'_>, id: &str, signs: i64) -> Result<bool> {
    let now = tx.now();
    let rows = sql(
        "UPDATE account_passkey SET signs = $2, used_at = $3 WHERE id = $1 AND (signs < $2 OR (signs = 0 AND $2 = 0))",
    )
    .bind(id)
    .bind(signs)
    .bind(now)
    .exec(tx)
    .await?;
    Ok(rows == 1)
}

pub(in super::super) async fn rename(tx: &mut Tx<'_>, account: &str, id: &str, name: &str) -> Result<bool> {
    let rows = sql("UPDATE account_passkey SET name = $3 WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id)
        .bind(name)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

/// Answers the name of what was removed.
pub(in super::super) async fn remove(tx: &mut Tx<'_>, account: &str, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("DELETE FROM account_passkey WHERE account_id = $1 AND id = $2 RETURNING name")
        .bind(account)
        .bind(id)
        .opt(tx)
        .await?;
    Ok(row.map(|(name,)| name))
}

pub(in super::super) async fn remove_all(tx: &mut Tx<'_>, account: &str) -> Result<u64> {
    sql("DELETE FROM account_passkey WHERE account_id = $1")
        .bind(account)
        .exec(tx)
        .await
}

/// Something to sign. False where very many wait to be signed already.
pub(in super::super) async fn challenge(
    tx: &mut Tx<'_>,
    digest: &str,
    purpose: &str,
    account: Option<&str>,
    life: i64,
    most: i64,
) -> Result<bool> {
    let now = tx.now();
    prune(&mut *tx).await?;
    let (waiting,): (i64,) = sql("SELECT COUNT(*) FROM account_challenge").one(&mut *tx).await?;
    if waiting >= most {
        return Ok(false);
    }
    sql("INSERT INTO account_challenge (digest, purpose, account_id, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(digest)
        .bind(purpose)
        .bind(account)
        .bind(now + life)
        .exec(tx)
        .await?;
    Ok(true)
}

/// Uses a challenge up. True for exactly one of those who try, and only for what it was made for.
pub(in super::super) async fn take_challenge(
    tx: &mut Tx<'_>,
    digest: &str,
    purpose: &str,
    account: Option<&str>,
) -> Result<bool> {
    let now = tx.now();
    let rows = sql("DELETE FROM account_challenge WHERE digest = $1 AND purpose = $2 AND account_id IS NOT DISTINCT FROM $3 AND expires_at > $4")
        .bind(digest)
        .bind(purpose)
        .bind(account)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

/// Forgets what was never signed.
pub(in super::super) async fn prune(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    sql("DELETE FROM account_challenge WHERE expires_at <= $1")
        .bind(now)
        .exec(tx)
        .await
}
