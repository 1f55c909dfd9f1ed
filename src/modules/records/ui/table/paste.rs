//! What was pasted from a spreadsheet into the table: which records and fields it meets, as a batch that is looked at
//! before anything is changed. What is there already is left out; what does not fit is refused with its place.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::address::{Address, Params};
use super::rows::shown;
use crate::contract::records::{FieldKind, RECORDS_READ, RECORDS_WRITE, RecordType};
use crate::kernel::access::Object;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Json, Path, prefers_html};
use crate::kernel::id::is_id;
use crate::kernel::ledger;
use crate::kernel::search::{MAX_LIMIT, Query};
use crate::kernel::ui::{Page, shorten};
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::model::rule::Action;
use crate::modules::records::model::{cell, tsv};
use crate::modules::records::service::Seen;
use crate::modules::records::service::batch::Selection;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::names::path_label;

/// Titles of linked records that are looked up, and bytes of one.
const TITLES: usize = 200;
const LONGEST: usize = 300;
/// Records with the words of a title that are compared with it.
const ALIKE: usize = 50;

/// What the table sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pasted {
    q: String,
    filter: Vec<String>,
    sort: String,
    column: Vec<String>,
    width: Vec<String>,
    /// The number of the first row, and the record that stands there.
    row: usize,
    first: String,
    /// The field of the first column.
    cell: String,
    /// Rows and columns that were chosen, where the same is to stand in all of them.
    high: usize,
    wide: usize,
    /// Tabs between cells, a line for each row.
    text: String,
}

/// `POST /types/{name}/table/paste`: makes a batch of it and leads there.
pub async fn paste(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(pasted): Form<Pasted>,
) -> Result<Response> {
    let definition = pages.table_type(&page, &name).await?;
    pages
        .access
        .require(&page.caller, RECORDS_WRITE, &Object::Type(&name))
        .await?;
    let cells = block(&pasted)?;
    let params = Params {
        q: pasted.q,
        filter: pasted.filter,
        sort: pasted.sort,
        column: pasted.column,
        width: pasted.width,
        from: Some(pasted.row),
        after: None,
    };
    let address = Address::read(params, &definition, None);
    let leaves = address.leaves(&definition);
    let wide = cells.first().map_or(0, Vec::len);
    let leaves = columns(&leaves, &pasted.cell, wide)?;
    let place = Place {
        page: &page,
        definition: &definition,
        leaves,
    };
    let records = pages.pasted_on(&place, &address, &pasted.first, cells.len()).await?;
    let values = pages.values(&place, &records, &cells).await?;
    if values.is_empty() {
        let text = "holds what stands there already, so nothing would change.";
        return Err(Error::invalid("text", text));
    }
    let (fields, values) = trimmed(&place.leaves, values);
    let selection = Selection {
        type_name: name,
        ids: values.keys().cloned().collect(),
        from: address.href(),
        ..Selection::default()
    };
    let action = Action::Fill { fields, values };
    let batch = pages.batches.choose(&page.caller, &selection).await?;
    if let Err(error) = pages.batches.decide(&page.caller, &batch.id, &action).await {
        pages.batches.forget(&page.caller, &batch.id).await?;
        return Err(error);
    }
    let to = format!("/batches/{}", batch.id);
    if prefers_html(&headers) {
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response());
    }
    Ok((StatusCode::CREATED, Json(json!({ "batch": batch.id, "to": to }))).into_response())
}

type Values = BTreeMap<String, Vec<Option<String>>>;

/// Only the columns in which something changes: others may be such that cannot be changed.
fn trimmed(leaves: &[Leaf<'_>], values: Values) -> (Vec<String>, Values) {
    let used: Vec<bool> = (0..leaves.len())
        .map(|at| values.values().any(|row| row[at].is_some()))
        .collect();
    let fields = leaves.iter().zip(&used).filter(|(_, used)| **used);
    let cut = |row: Vec<Option<String>>| {
        row.into_iter()
            .zip(&used)
            .filter(|(_, used)| **used)
            .map(|(value, _)| value)
    };
    let fields = fields.map(|(leaf, _)| leaf.path.clone()).collect();
    (
        fields,
        values.into_iter().map(|(id, row)| (id, cut(row).collect())).collect(),
    )
}

/// Where something is pasted.
struct Place<'a> {
    page: &'a Page,
    definition: &'a RecordType,
    leaves: Vec<Leaf<'a>>,
}

