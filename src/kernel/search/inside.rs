//! What is inside of something in a tree: which records of trees are meant by a name or an id, and what hangs below them.
//!
//! Documents carry the ids of everything they hang below, so a name is looked up when it is asked for and never goes stale.
//! Who may not see the field that says so, or the way through the tree, does not find by it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tantivy::query::{EmptyQuery, EnableScoring, Occur, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::answer::late;
use super::bits::Patience;
use super::compile::{Boxed, Compiler, all, any, silent};
use super::query::{Day, Node};
use super::schema::{Fields, INSIDE_KEY, START_KEY, key};
use super::scope::Scope;
use super::shared::View;
use super::suggest::is_found;
use super::text::{beginning, cut};
use super::types::{Inside, Query, Types};
use super::{Inner, MAX_TIME, store};
use crate::kernel::access::{Level, Visibility};
use crate::kernel::error::Result;

/// Records of trees that one name may stand for.
const MAX_PLACES: usize = 64;
/// Beginnings of titles that are looked at.
const MAX_TERMS: usize = 2_000;
/// Bytes of an id.
const ID: usize = 36;
/// Before an id: what has to be seen of the tree to know of it.
const BETWEEN: char = ':';

/// The term under which a document is found by what it is inside of.
pub(super) fn term_of(inside: &Inside) -> String {
    term(&inside.id, inside.through)
}

fn term(id: &str, through: Level) -> String {
    match through {
        Level::Public => id.to_owned(),
        level => format!("{}{BETWEEN}{id}", level.as_str()),
    }
}

/// Records of trees that a text stands for: id and type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub found: Vec<(String, String)>,
    /// Nothing is called so; these begin so.
    pub begin: bool,
}

/// How many documents hang right below something, and at any depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Below {
    pub children: u64,
    pub all: u64,
}

