//! One way to the connection's thread and back: the rows and the count of the last of the statements that travel together.

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Either, Executor};

use super::super::error::from_sqlx;
use crate::kernel::error::Result;

/// How many rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Limit {
    One,
    All,
}

/// Runs `text`, in which only the last statement answers rows.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    text: sqlx::SqlStr,
    args: SqliteArguments,
    limit: Limit,
) -> Result<(Vec<SqliteRow>, u64)> {
    let query = sqlx::query_with(text, args);
    if limit == Limit::One {
        let row = connection.fetch_optional(query).await.map_err(from_sqlx)?;
        return Ok((row.into_iter().collect(), 0));
    }
    let mut rows = Vec::new();
    let mut touched = 0;
    let mut answers = connection.fetch_many(query);
    while let Some(answer) = answers.try_next().await.map_err(from_sqlx)? {
        match answer {
            // Each statement counts for itself; brackets repeat the count of what was before them.
            Either::Left(done) => touched = done.rows_affected(),
            Either::Right(row) => rows.push(row),
        }
    }
    Ok((rows, touched))
}
