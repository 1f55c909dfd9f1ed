//! History over HTTP.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::HISTORY_READ;
use super::service::{Entry, Service};
use crate::kernel::access::{Caller, Level};
use crate::kernel::clock::{self, rfc3339};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};
use crate::kernel::ledger::{Change, ChangeSet, Operation, Position, SetFilter};

/// The JSON routes of the module.
pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(HISTORY_READ, routes!(history))
        .route(HISTORY_READ, routes!(version))
        .route(HISTORY_READ, routes!(changes))
        .route(HISTORY_READ, routes!(change))
        .with_state(service)
}

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many, 1 to 200; 50 without it.
    limit: Option<i64>,
    /// From `next` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
    pub fn limit(&self) -> Result<i64> {
        limit(self.limit)
    }
}

fn limit(asked: Option<i64>) -> Result<i64> {
    let limit = asked.unwrap_or(50);
    if (1..=200).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::new(
        Code::BadRequest,
        format!("limit: {limit} is not between 1 and 200."),
    ))
}

/// Which change sets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SetQuery {
    /// Whose: `operator`, `account:ID`, `token:ID`, `system`.
    #[serde(default)]
    actor: Option<String>,
    /// What made them: `import`, `undo`, `record.edit` …
    #[serde(default)]
    cause: Option<String>,
    /// What they touch: `record`, `type`, `grant`, `group` or `account`.
    #[serde(default)]
    kind: Option<String>,
    /// From this moment: `2026-11-21` or RFC 3339.
    #[serde(default)]
    since: Option<String>,
    /// Before this moment.
    #[serde(default)]
    until: Option<String>,
    /// At most this many, 1 to 200; 50 without it.
    #[serde(default)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

impl SetQuery {
    fn filter(&self) -> Result<SetFilter> {
        Ok(SetFilter {
            actor: self.actor.clone(),
            cause: self.cause.clone(),
            kind: self.kind.clone(),
            since: self.since.as_deref().map(|t| moment("since", t)).transpose()?,
            until: self.until.as_deref().map(|t| moment("until", t)).transpose()?,
            request: None,
            before: self.cursor.clone(),
        })
    }
}

/// A moment as people and programs write it, in milliseconds.
pub fn moment(name: &str, text: &str) -> Result<i64> {
    clock::moment(text).ok_or_else(|| {
        Error::new(
            Code::BadRequest,
            format!("{name}: write a day as 2026-11-21 or a moment as 2026-11-21T14:05:00Z."),
        )
    })
}

/// Who changed something, when and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetBody {
    pub id: String,
    /// `record.edit`, `import` …
    pub kind: String,
    pub actor: String,
    /// Empty for anonymous callers.
    pub reason: String,
    /// RFC 3339
    pub at: String,
    /// The file that it brought, for those who are known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl SetBody {
    /// Reasons are written for those who are known here.
    fn of(set: ChangeSet, caller: &Caller) -> Self {
        let origin: Value = serde_json::from_str(&set.origin).unwrap_or_default();
        let file = origin.get("file").and_then(Value::as_str).map(str::to_owned);
        Self {
            file: file.filter(|_| !caller.is_anonymous()),
            id: set.id,
            kind: set.kind,
            actor: set.actor,
            reason: if caller.is_anonymous() {
                String::new()
            } else {
                set.reason
            },
            at: rfc3339(set.created_at),
        }
    }
}

/// One state in a record's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryBody {
    pub version: i64,
    pub operation: Operation,
    /// Paths of the fields that differ from the state before, as far as you may see them.
    pub changed: Vec<String>,
    /// Absent for deletions and redacted states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Level>,
    pub change: SetBody,
}

impl EntryBody {
    fn of(entry: Entry, caller: &Caller) -> Self {
        let version = entry.version;
        Self {
            version: version.version,
            operation: version.operation,
            changed: entry.changed,
            visibility: entry.visibility,
            change: SetBody::of(version.set, caller),
        }
    }
}

