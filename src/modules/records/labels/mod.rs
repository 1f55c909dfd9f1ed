//! Labels to print for the records of a batch: fields of each with a QR code that leads to it and bars of its number, as a
//! PDF that a job lays down. What a caller may not see is on no label.

mod code128;
mod font;
pub mod pdf;
pub mod sheet;
mod store;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::pdf::{Label, Sheets};
use self::sheet::{Layout, Sheet};
use super::model::named::named;
use super::model::{hint, path, shorten};
use super::service::Seen as Record;
use super::service::batch::{Batch, Batches};
use crate::contract::records::RecordType;
use crate::kernel::access::Caller;
use crate::kernel::blobs::{Blobs, Holder};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::{self, Job, JobContext, NewJob};

/// The kinds of the job that makes a file and of the one that clears old ones; stored.
pub const LABELS: &str = "records.labels";
/// Labels of one file, records read at once, fields on a label.
const MOST: i64 = 10_000;
const STEP: i64 = 200;
const MOST_FIELDS: usize = 8;
/// Characters of one field.
const LONGEST: usize = 300;
/// How long a file is kept.
const KEPT_MS: i64 = 24 * 3_600_000;

/// What is to be printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Print {
    pub sheet: Sheet,
    /// Of a single label, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<f32>,
    /// Paths of fields, a line each, the first one larger; the title where none is named.
    #[serde(default)]
    pub fields: Vec<String>,
    /// A QR code that leads to the record.
    #[serde(default = "yes")]
    pub qr: bool,
    /// The field whose value stands in bars (Code 128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bars: Option<String>,
    /// Labels of the first sheet that are used already.
    #[serde(default)]
    pub skip: usize,
}

fn yes() -> bool {
    true
}

/// The payload of the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    batch: String,
    print: Print,
}

/// A file of labels as it is now.
pub struct Seen {
    pub job: Job,
    pub batch: String,
    /// The file, while it is there.
    pub blob: Option<String>,
}

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Labels {
    pub batches: Batches,
    pub blobs: Blobs,
    /// What the addresses in QR codes begin with.
    pub public_url: Arc<str>,
}

impl Labels {
    /// Begins to make a file of labels. Answers the job.
    ///
    /// # Errors
    /// `Invalid` for fields that the caller does not see, sheets that cannot be, too many labels.
    pub async fn begin(&self, caller: &Caller, batch: &str, print: &Print) -> Result<String> {
        let batch = self.batches.look(caller, batch).await?;
        let (_, seen) = self.batches.shown(caller, &batch.type_name).await?;
        let layout = Layout::of(print.sheet, print.width, print.height)?;
        check(&seen, print, &layout, batch.total)?;
        let order = json!(Order {
            batch: batch.id.clone(),
            print: print.clone(),
        });
        let key = hex::encode(Sha256::digest(format!("{} {order}", caller.voice())));
        let job = &NewJob::new(LABELS, order).unique_key(format!("labels/{key}"));
        let write = self
            .batches
            .service
            .db()
            .write(Write::interactive("records.labels"), |tx| {
                Box::pin(async move { jobs::enqueue(tx, caller, job.clone()).await })
            });
        write.await
    }

    /// A file of labels, for who asked for it.
    ///
    /// # Errors
    /// `NotFound` for anybody else.
    pub async fn look(&self, caller: &Caller, id: &str) -> Result<Seen> {
        let nothing = || Error::not_found("file of labels", &shorten(id, 60));
        let db = self.batches.service.db();
        let job = match jobs::get(db, id).await {
            Err(error) if error.code() == Code::NotFound => return Err(nothing()),
            found => found?,
        };
        if job.kind != LABELS || !caller.owns(&job.caller) {
            return Err(nothing());
        }
        let order: Order = serde_json::from_value(job.payload.clone())?;
        let blob = store::blob(db, id).await?;
        Ok(Seen {
            job,
            batch: order.batch,
            blob,
        })
    }

    /// Runs the job. Run again it begins anew, and what half was made is gone.
    ///
    /// # Errors
    /// A text that the font cannot print, with the record; what the database says.
    pub async fn run(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        let batch = self.batches.look(&context.caller, &order.batch).await?;
        let layout = Layout::of(order.print.sheet, order.print.width, order.print.height)?;
        let mut sheets = Sheets::new(layout, order.print.skip)?;
        let printed = self.print(&context, &batch, &order.print, &mut sheets).await?;
        let title = format!("{} · {printed}", batch.type_name);
        let file = sheets.finish(&title)?;
        let mut blob = self.blobs.writer().await?;
        blob.write(&file).await?;
        let stored = blob.finish().await?;
        let result = json!({ "blob": stored.id, "bytes": stored.bytes, "labels": printed });
        let (answer, context, id) = (&result, &context, &stored.id);
        let write = self
            .batches
            .service
            .db()
            .write(Write::interactive("records.labels"), |tx| {
                Box::pin(async move {
                    store::keep(tx, &context.id, id, KEPT_MS).await?;
                    context.finish_with(tx, answer).await
                })
            });
        write.await?;
        Ok(result)
    }

