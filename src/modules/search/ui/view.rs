//! The search page as its template sees it: what was found, turned into rows, facets, chips and addresses.

use askama::Template;

use super::address::Address;
use crate::contract::records::{FieldKind, Leaf, Record, RecordType};
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::kernel::search::{Answer, Facet, MAX_OFFSET, Mark, excerpt, highlight};
use crate::kernel::ui::{Page, Pager, PagerLinks, filters, label, shorten, texts, view};

/// Rows of one page.
pub const ROWS: usize = 25;
/// Columns beside the title.
const COLUMNS: usize = 5;
/// Facets that stand open from the start.
const OPEN: usize = 4;
/// Characters of a cell and of a text in a card.
const CELL: usize = 160;
const SNIPPET: usize = 280;

/// A text in pieces, each marked or not.
pub type Marked = Vec<(String, bool)>;

#[derive(Template)]
#[template(path = "modules/search/templates/search.html")]
pub struct SearchPage {
    pub page: Page,
    pub q: String,
    pub heading: String,
    pub total: u64,
    /// The address narrows or orders: not for the indexes of others.
    pub refined: bool,
    pub chips: Vec<Chip>,
    pub clear_href: String,
    pub facets: Vec<FacetView>,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub table: bool,
    pub table_href: String,
    pub cards_href: String,
    pub sorts: Vec<SortOption>,
    pub sort_fields: Vec<(&'static str, String)>,
    pub pager: Option<PagerLinks>,
    /// There is more than can be paged to.
    pub far: bool,
    pub hints: Vec<String>,
    pub behind: bool,
    pub api_href: String,
}
view!(SearchPage);

pub struct Chip {
    pub field: String,
    pub value: String,
    pub href: String,
}

pub struct FacetView {
    pub label: String,
    pub open: bool,
    pub values: Vec<FacetValueView>,
    /// Where all values are shown, and how many more there are.
    pub more: Option<String>,
    pub hidden: u64,
}

pub struct FacetValueView {
    pub label: String,
    pub count: u64,
    pub href: String,
    pub selected: bool,
    pub missing: bool,
    /// Width of the bar.
    pub percent: u64,
}

pub struct Column {
    pub label: String,
    pub number: bool,
    pub sort_href: Option<String>,
    pub ascending: bool,
    pub descending: bool,
}

pub struct Row {
    pub href: String,
    pub type_label: String,
    pub title: Marked,
    pub cells: Vec<Cell>,
    pub snippet: Option<Marked>,
}

pub struct Cell {
    pub label: String,
    pub text: Marked,
    pub number: bool,
}

pub struct SortOption {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

/// A type with what this caller may know of it.
pub struct Kind {
    pub definition: RecordType,
    pub level: Level,
}

impl Kind {
    pub fn label(&self, language: Language) -> String {
        label(&self.definition.labels, &self.definition.name, language)
    }
    /// The fields the caller may see.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        self.definition
            .leaves()
            .into_iter()
            .filter(|leaf| leaf.level <= self.level)
            .collect()
    }
    pub fn columns(&self) -> Vec<Leaf<'_>> {
        let shown = |leaf: &Leaf<'_>| {
            let is_title = self.definition.title.as_deref() == Some(leaf.path.as_str());
            !is_title && leaf.field().is_some_and(|f| f.column && f.kind != FieldKind::Link)
        };
        self.leaves().into_iter().filter(shown).take(COLUMNS).collect()
    }
    pub fn facets(&self) -> Vec<Leaf<'_>> {
        self.leaves()
            .into_iter()
            .filter(|leaf| leaf.field().is_some_and(|f| f.facet))
            .collect()
    }
}

/// The labels on the way to a field: `Creator › Nationality`.
pub fn leaf_label(leaf: &Leaf<'_>, language: Language) -> String {
    let labels: Vec<String> = leaf
        .fields
        .iter()
        .map(|f| label(&f.labels, &f.name, language))
        .collect();
    labels.join(" › ")
}

/// A found record: as far as the caller may see it, with its title.
pub struct Found {
    pub record: Record,
    pub title: String,
}

