//! What opens when: a list of everything that one may change, and the form for a record or for the fields of a collection.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Pages;
use super::names::{path_label, title};
use crate::kernel::access::Level;
use crate::kernel::clock::moment;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Query};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, shorten, view, who};
use crate::modules::records::model::path;
use crate::modules::records::service::Because;
use crate::modules::records::service::embargo::{Embargo, Target};

const AT: &str = "/embargoes";
/// Characters of a title.
const TITLE: usize = 120;

#[derive(Template)]
#[template(path = "modules/records/templates/embargoes.html")]
pub struct EmbargoPage {
    page: Page,
    trail: Vec<Crumb>,
    heading: String,
    /// What the form is about; none where only the list is shown.
    choices: Vec<Choice>,
    /// To whom it can open.
    levels: Vec<(&'static str, &'static str, bool)>,
    day: String,
    issues: Vec<FieldIssue>,
    /// Where the form came from, to go back to.
    place: Option<String>,
    rows: Vec<Row>,
    asked: Asked,
}
view!(EmbargoPage);

struct Choice {
    value: String,
    label: String,
    selected: bool,
}

struct Row {
    object: String,
    title: String,
    href: String,
    opens_at: i64,
    to: String,
    by: String,
}

/// What the page is about: a record, the fields of a collection, or everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    object: String,
    #[serde(default, rename = "type")]
    type_name: String,
}

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    object: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    opens_to: String,
    /// As the page was asked for.
    #[serde(default)]
    about: String,
    #[serde(default, rename = "type")]
    type_name: String,
}

fn because(page: &Page) -> Because<'_> {
    Because {
        caller: &page.caller,
        reason: "",
        channel: "ui",
    }
}

