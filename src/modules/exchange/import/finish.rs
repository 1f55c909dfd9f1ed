//! The end of an import: records that the file no longer has, the report of refused rows, the result of the job.

use std::time::Instant;

use serde_json::Value;

use super::Task;
use super::seen::Seen;
use super::write::{MOST_REFUSALS, Writer};
use crate::contract::exchange::RefusedRow;
use crate::kernel::access::Level;
use crate::kernel::db::Write;
use crate::kernel::error::Result;
use crate::kernel::jobs;
use crate::kernel::ledger;
use crate::modules::exchange::dina;
use crate::modules::exchange::marks::guard;
use crate::modules::exchange::model::Refusal;
use crate::modules::exchange::service::job_of;
use crate::modules::exchange::shape::write_row;
use crate::modules::exchange::store::{self, Standing};

/// Records looked at, and lines written, at a time.
const PAGE: i64 = 500;
/// Refused rows that the result itself shows.
const FIRST: i64 = 25;

impl Task {
    /// Finishes: the job completes in the transaction that ends the import.
    pub(super) async fn finish(&self, mut writer: Writer<'_>, seen: &Seen, started: Instant) -> Result<Value> {
        let mut notes = self.notes();
        notes.extend(seen.notes.iter().cloned());
        if self.import.options.delete_missing {
            self.delete_missing(&mut writer, seen, &mut notes).await?;
        }
        let blob = self.refused(&writer).await?;
        if writer.standing.refused > 0 && self.lines(&writer).await? >= MOST_REFUSALS {
            notes.push(format!("The report holds the first {MOST_REFUSALS} faults."));
        }
        // Also what earlier runs of the job wrote.
        let position = match &self.set_id {
            Some(_) => Some(ledger::head(&self.importer.kernel.db).await?),
            None => None,
        };
        let mut report = self.report(&writer.standing, seen.rows, position);
        report.report_path = match &blob {
            Some(id) => Some(self.importer.kernel.blobs.path(id)?.display().to_string()),
            None => None,
        };
        report.report = blob;
        report.refusals = self.first_refusals(&writer).await?;
        report.changes = writer.changes;
        report.notes = notes;
        report.duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let done = i64::try_from(self.import.bytes).unwrap_or(i64::MAX);
        self.context
            .progress(done, Some(done), &format!("{} rows", seen.rows))
            .await?;
        let next = match dina::next(&self.import) {
            Some(import) => Some(job_of(&self.context.caller, &import)?),
            None => None,
        };
        let (report, next, context) = (&report, &next, &self.context);
        let write = self
            .importer
            .kernel
            .db
            .write(Write::interactive("exchange.finish"), |tx| {
                Box::pin(async move {
                    let mut result = serde_json::to_value(report)?;
                    if let Some(next) = next {
                        let id = jobs::enqueue(tx, &context.caller, next.clone()).await?;
                        result["next"] = id.into();
                    }
                    store::end(tx, &context.id, "done", report.report.as_deref()).await?;
                    store::drop_refusals(tx, &context.id).await?;
                    context.finish_with(tx, &result).await?;
                    Ok(result)
                })
            });
        write.await
    }

    /// An import that cannot go on: its report so far is kept.
    pub(super) async fn stop(&self, writer: &Writer<'_>) -> Result<()> {
        let blob = self.refused(writer).await?;
        let (blob, id) = (blob.as_deref(), &self.context.id);
        let write = self
            .importer
            .kernel
            .db
            .write(Write::interactive("exchange.stop"), |tx| {
                Box::pin(async move { store::end(tx, id, "stopped", blob).await })
            });
        write.await
    }

