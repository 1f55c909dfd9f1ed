//! The pages of the way: bring files, see how one is read, correct the collection, preview, import. Everything is a form
//! that works without scripts; each answer to one leads to the next page.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::form::Sent;
use super::lines::{LookView, choice, date_question, decimal_question, field_lines, pick};
use super::model::Choices;
use super::pages::{
    CollectionPage, DraftLine, EarlierLine, FilePage, JobLine, LookingPage, PreviewPage, ReportView, steps,
};
use super::service::Draft;
use crate::contract::records::{Field, FieldKind, RECORDS_WRITE};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::jobs::{Job, State as JobState};
use crate::kernel::ui::{Flash, Html, Page, label};
use crate::modules::exchange::service::Service;

/// A page waits so long for a job, so that a small file needs no second look.
const PATIENCE: Duration = Duration::from_millis(1_500);

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_WRITE, Method::GET, "/import/{id}", get(file_page))
        .page(RECORDS_WRITE, Method::POST, "/import/{id}", post(read_so))
        .page(
            RECORDS_WRITE,
            Method::GET,
            "/import/{id}/collection",
            get(collection_page),
        )
        .page(RECORDS_WRITE, Method::POST, "/import/{id}/collection", post(correct))
        .page(RECORDS_WRITE, Method::POST, "/import/{id}/target", post(aim))
        .page(RECORDS_WRITE, Method::GET, "/import/{id}/preview", get(preview_page))
        .page(RECORDS_WRITE, Method::POST, "/import/{id}/preview", post(preview))
        .page(RECORDS_WRITE, Method::POST, "/import/{id}/run", post(run))
        .page(RECORDS_WRITE, Method::POST, "/import/{id}/discard", post(discard))
        .with_state(service)
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

