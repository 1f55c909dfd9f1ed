//! What this house is: its addresses, database, folder and version; and each setting with its meaning and where its value
//! came from. Secrets are masked where they are read.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State as With;
use axum::http::Method;
use axum::routing::get;
use serde_json::Value;

use super::{OPERATIONS_READ, Room};
use crate::kernel::config::{DEFAULT, explained_as, redacted_url};
use crate::kernel::db::Engine;
use crate::kernel::error::Result;
use crate::kernel::http::{RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::program;
use crate::kernel::ui::{Html, Page, filters, view};

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .page(OPERATIONS_READ, Method::GET, "/settings", get(page))
        .with_state(room)
}

#[derive(Template)]
#[template(path = "modules/operations/templates/settings.html")]
struct SettingsPage {
    page: Page,
    /// Key of its name, and its value.
    facts: Vec<(&'static str, String)>,
    sections: Vec<Section>,
}
view!(SettingsPage);

struct Section {
    name: String,
    settings: Vec<Setting>,
}

struct Setting {
    key: String,
    value: String,
    source: String,
    /// Somebody has set it.
    is_set: bool,
    /// As `config/default.toml` explains it.
    meaning: String,
}

async fn page(With(room): With<Room>, page: Page) -> Result<Html<SettingsPage>> {
    let kernel = &room.kernel;
    let config = &kernel.config;
    let engine = match kernel.db.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    let size = language_bytes(page.language, kernel.db.size().await?);
    let facts = vec![
        ("settings.address", config.http.public_url.clone()),
        ("settings.bind", config.http.bind.clone()),
        (
            "settings.database",
            format!("{engine} · {size} · {}", redacted_url(&config.database.url)),
        ),
        ("settings.folder", config.data.dir.display().to_string()),
        (
            "settings.version",
            format!("{} ({})", program::VERSION, program::COMMIT),
        ),
    ];
    Ok(Html(SettingsPage {
        facts,
        sections: sections(&room),
        page,
    }))
}

fn language_bytes(language: Language, bytes: i64) -> String {
    language.bytes(u64::try_from(bytes).unwrap_or_default())
}

fn sections(room: &Room) -> Vec<Section> {
    let meanings = meanings();
    let mut sections: Vec<Section> = Vec::new();
    for entry in &room.kernel.config.origins {
        let name = entry.key.split('.').next().unwrap_or_default();
        if sections.last().is_none_or(|section| section.name != name) {
            sections.push(Section {
                name: name.to_owned(),
                settings: Vec::new(),
            });
        }
        let value = match &entry.value {
            Value::String(text) => text.clone(),
            Value::Array(list) => list
                .iter()
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        if let Some(section) = sections.last_mut() {
            section.settings.push(Setting {
                value,
                is_set: entry.source != "default",
                source: entry.source.clone(),
                meaning: meanings.get(&explained_as(&entry.key)).cloned().unwrap_or_default(),
                key: entry.key.clone(),
            });
        }
    }
    sections
}

/// What stands above each key in the file of defaults.
fn meanings() -> HashMap<String, String> {
    let mut found = HashMap::new();
    let (mut section, mut said) = (String::new(), Vec::new());
    for line in DEFAULT.lines() {
        if let Some(text) = line.strip_prefix('#') {
            said.push(text.trim());
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            said.clear();
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.insert(format!("{section}.{key}"), said.join(" "));
            said.clear();
        } else {
            said.clear();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_setting_has_its_meaning() {
        let meanings = super::meanings();
        let loaded = crate::kernel::config::load(&crate::kernel::config::Sources::default()).unwrap();
        for entry in &loaded.config.origins {
            assert!(
                meanings.get(&entry.key).is_some_and(|text| text.len() > 10),
                "{}",
                entry.key
            );
        }
    }
}
