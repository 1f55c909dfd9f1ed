//! Undo over HTTP: what it would do, doing it, what it left.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Choice, Preview, Standing};
use crate::contract::undo::WhyLeft;
use crate::kernel::access::Caller;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};
use crate::modules::history::api::PageQuery;
use crate::modules::history::service::Service;
use crate::modules::history::{HISTORY_READ, HISTORY_UNDO};

/// Of what would stay, so many are named.
const NAMED: usize = 20;

/// The JSON routes of undo.
pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(HISTORY_UNDO, routes!(preview, start))
        .route(HISTORY_READ, routes!(left))
        .route(HISTORY_UNDO, routes!(decide))
        .with_state(service)
}

/// Something that stays, and why.
#[derive(Debug, Serialize, ToSchema)]
struct LeftBody {
    /// `record` or `type`
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    id: String,
    reason: WhyLeft,
    /// What somebody decided about it: `fields`, `whole` or `keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    /// The change set in which that was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_in: Option<String>,
}

/// One undo of a change set.
#[derive(Debug, Serialize, ToSchema)]
struct UndoBody {
    /// The change set that the undo is itself.
    change: String,
    job: String,
    /// `running` or `done`
    state: String,
    at: String,
    /// What became of the things that it touched; absent where you do not see all of them.
    #[serde(flatten)]
    counts: Option<UndoCounts>,
}

/// What an undo came to so far.
#[derive(Debug, Serialize, ToSchema)]
struct UndoCounts {
    removed: i64,
    reverted: i64,
    revived: i64,
    already: i64,
    left: i64,
}

impl UndoBody {
    fn of(standing: Standing, all: bool) -> Self {
        Self {
            at: rfc3339(standing.created_at),
            change: standing.set_id,
            job: standing.job_id,
            state: standing.state,
            counts: all.then_some(UndoCounts {
                removed: standing.removed,
                reverted: standing.reverted,
                revived: standing.revived,
                already: standing.already,
                left: standing.kept,
            }),
        }
    }
}

/// What taking a change set back would do to what you see of it.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewBody {
    /// The change set.
    change: String,
    /// Records that it made and that would be deleted.
    removed: i64,
    /// Records that would get the state before it again.
    reverted: i64,
    /// Records that it deleted and that would be back.
    revived: i64,
    /// Records that are as before it already.
    already: i64,
    /// Records that were changed since, or cannot be put back, and would stay. Some reasons are found only while it runs.
    left: i64,
    /// The first of them.
    left_first: Vec<LeftBody>,
    /// Types that it touched; one that it made goes when no record needs it any more.
    types: i64,
    /// There is more than was counted: 50,000 things are looked at.
    at_least: bool,
    /// The job that still makes the change set; it would be stopped first.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<String>,
    /// Undos of it so far, newest first.
    undos: Vec<UndoBody>,
}

impl PreviewBody {
    fn of(preview: Preview, undos: Vec<(Standing, bool)>) -> Self {
        let prospect = preview.prospect;
        let named = prospect.left.iter().take(NAMED);
        Self {
            change: preview.set.id,
            removed: prospect.removed,
            reverted: prospect.reverted,
            revived: prospect.revived,
            already: prospect.already,
            left: prospect.left.len() as i64,
            left_first: named
                .map(|(id, reason)| LeftBody {
                    kind: None,
                    id: id.clone(),
                    reason: *reason,
                    decision: None,
                    decided_in: None,
                })
                .collect(),
            types: prospect.types,
            at_least: prospect.is_cut,
            unfinished: preview.unfinished.map(|job| job.id),
            undos: undos.into_iter().map(|(undo, all)| UndoBody::of(undo, all)).collect(),
        }
    }
}

/// What undoing a change set would do. Nothing is changed.
#[utoipa::path(
    get, path = "/api/changes/{id}/undo", tag = "history",
    params(("id" = String, Path, description = "The change set's id")),
    responses((status = 200, body = PreviewBody))
)]
async fn preview(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<Json<PreviewBody>> {
    let preview = service.undo_preview(&caller, &id).await?;
    let undos = service.undos_of(&caller, &id).await?;
    Ok(Json(PreviewBody::of(preview, undos)))
}

/// Why a change set is undone.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UndoRequest {
    /// In words; kept with the change set that the undo becomes.
    #[serde(default)]
    reason: String,
}

/// An undo that is on its way.
#[derive(Debug, Serialize, ToSchema)]
struct Begun {
    /// Its job; its result names the change set that the undo becomes.
    job: String,
    /// The change set that is undone.
    undoes: String,
}

/// Undoes a change set: a job puts back every record that was not changed since and lists the others. It becomes a change
/// set of its own, which can be undone in turn.
#[utoipa::path(
    post, path = "/api/changes/{id}/undo", tag = "history",
    params(("id" = String, Path, description = "The change set's id")), request_body = UndoRequest,
    responses((status = 202, body = Begun), (status = 409, description = "There is nothing that can be undone"))
)]
async fn start(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(asked): Json<UndoRequest>,
) -> Result<impl IntoResponse> {
    let job = service.undo(&caller, &id, &asked.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(Begun { job, undoes: id })))
}

/// What an undo left as it is.
#[derive(Debug, Serialize, ToSchema)]
struct LeftList {
    items: Vec<LeftBody>,
    /// Send it as `cursor` for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What an undo left as it is and why, as far as you may see it.
#[utoipa::path(
    get, path = "/api/changes/{id}/left", tag = "history",
    params(("id" = String, Path, description = "The id of the change set that the undo is"), PageQuery),
    responses((status = 200, body = LeftList), (status = 404, description = "There is no such undo"))
)]
async fn left(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<LeftList>> {
    let (kept, next) = service.left(&caller, &id, page.cursor(), page.limit()?).await?;
    let body = |kept: super::Kept| {
        let reason = WhyLeft::parse(&kept.reason);
        let reason = reason.ok_or_else(|| Error::internal(anyhow::anyhow!("an unknown reason: {}", kept.reason)))?;
        Ok(LeftBody {
            kind: Some(kept.kind),
            id: kept.entity,
            reason,
            decision: kept.decision,
            decided_in: kept.decided_set,
        })
    };
    Ok(Json(LeftList {
        items: kept.into_iter().map(body).collect::<Result<_>>()?,
        next,
    }))
}

/// What becomes of things that an undo left.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `fields`: the fields that nobody has touched since are put back. `whole`: all of it, and later changes go with it.
    /// `keep`: it stays as it is.
    decide: Choice,
    /// Ids of what it is about, at most 1,000. Without it: everything that was changed since and is open.
    #[serde(default)]
    records: Option<Vec<String>>,
    /// In words; kept with the change set that this becomes.
    #[serde(default)]
    reason: String,
}

/// A decision that was taken.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionTaken {
    /// How many things it is about.
    things: u64,
    /// The job that carries it out, as a change set that can be undone in turn; absent where everything stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// Decides about what an undo left because it was changed since, or could not be put back then.
#[utoipa::path(
    post, path = "/api/changes/{id}/left", tag = "history",
    params(("id" = String, Path, description = "The id of the change set that the undo is")), request_body = Decision,
    responses((status = 202, body = DecisionTaken), (status = 409, description = "Nothing of it is open"))
)]
async fn decide(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(asked): Json<Decision>,
) -> Result<impl IntoResponse> {
    let taken = service
        .decide(&caller, &id, asked.decide, asked.records.as_deref(), &asked.reason)
        .await?;
    let body = DecisionTaken {
        things: taken.things,
        job: taken.job,
    };
    Ok((StatusCode::ACCEPTED, Json(body)))
}
