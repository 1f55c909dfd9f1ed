//! The search page. Reads through the port of records and the search of this process; shows nothing that the caller's
//! view does not hold.

mod address;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::routing::get;

use address::{Address, Params};
use view::{Findings, Found, Kind, ROWS, SearchPage, default_sort};

use crate::contract::records::Records;
use crate::kernel::access::{Access, Caller, OPEN, Object, Permission, Visibility};
use crate::kernel::error::Result;
use crate::kernel::http::{Query as Ask, RouteSet, Routes};
use crate::kernel::ledger;
use crate::kernel::module::Health;
use crate::kernel::search::{
    Answer, FacetRequest, Filter, MAX_FACET_VALUES, MAX_OFFSET, Query, Search, Sort, TYPE_FACET,
};
use crate::kernel::ui::{Html, Page};

/// Facets counted at most, and values shown of each.
const FACETS: usize = 12;
const VALUES: usize = 8;
/// Types counted beside a search through everything.
const TYPES: usize = 24;

/// How long a page that follows a write waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

const READ: Permission = Permission("records.read");

/// What the page reads from.
#[derive(Clone)]
pub struct Sources {
    pub records: Arc<dyn Records>,
    pub search: Search,
    pub access: Access,
}

/// The search page's route.
pub fn routes(sources: Sources) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::GET, "/search", get(search_page))
        .with_state(sources)
}

async fn search_page(State(sources): State<Sources>, page: Page, Ask(params): Ask<Params>) -> Result<Html<SearchPage>> {
    let kinds = sources.kinds(&page.caller).await?;
    let only = if kinds.len() == 1 {
        kinds[0].definition.name.clone()
    } else {
        String::new()
    };
    let type_name = if params.type_name.is_empty() {
        only
    } else {
        params.type_name.clone()
    };
    let mut definition = kinds.iter().find(|kind| kind.definition.name == type_name);
    let after = params.after.clone();
    let mut address = Address::read(Params { type_name, ..params }, definition.map(|kind| &kind.definition));
    // Far pages are not counted to; the last one that can be opened is shown instead.
    address.page = address.page.min(MAX_OFFSET / ROWS + 1);
    let visibility = sources.access.filter(&page.caller, READ).await?;
    let behind = match after {
        Some(text) => !sources.search.wait_for(text.parse()?, PATIENCE).await?,
        None => is_behind(&sources.search),
    };
    let mut answer = sources
        .search
        .search(question(&address, definition, visibility.clone()))
        .await?;
    // What is found may all be of one type: then that type's facets and columns help, as if it had been chosen.
    let implied = if definition.is_none() {
        sole(&answer, &kinds)
    } else {
        None
    };
    let types = if let Some(kind) = implied {
        definition = implied;
        address.type_name.clone_from(&kind.definition.name);
        let question = question(&address, definition, visibility);
        answer = sources.search.search(question).await?;
        Vec::new()
    } else {
        sources.types(&address, &kinds, &answer, &visibility).await?
    };
    let found = sources.found(&page.caller, &kinds, &answer).await?;
    let findings = Findings {
        address: &address,
        answer: &answer,
        kinds: &kinds,
        found: &found,
        behind,
        implied: implied.is_some(),
    };
    Ok(Html(findings.page(page, &types)))
}

/// The type of everything that was found, where all is of one.
fn sole<'a>(answer: &Answer, kinds: &'a [Kind]) -> Option<&'a Kind> {
    let mut types = answer
        .facets
        .iter()
        .filter(|facet| facet.field == TYPE_FACET)
        .flat_map(|facet| &facet.values);
    let (Some(only), None) = (types.next(), types.next()) else {
        return None;
    };
    let name = only.value.as_deref()?;
    kinds.iter().find(|kind| kind.definition.name == name)
}

/// True while the index still catches up with what was there before it began to follow.
fn is_behind(search: &Search) -> bool {
    matches!(search.health(), Health::Starting { .. })
}

