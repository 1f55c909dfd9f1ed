//! What stands beside the results: the values of fields with bars, numbers and years as plots with a form for a span,
//! and what is in use as chips.

use super::address::{Address, Chosen};
use super::exports;
use super::kind::{Kind, is_plotted, leaf_label};
use super::map::told;
use super::span::is_span;
use super::trees::Places;
use crate::contract::records::{Field, FieldKind, Leaf};
use crate::kernel::i18n::Language;
use crate::kernel::search::{Facet, FacetRequest, FacetValue, fold};
use crate::kernel::ui::plot::{Column, Columns};
use crate::kernel::ui::shorten;

/// Facets that stand open from the start.
const OPEN: usize = 4;
/// Characters of a value.
const VALUE: usize = 120;
/// Values listed of those that hold a text.
const FOUND: usize = 100;

pub struct FacetView {
    pub label: String,
    pub open: bool,
    /// Bars and a form instead of a list of values.
    pub plot: Option<Plot>,
    pub values: Vec<FacetValueView>,
    /// Where all values are shown, and how many more there are.
    pub more: Option<String>,
    pub hidden: u64,
    /// All values are shown: a form to look through them, and the way back.
    pub finder: Option<Finder>,
    /// Where it is no longer shown, if the address added it.
    pub put_away: Option<String>,
}

pub struct FacetValueView {
    pub label: String,
    pub count: u64,
    pub href: String,
    pub selected: bool,
    pub missing: bool,
    /// Width of the bar.
    pub percent: u64,
    /// How far it stands below others: a decade in its century.
    pub depth: usize,
}

#[derive(Default)]
pub struct Plot {
    pub columns: Columns,
    /// Number of the facet, for names of controls on the page.
    pub number: usize,
    pub field: String,
    pub from: String,
    pub to: String,
    /// What the smallest and the largest value are, as a hint in the form.
    pub lowest: String,
    pub highest: String,
    /// The rest of the address.
    pub hidden: Vec<(&'static str, String)>,
}

pub struct Finder {
    pub number: usize,
    /// Where values are asked for while one types, where not all are shown; and the address that a value is added to.
    pub values: String,
    pub base: String,
    pub find: String,
    pub hidden: Vec<(&'static str, String)>,
    pub fewer: String,
}

pub struct Chip {
    pub field: String,
    pub value: String,
    pub href: String,
}

/// Writes facets for one address.
pub struct Facets<'a> {
    pub address: &'a Address,
    /// What records are called that links lead to.
    pub called: &'a Places,
    pub language: Language,
}

impl Facets<'_> {
    /// The facets of a type, from their counts.
    pub fn of(&self, kind: &Kind, counted: &[Facet]) -> Vec<FacetView> {
        let leaves = kind.facets_of(self.address);
        let mut out = Vec::new();
        for facet in counted {
            let Some(leaf) = leaves.iter().find(|leaf| leaf.path == facet.field) else {
                continue;
            };
            let chosen = self.address.chosen.iter().any(|c| c.field == facet.field);
            let added = self.address.facets.contains(&facet.field);
            let more = added || self.address.more == facet.field;
            let number = out.len();
            let view = if is_plotted(leaf) {
                let by_century = FacetRequest::calendar_name(&facet.field);
                let centuries = counted.iter().find(|other| other.field == by_century);
                self.plot(leaf, facet, centuries, number)
            } else {
                self.list(leaf, facet, number)
            };
            let Some(view) = view else { continue };
            out.push(FacetView {
                open: number < OPEN || chosen || more,
                put_away: added.then(|| self.address.with(|a| a.facets.retain(|name| *name != facet.field))),
                ..view
            });
        }
        out
    }

    fn list(&self, leaf: &Leaf<'_>, facet: &Facet, number: usize) -> Option<FacetView> {
        let more = self.address.more == facet.field;
        let values = self.values(leaf, facet);
        if values.is_empty() {
            return None;
        }
        let given = facet.values.iter().filter(|v| v.value.is_some()).count() as u64;
        let hidden = facet.distinct.saturating_sub(given);
        let fewer = || {
            self.address.with(|a| {
                a.more.clear();
                a.find.clear();
            })
        };
        Some(FacetView {
            label: leaf_label(leaf, self.language),
            open: false,
            plot: None,
            values,
            more: (hidden > 0 && !more).then(|| {
                self.address.with(|a| {
                    a.more.clone_from(&facet.field);
                    a.find.clear();
                })
            }),
            hidden,
            finder: more.then(|| Finder {
                number,
                values: if hidden > 0 {
                    exports::values(self.address, &facet.field)
                } else {
                    String::new()
                },
                base: self.address.with(|_| {}),
                find: self.address.find.clone(),
                hidden: self.rest(|a| a.find.clear()),
                fewer: fewer(),
            }),
            put_away: None,
        })
    }

