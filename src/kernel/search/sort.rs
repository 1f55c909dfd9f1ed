//! Order: ranks within a segment, keys across segments, and where a page goes on.
//!
//! Within a segment a document's rank is two numbers, smaller first, so that no text is read for documents that are not
//! shown. Ties go by id (for relevance: by place). Values of a more open level come before those of a stricter one; that
//! only shows where two types keep a field of the same name at different levels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::columnar::{ColumnType, MonotonicallyMappableToU64, StrColumn, TermOrdHit};
use tantivy::{BitSet, DocId, Searcher, SegmentReader};

use super::schema::{FIRST_DAY, Fields, LAST_DAY, ORDER, key};
use super::scope::Guard;
use super::shared::{Guards, Opened, Warm};
use super::types::Sort;
use crate::kernel::access::Level;
use crate::kernel::civil::{OPEN_FIRST, OPEN_LAST};

/// Whether documents are kept in the order of a field, at a level the caller sees: of what an older program has indexed a text
/// that is no column is not.
pub(super) fn is_kept(
    segments: (&Searcher, &[Arc<Warm>]),
    levels: &[(Level, Guard)],
    field: &str,
) -> tantivy::Result<bool> {
    let key = key(field);
    for (reader, warm) in segments.0.segment_readers().iter().zip(segments.1) {
        for (level, _) in levels {
            for mark in [ORDER, FIRST_DAY, ""] {
                let name = Fields::column(*level, &format!("{key}{mark}"));
                if warm.columns(reader, &name)?.iter().next().is_some() {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Smaller comes first.
pub(super) type Rank = (u8, u64);
/// The group of documents without a value.
const MISSING: u8 = u8::MAX;

/// What a document is sorted by, in a form that means the same in every segment and process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    group: u8,
    value: Valued,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Valued {
    None,
    /// As a float, for columns of different kinds, then exactly.
    Number {
        bits: u64,
        exact: i64,
    },
    Text(String),
}

impl Key {
    /// The order of two keys under a sort.
    pub fn compare(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
        let values = match (&self.value, &other.value) {
            (Valued::Number { bits: a, exact: x }, Valued::Number { bits: b, exact: y }) => (a, x).cmp(&(b, y)),
            (Valued::Text(a), Valued::Text(b)) => a.cmp(b),
            _ => std::cmp::Ordering::Equal,
        };
        self.group
            .cmp(&other.group)
            .then(if descending { values.reverse() } else { values })
    }
}

/// The last document of the page before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum After {
    /// For sorts by a value: exact in every process, whatever is written meanwhile.
    Key { key: Key, id: String },
    /// For relevance: a place in the searcher of this generation.
    Place {
        score: u32,
        segment: u32,
        doc: u32,
        epoch: u64,
        generation: u64,
    },
}

pub(super) fn descending(sort: &Sort) -> bool {
    match sort {
        Sort::Relevance => true,
        Sort::Field { descending, .. } | Sort::Created { descending } | Sort::Updated { descending } => *descending,
    }
}

/// Scores as numbers that grow with the score.
pub(super) fn score_bits(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// A day with the other end of its date behind it, as one number: of what begins on the same day the shorter comes first,
/// of what ends on the same day, going down, too.
fn of_both(day: i64, other: i64) -> u64 {
    const BITS: u32 = 21;
    let day = day.clamp(OPEN_FIRST, OPEN_LAST);
    let length = (other.clamp(OPEN_FIRST, OPEN_LAST) - day).clamp(-(1 << (BITS - 1)), (1 << (BITS - 1)) - 1);
    ((day << BITS) + length).to_u64()
}

struct Source {
    group: u8,
    opened: Arc<Opened>,
    /// Of dates the other end of each, which settles what begins or ends on the same day.
    other: Option<Arc<Opened>>,
    guard: Option<Arc<BitSet>>,
}

/// Ranks the documents of one segment.
pub(super) struct Ranker {
    descending: bool,
    by_score: bool,
    sources: Vec<Source>,
    ids: StrColumn,
    threshold: Option<Threshold>,
}

/// From where on documents belong to the page.
enum Threshold {
    /// After this rank; at it, those whose id has at least this ordinal.
    Rank(Rank, u64),
    /// After this key, for numbers, whose representation differs by segment; at it, ids as above.
    Number(Key, u64),
    /// After this rank and document.
    Score(Rank, u64),
}

impl Ranker {
    pub fn open(
        (reader, warm): (&SegmentReader, &Warm),
        sort: &Sort,
        levels: &Guards,
        after: Option<(&After, u32)>,
    ) -> tantivy::Result<Self> {
        let ids = warm.columns(reader, "id")?;
        let ids = ids
            .first()
            .and_then(|ids| ids.texts.clone())
            .ok_or_else(|| tantivy::TantivyError::SchemaError("no column of ids".to_owned()))?;
        let mut ranker = Self {
            descending: descending(sort),
            by_score: *sort == Sort::Relevance,
            sources: vec![],
            ids,
            threshold: None,
        };
        match sort {
            Sort::Relevance => {}
            Sort::Created { .. } => ranker.add(&*warm.columns(reader, "created")?, 0, None),
            Sort::Updated { .. } => ranker.add(&*warm.columns(reader, "updated")?, 0, None),
            Sort::Field { field, descending } => {
                let key = key(field);
                for (level, guard) in levels {
                    let group = *level as u8 * 4;
                    let ends = if *descending {
                        [LAST_DAY, FIRST_DAY]
                    } else {
                        [FIRST_DAY, LAST_DAY]
                    };
                    let [days, others] = ends.map(|end| Fields::column(*level, &format!("{key}{end}")));
                    let (days, others) = (warm.columns(reader, &days)?, warm.columns(reader, &others)?);
                    let known = ranker.sources.len();
                    ranker.add(&*days, group, guard.as_ref());
                    for (source, other) in ranker.sources[known..].iter_mut().zip(others.iter()) {
                        source.other = Some(other.clone());
                    }
                    // Texts stand in the order of their own column, see `order`.
                    for name in [&format!("{key}{ORDER}"), &key] {
                        let columns = warm.columns(reader, &Fields::column(*level, name))?;
                        let ordered = *name != key;
                        let columns = columns.iter().filter(|opened| ordered || opened.texts.is_none());
                        ranker.add(columns, group, guard.as_ref());
                    }
                }
            }
        }
        if let Some((after, segment)) = after {
            ranker.threshold = Some(ranker.threshold(after, segment)?);
        }
        Ok(ranker)
    }

    fn add<'o>(&mut self, columns: impl IntoIterator<Item = &'o Arc<Opened>>, group: u8, guard: Option<&Arc<BitSet>>) {
        for opened in columns {
            let group = group
                + match opened.kind {
                    ColumnType::Bool => 0,
                    ColumnType::Str => 2,
                    _ => 1,
                };
            self.sources.push(Source {
                group,
                opened: opened.clone(),
                other: None,
                guard: guard.cloned(),
            });
        }
    }

    /// A document's rank.
    #[inline]
    pub fn rank(&self, doc: DocId, score: f32) -> Rank {
        if self.by_score {
            return (0, u64::from(!score_bits(score)));
        }
        for source in &self.sources {
            if source.guard.as_ref().is_some_and(|guard| !guard.contains(doc)) {
                continue;
            }
            let values = source.opened.column.values_for_doc(doc);
            let found = match &source.other {
                Some(other) => {
                    let both = values.zip(other.column.values_for_doc(doc));
                    let both = both.map(|(day, other)| of_both(i64::from_u64(day), i64::from_u64(other)));
                    if self.descending { both.max() } else { both.min() }
                }
                None if self.descending => values.max(),
                None => values.min(),
            };
            if let Some(value) = found {
                return (source.group, if self.descending { !value } else { value });
            }
        }
        (MISSING, 0)
    }

    /// What settles a tie.
    #[inline]
    pub fn tie(&self, doc: DocId) -> u64 {
        if self.by_score {
            u64::from(doc)
        } else {
            self.ids.ords().first(doc).unwrap_or(u64::MAX)
        }
    }

    /// Whether a document comes after the page before.
    #[inline]
    pub fn is_after(&self, doc: DocId, rank: Rank) -> bool {
        match &self.threshold {
            None => true,
            Some(Threshold::Rank(at, tie) | Threshold::Score(at, tie)) => {
                rank > *at || (rank == *at && self.tie(doc) >= *tie)
            }
            Some(Threshold::Number(key, tie)) => match self.number(rank).compare(key, self.descending) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Equal => self.tie(doc) >= *tie,
                std::cmp::Ordering::Less => false,
            },
        }
    }

    fn source(&self, group: u8) -> Option<&Source> {
        self.sources.iter().find(|source| source.group == group)
    }

    fn threshold(&self, after: &After, segment: u32) -> tantivy::Result<Threshold> {
        match after {
            After::Place {
                score,
                segment: last,
                doc,
                ..
            } => {
                // Among equal scores segments come in order.
                let tie = match segment.cmp(last) {
                    std::cmp::Ordering::Less => u64::MAX,
                    std::cmp::Ordering::Equal => u64::from(*doc) + 1,
                    std::cmp::Ordering::Greater => 0,
                };
                Ok(Threshold::Score((0, u64::from(!*score)), tie))
            }
            After::Key { key, id } => {
                let tie = match self.ids.dictionary().term_ord_or_next(id)? {
                    TermOrdHit::Exact(ord) => ord + 1,
                    TermOrdHit::Next(ord) => ord,
                };
                Ok(match &key.value {
                    Valued::None => Threshold::Rank((MISSING, 0), tie),
                    Valued::Number { .. } => Threshold::Number(key.clone(), tie),
                    Valued::Text(text) => self.text_threshold(key.group, text, tie)?,
                })
            }
        }
    }

    fn text_threshold(&self, group: u8, text: &str, tie: u64) -> tantivy::Result<Threshold> {
        let Some(texts) = self.source(group).and_then(|source| source.opened.texts.as_ref()) else {
            // No such texts here: whatever is in a later group.
            return Ok(Threshold::Rank((group, u64::MAX), 0));
        };
        Ok(match (texts.dictionary().term_ord_or_next(text)?, self.descending) {
            (TermOrdHit::Exact(ord), false) => Threshold::Rank((group, ord), tie),
            (TermOrdHit::Exact(ord), true) => Threshold::Rank((group, !ord), tie),
            (TermOrdHit::Next(ord), false) => Threshold::Rank((group, ord), 0),
            // Going down, those below the next greater one are left; below the first one there are none, nor is it itself.
            (TermOrdHit::Next(0), true) => Threshold::Rank((group, u64::MAX), u64::MAX),
            (TermOrdHit::Next(ord), true) => {
                let last = (ord - 1).min(texts.dictionary().num_terms() as u64);
                Threshold::Rank((group, !last), 0)
            }
        })
    }

    fn number(&self, rank: Rank) -> Key {
        let raw = if self.descending { !rank.1 } else { rank.1 };
        let value = match self.source(rank.0).map(|source| source.opened.kind) {
            None | Some(ColumnType::Str) => Valued::None,
            Some(ColumnType::F64) => {
                let real = f64::from_u64(raw);
                Valued::Number {
                    bits: (real + 0.0).to_u64(),
                    exact: real as i64,
                }
            }
            Some(ColumnType::I64) => {
                let exact = i64::from_u64(raw);
                Valued::Number {
                    bits: (exact as f64).to_u64(),
                    exact,
                }
            }
            Some(_) => Valued::Number {
                bits: (raw as f64).to_u64(),
                exact: i64::try_from(raw).unwrap_or(i64::MAX),
            },
        };
        Key { group: rank.0, value }
    }

    /// The key of a rank, the same in every segment.
    pub fn key(&self, rank: Rank) -> tantivy::Result<Key> {
        if let Some(texts) = self.source(rank.0).and_then(|source| source.opened.texts.as_ref()) {
            let mut text = String::new();
            texts.ord_to_str(if self.descending { !rank.1 } else { rank.1 }, &mut text)?;
            return Ok(Key {
                group: rank.0,
                value: Valued::Text(text),
            });
        }
        Ok(self.number(rank))
    }
}

/// A document that may belong to the page: its rank, what settles a tie, itself, and its score.
type Place = (Rank, u64, DocId, u32);

/// The first documents of a segment. Twice as many as are wanted are gathered before the rest is thrown away: documents
/// stand in the order of their making, so with the newest first each would push out another one.
pub(super) struct Top {
    size: usize,
    gathered: Vec<Place>,
    /// From here on nothing is wanted any more.
    worst: Option<Rank>,
}

impl Top {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            gathered: Vec::with_capacity(size.min(512) * 2),
            worst: None,
        }
    }

    #[inline]
    pub fn offer(&mut self, ranker: &Ranker, doc: DocId, score: f32) {
        let rank = ranker.rank(doc, score);
        // Most documents end here: their ids are never looked up.
        if self.worst.is_some_and(|worst| rank > worst) || !ranker.is_after(doc, rank) {
            return;
        }
        self.gathered.push((rank, ranker.tie(doc), doc, score.to_bits()));
        if self.gathered.len() >= self.size * 2 {
            self.thin();
        }
    }

    fn thin(&mut self) {
        match self.size.checked_sub(1) {
            Some(last) if last < self.gathered.len() => {
                let (_, (rank, ..), _) = self.gathered.select_nth_unstable(last);
                self.worst = Some(*rank);
                self.gathered.truncate(self.size);
            }
            Some(_) => {}
            None => self.gathered.clear(),
        }
    }

    /// In order: rank, document, score.
    pub fn into_sorted(mut self) -> Vec<(Rank, DocId, f32)> {
        self.thin();
        self.gathered.sort_unstable();
        let places = self.gathered.into_iter();
        places
            .map(|(rank, _, doc, score)| (rank, doc, f32::from_bits(score)))
            .collect()
    }
}
