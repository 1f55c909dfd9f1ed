//! Dates as a list: centuries, a chosen century by decade, a chosen decade by year. Each is a span, and chosen as one.

use super::facets::{FacetValueView, Facets, percent};
use crate::kernel::search::Facet;

impl Facets<'_> {
    /// The years of a field by century, decade and year; nothing where all are of one century and none is chosen.
    pub fn centuries(&self, field: &str, counted: Option<&Facet>) -> Vec<FacetValueView> {
        let values = counted.iter().flat_map(|facet| &facet.values);
        let given: Vec<(&str, u64)> = values.filter_map(|v| Some((v.value.as_deref()?, v.count))).collect();
        let most = given.iter().map(|(_, count)| *count).max().unwrap_or_default();
        if given.len() < 2 {
            return Vec::new();
        }
        let view = |(span, count): &(&str, u64)| FacetValueView {
            label: self.span_text(span),
            count: *count,
            href: self.address.with_span(field, span),
            selected: self.address.is_chosen(field, Some(span)),
            missing: false,
            percent: percent(*count, most),
            depth: depth(span),
        };
        given.iter().map(view).collect()
    }
}

/// How far a span of years stands below its century.
fn depth(span: &str) -> usize {
    match span.split_once("..") {
        Some((from, to)) if from == to => 2,
        Some((from, to)) => {
            let ends = (from.parse::<i64>(), to.parse::<i64>());
            usize::from(matches!(ends, (Ok(from), Ok(to)) if to - from == 9))
        }
        None => 0,
    }
}
