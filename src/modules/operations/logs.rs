//! The kept logs: as JSON, and as a page where one request leads to its lines, jobs and changes in one order of time.

use std::path::PathBuf;

use askama::Template;
use axum::extract::State as With;
use axum::http::Method;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::timeline::{self, What};
use super::{LOGS_READ, OPERATIONS_MANAGE, Room};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Query, RouteSet, Routes};
use crate::kernel::telemetry::{self, LogEntry, LogPlace, LogQuery, is_level, search};
use crate::kernel::ui::{Html, Page, filters, set_name, view};
use crate::modules::operations::ui::view::name;

/// Lines of one page.
const PAGE: usize = 200;
const MAX: i64 = 1_000;
/// Characters of a word that is looked for.
const MAX_WORD: usize = 200;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(LOGS_READ, routes!(list))
        .page(LOGS_READ, Method::GET, "/logs", get(page))
        .with_state(room)
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// This level and louder: `error`, `warn`, `info`, `debug`, `trace`.
    #[serde(default)]
    level: String,
    /// A part of the program, such as `schedule`.
    #[serde(default)]
    module: String,
    /// The id of a request.
    #[serde(default)]
    request: String,
    /// The id of a job.
    #[serde(default)]
    job: String,
    /// Words of the line.
    #[serde(default)]
    q: String,
    /// `next` of the page before: older lines.
    #[serde(default)]
    cursor: String,
    /// `newest` of an earlier answer: lines since then, oldest first.
    #[serde(default)]
    after: String,
    /// At most 1,000; 200 without it.
    #[serde(default)]
    limit: Option<i64>,
}

