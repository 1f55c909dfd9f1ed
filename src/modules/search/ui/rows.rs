//! What was found, as rows of a table or as cards: titles, cells, facts, the place where the words stand.

use super::address::Address;
use super::called::is_link;
use super::kind::{Kind, is_number, leaf_label};
use super::trees::Places;

use crate::contract::records::{FieldKind, Leaf, Record};
use crate::kernel::civil::Civil;
use crate::kernel::i18n::Language;
use crate::kernel::search::{Mark, highlight};
use crate::kernel::ui::{Plate, shorten, texts};
use crate::modules::search::service::Item;

/// Characters of a cell, of a fact and of a title.
const CELL: usize = 160;
const FACT: usize = 70;
/// Facts on a card.
const FACTS: usize = 3;

/// A text in pieces, each marked or not.
pub type Marked = Vec<(String, bool)>;

pub struct Column {
    pub label: String,
    pub number: bool,
    pub sort_href: Option<String>,
    pub ascending: bool,
    pub descending: bool,
}

pub struct Row {
    pub id: String,
    pub href: String,
    /// What stands above the title of a card: the type, or the word that says most.
    pub above: String,
    pub title: Marked,
    pub cells: Vec<Cell>,
    pub snippet: Option<Marked>,
    pub plate: Plate,
    /// A curator shows it first.
    pub first: bool,
}

pub struct Cell {
    pub label: String,
    pub text: Marked,
    pub number: bool,
    /// The value says nothing without its label.
    pub named: bool,
}

/// How the rows are to be.
pub struct Rows<'a> {
    pub address: &'a Address,
    pub kinds: &'a [Kind],
    /// The type that all are of, with its columns.
    pub kind: Option<&'a Kind>,
    pub columns: &'a [Leaf<'a>],
    pub cards: bool,
    /// What records are called that links lead to.
    pub called: &'a Places,
    pub marks: &'a [Mark],
    pub language: Language,
}

impl Rows<'_> {
    /// The heads of the table.
    pub fn heads(&self) -> Vec<Column> {
        let language = self.language;
        let plain = |label: String| Column {
            label,
            number: false,
            sort_href: None,
            ascending: false,
            descending: false,
        };
        let Some(kind) = self.kind else {
            return ["search.record", "search.summary", "search.type"]
                .map(|key| plain(language.text(key)))
                .into();
        };
        let sorted = |leaf: &Leaf<'_>| {
            let ascending = self.address.sort == leaf.path;
            let next = if ascending {
                format!("-{}", leaf.path)
            } else {
                leaf.path.clone()
            };
            Column {
                label: leaf_label(leaf, language),
                number: is_number(leaf),
                sort_href: Some(self.address.with(|a| a.sort = next)),
                ascending,
                descending: self.address.sort.strip_prefix('-') == Some(&leaf.path),
            }
        };
        let leaves = kind.leaves();
        let title = leaves.iter().find(|leaf| kind.is_title(&leaf.path));
        let first = title.map_or_else(|| plain(language.text("search.record")), sorted);
        std::iter::once(first).chain(self.columns.iter().map(sorted)).collect()
    }

    /// What is shown first, then what was found.
    pub fn all(&self, first: &[Item], items: &[Item]) -> Vec<Row> {
        let first = first.iter().map(|item| Row {
            first: true,
            ..self.row(item)
        });
        first.chain(items.iter().map(|item| self.row(item))).collect()
    }

    pub fn row(&self, item: &Item) -> Row {
        let kind = self.kinds.iter().find(|kind| kind.name() == item.record.type_name);
        let label = kind.map_or_else(|| item.record.type_name.clone(), |kind| kind.label(self.language));
        let own;
        let columns = match (self.kind, kind) {
            (None, Some(kind)) => {
                own = kind.columns(&[]);
                own.as_slice()
            }
            _ => self.columns,
        };
        let word = kind.and_then(|kind| word(&item.record, kind, columns, self.language));
        let cells = match (self.cards, self.kind) {
            (true, _) => self.facts(&item.record, columns, word.as_ref().map(|(path, _)| path.as_str())),
            (false, Some(_)) => columns.iter().map(|leaf| self.cell(&item.record, leaf)).collect(),
            (false, None) => {
                let about = self.facts(&item.record, columns, None);
                let about: Vec<String> = about.iter().map(|cell| whole(&cell.text)).collect();
                let about = highlight(&about.join(" · "), self.marks);
                [about, vec![(label.clone(), false)]].map(unnamed).into()
            }
        };
        let shown: Vec<&str> = columns.iter().map(|leaf| leaf.path.as_str()).collect();
        let mut places = item.highlights.iter();
        let snippet = places.find(|(path, _)| {
            let of_title = kind.is_some_and(|kind| kind.is_title(path));
            !of_title && !shown.contains(&path.as_str())
        });
        let title = if item.title.trim().is_empty() {
            &item.record.id
        } else {
            &item.title
        };
        let sort = word.as_ref().map_or(&item.record.type_name, |(_, text)| text);
        Row {
            id: item.record.id.clone(),
            href: format!("/records/{}", item.record.id),
            title: highlight(&shorten(title, CELL), self.marks),
            snippet: snippet.map(|(_, pieces)| pieces.clone()),
            first: false,
            plate: Plate::of(sort, &item.record.id).with(item.image.clone()),
            above: match (self.kind, word) {
                (Some(_), Some((_, text))) => shorten(&text, FACT),
                _ => label,
            },
            cells,
        }
    }

    fn cell(&self, record: &Record, leaf: &Leaf<'_>) -> Cell {
        let kind = leaf.field().map(|f| f.kind);
        let text = self.told(record, leaf).join(", ");
        Cell {
            label: leaf_label(leaf, self.language),
            text: highlight(&shorten(&text, CELL), self.marks),
            number: is_number(leaf),
            named: !matches!(kind, Some(FieldKind::Text | FieldKind::Term | FieldKind::Url)),
        }
    }

    /// The first columns that the record has something in, without the one that stands above the title.
    fn facts(&self, record: &Record, columns: &[Leaf<'_>], without: Option<&str>) -> Vec<Cell> {
        let mut facts = Vec::new();
        for leaf in columns.iter().filter(|leaf| Some(leaf.path.as_str()) != without) {
            let Some(text) = self.told(record, leaf).into_iter().next() else {
                continue;
            };
            // The year of a date that is written out already says nothing new.
            let year = text.get(..4).unwrap_or(&text);
            let of_date = leaf.field().is_some_and(|f| f.kind == FieldKind::Date);
            if of_date && facts.iter().any(|fact: &Cell| whole(&fact.text).contains(year)) {
                continue;
            }
            facts.push(Cell {
                text: highlight(&shorten(&text, FACT), self.marks),
                ..self.cell(record, leaf)
            });
            if facts.len() == FACTS {
                break;
            }
        }
        facts
    }

    /// The values of a field; links by what they lead to, as far as it is seen.
    fn told(&self, record: &Record, leaf: &Leaf<'_>) -> Vec<String> {
        let values = told(record, leaf, self.language);
        if !is_link(leaf) {
            return values;
        }
        let named = values.iter().filter_map(|id| self.called.get(id));
        named.map(|(title, _)| title.clone()).collect()
    }
}

