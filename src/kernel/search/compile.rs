//! From a question to the engine's queries, with visibility inside each condition.
//!
//! A condition holds for a document if it holds at some level whose terms cover that document:
//! `(public AND visible_public) OR (members AND visible_members) OR …`. This is so for words, filters and their
//! opposites alike, so that nobody can probe a field that is hidden from them.

use std::sync::Arc;

use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::bits::{Bits, BitsQuery, Patience};
use super::column::{ColumnTest, Test, TextTest};
use super::heavy::Heavy;
use super::near::{Part, WithinReach};
use super::query::{Bound, Day, Names, Node, Range, Span, Unit, Whole, bound, range, range_of};
use super::schema::{ALL_KEY, Fields, NAMES_KEY, START_KEY, TITLE_KEY, key};
use super::scope::Scope;
use super::shared::{SeenQuery, View};
use super::text::{MAX_VALUE, beginning, cut};
use super::types::{Filter, Lexicon, Tongue};
use super::without::Without;
use super::words::placed_words;
use crate::kernel::access::Level;

/// How much more a title weighs that is what was asked for.
const SAME_TITLE: f32 = 50.0;

/// The filter that stands for what is inside of something, where no field is called so.
pub const INSIDE: &str = "in";

pub(super) type Boxed = Box<dyn Query>;

/// Builds queries for one searcher and one caller.
pub(super) struct Compiler<'a> {
    pub fields: &'a Fields,
    pub searcher: &'a Searcher,
    pub scope: &'a Scope,
    /// What of each segment the caller may find, in their order.
    pub views: &'a [Arc<View>],
    /// The same, whichever types are asked for.
    pub around: &'a [Arc<View>],
    /// Whether matches are weighed.
    pub scoring: bool,
    /// What people call things.
    pub lexicon: &'a Lexicon,
    /// The types asked for; empty: all.
    pub types: &'a [String],
    pub today: Day,
    /// The languages of texts the caller sees any of.
    pub tongues: Vec<Tongue>,
    /// The fields whose words weigh more, where matches are weighed.
    pub heavy: Vec<Heavy>,
    pub patience: Arc<Patience>,
}

impl<'a> Compiler<'a> {
    /// For questions that weigh nothing and ask for all types that are viewed.
    pub fn new(
        (fields, searcher): (&'a Fields, &'a Searcher),
        scope: &'a Scope,
        views: &'a [Arc<View>],
        lexicon: &'a Lexicon,
        today: Day,
    ) -> Self {
        Self {
            fields,
            searcher,
            scope,
            views,
            around: views,
            scoring: false,
            lexicon,
            types: &[],
            today,
            tongues: Vec::new(),
            heavy: Vec::new(),
            patience: Arc::default(),
        }
    }
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

    /// Under which key the words of a field stand.
    pub fn key_of(&self, field: Option<&str>) -> String {
        match field {
            None => ALL_KEY.to_owned(),
            Some("title") if !self.known("title") => TITLE_KEY.to_owned(),
            Some(name) => key(name),
        }
    }

    /// What meets a tree; who may find it is the views' business. `title` is asked for as a whole, too: what is called so
    /// comes first.
    pub fn clauses(&self, tree: Option<&Node>, title: Option<&str>) -> Vec<(Occur, Boxed)> {
        let Some(tree) = tree else { return Vec::new() };
        let mut parts = self.parts(tree);
        let start = title.map(beginning).filter(|start| !start.is_empty());
        if let (true, Some(start)) = (self.scoring, start) {
            let called = self.leveled(&|level| {
                let exact = self.fields.exact[level as usize];
                let same = TermQuery::new(Fields::json_term(exact, START_KEY, &start), IndexRecordOption::Basic);
                Box::new(BoostQuery::new(
                    Box::new(ConstScoreQuery::new(Box::new(same), 1.0)),
                    SAME_TITLE,
                ))
            });
            if parts.iter().any(|(occur, _)| *occur == Occur::Must) {
                parts.push((Occur::Should, called));
            }
        }
        parts
    }

