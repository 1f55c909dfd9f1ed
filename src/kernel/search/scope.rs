//! What a caller sees of each level, and the documents that follow from it.

use tantivy::Term;
use tantivy::query::{EmptyQuery, Occur, TermSetQuery};

use super::compile::{Boxed, all, any, term};
use super::schema::Fields;
use super::types::Shape;
use crate::kernel::access::{Level, Terms, Visibility};

/// What a caller sees of a level.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Guard {
    /// Of every document that is found at all.
    Free,
    /// Of documents with one of these terms.
    Terms(Vec<String>),
}

/// The levels a caller sees anything of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scope {
    pub levels: Vec<(Level, Guard)>,
    /// Who may be found at all; empty: everything.
    base: Vec<(Level, Vec<String>)>,
    nothing: bool,
    /// What the caller sees, as it was said.
    seen: Visibility,
    /// The types whose documents are only seen by the levels they were read at if those are today's.
    pub shapes: Vec<Shape>,
}

impl Scope {
    pub fn new(visibility: &Visibility, shapes: &[Shape]) -> Self {
        let sees_all = Level::ALL.iter().all(|level| *visibility.level(*level) == Terms::All);
        let shapes = shapes
            .iter()
            .filter(|shape| !sees_all && shape.strictest > Level::Public);
        let shapes = shapes.cloned().collect();
        let mut levels = Vec::new();
        let mut base = Vec::new();
        for level in Level::ALL {
            match visibility.level(level) {
                Terms::Any(terms) if terms.is_empty() => {}
                Terms::Any(terms) => {
                    levels.push((level, Guard::Terms(terms.clone())));
                    base.push((level, terms.clone()));
                }
                Terms::All => levels.push((level, Guard::Free)),
            }
        }
        let nothing = levels.is_empty();
        if levels.iter().any(|(_, guard)| *guard == Guard::Free) {
            base.clear();
        } else if let [(_, guard)] = levels.as_mut_slice() {
            // The fast path: with one level only, whoever is found at all passes it.
            *guard = Guard::Free;
        }
        Self {
            levels,
            base,
            nothing,
            seen: visibility.clone(),
            shapes,
        }
    }

    /// Whether there may be anything that the caller does not see.
    pub fn hides(&self) -> bool {
        let all = Level::ALL.iter().all(|level| *self.seen.level(*level) == Terms::All);
        !all
    }

    /// Whether the caller sees what carries one of these terms at a level.
    pub fn sees(&self, level: Level, terms: &[String]) -> bool {
        match self.seen.level(level) {
            Terms::All => true,
            Terms::Any(seen) => terms.iter().any(|term| seen.contains(term)),
        }
    }
}

/// The documents of a type that were read when its fields stood otherwise.
pub(super) fn outdated(fields: &Fields, shape: &Shape) -> Boxed {
    all(vec![
        (Occur::Must, term(fields.type_name, &shape.type_name)),
        (Occur::MustNot, term(fields.shape, &shape.term)),
    ])
}

/// Everything that may be found, of a kind and of types.
pub(super) fn base(fields: &Fields, scope: &Scope, kind: Option<&str>, types: &[String]) -> Boxed {
    if scope.nothing {
        return Box::new(EmptyQuery);
    }
    let mut parts: Vec<(Occur, Boxed)> = Vec::new();
    if !scope.base.is_empty() {
        let seen = scope.base.iter().map(|(level, terms)| visible(fields, *level, terms));
        parts.push((Occur::Must, any(seen.collect())));
    }
    if let Some(kind) = kind {
        parts.push((Occur::Must, term(fields.kind, kind)));
    }
    if !types.is_empty() {
        let named = types.iter().map(|name| term(fields.type_name, name));
        parts.push((Occur::Must, any(named.collect())));
    }
    all(parts)
}

/// The documents with one of these terms at a level.
pub(super) fn visible(fields: &Fields, level: Level, terms: &[String]) -> Boxed {
    let field = fields.visible[level as usize];
    match terms {
        [one] => term(field, one),
        many => Box::new(TermSetQuery::new(
            many.iter().map(|text| Term::from_field_text(field, text)),
        )),
    }
}
