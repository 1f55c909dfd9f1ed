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
    /// Where to go from here: key and address, the likeliest first.
    ways: Vec<(&'static str, String)>,
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
        ways: ways(page, code),
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

/// The next steps that help with this code.
fn ways(page: &Page, code: Code) -> Vec<(&'static str, String)> {
    let again = ("error.again", page.here.clone());
    let sign_in = || page.sign_in().map(|address| ("nav.sign-in", address));
    let first = match code {
        // A form is sent again from its own page; going there by its address would ask for something else.
        Code::Timeout | Code::TooMany | Code::Internal | Code::Unavailable | Code::Busy | Code::DiskFull
            if page.reading =>
        {
            Some(again)
        }
        Code::CursorExpired => Some(("error.again", page.path.clone())),
        Code::Unauthenticated => sign_in(),
        Code::Forbidden if page.caller.is_anonymous() => sign_in(),
        Code::TooLarge | Code::UnsupportedMedia => Some(("error.formats", "/docs/import".to_owned())),
        Code::Stale | Code::Conflict | Code::Gone => Some(("error.recent", "/changes".to_owned())),
        _ => None,
    };
    first.into_iter().chain([("error.home", "/".to_owned())]).collect()
}
