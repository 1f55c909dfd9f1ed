//! Conditions on columns: numbers, dates and truth values in a span. Each segment's column is read once into a bit set.

use std::ops::RangeInclusive;

use tantivy::columnar::{Column, ColumnType, DynamicColumn, MonotonicallyMappableToU64};
use tantivy::{BitSet, DocId, SegmentReader};

use super::bits::{Bits, Patience};
use super::query::{Bound, Range};
use super::schema::{FIRST_DAY, Fields, LAST_DAY};
use super::text::column_term;
use crate::kernel::access::Level;

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// A number or a date in the span.
    Within(Range),
    Is(bool),
    /// A time in milliseconds between these, both included.
    Times(i64, i64),
}

impl Test {
    /// The times of the days of a span, in UTC.
    pub fn times(range: &Range) -> Option<Self> {
        const DAY_MS: i64 = 86_400_000;
        let first = match &range.low {
            None => i64::MIN,
            Some(end) if end.included => end.days?.0.checked_mul(DAY_MS)?,
            Some(end) => end.days?.1.checked_add(1)?.checked_mul(DAY_MS)?,
        };
        let last = match &range.high {
            None => i64::MAX,
            Some(end) if end.included => end.days?.1.checked_add(1)?.checked_mul(DAY_MS)? - 1,
            Some(end) => end.days?.0.checked_mul(DAY_MS)? - 1,
        };
        (first <= last).then_some(Self::Times(first, last))
    }
}

/// A condition on one field at one level.
#[derive(Clone, Debug)]
pub(super) struct ColumnTest {
    column: String,
    test: Test,
}

impl Bits for ColumnTest {
    const NAME: &'static str = "column";

    fn bits(&self, reader: &SegmentReader, _: &Patience) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        for handle in reader.fast_fields().dynamic_column_handles(&self.column)? {
            let Some(span) = self.span(handle.column_type()) else {
                continue;
            };
            if let Some(column) = handle.open_u64_lenient()? {
                mark(&column, span, reader.max_doc(), &mut bits);
            }
        }
        if let Test::Within(range) = &self.test {
            self.mark_days(reader, range, &mut bits)?;
        }
        Ok(bits)
    }
}

impl ColumnTest {
    pub fn new(level: Level, key: &str, test: Test) -> Self {
        Self {
            column: Fields::column(level, key),
            test,
        }
    }

    /// A condition on a column that every document has.
    pub fn plain(column: &str, test: Test) -> Self {
        Self {
            column: column.to_owned(),
            test,
        }
    }

    /// The span in the column's own representation.
    fn span(&self, kind: ColumnType) -> Option<RangeInclusive<u64>> {
        match (&self.test, kind) {
            (Test::Times(first, last), ColumnType::I64) => Some(first.to_u64()..=last.to_u64()),
            (Test::Is(yes), ColumnType::Bool) => Some(yes.to_u64()..=yes.to_u64()),
            (Test::Within(range), ColumnType::I64 | ColumnType::U64 | ColumnType::F64) => {
                let number = |bound: &Option<Bound>| bound.as_ref().map(|b| Some((b.number?, b.included)));
                let low = number(&range.low).map_or(Some((f64::NEG_INFINITY, true)), |end| end)?;
                let high = number(&range.high).map_or(Some((f64::INFINITY, true)), |end| end)?;
                numbers(kind, low, high)
            }
            _ => None,
        }
    }

    /// A date is in the span when any of its days is.
    fn mark_days(&self, reader: &SegmentReader, range: &Range, bits: &mut BitSet) -> tantivy::Result<()> {
        let ends = |bound: &Option<Bound>| bound.as_ref().map(|b| b.days.map(|days| (days, b.included)));
        let (Some(low), Some(high)) = (
            ends(&range.low).unwrap_or(Some(((i64::MIN, i64::MIN), true))),
            ends(&range.high).unwrap_or(Some(((i64::MAX, i64::MAX), true))),
        ) else {
            return Ok(());
        };
        // Beyond 1850 begins after its last day, from 1850 on with its first.
        let low = if low.1 { low.0.0 } else { low.0.1.saturating_add(1) };
        let high = if high.1 { high.0.1 } else { high.0.0.saturating_sub(1) };
        let fast = reader.fast_fields();
        let first = fast.column_opt::<i64>(&format!("{}{FIRST_DAY}", self.column))?;
        let last = fast.column_opt::<i64>(&format!("{}{LAST_DAY}", self.column))?;
        if let (Some(first), Some(last)) = (first, last) {
            for doc in 0..reader.max_doc() {
                if first
                    .values_for_doc(doc)
                    .zip(last.values_for_doc(doc))
                    .any(|(from, to)| to >= low && from <= high)
                {
                    bits.insert(doc);
                }
            }
        }
        Ok(())
    }
}

/// One of the texts of a field is this, as it was counted.
#[derive(Clone, Debug)]
pub(super) struct TextTest {
    column: String,
    term: String,
}

impl TextTest {
    pub fn new(level: Level, key: &str, value: &str) -> Self {
        Self {
            column: Fields::column(level, key),
            term: column_term(value),
        }
    }
}

impl Bits for TextTest {
    const NAME: &'static str = "text";

    fn bits(&self, reader: &SegmentReader, _: &Patience) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        for handle in reader.fast_fields().dynamic_column_handles(&self.column)? {
            let DynamicColumn::Str(texts) = handle.open()? else {
                continue;
            };
            if let Some(ord) = texts.dictionary().term_ord(self.term.as_bytes())? {
                mark(texts.ords(), ord..=ord, reader.max_doc(), &mut bits);
            }
        }
        Ok(bits)
    }
}

fn mark(column: &Column<u64>, span: RangeInclusive<u64>, max_doc: DocId, bits: &mut BitSet) {
    // tantivy takes a span outside of the column's values for one that touches them.
    if *span.end() < column.min_value() || *span.start() > column.max_value() {
        return;
    }
    let mut docs = Vec::new();
    column.get_docids_for_value_range(span, 0..max_doc, &mut docs);
    for doc in docs {
        bits.insert(doc);
    }
}

fn numbers(kind: ColumnType, low: (f64, bool), high: (f64, bool)) -> Option<RangeInclusive<u64>> {
    let (from, to) = match kind {
        ColumnType::F64 => {
            let from = if low.1 { low.0 } else { low.0.next_up() };
            let to = if high.1 { high.0 } else { high.0.next_down() };
            (from.to_u64(), to.to_u64())
        }
        // A cast from a float stops at the type's ends.
        ColumnType::I64 => {
            let from = if !low.1 && low.0.fract() == 0.0 {
                (low.0 as i64).checked_add(1)?
            } else {
                low.0.ceil() as i64
            };
            let to = if !high.1 && high.0.fract() == 0.0 {
                (high.0 as i64).checked_sub(1)?
            } else {
                high.0.floor() as i64
            };
            if low.0 > i64::MAX as f64 || high.0 < i64::MIN as f64 {
                return None;
            }
            (from.to_u64(), to.to_u64())
        }
        _ => {
            if high.0 < 0.0 {
                return None;
            }
            let from = if !low.1 && low.0.fract() == 0.0 && low.0 >= 0.0 {
                (low.0 as u64).checked_add(1)?
            } else {
                low.0.ceil() as u64
            };
            let to = if !high.1 && high.0.fract() == 0.0 {
                (high.0 as u64).checked_sub(1)?
            } else {
                high.0.floor() as u64
            };
            (from, to)
        }
    };
    (from <= to).then_some(from..=to)
}
