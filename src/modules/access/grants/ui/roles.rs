//! Who has which role where, and the form that gives one.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{AT, Service, issues_of, label_of};
use crate::contract::access::{HOUSE, MANAGE, Role};
use crate::kernel::access::Object;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::http::{Form, Query};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Flash, Html, Page, filters, view};
use crate::modules::access::grants::groups::Group;
use crate::modules::access::grants::{Grant, GrantService, Holder, shown};

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
pub struct AccessPage {
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
pub struct Which {
    place: Option<String>,
}

/// What the form of a role sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
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
    async fn shown(&self, page: Page, only: Option<String>, wanted: &Wanted) -> Result<AccessPage> {
        let mut grants = self.all(&page.caller, None, None).await?;
        grants.sort_by(|a, b| b.role.cmp(&a.role).then_with(|| a.holder.name.cmp(&b.holder.name)));
        let all = self.own_places(&page.caller, page.language).await?;
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
            holders: grants
                .iter()
                .filter(|grant| grant.place == *place)
                .map(|grant| row(language, grant))
                .collect(),
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

fn row(language: Language, grant: &Grant) -> HolderRow {
    HolderRow {
        holder: grant.holder.clone(),
        role: grant.role,
        label: label_of(grant.role),
        given_by: giver(language, &grant.giver, &grant.given_by),
        given_at: grant.given_at.get(..10).unwrap_or_default().to_owned(),
    }
}

/// Who gave something: an account by its name, the house and its operator as other pages call them.
pub(in crate::modules::access) fn giver(language: Language, actor: &str, name: &str) -> String {
    if name == actor {
        crate::kernel::ui::actor(language, actor)
    } else {
        name.to_owned()
    }
}

pub async fn index_page(State(service): Service, page: Page, Query(which): Query<Which>) -> Result<Response> {
    let only = which.place.filter(|place| !place.is_empty());
    if let Some(place) = &only
        && !service
            .own_places(&page.caller, page.language)
            .await?
            .iter()
            .any(|(own, _, _)| own == place)
    {
        return Err(Error::not_found("place", &shown(place)));
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
    let issues = issues_of(error)?;
    let only = Some(wanted.only.clone()).filter(|only| !only.is_empty());
    let mut shown = service.shown(page, only, wanted).await?;
    shown.issues = issues;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
}

fn role_of(text: &str) -> Result<Role> {
    Role::parse(text).ok_or_else(|| Error::invalid("role", format!("is no role: \"{}\".", shown(text))))
}

pub async fn give(State(service): Service, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
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

pub async fn take(State(service): Service, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
    let role = role_of(&wanted.role)?;
    match service
        .change(&page.caller, &wanted.subject, role, &wanted.place, false)
        .await
    {
        Ok(()) => Ok(back(&wanted.only, Flash::new("toast.role-taken").about(&wanted.who))),
        Err(error) => again(&service, page, &wanted, error).await,
    }
}
