//! What leads to a record: the values that name it and the records that point at it.

use std::collections::HashMap;

use crate::kernel::db::{Db, Exec, Filter, Tx, insert_later, insert_many, sql};
use crate::kernel::error::Result;

/// A value that leads to a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    pub field: String,
    pub value: String,
    pub record_id: String,
}

/// Takes values for records. A value of a deleted record is taken over. Answers how many are theirs now.
pub async fn take_identifiers(tx: &mut Tx<'_>, type_name: &str, mut taken: Vec<Identifier>) -> Result<u64> {
    // One order for everybody, so that two transactions never wait for each other.
    taken.sort();
    let rows = taken
        .into_iter()
        .map(|i| vec![type_name.into(), i.field.into(), i.value.into(), i.record_id.into()])
        .collect();
    let tail = "ON CONFLICT (type, field, value) DO UPDATE SET record_id = excluded.record_id \
        WHERE identifier.record_id = excluded.record_id \
        OR EXISTS (SELECT 1 FROM record WHERE record.id = identifier.record_id AND record.state = 'deleted')";
    insert_many(tx, "identifier", &["type", "field", "value", "record_id"], tail, rows).await
}

/// Whose these values of a field are: value to record.
pub async fn owners(
    on: impl Into<Exec<'_>>,
    type_name: &str,
    field: &str,
    values: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, String>> {
    let filter = Filter::new("SELECT value, record_id FROM identifier")
        .and("type = ?", type_name)
        .and("field = ?", field);
    let rows: Vec<(String, String)> = filter.and_in("value", values).stmt().all(on).await?;
    Ok(rows.into_iter().collect())
}

/// Some values of a field: the first and the last of them.
pub async fn some_identifiers(db: &Db, type_name: &str, field: &str, limit: i64) -> Result<Vec<String>> {
    let first: Vec<(String,)> =
        sql("SELECT value FROM identifier WHERE type = $1 AND field = $2 ORDER BY value LIMIT $3")
            .bind(type_name)
            .bind(field)
            .bind(limit)
            .all(db)
            .await?;
    let last: Vec<(String,)> =
        sql("SELECT value FROM identifier WHERE type = $1 AND field = $2 ORDER BY value DESC LIMIT $3")
            .bind(type_name)
            .bind(field)
            .bind(limit)
            .all(db)
            .await?;
    let mut some: Vec<String> = first.into_iter().chain(last).map(|(value,)| value).collect();
    some.sort();
    some.dedup();
    Ok(some)
}

pub async fn drop_identifier(tx: &mut Tx<'_>, type_name: &str, gone: &Identifier) -> Result<u64> {
    sql("DELETE FROM identifier WHERE type = $1 AND field = $2 AND value = $3 AND record_id = $4")
        .bind(type_name)
        .bind(&gone.field)
        .bind(&gone.value)
        .bind(&gone.record_id)
        .exec(tx)
        .await
}

/// `(from, field, to)`
pub async fn insert_links(tx: &mut Tx<'_>, links: Vec<(String, String, String)>) -> Result<()> {
    let rows = links
        .into_iter()
        .map(|(from, field, to)| vec![from.into(), field.into(), to.into()])
        .collect();
    insert_later(
        tx,
        "link",
        &["from_id", "field", "to_id"],
        "ON CONFLICT DO NOTHING",
        rows,
    )
    .await
}

pub async fn drop_links(tx: &mut Tx<'_>, from: &[String]) -> Result<u64> {
    Filter::new("DELETE FROM link")
        .and_in("from_id", from)
        .stmt()
        .exec(tx)
        .await
}

/// `(from, field)` of what points at a record, without what hangs below it by the field `child`.
pub async fn links_to(on: impl Into<Exec<'_>>, id: &str, child: &str, limit: i64) -> Result<Vec<(String, String)>> {
    sql(
        "SELECT l.from_id, l.field FROM link l WHERE l.to_id = $1 AND l.from_id <> $1 \
         AND (l.field <> $2 OR NOT EXISTS (SELECT 1 FROM node n WHERE n.id = l.from_id AND n.parent_id = $1)) \
         ORDER BY l.from_id, l.field LIMIT $3",
    )
    .bind(id)
    .bind(child)
    .bind(limit)
    .all(on)
    .await
}

/// How many live records point at one.
pub async fn count_links_to(on: impl Into<Exec<'_>>, id: &str) -> Result<i64> {
    let (count,): (i64,) =
        sql("SELECT COUNT(*) FROM link l JOIN record r ON r.id = l.from_id WHERE l.to_id = $1 AND r.state = 'live' AND r.id <> $1")
            .bind(id)
            .one(on)
            .await?;
    Ok(count)
}
