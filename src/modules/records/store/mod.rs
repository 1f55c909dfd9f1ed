//! All SQL of records: heads here, identifiers and links in [`ties`], what empties a type in [`collection`]. Documents live in
//! the ledger; heads join them.

mod collection;
mod embargo;
mod merged;
mod numbers;
mod own;
mod ties;
mod trees;

use std::collections::HashMap;

use crate::contract::records::{Record, RecordState};
use crate::kernel::access::Level;
use crate::kernel::db::{Exec, Filter, Tx, Val, insert_later, insert_many, pick, sql};
use crate::kernel::error::{Error, Result};

pub use collection::*;
pub use embargo::*;
pub use merged::*;
pub use numbers::*;
pub use own::*;
pub use ties::*;
pub use trees::*;

pub const LIVE: &str = "live";
pub const DELETED: &str = "deleted";

/// Where a type stands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TypeHead {
    pub name: String,
    pub id: String,
    pub version: i64,
    pub state: String,
}

/// A record's head with its current state and where its type stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub version: i64,
    pub state: String,
    pub visibility: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub source_blob: Option<String>,
    pub source_row: Option<i64>,
    pub document: Option<String>,
    pub type_id: String,
    pub type_version: i64,
    pub type_state: String,
}

impl Row {
    pub fn deleted(&self) -> bool {
        self.state != LIVE
    }
    pub fn level(&self) -> Result<Level> {
        Level::parse(&self.visibility).ok_or_else(|| {
            Error::internal(anyhow::anyhow!(
                "record {} has the visibility {}",
                self.id,
                self.visibility
            ))
        })
    }
    pub fn type_head(&self) -> TypeHead {
        TypeHead {
            name: self.type_name.clone(),
            id: self.type_id.clone(),
            version: self.type_version,
            state: self.type_state.clone(),
        }
    }
    /// The record; a deleted or redacted one has an empty document.
    pub fn record(self) -> Result<Record> {
        let visibility = self.level()?;
        let document = match &self.document {
            Some(text) => serde_json::from_str::<RecordState>(text)?.document,
            None => serde_json::Map::new(),
        };
        Ok(Record {
            deleted: self.state != LIVE,
            id: self.id,
            type_name: self.type_name,
            version: self.version,
            visibility,
            created_at: self.created_at,
            updated_at: self.updated_at,
            source: self.source_blob.zip(self.source_row),
            document,
        })
    }
}

pub async fn type_head(on: impl Into<Exec<'_>>, name: &str) -> Result<Option<TypeHead>> {
    sql("SELECT name, id, version, state FROM record_type WHERE name = $1")
        .bind(name)
        .opt(on)
        .await
}

/// As [`type_head`], and nobody changes the type until this transaction ends.
pub async fn type_head_held(tx: &mut Tx<'_>, name: &str) -> Result<Option<TypeHead>> {
    pick(
        "SELECT name, id, version, state FROM record_type WHERE name = $1",
        "SELECT name, id, version, state FROM record_type WHERE name = $1 FOR SHARE",
    )
    .bind(name)
    .opt(tx)
    .await
}

pub async fn type_heads(on: impl Into<Exec<'_>>) -> Result<Vec<TypeHead>> {
    sql("SELECT name, id, version, state FROM record_type WHERE state = 'live' ORDER BY name")
        .all(on)
        .await
}

