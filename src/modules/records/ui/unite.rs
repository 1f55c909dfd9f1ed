//! Records that may be one and the same as a list with reasons, and the page that puts some of them into one: for each field
//! in which they differ one value is chosen.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Pages;
use super::names::{path_label, title};
use crate::contract::records::RECORDS_DELETE;
use crate::kernel::access::{Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, shorten, texts, view};
use crate::modules::records::model::named::named;
use crate::modules::records::model::twins::Reason;
use crate::modules::records::model::unite::{ALL, Choice, Taken, choices};
use crate::modules::records::service::unite::{MOST, Union};
use crate::modules::records::service::{Because, Seen};

/// Characters shown of one value.
const LONGEST: usize = 2_000;

#[derive(Template)]
#[template(path = "modules/records/templates/twins.html")]
pub struct TwinsPage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    label: String,
    groups: Vec<GroupView>,
    more: bool,
    looked: usize,
    is_cut: bool,
}

struct GroupView {
    records: Vec<(String, String)>,
    reasons: Vec<String>,
    /// Where they are put into one.
    href: Option<String>,
}

#[derive(Template)]
#[template(path = "modules/records/templates/unite.html")]
pub struct UnitePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    version: i64,
    /// The one that stays and the others: id, title, and the address that lets this one stay.
    records: Vec<(String, String, String)>,
    choices: Vec<ChoiceView>,
}
view!(TwinsPage, UnitePage);

struct ChoiceView {
    path: String,
    label: String,
    sides: Vec<SideView>,
}

struct SideView {
    value: String,
    title: String,
    text: String,
    chosen: bool,
}

/// `GET /types/{name}/duplicates`
pub async fn twins_page(State(pages): State<Pages>, page: Page, Path(name): Path<String>) -> Result<Html<TwinsPage>> {
    let language = page.language;
    let stored = pages.service.need_type(&name).await?;
    let seen = pages.service.shown_type(&page.caller, &stored).await?;
    let definition = seen.ok_or_else(|| Error::not_found("type", &name))?;
    let object = Object::Type(&name);
    let may = pages.access.check(&page.caller, RECORDS_DELETE, &object).await?
        && pages.access.level(&page.caller, &object).await? == Some(Level::Restricted);
    let likely = pages.service.likely_twins(&page.caller, &name).await?;
    let groups = likely.groups.into_iter().map(|alike| {
        let reasons = alike.reasons.iter().map(|reason| match reason {
            Reason::Identifier { field, value } => {
                let field = path_label(&definition, field, language);
                language.with("twins.identifier", &[("field", &field), ("value", value)])
            }
            Reason::Title { fields } if fields.is_empty() => language.text("twins.title-alone"),
            Reason::Title { fields } => {
                let named: Vec<String> = fields
                    .iter()
                    .map(|path| path_label(&definition, path, language))
                    .collect();
                language.with("twins.title-and", &[("fields", &named.join(", "))])
            }
        });
        let href = may.then(|| address(alike.records.iter().map(|(id, _)| id.as_str())));
        GroupView {
            reasons: reasons.collect(),
            records: alike.records,
            href,
        }
    });
    let type_label = label(&definition.labels, &definition.name, language);
    Ok(Html(TwinsPage {
        trail: vec![
            Crumb::to(language.text("nav.types"), "/types"),
            Crumb::to(type_label.clone(), format!("/types/{name}")),
            Crumb::here(language.text("twins.heading")),
        ],
        groups: groups.collect(),
        more: likely.more,
        looked: likely.looked,
        is_cut: likely.is_cut,
        label: type_label,
        name,
        page,
    }))
}

/// Where records are put into the first of them.
pub fn address<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids = ids.take(MOST + 1);
    let first = ids.next().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = ids.map(|id| ("with", id)).collect();
    format!(
        "/records/{first}/unite?{}",
        serde_html_form::to_string(pairs).unwrap_or_default()
    )
}

/// Which others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct With {
    #[serde(default)]
    with: Vec<String>,
}

