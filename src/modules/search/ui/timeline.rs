//! What was found in time: records by century, decade or year, whichever the years shown have room for. Each column is a
//! filter; a span is chosen by pulling over columns, by keys or in a form.

use askama::Template;

use super::address::Address;
use super::facets::{Facets, Plot, touches};
use super::kind::{Kind, leaf_label};
use super::trees::Places;
use crate::contract::records::Leaf;
use crate::kernel::i18n::Language;
use crate::kernel::search::{Facet, FacetRequest};
use crate::kernel::ui::filters;
use crate::kernel::ui::plot::{Column, Columns};

/// Columns at most: a century by its years.
const COLUMNS: usize = 100;
/// Years in a decade: what is narrower is shown within its decades.
const DECADE: i64 = 10;

/// Fields counted at most to see which of them says most.
const COMPARED: usize = 4;

/// The field whose dates are shown, of those that may be: the one asked for or narrowed, else of those that stand for the record
/// itself one that most records fill.
pub struct Dates<'a> {
    pub fields: Vec<Dated>,
    pub address: &'a Address,
}

/// A field with dates.
pub struct Dated {
    path: String,
    label: String,
    /// It says when something else was, such as when a maker was born: it stands in a group, or repeats.
    aside: bool,
    /// What the type sets beside results or in tables goes before the rest.
    rank: u8,
}

impl<'a> Dates<'a> {
    /// Of the type, else of all types.
    pub fn of(address: &'a Address, kind: Option<&Kind>, kinds: &[Kind], language: Language) -> Self {
        let of: Vec<&Kind> = match kind {
            Some(kind) => vec![kind],
            None => kinds.iter().collect(),
        };
        let mut fields: Vec<Dated> = Vec::new();
        for kind in of {
            for leaf in kind.leaves().iter().filter(|leaf| is_time(leaf)) {
                if fields.iter().all(|field| field.path != leaf.path) {
                    fields.push(Dated {
                        path: leaf.path.clone(),
                        label: leaf_label(leaf, language),
                        aside: is_aside(leaf),
                        rank: leaf.field().map_or(2, |field| match (field.facet, field.column) {
                            (true, _) => 0,
                            (_, true) => 1,
                            _ => 2,
                        }),
                    });
                }
            }
        }
        Self { fields, address }
    }

    /// The fields of which one is shown.
    fn candidates(&self) -> Vec<&Dated> {
        let asked = self.fields.iter().find(|field| field.path == self.address.time);
        let narrowed = || {
            self.fields
                .iter()
                .find(|field| self.address.span(&field.path).is_some())
        };
        if let Some(field) = asked.or_else(narrowed) {
            return vec![field];
        }
        let own = self.fields.iter().any(|field| !field.aside);
        let mut main: Vec<&Dated> = self.fields.iter().filter(|field| !own || !field.aside).collect();
        main.sort_by_key(|field| field.rank);
        main.truncate(COMPARED);
        main
    }

    /// What is asked of the engine.
    pub fn requests(&self) -> Vec<FacetRequest> {
        let request = |field: &Dated| FacetRequest::timeline(&field.path, self.shown(&field.path), COLUMNS);
        self.candidates().into_iter().map(request).collect()
    }

    /// The field that is shown: the first of those in question that is filled nearly as often as any of them.
    fn field(&self, counted: &[Facet], total: u64) -> Option<&Dated> {
        let filled = |field: &Dated| {
            let name = FacetRequest::timeline_name(&field.path);
            let facet = counted.iter().find(|facet| facet.field == name);
            let missing = |facet: &Facet| facet.values.iter().find(|v| v.value.is_none()).map_or(0, |v| v.count);
            facet.map_or(0, |facet| total.saturating_sub(missing(facet)))
        };
        let candidates = self.candidates();
        let most = candidates.iter().map(|field| filled(field)).max().unwrap_or_default();
        // A few records more or less must not change what is looked at.
        candidates.into_iter().find(|field| filled(field) * 5 >= most * 4)
    }

    /// The years shown: those chosen, and the whole of their decades where they are few.
    fn shown(&self, path: &str) -> Option<(i64, i64)> {
        let (from, to) = self.address.years(path)?;
        if from > to {
            return None;
        }
        if to.saturating_sub(from) >= DECADE - 1 {
            return Some((from, to));
        }
        let low = from.div_euclid(DECADE) * DECADE;
        Some((low, to.div_euclid(DECADE) * DECADE + DECADE - 1))
    }

