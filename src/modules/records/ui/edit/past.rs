//! Beside a form: what a field held before, who changed it and when; and what of a record is worth another look, also while
//! it is written.

use askama::Template;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::sent::Sent;
use crate::contract::records::RecordType;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::http::{Form, Json, Path, Query};
use crate::kernel::ledger;
use crate::kernel::ui::{Html, Page, actor, filters, shorten, texts, view};
use crate::modules::records::model::{cell, entry, path, shape, warn};
use crate::modules::records::service::doubts::Draft;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::record::state;

/// States that are looked through, and changes that are told.
const STATES: i64 = 100;
const TOLD: usize = 4;
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
        let draft = Draft {
            definition,
            document,
            id,
        };
        found.extend(self.service.doubts(&self.search, &page.caller, draft).await);
        found.truncate(warn::MOST);
        found
    }
}

/// The record that a form changes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Of {
    id: Option<String>,
}

/// Something worth another look: the path of its field, with positions, and why.
#[derive(Debug, Serialize)]
pub struct Doubt {
    path: String,
    message: String,
}

/// `POST /types/{name}/doubts`: what of a form is worth another look while it is written. Nothing is kept.
pub async fn doubts(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(of): Query<Of>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Json<Vec<Doubt>>> {
    let mut sent = Sent::read(pairs)?;
    let (definition, base) = match &of.id {
        Some(id) => {
            let seen = pages.writable(&page, id).await?;
            let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
            (definition, seen.record.document)
        }
        None => (pages.creatable(&page, &name).await?, Map::new()),
    };
    sent.tidy(&definition.fields);
    // What is wrong is told when it is saved; what can be read is looked at.
    let document = entry::take(&definition.fields, &base, &sent.entered).document;
    let found = pages.warnings(&page, &definition, &document, of.id.as_deref()).await;
    let told = found.into_iter().map(|issue| Doubt {
        message: page.language.sentence(&issue.message),
        path: issue.path,
    });
    Ok(Json(told.collect()))
}
