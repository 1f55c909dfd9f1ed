//! SQL of what is asked for.

use super::AskedFor;
use crate::kernel::db::{Db, Tx, sql};
use crate::kernel::error::Result;

pub(super) async fn add(tx: &mut Tx<'_>, day: i64, words: &str, times: i64, found: i64) -> Result<()> {
    sql(
        "INSERT INTO asked_query (day, words, times, found) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (day, words) DO UPDATE SET times = asked_query.times + excluded.times, \
             found = CASE WHEN excluded.found > asked_query.found THEN excluded.found ELSE asked_query.found END",
    )
    .bind(day)
    .bind(words)
    .bind(times)
    .bind(found)
    .exec(tx)
    .await?;
    Ok(())
}

/// Keeps days from `first` on, and at most so many rows: those asked least go first.
pub(super) async fn prune(tx: &mut Tx<'_>, first: i64, rows: i64) -> Result<()> {
    sql("DELETE FROM asked_query WHERE day < $1")
        .bind(first)
        .exec(&mut *tx)
        .await?;
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM asked_query").one(&mut *tx).await?;
    if count > rows {
        // A tenth more than needed, so that it is not done each time.
        sql("DELETE FROM asked_query WHERE (day, words) IN (SELECT day, words FROM asked_query ORDER BY times, day, words LIMIT $1)")
            .bind(count - rows + rows / 10)
            .exec(tx)
            .await?;
    }
    Ok(())
}

pub(super) async fn report(db: &Db, since: i64, nothing: bool, limit: i64) -> Result<Vec<AskedFor>> {
    sql(
        "SELECT words, CAST(SUM(times) AS BIGINT) AS times, MAX(found) AS found FROM asked_query WHERE day >= $1 \
         GROUP BY words HAVING MAX(found) = 0 OR NOT $2 ORDER BY 2 DESC, words LIMIT $3",
    )
    .bind(since)
    .bind(nothing)
    .bind(limit)
    .all(db)
    .await
}
