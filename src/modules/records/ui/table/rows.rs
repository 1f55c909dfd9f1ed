//! Rows of a table: what was found, some of it by its number, each field as the text of a cell.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::address::Address;
use crate::contract::records::{FieldKind, RECORDS_READ, RECORDS_WRITE, RecordType};
use crate::kernel::access::{Object, Visibility};
use crate::kernel::civil::Civil;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::search::{Answer, MAX_DEPTH, Query};
use crate::kernel::ui::{Page, shorten, texts};
use crate::modules::records::model::cell::{self, BETWEEN};
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::service::Seen;
use crate::modules::records::service::batch::filter;
use crate::modules::records::ui::Pages;

/// Rows that are sent at once.
pub const BLOCK: usize = 50;
/// Characters of a cell.
const SHOWN: usize = 240;
/// How long rows that follow a write wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is asked again because rights changed meanwhile.
const TRIES: usize = 5;

/// A record on its row.
pub struct Row {
    /// From 1.
    pub number: usize,
    pub id: String,
    pub version: i64,
    pub title: String,
    /// The first is the title's.
    pub cells: Vec<Cell>,
    /// It is not there any more, or hidden by now.
    pub gone: bool,
}

/// A field of a record.
pub struct Cell {
    pub shown: String,
    /// What is entered for it, where that is not what is shown.
    pub value: Option<String>,
    pub number: bool,
    /// It cannot be changed here.
    pub fixed: bool,
}

/// Rows with how many there are in all.
pub struct Window {
    pub total: u64,
    pub rows: Vec<Row>,
    /// Something to say about the question.
    pub hints: Vec<String>,
}

impl Pages {
    /// Asks for rows, from a number on.
    ///
    /// # Errors
    /// `Invalid` for a wrong question; what the search says.
    pub(super) async fn ask(
        &self,
        page: &Page,
        definition: &RecordType,
        address: &Address,
        (from, limit): (usize, usize),
    ) -> Result<Answer> {
        let filters = address.filter.iter().map(|text| filter(text, definition));
        let mut query = Query {
            kind: Some(ledger::RECORD.to_owned()),
            types: vec![definition.name.clone()],
            text: address.q.clone(),
            filters: filters.collect::<Result<Vec<_>>>()?,
            sort: address.sort(),
            limit,
            offset: (from - 1).min(MAX_DEPTH),
            deep: true,
            visibility: self.access.filter(&page.caller, RECORDS_READ).await?,
            ..Query::default()
        };
        // Who loses a right while this is answered is answered by what is left.
        for _ in 0..TRIES {
            let answer = self.search.search(query.clone()).await?;
            let now: Visibility = self.access.filter(&page.caller, RECORDS_READ).await?;
            if now == query.visibility {
                return Ok(answer);
            }
            query.visibility = now;
        }
        let text = "Your rights change right now. Ask again in a moment.";
        Err(Error::new(Code::Busy, text))
    }

    /// Waits for what the address says must be in the rows.
    pub(super) async fn wait(&self, after: Option<&str>) -> Result<()> {
        if let Some(text) = after.filter(|text| !text.is_empty()) {
            self.search.wait_for(text.parse()?, PATIENCE).await?;
        }
        Ok(())
    }

    /// The rows of an address from a number on.
    pub(super) async fn window(
        &self,
        page: &Page,
        definition: &RecordType,
        address: &Address,
        from: usize,
    ) -> Result<Window> {
        let answer = self.ask(page, definition, address, (from, BLOCK)).await?;
        let ids: Vec<String> = answer.hits.into_iter().map(|hit| hit.id).collect();
        let seen = self.service.read_many(&page.caller, &ids).await?;
        let seen: HashMap<&str, &Seen> = seen.iter().map(|one| (one.record.id.as_str(), one)).collect();
        let leaves = address.leaves(definition);
        let titles = self.linked_titles(page, &leaves, seen.values().copied()).await?;
        let maker = Maker {
            definition,
            leaves: &leaves,
            titles: &titles,
            language: page.language,
        };
        let closed = self.closed(page, definition, seen.values().copied()).await?;
        let numbered = ids.iter().enumerate().map(|(at, id)| (from + at, id));
        let rows = numbered.map(|(number, id)| match seen.get(id.as_str()) {
            Some(seen) => maker.row(number, seen, closed.contains(id.as_str())),
            None => maker.gone(number, id),
        });
        Ok(Window {
            total: answer.total,
            rows: rows.collect(),
            hints: answer.hints,
        })
    }

