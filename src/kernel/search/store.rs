//! The index on disk: opening, making, writing, committing. The commit's payload says which database it follows and how
//! far, so that state and place can never disagree.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, IndexMeta, IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

use super::again::Reach;
use super::schema::{ANSWERS_FROM, Fields, SCHEMA_VERSION};
use super::text::{TOKENIZER, WordTokenizer};
use super::types::Document;
use crate::kernel::config;
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger::Position;

/// tantivy refuses to work with less per thread.
const MIN_MEMORY: usize = 15_000_000;

/// What stands in a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Payload {
    pub schema: u32,
    /// The database it follows: `ledger::identity`.
    pub database: String,
    pub txid: i64,
    pub position: i64,
    /// A type changed and not all its records have been looked at since.
    pub sweeping: bool,
    /// The last rebuild asked for that its build began after.
    #[serde(default)]
    pub rebuilt: u64,
    /// Changes whose reach has not been read yet.
    #[serde(default)]
    pub reached: Vec<Reach>,
}

impl Payload {
    pub fn new(database: &str, at: Position, sweeping: bool) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            database: database.to_owned(),
            txid: at.txid,
            position: at.position,
            sweeping,
            rebuilt: 0,
            reached: Vec::new(),
        }
    }
    pub fn at(&self) -> Position {
        Position {
            txid: self.txid,
            position: self.position,
        }
    }
}

/// An engine's error as ours.
pub(super) fn broken(source: TantivyError) -> Error {
    if let TantivyError::IoError(io) = &source
        && io.kind() == std::io::ErrorKind::StorageFull
    {
        return Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
    }
    Error::internal(source)
}

fn with_tokenizer(index: Index) -> Index {
    index
        .tokenizers()
        .register(TOKENIZER, TextAnalyzer::from(WordTokenizer::default()));
    index
}

/// Opens a build; `None` if no question can be asked of it: another schema, broken, never committed.
pub(super) fn open(path: &Path, fields: &Fields) -> Option<(Index, Payload)> {
    let opened = Index::open_in_dir(path).and_then(|index| {
        let meta = index.load_metas()?;
        // Opening a reader touches every segment, so a missing file shows here and not in somebody's question.
        let _ = reader(&index)?;
        Ok((index, meta.payload))
    });
    let (index, payload) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the search index cannot be read and is built again");
            return None;
        }
    };
    let payload: Payload = serde_json::from_str(&payload?).ok()?;
    let answers = (ANSWERS_FROM..=SCHEMA_VERSION).contains(&payload.schema);
    (answers && index.schema() == fields.schema).then(|| (with_tokenizer(index), payload))
}

/// A reader that moves on when it is told to.
pub(super) fn reader(index: &Index) -> tantivy::Result<IndexReader> {
    index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()
}

/// Writes one build. All methods block.
pub(super) struct Store {
    pub path: PathBuf,
    pub reader: IndexReader,
    writer: IndexWriter,
    fields: Fields,
    /// Bytes added since the last commit, roughly.
    pub pending_bytes: usize,
}

impl Store {
    /// Makes an empty build in a folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: &Path, fields: &Fields, settings: &config::Search) -> Result<Self> {
        let index = with_tokenizer(Index::create_in_dir(path, fields.schema.clone()).map_err(broken)?);
        Self::attach(&index, path, fields, settings)
    }

    /// Writes on in a build that was opened.
    ///
    /// # Errors
    /// What the file system says.
    pub fn attach(index: &Index, path: &Path, fields: &Fields, settings: &config::Search) -> Result<Self> {
        let threads = settings.threads.clamp(1, 8) as usize;
        let memory = usize::try_from(settings.memory).unwrap_or(usize::MAX) / threads;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(memory.clamp(MIN_MEMORY, 2_000_000_000))
            .num_merge_threads(1)
            .build();
        let writer = index.writer_with_options(options).map_err(broken)?;
        let mut merging = LogMergePolicy::default();
        merging.set_min_num_segments(6);
        merging.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(merging));
        let reader = reader(index).map_err(broken)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            writer,
            fields: fields.clone(),
            pending_bytes: 0,
        })
    }

    /// Replaces what is held of these ids by these documents. An id without a document is removed.
    ///
    /// # Errors
    /// When a writing thread has failed.
    pub fn replace(&mut self, ids: &[String], documents: &[Document]) -> Result<()> {
        for id in ids {
            self.writer.delete_term(Term::from_field_text(self.fields.id, id));
        }
        self.add(documents)
    }

    /// Adds documents that are not held yet.
    ///
    /// # Errors
    /// When a writing thread has failed.
    pub fn add(&mut self, documents: &[Document]) -> Result<()> {
        for document in documents {
            let (entry, size) = self.fields.entry(document);
            self.pending_bytes += size;
            self.writer.add_document(entry).map_err(broken)?;
        }
        Ok(())
    }

    /// Makes everything durable and visible, together with its place in the ledger.
    ///
    /// # Errors
    /// What the file system says; then the last commit still stands.
    pub fn commit(&mut self, payload: &Payload) -> Result<()> {
        let mut commit = self.writer.prepare_commit().map_err(broken)?;
        commit.set_payload(&serde_json::to_string(payload)?);
        commit.commit().map_err(broken)?;
        self.pending_bytes = 0;
        self.reader.reload().map_err(broken)
    }

    /// What the last commit holds. Its files stay as long as this does.
    ///
    /// # Errors
    /// What the file system says.
    pub fn meta(&self) -> Result<IndexMeta> {
        self.writer.index().load_metas().map_err(broken)
    }

    /// Whether its files are still there.
    pub fn intact(&self) -> bool {
        self.path.join("meta.json").is_file()
    }
}
