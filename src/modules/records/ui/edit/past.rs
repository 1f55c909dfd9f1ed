//! Beside a form: what a field held before, who changed it and when; and what of a record is worth another look.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::records::{FieldKind, RECORDS_READ, RecordType};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::http::{Path, Query};
use crate::kernel::ledger;
use crate::kernel::search::Query as Asked;
use crate::kernel::ui::{Html, Page, actor, filters, shorten, texts, view};
use crate::modules::records::model::{cell, path, shape, warn};
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::record::state;

/// States that are looked through, and changes that are told.
const STATES: i64 = 100;
const TOLD: usize = 4;
/// Records with the words of a title that are compared with it.
const ALIKE: usize = 50;
/// Characters of a value.
const LONGEST: usize = 160;

#[derive(Template)]
#[template(path = "modules/records/templates/field-history.html")]
pub struct FieldHistory {
    page: Page,
    changes: Vec<Change>,
    more: bool,
}
view!(FieldHistory);

pub struct Change {
    /// Empty where the field was.
    text: String,
    by: String,
    at: i64,
}

/// Which field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    field: String,
}

/// `GET /records/{id}/field`: a piece of a page.
pub async fn field_history(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Html<FieldHistory>> {
    let seen = pages.service.read(&page.caller, &id).await?;
    let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
    if path::find(&definition.fields, &which.field).is_none() {
        return Err(Error::not_found("field", &shorten(&which.field, 60)));
    }
    let versions = ledger::versions(&pages.db, &id, None, STATES).await?;
    let (mut changes, mut last): (Vec<Change>, Option<String>) = (Vec::new(), None);
    // From the first state on: whoever made a value is who wrote it first.
    let states = versions
        .iter()
        .map(|version| state(version, &seen))
        .collect::<Result<Vec<_>>>()?;
    let states = pages.in_words(&page, &seen, states).await?;
    for (version, state) in versions.iter().zip(states).rev() {
        let Some(document) = state else { continue };
        let text = texts(&document, &which.field, page.language).join(cell::BETWEEN);
        if last.as_ref() == Some(&text) || (last.is_none() && text.is_empty()) {
            continue;
        }
        changes.push(Change {
            text: shorten(&text, LONGEST),
            by: actor(page.language, &version.set.actor),
            at: version.set.created_at,
        });
        last = Some(text);
    }
    changes.reverse();
    let more = changes.len() > TOLD;
    changes.truncate(TOLD);
    Ok(Html(FieldHistory { page, changes, more }))
}

impl Pages {
    /// What of a document is worth another look. `id` is the record's, where there is one.
    pub(in super::super) async fn warnings(
        &self,
        page: &Page,
        definition: &RecordType,
        document: &Map<String, Value>,
        id: Option<&str>,
    ) -> Vec<FieldIssue> {
        let now = rfc3339(self.db.clock().now());
        let today = now.split('T').next().unwrap_or_default();
        let mut found = warn::warnings(definition, document, today);
        // Whether another is called the same is told where the search can say it.
        if let Ok(Some(issue)) = self.same_title(page, definition, document, id).await {
            found.push(issue);
        }
        found
    }

    async fn same_title(
        &self,
        page: &Page,
        definition: &RecordType,
        document: &Map<String, Value>,
        id: Option<&str>,
    ) -> Result<Option<FieldIssue>> {
        let Some(leaf) = definition
            .title
            .as_ref()
            .and_then(|title| path::find(&definition.fields, title))
        else {
            return Ok(None);
        };
        let text = cell::text(&leaf, document).filter(|text| !text.trim().is_empty());
        let Some(text) = text.filter(|_| leaf.field.kind == FieldKind::Text) else {
            return Ok(None);
        };
        let query = Asked {
            kind: Some(ledger::RECORD.to_owned()),
            types: vec![definition.name.clone()],
            text: format!("{}:\"{}\"", leaf.path, text.replace('"', " ")),
            limit: ALIKE,
            visibility: self.access.filter(&page.caller, RECORDS_READ).await?,
            ..Asked::default()
        };
        let hits = self.search.search(query).await?.hits;
        let ids: Vec<String> = hits
            .into_iter()
            .map(|hit| hit.id)
            .filter(|other| Some(other.as_str()) != id)
            .collect();
        let others = self.service.read_many(&page.caller, &ids).await?;
        let same = others
            .iter()
            .any(|other| cell::text(&leaf, &other.record.document).as_ref() == Some(&text));
        Ok(same.then(|| FieldIssue {
            path: leaf.path.clone(),
            message: "is what another record of the collection is called, too.".to_owned(),
        }))
    }
}
