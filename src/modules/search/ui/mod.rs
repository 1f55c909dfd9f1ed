//! The search page. Asks through the module's service, which knows what the caller may see, and shows nothing else.

mod address;
mod called;
mod centuries;
mod curate;
mod exports;
mod facets;
mod feeds;
mod kept;
mod kind;
mod map;
mod nothing;
mod pieces;
mod question;
mod rows;
mod saved;
mod sorts;
mod span;
#[cfg(test)]
mod tests;
mod timeline;
mod told;
mod trees;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use address::{Address, Params, View};
use kept::Kept;
use kind::Kind;
use nothing::{OFFERED, Try};
use question::{count, question};
use timeline::Dates;
use view::{Above, Findings, Look};

use super::saved::{SEARCH_SAVE, Saves};
use super::service::{Item, Service, alone};
use crate::contract::records::{RECORDS_READ, RECORDS_WRITE, StoredType};
use crate::kernel::access::{Level, OPEN, Object, Visibility};
use crate::kernel::error::{Error, Result};
use crate::kernel::geo::Area;
use crate::kernel::http::{Query as Ask, RouteSet, Routes, Shared};
use crate::kernel::i18n::Language;
use crate::kernel::module::Health;
use crate::kernel::search::{Answer, MAX_OFFSET, Query, Search, TYPE_FACET};
use crate::kernel::ui::{Html, Page};

/// How long a page that follows a write waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The routes of the pages and feeds.
pub fn routes(saves: Saves) -> Routes {
    let service = saves.service.clone();
    RouteSet::new()
        .page(OPEN, Method::GET, "/search", get(search_page))
        .with_state(service.clone())
        .merge(feeds::routes(saves.clone()))
        .merge(saved::routes(saves))
        .merge(curate::routes(service))
}

/// The parts of an address.
///
/// # Errors
/// `Invalid` where it is none.
pub(super) fn params(query: &str) -> Result<Params> {
    serde_html_form::from_str(query)
        .map_err(|error| Error::invalid("query", format!("This is not the address of a search: {error}.")))
}

/// The question of an address for whoever sees these types, without a page. Who asks puts in what they see.
///
/// # Errors
/// `Invalid` where it is none.
pub(super) fn asks(query: &str, types: &[(Arc<StoredType>, Level)]) -> Result<Query> {
    let params = params(query)?;
    let stored = types
        .iter()
        .find(|(stored, _)| stored.definition.name == params.type_name);
    let address = Address::read(params, stored.map(|(stored, _)| &stored.definition));
    Ok(count(&address, Visibility::nothing()))
}

async fn search_page(
    State(service): State<Service>,
    Shared(context): Shared,
    headers: HeaderMap,
    page: Page,
    Ask(params): Ask<Params>,
) -> Result<Response> {
    let types = service.types(&page.caller, None).await?;
    let kinds: Vec<Kind> = types.iter().map(Kind::new).collect();
    let type_name = match kinds.as_slice() {
        [only] if params.type_name.is_empty() => only.name().to_owned(),
        _ => params.type_name.clone(),
    };
    let mut kind = kinds.iter().find(|kind| kind.name() == type_name);
    let after = params.after.clone();
    let (keep, span) = (params.keep.clone(), !params.span.is_empty());
    let spoilt = !params.area.trim().is_empty() && params.area.parse::<Area>().is_err();
    let mut address = Address::read(Params { type_name, ..params }, kind.map(Kind::definition));
    let kept = Kept::read(&headers);
    if span || !keep.is_empty() {
        return Ok(lead_to(&address, kept, &keep, context.secure()));
    }
    let visibility = service.access.filter(&page.caller, RECORDS_READ).await?;
    let behind = match after {
        Some(text) => !service.search.wait_for(text.parse()?, PATIENCE).await?,
        None => is_behind(&service.search),
    };
    let mut look = look(&address, &kept, kind);
    // Far pages are not counted to; the last one that can be opened is shown instead.
    address.page = address.page.min(MAX_OFFSET / look.rows() + 1);
    let asked = asked(&address, &look, kind, &kinds, visibility.clone());
    let mut answer = service.search.search(asked).await?;
    // What is found may all be of one type: then that type's facets and columns help, as if it had been chosen.
    let implied = kind.is_none().then(|| sole(&answer, &kinds)).flatten();
    let mut counts = Vec::new();
    if let Some(only) = implied {
        kind = implied;
        only.name().clone_into(&mut address.type_name);
        look = self::look(&address, &kept, kind);
        let asked = self::asked(&address, &look, kind, &kinds, visibility.clone());
        answer = service.search.search(asked).await?;
    } else {
        counts = by_type(&service.search, &address, &kinds, &answer, &visibility).await?;
    }
    let named = service.items(&page.caller, &types, &alone(&answer)).await?;
    if spoilt {
        answer.hints.push(page.language.text("search.map-spoilt"));
    }
    let mut items = service.items(&page.caller, &types, &answer).await?;
    let mut first = Vec::new();
    if is_plain(&address) {
        let chosen = kind.filter(|_| implied.is_none());
        first = featured(&service, &page, &types, &address, chosen).await?;
        items.retain(|item| !first.iter().any(|one| one.record.id == item.record.id));
        if is_typed(&address) && page.viewing.is_none() {
            service.asked.note(&address.q, answer.total);
        }
    }
    let (about, found) = ((&address, kind, look.columns.as_slice()), (&answer, items.as_slice()));
    let places = service.called(&page.caller, &types, about, found).await?;
    let mut findings = Findings {
        address: &address,
        look: &look,
        answer: &answer,
        kinds: &kinds,
        items: &items,
        named: named.into_iter().map(|item| (item.record.id, item.title)).collect(),
        first: &first,
        may_save: page.may(&service.access, SEARCH_SAVE).await,
        types: &counts,
        tries: Vec::new(),
        behind,
        implied: implied.is_some(),
        places: &places,
        trees: match kind {
            Some(kind) => {
                let asked = (&address, kind, kinds.as_slice());
                trees::facets(&service, &page.caller, asked, (&places, &visibility), page.language).await?
            }
            None => Vec::new(),
        },
        may_change: may_change(&service, &page, kind).await,
    };
    if answer.total == 0 {
        findings.tries = tries(&service.search, &findings, &visibility, page.language).await?;
    }
    // Who lost a right while this was put together is shown what is left: the same address once more.
    if service.access.filter(&page.caller, RECORDS_READ).await? != visibility {
        return Ok(Redirect::to(&page.here).into_response());
    }
    Ok(Html(findings.page(page)).into_response())
}

