//! What is left out of an answer. The index asks it about documents in order and does not heed from where on it said that
//! something could match; phrases and unions of several words cannot be asked so, and could even miss what they hold. Here
//! they are asked in steps that leave them as they should stand.

use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader};

use super::compile::Boxed;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Without(pub Boxed);

impl Clone for Without {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

struct Weighed(Box<dyn Weight>);

struct Steps(Box<dyn Scorer>);

impl Query for Without {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(Weighed(self.0.weight(scoring)?)))
    }
}

impl Weight for Weighed {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(Steps(self.0.scorer(reader, boost)?)))
    }
    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}

// `seek_danger` is the one that every document set has by itself: from a sound place to a sound place.
impl DocSet for Steps {
    fn advance(&mut self) -> DocId {
        self.0.advance()
    }
    fn seek(&mut self, target: DocId) -> DocId {
        self.0.seek(target)
    }
    fn doc(&self) -> DocId {
        self.0.doc()
    }
    fn size_hint(&self) -> u32 {
        self.0.size_hint()
    }
}

impl Scorer for Steps {
    fn score(&mut self) -> Score {
        self.0.score()
    }
}
