//! Counting values: ordinals within a segment, texts only at the end.
//!
//! A document counts once per distinct value, and as missing if it has none that the caller may see.

use std::collections::HashMap;
use std::rc::Rc;

use tantivy::columnar::{Column, ColumnType, MonotonicallyMappableToU64, StrColumn};
use tantivy::{BitSet, DocId, SegmentReader};

use super::schema::{FIRST_DAY, Fields, key};
use super::spread;
use super::text::column_value;
use super::types::{Facet, FacetRequest, FacetValue, TYPE_FACET};
use crate::kernel::access::Level;

/// Documents counted together, so that columns are read in blocks.
const BLOCK: usize = 1_024;

/// The counts of one facet over all segments. Texts are keyed by their column term, numbers and truth values by their
/// text; so equal values of segments with other column types meet.
#[derive(Default)]
pub(super) struct Tally {
    texts: HashMap<String, u64>,
    numbers: HashMap<String, u64>,
    /// Of a facet of spans: each number, or the year of each date.
    points: Vec<(f64, u64)>,
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
    /// Numbers and dates only, to be told in spans.
    spread: bool,
}

#[derive(Default)]
struct Buffers {
    visible: Vec<DocId>,
    docs: Vec<DocId>,
    rows: Vec<u32>,
    values: Vec<u64>,
}

struct Counted {
    column: Column<u64>,
    kind: ColumnType,
    /// Holds days, of which the years count.
    days: bool,
    dictionary: Option<StrColumn>,
    guard: Option<Rc<BitSet>>,
    /// By ordinal, for texts and truth values.
    dense: Vec<u32>,
    sparse: HashMap<u64, u32>,
}

impl Counted {
    /// The columns of a name: one per kind of value that stands in it.
    fn open(reader: &SegmentReader, name: &str, guard: Option<&Rc<BitSet>>) -> tantivy::Result<Vec<Self>> {
        let mut columns = Vec::new();
        for handle in reader.fast_fields().dynamic_column_handles(name)? {
            let kind = handle.column_type();
            let Some(column) = handle.open_u64_lenient()? else {
                continue;
            };
            let dictionary = match handle.open()? {
                tantivy::columnar::DynamicColumn::Str(texts) => Some(texts),
                _ => None,
            };
            let size = match (&dictionary, kind) {
                (Some(texts), _) => texts.dictionary().num_terms(),
                (None, ColumnType::Bool) => 2,
                _ => 0,
            };
            columns.push(Self {
                column,
                kind,
                days: false,
                dictionary,
                guard: guard.cloned(),
                dense: vec![0; size],
                sparse: HashMap::new(),
            });
        }
        Ok(columns)
    }

    /// Those of a name that hold numbers, and its days.
    fn open_numbers(reader: &SegmentReader, name: &str, guard: Option<&Rc<BitSet>>) -> tantivy::Result<Vec<Self>> {
        let mut columns = Self::open(reader, name, guard)?;
        columns.retain(|counted| matches!(counted.kind, ColumnType::I64 | ColumnType::U64 | ColumnType::F64));
        for mut days in Self::open(reader, &format!("{name}{FIRST_DAY}"), guard)? {
            days.days = true;
            columns.push(days);
        }
        Ok(columns)
    }

    /// A value of a column of numbers; of a date its year.
    fn point(&self, raw: u64) -> f64 {
        match self.kind {
            ColumnType::I64 if self.days => spread::year_of(i64::from_u64(raw)) as f64,
            ColumnType::I64 => i64::from_u64(raw) as f64,
            ColumnType::F64 => f64::from_u64(raw),
            _ => raw as f64,
        }
    }
}

impl Counter {
    /// Opens the facet's columns of the visible levels. `guards`: per level who is visible, `None` for everybody.
    pub fn open(
        reader: &SegmentReader,
        request: &FacetRequest,
        levels: &[(Level, Option<Rc<BitSet>>)],
    ) -> tantivy::Result<Self> {
        let mut columns = Vec::new();
        let (field, spread) = (request.name(), request.is_spread());
        if field == TYPE_FACET {
            // Every document has a type, and who sees the document sees its type.
            columns.extend(Counted::open(reader, "type", None)?);
        } else {
            let key = key(field);
            for (level, guard) in levels {
                let name = Fields::column(*level, &key);
                columns.extend(if spread {
                    Counted::open_numbers(reader, &name, guard.as_ref())?
                } else {
                    Counted::open(reader, &name, guard.as_ref())?
                });
            }
        }
        let seen = (columns.len() > 1).then(|| BitSet::with_max_value(reader.max_doc()));
        let waiting = Vec::with_capacity(BLOCK);
        Ok(Self {
            columns,
            seen,
            with_value: 0,
            total: 0,
            waiting,
            buffers: Buffers::default(),
            spread,
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

    fn count(&mut self, docs: &[DocId]) {
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
            counted
                .column
                .row_ids_for_docs(docs, &mut buffers.docs, &mut buffers.rows);
            buffers.values.resize(buffers.rows.len(), 0);
            counted.column.values.get_vals(&buffers.rows, &mut buffers.values);
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

    /// Adds what was counted to the whole.
    pub fn finish(mut self, tally: &mut Tally) -> tantivy::Result<()> {
        self.flush();
        tally.missing += self.total - self.with_value;
        for counted in self.columns {
            if self.spread {
                let points = counted
                    .sparse
                    .iter()
                    .map(|(raw, n)| (counted.point(*raw), u64::from(*n)));
                tally.points.extend(points);
                continue;
            }
            if let Some(texts) = &counted.dictionary {
                let present: Vec<u64> = counted
                    .dense
                    .iter()
                    .enumerate()
                    .filter(|(_, n)| **n > 0)
                    .map(|(ord, _)| ord as u64)
                    .collect();
                let mut at = 0;
                texts.dictionary().sorted_ords_to_term_cb(&present, |term| {
                    let count = u64::from(counted.dense[present[at] as usize]);
                    at += 1;
                    let term = String::from_utf8_lossy(term);
                    match tally.texts.get_mut(term.as_ref()) {
                        Some(sum) => *sum += count,
                        None => {
                            tally.texts.insert(term.into_owned(), count);
                        }
                    }
                })?;
                continue;
            }
            let dense = counted
                .dense
                .iter()
                .enumerate()
                .filter(|(_, n)| **n > 0)
                .map(|(raw, n)| (raw as u64, *n));
            for (raw, count) in dense.chain(counted.sparse.iter().map(|(raw, n)| (*raw, *n))) {
                *tally.numbers.entry(shown(counted.kind, raw)).or_default() += u64::from(count);
            }
        }
        Ok(())
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
    /// The most frequent values, then by value; what is missing last.
    pub fn answer(self, request: &FacetRequest) -> Facet {
        if request.is_spread() {
            return spread::facet(request.name(), self.points, request.limit, self.missing);
        }
        let distinct = (self.texts.len() + self.numbers.len()) as u64;
        let mut values: Vec<(String, u64)> = self.texts.into_iter().chain(self.numbers).collect();
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
        if self.missing > 0 {
            values.push(FacetValue {
                value: None,
                count: self.missing,
            });
        }
        Facet {
            field: request.field.clone(),
            values,
            distinct,
        }
    }
}
