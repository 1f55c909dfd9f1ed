//! SQL of imports: how far each is and what it refused.

use std::collections::HashSet;

use crate::kernel::db::{Db, Filter, Tx, Val, insert_many, sql};
use crate::kernel::error::{Code, Error, Result};

use super::model::Refusal;

/// Where an import stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    pub set_id: Option<String>,
    pub cursor: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub deleted: i64,
    pub refused: i64,
    pub report: Option<String>,
    pub state: String,
}

/// `None` before the import has begun.
pub async fn standing(db: &Db, job_id: &str) -> Result<Option<Standing>> {
    sql("SELECT set_id, cursor, created, updated, unchanged, deleted, refused, report, state FROM import WHERE job_id = $1")
        .bind(job_id)
        .opt(db)
        .await
}

/// Notes that an import begins, with its change set.
pub async fn begin(
    tx: &mut Tx<'_>,
    job_id: &str,
    type_name: &str,
    blob: &str,
    options: &str,
    set_id: Option<&str>,
) -> Result<()> {
    let now = tx.now();
    sql(
        "INSERT INTO import (job_id, type, blob, options, set_id, cursor, created, updated, unchanged, deleted, refused, state, created_at) \
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, 0, 'running', $6)",
    )
    .bind(job_id)
    .bind(type_name)
    .bind(blob)
    .bind(options)
    .bind(set_id)
    .bind(now)
    .exec(tx)
    .await?;
    Ok(())
}

/// Moves on from `cursor`. Whoever finds another cursor is not alone: then nothing of the batch may stand.
pub async fn advance(tx: &mut Tx<'_>, job_id: &str, cursor: i64, to: &Standing) -> Result<()> {
    let moved = sql(
        "UPDATE import SET cursor = $3, created = $4, updated = $5, unchanged = $6, deleted = $7, refused = $8, state = 'running' \
         WHERE job_id = $1 AND cursor = $2",
    )
    .bind(job_id)
    .bind(cursor)
    .bind(to.cursor)
    .bind(to.created)
    .bind(to.updated)
    .bind(to.unchanged)
    .bind(to.deleted)
    .bind(to.refused)
    .exec(tx)
    .await?;
    if moved == 1 {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        "Another worker goes on with this import; nothing of this batch is kept.",
    ))
}

/// Ends an import, with its report.
pub async fn end(tx: &mut Tx<'_>, job_id: &str, state: &str, report: Option<&str>) -> Result<()> {
    sql("UPDATE import SET state = $2, report = $3 WHERE job_id = $1")
        .bind(job_id)
        .bind(state)
        .bind(report)
        .exec(tx)
        .await?;
    Ok(())
}

/// Keeps what was refused.
pub async fn refuse(tx: &mut Tx<'_>, job_id: &str, refusals: &[Refusal]) -> Result<()> {
    if refusals.is_empty() {
        return Ok(());
    }
    let row = |r: &Refusal| -> Vec<Val> {
        vec![
            job_id.into(),
            r.row.into(),
            r.part.into(),
            r.line.into(),
            (&r.field).into(),
            (&r.message).into(),
            (&r.value).into(),
        ]
    };
    let columns = &["job_id", "row", "part", "line", "field", "message", "value"];
    insert_many(tx, "import_refusal", columns, "", refusals.iter().map(row).collect()).await?;
    Ok(())
}

/// What was refused, after a place, in the order of the file.
pub async fn refusals(db: &Db, job_id: &str, after: (i64, i64), limit: i64) -> Result<Vec<Refusal>> {
    sql(
        "SELECT row, part, line, field, message, value FROM import_refusal WHERE job_id = $1 AND (row, part) > ($2, $3) \
         ORDER BY row, part LIMIT $4",
    )
    .bind(job_id)
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .all(db)
    .await
}

/// The rows that were refused so far, as many as are kept.
pub async fn refused_rows(db: &Db, job_id: &str) -> Result<HashSet<i64>> {
    let rows: Vec<(i64,)> = sql("SELECT DISTINCT row FROM import_refusal WHERE job_id = $1")
        .bind(job_id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}

/// How many lines of refusals are kept.
pub async fn refusal_count(db: &Db, job_id: &str) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM import_refusal WHERE job_id = $1")
        .bind(job_id)
        .one(db)
        .await?;
    Ok(count)
}

