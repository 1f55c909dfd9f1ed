//! Pages: who has which role where, with the form that gives one; groups with their members. Everything works without scripts:
//! whom a name means is asked where it could mean several.

mod groups;
mod roles;

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::{get, post};

use super::GrantService;
use crate::contract::access::{GRANTS, MANAGE, Role};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{RouteSet, Routes};

pub(in crate::modules::access) use roles::giver;

type Service = State<Arc<GrantService>>;

const AT: &str = "/access";
const GROUPS_AT: &str = "/access/groups";

pub fn routes(service: Arc<GrantService>) -> Routes {
    RouteSet::new()
        .page(GRANTS, Method::GET, AT, get(roles::index_page))
        .page(GRANTS, Method::POST, "/access/give", post(roles::give))
        .page(GRANTS, Method::POST, "/access/take", post(roles::take))
        .page(GRANTS, Method::GET, GROUPS_AT, get(groups::groups_page))
        .page(MANAGE, Method::POST, GROUPS_AT, post(groups::create_group))
        .page(GRANTS, Method::GET, "/access/groups/{id}", get(groups::group_page))
        .page(MANAGE, Method::POST, "/access/groups/{id}", post(groups::change_group))
        .page(
            MANAGE,
            Method::POST,
            "/access/groups/{id}/delete",
            post(groups::delete_group),
        )
        .page(MANAGE, Method::POST, "/access/groups/{id}/add", post(groups::add))
        .page(MANAGE, Method::POST, "/access/groups/{id}/remove", post(groups::remove))
        .with_state(service)
}

/// Key of a role's name.
fn label_of(role: Role) -> String {
    format!("role.{}", role.as_str())
}

/// What stands beside a form that was refused. What cannot be mended in it is an error page.
fn issues_of(error: Error) -> Result<Vec<FieldIssue>> {
    match error.code() {
        Code::Invalid if !error.fields().is_empty() => Ok(error.fields().to_vec()),
        Code::Invalid | Code::Conflict => Ok(vec![FieldIssue {
            path: String::new(),
            message: error.detail().to_owned(),
        }]),
        _ => Err(error),
    }
}
