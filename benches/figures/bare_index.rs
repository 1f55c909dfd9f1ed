//! Bare tantivy with the least that answers the ten kinds of questions of `asks`: one text field of all words, five facets, a
//! year and a place in columns.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value};
use tantivy::collector::{Collector, Count, SegmentCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::query::{
    AllQuery, BooleanQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, OwnedValue, STORED, STRING, Schema, TEXT,
};
use tantivy::{DocId, IndexReader, Order, Score, SegmentOrdinal, SegmentReader, TantivyDocument, Term};

use super::asks::{Ask, BARS, Collection, DEEP, PAGE, Sort, YEARS, around, made, text};
use super::bare_search::Facets;

const MEMORY: usize = 64 << 20;
const EXPANSIONS: u32 = 20_000;

/// See the module's text.
pub struct Bare {
    reader: IndexReader,
    fields: Fields,
}

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    all: Field,
    title: Field,
    values: Field,
    made: Field,
    latitude: Field,
    longitude: Field,
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let fields = Fields {
        id: schema.add_text_field("id", STRING | STORED | FAST),
        all: schema.add_text_field("all", TEXT),
        title: schema.add_text_field("title", TEXT),
        values: schema.add_json_field("values", JsonObjectOptions::default().set_fast("raw")),
        made: schema.add_i64_field("made", FAST | INDEXED),
        latitude: schema.add_f64_field("latitude", FAST | INDEXED),
        longitude: schema.add_f64_field("longitude", FAST | INDEXED),
    };
    (schema.build(), fields)
}

impl Bare {
    pub fn build(folder: &Path, collection: &Collection) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (schema, fields) = schema();
        let index = tantivy::Index::create_in_dir(folder, schema)?;
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, MEMORY)?;
        for n in 0..collection.count {
            writer.add_document(entry(fields, n, &collection.object(n)))?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader()?;
        Ok(Self { reader, fields })
    }

    fn term(&self, word: &str) -> Term {
        Term::from_field_text(self.fields.all, word)
    }

    fn query(&self, ask: &Ask) -> Box<dyn Query> {
        let fields = self.fields;
        let word =
            |word: &str| -> Box<dyn Query> { Box::new(TermQuery::new(self.term(word), IndexRecordOption::WithFreqs)) };
        let words: Vec<&str> = ask.words.split_whitespace().collect();
        match ask.sort {
            Sort::Prefix => begins(self.term(&ask.words)),
            Sort::Suggest => begins(Term::from_field_text(fields.title, &ask.words)),
            Sort::Phrase if words.len() > 1 => {
                Box::new(PhraseQuery::new(words.iter().map(|word| self.term(word)).collect()))
            }
            Sort::Fuzzy => Box::new(FuzzyTermQuery::new(self.term(&ask.words), 1, true)),
            Sort::Geo => {
                let [south, west, north, east] = around(ask.place);
                let within = |field, low, high| -> (Occur, Box<dyn Query>) {
                    let end = |at| Bound::Included(Term::from_field_f64(field, at));
                    (Occur::Must, Box::new(RangeQuery::new(end(low), end(high))))
                };
                Box::new(BooleanQuery::new(vec![
                    within(fields.latitude, south, north),
                    within(fields.longitude, west, east),
                ]))
            }
            Sort::Deep => Box::new(AllQuery),
            _ => Box::new(BooleanQuery::new(
                words.iter().map(|one| (Occur::Must, word(one))).collect(),
            )),
        }
    }

    /// Asks; reads nothing but what a page needs.
    pub fn ask(&self, ask: &Ask) -> Result<()> {
        let searcher = self.reader.searcher();
        let query = self.query(ask);
        let first = || TopDocs::with_limit(PAGE).order_by_score();
        let hits = match ask.sort {
            Sort::Facets => searcher.search(&*query, &(Count, first(), Facets))?.1,
            Sort::Histogram => searcher.search(&*query, &(Count, first(), Histogram))?.1,
            Sort::Deep => {
                let page = TopDocs::with_limit(PAGE).and_offset(DEEP);
                let page = page.order_by_fast_field::<i64>("made", Order::Asc);
                let (_, hits) = searcher.search(&*query, &(Count, page))?;
                hits.into_iter().map(|(_, address)| (0.0, address)).collect()
            }
            _ => searcher.search(&*query, &(Count, first()))?.1,
        };
        for (_, address) in hits {
            let found: TantivyDocument = searcher.doc(address)?;
            anyhow::ensure!(found.get_first(self.fields.id).is_some(), "a document without its id");
        }
        Ok(())
    }
}

/// As many words that begin so as the program follows.
fn begins(term: Term) -> Box<dyn Query> {
    let mut query = PhrasePrefixQuery::new(vec![term]);
    query.set_max_expansions(EXPANSIONS);
    Box::new(query)
}

fn entry(fields: Fields, n: usize, object: &Map<String, Value>) -> TantivyDocument {
    let (year, latitude, longitude) = made(n);
    let mut document = TantivyDocument::new();
    let string = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    document.add_text(fields.id, string("id"));
    document.add_text(fields.all, text(object));
    document.add_text(fields.title, string("title"));
    let facets: BTreeMap<String, OwnedValue> = ["classification", "department", "physical_location", "creator"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone().into())))
        .collect();
    document.add_object(fields.values, facets);
    document.add_i64(fields.made, year);
    document.add_f64(fields.latitude, latitude);
    document.add_f64(fields.longitude, longitude);
    document
}

/// Counts years in bars of equal width.
struct Histogram;

struct Bars {
    column: Column<i64>,
    counts: [u64; BARS],
}

impl Collector for Histogram {
    type Fruit = [u64; BARS];
    type Child = Bars;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Bars> {
        Ok(Bars {
            column: segment.fast_fields().i64("made")?,
            counts: [0; BARS],
        })
    }
    fn requires_scoring(&self) -> bool {
        false
    }
    fn merge_fruits(&self, parts: Vec<[u64; BARS]>) -> tantivy::Result<[u64; BARS]> {
        let mut sums = [0; BARS];
        for part in parts {
            for (sum, count) in sums.iter_mut().zip(part) {
                *sum += count;
            }
        }
        Ok(sums)
    }
}

impl SegmentCollector for Bars {
    type Fruit = [u64; BARS];

    fn collect(&mut self, doc: DocId, _: Score) {
        let (first, last) = YEARS;
        for year in self.column.values_for_doc(doc) {
            let at = (year - first) * BARS as i64 / (last - first).max(1);
            let at = usize::try_from(at).unwrap_or(0).min(BARS - 1);
            self.counts[at] += 1;
        }
    }
    fn harvest(self) -> [u64; BARS] {
        self.counts
    }
}
