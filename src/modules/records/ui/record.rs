//! One record: its fields, what is known about it, its history, and its forms for machines.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Pages;
use super::about::{Image, Licence, Linked, credit, image, licence};
use super::cite::Citation;
use super::fields::{Section, Shown, level_key};
use super::forms;
use super::names::{TITLE, path_label, summary, title};
use super::similar::Alike;
use super::tree::{Hanging, crumbs};
use crate::contract::access::GRANTS;
use crate::contract::records::{RECORDS_DELETE, RECORDS_WRITE, RecordState};
use crate::kernel::access::{Level, Object, Permission};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Path, Query};
use crate::kernel::ledger::{self, Version};
use crate::kernel::ui::{Crumb, HistoryEntry, Html, Page, Piece, differences, filters, label, shorten, view};
use crate::modules::records::model::named::named;
use crate::modules::records::model::shape;
use crate::modules::records::service::Seen;

/// Who may open a change set, for the links to it.
const HISTORY_READ: Permission = Permission("history.read");
/// States on the record's page and on the page of its history.
const RECENT: i64 = 5;
const STATES: i64 = 50;

#[derive(Template)]
#[template(path = "modules/records/templates/record.html")]
pub struct RecordPage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub id: String,
    pub title: String,
    pub type_name: String,
    pub type_label: String,
    /// One line for search engines and previews.
    pub summary: String,
    pub lead: Option<String>,
    pub restricted: Option<&'static str>,
    pub sections: Vec<Section>,
    pub created_at: i64,
    pub updated_at: i64,
    pub version: i64,
    pub source_row: Option<i64>,
    pub image: Option<Image>,
    pub licence: Option<Licence>,
    pub credit: Option<String>,
    pub citation: Citation,
    pub around: Around,
}

