//! Pieces of the search page that follow from its address and how it is looked at, whatever was found.

use super::address::{Address, View};
use super::facets::Chip;
use super::kind::{Kind, leaf_label};
use super::view::{Above, Choice, Look};
use crate::contract::records::Leaf;
use crate::kernel::i18n::Language;
use crate::kernel::ui::shorten;

/// What stands after the question mark, from the first page.
pub(super) fn question_of(address: &Address) -> String {
    let href = address.with(|a| {
        a.more.clear();
        a.find.clear();
    });
    href.split_once('?')
        .map_or_else(String::new, |(_, question)| question.to_owned())
}

/// What a search may be called: its words, else what is chosen.
pub(super) fn named(address: &Address, chips: &[Chip]) -> String {
    let values = || {
        chips
            .iter()
            .map(|chip| chip.value.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let name = if address.q.is_empty() {
        values()
    } else {
        address.q.clone()
    };
    shorten(&name, 80)
}

/// More than the list of a type as it comes.
pub(super) fn is_refined(address: &Address) -> bool {
    let plain = Address {
        type_name: address.type_name.clone(),
        page: 1,
        ..Address::default()
    };
    *address != plain
}

/// One sentence for search engines and shared links.
pub(super) fn about(heading: &str, address: &Address, chips: &[Chip], total: u64, language: Language) -> String {
    let found = language.count("search.total", total, &[]);
    let mut parts: Vec<String> = Vec::new();
    if !address.q.is_empty() {
        parts.push(language.with("search.for", &[("query", &address.q)]));
    }
    parts.extend(chips.iter().map(|chip| format!("{}: {}", chip.field, chip.value)));
    if parts.is_empty() {
        format!("{heading} · {found}")
    } else {
        format!("{heading} · {found} · {}", parts.join(" · "))
    }
}

/// The address that shows the same to everybody, whatever they have kept.
pub(super) fn shared(address: &Address, look: &Look) -> String {
    let mut same = address.clone();
    same.view = Some(match (look.above, look.cards) {
        (Above::Map, _) => View::Map,
        (Above::Timeline, _) => View::Timeline,
        (Above::Nothing, true) => View::Cards,
        (Above::Nothing, false) => View::Table,
    });
    if !look.cards {
        same.columns.clone_from(&look.columns);
    }
    same.href("/search")
}

pub(super) fn densities(address: &Address, look: &Look) -> Vec<(&'static str, String, bool)> {
    let link = |dense| format!("{}&keep=density", address.with(|a| a.dense = Some(dense)));
    vec![
        ("search.roomy", link(false), !look.dense),
        ("search.compact", link(true), look.dense),
    ]
}

pub(super) fn choices(kind: Option<&Kind>, look: &Look, language: Language) -> Vec<Choice> {
    let Some(kind) = kind else { return Vec::new() };
    let shown: Vec<String> = kind.columns(&look.columns).into_iter().map(|leaf| leaf.path).collect();
    let choice = |leaf: &Leaf<'_>| Choice {
        label: leaf_label(leaf, language),
        shown: shown.contains(&leaf.path),
        field: leaf.path.clone(),
    };
    kind.choices().iter().map(choice).collect()
}

pub(super) fn more_facets(kind: Option<&Kind>, address: &Address, language: Language) -> Vec<(String, String)> {
    let leaves = kind.map(Kind::more_facets).unwrap_or_default();
    let others = leaves.iter().filter(|leaf| !address.facets.contains(&leaf.path));
    others
        .map(|leaf| (leaf.path.clone(), leaf_label(leaf, language)))
        .collect()
}

/// The question alone, without how its answer is shown.
pub(super) fn picked(address: &Address) -> Vec<(&'static str, String)> {
    let mut pairs = address.pairs();
    pairs.retain(|(name, _)| matches!(*name, "q" | "type" | "filter"));
    pairs
}

/// The address of the table that shows the same.
pub(super) fn in_table(address: &Address) -> String {
    let mut pairs = address.pairs();
    pairs.retain(|(name, _)| matches!(*name, "q" | "filter" | "sort" | "column"));
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    format!("/types/{}/table?{query}", address.type_name)
}

/// The pairs of an address for the hidden fields of a form, from the first page.
pub(super) fn fields(address: &Address, change: impl FnOnce(&mut Address)) -> Vec<(&'static str, String)> {
    let mut other = Address {
        page: 1,
        ..address.clone()
    };
    change(&mut other);
    other.pairs()
}
