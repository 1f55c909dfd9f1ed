//! `GET` and `POST /api/search`, values of a facet, the map, the timeline, suggestions, saved searches, what is asked for, what
//! is shown first, and having the index built anew.

mod ask;
mod curate;
mod facet;
mod map;
mod saved;
mod timeline;

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::contract::records::RECORDS_READ;
use crate::kernel::access::{Caller, Permission};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, ProblemDocument, Query, RouteSet, Routes, WithPosition};
use crate::kernel::i18n::Language;
use crate::kernel::search::{MAX_SUGGESTIONS, Node};
use crate::modules::search::saved::Saves;
use crate::modules::search::service::{Asked, Item, Service};
use crate::modules::search::suggest::{Suggestions, Typed};

/// Records of a page where none is asked for.
const LIMIT: u32 = 25;
/// Suggestions of each sort where no number is asked for.
const SUGGESTIONS: u32 = 8;

/// The JSON routes.
pub fn routes(saves: Saves) -> Routes {
    let service = saves.service.clone();
    let more = saved::routes(saves).merge(curate::routes(service.clone()));
    RouteSet::new()
        .route(RECORDS_READ, routes!(search, ask::ask))
        .route(RECORDS_READ, routes!(facet::values))
        .route(RECORDS_READ, routes!(map::map))
        .route(RECORDS_READ, routes!(timeline::timeline))
        .route(RECORDS_READ, routes!(suggest))
        // Its answer comes when the index is built, however long that takes.
        .upload(SEARCH_REBUILD, routes!(rebuild))
        .with_state(service)
        .merge(more)
}

/// To have the index built anew.
pub const SEARCH_REBUILD: Permission = Permission("search.rebuild");

/// An index that was built anew.
#[derive(Serialize, ToSchema)]
pub struct Rebuilt {
    /// How far it has followed the ledger.
    position: String,
}

