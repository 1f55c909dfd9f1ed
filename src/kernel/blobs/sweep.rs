//! The job that removes what nobody holds any more, each hour and after a collection was deleted: also what a kill between
//! the last reference and the file has left.

use serde_json::{Value, json};

use super::Blobs;
use crate::kernel::db::{Db, Write, sql};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{JobContext, JobHandler, NewJob};
use crate::kernel::schedule::Schedule;

/// The kind of the job; stored.
const KIND: &str = "blobs.sweep";

/// The order to sweep.
pub fn sweep() -> NewJob {
    NewJob::new(KIND, json!({})).priority(-10).unique_key(KIND)
}

pub fn schedule() -> Schedule {
    Schedule::new(KIND, "40 * * * *", sweep)
}

pub fn handler(blobs: &Blobs, db: &Db) -> JobHandler {
    let (blobs, db) = (blobs.clone(), db.clone());
    JobHandler::new(KIND, move |context: JobContext| {
        let (blobs, db) = (blobs.clone(), db.clone());
        async move { run(&blobs, &db, &context).await }
    })
}

async fn run(blobs: &Blobs, db: &Db, context: &JobContext) -> Result<Value> {
    know(blobs, db).await?;
    let swept = blobs.sweep(|| context.check()).await?;
    Ok(json!({ "removed": swept.removed, "kept": swept.kept }))
}

/// A build that lacks a part of the house does not know which files that part needs.
async fn know(blobs: &Blobs, db: &Db) -> Result<()> {
    let here = blobs.holders();
    let stored: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'blobs.holders'")
        .opt(db)
        .await?;
    let known: Vec<String> = match &stored {
        Some((text,)) => serde_json::from_str(text)?,
        None => Vec::new(),
    };
    if let Some(missing) = known.iter().find(|name| !here.contains(&name.as_str())) {
        return Err(Error::new(
            Code::Invalid,
            format!(
                "Files are not cleared away: this program lacks the part \"{missing}\", which may need some of them. Use the program \
                 that has it."
            ),
        ));
    }
    if known.len() == here.len() {
        return Ok(());
    }
    let text = &serde_json::to_string(&here)?;
    let write = db.write(Write::bulk("blobs.holders"), |tx| {
        Box::pin(async move {
            sql("INSERT INTO fact (name, value) VALUES ('blobs.holders', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .bind(text)
                .exec(tx)
                .await
        })
    });
    write.await?;
    Ok(())
}
