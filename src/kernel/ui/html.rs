//! A rendered page as an answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::filters::Spoken;
use super::flash::Flash;
use super::page::Page;
use crate::kernel::error::Error;

/// A template that is a page: it says which [`Page`] it is shown in. `view!(SearchPage)` writes this for a struct with
/// the field `page`.
pub trait View: askama::Template {
    fn page(&self) -> &Page;
}

/// Says for page templates with a field `page: Page` that they are pages.
#[allow(unused_macros, reason = "a build without modules has no pages")]
macro_rules! view {
    ($($template:ty),+ $(,)?) => { $(impl $crate::kernel::ui::View for $template {
        fn page(&self) -> &$crate::kernel::ui::Page { &self.page }
    })+ };
}

pub(crate) use view;

/// Renders a page in its language. A template that cannot be rendered becomes the error page.
pub struct Html<T>(pub T);

impl<T: View> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        match self.0.render_with_values(&Spoken(self.0.page().language)) {
            Ok(text) => answer(StatusCode::OK, text, self.0.page()),
            Err(source) => {
                tracing::error!(error = %source, page.path = self.0.page().path, "a page cannot be rendered");
                super::error_page(self.0.page(), &Error::internal(source))
            }
        }
    }
}

/// HTML with its kind, and without the sentence that was shown. Caching and the security headers are the middleware's.
pub(super) fn answer(status: StatusCode, text: String, page: &Page) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(page.language.tag()));
    if page.toast.is_some() {
        headers.append(header::SET_COOKIE, Flash::end());
    }
    response
}
