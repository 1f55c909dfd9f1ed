//! SQL of tries at signing in.

use crate::kernel::db::{Tx, sql};
use crate::kernel::error::Result;

/// What was tried lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Counts {
    /// From this address at this name, and when last.
    pub pair: i64,
    pub pair_last: i64,
    pub pair_first: i64,
    /// Different names from this address: those that failed, and those that are being looked at too.
    pub names_failed: i64,
    pub names_all: i64,
    pub address_first: i64,
    /// At this name from everywhere within a day.
    pub day: i64,
    pub day_first: i64,
}

pub(in super::super) async fn counts(
    tx: &mut Tx<'_>,
    address: &str,
    name: &str,
    window: i64,
    day: i64,
) -> Result<Counts> {
    sql(
        "SELECT COUNT(*) FILTER (WHERE address = $1 AND name = $2 AND at > $3) AS pair, \
         COALESCE(MAX(at) FILTER (WHERE address = $1 AND name = $2), 0) AS pair_last, \
         COALESCE(MIN(at) FILTER (WHERE address = $1 AND name = $2 AND at > $3), 0) AS pair_first, \
         COUNT(DISTINCT name) FILTER (WHERE address = $1 AND at > $3 AND failed) AS names_failed, \
         COUNT(DISTINCT name) FILTER (WHERE address = $1 AND at > $3) AS names_all, \
         COALESCE(MIN(at) FILTER (WHERE address = $1 AND at > $3), 0) AS address_first, \
         COUNT(*) FILTER (WHERE name = $2) AS day, \
         COALESCE(MIN(at) FILTER (WHERE name = $2), 0) AS day_first \
         FROM sign_in_try WHERE at > $4 AND (address = $1 OR name = $2)",
    )
    .bind(address)
    .bind(name)
    .bind(window)
    .bind(day)
    .one(tx)
    .await
}

pub(in super::super) async fn insert(tx: &mut Tx<'_>, id: &str, address: &str, name: &str, day: i64) -> Result<()> {
    let now = tx.now();
    sql("DELETE FROM sign_in_try WHERE at < $1")
        .bind(day)
        .exec(&mut *tx)
        .await?;
    sql("INSERT INTO sign_in_try (id, address, name, at, failed) VALUES ($1, $2, $3, $4, FALSE)")
        .bind(id)
        .bind(address)
        .bind(name)
        .bind(now)
        .exec(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn failed(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    sql("UPDATE sign_in_try SET failed = TRUE WHERE id = $1")
        .bind(id)
        .exec(tx)
        .await?;
    Ok(())
}

/// It was the right person: what failed from here before is forgiven.
pub(in super::super) async fn forgive(tx: &mut Tx<'_>, address: &str, name: &str) -> Result<()> {
    sql("DELETE FROM sign_in_try WHERE address = $1 AND name = $2")
        .bind(address)
        .bind(name)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets tries that count no more.
pub(in super::super) async fn prune(tx: &mut Tx<'_>, before: i64) -> Result<u64> {
    sql("DELETE FROM sign_in_try WHERE at < $1").bind(before).exec(tx).await
}
