//! What the records are called that filters, counts and cells name by their ids: what something is looked for below, and
//! where links lead. Whom the caller does not see stays unnamed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::address::Address;
use super::kind::Kind;
use super::trees::Places;
use crate::contract::records::{FieldKind, Leaf, StoredType};
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::id::is_id;
use crate::kernel::search::{Answer, INSIDE};
use crate::kernel::ui::texts;
use crate::modules::search::service::{Item, Service};

/// Records that are named on one page.
const MOST: usize = 400;

/// Whether a field leads to other records.
pub fn is_link(leaf: &Leaf<'_>) -> bool {
    leaf.field().is_some_and(|field| field.kind == FieldKind::Link)
}

/// The ids that a page would show: chosen, counted, and in the cells of these columns.
fn ids(address: &Address, kind: Option<&Kind>, answer: &Answer, items: &[Item], columns: &[String]) -> Vec<String> {
    let leaves = kind.map(Kind::leaves).unwrap_or_default();
    let links: Vec<&Leaf<'_>> = leaves.iter().filter(|leaf| is_link(leaf)).collect();
    let leads = |field: &str| field == INSIDE || links.iter().any(|leaf| leaf.path == field);
    let chosen = address.chosen.iter().filter(|chosen| leads(&chosen.field));
    let mut found: BTreeSet<String> = chosen.filter_map(|chosen| chosen.value.clone()).collect();
    let counted = answer.facets.iter().filter(|facet| leads(&facet.field));
    found.extend(
        counted
            .flat_map(|facet| &facet.values)
            .filter_map(|value| value.value.clone()),
    );
    let shown = kind.map(|kind| kind.columns(columns)).unwrap_or_default();
    for leaf in shown.iter().filter(|leaf| is_link(leaf)) {
        for item in items {
            found.extend(texts(&item.record.document, &leaf.path, Language::default()));
        }
    }
    found.into_iter().filter(|id| is_id(id)).take(MOST).collect()
}

impl Service {
    /// What they are called, as far as the caller may see them, with their types.
    pub(super) async fn called(
        &self,
        caller: &Caller,
        types: &[(Arc<StoredType>, Level)],
        (address, kind, columns): (&Address, Option<&Kind>, &[String]),
        (answer, items): (&Answer, &[Item]),
    ) -> Result<Places> {
        let ids = ids(address, kind, answer, items, columns);
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let named = self.titled(caller, types, &ids).await?;
        Ok(named
            .into_iter()
            .map(|record| (record.id, (record.title, record.type_name)))
            .collect())
    }
}