/// A record's states, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryBody {
    pub items: Vec<EntryBody>,
    /// Send it as `cursor` for older ones; absent at the first state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What became of a record, newest first.
#[utoipa::path(
    get, path = "/api/records/{id}/history", tag = "history",
    params(("id" = String, Path, description = "The record's id"), PageQuery),
    responses((status = 200, body = HistoryBody))
)]
async fn history(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<HistoryBody>> {
    let before = page
        .cursor
        .as_deref()
        .map(|c| c.parse().map_err(|_| not_a_cursor()))
        .transpose()?;
    let (entries, more) = service.history(&caller, &id, before, page.limit()?).await?;
    let items: Vec<EntryBody> = entries.into_iter().map(|e| EntryBody::of(e, &caller)).collect();
    let next = if more {
        items.last().map(|e| e.version.to_string())
    } else {
        None
    };
    Ok(Json(HistoryBody { items, next }))
}

/// An old state of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionBody {
    pub id: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub version: i64,
    pub operation: Operation,
    pub change: SetBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Level>,
    pub title: String,
    /// `null` for a deletion and for a redacted state.
    #[schema(value_type = Option<Object>)]
    pub document: Option<Map<String, Value>>,
}

/// One old state of a record, with the fields you may see today.
#[utoipa::path(
    get, path = "/api/records/{id}/versions/{n}", tag = "history",
    params(("id" = String, Path, description = "The record's id"), ("n" = i64, Path, description = "The version, from 1")),
    responses((status = 200, body = VersionBody))
)]
async fn version(
    State(service): State<Service>,
    caller: Caller,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Json<VersionBody>> {
    let (version, state, sight) = service.version(&caller, &id, number).await?;
    let title = state.as_ref().map(|s| service.title(&sight, s)).unwrap_or_default();
    Ok(Json(VersionBody {
        id,
        type_name: sight.stored_type.definition.name.clone(),
        version: version.version,
        operation: version.operation,
        change: SetBody::of(version.set, &caller),
        visibility: state.as_ref().map(|s| s.visibility),
        title,
        document: state.map(|s| s.document),
    }))
}

/// Change sets, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetList {
    pub items: Vec<SetBody>,
    /// Send it as `cursor` for older ones. A page can have fewer items than asked for before the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was changed in the house, newest first.
#[utoipa::path(get, path = "/api/changes", tag = "history", params(SetQuery), responses((status = 200, body = SetList)))]
async fn changes(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<SetQuery>,
) -> Result<Json<SetList>> {
    let (sets, next) = service.sets(&caller, &query.filter()?, limit(query.limit)?).await?;
    Ok(Json(SetList {
        items: sets.into_iter().map(|s| SetBody::of(s, &caller)).collect(),
        next,
    }))
}

/// One thing that a change set changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeBody {
    /// `record`, `type` …
    pub kind: String,
    pub id: String,
    pub version: i64,
    /// Its place in the ledger.
    pub position: String,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        Self {
            kind: change.kind,
            id: change.entity,
            version: change.version,
            position: change.at.to_string(),
        }
    }
}

/// A change set with what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeList {
    pub change: SetBody,
    pub items: Vec<ChangeBody>,
    /// Send it as `cursor` for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One change set and a page of what it changed, in order.
#[utoipa::path(
    get, path = "/api/changes/{id}", tag = "history",
    params(("id" = String, Path, description = "The change set's id"), PageQuery),
    responses((status = 200, body = ChangeList))
)]
async fn change(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ChangeList>> {
    let after: Position = match page.cursor.as_deref() {
        Some(text) => text.parse().map_err(|_| not_a_cursor())?,
        None => Position::default(),
    };
    let (set, changes, next) = service.set(&caller, &id, after, page.limit()?).await?;
    let items = changes.into_iter().map(ChangeBody::from).collect();
    Ok(Json(ChangeList {
        change: SetBody::of(set, &caller),
        items,
        next: next.map(|p| p.to_string()),
    }))
}

fn not_a_cursor() -> Error {
    Error::new(Code::BadRequest, "cursor: this is not the next of a page before.")
}