/// The cells of the text; one block in all of what was chosen, where it fits into that without a rest.
fn block(pasted: &Pasted) -> Result<Vec<Vec<String>>> {
    let too_many = || {
        let text = format!(
            "has more than {} lines or {} cells. Import a file for that much.",
            tsv::MOST_ROWS,
            tsv::MOST_CELLS
        );
        Error::invalid("text", text)
    };
    let rows = tsv::read(&pasted.text).ok_or_else(too_many)?;
    let (lines, width) = (rows.len(), rows.first().map_or(0, Vec::len));
    if lines == 0 {
        return Err(Error::invalid("text", "is empty."));
    }
    let (high, wide) = (pasted.high.max(lines), pasted.wide.max(width));
    if high % lines != 0 || wide % width != 0 {
        return Ok(rows);
    }
    if high > tsv::MOST_ROWS || high.saturating_mul(wide) > tsv::MOST_CELLS {
        return Err(too_many());
    }
    let row = |at: usize| (0..wide).map(|n| rows[at % lines][n % width].clone()).collect();
    Ok((0..high).map(row).collect())
}

/// So many columns from a field on.
fn columns<'a>(leaves: &[Leaf<'a>], first: &str, wide: usize) -> Result<Vec<Leaf<'a>>> {
    let at = leaves.iter().position(|leaf| leaf.path == first).ok_or_else(|| {
        let text = format!("\"{}\" is no column of this table.", shorten(first, 60));
        Error::invalid("cell", text)
    })?;
    let there = leaves.len() - at;
    if wide > there {
        let text = format!(
            "has {wide} columns, but the table has {there} from the chosen cell on. Show more columns, or paste further to the left."
        );
        return Err(Error::invalid("text", text));
    }
    Ok(leaves[at..at + wide].to_vec())
}

impl Pages {
    /// The records of so many rows, as the table showed them.
    async fn pasted_on(&self, place: &Place<'_>, address: &Address, first: &str, high: usize) -> Result<Vec<Seen>> {
        let mut ids: Vec<String> = Vec::with_capacity(high);
        while ids.len() < high {
            let wanted = (high - ids.len()).min(MAX_LIMIT);
            let from = (address.from + ids.len(), wanted);
            let answer = self.ask(place.page, place.definition, address, from).await?;
            if answer.hits.is_empty() {
                break;
            }
            ids.extend(answer.hits.into_iter().map(|hit| hit.id));
        }
        if ids.first().is_none_or(|id| id != first) {
            let text = "The rows of the table have changed meanwhile. Load it again and paste once more.";
            return Err(Error::new(Code::Conflict, text));
        }
        if ids.len() < high {
            let text = format!("has {high} lines, but the table ends after {} of them.", ids.len());
            return Err(Error::invalid("text", text));
        }
        let records = self.service.read_many(&place.page.caller, &ids).await?;
        if records.len() < ids.len() {
            let text = "Some of these records are not there any more. Load the table again and paste once more.";
            return Err(Error::new(Code::Conflict, text));
        }
        Ok(records)
    }

    /// What each record is given; those that have it all already are left out.
    async fn values(&self, place: &Place<'_>, records: &[Seen], cells: &[Vec<String>]) -> Result<Values> {
        let titles = self.linked_titles(place.page, &place.leaves, records.iter()).await?;
        let named = self.named(place, cells).await?;
        let mut values = BTreeMap::new();
        for (line, (seen, texts)) in records.iter().zip(cells).enumerate() {
            let mut row = Vec::with_capacity(texts.len());
            for (leaf, text) in place.leaves.iter().zip(texts) {
                let document = &seen.record.document;
                let before = cell::text(leaf, document);
                let same =
                    before.as_ref() == Some(text) || shown(leaf, document, &titles, place.page.language) == *text;
                if !same && !cell::is_plain(&place.definition.fields, leaf) {
                    let name = path_label(place.definition, &leaf.path, place.page.language);
                    let text = format!(
                        "would change \"{}\" in line {}, which is part of a list or given by the house. Change it by the form, or leave the column out.",
                        shorten(&name, 60),
                        line + 1
                    );
                    return Err(Error::invalid("text", text));
                }
                row.push((!same).then(|| entered(leaf, text, &named, place.page)));
            }
            if row.iter().any(Option::is_some) {
                values.insert(seen.record.id.clone(), row);
            }
        }
        Ok(values)
    }

