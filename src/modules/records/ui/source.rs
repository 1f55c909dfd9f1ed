//! The row of the file that a record came from, as it was brought, beside what the record says today. For those who look
//! after the collection.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use serde_json::{Map, Value};

use super::Pages;
use super::names::{path_label, title};
use super::record::trail;
use crate::contract::records::Original;
use crate::kernel::error::Result;
use crate::kernel::http::Path;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Html, Page, filters, label, readable, shorten, texts, view};
use crate::modules::records::service::Seen;

/// Characters of a value.
const LONGEST: usize = 20_000;

#[derive(Template)]
#[template(path = "modules/records/templates/source.html")]
pub struct SourcePage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub id: String,
    pub title: String,
    pub row: i64,
    /// None where the file is not kept any more.
    pub found: Option<Found>,
}
view!(SourcePage);

pub struct Found {
    pub file: String,
    pub line: i64,
    pub cells: Vec<Cell>,
}

/// A column: what stood in it, and what the record says today.
pub struct Cell {
    pub name: String,
    pub label: String,
    pub brought: String,
    pub now: String,
    /// The record says it otherwise, or not at all.
    pub differs: bool,
}

/// `/records/{id}/source`
pub async fn source_page(State(pages): State<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<SourcePage>> {
    let seen = pages.service.read(&page.caller, &id).await?;
    let (row, original) = pages.service.source(&page.caller, &seen).await?;
    let definition = &seen.stored_type.definition;
    let called = pages
        .service
        .called(&page.caller, definition, &[&seen.record.document])
        .await?;
    let title = title(&seen);
    let mut trail = trail(&page, &seen);
    trail.push(Crumb::to(shorten(&title, 60), format!("/records/{id}")));
    trail.push(Crumb::here(page.language.text("source.title")));
    Ok(Html(SourcePage {
        trail,
        row,
        found: original.map(|original| found(&seen, original, &called, page.language)),
        title,
        id,
        page,
    }))
}

fn found(seen: &Seen, original: Original, called: &HashMap<String, String>, language: Language) -> Found {
    let definition = &seen.stored_type.definition;
    let Original {
        file,
        line,
        values,
        taken,
    } = original;
    let cell = |(name, value): (String, Value)| {
        if let Some(taken) = &taken {
            let brought = shown(&value);
            let paths = taken.get(&name).map(Vec::as_slice).unwrap_or_default();
            let now = mapped(seen, paths, called, language);
            return Cell {
                label: readable(&name),
                differs: brought != now,
                brought,
                now,
                name,
            };
        }
        let field = definition.fields.iter().find(|field| field.name == name);
        let brought = shown(&value);
        let now = field
            .map(|_| today(&seen.record.document, &name, language))
            .unwrap_or_default();
        Cell {
            label: field.map_or_else(|| readable(&name), |field| label(&field.labels, &field.name, language)),
            differs: brought != now,
            brought,
            now,
            name,
        }
    };
    Found {
        file,
        line,
        cells: values.into_iter().map(cell).collect(),
    }
}

/// A value as the file has it: texts as they are, all else as JSON.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    shorten(&text, LONGEST)
}

/// What the record says in the fields that a mapping took a column into, each in a line with its name.
fn mapped(seen: &Seen, paths: &[String], called: &HashMap<String, String>, language: Language) -> String {
    let line = |path: &String| {
        let texts = texts(&seen.record.document, path, language);
        let texts: Vec<&str> = texts
            .iter()
            .map(|text| called.get(text).unwrap_or(text).as_str())
            .collect();
        let label = path_label(&seen.stored_type.definition, path, language);
        (!texts.is_empty()).then(|| format!("{label}: {}", texts.join(", ")))
    };
    let lines: Vec<String> = paths.iter().filter_map(line).collect();
    shorten(&lines.join("\n"), LONGEST)
}

/// What the record says in a field: groups as the file would have them.
fn today(document: &Map<String, Value>, name: &str, language: Language) -> String {
    match document.get(name) {
        Some(value @ (Value::Array(_) | Value::Object(_))) => shown(value),
        Some(value @ (Value::Number(_) | Value::String(_))) => shown(value),
        _ => texts(document, name, language).join(", "),
    }
}