    fn values(&self, leaf: &Leaf<'_>, facet: &Facet) -> Vec<FacetValueView> {
        let field = &facet.field;
        let sought = if self.address.more == *field {
            fold(&self.address.find)
        } else {
            String::new()
        };
        let most = facet.values.iter().map(|v| v.count).max().unwrap_or_default();
        let view = |value: Option<&str>, count: u64| FacetValueView {
            label: self.value(leaf.field(), value),
            count,
            href: self.address.toggled(field, value),
            selected: self.address.is_chosen(field, value),
            missing: value.is_none(),
            percent: percent(count, most),
            depth: 0,
        };
        let matches = |v: &&FacetValue| {
            let text = v.value.as_deref();
            v.count > 0 && (sought.is_empty() || text.is_some_and(|text| fold(text).contains(&sought)))
        };
        let found = facet.values.iter().filter(matches);
        let limit = if sought.is_empty() { usize::MAX } else { FOUND };
        let mut values: Vec<FacetValueView> = found.take(limit).map(|v| view(v.value.as_deref(), v.count)).collect();
        // What is chosen can always be taken back, also when nothing has it any more.
        for chosen in self.address.chosen.iter().filter(|c| c.field == *field) {
            let shown = values
                .iter()
                .any(|v| v.href == self.address.toggled(field, chosen.value.as_deref()));
            if !shown {
                let count = facet
                    .values
                    .iter()
                    .find(|v| v.value == chosen.value)
                    .map_or(0, |v| v.count);
                values.push(view(chosen.value.as_deref(), count));
            }
        }
        values
    }

    fn plot(&self, leaf: &Leaf<'_>, facet: &Facet, centuries: Option<&Facet>, number: usize) -> Option<FacetView> {
        let field = &facet.field;
        let span = self.address.span(field);
        let label = leaf_label(leaf, self.language);
        let given: Vec<(&str, u64)> = facet
            .values
            .iter()
            .filter_map(|v| Some((v.value.as_deref()?, v.count)))
            .collect();
        let missing = facet.values.iter().find(|v| v.value.is_none());
        if given.is_empty() && span.is_none() && missing.is_none() {
            return None;
        }
        let is_date = leaf.field().is_some_and(|field| field.kind == FieldKind::Date);
        let column = |(text, count): &(&str, u64)| Column {
            label: self.spanned(is_date, text),
            tick: self.spanned(is_date, &begin(text)),
            count: *count,
            href: (*count > 0).then(|| self.address.with_span(field, text)),
            active: span.is_some_and(|span| touches(text, span)),
            span: (*text).to_owned(),
        };
        let columns = given.iter().map(column).collect();
        let total: u64 = given.iter().map(|(_, count)| count).sum();
        let values = missing.filter(|m| m.count > 0).map(|missing| FacetValueView {
            label: self.language.text("value.missing"),
            count: missing.count,
            href: self.address.toggled(field, None),
            selected: self.address.is_chosen(field, None),
            missing: true,
            percent: percent(missing.count, total + missing.count),
            depth: 0,
        });
        let values = self.centuries(field, centuries).into_iter().chain(values);
        let columns = Columns {
            title: label.clone(),
            columns,
            by: label.clone(),
            small: true,
            brush: Some(format!("span-{number}")),
        };
        Some(FacetView {
            plot: Some(self.form(field, columns, number)),
            label,
            open: false,
            values: values.collect(),
            more: None,
            hidden: 0,
            finder: None,
            put_away: None,
        })
    }

    /// Columns with the form by which a span of them is chosen.
    pub fn form(&self, field: &str, columns: Columns, number: usize) -> Plot {
        let span = self.address.span(field);
        let end = |column: Option<&Column>, of: fn(&str) -> String| column.map(|c| of(&c.span)).unwrap_or_default();
        Plot {
            number,
            field: field.to_owned(),
            from: span.map_or_else(String::new, |(from, _)| from.to_owned()),
            to: span.map_or_else(String::new, |(_, to)| to.to_owned()),
            lowest: end(columns.columns.first(), begin),
            highest: end(columns.columns.last(), finish),
            hidden: self.rest(|a| a.drop_span(field)),
            columns,
        }
    }

