//! The writing side of an import: batches whose size follows the time they take, each one transaction with the rows, the
//! refusals and the place in the file.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::feed::{Chunk, Faulty, Prepared};
use super::{SECOND, Task, changes, plan, row_of};
use crate::contract::exchange::ChangedRecord;
use crate::contract::records::{ImportBatch, ImportRow, Pass, RowOutcome, StoredType};
use crate::kernel::access::{Level, Object};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::modules::exchange::model::{Refusal, refusals};
use crate::modules::exchange::store::{self, Standing};

const FIRST_BATCH: usize = 100;
const LEAST: usize = 10;
const MOST: usize = 1_000;
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// A transaction should take about so long, so that people at work do not wait for it.
const SHORT_MS: u64 = 15;
const LONG_MS: u64 = 35;
/// Lines of refusals that are kept; the rest is counted.
pub(super) const MOST_REFUSALS: i64 = 10_000;
/// Times a batch is tried when somebody else was faster, or so much was going on that its time ran out.
const TRIES: u32 = 5;

/// See the module's text.
pub(super) struct Writer<'t> {
    task: &'t Task,
    /// What is committed.
    pub standing: Standing,
    /// Refusals of a dry run, which leaves nothing in the database.
    pub dry: Vec<Refusal>,
    /// The first records that a dry run would change.
    pub changes: Vec<ChangedRecord>,
    /// What the one who asked may see.
    level: Level,
    /// Which time the rows go by.
    pub pass: Pass,
    /// Rows that were refused the first time.
    pub passed_over: HashSet<i64>,
    kept: i64,
    waiting: Vec<Prepared>,
    bytes: usize,
    size: usize,
}

/// A batch as it goes into its transaction.
struct Batch {
    rows: ImportBatch,
    lines: Vec<i64>,
    /// What reading refused already.
    bad: Vec<(i64, i64, Faulty)>,
    last: i64,
}

/// What a batch came to.
struct Done {
    standing: Standing,
    refusals: Vec<Refusal>,
    changes: Vec<ChangedRecord>,
}

impl<'t> Writer<'t> {
    pub(super) async fn new(task: &'t Task, standing: Standing) -> Result<Self> {
        let kept = store::refusal_count(&task.importer.kernel.db, &task.context.id).await?;
        let object = Object::Type(&task.import.options.type_name);
        let level = task.importer.kernel.access.level(&task.context.caller, &object).await?;
        Ok(Self {
            task,
            level: level.unwrap_or_default(),
            pass: Pass::Only,
            passed_over: HashSet::new(),
            standing,
            dry: Vec::new(),
            changes: Vec::new(),
            kept,
            waiting: Vec::new(),
            bytes: 0,
            size: FIRST_BATCH,
        })
    }