    /// The timeline from the counts of an answer.
    pub fn view(&self, counted: &[Facet], total: u64, language: Language) -> TimelineView {
        let Some(Dated { path, label, .. }) = self.field(counted, total) else {
            return TimelineView::default();
        };
        let name = FacetRequest::timeline_name(path);
        let values = counted.iter().filter(|facet| facet.field == name);
        let values: Vec<_> = values.flat_map(|facet| &facet.values).collect();
        let called = Places::new();
        let facets = Facets {
            address: self.address,
            called: &called,
            language,
        };
        let chosen = self.address.span(path);
        let column = |(span, count): (&str, u64)| Column {
            label: facets.years_text(span),
            tick: facets.years_text(&begin(span)),
            count,
            href: (count > 0).then(|| self.address.with_span(path, span)),
            active: chosen.is_some_and(|chosen| touches(span, chosen)),
            span: span.to_owned(),
        };
        let given = values.iter().filter_map(|v| Some((v.value.as_deref()?, v.count)));
        let columns = Columns {
            title: language.with("search.time-title", &[("field", label)]),
            columns: given.map(column).collect(),
            by: label.clone(),
            small: false,
            brush: Some("time-span".to_owned()),
        };
        let missing = values.iter().find(|v| v.value.is_none());
        TimelineView {
            any: true,
            moves: self.moves(path, chosen.is_some(), &facets),
            fields: self.choices(path),
            missing: missing.map(|v| (v.count, self.address.toggled(path, None))),
            only_missing: self.address.is_chosen(path, None),
            plot: facets.form(path, columns, 0),
            label: label.clone(),
        }
    }

    /// The other fields that could be shown.
    fn choices(&self, current: &str) -> Vec<(String, String, bool)> {
        let choice = |field: &Dated| {
            let href = self.address.with(|a| a.time.clone_from(&field.path));
            (field.label.clone(), href, field.path == current)
        };
        let choices: Vec<_> = self.fields.iter().map(choice).collect();
        if choices.len() > 1 { choices } else { Vec::new() }
    }

    /// Earlier and later by as much as is chosen, the next wider span, and all of it.
    fn moves(&self, path: &str, any: bool, facets: &Facets<'_>) -> Vec<(&'static str, String, String)> {
        let mut moves = Vec::new();
        let years = |(from, to): (i64, i64)| facets.years_text(&format!("{from}..{to}"));
        let to = |from: i64, to: i64| {
            let span = format!("{from}..{to}");
            self.address.with(|a| a.put_span(path, &span))
        };
        if let Some((from, end)) = self.address.years(path).filter(|(from, end)| from <= end) {
            let length = end.saturating_sub(from).saturating_add(1);
            let before = (from.saturating_sub(length), from.saturating_sub(1));
            let after = (end.saturating_add(1), end.saturating_add(length));
            moves.push(("search.time-earlier", years(before), to(before.0, before.1)));
            moves.push(("search.time-later", years(after), to(after.0, after.1)));
            if let Some(width) = [DECADE, DECADE * 10].into_iter().find(|width| *width > length) {
                let wide = (
                    from.div_euclid(width) * width,
                    end.div_euclid(width) * width + width - 1,
                );
                moves.push(("search.time-wider", years(wide), to(wide.0, wide.1)));
            }
        }
        if any {
            let all = self.address.with(|a| a.drop_span(path));
            moves.push(("search.time-all", String::new(), all));
        }
        moves
    }
}

/// Dates, and whole numbers that are called a year.
fn is_time(leaf: &Leaf<'_>) -> bool {
    use crate::contract::records::FieldKind;
    leaf.field().is_some_and(|field| match field.kind {
        FieldKind::Date => true,
        FieldKind::Integer => field.name.to_lowercase().contains("year"),
        _ => false,
    })
}

/// Whether a field says when something else was.
pub fn is_aside(leaf: &Leaf<'_>) -> bool {
    leaf.fields.len() > 1 || leaf.fields.iter().any(|field| field.repeated)
}

/// Whether records of a type have a time.
pub fn has_time(kind: &Kind) -> bool {
    kind.leaves().iter().any(is_time)
}

fn begin(span: &str) -> String {
    let (from, to) = span.split_once("..").unwrap_or((span, span));
    if from.is_empty() { to } else { from }.to_owned()
}

#[derive(Template, Default)]
#[template(path = "modules/search/templates/timeline.html")]
pub struct TimelineView {
    /// There is a field with dates.
    pub any: bool,
    pub label: String,
    /// Label, address and whether it is shown.
    pub fields: Vec<(String, String, bool)>,
    pub plot: Plot,
    /// What it does, to which years, and the address.
    pub moves: Vec<(&'static str, String, String)>,
    /// Records without a date, and the address that lists them.
    pub missing: Option<(u64, String)>,
    pub only_missing: bool,
}
impl askama::filters::HtmlSafe for TimelineView {}
