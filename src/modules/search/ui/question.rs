//! From an address to the question that the engine is asked.

use super::address::Address;
use super::kind::Kind;
use crate::kernel::access::Visibility;
use crate::kernel::ledger;
use crate::kernel::search::{FacetRequest, Filter, Query, Sort, TYPE_FACET};
use crate::modules::search::fields::NEWER;

/// Types counted beside a search through everything.
const TYPES: usize = 24;

/// The question of an address, for so many rows of its page.
pub fn question(address: &Address, kind: Option<&Kind>, rows: usize, visibility: Visibility) -> Query {
    let types = address.type_name.is_empty().then(|| FacetRequest {
        field: TYPE_FACET.to_owned(),
        limit: TYPES,
    });
    let facets = kind.map(|kind| kind.requests(address));
    Query {
        facets: types.into_iter().chain(facets.into_iter().flatten()).collect(),
        sort: sort(address, kind),
        newer: address.sort == NEWER,
        limit: rows,
        offset: (address.page - 1) * rows,
        ..count(address, visibility)
    }
}

/// The question how many records an address finds, and nothing else.
pub fn count(address: &Address, visibility: Visibility) -> Query {
    let filters = address.chosen.iter().map(|c| Filter {
        field: c.field.clone(),
        values: vec![c.value.clone()],
    });
    let types = Some(address.type_name.clone()).filter(|name| !name.is_empty());
    Query {
        kind: Some(ledger::RECORD.to_owned()),
        types: types.into_iter().collect(),
        text: address.q.clone(),
        area: address.area,
        filters: filters.collect(),
        facets: Vec::new(),
        sort: Sort::Created { descending: true },
        limit: 0,
        cursor: None,
        offset: 0,
        visibility,
        ..Query::default()
    }
}

/// The order where none is chosen, as the sort control shows it.
pub fn default_sort(address: &Address) -> &'static str {
    if address.q.is_empty() { "-created" } else { "relevance" }
}

fn sort(address: &Address, kind: Option<&Kind>) -> Sort {
    let asked = if address.sort.is_empty() {
        default_sort(address)
    } else {
        &address.sort
    };
    let (field, descending) = asked.strip_prefix('-').map_or((asked, false), |field| (field, true));
    match field {
        "created" => Sort::Created { descending },
        "updated" => Sort::Updated { descending },
        // A field of another type, or one the caller may not see, orders nothing.
        field if kind.is_some_and(|k| k.leaves().iter().any(|leaf| leaf.path == field)) => Sort::Field {
            field: field.to_owned(),
            descending,
        },
        _ => Sort::Relevance,
    }
}