    async fn print(&self, context: &JobContext, batch: &Batch, print: &Print, sheets: &mut Sheets) -> Result<i64> {
        let (mut after, mut printed) = (0, 0);
        loop {
            context.check()?;
            context.progress(after, Some(batch.total), "").await?;
            let items = self.batches.items(batch, None, after, STEP).await?;
            let Some(last) = items.last() else { return Ok(printed) };
            after = last.place;
            let ids: Vec<String> = items.into_iter().map(|item| item.record_id).collect();
            let records = self.batches.service.read_many(&context.caller, &ids).await?;
            let called = self.led_to(&context.caller, &records).await?;
            for seen in records {
                let label = self.label(print, &seen, &called);
                for line in label.lines.iter().chain(&label.bars) {
                    if let Some(odd) = sheets.font.cannot(line) {
                        return Err(unprintable(&seen, odd));
                    }
                }
                sheets.add(&label)?;
                printed += 1;
            }
        }
    }

    /// What the records are called that these lead to.
    async fn led_to(&self, caller: &Caller, records: &[Record]) -> Result<HashMap<String, String>> {
        let Some(first) = records.first() else {
            return Ok(HashMap::new());
        };
        let documents: Vec<&Map<String, Value>> = records.iter().map(|one| &one.record.document).collect();
        let service = &self.batches.service;
        service.called(caller, &first.stored_type.definition, &documents).await
    }

    /// Links are told by what they lead to.
    fn label(&self, print: &Print, seen: &Record, called: &HashMap<String, String>) -> Label {
        let definition = &seen.stored_type.definition;
        let document = &named(&definition.fields, &seen.record.document, called);
        let said = |name: &String| {
            let Some(leaf) = path::find(&definition.fields, name) else {
                return String::new();
            };
            let texts: Vec<String> = path::values(document, &leaf.steps)
                .into_iter()
                .filter_map(path::text)
                .collect();
            shorten(&font::Font::tidy(&texts.join(", ")), LONGEST)
        };
        let mut lines: Vec<String> = print.fields.iter().map(said).filter(|line| !line.is_empty()).collect();
        if print.fields.is_empty() {
            lines.push(shorten(&font::Font::tidy(&titled(seen)), LONGEST));
        }
        let bars = print.bars.as_ref().map(said).filter(|text| !text.is_empty());
        Label {
            lines,
            qr: print
                .qr
                .then(|| format!("{}/records/{}", self.public_url.trim_end_matches('/'), seen.record.id)),
            bars,
        }
    }

    /// Lets go of files whose time is over.
    ///
    /// # Errors
    /// What the database says.
    pub async fn clear(&self) -> Result<u64> {
        let write = self
            .batches
            .service
            .db()
            .write(Write::bulk("records.labels"), |tx| Box::pin(store::clear(tx)));
        write.await
    }
}

/// Fields that there are, and no more labels than one file takes.
fn check(seen: &RecordType, print: &Print, layout: &Layout, total: i64) -> Result<()> {
    if total > MOST {
        let text = format!("are {total}, and one file has at most {MOST} labels. Choose fewer records.");
        return Err(Error::invalid("labels", text));
    }
    if print.fields.len() > MOST_FIELDS {
        return Err(Error::invalid(
            "fields",
            format!("are at most {MOST_FIELDS} on a label."),
        ));
    }
    if print.skip >= layout.count() {
        let text = format!("leaves no place on the first sheet, which has {}.", layout.count());
        return Err(Error::invalid("skip", text));
    }
    let named = print.fields.iter().map(|name| ("fields", name));
    for (at, name) in named.chain(print.bars.iter().map(|name| ("bars", name))) {
        if path::find(&seen.fields, name).is_none() {
            let leaves = path::leaves(&seen.fields);
            let hint = hint(name, leaves.iter().map(|leaf| leaf.path.as_str()));
            let text = format!("There is no field \"{}\" here.{hint}", shorten(name, 60));
            return Err(Error::invalid(at, text));
        }
    }
    Ok(())
}

fn unprintable(seen: &Record, odd: char) -> Error {
    // Whoever looks after jobs reads this, and may not see the record.
    let text = format!(
        "The label of the record {} has the character \"{odd}\", which the font of labels cannot print. Leave that field out, or \
         the record.",
        seen.record.id
    );
    Error::invalid("fields", text)
}

#[async_trait]
impl Holder for Labels {
    fn name(&self) -> &'static str {
        "labels"
    }
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>> {
        store::held(self.batches.service.db(), ids).await
    }
}

/// What a record is called: its title, else its id.
fn titled(seen: &Record) -> String {
    let title = seen.title();
    if title.trim().is_empty() {
        seen.record.id.clone()
    } else {
        title
    }
}
