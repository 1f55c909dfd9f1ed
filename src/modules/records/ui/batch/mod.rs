//! Batches as pages: what was chosen, the form that says what is to be done, what would change in which record, how far it
//! is and what became of each. Works without scripts: the field is chosen first, its control comes with the next page.

mod sent;
mod words;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use self::sent::Sent;
use self::words::{actions, back, fields, ids, told, words};
use super::Pages;
use super::names::path_label;
use crate::contract::records::RECORDS_DELETE;
use crate::kernel::access::Object;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::jobs;
use crate::kernel::ui::form;
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::records::model::path;
use crate::modules::records::model::rule::Action;
use crate::modules::records::service::Because;
use crate::modules::records::service::batch::{Batch, Counts, Preview, Selection};
use crate::modules::records::service::unite::MOST;

/// Records named on the page when it is done.
const NAMED: i64 = 100;

#[derive(Template)]
#[template(path = "modules/records/templates/batch.html")]
pub struct BatchPage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    total: i64,
    /// What was searched for.
    chosen: Vec<String>,
    /// The search that they come from.
    back: String,
    /// Where they are put into one, where they are few.
    unite: Option<String>,
    /// Nothing has begun.
    drawn: bool,
    /// The values were pasted: what is done is decided with what was chosen.
    pasted: bool,
    done: bool,
    actions: Vec<Choice>,
    fields: Vec<Choice>,
    /// The controls of the action; none where only its name counts.
    controls: Vec<form::Field>,
    asked: Asked,
    issues: Vec<FieldIssue>,
    /// What was decided, in words.
    what: Option<String>,
    preview: Option<Preview>,
    counts: Counts,
    percent: i64,
    refusals: Vec<Refused>,
    change: Option<String>,
    /// Why its job ended badly.
    failed: Option<String>,
}
view!(BatchPage);

pub struct Choice {
    value: String,
    label: String,
    selected: bool,
}

pub struct Refused {
    title: String,
    href: String,
    why: String,
}

/// What of the form is chosen already.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default, rename = "do")]
    action: String,
    #[serde(default)]
    field: String,
}

/// What a list of records sends: ticked ones, or everything that was found.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picked {
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    filter: Vec<String>,
    #[serde(default)]
    id: Vec<String>,
    /// The page it is sent from.
    #[serde(default)]
    from: String,
}

/// `POST /batches`
pub async fn choose(State(pages): State<Pages>, page: Page, Form(picked): Form<Picked>) -> Result<Response> {
    let named = !picked.id.is_empty();
    let selection = Selection {
        type_name: picked.type_name,
        q: if named { String::new() } else { picked.q },
        filter: if named { Vec::new() } else { picked.filter },
        all: !named,
        ids: picked.id,
        from: picked.from,
        ..Selection::default()
    };
    let batch = pages.batches.choose(&page.caller, &selection).await?;
    Ok(lead(&batch.id).into_response())
}

fn lead(id: &str) -> (StatusCode, [(header::HeaderName, String); 1]) {
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/batches/{id}"))])
}

