//! A type as the search page needs it: with what this caller may know of it, its columns, facets and plots.

use std::sync::Arc;

use super::address::Address;
use crate::contract::records::{Field, FieldKind, Leaf, RecordType, StoredType};
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::kernel::search::FacetRequest;
use crate::kernel::ui::{label, said};

/// Columns beside the title, where none are chosen and at most.
const COLUMNS: usize = 5;
const MOST_COLUMNS: usize = 12;
/// Facets counted at most, and plots among them of fields that are not marked as facets.
const FACETS: usize = 12;
const PLOTS: usize = 3;
/// Bars of a plot.
const BARS: usize = 24;
/// Values shown of a facet, and where all are asked for.
const VALUES: usize = 8;
const ALL_VALUES: usize = 250;

/// See the module's text.
pub struct Kind {
    stored: Arc<StoredType>,
    level: Level,
}

impl Kind {
    pub fn new((stored, level): &(Arc<StoredType>, Level)) -> Self {
        Self {
            stored: stored.clone(),
            level: *level,
        }
    }

    pub fn definition(&self) -> &RecordType {
        &self.stored.definition
    }

    pub fn name(&self) -> &str {
        &self.stored.definition.name
    }

    pub fn label(&self, language: Language) -> String {
        label(&self.definition().labels, self.name(), language)
    }

    /// The fields the caller may see.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = self.definition().leaves();
        leaves.retain(|leaf| leaf.level <= self.level);
        leaves
    }

    /// Whether its records may have a place that the caller may know of.
    pub fn has_places(&self) -> bool {
        self.definition().has_places(self.level)
    }

    pub fn is_title(&self, path: &str) -> bool {
        self.definition().title.as_deref() == Some(path)
    }

    /// Its records have titles in words, not one of a few terms.
    pub fn is_titled(&self) -> bool {
        let leaves = self.leaves();
        let title = leaves.iter().find(|leaf| self.is_title(&leaf.path));
        title
            .and_then(|leaf| leaf.field())
            .is_some_and(|f| f.kind == FieldKind::Text)
    }

    /// What the type says of itself.
    pub fn description(&self, language: Language) -> String {
        said(&self.definition().description, language)
            .unwrap_or_default()
            .to_owned()
    }

    /// What the table may show beside the title.
    pub fn choices(&self) -> Vec<Leaf<'_>> {
        let mut leaves = self.leaves();
        leaves.retain(|leaf| !self.is_title(&leaf.path));
        leaves
    }

    /// The columns of the table: those chosen, in the order of the type, else those that the type marks.
    pub fn columns(&self, chosen: &[String]) -> Vec<Leaf<'_>> {
        let mut leaves = self.choices();
        let wanted = |leaf: &Leaf<'_>| chosen.contains(&leaf.path);
        if leaves.iter().any(wanted) {
            leaves.retain(wanted);
            leaves.truncate(MOST_COLUMNS);
        } else {
            leaves.retain(|leaf| leaf.field().is_some_and(|f| f.column));
            leaves.truncate(COLUMNS);
        }
        leaves
    }

    /// What stands beside the results: fields marked as facets, and plots of the first date and the first numbers.
    pub fn facets(&self) -> Vec<Leaf<'_>> {
        let mut plots = 0;
        let mut leaves = self.leaves();
        let is_date = |leaf: &&Leaf<'_>| leaf.field().is_some_and(|field| field.kind == FieldKind::Date);
        let single = |leaf: &&Leaf<'_>| !leaf.fields.iter().any(|f| f.repeated);
        // When a record itself was stands outside of all groups.
        let dates = leaves.iter().filter(is_date).filter(single);
        let main = dates.min_by_key(|leaf| leaf.fields.len()).map(|leaf| leaf.path.clone());
        leaves.retain(|leaf| {
            let Some(field) = leaf.field() else { return false };
            let plain = !leaf.fields.iter().any(|f| f.repeated);
            let shown = match field.kind {
                _ if field.facet => true,
                FieldKind::Date => main.as_ref() == Some(&leaf.path),
                FieldKind::Integer | FieldKind::Number => plain && field.column,
                _ => false,
            };
            if shown && !field.facet {
                plots += 1;
            }
            shown && (field.facet || plots <= PLOTS)
        });
        leaves.truncate(FACETS);
        leaves
    }

    /// The same, and the fields that the address adds.
    pub fn facets_of(&self, address: &Address) -> Vec<Leaf<'_>> {
        let mut leaves = self.facets();
        let others = self.more_facets().into_iter();
        leaves.extend(others.filter(|leaf| address.facets.contains(&leaf.path)).take(FACETS));
        leaves
    }

    /// Fields that could be counted too.
    pub fn more_facets(&self) -> Vec<Leaf<'_>> {
        let known = self.facets();
        let mut leaves = self.leaves();
        leaves.retain(|leaf| {
            let counted = leaf.field().is_some_and(|field| match field.kind {
                FieldKind::Link | FieldKind::Url => field.facet,
                _ => true,
            });
            counted && known.iter().all(|one| one.path != leaf.path)
        });
        leaves
    }

    /// The counts to ask for: of the facet of which all values are wanted all, or those with a text in them.
    pub fn requests(&self, address: &Address) -> Vec<FacetRequest> {
        let mut requests = Vec::new();
        for leaf in self.facets_of(address) {
            if is_plotted(&leaf) {
                requests.push(FacetRequest::spread(&leaf.path, BARS));
                if leaf.field().is_some_and(|f| f.kind == FieldKind::Date) {
                    requests.push(FacetRequest::calendar(&leaf.path, address.years(&leaf.path)));
                }
            } else if leaf.path == address.more {
                requests.push(FacetRequest::holding(&leaf.path, &address.find, ALL_VALUES));
            } else {
                requests.push(FacetRequest {
                    field: leaf.path.clone(),
                    limit: VALUES,
                });
            }
        }
        requests
    }
}

/// Shown as a plot over numbers or years.
pub fn is_plotted(leaf: &Leaf<'_>) -> bool {
    let kind = leaf.field().map(|f| f.kind);
    matches!(kind, Some(FieldKind::Integer | FieldKind::Number | FieldKind::Date))
}

pub fn is_number(leaf: &Leaf<'_>) -> bool {
    let number = |f: &Field| matches!(f.kind, FieldKind::Integer | FieldKind::Number) && !f.repeated;
    leaf.field().is_some_and(number)
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
