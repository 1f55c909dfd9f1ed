//! One pass over the documents of a question: the page, the total and all counts together.
//!
//! Filters of fields that are counted are kept beside the pass: a document that fails exactly one of them still counts
//! for that field's facet. All other filters are part of the base set.

use std::sync::Arc;
use std::time::Instant;

use tantivy::query::{EnableScoring, Occur, Query, TermSetQuery, Weight};
use tantivy::{BitSet, DocId, Term};

use super::compile::{Compiler, all, silent};
use super::deep;
use super::facet::{BLOCK, Counter, Tally};
use super::frequency::Frequencies;
use super::near::Part;
use super::places::{Gatherer, Places, Point};
use super::query::Node;
use super::shared::Warm;
use super::sort::{After, Key, Rank, Ranker, Top, descending, score_bits};
use super::types::{Facet, FacetRequest, Hit, Query as Question, Sort};
use super::whole::{self, First, KEPT};

/// What a pass found.
pub(super) struct Outcome {
    pub total: u64,
    pub hits: Vec<Hit>,
    pub facets: Vec<Facet>,
    pub places: Option<Places>,
    /// The last hit shown, if there are more.
    pub last: Option<After>,
}

/// What a pass needs beside the question itself.
pub(super) struct Pass<'a> {
    pub compiler: Compiler<'a>,
    /// What is kept of each segment.
    pub warm: &'a [Arc<Warm>],
    pub question: &'a Question,
    pub tree: Option<&'a Node>,
    /// As asked for, with relevance of nothing replaced by newest first.
    pub sort: &'a Sort,
    pub after: Option<&'a After>,
    pub epoch: u64,
    /// The time of the house, for what weighs more while it is new.
    pub now: i64,
    /// When to give up.
    pub until: Instant,
}

/// A year in milliseconds: in that time what being new adds halves.
const YEAR: f32 = 31_557_600_000.0;

/// How much more something of this age weighs than something very old.
fn freshness(age: i64) -> f32 {
    1.0 + (-(age.max(0) as f32) / YEAR).exp2()
}

struct Found {
    key: Key,
    /// Only read of those that may be shown.
    id: String,
    score: f32,
    segment: u32,
    doc: DocId,
}

/// A filter whose field is counted: its query and the facets it does not apply to.
struct Side {
    query: Box<dyn Query>,
    facets: Vec<usize>,
}

/// The same, ready to be passed through.
struct Weights {
    base: Box<dyn Weight>,
    sides: Vec<(Box<dyn Weight>, Vec<usize>)>,
}

/// Documents between two looks at the time.
const STEP: u32 = 8_192;

