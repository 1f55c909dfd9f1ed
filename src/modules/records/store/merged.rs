//! SQL of records that were put into others.

use crate::kernel::db::{Db, Tx, Val, insert_many, sql};
use crate::kernel::error::Result;

/// Notes where the addresses of records lead that were just deleted: id and version of the deletion.
pub async fn note_merged(tx: &mut Tx<'_>, into: &str, gone: &[(String, i64)]) -> Result<()> {
    let row = |(id, version): &(String, i64)| -> Vec<Val> { vec![id.into(), into.into(), (*version).into()] };
    let tail = "ON CONFLICT (id) DO UPDATE SET into_id = excluded.into_id, version = excluded.version";
    let columns = &["id", "into_id", "version"];
    insert_many(tx, "record_merged", columns, tail, gone.iter().map(row).collect()).await?;
    Ok(())
}

/// The record that one was put into, while it is deleted for that reason.
pub async fn merged_into(db: &Db, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT m.into_id FROM record_merged m JOIN record r ON r.id = m.id \
         WHERE m.id = $1 AND r.state = 'deleted' AND r.version = m.version")
    .bind(id)
    .opt(db)
    .await?;
    Ok(row.map(|(into,)| into))
}
