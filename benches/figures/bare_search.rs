//! The raw limit of search: a bare tantivy index of the same fields, and for each query the number of hits, the first 25
//! and the counts of five facets.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tantivy::collector::{Collector, Count, SegmentCollector, TopDocs};
use tantivy::columnar::StrColumn;
use tantivy::query::{AllQuery, BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema, TEXT, TextFieldIndexing, Value as _,
};
use tantivy::{DocId, IndexReader, Score, SegmentOrdinal, SegmentReader, TantivyDocument, Term};

use super::api::FACETS;

/// Bytes the writer may hold; as the program's own default.
const MEMORY: usize = 64 << 20;

pub struct Index {
    reader: IndexReader,
    id: Field,
    all: Field,
}

/// What a query answers.
pub struct Answer {
    pub total: usize,
    pub ids: Vec<String>,
    pub facets: Vec<Vec<(String, u64)>>,
    pub missing: Vec<u64>,
}

impl Answer {
    /// In the form the program answers in, so that the bare server sends about as much.
    pub fn json(&self) -> Value {
        let facets: Map<String, Value> = FACETS
            .iter()
            .zip(self.facets.iter().zip(&self.missing))
            .map(|(name, (values, missing))| {
                let mut list: Vec<Value> = values.iter().map(|(v, n)| json!({"value": v, "count": n})).collect();
                list.push(json!({"value": null, "count": missing}));
                ((*name).to_owned(), Value::Array(list))
            })
            .collect();
        json!({"total": self.total, "items": self.ids, "facets": facets})
    }
}

fn schema() -> (Schema, [Field; 4]) {
    let mut schema = Schema::builder();
    let words = TextFieldIndexing::default()
        .set_tokenizer("default")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let id = schema.add_text_field("id", STRING | STORED | FAST);
    let all = schema.add_text_field("all", TEXT);
    let fields = schema.add_json_field("fields", JsonObjectOptions::default().set_indexing_options(words));
    let values = schema.add_json_field("values", JsonObjectOptions::default().set_fast("raw"));
    (schema.build(), [id, all, fields, values])
}

fn texts<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(list) => list.iter().for_each(|v| texts(v, into)),
        Value::Object(map) => map.values().for_each(|v| texts(v, into)),
        _ => {}
    }
}

impl Index {
    /// Makes an index of `objects` and commits it.
    pub fn build(folder: &Path, objects: &[Map<String, Value>]) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let (schema, [id, all, fields, values]) = schema();
        let index = tantivy::Index::create_in_dir(folder, schema)?;
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, MEMORY)?;
        for object in objects {
            let mut document = TantivyDocument::new();
            document.add_text(id, object.get("id").and_then(Value::as_str).unwrap_or_default());
            for value in object.values() {
                let mut found = Vec::new();
                texts(value, &mut found);
                found.into_iter().for_each(|text| document.add_text(all, text));
            }
            let as_json: std::collections::BTreeMap<String, tantivy::schema::OwnedValue> =
                object.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
            document.add_object(fields, as_json.clone());
            document.add_object(values, as_json);
            writer.add_document(document)?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        Ok(())
    }

    pub fn open(folder: &Path) -> Result<Self> {
        let index = tantivy::Index::open_in_dir(folder)?;
        let (_, [id, all, ..]) = schema();
        Ok(Self {
            reader: index.reader()?,
            id,
            all,
        })
    }

    /// Records that have all of `words`; everything for none.
    pub fn ask(&self, words: &str) -> Result<Answer> {
        let terms: Vec<(Occur, Box<dyn Query>)> = words
            .split('+')
            .filter(|w| !w.is_empty())
            .map(|w| {
                let term = Term::from_field_text(self.all, w);
                (
                    Occur::Must,
                    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)) as Box<dyn Query>,
                )
            })
            .collect();
        let query: Box<dyn Query> = if terms.is_empty() {
            Box::new(AllQuery)
        } else {
            Box::new(BooleanQuery::new(terms))
        };
        let searcher = self.reader.searcher();
        let first = TopDocs::with_limit(25).order_by_score();
        let (total, hits, (facets, missing)) = searcher.search(&*query, &(Count, first, Facets))?;
        let mut ids = Vec::with_capacity(hits.len());
        for (_, address) in hits {
            let document: TantivyDocument = searcher.doc(address)?;
            let id = document
                .get_first(self.id)
                .and_then(|v| v.as_str())
                .context("a stored id")?;
            ids.push(id.to_owned());
        }
        Ok(Answer {
            total,
            ids,
            facets,
            missing,
        })
    }
}

/// Counts the values of all facets by ordinal, as cheaply as it can be done.
pub struct Facets;

pub struct Counter {
    columns: Vec<Option<(StrColumn, Vec<u32>)>>,
    missing: Vec<u64>,
}

pub type Counts = (Vec<Vec<(String, u64)>>, Vec<u64>);

impl Collector for Facets {
    type Fruit = Counts;
    type Child = Counter;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Counter> {
        let mut columns = Vec::new();
        for name in FACETS {
            let column = segment.fast_fields().str(&format!("values.{name}"))?;
            columns.push(column.map(|c| {
                let counts = vec![0; c.num_terms()];
                (c, counts)
            }));
        }
        Ok(Counter {
            columns,
            missing: vec![0; FACETS.len()],
        })
    }
    fn requires_scoring(&self) -> bool {
        false
    }
    fn merge_fruits(&self, parts: Vec<tantivy::Result<Counts>>) -> tantivy::Result<Counts> {
        let mut sums: Vec<HashMap<String, u64>> = vec![HashMap::new(); FACETS.len()];
        let mut missing = vec![0; FACETS.len()];
        for part in parts {
            let (counts, absent) = part?;
            for (at, values) in counts.into_iter().enumerate() {
                values
                    .into_iter()
                    .for_each(|(value, n)| *sums[at].entry(value).or_default() += n);
                missing[at] += absent[at];
            }
        }
        let top = |sum: HashMap<String, u64>| {
            let mut list: Vec<(String, u64)> = sum.into_iter().collect();
            list.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            list.truncate(100);
            list
        };
        Ok((sums.into_iter().map(top).collect(), missing))
    }
}

impl SegmentCollector for Counter {
    type Fruit = tantivy::Result<Counts>;

    fn collect(&mut self, doc: DocId, _: Score) {
        for (at, column) in self.columns.iter_mut().enumerate() {
            let mut any = false;
            if let Some((column, counts)) = column {
                for ord in column.term_ords(doc) {
                    any = true;
                    if let Some(count) = usize::try_from(ord).ok().and_then(|o| counts.get_mut(o)) {
                        *count += 1;
                    }
                }
            }
            self.missing[at] += u64::from(!any);
        }
    }
    fn harvest(self) -> Self::Fruit {
        let mut all = Vec::new();
        for column in &self.columns {
            let mut values = Vec::new();
            if let Some((column, counts)) = column {
                for (ord, count) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
                    let mut text = String::new();
                    column.ord_to_str(ord as u64, &mut text)?;
                    values.push((text, u64::from(*count)));
                }
            }
            all.push(values);
        }
        Ok((all, self.missing))
    }
}
