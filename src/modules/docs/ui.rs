//! The pages of the documentation, and the OpenAPI document itself.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::manual::{Chapter, Found, chapters, find};
use super::model::{ApiView, Group};
use crate::kernel::access::OPEN;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Path, Query, RouteSet, Routes, Shared, etag_of};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Html, Page, filters, shorten, view};

/// The API as people read it: made once, when somebody asks.
type Api = Arc<OnceLock<Arc<ApiView>>>;

pub(super) fn routes() -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/openapi.json", get(openapi))
        .page(OPEN, Method::GET, "/docs", get(index_page))
        .page(OPEN, Method::GET, "/docs/{page}", get(chapter_page))
        .page(OPEN, Method::GET, "/docs/api", get(api_page))
        .page(OPEN, Method::GET, "/docs/api/{part}", get(api_part_page))
        .page(OPEN, Method::GET, "/style", get(super::style::style_page))
        .page(OPEN, Method::GET, "/docs/errors", get(errors_page))
        .page(OPEN, Method::GET, "/docs/errors/{code}", get(error_page))
        .with_state(Api::default())
}

/// The part of the API's pages that is no area.
const SHAPES: &str = "shapes";

#[derive(Template)]
#[template(path = "modules/docs/templates/index.html")]
struct IndexPage {
    page: Page,
    chapters: Arc<Vec<Chapter>>,
    /// What is looked up in the manual; empty where nothing is.
    asked: String,
    found: Vec<Found>,
}

/// One page of the manual, with the way to the others.
#[derive(Template)]
#[template(path = "modules/docs/templates/chapter.html")]
struct ChapterPage<'a> {
    page: Page,
    trail: Vec<Crumb>,
    chapters: &'a [Chapter],
    chapter: &'a Chapter,
    /// The same chapter in the other languages.
    others: Vec<Other>,
}

/// A language that a chapter can be read in, with the words that say so in it.
struct Other {
    tag: &'static str,
    text: String,
    href: String,
}

impl Other {
    /// All but the one that is shown.
    fn than(chapter: &Chapter) -> Vec<Self> {
        let shown = chapter.language.tag();
        let other = |language: &Language| Self {
            tag: language.tag(),
            text: language.text("docs.read-here"),
            href: format!("/docs/{}?lang={}", chapter.name, language.tag()),
        };
        let others = chapter.languages.iter().filter(|language| language.tag() != shown);
        others.map(other).collect()
    }
}

#[derive(Template)]
#[template(path = "modules/docs/templates/api.html")]
struct ApiPage {
    page: Page,
    api: Arc<ApiView>,
}

/// One part of the API, as large as a page should be.
#[derive(Template)]
#[template(path = "modules/docs/templates/api-group.html")]
struct ApiGroupPage<'a> {
    page: Page,
    trail: Vec<Crumb>,
    group: &'a Group,
}

#[derive(Template)]
#[template(path = "modules/docs/templates/api-shapes.html")]
struct ApiShapesPage<'a> {
    page: Page,
    trail: Vec<Crumb>,
    api: &'a ApiView,
}

#[derive(Template)]
#[template(path = "modules/docs/templates/errors.html")]
struct ErrorsPage {
    page: Page,
    codes: Vec<CodeView>,
}

#[derive(Template)]
#[template(path = "modules/docs/templates/code.html")]
struct CodePage {
    page: Page,
    code: CodeView,
    /// What the answer looks like.
    example: String,
}
view!(
    IndexPage,
    ChapterPage<'_>,
    ApiPage,
    ApiGroupPage<'_>,
    ApiShapesPage<'_>,
    ErrorsPage,
    CodePage
);

/// A code with the keys of its texts.
struct CodeView {
    code: &'static str,
    status: u16,
    title: String,
    help: String,
}

impl CodeView {
    fn of(code: Code) -> Self {
        let name = code.as_str();
        Self {
            code: name,
            status: code.status(),
            title: format!("error.{name}.title"),
            help: format!("error.{name}.help"),
        }
    }
}

async fn openapi(Shared(context): Shared) -> Response {
    let mut response = context.openapi.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ETAG, etag_of(&context.openapi));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    response
}

/// What the manual is asked.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

async fn index_page(Query(Asked { q }): Query<Asked>, page: Page) -> Html<IndexPage> {
    let chapters = chapters(page.language);
    Html(IndexPage {
        found: find(&chapters, &q),
        asked: shorten(q.trim(), 200),
        chapters,
        page,
    })
}

async fn chapter_page(Path(name): Path<String>, page: Page) -> Result<Response> {
    let all = chapters(page.language);
    let chapter = all.iter().find(|chapter| chapter.name == name);
    let chapter = chapter.ok_or_else(|| Error::not_found("page of the manual", &shorten(&name, 60)))?;
    let trail = vec![
        Crumb::to(page.language.text("docs.title"), "/docs"),
        Crumb::here(&chapter.title),
    ];
    let view = ChapterPage {
        page,
        trail,
        chapters: &all,
        chapter,
        others: Other::than(chapter),
    };
    Ok(Html(view).into_response())
}

fn read(api: &Api, openapi: &[u8]) -> Result<Arc<ApiView>> {
    if let Some(view) = api.get() {
        return Ok(view.clone());
    }
    let document = serde_json::from_slice(openapi)?;
    Ok(api.get_or_init(|| Arc::new(ApiView::read(&document))).clone())
}

async fn api_page(State(api): State<Api>, Shared(context): Shared, page: Page) -> Result<Html<ApiPage>> {
    let api = read(&api, &context.openapi)?;
    Ok(Html(ApiPage { page, api }))
}

/// The operations of one area, or the shapes of what is sent and answered.
async fn api_part_page(
    State(api): State<Api>,
    Shared(context): Shared,
    Path(part): Path<String>,
    page: Page,
) -> Result<Response> {
    let api = read(&api, &context.openapi)?;
    let trail = |name: String| {
        vec![
            Crumb::to(page.language.text("docs-api.title"), "/docs/api"),
            Crumb::here(name),
        ]
    };
    if part == SHAPES {
        let trail = trail(page.language.text("docs-api.shapes"));
        return Ok(Html(ApiShapesPage { page, trail, api: &api }).into_response());
    }
    let group = api.groups.iter().find(|group| group.name == part);
    let group = group.ok_or_else(|| Error::not_found("part of the API", &shorten(&part, 60)))?;
    let trail = trail(part);
    Ok(Html(ApiGroupPage { page, trail, group }).into_response())
}

async fn errors_page(page: Page) -> Html<ErrorsPage> {
    let codes = Code::ALL.iter().map(|code| CodeView::of(*code)).collect();
    Html(ErrorsPage { page, codes })
}

async fn error_page(Path(name): Path<String>, page: Page) -> Result<Html<CodePage>> {
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == name);
    let code = code.ok_or_else(|| Error::not_found("error code", &name))?;
    let example = serde_json::json!({
        "type": format!("/docs/errors/{}", code.as_str()),
        "title": code.title(),
        "status": code.status(),
        "detail": "…",
        "code": code.as_str(),
        "request_id": page.request_id,
    });
    let example = serde_json::to_string_pretty(&example)?;
    Ok(Html(CodePage {
        page,
        code: CodeView::of(code),
        example,
    }))
}
