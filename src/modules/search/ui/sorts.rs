//! The orders a reader may choose: what is usual, then the columns, then every other field.

use super::address::Address;
use super::kind::{Kind, leaf_label};
use super::question::default_sort;
use crate::contract::records::{FieldKind, Leaf};
use crate::kernel::i18n::Language;
use crate::modules::search::fields::NEWER;

/// Other fields that are offered.
const MORE: usize = 60;

/// One order.
pub struct SortOption {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

/// See the module's text.
#[derive(Default)]
pub struct Sorts {
    pub usual: Vec<SortOption>,
    pub more: Vec<SortOption>,
}

impl Sorts {
    pub fn of(address: &Address, kind: Option<&Kind>, columns: &[Leaf<'_>], language: Language) -> Self {
        let current = if address.sort.is_empty() {
            default_sort(address)
        } else {
            &address.sort
        };
        let option = |value: String, label: String| SortOption {
            selected: value == current,
            value,
            label,
        };
        let both = |leaf: &Leaf<'_>| {
            let name = leaf_label(leaf, language);
            [("", "search.by.field-asc"), ("-", "search.by.field-desc")]
                .map(|(sign, key)| option(format!("{sign}{}", leaf.path), language.with(key, &[("field", &name)])))
        };
        let mut usual = Vec::new();
        if !address.q.is_empty() {
            usual.push(option("relevance".to_owned(), language.text("search.by.relevance")));
            usual.push(option(NEWER.to_owned(), language.text("search.by.newer")));
        }
        for (value, key) in [
            ("-created", "search.by.created-desc"),
            ("created", "search.by.created-asc"),
            ("-updated", "search.by.updated-desc"),
        ] {
            usual.push(option(value.to_owned(), language.text(key)));
        }
        let leaves = kind.map(Kind::leaves).unwrap_or_default();
        let is_title = |leaf: &Leaf<'_>| kind.is_some_and(|kind| kind.is_title(&leaf.path));
        let is_column = |leaf: &Leaf<'_>| columns.iter().any(|column| column.path == leaf.path);
        usual.extend(
            leaves
                .iter()
                .filter(|leaf| is_title(leaf))
                .chain(columns)
                .flat_map(both),
        );
        let is_other = |leaf: &&Leaf<'_>| {
            let is_address = leaf.field().is_some_and(|field| field.kind == FieldKind::Url);
            !is_title(leaf) && !is_column(leaf) && !is_address
        };
        let more = leaves.iter().filter(is_other).take(MORE).flat_map(both).collect();
        Self { usual, more }
    }
}
