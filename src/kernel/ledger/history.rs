//! Reading the ledger back: states of an entity, change sets and what they changed.

use super::{Change, ChangeSet, Operation, Position, Version};
use crate::kernel::db::{Db, Exec, Tx, sql};
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

/// The newest change sets, older than `before` (an id) where that is given.
///
/// # Errors
/// What the database says.
pub async fn sets(db: &Db, before: Option<&str>, limit: i64) -> Result<Vec<ChangeSet>> {
    // Ids are made in time order, and "g" sorts after every hexadecimal digit in every collation.
    sql("SELECT id, kind, actor, reason, origin, created_at FROM change_set WHERE id < $1 ORDER BY id DESC LIMIT $2")
        .bind(before.unwrap_or("g"))
        .bind(limit)
        .all(db)
        .await
}

/// What a change set changed, in order, after a place.
///
/// # Errors
/// What the database says.
pub async fn set_changes(db: &Db, set_id: &str, after: Position, limit: i64) -> Result<Vec<Change>> {
    let rows: Vec<(i64, i64, String, String, i64)> = sql(
        "SELECT txid, position, kind, entity, version FROM version WHERE set_id = $1 AND position > $2 ORDER BY position LIMIT $3",
    )
    .bind(set_id)
    .bind(after.position)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(txid, position, kind, entity, version)| Change {
            at: Position { txid, position },
            kind,
            entity,
            version,
        })
        .collect())
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