    /// The types of what was found, where there is more than one.
    pub fn types(&self, types: &[(String, u64)], kinds: &[Kind]) -> Option<FacetView> {
        if types.len() < 2 {
            return None;
        }
        let most = types.iter().map(|(_, count)| *count).max().unwrap_or_default();
        let values = types.iter().map(|(name, count)| {
            let kind = kinds.iter().find(|kind| kind.name() == name);
            FacetValueView {
                label: kind.map_or_else(|| name.clone(), |kind| kind.label(self.language)),
                count: *count,
                href: self.address.with(|a| {
                    a.chosen.clear();
                    a.columns.clear();
                    a.type_name = if a.type_name == *name {
                        String::new()
                    } else {
                        name.clone()
                    };
                }),
                selected: self.address.type_name == *name,
                missing: false,
                percent: percent(*count, most),
                depth: 0,
            }
        });
        Some(FacetView {
            label: self.language.text("search.type"),
            open: true,
            plot: None,
            values: values.collect(),
            more: None,
            hidden: 0,
            finder: None,
            put_away: None,
        })
    }

    /// The filters in use. `of_type` is the type's own, where it was chosen.
    pub fn chips(&self, kind: Option<&Kind>, of_type: bool) -> Vec<Chip> {
        let leaves = kind.map(Kind::leaves).unwrap_or_default();
        let chip = |c: &Chosen| {
            let leaf = leaves.iter().find(|leaf| leaf.path == c.field);
            Chip {
                field: leaf.map_or_else(|| c.field.clone(), |leaf| leaf_label(leaf, self.language)),
                value: self.value(leaf.and_then(|leaf| leaf.field()), c.value.as_deref()),
                href: self.address.toggled(&c.field, c.value.as_deref()),
            }
        };
        let mut chips: Vec<Chip> = Vec::new();
        if let Some(kind) = kind.filter(|_| of_type) {
            chips.push(Chip {
                field: self.language.text("search.type"),
                value: kind.label(self.language),
                href: self.address.with(|a| {
                    a.type_name.clear();
                    a.chosen.clear();
                    a.columns.clear();
                }),
            });
        }
        if let Some(area) = &self.address.area {
            chips.push(Chip {
                field: self.language.text("search.area"),
                value: told(area, self.language),
                href: self.address.with(|a| a.area = None),
            });
        }
        chips.extend(self.address.chosen.iter().map(chip));
        chips
    }

    /// A chosen or counted value as people read it.
    fn value(&self, field: Option<&Field>, value: Option<&str>) -> String {
        let called = field
            .zip(value)
            .map(|(field, value)| field.called(value, self.language.tag()));
        match (field.map(|field| field.kind), called.or(value)) {
            (_, None) => self.language.text("value.missing"),
            (Some(FieldKind::Link), Some(id)) => {
                let title = self.called.get(id).map(|(title, _)| title.as_str());
                shorten(title.filter(|title| !title.trim().is_empty()).unwrap_or(id), VALUE)
            }
            (Some(FieldKind::Boolean), Some("true")) => self.language.text("value.yes"),
            (Some(FieldKind::Boolean), Some("false")) => self.language.text("value.no"),
            (kind, Some(text)) if is_span(text) => self.spanned(kind == Some(FieldKind::Date), text),
            (_, Some(text)) => shorten(text, VALUE),
        }
    }

    /// `1850..1859` as people write it.
    pub fn span_text(&self, span: &str) -> String {
        match span.split_once("..") {
            Some((from, to)) if from == to => from.to_owned(),
            Some((from, "")) => self.language.with("search.from", &[("value", &from)]),
            Some(("", to)) => self.language.with("search.to", &[("value", &to)]),
            Some((from, to)) => format!("{from} – {to}"),
            None => span.to_owned(),
        }
    }

    /// The pairs of the address for the hidden fields of a form, changed.
    fn rest(&self, change: impl FnOnce(&mut Address)) -> Vec<(&'static str, String)> {
        let mut other = Address {
            page: 1,
            ..self.address.clone()
        };
        change(&mut other);
        other.pairs()
    }
}

fn begin(span: &str) -> String {
    span.split_once("..")
        .map_or(span, |(from, to)| if from.is_empty() { to } else { from })
        .to_owned()
}

fn finish(span: &str) -> String {
    span.split_once("..")
        .map_or(span, |(from, to)| if to.is_empty() { from } else { to })
        .to_owned()
}

/// Whether a bar has something of a chosen span.
pub fn touches(bar: &str, (from, to): (&str, &str)) -> bool {
    let number = |text: &str, without: f64| {
        let year = text
            .get(1..)
            .and_then(|rest| rest.find('-'))
            .map_or(text, |at| &text[..=at]);
        year.parse().unwrap_or(without)
    };
    let Some((low, high)) = bar.split_once("..") else {
        return false;
    };
    let (low, high) = (number(low, f64::NEG_INFINITY), number(high, f64::INFINITY));
    low <= number(to, f64::INFINITY) && high >= number(from, f64::NEG_INFINITY)
}

pub fn percent(count: u64, most: u64) -> u64 {
    if count == 0 {
        0
    } else {
        (count * 100 / most.max(1)).max(1)
    }
}
