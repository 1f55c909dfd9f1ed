//! The error page: what happened, in words, and where to go from here.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::filters;
use super::html::{View, answer};
use super::page::Page;
use crate::kernel::error::{Code, Error, FieldIssue};

#[derive(Template)]
#[template(path = "kernel/ui/templates/error.html")]
struct ErrorPage<'a> {
    page: &'a Page,
    code: Code,
    /// Keys of the heading and of the next step.
    title: String,
    help: String,
    detail: &'a str,
    fields: &'a [FieldIssue],
}

impl View for ErrorPage<'_> {
    fn page(&self) -> &Page {
        self.page
    }
}

/// An error as a page, with the error's status.
pub fn error_page(page: &Page, error: &Error) -> Response {
    let code = error.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let view = ErrorPage {
        page,
        code,
        title: format!("error.{}.title", code.as_str()),
        help: format!("error.{}.help", code.as_str()),
        detail: error.detail(),
        fields: error.fields(),
    };
    match view.render_with_values(&filters::Spoken(page.language)) {
        Ok(text) => answer(status, text, page),
        Err(source) => {
            // The last resort has no layout that could fail.
            tracing::error!(error = %source, "the error page cannot be rendered");
            (status, code.title()).into_response()
        }
    }
}