impl Compiler<'_> {
    /// The records of trees that are meant by an id or a title.
    pub fn places(&self, text: &str) -> tantivy::Result<Places> {
        let text = text.trim();
        let mut places = Places::default();
        if text.len() == ID && text.is_ascii() {
            let id = Term::from_field_text(self.fields.id, &text.to_lowercase());
            for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
                self.take(reader, (&self.around[at], None), &id, &mut places)?;
            }
        }
        let start = beginning(text);
        if !places.found.is_empty() || start.is_empty() {
            return Ok(places);
        }
        self.titled(&start, false, &mut places)?;
        if places.found.is_empty() {
            self.titled(&format!("{start} "), true, &mut places)?;
            places.begin = true;
        }
        Ok(places)
    }

    /// Those whose title is this, or begins so.
    fn titled(&self, start: &str, begins: bool, places: &mut Places) -> tantivy::Result<()> {
        for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
            let view = &self.around[at];
            for (level, guard) in &view.levels {
                let field = self.fields.exact[*level as usize];
                let wanted = Fields::json_term(field, START_KEY, start);
                if !begins {
                    self.take(reader, (view, guard.as_deref()), &wanted, places)?;
                    continue;
                }
                let index = reader.inverted_index(field)?;
                let first = wanted.serialized_value_bytes();
                let mut stream = index.terms().range().ge(first).into_stream()?;
                let mut looked = 0;
                while looked < MAX_TERMS && stream.advance() && stream.key().starts_with(first) {
                    looked += 1;
                    let mut postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
                    let mut doc = postings.doc();
                    while doc != TERMINATED && places.found.len() < MAX_PLACES {
                        if is_found(reader, view, guard.as_deref(), doc) {
                            self.take_one(reader, doc, places)?;
                        }
                        doc = postings.advance();
                    }
                }
            }
        }
        Ok(())
    }

    fn take(
        &self,
        reader: &SegmentReader,
        (view, guard): (&View, Option<&BitSet>),
        term: &Term,
        places: &mut Places,
    ) -> tantivy::Result<()> {
        let index = reader.inverted_index(term.field())?;
        let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else {
            return Ok(());
        };
        let mut doc = postings.doc();
        while doc != TERMINATED && places.found.len() < MAX_PLACES {
            if is_found(reader, view, guard, doc) {
                self.take_one(reader, doc, places)?;
            }
            doc = postings.advance();
        }
        Ok(())
    }

    /// Notes a document, if its type is a tree.
    fn take_one(&self, reader: &SegmentReader, doc: DocId, places: &mut Places) -> tantivy::Result<()> {
        let (id, type_name) = (text(reader, "id", doc)?, text(reader, "type", doc)?);
        let is_tree = self
            .lexicon
            .types
            .iter()
            .any(|named| named.name == type_name && named.tree.is_some());
        let one = (id, type_name);
        if is_tree && !places.found.contains(&one) {
            places.found.push(one);
        }
        Ok(())
    }

    /// What is inside of anything that is called so.
    pub fn inside(&self, text: &str) -> Boxed {
        // An error here shows again, and is reported, when the question itself is asked.
        self.inside_any(&self.places(text).unwrap_or_default().found)
    }

    /// What is inside of one of the chosen records of each tree that any was chosen of.
    pub fn inside_each(&self, chosen: &[&str]) -> Boxed {
        let mut trees: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for place in chosen
            .iter()
            .flat_map(|text| self.places(text).unwrap_or_default().found)
        {
            trees.entry(place.1.clone()).or_default().push(place);
        }
        if trees.is_empty() {
            return Box::new(EmptyQuery);
        }
        let each = trees.values().map(|places| (Occur::Must, self.inside_any(places)));
        all(each.collect())
    }

    fn inside_any(&self, places: &[(String, String)]) -> Boxed {
        let terms: Vec<String> = places.iter().flat_map(|(id, of)| self.terms(id, of)).collect();
        if terms.is_empty() {
            return Box::new(EmptyQuery);
        }
        self.leveled(&|level| {
            let field = self.fields.exact[level as usize];
            any(terms.iter().map(|term| one(field, term)).collect())
        })
    }

    /// The terms by which what is inside of a record of a tree is found by this caller.
    fn terms(&self, id: &str, type_name: &str) -> Vec<String> {
        let named = self.lexicon.types.iter().find(|named| named.name == type_name);
        let tree = named.and_then(|named| named.tree.as_ref());
        let seen = |level: &Level| {
            *level == Level::Public || tree.is_some_and(|terms| self.scope.sees(*level, &terms[*level as usize]))
        };
        Level::ALL
            .into_iter()
            .filter(seen)
            .map(|level| term(id, level))
            .collect()
    }

    /// What is to be said of what was looked for inside of things.
    pub fn told_inside(&self, tree: &Node) -> tantivy::Result<Vec<String>> {
        let mut names: Vec<&str> = Vec::new();
        tree.each(false, &mut |node, _| {
            if let Node::In(name) = node {
                names.push(name);
            }
        });
        let mut hints = Vec::new();
        for name in names {
            let (places, shown) = (self.places(name)?, cut(name, 60));
            let count = places.found.len();
            let many = if count >= MAX_PLACES { "The first " } else { "" };
            match (count, places.begin) {
                (0, _) => hints.push(format!("Nothing that others hang below is called \"{shown}\".")),
                (_, true) => hints.push(format!(
                    "Nothing that others hang below is called just \"{shown}\". {many}{count} whose names begin so were taken."
                )),
                (1, false) => {}
                (_, false) => hints.push(format!(
                    "{many}{count} are called \"{shown}\"; what is in any of them was looked for."
                )),
            }
        }
        Ok(hints)
    }

    /// Of the documents that a question finds, how many are inside of each of these records of a tree.
    fn spread_over(
        &self,
        found: &Query,
        tree: Option<&Node>,
        places: &[(String, String)],
    ) -> tantivy::Result<Vec<u64>> {
        let mut parts = self.clauses(tree, None);
        parts.extend(
            found
                .filters
                .iter()
                .map(|filter| (Occur::Must, silent(self.filter(filter)))),
        );
        let weight = all(parts).weight(EnableScoring::disabled_from_searcher(self.searcher))?;
        let terms: Vec<Vec<String>> = places.iter().map(|(id, of)| self.terms(id, of)).collect();
        let mut counts = vec![0; places.len()];
        for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
            let view = &self.views[at];
            let mut bits = BitSet::with_max_value(reader.max_doc());
            weight.for_each_no_score(reader, &mut |docs| {
                for doc in docs.iter().filter(|doc| is_found(reader, view, None, **doc)) {
                    bits.insert(*doc);
                }
            })?;
            for (count, terms) in counts.iter_mut().zip(&terms) {
                let mut seen = BitSet::with_max_value(if view.levels.len() * terms.len() > 1 {
                    reader.max_doc()
                } else {
                    0
                });
                for (level, guard) in &view.levels {
                    let field = self.fields.exact[*level as usize];
                    let index = reader.inverted_index(field)?;
                    for term in terms {
                        let term = Fields::json_term(field, INSIDE_KEY, term);
                        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                            continue;
                        };
                        let mut doc = postings.doc();
                        while doc != TERMINATED {
                            let is_in = bits.contains(doc) && guard.as_ref().is_none_or(|guard| guard.contains(doc));
                            if is_in && (seen.max_value() == 0 || seen.insert(doc)) {
                                *count += 1;
                            }
                            doc = postings.advance();
                        }
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Documents with one of these terms under a key, that the caller may find.
    fn count(&self, key: &str, terms: &[String]) -> tantivy::Result<u64> {
        let mut count = 0;
        for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
            let view = &self.around[at];
            // A document may say it at several levels, and through several links.
            let mut lists = Vec::new();
            for (level, guard) in &view.levels {
                let field = self.fields.exact[*level as usize];
                let index = reader.inverted_index(field)?;
                for term in terms {
                    let term = Fields::json_term(field, key, term);
                    if let Some(postings) = index.read_postings(&term, IndexRecordOption::Basic)? {
                        lists.push((postings, guard.clone()));
                    }
                }
            }
            if let [(postings, guard)] = lists.as_mut_slice() {
                if reader.alive_bitset().is_none() && view.found.is_none() && guard.is_none() {
                    count += u64::from(postings.size_hint());
                    continue;
                }
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    count += u64::from(is_found(reader, view, guard.as_deref(), doc));
                    doc = postings.advance();
                }
                continue;
            }
            let mut seen = BitSet::with_max_value(reader.max_doc());
            for (mut postings, guard) in lists {
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    if is_found(reader, view, guard.as_deref(), doc) && seen.insert(doc) {
                        count += 1;
                    }
                    doc = postings.advance();
                }
            }
        }
        Ok(count)
    }
}

