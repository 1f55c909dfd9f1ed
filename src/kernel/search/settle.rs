//! Between reading a question and asking it: what fields are called, texts within a tree, the word that is still being
//! typed, and words that stand nowhere, which are looked for by others written much like them.
//!
//! Whether a word stands somewhere is asked of what the caller may find only: else a hint would tell what hidden records
//! hold.

use std::collections::HashMap;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

use super::budget;
use super::compile::Compiler;
use super::query::{How, MAX_DEPTH, Names, Node, Parsed, Unit, Word, parse};
use super::schema::Fields;
use super::stem::MARK;
use super::suggest::is_found;
use super::text::{cut, fold};
use super::types::NamedField;
use super::words::{MAX_EXPANSIONS, phrase_words};

/// Fields that one name may stand for.
const MAX_NAMED: usize = 16;
/// Letters that a word has at least to be looked for by others, and from which on two letters may be otherwise.
const TYPO: usize = 4;
const TWO_TYPOS: usize = 8;
/// Words like one that are named, and records counted of each.
const NAMED: usize = 3;
const COUNTED: u64 = 200;
/// Words that are looked for by others, at most.
const MAX_TYPOS: usize = 6;

/// What every document has.
const OWN: [&str; 4] = ["created", "updated", "id", "title"];

impl Names for Compiler<'_> {
    fn fields(&self, name: &str) -> Vec<String> {
        if self.known(name) {
            return vec![name.to_owned()];
        }
        let called = fold(name.trim());
        let mut paths: Vec<String> = Vec::new();
        for field in self.named_types().flat_map(|named| &named.fields) {
            let meant = self.sees(field) && field.called.contains(&called);
            if meant && paths.len() < MAX_NAMED && !paths.contains(&field.path) {
                paths.push(field.path.clone());
            }
        }
        if paths.is_empty() && OWN.contains(&called.as_str()) {
            paths.push(called);
        }
        paths
    }

    fn types(&self, name: &str) -> Vec<String> {
        let called = fold(name.trim());
        let meant = self.lexicon.types.iter();
        let meant = meant.filter(|named| named.name == name || named.called.contains(&called));
        meant.map(|named| named.name.clone()).collect()
    }

    fn has_trees(&self) -> bool {
        self.lexicon.types.iter().any(|named| named.tree.is_some())
    }

    fn unit(&self, path: &str) -> Option<Unit> {
        let mut fields = self.named_types().flat_map(|named| &named.fields);
        fields
            .find(|field| field.path == path && self.sees(field))
            .and_then(|field| field.unit)
    }
}

/// A question that is ready to be asked.
#[derive(Default)]
pub(super) struct Settled {
    pub parsed: Parsed,
    /// The text with words that are there in the place of those that are not.
    pub instead: Option<String>,
}

