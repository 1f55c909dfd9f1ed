//! One cell of the table, saved: the whole form of the record with one field changed, so that a cell is never saved by other
//! rules than a form. Based on an old version it leads to the page where both changes are put together.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::sent::Sent;
use super::{because, of_fields, taken};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Json, Path, prefers_html};
use crate::modules::records::model::{cell, path, shape, shorten};
use crate::modules::records::service::Edit;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::names::path_label;
use crate::modules::records::ui::table::shown;

/// What the table sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellForm {
    version: i64,
    field: String,
    #[serde(default)]
    value: String,
}

/// `POST /records/{id}/cell`: answers JSON for the table, a page for everybody else.
pub async fn save_cell(
    State(pages): State<Pages>,
    page: crate::kernel::ui::Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<CellForm>,
) -> Result<Response> {
    let seen = pages.writable(&page, &id).await?;
    let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
    let leaf = path::find(&definition.fields, &form.field)
        .filter(|leaf| cell::is_plain(&definition.fields, leaf))
        .ok_or_else(|| {
            let text = format!("\"{}\" has no cell of its own.", shorten(&form.field, 60));
            Error::invalid("field", text)
        })?;
    let (_, base) = pages.state_at(&page, &seen, form.version).await?;
    if cell::text(&leaf, &base).is_none() {
        let text = format!("\"{}\" holds more than a cell can show.", leaf.path);
        return Err(Error::invalid("field", text));
    }
    let value = form.value.replace("\r\n", "\n");
    let entered = cell::entered(&definition.fields, &base, &[(&leaf, &value)]);
    let (document, issues) = taken(&definition, &base, &entered);
    // What was wrong before and is not touched is not said here, but by the form.
    let mine = |issue: &FieldIssue| issue.path == leaf.path || issue.path.starts_with(&format!("{}.", leaf.path));
    if let Some(issue) = issues.iter().find(|issue| mine(issue)).or(issues.first()) {
        let name = path_label(&definition, &issue.path, page.language);
        return Err(Error::invalid(
            issue.path.clone(),
            format!("{name}: {}", page.language.sentence(&issue.message)),
        ));
    }
    let html = prefers_html(&headers);
    let edit = Edit::Replace(document.clone());
    let why = because(&page, "");
    let written = pages.service.edit(&why, &id, form.version, &edit, None).await;
    let done = match written {
        Ok(done) => done.seen,
        Err(error) if error.code() == Code::Stale && html => {
            let sent = Sent {
                entered,
                version: Some(form.version),
                ..Sent::default()
            };
            return pages.merge_view(page, &id, &sent, form.version, &document).await;
        }
        Err(error) if error.code() == Code::Invalid => {
            let issues = of_fields(error)?;
            let named = issues.into_iter().map(|issue| FieldIssue {
                message: format!(
                    "{}: {}",
                    path_label(&definition, &issue.path, page.language),
                    page.language.sentence(&issue.message)
                ),
                path: issue.path,
            });
            return Err(Error::invalid_fields(named.collect()));
        }
        Err(error) => return Err(error),
    };
    if html {
        let place = [(header::LOCATION, format!("/records/{id}"))];
        return Ok((StatusCode::SEE_OTHER, place).into_response());
    }
    let document = &done.record.document;
    let one = std::slice::from_ref(&leaf);
    let titles = pages.linked_titles(&page, one, std::iter::once(&done)).await?;
    let body = json!({
        "version": done.record.version,
        "shown": shown(&leaf, document, &titles, page.language),
        "value": cell::text(&leaf, document),
        "title": done.title(),
    });
    Ok(Json(body).into_response())
}
