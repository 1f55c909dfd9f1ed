//! The way in and out: name and password, then the second step; and signing out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::account::Account;
use super::super::service::{Offer, Opened, Service, SignedIn, own_path};
use super::factors::{CodesPage, Picture, picture};
use super::institutions::signing_out;
use super::{Nothing, Wrong, again, in_to};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::fetch::encoded;
use crate::kernel::http::{
    Context, Form, Query, RouteSet, Routes, SessionSecret, Shared, Visitor, language_cookie, session_cookie,
    session_cookie_end,
};
use crate::kernel::ui::{Flash, Html, Page, filters, view};

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/sign-in", get(show))
        .page(OPEN, Method::POST, "/sign-in", post(sign_in))
        .page(OPEN, Method::GET, "/sign-in/code", get(ask_code))
        .page(OPEN, Method::POST, "/sign-in/code", post(take_code))
        .page(OPEN, Method::POST, "/sign-out", post(sign_out))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/sign-in.html")]
pub(super) struct SignInPage {
    page: Page,
    /// Providers through which one can sign in.
    offers: Vec<Offer>,
    wrong: Wrong,
    name: String,
    to: String,
    /// A link for a new password can be mailed.
    can_mail: bool,
    /// A passkey can be shown.
    passkeys: bool,
    /// Strangers may make an account of their own.
    sign_up: bool,
}
view!(SignInPage);

impl SignInPage {
    pub(super) fn new(service: &Service, page: Page, wrong: Wrong, name: String, to: String) -> Self {
        Self {
            page,
            wrong,
            name,
            to,
            offers: service.offers(),
            can_mail: service.can_mail(),
            passkeys: service.knows_passkeys(),
            sign_up: service.may_sign_up(),
        }
    }
}

#[derive(Template)]
#[template(path = "modules/accounts/templates/sign-in-code.html")]
pub(super) struct CodePage {
    page: Page,
    wrong: Wrong,
    to: String,
    /// Where the second step has to be set up first.
    new: Option<Picture>,
    /// A code or a recovery code can be shown; and a passkey.
    has_codes: bool,
    has_passkeys: bool,
}
view!(CodePage);

impl CodePage {
    /// The page with what was wrong.
    pub(super) fn with(self, wrong: Wrong) -> Self {
        Self { wrong, ..self }
    }
}

/// What the address may carry.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenCode {
    #[serde(default)]
    code: String,
    #[serde(default)]
    to: String,
}

async fn show(State(service): State<Arc<Service>>, page: Page, Query(asked): Query<Asked>) -> Result<Response> {
    let to = own_path(&asked.to).to_owned();
    if !page.caller.is_anonymous() {
        let location = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response());
    }
    let shown = SignInPage::new(&service, page, Wrong::default(), String::new(), to);
    Ok(Html(shown).into_response())
}

async fn sign_in(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(old): SessionSecret,
    page: Page,
    Form(given): Form<Given>,
) -> Result<Response> {
    let to = own_path(&given.to).to_owned();
    match service
        .sign_in(&given.name, &given.password, &visitor, old.as_deref())
        .await
    {
        Ok(SignedIn::Whole(opened)) => preferences(&service, &context, &opened, in_to(&context, &to, &opened)?).await,
        Ok(SignedIn::Half(opened)) => in_to(&context, &to_second_step(&to), &opened),
        Err(error) => again(error, |wrong| {
            let name = given.name.chars().take(200).collect();
            SignInPage::new(&service, page, wrong, name, to)
        }),
    }
}

/// Leaves what the account prefers where pages look for it: light or dark, the time zone, the language, and which picture it has.
pub(super) async fn preferences(
    service: &Service,
    context: &Context,
    opened: &Opened,
    mut response: Response,
) -> Result<Response> {
    if let Some(account) = service.account_of(&opened.secret).await? {
        remember(context, &account, &mut response)?;
        // What a browser was told stays where the account says nothing.
        if let Some(tag) = &account.language {
            language(context, tag, &mut response);
        }
    }
    Ok(response)
}