fn question(address: &Address, kind: Option<&Kind>, visibility: Visibility) -> Query {
    let types = address.type_name.is_empty().then(|| FacetRequest {
        field: TYPE_FACET.to_owned(),
        limit: TYPES,
    });
    let facets = kind.map(Kind::facets).unwrap_or_default();
    let facets = types.into_iter().chain(facets.into_iter().take(FACETS).map(|leaf| {
        let limit = if address.more == leaf.path {
            MAX_FACET_VALUES / 4
        } else {
            VALUES
        };
        FacetRequest {
            field: leaf.path,
            limit,
        }
    }));
    let filters = address.chosen.iter().map(|c| Filter {
        field: c.field.clone(),
        values: vec![c.value.clone()],
    });
    Query {
        kind: Some(ledger::RECORD.to_owned()),
        types: if address.type_name.is_empty() {
            Vec::new()
        } else {
            vec![address.type_name.clone()]
        },
        text: address.q.clone(),
        filters: filters.collect(),
        facets: facets.collect(),
        sort: sort(address, kind),
        limit: ROWS,
        cursor: None,
        offset: (address.page - 1) * ROWS,
        visibility,
    }
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

impl Sources {
    /// The types there are, each with the level of fields that the caller may see in general.
    async fn kinds(&self, caller: &Caller) -> Result<Vec<Kind>> {
        let mut kinds = Vec::new();
        for stored in self.records.record_types().await? {
            let definition = stored.definition.clone();
            if let Some(level) = self.access.level(caller, &Object::Type(&definition.name)).await? {
                kinds.push(Kind { definition, level });
            }
        }
        Ok(kinds)
    }

    /// How many records of each type the words find, where there is more than one type. Where one is chosen its answer
    /// knows nothing of the others, so they are asked for.
    async fn types(
        &self,
        address: &Address,
        kinds: &[Kind],
        answer: &Answer,
        view: &Visibility,
    ) -> Result<Vec<(String, u64)>> {
        if kinds.len() < 2 {
            return Ok(Vec::new());
        }
        let facets = if address.type_name.is_empty() {
            answer.facets.clone()
        } else {
            let everywhere = Address {
                q: address.q.clone(),
                page: 1,
                ..Address::default()
            };
            let query = Query {
                limit: 0,
                ..question(&everywhere, None, view.clone())
            };
            self.search.search(query).await?.facets
        };
        let counted = facets.into_iter().filter(|facet| facet.field == TYPE_FACET);
        let known = |name: &String| kinds.iter().any(|kind| kind.definition.name == *name);
        let mut counts: Vec<(String, u64)> = counted
            .flat_map(|facet| facet.values)
            .filter_map(|v| Some((v.value.filter(known)?, v.count)))
            .collect();
        if known(&address.type_name) && !counts.iter().any(|(name, _)| *name == address.type_name) {
            counts.push((address.type_name.clone(), 0));
        }
        Ok(counts)
    }

    /// The records of an answer in its order, cut to what the caller may see of each.
    async fn found(&self, caller: &Caller, kinds: &[Kind], answer: &Answer) -> Result<Vec<Found>> {
        let ids: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        let by_name: HashMap<&str, &Kind> = kinds.iter().map(|kind| (kind.definition.name.as_str(), kind)).collect();
        let mut found = Vec::with_capacity(ids.len());
        for mut record in self.records.get_many(caller, &ids).await? {
            let Some(kind) = by_name.get(record.type_name.as_str()) else {
                continue;
            };
            let object = Object::Record {
                id: &record.id,
                type_name: &record.type_name,
                visibility: record.visibility,
            };
            let Some(level) = self.access.level(caller, &object).await? else {
                continue;
            };
            record.document = self.records.cut(&kind.definition, level, record.document);
            found.push(Found {
                title: self.records.title(&kind.definition, &record.document),
                record,
            });
        }
        Ok(found)
    }
}