    fn parts(&self, tree: &Node) -> Vec<(Occur, Boxed)> {
        match tree {
            Node::And(nodes) => nodes.iter().flat_map(|node| self.parts(node)).collect(),
            Node::Not(node) => vec![(Occur::MustNot, Box::new(Without(self.node(node, false))))],
            node => vec![(Occur::Must, self.node(node, true))],
        }
    }

    /// Each single condition holds at some level; whatever joins them joins documents, so that a hidden field tells nothing
    /// by its opposite either.
    fn node(&self, node: &Node, weighs: bool) -> Boxed {
        match node {
            Node::And(_) | Node::Not(_) => all(self.parts(node)),
            Node::Or(nodes) => any(nodes.iter().map(|node| self.node(node, weighs)).collect()),
            Node::Near(near) => self.place(&Part::Near(near.clone())),
            Node::Within(area) => self.place(&Part::Within(*area)),
            Node::In(name) => silent(self.inside(name)),
            node => match self.own(node) {
                Some(query) => query,
                None => self.leveled(&|level| self.leaf(level, node, weighs)),
            },
        }
    }

    /// The documents with a place in a part of the earth.
    pub fn place(&self, part: &Part) -> Boxed {
        self.leveled(&|level| self.bits(WithinReach::new(level, part.clone())))
    }

    /// A condition that is decided for a whole segment at once.
    pub fn bits<B: Bits>(&self, of: B) -> Boxed {
        Box::new(BitsQuery::new(of, &self.patience))
    }

    /// What every document has beside its fields: its type, its id, when it was made and changed.
    fn own(&self, node: &Node) -> Option<Boxed> {
        let field = node.field()?;
        if !matches!(field, "type" | "id" | "created" | "updated") || self.known(field) {
            return None;
        }
        let text = match node {
            Node::Is(Whole { value, .. }) => Some(value.as_str()),
            Node::Word(word) => Some(word.text.as_str()),
            Node::Phrase(phrase) => Some(phrase.text.as_str()),
            _ => None,
        };
        Some(match (field, text) {
            ("type", Some(text)) => term(self.fields.type_name, text),
            ("id", Some(text)) => term(self.fields.id, text),
            ("created" | "updated", _) => self.stamp(field, node, text),
            _ => silent(Box::new(AllQuery)),
        })
    }

    fn stamp(&self, field: &str, node: &Node, text: Option<&str>) -> Boxed {
        let range = match (node, text) {
            (Node::Range(span), _) => range_of(span, self.today, None),
            (Node::Filled(_), _) => return silent(Box::new(AllQuery)),
            (_, Some(text)) => bound(text, true, self.today, None).map(|end| Range {
                low: Some(end.clone()),
                high: Some(end),
            }),
            _ => None,
        };
        match range.and_then(|range| Test::times(&range)) {
            Some(test) => silent(self.bits(ColumnTest::plain(field, test))),
            None => Box::new(EmptyQuery),
        }
    }

    fn leaf(&self, level: Level, node: &Node, weighs: bool) -> Boxed {
        let text = self.fields.text[level as usize];
        match node {
            Node::Word(word) => {
                let here = self.word(level, &self.key_of(word.field.as_deref()), word);
                if self.scoring && weighs && word.field.is_none() {
                    return self.weighed_word(level, word, here);
                }
                here
            }
            Node::Phrase(phrase) => {
                let here = self.phrase(level, &self.key_of(phrase.field.as_deref()), phrase);
                if self.scoring && weighs && phrase.field.is_none() {
                    return self.weighed_phrase(level, phrase, here);
                }
                here
            }
            Node::Is(whole) => {
                let key = self.key_of(Some(&whole.field));
                let unit = self.unit(&whole.field);
                let mut choices = vec![self.value(level, &key, &whole.value, Some(unit))];
                let tokens = placed_words(&whole.value);
                if !whole.exactly && !tokens.is_empty() {
                    choices.push(self.words(text, &key, &tokens, false));
                }
                any(choices)
            }
            Node::Range(span) => self.range(level, span),
            Node::Filled(name) => self.named(level, name),
            // Joined conditions and texts have been taken apart before.
            _ => Box::new(EmptyQuery),
        }
    }

