//! Batches over HTTP: choose records and say what is to be done, look at what would change, do it, see what became of each.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, because};
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, Query};
use crate::modules::records::model::rule::Action;
use crate::modules::records::service::batch::{Batch, Preview, Selection};

/// Items of one page.
const MOST: i64 = 1_000;

/// Which records, and what is to be done to each.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    select: Selection,
    /// May be said later.
    #[serde(default)]
    action: Option<Action>,
}

/// A batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchBody {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    /// `drawn`, `running` or `done`
    state: String,
    /// Records chosen.
    total: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    /// RFC 3339
    created_at: String,
    /// What it would do, before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewBody>,
    /// What it did so far, from its begin on.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    /// The change set, once something was changed. `POST /api/changes/{id}/undo` takes all of it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
}

/// How many records came to what.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountsBody {
    changed: i64,
    unchanged: i64,
    refused: i64,
    /// Not dealt with yet.
    waiting: i64,
}

/// What a batch would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewBody {
    changed: i64,
    unchanged: i64,
    refused: i64,
    /// Records that were looked at: at most 10,000.
    looked_at: i64,
    /// There are more.
    at_least: bool,
    /// The first records that would change.
    changes: Vec<ChangeBody>,
    /// The first records that would stay as they are.
    refusals: Vec<RefusalBody>,
}

/// A record that would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeBody {
    id: String,
    title: String,
    fields: Vec<DifferenceBody>,
}

/// What differs in a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceBody {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

/// A record that would stay as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalBody {
    id: String,
    title: String,
    reason: String,
}

impl From<Preview> for PreviewBody {
    fn from(preview: Preview) -> Self {
        let told = preview.told.into_iter().map(|told| ChangeBody {
            id: told.id,
            title: told.title,
            fields: told
                .differences
                .into_iter()
                .map(|d| DifferenceBody {
                    field: d.label,
                    before: d.before,
                    after: d.after,
                })
                .collect(),
        });
        let refusals = preview.refusals.into_iter().map(|refusal| RefusalBody {
            id: refusal.id,
            title: refusal.title,
            reason: refusal.why,
        });
        Self {
            changed: preview.changed,
            unchanged: preview.unchanged,
            refused: preview.refused,
            looked_at: preview.looked,
            at_least: preview.is_cut,
            changes: told.collect(),
            refusals: refusals.collect(),
        }
    }
}

async fn body(api: &Api, caller: &Caller, batch: Batch) -> Result<BatchBody> {
    let label = |path: &str| path.to_owned();
    let preview = if batch.is_drawn() {
        api.batches.preview(caller, &batch, (false, &label)).await?
    } else {
        None
    };
    let counts = if batch.is_drawn() {
        None
    } else {
        let counts = api.batches.counts(&batch).await?;
        Some(CountsBody {
            changed: counts.changed,
            unchanged: counts.unchanged,
            refused: counts.refused,
            waiting: counts.waiting,
        })
    };
    Ok(BatchBody {
        action: batch.action()?,
        preview: preview.map(PreviewBody::from),
        counts,
        created_at: rfc3339(batch.created_at),
        id: batch.id,
        type_name: batch.type_name,
        state: batch.state,
        total: batch.total,
        job: batch.job_id,
        change: batch.set_id,
    })
}

