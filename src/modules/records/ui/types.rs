//! A type as a page: its fields and the ways into its records.

use askama::Template;
use axum::extract::State;

use super::Pages;
use super::about::{Licence, licence};
use super::fields::{level_key, search_for};
use crate::contract::access::GRANTS;
use crate::contract::records::{Field, FieldKind, RECORDS_READ, RECORDS_WRITE, RecordType};
use crate::kernel::access::{Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::Path;
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::search::{Answer, FacetRequest, Query, Sort};
use crate::kernel::ui::{Crumb, Html, Page, filters, label, said, shorten, view};
use crate::modules::records::model::schema as json_schema;

/// Facets shown as ways in, and values of each.
const FACETS: usize = 6;
const VALUES: usize = 8;

#[derive(Template)]
#[template(path = "modules/records/templates/type.html")]
pub struct TypePage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub name: String,
    pub label: String,
    pub total: Option<u64>,
    pub facets: Vec<FacetItem>,
    pub fields: Vec<FieldRow>,
    pub description: Option<String>,
    pub licence: Option<Licence>,
    pub version: i64,
    /// The schema as JSON, to look at.
    pub schema: String,
    pub doors: Doors,
    pub may_write: bool,
    /// May give roles in it.
    pub may_grant: bool,
    pub may_change: bool,
    /// Its records hang below each other.
    pub is_tree: bool,
}

/// Who sees the collection, and what else there is to choose.
pub struct Doors {
    /// Keys of what holds now.
    pub now: &'static str,
    pub badge: &'static str,
    pub others: Vec<Door>,
}

pub struct Door {
    pub to: &'static str,
    /// Keys of the button and of what happens.
    pub button: &'static str,
    pub happens: &'static str,
}
view!(TypePage);

pub struct FacetItem {
    pub label: String,
    pub values: Vec<FacetValueItem>,
}

pub struct FacetValueItem {
    pub label: String,
    pub count: u64,
    pub href: String,
}

pub struct FieldRow {
    pub label: String,
    pub path: String,
    pub kind: &'static str,
    /// Keys of what is special about it.
    pub notes: Vec<&'static str>,
}

/// `/types/{name}`
pub async fn show_page(State(pages): State<Pages>, page: Page, Path(name): Path<String>) -> Result<Html<TypePage>> {
    let stored = pages.service.need_type(&name).await?;
    let definition = pages.service.shown_type(&page.caller, &stored).await?;
    let definition = definition.ok_or_else(|| Error::not_found("type", &shorten(&name, 60)))?;
    let leaves = definition.leaves();
    let facets = leaves
        .iter()
        .filter(|leaf| leaf.field().is_some_and(|f| f.facet && is_word(f.kind)))
        .take(FACETS);
    let requests = facets
        .map(|leaf| FacetRequest {
            field: leaf.path.clone(),
            limit: VALUES,
        })
        .collect();
    let answer = pages.answer(&page, &definition.name, requests).await;
    let language = page.language;
    let home = Crumb::to(language.text("nav.types"), "/types");
    let label = label(&definition.labels, &definition.name, language);
    let object = Object::Type(&name);
    let address = page.absolute(&format!("/api/types/{name}/schema"));
    Ok(Html(TypePage {
        trail: vec![home, Crumb::here(label.clone())],
        facets: answer
            .as_ref()
            .map(|a| facet_items(&definition, a, language))
            .unwrap_or_default(),
        total: answer.map(|a| a.total),
        fields: rows(&definition, language),
        description: described(&definition, language),
        licence: licence(&definition),
        version: stored.version,
        schema: serde_json::to_string_pretty(&json_schema::schema(&definition, &address))?,
        doors: doors(definition.visibility),
        may_write: pages.access.check(&page.caller, RECORDS_WRITE, &object).await?,
        may_grant: pages.access.check(&page.caller, GRANTS, &object).await?,
        may_change: pages.service.may_change_type(&page.caller, &name).await?,
        is_tree: definition.parent.is_some(),
        name: definition.name.clone(),
        label,
        page,
    }))
}

/// What the collection is, in the reader's language or in English.
fn described(definition: &RecordType, language: Language) -> Option<String> {
    said(&definition.description, language).map(str::to_owned)
}

