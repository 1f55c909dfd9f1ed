//! The job that reads a whole file for a draft: the type that fits it, what each column holds, what is in doubt. Runs
//! the same reader and the same inference as an import.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::LookAt;
use super::doubts::Evidence;
use super::model::{Column, Found};
use super::service::Draft;
use super::store::{self, Row};
use crate::contract::exchange::Reading;
use crate::contract::records::{RECORDS_WRITE, RecordType};
use crate::kernel::access::Object;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::modules::exchange::import::File;
use crate::modules::exchange::marks::of_the_file;
use crate::modules::exchange::read::Input;
use crate::modules::exchange::read::dwca::taxa;
use crate::modules::exchange::service::Service;

/// Examples of a column, and characters of one.
const EXAMPLES: usize = 3;
const EXAMPLE_CHARS: usize = 60;
/// Columns of which examples are kept: more are data rather than columns.
const MOST_COLUMNS: usize = 2_000;
/// Rows between two looks at whether to go on.
const STEP: i64 = 1_000;

impl Service {
    /// Runs the job.
    ///
    /// # Errors
    /// What is wrong with the file as a whole, with its place.
    pub async fn run_look(&self, context: JobContext) -> Result<Value> {
        let payload: LookAt = context.payload()?;
        self.kernel
            .access
            .require(&context.caller, RECORDS_WRITE, &Object::Anywhere)
            .await?;
        let draft = match self.draft(&context.caller, &payload.draft).await {
            Ok(draft) => draft,
            // Thrown away in the meantime: there is nothing to do any more.
            Err(error) if error.code() == Code::NotFound => return Ok(json!({ "gone": true })),
            Err(error) => return Err(error),
        };
        let mut found = self.read_whole(&context, &draft).await?;
        found.fits = self.fitting(&found).await?;
        let text = serde_json::to_string(&found)?;
        let result = json!({ "rows": found.rows });
        let (row, text, context, result) = (&draft.row, &text, &context, &result);
        let kept = self.kernel.db.write(Write::interactive("drafts.found"), |tx| {
            Box::pin(async move {
                // What was chosen in the meantime stays, unless the file is now read otherwise.
                if let Some(standing) = store::get(&mut *tx, &row.id).await?
                    && standing.look_job.as_deref().is_none_or(|job| job == context.id)
                    && same_way(&standing, row)
                {
                    let new = Row {
                        found: Some(text.clone()),
                        ..standing
                    };
                    if !store::update(tx, &new).await? {
                        return Err(Error::new(
                            Code::Busy,
                            "Somebody chose something at the same time. The file is looked at again.",
                        ));
                    }
                }
                context.finish_with(tx, result).await
            })
        });
        kept.await?;
        Ok(json!({ "rows": found.rows }))
    }

    async fn read_whole(&self, context: &JobContext, draft: &Draft) -> Result<Found> {
        let stream = self.kernel.blobs.open(&draft.row.blob).await?;
        let whole = Whole {
            file: File {
                input: Input {
                    stream,
                    spool: self.spool.clone(),
                },
                name: draft.row.name.clone(),
                format: None,
                reading: draft.choices.reading.clone(),
                limits: self.kernel.config.import.clone(),
                missing: draft.choices.missing.clone(),
                left_out: Vec::new(),
                recast: None,
            },
        };
        let (records, cancel) = (self.records.clone(), context.cancel.clone());
        let (sender, mut at) = tokio::sync::watch::channel((0u64, 0i64));
        let work = tokio::task::spawn_blocking(move || {
            whole.read(
                |cells| records.infer("draft", None, cells),
                |place| {
                    sender.send_replace(place);
                    !cancel.is_cancelled()
                },
            )
        });
        while at.changed().await.is_ok() {
            let (bytes, rows) = *at.borrow_and_update();
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            context
                .progress(
                    bytes.min(draft.row.bytes),
                    Some(draft.row.bytes),
                    &format!("{rows} rows"),
                )
                .await?;
        }
        let found = work.await.map_err(Error::internal)?;
        context.check()?;
        found
    }

    /// A type in use that has every column of the file: the one with the fewest others.
    async fn fitting(&self, found: &Found) -> Result<Option<String>> {
        let filled: Vec<&str> = found
            .columns
            .iter()
            .filter(|c| c.filled > 0)
            .map(|c| c.name.as_str())
            .collect();
        if filled.is_empty() {
            return Ok(None);
        }
        let types = self.records.record_types().await?;
        let has_all = |definition: &RecordType| {
            filled
                .iter()
                .all(|name| definition.fields.iter().any(|f| f.name == *name))
        };
        let fits = types.iter().filter(|stored| has_all(&stored.definition));
        let best = fits.min_by_key(|stored| stored.definition.fields.len());
        // Two columns by the same names say little; most fields of the type have to be there.
        Ok(best
            .filter(|stored| filled.len() * 2 >= stored.definition.fields.len())
            .map(|stored| stored.definition.name.clone()))
    }
}

