//! The pages of those who look after accounts: everybody with their roles, inviting, and one account with what can be done
//! about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::MANAGE;
use super::super::service::{Change, Service};
use super::programs::{self, TokenRow};
use super::{Nothing, Places, Wrong, again, on_to};
use crate::contract::access::Role;
use crate::contract::accounts::{AccountInfo, AccountLink, AccountState, CreatedAccount, HeldRole, NewAccount};
use crate::kernel::access::Subject;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, initials, view};

const PEOPLE: &str = "/people";
const PAGE: i64 = 50;

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(MANAGE, Method::GET, PEOPLE, get(list))
        .page(MANAGE, Method::POST, PEOPLE, post(invite))
        .page(MANAGE, Method::GET, "/people/{id}", get(one))
        .page(MANAGE, Method::POST, "/people/{id}/link", post(link))
        .page(MANAGE, Method::POST, "/people/{id}/link/mail", post(mail_link))
        .page(MANAGE, Method::POST, "/people/{id}/roles", post(give))
        .page(MANAGE, Method::POST, "/people/{id}/roles/end", post(take))
        .page(MANAGE, Method::POST, "/people/{id}/disable", post(disable))
        .page(MANAGE, Method::POST, "/people/{id}/enable", post(enable))
        .page(MANAGE, Method::POST, "/people/{id}/second-step/end", post(end_step))
        .page(MANAGE, Method::POST, "/people/{id}/delete", post(delete))
        .with_state(service)
}

/// An account in the list.
pub(super) struct Row {
    info: AccountInfo,
    initials: String,
    state: &'static str,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/people.html")]
struct PeoplePage {
    page: Page,
    rows: Vec<Row>,
    places: Places,
    text: String,
    next: Option<String>,
    roles: [Role; 6],
    wrong: Wrong,
    new: InviteForm,
    made: Option<CreatedAccount>,
    can_mail: bool,
    /// The form that was refused is the one of programs.
    is_program: bool,
}
view!(PeoplePage);

impl PeoplePage {
    fn program_name(&self) -> &str {
        if self.is_program { &self.new.name } else { "" }
    }
    fn program_login(&self) -> &str {
        if self.is_program { &self.new.login } else { "" }
    }
    fn program_wrong(&self, path: &str) -> &str {
        if self.is_program { self.wrong.of(path) } else { "" }
    }
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/person.html")]
pub(super) struct PersonPage {
    page: Page,
    crumbs: Vec<Crumb>,
    row: Row,
    places: Places,
    roles: [Role; 6],
    has_step: bool,
    is_me: bool,
    may_link: bool,
    /// The link can be mailed to the account's address.
    may_mail: bool,
    link: Option<AccountLink>,
    /// Tokens of a program, and one that was made just now: name and secret.
    tokens: Vec<TokenRow>,
    pub made: Option<(String, String)>,
    scopes: [(&'static str, &'static str); 3],
    days: [u32; 3],
    wrong: Wrong,
}
view!(PersonPage);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: Option<String>,
}

/// What the form of an invitation sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub login: String,
    #[serde(default)]
    pub mail: String,
    #[serde(default)]
    pub role: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    #[serde(default)]
    role: String,
    #[serde(default)]
    place: String,
}

fn row(info: AccountInfo) -> Row {
    let (state, tone) = match info.state {
        AccountState::Invited => ("people.state-invited", "warn"),
        AccountState::Active => ("people.state-active", "ok"),
        AccountState::Disabled => ("people.state-disabled", "bad"),
        AccountState::Deleted => ("people.state-deleted", ""),
    };
    Row {
        initials: initials(&info.name),
        info,
        state,
        tone,
    }
}

async fn people(service: &Service, page: Page, asked: Asked) -> Result<PeoplePage> {
    let (items, next) = service
        .list(&page.caller, Some(&asked.q), asked.after.as_deref(), PAGE)
        .await?;
    Ok(PeoplePage {
        rows: items.into_iter().map(row).collect(),
        places: Places::of(service, &page).await?,
        text: asked.q,
        next,
        roles: Role::ALL,
        wrong: Wrong::default(),
        new: InviteForm::default(),
        made: None,
        can_mail: service.can_mail(),
        is_program: false,
        page,
    })
}

async fn list(State(service): State<Arc<Service>>, page: Page, Query(asked): Query<Asked>) -> Result<Html<PeoplePage>> {
    Ok(Html(people(&service, page, asked).await?))
}