/// Builds the index anew, beside the one in use, and answers when it has taken its place.
///
/// Every other process with an index on the same database builds its own anew too; the answer does not wait for those.
#[utoipa::path(post, path = "/api/search/rebuild", tag = "search", responses((status = 200, body = Rebuilt)))]
async fn rebuild(State(service): State<Service>) -> Result<Json<Rebuilt>> {
    service.search.rebuild().await?;
    Ok(Json(Rebuilt {
        position: service.search.position().to_string(),
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Params {
    /// Only records of this type.
    #[serde(rename = "type", default)]
    type_name: Option<String>,
    /// Words (all must match), `begin*`, `*within*`, `much~`, `"a phrase"`, `"a phrase"~2`, `-not`, `a | b`, `(groups)`, `field:value`, `field:"whole value"`, `field:a,b`, `field:>10`, `field:<2kg`, `field:1850..1900`, `field:1890s`, `created>today-30d`, `field:*`, `near:59.3,18.0~10km`, `within:55.1,10.9,69.1,24.2`, `sort:-field`. What cannot be read as a rule is looked for as words, with a hint; at most 10,000 bytes and 256 conditions are read.
    #[serde(default)]
    q: String,
    /// `true`: `q` is still being typed, its last word is a beginning.
    #[serde(default)]
    typing: bool,
    /// Fields to count, repeatable. Each is counted under all filters but its own.
    #[serde(default)]
    facet: Vec<String>,
    /// `FIELD:VALUE`, repeatable: OR within a field, AND across fields. `FIELD` alone means that the field is missing; `FIELD:1850..1900` is a span of numbers or dates.
    #[serde(default)]
    filter: Vec<String>,
    /// `relevance` (default), `newer` (by relevance, what was made lately weighing more), `created`, `updated` or a field; with `-` before it from the end.
    #[serde(default)]
    sort: Option<String>,
    /// Records of the page, 25 by default, at most 200.
    #[serde(default)]
    limit: Option<u32>,
    /// `next` of the answer before, with the same question.
    #[serde(default)]
    cursor: Option<String>,
    /// A ledger position (the header `Ledger-Position` of a write) that the answer must include. Waits up to 2 seconds, then answers with `behind`.
    #[serde(default)]
    after: Option<String>,
    /// `true`: include everything that is written now, as with `after`.
    #[serde(default)]
    wait: bool,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Records that match, on all pages.
    total: u64,
    items: Vec<SearchItem>,
    /// What a curator shows first for these words, on the first page where nothing else narrows it. Not in the total; it may
    /// stand among the items, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promoted: Vec<SearchItem>,
    /// Counts by field, the most frequent first; `null` counts the records without a value.
    #[schema(value_type = Object)]
    facets: Map<String, Value>,
    /// Marker of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What `after` or `wait` asked for is not in the answer yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    behind: bool,
    /// What of the question was taken otherwise than it may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
    /// How the question was understood, in the form of `where` of `POST /api/search`.
    #[serde(skip_serializing_if = "Option::is_none")]
    understood: Option<Node>,
    /// The question with words that are there in the place of those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
}

/// A record, cut to what the caller may see.
#[derive(Serialize, ToSchema)]
pub struct SearchItem {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    title: String,
    version: i64,
    created_at: String,
    updated_at: String,
    /// The record's fields, as in its type.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Where something was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    highlights: Vec<Highlight>,
}

/// A text in which something was found, in pieces.
#[derive(Serialize, ToSchema)]
pub struct Highlight {
    /// Path of the field.
    field: String,
    pieces: Vec<Piece>,
}

/// A piece of a text.
#[derive(Serialize, ToSchema)]
pub struct Piece {
    text: String,
    /// This is what was looked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    marked: bool,
}

impl From<Item> for SearchItem {
    fn from(item: Item) -> Self {
        let highlight = |(field, pieces): (String, Vec<(String, bool)>)| Highlight {
            field,
            pieces: pieces
                .into_iter()
                .map(|(text, marked)| Piece { text, marked })
                .collect(),
        };
        Self {
            id: item.record.id,
            type_name: item.record.type_name,
            title: item.title,
            version: item.record.version,
            created_at: rfc3339(item.record.created_at),
            updated_at: rfc3339(item.record.updated_at),
            fields: item.record.document,
            highlights: item.highlights.into_iter().map(highlight).collect(),
        }
    }
}

/// Finds records.
#[utoipa::path(
    get,
    path = "/api/search",
    tag = "search",
    params(Params),
    responses(
        (status = 200, description = "What was found. The header `Ledger-Position` says how far the answer is.", body = SearchAnswer),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The page marker of a list by relevance is older than a minute.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "An unknown field, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn search(
    State(service): State<Service>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<WithPosition<Json<SearchAnswer>>> {
    let asked = Asked {
        type_name: params.type_name.filter(|name| !name.is_empty()),
        text: params.q,
        tree: None,
        typing: params.typing,
        facets: params.facet,
        filters: params.filter,
        chosen: BTreeMap::new(),
        sort: params.sort.filter(|sort| !sort.is_empty()),
        limit: params.limit.unwrap_or(LIMIT) as usize,
        cursor: params.cursor.filter(|cursor| !cursor.is_empty()),
        after: params.after.map(|text| text.parse()).transpose()?,
        wait: params.wait,
    };
    answered(&service, &caller, &asked).await
}

/// Asks and puts the answer into its form.
async fn answered(service: &Service, caller: &Caller, asked: &Asked) -> Result<WithPosition<Json<SearchAnswer>>> {
    let found = service.find(caller, asked).await?;
    let mut facets = Map::new();
    for facet in found.answer.facets {
        facets.insert(facet.field, serde_json::to_value(facet.values)?);
    }
    let answer = SearchAnswer {
        total: found.answer.total,
        items: found.items.into_iter().map(SearchItem::from).collect(),
        promoted: found.promoted.into_iter().map(SearchItem::from).collect(),
        facets,
        next: found.answer.next,
        behind: found.behind,
        hints: found.answer.hints,
        understood: found.answer.understood,
        did_you_mean: found.answer.instead,
    };
    Ok(WithPosition(found.answer.position, Json(answer)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Beginning {
    /// What has been typed so far. Accents and case do not matter; nothing typed is nothing suggested.
    #[serde(default)]
    #[param(example = "tea")]
    q: String,
    /// Only values and records of this type.
    #[serde(rename = "type", default)]
    #[param(example = "museum-object")]
    type_name: Option<String>,
    /// Values and records, each at most this many: 8 by default, at most 50.
    #[serde(default)]
    #[param(example = 8)]
    limit: Option<u32>,
}

/// Suggests values and records while somebody types.
///
/// Values of fields that are counted or shown in tables come with the number of records that have them: a search with the
/// filter `FIELD:VALUE` finds that many. What the caller may not see is neither suggested nor counted. Labels follow
/// `Accept-Language`.
#[utoipa::path(
    get,
    path = "/api/suggest",
    tag = "search",
    params(Beginning),
    responses(
        (status = 200, description = "What may be meant. First what begins so, then what has a word that does.", body = Suggestions),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "More than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn suggest(
    State(service): State<Service>,
    caller: Caller,
    language: Language,
    Query(params): Query<Beginning>,
) -> Result<Json<Suggestions>> {
    let limit = params.limit.unwrap_or(SUGGESTIONS) as usize;
    if limit > MAX_SUGGESTIONS {
        return Err(Error::invalid(
            "limit",
            format!("At most {MAX_SUGGESTIONS} are suggested of each sort; search to see all."),
        ));
    }
    let typed = Typed {
        type_name: params.type_name.filter(|name| !name.is_empty()),
        text: params.q,
        limit,
        language,
    };
    service.suggest(&caller, &typed).await.map(Json)
}
