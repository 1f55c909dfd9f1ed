//! JSON: why somebody may, and who may.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Why;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, Query, RouteSet, Routes};
use crate::modules::access::grants::{GrantService, Holder};
use crate::modules::access::{GRANTS, MANAGE};

type Service = State<Arc<GrantService>>;

pub fn routes(service: Arc<GrantService>) -> Routes {
    RouteSet::new()
        .route(GRANTS, routes!(why))
        .route(GRANTS, routes!(who))
        .route(MANAGE, routes!(what))
        .with_state(service)
}

/// What is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `house`, `type:NAME` or `record:ID`.
    object: String,
    /// `account:ID`; nobody in particular without it.
    subject: Option<String>,
    /// A permission of the table, or `see.public`, `see.members`, `see.restricted`. Without it: whether the record, or what is
    /// restricted, is seen.
    permission: Option<String>,
}

/// Why somebody may do something, with the way of relations; or that they may not.
#[utoipa::path(get, path = "/api/access/why", tag = "access", params(Asked), responses((status = 200, body = Why)))]
async fn why(State(service): Service, caller: Caller, Query(asked): Query<Asked>) -> Result<Json<Why>> {
    let target = service.target(&caller, &asked.object).await?;
    let why = service
        .why(&target, asked.permission.as_deref(), asked.subject.as_deref())
        .await?;
    Ok(Json(why))
}

/// At which place to look.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct At {
    /// `house`, `type:NAME` or `record:ID`.
    object: String,
    /// A permission of the table, or `see.restricted`, which is the rule.
    permission: Option<String>,
}

/// Who has a permission.
#[derive(Debug, Serialize, ToSchema)]
struct Who {
    /// Those with an account who have it by a role, of their own or of a group.
    items: Vec<Holder>,
    /// What it is made of.
    tree: Value,
}

/// Who may do something there by a role, and what that follows from.
#[utoipa::path(get, path = "/api/access/who", tag = "access", params(At), responses((status = 200, body = Who)))]
async fn who(State(service): Service, caller: Caller, Query(at): Query<At>) -> Result<Json<Who>> {
    let target = service.target(&caller, &at.object).await?;
    let permission = at.permission.as_deref().unwrap_or("see.restricted");
    let Some(tree) = service.tree(&target.place, permission).await? else {
        return Err(Error::invalid(
            "permission",
            "is not one of the table. GET /api/permissions lists them.",
        ));
    };
    let items = service.everybody_with(&target.place, permission).await?;
    Ok(Json(Who {
        items,
        tree: serde_json::to_value(tree)?,
    }))
}

/// Of whom to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Of {
    /// `account:ID`.
    subject: String,
    /// A permission of the table, or `see.restricted`, which is the rule.
    permission: Option<String>,
}

/// Collections.
#[derive(Debug, Serialize, ToSchema)]
struct What {
    /// `type:NAME`, of those at which anybody has a role.
    items: Vec<String>,
    /// They have it in the house, and so in every collection.
    everywhere: bool,
}

/// Where somebody may do something by a role.
#[utoipa::path(get, path = "/api/access/what", tag = "access", params(Of), responses((status = 200, body = What)))]
async fn what(State(service): Service, Query(of): Query<Of>) -> Result<Json<What>> {
    let permission = of.permission.as_deref().unwrap_or("see.restricted");
    let (items, everywhere) = service.places_with(&of.subject, permission).await?;
    Ok(Json(What { items, everywhere }))
}