async fn invite(State(service): State<Arc<Service>>, page: Page, Form(form): Form<InviteForm>) -> Result<Response> {
    let held = HeldRole {
        role: form.role.clone(),
        place: "house".to_owned(),
    };
    let new = NewAccount {
        login: form.login.clone(),
        name: form.name.clone(),
        mail: Some(form.mail.clone()),
        roles: if form.role.is_empty() { Vec::new() } else { vec![held] },
        service: false,
    };
    match service.create(&page.caller, &new).await {
        Ok(made) => {
            let mut shown = people(&service, page, Asked::default()).await?;
            shown.made = Some(made);
            Ok((StatusCode::CREATED, Html(shown)).into_response())
        }
        Err(error) => again_with(&service, page, form, false, error).await,
    }
}

/// The list with the form that was refused, of a person or of a program.
pub(super) async fn again_with(
    service: &Service,
    page: Page,
    form: InviteForm,
    is_program: bool,
    error: Error,
) -> Result<Response> {
    let shown = people(service, page, Asked::default()).await?;
    again(error, |wrong| PeoplePage {
        wrong,
        new: form,
        is_program,
        ..shown
    })
}

pub(super) async fn person(service: &Service, page: Page, id: &str) -> Result<PersonPage> {
    let info = service.show(&page.caller, id).await?;
    let is_me = matches!(&page.caller.subject, Subject::Account { id, .. } if *id == info.id);
    let crumbs = vec![
        Crumb::to(page.language.text("people.title"), PEOPLE),
        Crumb::here(info.name.clone()),
    ];
    Ok(PersonPage {
        crumbs,
        has_step: service.factor(&info.id).await?.is_some(),
        may_link: info.kind == "person" && matches!(info.state, AccountState::Invited | AccountState::Active),
        may_mail: info.mail.is_some() && service.can_mail(),
        tokens: programs::tokens(service, &page.caller, &info).await?,
        made: None,
        scopes: programs::SCOPES,
        days: programs::DAYS,
        row: row(info),
        places: Places::of(service, &page).await?,
        roles: Role::ALL,
        is_me,
        link: None,
        wrong: Wrong::default(),
        page,
    })
}

async fn one(State(service): State<Arc<Service>>, page: Page, Path(id): Path<String>) -> Result<Html<PersonPage>> {
    Ok(Html(person(&service, page, &id).await?))
}

pub(super) async fn refused(service: &Service, page: Page, id: &str, error: Error) -> Result<Response> {
    let shown = person(service, page, id).await?;
    again(error, |wrong| PersonPage { wrong, ..shown })
}

async fn link(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    match service.link_for(&page.caller, &id).await {
        Ok(link) => {
            let mut shown = person(&service, page, &id).await?;
            shown.link = Some(link);
            Ok((StatusCode::CREATED, Html(shown)).into_response())
        }
        Err(error) => refused(&service, page, &id, error).await,
    }
}

async fn mail_link(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    match service.mail_link_for(&page.caller, &id).await {
        Ok(to) => on_to(&format!("/people/{id}"), Flash::new("toast.link-mailed").about(&to)),
        Err(error) => refused(&service, page, &id, error).await,
    }
}

async fn roles(service: &Service, page: Page, id: &str, form: RoleForm, given: bool) -> Result<Response> {
    let held = HeldRole {
        role: form.role,
        place: if form.place.is_empty() {
            "house".to_owned()
        } else {
            form.place
        },
    };
    match service.set_role(&page.caller, id, &held, given).await {
        Ok(_) => on_to(&format!("/people/{id}"), Flash::new("toast.roles-saved")),
        Err(error) => refused(service, page, id, error).await,
    }
}

async fn give(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    roles(&service, page, &id, form, true).await
}

async fn take(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    roles(&service, page, &id, form, false).await
}

async fn changed(service: &Service, page: Page, id: &str, change: Change, said: &str) -> Result<Response> {
    match service.change(&page.caller, id, change).await {
        Ok(()) if change == Change::Delete => on_to(PEOPLE, Flash::new(said)),
        Ok(()) => on_to(&format!("/people/{id}"), Flash::new(said)),
        Err(error) => refused(service, page, id, error).await,
    }
}

async fn disable(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    changed(&service, page, &id, Change::Disable, "toast.account-disabled").await
}

async fn enable(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    changed(&service, page, &id, Change::Enable, "toast.account-enabled").await
}

async fn delete(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    changed(&service, page, &id, Change::Delete, "toast.account-deleted").await
}

async fn end_step(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.reset_factor(&page.caller, &id).await?;
    on_to(&format!("/people/{id}"), Flash::new("toast.step-ended"))
}
