//! The language of the search box: a text becomes a tree, and the tree is also what programs may send as JSON.
//!
//! `scan` finds where words end, `parse` puts conditions together, `fields` and `words` read single ones, `value`, `dates` and
//! `units` what stands in a field; `tree` is what comes out. Nothing is an error: what cannot be read as a rule is taken as words,
//! with a hint. Which fields there are is asked through [`Names`]; what the tree means to the index is `compile`'s business.

mod dates;
mod fields;
mod parse;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod units;
mod value;
mod words;

pub(super) use dates::Day;
#[cfg(test)]
pub(super) use dates::days;
pub(super) use parse::parse;
pub use tree::{How, Near, Node, Phrase, Span, Whole, Word};
pub use units::Unit;
pub(super) use value::{Bound, Range, bound, range, range_of};

use super::types::Sort;

/// Bytes of a question that are read.
pub const MAX_TEXT: usize = 10_000;
/// Conditions of a question that are followed.
pub const MAX_CLAUSES: usize = 256;
/// Groups within groups that are followed.
pub const MAX_DEPTH: usize = 24;
/// Words of one phrase that are followed.
pub(super) const MAX_PHRASE: usize = 32;

/// What fields are called. Only those the asker may know of are told.
pub(super) trait Names {
    /// The paths of the fields that are called so.
    fn fields(&self, name: &str) -> Vec<String>;
    /// The types that are called so.
    fn types(&self, name: &str) -> Vec<String>;
    /// Whether any type is a tree.
    fn has_trees(&self) -> bool {
        false
    }
    /// In what the numbers of a field are measured.
    fn unit(&self, path: &str) -> Option<Unit>;
}

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    /// Nothing: everything is asked for.
    pub tree: Option<Node>,
    /// What `sort:` says.
    pub sort: Option<Sort>,
    /// What was taken otherwise than it may have been meant.
    pub hints: Vec<String>,
}
