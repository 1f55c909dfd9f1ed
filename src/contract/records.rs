//! Records and their types, as other modules see them.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::numbering::{CheckDigit, Numbering};
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

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// Words, one line or many.
    Text,
    /// A term of a vocabulary: few values, many records.
    Term,
    /// A code taken whole: accession numbers, keys. Always text.
    Identifier,
    Integer,
    Number,
    Boolean,
    /// A civil date as EDTF text: `1979-12-06`, `1850~`, `185X`, `1850/1900`; never with a time zone. What people write,
    /// such as `c. 1850`, is taken and stored so.
    Date,
    Url,
    /// The id of another record, of the type named in `target`.
    Link,
    /// Fields of its own, in `fields`.
    Group,
}

/// One field of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub struct Field {
    /// Key in the document, as in the source.
    pub name: String,
    // Inline, since a type that is not followed for its recursion would leave the reference open.
    #[schema(inline)]
    pub kind: FieldKind,
    /// Label by language (`en`, `fr` …); without one the name is shown, made readable.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub labels: Map<String, Value>,
    /// What to write into it, by language; shown beside the field in forms.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub hints: Map<String, Value>,
    /// A list of values.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeated: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// No two live records of the type have the same value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    /// Counted beside the results.
    #[serde(default, skip_serializing_if = "is_false")]
    pub facet: bool,
    /// Shown in the table.
    #[serde(default, skip_serializing_if = "is_false")]
    pub column: bool,
    /// Who may see it.
    #[serde(default, skip_serializing_if = "is_public")]
    pub level: Level,
    /// For links: the type it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// For numbers: smallest and largest; for texts: length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// What its words are written in (`en`, `fr` …), where that is another language than its type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// For numbers: what they are measured in (`kg`, `mm`); what comes with another unit of the same sort is turned into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// For terms: the only values allowed; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// For terms: what they are called in other languages, and which are no longer given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub terms: Vec<Term>,
    /// Each new record is given a number, by this scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Numbering>,
    /// For groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// What is known of a term beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// As records have it.
    pub value: String,
    /// What it is called, by language; without one it is shown as it is.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub labels: Map<String, Value>,
    /// Records that have it keep it, no other is given it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retired: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}
fn is_public(level: &Level) -> bool {
    *level == Level::Public
}

/// A type of record, as text in `assets/models/*.toml`, made in the UI or inferred from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordType {
    /// Singular and kebab-case: `museum-object`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub labels: Map<String, Value>,
    /// What the collection is, in a few sentences by language.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub description: Map<String, Value>,
    /// The field whose value is the record's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The field by which an import recognises a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The web address field that holds the record's main image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The link to the same type that says what a record hangs below: makes the type a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// In a tree: the field that puts the records below the same one in order, before their title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Under which terms the records may be used, shown with each of them: a web address or a text such as `CC0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whom to thank, shown with each record: the path of a field, or a text for all records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// What its texts are written in (`en`, `fr` …), so that a search finds other forms of a word, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Words that mean the same to a search, separated by commas: `sofa, couch, settee`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<String>,
    /// Visibility of its records where they do not say their own.
    #[serde(default)]
    pub visibility: Level,
    pub fields: Vec<Field>,
}

/// A field that holds values, with the way to it.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// Dotted path without positions, as the search index names it: `creator.nationality`.
    pub path: String,
    /// The groups around it and then itself.
    pub fields: Vec<&'a Field>,
    /// The strictest level on the way.
    pub level: Level,
}

impl Leaf<'_> {
    /// The field itself.
    pub fn field(&self) -> Option<&Field> {
        self.fields.last().copied()
    }
}

impl RecordType {
    /// Every field that holds values, in order, groups followed.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut out = Vec::new();
        let start = Leaf {
            path: String::new(),
            fields: Vec::new(),
            level: Level::Public,
        };
        self.fields.iter().for_each(|field| descend(&start, field, &mut out));
        out
    }

    /// Whether a latitude and a longitude stand side by side at this level.
    pub fn has_places(&self, level: Level) -> bool {
        let leaves = self.leaves();
        let above = |leaf: &Leaf<'_>| leaf.path.rsplit_once('.').map(|(above, _)| above.to_owned());
        let pair = |one: &Leaf<'_>, other: &Leaf<'_>| {
            let names = one.field().zip(other.field());
            names.is_some_and(|(one, other)| one.is_pair(other)) && above(one) == above(other)
        };
        let mut seen = leaves.iter().filter(|leaf| leaf.level <= level);
        seen.any(|one| leaves.iter().any(|other| other.level <= level && pair(one, other)))
    }
}

/// What the two fields of a place are called, in small letters and without anything else.
const PLACES: [(&str, &str); 5] = [
    ("decimallatitude", "decimallongitude"),
    ("latitude", "longitude"),
    ("lat", "lon"),
    ("lat", "lng"),
    ("lat", "long"),
];

impl Field {
    /// What is known of a term.
    pub fn term(&self, value: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.value == value)
    }

    /// What a term is called in a language; itself where nothing else is known.
    pub fn called<'v>(&'v self, value: &'v str, language: &str) -> &'v str {
        let label = self.term(value).and_then(|term| term.labels.get(language)?.as_str());
        label.unwrap_or(value)
    }

    /// Whether this is the latitude of a place, by its name.
    pub fn is_latitude(&self) -> bool {
        let name = self.measure();
        name.is_some_and(|name| PLACES.iter().any(|(one, _)| *one == name))
    }

    /// Whether this is the longitude of a place, by its name.
    pub fn is_longitude(&self) -> bool {
        let name = self.measure();
        name.is_some_and(|name| PLACES.iter().any(|(_, other)| *other == name))
    }

    /// Whether this is the latitude of a place and the other its longitude, by their names.
    pub fn is_pair(&self, other: &Self) -> bool {
        let names = self.measure().zip(other.measure());
        names.is_some_and(|(one, other)| PLACES.iter().any(|(a, b)| *a == one && *b == other))
    }

    /// The plain name of what may be a number.
    fn measure(&self) -> Option<String> {
        // Asked for every field of every document: names that cannot be are told by their first letter.
        let first = self.name.chars().find(|c| c.is_alphanumeric());
        let number = matches!(self.kind, FieldKind::Number | FieldKind::Integer | FieldKind::Text)
            && matches!(first, Some('d' | 'D' | 'l' | 'L'));
        let letters = self.name.chars().filter(|c| c.is_alphanumeric());
        number.then(|| letters.flat_map(char::to_lowercase).collect())
    }
}

fn descend<'a>(around: &Leaf<'a>, field: &'a Field, out: &mut Vec<Leaf<'a>>) {
    let mut leaf = around.clone();
    leaf.path = if around.path.is_empty() {
        field.name.clone()
    } else {
        format!("{}.{}", around.path, field.name)
    };
    leaf.fields.push(field);
    leaf.level = leaf.level.max(field.level);
    if field.kind == FieldKind::Group {
        field.fields.iter().for_each(|inner| descend(&leaf, inner, out));
    } else {
        out.push(leaf);
    }
}

/// A type with where it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredType {
    pub id: String,
    pub version: i64,
    pub definition: RecordType,
}

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
    /// What is wrong with a document; empty if nothing.
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