/// `GET /batches/{id}`
pub async fn show_page(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<BatchPage>> {
    let batch = pages.batches.look(&page.caller, &id).await?;
    Ok(Html(
        pages
            .batch_view(page, batch, asked, &Sent::default(), Vec::new())
            .await?,
    ))
}

/// `POST /batches/{id}/action`
pub async fn decide(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let decided = match sent.action() {
        Ok(action) => pages.batches.decide(&page.caller, &id, &action).await,
        Err(error) => Err(error),
    };
    match decided {
        Ok(batch) => Ok(lead(&batch.id).into_response()),
        Err(error) if error.code() == Code::Invalid => {
            let batch = pages.batches.look(&page.caller, &id).await?;
            let asked = Asked {
                action: sent.action.clone(),
                field: sent.field.clone(),
            };
            let view = pages
                .batch_view(page, batch, asked, &sent, error.fields().to_vec())
                .await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Why it is done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    #[serde(default)]
    reason: String,
}

/// `POST /batches/{id}/run`
pub async fn run(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Reason>,
) -> Result<Response> {
    let why = Because {
        caller: &page.caller,
        reason: form.reason.trim(),
        channel: "ui",
    };
    pages.batches.start(&why, &id).await?;
    Ok(lead(&id).into_response())
}

/// `POST /batches/{id}/forget`
pub async fn forget(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let batch = pages.batches.look(&page.caller, &id).await?;
    pages.batches.forget(&page.caller, &id).await?;
    let place = [(header::LOCATION, back(&batch))];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.batch-forgotten"), place).into_response())
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Pages {
    async fn batch_view(
        &self,
        page: Page,
        batch: Batch,
        mut asked: Asked,
        sent: &Sent,
        issues: Vec<FieldIssue>,
    ) -> Result<BatchPage> {
        let language = page.language;
        let stored = self.service.need_type(&batch.type_name).await?;
        let seen = self.service.shown_type(&page.caller, &stored).await?;
        let definition = seen.ok_or_else(|| Error::not_found("type", &batch.type_name))?;
        let action = batch.action()?;
        let decided = asked.action.is_empty() && batch.is_drawn();
        let before = action.as_ref().map(Sent::of);
        let mut filled = if sent.action.is_empty() {
            before.clone().unwrap_or_default()
        } else {
            sent.clone()
        };
        if asked.action.is_empty() {
            asked.action = if filled.action.is_empty() {
                "set".to_owned()
            } else {
                filled.action.clone()
            };
            asked.field.clone_from(&filled.field);
        } else if filled.field != asked.field || filled.action != asked.action {
            filled.value.clear();
        }
        let leaves = path::leaves(&definition.fields);
        if !leaves.iter().any(|leaf| leaf.path == asked.field) {
            let first = definition.title.as_deref().unwrap_or_default();
            let found = leaves.iter().find(|leaf| leaf.path == first).or(leaves.first());
            asked.field = found.map(|leaf| leaf.path.clone()).unwrap_or_default();
        }
        let label_of = |path: &str| match path {
            "visibility" if !leaves.iter().any(|leaf| leaf.path == path) => language.text("batch.visibility"),
            path => path_label(&definition, path, language),
        };
        let preview = if decided {
            self.batches.preview(&page.caller, &batch, (true, &label_of)).await?
        } else {
            None
        };
        let may_delete = self
            .access
            .check(&page.caller, RECORDS_DELETE, &Object::Type(&batch.type_name))
            .await?;
        let counts = if batch.is_drawn() {
            Counts::default()
        } else {
            self.batches.counts(&batch).await?
        };
        let type_label = label(&definition.labels, &definition.name, language);
        let called = self
            .service
            .titles_of(&page.caller, ids(&batch, action.as_ref()))
            .await?;
        Ok(BatchPage {
            trail: vec![
                Crumb::to(type_label, back(&batch)),
                Crumb::here(language.text("batch.title")),
            ],
            actions: actions(&asked, may_delete, language),
            fields: fields(&definition, &asked.field, language),
            controls: self.controls(&page, &definition, &asked, &filled).await,
            chosen: told(&batch, &definition, &called, language),
            back: back(&batch),
            unite: self.unite_href(&page, &batch, may_delete).await?,
            drawn: batch.is_drawn(),
            pasted: matches!(action, Some(Action::Fill { .. })),
            done: batch.is_done(),
            what: action
                .as_ref()
                .map(|action| words(action, &definition, &called, language)),
            preview,
            percent: (counts.changed + counts.unchanged + counts.refused) * 100 / batch.total.max(1),
            counts,
            refusals: self.refused(&page, &batch).await?,
            failed: self.failed(&batch).await?,
            change: batch.set_id,
            total: batch.total,
            id: batch.id,
            asked,
            issues,
            page,
        })
    }

    /// The first of the records that stayed as they were.
    async fn refused(&self, page: &Page, batch: &Batch) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        if batch.is_drawn() {
            return Ok(refused);
        }
        for done in self.batches.items(batch, Some("refused"), 0, NAMED).await? {
            // What is hidden by now is not named.
            if let Ok(seen) = self.service.read(&page.caller, &done.record_id).await {
                refused.push(Refused {
                    title: super::names::title(&seen),
                    href: format!("/records/{}", done.record_id),
                    why: done.note,
                });
            }
        }
        Ok(refused)
    }

    /// Where the records are put into one: a few of them, for who may delete.
    async fn unite_href(&self, page: &Page, batch: &Batch, may_delete: bool) -> Result<Option<String>> {
        if !may_delete || !(2..=MOST as i64 + 1).contains(&batch.total) || !batch.is_drawn() {
            return Ok(None);
        }
        let items = self.batches.items(batch, None, 0, MOST as i64 + 1).await?;
        let ids: Vec<String> = items.into_iter().map(|item| item.record_id).collect();
        let seen = self.service.read_many(&page.caller, &ids).await?;
        Ok((seen.len() > 1).then(|| super::unite::address(seen.iter().map(|one| one.record.id.as_str()))))
    }

    async fn failed(&self, batch: &Batch) -> Result<Option<String>> {
        let Some(id) = &batch.job_id else { return Ok(None) };
        match jobs::get(&self.db, id).await {
            Ok(job) => Ok(job.error.filter(|_| job.state.is_final())),
            Err(error) if error.code() == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