fn same_way(a: &Row, b: &Row) -> bool {
    let reading = |row: &Row| {
        let choices: Value = serde_json::from_str(&row.choices).unwrap_or_default();
        let mut reading = choices.get("reading").cloned().unwrap_or_default();
        if let Some(map) = reading.as_object_mut() {
            map.retain(|name, _| name != "decimal" && name != "date_order");
        }
        (reading, choices.get("missing").cloned())
    };
    reading(a) == reading(b)
}

/// A file to be read from its first row to its last.
struct Whole {
    file: File,
}

impl Whole {
    fn read(
        self,
        start: impl FnOnce(bool) -> Box<dyn crate::contract::records::Inference>,
        mut go_on: impl FnMut((u64, i64)) -> bool,
    ) -> Result<Found> {
        let name = self.file.name.clone();
        // Numbers and dates are looked at as they stand; how they are meant is said later.
        let plain = Reading {
            decimal: None,
            date_order: None,
            ..self.file.reading.clone()
        };
        let file = File {
            reading: plain,
            ..self.file
        };
        let (mut source, understanding) = file.open()?;
        let names = source
            .columns
            .as_ref()
            .map(|columns| columns.names())
            .unwrap_or_default();
        let mut inference = start(understanding.cells);
        let mut seen = Seen::new(&names, understanding.cells);
        let (mut rows, mut unreadable, mut fault) = (0, 0, None);
        let read = source.read.clone();
        for row in source.by_ref() {
            let row = row?;
            rows = row.row;
            if rows % STEP == 0 && !go_on((read.load(Ordering::Relaxed), rows)) {
                return Err(Error::new(Code::Unavailable, "The job was stopped."));
            }
            match row.content {
                Ok(content) => {
                    let document = understanding.plain(content).document;
                    seen.observe(&document);
                    inference.observe(&document);
                }
                Err(issues) => {
                    unreadable += 1;
                    fault = fault.or_else(|| issues.first().map(|i| format!("Line {}: {}", row.line, i.message)));
                }
            }
        }
        inference.name(&of_the_file(names));
        if rows == unreadable {
            let text = match fault {
                Some(fault) => format!("{name}: Not one row can be read. {fault}"),
                None => format!(
                    "{name}: There are no rows below the header. Check that the file was written to the end; if its first row \
                     names no columns, say so (header_row)."
                ),
            };
            return Err(Error::new(Code::Invalid, text));
        }
        let mut definition = inference.finish();
        let (core, id) = (source.about.0.as_deref(), source.about.1.as_deref());
        taxa::as_tree(&mut definition, core, id);
        Ok(Found {
            definition,
            rows,
            unreadable,
            first_fault: fault,
            columns: seen.finish(),
            fits: None,
        })
    }
}

/// What is remembered of the columns.
struct Seen {
    columns: Vec<(Column, Evidence)>,
    places: HashMap<String, usize>,
    cells: bool,
}

impl Seen {
    fn new(names: &[String], cells: bool) -> Self {
        let mut seen = Self {
            columns: Vec::new(),
            places: HashMap::new(),
            cells,
        };
        for name in names
            .iter()
            .filter(|n| *n != crate::modules::exchange::marks::RECORD_ID)
        {
            seen.place(name);
        }
        seen
    }

    fn place(&mut self, name: &str) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if self.columns.len() >= MOST_COLUMNS {
            return None;
        }
        let column = Column {
            name: name.to_owned(),
            ..Column::default()
        };
        self.columns.push((column, Evidence::default()));
        self.places.insert(name.to_owned(), self.columns.len() - 1);
        Some(self.columns.len() - 1)
    }

    fn observe(&mut self, document: &Map<String, Value>) {
        for (name, value) in document {
            let Some(place) = self.place(name) else { continue };
            let (column, evidence) = &mut self.columns[place];
            let text = match value {
                Value::Null => continue,
                Value::String(text) if text.is_empty() => continue,
                Value::Array(items) if items.is_empty() => continue,
                Value::String(text) => std::borrow::Cow::Borrowed(text.as_str()),
                other => std::borrow::Cow::Owned(other.to_string()),
            };
            column.filled += 1;
            if self.cells && value.is_string() {
                evidence.observe(&text);
            }
            if column.examples.len() < EXAMPLES {
                let example = crate::kernel::ui::shorten(&text, EXAMPLE_CHARS);
                if !column.examples.contains(&example) {
                    column.examples.push(example);
                }
            }
        }
    }

    fn finish(self) -> Vec<Column> {
        let cells = self.cells;
        let finish = |(mut column, evidence): (Column, Evidence)| {
            if cells {
                column.numbers = evidence.numbers();
                column.dates = evidence.dates();
                column.mixed_dates = evidence.mixed_dates();
            }
            column
        };
        self.columns.into_iter().map(finish).collect()
    }
}