impl Compiler<'_> {
    /// Whether the caller sees anything at the level of a field.
    pub fn sees(&self, field: &NamedField) -> bool {
        self.scope.levels.iter().any(|(level, _)| *level == field.level)
    }

    /// Reads a text and puts a tree beside it.
    pub fn read(&mut self, text: &str, tree: Option<&Node>, typing: bool) -> tantivy::Result<Settled> {
        let mut parsed = parse(text, self, self.today);
        if typing && let Some(node) = &mut parsed.tree {
            open_end(node, text);
        }
        let besides = tree.and_then(|tree| self.whole(tree, 0, &mut parsed.hints));
        parsed.tree = Node::all(parsed.tree.take().into_iter().chain(besides).collect());
        let mut settled = Settled { parsed, instead: None };
        let Some(mut tree) = settled.parsed.tree.take() else {
            return Ok(settled);
        };
        budget::hold(&mut tree, &mut settled.parsed.hints);
        self.tongues = self.find_tongues();
        let mut typos = Typos {
            text: text.to_owned(),
            ..Typos::default()
        };
        self.mend(&mut tree, false, &mut typos)?;
        settled.parsed.hints.extend(typos.hints);
        settled.parsed.hints.extend(self.told_inside(&tree)?);
        settled.instead = (typos.text != text).then_some(typos.text);
        settled.parsed.tree = Some(tree);
        Ok(settled)
    }

    /// A tree as it was sent, with its texts read; what says nothing is left out.
    fn whole(&self, node: &Node, depth: usize, hints: &mut Vec<String>) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut each = |nodes: &[Node]| -> Vec<Node> {
            nodes
                .iter()
                .filter_map(|node| self.whole(node, depth + 1, hints))
                .collect()
        };
        match node {
            Node::And(nodes) => Node::all(each(nodes)),
            Node::Or(nodes) => Node::any(each(nodes)),
            Node::Not(node) => {
                let node = self.whole(node, depth + 1, hints)?;
                Some(Node::Not(Box::new(node)))
            }
            Node::Text(text) => {
                let read = parse(text, self, self.today);
                hints.extend(read.hints);
                read.tree
            }
            Node::Word(Word { text, .. }) if phrase_words(text).is_empty() => None,
            Node::Phrase(phrase) if phrase_words(&phrase.text).is_empty() => None,
            node => Some(node.clone()),
        }
    }

    /// Words that stand nowhere are looked for by others written much like them.
    fn mend(&self, node: &mut Node, negated: bool, typos: &mut Typos) -> tantivy::Result<()> {
        match node {
            Node::And(nodes) | Node::Or(nodes) => {
                for node in nodes {
                    self.mend(node, negated, typos)?;
                }
            }
            Node::Not(node) => self.mend(node, !negated, typos)?,
            Node::Word(word) if word.how == How::Plain && !negated => self.mend_word(word, typos)?,
            _ => {}
        }
        Ok(())
    }

    fn mend_word(&self, word: &mut Word, typos: &mut Typos) -> tantivy::Result<()> {
        let tokens = phrase_words(&word.text);
        let [token] = tokens.as_slice() else { return Ok(()) };
        let letters = token.chars().count();
        let plain = letters >= TYPO && token.chars().all(char::is_alphabetic) && typos.count < MAX_TYPOS;
        let key = self.key_of(word.field.as_deref());
        if !plain || self.stands(&key, token)? || self.has_synonyms(token) {
            return Ok(());
        }
        typos.count += 1;
        for (edits, how) in [(1, How::Fuzzy), (2, How::Fuzzier)] {
            if edits == 2 && letters < TWO_TYPOS {
                break;
            }
            let alike = self.alike_words(&key, token, edits)?;
            let Some(best) = alike.first() else { continue };
            typos.hints.push(format!(
                "No record has the word \"{}\"; words written much like it were looked for: {}.",
                cut(&word.text, 60),
                alike.join(", ")
            ));
            typos.text = typos.text.replacen(&word.text, best, 1);
            word.how = how;
            break;
        }
        Ok(())
    }

    /// Whether the caller may find a record with this word or a form of it.
    fn stands(&self, key: &str, token: &str) -> tantivy::Result<bool> {
        for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
            for (place, level) in self.filled_levels() {
                let field = self.fields.text[level as usize];
                let mut terms = self.stems(field, key, token);
                terms.insert(0, Fields::json_term(field, key, token));
                for term in &terms {
                    if self.finds((at, reader), place, term, 1)? > 0 {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// How many records of a segment with this term the caller may find, counted up to a limit.
    fn finds(
        &self,
        (at, reader): (usize, &SegmentReader),
        place: usize,
        term: &Term,
        most: u64,
    ) -> tantivy::Result<u64> {
        let index = reader.inverted_index(term.field())?;
        let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else {
            return Ok(0);
        };
        let view = &self.views[at];
        let guard = view.levels.get(place).and_then(|(_, guard)| guard.as_deref());
        let (mut found, mut doc) = (0, postings.doc());
        while doc != TERMINATED && found < most {
            found += u64::from(is_found(reader, view, guard, doc));
            doc = postings.advance();
        }
        Ok(found)
    }

    /// The words written with so many letters otherwise that the caller may find, the most like and most frequent first.
    fn alike_words(&self, key: &str, token: &str, edits: u8) -> tantivy::Result<Vec<String>> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for (at, reader) in self.searcher.segment_readers().iter().enumerate() {
            for (place, level) in self.filled_levels() {
                let field = self.fields.text[level as usize];
                let near = FuzzyTermQuery::new(Fields::json_term(field, key, token), edits, true).automaton()?;
                let before = Fields::json_term(field, key, "").serialized_value_bytes().to_vec();
                let index = reader.inverted_index(field)?;
                let mut stream = index.terms().search(&near).ge(&before).into_stream()?;
                let mut looked = 0;
                while looked < MAX_EXPANSIONS && stream.advance() {
                    looked += 1;
                    let Some(Ok(word)) = stream.key().strip_prefix(before.as_slice()).map(std::str::from_utf8) else {
                        continue;
                    };
                    if word.starts_with(MARK) {
                        continue;
                    }
                    let term = Fields::json_term(field, key, word);
                    let found = self.finds((at, reader), place, &term, COUNTED)?;
                    if found > 0 {
                        *counts.entry(word.to_owned()).or_default() += found;
                    }
                }
            }
        }
        let mut ranked: Vec<(usize, u64, String)> = counts
            .into_iter()
            .map(|(word, count)| (strsim::osa_distance(token, &word), u64::MAX - count, word))
            .collect();
        ranked.sort_unstable();
        Ok(ranked.into_iter().take(NAMED).map(|(.., word)| word).collect())
    }
}

/// What was written otherwise than it stands anywhere.
#[derive(Default)]
struct Typos {
    count: usize,
    hints: Vec<String>,
    /// The question with what stands somewhere.
    text: String,
}

/// The last word of a text that is still being typed is a beginning.
fn open_end(node: &mut Node, text: &str) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => {
            if let Some(last) = nodes.last_mut() {
                open_end(last, text);
            }
        }
        Node::Word(word) if word.how == How::Plain && text.ends_with(&word.text) => word.how = How::Begin,
        Node::Phrase(phrase) if phrase.slop == 0 && text.ends_with(&phrase.text) => phrase.begin = true,
        _ => {}
    }
}
