//! SQL of second factors.

use crate::kernel::db::{Exec, Tx, sql};
use crate::kernel::error::Result;

/// A row of the table `account_totp`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Totp {
    pub secret: String,
    pub confirmed_at: Option<i64>,
    pub last_step: i64,
}

pub(in super::super) async fn totp(on: impl Into<Exec<'_>>, account: &str) -> Result<Option<Totp>> {
    sql("SELECT secret, confirmed_at, last_step FROM account_totp WHERE account_id = $1")
        .bind(account)
        .opt(on)
        .await
}

/// Begins anew; one that is confirmed stays.
pub(in super::super) async fn begin(tx: &mut Tx<'_>, account: &str, secret: &str) -> Result<()> {
    sql(
        "INSERT INTO account_totp (account_id, secret, last_step) VALUES ($1, $2, 0) \
         ON CONFLICT (account_id) DO UPDATE SET secret = $2, last_step = 0 WHERE account_totp.confirmed_at IS NULL",
    )
    .bind(account)
    .bind(secret)
    .exec(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn confirm(tx: &mut Tx<'_>, account: &str, step: i64) -> Result<bool> {
    let now = tx.now();
    let rows =
        sql("UPDATE account_totp SET confirmed_at = $2, last_step = $3 WHERE account_id = $1 AND confirmed_at IS NULL")
            .bind(account)
            .bind(now)
            .bind(step)
            .exec(tx)
            .await?;
    Ok(rows == 1)
}

/// Notes that the code of a step was used. True for exactly one of those who show it.
pub(in super::super) async fn use_step(tx: &mut Tx<'_>, account: &str, step: i64) -> Result<bool> {
    let rows = sql("UPDATE account_totp SET last_step = $2 WHERE account_id = $1 AND last_step < $2")
        .bind(account)
        .bind(step)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

pub(in super::super) async fn remove(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    sql("DELETE FROM account_totp WHERE account_id = $1")
        .bind(account)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM account_recovery WHERE account_id = $1")
        .bind(account)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn replace_recovery(tx: &mut Tx<'_>, account: &str, digests: &[String]) -> Result<()> {
    sql("DELETE FROM account_recovery WHERE account_id = $1")
        .bind(account)
        .exec(&mut *tx)
        .await?;
    for digest in digests {
        sql("INSERT INTO account_recovery (account_id, digest) VALUES ($1, $2)")
            .bind(account)
            .bind(digest)
            .exec(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Uses a recovery code up. True for exactly one of those who show it.
pub(in super::super) async fn use_recovery(tx: &mut Tx<'_>, account: &str, digest: &str) -> Result<bool> {
    let rows = sql("DELETE FROM account_recovery WHERE account_id = $1 AND digest = $2")
        .bind(account)
        .bind(digest)
        .exec(tx)
        .await?;
    Ok(rows == 1)
}

pub(in super::super) async fn recovery_left(on: impl Into<Exec<'_>>, account: &str) -> Result<i64> {
    let (left,): (i64,) = sql("SELECT COUNT(*) FROM account_recovery WHERE account_id = $1")
        .bind(account)
        .one(on)
        .await?;
    Ok(left)
}
