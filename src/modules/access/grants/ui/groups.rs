//! Groups and their members.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{AT, GROUPS_AT, Service, issues_of, label_of};
use crate::contract::access::MANAGE;
use crate::kernel::access::Object;
use crate::kernel::error::{FieldIssue, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, view};
use crate::modules::access::grants::groups::{Group, GroupText};
use crate::modules::access::grants::{GrantService, Holder};

#[derive(Template)]
#[template(path = "modules/access/templates/groups.html")]
pub struct GroupsPage {
    page: Page,
    trail: Vec<Crumb>,
    groups: Vec<Group>,
    name: String,
    description: String,
    issues: Vec<FieldIssue>,
    may_manage: bool,
}
view!(GroupsPage);

async fn groups_shown(service: &GrantService, page: Page) -> Result<GroupsPage> {
    Ok(GroupsPage {
        trail: vec![
            Crumb::to(page.language.text("grants.title"), AT),
            Crumb::here(page.language.text("groups.title")),
        ],
        groups: service.groups(&page.caller).await?,
        name: String::new(),
        description: String::new(),
        issues: Vec::new(),
        may_manage: service.access.check(&page.caller, MANAGE, &Object::House).await?,
        page,
    })
}

pub async fn groups_page(State(service): Service, page: Page) -> Result<Html<GroupsPage>> {
    Ok(Html(groups_shown(&service, page).await?))
}

pub async fn create_group(State(service): Service, page: Page, Form(text): Form<GroupText>) -> Result<Response> {
    match service.create_group(&page.caller, &text).await {
        Ok(id) => Ok(to_group(&id, Flash::new("toast.group-made").about(&text.name))),
        Err(error) => {
            let mut shown = groups_shown(&service, page).await?;
            shown.issues = issues_of(error)?;
            (shown.name, shown.description) = (text.name, text.description);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
    }
}

fn to_group(id: &str, said: Flash) -> Response {
    let to = format!("{GROUPS_AT}/{id}");
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)], said, ()).into_response()
}

#[derive(Template)]
#[template(path = "modules/access/templates/group.html")]
pub struct GroupPage {
    page: Page,
    trail: Vec<Crumb>,
    group: Group,
    /// What the group has: label of the place, key of the role.
    grants: Vec<(String, String)>,
    who: String,
    candidates: Vec<Holder>,
    issues: Vec<FieldIssue>,
    may_manage: bool,
}
view!(GroupPage);

async fn group_shown(service: &GrantService, page: Page, id: &str) -> Result<GroupPage> {
    let group = service.group(&page.caller, id).await?;
    let places = service.own_places(&page.caller, page.language).await?;
    let grants = service.all(&page.caller, None, Some(&group.subject)).await?;
    let language = page.language;
    let label = |place: &str| match places.iter().find(|(own, _, _)| own == place) {
        Some((_, label, Some(_))) => label.clone(),
        _ => language.text("grants.house").to_owned(),
    };
    Ok(GroupPage {
        trail: vec![
            Crumb::to(language.text("grants.title"), AT),
            Crumb::to(language.text("groups.title"), GROUPS_AT),
            Crumb::here(group.name.clone()),
        ],
        grants: grants
            .iter()
            .map(|grant| (label(&grant.place), label_of(grant.role)))
            .collect(),
        who: String::new(),
        candidates: Vec::new(),
        issues: Vec::new(),
        may_manage: service.access.check(&page.caller, MANAGE, &Object::House).await?,
        group,
        page,
    })
}

pub async fn group_page(State(service): Service, page: Page, Path(id): Path<String>) -> Result<Html<GroupPage>> {
    Ok(Html(group_shown(&service, page, &id).await?))
}

pub async fn change_group(
    State(service): Service,
    page: Page,
    Path(id): Path<String>,
    Form(text): Form<GroupText>,
) -> Result<Response> {
    match service.rename_group(&page.caller, &id, &text).await {
        Ok(()) => Ok(to_group(&id, Flash::new("toast.saved").about(&text.name))),
        Err(error) => {
            let issues = issues_of(error)?;
            let mut shown = group_shown(&service, page, &id).await?;
            shown.issues = issues;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
    }
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

pub async fn delete_group(
    State(service): Service,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let name = service.group(&page.caller, &id).await?.name;
    service.delete_group(&page.caller, &id).await?;
    let said = Flash::new("toast.group-gone").about(&name);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, GROUPS_AT)], said, ()).into_response())
}

/// Whom to put in or take out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    #[serde(default)]
    who: String,
    #[serde(default)]
    subject: String,
}

pub async fn add(
    State(service): Service,
    page: Page,
    Path(id): Path<String>,
    Form(wanted): Form<Who>,
) -> Result<Response> {
    let meant = if wanted.subject.is_empty() {
        service.meant(&wanted.who).await?
    } else {
        service
            .names([wanted.subject.as_str()])
            .await
            .map(|names| vec![names.holder(&wanted.subject)])?
    };
    let problem = match meant.as_slice() {
        [one] => match service.change_member(&page.caller, &id, &one.subject, true).await {
            Ok(()) => {
                let name = one.name.clone().unwrap_or_default();
                return Ok(to_group(&id, Flash::new("toast.member-in").about(&name)));
            }
            Err(error) => issues_of(error)?,
        },
        [] => vec![FieldIssue {
            path: String::new(),
            message: page.language.text("grants.nobody").to_owned(),
        }],
        _ => Vec::new(),
    };
    let mut shown = group_shown(&service, page, &id).await?;
    shown.who = wanted.who;
    if problem.is_empty() {
        shown.candidates = meant;
        return Ok(Html(shown).into_response());
    }
    shown.issues = problem;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
}

pub async fn remove(
    State(service): Service,
    page: Page,
    Path(id): Path<String>,
    Form(wanted): Form<Who>,
) -> Result<Response> {
    service.change_member(&page.caller, &id, &wanted.subject, false).await?;
    Ok(to_group(&id, Flash::new("toast.member-out").about(&wanted.who)))
}
