//! Records by time: a plot of the largest type over its first date, or over a year among its numbers.

use super::Sources;
use super::home::question;
use crate::contract::records::{FieldKind, Leaf, RecordType};
use crate::kernel::access::{Level, Visibility};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::search::FacetRequest;
use crate::kernel::ui::label;
use crate::kernel::ui::plot::{Column, Columns};

/// Columns of the plot.
const COLUMNS: usize = 40;

impl Sources {
    /// The plot of a type; none where it has no time or only one.
    pub(super) async fn by_time(
        &self,
        kind: &RecordType,
        level: Level,
        language: Language,
        view: &Visibility,
    ) -> Result<Option<Columns>> {
        let leaves = kind.leaves();
        let Some(leaf) = time(&leaves, level) else {
            return Ok(None);
        };
        let request = FacetRequest::spread(&leaf.path, COLUMNS);
        let answer = self.search.search(question(&kind.name, vec![request], 0, view)).await?;
        let spans = answer.facets.iter().flat_map(|facet| &facet.values);
        let columns: Vec<Column> = spans
            .filter_map(|v| Some(column(&kind.name, &leaf.path, v.value.as_deref()?, v.count, language)))
            .collect();
        let field: Vec<String> = leaf
            .fields
            .iter()
            .map(|f| label(&f.labels, &f.name, language))
            .collect();
        let field = field.join(" › ");
        let name = label(&kind.labels, &kind.name, language);
        Ok((columns.len() > 1).then(|| Columns {
            title: language.with("home.by-time", &[("type", &name), ("field", &field)]),
            columns,
            by: field,
            small: false,
            brush: None,
        }))
    }
}

/// The first date that a record has one of, else the first whole number that is called a year.
fn time<'a, 'b>(leaves: &'b [Leaf<'a>], level: Level) -> Option<&'b Leaf<'a>> {
    let plain = |leaf: &&Leaf<'_>| leaf.level <= level && !leaf.fields.iter().any(|f| f.repeated);
    let of = |kind: FieldKind| move |leaf: &&Leaf<'_>| leaf.field().is_some_and(|f| f.kind == kind);
    let called = |leaf: &&Leaf<'_>| leaf.field().is_some_and(|f| f.name.to_lowercase().contains("year"));
    let mut dates = leaves.iter().filter(plain).filter(of(FieldKind::Date));
    dates
        .next()
        .or_else(|| leaves.iter().filter(plain).filter(of(FieldKind::Integer)).find(called))
}

fn column(type_name: &str, field: &str, span: &str, count: u64, language: Language) -> Column {
    let filter = format!("{field}:{span}");
    let query = serde_html_form::to_string([("type", type_name), ("filter", &filter)]);
    let (from, to) = span.split_once("..").unwrap_or((span, span));
    Column {
        label: match (from, to) {
            ("", to) => language.with("search.to", &[("value", &to)]),
            (from, "") => language.with("search.from", &[("value", &from)]),
            (from, to) if from == to => from.to_owned(),
            (from, to) => format!("{from} – {to}"),
        },
        tick: if from.is_empty() {
            String::new()
        } else {
            from.to_owned()
        },
        count,
        href: query.ok().filter(|_| count > 0).map(|query| format!("/search?{query}")),
        active: false,
        span: String::new(),
    }
}
