//! SQL about all records of a type at once: who sees them, and taking them away.

use crate::kernel::db::{Exec, Filter, Tx, sql};
use crate::kernel::error::Result;
use crate::kernel::ledger::Position;

/// A type that is being deleted with its records; nobody makes it anew before that has ended.
pub const REMOVING: &str = "removing";

/// How many live records of a type have one of these visibilities.
pub async fn count_seen_by(on: impl Into<Exec<'_>>, type_name: &str, visibilities: &[String]) -> Result<i64> {
    let filter = Filter::new("SELECT COUNT(*) FROM record")
        .and("type = ?", type_name)
        .and("state = ?", "live")
        .and_in("visibility", visibilities);
    let (count,): (i64,) = filter.stmt().one(on).await?;
    Ok(count)
}

/// Ids of live records of a type that have one of these visibilities, after an id.
pub async fn ids_seen_by(
    on: impl Into<Exec<'_>>,
    type_name: &str,
    visibilities: &[String],
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let filter = Filter::new("SELECT id FROM record")
        .and("type = ?", type_name)
        .and("id > ?", after)
        .and("state = ?", "live")
        .and_in("visibility", visibilities);
    let rows: Vec<(String,)> = filter.end("ORDER BY id", limit).all(on).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A state of a type in the ledger.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TypeState {
    pub set_id: String,
    pub txid: i64,
    pub position: i64,
    pub document: Option<String>,
}

/// Every state of a type, the oldest first.
pub async fn type_states(on: impl Into<Exec<'_>>, type_id: &str) -> Result<Vec<TypeState>> {
    sql("SELECT set_id, txid, position, document FROM version WHERE entity = $1 ORDER BY version")
        .bind(type_id)
        .all(on)
        .await
}

/// Where in the ledger these records were made: id, transaction, position.
pub async fn made_at(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<Vec<(String, i64, i64)>> {
    Filter::new("SELECT entity, txid, position FROM version")
        .and_in("entity", ids)
        .and("version = ?", 1_i64)
        .stmt()
        .all(on)
        .await
}

/// What stood before the states that a change set made of these records: id, version, content.
pub async fn before_set(
    on: impl Into<Exec<'_>>,
    set_id: &str,
    ids: &[String],
) -> Result<Vec<(String, i64, Option<String>)>> {
    Filter::new(
        "SELECT m.entity, b.version, b.document \
         FROM version m JOIN version b ON b.entity = m.entity AND b.version = m.version - 1",
    )
    .and_in("m.entity", ids)
    .and("m.set_id || '' = ?", set_id)
    .stmt()
    .all(on)
    .await
}

/// Ids of live records of a type after an id.
pub async fn ids_after(on: impl Into<Exec<'_>>, type_name: &str, after: &str, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql("SELECT id FROM record WHERE type = $1 AND id > $2 AND state = 'live' ORDER BY id LIMIT $3")
            .bind(type_name)
            .bind(after)
            .bind(limit)
            .all(on)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ids of live records of a type that were written after a place in the ledger.
pub async fn ids_changed(on: impl Into<Exec<'_>>, type_name: &str, since: Position, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql(
        "SELECT DISTINCT v.entity FROM version v JOIN record r ON r.id = v.entity \
         WHERE (v.txid, v.position) > ($1, $2) AND r.type = $3 AND r.state = 'live' LIMIT $4",
    )
    .bind(since.txid)
    .bind(since.position)
    .bind(type_name)
    .bind(limit)
    .all(on)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Takes away what records hold under these fields.
pub async fn drop_values(tx: &mut Tx<'_>, type_name: &str, fields: &[String], ids: &[String]) -> Result<u64> {
    Filter::new("DELETE FROM identifier")
        .and("type = ?", type_name)
        .and_in("field", fields)
        .and_in("record_id", ids)
        .stmt()
        .exec(tx)
        .await
}

/// How many records of a type there are, deleted ones too.
pub async fn count_of_type(on: impl Into<Exec<'_>>, type_name: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM record WHERE type = $1")
        .bind(type_name)
        .one(on)
        .await?;
    Ok(count)
}

/// Some records of a type, deleted ones too.
pub async fn ids_of_type(on: impl Into<Exec<'_>>, type_name: &str, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT id FROM record WHERE type = $1 ORDER BY id LIMIT $2")
        .bind(type_name)
        .bind(limit)
        .all(on)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many links of live records of other types lead into a type.
pub async fn count_links_into(on: impl Into<Exec<'_>>, type_name: &str) -> Result<i64> {
    let (count,): (i64,) = sql(
        "SELECT COUNT(*) FROM record t JOIN link l ON l.to_id = t.id JOIN record f ON f.id = l.from_id \
         WHERE t.type = $1 AND f.type <> $1 AND f.state = 'live'",
    )
    .bind(type_name)
    .one(on)
    .await?;
    Ok(count)
}

/// Those of these files that a record comes from.
pub async fn sources_among(on: impl Into<Exec<'_>>, blobs: &[String]) -> Result<Vec<String>> {
    let filter = Filter::new("SELECT DISTINCT source_blob FROM record").and_in("source_blob", blobs);
    let rows: Vec<(String,)> = filter.stmt().all(on).await?;
    Ok(rows.into_iter().map(|(blob,)| blob).collect())
}

/// Takes heads, identifiers and links of records away. Their versions are the ledger's.
pub async fn forget_records(tx: &mut Tx<'_>, ids: &[String]) -> Result<()> {
    for statement in [
        Filter::new("DELETE FROM link").and_in("from_id", ids),
        Filter::new("DELETE FROM link").and_in("to_id", ids),
        Filter::new("DELETE FROM identifier").and_in("record_id", ids),
        Filter::new("DELETE FROM node").and_in("id", ids),
        Filter::new("DELETE FROM record").and_in("id", ids),
    ] {
        statement.stmt().exec(&mut *tx).await?;
    }
    Ok(())
}

/// Takes the head of a type away that is being deleted, with what identifiers are left of it.
pub async fn forget_type(tx: &mut Tx<'_>, name: &str, id: &str) -> Result<()> {
    sql("DELETE FROM identifier WHERE type = $1")
        .bind(name)
        .exec(&mut *tx)
        .await?;
    super::forget_numbers(tx, name).await?;
    sql("DELETE FROM record_type WHERE name = $1 AND id = $2 AND state = 'removing'")
        .bind(name)
        .bind(id)
        .exec(tx)
        .await?;
    Ok(())
}

/// How many records a change set changed.
pub async fn records_of_set(on: impl Into<Exec<'_>>, set_id: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(DISTINCT entity) FROM version WHERE set_id = $1 AND kind = 'record'")
        .bind(set_id)
        .one(on)
        .await?;
    Ok(count)
}

/// The type that a change set changed before it moved the values of its records; also one that was put back so.
pub async fn moved_type(on: impl Into<Exec<'_>>, set_id: &str) -> Result<Option<String>> {
    let first: Option<(String, String)> = sql(
        "SELECT v.entity, v.kind FROM change_set c JOIN version v ON v.set_id = c.id \
         WHERE c.id = $1 AND c.kind IN ('type.reshape', 'undo') ORDER BY v.position LIMIT 1",
    )
    .bind(set_id)
    .opt(on)
    .await?;
    Ok(first.filter(|(_, kind)| kind == "type").map(|(entity, _)| entity))
}

/// Values of a type's records under a field that it has no more lead nowhere.
pub async fn drop_identifiers_of(tx: &mut Tx<'_>, type_name: &str, field: &str) -> Result<u64> {
    sql("DELETE FROM identifier WHERE type = $1 AND field = $2")
        .bind(type_name)
        .bind(field)
        .exec(tx)
        .await
}

/// Ids of live records of a type that others wrote since a change set first changed it.
pub async fn ids_since_set(
    on: impl Into<Exec<'_>>,
    type_id: &str,
    type_name: &str,
    set_id: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql(
        "SELECT r.id FROM version t JOIN version v ON (v.txid, v.position) > (t.txid, t.position) \
         JOIN record r ON r.id = v.entity AND r.version = v.version \
         WHERE t.entity = $1 AND t.set_id || '' = $3 AND r.type = $2 AND r.state = 'live' AND v.set_id <> $3 \
         AND NOT EXISTS (SELECT 1 FROM version e WHERE e.entity = t.entity AND e.set_id || '' = $3 AND e.version < t.version) \
         ORDER BY r.id LIMIT $4",
    )
    .bind(type_id)
    .bind(type_name)
    .bind(set_id)
    .bind(limit)
    .all(on)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
