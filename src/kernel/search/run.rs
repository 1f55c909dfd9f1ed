//! One pass over the documents of a question: the page, the total and all counts together.
//!
//! Filters of fields that are counted are kept beside the pass: a document that fails exactly one of them still counts
//! for that field's facet. All other filters are part of the base set.

use std::rc::Rc;
use std::time::Instant;

use tantivy::query::{EnableScoring, Query};
use tantivy::{BitSet, DocId, Searcher, SegmentReader};

use super::compile::{Compiler, Guard, all};
use super::facet::{Counter, Tally};
use super::parse::Clause;
use super::sort::{After, Key, Ranker, Top, descending, score_bits};
use super::types::{Facet, Hit, Query as Question, Sort};
use crate::kernel::access::Level;

/// What a pass found.
pub(super) struct Outcome {
    pub total: u64,
    pub hits: Vec<Hit>,
    pub facets: Vec<Facet>,
    /// The last hit shown, if there are more.
    pub last: Option<After>,
}

/// What a pass needs beside the question itself.
pub(super) struct Pass<'a> {
    pub compiler: Compiler<'a>,
    pub question: &'a Question,
    pub clauses: &'a [Clause],
    /// As asked for, with relevance of nothing replaced by newest first.
    pub sort: &'a Sort,
    pub after: Option<&'a After>,
    pub epoch: u64,
    /// When to give up.
    pub until: Instant,
}

struct Found {
    key: Key,
    id: String,
    score: f32,
    segment: u32,
    doc: DocId,
    kind: String,
}

/// A filter whose field is counted: its query and the facets it does not apply to.
struct Side {
    query: Box<dyn Query>,
    facets: Vec<usize>,
}

/// Documents between two looks at the time.
const STEP: u32 = 8_192;

