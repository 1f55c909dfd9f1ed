//! SQL about records that hang below each other: one row a record, beside the link that says the same in its document.

use std::collections::HashMap;

use crate::kernel::db::{Exec, Filter, Tx, Val, insert_many, pick, sql};
use crate::kernel::error::Result;

/// A record of a tree, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Node {
    pub id: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    /// Empty at the top.
    pub parent_id: String,
    pub visibility: String,
    pub place: Vec<u8>,
}

/// Where one of a list stands: its place, and its id among those of the same.
pub type Place = (Vec<u8>, String);

pub async fn put_nodes(tx: &mut Tx<'_>, nodes: Vec<Node>) -> Result<()> {
    let row = |node: Node| -> Vec<Val> {
        vec![
            node.id.into(),
            node.type_name.into(),
            node.parent_id.into(),
            node.visibility.into(),
            node.place.into(),
        ]
    };
    let tail = "ON CONFLICT (id) DO UPDATE SET type = excluded.type, parent_id = excluded.parent_id, \
        visibility = excluded.visibility, place = excluded.place";
    let columns = &["id", "type", "parent_id", "visibility", "place"];
    insert_many(tx, "node", columns, tail, nodes.into_iter().map(row).collect()).await?;
    Ok(())
}

pub async fn drop_nodes(tx: &mut Tx<'_>, ids: &[String]) -> Result<u64> {
    Filter::new("DELETE FROM node").and_in("id", ids).stmt().exec(tx).await
}

/// Takes over who may see these records.
pub async fn show_nodes(tx: &mut Tx<'_>, ids: &[String]) -> Result<u64> {
    Filter::new("UPDATE node SET visibility = (SELECT r.visibility FROM record r WHERE r.id = node.id)")
        .and_in("id", ids)
        .stmt()
        .exec(tx)
        .await
}

/// What these records hang below and who may see them: `(id, parent, type, visibility)`.
pub async fn parents(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<Vec<(String, String, String, String)>> {
    Filter::new("SELECT id, parent_id, type, visibility FROM node")
        .and_in("id", ids)
        .stmt()
        .all(on)
        .await
}

/// Those of these records that are live. They stay so until this transaction ends.
pub async fn hold_live(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = pick(
        "SELECT id FROM record WHERE id IN (SELECT value FROM json_each($1)) AND state = 'live' ORDER BY id",
        "SELECT id FROM record WHERE id IN (SELECT json_array_elements_text(CAST($1 AS JSON))) AND state = 'live' \
         ORDER BY id FOR SHARE",
    )
    .bind(serde_json::to_string(ids)?)
    .all(tx)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// `(parent, child)` of records that hang below some of these.
pub async fn hanging(on: impl Into<Exec<'_>>, ids: &[String], limit: i64) -> Result<Vec<(String, String)>> {
    Filter::new("SELECT parent_id, id FROM node")
        .and_in("parent_id", ids)
        .end("ORDER BY parent_id, id", limit)
        .all(on)
        .await
}

/// Ids below a record, or at the top of a type (an empty id), in their order.
pub async fn children(
    on: impl Into<Exec<'_>>,
    type_name: &str,
    parent: &str,
    visibilities: &[String],
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Place>> {
    let filter = Filter::new("SELECT place, id FROM node")
        .and("parent_id = ?", parent)
        .and("type = ?", type_name)
        .and_in("visibility", visibilities)
        .and_all_some(
            "(place, id) > (?, ?)",
            after.map(|(place, id)| vec![place.clone().into(), id.into()]),
        );
    filter.end("ORDER BY place, id", limit).all(on).await
}

/// Whether something that everybody, members and few may see hangs below each of these.
pub async fn are_above(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<HashMap<String, [bool; 3]>> {
    let rows: Vec<(String, bool, bool, bool)> = Filter::new(
        "SELECT p.id, \
         EXISTS (SELECT 1 FROM node n WHERE n.parent_id = p.id AND n.visibility = 'public'), \
         EXISTS (SELECT 1 FROM node n WHERE n.parent_id = p.id AND n.visibility = 'members'), \
         EXISTS (SELECT 1 FROM node n WHERE n.parent_id = p.id AND n.visibility = 'restricted') FROM node p",
    )
    .and_in("p.id", ids)
    .stmt()
    .all(on)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, one, two, three)| (id, [one, two, three]))
        .collect())
}

/// How many records hang below one, at any depth, counted up to a limit.
pub async fn count_below(on: impl Into<Exec<'_>>, id: &str, most: i64) -> Result<i64> {
    let (count,): (i64,) = sql(
        "WITH RECURSIVE below (id) AS (SELECT id FROM node WHERE parent_id = $1 \
         UNION ALL SELECT n.id FROM below b JOIN node n ON n.parent_id = b.id) \
         SELECT COUNT(*) FROM (SELECT id FROM below LIMIT $2) AS counted",
    )
    .bind(id)
    .bind(most)
    .one(on)
    .await?;
    Ok(count)
}

/// Ids of records that point at this one, after an id, each with whether it hangs below it and is pointed at itself: the
/// leaves of a tree are not asked one by one.
pub async fn pointing(on: impl Into<Exec<'_>>, to: &str, after: &str, limit: i64) -> Result<Vec<(String, bool)>> {
    sql(
        "SELECT DISTINCT l.from_id, n.id IS NOT NULL AND EXISTS (SELECT 1 FROM link c WHERE c.to_id = l.from_id) \
         FROM link l LEFT JOIN node n ON n.id = l.from_id AND n.parent_id = l.to_id \
         WHERE l.to_id = $1 AND l.from_id > $2 AND l.from_id <> $1 ORDER BY l.from_id LIMIT $3",
    )
    .bind(to)
    .bind(after)
    .bind(limit)
    .all(on)
    .await
}

/// Those of these records that something points at.
pub async fn pointed_at(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = Filter::new("SELECT DISTINCT to_id FROM link")
        .and_in("to_id", ids)
        .stmt()
        .all(on)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The states of these records from a version on, each with the state before: `(id, version, content, content before)`.
pub async fn steps(
    on: impl Into<Exec<'_>>,
    ids: &[String],
    from: i64,
) -> Result<Vec<(String, i64, Option<String>, Option<String>)>> {
    Filter::new(
        "SELECT v.entity, v.version, v.document, b.document \
         FROM version v LEFT JOIN version b ON b.entity = v.entity AND b.version = v.version - 1",
    )
    .and_in("v.entity", ids)
    .and("v.version >= ?", from)
    .stmt()
    .all(on)
    .await
}

/// Those states of these records that a change set made: `(id, version)`. Found by record: the sets of imports are long.
pub async fn made_by(tx: &mut Tx<'_>, set_id: &str, ids: &[String]) -> Result<Vec<(String, i64)>> {
    Filter::new("SELECT entity, version FROM version")
        .and_in("entity", ids)
        .and("set_id || '' = ?", set_id)
        .stmt()
        .all(tx)
        .await
}