pub async fn insert_type(tx: &mut Tx<'_>, head: &TypeHead, now: i64) -> Result<u64> {
    sql("INSERT INTO record_type (name, id, version, state, updated_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(&head.name)
        .bind(&head.id)
        .bind(head.version)
        .bind(&head.state)
        .bind(now)
        .exec(tx)
        .await
}

/// Moves a type on from the version before; 0 when somebody else was faster.
pub async fn advance_type(tx: &mut Tx<'_>, head: &TypeHead, now: i64) -> Result<u64> {
    sql("UPDATE record_type SET version = $2, state = $3, updated_at = $4 WHERE name = $1 AND version = $2 - 1")
        .bind(&head.name)
        .bind(head.version)
        .bind(&head.state)
        .bind(now)
        .exec(tx)
        .await
}

pub async fn document(on: impl Into<Exec<'_>>, entity: &str, version: i64) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql("SELECT document FROM version WHERE entity = $1 AND version = $2")
        .bind(entity)
        .bind(version)
        .opt(on)
        .await?;
    Ok(row.and_then(|(document,)| document))
}

const ROWS: &str = "SELECT r.id, r.type, r.version, r.state, r.visibility, r.created_at, r.updated_at, r.source_blob, r.source_row, \
     v.document, t.id AS type_id, t.version AS type_version, t.state AS type_state \
     FROM record r JOIN record_type t ON t.name = r.type LEFT JOIN version v ON v.entity = r.id AND v.version = r.version";

pub async fn get(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<Row>> {
    sql(
        "SELECT r.id, r.type, r.version, r.state, r.visibility, r.created_at, r.updated_at, r.source_blob, r.source_row, \
         v.document, t.id AS type_id, t.version AS type_version, t.state AS type_state \
         FROM record r JOIN record_type t ON t.name = r.type LEFT JOIN version v ON v.entity = r.id AND v.version = r.version \
         WHERE r.id = $1",
    )
    .bind(id)
    .opt(on)
    .await
}

/// Records with their current states, in no order.
pub async fn get_many(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Filter::new(ROWS).and_in("r.id", ids).stmt().all(on).await
}

/// Records that came from these rows of a file.
pub async fn from_source(on: impl Into<Exec<'_>>, type_name: &str, blob: &str, rows: &[i64]) -> Result<Vec<Row>> {
    let filter = Filter::new(ROWS)
        .and("r.type = ?", type_name)
        .and("r.source_blob = ?", blob);
    filter.and_in("r.source_row", rows.iter().copied()).stmt().all(on).await
}

/// Is there a record of the type, live or (when `any`) deleted?
pub async fn has_records(on: impl Into<Exec<'_>>, type_name: &str, any: bool) -> Result<bool> {
    let row: Option<(String,)> = sql("SELECT id FROM record WHERE type = $1 AND (state = 'live' OR $2) LIMIT 1")
        .bind(type_name)
        .bind(any)
        .opt(on)
        .await?;
    Ok(row.is_some())
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub type_name: Option<String>,
    pub ids: Option<Vec<String>>,
    /// Changed at or after, and before, in milliseconds.
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub state: &'static str,
    /// `type/visibility` of what the caller may see.
    pub readable: Vec<String>,
    pub by_time: bool,
    pub descending: bool,
    /// The last one seen.
    pub after: Option<(i64, String)>,
    pub limit: i64,
}

fn narrowed(select: &'static str, page: &Page) -> Filter {
    let filter = Filter::new(select)
        .and("r.state = ?", page.state)
        .and_some("r.type = ?", page.type_name.as_deref())
        .and_some("r.updated_at >= ?", page.since)
        .and_some("r.updated_at < ?", page.until)
        .and_in("r.type || '/' || r.visibility", &page.readable);
    match &page.ids {
        Some(ids) => filter.and_in("r.id", ids),
        None => filter,
    }
}

pub async fn page(on: impl Into<Exec<'_>>, page: &Page) -> Result<Vec<Row>> {
    let mut filter = narrowed(ROWS, page);
    if let Some((at, id)) = &page.after {
        filter = match (page.by_time, page.descending) {
            (false, false) => filter.and("r.id > ?", id),
            (false, true) => filter.and("r.id < ?", id),
            (true, false) => filter.and_all("(r.updated_at, r.id) > (?, ?)", vec![(*at).into(), id.into()]),
            (true, true) => filter.and_all("(r.updated_at, r.id) < (?, ?)", vec![(*at).into(), id.into()]),
        };
    }
    let order = match (page.by_time, page.descending) {
        (false, false) => "ORDER BY r.id",
        (false, true) => "ORDER BY r.id DESC",
        (true, false) => "ORDER BY r.updated_at, r.id",
        (true, true) => "ORDER BY r.updated_at DESC, r.id DESC",
    };
    filter.end(order, page.limit).all(on).await
}

pub async fn count(on: impl Into<Exec<'_>>, page: &Page) -> Result<i64> {
    let (count,): (i64,) = narrowed("SELECT COUNT(*) FROM record r", page).stmt().one(on).await?;
    Ok(count)
}

/// Ids of live records after one, for a rebuild of the index.
pub async fn live_ids(on: impl Into<Exec<'_>>, after: &str, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT id FROM record WHERE id > $1 AND state = 'live' ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .all(on)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Id, type and visibility of live records after an id, in id order: what decides who may see them, without their states.
pub async fn outlines(on: impl Into<Exec<'_>>, after: &str, limit: i64) -> Result<Vec<(String, String, String)>> {
    sql("SELECT id, type, visibility FROM record WHERE id > $1 AND state = 'live' ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .all(on)
        .await
}

/// Every so manieth id of live records, in id order.
pub async fn milestones(on: impl Into<Exec<'_>>, every: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql(
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place FROM record WHERE state = 'live') AS counted \
         WHERE place % $1 = 0 ORDER BY id",
    )
    .bind(every)
    .all(on)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A head to write.
#[derive(Clone, Debug)]
pub struct Head {
    pub id: String,
    pub type_name: String,
    pub version: i64,
    pub state: &'static str,
    pub visibility: Level,
    pub created_at: i64,
    pub updated_at: i64,
    pub source: Option<(String, i64)>,
}

const HEAD: &[&str] = &[
    "id",
    "type",
    "version",
    "state",
    "visibility",
    "created_at",
    "updated_at",
    "source_blob",
    "source_row",
];

fn head_values(head: Head) -> Vec<Val> {
    let (blob, row) = head.source.unzip();
    vec![
        head.id.into(),
        head.type_name.into(),
        head.version.into(),
        head.state.into(),
        head.visibility.as_str().into(),
        head.created_at.into(),
        head.updated_at.into(),
        blob.into(),
        row.into(),
    ]
}

pub async fn insert_heads(tx: &mut Tx<'_>, heads: Vec<Head>) -> Result<()> {
    insert_later(tx, "record", HEAD, "", heads.into_iter().map(head_values).collect()).await
}

/// Moves heads on from the version before each. Answers how many did: fewer, when somebody else was faster.
pub async fn advance_heads(tx: &mut Tx<'_>, heads: Vec<Head>) -> Result<u64> {
    let tail = "ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, visibility = excluded.visibility, \
        updated_at = excluded.updated_at, source_blob = excluded.source_blob, source_row = excluded.source_row \
        WHERE record.version = excluded.version - 1";
    insert_many(tx, "record", HEAD, tail, heads.into_iter().map(head_values).collect()).await
}

/// Visibility and version of those of these records that are live and of a type, by id.
pub async fn stands(
    on: impl Into<Exec<'_>>,
    type_name: &str,
    ids: &[String],
) -> Result<HashMap<String, (String, i64)>> {
    let filter = Filter::new("SELECT id, visibility, version FROM record")
        .and_in("id", ids)
        .and("type = ?", type_name)
        .and("state = ?", LIVE);
    let rows: Vec<(String, String, i64)> = filter.stmt().all(on).await?;
    let stand = |(id, visibility, version)| (id, (visibility, version));
    Ok(rows.into_iter().map(stand).collect())
}

/// Type and visibility of those of these records that are live.
pub async fn live_types(on: impl Into<Exec<'_>>, ids: &[String]) -> Result<HashMap<String, (String, String)>> {
    let filter = Filter::new("SELECT id, type, visibility FROM record")
        .and_in("id", ids)
        .and("state = ?", LIVE);
    let rows: Vec<(String, String, String)> = filter.stmt().all(on).await?;
    Ok(rows
        .into_iter()
        .map(|(id, kind, visibility)| (id, (kind, visibility)))
        .collect())
}