impl Pass<'_> {
    /// `None` if it took too long.
    pub fn run(&self) -> tantivy::Result<Option<Outcome>> {
        let (base, sides) = self.queries();
        let searcher = self.compiler.searcher;
        let by_score = *self.sort == Sort::Relevance;
        let frequencies = Frequencies::new(&self.compiler);
        let scoring = |on: bool| {
            if on {
                EnableScoring::enabled_from_statistics_provider(&frequencies, searcher)
            } else {
                EnableScoring::disabled_from_searcher(searcher)
            }
        };
        let weights = Weights {
            base: base.weight(scoring(by_score))?,
            sides: sides
                .into_iter()
                .map(|side| Ok((side.query.weight(scoring(false))?, side.facets)))
                .collect::<tantivy::Result<_>>()?,
        };
        let size = self.question.offset + self.question.limit + 1;
        let mut tallies = Vec::with_capacity(self.question.facets.len());
        for facet in &self.question.facets {
            tallies.push(Tally::new(searcher, self.warm, self.compiler.views, facet)?);
        }
        // Only the first page of everything is kept.
        let everything = self.tree.is_none() && self.question.filters.is_empty() && self.question.area.is_none();
        let everything = everything && self.question.ids.is_empty() && self.after.is_none() && size <= KEPT;
        let (mut total, mut parts, mut points) = (0, Vec::new(), Vec::new());
        for (ord, reader) in searcher.segment_readers().iter().enumerate() {
            if Instant::now() >= self.until {
                return Ok(None);
            }
            let (view, warm) = (&self.compiler.views[ord], &*self.warm[ord]);
            let after = self.after.map(|after| (after, ord as u32));
            let ranker = Ranker::open((reader, warm), self.sort, &view.levels, after)?;
            let (deleted, facets) = (reader.num_deleted_docs(), &self.question.facets);
            if everything && let Some(kept) = view.whole.get(deleted, self.sort, facets) {
                total += kept.total;
                take(&kept, facets, &mut tallies)?;
                parts.push((ord as u32, ranker, kept.first));
                points.extend(self.every_place(ord)?);
                continue;
            }
            let kept = if everything { KEPT } else { size };
            let Some((ranker, outcome, here)) = self.segment(ord, ranker, &weights, kept)? else {
                return Ok(None);
            };
            points.extend(here);
            total += outcome.total;
            take(&outcome, facets, &mut tallies)?;
            if everything {
                view.whole.put(deleted, self.sort, facets, &outcome);
            }
            parts.push((ord as u32, ranker, outcome.first));
        }
        // A condition that ran out of time has found less than there is.
        if self.compiler.patience.is_over() {
            return Ok(None);
        }
        let facets = tallies.into_iter().zip(&self.question.facets);
        let facets = facets.map(|(tally, request)| tally.answer(request));
        let facets = facets.collect::<tantivy::Result<_>>()?;
        let (hits, last) = self.page(self.window(&parts)?)?;
        Ok(Some(Outcome {
            total,
            hits,
            facets,
            places: self.places(points)?,
            last,
        }))
    }

    /// Passes through one segment, for its first documents and its counts; `None` if it took too long.
    fn segment(
        &self,
        ord: usize,
        ranker: Ranker,
        weights: &Weights,
        size: usize,
    ) -> tantivy::Result<Option<(Ranker, whole::Found, Vec<Point>)>> {
        let reader = self.compiler.searcher.segment_reader(ord as u32);
        let (view, warm) = (&self.compiler.views[ord], &*self.warm[ord]);
        let mut segment = Segment {
            found: view.found.as_deref(),
            ranker,
            block: Vec::with_capacity(BLOCK),
            top: Top::new(size),
            total: 0,
            counters: vec![],
            places: self.gatherer(ord)?,
            sides: vec![],
            until: self.until,
            left: STEP,
            late: false,
        };
        for request in &self.question.facets {
            let counter = Counter::open((reader, warm), request, &view.levels)?;
            segment.counters.push(counter);
        }
        for (weight, facets) in &weights.sides {
            let mut bits = BitSet::with_max_value(reader.max_doc());
            weight.for_each_no_score(reader, &mut |docs| {
                for doc in docs {
                    bits.insert(*doc);
                }
            })?;
            segment.sides.push((bits, facets));
        }
        let alive = reader.alive_bitset();
        let is_alive = |doc: DocId| alive.is_none_or(|alive| alive.is_alive(doc));
        if *self.sort == Sort::Relevance {
            let created = self.question.newer.then(|| reader.fast_fields().i64("created"));
            let created = created.transpose()?;
            let newest = |doc| created.as_ref().and_then(|column| column.first(doc));
            weights.base.for_each(reader, &mut |doc, score| {
                if is_alive(doc) {
                    let weight = newest(doc).map_or(1.0, |at| freshness(self.now - at));
                    segment.collect(doc, score * weight);
                }
            })?;
        } else {
            weights.base.for_each_no_score(reader, &mut |docs| {
                for doc in docs.iter().copied().filter(|doc| is_alive(*doc)) {
                    segment.collect(doc, 0.0);
                }
            })?;
        }
        Ok((!segment.late).then(|| segment.finish()))
    }

    /// The base set, and the filters that stand beside it.
    fn queries(&self) -> (Box<dyn Query>, Vec<Side>) {
        let question = self.question;
        let plain = self.tree.is_some_and(|tree| !tree.is_more_than_words());
        let title = Some(question.text.as_str()).filter(|_| plain);
        let mut parts = self.compiler.clauses(self.tree, title);
        if let Some(area) = question.area {
            let inside = self.compiler.place(&Part::Within(area));
            parts.push((Occur::Must, silent(inside)));
        }
        if !question.ids.is_empty() {
            let ids = question
                .ids
                .iter()
                .map(|id| Term::from_field_text(self.compiler.fields.id, id));
            parts.push((Occur::Must, silent(Box::new(TermSetQuery::new(ids)))));
        }
        let mut sides = Vec::new();
        for filter in &question.filters {
            let query = self.compiler.filter(filter);
            let facets: Vec<usize> = (0..question.facets.len())
                .filter(|i| question.facets[*i].name() == filter.field)
                .collect();
            if facets.is_empty() {
                parts.push((tantivy::query::Occur::Must, silent(query)));
            } else {
                sides.push(Side { query, facets });
            }
        }
        (all(parts), sides)
    }

    /// What may belong to the page: of each segment as much as a page holds, after what stands before it.
    fn window(&self, parts: &[(u32, Ranker, First)]) -> tantivy::Result<Vec<Found>> {
        let lengths: Vec<usize> = parts.iter().map(|(_, _, first)| first.len()).collect();
        let down = descending(self.sort);
        let order = |(a, n): (usize, usize), (b, m): (usize, usize)| {
            let ((left, one, first), (right, other, second)) = (&parts[a], &parts[b]);
            let ((rank, doc, _), (other_rank, other_doc, _)) = (first[n], second[m]);
            if *self.sort == Sort::Relevance {
                return Ok((rank, left, doc).cmp(&(other_rank, right, other_doc)));
            }
            let keys = one.key(rank)?.compare(&other.key(other_rank)?, down);
            Ok(match keys {
                std::cmp::Ordering::Equal => {
                    let id = self.text("id", (*left, doc))?;
                    id.cmp(&self.text("id", (*right, other_doc))?)
                }
                differ => differ,
            })
        };
        let skipped = deep::skipped::<tantivy::TantivyError>(&lengths, self.question.offset, order)?;
        let mut found = Vec::new();
        for ((segment, ranker, first), skipped) in parts.iter().zip(skipped) {
            gather(&first[skipped..], self.question.limit + 1, *segment, ranker, &mut found)?;
        }
        Ok(found)
    }

    /// The page in its order, and where the next one goes on.
    fn page(&self, mut found: Vec<Found>) -> tantivy::Result<(Vec<Hit>, Option<After>)> {
        let (down, end) = (descending(self.sort), self.question.limit);
        let more = found.len() > end;
        if *self.sort == Sort::Relevance {
            found.sort_by_key(|f| (!score_bits(f.score), f.segment, f.doc));
        } else {
            found.sort_by(|a, b| a.key.compare(&b.key, down));
            if let Some(last) = end.checked_sub(1).and_then(|at| found.get(at)) {
                // Those at the same place as the last one are told apart by their ids; what comes after is not read.
                let last = last.key.clone();
                let kept = found.partition_point(|f| f.key.compare(&last, down).is_le());
                found.truncate(kept);
            }
            for hit in &mut found {
                hit.id = self.text("id", (hit.segment, hit.doc))?;
            }
            found.sort_by(|a, b| a.key.compare(&b.key, down).then_with(|| a.id.cmp(&b.id)));
        }
        found.truncate(end);
        let last = found.last().filter(|_| more).map(|f| match self.sort {
            Sort::Relevance => After::Place {
                score: score_bits(f.score),
                segment: f.segment,
                doc: f.doc,
                epoch: self.epoch,
                generation: self.compiler.searcher.generation().generation_id(),
            },
            _ => After::Key {
                key: f.key.clone(),
                id: f.id.clone(),
            },
        });
        let mut hits = Vec::with_capacity(self.question.limit);
        for hit in found {
            hits.push(Hit {
                kind: match &self.question.kind {
                    Some(kind) => kind.clone(),
                    None => self.text("kind", (hit.segment, hit.doc))?,
                },
                id: if hit.id.is_empty() {
                    self.text("id", (hit.segment, hit.doc))?
                } else {
                    hit.id
                },
                score: hit.score,
            });
        }
        Ok((hits, last))
    }

    /// The text of a document in a column of one text per document.
    pub fn text(&self, column: &str, (segment, doc): (u32, DocId)) -> tantivy::Result<String> {
        let at = segment as usize;
        let columns = self.warm[at].columns(self.compiler.searcher.segment_reader(segment), column)?;
        let mut text = String::new();
        if let Some(texts) = columns.first().and_then(|opened| opened.texts.as_ref())
            && let Some(ord) = texts.ords().first(doc)
        {
            texts.ord_to_str(ord, &mut text)?;
        }
        Ok(text)
    }
}