/// Forgets the lines once they stand in a report.
pub async fn drop_refusals(tx: &mut Tx<'_>, job_id: &str) -> Result<()> {
    sql("DELETE FROM import_refusal WHERE job_id = $1")
        .bind(job_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// Those of these files that an import, its report, a draft or an export names.
pub async fn held(db: &Db, ids: &[String]) -> Result<Vec<String>> {
    let mut held = Vec::new();
    for named in [
        Filter::new("SELECT DISTINCT blob FROM import").and_in("blob", ids),
        Filter::new("SELECT DISTINCT report FROM import").and_in("report", ids),
        Filter::new("SELECT DISTINCT blob FROM import_draft").and_in("blob", ids),
        Filter::new("SELECT DISTINCT blob FROM export_file").and_in("blob", ids),
    ] {
        let rows: Vec<(String,)> = named.stmt().all(db).await?;
        held.extend(rows.into_iter().map(|(blob,)| blob));
    }
    Ok(held)
}

/// The newest import of a file into a type: its job and how it was read.
pub async fn import_of(db: &Db, type_name: &str, blob: &str) -> Result<Option<(String, String)>> {
    sql("SELECT job_id, options FROM import WHERE type = $1 AND blob = $2 ORDER BY created_at DESC, job_id DESC LIMIT 1")
        .bind(type_name)
        .bind(blob)
        .opt(db)
        .await
}

/// Does a job on its way need the file, an import that can be tried again, or the report of a rehearsal?
pub async fn is_in_job(db: &Db, blob: &str) -> Result<bool> {
    let (needed,): (bool,) = sql(
        "SELECT EXISTS (SELECT 1 FROM job WHERE queue = 'exchange' AND payload LIKE $1 AND (state IN ('waiting', 'running') \
           OR (kind = 'exchange.import' AND state IN ('failed', 'cancelled') AND payload NOT LIKE '%\"dry_run\":true%'))) \
         OR EXISTS (SELECT 1 FROM job WHERE kind = 'exchange.import' AND state = 'done' AND result LIKE $2 \
           AND payload LIKE '%\"dry_run\":true%')",
    )
    .bind(format!("%{blob}%"))
    .bind(format!("%\"report\":\"{blob}\"%"))
    .one(db)
    .await?;
    Ok(needed)
}

/// Forgets the imports of a type and what they refused. Those that are on their way are noted as gone: they must not make
/// the type anew when they run.
pub async fn forget(tx: &mut Tx<'_>, type_name: &str) -> Result<()> {
    sql("DELETE FROM import_refusal WHERE job_id IN (SELECT job_id FROM import WHERE type = $1)")
        .bind(type_name)
        .exec(&mut *tx)
        .await?;
    let now = tx.now();
    sql(
        "INSERT INTO import (job_id, type, blob, options, cursor, created, updated, unchanged, deleted, refused, state, created_at) \
         SELECT j.id, $1, '', '{}', 0, 0, 0, 0, 0, 0, 'gone', $3 FROM job j \
         WHERE j.kind = 'exchange.import' AND j.ordering_key = $2 AND j.state IN ('waiting', 'running') \
         ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, blob = excluded.blob, report = NULL",
    )
    .bind(type_name)
    .bind(ordering_key(type_name))
    .bind(now)
    .exec(&mut *tx)
    .await?;
    sql("DELETE FROM import WHERE type = $1 AND state <> 'gone'")
        .bind(type_name)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets one import.
pub async fn forget_one(tx: &mut Tx<'_>, job_id: &str) -> Result<()> {
    sql("DELETE FROM import_refusal WHERE job_id = $1")
        .bind(job_id)
        .exec(&mut *tx)
        .await?;
    sql("DELETE FROM import WHERE job_id = $1")
        .bind(job_id)
        .exec(tx)
        .await?;
    Ok(())
}

/// Imports into a type run one after another.
pub fn ordering_key(type_name: &str) -> String {
    format!("import/{type_name}")
}
