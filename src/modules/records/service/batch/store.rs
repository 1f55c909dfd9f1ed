//! SQL of batches: what was chosen, how far it is, what became of each record.

use crate::kernel::db::{Db, Exec, Filter, Tx, Val, insert_many, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;

/// States of a batch.
pub const DRAWN: &str = "drawn";
pub const DONE: &str = "done";

/// A batch as it stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Batch {
    pub id: String,
    pub owner: String,
    #[sqlx(rename = "type")]
    pub type_name: String,
    pub chosen: String,
    pub action: Option<String>,
    pub state: String,
    pub total: i64,
    pub cursor: i64,
    pub progress: i64,
    pub job_id: Option<String>,
    pub set_id: Option<String>,
    pub created_at: i64,
}

/// A record of a batch.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Item {
    pub place: i64,
    pub record_id: String,
    /// Where it stood when it was chosen.
    pub version: i64,
}

/// What became of a record.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Done {
    pub place: i64,
    pub record_id: String,
    /// None before its turn.
    pub outcome: Option<String>,
    pub note: String,
}

/// How many records came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub changed: i64,
    pub unchanged: i64,
    pub refused: i64,
    pub waiting: i64,
}

/// Keeps a choice.
pub async fn insert(
    tx: &mut Tx<'_>,
    owner: &str,
    type_name: &str,
    chosen: &str,
    records: &[(String, i64)],
) -> Result<Batch> {
    let batch = Batch {
        id: new_id(),
        owner: owner.to_owned(),
        type_name: type_name.to_owned(),
        chosen: chosen.to_owned(),
        action: None,
        state: DRAWN.to_owned(),
        total: records.len() as i64,
        cursor: 0,
        progress: 0,
        job_id: None,
        set_id: None,
        created_at: tx.now(),
    };
    sql("INSERT INTO batch (id, owner, type, chosen, state, total, cursor, progress, created_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)")
        .bind(&batch.id)
        .bind(owner)
        .bind(type_name)
        .bind(chosen)
        .bind(DRAWN)
        .bind(batch.total)
        .bind(batch.created_at)
        .exec(&mut *tx)
        .await?;
    let row = |(at, (id, version)): (usize, &(String, i64))| -> Vec<Val> {
        vec![
            (&batch.id).into(),
            (at as i64 + 1).into(),
            id.into(),
            (*version).into(),
            "".into(),
        ]
    };
    let columns = &["batch_id", "place", "record_id", "version", "note"];
    insert_many(
        tx,
        "batch_item",
        columns,
        "",
        records.iter().enumerate().map(row).collect(),
    )
    .await?;
    Ok(batch)
}

pub async fn get(db: &Db, id: &str) -> Result<Option<Batch>> {
    sql("SELECT id, owner, type, chosen, action, state, total, cursor, progress, job_id, set_id, created_at FROM batch WHERE id = $1")
        .bind(id)
        .opt(db)
        .await
}

/// Keeps what is to be done, while nothing has begun.
pub async fn decide(tx: &mut Tx<'_>, id: &str, action: &str) -> Result<()> {
    let moved = sql("UPDATE batch SET action = $2 WHERE id = $1 AND state = 'drawn'")
        .bind(id)
        .bind(action)
        .exec(tx)
        .await?;
    if moved == 1 {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, "This batch has begun just now."))
}