    /// Ids of records that cells of links name by their key or their title, where exactly one is called so.
    async fn named(&self, place: &Place<'_>, cells: &[Vec<String>]) -> Result<HashMap<(String, String), String>> {
        let mut named = HashMap::new();
        for (at, leaf) in place.leaves.iter().enumerate() {
            let (FieldKind::Link, Some(target)) = (leaf.field.kind, &leaf.field.target) else {
                continue;
            };
            let texts = cells.iter().flat_map(|row| row[at].split('|').map(str::trim));
            let mut texts: Vec<&str> = texts
                .filter(|text| (1..=LONGEST).contains(&text.len()) && !is_id(text) && !text.contains("/records/"))
                .collect();
            texts.sort_unstable();
            texts.dedup();
            for text in texts.into_iter().take(TITLES) {
                if let Some(id) = self.called(place.page, target, text).await? {
                    named.insert((leaf.path.clone(), text.to_owned()), id);
                }
            }
        }
        Ok(named)
    }

    /// The one record of a type with this key or title, as far as the caller sees it.
    async fn called(&self, page: &Page, target: &str, text: &str) -> Result<Option<String>> {
        let Some(stored) = self.service.find_type(target).await? else {
            return Ok(None);
        };
        let Some(definition) = self.service.shown_type(&page.caller, &stored).await? else {
            return Ok(None);
        };
        for path in definition.key.iter().chain(&definition.title) {
            let Some(leaf) = path::find(&definition.fields, path) else {
                continue;
            };
            let query = Query {
                kind: Some(ledger::RECORD.to_owned()),
                types: vec![target.to_owned()],
                text: format!("{path}:\"{}\"", text.replace('"', " ")),
                limit: ALIKE,
                visibility: self.access.filter(&page.caller, RECORDS_READ).await?,
                ..Query::default()
            };
            let answer = self.search.search(query).await?;
            let ids: Vec<String> = answer.hits.into_iter().map(|hit| hit.id).collect();
            let seen = self.service.read_many(&page.caller, &ids).await?;
            let is = |one: &&Seen| cell::text(&leaf, &one.record.document).as_deref() == Some(text);
            if let [only] = seen.iter().filter(is).collect::<Vec<_>>().as_slice() {
                return Ok(Some(only.record.id.clone()));
            }
        }
        Ok(None)
    }
}

/// What is entered for a text as a spreadsheet writes it.
fn entered(leaf: &Leaf<'_>, text: &str, named: &HashMap<(String, String), String>, page: &Page) -> String {
    match leaf.field.kind {
        FieldKind::Boolean => {
            let small = text.trim().to_lowercase();
            let said = |key: &str| page.language.text(key).to_lowercase() == small;
            if said("value.yes") || small == "1" {
                "true".to_owned()
            } else if said("value.no") || small == "0" {
                "false".to_owned()
            } else {
                small
            }
        }
        FieldKind::Link => each(leaf, text, |part| {
            let known = named.get(&(leaf.path.clone(), part.to_owned()));
            known.cloned().unwrap_or_else(|| part.to_owned())
        }),
        // A term may be written as it is called.
        FieldKind::Term if !leaf.field.terms.is_empty() => each(leaf, text, |part| {
            let called = |value: &str| leaf.field.called(value, page.language.tag()) == part;
            let known = leaf.field.terms.iter().find(|term| called(&term.value));
            known.map_or_else(|| part.to_owned(), |term| term.value.clone())
        }),
        _ => text.to_owned(),
    }
}

/// The values of a cell, each turned into what is stored.
fn each(leaf: &Leaf<'_>, text: &str, turn: impl Fn(&str) -> String) -> String {
    if !leaf.field.repeated {
        return turn(text.trim());
    }
    let parts: Vec<String> = text.split('|').map(|part| turn(part.trim())).collect();
    parts.join(cell::BETWEEN)
}