impl Pass<'_> {
    /// `None` if it took too long.
    pub fn run(&self) -> tantivy::Result<Option<Outcome>> {
        let (base, sides) = self.queries();
        let searcher = self.compiler.searcher;
        let by_score = *self.sort == Sort::Relevance;
        let scoring = |on: bool| {
            if on {
                EnableScoring::enabled_from_searcher(searcher)
            } else {
                EnableScoring::disabled_from_searcher(searcher)
            }
        };
        let base = base.weight(scoring(by_score))?;
        let mut weights = Vec::with_capacity(sides.len());
        for side in &sides {
            weights.push(side.query.weight(scoring(false))?);
        }
        let size = self.question.offset + self.question.limit + 1;
        let mut tallies: Vec<Tally> = self.question.facets.iter().map(|_| Tally::default()).collect();
        let (mut total, mut found) = (0, Vec::new());
        for (ord, reader) in searcher.segment_readers().iter().enumerate() {
            if Instant::now() >= self.until {
                return Ok(None);
            }
            let levels = self.guards(searcher, reader)?;
            let ranker = Ranker::open(reader, self.sort, &levels, self.after.map(|after| (after, ord as u32)))?;
            let mut segment = Segment {
                ranker,
                top: Top::new(size),
                total: 0,
                counters: vec![],
                sides: vec![],
                until: self.until,
                left: STEP,
                late: false,
            };
            for request in &self.question.facets {
                segment.counters.push(Counter::open(reader, request, &levels)?);
            }
            for (weight, side) in weights.iter().zip(&sides) {
                let mut bits = BitSet::with_max_value(reader.max_doc());
                weight.for_each_no_score(reader, &mut |docs| {
                    for doc in docs {
                        bits.insert(*doc);
                    }
                })?;
                segment.sides.push((bits, &side.facets));
            }
            let alive = reader.alive_bitset();
            if by_score {
                base.for_each(reader, &mut |doc, score| {
                    if alive.is_none_or(|alive| alive.is_alive(doc)) {
                        segment.collect(doc, score);
                    }
                })?;
            } else {
                base.for_each_no_score(reader, &mut |docs| {
                    for doc in docs
                        .iter()
                        .copied()
                        .filter(|doc| alive.is_none_or(|alive| alive.is_alive(*doc)))
                    {
                        segment.collect(doc, 0.0);
                    }
                })?;
            }
            if segment.late {
                return Ok(None);
            }
            total += segment.total;
            segment.finish(ord as u32, reader, &mut tallies, &mut found)?;
        }
        let facets = tallies
            .into_iter()
            .zip(&self.question.facets)
            .map(|(tally, request)| tally.answer(request))
            .collect();
        let (hits, last) = self.page(found);
        Ok(Some(Outcome {
            total,
            hits,
            facets,
            last,
        }))
    }

    /// The base set, and the filters that stand beside it.
    fn queries(&self) -> (Box<dyn Query>, Vec<Side>) {
        let question = self.question;
        let mut parts = vec![(
            tantivy::query::Occur::Must,
            self.compiler
                .base(question.kind.as_deref(), &question.types, self.clauses),
        )];
        let mut sides = Vec::new();
        for filter in &question.filters {
            let query = self.compiler.filter(filter);
            let facets: Vec<usize> = (0..question.facets.len())
                .filter(|i| question.facets[*i].name() == filter.field)
                .collect();
            if facets.is_empty() {
                let silent = tantivy::query::ConstScoreQuery::new(query, 0.0);
                parts.push((tantivy::query::Occur::Must, Box::new(silent)));
            } else {
                sides.push(Side { query, facets });
            }
        }
        (all(parts), sides)
    }

    /// Per visible level, who is visible at it in this segment; `None` for everybody.
    fn guards(&self, searcher: &Searcher, reader: &SegmentReader) -> tantivy::Result<Vec<(Level, Option<Rc<BitSet>>)>> {
        let mut guards = Vec::new();
        let columns = !self.question.facets.is_empty() || matches!(self.sort, Sort::Field { .. });
        for (level, guard) in &self.compiler.scope.levels {
            let bits = match guard {
                Guard::Terms(terms) if columns => {
                    let mut bits = BitSet::with_max_value(reader.max_doc());
                    let weight = self
                        .compiler
                        .visible(*level, terms)
                        .weight(EnableScoring::disabled_from_searcher(searcher))?;
                    weight.for_each_no_score(reader, &mut |docs| {
                        for doc in docs {
                            bits.insert(*doc);
                        }
                    })?;
                    Some(Rc::new(bits))
                }
                Guard::Terms(_) | Guard::Free => None,
            };
            guards.push((*level, bits));
        }
        Ok(guards)
    }

    fn page(&self, mut found: Vec<Found>) -> (Vec<Hit>, Option<After>) {
        let down = descending(self.sort);
        if *self.sort == Sort::Relevance {
            found.sort_by_key(|f| (!score_bits(f.score), f.segment, f.doc));
        } else {
            found.sort_by(|a, b| a.key.compare(&b.key, down).then_with(|| a.id.cmp(&b.id)));
        }
        let more = found.len() > self.question.offset + self.question.limit;
        found.truncate(self.question.offset + self.question.limit);
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
        let shown = found.into_iter().skip(self.question.offset);
        (
            shown
                .map(|f| Hit {
                    id: f.id,
                    kind: f.kind,
                    score: f.score,
                })
                .collect(),
            last,
        )
    }
}

/// What is kept while one segment is passed through.
struct Segment<'a> {
    ranker: Ranker,
    top: Top,
    total: u64,
    counters: Vec<Counter>,
    sides: Vec<(BitSet, &'a Vec<usize>)>,
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
        if self.late {
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
                for counter in &mut self.counters {
                    counter.push(doc);
                }
            }
            Some(side) => {
                for facet in self.sides[side].1 {
                    self.counters[*facet].push(doc);
                }
            }
        }
    }

    fn finish(
        self,
        segment: u32,
        reader: &SegmentReader,
        tallies: &mut [Tally],
        found: &mut Vec<Found>,
    ) -> tantivy::Result<()> {
        for (counter, tally) in self.counters.into_iter().zip(tallies) {
            counter.finish(tally)?;
        }
        let kinds = reader.fast_fields().str("kind")?;
        for (rank, doc, score) in self.top.into_sorted() {
            let mut kind = String::new();
            if let Some(kinds) = &kinds
                && let Some(ord) = kinds.ords().first(doc)
            {
                kinds.ord_to_str(ord, &mut kind)?;
            }
            let key = self.ranker.key(rank)?;
            found.push(Found {
                key,
                id: self.ranker.id(doc)?,
                score,
                segment,
                doc,
                kind,
            });
        }
        Ok(())
    }
}