    /// What is not seen from the counts.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let definition = &self.stored.definition;
        if self.new_type {
            let key = definition.key.as_ref().map_or_else(
                || "without a key: the same rows in another file are new records, until --key names one".to_owned(),
                |key| format!("recognised by \"{key}\""),
            );
            notes.push(format!(
                "The type \"{}\" is new, {} fields, {key}.",
                definition.name,
                definition.fields.len()
            ));
            let who = match definition.visibility {
                Level::Public => "everybody",
                Level::Members => {
                    "whoever is signed in or has a token; --visibility public, when the type is made, shows them to everybody"
                }
                Level::Restricted => "whoever looks after the collection",
            };
            notes.push(format!("Its records are seen by {who}."));
        }
        if !self.new_fields.is_empty() {
            notes.push(format!("Fields added to the type: {}.", self.new_fields.join(", ")));
        }
        notes
    }

    async fn first_refusals(&self, writer: &Writer<'_>) -> Result<Vec<RefusedRow>> {
        let first = if self.import.options.dry_run {
            writer.dry.iter().take(FIRST as usize).cloned().collect()
        } else {
            store::refusals(&self.importer.kernel.db, &self.context.id, (0, -1), FIRST).await?
        };
        let shown = |r: Refusal| RefusedRow {
            row: r.row,
            line: r.line,
            field: r.field,
            message: r.message,
            value: r.value,
        };
        Ok(first.into_iter().map(shown).collect())
    }

    async fn lines(&self, writer: &Writer<'_>) -> Result<i64> {
        if self.import.options.dry_run {
            return Ok(writer.dry.len() as i64);
        }
        store::refusal_count(&self.importer.kernel.db, &self.context.id).await
    }

    /// Deletes live records of the type that no row is about.
    async fn delete_missing(&self, writer: &mut Writer<'_>, seen: &Seen, notes: &mut Vec<String>) -> Result<()> {
        if seen.nameless > 0 {
            notes.push(format!(
                "Nothing was deleted: {} rows cannot be read, so it is not known which records they are. Mend them first.",
                seen.nameless
            ));
            return Ok(());
        }
        // In a tree a record goes only when nothing hangs below it any more.
        loop {
            let before = writer.standing.deleted;
            let wanted = self.delete_once(writer, seen).await?;
            let deleted = writer.standing.deleted - before;
            if deleted >= wanted {
                return Ok(());
            }
            if deleted == 0 {
                notes.push(format!(
                    "{wanted} records that the file no longer has were not deleted: others hang below them."
                ));
                return Ok(());
            }
        }
    }

    /// Goes through the type once. Answers how many were to be deleted.
    async fn delete_once(&self, writer: &mut Writer<'_>, seen: &Seen) -> Result<i64> {
        // What they cannot see is not theirs to miss.
        let caller = &self.context.caller;
        let name = &self.import.options.type_name;
        let mut after: Option<String> = None;
        let mut wanted = 0;
        loop {
            self.context.check()?;
            let page = self.importer.records.page(caller, name, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(wanted) };
            after = Some(last.id.clone());
            let mut gone: Vec<String> = Vec::new();
            for record in &page {
                let key = self.key.as_ref().and_then(|key| record.document.get(key));
                let key = key.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                if !seen.has(&record.id, key.as_deref())? {
                    gone.push(record.id.clone());
                }
            }
            wanted += gone.len() as i64;
            if !gone.is_empty() {
                self.delete(writer, &gone).await?;
            }
        }
    }

    async fn delete(&self, writer: &mut Writer<'_>, gone: &[String]) -> Result<()> {
        let standing = &writer.standing;
        let Some(set_id) = &self.set_id else {
            writer.standing.deleted += gone.len() as i64;
            return Ok(());
        };
        let write = self.importer.kernel.db.write(Write::bulk("exchange.delete"), |tx| {
            Box::pin(async move {
                let deleted = self.importer.records.delete_many(tx, set_id, gone).await?;
                let moved = Standing {
                    deleted: standing.deleted + deleted,
                    ..standing.clone()
                };
                store::advance(tx, &self.context.id, standing.cursor, &moved).await?;
                Ok(moved)
            })
        });
        writer.standing = write.await?;
        Ok(())
    }

    /// The report of refused rows as a blob, if there are any.
    async fn refused(&self, writer: &Writer<'_>) -> Result<Option<String>> {
        if writer.standing.refused == 0 {
            return Ok(None);
        }
        let kernel = &self.importer.kernel;
        let mut blob = kernel.blobs.writer().await?;
        let mut text = String::new();
        write_row(&mut text, ["row", "line", "field", "message", "value"].iter());
        blob.write(text.as_bytes()).await?;
        let mut place = (0, -1);
        loop {
            let page = if self.import.options.dry_run {
                writer
                    .dry
                    .iter()
                    .filter(|r| (r.row, r.part) > place)
                    .take(PAGE as usize)
                    .cloned()
                    .collect()
            } else {
                store::refusals(&kernel.db, &self.context.id, place, PAGE).await?
            };
            let Some(last) = page.last() else { break };
            place = (last.row, last.part);
            text.clear();
            page.iter().for_each(|refusal| line(&mut text, refusal));
            blob.write(text.as_bytes()).await?;
        }
        Ok(Some(blob.finish().await?.id))
    }
}

fn line(text: &mut String, refusal: &Refusal) {
    let numbers = [refusal.row.to_string(), refusal.line.to_string()];
    let words = [&refusal.field, &refusal.message, &refusal.value].map(|word| guard(word).into_owned());
    write_row(text, numbers.iter().chain(&words));
}
