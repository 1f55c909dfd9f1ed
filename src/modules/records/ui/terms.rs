//! The vocabularies of a collection: each term with how many records have it, what it is called in every language,
//! whether it is still given, and putting it into the place of another. Changes of records are batches, with their preview
//! and undo.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Pages;
use super::define::{called, others};
use super::fields::search_for;
use super::names::path_label;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::search::{FacetRequest, MAX_FACET_VALUES};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::records::model::{path, shorten, terms};
use crate::modules::records::service::Because;
use crate::modules::records::service::batch::Selection;

/// Terms on the page at most.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "modules/records/templates/terms.html")]
pub struct TermsPage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    label: String,
    version: i64,
    /// Path, label, whether it is shown.
    fields: Vec<(String, String, bool)>,
    /// The vocabulary that is shown; empty where there is none.
    field: String,
    terms: Vec<TermView>,
    /// How many terms more there are.
    more: u64,
    /// Counts may lack what is not indexed.
    counted: bool,
    may_change: bool,
    may_write: bool,
    /// Only listed terms may be given, so one can be added to the list.
    closed: bool,
    /// Languages besides the reader's: tag, and what it is called.
    languages: Vec<(String, String)>,
}
view!(TermsPage);

struct TermView {
    value: String,
    /// In the reader's language; empty where it is called by itself.
    label: String,
    count: u64,
    href: String,
    retired: bool,
    /// It is not among the values that the field allows.
    foreign: bool,
    /// In the other languages: tag, what that is called, what the term is called in it.
    others: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    field: String,
}

/// What the form of a term sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    version: i64,
    field: String,
    value: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    retired: bool,
    /// Other languages, and what it is called in each.
    #[serde(default)]
    tag: Vec<String>,
    #[serde(default)]
    text: Vec<String>,
    /// The term is new.
    #[serde(default)]
    add: bool,
}

/// What the form sends that puts a term into the place of another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    field: String,
    from: String,
    into: String,
}

/// `GET /types/{name}/terms`
pub async fn show_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<TermsPage>> {
    let language = page.language;
    let stored = pages.service.need_type(&name).await?;
    let seen = pages.service.shown_type(&page.caller, &stored).await?;
    let definition = seen.ok_or_else(|| Error::not_found("type", &name))?;
    let leaves = path::leaves(&definition.fields);
    let found: Vec<String> = leaves
        .iter()
        .filter(|leaf| leaf.field.kind == FieldKind::Term)
        .map(|leaf| leaf.path.clone())
        .collect();
    let chosen = if asked.field.is_empty() {
        found.first().cloned().unwrap_or_default()
    } else if found.contains(&asked.field) {
        asked.field
    } else {
        return Err(Error::not_found("vocabulary", &shorten(&asked.field, 60)));
    };
    let languages: Vec<(String, String)> = others(&definition, language)
        .into_iter()
        .map(|tag| (tag.clone(), called(&tag, language)))
        .collect();
    let closed = terms::vocabulary(&definition, &chosen).is_some_and(|field| !field.values.is_empty());
    let (terms, more, counted) = match terms::vocabulary(&definition, &chosen) {
        Some(field) => pages.terms(&page, &definition, &chosen, field, &languages).await,
        None => (Vec::new(), 0, true),
    };
    let type_label = label(&definition.labels, &definition.name, language);
    let shown = found.into_iter().map(|path| {
        let label = path_label(&definition, &path, language);
        let is_chosen = path == chosen;
        (path, label, is_chosen)
    });
    Ok(Html(TermsPage {
        fields: shown.collect(),
        trail: vec![
            Crumb::to(language.text("nav.types"), "/types"),
            Crumb::to(type_label.clone(), format!("/types/{name}")),
            Crumb::here(language.text("terms.title")),
        ],
        may_change: pages.service.may_change_type(&page.caller, &name).await?,
        may_write: !page.caller.is_anonymous(),
        label: type_label,
        version: stored.version,
        field: chosen,
        terms,
        more,
        counted,
        closed,
        languages,
        name,
        page,
    }))
}

