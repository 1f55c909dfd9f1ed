//! Conditions that are decided for a whole segment at once: what fits is a bit set, and the rest is the same for all.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use tantivy::query::{BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, Score, SegmentReader, TantivyError};

/// Places of words that are read for all phrases of patterns of a question; what comes after is not looked at.
const MAX_PLACES: usize = 3_000_000;

/// How long a question may still be worked on, and whether something of it was looked at in part only.
#[derive(Debug, Default)]
pub(super) struct Patience {
    until: Option<Instant>,
    places: AtomicUsize,
    cut: AtomicBool,
}

impl Patience {
    pub fn until(until: Instant) -> Self {
        Self {
            until: Some(until),
            ..Self::default()
        }
    }
    /// Time is up: what is answered now will not be shown.
    pub fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
    /// Places were read; false where that is enough.
    pub fn reads(&self, places: usize) -> bool {
        self.places.fetch_add(places, Ordering::Relaxed) + places < MAX_PLACES
    }
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }
    pub fn was_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }
}

/// A condition that reads a segment once.
pub(super) trait Bits: Clone + Debug + Send + Sync + 'static {
    /// What it is called where an answer is explained.
    const NAME: &'static str;

    /// The documents of a segment that fit; any, once time is up.
    fn bits(&self, reader: &SegmentReader, patience: &Patience) -> tantivy::Result<BitSet>;
}

/// Such a condition as a part of a question.
#[derive(Clone, Debug)]
pub(super) struct BitsQuery<B> {
    of: B,
    patience: Arc<Patience>,
}

impl<B: Bits> BitsQuery<B> {
    pub fn new(of: B, patience: &Arc<Patience>) -> Self {
        Self {
            of,
            patience: patience.clone(),
        }
    }
}

impl<B: Bits> Query for BitsQuery<B> {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl<B: Bits> Weight for BitsQuery<B> {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        if self.patience.is_over() {
            return Ok(Box::new(EmptyScorer));
        }
        let bits = self.of.bits(reader, &self.patience)?;
        if bits.len() == 0 {
            return Ok(Box::new(EmptyScorer));
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(bits), boost)))
    }
    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        if self.of.bits(reader, &self.patience)?.contains(doc) {
            return Ok(Explanation::new(B::NAME, 1.0));
        }
        Err(TantivyError::InvalidArgument(format!("document {doc} does not match")))
    }
}