/// `GET /embargoes`
pub async fn embargoes_page(
    State(pages): State<Pages>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Html<EmbargoPage>> {
    Ok(Html(pages.embargoes(page, asked, &Wanted::default()).await?))
}

/// `POST /embargoes`
pub async fn set(State(pages): State<Pages>, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
    let done = set_one(&pages, &page, &wanted).await;
    let asked = Asked {
        object: wanted.about.clone(),
        type_name: wanted.type_name.clone(),
    };
    match done {
        Ok(()) => Ok(back(&asked, "toast.embargo-set")),
        Err(error) if error.code() == Code::Invalid => {
            let mut shown = pages.embargoes(page, asked, &wanted).await?;
            shown.issues = error.fields().to_vec();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn set_one(pages: &Pages, page: &Page, wanted: &Wanted) -> Result<()> {
    let target = Target::parse(&wanted.object)?;
    let opens_at = moment(wanted.day.trim()).ok_or_else(|| Error::invalid("opens_at", "is a day to come."))?;
    let to = Level::parse(&wanted.opens_to).ok_or_else(|| Error::invalid("opens_to", "is public or members."))?;
    pages.service.embargo(&because(page), &target, opens_at, to).await
}

/// `POST /embargoes/end`
pub async fn end(State(pages): State<Pages>, page: Page, Form(wanted): Form<Wanted>) -> Result<Response> {
    let target = Target::parse(&wanted.object)?;
    pages.service.end_embargo(&because(&page), &target).await?;
    let asked = Asked {
        object: wanted.about,
        type_name: wanted.type_name,
    };
    Ok(back(&asked, "toast.embargo-ended"))
}

fn back(asked: &Asked, said: &str) -> Response {
    let pairs = [("object", &asked.object), ("type", &asked.type_name)];
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    let place = if query.is_empty() {
        AT.to_owned()
    } else {
        format!("{AT}?{query}")
    };
    (StatusCode::SEE_OTHER, Flash::new(said), [(header::LOCATION, place)]).into_response()
}

fn level_label(level: Level) -> &'static str {
    match level {
        Level::Public => "embargo.to-public",
        Level::Members => "embargo.to-members",
        Level::Restricted => "level.restricted",
    }
}

impl Pages {
    async fn embargoes(&self, page: Page, asked: Asked, wanted: &Wanted) -> Result<EmbargoPage> {
        let language = page.language;
        let mut shown = EmbargoPage {
            trail: vec![Crumb::to(language.text("nav.home"), "/")],
            heading: language.text("embargo.title").to_owned(),
            choices: Vec::new(),
            levels: Vec::new(),
            day: wanted.day.clone(),
            issues: Vec::new(),
            place: None,
            rows: Vec::new(),
            asked,
            page,
        };
        let mut closest = Level::Public;
        let target = if shown.asked.object.is_empty() {
            None
        } else {
            Some(Target::parse(&shown.asked.object)?)
        };
        let type_name = Some(shown.asked.type_name.clone()).filter(|name| !name.is_empty());
        if let Some(Target::Record(id)) = &target {
            let seen = self.writable(&shown.page, id).await?;
            closest = seen.record.visibility;
            let place = format!("/records/{id}");
            shown.heading = title(&seen);
            shown.trail.push(Crumb::to(shorten(&shown.heading, 60), place.clone()));
            shown.place = Some(place);
            shown.choices = vec![Choice {
                value: shown.asked.object.clone(),
                label: shown.heading.clone(),
                selected: true,
            }];
        } else if let Some(name) = &type_name {
            let stored = self.service.need_type(name).await?;
            self.service.require_whole(&shown.page.caller, name).await?;
            let definition = &stored.definition;
            let place = format!("/types/{name}");
            shown.heading = label(&definition.labels, name, language);
            shown.trail.push(Crumb::to(shown.heading.clone(), place.clone()));
            shown.place = Some(place);
            for leaf in path::leaves(&definition.fields) {
                if leaf.field.level == Level::Public {
                    continue;
                }
                closest = closest.max(leaf.field.level);
                let value = format!("type:{name}#{}", leaf.path);
                shown.choices.push(Choice {
                    label: path_label(definition, &leaf.path, language),
                    selected: value == wanted.object,
                    value,
                });
            }
        }
        shown.trail.push(Crumb::here(language.text("embargo.title")));
        let levels = [Level::Public, Level::Members]
            .into_iter()
            .filter(|level| *level < closest);
        shown.levels = levels
            .map(|level| (level.as_str(), level_label(level), level.as_str() == wanted.opens_to))
            .collect();
        let found = self
            .service
            .embargoes(&shown.page.caller, target.as_ref(), type_name.as_deref())
            .await?;
        for embargo in found {
            let row = self.embargo_row(&shown.page, embargo).await?;
            shown.rows.push(row);
        }
        Ok(shown)
    }

    /// When a record opens, and the key of to whom.
    pub(super) async fn opens(&self, page: &Page, id: &str) -> Result<Option<(i64, &'static str)>> {
        let target = Target::Record(id.to_owned());
        let found = self.service.embargoes(&page.caller, Some(&target), None).await?;
        Ok(found
            .first()
            .map(|embargo| (embargo.opens_at, level_label(embargo.opens_to))))
    }

    async fn embargo_row(&self, page: &Page, embargo: Embargo) -> Result<Row> {
        let (name, href) = match &embargo.target {
            Target::Record(id) => {
                let seen = self.service.read(&page.caller, id).await?;
                (shorten(&title(&seen), TITLE), format!("/records/{id}"))
            }
            Target::Field { type_name, field } => {
                let stored = self.service.need_type(type_name).await?;
                let definition = &stored.definition;
                let words = format!(
                    "{} · {}",
                    label(&definition.labels, type_name, page.language),
                    path_label(definition, field, page.language)
                );
                (words, format!("/types/{type_name}"))
            }
        };
        Ok(Row {
            object: embargo.target.to_string(),
            title: name,
            href,
            opens_at: embargo.opens_at,
            to: level_label(embargo.opens_to).to_owned(),
            by: who(page, &self.access, &embargo.set_by).await,
        })
    }
}
