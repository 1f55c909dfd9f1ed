//! The tree of a question, as it is understood, told and sent as JSON. Each node is an object with one key.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::geo::Area;

/// A condition, or several of them together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Node {
    /// All of them hold.
    #[schema(no_recursion)]
    And(Vec<Node>),
    /// One of them holds at least.
    #[schema(no_recursion)]
    Or(Vec<Node>),
    /// It does not hold.
    #[schema(no_recursion)]
    Not(Box<Node>),
    /// A word stands in a field, or anywhere.
    Word(Word),
    /// Words stand beside each other.
    Phrase(Phrase),
    /// A field has this value: the whole of it, these words beside each other within it, or this number or date.
    Is(Whole),
    /// A number or date lies in a span.
    Range(Span),
    /// The field with this path has a value.
    Filled(String),
    /// A place lies within a distance.
    Near(Near),
    /// A place lies in a box.
    Within(Area),
    /// It hangs below something of a tree, or leads to something that does: what is called so, or has this id.
    In(String),
    /// A question as it is written into the search box.
    Text(String),
}

/// A word to look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// What is looked for; a code of several parts, such as `79.66.115`, is its parts beside each other.
    #[schema(example = "teapot")]
    pub text: String,
    /// Only in the field with this path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "How::is_plain")]
    pub how: How,
}

/// How a word is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The word, in any of its forms where the language of the text is known.
    #[default]
    Plain,
    /// Words that begin so.
    Begin,
    /// Words with this in them; `*` stands for any letters.
    Pattern,
    /// The word and those with one letter or two neighbours otherwise.
    Fuzzy,
    /// The same with two letters otherwise.
    Fuzzier,
    /// The title is this and nothing more, whatever its case and accents; `*` stands for any letters. In a field: the whole
    /// value, letter by letter.
    Called,
}

impl How {
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// Words beside each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    #[schema(example = "oil on canvas")]
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How many places the words may be moved by.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(maximum = 20)]
    pub slop: u8,
    /// The last word is a beginning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub begin: bool,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    pub field: String,
    #[schema(example = "Porcelain")]
    pub value: String,
    /// Nothing but this value, letter by letter.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exactly: bool,
}

/// Numbers or dates between two ends. Ends are numbers, perhaps with a unit (`2kg`), or dates as in the search box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub field: String,
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1850")]
    pub from: Option<String>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1900")]
    pub to: Option<String>,
    /// More than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// Less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
}

/// A circle on the earth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Near {
    #[schema(example = 59.33)]
    pub latitude: f64,
    #[schema(example = 18.07)]
    pub longitude: f64,
    #[schema(example = 10.0)]
    pub km: f64,
}

fn is_zero(value: &u8) -> bool {
    *value == 0
}
fn is_false(value: &bool) -> bool {
    !value
}

impl Node {
    /// All of these; none of them is nothing asked for.
    pub fn all(mut nodes: Vec<Self>) -> Option<Self> {
        match nodes.len() {
            0 => None,
            1 => nodes.pop(),
            _ => Some(Self::And(nodes)),
        }
    }

    /// One of these.
    pub fn any(mut nodes: Vec<Self>) -> Option<Self> {
        match nodes.len() {
            0 => None,
            1 => nodes.pop(),
            _ => Some(Self::Or(nodes)),
        }
    }

    /// Single conditions in it.
    pub fn size(&self) -> usize {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().map(Self::size).sum(),
            Self::Not(node) => node.size(),
            _ => 1,
        }
    }

    /// The field it asks about by itself.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Word(word) => word.field.as_deref(),
            Self::Phrase(phrase) => phrase.field.as_deref(),
            Self::Is(whole) => Some(&whole.field),
            Self::Range(span) => Some(&span.field),
            Self::Filled(field) => Some(field),
            _ => None,
        }
    }

    /// Every node of it, itself first; with whether it must not hold.
    pub fn each<'a>(&'a self, negated: bool, look: &mut dyn FnMut(&'a Self, bool)) {
        look(self, negated);
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|node| node.each(negated, look)),
            Self::Not(node) => node.each(!negated, look),
            _ => {}
        }
    }

    /// Says more than words that must all be there.
    pub fn is_more_than_words(&self) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().any(Self::is_more_than_words),
            Self::Word(word) => word.field.is_some() || !word.how.is_plain(),
            _ => true,
        }
    }
}

/// As it could be written into the search box.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(nodes) => joined(f, nodes, " AND "),
            Self::Or(nodes) => joined(f, nodes, " OR "),
            Self::Not(node) => {
                f.write_str("NOT ")?;
                within(f, node)
            }
            Self::Word(word) => {
                named(f, word.field.as_deref())?;
                match word.how {
                    How::Plain | How::Pattern => f.write_str(&word.text),
                    How::Begin => write!(f, "{}*", word.text),
                    How::Fuzzy => write!(f, "{}~", word.text),
                    How::Fuzzier => write!(f, "{}~2", word.text),
                    How::Called => write!(f, "==\"{}\"", word.text),
                }
            }
            Self::Phrase(phrase) => {
                named(f, phrase.field.as_deref())?;
                write!(f, "\"{}{}\"", phrase.text, if phrase.begin { "*" } else { "" })?;
                if phrase.slop > 0 {
                    write!(f, "~{}", phrase.slop)?;
                }
                Ok(())
            }
            Self::Is(whole) => {
                named(f, Some(&whole.field))?;
                if whole.exactly {
                    f.write_str("=")?;
                }
                write!(f, "\"{}\"", whole.value)
            }
            Self::Range(span) => {
                named(f, Some(&span.field))?;
                match (&span.above, &span.below, &span.from, &span.to) {
                    (Some(above), ..) => write!(f, ">{above}"),
                    (_, Some(below), ..) => write!(f, "<{below}"),
                    (.., from, to) => {
                        let end = |text: &Option<String>| text.clone().unwrap_or_default();
                        write!(f, "{}..{}", end(from), end(to))
                    }
                }
            }
            Self::Filled(field) => {
                named(f, Some(field))?;
                f.write_str("*")
            }
            Self::Near(near) => write!(f, "near:{},{}~{}km", near.latitude, near.longitude, near.km),
            Self::Within(area) => write!(f, "within:{area}"),
            Self::In(name) => write!(f, "in:\"{name}\""),
            Self::Text(text) => write!(f, "({text})"),
        }
    }
}

fn named(f: &mut fmt::Formatter<'_>, field: Option<&str>) -> fmt::Result {
    match field {
        Some(field) if field.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '(' | ')' | '|')) => {
            write!(f, "\"{field}\":")
        }
        Some(field) => write!(f, "{field}:"),
        None => Ok(()),
    }
}

fn within(f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
    match node {
        Node::And(_) | Node::Or(_) => write!(f, "({node})"),
        _ => write!(f, "{node}"),
    }
}

fn joined(f: &mut fmt::Formatter<'_>, nodes: &[Node], between: &str) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        within(f, node)?;
    }
    Ok(())
}
