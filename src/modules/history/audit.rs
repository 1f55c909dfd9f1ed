//! The audit: every version with who, why and when, without content, as JSON lines. A page of the ledger at a time, so it
//! takes no memory however long it is.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::HISTORY_AUDIT;
use super::api::moment;
use super::service::Service;
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::http::{Query, RouteSet, Routes};
use crate::kernel::ledger::{self, AuditLine, Position, SetFilter};

/// Lines read at a time.
const PAGE: i64 = 1_000;

/// The route of the audit.
pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .route(HISTORY_AUDIT, routes!(export))
        .with_state(service)
}

/// Which changes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Whose: `operator`, `account:ID`, `token:ID`, `system`.
    #[serde(default)]
    actor: Option<String>,
    /// What made them: `import`, `undo`, `record.edit` …
    #[serde(default)]
    cause: Option<String>,
    /// What was touched: `record`, `type`, `grant`, `group` or `account`.
    #[serde(default)]
    kind: Option<String>,
    /// From this moment: `2026-11-21` or RFC 3339.
    #[serde(default)]
    since: Option<String>,
    /// Before this moment.
    #[serde(default)]
    until: Option<String>,
    /// Only what stands after this place in the ledger: `position` of the last line of an earlier export.
    #[serde(default)]
    after: Option<String>,
}

/// One line of the export.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Line<'a> {
    position: String,
    at: String,
    actor: &'a str,
    cause: &'a str,
    reason: &'a str,
    change: &'a str,
    kind: &'a str,
    id: &'a str,
    version: i64,
    operation: &'a str,
    origin: Value,
}

fn write(lines: &[AuditLine]) -> Result<String> {
    let mut text = String::new();
    for line in lines {
        let at = Position {
            txid: line.txid,
            position: line.position,
        };
        let line = Line {
            position: at.to_string(),
            at: rfc3339(line.created_at),
            actor: &line.actor,
            cause: &line.cause,
            reason: &line.reason,
            change: &line.set_id,
            kind: &line.kind,
            id: &line.entity,
            version: line.version,
            operation: &line.operation,
            origin: serde_json::from_str(&line.origin).unwrap_or_default(),
        };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

/// Every version that was written, oldest first, one JSON object a line: who, why, when, from where, and what became of
/// which record. Contents are not in it.
#[utoipa::path(
    get, path = "/api/changes/export", tag = "history", params(AuditQuery),
    responses((status = 200, content_type = "application/x-ndjson", body = String))
)]
async fn export(State(service): State<Service>, Query(query): Query<AuditQuery>) -> Result<Response> {
    let filter = SetFilter {
        since: query.since.as_deref().map(|t| moment("since", t)).transpose()?,
        until: query.until.as_deref().map(|t| moment("until", t)).transpose()?,
        actor: query.actor,
        cause: query.cause,
        kind: query.kind,
        request: None,
        before: None,
    };
    let after: Position = query.after.as_deref().map(str::parse).transpose()?.unwrap_or_default();
    // Nothing that is still being written may come in before the last line later.
    let end = ledger::settled(&service.db).await?;
    let pages = stream::try_unfold(Some(after), move |after| {
        let (db, filter) = (service.db.clone(), filter.clone());
        async move {
            let Some(after) = after else {
                return Ok::<_, crate::kernel::error::Error>(None);
            };
            let lines = ledger::audit(&db, &filter, after, end, PAGE).await?;
            let next = lines
                .last()
                .filter(|_| lines.len() as i64 == PAGE)
                .map(|line| Position {
                    txid: line.txid,
                    position: line.position,
                });
            Ok(Some((write(&lines)?, next)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"changes.jsonl\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}
