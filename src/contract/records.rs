//! Records and their types, as other modules see them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::numbering::{CheckDigit, Numbering};
pub use super::record_types::{Field, FieldKind, Leaf, Ranks, RecordType, StoredType, Term, Weight};
use crate::contract::undo::{Insist, Prospect, Restoration};
use crate::kernel::access::{Caller, Level, Permission};
use crate::kernel::db::Tx;
use crate::kernel::error::{FieldIssue, Result};
use crate::kernel::ledger::Position;

/// To read types and their schemas.
pub const TYPES_READ: Permission = Permission("types.read");
/// To make, change and delete types.
pub const TYPES_WRITE: Permission = Permission("types.write");
/// To read records; what is shown is cut by visibility and level.
pub const RECORDS_READ: Permission = Permission("records.read");
/// To make, change, delete and restore records.
pub const RECORDS_WRITE: Permission = Permission("records.write");
/// Delete records and bring them back. A token that may write may this, too.
pub const RECORDS_DELETE: Permission = Permission("records.delete");
/// See what is restricted, records and fields.
pub const RECORDS_RESTRICTED: Permission = Permission("records.restricted");

/// A record as stored. `document` holds all fields; [`Records::cut`] removes what a level may not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub id: String,
    pub type_name: String,
    pub version: i64,
    pub deleted: bool,
    pub visibility: Level,
    pub created_at: i64,
    pub updated_at: i64,
    /// The imported file (a blob) and the row in it, from 1.
    pub source: Option<(String, i64)>,
    pub document: Map<String, Value>,
}

/// One row of an import batch.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// Row in the file, from 1.
    pub row: i64,
    /// The record this row is, where the file says it (our own exports do). It goes before the key; a row whose id
    /// nobody has falls back to the key, and what is then created takes this id.
    pub id: Option<String>,
    pub document: Map<String, Value>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    Created,
    Updated,
    Unchanged,
    Refused(Vec<FieldIssue>),
}

/// Rows to put into a type within one transaction.
#[derive(Clone, Debug)]
pub struct ImportBatch {
    pub set_id: String,
    pub stored_type: Arc<StoredType>,
    /// Field by which rows are recognised; without one, identity is (file, row).
    pub key: Option<String>,
    /// The blob of the file.
    pub source_blob: String,
    /// What the one who imports sees of the type: what is above it stays as it is.
    pub level: Level,
    /// Who imports: what others made changes only for who may change it.
    pub by: Caller,
    pub pass: Pass,
    pub rows: Vec<ImportRow>,
}

/// Which time the rows of a file go by. Links between records of the same type wait until all of them are there.
#[derive(Clone, Debug, Default)]
pub enum Pass {
    /// The only one: what links lead to is there.
    #[default]
    Only,
    /// Those links wait. What the file names will be there.
    First(Arc<dyn InFile>),
    /// They are put in. Rows of records that are not there are passed over.
    Second,
}

/// What a file names: keys, and ids of records.
pub trait InFile: Send + Sync + std::fmt::Debug {
    fn has(&self, name: &str) -> bool;
}

/// Looks at documents one after another and says which type fits them all. Memory stays flat however many there are.
pub trait Inference: Send {
    fn observe(&mut self, document: &Map<String, Value>);
    /// Fields that the file has, whether or not a document says something in them.
    fn name(&mut self, names: &[String]);
    fn finish(self: Box<Self>) -> RecordType;
}

/// How a caller sees a record, live or deleted, today.
#[derive(Clone, Debug)]
pub struct Sight {
    pub id: String,
    /// The highest level of fields that may be shown.
    pub level: Level,
    pub visibility: Level,
    pub deleted: bool,
    pub version: i64,
    pub stored_type: Arc<StoredType>,
}

/// The state of a record as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordState {
    #[serde(rename = "type")]
    pub type_name: String,
    pub visibility: Level,
    pub document: Map<String, Value>,
}

/// A row of a file as it was brought, whatever became of it since.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    /// The name of the file; empty where nobody knows it any more.
    pub file: String,
    /// The line it begins in, or its row in the sheet, from 1.
    pub line: i64,
    /// What stands there, by the names of the columns.
    pub values: Map<String, Value>,
    /// The paths of the fields that each column went into; `None` where columns are the fields of their names.
    pub taken: Option<BTreeMap<String, Vec<String>>>,
}

/// The member of an error that says that a type is just being deleted.
pub const BEING_DELETED: &str = "being_deleted";

/// Somebody who keeps something about types beside their records.
#[async_trait]
pub trait TypeKeeper: Send + Sync {
    /// A type is deleted with all its records: what is kept about it goes, too. May be asked again.
    async fn forget_type(&self, type_name: &str) -> Result<()>;
    /// A row of a file that was brought into a type, read once more. `None` where it is not kept, or not known any more
    /// how it was read.
    async fn original(&self, type_name: &str, blob: &str, row: i64) -> Result<Option<Original>>;
}

