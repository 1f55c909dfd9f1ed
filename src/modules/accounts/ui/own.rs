//! One's own account: profile, address, password, open sessions, personal tokens, a copy of one's data.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::account::Account;
use super::super::service::{Linked, NewAddress, Offer, ProfileForm, Service};
use super::super::store::sessions::Session;
use super::browser::browser;
use super::programs::{TokenRow, token_row};
use super::sign_in::{language, remember};
use super::{Nothing, Places, Wrong, again, on_to};
use crate::contract::accounts::{AccountInfo, NewToken};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes, SessionSecret, Shared, Visitor};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Flash, Html, Page, filters, initials, view};

const ACCOUNT: &str = "/account";
/// What is offered for a personal token: the key of its text, and the scope.
const SCOPES: [(&str, &str); 3] = [
    ("own-read", "records.read records.restricted"),
    ("write", "records.* types.read jobs.read"),
    ("own-all", "*"),
];
const DAYS: [u32; 3] = [30, 90, 365];

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, ACCOUNT, get(show))
        .page(OPEN, Method::POST, "/account/profile", post(profile))
        .page(OPEN, Method::POST, "/account/mail", post(mail))
        .page(OPEN, Method::POST, "/account/password", post(password))
        .page(OPEN, Method::POST, "/account/sessions/end-others", post(end_others))
        .page(OPEN, Method::POST, "/account/sessions/{id}/end", post(end_session))
        .page(OPEN, Method::POST, "/account/tokens", post(make_token))
        .page(OPEN, Method::POST, "/account/tokens/{id}/revoke", post(revoke))
        .page(OPEN, Method::GET, "/account/export", get(export))
        .with_state(service)
}

/// A session as its owner sees it.
struct SessionRow {
    id: String,
    agent: String,
    address: String,
    created_at: i64,
    used_at: i64,
    is_this: bool,
}

/// A language that the profile offers.
struct Choice {
    tag: String,
    name: String,
    chosen: bool,
}

