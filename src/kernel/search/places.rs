//! Records on a map: the places of what was found, gathered in the same pass as everything else. What would lie on each other
//! is put together by `clusters`.
//!
//! A place is gathered only at a level at which its record is visible to the caller, so that what is hidden moves nothing.

use std::sync::Arc;

use tantivy::columnar::{ColumnType, MonotonicallyMappableToU64};
use tantivy::{BitSet, DocId, SegmentReader};

use super::clusters::draw;
use super::facet::BLOCK;
use super::run::Pass;
use super::schema::{Fields, LATITUDE, LONGITUDE};
use super::shared::{Guards, Opened, Warm};
use crate::kernel::geo::{Area, Frame};

/// A map of what is found.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacesRequest {
    /// What the map shows; without one, all that is found.
    pub frame: Option<Frame>,
    /// Places that lie in the same of so many columns become one.
    pub columns: u32,
}

/// What is on a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    pub frame: Frame,
    /// The largest first.
    pub clusters: Vec<Cluster>,
    /// Records with a place, each once.
    pub records: u64,
}

/// Places near each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The middle of its places.
    pub latitude: f64,
    pub longitude: f64,
    /// Records, each once.
    pub records: u64,
    /// The smallest box around its places.
    pub area: Area,
    /// The record, where it is a single one.
    pub id: Option<String>,
}

/// A record's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub latitude: f64,
    pub longitude: f64,
    pub segment: u32,
    pub doc: DocId,
}

/// Latitudes and longitudes of one level, in the same order, and who is visible at it.
struct Pair {
    latitudes: Arc<Opened>,
    longitudes: Arc<Opened>,
    guard: Option<Arc<BitSet>>,
}

/// Gathers the places of one segment.
pub(super) struct Gatherer {
    pairs: Vec<Pair>,
    within: Option<Area>,
    segment: u32,
    points: Vec<Point>,
    visible: Vec<DocId>,
    docs: Vec<DocId>,
    rows: Vec<u32>,
    values: [Vec<u64>; 2],
}

impl Gatherer {
    pub fn open(
        (reader, warm): (&SegmentReader, &Warm),
        segment: u32,
        within: Option<Area>,
        levels: &Guards,
    ) -> tantivy::Result<Self> {
        let mut pairs = Vec::new();
        for (level, guard) in levels {
            let column = |key| -> tantivy::Result<Option<Arc<Opened>>> {
                let columns = warm.columns(reader, &Fields::column(*level, key))?;
                Ok(columns.iter().find(|opened| opened.kind == ColumnType::F64).cloned())
            };
            if let (Some(latitudes), Some(longitudes)) = (column(LATITUDE)?, column(LONGITUDE)?) {
                pairs.push(Pair {
                    latitudes,
                    longitudes,
                    guard: guard.clone(),
                });
            }
        }
        Ok(Self {
            pairs,
            within,
            segment,
            points: Vec::new(),
            visible: Vec::new(),
            docs: Vec::new(),
            rows: Vec::new(),
            values: Default::default(),
        })
    }

    pub fn gather(&mut self, docs: &[DocId]) {
        let Self {
            pairs,
            within,
            segment,
            points,
            visible,
            docs: found,
            rows,
            values: [norths, easts],
        } = self;
        for pair in pairs {
            let docs = match &pair.guard {
                None => docs,
                Some(guard) => {
                    visible.clear();
                    visible.extend(docs.iter().copied().filter(|doc| guard.contains(*doc)));
                    &*visible
                }
            };
            found.clear();
            rows.clear();
            pair.latitudes.column.row_ids_for_docs(docs, found, rows);
            for (opened, values) in [(&pair.latitudes, &mut *norths), (&pair.longitudes, &mut *easts)] {
                values.resize(rows.len(), 0);
                opened.column.values.get_vals(rows, values);
            }
            for ((doc, north), east) in found.iter().zip(norths.iter()).zip(easts.iter()) {
                let (latitude, longitude) = (f64::from_u64(*north), f64::from_u64(*east));
                if within.is_none_or(|area| area.contains(latitude, longitude)) {
                    points.push(Point {
                        latitude,
                        longitude,
                        segment: *segment,
                        doc: *doc,
                    });
                }
            }
        }
    }

    pub fn finish(self) -> Vec<Point> {
        self.points
    }
}

impl Pass<'_> {
    pub fn gatherer(&self, ord: usize) -> tantivy::Result<Option<Gatherer>> {
        let reader = self.compiler.searcher.segment_reader(ord as u32);
        let open = || {
            let levels = &self.compiler.views[ord].levels;
            Gatherer::open((reader, &self.warm[ord]), ord as u32, self.question.area, levels)
        };
        self.question.places.as_ref().map(|_| open()).transpose()
    }

    /// The places of all documents of a segment that may be found, where a map is wanted.
    pub fn every_place(&self, ord: usize) -> tantivy::Result<Vec<Point>> {
        let Some(mut gatherer) = self.gatherer(ord)? else {
            return Ok(Vec::new());
        };
        let reader = self.compiler.searcher.segment_reader(ord as u32);
        let (alive, found) = (reader.alive_bitset(), &self.compiler.views[ord].found);
        let docs = (0..reader.max_doc()).filter(|doc| {
            alive.is_none_or(|alive| alive.is_alive(*doc)) && found.as_ref().is_none_or(|found| found.contains(*doc))
        });
        let docs: Vec<DocId> = docs.collect();
        docs.chunks(BLOCK).for_each(|block| gatherer.gather(block));
        Ok(gatherer.finish())
    }

    /// The map, where one is wanted.
    pub fn places(&self, points: Vec<Point>) -> tantivy::Result<Option<Places>> {
        let Some(request) = &self.question.places else {
            return Ok(None);
        };
        let drawn = draw(points, request);
        let mut clusters = Vec::with_capacity(drawn.groups.len());
        for group in drawn.groups {
            let id = match group.records {
                1 => Some(self.text("id", (group.first.segment, group.first.doc))?),
                _ => None,
            };
            clusters.push(Cluster {
                latitude: group.latitude,
                longitude: group.longitude,
                records: group.records,
                area: group.area,
                id,
            });
        }
        Ok(Some(Places {
            frame: drawn.frame,
            clusters,
            records: drawn.records,
        }))
    }
}
