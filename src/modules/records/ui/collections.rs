//! The collections: every type of record with how much there is, what changed last and who sees it.

use askama::Template;
use axum::extract::State;

use super::Pages;
use super::fields::level_key;
use crate::contract::records::{RECORDS_READ, RecordType, Records, TYPES_WRITE};
use crate::kernel::access::{Level, Object, Visibility};
use crate::kernel::error::Result;
use crate::kernel::http::Query as Ask;
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::search::{Answer, FacetRequest, MAX_FACET_VALUES, Query, Sort, TYPE_FACET, fold};
use crate::kernel::ui::{Html, Page, filters, label, said, shorten, view};

/// Types whose last change is looked up.
const CHANGES: usize = 48;
/// From so many types on there is a box to look through them.
const MANY: usize = 7;

#[derive(Template)]
#[template(path = "modules/records/templates/types.html")]
pub struct TypesPage {
    pub page: Page,
    pub types: Vec<TypeItem>,
    /// What their names must contain.
    pub find: String,
    pub many: bool,
    /// May make collections.
    pub may_make: bool,
}
view!(TypesPage);

pub struct TypeItem {
    pub name: String,
    pub label: String,
    pub about: String,
    /// Missing while the search cannot say.
    pub total: Option<u64>,
    pub fields: usize,
    pub changed_at: Option<i64>,
    /// Key of who sees its records where not everybody does.
    pub level: Option<&'static str>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct Params {
    #[serde(default)]
    find: String,
}

/// `/types`
pub async fn index_page(State(pages): State<Pages>, page: Page, Ask(params): Ask<Params>) -> Result<Html<TypesPage>> {
    let view = pages.access.filter(&page.caller, RECORDS_READ).await?;
    let counts = FacetRequest {
        field: TYPE_FACET.to_owned(),
        limit: MAX_FACET_VALUES,
    };
    // Shown without numbers where the search cannot answer.
    let answer = pages.search.search(question("", vec![counts], 0, &view)).await.ok();
    let mut types = Vec::new();
    for stored in pages.service.all_types().await? {
        if let Some(definition) = pages.service.shown_type(&page.caller, &stored).await? {
            types.push(item(&definition, answer.as_ref(), page.language));
        }
    }
    let many = types.len() >= MANY;
    let sought = fold(params.find.trim());
    types.retain(|item| fold(&item.label).contains(&sought) || item.name.contains(&sought));
    types.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.label.cmp(&b.label)));
    if answer.is_some() {
        pages.changes(&page, &view, &mut types).await?;
    }
    let may_make = pages.access.check(&page.caller, TYPES_WRITE, &Object::House).await?;
    Ok(Html(TypesPage {
        may_make,
        find: params.find,
        page,
        types,
        many,
    }))
}

impl Pages {
    /// When something the caller sees changed last in each of the types.
    async fn changes(&self, page: &Page, view: &Visibility, types: &mut [TypeItem]) -> Result<()> {
        let mut ids = Vec::new();
        for item in types
            .iter()
            .take(CHANGES)
            .filter(|item| item.total.is_some_and(|n| n > 0))
        {
            let newest = question(&item.name, Vec::new(), 1, view);
            ids.extend(self.search.search(newest).await?.hits.into_iter().map(|hit| hit.id));
        }
        for record in self.service.get_many(&page.caller, &ids).await? {
            if let Some(item) = types.iter_mut().find(|item| item.name == record.type_name) {
                item.changed_at = Some(record.updated_at);
            }
        }
        Ok(())
    }
}

fn item(definition: &RecordType, answer: Option<&Answer>, language: Language) -> TypeItem {
    let about = said(&definition.description, language);
    TypeItem {
        label: label(&definition.labels, &definition.name, language),
        about: shorten(about.unwrap_or_default(), 200),
        total: answer.map(|answer| total(answer, &definition.name)),
        fields: definition.leaves().len(),
        changed_at: None,
        level: level_key(definition.visibility).filter(|_| definition.visibility != Level::Public),
        name: definition.name.clone(),
    }
}

/// How many records of a type there are, from the counts of all types.
fn total(answer: &Answer, type_name: &str) -> u64 {
    let values = answer.facets.iter().flat_map(|facet| &facet.values);
    let of_type = values.filter(|v| v.value.as_deref() == Some(type_name));
    of_type.map(|v| v.count).sum()
}

fn question(type_name: &str, facets: Vec<FacetRequest>, limit: usize, view: &Visibility) -> Query {
    Query {
        kind: Some(ledger::RECORD.to_owned()),
        types: Some(type_name.to_owned())
            .filter(|name| !name.is_empty())
            .into_iter()
            .collect(),
        text: String::new(),
        filters: Vec::new(),
        facets,
        sort: Sort::Updated { descending: true },
        limit,
        cursor: None,
        offset: 0,
        visibility: view.clone(),
        ..Query::default()
    }
}
