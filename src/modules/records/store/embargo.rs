//! SQL of what opens at a time.

use crate::kernel::db::{Exec, Filter, Tx, sql};
use crate::kernel::error::Result;

/// Something that opens.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EmbargoRow {
    /// `record:ID` or `type:NAME#FIELD`
    pub object: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub opens_at: i64,
    pub opens_to: String,
    pub set_by: String,
    pub set_at: i64,
}

const ALL: &str = "SELECT object, type, opens_at, opens_to, set_by, set_at FROM embargo";

/// What opens, the next first; of one object or of one collection where that is named.
pub async fn embargoes(
    on: impl Into<Exec<'_>>,
    object: Option<&str>,
    type_name: Option<&str>,
    limit: i64,
) -> Result<Vec<EmbargoRow>> {
    let filter = Filter::new(ALL).and_some("object = ?", object);
    let filter = filter.and_some("type = ?", type_name);
    filter.end("ORDER BY opens_at, object", limit).all(on).await
}

/// What was to open up to a time.
pub async fn due(on: impl Into<Exec<'_>>, now: i64, limit: i64) -> Result<Vec<EmbargoRow>> {
    let filter = Filter::new(ALL).and("opens_at <= ?", now);
    filter.end("ORDER BY opens_at, object", limit).all(on).await
}

/// Says when something opens, or says it anew.
pub async fn put_embargo(tx: &mut Tx<'_>, row: &EmbargoRow) -> Result<u64> {
    sql(
        "INSERT INTO embargo (object, type, opens_at, opens_to, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (object) DO UPDATE SET opens_at = excluded.opens_at, opens_to = excluded.opens_to, \
         set_by = excluded.set_by, set_at = excluded.set_at",
    )
    .bind(&row.object)
    .bind(&row.type_name)
    .bind(row.opens_at)
    .bind(&row.opens_to)
    .bind(&row.set_by)
    .bind(row.set_at)
    .exec(tx)
    .await
}

/// Something does not open any more by itself; 0 where nothing was said about it.
pub async fn drop_embargo(tx: &mut Tx<'_>, object: &str) -> Result<u64> {
    sql("DELETE FROM embargo WHERE object = $1").bind(object).exec(tx).await
}

/// Nothing of a collection opens any more: it is gone.
pub async fn drop_embargoes_of(tx: &mut Tx<'_>, type_name: &str) -> Result<u64> {
    sql("DELETE FROM embargo WHERE type = $1")
        .bind(type_name)
        .exec(tx)
        .await
}