/// Leaves the language of the account, or with an empty one that none was chosen.
pub(super) fn language(context: &Context, tag: &str, response: &mut Response) {
    if let Some(cookie) = language_cookie(tag, context.secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// See [`preferences`].
pub(super) fn remember(context: &Context, account: &Account, response: &mut Response) -> Result<()> {
    let secure = if context.secure() { "; Secure" } else { "" };
    let kept = [
        ("theme", &account.theme),
        ("zone", &account.time_zone),
        ("face", &account.picture),
    ];
    for (name, value) in kept {
        let (value, life) = value.as_deref().map_or(("", 0), |value| (value, 31_536_000));
        let text = format!("{name}={value}; Path=/; Max-Age={life}; SameSite=Lax{secure}");
        let cookie = HeaderValue::from_str(&text).map_err(Error::internal)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(())
}

/// Where the second step is shown that leads on to a path.
pub(super) fn to_second_step(to: &str) -> String {
    if to == "/" {
        return "/sign-in/code".to_owned();
    }
    format!("/sign-in/code?to={}", encoded(to))
}

/// The page with why a sign-in through a provider did not succeed.
pub(super) fn refused_sign_in(service: &Service, page: Page, to: String, error: Error) -> Result<Response> {
    again(error, |wrong| SignInPage::new(service, page, wrong, String::new(), to))
}

/// Back to the first step, where the second has no session to go on with.
pub(super) fn anew() -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, "/sign-in")],
        Flash::new("toast.sign-in-anew"),
        (),
    )
        .into_response()
}

pub(super) async fn code_page(service: &Service, secret: &str, page: Page, to: &str, wrong: Wrong) -> Result<CodePage> {
    let pending = service.pending(secret).await?;
    let new = match pending.missing {
        Some(new) => Some(picture(&new)?),
        None => None,
    };
    Ok(CodePage {
        page,
        wrong,
        to: to.to_owned(),
        new,
        has_codes: pending.has_codes,
        has_passkeys: pending.has_passkeys,
    })
}

async fn ask_code(
    State(service): State<Arc<Service>>,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let Some(secret) = secret else { return Ok(anew()) };
    match code_page(&service, &secret, page, own_path(&asked.to), Wrong::default()).await {
        Ok(page) => Ok(Html(page).into_response()),
        Err(error) if error.code() == Code::Unauthenticated => Ok(anew()),
        Err(error) => Err(error),
    }
}

async fn take_code(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    visitor: Visitor,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(given): Form<GivenCode>,
) -> Result<Response> {
    let Some(secret) = secret else { return Ok(anew()) };
    let to = own_path(&given.to).to_owned();
    match service.second_step(&secret, &given.code, &visitor).await {
        Ok((opened, codes)) if codes.is_empty() => {
            preferences(&service, &context, &opened, in_to(&context, &to, &opened)?).await
        }
        Ok((opened, codes)) => {
            let cookie = session_cookie(&context, &opened.secret, opened.seconds)?;
            let shown = Html(CodesPage { page, codes, next: to });
            Ok(([(header::SET_COOKIE, cookie)], shown).into_response())
        }
        Err(error) if error.code() == Code::Unauthenticated => Ok(anew()),
        Err(error) => {
            let shown = code_page(&service, &secret, page, &to, Wrong::default()).await?;
            again(error, |wrong| shown.with(wrong))
        }
    }
}

async fn sign_out(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    SessionSecret(secret): SessionSecret,
    page: Page,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let mut leaving = None;
    if let Some(secret) = secret {
        leaving = service.leaving(&secret).await?;
        service.end_session(&secret).await?;
    }
    let cookie = session_cookie_end(&context)?;
    if let Some(leaving) = leaving {
        let mut response = signing_out(page, leaving.label, leaving.address);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    }
    let headers = [
        (header::LOCATION, HeaderValue::from_static("/")),
        (header::SET_COOKIE, cookie),
    ];
    let said = Flash::new("toast.signed-out");
    Ok((StatusCode::SEE_OTHER, headers, said, ()).into_response())
}
