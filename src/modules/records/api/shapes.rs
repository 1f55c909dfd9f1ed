//! Types as text, sets of types to begin with, and changes of types that move the values of their records, over HTTP.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Api, Why, based_on, because};
use crate::contract::records::RecordType;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::http::{IfMatch, Json, Path, Query, WithPosition};
use crate::modules::records::model::difference::Differs;
use crate::modules::records::model::reshape::Reshape;
use crate::modules::records::model::text;
use crate::modules::records::service::reshape::Refusal;
use crate::modules::records::service::{TypeSet, planning::TypePlan, sets, shipped};

/// A type as text: TOML, as those are written that come with the program. `POST /api/type-plan` takes it again as JSON.
#[utoipa::path(
    get, path = "/api/types/{name}/text", tag = "types",
    params(("name" = String, Path, description = "The type's name")),
    responses((status = 200, body = String, content_type = "application/toml"))
)]
pub async fn as_text(State(api): State<Api>, caller: Caller, Path(name): Path<String>) -> Result<Response> {
    let definition = match api.service.find_type(&name).await? {
        Some(stored) => api.service.shown_type(&caller, &stored).await?,
        None => shipped().iter().find(|shipped| shipped.name == name).cloned(),
    };
    let definition = definition.ok_or_else(|| Error::not_found("type", &name))?;
    let mut response = text::written(&definition)?.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/toml; charset=utf-8"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("inline; filename=\"{}.toml\"", definition.name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Sets of types.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetList {
    pub items: Vec<SetBody>,
    pub total: usize,
}

/// Types that belong together.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetBody {
    pub name: String,
    /// By language.
    #[schema(value_type = Object)]
    pub labels: Map<String, Value>,
    #[schema(value_type = Object)]
    pub description: Map<String, Value>,
    /// Names of its types; `/api/types/{name}` shows each.
    pub types: Vec<String>,
}

impl From<&TypeSet> for SetBody {
    fn from(set: &TypeSet) -> Self {
        Self {
            name: set.name.clone(),
            labels: set.labels.clone(),
            description: set.description.clone(),
            types: set.types.clone(),
        }
    }
}

/// The sets of types that a house can begin with.
#[utoipa::path(get, path = "/api/type-sets", tag = "types", responses((status = 200, body = SetList)))]
pub async fn list_sets() -> Json<SetList> {
    let items: Vec<SetBody> = sets().iter().map(SetBody::from).collect();
    Json(SetList {
        total: items.len(),
        items,
    })
}

/// What beginning with a set came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetBegun {
    pub made: Vec<String>,
    /// Those that were there already; they stay as they are.
    pub kept: Vec<String>,
}

/// Makes the types of a set that are not there yet.
#[utoipa::path(
    post, path = "/api/type-sets/{name}", tag = "types",
    params(("name" = String, Path, description = "The set's name"), Why),
    responses((status = 200, body = SetBegun))
)]
pub async fn begin_set(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(why): Query<Why>,
) -> Result<Response> {
    let why = because(&caller, why.reason.as_deref())?;
    let begun = api.service.begin_set(&why, &name).await?;
    let body = Json(SetBegun {
        made: begun.made,
        kept: begun.kept,
    });
    Ok(match begun.position {
        Some(position) => WithPosition(position, body).into_response(),
        None => body.into_response(),
    })
}

/// Definitions to be given to the house.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypesGiven {
    pub types: Vec<RecordType>,
}

/// What would become of types.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanBody {
    pub items: Vec<PlanItem>,
    /// Types that would be made or changed.
    pub changes: usize,
    /// Nothing stands in the way.
    pub possible: bool,
}

/// What would become of one type.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanItem {
    pub name: String,
    /// `create`, `change` or `same`.
    pub action: &'static str,
    pub differences: Vec<Differs>,
    /// What stands in the way. What moves values is done by `/api/types/{name}/reshape`.
    pub issues: Vec<FieldIssue>,
    /// Records that would not keep the new rules; they stay as they are.
    pub misfits: i64,
}