/// `GET /records/{id}/unite`
pub async fn unite_page(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(with): Query<With>,
) -> Result<Html<UnitePage>> {
    let seen = pages.to_unite(&page, &id, &with.with).await?;
    let language = page.language;
    let definition = seen[0].stored_type.definition.clone();
    let documents: Vec<&Map<String, Value>> = seen.iter().map(|one| &one.record.document).collect();
    let called = pages.service.called(&page.caller, &definition, &documents).await?;
    let told: Vec<Map<String, Value>> = documents
        .iter()
        .map(|document| named(&definition.fields, document, &called))
        .collect();
    let titles: Vec<String> = seen.iter().map(title).collect();
    let choices = choices(&definition.fields, &documents);
    let shown = choices.iter().map(|choice| ChoiceView {
        path: choice.path(),
        label: path_label(&definition, &choice.path(), language),
        sides: sides(choice, &seen, &titles, &told, language),
    });
    let ids: Vec<&str> = seen.iter().map(|one| one.record.id.as_str()).collect();
    let records = ids.iter().zip(&titles).map(|(one, title)| {
        let others = ids.iter().copied().filter(|other| other != one);
        (
            (*one).to_owned(),
            title.clone(),
            address(std::iter::once(*one).chain(others)),
        )
    });
    let type_label = label(&definition.labels, &definition.name, language);
    Ok(Html(UnitePage {
        trail: vec![
            Crumb::to(type_label, format!("/types/{}", definition.name)),
            Crumb::to(shorten(&titles[0], 60), format!("/records/{id}")),
            Crumb::here(language.text("unite.title")),
        ],
        records: records.collect(),
        choices: shown.collect(),
        version: seen[0].record.version,
        id,
        page,
    }))
}

fn sides(
    choice: &Choice,
    seen: &[Seen],
    titles: &[String],
    documents: &[Map<String, Value>],
    language: Language,
) -> Vec<SideView> {
    let path = choice.path();
    let side = |at: usize| SideView {
        value: seen[at].record.id.clone(),
        title: titles[at].clone(),
        text: shorten(&texts(&documents[at], &path, language).join("\n"), LONGEST),
        chosen: !choice.repeated && at == choice.usual(),
    };
    let mut sides: Vec<SideView> = (0..seen.len()).map(side).collect();
    if choice.repeated {
        sides.insert(
            0,
            SideView {
                value: ALL.to_owned(),
                title: language.text("unite.all"),
                text: language.text("unite.all-help"),
                chosen: true,
            },
        );
    }
    sides
}

/// `POST /records/{id}/unite`
pub async fn unite(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let (mut from, mut chosen, mut reason, mut version) = (Vec::new(), Vec::new(), String::new(), None);
    for (name, value) in pairs {
        match name.as_str() {
            "with" => from.push(value),
            "reason" => value.trim().clone_into(&mut reason),
            "version" => version = value.parse().ok(),
            other => match other.strip_prefix("take/") {
                Some(path) => chosen.push((path.to_owned(), value)),
                None => return Err(Error::invalid(shorten(other, 60), "is no part of this form.")),
            },
        }
    }
    let mut taken = HashMap::new();
    for (path, whose) in chosen {
        let of = match whose.as_str() {
            ALL => Some(Taken::All),
            one if one == id => Some(Taken::From(0)),
            one => from.iter().position(|other| other == one).map(|at| Taken::From(at + 1)),
        };
        taken.insert(
            path.clone(),
            of.ok_or_else(|| Error::invalid(path, "is a value of one of the records."))?,
        );
    }
    let union = Union {
        version: version.ok_or_else(|| Error::invalid("version", "is missing."))?,
        into: id.clone(),
        from,
        taken,
    };
    let why = Because {
        caller: &page.caller,
        reason: &reason,
        channel: "ui",
    };
    let done = pages.service.unite(&why, &union).await?;
    let flash = Flash::new("toast.united").undo(format!("/changes/{}/undo", done.change));
    let place = [(header::LOCATION, format!("/records/{id}"))];
    Ok((StatusCode::SEE_OTHER, flash, place).into_response())
}

impl Pages {
    /// The one that stays and the others, as the caller sees them.
    async fn to_unite(&self, page: &Page, id: &str, with: &[String]) -> Result<Vec<Seen>> {
        if with.is_empty() || with.len() > MOST {
            return Err(Error::invalid("with", format!("names 1 to {MOST} other records.")));
        }
        let mut all = vec![self.writable(page, id).await?];
        for other in with {
            let seen = self.writable(page, other).await?;
            if seen.record.type_name != all[0].record.type_name {
                return Err(Error::invalid("with", "names a record of another collection."));
            }
            if !all.iter().any(|one| one.record.id == seen.record.id) {
                all.push(seen);
            }
        }
        if all.len() < 2 {
            return Err(Error::invalid("with", "names the record itself."));
        }
        Ok(all)
    }
}
