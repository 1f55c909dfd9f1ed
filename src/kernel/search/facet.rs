//! Counting values: ordinals within a segment, texts only at the end and only of those that are shown.
//!
//! A document counts once per distinct value, and as missing if it has none that the caller may see. Ordinals of several
//! segments meet in the largest of their columns, so that no texts need to be compared while counting.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::columnar::{ColumnType, MonotonicallyMappableToU64};
use tantivy::{BitSet, DocId, Searcher, SegmentReader};

use super::schema::{FIRST_DAY, Fields, LAST_DAY, key};
use super::shared::{Guards, NOWHERE, Opened, View, Warm};
use super::spread::{self, Point};
use super::text::{MAX_ORDER, column_value, fold};
use super::types::{Facet, FacetRequest, FacetValue, TYPE_FACET};
use crate::kernel::civil::{OPEN_FIRST, OPEN_LAST};

/// Documents counted together, so that columns are read in blocks.
pub(super) const BLOCK: usize = 1_024;

/// The counts of one facet over all segments. Texts by their place in the largest column, those it does not have by their
/// column term; numbers and truth values by their text, so that equal values of other column types meet.
#[derive(Default)]
pub(super) struct Tally {
    largest: Option<Arc<Opened>>,
    places: Vec<u64>,
    texts: HashMap<String, u64>,
    numbers: HashMap<String, u64>,
    /// Of a facet of spans: each number, or the years of each date.
    points: Vec<Point>,
    missing: u64,
}

/// Counts one facet in one segment.
pub(super) struct Counter {
    columns: Vec<Counted>,
    /// Documents that have a value; only needed where several columns may hold one.
    seen: Option<BitSet>,
    with_value: u64,
    total: u64,
    waiting: Vec<DocId>,
    buffers: Buffers,
}

/// What a facet counted in one segment.
pub(super) struct Counts {
    columns: Vec<Counted>,
    missing: u64,
}

impl Counts {
    /// How much room they take: values that were counted.
    pub fn size(&self) -> usize {
        self.columns.iter().map(|c| c.dense.len() + c.sparse.len()).sum()
    }
}

#[derive(Default)]
struct Buffers {
    visible: Vec<DocId>,
    docs: Vec<DocId>,
    rows: Vec<u32>,
    values: Vec<u64>,
    ends: Vec<u64>,
}

struct Counted {
    opened: Arc<Opened>,
    /// It holds first days, and these are the last: the years count.
    last: Option<Arc<Opened>>,
    guard: Option<Arc<BitSet>>,
    /// By ordinal, for texts and truth values.
    dense: Vec<u32>,
    sparse: HashMap<u64, u32>,
}

impl Counted {
    fn new(opened: &Arc<Opened>, guard: Option<&Arc<BitSet>>) -> Self {
        Self {
            opened: opened.clone(),
            last: None,
            guard: guard.cloned(),
            dense: Vec::new(),
            sparse: HashMap::new(),
        }
    }

    /// A value of a column of numbers; of a date its first and last year.
    fn point(&self, raw: u64, count: u32) -> Point {
        let (low, high) = match self.opened.kind {
            _ if self.last.is_some() => {
                let (first, last) = unpacked(raw);
                (f64::from(first), f64::from(last))
            }
            ColumnType::I64 => (i64::from_u64(raw) as f64, i64::from_u64(raw) as f64),
            ColumnType::F64 => (f64::from_u64(raw), f64::from_u64(raw)),
            _ => (raw as f64, raw as f64),
        };
        Point {
            low,
            high,
            count: u64::from(count),
        }
    }
}

/// The years of two days in one number.
fn packed(first: u64, last: u64) -> u64 {
    let year = |day: u64| {
        let year = spread::year_of(i64::from_u64(day).clamp(OPEN_FIRST, OPEN_LAST));
        u64::from((year.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32).cast_unsigned())
    };
    year(first) << 32 | year(last)
}

fn unpacked(years: u64) -> (i32, i32) {
    (((years >> 32) as u32).cast_signed(), (years as u32).cast_signed())
}

/// A facet's columns at the visible levels, each with who is visible at it.
fn columns(
    (reader, warm): (&SegmentReader, &Warm),
    request: &FacetRequest,
    levels: &Guards,
) -> tantivy::Result<Vec<Counted>> {
    let field = request.name();
    if field == TYPE_FACET {
        // Every document has a type, and who sees the document sees its type.
        let columns = warm.columns(reader, "type")?;
        return Ok(columns.iter().map(|opened| Counted::new(opened, None)).collect());
    }
    let (key, mut found) = (key(field), Vec::new());
    for (level, guard) in levels {
        let name = Fields::column(*level, &key);
        let columns = warm.columns(reader, &name)?;
        let fits = |opened: &&Arc<Opened>| {
            !request.is_spread() || matches!(opened.kind, ColumnType::I64 | ColumnType::U64 | ColumnType::F64)
        };
        found.extend(
            columns
                .iter()
                .filter(fits)
                .map(|opened| Counted::new(opened, guard.as_ref())),
        );
        if request.is_spread() {
            let first = warm.columns(reader, &format!("{name}{FIRST_DAY}"))?;
            let last = warm.columns(reader, &format!("{name}{LAST_DAY}"))?;
            found.extend(first.iter().zip(last.iter()).map(|(first, last)| Counted {
                last: Some(last.clone()),
                ..Counted::new(first, guard.as_ref())
            }));
        }
    }
    Ok(found)
}

