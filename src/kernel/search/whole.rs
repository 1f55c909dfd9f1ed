//! What a question for everything finds in a segment: its counts and its first documents, kept with the view.
//!
//! The page that shows a collection before anybody has typed a word is the one that is asked for most and costs most. A
//! segment never changes but for its deleted documents, and these only become more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tantivy::DocId;

use super::facet::Counts;
use super::locked;
use super::sort::Rank;
use super::types::{FacetRequest, Sort};

/// Documents kept of each order.
pub(super) const KEPT: usize = 256;
const MAX_ORDERS: usize = 8;
const MAX_FACETS: usize = 32;
/// Facets with more values than this are counted anew each time.
const MAX_VALUES: usize = 16 << 10;

/// The first documents of a segment in an order, with what they have for it.
pub(super) type First = Arc<[(Rank, DocId, f32)]>;

/// See the module's text.
#[derive(Default)]
pub(super) struct Whole(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    deleted: u32,
    total: u64,
    counts: HashMap<String, Arc<Counts>>,
    orders: Vec<(Sort, First)>,
}

/// What was found in one segment.
pub(super) struct Found {
    pub total: u64,
    /// In the order of the facets that were asked for.
    pub counts: Vec<Arc<Counts>>,
    pub first: First,
}

impl Whole {
    /// What is kept for a segment of which so many documents are deleted, if that answers the question.
    pub fn get(&self, deleted: u32, sort: &Sort, facets: &[FacetRequest]) -> Option<Found> {
        let kept = locked(&self.0);
        if kept.deleted != deleted {
            return None;
        }
        let (_, first) = kept.orders.iter().find(|(known, _)| known == sort)?;
        let counts = facets.iter().map(|facet| kept.counts.get(facet.counted()).cloned());
        Some(Found {
            total: kept.total,
            counts: counts.collect::<Option<_>>()?,
            first: first.clone(),
        })
    }

    /// Keeps what was found, as far as there is room.
    pub fn put(&self, deleted: u32, sort: &Sort, facets: &[FacetRequest], found: &Found) {
        let mut kept = locked(&self.0);
        if kept.deleted > deleted {
            return;
        }
        if kept.deleted < deleted {
            *kept = Inner::default();
            kept.deleted = deleted;
        }
        kept.total = found.total;
        if kept.orders.iter().all(|(known, _)| known != sort) {
            if kept.orders.len() >= MAX_ORDERS {
                kept.orders.remove(0);
            }
            kept.orders.push((sort.clone(), found.first.clone()));
        }
        for (facet, counts) in facets.iter().zip(&found.counts) {
            if kept.counts.len() < MAX_FACETS && counts.size() <= MAX_VALUES {
                kept.counts.insert(facet.counted().to_owned(), counts.clone());
            }
        }
    }
}