/// What is kept while one segment is passed through.
struct Segment<'a> {
    /// Who may be found; `None` is everybody.
    found: Option<&'a BitSet>,
    ranker: Ranker,
    top: Top,
    total: u64,
    counters: Vec<Counter>,
    places: Option<Gatherer>,
    sides: Vec<(BitSet, &'a Vec<usize>)>,
    /// What waits to be counted by all.
    block: Vec<DocId>,
    until: Instant,
    /// Documents until the next look at the time.
    left: u32,
    /// Time is up: what still comes is passed over.
    late: bool,
}

impl Segment<'_> {
    #[inline]
    fn collect(&mut self, doc: DocId, score: f32) {
        self.left -= 1;
        if self.left == 0 {
            self.left = STEP;
            self.late = self.late || Instant::now() >= self.until;
        }
        if self.late || self.found.is_some_and(|found| !found.contains(doc)) {
            return;
        }
        let mut failed = None;
        for (at, (bits, _)) in self.sides.iter().enumerate() {
            if !bits.contains(doc) {
                if failed.is_some() {
                    return;
                }
                failed = Some(at);
            }
        }
        match failed {
            None => {
                self.total += 1;
                self.top.offer(&self.ranker, doc, score);
                self.block.push(doc);
                if self.block.len() == BLOCK {
                    self.flush();
                }
            }
            Some(side) => {
                for facet in self.sides[side].1 {
                    self.counters[*facet].push(doc);
                }
            }
        }
    }

    fn flush(&mut self) {
        for counter in &mut self.counters {
            counter.count(&self.block);
        }
        if let Some(places) = &mut self.places {
            places.gather(&self.block);
        }
        self.block.clear();
    }

    fn finish(mut self) -> (Ranker, whole::Found, Vec<Point>) {
        self.flush();
        let counts = self.counters.into_iter().map(|counter| Arc::new(counter.finish()));
        let found = whole::Found {
            total: self.total,
            counts: counts.collect(),
            first: self.top.into_sorted().into(),
        };
        let places = self.places.map(Gatherer::finish).unwrap_or_default();
        (self.ranker, found, places)
    }
}

/// Adds what a segment counted to the whole.
fn take(outcome: &whole::Found, facets: &[FacetRequest], tallies: &mut [Tally]) -> tantivy::Result<()> {
    for ((tally, counts), request) in tallies.iter_mut().zip(&outcome.counts).zip(facets) {
        tally.take(counts, request)?;
    }
    Ok(())
}

/// Takes the first documents of a segment to those of the others.
fn gather(
    first: &[(Rank, DocId, f32)],
    size: usize,
    segment: u32,
    ranker: &Ranker,
    found: &mut Vec<Found>,
) -> tantivy::Result<()> {
    for (rank, doc, score) in first.iter().take(size) {
        found.push(Found {
            key: ranker.key(*rank)?,
            id: String::new(),
            score: *score,
            segment,
            doc: *doc,
        });
    }
    Ok(())
}
