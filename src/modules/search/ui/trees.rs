//! Trees beside the results: the chosen record with the way to it, and what is right below it, each with how many of the
//! results are inside of it. The whole is an address, like every other choice.

use std::collections::HashMap;

use super::address::{Address, Chosen};
use super::facets::{FacetValueView, FacetView, percent};
use super::kind::Kind;
use super::question::count;
use crate::contract::records::FieldKind;
use crate::kernel::access::{Caller, Visibility};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::search::INSIDE;
use crate::kernel::ui::shorten;
use crate::modules::search::service::Service;

/// Trees shown, and lines of each.
const TREES: usize = 2;
const LINES: i64 = 20;
const LABEL: usize = 80;

/// What the records are called that are chosen, with their types.
pub type Places = HashMap<String, (String, String)>;

/// The trees that records of a kind are in: its own, and those that its links lead into.
fn trees<'a>(kind: &'a Kind, kinds: &'a [Kind]) -> Vec<&'a Kind> {
    let mut names: Vec<&str> = Vec::new();
    if kind.definition().parent.is_some() {
        names.push(kind.name());
    }
    let leaves = kind.leaves();
    for leaf in &leaves {
        let field = leaf.field().filter(|field| field.kind == FieldKind::Link);
        if let Some(target) = field.and_then(|field| field.target.as_deref())
            && let Some(tree) = kinds
                .iter()
                .find(|other| other.name() == target && other.definition().parent.is_some())
            && !names.contains(&tree.name())
        {
            names.push(tree.name());
        }
    }
    let known = |name: &&str| kinds.iter().find(|kind| kind.name() == *name);
    names.iter().filter_map(known).take(TREES).collect()
}

/// The trees of a kind as facets.
///
/// # Errors
/// What the database or the index says.
pub async fn facets(
    service: &Service,
    caller: &Caller,
    (address, kind, kinds): (&Address, &Kind, &[Kind]),
    (places, view): (&Places, &Visibility),
    language: Language,
) -> Result<Vec<FacetView>> {
    let mut views = Vec::new();
    for tree in trees(kind, kinds) {
        let of_tree = |c: &&Chosen| {
            let place = c.value.as_ref().and_then(|id| places.get(id));
            c.field == INSIDE && place.is_some_and(|(_, type_name)| type_name == tree.name())
        };
        let chosen: Vec<&Chosen> = address.chosen.iter().filter(of_tree).collect();
        let at = chosen.first().and_then(|c| c.value.clone());
        let (below, more) = service.records.twigs(caller, tree.name(), at.as_deref(), LINES).await?;
        let mut way = match &at {
            Some(id) => service
                .records
                .paths(caller, std::slice::from_ref(id))
                .await?
                .remove(id)
                .unwrap_or_default(),
            None => Vec::new(),
        };
        if let Some(id) = &at
            && let Some((title, _)) = places.get(id)
        {
            way.push((id.clone(), title.clone()));
        }
        // The same question without what is chosen of this tree.
        let mut rest = Address {
            page: 1,
            ..address.clone()
        };
        rest.chosen.retain(|c| !chosen.contains(&c));
        let all: Vec<&(String, String)> = way.iter().chain(&below).collect();
        let asked = all.iter().map(|(id, _)| (id.clone(), tree.name().to_owned())).collect();
        let counts = service.search.spread_over(count(&rest, view.clone()), asked).await?;
        let most = counts.iter().skip(way.len()).max().copied().unwrap_or_default();
        let lines = all.iter().zip(&counts).enumerate().map(|(n, ((id, title), count))| {
            let is_at = at.as_ref() == Some(id);
            let mut other = rest.clone();
            if !is_at {
                other.chosen.push(Chosen {
                    field: INSIDE.to_owned(),
                    value: Some(id.clone()),
                });
            }
            FacetValueView {
                label: shorten(title, LABEL),
                count: *count,
                href: other.href("/search"),
                selected: is_at,
                missing: false,
                percent: percent(*count, most.max(1)).min(100),
                depth: n.min(way.len()).min(6),
            }
        });
        let lines: Vec<FacetValueView> = lines.filter(|line| line.count > 0 || line.selected).collect();
        if lines.is_empty() {
            continue;
        }
        views.push(FacetView {
            label: tree.label(language),
            open: true,
            plot: None,
            values: lines,
            more: more.then(|| {
                format!(
                    "/types/{}/tree{}",
                    tree.name(),
                    at.map_or_else(String::new, |id| format!("?under={id}"))
                )
            }),
            hidden: 0,
            finder: None,
            put_away: None,
        });
    }
    Ok(views)
}
