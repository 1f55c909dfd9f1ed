//! The numbers of a collection: which field is given them by which scheme, what comes next, and blocks set aside.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Pages;
use super::names::path_label;
use crate::contract::records::{CheckDigit, Field, FieldKind, Numbering, RecordType};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view, who};
use crate::modules::records::model::path;
use crate::modules::records::service::Because;

#[derive(Template)]
#[template(path = "modules/records/templates/numbers.html")]
pub struct NumbersPage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    label: String,
    version: i64,
    schemes: Vec<SchemeView>,
    /// Fields that a scheme can be given to: path, label, whether it is chosen.
    fields: Vec<(String, String, bool)>,
    may_change: bool,
    entered: Entered,
    issues: Vec<FieldIssue>,
}
view!(NumbersPage);

struct SchemeView {
    field: String,
    label: String,
    pattern: String,
    yearly: bool,
    by_hand: bool,
    next: Option<String>,
    last: Option<String>,
    left: i64,
    blocks: Vec<BlockView>,
}

struct BlockView {
    first: String,
    last: String,
    count: i64,
    by: String,
    reason: String,
    at: i64,
}

/// What the form of a scheme sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    version: i64,
    field: String,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    start: String,
    #[serde(default)]
    yearly: bool,
    /// `mod10`, `mod11` or nothing.
    #[serde(default)]
    check: String,
    #[serde(default)]
    by_hand: bool,
    /// No numbers are given any more.
    #[serde(default)]
    stop: bool,
}

/// What the form of a block sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    field: String,
    count: String,
    #[serde(default)]
    reason: String,
}

/// `GET /types/{name}/numbers`
pub async fn show_page(State(pages): State<Pages>, page: Page, Path(name): Path<String>) -> Result<Html<NumbersPage>> {
    let entered = Entered {
        start: "1".to_owned(),
        ..Entered::default()
    };
    Ok(Html(pages.numbers_view(page, &name, entered, Vec::new()).await?))
}

/// `POST /types/{name}/numbers`
pub async fn set(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(entered): Form<Entered>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let outcome = match scheme(&entered) {
        Ok(scheme) => {
            let mut definition = stored.definition.clone();
            give(&mut definition.fields, &entered.field, scheme);
            let why = because(&page, "");
            pages
                .service
                .replace_type(&why, &name, entered.version, &definition)
                .await
                .map(drop)
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(back(&name, "toast.numbers-set")),
        Err(error) if error.code() == Code::Invalid => {
            let issues = error.fields().to_vec();
            let view = pages.numbers_view(page, &name, entered, issues).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /types/{name}/numbers/block`
pub async fn reserve(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response> {
    let count = wanted.count.trim().parse().unwrap_or_default();
    let why = because(&page, wanted.reason.trim());
    match pages.service.reserve_numbers(&why, &name, &wanted.field, count).await {
        Ok(_) => Ok(back(&name, "toast.numbers-reserved")),
        Err(error) if error.code() == Code::Invalid => {
            let issues = error.fields().to_vec();
            let view = pages.numbers_view(page, &name, Entered::default(), issues).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

fn because<'a>(page: &'a Page, reason: &'a str) -> Because<'a> {
    Because {
        caller: &page.caller,
        reason,
        channel: "ui",
    }
}

fn back(name: &str, toast: &str) -> Response {
    let place = [(header::LOCATION, format!("/types/{name}/numbers"))];
    (StatusCode::SEE_OTHER, Flash::new(toast), place).into_response()
}

/// The scheme that was entered; nothing where none is to be.
fn scheme(entered: &Entered) -> Result<Option<Numbering>> {
    if entered.stop {
        return Ok(None);
    }
    let start = entered.start.trim();
    let start = if start.is_empty() { Ok(1) } else { start.parse() };
    Ok(Some(Numbering {
        pattern: entered.pattern.trim().to_owned(),
        start: start.map_err(|_| Error::invalid("start", "is a whole number."))?,
        yearly: entered.yearly,
        check: match entered.check.as_str() {
            "mod10" => Some(CheckDigit::Mod10),
            "mod11" => Some(CheckDigit::Mod11),
            _ => None,
        },
        by_hand: entered.by_hand,
    }))
}

/// Gives a field a scheme, with what that asks of the field.
fn give(fields: &mut [Field], path: &str, scheme: Option<Numbering>) {
    for field in fields {
        if field.name == path && field.kind != FieldKind::Group {
            if scheme.is_some() {
                (field.unique, field.required) = (true, false);
            }
            field.number = scheme;
            return;
        }
        if let Some(rest) = path
            .strip_prefix(field.name.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            && field.kind == FieldKind::Group
        {
            return give(&mut field.fields, rest, scheme);
        }
    }
}

impl Pages {
    async fn numbers_view(
        &self,
        page: Page,
        name: &str,
        entered: Entered,
        issues: Vec<FieldIssue>,
    ) -> Result<NumbersPage> {
        let language = page.language;
        let stored = self.service.need_type(name).await?;
        let seen = self.service.shown_type(&page.caller, &stored).await?;
        let definition = seen.ok_or_else(|| Error::not_found("type", name))?;
        let mut schemes = Vec::new();
        for scheme in self.service.number_schemes(&page.caller, name).await? {
            let mut blocks = Vec::new();
            for block in scheme.blocks {
                blocks.push(BlockView {
                    by: who(&page, &self.access, &block.owner).await,
                    count: block.last - block.first + 1,
                    first: block.first_number,
                    last: block.last_number,
                    reason: block.reason,
                    at: block.created_at,
                });
            }
            schemes.push(SchemeView {
                label: path_label(&definition, &scheme.field, language),
                pattern: scheme.numbering.pattern.clone(),
                yearly: scheme.numbering.yearly,
                by_hand: scheme.numbering.by_hand,
                next: scheme.next,
                last: scheme.last,
                left: scheme.left,
                blocks,
                field: scheme.field,
            });
        }
        let type_label = label(&definition.labels, &definition.name, language);
        Ok(NumbersPage {
            trail: vec![
                Crumb::to(language.text("nav.types"), "/types"),
                Crumb::to(type_label.clone(), format!("/types/{name}")),
                Crumb::here(language.text("numbers.title")),
            ],
            fields: fields(&definition, &entered.field, language),
            may_change: self.service.may_change_type(&page.caller, name).await?,
            name: name.to_owned(),
            label: type_label,
            version: stored.version,
            schemes,
            entered,
            issues,
            page,
        })
    }
}

/// Fields that can be given numbers, those of identifiers first.
fn fields(definition: &RecordType, chosen: &str, language: Language) -> Vec<(String, String, bool)> {
    let mut leaves = path::leaves(&definition.fields);
    leaves.retain(|leaf| !leaf.repeated && matches!(leaf.field.kind, FieldKind::Identifier | FieldKind::Text));
    leaves.sort_by_key(|leaf| leaf.field.kind != FieldKind::Identifier);
    let shown = |leaf: &path::Leaf<'_>| {
        let label = path_label(definition, &leaf.path, language);
        (leaf.path.clone(), label, leaf.path == chosen)
    };
    leaves.iter().map(shown).collect()
}
