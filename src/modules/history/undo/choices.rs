//! What an undo left is decided about: its statements. A decision stands beside what it is about until the job has carried it
//! out; what still cannot be put back is open again, with its reason of now.

use serde::{Deserialize, Serialize};

use super::store::{Kept, Next};
use crate::contract::undo::{Insist, Restoration, WhyLeft};
use crate::kernel::db::{Db, Filter, Tx, Val, insert_many, sql};
use crate::kernel::error::Result;

/// What becomes of something that was changed since. Stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The fields that nobody has touched since are put back.
    Fields,
    /// All of it is put back, and later changes go with it.
    Whole,
    /// It stays as it is.
    Keep,
}

impl Choice {
    fn insist(text: &str) -> Insist {
        match text {
            "fields" => Insist::Fields,
            _ => Insist::Whole,
        }
    }
}

/// Notes a decision about some of what an undo left, or about everything that was changed since and is open. Answers how
/// many; what is under way or done stays as it was decided.
pub async fn decide(tx: &mut Tx<'_>, undo: &str, choice: Choice, which: Option<&[String]>) -> Result<u64> {
    let update = match choice {
        Choice::Fields => Filter::new("UPDATE undo_left SET decision = 'fields'"),
        Choice::Whole => Filter::new("UPDATE undo_left SET decision = 'whole'"),
        Choice::Keep => Filter::new("UPDATE undo_left SET decision = 'keep'"),
    };
    let update = update.and("set_id = ?", undo);
    let update = match which {
        Some(ids) => update
            .and("COALESCE(decision, 'keep') = ?", "keep")
            .and_in("entity", ids),
        None => update
            .and("COALESCE(decision, 'open') = ?", "open")
            .and("reason = ?", WhyLeft::ChangedSince.as_str()),
    };
    update.stmt().exec(tx).await
}

/// What an undo left and nobody has decided about, after an entity.
pub async fn open(db: &Db, undo: &str, after: &str, limit: i64) -> Result<Vec<Kept>> {
    sql("SELECT entity, kind, reason, decision, decided_set FROM undo_left \
         WHERE set_id = $1 AND entity > $2 AND decision IS NULL ORDER BY entity LIMIT $3")
    .bind(undo)
    .bind(after)
    .bind(limit)
    .all(db)
    .await
}

/// How much of what an undo left is open, and how much of that was changed since.
pub async fn count_open(db: &Db, undo: &str) -> Result<(i64, i64)> {
    sql("SELECT COUNT(*), COUNT(*) FILTER (WHERE reason = 'changed-since') FROM undo_left WHERE set_id = $1 AND decision IS NULL")
        .bind(undo)
        .one(db)
        .await
}

/// Decisions that are to be carried out.
pub async fn pending(db: &Db, undo: &str) -> Result<i64> {
    let (count,): (i64,) = sql(
        "SELECT COUNT(*) FROM undo_left WHERE set_id = $1 AND decided_set IS NULL AND decision IN ('fields', 'whole')",
    )
    .bind(undo)
    .one(db)
    .await?;
    Ok(count)
}

#[derive(sqlx::FromRow)]
struct Pending {
    entity: String,
    kind: String,
    decision: String,
    length: i64,
}

/// The next things whose decision is to be carried out: those with the same one.
pub async fn next(db: &Db, undo: &str, limit: i64) -> Result<(Vec<Next>, Insist)> {
    let rows: Vec<Pending> = sql(
        "SELECT l.entity, l.kind, l.decision, CAST(COALESCE(LENGTH(v.document), 0) AS BIGINT) AS length \
         FROM undo_left l LEFT JOIN record r ON r.id = l.entity \
         LEFT JOIN version v ON v.entity = r.id AND v.version = r.version \
         WHERE l.set_id = $1 AND l.decided_set IS NULL AND l.decision IN ('fields', 'whole') ORDER BY l.entity LIMIT $2",
    )
    .bind(undo)
    .bind(limit)
    .all(db)
    .await?;
    let insist = rows.first().map_or(Insist::No, |first| Choice::insist(&first.decision));
    let same = rows
        .into_iter()
        .take_while(|row| Choice::insist(&row.decision) == insist);
    let things = same.map(|row| Next {
        position: 0,
        entity: row.entity,
        kind: row.kind,
        length: row.length,
    });
    Ok((things.collect(), insist))
}

/// The first and the last version that a change set made of an entity.
pub async fn span(db: &Db, entity: &str, set: &str) -> Result<Option<(i64, i64)>> {
    let (first, last): (Option<i64>, Option<i64>) =
        sql("SELECT MIN(version), MAX(version) FROM version WHERE entity = $1 AND set_id || '' = $2")
            .bind(entity)
            .bind(set)
            .one(db)
            .await?;
    Ok(first.zip(last))
}

/// Notes what became of a batch: put back in the change set `set`, or open again with its reason.
pub async fn settle(tx: &mut Tx<'_>, undo: &str, set: &str, things: &[Next], outcomes: &[Restoration]) -> Result<()> {
    let (mut decided, mut open, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (next, outcome) in things.iter().zip(outcomes) {
        let row = |reason: &str, set: Option<&str>| -> Vec<Val> {
            vec![
                undo.into(),
                (&next.entity).into(),
                (&next.kind).into(),
                reason.into(),
                set.into(),
            ]
        };
        match outcome {
            // Somebody else may be allowed to.
            Restoration::Left(WhyLeft::Forbidden) => refused.push(row("", None)),
            Restoration::Left(why) => open.push(row(why.as_str(), None)),
            _ => decided.push(row("", Some(set))),
        }
    }
    let columns = &["set_id", "entity", "kind", "reason", "decided_set"];
    insert_many(
        tx,
        "undo_left",
        columns,
        "ON CONFLICT (set_id, entity) DO UPDATE SET decided_set = excluded.decided_set",
        decided,
    )
    .await?;
    insert_many(
        tx,
        "undo_left",
        columns,
        "ON CONFLICT (set_id, entity) DO UPDATE SET reason = excluded.reason, decision = NULL",
        open,
    )
    .await?;
    insert_many(
        tx,
        "undo_left",
        columns,
        "ON CONFLICT (set_id, entity) DO UPDATE SET decision = NULL",
        refused,
    )
    .await?;
    Ok(())
}
