//! The job `exchange.import`: one change set, many short transactions, each with the rows and the place in the file, so
//! that a killed import goes on where it stopped and never doubles a row.

mod changes;
mod feed;
mod finish;
mod linked;
mod plan;
mod seen;
mod write;

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::dina;
use super::mapping;
use super::model::Import;
use super::read::{Input, Spool};
use super::recast::Recast;
use super::store::{self, Standing};
use crate::contract::exchange::ImportReport;
use crate::contract::records::{BEING_DELETED, Pass, RECORDS_DELETE, RECORDS_WRITE, Records, StoredType};
use crate::kernel::Kernel;
use crate::kernel::access::Object;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::kernel::ledger::Position;
pub use feed::File;
use feed::Message;
use seen::Seen;
use write::Writer;

/// What is added to the number of a row when it goes by the second time.
pub(super) const SECOND: i64 = 1 << 40;

/// The row a place in a file is about.
pub fn row_of(cursor: i64) -> i64 {
    cursor % SECOND
}

/// What imports stand on.
#[derive(Clone)]
pub struct Importer {
    pub kernel: Kernel,
    pub records: Arc<dyn Records>,
    pub spool: Spool,
}

/// A running import.
struct Task {
    importer: Importer,
    context: JobContext,
    import: Import,
    stored: Arc<StoredType>,
    key: Option<String>,
    new_type: bool,
    new_fields: Vec<String>,
    /// The change set; a dry run opens and drops one with each batch.
    set_id: Option<String>,
    /// What makes the rows of the file over.
    recast: Option<Recast>,
}

impl Importer {
    /// Runs the job.
    ///
    /// # Errors
    /// What is wrong with the file as a whole, with its place; what was read before it stands.
    pub async fn run(&self, context: JobContext) -> Result<Value> {
        let started = Instant::now();
        let import: Import = context.payload()?;
        let name = import.options.type_name.clone();
        self.kernel
            .access
            .require(&context.caller, RECORDS_WRITE, &Object::Type(&name))
            .await?;
        if import.options.delete_missing {
            let access = &self.kernel.access;
            access
                .require(&context.caller, RECORDS_DELETE, &Object::Type(&name))
                .await?;
        }
        let standing = store::standing(&self.kernel.db, &context.id).await?;
        if standing.as_ref().is_some_and(|s| s.state == "gone") {
            return Err(self.end_for_good(&context.id).await?);
        }
        let id = context.id.clone();
        let task = match standing.as_ref().and_then(|s| s.set_id.clone()) {
            Some(set_id) => self.resume(context, import, set_id).await,
            None => self.prepare(context, import).await,
        };
        let task = match task {
            Err(error) if is_for_good(&error) => return Err(self.end_for_good(&id).await?),
            task => task?,
        };
        let task = Task {
            recast: self.recast(&task.context, &task.import).await?,
            ..task
        };
        let mut writer = Writer::new(&task, standing.unwrap_or_default()).await?;
        match task.rows(&mut writer).await {
            Ok(seen) => task.finish(writer, &seen, started).await,
            Err(error) if is_for_good(&error) => Err(self.end_for_good(&id).await?),
            Err(error) => {
                // What was refused so far can be read, also when the rest cannot be.
                if !task.context.cancel.is_cancelled() {
                    task.stop(&writer).await?;
                }
                Err(error)
            }
        }
    }

    /// Nothing is kept of an import whose type is deleted. Answers what it ends with.
    async fn end_for_good(&self, id: &str) -> Result<Error> {
        let write = self
            .kernel
            .db
            .write(Write::bulk("exchange.forget"), |tx| Box::pin(store::forget_one(tx, id)));
        write.await?;
        let text = "The collection was deleted before the import had ended. Bring the file again to make a new one.";
        Ok(Error::new(Code::Gone, text))
    }

    /// What the rows of this import are made over by.
    async fn recast(&self, context: &JobContext, import: &Import) -> Result<Option<Recast>> {
        let go_on = || context.check();
        if let Some(mapping) = &import.options.mapping {
            let asked = mapping::Asked {
                records: &self.records,
                caller: &context.caller,
                mapping,
                spool: &self.spool,
                most: None,
            };
            let applied = mapping::prepare(asked, &go_on).await?;
            return Ok(Some(Recast::Mapping(Arc::new(applied))));
        }
        let Some(step) = &import.options.dina else {
            return Ok(None);
        };
        let asked = dina::Asked {
            kernel: &self.kernel,
            records: self.records.as_ref(),
            spool: &self.spool,
            caller: &context.caller,
            step,
            dry_run: import.options.dry_run,
        };
        let recaster = dina::prepare(asked, &go_on).await?;
        Ok(Some(Recast::Dina(step.set, Arc::new(recaster))))
    }

