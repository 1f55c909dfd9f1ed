//! The pages of curators: what is asked for, and what is shown first.

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::contract::records::TYPES_WRITE;
use crate::kernel::access::Object;
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path, Query, RouteSet, Routes};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::search::asked::AskedFor;
use crate::modules::search::promoted::{Promoted, SEARCH_CURATE};
use crate::modules::search::service::Service;

const ASKED: &str = "/search/asked";
const PROMOTED: &str = "/search/promoted";
/// Rows of a list, and days it looks back on.
const ROWS: i64 = 100;
const DAYS: [i64; 3] = [7, 30, 90];
/// Collections offered for a synonym.
const TYPES: usize = 12;

pub(super) fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(SEARCH_CURATE, Method::GET, ASKED, get(asked_page))
        .page(
            SEARCH_CURATE,
            Method::POST,
            "/search/asked/synonyms",
            post(mean_the_same),
        )
        .page(SEARCH_CURATE, Method::GET, PROMOTED, get(promoted_page))
        .page(SEARCH_CURATE, Method::POST, PROMOTED, post(promote))
        .page(
            SEARCH_CURATE,
            Method::POST,
            "/search/promoted/{id}/delete",
            post(demote),
        )
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/search/templates/asked.html")]
struct AskedPage {
    page: Page,
    /// Label, address, current.
    tabs: Vec<(String, String, bool)>,
    spans: Vec<(String, String, bool)>,
    rows: Vec<Asked>,
    nothing: bool,
    on: bool,
    /// Name, label and address of the collections whose synonyms the caller keeps.
    types: Vec<(String, String, String)>,
    /// What is being said of words that mean the same: the words, the collection, and what is wrong with it.
    same: Same,
    wrong: Option<String>,
}
view!(AskedPage);

struct Asked {
    row: AskedFor,
    search: String,
    promote: String,
    /// Where a word that means the same is added.
    same: String,
}

/// Words that mean the same in a collection.
#[derive(Debug, Default, Deserialize)]
struct Same {
    #[serde(default)]
    words: String,
    #[serde(default, rename = "type")]
    type_name: String,
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    by: String,
    #[serde(default)]
    days: String,
    /// A word to which others are to be added.
    #[serde(default)]
    word: String,
}

fn href(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", serde_html_form::to_string(pairs).unwrap_or_default())
}

async fn asked_page(
    State(service): State<Service>,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<AskedPage>> {
    let begun = match wanted.word.trim() {
        "" => String::new(),
        word => format!("{word}, "),
    };
    let same = Same {
        words: begun,
        ..Same::default()
    };
    Ok(Html(asked(&service, page, &wanted, (same, None)).await?))
}

async fn asked(
    service: &Service,
    page: Page,
    wanted: &Wanted,
    (same, wrong): (Same, Option<String>),
) -> Result<AskedPage> {
    service
        .access
        .require(&page.caller, SEARCH_CURATE, &Object::House)
        .await?;
    let nothing = wanted.by != "most";
    let days = wanted
        .days
        .parse()
        .ok()
        .filter(|days| DAYS.contains(days))
        .unwrap_or(30);
    let rows = service.asked.report(days, nothing, ROWS).await?;
    let rows = rows.into_iter().map(|row| Asked {
        search: href("/search", &[("q", &row.words)]),
        promote: href(PROMOTED, &[("words", &row.words)]),
        same: href(
            ASKED,
            &[("by", &wanted.by), ("days", &wanted.days), ("word", &row.words)],
        ) + "#same",
        row,
    });
    let language = page.language;
    let by = |nothing: bool| if nothing { "nothing" } else { "most" };
    let tab = |key: &str, of: bool| {
        let to = href(ASKED, &[("by", by(of)), ("days", &days.to_string())]);
        (language.text(key), to, of == nothing)
    };
    let span = |some: i64| {
        let to = href(ASKED, &[("by", by(nothing)), ("days", &some.to_string())]);
        let label = language.count("asked.days", some.unsigned_abs(), &[]);
        (label, to, some == days)
    };
    let mut types = Vec::new();
    for (stored, _) in service.types(&page.caller, None).await? {
        let definition = &stored.definition;
        let may = page
            .may_of(&service.access, TYPES_WRITE, &Object::Type(&definition.name))
            .await;
        if may && types.len() < TYPES {
            let name = serde_html_form::to_string([("", &definition.name)]).unwrap_or_default();
            let to = format!("/types/{}/edit", name.trim_start_matches('='));
            let name = label(&definition.labels, &definition.name, language);
            types.push((definition.name.clone(), name, to));
        }
    }
    Ok(AskedPage {
        tabs: vec![tab("asked.nothing", true), tab("asked.most", false)],
        spans: DAYS.map(span).into(),
        rows: rows.collect(),
        nothing,
        on: service.asked.is_on(),
        types,
        same,
        wrong,
        page,
    })
}

async fn mean_the_same(State(service): State<Service>, page: Page, Form(given): Form<Same>) -> Result<Response> {
    match service
        .mean_the_same(&page.caller, &given.type_name, &given.words)
        .await
    {
        Ok(_) => {
            let said = Flash::new("toast.synonyms").about(given.words.trim());
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, ASKED)], said, ()).into_response())
        }
        Err(error) if error.code() == Code::Invalid => {
            let wrong = error.fields().first().map(|field| field.message.clone());
            let wrong = wrong.unwrap_or_else(|| error.detail().to_owned());
            let shown = asked(&service, page, &Wanted::default(), (given, Some(wrong))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "modules/search/templates/promoted.html")]
struct PromotedPage {
    page: Page,
    trail: Vec<Crumb>,
    rows: Vec<(Promoted, Option<String>, String)>,
    words: String,
    record: String,
    wrong: Option<String>,
}
view!(PromotedPage);

#[derive(Debug, Default, Deserialize)]
struct Words {
    #[serde(default)]
    words: String,
    #[serde(default)]
    record: String,
}

async fn shown(service: &Service, page: Page, given: Words, wrong: Option<String>) -> Result<PromotedPage> {
    let all = service.all_promoted(&page.caller).await?;
    let rows = all.into_iter().map(|(promoted, title)| {
        let search = href("/search", &[("q", &promoted.words)]);
        (promoted, title, search)
    });
    Ok(PromotedPage {
        trail: vec![
            Crumb::to(page.language.text("asked.title"), ASKED),
            Crumb::here(page.language.text("promoted.title")),
        ],
        rows: rows.collect(),
        words: given.words,
        record: given.record,
        wrong,
        page,
    })
}

async fn promoted_page(
    State(service): State<Service>,
    page: Page,
    Query(given): Query<Words>,
) -> Result<Html<PromotedPage>> {
    Ok(Html(shown(&service, page, given, None).await?))
}

fn back(said: Flash) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, PROMOTED)], said, ()).into_response()
}

async fn promote(State(service): State<Service>, page: Page, Form(given): Form<Words>) -> Result<Response> {
    match service.promote(&page.caller, &given.words, &given.record).await {
        Ok(made) => Ok(back(Flash::new("toast.promoted").about(&made.words))),
        Err(error) if error.code() == Code::Invalid => {
            let wrong = error.fields().first().map(|field| field.message.clone());
            let wrong = wrong.unwrap_or_else(|| error.detail().to_owned());
            let shown = shown(&service, page, given, Some(wrong)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn demote(
    State(service): State<Service>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    service.demote(&page.caller, &id).await?;
    Ok(back(Flash::new("toast.demoted")))
}
