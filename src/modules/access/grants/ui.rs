//! Pages: who has which role where, with the form that gives one; groups with their members. Everything works without scripts:
//! whom a name means is asked where it could mean several.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::groups::{Group, GroupText, subject as group_subject};
use super::lists::in_order;
use super::{Grant, GrantService, Holder};
use crate::contract::access::{GRANTS, HOUSE, MANAGE, Role};
use crate::kernel::access::{Caller, Object};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, view};

type Service = State<Arc<GrantService>>;

const AT: &str = "/access";
const GROUPS_AT: &str = "/access/groups";
/// People offered where a name could mean several.
const OFFERED: usize = 8;

pub fn routes(service: Arc<GrantService>) -> Routes {
    RouteSet::new()
        .page(GRANTS, Method::GET, AT, get(index_page))
        .page(GRANTS, Method::POST, "/access/give", post(give))
        .page(GRANTS, Method::POST, "/access/take", post(take))
        .page(GRANTS, Method::GET, GROUPS_AT, get(groups_page))
        .page(MANAGE, Method::POST, GROUPS_AT, post(create_group))
        .page(GRANTS, Method::GET, "/access/groups/{id}", get(group_page))
        .page(MANAGE, Method::POST, "/access/groups/{id}", post(change_group))
        .page(MANAGE, Method::POST, "/access/groups/{id}/delete", post(delete_group))
        .page(MANAGE, Method::POST, "/access/groups/{id}/add", post(add))
        .page(MANAGE, Method::POST, "/access/groups/{id}/remove", post(remove))
        .with_state(service)
}

/// A place with those who have a role there.
struct PlaceBox {
    place: String,
    label: String,
    /// The address of the collection's page.
    href: Option<String>,
    holders: Vec<HolderRow>,
}

struct HolderRow {
    holder: Holder,
    role: Role,
    label: String,
    given_by: String,
    given_at: String,
}

/// Key of a role's name.
fn label_of(role: Role) -> String {
    format!("role.{}", role.as_str())
}

struct RoleChoice {
    value: &'static str,
    /// Keys of its name and of what it may.
    label: String,
    what: String,
    selected: bool,
}

struct PlaceChoice {
    value: String,
    label: String,
    selected: bool,
}

#[derive(Template)]
#[template(path = "modules/access/templates/access.html")]
struct AccessPage {
    page: Page,
    places: Vec<PlaceBox>,
    /// One place is looked at.
    only: Option<String>,
    roles: Vec<RoleChoice>,
    choices: Vec<PlaceChoice>,
    groups: Vec<Group>,
    /// What stood in the form, whom it could mean, and what is wrong with it.
    who: String,
    candidates: Vec<Holder>,
    issues: Vec<FieldIssue>,
    may_manage: bool,
}
view!(AccessPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    place: Option<String>,
}

/// What the form of a role sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A name, or part of one.
    #[serde(default)]
    who: String,
    /// Who it is exactly, once that is known.
    #[serde(default)]
    subject: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    place: String,
    /// Where to go back to.
    #[serde(default)]
    only: String,
}

impl GrantService {
    /// The places where the caller gives roles, the house first.
    async fn own_places(&self, caller: &Caller) -> Result<Vec<(String, String, Option<String>)>> {
        let mut places = Vec::new();
        if self.may_at(caller, HOUSE).await? {
            places.push((HOUSE.to_owned(), String::new(), None));
        }
        for collection in self.access.collections().await? {
            let place = format!("type:{}", collection.name);
            if self.may_at(caller, &place).await? {
                let href = format!("/types/{}", collection.name);
                places.push((place, collection.label, Some(href)));
            }
        }
        places.sort_by(|a, b| in_order(&a.0, &b.0));
        Ok(places)
    }