    fn range(&self, level: Level, span: &Span) -> Boxed {
        match range_of(span, self.today, self.unit(&span.field)) {
            Some(range) => self.bits(ColumnTest::new(level, &key(&span.field), Test::Within(range))),
            None => Box::new(EmptyQuery),
        }
    }

    /// The documents that a filter lets through.
    pub fn filter(&self, filter: &Filter) -> Boxed {
        if filter.field == INSIDE && !self.known(INSIDE) {
            let names: Vec<&str> = filter.values.iter().flatten().map(String::as_str).collect();
            return self.inside_each(&names);
        }
        let key = key(&filter.field);
        let choices = filter.values.iter().map(|value| match value {
            Some(value) => self.leveled(&|level| self.value(level, &key, value, None)),
            None => {
                let present = self.leveled(&|level| self.named(level, &filter.field));
                all(vec![(Occur::MustNot, Box::new(Without(present)))])
            }
        });
        any(choices.collect())
    }

    /// The visible levels at which anything stands, with their places among the visible ones.
    pub fn filled_levels(&self) -> impl Iterator<Item = (usize, Level)> {
        let is_filled = |place: usize| self.views.iter().any(|view| view.filled[place]);
        let levels = self.scope.levels.iter().enumerate();
        levels
            .filter(move |(place, _)| is_filled(*place))
            .map(|(place, (level, _))| (place, *level))
    }

    /// The condition at each visible level, each together with who is visible at that level.
    pub fn leveled(&self, at: &dyn Fn(Level) -> Boxed) -> Boxed {
        let levels = self
            .filled_levels()
            .map(|(n, level)| match SeenQuery::new(self.searcher, self.views, n) {
                Some(seen) => all(vec![(Occur::Must, silent(Box::new(seen))), (Occur::Must, at(level))]),
                None => at(level),
            });
        any(levels.collect())
    }

    /// The documents that have this value: as a text, a number, a truth value or within a span. A year or month is
    /// all its days if it was typed, and a number may have a unit; a value that was counted (`typed` is `None`) stands for
    /// itself only, so that its number and its list agree.
    fn value(&self, level: Level, key: &str, value: &str, typed: Option<Option<Unit>>) -> Boxed {
        let exact = Fields::json_term(self.fields.exact[level as usize], key, cut(value, MAX_VALUE));
        // A text that is no column is counted by its beginning. An error here shows again where it is asked.
        let is_begun = typed.is_none() && self.searcher.doc_freq(&exact).unwrap_or(0) == 0;
        let mut choices: Vec<Boxed> = vec![Box::new(TermQuery::new(exact, IndexRecordOption::Basic))];
        if is_begun {
            choices.push(self.bits(TextTest::new(level, key, value)));
        }
        let mut column = |test| choices.push(self.bits(ColumnTest::new(level, key, test)));
        let end = match typed {
            Some(unit) => bound(value, true, self.today, unit),
            None => bound(value, true, self.today, None).filter(|_| value.parse::<f64>().is_ok()),
        };
        if let Some(end) = end.filter(|end| typed.is_some() || end.number.is_some()) {
            let end = Some(Bound {
                days: end.days.filter(|_| typed.is_some()),
                ..end
            });
            column(Test::Within(Range {
                low: end.clone(),
                high: end,
            }));
        } else if let Ok(yes) = value.parse::<bool>() {
            column(Test::Is(yes));
        } else if let Some(span) = range("", value, self.today)
            && let Some(range) = range_of(&span, self.today, None)
        {
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

pub(super) fn term(field: Field, text: &str) -> Boxed {
    Box::new(TermQuery::new(
        Term::from_field_text(field, text),
        IndexRecordOption::Basic,
    ))
}

/// A condition that must hold and weighs nothing.
pub(super) fn silent(query: Boxed) -> Boxed {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

pub(super) fn any(mut choices: Vec<Boxed>) -> Boxed {
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