pub fn go(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

pub fn line(service: &Service, draft: &Draft) -> DraftLine {
    DraftLine::of(draft, service.days_left(draft))
}

async fn earlier(service: &Service, draft: &Draft) -> Result<Option<EarlierLine>> {
    let found = service.earlier(draft).await?;
    Ok(found.map(|earlier| EarlierLine {
        job: earlier.job_id,
        type_name: earlier.type_name,
        at: earlier.created_at,
    }))
}

/// Where a draft goes that was imported already.
fn imported(draft: &Draft) -> Option<Response> {
    draft.row.import_job.as_ref().map(|job| go(&format!("/imports/{job}")))
}

async fn file_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response> {
    let draft = service.draft(&caller, &id).await?;
    if let Some(answer) = imported(&draft) {
        return Ok(answer);
    }
    let (look, error) = match service.sample(&draft).await {
        Ok(look) => (Some(LookView::of(look, &draft.choices, page.language)), None),
        Err(error) if error.code().status() < 500 => (None, Some(error.detail().to_owned())),
        Err(error) => return Err(error),
    };
    Ok(Html(FilePage {
        steps: steps(Some(&id), 1),
        earlier: earlier(&service, &draft).await?,
        missing: draft.choices.missing.join(", "),
        draft: line(&service, &draft),
        look,
        error,
        page,
    })
    .into_response())
}

/// Takes how the file is to be read, then shows it again or goes on.
async fn read_so(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sent = Sent(pairs);
    let draft = service.draft(&caller, &id).await?;
    let choices = Choices {
        reading: sent.reading(&draft.choices.reading)?,
        missing: sent.missing()?,
        ..draft.choices
    };
    service.choose(&caller, &id, &choices).await?;
    if sent.get("go") != Some("next") {
        return Ok(go(&format!("/import/{id}")));
    }
    Ok(go(&format!("/import/{id}/collection")))
}

async fn collection_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response> {
    let (draft, job) = service.found(&caller, &id, PATIENCE).await?;
    if let Some(answer) = imported(&draft) {
        return Ok(answer);
    }
    if draft.found.is_none() {
        return looking(&service, page, &draft, job);
    }
    collection(&service, page, &draft, Vec::new()).await
}

/// The file is being looked at, or cannot be read.
fn looking(service: &Service, page: Page, draft: &Draft, job: Option<Job>) -> Result<Response> {
    let Some(job) = job else {
        return Ok(go(&format!("/import/{}/collection", draft.row.id)));
    };
    // Done, or somebody chose another way of reading it meanwhile, and another look is on its way.
    if matches!(job.state, JobState::Done | JobState::Superseded) {
        return Ok(go(&format!("/import/{}/collection", draft.row.id)));
    }
    Ok(Html(LookingPage {
        steps: steps(Some(&draft.row.id), 2),
        draft: line(service, draft),
        job: JobLine::of(&job),
        page,
    })
    .into_response())
}

async fn collection(service: &Service, page: Page, draft: &Draft, errors: Vec<(String, String)>) -> Result<Response> {
    let Some(found) = &draft.found else {
        return Ok(go(&format!("/import/{}/collection", draft.row.id)));
    };
    let target = service.target(draft).await?;
    let existing = target.as_ref().map(|stored| &stored.definition);
    // A name that is taken is one of the errors; the form shows what else was chosen.
    let plan = match service.plan_of(draft).await {
        Err(error) if error.code() == Code::Invalid && !errors.is_empty() => {
            super::model::plan(found, &draft.choices, existing, &draft.row.name)
        }
        other => other?,
    };
    let (language, definition) = (page.language, &plan.definition);
    let none = |key: &str| Some(language.text(key));
    let one = |field: &Field| !field.repeated && field.kind != FieldKind::Group;
    let words = |field: &Field| one(field) && field.kind != FieldKind::Boolean;
    let key = |field: &Field| {
        use FieldKind::{Identifier, Integer, Term, Text, Url};
        one(field) && matches!(field.kind, Identifier | Text | Term | Integer | Url)
    };
    let mut targets = vec![choice("", language.text("import.collection.new"), existing.is_none())];
    for stored in service.records.record_types().await? {
        let other = &stored.definition;
        let chosen = existing.is_some_and(|e| e.name == other.name);
        targets.push(choice(&other.name, label(&other.labels, &other.name, language), chosen));
    }
    let view = CollectionPage {
        steps: steps(Some(&draft.row.id), 2),
        draft: line(service, draft),
        errors,
        rows: found.rows,
        unreadable: found.unreadable,
        first_fault: found.first_fault.clone().unwrap_or_default(),
        targets,
        existing: existing.map(|e| label(&e.labels, &e.name, language)),
        fits: draft.choices.into.is_none() && existing.is_some(),
        label: label(&definition.labels, &definition.name, language),
        licence: definition.licence.clone().unwrap_or_default(),
        credit: definition.credit.clone().unwrap_or_default(),
        public: definition.visibility == Level::Public,
        titles: pick(definition, definition.title.as_deref(), None, language, words),
        keys: pick(
            definition,
            definition.key.as_deref(),
            none("import.collection.no-key"),
            language,
            key,
        ),
        images: pick(
            definition,
            definition.image.as_deref(),
            none("import.collection.no-image"),
            language,
            |f| one(f) && f.kind == FieldKind::Url,
        ),
        decimal: decimal_question(found, &plan, language),
        dates: date_question(found, &plan, language),
        mixed_dates: found
            .columns
            .iter()
            .filter(|c| c.mixed_dates)
            .map(|c| c.name.clone())
            .collect(),
        fields: field_lines(found, &draft.choices, &plan, existing, language),
        page,
    };
    let status = if view.errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut response = Html(view).into_response();
    *response.status_mut() = status;
    Ok(response)
}

/// Another collection, or a new one.
async fn aim(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let draft = service.draft(&caller, &id).await?;
    let choices = Choices {
        into: Some(Sent(pairs).get("into").unwrap_or_default().to_owned()),
        ..draft.choices
    };
    let draft = service.choose(&caller, &id, &choices).await?;
    service.target(&draft).await?;
    Ok(go(&format!("/import/{id}/collection")))
}

/// Takes the corrected collection and begins the preview. What is wrong with it is shown above the same form.
async fn correct(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sent = Sent(pairs);
    let mut draft = service.draft(&caller, &id).await?;
    // Names are written in the language of the form they are entered in.
    draft.choices.language = Some(page.language.tag().to_owned());
    let Some(found) = &draft.found else {
        return Ok(go(&format!("/import/{id}/collection")));
    };
    let target = service.target(&draft).await?;
    let existing = target.as_ref().map(|stored| &stored.definition);
    // What the form was filled with, had nobody corrected a field.
    let plain = Choices {
        fields: std::collections::BTreeMap::new(),
        title: None,
        key: None,
        image: None,
        name: None,
        ..draft.choices.clone()
    };
    let shown = super::model::plan(found, &plain, None, &draft.row.name);
    let choices = sent.collection(&draft.choices, found, &shown, existing.is_none())?;
    let draft = service.choose(&caller, &id, &choices).await?;
    match service.rehearse(&caller, &id).await {
        Ok(_) => Ok(go(&format!("/import/{id}/preview"))),
        Err(error) if error.code().status() == 422 => {
            let errors = error
                .fields()
                .iter()
                .map(|issue| told(&draft, &issue.path, &issue.message));
            let mut errors: Vec<_> = errors.collect();
            if errors.is_empty() {
                errors.push((String::new(), error.detail().to_owned()));
            }
            collection(&service, page, &draft, errors).await
        }
        Err(error) => Err(error),
    }
}

/// An error of the definition with the name of the field that it is about.
fn told(draft: &Draft, path: &str, message: &str) -> (String, String) {
    let index = path
        .strip_prefix("fields.")
        .and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    let kept = draft.found.as_ref().map(|found| {
        let fields = found.definition.fields.iter();
        fields
            .filter(|f| !super::model::is_left_out(found, &draft.choices, &f.name))
            .collect::<Vec<_>>()
    });
    let name = index.and_then(|index| Some(kept?.get(index)?.name.clone()));
    (name.unwrap_or_else(|| path.to_owned()), message.to_owned())
}

async fn preview_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response> {
    let draft = service.draft(&caller, &id).await?;
    if let Some(answer) = imported(&draft) {
        return Ok(answer);
    }
    if draft.found.is_none() {
        return Ok(go(&format!("/import/{id}/collection")));
    }
    let rehearsal = service.rehearsal(&draft, PATIENCE).await?;
    let (job, report) = match rehearsal {
        Some((job, report)) => (
            Some(JobLine::of(&job)),
            report.map(|report| ReportView::of(report, page.language)),
        ),
        None => (None, None),
    };
    let mapped = draft.choices.mapping.is_some();
    Ok(Html(PreviewPage {
        correct: format!("/import/{id}/{}", if mapped { "mapping" } else { "collection" }),
        steps: steps(Some(&id), 3),
        earlier: earlier(&service, &draft).await?,
        draft: line(&service, &draft),
        job,
        report,
        page,
    })
    .into_response())
}

async fn preview(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.rehearse_again(&caller, &id).await?;
    Ok(go(&format!("/import/{id}/preview")))
}

async fn run(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let job = service.run_draft(&caller, &id).await?;
    Ok(go(&format!("/imports/{job}")))
}

async fn discard(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let draft = service.draft(&caller, &id).await?;
    service.discard(&caller, &id).await?;
    let said = Flash::new("toast.import-discarded").about(&draft.row.name);
    Ok((said, go("/import")).into_response())
}