    /// Whom a name could mean: groups and people, one alone where it is called exactly so.
    pub async fn meant(&self, text: &str) -> Result<Vec<Holder>> {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut subjects: Vec<String> = Vec::new();
        let mut exact: Vec<String> = Vec::new();
        for group in crate::modules::access::relations::store::groups(&self.db).await? {
            let name = group.name.to_lowercase();
            let list = if name == wanted { &mut exact } else { &mut subjects };
            if name.contains(&wanted) {
                list.push(group_subject(&group.id));
            }
        }
        for person in self.access.find_people(text.trim(), OFFERED).await? {
            let is_exact = person.login.to_lowercase() == wanted || person.name.to_lowercase() == wanted;
            let list = if is_exact { &mut exact } else { &mut subjects };
            list.push(format!("account:{}", person.id));
        }
        let found = if exact.len() == 1 {
            exact
        } else {
            exact.into_iter().chain(subjects).collect()
        };
        let names = self.names(found.iter().map(String::as_str)).await?;
        Ok(found
            .iter()
            .take(OFFERED)
            .map(|subject| names.holder(subject))
            .collect())
    }

    async fn shown(&self, page: Page, only: Option<String>, wanted: &Wanted) -> Result<AccessPage> {
        let mut grants = self.all(&page.caller, None, None).await?;
        grants.sort_by(|a, b| b.role.cmp(&a.role).then_with(|| a.holder.name.cmp(&b.holder.name)));
        let all = self.own_places(&page.caller).await?;
        let may_manage = self.access.check(&page.caller, MANAGE, &Object::House).await?;
        let language = page.language;
        let label = |place: &str, label: &str| match place {
            HOUSE => language.text("grants.house").to_owned(),
            _ => label.to_owned(),
        };
        let picked = if wanted.place.is_empty() {
            only.clone().unwrap_or_default()
        } else {
            wanted.place.clone()
        };
        let is_house = picked == HOUSE || (picked.is_empty() && all.first().is_some_and(|first| first.0 == HOUSE));
        let role = if wanted.role.is_empty() {
            Role::Viewer.as_str()
        } else {
            &wanted.role
        };
        let roles = Role::ALL
            .into_iter()
            .filter(|role| !role.is_of_house() || (may_manage && (is_house || only.is_none())));
        let choices = all.iter().map(|(place, name, _)| PlaceChoice {
            label: label(place, name),
            selected: *place == picked,
            value: place.clone(),
        });
        let boxes = all
            .iter()
            .filter(|(place, _, _)| only.as_ref().is_none_or(|only| only == place));
        let boxes = boxes.map(|(place, name, href)| PlaceBox {
            label: label(place, name),
            href: href.clone(),
            holders: grants.iter().filter(|grant| grant.place == *place).map(row).collect(),
            place: place.clone(),
        });
        Ok(AccessPage {
            places: boxes.collect(),
            roles: roles
                .map(|other| RoleChoice {
                    selected: other.as_str() == role,
                    label: label_of(other),
                    what: format!("role-what.{}", other.as_str()),
                    value: other.as_str(),
                })
                .collect(),
            choices: choices.collect(),
            groups: self.groups(&page.caller).await?,
            who: wanted.who.clone(),
            candidates: Vec::new(),
            issues: Vec::new(),
            may_manage,
            only,
            page,
        })
    }
}

fn row(grant: &Grant) -> HolderRow {
    HolderRow {
        holder: grant.holder.clone(),
        role: grant.role,
        label: label_of(grant.role),
        given_by: grant.given_by.clone(),
        given_at: grant.given_at.get(..10).unwrap_or_default().to_owned(),
    }
}

async fn index_page(State(service): Service, page: Page, Query(which): Query<Which>) -> Result<Response> {
    let only = which.place.filter(|place| !place.is_empty());
    if let Some(place) = &only
        && !service
            .own_places(&page.caller)
            .await?
            .iter()
            .any(|(own, _, _)| own == place)
    {
        return Err(Error::not_found("place", &super::shown(place)));
    }
    Ok(Html(service.shown(page, only, &Wanted::default()).await?).into_response())
}