    async fn file(&self, import: &Import, recast: Option<Recast>) -> Result<File> {
        Ok(File {
            input: Input {
                stream: self.kernel.blobs.open(&import.blob).await?,
                spool: self.spool.clone(),
            },
            reading: import.options.reading.clone(),
            name: import.name.clone(),
            format: import.options.format,
            limits: self.kernel.config.import.clone(),
            missing: import.options.missing.clone(),
            left_out: import.options.left_out.clone(),
            recast,
        })
    }
}

/// Is the type deleted, or just being deleted? The import was asked for before that and ends with it.
fn is_for_good(error: &Error) -> bool {
    error.code() == Code::Gone || error.extra().contains_key(BEING_DELETED)
}

impl Task {
    /// Reads and writes the rows that are left: once, or twice where they lead to each other.
    async fn rows(&self, writer: &mut Writer<'_>) -> Result<Seen> {
        let definition = &self.stored.definition;
        if !linked::leads_to_itself(definition) {
            return self.pass(writer, Arc::default(), writer.standing.cursor).await;
        }
        let file = self.importer.file(&self.import, self.recast.clone()).await?;
        let (whole, key, cancel) = (definition.clone(), self.key.clone(), self.context.cancel.clone());
        let look = move || linked::look(file, &whole, key.as_deref(), || !cancel.is_cancelled());
        let rows = Arc::new(tokio::task::spawn_blocking(look).await.map_err(Error::internal)??);
        self.context.check()?;
        writer.pass = Pass::First(rows.clone());
        let seen = self.pass(writer, rows.clone(), writer.standing.cursor).await?;
        // A dry run has left nothing that could be led to.
        if !self.import.options.dry_run {
            writer.pass = Pass::Second;
            writer.passed_over = store::refused_rows(&self.importer.kernel.db, &self.context.id).await?;
            self.pass(writer, rows, (writer.standing.cursor - SECOND).max(0))
                .await?;
        }
        Ok(seen)
    }

    /// Reads and writes the rows after one.
    async fn pass(&self, writer: &mut Writer<'_>, rows: Arc<linked::Rows>, after: i64) -> Result<Seen> {
        let file = self.importer.file(&self.import, self.recast.clone()).await?;
        let definition = Arc::new(self.stored.definition.clone());
        let mut messages = feed::start(file, (definition, rows), self.key.clone(), after);
        loop {
            let message = tokio::select! {
                () = self.context.cancel.cancelled() => None,
                message = messages.recv() => message,
            };
            self.context.check()?;
            match message {
                Some(Ok(Message::Rows(chunk))) => writer.take(chunk).await?,
                Some(Ok(Message::End(seen))) => {
                    writer.flush().await?;
                    return Ok(*seen);
                }
                Some(Err(error)) => {
                    writer.flush().await?;
                    return Err(error);
                }
                None => {
                    return Err(crate::kernel::error::Error::internal(anyhow::anyhow!(
                        "the reader of the file ended early"
                    )));
                }
            }
        }
    }

    /// What is known before the end.
    fn report(&self, standing: &Standing, rows: i64, position: Option<Position>) -> ImportReport {
        ImportReport {
            type_name: self.import.options.type_name.clone(),
            file: self.import.name.clone(),
            dry_run: self.import.options.dry_run,
            new_type: self.new_type,
            new_fields: self.new_fields.clone(),
            key: self.key.clone(),
            visibility: self.stored.definition.visibility,
            rows,
            created: standing.created,
            updated: standing.updated,
            unchanged: standing.unchanged,
            deleted: standing.deleted,
            refused: standing.refused,
            set_id: self.set_id.clone(),
            position: position.map(|p| p.to_string()),
            blob: self.import.blob.clone(),
            set: self
                .import
                .options
                .dina
                .as_ref()
                .map(|step| step.set.as_str().to_owned()),
            ..ImportReport::default()
        }
    }
}