fn one(field: Field, term: &str) -> Boxed {
    Box::new(TermQuery::new(
        Fields::json_term(field, INSIDE_KEY, term),
        IndexRecordOption::Basic,
    ))
}

fn text(reader: &SegmentReader, column: &str, doc: DocId) -> tantivy::Result<String> {
    let mut text = String::new();
    if let Some(texts) = reader.fast_fields().str(column)?
        && let Some(ord) = texts.ords().first(doc)
    {
        texts.ord_to_str(ord, &mut text)?;
    }
    Ok(text)
}

impl Inner {
    /// See [`super::Search::spread_over`]; blocks.
    pub(super) fn spread_over(&self, query: &Query, places: &[(String, String)], types: &Types) -> Result<Vec<u64>> {
        let (_, searcher) = self.searcher()?;
        let patience = Arc::new(Patience::until(Instant::now() + MAX_TIME));
        let scope = Scope::new(&query.visibility, &types.shapes);
        let warm = self.shared.of(&searcher);
        let kind = query.kind.as_deref();
        let views = self
            .views(&searcher, &warm, &scope, kind, &query.types)
            .map_err(store::broken)?;
        let around = self.views(&searcher, &warm, &scope, kind, &[]).map_err(store::broken)?;
        let mut compiler = Compiler {
            around: &around,
            types: &query.types,
            patience: patience.clone(),
            ..Compiler::new(
                (&self.fields, &searcher),
                &scope,
                &views,
                &types.lexicon,
                Day::of(self.clock.now()),
            )
        };
        let settled = compiler
            .read(&query.text, query.tree.as_ref(), query.typing)
            .map_err(store::broken)?;
        let counts = compiler
            .spread_over(query, settled.parsed.tree.as_ref(), places)
            .map_err(store::broken)?;
        // A condition that ran out of time has found less than there is.
        if patience.is_over() { Err(late()) } else { Ok(counts) }
    }
}

/// Of a tree: its type, and the field that says what a record hangs below.
#[derive(Clone, Debug)]
pub struct InTree {
    pub type_name: String,
    pub parent: String,
}

impl Inner {
    /// See [`super::Search::below`]; blocks.
    pub(super) fn below(
        &self,
        (kind, tree): (&str, &InTree),
        ids: &[String],
        visibility: &Visibility,
        types: &Types,
    ) -> Result<HashMap<String, Below>> {
        let (_, searcher) = self.searcher()?;
        let scope = Scope::new(visibility, &types.shapes);
        let warm = self.shared.of(&searcher);
        let views: Vec<Arc<View>> = self
            .views(&searcher, &warm, &scope, Some(kind), &[])
            .map_err(store::broken)?;
        let compiler = Compiler::new(
            (&self.fields, &searcher),
            &scope,
            &views,
            &types.lexicon,
            Day::of(self.clock.now()),
        );
        let mut counts = HashMap::with_capacity(ids.len());
        for id in ids {
            let terms = compiler.terms(id, &tree.type_name);
            let below = Below {
                children: compiler
                    .count(&key(&tree.parent), std::slice::from_ref(id))
                    .map_err(store::broken)?,
                all: compiler.count(INSIDE_KEY, &terms).map_err(store::broken)?,
            };
            counts.insert(id.clone(), below);
        }
        Ok(counts)
    }
}
