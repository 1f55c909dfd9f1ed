//! The table of a type: records as rows that are scrolled through to the end, cells that are changed where they stand,
//! columns as their reader likes them. Without scripts it is a table with pages, a chooser of columns and links to sort by.

mod address;
mod paste;
mod rows;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

pub use self::paste::paste;
pub use self::rows::shown;

use self::address::{Address, Params, widths};
use self::rows::{BLOCK, Row};
use super::Pages;
use super::edit::editor;
use super::names::path_label;
use crate::contract::records::{FieldKind, RECORDS_WRITE, RecordType};
use crate::kernel::access::Object;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Path, Query, prefers_html};
use crate::kernel::i18n::Language;
use crate::kernel::search::MAX_DEPTH;
use crate::kernel::ui::{Crumb, Html, Page, Pager, PagerLinks, filters, form, label, shorten, view};
use crate::modules::records::model::{cell, path};
use crate::modules::records::service::Look;

/// How wide a column is that nobody has pulled, in pixels.
const USUAL: u16 = 176;
const NUMBERS: u16 = 104;
const TITLE: u16 = 264;

#[derive(Template)]
#[template(path = "modules/records/templates/table.html")]
pub struct TablePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    heading: String,
    q: String,
    /// The question but its words, for the form that asks for others.
    filters: Vec<(String, String)>,
    /// What is narrowed: in words, and the address without it.
    chips: Vec<(String, String)>,
    hints: Vec<String>,
    total: u64,
    heads: Vec<Head>,
    rows: Vec<Row>,
    choices: Vec<Choice>,
    sorts: Vec<Choice>,
    /// The question alone, and all of the address.
    question: Vec<(&'static str, String)>,
    pairs: Vec<(&'static str, String)>,
    href: String,
    search_href: String,
    pager: Option<PagerLinks>,
    /// There is more than can be scrolled to.
    far: bool,
    may_write: bool,
    /// Somebody whose choice is kept.
    keeps: bool,
}

#[derive(Template)]
#[template(path = "modules/records/templates/table-block.html")]
pub struct Block {
    page: Page,
    total: u64,
    rows: Vec<Row>,
    may_write: bool,
}
view!(TablePage, Block);

pub struct Head {
    path: String,
    label: String,
    width: u16,
    number: bool,
    sort_href: String,
    /// `ascending`, `descending` or nothing.
    order: &'static str,
    /// What is copied is what is entered, not what is shown.
    raw: bool,
    /// What its cells are changed with; nothing where they cannot be.
    editor: Option<form::Field>,
}

pub struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// `GET /types/{name}/table`
pub async fn table_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Result<Html<TablePage>> {
    let definition = pages.table_type(&page, &name).await?;
    pages.wait(params.after.as_deref()).await?;
    let kept = pages.service.look_of(&page.caller, &name).await?;
    let mut address = Address::read(params, &definition, kept);
    let mut window = pages.window(&page, &definition, &address, address.from).await?;
    if window.rows.is_empty() && window.total > 0 {
        // Behind the end is its last block.
        let last = usize::try_from(window.total).unwrap_or(usize::MAX).min(MAX_DEPTH);
        address.from = (last - 1) / BLOCK * BLOCK + 1;
        window = pages.window(&page, &definition, &address, address.from).await?;
    }
    let language = page.language;
    let may_write = page.may_of(&pages.access, RECORDS_WRITE, &Object::Type(&name)).await;
    let makes = if may_write {
        pages.makable(&page, &definition).await
    } else {
        Vec::new()
    };
    let heading = label(&definition.labels, &definition.name, language);
    let at = address.from.div_ceil(BLOCK);
    let pager = Pager::new(at, window.total, BLOCK, MAX_DEPTH);
    let link = |number: usize| {
        let from = (number - 1) * BLOCK + 1;
        address.with(|a| a.from = from)
    };
    Ok(Html(TablePage {
        trail: vec![
            Crumb::to(language.text("nav.types"), "/types"),
            Crumb::to(heading.clone(), format!("/types/{name}")),
            Crumb::here(language.text("table.title")),
        ],
        q: address.q.clone(),
        filters: owned(&address, &["q", "from"]),
        chips: chips(&address, &definition, language),
        hints: window.hints,
        total: window.total,
        heads: heads(&address, &definition, &makes, may_write, language),
        rows: window.rows,
        choices: choices(&address, &definition, language),
        sorts: sorts(&address, &definition, language),
        question: address.question(),
        pairs: address
            .pairs()
            .into_iter()
            .filter(|(name, _)| *name != "from")
            .collect(),
        href: address.with(|_| {}),
        search_href: address.search(),
        pager: pager.map(|pager| pager.links(link)),
        far: window.total > MAX_DEPTH as u64,
        keeps: !page.caller.is_anonymous(),
        may_write,
        heading,
        name,
        page,
    }))
}

/// `GET /types/{name}/table/rows`: some rows as a piece of the page.
pub async fn rows(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Result<Html<Block>> {
    let definition = pages.table_type(&page, &name).await?;
    pages.wait(params.after.as_deref()).await?;
    let address = Address::read(params, &definition, None);
    let window = pages.window(&page, &definition, &address, address.from).await?;
    Ok(Html(Block {
        total: window.total,
        rows: window.rows,
        may_write: page.may_of(&pages.access, RECORDS_WRITE, &Object::Type(&name)).await,
        page,
    }))
}

/// How the table is to look from now on.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chosen {
    q: String,
    filter: Vec<String>,
    sort: String,
    column: Vec<String>,
    width: Vec<String>,
    /// As the type says.
    reset: bool,
}

/// `POST /types/{name}/table/look`: keeps it for the caller and leads to the table that looks so.
pub async fn keep_look(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Response> {
    let definition = pages.table_type(&page, &name).await?;
    let look = Look {
        widths: widths(&chosen.width),
        columns: chosen.column,
        sort: chosen.sort,
    };
    let look = if chosen.reset { Look::default() } else { look };
    let params = Params {
        q: chosen.q,
        filter: chosen.filter,
        ..Params::default()
    };
    let address = Address::read(params, &definition, Some(look.clone()));
    let kept = if chosen.reset { look } else { address.look.clone() };
    pages.service.keep_look(&page.caller, &name, &kept).await?;
    if !prefers_html(&headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address.href())]).into_response())
}

