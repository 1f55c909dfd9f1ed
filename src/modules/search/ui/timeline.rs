//! What was found in time: records by century, decade or year, whichever the years shown have room for. Each column is a
//! filter; a span is chosen by pulling over columns, by keys or in a form.

use askama::Template;

use super::address::Address;
use super::facets::{Facets, Plot, touches};
use super::kind::{Kind, leaf_label};
use crate::contract::records::Leaf;
use crate::kernel::i18n::Language;
use crate::kernel::search::{Facet, FacetRequest};
use crate::kernel::ui::filters;
use crate::kernel::ui::plot::{Column, Columns};

/// Columns at most: a century by its years.
const COLUMNS: usize = 100;
/// Years in a decade: what is narrower is shown within its decades.
const DECADE: i64 = 10;

/// The field whose dates are shown, of those that may be: the one asked for, else the first.
pub struct Dates<'a> {
    /// Paths and labels.
    pub fields: Vec<(String, String)>,
    pub address: &'a Address,
}

impl<'a> Dates<'a> {
    /// Of the type, else of all types.
    pub fn of(address: &'a Address, kind: Option<&Kind>, kinds: &[Kind], language: Language) -> Self {
        let of: Vec<&Kind> = match kind {
            Some(kind) => vec![kind],
            None => kinds.iter().collect(),
        };
        let mut fields: Vec<(String, String)> = Vec::new();
        for kind in of {
            for leaf in kind.leaves().iter().filter(|leaf| is_time(leaf)) {
                if fields.iter().all(|(path, _)| *path != leaf.path) {
                    fields.push((leaf.path.clone(), leaf_label(leaf, language)));
                }
            }
        }
        Self { fields, address }
    }

    fn field(&self) -> Option<&(String, String)> {
        let asked = self.fields.iter().find(|(path, _)| *path == self.address.time);
        asked.or_else(|| self.fields.first())
    }

    /// What is asked of the engine.
    pub fn request(&self) -> Option<FacetRequest> {
        let (path, _) = self.field()?;
        Some(FacetRequest::timeline(path, self.shown(path), COLUMNS))
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
    pub fn view(&self, counted: &[Facet], language: Language) -> TimelineView {
        let Some((path, label)) = self.field() else {
            return TimelineView::default();
        };
        let name = FacetRequest::timeline_name(path);
        let values = counted.iter().filter(|facet| facet.field == name);
        let values: Vec<_> = values.flat_map(|facet| &facet.values).collect();
        let facets = Facets {
            address: self.address,
            language,
        };
        let chosen = self.address.span(path);
        let column = |(span, count): (&str, u64)| Column {
            label: facets.span_text(span),
            tick: begin(span),
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
            moves: self.moves(path, chosen.is_some()),
            fields: self.choices(path),
            missing: missing.map(|v| (v.count, self.address.toggled(path, None))),
            only_missing: self.address.is_chosen(path, None),
            plot: facets.form(path, columns, 0),
            label: label.clone(),
        }
    }

    /// The other fields that could be shown.
    fn choices(&self, current: &str) -> Vec<(String, String, bool)> {
        let choice = |(path, label): &(String, String)| {
            let href = self.address.with(|a| a.time.clone_from(path));
            (label.clone(), href, path == current)
        };
        let choices: Vec<_> = self.fields.iter().map(choice).collect();
        if choices.len() > 1 { choices } else { Vec::new() }
    }

    /// Earlier and later by as much as is chosen, the next wider span, and all of it.
    fn moves(&self, path: &str, any: bool) -> Vec<(&'static str, String, String)> {
        let mut moves = Vec::new();
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

fn years((from, to): (i64, i64)) -> String {
    if from == to {
        from.to_string()
    } else {
        format!("{from} – {to}")
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
