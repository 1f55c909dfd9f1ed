//! Documents, questions and answers of the search engine: plain data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::places::{Places, PlacesRequest};
use super::query::{Node, Unit};
pub use super::synonyms::Synonyms;
use super::text::fold;
pub use super::tongue::Tongue;
use crate::kernel::access::{Level, Visibility};
use crate::kernel::geo::Area;
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
    /// What it is inside of.
    pub inside: Vec<Inside>,
    /// As in [`Shape`], of its type when it was read.
    pub shape: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Something of a tree that a document hangs below, or below which it says to be by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    pub id: String,
    /// Of the field that says so.
    pub level: Level,
    /// What somebody has to see of the tree to know that: the strictest on the way.
    pub through: Level,
}

/// Something whose change others tell of, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub id: String,
    /// What hangs below it is reached, too, and so on; else only who points at it.
    pub deep: bool,
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
    /// What its words are written in: other forms of them are found, too, and they are put in order as there.
    pub tongue: Option<Tongue>,
    pub values: Vec<Value>,
}

/// What is asked of the types before a question is answered. Asked anew each time, so kept by whoever offers it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Types {
    pub shapes: Vec<Shape>,
    pub lexicon: Arc<Lexicon>,
}

/// What people call things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lexicon {
    pub types: Vec<NamedType>,
}

/// What a type and its fields are called, and which words mean the same in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedType {
    pub name: String,
    /// Its labels, folded by [`super::fold`].
    pub called: Vec<String>,
    pub fields: Vec<NamedField>,
    /// Where it is a tree: by level, the terms by which one sees its documents and fields of that level.
    pub tree: Option<[Vec<String>; 3]>,
    pub synonyms: Synonyms,
}

/// A field by all it may be called.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedField {
    pub path: String,
    pub level: Level,
    /// Its path, name and labels, folded.
    pub called: Vec<String>,
    /// In what its numbers are measured.
    pub unit: Option<Unit>,
    /// How much more a word weighs in it than in other fields, in an order by relevance; 0 is as much.
    pub weight: f32,
}

/// A typed value. The type decides the column; nothing is guessed from texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words of a language.
    Text(String),
    /// Taken whole: terms, codes, identifiers; also searchable by its parts.
    Keyword(String),
    /// What something is called that is led to: found by its words and put in order by, but counted by its id only.
    Shown(String),
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
    /// Of these entities only; empty: of all.
    pub ids: Vec<String>,
    /// What a person typed, see [`super::query`].
    pub text: String,
    /// What must hold besides.
    pub tree: Option<Node>,
    /// The text is still being typed: its last word is a beginning.
    pub typing: bool,
    /// Narrow by field: OR within a field, AND across.
    pub filters: Vec<Filter>,
    /// Only what has a place in this box.
    pub area: Option<Area>,
    /// Counts to make, each under all filters but its own.
    pub facets: Vec<FacetRequest>,
    /// What is found is wanted on a map, too.
    pub places: Option<PlacesRequest>,
    pub sort: Sort,
    /// By relevance, what was made lately weighs more.
    pub newer: bool,
    pub limit: usize,
    /// From an earlier answer's `next`.
    pub cursor: Option<String>,
    /// Rows to skip, for pages with numbers; not together with `cursor`.
    pub offset: usize,
    /// More may be skipped, for tables that are scrolled through.
    pub deep: bool,
    /// What the caller may see: inside the query, for hits, counts, sorts alike.
    pub visibility: Visibility,
}

