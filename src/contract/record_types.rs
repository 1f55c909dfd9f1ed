//! Types of records and their fields, as other modules see them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::numbering::Numbering;
use crate::kernel::access::Level;

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

/// How much a word in a field weighs in an order by relevance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    #[default]
    Usual,
    More,
    Most,
}

impl Weight {
    pub const ALL: [Self; 3] = [Self::Usual, Self::More, Self::Most];

    /// As it is written in a definition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::More => "more",
            Self::Most => "most",
        }
    }
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
    /// The heading, by language, of the section of the form that begins with this field and goes on to the next one.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub section: Map<String, Value>,
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
    /// How much a word in it weighs in an order by relevance.
    #[serde(default, skip_serializing_if = "is_usual")]
    #[schema(inline)]
    pub weight: Weight,
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
    /// For texts: written with the marks of Markdown (`*emphasis*`, lists, links), and shown so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rich: bool,
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

/// The ranks of a tree, as taxa have them: nothing hangs below something of its own rank or a lower one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ranks {
    /// The field that says the rank of a record.
    pub field: String,
    /// From the top down. Ranks that are not named here are not compared.
    pub order: Vec<String>,
}

impl Ranks {
    /// How far down a rank stands; capitals say nothing.
    pub fn place(&self, rank: &str) -> Option<usize> {
        let rank = rank.trim();
        let same = |one: &String| one.eq_ignore_ascii_case(rank) || one.to_lowercase() == rank.to_lowercase();
        if rank.is_empty() {
            None
        } else {
            self.order.iter().position(same)
        }
    }
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
fn is_usual(weight: &Weight) -> bool {
    *weight == Weight::Usual
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
    /// In a tree: the ranks of its records, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub ranks: Option<Ranks>,
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
    /// Whether a search finds it by its words. A whole number, such as a year, is one; a measure is found by its field only
    /// (`height:12.5`), else every short number would find half the collection.
    pub fn has_words(&self) -> bool {
        !matches!(self.kind, FieldKind::Number | FieldKind::Boolean | FieldKind::Group)
    }

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
