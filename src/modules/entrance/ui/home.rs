//! What the start page shows of a full house: types, ways in, time, newest records.

use askama::Template;

use super::Sources;
use super::notes::Steps;
use crate::contract::records::{Field, FieldKind, Leaf, RECORDS_READ, RecordType, Records};
use crate::kernel::access::{Caller, Level, Object, Visibility};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::module::Health;
use crate::kernel::search::{
    Answer, Facet, FacetRequest, FacetValue, MAX_FACET_VALUES, Query, Search, Sort, TYPE_FACET,
};
use crate::kernel::ui::plot::Columns;
use crate::kernel::ui::{Page, Plate, filters, label, may_load, said, shorten, texts, view};

/// Types, ways in with their values, and newest records on the page.
const TYPES: usize = 12;
const WAYS: usize = 4;
const VALUES: usize = 8;
const NEWEST: usize = 8;

#[derive(Template)]
#[template(path = "modules/entrance/templates/entrance.html")]
pub struct EntrancePage {
    pub page: Page,
    pub total: u64,
    pub behind: bool,
    /// The sample is on its way.
    pub loading: bool,
    pub may_import: bool,
    pub tour: bool,
    /// There is a sample that the reader may take away.
    pub sample: bool,
    pub steps: Option<Steps>,
    pub time: Option<Columns>,
    pub types: Vec<TypeItem>,
    pub ways: Vec<Way>,
    /// The type whose fields the ways are.
    pub ways_label: String,
    pub newest: Vec<Newest>,
}
view!(EntrancePage);

pub struct TypeItem {
    pub name: String,
    pub label: String,
    /// What the type says of itself.
    pub about: String,
    pub total: u64,
}

/// A field to enter by, with its most frequent values.
pub struct Way {
    pub label: String,
    pub values: Vec<WayValue>,
}

pub struct WayValue {
    pub label: String,
    pub count: u64,
    pub href: String,
}

pub struct Newest {
    pub id: String,
    pub title: String,
    /// What sort of thing it is.
    pub above: String,
    pub about: Option<String>,
    pub created_at: i64,
    pub plate: Plate,
}

impl EntrancePage {
    pub fn new(page: Page) -> Self {
        Self {
            page,
            total: 0,
            behind: false,
            loading: false,
            may_import: false,
            tour: false,
            sample: false,
            steps: None,
            time: None,
            types: Vec::new(),
            ways_label: String::new(),
            ways: Vec::new(),
            newest: Vec::new(),
        }
    }
}

impl Sources {
    pub(super) async fn fill(&self, records: &dyn Records, home: &mut EntrancePage) -> Result<()> {
        let (caller, language) = (home.page.caller.clone(), home.page.language);
        let view = self.access.filter(&caller, RECORDS_READ).await?;
        let mut kinds = Vec::new();
        for stored in records.record_types().await? {
            let object = Object::Type(&stored.definition.name);
            if let Some(level) = self.access.level(&caller, &object).await? {
                kinds.push((stored.definition.clone(), level));
            }
        }
        let types = FacetRequest {
            field: TYPE_FACET.to_owned(),
            limit: MAX_FACET_VALUES,
        };
        let answer = self.search.search(question("", vec![types], NEWEST, &view)).await?;
        home.total = answer.total;
        home.types = type_items(&answer, &kinds, language);
        home.types.truncate(TYPES);
        if let Some(largest) = home.types.first()
            && let Some((kind, level)) = kinds.iter().find(|(kind, _)| kind.name == largest.name)
        {
            home.ways_label.clone_from(&largest.label);
            home.ways = self.ways(kind, *level, language, &view).await?;
            home.time = self.by_time(kind, *level, language, &view).await?;
        }
        home.behind = is_behind(&self.search);
        home.newest = self.newest(records, &caller, &kinds, &answer, language).await?;
        Ok(())
    }

    /// The fields of a type that people enter by: those with few values of which many records share one.
    async fn ways(&self, kind: &RecordType, level: Level, language: Language, view: &Visibility) -> Result<Vec<Way>> {
        let leaves = kind.leaves();
        let facets: Vec<_> = leaves
            .iter()
            .filter(|leaf| leaf.level <= level && leaf.field().is_some_and(|f| f.facet && is_word(f.kind)))
            .take(WAYS)
            .collect();
        let asked = facets
            .iter()
            .map(|leaf| FacetRequest {
                field: leaf.path.clone(),
                limit: VALUES,
            })
            .collect();
        let answer = self.search.search(question(&kind.name, asked, 0, view)).await?;
        let ways = answer.facets.iter().zip(&facets).map(|(facet, leaf)| Way {
            label: leaf
                .fields
                .iter()
                .map(|f| label(&f.labels, &f.name, language))
                .collect::<Vec<_>>()
                .join(" › "),
            values: values(&kind.name, facet),
        });
        Ok(ways.filter(|way| way.values.len() > 1).collect())
    }

