//! What somebody who is still typing may mean: values of fields and titles that begin so, accents and case aside.
//!
//! Values are ranges of a column's ordered dictionary, titles a range of terms. Only documents within the caller's
//! clause count, each level by its own guard, so that nothing is suggested that could not be found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tantivy::columnar::{StrColumn, TermOrdHit};
use tantivy::query::{EnableScoring, Occur};
use tantivy::schema::IndexRecordOption;
use tantivy::{BitSet, DocId, DocSet, SegmentReader, TERMINATED};

use super::compile::{Compiler, all};
use super::query::Day;
use super::schema::{Fields, START_KEY, TITLE_KEY, key};
use super::scope::Scope;
use super::shared::{View, Warm};
use super::text::{beginning, column_value, fold, is_word, order, placed};
use super::types::{Begun, SuggestedValue, Suggestions, Types};
use super::{Inner, MAX_SUGGESTIONS, store};
use crate::kernel::error::{Code, Error, Result};

/// Dictionaries up to this size are looked through for words inside of values; larger ones for beginnings only.
const MAX_SCANNED: usize = 8_000;
/// Values of one column that are compared with those of others, per value that is shown.
const CANDIDATES: usize = 4;
/// Terms looked at for titles, of which the caller may see none.
const MAX_TERMS: usize = 20_000;

struct Suggester<'a> {
    compiler: Compiler<'a>,
    warm: &'a [Arc<Warm>],
    begun: &'a Begun,
    limit: usize,
    until: Instant,
    /// What values are compared with.
    needle: String,
    columns: Vec<Counted>,
    titles: BTreeSet<(String, String)>,
}

/// The counts of one column of one segment.
struct Counted {
    field: usize,
    texts: StrColumn,
    counts: BTreeMap<u64, u64>,
}

impl Inner {
    /// See [`super::Search::suggest`]; blocks.
    pub(super) fn suggest(&self, begun: &Begun, types: &Types, until: Instant) -> Result<Suggestions> {
        let (_, searcher) = self.searcher()?;
        let scope = Scope::new(&begun.visibility, &types.shapes);
        let warm = self.shared.of(&searcher);
        let views = self
            .views(&searcher, &warm, &scope, begun.kind.as_deref(), &begun.types)
            .map_err(store::broken)?;
        let mut suggester = Suggester {
            compiler: Compiler {
                types: &begun.types,
                ..Compiler::new(
                    (&self.fields, &searcher),
                    &scope,
                    &views,
                    &types.lexicon,
                    Day::of(self.clock.now()),
                )
            },
            warm: &warm,
            begun,
            limit: begun.limit.min(MAX_SUGGESTIONS),
            until,
            needle: order(begun.text.trim_start()),
            columns: Vec::new(),
            titles: BTreeSet::new(),
        };
        if suggester.needle.trim().is_empty() || suggester.limit == 0 {
            return Ok(Suggestions::default());
        }
        suggester.run().map_err(store::broken)?.ok_or_else(|| {
            Error::new(
                Code::Timeout,
                "What begins so could not be looked up in time. Type more letters, or search.",
            )
        })
    }
}