/// Every language of the house. One that it does not speak and that the account names stays, too.
fn languages(chosen: Option<&str>) -> Vec<Choice> {
    let known = chosen.and_then(Language::find).map(Language::tag);
    let spoken = Language::all().map(|language| Choice {
        tag: language.tag().to_owned(),
        name: language.text("language.name"),
        chosen: known == Some(language.tag()),
    });
    let foreign = chosen.filter(|_| known.is_none()).map(|tag| Choice {
        tag: tag.to_owned(),
        name: tag.to_owned(),
        chosen: true,
    });
    spoken.chain(foreign).collect()
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/account.html")]
struct AccountPage {
    page: Page,
    initials: String,
    me: Account,
    info: AccountInfo,
    places: Places,
    sessions: Vec<SessionRow>,
    tokens: Vec<TokenRow>,
    zones: Vec<String>,
    languages: Vec<Choice>,
    scopes: [(&'static str, &'static str); 3],
    days: [u32; 3],
    has_step: bool,
    /// How many passkeys there are; none where none can be.
    passkeys: Option<usize>,
    can_mail: bool,
    linked: Vec<Linked>,
    /// Providers that can be linked.
    offers: Vec<Offer>,
    made: Option<(String, String)>,
    wrong: Wrong,
}
view!(AccountPage);

fn session_row(session: Session, this: Option<&str>) -> SessionRow {
    SessionRow {
        is_this: this == Some(&session.id),
        agent: browser(&session.agent),
        id: session.id,
        address: session.address,
        created_at: session.created_at,
        used_at: session.used_at,
    }
}

async fn shown(service: &Service, secret: Option<&str>, page: Page) -> Result<AccountPage> {
    let me = service.me(&page.caller).await?;
    let this = match secret {
        Some(secret) => service.session_of(secret).await?.map(|session| session.id),
        None => None,
    };
    let sessions = service.own_sessions(&page.caller).await?;
    let now = service.now();
    let mut tokens = service.own_tokens(&page.caller).await?;
    tokens.retain(|token| token.is_live(now));
    let mut zones: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    zones.sort_unstable();
    Ok(AccountPage {
        info: service.my_account(&page.caller).await?,
        places: Places::of(service, &page).await?,
        has_step: service.factor(&me.id).await?.is_some(),
        passkeys: if service.knows_passkeys() {
            Some(service.passkeys_of(&me).await?.len())
        } else {
            None
        },
        can_mail: service.can_mail(),
        initials: initials(&me.name),
        linked: service.linked(&page.caller).await?,
        offers: service.linkable(&page.caller).await?,
        languages: languages(me.language.as_deref()),
        me,
        sessions: sessions
            .into_iter()
            .map(|session| session_row(session, this.as_deref()))
            .collect(),
        tokens: tokens.into_iter().map(token_row).collect::<Result<_>>()?,
        zones,
        scopes: SCOPES,
        days: DAYS,
        made: None,
        wrong: Wrong::default(),
        page,
    })
}

/// The page with what was wrong.
pub(super) async fn refused(service: &Service, secret: Option<&str>, page: Page, error: Error) -> Result<Response> {
    let shown = shown(service, secret, page).await?;
    again(error, |wrong| AccountPage { wrong, ..shown })
}

async fn show(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
) -> Result<Html<AccountPage>> {
    Ok(Html(shown(&service, secret.as_deref(), page).await?))
}

async fn profile(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(form): Form<ProfileForm>,
) -> Result<Response> {
    match service.set_profile(&page.caller, &form).await {
        Ok(me) => {
            let mut response = on_to(ACCOUNT, Flash::new("toast.profile-saved"))?;
            remember(&context, &me, &mut response)?;
            language(&context, me.language.as_deref().unwrap_or_default(), &mut response);
            Ok(response)
        }
        Err(error) => refused(&service, secret.as_deref(), page, error).await,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailForm {
    /// For password managers, which want to know whose password it is; not read.
    #[serde(default, rename = "login")]
    _login: String,
    #[serde(default)]
    mail: String,
    #[serde(default)]
    password: String,
}

async fn mail(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(form): Form<MailForm>,
) -> Result<Response> {
    match service
        .set_mail(&page.caller, &form.mail, &form.password, &visitor)
        .await
    {
        Ok(NewAddress::Saved) => on_to(ACCOUNT, Flash::new("toast.mail-saved")),
        Ok(NewAddress::Asked) => on_to(ACCOUNT, Flash::new("toast.mail-asked")),
        Err(error) => refused(&service, secret.as_deref(), page, error).await,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    /// For password managers, which want to know whose password it is; not read.
    #[serde(default, rename = "login")]
    _login: String,
    #[serde(default)]
    current_password: String,
    #[serde(default)]
    new_password: String,
}

async fn password(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    let this = secret.as_deref().unwrap_or_default();
    let done = service.set_password(&page.caller, this, &form.current_password, &form.new_password, &visitor);
    match done.await {
        Ok(()) => on_to(ACCOUNT, Flash::new("toast.password-saved")),
        Err(error) => refused(&service, secret.as_deref(), page, error).await,
    }
}

async fn end_others(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service
        .end_other_sessions(&page.caller, &secret.unwrap_or_default())
        .await?;
    on_to(ACCOUNT, Flash::new("toast.others-ended"))
}

async fn end_session(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.end_own_session(&page.caller, &id).await?;
    on_to(ACCOUNT, Flash::new("toast.session-ended"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenForm {
    #[serde(default)]
    token_name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    days: String,
}

impl TokenForm {
    /// What is asked for; `days` where the form does not say for how long.
    pub(super) fn wanted(&self, days: u32) -> NewToken {
        NewToken {
            name: self.token_name.clone(),
            scope: self
                .scope
                .split(' ')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            days: Some(self.days.parse().unwrap_or(days)),
        }
    }
}

async fn make_token(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(form): Form<TokenForm>,
) -> Result<Response> {
    match service.create_own_token(&page.caller, &form.wanted(90)).await {
        Ok(made) => {
            let mut shown = shown(&service, secret.as_deref(), page).await?;
            shown.made = Some((made.token.name, made.secret));
            Ok((StatusCode::CREATED, Html(shown)).into_response())
        }
        Err(error) => refused(&service, secret.as_deref(), page, error).await,
    }
}

async fn revoke(
    State(service): State<Arc<Service>>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.revoke_own_token(&page.caller, &id).await?;
    on_to(ACCOUNT, Flash::new("toast.token-ended"))
}

async fn export(State(service): State<Arc<Service>>, page: Page) -> Result<Response> {
    let text = serde_json::to_string_pretty(&service.export(&page.caller).await?)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
    ];
    Ok((headers, text).into_response())
}