    /// Those of the records that somebody who writes in the collection may not change: others made them.
    async fn closed<'s>(
        &self,
        page: &Page,
        definition: &RecordType,
        records: impl Iterator<Item = &'s Seen>,
    ) -> Result<HashSet<&'s str>> {
        let object = Object::Type(&definition.name);
        if !page.may_of(&self.access, RECORDS_WRITE, &object).await {
            return Ok(HashSet::new());
        }
        let records: Vec<&Seen> = records.collect();
        let object = |seen: &&'s Seen| Object::Record {
            id: &seen.record.id,
            type_name: &seen.record.type_name,
            visibility: seen.record.visibility,
        };
        let objects: Vec<Object<'_>> = records.iter().map(object).collect();
        let levels = self.access.levels(&page.caller, RECORDS_WRITE, &objects).await?;
        let barred = records.iter().zip(levels).filter(|(_, level)| level.is_none());
        Ok(barred.map(|(seen, _)| seen.record.id.as_str()).collect())
    }

    /// What the records are called that these lead to by a column.
    pub(in super::super) async fn linked_titles(
        &self,
        page: &Page,
        leaves: &[Leaf<'_>],
        records: impl Iterator<Item = &Seen>,
    ) -> Result<HashMap<String, String>> {
        let links: Vec<&Leaf<'_>> = leaves
            .iter()
            .filter(|leaf| leaf.field.kind == FieldKind::Link)
            .collect();
        if links.is_empty() {
            return Ok(HashMap::new());
        }
        let mut ids: Vec<String> = Vec::new();
        for seen in records {
            for leaf in &links {
                let values = path::values(&seen.record.document, &leaf.steps);
                ids.extend(values.into_iter().filter_map(path::text));
            }
        }
        ids.sort();
        ids.dedup();
        let others = self.service.read_many(&page.caller, &ids).await?;
        Ok(others
            .into_iter()
            .map(|other| (other.record.id.clone(), other.title()))
            .filter(|(_, title)| !title.trim().is_empty())
            .collect())
    }
}

/// Makes the rows of one table.
pub struct Maker<'a> {
    pub definition: &'a RecordType,
    pub leaves: &'a [Leaf<'a>],
    pub titles: &'a HashMap<String, String>,
    pub language: Language,
}

impl Maker<'_> {
    fn row(&self, number: usize, seen: &Seen, closed: bool) -> Row {
        let document = &seen.record.document;
        let title = seen.title();
        let title = if title.trim().is_empty() {
            seen.record.id.clone()
        } else {
            shorten(&title, SHOWN)
        };
        let mut cells: Vec<Cell> = self.leaves.iter().map(|leaf| self.cell(leaf, document)).collect();
        let titled = self.leaves.first().map(|leaf| &leaf.path) == self.definition.title.as_ref();
        if !titled {
            cells.insert(0, fixed(title.clone()));
        } else if let Some(first) = cells.first_mut()
            && first.shown.is_empty()
        {
            // A record without a title still has something to click at.
            first.shown.clone_from(&title);
            first.value.get_or_insert_default();
        }
        for cell in &mut cells {
            cell.fixed |= closed;
        }
        Row {
            number,
            id: seen.record.id.clone(),
            version: seen.record.version,
            title,
            cells,
            gone: false,
        }
    }

    fn gone(&self, number: usize, id: &str) -> Row {
        let title = self.language.text("table.gone");
        let mut cells = vec![fixed(title.clone())];
        let columns = self.leaves.len() - usize::from(self.definition.title.is_some() && !self.leaves.is_empty());
        cells.extend((0..columns).map(|_| fixed(String::new())));
        Row {
            number,
            id: id.to_owned(),
            version: 0,
            title,
            cells,
            gone: true,
        }
    }

    fn cell(&self, leaf: &Leaf<'_>, document: &Map<String, Value>) -> Cell {
        let whole = shown(leaf, document, self.titles, self.language);
        let value = cell::text(leaf, document);
        let short = shorten(&whole, SHOWN);
        Cell {
            number: matches!(leaf.field.kind, FieldKind::Integer | FieldKind::Number) && !leaf.repeated,
            fixed: value.is_none() || !cell::is_plain(&self.definition.fields, leaf),
            // What cannot be entered is still copied whole.
            value: value.or(Some(whole)).filter(|value| *value != short),
            shown: short,
        }
    }
}

fn fixed(shown: String) -> Cell {
    Cell {
        shown,
        value: None,
        number: false,
        fixed: true,
    }
}

/// What a cell shows: values as people read them, records by their titles.
pub fn shown(
    leaf: &Leaf<'_>,
    document: &Map<String, Value>,
    titles: &HashMap<String, String>,
    language: Language,
) -> String {
    let mut values = texts(document, &leaf.path, language);
    for value in &mut values {
        match leaf.field.kind {
            FieldKind::Link => {
                if let Some(title) = titles.get(value) {
                    value.clone_from(title);
                }
            }
            FieldKind::Term => *value = leaf.field.called(value, language.tag()).to_owned(),
            // A year, a month or a day stands as it is entered; anything else is told in words.
            FieldKind::Date if Civil::stored(value).is_ok_and(|civil| !civil.is_plain()) => {
                if let Some(told) = language.civil(value) {
                    *value = told;
                }
            }
            _ => {}
        }
    }
    values.join(BETWEEN)
}
