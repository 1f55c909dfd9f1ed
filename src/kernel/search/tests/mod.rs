//! The engine on real indexes in throw-away folders, fed by a source in memory and by the real ledger.

mod engine;
mod facets;
#[cfg(feature = "testing")]
mod following;
mod language;
mod names;
mod paging;
#[cfg(feature = "testing")]
mod reaching;
mod sharing;
mod suggesting;
mod visibility;
mod weighing;

use super::*;
use crate::kernel::access::{Level, Terms, Visibility};

/// An index without a follower.
pub(super) struct Bench {
    pub search: Search,
    pub clock: Clock,
    /// How the types keep their fields now.
    pub shapes: Vec<Shape>,
    /// What they call them.
    pub lexicon: Arc<Lexicon>,
    store: Option<store::Store>,
    _folder: tempfile::TempDir,
}

pub(super) fn settings() -> config::Search {
    config::Search {
        memory: 30_000_000,
        threads: 1,
        language: String::new(),
        log_days: 0,
        log_rows: 100,
    }
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(1_000);
        let search = Search::open(folder.path(), &settings(), clock.clone()).unwrap();
        let inner = search.inner().unwrap();
        let path = locked(&inner.slot).fresh().unwrap();
        let store = store::Store::create(&path, &inner.fields, &inner.settings).unwrap();
        inner.publish(store.reader.clone());
        Self {
            search,
            clock,
            shapes: vec![],
            lexicon: Arc::default(),
            store: Some(store),
            _folder: folder,
        }
    }

    /// Puts documents into a segment of their own.
    pub fn put(&mut self, documents: &[Document]) {
        let ids: Vec<String> = documents.iter().map(|d| d.id.clone()).collect();
        let store = self.store.as_mut().unwrap();
        store.replace(&ids, documents).unwrap();
        store
            .commit(&store::Payload::new("test", Position::default(), false))
            .unwrap();
    }

    pub fn ask(&self, query: &Query) -> Result<Answer> {
        let until = Instant::now() + MAX_TIME;
        self.search
            .inner()
            .unwrap()
            .answer(&checked(query.clone())?, &self.types(), until)
    }

    fn types(&self) -> Types {
        Types {
            shapes: self.shapes.clone(),
            lexicon: self.lexicon.clone(),
        }
    }

    #[track_caller]
    pub fn ids(&self, text: &str) -> Vec<String> {
        let mut ids: Vec<String> = self
            .ask(&everything(text))
            .unwrap()
            .hits
            .into_iter()
            .map(|h| h.id)
            .collect();
        ids.sort();
        ids
    }
}

/// A question of somebody who may see all.
pub(super) fn everything(text: &str) -> Query {
    question(
        text,
        Visibility {
            public: Terms::All,
            members: Terms::All,
            restricted: Terms::All,
        },
    )
}

pub(super) fn question(text: &str, visibility: Visibility) -> Query {
    Query {
        kind: None,
        types: vec![],
        text: text.to_owned(),
        filters: vec![],
        facets: vec![],
        sort: Sort::Relevance,
        limit: 25,
        cursor: None,
        offset: 0,
        visibility,
        ..Query::default()
    }
}

pub(super) fn document(id: &str) -> Document {
    let term = || vec!["public".to_owned()];
    Document {
        id: id.to_owned(),
        version: 1,
        kind: "record",
        type_name: "object".to_owned(),
        title: String::new(),
        title_level: Level::Public,
        visible: [term(), term(), term()],
        fields: vec![],
        inside: vec![],
        shape: "object@open".to_owned(),
        created_at: 0,
        updated_at: 0,
    }
}

pub(super) fn field(name: &str, values: Vec<Value>) -> IndexedField {
    IndexedField {
        name: name.to_owned(),
        level: Level::Public,
        column: true,
        searchable: true,
        tongue: None,
        values,
    }
}

pub(super) fn keyword(name: &str, value: &str) -> IndexedField {
    field(name, vec![Value::Keyword(value.to_owned())])
}

pub(super) fn with(id: &str, fields: Vec<IndexedField>) -> Document {
    Document { fields, ..document(id) }
}

pub(super) fn only(field: &str, value: Option<&str>) -> Filter {
    Filter {
        field: field.to_owned(),
        values: vec![value.map(str::to_owned)],
    }
}

pub(super) fn facet(field: &str) -> FacetRequest {
    FacetRequest {
        field: field.to_owned(),
        limit: 10,
    }
}

/// A facet as `value=count` lines.
pub(super) fn counts(facet: &Facet) -> Vec<String> {
    facet
        .values
        .iter()
        .map(|v| format!("{}={}", v.value.as_deref().unwrap_or("-"), v.count))
        .collect()
}
