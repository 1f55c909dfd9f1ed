//! From a question to the engine's queries, with visibility inside each condition.
//!
//! A condition holds for a document if it holds at some level whose terms cover that document:
//! `(public AND visible_public) OR (members AND visible_members) OR …`. This is so for words, filters and their
//! opposites alike, so that nobody can probe a field that is hidden from them.

use std::sync::Arc;

use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query,
    TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::column::{ColumnQuery, Test};
use super::parse::{Clause, What};
use super::schema::{ALL_KEY, Fields, NAMES_KEY, TITLE_KEY, key};
use super::shared::{SeenQuery, View};
use super::span::{self, Bound, Range};
use super::text::{MAX_VALUE, cut};
use super::types::{Filter, Shape};
use crate::kernel::access::{Level, Terms, Visibility};

/// How much more a word in the title weighs.
const TITLE_WEIGHT: f32 = 2.5;
/// Words a beginning may stand for, in each segment.
const MAX_EXPANSIONS: u32 = 20_000;

type Boxed = Box<dyn Query>;

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
            shapes,
        }
    }
}

/// Builds queries for one searcher and one caller.
pub(super) struct Compiler<'a> {
    pub fields: &'a Fields,
    pub searcher: &'a Searcher,
    pub scope: &'a Scope,
    /// What of each segment the caller may find, in their order.
    pub views: &'a [Arc<View>],
    /// Whether matches are weighed.
    pub scoring: bool,
}