/// `POST /types/{name}/terms`
pub async fn say(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(said): Form<Said>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let mut definition = stored.definition.clone();
    known(&definition, &said.field)?;
    let value = said.value.trim();
    if said.add {
        terms::give(&mut definition, &said.field, value)?;
    }
    let own = std::iter::once((page.language.tag(), said.label.as_str()));
    let others = said
        .tag
        .iter()
        .map(String::as_str)
        .zip(said.text.iter().map(String::as_str));
    for (language, text) in own.chain(others) {
        terms::say(&mut definition, &said.field, value, language, text.trim(), said.retired);
    }
    let why = Because {
        caller: &page.caller,
        reason: "",
        channel: "ui",
    };
    pages
        .service
        .replace_type(&why, &name, said.version, &definition)
        .await?;
    let query = serde_html_form::to_string([("field", &said.field)]).unwrap_or_default();
    let place = [(header::LOCATION, format!("/types/{name}/terms?{query}"))];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.term-saved"), place).into_response())
}

/// `POST /types/{name}/terms/merge`: leads to the preview of the batch that does it.
pub async fn merge(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(merged): Form<Merged>,
) -> Result<Response> {
    let (_, definition) = pages.batches.shown(&page.caller, &name).await?;
    let field = known(&definition, &merged.field)?;
    let into = merged.into.trim();
    if into.is_empty() || into == merged.from {
        return Err(Error::invalid("into", "is another term than the one that goes."));
    }
    if !field.values.is_empty() && !field.values.iter().any(|value| value == into) {
        return Err(Error::invalid(
            "into",
            format!("\"{}\" is not a term of its vocabulary.", shorten(into, 60)),
        ));
    }
    let selection = Selection {
        type_name: name,
        filter: vec![format!("{}:{}", merged.field, merged.from)],
        all: true,
        ..Selection::default()
    };
    let batch = pages.batches.choose(&page.caller, &selection).await?;
    let action = terms::merge(&merged.field, &merged.from, into);
    pages.batches.decide(&page.caller, &batch.id, &action).await?;
    let place = [(header::LOCATION, format!("/batches/{}", batch.id))];
    Ok((StatusCode::SEE_OTHER, place).into_response())
}

fn known<'d>(definition: &'d RecordType, path: &str) -> Result<&'d Field> {
    terms::vocabulary(definition, path).ok_or_else(|| Error::not_found("vocabulary", &shorten(path, 60)))
}

impl Pages {
    /// Those in use with their counts, the most frequent first, then those that no record has; how many more there are, and
    /// whether they could be counted.
    async fn terms(
        &self,
        page: &Page,
        definition: &RecordType,
        path: &str,
        field: &Field,
        languages: &[(String, String)],
    ) -> (Vec<TermView>, u64, bool) {
        let request = FacetRequest {
            field: path.to_owned(),
            limit: SHOWN.min(MAX_FACET_VALUES),
        };
        let answer = self.answer(page, &definition.name, vec![request]).await;
        let facet = answer.and_then(|answer| answer.facets.into_iter().next());
        let mut counted = facet.is_some() && (field.facet || field.column);
        let (mut order, mut counts, mut distinct) = (Vec::new(), HashMap::new(), 0);
        if let Some(facet) = facet {
            distinct = facet.distinct;
            for value in facet.values {
                if let Some(text) = value.value {
                    counts.insert(text.clone(), value.count);
                    order.push(text);
                }
            }
        }
        let looked = if counted {
            None
        } else {
            let asked = self.service.count_terms(&page.caller, definition, path).await;
            asked.ok().flatten()
        };
        if let Some(found) = looked {
            let mut all: Vec<(String, u64)> = found.into_iter().collect();
            all.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
            distinct = all.len() as u64;
            all.truncate(SHOWN);
            order = all.iter().map(|(term, _)| term.clone()).collect();
            counts = all.into_iter().collect();
            counted = true;
        }
        let more = distinct.saturating_sub(order.len() as u64);
        let listed = field.values.iter().chain(field.terms.iter().map(|term| &term.value));
        for value in listed {
            if !counts.contains_key(value) {
                counts.insert(value.clone(), 0);
                order.push(value.clone());
            }
        }
        let view = |value: String| {
            let own = field.called(&value, page.language.tag());
            TermView {
                label: if own == value { String::new() } else { own.to_owned() },
                count: counts.get(&value).copied().unwrap_or_default(),
                href: search_for(&definition.name, path, &value).unwrap_or_default(),
                retired: field.term(&value).is_some_and(|term| term.retired),
                foreign: !field.values.is_empty() && !field.values.contains(&value),
                others: languages
                    .iter()
                    .map(|(tag, called)| {
                        let own = field.term(&value).and_then(|term| term.labels.get(tag)?.as_str());
                        (tag.clone(), called.clone(), own.unwrap_or_default().to_owned())
                    })
                    .collect(),
                value,
            }
        };
        (order.into_iter().take(SHOWN).map(view).collect(), more, counted)
    }
}