/// Everything the page is made of.
pub struct Findings<'a> {
    pub address: &'a Address,
    pub answer: &'a Answer,
    pub kinds: &'a [Kind],
    pub found: &'a [Found],
    pub behind: bool,
    /// The type was not chosen: everything that was found is of it.
    pub implied: bool,
}

impl Findings<'_> {
    fn chosen_kind(&self) -> Option<&Kind> {
        self.kind(&self.address.type_name)
    }
    fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.definition.name == name)
    }

    /// Builds the page. `types` are the counts by type, where no type is chosen.
    pub fn page(&self, mut page: Page, types: &[(String, u64)]) -> SearchPage {
        let (address, language) = (self.address, page.language);
        let kind = self.chosen_kind();
        page.query.clone_from(&address.q);
        let mut facets = Vec::new();
        facets.extend(self.type_facet(types, language));
        if let Some(kind) = kind {
            facets.extend(self.facets(kind, language));
        }
        let reach = MAX_OFFSET + ROWS;
        let pager = Pager::new(address.page, self.answer.total, ROWS, reach);
        SearchPage {
            q: address.q.clone(),
            heading: kind.map_or_else(|| language.text("search.everything"), |kind| kind.label(language)),
            total: self.answer.total,
            refined: *address
                != Address {
                    type_name: address.type_name.clone(),
                    page: 1,
                    ..Address::default()
                },
            chips: self.chips(language),
            clear_href: address.with(|a| {
                a.chosen.clear();
                a.more.clear();
            }),
            facets,
            columns: self.columns(language),
            rows: self.found.iter().map(|found| self.row(found, language)).collect(),
            table: !address.cards,
            table_href: address.with(|a| a.cards = false),
            cards_href: address.with(|a| a.cards = true),
            sorts: self.sorts(language),
            sort_fields: Address {
                sort: String::new(),
                page: 1,
                ..address.clone()
            }
            .pairs(),
            pager: pager.map(|p| {
                p.links(|n| {
                    Address {
                        page: n,
                        ..address.clone()
                    }
                    .href("/search")
                })
            }),
            far: self.answer.total > reach as u64,
            hints: self.answer.hints.clone(),
            behind: self.behind,
            api_href: Address {
                cards: false,
                page: 1,
                more: String::new(),
                ..address.clone()
            }
            .href("/api/search"),
            page,
        }
    }

    fn chips(&self, language: Language) -> Vec<Chip> {
        let leaves = self.chosen_kind().map(Kind::leaves).unwrap_or_default();
        let name = |field: &str| {
            let leaf = leaves.iter().find(|leaf| leaf.path == field);
            leaf.map_or_else(|| field.to_owned(), |leaf| leaf_label(leaf, language))
        };
        let chip = |c: &super::address::Chosen| Chip {
            field: name(&c.field),
            value: c.value.clone().unwrap_or_else(|| language.text("value.missing")),
            href: self.address.toggled(&c.field, c.value.as_deref()),
        };
        let mut chips: Vec<Chip> = Vec::new();
        if let Some(kind) = self.chosen_kind().filter(|_| self.kinds.len() > 1 && !self.implied) {
            chips.push(Chip {
                field: language.text("search.type"),
                value: kind.label(language),
                href: self.address.with(|a| {
                    a.type_name.clear();
                    a.chosen.clear();
                }),
            });
        }
        chips.extend(self.address.chosen.iter().map(chip));
        chips
    }

    fn type_facet(&self, types: &[(String, u64)], language: Language) -> Option<FacetView> {
        if types.len() < 2 {
            return None;
        }
        let most = types.iter().map(|(_, count)| *count).max().unwrap_or_default();
        let values = types.iter().map(|(name, count)| FacetValueView {
            label: self
                .kind(name)
                .map_or_else(|| name.clone(), |kind| kind.label(language)),
            count: *count,
            href: self.address.with(|a| {
                a.chosen.clear();
                a.type_name = if a.type_name == *name {
                    String::new()
                } else {
                    name.clone()
                };
            }),
            selected: self.address.type_name == *name,
            missing: false,
            percent: percent(*count, most),
        });
        Some(FacetView {
            label: language.text("search.type"),
            open: true,
            values: values.collect(),
            more: None,
            hidden: 0,
        })
    }

    fn facets(&self, kind: &Kind, language: Language) -> Vec<FacetView> {
        let leaves = kind.facets();
        let mut out = Vec::new();
        for (at, facet) in self.answer.facets.iter().enumerate() {
            let Some(leaf) = leaves.iter().find(|leaf| leaf.path == facet.field) else {
                continue;
            };
            let chosen = self.address.chosen.iter().any(|c| c.field == facet.field);
            let more = self.address.more == facet.field;
            let values = self.values(facet, language);
            // A facet whose one value everything has says nothing.
            if values.is_empty() {
                continue;
            }
            let given = facet.values.iter().filter(|v| v.value.is_some()).count() as u64;
            let hidden = facet.distinct.saturating_sub(given);
            out.push(FacetView {
                label: leaf_label(leaf, language),
                open: at < OPEN || chosen || more,
                values,
                more: (hidden > 0 && !more).then(|| self.address.with(|a| a.more.clone_from(&facet.field))),
                hidden,
            });
        }
        out
    }

    fn values(&self, facet: &Facet, language: Language) -> Vec<FacetValueView> {
        let most = facet.values.iter().map(|v| v.count).max().unwrap_or_default();
        let view = |value: Option<&str>, count: u64| FacetValueView {
            label: value.map_or_else(|| language.text("value.missing"), |v| shorten(v, CELL)),
            count,
            href: self.address.toggled(&facet.field, value),
            selected: self.address.is_chosen(&facet.field, value),
            missing: value.is_none(),
            percent: percent(count, most),
        };
        let mut values: Vec<FacetValueView> = facet
            .values
            .iter()
            .filter(|v| v.count > 0)
            .map(|v| view(v.value.as_deref(), v.count))
            .collect();
        // What is chosen can always be taken back, also when nothing has it any more.
        for chosen in self.address.chosen.iter().filter(|c| c.field == facet.field) {
            if !facet.values.iter().any(|v| v.count > 0 && v.value == chosen.value) {
                values.push(view(chosen.value.as_deref(), 0));
            }
        }
        values
    }

    fn columns(&self, language: Language) -> Vec<Column> {
        let plain = |label: String| Column {
            label,
            number: false,
            sort_href: None,
            ascending: false,
            descending: false,
        };
        let Some(kind) = self.chosen_kind() else {
            return vec![
                plain(language.text("search.record")),
                plain(language.text("search.summary")),
                plain(language.text("search.type")),
            ];
        };
        let sorted = |label: String, field: &str, number: bool| {
            let ascending = self.address.sort == field;
            let descending = self.address.sort.strip_prefix('-') == Some(field);
            let next = if ascending {
                format!("-{field}")
            } else {
                field.to_owned()
            };
            Column {
                label,
                number,
                sort_href: Some(self.address.with(|a| a.sort = next)),
                ascending,
                descending,
            }
        };
        let leaves = kind.leaves();
        let title = kind
            .definition
            .title
            .as_deref()
            .and_then(|t| leaves.iter().find(|leaf| leaf.path == t));
        let first = match title {
            Some(leaf) => sorted(leaf_label(leaf, language), &leaf.path, false),
            None => plain(language.text("search.record")),
        };
        let rest = kind.columns();
        let rest = rest
            .iter()
            .map(|leaf| sorted(leaf_label(leaf, language), &leaf.path, is_number(leaf)));
        std::iter::once(first).chain(rest).collect()
    }

    fn sorts(&self, language: Language) -> Vec<SortOption> {
        let current = if self.address.sort.is_empty() {
            default_sort(self.address)
        } else {
            &self.address.sort
        };
        let mut options: Vec<(String, String)> = vec![
            ("-created".to_owned(), language.text("search.by.created-desc")),
            ("created".to_owned(), language.text("search.by.created-asc")),
            ("-updated".to_owned(), language.text("search.by.updated-desc")),
        ];
        if !self.address.q.is_empty() {
            options.insert(0, ("relevance".to_owned(), language.text("search.by.relevance")));
        }
        if let Some(kind) = self.chosen_kind() {
            let title = kind.definition.title.as_deref();
            let leaves = kind.leaves();
            let titles = leaves.iter().filter(|leaf| Some(leaf.path.as_str()) == title);
            for leaf in titles.chain(kind.columns().iter()) {
                let name = leaf_label(leaf, language);
                options.push((
                    leaf.path.clone(),
                    language.with("search.by.field-asc", &[("field", &name)]),
                ));
                options.push((
                    format!("-{}", leaf.path),
                    language.with("search.by.field-desc", &[("field", &name)]),
                ));
            }
        }
        let option = |(value, label): (String, String)| SortOption {
            selected: value == current,
            value,
            label,
        };
        options.into_iter().map(option).collect()
    }

    fn row(&self, found: &Found, language: Language) -> Row {
        let (record, marks) = (&found.record, &self.answer.marks);
        let kind = self.kind(&record.type_name);
        let type_label = kind.map_or_else(|| record.type_name.clone(), |kind| kind.label(language));
        let cells = match (kind, self.address.type_name.is_empty() && !self.address.cards) {
            (kind, true) => {
                let about = kind.map(|kind| summary(record, kind, language)).unwrap_or_default();
                let cells = [highlight(&about, marks), vec![(type_label.clone(), false)]];
                cells.map(unnamed).into()
            }
            (Some(kind), false) => kind
                .columns()
                .iter()
                .map(|leaf| cell(record, leaf, marks, language))
                .collect(),
            (None, false) => Vec::new(),
        };
        Row {
            href: format!("/records/{}", record.id),
            title: highlight(&shorten(&found.title, CELL), marks),
            snippet: kind.and_then(|kind| snippet(record, kind, marks, language)),
            type_label,
            cells,
        }
    }
}