    /// Takes rows and writes what makes a batch.
    pub(super) async fn take(&mut self, chunk: Chunk) -> Result<()> {
        for row in chunk.rows {
            self.bytes += row.bytes;
            self.waiting.push(row);
            if self.waiting.len() >= self.size || self.bytes >= MOST_BYTES {
                self.task.context.check()?;
                self.flush().await?;
            }
        }
        let note = format!("{} rows", row_of(self.standing.cursor));
        let total = i64::try_from(self.task.import.bytes).ok();
        self.task
            .context
            .progress(i64::try_from(chunk.at).unwrap_or(i64::MAX), total, &note)
            .await
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let Some(last) = self.waiting.last().map(|row| row.row) else {
            return Ok(());
        };
        let (mut rows, mut lines, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.waiting.drain(..) {
            match row.content {
                Ok(_) if self.passed_over.contains(&row.row) => {}
                Ok(shaped) => {
                    rows.push(ImportRow {
                        row: row.row,
                        id: shaped.id,
                        document: shaped.document,
                    });
                    lines.push(row.line);
                }
                // The second time they are refused already.
                Err(_) if matches!(self.pass, Pass::Second) => {}
                Err(faulty) => bad.push((row.row, row.line, faulty)),
            }
        }
        self.bytes = 0;
        let rows = ImportBatch {
            set_id: self.task.set_id.clone().unwrap_or_default(),
            stored_type: self.task.stored.clone(),
            key: self.task.key.clone(),
            source_blob: self.task.import.blob.clone(),
            // Whoever brings a type with its first records has made all of it.
            level: if self.task.new_type {
                Level::Restricted
            } else {
                self.level
            },
            by: self.task.context.caller.clone(),
            pass: self.pass.clone(),
            rows,
        };
        let last = if matches!(self.pass, Pass::Second) {
            last + SECOND
        } else {
            last
        };
        let batch = Batch { rows, lines, bad, last };
        let took = AtomicU64::new(0);
        let mut tries = 1;
        let done = loop {
            let outcome = if self.task.import.options.dry_run {
                self.rehearse(&batch).await
            } else {
                self.write(&batch, &took).await
            };
            match outcome {
                Err(error) if matches!(error.code(), Code::Busy | Code::Timeout) && tries < TRIES => tries += 1,
                outcome => break outcome?,
            }
        };
        self.adapt(took.load(Ordering::Relaxed));
        self.kept += done.refusals.len() as i64;
        self.standing = done.standing;
        if self.task.import.options.dry_run {
            self.dry.extend(done.refusals);
            self.changes.extend(done.changes);
        }
        Ok(())
    }

    fn adapt(&mut self, took_ms: u64) {
        if took_ms > LONG_MS {
            self.size = (self.size * 2 / 3).max(LEAST);
        } else if took_ms < SHORT_MS {
            self.size = (self.size * 3 / 2).min(MOST);
        }
    }

    async fn write(&self, batch: &Batch, took: &AtomicU64) -> Result<Done> {
        let job_id = &self.task.context.id;
        let write = self
            .task
            .importer
            .kernel
            .db
            .write(Write::bulk("exchange.import"), |tx| {
                Box::pin(async move {
                    let started = Instant::now();
                    let done = self.apply(tx, batch, &batch.rows).await?;
                    store::advance(tx, job_id, self.standing.cursor, &done.standing).await?;
                    store::refuse(tx, job_id, &done.refusals).await?;
                    took.store(
                        u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                        Ordering::Relaxed,
                    );
                    Ok(done)
                })
            });
        write.await
    }

    /// Does everything and takes it back: says what would be.
    async fn rehearse(&self, batch: &Batch) -> Result<Done> {
        let outcome = Mutex::new(None);
        let (kept, task) = (&outcome, self.task);
        let undone = task
            .importer
            .kernel
            .db
            .write(Write::bulk("exchange.rehearse"), |tx| {
                Box::pin(async move {
                    let set_id = plan::open_set(tx, &task.context, &task.import).await?;
                    let stored: StoredType = task
                        .importer
                        .records
                        .put_type(tx, &set_id, &task.stored.definition)
                        .await?;
                    let rows = ImportBatch {
                        set_id,
                        stored_type: stored.into(),
                        ..batch.rows.clone()
                    };
                    let mut done = self.apply(tx, batch, &rows).await?;
                    let room = changes::MOST.saturating_sub(self.changes.len());
                    if room > 0 && done.standing.updated > self.standing.updated {
                        let definition = &task.stored.definition;
                        let records = &*task.importer.records;
                        done.changes = changes::of_set(tx, records, definition, self.level, &rows.set_id, room).await?;
                    }
                    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                    Err::<(), _>(Error::new(Code::Conflict, "A rehearsal is taken back."))
                })
            })
            .await;
        match (outcome.into_inner().unwrap_or_else(PoisonError::into_inner), undone) {
            (Some(done), _) => Ok(done),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(Error::internal(anyhow::anyhow!("a rehearsal was not taken back"))),
        }
    }

    async fn apply(&self, tx: &mut Tx<'_>, batch: &Batch, rows: &ImportBatch) -> Result<Done> {
        let mut standing = Standing {
            cursor: batch.last,
            ..self.standing.clone()
        };
        let mut found = Vec::new();
        for (row, line, faulty) in &batch.bad {
            standing.refused += 1;
            found.extend(refusals(*row, *line, &faulty.issues, &faulty.document));
        }
        if !rows.rows.is_empty() {
            let (outcomes, _) = self.task.importer.records.import(tx, rows).await?;
            for ((outcome, row), line) in outcomes.iter().zip(&rows.rows).zip(&batch.lines) {
                match outcome {
                    // It was counted the first time: links are all that it lacked.
                    RowOutcome::Updated if matches!(rows.pass, Pass::Second) => {
                        standing.unchanged -= 1;
                        standing.updated += 1;
                    }
                    RowOutcome::Created | RowOutcome::Unchanged if matches!(rows.pass, Pass::Second) => {}
                    RowOutcome::Created => standing.created += 1,
                    RowOutcome::Updated => standing.updated += 1,
                    RowOutcome::Unchanged => standing.unchanged += 1,
                    RowOutcome::Refused(issues) => {
                        standing.refused += 1;
                        found.extend(refusals(row.row, *line, issues, &row.document));
                    }
                }
            }
        }
        found.sort_by_key(|r| (r.row, r.part));
        found.truncate(usize::try_from(MOST_REFUSALS - self.kept).unwrap_or(0));
        Ok(Done {
            standing,
            refusals: found,
            changes: Vec::new(),
        })
    }
}