impl Pages {
    /// The type of a table as the caller sees it.
    async fn table_type(&self, page: &Page, name: &str) -> Result<RecordType> {
        let stored = self.service.need_type(name).await?;
        let seen = self.service.shown_type(&page.caller, &stored).await?;
        seen.ok_or_else(|| Error::not_found("type", &shorten(name, 60)))
    }
}

/// The pairs of an address but some.
fn owned(address: &Address, without: &[&str]) -> Vec<(String, String)> {
    let pairs = address.pairs().into_iter();
    pairs
        .filter(|(name, _)| !without.contains(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn chips(address: &Address, definition: &RecordType, language: Language) -> Vec<(String, String)> {
    let chip = |(at, filter): (usize, &String)| {
        let leaves = path::leaves(&definition.fields);
        let known = leaves.iter().filter(|leaf| {
            let rest = filter.strip_prefix(leaf.path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        });
        let field = known.max_by_key(|leaf| leaf.path.len()).map(|leaf| leaf.path.clone());
        let value = match &field {
            Some(path) => filter[path.len()..].trim_start_matches(':'),
            None => filter.split_once(':').map_or("", |(_, value)| value),
        };
        let value = if value.is_empty() {
            language.text("value.missing")
        } else {
            shorten(value, 60)
        };
        let name = field.map_or_else(
            || language.text("table.inside"),
            |path| path_label(definition, &path, language),
        );
        let href = address.with(|a| {
            a.filter.remove(at);
        });
        (format!("{name}: {value}"), href)
    };
    address.filter.iter().enumerate().map(chip).collect()
}

fn heads(
    address: &Address,
    definition: &RecordType,
    makes: &[String],
    may_write: bool,
    language: Language,
) -> Vec<Head> {
    let leaves = address.leaves(definition);
    let mut heads: Vec<Head> = Vec::with_capacity(leaves.len() + 1);
    for (at, leaf) in leaves.iter().enumerate() {
        let ascending = address.look.sort == leaf.path;
        let descending = address.look.sort.strip_prefix('-') == Some(&leaf.path);
        let number = matches!(leaf.field.kind, FieldKind::Integer | FieldKind::Number) && !leaf.repeated;
        let next = if ascending {
            format!("-{}", leaf.path)
        } else {
            leaf.path.clone()
        };
        let titled = definition.title.as_ref() == Some(&leaf.path);
        let usual = match (titled, number) {
            (true, _) => TITLE,
            (false, true) => NUMBERS,
            (false, false) => USUAL,
        };
        let editable = may_write && cell::is_plain(&definition.fields, leaf);
        heads.push(Head {
            label: path_label(definition, &leaf.path, language),
            width: address.look.widths.get(&leaf.path).copied().unwrap_or(usual),
            sort_href: address.with(|a| a.look.sort = next),
            order: match (ascending, descending) {
                (true, _) => "ascending",
                (_, true) => "descending",
                _ => "",
            },
            editor: editable.then(|| editor(definition, leaf, (at, makes), language)),
            path: leaf.path.clone(),
            raw: leaf.field.kind == FieldKind::Date,
            number,
        });
    }
    let titled = leaves.first().map(|leaf| &leaf.path) == definition.title.as_ref();
    if !titled || leaves.is_empty() {
        heads.insert(0, plain_head(address, language));
    }
    heads
}

/// The head of the titles where they are no field: newest first or last.
fn plain_head(address: &Address, language: Language) -> Head {
    let ascending = address.look.sort == "created";
    Head {
        path: String::new(),
        label: language.text("search.record"),
        width: TITLE,
        number: false,
        sort_href: address.with(|a| a.look.sort = if ascending { "-created" } else { "created" }.to_owned()),
        order: "",
        raw: false,
        editor: None,
    }
}

/// What may be a column: those shown first, in their order.
fn choices(address: &Address, definition: &RecordType, language: Language) -> Vec<Choice> {
    let shown = &address.look.columns;
    let leaves = path::leaves(&definition.fields);
    let others = leaves.iter().map(|leaf| leaf.path.clone());
    let others = others.filter(|path| !shown.contains(path) && definition.title.as_ref() != Some(path));
    let choice = |value: String| Choice {
        label: path_label(definition, &value, language),
        chosen: shown.contains(&value),
        value,
    };
    shown
        .iter()
        .cloned()
        .chain(others.collect::<Vec<_>>())
        .map(choice)
        .collect()
}

fn sorts(address: &Address, definition: &RecordType, language: Language) -> Vec<Choice> {
    let fixed = [
        ("-created", "search.by.created-desc"),
        ("created", "search.by.created-asc"),
        ("-updated", "search.by.updated-desc"),
    ];
    let mut sorts: Vec<(String, String)> = Vec::new();
    if !address.q.is_empty() {
        sorts.push((String::new(), language.text("search.by.relevance")));
    }
    sorts.extend(fixed.map(|(value, key)| (value.to_owned(), language.text(key))));
    for leaf in address.leaves(definition) {
        let name = path_label(definition, &leaf.path, language);
        for (sign, key) in [("", "search.by.field-asc"), ("-", "search.by.field-desc")] {
            sorts.push((format!("{sign}{}", leaf.path), language.with(key, &[("field", &name)])));
        }
    }
    let usual = if address.q.is_empty() { "-created" } else { "" };
    let now = Some(address.look.sort.as_str())
        .filter(|sort| !sort.is_empty())
        .unwrap_or(usual);
    let choice = |(value, label): (String, String)| Choice {
        chosen: value == now,
        value,
        label,
    };
    sorts.into_iter().map(choice).collect()
}