fn given(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > MAX_WORD {
        return Err(Error::new(
            Code::BadRequest,
            format!("Look for at most {MAX_WORD} characters."),
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl Asked {
    fn query(&self) -> Result<LogQuery> {
        let level = given(&self.level)?;
        if let Some(level) = level.as_deref().filter(|level| !is_level(level)) {
            return Err(Error::new(
                Code::BadRequest,
                format!("level: \"{level}\" is none of error, warn, info, debug, trace."),
            ));
        }
        let place = |text: &str| given(text)?.map(|text| text.parse::<LogPlace>()).transpose();
        Ok(LogQuery {
            level,
            module: given(&self.module)?,
            request: given(&self.request)?,
            job: given(&self.job)?,
            text: given(&self.q)?,
            before: place(&self.cursor)?,
            after: place(&self.after)?,
        })
    }
    fn limit(&self) -> Result<usize> {
        match self.limit {
            None => Ok(PAGE),
            Some(limit) if (1..=MAX).contains(&limit) => Ok(usize::try_from(limit).unwrap_or(PAGE)),
            Some(_) => Err(Error::invalid("limit", format!("must be between 1 and {MAX}"))),
        }
    }
}

pub(super) async fn find(folder: PathBuf, query: LogQuery, limit: usize) -> Result<Vec<(LogPlace, LogEntry)>> {
    let found = tokio::task::spawn_blocking(move || search(&folder, &query, limit)).await;
    found.map_err(Error::internal)?
}

/// Lines of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LogLines {
    /// Newest first; with `after`, oldest first.
    items: Vec<LogEntry>,
    /// `cursor` of older lines; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Send it as `after` for what comes later.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
}

/// What the processes on this machine have logged, as far as it is kept.
#[utoipa::path(get, path = "/api/logs", tag = "operations", params(Asked), responses((status = 200, body = LogLines)))]
async fn list(With(room): With<Room>, Query(asked): Query<Asked>) -> Result<Json<LogLines>> {
    let (query, limit) = (asked.query()?, asked.limit()?);
    let is_later = query.after.is_some();
    let found = find(room.kernel.data.folder("logs")?, query, limit).await?;
    let newest = if is_later { found.last() } else { found.first() };
    let oldest = found.last().filter(|_| !is_later && found.len() == limit);
    Ok(Json(LogLines {
        newest: newest.map(|(place, _)| place.to_string()),
        next: oldest.map(|(place, _)| place.to_string()),
        items: found.into_iter().map(|(_, entry)| entry).collect(),
    }))
}

#[derive(Template)]
#[template(path = "modules/operations/templates/logs.html")]
struct LogsPage {
    page: Page,
    asked: Asked,
    levels: [&'static str; 5],
    rows: Vec<Row>,
    older: Option<String>,
    is_narrowed: bool,
    /// How much this process logs, for who may change it.
    may_steer: bool,
    level_now: String,
}
view!(LogsPage);

/// A line, a job or a change.
struct Row {
    datetime: String,
    /// Day and time, to the millisecond.
    clock: String,
    level: String,
    module: String,
    message: String,
    fields: Vec<(String, String)>,
    request: Option<String>,
    /// Where it leads: address and words.
    href: Option<(String, String)>,
}

async fn page(With(room): With<Room>, page: Page, Query(asked): Query<Asked>) -> Result<Html<LogsPage>> {
    let query = asked.query()?;
    let request = query.request.clone();
    let found = find(room.kernel.data.folder("logs")?, query, PAGE).await?;
    let older = found
        .last()
        .filter(|_| found.len() == PAGE)
        .map(|(place, _)| asked.href(&place.to_string()));
    let mut rows: Vec<Row> = found.into_iter().map(|(_, entry)| row(entry)).collect();
    if let Some(request) = request.filter(|_| asked.cursor.is_empty()) {
        // One story, from its start.
        rows.reverse();
        rows.extend(tied(&room, &page, &request).await?);
        rows.sort_by(|a, b| a.datetime.cmp(&b.datetime));
    }
    Ok(Html(LogsPage {
        may_steer: page.may(&room.kernel.access, OPERATIONS_MANAGE).await,
        level_now: telemetry::level().unwrap_or_else(|| room.kernel.config.log.level.clone()),
        rows,
        older,
        levels: ["error", "warn", "info", "debug", "trace"],
        is_narrowed: !asked.href("").ends_with("/logs"),
        asked,
        page,
    }))
}

impl Asked {
    fn href(&self, cursor: &str) -> String {
        let pairs = [
            ("level", self.level.as_str()),
            ("module", &self.module),
            ("request", &self.request),
            ("job", &self.job),
            ("q", &self.q),
            ("cursor", cursor),
        ];
        let pairs: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_html_form::to_string(pairs) {
            Ok(query) if !query.is_empty() => format!("/logs?{query}"),
            _ => "/logs".to_owned(),
        }
    }
}

fn row(entry: LogEntry) -> Row {
    let fields = entry.fields.into_iter();
    let fields = fields.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    Row {
        clock: clock(&entry.at),
        datetime: entry.at,
        level: entry.level,
        module: entry
            .module
            .strip_prefix("vitrine::")
            .unwrap_or(&entry.module)
            .to_owned(),
        message: entry.message,
        fields: fields.collect(),
        request: entry.request,
        href: entry.job.map(|job| (format!("/jobs/{job}"), "logs.job".to_owned())),
    }
}

fn clock(datetime: &str) -> String {
    let day = datetime.get(..10).unwrap_or_default();
    let time = datetime.get(11..).unwrap_or_default().trim_end_matches('Z');
    format!("{day} {}", time.get(..12).unwrap_or(time))
}

/// The jobs, deliveries and changes of a request, in words.
async fn tied(room: &Room, page: &Page, request: &str) -> Result<Vec<Row>> {
    let language = page.language;
    let (mut all, _) = timeline::effects(room, request).await?;
    all.sort_by(timeline::in_order);
    let row = |happening: timeline::Happening| {
        let (message, href) = match (&happening.job, &happening.change) {
            (_, Some(set)) => (
                set_name(language, &happening.text),
                Some((format!("/changes/{set}"), "logs.change".to_owned())),
            ),
            (Some(id), None) => {
                let words = match happening.what {
                    What::JobLog => happening.text.clone(),
                    _ => {
                        let state = match happening.state.as_str() {
                            "made" => language.text("logs.made"),
                            state => language.text(&format!("job-state.{state}")),
                        };
                        format!("{} · {state}", name(language, &happening.text))
                    }
                };
                (words, Some((format!("/jobs/{id}"), "logs.job".to_owned())))
            }
            (None, None) => (happening.text.clone(), None),
        };
        Row {
            clock: clock(&happening.at),
            datetime: happening.at,
            level: happening.what.as_str().to_owned(),
            module: String::new(),
            message,
            fields: Vec::new(),
            request: None,
            href,
        }
    };
    Ok(all.into_iter().map(row).collect())
}