    async fn newest(
        &self,
        records: &dyn Records,
        caller: &Caller,
        kinds: &[(RecordType, Level)],
        answer: &Answer,
        language: Language,
    ) -> Result<Vec<Newest>> {
        let ids: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        let mut newest = Vec::new();
        for record in records.get_many(caller, &ids).await? {
            let Some((kind, _)) = kinds.iter().find(|(kind, _)| kind.name == record.type_name) else {
                continue;
            };
            let object = Object::Record {
                id: &record.id,
                type_name: &record.type_name,
                visibility: record.visibility,
            };
            let Some(level) = self.access.level(caller, &object).await? else {
                continue;
            };
            let document = records.cut(kind, level, record.document);
            let title = records.title(kind, &document);
            let picture = records
                .image(kind, &document)
                .filter(|address| may_load(address, &self.image_hosts));
            let leaves: Vec<Leaf<'_>> = kind.leaves().into_iter().filter(|leaf| leaf.level <= level).collect();
            let value = |leaf: &Leaf<'_>| texts(&document, &leaf.path, language).into_iter().next();
            let of_kind = |leaf: &&Leaf<'_>, term: bool| {
                let is_title = kind.title.as_deref() == Some(leaf.path.as_str());
                let fits = |f: &Field| f.column && (f.kind == FieldKind::Term) == term;
                !is_title && leaf.field().is_some_and(fits)
            };
            let word = leaves.iter().filter(|leaf| of_kind(leaf, true)).find_map(value);
            let about = leaves.iter().filter(|leaf| of_kind(leaf, false)).find_map(value);
            newest.push(Newest {
                title: if title.trim().is_empty() {
                    record.id.clone()
                } else {
                    shorten(&title, 120)
                },
                plate: Plate::of(word.as_deref().unwrap_or(&kind.name), &record.id).with(picture),
                above: word.map_or_else(|| label(&kind.labels, &kind.name, language), |word| shorten(&word, 60)),
                about: about.map(|text| shorten(&text, 80)),
                created_at: record.created_at,
                id: record.id,
            });
        }
        Ok(newest)
    }
}

/// Its values are words that one can enter by; the spans of numbers and dates are shown beside the results.
fn is_word(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Term | FieldKind::Text | FieldKind::Boolean)
}

/// True while the index still catches up with what was there before it began to follow.
fn is_behind(search: &Search) -> bool {
    matches!(search.health(), Health::Starting { .. })
}

/// The types of what is there, the largest first.
fn type_items(answer: &Answer, kinds: &[(RecordType, Level)], language: Language) -> Vec<TypeItem> {
    let values = answer.facets.iter().flat_map(|facet| &facet.values);
    let item = |v: &FacetValue| {
        let (kind, _) = kinds.iter().find(|(kind, _)| v.value.as_deref() == Some(&kind.name))?;
        Some(TypeItem {
            name: kind.name.clone(),
            label: label(&kind.labels, &kind.name, language),
            about: words(&kind.description, language),
            total: v.count,
        })
    };
    values.filter_map(item).collect()
}

/// A text by language, in this one or else in English.
fn words(texts: &serde_json::Map<String, serde_json::Value>, language: Language) -> String {
    shorten(said(texts, language).unwrap_or_default(), 160)
}

pub(super) fn question(type_name: &str, facets: Vec<FacetRequest>, limit: usize, view: &Visibility) -> Query {
    Query {
        kind: Some(ledger::RECORD.to_owned()),
        types: if type_name.is_empty() {
            Vec::new()
        } else {
            vec![type_name.to_owned()]
        },
        text: String::new(),
        filters: Vec::new(),
        facets,
        sort: Sort::Created { descending: true },
        limit,
        cursor: None,
        offset: 0,
        visibility: view.clone(),
        ..Query::default()
    }
}

fn values(type_name: &str, facet: &Facet) -> Vec<WayValue> {
    let value = |v: &FacetValue| {
        let text = v.value.as_deref()?;
        let pairs = [
            ("type", type_name.to_owned()),
            ("filter", format!("{}:{text}", facet.field)),
        ];
        let query = serde_html_form::to_string(pairs).ok()?;
        Some(WayValue {
            label: shorten(text, 60),
            count: v.count,
            href: format!("/search?{query}"),
        })
    };
    facet.values.iter().filter_map(value).collect()
}
