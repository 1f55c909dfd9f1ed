//! SQL of undo: where each stands, which versions come next, what was left.

use crate::contract::undo::{Restoration, WhyLeft};
use crate::kernel::db::{Db, Tx, Val, insert_many, sql};
use crate::kernel::error::{Code, Error, Result};

/// Where an undo stands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    pub job_id: String,
    pub of_set: String,
    pub set_id: String,
    pub cursor: i64,
    pub removed: i64,
    pub reverted: i64,
    pub revived: i64,
    pub already: i64,
    pub kept: i64,
    pub state: String,
    pub created_at: i64,
}

impl Standing {
    /// Adds outcomes.
    pub fn count(&mut self, outcomes: &[Restoration]) {
        for outcome in outcomes {
            *match outcome {
                Restoration::Removed => &mut self.removed,
                Restoration::Reverted => &mut self.reverted,
                Restoration::Revived => &mut self.revived,
                Restoration::Already => &mut self.already,
                Restoration::Left(_) => &mut self.kept,
            } += 1;
        }
    }
    /// Things dealt with.
    pub fn done(&self) -> i64 {
        self.removed + self.reverted + self.revived + self.already + self.kept
    }
}

/// `None` before the undo has begun.
pub async fn standing(db: &Db, job_id: &str) -> Result<Option<Standing>> {
    sql("SELECT job_id, of_set, set_id, cursor, removed, reverted, revived, already, kept, state, created_at FROM undo WHERE job_id = $1")
        .bind(job_id)
        .opt(db)
        .await
}

/// The undo that a change set is.
pub async fn by_set(db: &Db, set_id: &str) -> Result<Option<Standing>> {
    sql("SELECT job_id, of_set, set_id, cursor, removed, reverted, revived, already, kept, state, created_at FROM undo WHERE set_id = $1")
        .bind(set_id)
        .opt(db)
        .await
}

/// The undos of a change set, newest first.
pub async fn of_set(db: &Db, set_id: &str, limit: i64) -> Result<Vec<Standing>> {
    sql("SELECT job_id, of_set, set_id, cursor, removed, reverted, revived, already, kept, state, created_at FROM undo WHERE of_set = $1 \
         ORDER BY set_id DESC LIMIT $2")
        .bind(set_id)
        .bind(limit)
        .all(db)
        .await
}

/// Notes that an undo begins.
pub async fn begin(tx: &mut Tx<'_>, job_id: &str, of: &str, set_id: &str) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO undo (job_id, of_set, set_id, cursor, removed, reverted, revived, already, kept, state, created_at) \
         VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, 'running', $5)",
    )
    .bind(job_id)
    .bind(of)
    .bind(set_id)
    .bind(i64::MAX)
    .bind(now)
    .exec(tx)
    .await?;
    Ok(())
}

/// Moves on from `cursor`. Whoever finds another one is not alone: then nothing of the batch may stand.
pub async fn advance(tx: &mut Tx<'_>, cursor: i64, to: &Standing) -> Result<()> {
    let moved = sql(
        "UPDATE undo SET cursor = $3, removed = $4, reverted = $5, revived = $6, already = $7, kept = $8 WHERE job_id = $1 AND cursor = $2",
    )
    .bind(&to.job_id)
    .bind(cursor)
    .bind(to.cursor)
    .bind(to.removed)
    .bind(to.reverted)
    .bind(to.revived)
    .bind(to.already)
    .bind(to.kept)
    .exec(tx)
    .await?;
    if moved == 1 {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        "Another worker goes on with this undo; nothing of this batch is kept.",
    ))
}

/// Ends an undo.
pub async fn end(tx: &mut Tx<'_>, job_id: &str) -> Result<()> {
    sql("UPDATE undo SET state = 'done' WHERE job_id = $1")
        .bind(job_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// A thing to deal with: where its last version in the set stands, and how much text it is about.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Next {
    pub position: i64,
    pub entity: String,
    pub kind: String,
    pub length: i64,
}

/// What a change set touched below a place, the last first, each thing once.
pub async fn next(db: &Db, set_id: &str, below: i64, limit: i64) -> Result<Vec<Next>> {
    sql("SELECT v.position, v.entity, v.kind, CAST(COALESCE(LENGTH(v.document), 0) + COALESCE(LENGTH(b.document), 0) AS BIGINT) AS length \
         FROM version v LEFT JOIN version b ON b.entity = v.entity AND b.version = v.version - 1 \
         WHERE v.set_id = $1 AND v.position < $2 \
           AND NOT EXISTS (SELECT 1 FROM version x WHERE x.entity = v.entity AND x.version > v.version AND x.set_id || '' = v.set_id) \
         ORDER BY v.position DESC LIMIT $3")
        .bind(set_id)
        .bind(below)
        .bind(limit)
        .all(db)
        .await
}

/// How many things a change set touched.
pub async fn size(db: &Db, set_id: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(DISTINCT entity) FROM version WHERE set_id = $1")
        .bind(set_id)
        .one(db)
        .await?;
    Ok(count)
}

/// Keeps what was left.
pub async fn leave(tx: &mut Tx<'_>, set_id: &str, left: Vec<(&Next, WhyLeft)>) -> Result<()> {
    let row = |(next, why): (&Next, WhyLeft)| -> Vec<Val> {
        vec![
            set_id.into(),
            (&next.entity).into(),
            (&next.kind).into(),
            why.as_str().into(),
        ]
    };
    let columns = &["set_id", "entity", "kind", "reason"];
    insert_many(
        tx,
        "undo_left",
        columns,
        "ON CONFLICT DO NOTHING",
        left.into_iter().map(row).collect(),
    )
    .await?;
    Ok(())
}

/// Something that an undo left.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    pub entity: String,
    pub kind: String,
    pub reason: String,
    /// What somebody decided about it.
    pub decision: Option<String>,
    /// The change set in which that was carried out.
    pub decided_set: Option<String>,
}

/// What an undo left after an entity, in the order of their ids.
pub async fn left(db: &Db, set_id: &str, after: &str, limit: i64) -> Result<Vec<Kept>> {
    sql("SELECT entity, kind, reason, decision, decided_set FROM undo_left WHERE set_id = $1 AND entity > $2 ORDER BY entity LIMIT $3")
        .bind(set_id)
        .bind(after)
        .bind(limit)
        .all(db)
        .await
}
