//! The page of one's own saved searches, and the address under which each opens.

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::ui::{Flash, Html, Page, filters, view};
use crate::modules::search::saved::{ChangedSaved, NewSaved, SEARCH_SAVE, Saved, Saves};

const AT: &str = "/search/saved";

pub(super) fn routes(saves: Saves) -> Routes {
    let post_to = |routes: RouteSet<Saves>, path, handler| routes.page(SEARCH_SAVE, Method::POST, path, handler);
    let routes = RouteSet::new().page(SEARCH_SAVE, Method::GET, AT, get(own_page)).page(
        OPEN,
        Method::GET,
        "/search/saved/{id}",
        get(open),
    );
    let routes = post_to(routes, AT, post(keep));
    let routes = post_to(routes, "/search/saved/{id}", post(change));
    let routes = post_to(routes, "/search/saved/{id}/delete", post(delete));
    post_to(routes, "/search/saved/{id}/restore", post(restore)).with_state(saves)
}

#[derive(Template)]
#[template(path = "modules/search/templates/saved.html")]
struct SavedPage {
    page: Page,
    rows: Vec<Row>,
    /// What is wrong with a form, in words.
    wrong: Option<String>,
}
view!(SavedPage);

struct Row {
    saved: Saved,
    /// The search page, newest first.
    newest: String,
    /// The whole address for others.
    link: String,
}

async fn shown(saves: &Saves, page: Page, wrong: Option<String>) -> Result<SavedPage> {
    let rows = saves.own(&page.caller).await?.into_iter().map(|saved| Row {
        newest: newest(&saved.query),
        link: page.absolute(&format!("{AT}/{}", saved.id)),
        saved,
    });
    Ok(SavedPage {
        rows: rows.collect(),
        wrong,
        page,
    })
}

/// The search page with the newest first.
fn newest(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    pairs.retain(|(name, _)| name != "sort");
    pairs.push(("sort".to_owned(), "-created".to_owned()));
    format!("/search?{}", serde_html_form::to_string(pairs).unwrap_or_default())
}

async fn own_page(State(saves): State<Saves>, page: Page) -> Result<Html<SavedPage>> {
    Ok(Html(shown(&saves, page, None).await?))
}

/// `/search/saved/{id}`: leads to the search that it stands for.
async fn open(State(saves): State<Saves>, page: Page, Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&saves.open(&page.caller, &id).await?.href()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    watched: String,
}

fn back(said: Flash) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, AT)], said, ()).into_response()
}

async fn keep(State(saves): State<Saves>, page: Page, Form(form): Form<KeepForm>) -> Result<Response> {
    let new = NewSaved {
        name: form.name,
        query: form.query,
        shared: false,
        watched: form.watched == "true",
    };
    let kept = saves.keep(&page.caller, &new).await;
    match kept {
        Ok(saved) => Ok(back(Flash::new("toast.search-saved").about(&saved.name))),
        Err(error) => refused(&saves, page, error).await,
    }
}

/// A form that was refused: the page once more, with why.
async fn refused(saves: &Saves, page: Page, error: crate::kernel::error::Error) -> Result<Response> {
    if error.code() != Code::Invalid {
        return Err(error);
    }
    let wrong = error.fields().first().map(|field| field.message.clone());
    let wrong = wrong.unwrap_or_else(|| error.detail().to_owned());
    let shown = shown(saves, page, Some(wrong)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
}

/// Each form changes what it names: `yes` or `no`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeForm {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    shared: Option<String>,
    #[serde(default)]
    watched: Option<String>,
    #[serde(default)]
    seen: Option<String>,
}

async fn change(
    State(saves): State<Saves>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Result<Response> {
    let yes = |text: String| text == "yes";
    let change = ChangedSaved {
        name: form.name,
        shared: form.shared.map(yes),
        watched: form.watched.map(yes),
        seen: form.seen.is_some_and(yes),
    };
    match saves.change(&page.caller, &id, &change).await {
        Ok(saved) => Ok(back(Flash::new("toast.saved").about(&saved.name))),
        Err(error) => refused(&saves, page, error).await,
    }
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn delete(
    State(saves): State<Saves>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let gone = saves.delete(&page.caller, &id).await?;
    let said = Flash::new("toast.deleted").about(&gone.name);
    Ok(back(said.undo(format!("{AT}/{}/restore", gone.id))))
}

async fn restore(
    State(saves): State<Saves>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let saved = saves.restore(&page.caller, &id).await?;
    Ok(back(Flash::new("toast.restored").about(&saved.name)))
}