impl Default for Query {
    /// Asks for nothing on behalf of nobody.
    fn default() -> Self {
        Self {
            kind: None,
            types: Vec::new(),
            ids: Vec::new(),
            text: String::new(),
            tree: None,
            typing: false,
            filters: Vec::new(),
            area: None,
            facets: Vec::new(),
            places: None,
            sort: Sort::default(),
            newer: false,
            limit: 0,
            cursor: None,
            offset: 0,
            deep: false,
            visibility: Visibility::nothing(),
        }
    }
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
/// Before a span and a field's name in a facet, see [`FacetRequest::calendar`].
const CALENDAR: &str = "\u{1}calendar:";
/// Before a span and a field's name in a facet, see [`FacetRequest::timeline`].
const TIMELINE: &str = "\u{1}timeline:";
/// Before a text and a field's name in a facet, see [`FacetRequest::holding`], and between the two.
const HOLDING: &str = "\u{1}holding:";
const HELD: char = '\u{2}';

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
    /// The dates of a field by century; where years are chosen their century by decade, and a chosen decade by year. Each
    /// value is a filter. The answer is named by [`FacetRequest::calendar_name`].
    pub fn calendar(field: &str, chosen: Option<(i64, i64)>) -> Self {
        let (from, to) = chosen.unwrap_or((1, 0));
        Self {
            field: format!("{CALENDAR}{from}..{to}{HELD}{field}"),
            limit: 0,
        }
    }
    /// Under which name the dates of a field by century are answered.
    pub fn calendar_name(field: &str) -> String {
        format!("{CALENDAR}{field}")
    }
    /// The numbers of a field, or the years of its dates, in steps of one, ten or a hundred, whichever make at most so
    /// many spans; only those that have something of these years, where some are given. Each value is a filter. The
    /// answer is named by [`FacetRequest::timeline_name`].
    pub fn timeline(field: &str, shown: Option<(i64, i64)>, spans: usize) -> Self {
        let (from, to) = shown.unwrap_or((1, 0));
        Self {
            field: format!("{TIMELINE}{from}..{to}{HELD}{field}"),
            limit: spans,
        }
    }
    /// Under which name a timeline is answered.
    pub fn timeline_name(field: &str) -> String {
        format!("{TIMELINE}{field}")
    }
    /// The years that are chosen, of a facet by century.
    pub(super) fn chosen_years(&self) -> Option<(i64, i64)> {
        years(self.field.strip_prefix(CALENDAR)?)
    }
    /// The years that are shown, of a timeline; the first is after the last where all are.
    pub(super) fn shown_years(&self) -> Option<(i64, i64)> {
        years(self.field.strip_prefix(TIMELINE)?)
    }
    /// The values of a field that have this text in them, accents and case aside.
    pub fn holding(field: &str, text: &str, limit: usize) -> Self {
        let text = fold(text.trim()).replace(HELD, "");
        Self {
            field: if text.is_empty() {
                field.to_owned()
            } else {
                format!("{HOLDING}{text}{HELD}{field}")
            },
            limit,
        }
    }
    /// The field that is counted, as the answer names it.
    pub fn name(&self) -> &str {
        match self
            .held()
            .or_else(|| self.field.strip_prefix(CALENDAR)?.split_once(HELD))
            .or_else(|| self.field.strip_prefix(TIMELINE)?.split_once(HELD))
        {
            Some((_, name)) => name,
            None => self.field.strip_prefix(SPREAD).unwrap_or(&self.field),
        }
    }
    fn held(&self) -> Option<(&str, &str)> {
        self.field.strip_prefix(HOLDING)?.split_once(HELD)
    }
    /// What the values that are listed have in them.
    pub(super) fn needle(&self) -> Option<&str> {
        self.held().map(|(text, _)| text)
    }
    /// Under which name its counts are kept: they are the same whichever values are listed.
    pub(super) fn counted(&self) -> &str {
        self.held().map_or(self.field.as_str(), |(_, name)| name)
    }
    pub(super) fn is_spread(&self) -> bool {
        [SPREAD, CALENDAR, TIMELINE]
            .iter()
            .any(|begin| self.field.starts_with(begin))
    }
}

/// `FROM..TO` before the name of a field.
fn years(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once(HELD)?.0.split_once("..")?;
    Some((from.parse().ok()?, to.parse().ok()?))
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
    /// Where a map was asked for.
    pub places: Option<Places>,
    /// Marker of the next page, if there is one.
    pub next: Option<String>,
    /// How far the index has followed the ledger.
    pub position: Position,
    /// Words to mark in what is shown, folded as the index folds them.
    pub marks: Vec<Mark>,
    /// What was understood or taken as plain text, for a hint below the box.
    pub hints: Vec<String>,
    /// What was asked for in the text and the tree together.
    pub understood: Option<Node>,
    /// The text with words that are there in the place of those that are not.
    pub instead: Option<String>,
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

/// A word that was looked for, as it is marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub token: String,
    /// Words that stand right behind it; it is marked with them only.
    pub then: Vec<String>,
    /// The last word is a beginning.
    pub prefix: bool,
    /// The token is a stem in this language.
    pub stem: Option<Tongue>,
    /// `*` in the token stands for any letters.
    pub pattern: bool,
    /// So many letters may be otherwise.
    pub typos: u8,
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