/// The question of an address, with what its look needs beside the list.
fn asked(address: &Address, look: &Look, kind: Option<&Kind>, kinds: &[Kind], visibility: Visibility) -> Query {
    let mut asked = question(address, kind, look.rows(), visibility);
    match look.above {
        Above::Map => asked.places = Some(map::request(address)),
        Above::Timeline => {
            let dates = Dates::of(address, kind, kinds, Language::default());
            asked.facets.extend(dates.requests());
        }
        Above::Nothing => {}
    }
    asked
}

/// Words are asked for and nothing else, on the first page; however the list looks.
fn is_plain(address: &Address) -> bool {
    let plain = Address {
        q: address.q.clone(),
        type_name: address.type_name.clone(),
        view: address.view,
        dense: address.dense,
        columns: address.columns.clone(),
        page: 1,
        ..Address::default()
    };
    !address.q.is_empty() && *address == plain
}

/// So it comes from the search box: whoever has changed how the list looks has asked before.
fn is_typed(address: &Address) -> bool {
    is_plain(address) && address.view.is_none() && address.dense.is_none() && address.columns.is_empty()
}

/// What a curator shows first for the words, of the type where one is chosen.
async fn featured(
    service: &Service,
    page: &Page,
    types: &[(Arc<StoredType>, Level)],
    address: &Address,
    chosen: Option<&Kind>,
) -> Result<Vec<Item>> {
    let mut first = service.promoted(&page.caller, types, &address.q).await?;
    first.retain(|item| chosen.is_none_or(|kind| kind.name() == item.record.type_name));
    Ok(first)
}

/// May the caller change records of the type that all are of?
async fn may_change(service: &Service, page: &Page, kind: Option<&Kind>) -> bool {
    match kind {
        Some(kind) => {
            page.may_of(&service.access, RECORDS_WRITE, &Object::Type(kind.name()))
                .await
        }
        None => false,
    }
}

/// Leads from a form to the address that says the same, and keeps how lists are to look where that was asked for.
fn lead_to(address: &Address, kept: Kept, keep: &str, secure: bool) -> Response {
    let location = address.href("/search");
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    if !keep.is_empty()
        && let Some(cookie) = kept.with(address, keep == "columns").cookie(secure)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What the address says, else what was kept, else what suits the type: cards for things with a title of their own.
fn look(address: &Address, kept: &Kept, kind: Option<&Kind>) -> Look {
    let titled = kind.is_none_or(Kind::is_titled);
    let usual = if titled { View::Cards } else { View::Table };
    let columns = if address.columns.is_empty() {
        kept.columns(&address.type_name)
    } else {
        &address.columns
    };
    let view = address.view.or(kept.view).unwrap_or(usual);
    Look {
        cards: view != View::Table,
        above: match view {
            View::Map => Above::Map,
            View::Timeline => Above::Timeline,
            View::Cards | View::Table => Above::Nothing,
        },
        dense: address.dense.or(kept.dense).unwrap_or_default(),
        columns: columns.to_vec(),
    }
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
    kinds.iter().find(|kind| kind.name() == name)
}

/// True while the index still catches up with what was there before it began to follow.
fn is_behind(search: &Search) -> bool {
    matches!(search.health(), Health::Starting { .. })
}

/// How many records of each type the words find, where there is more than one type. Where one is chosen its answer knows
/// nothing of the others, so they are asked for.
async fn by_type(
    search: &Search,
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
        search
            .search(question(&everywhere, None, 0, view.clone()))
            .await?
            .facets
    };
    let counted = facets.into_iter().filter(|facet| facet.field == TYPE_FACET);
    let known = |name: &String| kinds.iter().any(|kind| kind.name() == name);
    let mut counts: Vec<(String, u64)> = counted
        .flat_map(|facet| facet.values)
        .filter_map(|v| Some((v.value.filter(known)?, v.count)))
        .collect();
    if known(&address.type_name) && !counts.iter().any(|(name, _)| *name == address.type_name) {
        counts.push((address.type_name.clone(), 0));
    }
    Ok(counts)
}

/// What finds something where nothing was found, with how much.
async fn tries(search: &Search, findings: &Findings<'_>, view: &Visibility, language: Language) -> Result<Vec<Try>> {
    let mut found = Vec::new();
    for mut one in findings.tries(language) {
        one.count = search.search(count(&one.address, view.clone())).await?.total;
        if one.count > 0 {
            found.push(one);
        }
        if found.len() == OFFERED {
            break;
        }
    }
    Ok(found)
}