impl Counter {
    /// Takes the facet's columns of the visible levels.
    pub fn open(segment: (&SegmentReader, &Warm), request: &FacetRequest, levels: &Guards) -> tantivy::Result<Self> {
        let mut counted = columns(segment, request, levels)?;
        for column in &mut counted {
            let size = match (&column.opened.texts, column.opened.kind) {
                (Some(texts), _) => texts.num_terms(),
                (None, ColumnType::Bool) => 2,
                _ => 0,
            };
            column.dense = vec![0; size];
        }
        let seen = (counted.len() > 1).then(|| BitSet::with_max_value(segment.0.max_doc()));
        Ok(Self {
            columns: counted,
            seen,
            with_value: 0,
            total: 0,
            waiting: Vec::new(),
            buffers: Buffers::default(),
        })
    }

    /// Counts a document, sooner or later.
    #[inline]
    pub fn push(&mut self, doc: DocId) {
        self.waiting.push(doc);
        if self.waiting.len() == BLOCK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let docs = std::mem::take(&mut self.waiting);
        self.count(&docs);
        self.waiting = docs;
        self.waiting.clear();
    }

    /// Counts documents.
    pub fn count(&mut self, docs: &[DocId]) {
        self.total += docs.len() as u64;
        let Self {
            columns,
            seen,
            with_value,
            buffers,
            ..
        } = self;
        for counted in columns {
            let docs = match &counted.guard {
                None => docs,
                Some(guard) => {
                    buffers.visible.clear();
                    buffers
                        .visible
                        .extend(docs.iter().copied().filter(|doc| guard.contains(*doc)));
                    &buffers.visible
                }
            };
            buffers.docs.clear();
            buffers.rows.clear();
            let column = &counted.opened.column;
            column.row_ids_for_docs(docs, &mut buffers.docs, &mut buffers.rows);
            buffers.values.resize(buffers.rows.len(), 0);
            column.values.get_vals(&buffers.rows, &mut buffers.values);
            if let Some(last) = &counted.last {
                // Both have a row for each date, in the same order.
                buffers.ends.resize(buffers.rows.len(), 0);
                last.column.values.get_vals(&buffers.rows, &mut buffers.ends);
                for (first, last) in buffers.values.iter_mut().zip(&buffers.ends) {
                    *first = packed(*first, *last);
                }
            }
            if counted.dense.is_empty() {
                for value in &buffers.values {
                    *counted.sparse.entry(*value).or_default() += 1;
                }
            } else {
                for value in &buffers.values {
                    if let Some(count) = counted.dense.get_mut(*value as usize) {
                        *count += 1;
                    }
                }
            }
            match seen {
                Some(seen) => *with_value += buffers.docs.iter().filter(|doc| seen.insert(**doc)).count() as u64,
                None => *with_value += buffers.docs.chunk_by(|a, b| a == b).count() as u64,
            }
        }
    }

    /// What was counted.
    pub fn finish(mut self) -> Counts {
        self.flush();
        Counts {
            columns: self.columns,
            missing: self.total - self.with_value,
        }
    }
}

/// A number or truth value as text; a whole number looks the same in every column type.
fn shown(kind: ColumnType, raw: u64) -> String {
    match kind {
        ColumnType::Bool => (raw == 1).to_string(),
        ColumnType::I64 => i64::from_u64(raw).to_string(),
        ColumnType::F64 => f64::from_u64(raw).to_string(),
        _ => raw.to_string(),
    }
}

impl Tally {
    /// For counts of a facet in all segments of a searcher.
    pub fn new(
        searcher: &Searcher,
        warm: &[Arc<Warm>],
        views: &[Arc<View>],
        request: &FacetRequest,
    ) -> tantivy::Result<Self> {
        let mut tally = Self::default();
        let size = |opened: &Opened| opened.texts.as_ref().map_or(0, |texts| texts.num_terms());
        for (at, reader) in searcher.segment_readers().iter().enumerate() {
            for Counted { opened, .. } in columns((reader, &warm[at]), request, &views[at].levels)? {
                let largest = tally.largest.as_deref();
                if opened.texts.is_some() && largest.is_none_or(|largest| size(&opened) > size(largest)) {
                    tally.largest = Some(opened);
                }
            }
        }
        tally.places = vec![0; tally.largest.as_deref().map_or(0, size)];
        Ok(tally)
    }

