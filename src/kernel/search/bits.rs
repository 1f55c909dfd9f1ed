//! Conditions that are decided for a whole segment at once: what fits is a bit set, and the rest is the same for all.

use std::fmt::Debug;

use tantivy::query::{BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, Score, SegmentReader, TantivyError};

/// A condition that reads a segment once.
pub(super) trait Bits: Clone + Debug + Send + Sync + 'static {
    /// What it is called where an answer is explained.
    const NAME: &'static str;

    /// The documents of a segment that fit.
    fn bits(&self, reader: &SegmentReader) -> tantivy::Result<BitSet>;
}

/// Such a condition as a part of a question.
#[derive(Clone, Debug)]
pub(super) struct BitsQuery<B>(pub B);

impl<B: Bits> Query for BitsQuery<B> {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl<B: Bits> Weight for BitsQuery<B> {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let bits = self.0.bits(reader)?;
        if bits.len() == 0 {
            return Ok(Box::new(EmptyScorer));
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(bits), boost)))
    }
    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        if self.0.bits(reader)?.contains(doc) {
            return Ok(Explanation::new(B::NAME, 1.0));
        }
        Err(TantivyError::InvalidArgument(format!("document {doc} does not match")))
    }
}