impl Compiler<'_> {
    /// Whether any visible level has a field of this name.
    pub fn known(&self, name: &str) -> bool {
        self.scope.levels.iter().any(|(level, _)| {
            let term = Fields::json_term(self.fields.exact[*level as usize], NAMES_KEY, cut(name, MAX_VALUE));
            // An error here shows again, and is reported, when the question itself is asked.
            self.searcher.doc_freq(&term).unwrap_or(0) > 0
        })
    }

    /// A hint for each beginning that stands for more words than are followed.
    pub fn cut_beginnings(&self, clauses: &[Clause]) -> tantivy::Result<Vec<String>> {
        let mut hints = Vec::new();
        for clause in clauses {
            let What::Words { tokens, prefix: true } = &clause.what else {
                continue;
            };
            let Some(start) = tokens.last() else { continue };
            let name = clause.field.as_deref().map_or_else(|| ALL_KEY.to_owned(), key);
            if self.expands_too_far(&name, start)? {
                hints.push(format!(
                    "More than {MAX_EXPANSIONS} words begin with \"{start}\"; only the first of them were looked for."
                ));
            }
        }
        Ok(hints)
    }

    /// Only levels the caller sees are looked at: other words than theirs tell nothing.
    fn expands_too_far(&self, key: &str, start: &str) -> tantivy::Result<bool> {
        for reader in self.searcher.segment_readers() {
            for (level, _) in &self.scope.levels {
                let field = self.fields.text[*level as usize];
                let term = Fields::json_term(field, key, start);
                let first = term.serialized_value_bytes();
                let index = reader.inverted_index(field)?;
                let mut words = index.terms().range().ge(first).into_stream()?;
                let mut count = 0;
                while count <= MAX_EXPANSIONS && words.advance() && words.key().starts_with(first) {
                    count += 1;
                }
                if count > MAX_EXPANSIONS {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What meets all clauses; who may find it is the views' business.
    pub fn clauses(&self, clauses: &[Clause]) -> Vec<(Occur, Boxed)> {
        let parts = clauses.iter().map(|clause| {
            let occur = if clause.negated { Occur::MustNot } else { Occur::Must };
            (occur, self.leveled(&|level| self.clause(level, clause)))
        });
        parts.collect()
    }

    /// The documents that a filter lets through.
    pub fn filter(&self, filter: &Filter) -> Boxed {
        let key = key(&filter.field);
        let choices = filter.values.iter().map(|value| match value {
            Some(value) => self.leveled(&|level| self.value(level, &key, value, false)),
            None => {
                let present = self.leveled(&|level| self.named(level, &filter.field));
                all(vec![(Occur::MustNot, present)])
            }
        });
        any(choices.collect())
    }

    /// The condition at each visible level, each together with who is visible at that level.
    pub fn leveled(&self, at: &dyn Fn(Level) -> Boxed) -> Boxed {
        let levels = self.scope.levels.iter().enumerate().map(|(n, (level, _))| {
            match SeenQuery::new(self.searcher, self.views, n) {
                Some(seen) => all(vec![(Occur::Must, silent(Box::new(seen))), (Occur::Must, at(*level))]),
                None => at(*level),
            }
        });
        any(levels.collect())
    }

    fn clause(&self, level: Level, clause: &Clause) -> Boxed {
        let text = self.fields.text[level as usize];
        let Some(name) = &clause.field else {
            let What::Words { tokens, prefix } = &clause.what else {
                return Box::new(EmptyQuery);
            };
            let anywhere = self.words(text, ALL_KEY, tokens, *prefix);
            if !self.scoring || clause.negated {
                return anywhere;
            }
            let title = BoostQuery::new(self.words(text, TITLE_KEY, tokens, *prefix), TITLE_WEIGHT);
            return Box::new(BooleanQuery::new(vec![
                (Occur::Must, anywhere),
                (Occur::Should, Box::new(title)),
            ]));
        };
        let key = key(name);
        match &clause.what {
            What::Words { tokens, prefix } => self.words(text, &key, tokens, *prefix),
            What::Whole { value, tokens } => {
                let mut choices = vec![self.value(level, &key, value, true)];
                if !tokens.is_empty() {
                    choices.push(self.words(text, &key, tokens, false));
                }
                any(choices)
            }
            What::Range(range) => Box::new(ColumnQuery::new(level, &key, Test::Within(range.clone()))),
            What::Any => self.named(level, name),
        }
    }

    pub fn words(&self, field: Field, key: &str, tokens: &[String], prefix: bool) -> Boxed {
        let mut terms: Vec<Term> = tokens
            .iter()
            .map(|token| Fields::json_term(field, key, token))
            .collect();
        if prefix {
            let mut query = PhrasePrefixQuery::new(terms);
            query.set_max_expansions(MAX_EXPANSIONS);
            return Box::new(query);
        }
        if terms.len() == 1 {
            return Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::WithFreqs));
        }
        Box::new(PhraseQuery::new(terms))
    }

    /// The documents that have this value: as a text, a number, a truth value or within a span. A year or month is
    /// all its days if `days`; a value that was counted stands for itself only, so that its number and its list agree.
    fn value(&self, level: Level, key: &str, value: &str, days: bool) -> Boxed {
        let exact = Fields::json_term(self.fields.exact[level as usize], key, cut(value, MAX_VALUE));
        let mut choices: Vec<Boxed> = vec![Box::new(TermQuery::new(exact, IndexRecordOption::Basic))];
        let mut column = |test| choices.push(Box::new(ColumnQuery::new(level, key, test)));
        if let Some(end) = span::bound(value, true).filter(|end| days || end.number.is_some()) {
            let end = Some(Bound {
                days: end.days.filter(|_| days),
                ..end
            });
            column(Test::Within(Range {
                low: end.clone(),
                high: end,
            }));
        } else if let Ok(yes) = value.parse::<bool>() {
            column(Test::Is(yes));
        } else if let Some(range) = span::range(value) {
            column(Test::Within(range));
        }
        any(choices)
    }

    /// The documents that have any value in a field.
    fn named(&self, level: Level, name: &str) -> Boxed {
        let named = Fields::json_term(self.fields.exact[level as usize], NAMES_KEY, cut(name, MAX_VALUE));
        Box::new(TermQuery::new(named, IndexRecordOption::Basic))
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

fn term(field: Field, text: &str) -> Boxed {
    Box::new(TermQuery::new(
        Term::from_field_text(field, text),
        IndexRecordOption::Basic,
    ))
}

/// A condition that must hold and weighs nothing.
fn silent(query: Boxed) -> Boxed {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

fn any(mut choices: Vec<Boxed>) -> Boxed {
    match choices.len() {
        0 => Box::new(EmptyQuery),
        1 => choices.remove(0),
        _ => Box::new(BooleanQuery::new(
            choices.into_iter().map(|query| (Occur::Should, query)).collect(),
        )),
    }
}

/// All parts together; with nothing asked for, or only what must not be, everything else.
pub(super) fn all(mut parts: Vec<(Occur, Boxed)>) -> Boxed {
    if parts.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        parts.push((Occur::Must, silent(Box::new(AllQuery))));
    }
    match parts.len() {
        1 => parts.remove(0).1,
        _ => Box::new(BooleanQuery::new(parts)),
    }
}
