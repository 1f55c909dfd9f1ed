//! Logs that are kept: every line goes, beside standard error, into files of the data folder that are bounded together,
//! the oldest going first. Written by a thread of its own; a house that logs faster than its disk loses lines, never time.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::search::stamp;
use crate::kernel::clock::Clock;
use crate::kernel::error::Result;

/// Lines that may wait for the disk.
const WAITING: usize = 8_192;
/// Files that share the bound.
const FILES: u64 = 8;
/// Characters of one line's texts.
const MAX_TEXT: usize = 8_000;

/// Where lines go, and where they come out until somebody keeps them.
struct Pipe {
    enter: SyncSender<String>,
    exit: Mutex<Option<Receiver<String>>>,
}

/// The process has one: libraries log through it, whichever house in this process they work for.
static PIPE: OnceLock<Pipe> = OnceLock::new();

fn pipe() -> &'static Pipe {
    PIPE.get_or_init(|| {
        let (enter, exit) = sync_channel(WAITING);
        Pipe {
            enter,
            exit: Mutex::new(Some(exit)),
        }
    })
}

/// Writes what was logged so far and from now on into `folder`, at most `bytes` in all files together. Only the first
/// call in a process does something.
///
/// # Errors
/// A file that cannot be made.
pub fn keep(folder: PathBuf, bytes: u64) -> Result<()> {
    let Some(lines) = pipe().exit.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Ok(());
    };
    let mut files = Files::open(folder, bytes)?;
    std::thread::Builder::new().name("logs".to_owned()).spawn(move || {
        while let Ok(line) = lines.recv() {
            files.write(&line);
            while let Ok(line) = lines.try_recv() {
                files.write(&line);
            }
            files.flush();
        }
    })?;
    Ok(())
}

/// The files of this process, and the bound for those of all.
pub struct Files {
    folder: PathBuf,
    bytes: u64,
    file: BufWriter<File>,
    written: u64,
}

impl Files {
    /// Begins a file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: PathBuf, bytes: u64) -> Result<Self> {
        let file = begin(&folder)?;
        let files = Self {
            folder,
            bytes,
            file,
            written: 0,
        };
        files.bound();
        Ok(files)
    }

    /// Adds a line. A disk that takes none loses it: there is nobody to tell.
    pub fn write(&mut self, line: &str) {
        if self.written > self.bytes / FILES
            && let Ok(file) = begin(&self.folder)
        {
            self.file = file;
            self.written = 0;
            self.bound();
        }
        if writeln!(self.file, "{line}").is_ok() {
            self.written += line.len() as u64 + 1;
        }
    }

    pub fn flush(&mut self) {
        // As with writing.
        let _ = self.file.flush();
    }

    /// Removes the oldest files while all together are too large. The newest one stays.
    fn bound(&self) {
        let mut all = names(&self.folder);
        let mut total: u64 = all.iter().map(|path| size(path)).sum();
        let most = self.bytes - self.bytes / FILES;
        all.sort();
        for path in all.iter().take(all.len().saturating_sub(1)) {
            if total <= most {
                break;
            }
            total -= size(path);
            // Another process may have removed it just now.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn begin(folder: &Path) -> Result<BufWriter<File>> {
    // Names sort by time; the number tells files of the same moment apart.
    let now = Clock::system().now();
    let pid = std::process::id();
    for n in 0.. {
        let path = folder.join(format!("{now:013}-{pid}-{n}.jsonl"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 1_000 => {}
            opened => return Ok(BufWriter::new(opened?)),
        }
    }
    Err(crate::kernel::error::Error::internal(anyhow::anyhow!(
        "no name for a log file is free"
    )))
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// The files of all processes, in no order.
pub(super) fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect()
}

/// The layer that hands each line over.
pub struct Keeping;

/// What a span says of itself.
#[derive(Default)]
struct Said(Map<String, Value>);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        let text: String = value.chars().take(MAX_TEXT).collect();
        self.0.insert(field.name().to_owned(), text.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keeping {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        span.extensions_mut().insert(said);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(said) = span.extensions_mut().get_mut::<Said>() {
            values.record(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let message = said.0.remove("message").unwrap_or_default();
        let (mut request, mut job) = (Value::Null, Value::Null);
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(around) = extensions.get::<Said>() else {
                continue;
            };
            if let Some(id) = around.0.get("request_id").filter(|_| request.is_null()) {
                request = id.clone();
            }
            if let Some(id) = around.0.get("id").filter(|_| span.name() == "job" && job.is_null()) {
                job = id.clone();
            }
            for (name, value) in around.0.iter().filter(|(name, _)| name.contains('.')) {
                said.0.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let line = json!({
            "at": stamp(Clock::system().now()), "level": event.metadata().level().as_str().to_ascii_lowercase(),
            "module": event.metadata().target(), "message": message, "request": request, "job": job, "fields": said.0,
        });
        match pipe().enter.try_send(line.to_string()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                metrics::counter!("vitrine_log_lines_lost_total").increment(1);
            }
        }
    }
}