/// What stands around the fields.
#[derive(Default)]
pub struct Around {
    /// Titles of the records this one leads to, as far as the caller may see them.
    pub titles: HashMap<String, String>,
    pub linked: Vec<Linked>,
    pub more_linked: bool,
    pub similar: Vec<Alike>,
    /// Where it hangs in a tree, and what hangs below it.
    pub hanging: Option<Hanging>,
    pub history: Vec<HistoryEntry>,
    pub more_history: bool,
    /// Hosts whose images the browser may load.
    pub image_hosts: Vec<String>,
    pub may_write: bool,
    /// What is worth another look, for those who may write: the label of its field and why.
    pub warnings: Vec<(String, String)>,
    /// The row of the file that it came from can be looked at.
    pub may_see_source: bool,
    pub may_delete: bool,
    /// May ask who sees it, and why.
    pub may_ask: bool,
    /// When it opens, and the key of to whom, for those who may change that.
    pub opens: Option<(i64, &'static str)>,
    /// The version of today, where an older one is shown.
    pub old: Option<i64>,
}

#[derive(Template)]
#[template(path = "modules/records/templates/history.html")]
pub struct HistoryPage {
    pub page: Page,
    pub trail: Vec<Crumb>,
    pub title: String,
    pub history: Vec<HistoryEntry>,
    pub older: Option<String>,
}

#[derive(Template)]
#[template(path = "modules/records/templates/gone.html")]
pub struct GonePage {
    pub page: Page,
    pub id: String,
    pub status: u16,
    pub code: &'static str,
    /// The caller may read its history.
    pub history: bool,
    /// The caller may bring it back.
    pub restorable: bool,
}
view!(RecordPage, HistoryPage, GonePage);

/// `/records/{id}`, and with an ending behind the id its forms for machines.
pub async fn show_page(State(pages): State<Pages>, page: Page, Path(id): Path<String>) -> Result<Response> {
    if let Some((id, form)) = forms::asked(&id) {
        let seen = pages.service.read(&page.caller, id).await?;
        return forms::answer(&seen, form, &page);
    }
    let seen = match pages.service.read(&page.caller, &id).await {
        Err(error) if error.code() == Code::Gone => {
            return match pages.service.merged_into(&page.caller, &id).await? {
                Some(into) => Ok(moved(&into)),
                None => Ok(pages.gone(page, id).await),
            };
        }
        other => other?,
    };
    let mut around = pages.around(&page, &seen).await?;
    around.similar = pages.similar(&page, &seen.record.id).await;
    if around.may_write {
        let (definition, record) = (&seen.stored_type.definition, &seen.record);
        let found = pages
            .warnings(&page, definition, &record.document, Some(&record.id))
            .await;
        let named = found
            .into_iter()
            .map(|issue| (path_label(definition, &issue.path, page.language), issue.message));
        around.warnings = named.collect();
    }
    Ok(Html(record_page(page, &seen, around)).into_response())
}

/// The address of the record that this one was put into.
fn moved(into: &str) -> Response {
    let place = [(header::LOCATION, format!("/records/{into}"))];
    (StatusCode::MOVED_PERMANENTLY, place).into_response()
}

/// `/records/{id}/versions/{version}`: an older state, as its reader may see it today.
pub async fn version_page(
    State(pages): State<Pages>,
    page: Page,
    Path((id, version)): Path<(String, i64)>,
) -> Result<Response> {
    let mut seen = pages.service.read(&page.caller, &id).await?;
    let state = pages.service.state_at(&page.caller, &id, version).await?;
    let Some((visibility, document)) = state else {
        return Err(Error::not_found("version", &version.to_string()));
    };
    if version == seen.record.version {
        let place = format!("/records/{id}");
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response());
    }
    let now = seen.record.version;
    (seen.record.document, seen.record.visibility, seen.record.version) = (document, visibility, version);
    let mut around = pages.around(&page, &seen).await?;
    around.old = Some(now);
    Ok(Html(record_page(page, &seen, around)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    before: Option<i64>,
}

/// `/records/{id}/history`
pub async fn history_page(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(older): Query<Older>,
) -> Result<Html<HistoryPage>> {
    let seen = pages.service.read_past(&page.caller, &id).await?;
    let (history, more) = pages.history(&page, &seen, older.before, STATES).await?;
    let last = history.last().map(|entry| entry.version);
    let title = match seen.record.deleted {
        true => pages.last_title(&seen).await?,
        false => title(&seen),
    };
    let mut trail = trail(&page, &seen);
    trail.push(Crumb::to(shorten(&title, 60), format!("/records/{id}")));
    trail.push(Crumb::here(page.language.text("history.title")));
    let older = last
        .filter(|_| more)
        .map(|version| format!("/records/{id}/history?before={version}"));
    Ok(Html(HistoryPage {
        trail,
        title,
        history,
        older,
        page,
    }))
}

impl Pages {
    /// The page of a deleted record: where to go from here, and its history for those who may restore it.
    async fn gone(&self, page: Page, id: String) -> Response {
        let past = self.service.read_past(&page.caller, &id).await.ok();
        let restorable = past.is_some();
        let view = GonePage {
            status: Code::Gone.status(),
            code: Code::Gone.as_str(),
            id,
            history: past.is_some(),
            restorable,
            page,
        };
        (StatusCode::GONE, Html(view)).into_response()
    }

    async fn around(&self, page: &Page, seen: &Seen) -> Result<Around> {
        let (history, more_history) = self.history(page, seen, None, RECENT).await?;
        let hanging = self.below(page, seen).await?;
        let child = hanging.as_ref().and(seen.stored_type.definition.parent.as_deref());
        let (linked, more_linked) = self.linked_from(page, &seen.record.id, child).await?;
        let object = Object::Record {
            id: &seen.record.id,
            type_name: &seen.record.type_name,
            visibility: seen.record.visibility,
        };
        let may_write = self.access.check(&page.caller, RECORDS_WRITE, &object).await?;
        let opens = if may_write && seen.record.visibility > Level::Public {
            self.opens(page, &seen.record.id).await?
        } else {
            None
        };
        Ok(Around {
            opens,
            titles: self.titles(page, seen).await?,
            linked,
            more_linked,
            similar: Vec::new(),
            hanging,
            history,
            more_history,
            image_hosts: self.image_hosts.to_vec(),
            warnings: Vec::new(),
            may_write,
            may_see_source: self.service.may_see_source(&page.caller, seen).await?,
            may_delete: self.access.check(&page.caller, RECORDS_DELETE, &object).await?,
            may_ask: self.access.check(&page.caller, GRANTS, &object).await?,
            old: None,
        })
    }

    /// What a deleted record was called.
    async fn last_title(&self, seen: &Seen) -> Result<String> {
        let last = ledger::version(&self.db, &seen.record.id, seen.record.version - 1).await?;
        let document = last.map(|version| state(&version, seen)).transpose()?.flatten();
        let title = document.map(|document| shape::title(&seen.stored_type.definition, &document));
        let title = title.filter(|title| !title.trim().is_empty());
        Ok(title.map_or_else(|| seen.record.id.clone(), |title| shorten(&title, TITLE)))
    }

    /// Titles of the records this one leads to, as far as the caller may see them.
    async fn titles(&self, page: &Page, seen: &Seen) -> Result<HashMap<String, String>> {
        // A link to what is hidden or gone stays a plain id.
        let definition = &seen.stored_type.definition;
        self.service
            .called(&page.caller, definition, &[&seen.record.document])
            .await
    }

    /// States of a record with links by what they lead to.
    pub(super) async fn in_words(
        &self,
        page: &Page,
        seen: &Seen,
        states: Vec<Option<Map<String, Value>>>,
    ) -> Result<Vec<Option<Map<String, Value>>>> {
        let definition = &seen.stored_type.definition;
        let documents: Vec<&Map<String, Value>> = states.iter().flatten().collect();
        let called = self.service.called(&page.caller, definition, &documents).await?;
        if called.is_empty() {
            return Ok(states);
        }
        let told = |state: Option<Map<String, Value>>| state.map(|state| named(&definition.fields, &state, &called));
        Ok(states.into_iter().map(told).collect())
    }

    /// States of a record, newest first, with what is different in each; and whether there are older ones.
    async fn history(
        &self,
        page: &Page,
        seen: &Seen,
        before: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<HistoryEntry>, bool)> {
        // One more than shown: what the last one differs from.
        let versions = ledger::versions(&self.db, &seen.record.id, before, limit + 1).await?;
        let sets = self.access.check(&page.caller, HISTORY_READ, &Object::House).await?;
        let sees_source = !page.caller.is_anonymous() && self.service.may_see_source(&page.caller, seen).await?;
        let shown = usize::try_from(limit).unwrap_or_default();
        let more = versions.len() > shown;
        let mut entries = Vec::with_capacity(versions.len().min(shown));
        let states = versions
            .iter()
            .map(|version| state(version, seen))
            .collect::<Result<Vec<_>>>()?;
        let states = self.in_words(page, seen, states).await?;
        for (at, version) in versions.iter().take(shown).enumerate() {
            let old = states.get(at + 1).and_then(Option::as_ref);
            let changed = match (old, &states[at]) {
                (Some(old), Some(new)) => differences(old, new, |path| {
                    path_label(&seen.stored_type.definition, path, page.language)
                }),
                // The first state is the record itself; a redacted one has nothing to compare.
                _ => Vec::new(),
            };
            let mut entry = HistoryEntry::new(page.language, version, changed, sets);
            let readable = version.document.is_some() && !seen.record.deleted;
            entry.origin = origin(page, version, seen, sees_source);
            entry.href = readable.then(|| format!("/records/{}/versions/{}", version.entity, version.version));
            entries.push(entry);
        }
        Ok((entries, more))
    }
}

/// The file and the row that a state was brought with, for those who are known here. Of which row it was the record keeps for
/// the last file.
fn origin(page: &Page, version: &Version, seen: &Seen, sees_source: bool) -> Option<(String, Option<String>)> {
    if page.caller.is_anonymous() {
        return None;
    }
    let origin: Value = serde_json::from_str(&version.set.origin).ok()?;
    let file = shorten(origin.get("file").and_then(Value::as_str)?, 60);
    let blob = origin.get("blob").and_then(Value::as_str);
    match &seen.record.source {
        Some((source, row)) if Some(source.as_str()) == blob => {
            let words = [("n", row as &dyn std::fmt::Display), ("file", &file)];
            let words = page.language.with("history.row", &words);
            Some((
                words,
                sees_source.then(|| format!("/records/{}/source", version.entity)),
            ))
        }
        _ => Some((page.language.with("history.file", &[("file", &file)]), None)),
    }
}

/// A state's document, cut to what the caller may see today.
pub(super) fn state(version: &Version, seen: &Seen) -> Result<Option<Map<String, Value>>> {
    let Some(text) = &version.document else { return Ok(None) };
    let state: RecordState = serde_json::from_str(text)?;
    Ok(Some(shape::cut(
        &seen.stored_type.definition.fields,
        seen.level,
        state.document,
    )))
}

pub(super) fn trail(page: &Page, seen: &Seen) -> Vec<Crumb> {
    let definition = &seen.stored_type.definition;
    let type_label = label(&definition.labels, &definition.name, page.language);
    let query = serde_html_form::to_string([("type", &definition.name)]).unwrap_or_default();
    vec![
        Crumb::to(page.language.text("nav.home"), "/"),
        Crumb::to(type_label, format!("/search?{query}")),
    ]
}

pub(super) fn record_page(page: Page, seen: &Seen, around: Around) -> RecordPage {
    let (record, definition) = (&seen.record, &seen.stored_type.definition);
    let title = title(seen);
    let mut trail = trail(&page, seen);
    if let Some(hanging) = &around.hanging {
        trail.extend(crumbs(&hanging.path, |step| format!("/records/{}", step.id)));
    }
    trail.push(Crumb::here(shorten(&title, 60)));
    let told = named(&definition.fields, &record.document, &around.titles);
    let summary = summary(definition, &told, seen.level, page.language);
    RecordPage {
        trail,
        id: record.id.clone(),
        type_name: definition.name.clone(),
        type_label: label(&definition.labels, &definition.name, page.language),
        lead: summary.clone(),
        summary: summary.map(|text| shorten(&text, 200)).unwrap_or_default(),
        restricted: level_key(record.visibility),
        sections: Shown {
            definition,
            document: &record.document,
            title: &title,
            titles: &around.titles,
            language: page.language,
        }
        .sections(),
        created_at: record.created_at,
        updated_at: record.updated_at,
        version: record.version,
        source_row: record.source.as_ref().map(|(_, row)| *row),
        image: image(definition, &record.document, &around.image_hosts),
        licence: licence(definition),
        credit: credit(definition, &record.document, page.language),
        citation: Citation::of(seen, page.absolute(&format!("/records/{}", record.id)), page.language),
        around,
        title,
        page,
    }
}