/// Notes that a job does it.
pub async fn begin(tx: &mut Tx<'_>, id: &str, job_id: &str) -> Result<()> {
    sql("UPDATE batch SET state = 'running', job_id = $2 WHERE id = $1")
        .bind(id)
        .bind(job_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// The change set that a batch makes.
pub async fn set(tx: &mut Tx<'_>, id: &str, set_id: &str) -> Result<()> {
    sql("UPDATE batch SET set_id = $2 WHERE id = $1")
        .bind(id)
        .bind(set_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// The change set that a batch makes, as this transaction finds it.
pub async fn set_of(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql("SELECT set_id FROM batch WHERE id = $1").bind(id).opt(tx).await?;
    Ok(row.and_then(|(set,)| set))
}

/// Items whose turn it is.
pub async fn next(on: impl Into<Exec<'_>>, id: &str, after: i64, limit: i64) -> Result<Vec<Item>> {
    sql(
        "SELECT place, record_id, version FROM batch_item WHERE batch_id = $1 AND place > $2 \
         AND (outcome IS NULL OR outcome = 'in-use') ORDER BY place LIMIT $3",
    )
    .bind(id)
    .bind(after)
    .bind(limit)
    .all(on)
    .await
}

/// All items in their order.
pub async fn page(on: impl Into<Exec<'_>>, id: &str, after: i64, limit: i64) -> Result<Vec<Item>> {
    sql("SELECT place, record_id, version FROM batch_item WHERE batch_id = $1 AND place > $2 ORDER BY place LIMIT $3")
        .bind(id)
        .bind(after)
        .bind(limit)
        .all(on)
        .await
}

/// Keeps what became of items.
pub async fn settle(tx: &mut Tx<'_>, id: &str, done: &[(&Item, &'static str, String)]) -> Result<()> {
    let row = |(item, outcome, note): &(&Item, &'static str, String)| -> Vec<Val> {
        vec![
            id.into(),
            item.place.into(),
            (&item.record_id).into(),
            item.version.into(),
            (*outcome).into(),
            note.into(),
        ]
    };
    let columns = &["batch_id", "place", "record_id", "version", "outcome", "note"];
    let tail = "ON CONFLICT (batch_id, place) DO UPDATE SET outcome = excluded.outcome, note = excluded.note";
    insert_many(tx, "batch_item", columns, tail, done.iter().map(row).collect()).await?;
    Ok(())
}

/// Moves on. Whoever finds another cursor is not alone: then nothing of the step may stand.
pub async fn advance(tx: &mut Tx<'_>, id: &str, from: i64, to: i64, changed: i64) -> Result<()> {
    let moved = sql("UPDATE batch SET cursor = $3, progress = progress + $4 WHERE id = $1 AND cursor = $2")
        .bind(id)
        .bind(from)
        .bind(to)
        .bind(changed)
        .exec(tx)
        .await?;
    if moved == 1 {
        return Ok(());
    }
    let text = "Another worker goes on with this batch; nothing of this step is kept.";
    Err(Error::new(Code::Conflict, text))
}

/// Begins from the start with what was in use, if it may be free now. False where nothing can have changed.
pub async fn again(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let moved = sql(
        "UPDATE batch SET cursor = 0, progress = 0 WHERE id = $1 AND progress > 0 \
         AND EXISTS (SELECT 1 FROM batch_item i WHERE i.batch_id = $1 AND i.outcome = 'in-use')",
    )
    .bind(id)
    .exec(tx)
    .await?;
    Ok(moved == 1)
}

pub async fn end(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    sql("UPDATE batch SET state = 'done' WHERE id = $1")
        .bind(id)
        .exec(tx)
        .await?;
    Ok(())
}

pub async fn counts(on: impl Into<Exec<'_>>, id: &str) -> Result<Counts> {
    let rows: Vec<(String, i64)> = sql(
        "SELECT COALESCE(outcome, ''), COUNT(*) FROM batch_item WHERE batch_id = $1 GROUP BY COALESCE(outcome, '')",
    )
    .bind(id)
    .all(on)
    .await?;
    let mut counts = Counts::default();
    for (outcome, count) in rows {
        *match outcome.as_str() {
            "changed" => &mut counts.changed,
            "unchanged" => &mut counts.unchanged,
            "" => &mut counts.waiting,
            _ => &mut counts.refused,
        } += count;
    }
    Ok(counts)
}

/// Items after a place, those of one outcome where it is named; what is in use was refused, too.
pub async fn items(
    on: impl Into<Exec<'_>>,
    id: &str,
    outcome: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<Done>> {
    let filter = Filter::new("SELECT place, record_id, outcome, note FROM batch_item")
        .and("batch_id = ?", id)
        .and("place > ?", after);
    let filter = match outcome {
        Some("refused") => filter.and_in("outcome", ["refused", "in-use"]),
        other => filter.and_some("outcome = ?", other),
    };
    filter.end("ORDER BY place", limit).all(on).await
}

/// Batches that were chosen before a time and do not run.
pub async fn old(db: &Db, before: i64, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql(
        "SELECT b.id FROM batch b WHERE b.created_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = b.job_id AND j.state IN ('waiting', 'running')) ORDER BY b.created_at LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub async fn forget(tx: &mut Tx<'_>, ids: &[String]) -> Result<()> {
    Filter::new("DELETE FROM batch_item")
        .and_in("batch_id", ids)
        .stmt()
        .exec(&mut *tx)
        .await?;
    Filter::new("DELETE FROM batch")
        .and_in("id", ids)
        .stmt()
        .exec(tx)
        .await?;
    Ok(())
}