/// The port of the module `records`.
#[async_trait]
pub trait Records: Send + Sync {
    /// A type by its name.
    async fn record_type(&self, name: &str) -> Result<Option<Arc<StoredType>>>;
    /// Every type, by name.
    async fn record_types(&self) -> Result<Vec<Arc<StoredType>>>;
    /// Makes a type or changes it, as part of a change set. Refuses what would lose values.
    async fn put_type(&self, tx: &mut Tx<'_>, set_id: &str, definition: &RecordType) -> Result<StoredType>;
    /// Before a type that has many records is put with a field that becomes unique: takes the values they have, in steps.
    /// `go_on` is asked between them. Refuses where two records have the same, by name.
    async fn identify(&self, definition: &RecordType, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<()>;
    /// A type that comes with the program and is stored when it is first put to use.
    fn shipped_type(&self, name: &str) -> Option<RecordType>;
    /// Starts looking for a type that fits documents: kinds that lose nothing, vocabularies, facets, identifier, title.
    /// `cells`: the values are texts of a table whose kind is open; else a JSON text stays a text.
    fn infer(&self, name: &str, key: Option<&str>, cells: bool) -> Box<dyn Inference>;
    /// What is wrong with a document once its values are in the form in which they are stored; empty if nothing.
    fn validate(&self, definition: &RecordType, document: &Map<String, Value>) -> Vec<FieldIssue>;
    /// Writes a batch: validates each row, recognises by id or key, leaves unchanged records alone. A field that is
    /// missing, `null` or the empty text says the same when states are compared, so that a table changes nothing that a
    /// JSON file brought. One outcome per row, and where the ledger stands after it.
    async fn import(&self, tx: &mut Tx<'_>, batch: &ImportBatch) -> Result<(Vec<RowOutcome>, Option<Position>)>;
    /// Deletes those of these records that are live, as part of a change set; answers how many. For rows that a file no
    /// longer has.
    async fn delete_many(&self, tx: &mut Tx<'_>, set_id: &str, ids: &[String]) -> Result<i64>;
    /// Takes back what the change set `of` did to these entities, as part of the change set `set_id`: records and types get
    /// the state before it again. What was changed since stays, unless `insist` says otherwise. One outcome per entity, in
    /// their order.
    async fn restore_versions(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        set_id: &str,
        of: &str,
        entities: &[String],
        insist: Insist,
    ) -> Result<Vec<Restoration>>;
    /// What taking a change set back would do, as far as it can be told beforehand; with a caller, only to what they see.
    async fn prospect(&self, seen_by: Option<&Caller>, set_id: &str) -> Result<Prospect>;
    /// Begins to delete a type with all its records, their history's content and the files nobody else needs. It is gone
    /// at once; answers the job that does the rest.
    async fn remove_type(&self, caller: &Caller, name: &str) -> Result<String>;
    /// Tells this one, too, when a type is deleted with its records. While wiring.
    fn keep_types(&self, keeper: Arc<dyn TypeKeeper>);
    /// How the caller sees these records, deleted ones too. Those that are hidden or not there are left out.
    async fn sights(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Sight>>;
    /// Live records of a type after an id, in id order, as far as the caller may see them.
    async fn page(&self, caller: &Caller, type_name: &str, after: Option<&str>, limit: i64) -> Result<Vec<Record>>;
    /// Records by id in the order of the ids; those that are not there or not visible are left out.
    async fn get_many(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Record>>;
    /// Removes from a document what the level may not see.
    fn cut(&self, definition: &RecordType, level: Level, document: Map<String, Value>) -> Map<String, Value>;
    /// Dotted paths with positions of what differs between two documents; at most `limit`.
    fn changed_paths(&self, before: &Map<String, Value>, after: &Map<String, Value>, limit: usize) -> Vec<String>;
    /// The address of a document's main image.
    fn image(&self, definition: &RecordType, document: &Map<String, Value>) -> Option<String>;
    /// What records of trees hang below, from the top down, each with its title, as far as the caller may see it. Records
    /// that hang below nothing, or are in no tree, are left out.
    async fn paths(&self, caller: &Caller, ids: &[String]) -> Result<HashMap<String, Vec<(String, String)>>>;
    /// The first records of a tree below another one, or at its top: id and title, in their order; and whether there are
    /// more. Nothing where the type is no tree to the caller.
    async fn twigs(
        &self,
        caller: &Caller,
        type_name: &str,
        under: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<(String, String)>, bool)>;
    /// The title to show for a document.
    fn title(&self, definition: &RecordType, document: &Map<String, Value>) -> String;
}