/// The order where none is chosen, as the sort control shows it.
pub fn default_sort(address: &Address) -> &'static str {
    if address.q.is_empty() { "-created" } else { "relevance" }
}

fn percent(count: u64, most: u64) -> u64 {
    if count == 0 {
        0
    } else {
        (count * 100 / most.max(1)).max(1)
    }
}

fn is_number(leaf: &Leaf<'_>) -> bool {
    leaf.field()
        .is_some_and(|f| matches!(f.kind, FieldKind::Integer | FieldKind::Number) && !f.repeated)
}

fn cell(record: &Record, leaf: &Leaf<'_>, marks: &[Mark], language: Language) -> Cell {
    let text = texts(&record.document, &leaf.path, language).join(", ");
    Cell {
        label: leaf_label(leaf, language),
        text: highlight(&shorten(&text, CELL), marks),
        number: is_number(leaf),
    }
}

/// The values of the first columns in one line, for a table of several types.
fn summary(record: &Record, kind: &Kind, language: Language) -> String {
    let columns = kind.columns();
    let values = columns
        .iter()
        .filter_map(|leaf| texts(&record.document, &leaf.path, language).into_iter().next());
    let values: Vec<String> = values.filter(|text| !text.is_empty()).take(3).collect();
    shorten(&values.join(" · "), CELL)
}

fn unnamed(text: Marked) -> Cell {
    Cell {
        label: String::new(),
        text,
        number: false,
    }
}

/// The first long text in which something was found, around it.
fn snippet(record: &Record, kind: &Kind, marks: &[Mark], language: Language) -> Option<Marked> {
    if marks.is_empty() {
        return None;
    }
    let columns: Vec<String> = kind.columns().into_iter().map(|leaf| leaf.path).collect();
    let leaves = kind.leaves();
    let rest = leaves.iter().filter(|leaf| {
        let is_title = kind.definition.title.as_deref() == Some(leaf.path.as_str());
        !is_title && !columns.contains(&leaf.path)
    });
    rest.flat_map(|leaf| texts(&record.document, &leaf.path, language))
        .find_map(|text| excerpt(&text, marks, SNIPPET))
}
