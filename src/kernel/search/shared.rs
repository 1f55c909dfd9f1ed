//! What questions share of a segment: its opened columns, and who is visible in it to whom.
//!
//! A segment's files never change, so nothing here goes stale: a changed document stands in another segment, and which
//! of the old ones are deleted is asked of the reader each time. Dropped with the segment, and bounded.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};

use tantivy::columnar::{Column, ColumnType, DynamicColumn, StrColumn};
use tantivy::index::SegmentId;
use tantivy::query::{AllScorer, BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, Score, Searcher, SegmentReader, TantivyError};

use super::locked;
use super::schema::{Fields, TONGUE_KEY};
use super::scope::{self, Guard, Scope, base, visible};
use super::types::Tongue;
use super::whole::Whole;
use crate::kernel::access::Level;

/// Columns of a segment that stay open, and views that are kept.
const MAX_COLUMNS: usize = 256;
const MAX_VIEWS: usize = 16;
/// Stands for a value that the other column does not have.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What is kept, by segment.
#[derive(Default)]
pub(super) struct Shared(Mutex<HashMap<SegmentId, Arc<Warm>>>);

impl Shared {
    /// What is kept of each segment of a searcher, in their order.
    pub fn of(&self, searcher: &Searcher) -> Vec<Arc<Warm>> {
        let mut kept = locked(&self.0);
        let readers = searcher.segment_readers().iter();
        readers
            .map(|reader| kept.entry(reader.segment_id()).or_default().clone())
            .collect()
    }

    /// Drops what belongs to no segment of this searcher.
    pub fn keep_only(&self, searcher: &Searcher) {
        let used: HashSet<SegmentId> = searcher
            .segment_readers()
            .iter()
            .map(SegmentReader::segment_id)
            .collect();
        locked(&self.0).retain(|id, _| used.contains(id));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        locked(&self.0).len()
    }
}

/// What is kept of one segment.
#[derive(Default)]
pub(super) struct Warm {
    columns: Mutex<HashMap<String, Columns>>,
    views: Mutex<Vec<(Asked, Arc<View>)>>,
}

/// The columns of one name: one per kind of value.
pub(super) type Columns = Arc<[Arc<Opened>]>;

/// A column that was opened once.
pub(super) struct Opened {
    pub column: Column<u64>,
    pub kind: ColumnType,
    pub texts: Option<StrColumn>,
    /// The last column its texts were looked up in, and where they stand there.
    places: Mutex<Option<Places>>,
}

/// A column, and where the texts of another one stand in it.
type Places = (Weak<Opened>, Arc<[u32]>);

/// Who asks for what kind of thing.
#[derive(Clone, PartialEq)]
struct Asked {
    scope: Scope,
    kind: Option<String>,
    types: Vec<String>,
}

/// What of a segment a caller may find, deleted documents included.
pub(super) struct View {
    /// `None` where that is everything.
    pub found: Option<Arc<BitSet>>,
    pub levels: Guards,
    /// Whether anything stands at each of these levels.
    pub filled: Vec<bool>,
    /// The languages of texts at these levels.
    pub tongues: Vec<Tongue>,
    /// What a question without words and filters finds.
    pub whole: Whole,
}

/// Per visible level, who is visible at it; `None` for everybody who may be found.
pub(super) type Guards = Vec<(Level, Option<Arc<BitSet>>)>;

impl Warm {
    /// The columns that tantivy knows by this name.
    pub fn columns(&self, reader: &SegmentReader, name: &str) -> tantivy::Result<Columns> {
        if let Some(known) = locked(&self.columns).get(name) {
            return Ok(known.clone());
        }
        let mut opened = Vec::new();
        for handle in reader.fast_fields().dynamic_column_handles(name)? {
            let texts = match handle.open()? {
                DynamicColumn::Str(texts) => Some(texts),
                _ => None,
            };
            let column = match &texts {
                Some(texts) => Some(texts.ords().clone()),
                None => handle.open_u64_lenient()?,
            };
            opened.extend(column.map(|column| {
                Arc::new(Opened {
                    column,
                    kind: handle.column_type(),
                    texts,
                    places: Mutex::default(),
                })
            }));
        }
        let opened: Columns = opened.into();
        let mut columns = locked(&self.columns);
        if columns.len() < MAX_COLUMNS {
            columns.insert(name.to_owned(), opened.clone());
        }
        Ok(opened)
    }