/// Chooses records, by a search or one by one, and looks at what an action would make of each. Nothing is changed. The choice
/// is kept for who made it.
#[utoipa::path(
    post, path = "/api/batches", tag = "batches", request_body = NewBatch,
    responses((status = 201, body = BatchBody, description = "Location is its address"))
)]
pub async fn create(State(api): State<Api>, caller: Caller, Json(new): Json<NewBatch>) -> Result<Response> {
    let mut batch = api.batches.choose(&caller, &new.select).await?;
    if let Some(action) = &new.action {
        batch = match api.batches.decide(&caller, &batch.id, action).await {
            Ok(batch) => batch,
            Err(error) => {
                api.batches.forget(&caller, &batch.id).await?;
                return Err(error);
            }
        };
    }
    let location = [(header::LOCATION, format!("/api/batches/{}", batch.id))];
    let body = body(&api, &caller, batch).await?;
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

/// A batch of yours: before it begins with what it would do, afterwards with what it did.
#[utoipa::path(
    get, path = "/api/batches/{id}", tag = "batches", params(("id" = String, Path, description = "The batch's id")),
    responses((status = 200, body = BatchBody), (status = 404, description = "You have no such batch"))
)]
pub async fn show(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Json<BatchBody>> {
    let batch = api.batches.look(&caller, &id).await?;
    Ok(Json(body(&api, &caller, batch).await?))
}

/// Says what is to be done to each record of a batch that has not begun.
#[utoipa::path(
    put, path = "/api/batches/{id}/action", tag = "batches", request_body = Action,
    params(("id" = String, Path, description = "The batch's id")),
    responses((status = 200, body = BatchBody), (status = 409, description = "It has begun"))
)]
pub async fn decide(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Json(action): Json<Action>,
) -> Result<Json<BatchBody>> {
    let batch = api.batches.decide(&caller, &id, &action).await?;
    Ok(Json(body(&api, &caller, batch).await?))
}

/// Why it is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// In your words; kept with the change set.
    #[serde(default)]
    reason: String,
}

/// A batch that is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Begun {
    batch: String,
    /// Its job; its result says what was done and names the change set.
    job: String,
}

/// Begins a batch: a job does to each record what was decided, as one change set. A record that was changed meanwhile is
/// changed as it stands then; one that was to be deleted stays.
#[utoipa::path(
    post, path = "/api/batches/{id}/run", tag = "batches", request_body = RunRequest,
    params(("id" = String, Path, description = "The batch's id")),
    responses((status = 202, body = Begun), (status = 409, description = "Nothing was decided yet"))
)]
pub async fn run(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Json(asked): Json<RunRequest>,
) -> Result<impl IntoResponse> {
    let why = because(&caller, Some(&asked.reason))?;
    let job = api.batches.start(&why, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(Begun { batch: id, job })))
}

/// Throws a batch away that has not begun, or forgets one that has ended. What it changed stays.
#[utoipa::path(
    delete, path = "/api/batches/{id}", tag = "batches", params(("id" = String, Path, description = "The batch's id")),
    responses((status = 204, description = "It is gone"), (status = 409, description = "It is running"))
)]
pub async fn forget(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    api.batches.forget(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which records of a batch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `changed`, `unchanged` or `refused`; all where it is left out.
    outcome: Option<String>,
    /// Where the page before ended.
    #[serde(default)]
    after: i64,
    /// At most so many, 1 to 1,000.
    limit: Option<i64>,
}

/// What became of the records of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemList {
    items: Vec<ItemBody>,
    /// Send it as `after` for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// What became of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemBody {
    id: String,
    /// `changed`, `unchanged` or `refused`; missing before its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// Why it stayed as it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

/// The records of a batch in their order, with what became of each.
#[utoipa::path(
    get, path = "/api/batches/{id}/records", tag = "batches",
    params(("id" = String, Path, description = "The batch's id"), Which), responses((status = 200, body = ItemList))
)]
pub async fn items(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<ItemList>> {
    let batch = api.batches.look(&caller, &id).await?;
    let limit = which.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::invalid("limit", format!("is 1 to {MOST}.")));
    }
    let outcome = which.outcome.as_deref();
    if outcome.is_some_and(|o| !["changed", "unchanged", "refused"].contains(&o)) {
        return Err(Error::invalid("outcome", "is changed, unchanged or refused."));
    }
    let found = api.batches.items(&batch, outcome, which.after, limit).await?;
    let next = found
        .last()
        .filter(|_| found.len() as i64 == limit)
        .map(|item| item.place);
    let items = found.into_iter().map(|done| ItemBody {
        id: done.record_id,
        outcome: done
            .outcome
            .map(|o| if o == "in-use" { "refused".to_owned() } else { o }),
        reason: done.note,
    });
    Ok(Json(ItemList {
        items: items.collect(),
        next,
    }))
}