/// Back to where a form stood.
fn back(only: &str, said: Flash) -> Response {
    let to = if only.is_empty() {
        AT.to_owned()
    } else {
        let query = serde_html_form::to_string([("place", only)]).unwrap_or_default();
        format!("{AT}?{query}")
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)], said, ()).into_response()
}

/// The form again, with what is wrong. What cannot be mended in it is an error page.
async fn again(service: &GrantService, page: Page, wanted: &Wanted, error: Error) -> Result<Response> {
    if !matches!(error.code(), Code::Invalid | Code::Conflict) {
        return Err(error);
    }
    let issues = match error.fields() {
        [] => vec![FieldIssue {
            path: String::new(),
            message: error.detail().to_owned(),
        }],
        fields => fields.to_vec(),
    };
    let only = Some(wanted.only.clone()).filter(|only| !only.is_empty());
    let mut shown = service.shown(page, only, wanted).await?;
    shown.issues = issues;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
}

fn role_of(text: &str) -> Result<Role> {
    Role::parse(text).ok_or_else(|| Error::invalid("role", format!("is no role: \"{}\".", super::shown(text))))
}

async fn give(State(service): Service, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
    let mut subject = wanted.subject.clone();
    let mut name = wanted.who.clone();
    if subject.is_empty() {
        let meant = service.meant(&wanted.who).await?;
        match meant.as_slice() {
            [one] => {
                subject.clone_from(&one.subject);
                name = one.name.clone().unwrap_or(name);
            }
            [] => {
                let text = page.language.text("grants.nobody").to_owned();
                return again(&service, page, &wanted, Error::invalid("", text)).await;
            }
            _ => {
                let only = Some(wanted.only.clone()).filter(|only| !only.is_empty());
                let mut shown = service.shown(page, only, &wanted).await?;
                shown.candidates = meant;
                return Ok(Html(shown).into_response());
            }
        }
    }
    let done = match role_of(&wanted.role) {
        Ok(role) => service.change(&page.caller, &subject, role, &wanted.place, true).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(back(&wanted.only, Flash::new("toast.role-given").about(&name))),
        Err(error) => again(&service, page, &wanted, error).await,
    }
}

async fn take(State(service): Service, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
    let role = role_of(&wanted.role)?;
    match service
        .change(&page.caller, &wanted.subject, role, &wanted.place, false)
        .await
    {
        Ok(()) => Ok(back(&wanted.only, Flash::new("toast.role-taken").about(&wanted.who))),
        Err(error) => again(&service, page, &wanted, error).await,
    }
}

#[derive(Template)]
#[template(path = "modules/access/templates/groups.html")]
struct GroupsPage {
    page: Page,
    trail: Vec<Crumb>,
    groups: Vec<Group>,
    name: String,
    description: String,
    issues: Vec<FieldIssue>,
    may_manage: bool,
}
view!(GroupsPage);

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

async fn groups_page(State(service): Service, page: Page) -> Result<Html<GroupsPage>> {
    Ok(Html(groups_shown(&service, page).await?))
}

async fn create_group(State(service): Service, page: Page, Form(text): Form<GroupText>) -> Result<Response> {
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
struct GroupPage {
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
    let places = service.own_places(&page.caller).await?;
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

async fn group_page(State(service): Service, page: Page, Path(id): Path<String>) -> Result<Html<GroupPage>> {
    Ok(Html(group_shown(&service, page, &id).await?))
}

async fn change_group(
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
struct Nothing {}

async fn delete_group(
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
struct Who {
    #[serde(default)]
    who: String,
    #[serde(default)]
    subject: String,
}

async fn add(State(service): Service, page: Page, Path(id): Path<String>, Form(wanted): Form<Who>) -> Result<Response> {
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

async fn remove(
    State(service): Service,
    page: Page,
    Path(id): Path<String>,
    Form(wanted): Form<Who>,
) -> Result<Response> {
    service.change_member(&page.caller, &id, &wanted.subject, false).await?;
    Ok(to_group(&id, Flash::new("toast.member-out").about(&wanted.who)))
}