impl From<TypePlan> for PlanItem {
    fn from(plan: TypePlan) -> Self {
        Self {
            name: plan.name,
            action: plan.action,
            differences: plan.differences,
            issues: plan.issues,
            misfits: plan.misfits,
        }
    }
}

/// Says what definitions would change. Nothing is written.
#[utoipa::path(
    post, path = "/api/type-plan", tag = "types", request_body = TypesGiven, responses((status = 200, body = PlanBody))
)]
pub async fn plan(State(api): State<Api>, caller: Caller, Json(given): Json<TypesGiven>) -> Result<Json<PlanBody>> {
    let plans = api.service.plan_types(&caller, &given.types).await?;
    Ok(Json(PlanBody {
        changes: plans.iter().filter(|plan| plan.action != "same").count(),
        possible: plans.iter().all(|plan| plan.issues.is_empty()),
        items: plans.into_iter().map(PlanItem::from).collect(),
    }))
}

/// Types that were made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypesWritten {
    pub changed: Vec<String>,
}

/// Gives definitions to the house, all or none, as one change. What is the same already stays.
#[utoipa::path(
    post, path = "/api/type-plan/apply", tag = "types", params(Why), request_body = TypesGiven,
    responses((status = 200, body = TypesWritten))
)]
pub async fn apply(
    State(api): State<Api>,
    caller: Caller,
    Query(why): Query<Why>,
    Json(given): Json<TypesGiven>,
) -> Result<Response> {
    let why = because(&caller, why.reason.as_deref())?;
    let written = api.service.apply_types(&why, &given.types).await?;
    let position = written.iter().filter_map(|one| one.position).next_back();
    let changed = written.into_iter().map(|one| one.stored.definition.name).collect();
    let body = Json(TypesWritten { changed });
    Ok(match position {
        Some(position) => WithPosition(position, body).into_response(),
        None => body.into_response(),
    })
}

/// What a change of a type would do to its records.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReshapeProspect {
    pub changed: i64,
    pub unchanged: i64,
    /// Values of which is kept what was written, in a text field beside.
    pub aside: i64,
    pub refused: i64,
    pub looked: i64,
    /// There are more records than were looked at.
    pub is_cut: bool,
    pub refusals: Vec<Refusal>,
}

/// Says what a change of a type would do to its records. Nothing is written.
#[utoipa::path(
    post, path = "/api/types/{name}/reshape/preview", tag = "types", request_body = Reshape,
    params(("name" = String, Path, description = "The type's name")),
    responses((status = 200, body = ReshapeProspect))
)]
pub async fn look_at_reshape(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Json(step): Json<Reshape>,
) -> Result<Json<ReshapeProspect>> {
    let found = api
        .service
        .look_at_reshape(&caller, &name, &step, &str::to_owned)
        .await?;
    Ok(Json(ReshapeProspect {
        changed: found.changed,
        unchanged: found.unchanged,
        aside: found.aside,
        refused: found.refused,
        looked: found.looked,
        is_cut: found.is_cut,
        refusals: found.refusals,
    }))
}

/// The job that changes a type and moves the values of its records.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReshapeJob {
    pub job: String,
}

/// Changes a type so that values move: a field gets another name or kind, is split, put together with others, or goes where it
/// says nothing. One change set that can be undone; its job's result is the report.
#[utoipa::path(
    post, path = "/api/types/{name}/reshape", tag = "types", request_body = Reshape,
    params(
        ("name" = String, Path, description = "The type's name"), Why,
        ("If-Match" = String, Header, description = "The version it is based on, such as \"3\""),
    ),
    responses((status = 202, body = ReshapeJob, description = "The type holds both forms; the job moves the values"))
)]
pub async fn reshape(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Query(why): Query<Why>,
    version: IfMatch,
    Json(step): Json<Reshape>,
) -> Result<Response> {
    let why = because(&caller, why.reason.as_deref())?;
    let job = api.service.reshape(&why, &name, based_on(version)?, &step).await?;
    Ok((StatusCode::ACCEPTED, Json(ReshapeJob { job })).into_response())
}