impl Suggester<'_> {
    /// `None` if it took too long.
    fn run(&mut self) -> tantivy::Result<Option<Suggestions>> {
        let searcher = self.compiler.searcher;
        for (at, reader) in searcher.segment_readers().iter().enumerate() {
            let view = self.compiler.views[at].clone();
            for field in 0..self.begun.fields.len() {
                if Instant::now() >= self.until {
                    return Ok(None);
                }
                self.count(reader, &self.warm[at], field, &view)?;
            }
            self.titles(reader, &self.warm[at], &view)?;
        }
        let mut ids: Vec<String> = Vec::new();
        for (_, id) in std::mem::take(&mut self.titles) {
            if ids.len() < self.limit && !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() < self.limit {
            self.by_words(&mut ids)?;
        }
        let values = self.values()?;
        Ok(Some(Suggestions { values, ids }))
    }

    /// Counts the values of a field in a segment that begin as asked for, or have a word that does.
    fn count(&mut self, reader: &SegmentReader, warm: &Warm, field: usize, view: &View) -> tantivy::Result<()> {
        let key = key(&self.begun.fields[field]);
        for (level, guard) in &view.levels {
            let columns = warm.columns(reader, &Fields::column(*level, &key))?;
            for texts in columns.iter().filter_map(|opened| opened.texts.as_ref()) {
                let wanted = self.wanted(texts)?;
                if wanted.is_empty() {
                    continue;
                }
                let mut docs = Vec::new();
                let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
                texts
                    .ords()
                    .get_docids_for_value_range(first..=last, 0..reader.max_doc(), &mut docs);
                let mut counts = BTreeMap::new();
                let mut seen = None;
                for doc in docs {
                    let visible = is_found(reader, view, guard.as_deref(), doc);
                    // With several values in the range a document comes once for each.
                    if !visible || seen.replace(doc) == Some(doc) {
                        continue;
                    }
                    for ord in texts.term_ords(doc) {
                        if wanted.binary_search(&ord).is_ok() {
                            *counts.entry(ord).or_default() += 1;
                        }
                    }
                }
                if !counts.is_empty() {
                    let texts = texts.clone();
                    self.columns.push(Counted { field, texts, counts });
                }
            }
        }
        Ok(())
    }

    /// The ordinals of values that fit, in order.
    fn wanted(&self, texts: &StrColumn) -> tantivy::Result<Vec<u64>> {
        let dictionary = texts.dictionary();
        let place = |bytes: &[u8]| -> tantivy::Result<u64> {
            Ok(match dictionary.term_ord_or_next(bytes)? {
                TermOrdHit::Exact(ord) | TermOrdHit::Next(ord) => ord,
            })
        };
        let mut end = self.needle.clone().into_bytes();
        let first = place(&end)?;
        // No text has such a byte: after everything that begins so.
        end.push(0xff);
        let last = place(&end)?.min(dictionary.num_terms() as u64);
        let mut wanted: Vec<u64> = (first..last).collect();
        if dictionary.num_terms() <= MAX_SCANNED && self.needle.chars().nth(1).is_some() {
            let mut stream = dictionary.stream()?;
            while stream.advance() {
                let ord = stream.term_ord();
                if (ord < first || ord >= last) && has_word(stream.key(), &self.needle) {
                    wanted.push(ord);
                }
            }
            wanted.sort_unstable();
        }
        Ok(wanted)
    }

    /// The most frequent values of all columns, those that begin as asked for before those with a word that does.
    fn values(&self) -> tantivy::Result<Vec<SuggestedValue>> {
        let mut sums: HashMap<(usize, String), u64> = HashMap::new();
        for column in &self.columns {
            let mut best: Vec<(u64, u64)> = column.counts.iter().map(|(ord, count)| (*ord, *count)).collect();
            let keep = self.limit * CANDIDATES;
            if best.len() > keep {
                best.select_nth_unstable_by_key(keep, |(ord, count)| (std::cmp::Reverse(*count), *ord));
                best.truncate(keep);
            }
            for (ord, _) in best {
                let mut term = String::new();
                column.texts.ord_to_str(ord, &mut term)?;
                sums.entry((column.field, term)).or_default();
            }
        }
        // What is a candidate anywhere is summed up everywhere, so that its count is the number it finds.
        for ((field, term), sum) in &mut sums {
            for column in self.columns.iter().filter(|column| column.field == *field) {
                if let Some(ord) = column.texts.dictionary().term_ord(term)? {
                    *sum += column.counts.get(&ord).copied().unwrap_or(0);
                }
            }
        }
        // More than the folded beginning may have been typed.
        let typed = fold(self.begun.text.trim_start());
        let mut values: Vec<(bool, u64, usize, String)> = sums
            .into_iter()
            .map(|((field, term), count)| {
                let value = column_value(&term).to_owned();
                (!fold(&value).starts_with(&typed), count, field, value)
            })
            .filter(|(inside, .., value)| !inside || fold(value).contains(&typed))
            .collect();
        values.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(b.1.cmp(&a.1))
                .then_with(|| (&a.3, a.2).cmp(&(&b.3, b.2)))
        });
        values.truncate(self.limit);
        let shown = values.into_iter().map(|(_, count, field, value)| SuggestedValue {
            field: self.begun.fields[field].clone(),
            value,
            count,
        });
        Ok(shown.collect())
    }

    /// The first titles of a segment that begin as asked for.
    fn titles(&mut self, reader: &SegmentReader, warm: &Warm, view: &View) -> tantivy::Result<()> {
        let start = beginning(&self.begun.text);
        if start.is_empty() {
            return Ok(());
        }
        for (level, guard) in &view.levels {
            let field = self.compiler.fields.exact[*level as usize];
            let index = reader.inverted_index(field)?;
            let term = Fields::json_term(field, START_KEY, &start);
            let first = term.serialized_value_bytes();
            let mut stream = index.terms().range().ge(first).into_stream()?;
            let (mut kept, mut looked) = (0, 0);
            while kept < self.limit && looked < MAX_TERMS && stream.advance() && stream.key().starts_with(first) {
                looked += 1;
                let mut postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
                let rest = String::from_utf8_lossy(&stream.key()[first.len()..]).into_owned();
                let mut doc = postings.doc();
                while doc != TERMINATED && kept < self.limit {
                    if is_found(reader, view, guard.as_deref(), doc) {
                        self.titles.insert((rest.clone(), id(reader, warm, doc)?));
                        kept += 1;
                    }
                    doc = postings.advance();
                }
            }
        }
        Ok(())
    }

    /// More entities that have these words in their title, the last one as a beginning.
    fn by_words(&self, ids: &mut Vec<String>) -> tantivy::Result<()> {
        let tokens = placed(&self.begun.text);
        if tokens.is_empty() {
            return Ok(());
        }
        let compiler = &self.compiler;
        let titled = compiler.leveled(&|level| {
            let field = compiler.fields.text[level as usize];
            let each = tokens.iter().enumerate().map(|(at, token)| {
                let last = at + 1 == tokens.len();
                let word = compiler.words(field, TITLE_KEY, std::slice::from_ref(token), last);
                (Occur::Must, word)
            });
            all(each.collect())
        });
        let weight = titled.weight(EnableScoring::disabled_from_searcher(compiler.searcher))?;
        for (at, reader) in compiler.searcher.segment_readers().iter().enumerate() {
            let (view, warm) = (&compiler.views[at], &*self.warm[at]);
            let mut scorer = weight.scorer(reader, 1.0)?;
            let mut doc = scorer.doc();
            while doc != TERMINATED {
                if is_found(reader, view, None, doc) {
                    let id = id(reader, warm, doc)?;
                    if !ids.contains(&id) {
                        ids.push(id);
                    }
                    if ids.len() >= self.limit {
                        return Ok(());
                    }
                }
                doc = scorer.advance();
            }
        }
        Ok(())
    }
}

/// Whether a document is there, may be found, and is visible at a level.
pub(super) fn is_found(reader: &SegmentReader, view: &View, guard: Option<&BitSet>, doc: DocId) -> bool {
    reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
        && view.found.as_deref().is_none_or(|found| found.contains(doc))
        && guard.is_none_or(|guard| guard.contains(doc))
}

/// Whether a word inside a column's term begins so. Only the folded beginning of the value is looked at.
fn has_word(term: &[u8], needle: &str) -> bool {
    let folded = term.split(|byte| *byte == 0).next().unwrap_or(term);
    let Ok(folded) = std::str::from_utf8(folded) else {
        return false;
    };
    folded.match_indices(needle).any(|(at, _)| {
        let before = folded[..at].chars().next_back();
        before.is_some_and(|c| !is_word(c))
    })
}

fn id(reader: &SegmentReader, warm: &Warm, doc: DocId) -> tantivy::Result<String> {
    let mut id = String::new();
    if let Some(ids) = warm.columns(reader, "id")?.first().and_then(|ids| ids.texts.as_ref())
        && let Some(ord) = ids.ords().first(doc)
    {
        ids.ord_to_str(ord, &mut id)?;
    }
    Ok(id)
}
