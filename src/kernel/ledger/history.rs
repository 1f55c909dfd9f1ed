//! Reading the ledger back: states of an entity, change sets and what they changed.

use std::collections::HashMap;

use super::{Change, ChangeRow, ChangeSet, Operation, Position, Version};
use crate::kernel::db::{Db, Exec, Filter, Tx, sql};
use crate::kernel::error::Result;

type VersionRow = (
    String,
    i64,
    String,
    String,
    Option<String>,
    i64,
    i64,
    String,
    String,
    String,
    String,
    String,
    i64,
);

fn version_from(row: VersionRow) -> Result<Version> {
    let (entity, version, kind, operation, document, txid, position, id, set_kind, actor, reason, origin, created_at) =
        row;
    Ok(Version {
        entity,
        version,
        kind,
        operation: Operation::parse(&operation)?,
        document,
        at: Position { txid, position },
        set: ChangeSet {
            id,
            kind: set_kind,
            actor,
            reason,
            origin,
            created_at,
        },
    })
}

/// The states of an entity, newest first, below version `before` where that is given.
///
/// # Errors
/// What the database says.
pub async fn versions(on: impl Into<Exec<'_>>, entity: &str, before: Option<i64>, limit: i64) -> Result<Vec<Version>> {
    let rows: Vec<VersionRow> = sql(
        "SELECT v.entity, v.version, v.kind, v.operation, v.document, v.txid, v.position, s.id, s.kind, s.actor, s.reason, s.origin, s.created_at \
         FROM version v JOIN change_set s ON s.id = v.set_id WHERE v.entity = $1 AND v.version < $2 ORDER BY v.version DESC LIMIT $3",
    )
    .bind(entity)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .all(on)
    .await?;
    rows.into_iter().map(version_from).collect()
}

/// One state of an entity.
///
/// # Errors
/// What the database says.
pub async fn version(on: impl Into<Exec<'_>>, entity: &str, number: i64) -> Result<Option<Version>> {
    let row: Option<VersionRow> = sql(
        "SELECT v.entity, v.version, v.kind, v.operation, v.document, v.txid, v.position, s.id, s.kind, s.actor, s.reason, s.origin, s.created_at \
         FROM version v JOIN change_set s ON s.id = v.set_id WHERE v.entity = $1 AND v.version = $2",
    )
    .bind(entity)
    .bind(number)
    .opt(on)
    .await?;
    row.map(version_from).transpose()
}

/// Who made each of these entities: whoever its first state is of. Those that never were are left out.
///
/// # Errors
/// What the database says.
pub async fn makers(on: impl Into<Exec<'_>>, entities: &[&str]) -> Result<HashMap<String, String>> {
    if entities.is_empty() {
        return Ok(HashMap::new());
    }
    let filter = Filter::new("SELECT v.entity, s.actor FROM version v JOIN change_set s ON s.id = v.set_id")
        .and("v.version = ?", 1_i64)
        .and_in("v.entity", entities.iter().map(|entity| (*entity).to_owned()));
    let rows: Vec<(String, String)> = filter.stmt().all(on).await?;
    Ok(rows.into_iter().collect())
}

/// One change set.
///
/// # Errors
/// What the database says.
pub async fn set(on: impl Into<Exec<'_>>, id: &str) -> Result<Option<ChangeSet>> {
    sql("SELECT id, kind, actor, reason, origin, created_at FROM change_set WHERE id = $1")
        .bind(id)
        .opt(on)
        .await
}

/// Which change sets, and which of their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetFilter {
    /// Whose: `operator`, `account:ID`, `token:ID` …
    pub actor: Option<String>,
    /// What made them: `import`, `record.edit` …
    pub cause: Option<String>,
    /// What they touch: [`super::RECORD`], [`super::TYPE`] …
    pub kind: Option<String>,
    /// From and before, in milliseconds.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Those of one request, and of its jobs.
    pub request: Option<String>,
    /// Only sets older than the one with this id.
    pub before: Option<String>,
}

impl SetFilter {
    fn narrow(&self, select: &'static str) -> Filter {
        Filter::new(select)
            .and_some("s.actor = ?", self.actor.as_deref())
            .and_some("s.kind = ?", self.cause.as_deref())
            .and_some("s.created_at >= ?", self.since)
            .and_some("s.created_at < ?", self.until)
            .and_all_some(
                "(s.request_id = ? OR s.job_id IN (SELECT j.id FROM job j WHERE j.request_id = ?))",
                self.request.as_ref().map(|id| vec![id.into(), id.into()]),
            )
    }
}