/// The values of a field, terms as they are called, measures with their unit. A date that is more than a year, month or day is told in words.
fn told(record: &Record, leaf: &Leaf<'_>, language: Language) -> Vec<String> {
    let mut values = texts(&record.document, &leaf.path, language);
    if leaf.field().is_some_and(|field| field.kind == FieldKind::Number) {
        for text in &mut values {
            *text = language.figure(text);
        }
    }
    if let Some(unit) = leaf.field().and_then(|field| field.unit.as_ref()) {
        values
            .iter_mut()
            .for_each(|text| text.push_str(&format!("\u{a0}{unit}")));
    }
    if let Some(field) = leaf.field().filter(|field| !field.terms.is_empty()) {
        for text in &mut values {
            *text = field.called(text, language.tag()).to_owned();
        }
    }
    if leaf.field().is_some_and(|field| field.kind == FieldKind::Date) {
        for text in &mut values {
            if Civil::stored(text).is_ok_and(|civil| !civil.is_plain()) {
                *text = language.civil(text).unwrap_or_default();
            }
        }
    }
    values
}

/// The value of the first vocabulary among the columns, else among the facets: what sort of thing it is.
fn word(record: &Record, kind: &Kind, columns: &[Leaf<'_>], language: Language) -> Option<(String, String)> {
    let value = |leaf: &Leaf<'_>| {
        let field = leaf.field()?;
        if field.kind != FieldKind::Term || leaf.fields.len() > 1 {
            return None;
        }
        let text = texts(&record.document, &leaf.path, language).into_iter().next()?;
        Some((leaf.path.clone(), text))
    };
    columns
        .iter()
        .find_map(value)
        .or_else(|| kind.facets().iter().find_map(value))
}

fn whole(text: &Marked) -> String {
    text.iter().map(|(piece, _)| piece.as_str()).collect()
}

fn unnamed(text: Marked) -> Cell {
    Cell {
        label: String::new(),
        text,
        number: false,
        named: false,
    }
}
