//! Documents, questions and answers of the search engine: plain data.

use serde::{Deserialize, Serialize};

use crate::kernel::access::{Level, Visibility};
use crate::kernel::ledger::Position;

/// What is indexed of one entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub id: String,
    /// The version of the entity; an older one never replaces a newer one.
    pub version: i64,
    /// The ledger kind: `record`.
    pub kind: &'static str,
    /// The name of the type within the kind: `object`.
    pub type_name: String,
    /// Shown first and weighs more. Indexed at the level of the field it comes from.
    pub title: String,
    pub title_level: Level,
    /// Terms of who may see it at each level, from `Access::terms`.
    pub visible: [Vec<String>; 3],
    pub fields: Vec<IndexedField>,
    /// As in [`Shape`], of its type when it was read.
    pub shape: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// How a type keeps its fields now. Documents of another shape were read when a field may have stood at another level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub type_name: String,
    /// Another one for other levels.
    pub term: String,
    /// The level of its strictest field.
    pub strictest: Level,
}

/// One field of a document with all its values.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedField {
    /// Dotted path without positions: `creator.nationality`. The index escapes the dots.
    pub name: String,
    pub level: Level,
    /// Can be counted, filtered and sorted by: goes into a fast column.
    pub column: bool,
    /// Goes into the text index.
    pub searchable: bool,
    pub values: Vec<Value>,
}

/// A typed value. The type decides the column; nothing is guessed from texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words of a language.
    Text(String),
    /// Taken whole: terms, codes, identifiers; also searchable by its parts.
    Keyword(String),
    Integer(i64),
    Real(f64),
    Boolean(bool),
    /// A civil date or span as days since 1970-01-01, both included, with the text it was read from.
    Days {
        from: i64,
        to: i64,
        verbatim: String,
    },
    Place {
        latitude: f64,
        longitude: f64,
    },
}

/// A question.
#[derive(Clone, Debug)]
pub struct Query {
    /// Ledger kind; empty: all.
    pub kind: Option<String>,
    /// Type names; empty: all.
    pub types: Vec<String>,
    /// What a person typed: words (all must match), `prefix*`, `"phrase"`, `-word`, `field:value`, `field:1850..1900`.
    pub text: String,
    /// Narrow by field: OR within a field, AND across.
    pub filters: Vec<Filter>,
    /// Counts to make, each under all filters but its own.
    pub facets: Vec<FacetRequest>,
    pub sort: Sort,
    pub limit: usize,
    /// From an earlier answer's `next`.
    pub cursor: Option<String>,
    /// Rows to skip, for pages with numbers; not together with `cursor`.
    pub offset: usize,
    /// What the caller may see: inside the query, for hits, counts, sorts alike.
    pub visibility: Visibility,
}

/// Chosen values of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub field: String,
    /// `None` is "missing"; a text `a..b` is a range for numbers and dates.
    pub values: Vec<Option<String>>,
}

/// Asked for as a facet, it counts the types of what is found. No field has such a name: it holds a control character.
pub const TYPE_FACET: &str = "\u{1}type";

/// Before a field's name in a facet, see [`FacetRequest::spread`].
const SPREAD: &str = "\u{1}spread:";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetRequest {
    /// A field, or [`TYPE_FACET`].
    pub field: String,
    /// At most this many values.
    pub limit: usize,
}

impl FacetRequest {
    /// The numbers of a field, or the years of its dates, in about so many spans of equal width and in their order. The
    /// value of each is a filter: `1850..1859`, at the ends perhaps `..1799`. A record with two numbers in a span counts
    /// twice in it.
    pub fn spread(field: &str, spans: usize) -> Self {
        Self {
            field: format!("{SPREAD}{field}"),
            limit: spans,
        }
    }
    /// The field that is counted, as the answer names it.
    pub fn name(&self) -> &str {
        self.field.strip_prefix(SPREAD).unwrap_or(&self.field)
    }
    pub(super) fn is_spread(&self) -> bool {
        self.field.starts_with(SPREAD)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best match first; newest first where nothing is asked for.
    #[default]
    Relevance,
    /// By a field's smallest value (largest when descending), missing last; ties by id.
    Field {
        field: String,
        descending: bool,
    },
    Created {
        descending: bool,
    },
    Updated {
        descending: bool,
    },
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub total: u64,
    pub hits: Vec<Hit>,
    /// In the order they were asked for.
    pub facets: Vec<Facet>,
    /// Marker of the next page, if there is one.
    pub next: Option<String>,
    /// How far the index has followed the ledger.
    pub position: Position,
    /// Words to mark in what is shown, folded as the index folds them.
    pub marks: Vec<Mark>,
    /// What was understood or taken as plain text, for a hint below the box.
    pub hints: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub id: String,
    pub kind: String,
    pub score: f32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Facet {
    pub field: String,
    pub values: Vec<FacetValue>,
    /// Distinct values there are in all.
    pub distinct: u64,
}

/// A value with the number of records that have it; `null` counts those that have none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FacetValue {
    pub value: Option<String>,
    pub count: u64,
}

/// A word or beginning of a word that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub token: String,
    pub prefix: bool,
}

/// What somebody has typed so far.
#[derive(Clone, Debug)]
pub struct Begun {
    pub text: String,
    /// Ledger kind; empty: all.
    pub kind: Option<String>,
    /// Type names; empty: all.
    pub types: Vec<String>,
    /// Fields whose values may be suggested.
    pub fields: Vec<String>,
    /// Of values and of entities, each at most this many.
    pub limit: usize,
    /// As in [`Query`]: nothing is suggested that would not be found.
    pub visibility: Visibility,
}

/// What may be meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// Those that begin with what was typed, then those with a word that does; the most frequent first.
    pub values: Vec<SuggestedValue>,
    /// Ids of entities whose title begins with what was typed, by title; then of those with these words in it.
    pub ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedValue {
    pub field: String,
    pub value: String,
    /// Entities the caller may find that have the value.
    pub count: u64,
}