fn doors(now: Level) -> Doors {
    let (key, badge) = match now {
        Level::Public => ("doors.public", "doors.badge.public"),
        Level::Members => ("doors.members", "doors.badge.members"),
        Level::Restricted => ("doors.restricted", "doors.badge.restricted"),
    };
    let others = Level::ALL.into_iter().filter(|level| *level != now).map(|level| {
        let (button, happens) = match (level, now < level) {
            (Level::Public, _) => ("doors.open", "doors.open-what"),
            (Level::Members, true) => ("doors.to-members", "doors.close-members-what"),
            (Level::Members, false) => ("doors.to-members", "doors.open-members-what"),
            (Level::Restricted, _) => ("doors.close", "doors.close-what"),
        };
        Door {
            to: level.as_str(),
            button,
            happens,
        }
    });
    Doors {
        now: key,
        badge,
        others: others.collect(),
    }
}

impl Pages {
    /// Counts of a type, or of everything. The page is shown without them where the search cannot answer.
    pub(super) async fn answer(&self, page: &Page, type_name: &str, facets: Vec<FacetRequest>) -> Option<Answer> {
        let visibility = self.access.filter(&page.caller, RECORDS_READ).await.ok()?;
        let query = Query {
            kind: Some(ledger::RECORD.to_owned()),
            types: if type_name.is_empty() {
                Vec::new()
            } else {
                vec![type_name.to_owned()]
            },
            text: String::new(),
            filters: Vec::new(),
            facets,
            sort: Sort::Relevance,
            limit: 0,
            cursor: None,
            offset: 0,
            visibility,
            ..Query::default()
        };
        self.search.search(query).await.ok()
    }
}

/// Its values are words that one can enter by; spans of numbers and dates stand beside the results.
fn is_word(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Term | FieldKind::Text | FieldKind::Boolean)
}

fn facet_items(definition: &RecordType, answer: &Answer, language: Language) -> Vec<FacetItem> {
    let items = answer.facets.iter().map(|facet| FacetItem {
        label: super::names::path_label(definition, &facet.field, language),
        values: facet
            .values
            .iter()
            .filter_map(|v| {
                let value = v.value.as_deref()?;
                let href = search_for(&definition.name, &facet.field, value)?;
                Some(FacetValueItem {
                    label: shorten(value, 60),
                    count: v.count,
                    href,
                })
            })
            .collect(),
    });
    items.filter(|item: &FacetItem| !item.values.is_empty()).collect()
}

/// Every field with its path, groups before what is in them.
pub(super) fn rows(definition: &RecordType, language: Language) -> Vec<FieldRow> {
    let mut rows = Vec::new();
    for field in &definition.fields {
        walk(definition, field, "", "", language, &mut rows);
    }
    rows
}

fn walk(definition: &RecordType, field: &Field, above: &str, path: &str, language: Language, rows: &mut Vec<FieldRow>) {
    let path = format!("{path}{}", field.name);
    let name = format!("{above}{}", label(&field.labels, &field.name, language));
    let named = |given: &Option<String>| given.as_deref() == Some(path.as_str());
    let notes = [
        (named(&definition.title), "note.title"),
        (named(&definition.key), "note.key"),
        (named(&definition.parent), "note.parent"),
        (field.required, "note.required"),
        (field.unique, "note.unique"),
        (field.repeated, "note.repeated"),
        (field.rich, "note.rich"),
        (field.facet, "note.facet"),
        (field.column, "note.column"),
    ];
    let notes = notes
        .into_iter()
        .filter_map(|(holds, key)| holds.then_some(key))
        .chain(level_key(field.level));
    rows.push(FieldRow {
        kind: kind_key(field.kind),
        notes: notes.collect(),
        label: name.clone(),
        path: path.clone(),
    });
    for inner in &field.fields {
        walk(
            definition,
            inner,
            &format!("{name} › "),
            &format!("{path}."),
            language,
            rows,
        );
    }
}

fn kind_key(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "kind.text",
        FieldKind::Term => "kind.term",
        FieldKind::Identifier => "kind.identifier",
        FieldKind::Integer => "kind.integer",
        FieldKind::Number => "kind.number",
        FieldKind::Boolean => "kind.boolean",
        FieldKind::Date => "kind.date",
        FieldKind::Url => "kind.url",
        FieldKind::Link => "kind.link",
        FieldKind::Group => "kind.group",
    }
}
