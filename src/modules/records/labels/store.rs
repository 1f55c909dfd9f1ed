//! SQL of files of labels: where each is, and until when.

use crate::kernel::db::{Db, Filter, Tx, sql};
use crate::kernel::error::Result;

/// Keeps a file for so long.
pub async fn keep(tx: &mut Tx<'_>, job_id: &str, blob: &str, for_ms: i64) -> Result<()> {
    let until = tx.now() + for_ms;
    sql("INSERT INTO label_file (job_id, blob, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (job_id) DO UPDATE SET blob = excluded.blob, expires_at = excluded.expires_at")
    .bind(job_id)
    .bind(blob)
    .bind(until)
    .exec(tx)
    .await?;
    Ok(())
}

/// The file of a job.
pub async fn blob(db: &Db, job_id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT blob FROM label_file WHERE job_id = $1 AND expires_at > $2")
        .bind(job_id)
        .bind(db.clock().now())
        .opt(db)
        .await?;
    Ok(row.map(|(blob,)| blob))
}

/// Those of these files that are kept.
pub async fn held(db: &Db, ids: &[String]) -> Result<Vec<String>> {
    let filter = Filter::new("SELECT DISTINCT blob FROM label_file").and_in("blob", ids);
    let rows: Vec<(String,)> = filter.stmt().all(db).await?;
    Ok(rows.into_iter().map(|(blob,)| blob).collect())
}

/// Forgets files whose time is over; nobody holds them then, and they are swept.
pub async fn clear(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    sql("DELETE FROM label_file WHERE expires_at <= $1")
        .bind(now)
        .exec(tx)
        .await
}