    /// What a caller may find of a kind and of types.
    pub fn view(
        &self,
        (searcher, reader): (&Searcher, &SegmentReader),
        fields: &Fields,
        scope: &Scope,
        (kind, types): (Option<&str>, &[String]),
    ) -> tantivy::Result<Arc<View>> {
        let asked = Asked {
            scope: scope.clone(),
            kind: kind.map(str::to_owned),
            types: types.to_vec(),
        };
        {
            let mut views = locked(&self.views);
            if let Some(at) = views.iter().position(|(known, _)| *known == asked) {
                // The last one used goes last.
                views[at..].rotate_left(1);
                return Ok(views[views.len() - 1].1.clone());
            }
        }
        let bits = |query: &dyn Query| -> tantivy::Result<BitSet> {
            let mut bits = BitSet::with_max_value(reader.max_doc());
            let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
            weight.for_each_no_score(reader, &mut |docs| {
                for doc in docs {
                    bits.insert(*doc);
                }
            })?;
            Ok(bits)
        };
        let found = bits(&*base(fields, scope, kind, types))?;
        // A field of these may have stood at an opener level than today: until they are read again, none of their open
        // levels is looked at.
        let mut outdated = Vec::new();
        for shape in &scope.shapes {
            let bits = bits(&*scope::outdated(fields, shape))?;
            if bits.len() > 0 {
                outdated.push((shape.strictest, bits));
            }
        }
        let mut levels = Vec::new();
        for (level, guard) in &scope.levels {
            let mut guard = match guard {
                Guard::Terms(terms) => bits(&*visible(fields, *level, terms))?,
                Guard::Free => BitSet::with_max_value_and_full(reader.max_doc()),
            };
            for (_, outdated) in outdated.iter().filter(|(strictest, _)| strictest > level) {
                for doc in (0..reader.max_doc()).filter(|doc| outdated.contains(*doc)) {
                    guard.remove(doc);
                }
            }
            // Whoever may be found at all is visible at this level too: nothing needs to be asked.
            let covers = (0..reader.max_doc().div_ceil(64)).all(|n| {
                let found = found.tinyset(n);
                found.intersect(guard.tinyset(n)) == found
            });
            levels.push((*level, (!covers).then(|| Arc::new(guard))));
        }
        let everything = found.len() == reader.max_doc() as usize;
        let view = Arc::new(View {
            found: (!everything).then(|| Arc::new(found)),
            filled: filled(reader, fields, &levels)?,
            tongues: tongues(reader, fields, &levels)?,
            levels,
            whole: Whole::default(),
        });
        let mut views = locked(&self.views);
        if views.len() >= MAX_VIEWS {
            views.remove(0);
        }
        views.push((asked, view.clone()));
        Ok(view)
    }
}

/// Whether a segment has anything at these levels: each field that is given has its name among the exact texts.
fn filled(reader: &SegmentReader, fields: &Fields, levels: &Guards) -> tantivy::Result<Vec<bool>> {
    let mut filled = Vec::with_capacity(levels.len());
    for (level, _) in levels {
        let index = reader.inverted_index(fields.exact[*level as usize])?;
        filled.push(index.terms().num_terms() > 0);
    }
    Ok(filled)
}

/// The languages of texts that stand in a segment at these levels.
fn tongues(reader: &SegmentReader, fields: &Fields, levels: &Guards) -> tantivy::Result<Vec<Tongue>> {
    let mut found = Vec::new();
    for (level, _) in levels {
        let field = fields.exact[*level as usize];
        let index = reader.inverted_index(field)?;
        for tongue in Tongue::ALL {
            let term = Fields::json_term(field, TONGUE_KEY, tongue.tag());
            if !found.contains(&tongue) && index.doc_freq(&term)? > 0 {
                found.push(tongue);
            }
        }
    }
    Ok(found)
}

impl Opened {
    /// Where each text of this column stands in another one, by ordinal; [`NOWHERE`] where it has none.
    pub fn places_in(&self, other: &Arc<Self>) -> tantivy::Result<Arc<[u32]>> {
        if let Some((known, places)) = &*locked(&self.places)
            && known.as_ptr() == Arc::as_ptr(other)
        {
            return Ok(places.clone());
        }
        let (Some(texts), Some(others)) = (&self.texts, &other.texts) else {
            return Ok(Arc::default());
        };
        let mut places = vec![NOWHERE; texts.num_terms()];
        let (mut mine, mut theirs) = (texts.dictionary().stream()?, others.dictionary().stream()?);
        let mut more = theirs.advance();
        // Both are in order: one pass over the two.
        while mine.advance() {
            while more && theirs.key() < mine.key() {
                more = theirs.advance();
            }
            if more && theirs.key() == mine.key() {
                places[mine.term_ord() as usize] = u32::try_from(theirs.term_ord()).unwrap_or(NOWHERE);
            }
        }
        let places: Arc<[u32]> = places.into();
        *locked(&self.places) = Some((Arc::downgrade(other), places.clone()));
        Ok(places)
    }
}

/// The documents that are visible at a level, as a condition.
#[derive(Clone, Debug)]
pub(super) struct SeenQuery(Arc<HashMap<SegmentId, Option<Arc<BitSet>>>>);

impl SeenQuery {
    /// Of the level at this place in the views; `None` where everybody who may be found is visible at it.
    pub fn new(searcher: &Searcher, views: &[Arc<View>], level: usize) -> Option<Self> {
        if views.iter().all(|view| view.levels[level].1.is_none()) {
            return None;
        }
        let guards = views.iter().map(|view| view.levels[level].1.clone());
        let ids = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        Some(Self(Arc::new(ids.zip(guards).collect())))
    }
}

impl Query for SeenQuery {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for SeenQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(match self.0.get(&reader.segment_id()) {
            Some(Some(bits)) => Box::new(ConstScorer::new(BitSetDocSet::from(BitSet::clone(bits)), boost)),
            Some(None) => Box::new(AllScorer::new(reader.max_doc())),
            // Of a segment that nobody looked at nothing is known to be visible.
            None => Box::new(tantivy::query::EmptyScorer),
        })
    }
    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        match self.0.get(&reader.segment_id()) {
            Some(guard) if guard.as_ref().is_none_or(|bits| bits.contains(doc)) => Ok(Explanation::new("visible", 1.0)),
            _ => Err(TantivyError::InvalidArgument(format!("document {doc} does not match"))),
        }
    }
}