/// The newest change sets.
///
/// # Errors
/// What the database says.
pub async fn sets(db: &Db, filter: &SetFilter, limit: i64) -> Result<Vec<ChangeSet>> {
    // Ids are made in time order.
    filter
        .narrow("SELECT s.id, s.kind, s.actor, s.reason, s.origin, s.created_at FROM change_set s")
        .and_some("s.id < ?", filter.before.as_deref())
        .and_some(
            "EXISTS (SELECT 1 FROM version v WHERE v.set_id = s.id AND v.kind = ?)",
            filter.kind.as_deref(),
        )
        .end("ORDER BY s.id DESC", limit)
        .all(db)
        .await
}

/// Choices of a filter that are offered.
const CHOICES: i64 = 100;

/// Everybody who has changed something.
///
/// # Errors
/// What the database says.
pub async fn actors(db: &Db) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT actor FROM change_set GROUP BY actor ORDER BY actor LIMIT $1")
        .bind(CHOICES)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(actor,)| actor).collect())
}

/// Everything that has made change sets.
///
/// # Errors
/// What the database says.
pub async fn causes(db: &Db) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql("SELECT kind FROM change_set GROUP BY kind ORDER BY kind LIMIT $1")
        .bind(CHOICES)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(kind,)| kind).collect())
}

/// How many versions of each operation a change set made.
///
/// # Errors
/// What the database says.
pub async fn set_counts(db: &Db, set_id: &str) -> Result<Vec<(String, i64)>> {
    sql("SELECT operation, COUNT(*) FROM version WHERE set_id = $1 GROUP BY operation ORDER BY operation")
        .bind(set_id)
        .all(db)
        .await
}

/// One version with who, why and when, as auditors read it: without content.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditLine {
    pub txid: i64,
    pub position: i64,
    pub entity: String,
    pub version: i64,
    pub kind: String,
    pub operation: String,
    pub set_id: String,
    pub cause: String,
    pub actor: String,
    pub reason: String,
    pub origin: String,
    pub created_at: i64,
}

/// The versions of the change sets of a filter after a place and up to another one, in the order of the ledger. Up to
/// [`super::settled`], nothing comes in between later.
///
/// # Errors
/// What the database says.
pub async fn audit(db: &Db, filter: &SetFilter, after: Position, end: Position, limit: i64) -> Result<Vec<AuditLine>> {
    filter
        .narrow(
            "SELECT v.txid, v.position, v.entity, v.version, v.kind, v.operation, s.id AS set_id, s.kind AS cause, s.actor, s.reason, s.origin, \
             s.created_at FROM version v JOIN change_set s ON s.id = v.set_id",
        )
        .and_some("v.kind = ?", filter.kind.as_deref())
        .and_all("(v.txid, v.position) > (?, ?)", vec![after.txid.into(), after.position.into()])
        .and_all("(v.txid, v.position) <= (?, ?)", vec![end.txid.into(), end.position.into()])
        .end("ORDER BY v.txid, v.position", limit)
        .all(db)
        .await
}

/// What a change set changed, in order, after a place.
///
/// # Errors
/// What the database says.
pub async fn set_changes(on: impl Into<Exec<'_>>, set_id: &str, after: Position, limit: i64) -> Result<Vec<Change>> {
    let rows: Vec<ChangeRow> = sql(
        "SELECT txid, position, kind, entity, version FROM version WHERE set_id = $1 AND position > $2 ORDER BY position LIMIT $3",
    )
    .bind(set_id)
    .bind(after.position)
    .bind(limit)
    .all(on)
    .await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// Empties the content of every state of these entities; who, when and why stay.
///
/// # Errors
/// What the database says.
pub async fn redact_all(tx: &mut Tx<'_>, entities: &[String]) -> Result<()> {
    let filter = Filter::new("UPDATE version SET document = NULL").and_in("entity", entities);
    filter.stmt().exec(tx).await?;
    Ok(())
}

/// Empties the content of a state; who, when and why stay. The only operation that overwrites.
///
/// # Errors
/// What the database says.
pub async fn redact(tx: &mut Tx<'_>, entity: &str, number: i64) -> Result<()> {
    sql("UPDATE version SET document = NULL WHERE entity = $1 AND version = $2")
        .bind(entity)
        .bind(number)
        .exec(tx)
        .await?;
    Ok(())
}
