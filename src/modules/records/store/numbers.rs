//! SQL of numbers: what comes next in each row, and the blocks that were set aside.

use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

/// Numbers that were set aside.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Block {
    pub id: String,
    pub period: String,
    pub first: i64,
    pub last: i64,
    pub first_number: String,
    pub last_number: String,
    pub owner: String,
    pub reason: String,
    pub created_at: i64,
}

/// Counts on by so many; answers the first of them. Whoever asks for the same row waits for this transaction's end.
pub async fn count_on(
    tx: &mut Tx<'_>,
    type_name: &str,
    field: &str,
    period: &str,
    start: i64,
    count: i64,
) -> Result<i64> {
    let (next,): (i64,) = sql(
        "INSERT INTO number_counter (type, field, period, next) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (type, field, period) DO UPDATE SET next = \
         CASE WHEN number_counter.next < $5 THEN excluded.next ELSE number_counter.next + $6 END RETURNING next",
    )
    .bind(type_name)
    .bind(field)
    .bind(period)
    .bind(start + count)
    .bind(start)
    .bind(count)
    .one(tx)
    .await?;
    Ok(next - count)
}

/// Gives back what was counted on too far, in the same transaction.
pub async fn count_back(tx: &mut Tx<'_>, type_name: &str, field: &str, period: &str, next: i64) -> Result<()> {
    sql("UPDATE number_counter SET next = $4 WHERE type = $1 AND field = $2 AND period = $3")
        .bind(type_name)
        .bind(field)
        .bind(period)
        .bind(next)
        .exec(tx)
        .await?;
    Ok(())
}

/// What comes next; nothing before the first.
pub async fn next_counter(db: &Db, type_name: &str, field: &str, period: &str) -> Result<Option<i64>> {
    let row: Option<(i64,)> = sql("SELECT next FROM number_counter WHERE type = $1 AND field = $2 AND period = $3")
        .bind(type_name)
        .bind(field)
        .bind(period)
        .opt(db)
        .await?;
    Ok(row.map(|(next,)| next))
}

/// Keeps a block.
pub async fn set_aside(tx: &mut Tx<'_>, type_name: &str, field: &str, block: &Block) -> Result<()> {
    sql(
        "INSERT INTO number_block (id, type, field, period, first, last, first_number, last_number, owner, reason, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&block.id)
    .bind(type_name)
    .bind(field)
    .bind(&block.period)
    .bind(block.first)
    .bind(block.last)
    .bind(&block.first_number)
    .bind(&block.last_number)
    .bind(&block.owner)
    .bind(&block.reason)
    .bind(block.created_at)
    .exec(tx)
    .await?;
    Ok(())
}

/// Is a place in a block?
pub async fn is_set_aside(tx: &mut Tx<'_>, type_name: &str, field: &str, period: &str, counter: i64) -> Result<bool> {
    let row: Option<(String,)> = sql(
        "SELECT id FROM number_block WHERE type = $1 AND field = $2 AND period = $3 AND first <= $4 AND last >= $4 LIMIT 1",
    )
    .bind(type_name)
    .bind(field)
    .bind(period)
    .bind(counter)
    .opt(tx)
    .await?;
    Ok(row.is_some())
}

/// The blocks of a field, the newest first.
pub async fn blocks(db: &Db, type_name: &str, field: &str) -> Result<Vec<Block>> {
    sql(
        "SELECT id, period, first, last, first_number, last_number, owner, reason, created_at FROM number_block \
         WHERE type = $1 AND field = $2 ORDER BY id DESC LIMIT 100",
    )
    .bind(type_name)
    .bind(field)
    .all(db)
    .await
}

/// Forgets the rows of a type that is being deleted.
pub async fn forget_numbers(tx: &mut Tx<'_>, type_name: &str) -> Result<()> {
    sql("DELETE FROM number_counter WHERE type = $1")
        .bind(type_name)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM number_block WHERE type = $1")
        .bind(type_name)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM batch_item WHERE batch_id IN (SELECT id FROM batch WHERE type = $1)")
        .bind(type_name)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM batch WHERE type = $1")
        .bind(type_name)
        .exec(tx)
        .await?;
    Ok(())
}