    /// Adds what was counted in a segment.
    pub fn take(&mut self, counts: &Counts, request: &FacetRequest) -> tantivy::Result<()> {
        self.missing += counts.missing;
        for counted in &counts.columns {
            if request.is_spread() {
                let points = counted.sparse.iter();
                self.points.extend(points.map(|(raw, n)| counted.point(*raw, *n)));
                continue;
            }
            if counted.opened.texts.is_some() {
                self.add(&counted.opened, &counted.dense)?;
                continue;
            }
            let dense = counted.dense.iter().enumerate().map(|(raw, n)| (raw as u64, *n));
            let counts = dense.chain(counted.sparse.iter().map(|(raw, n)| (*raw, *n)));
            for (raw, count) in counts.filter(|(_, n)| *n > 0) {
                *self.numbers.entry(shown(counted.opened.kind, raw)).or_default() += u64::from(count);
            }
        }
        Ok(())
    }

    /// Adds the counts of a column of texts.
    fn add(&mut self, opened: &Arc<Opened>, counts: &[u32]) -> tantivy::Result<()> {
        let Some(largest) = &self.largest else { return Ok(()) };
        if Arc::ptr_eq(largest, opened) {
            for (sum, count) in self.places.iter_mut().zip(counts) {
                *sum += u64::from(*count);
            }
            return Ok(());
        }
        let places = opened.places_in(largest)?;
        let mut elsewhere = Vec::new();
        for (ord, count) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            match places.get(ord) {
                Some(place) if *place != NOWHERE => self.places[*place as usize] += u64::from(*count),
                _ => elsewhere.push((ord as u64, u64::from(*count))),
            }
        }
        for (text, count) in texts(opened, &elsewhere)? {
            *self.texts.entry(text).or_default() += count;
        }
        Ok(())
    }

    /// The most frequent values, then by value; what is missing last.
    pub fn answer(self, request: &FacetRequest) -> tantivy::Result<Facet> {
        if let Some(chosen) = request.chosen_years() {
            return Ok(spread::calendar(request.name(), &self.points, chosen, self.missing));
        }
        if let Some(shown) = request.shown_years() {
            let size = request.limit;
            return Ok(spread::timeline(request.name(), self.points, shown, size, self.missing));
        }
        if request.is_spread() {
            return Ok(spread::facet(request.name(), self.points, request.limit, self.missing));
        }
        let counts = self.places.iter().enumerate().filter(|(_, n)| **n > 0);
        let mut known: Vec<(u64, u64)> = counts.map(|(ord, n)| (ord as u64, *n)).collect();
        let mut distinct = (known.len() + self.texts.len() + self.numbers.len()) as u64;
        if request.needle().is_none() && request.limit < known.len() {
            // Ordinals are in the order of values. No more than these can be shown, whatever comes from elsewhere.
            known.select_nth_unstable_by_key(request.limit, |(ord, n)| (std::cmp::Reverse(*n), *ord));
            known.truncate(request.limit);
            known.sort_unstable();
        }
        let mut values = match &self.largest {
            Some(largest) => texts(largest, &known)?,
            None => Vec::new(),
        };
        values.extend(self.texts.into_iter().chain(self.numbers));
        if let Some(needle) = request.needle() {
            values.retain(|(term, _)| holds(term, needle));
            distinct = values.len() as u64;
        }
        let order = |a: &(String, u64), b: &(String, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
        if request.limit == 0 {
            values.clear();
        } else if values.len() > request.limit {
            values.select_nth_unstable_by(request.limit - 1, order);
            values.truncate(request.limit);
        }
        values.sort_unstable_by(order);
        let mut values: Vec<FacetValue> = values
            .into_iter()
            .map(|(term, count)| FacetValue {
                value: Some(column_value(&term).to_owned()),
                count,
            })
            .collect();
        if self.missing > 0 && request.needle().is_none() {
            values.push(FacetValue {
                value: None,
                count: self.missing,
            });
        }
        Ok(Facet {
            field: request.name().to_owned(),
            values,
            distinct,
        })
    }
}

/// Whether a value has a folded text in it. Of most values the folded beginning before them is all there is.
fn holds(term: &str, needle: &str) -> bool {
    let (start, value) = term.split_once('\0').unwrap_or(("", term));
    let is_whole = value.len() <= MAX_ORDER && start.len() + 4 <= MAX_ORDER && !start.is_empty();
    start.contains(needle) || !is_whole && fold(value).contains(needle)
}

/// The texts of ordinals that are in order, each with its count.
fn texts(opened: &Opened, counts: &[(u64, u64)]) -> tantivy::Result<Vec<(String, u64)>> {
    let Some(texts) = &opened.texts else {
        return Ok(Vec::new());
    };
    let ords: Vec<u64> = counts.iter().map(|(ord, _)| *ord).collect();
    let mut found = Vec::with_capacity(ords.len());
    texts.dictionary().sorted_ords_to_term_cb(&ords, |term| {
        found.push((String::from_utf8_lossy(term).into_owned(), counts[found.len()].1));
    })?;
    Ok(found)
}
