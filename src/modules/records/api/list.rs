//! Lists of records by type, id and time. Lists by any other field are the search's.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, RecordBody};
use crate::contract::records::RECORDS_DELETE;
use crate::kernel::access::{Caller, Object};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Query};
use crate::kernel::id::is_id;
use crate::modules::records::model::hint;
use crate::modules::records::service::List;

const MAX_LIMIT: i64 = 200;
const SORTS: [&str; 4] = ["id", "-id", "updated_at", "-updated_at"];

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Records of this type only.
    #[serde(rename = "type")]
    type_name: Option<String>,
    /// These records only; can be repeated.
    #[serde(default)]
    id: Vec<String>,
    /// Changed at this time (RFC 3339) or later.
    since: Option<String>,
    /// Changed before this time (RFC 3339).
    until: Option<String>,
    /// `live` (the rule) or `deleted`, which needs the permission records.delete.
    state: Option<String>,
    /// `id` (the rule: oldest first), `-id`, `updated_at` or `-updated_at`.
    sort: Option<String>,
    /// Top fields of the document to answer, joined by commas; all without it.
    fields: Option<String>,
    /// At most this many, 1 to 200; 25 without it.
    limit: Option<i64>,
    /// From `next` of the page before.
    cursor: Option<String>,
}

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordList {
    pub items: Vec<RecordBody>,
    /// How many there are on all pages.
    pub total: i64,
    /// Send it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Records by type, id and time.
#[utoipa::path(get, path = "/api/records", tag = "records", params(ListQuery), responses((status = 200, body = RecordList)))]
pub async fn list(State(api): State<Api>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Json<RecordList>> {
    let list = asked(&query)?;
    if list.deleted {
        api.service
            .access()
            .require(&caller, RECORDS_DELETE, &Object::Anywhere)
            .await?;
    }
    let page = api.service.list(&caller, &list).await?;
    let mut items: Vec<RecordBody> = page.items.into_iter().map(RecordBody::from).collect();
    if let Some(fields) = &query.fields {
        let names: Vec<&str> = fields.split(',').map(str::trim).collect();
        items
            .iter_mut()
            .for_each(|item| item.document.retain(|name, _| names.contains(&name.as_str())));
    }
    let next = page.next.map(|(at, id)| format!("{at}.{id}"));
    Ok(Json(RecordList {
        items,
        total: page.total,
        next,
    }))
}

fn asked(query: &ListQuery) -> Result<List> {
    let sort = query.sort.as_deref().unwrap_or("id");
    if !SORTS.contains(&sort) {
        let text = format!(
            "sort: \"{}\" is not one of {}.{}",
            cut(sort),
            SORTS.join(", "),
            hint(sort, SORTS.into_iter())
        );
        return Err(Error::new(
            Code::BadRequest,
            format!("{text} GET /api/search sorts by fields."),
        ));
    }
    let deleted = match query.state.as_deref() {
        None | Some("live") => false,
        Some("deleted") => true,
        Some(other) => {
            return Err(Error::new(
                Code::BadRequest,
                format!("state: \"{}\" is neither live nor deleted.", cut(other)),
            ));
        }
    };
    let limit = query.limit.unwrap_or(25);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::new(
            Code::BadRequest,
            format!("limit: {limit} is not between 1 and {MAX_LIMIT}."),
        ));
    }
    if query.id.len() > 1_000 {
        return Err(Error::new(
            Code::BadRequest,
            "id: at most 1000 can be asked for at once.",
        ));
    }
    Ok(List {
        type_name: query.type_name.clone(),
        ids: (!query.id.is_empty()).then(|| query.id.clone()),
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
        deleted,
        by_time: sort.ends_with("updated_at"),
        descending: sort.starts_with('-'),
        after: query.cursor.as_deref().map(cursor).transpose()?,
        limit,
    })
}

fn cut(text: &str) -> String {
    crate::modules::records::model::shorten(text, 60)
}

fn time(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|t| Some(t.as_millisecond())).map_err(|_| {
        Error::new(
            Code::BadRequest,
            format!("{name}: \"{}\" is not a time such as 2026-11-21T09:00:00Z.", cut(text)),
        )
    })
}

fn cursor(text: &str) -> Result<(i64, String)> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id)));
    match parts.filter(|(_, id)| is_id(id)) {
        Some((at, id)) => Ok((at, id.to_owned())),
        None => Err(Error::new(
            Code::BadRequest,
            "cursor: this is not the next of a page before.",
        )),
    }
}
