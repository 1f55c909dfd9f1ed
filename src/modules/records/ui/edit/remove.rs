//! Deleting a record after a question, and bringing it back.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{arrived, because};
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Path};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, shorten, view};
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::about::Linked;
use crate::modules::records::ui::names::title;
use crate::modules::records::ui::tree::Line;

#[derive(Template)]
#[template(path = "modules/records/templates/remove.html")]
pub struct RemovePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    title: String,
    version: i64,
    /// Records that point at it: while there are any, it stays.
    linked: Vec<Linked>,
    /// Records that hang below it: they can move up.
    children: Vec<Line>,
    more_children: bool,
}
view!(RemovePage);

/// `GET /records/{id}/delete`
pub async fn ask_removal(State(pages): State<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<RemovePage>> {
    let seen = pages.writable(&page, &id).await?;
    let title = title(&seen);
    let hanging = pages.below(&page, &seen).await?;
    let child = hanging.as_ref().and(seen.stored_type.definition.parent.as_deref());
    let (linked, _) = pages.linked_from(&page, &id, child).await?;
    let hanging = hanging.unwrap_or_default();
    let trail = vec![
        Crumb::to(shorten(&title, 60), format!("/records/{id}")),
        Crumb::here(page.language.text("remove.title")),
    ];
    Ok(Html(RemovePage {
        trail,
        id,
        title,
        version: seen.record.version,
        linked,
        more_children: hanging.more,
        children: hanging.lines,
        page,
    }))
}

/// The answer to the question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    version: i64,
    #[serde(default)]
    reason: String,
    /// `up` hangs what is below it where it hung.
    #[serde(default)]
    children: String,
}

/// `POST /records/{id}/delete`
pub async fn remove(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Removal>,
) -> Result<Response> {
    let seen = pages.writable(&page, &id).await?;
    let why = because(&page, form.reason.trim());
    if form.children == "up" {
        pages.service.delete_lifting(&why, &id, form.version).await?;
    } else {
        pages.service.delete(&why, &id, form.version).await?;
    }
    let flash = Flash::new("toast.deleted").about(&title(&seen));
    let place = format!("/records/{id}");
    Ok((StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response())
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST /records/{id}/restore`
pub async fn restore(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let done = pages.service.restore(&because(&page, ""), &id, None).await?;
    Ok(arrived("toast.restored", &done.seen))
}
