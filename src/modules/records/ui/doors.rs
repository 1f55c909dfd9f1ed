//! A collection as a whole: opened to others or closed, deleted after its name was written once more.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Pages;
use crate::contract::records::{StoredType, TYPES_WRITE};
use crate::kernel::access::{Level, Object};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::records::service::Because;

/// The answer to "who may see it".
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    version: i64,
    to: Level,
}

/// `POST /types/{name}/visibility`
pub async fn open(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(form): Form<Opening>,
) -> Result<Response> {
    let why = because(&page);
    let job = pages.service.open_type(&why, &name, form.version, form.to).await?;
    let place = format!("/types/{name}");
    let stored = pages.service.need_type(&name).await?;
    let toast = match (job, form.to) {
        (None, _) => "toast.type-same",
        (Some(_), Level::Public) => "toast.type-opened",
        (Some(_), _) => "toast.type-closed",
    };
    let flash = Flash::new(toast).about(&called(&stored, &page));
    Ok((StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response())
}

#[derive(Template)]
#[template(path = "modules/records/templates/remove-type.html")]
pub struct RemoveTypePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    label: String,
    /// Records, deleted ones too.
    total: i64,
    /// What stands in the way.
    obstacle: Option<String>,
    typed: String,
    wrong: Option<String>,
}
view!(RemoveTypePage);

/// `GET /types/{name}/delete`
pub async fn ask_removal(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
) -> Result<Html<RemoveTypePage>> {
    pages.removal_view(page, &name, String::new(), None).await.map(Html)
}

/// The name once more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    confirm: String,
}

/// `POST /types/{name}/delete`
pub async fn remove(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(form): Form<Confirmation>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    let removed = pages.service.remove_type(&because(&page), &name, &form.confirm).await;
    match removed {
        Ok(job) => {
            let flash = Flash::new("toast.type-removed").about(&called(&stored, &page));
            let place = format!("/jobs/{job}");
            Ok((StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response())
        }
        Err(error) if error.code() == Code::Invalid => {
            let wrong = error.fields().first().map(|issue| issue.message.clone());
            let view = pages.removal_view(page, &name, form.confirm, wrong).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

fn because(page: &Page) -> Because<'_> {
    Because {
        caller: &page.caller,
        reason: "",
        channel: "ui",
    }
}

fn called(stored: &StoredType, page: &Page) -> String {
    label(&stored.definition.labels, &stored.definition.name, page.language)
}

impl Pages {
    async fn removal_view(
        &self,
        page: Page,
        name: &str,
        typed: String,
        wrong: Option<String>,
    ) -> Result<RemoveTypePage> {
        let stored = self.service.need_type(name).await?;
        self.access
            .require(&page.caller, TYPES_WRITE, &Object::Type(name))
            .await?;
        let obstacle = match self.service.check_unused(name).await {
            Err(error) if error.code() == Code::Conflict => Some(Error::detail(&error).to_owned()),
            other => other.map(|()| None)?,
        };
        let label = called(&stored, &page);
        let trail = vec![
            Crumb::to(page.language.text("nav.types"), "/types"),
            Crumb::to(label.clone(), format!("/types/{name}")),
            Crumb::here(page.language.text("collection.delete")),
        ];
        Ok(RemoveTypePage {
            trail,
            name: name.to_owned(),
            label,
            total: self.service.count_of_type(name).await?,
            obstacle,
            typed,
            wrong,
            page,
        })
    }
}
