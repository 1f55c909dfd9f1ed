//! One request as one story: its log lines, the jobs it led to with their beginning, end and own lines, what was delivered
//! for it, and what it changed, in one order of time.

use std::cmp::Ordering;

use axum::extract::State as With;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::logs::find;
use super::{LOGS_READ, Room};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Json, Path, Query, RouteSet, Routes};
use crate::kernel::jobs::{self, EVENTS, Job, JobFilter};
use crate::kernel::ledger::{self, SetFilter};
use crate::kernel::telemetry::{LogQuery, stamp};

/// Log lines of one request that are told, the last ones.
const LINES: usize = 1_000;
/// Jobs and changes.
const TIED: i64 = 100;
/// Lines of the log of each job.
const OF_JOB: i64 = 50;
/// Characters of an id.
const MAX_ID: usize = 200;
/// Kinds that bring something to somebody, beside the deliveries of events.
const DELIVERIES: &[&str] = &["messages.send"];

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new().route(LOGS_READ, routes!(request)).with_state(room)
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    Log,
    Job,
    /// A job that delivers an event or a message.
    Delivery,
    /// A line of the log of a job.
    JobLog,
    Change,
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Job => "job",
            Self::Delivery => "delivery",
            Self::JobLog => "job-log",
            Self::Change => "change",
        }
    }
}

/// Something that happened for a request.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Happening {
    pub at: String,
    pub what: What,
    /// The line; of a job its kind, of a change its cause.
    pub text: String,
    /// Of a job: `made`, `running`, or the state in which it ended. Of a line its level.
    pub state: String,
    /// The part of the program that said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Members of a line.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub fields: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

/// One request from its start to its last effect.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Story {
    request: String,
    /// Oldest first.
    items: Vec<Happening>,
    /// There is more than is told: the last 1,000 lines, 100 jobs, 100 changes, and 50 lines of each job.
    is_cut: bool,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Without log lines: only jobs, deliveries and changes.
    #[serde(default)]
    effects: bool,
}

/// What happened for one request, by the id that stands on error pages and in the header `X-Request-Id`: log lines, jobs,
/// deliveries and changes in one order of time.
#[utoipa::path(
    get, path = "/api/requests/{id}", tag = "operations",
    params(("id" = String, Path, description = "The request's id"), Which), responses((status = 200, body = Story))
)]
async fn request(With(room): With<Room>, Path(id): Path<String>, Query(which): Query<Which>) -> Result<Json<Story>> {
    if id.chars().count() > MAX_ID {
        let text = format!("An id of a request has at most {MAX_ID} characters.");
        return Err(Error::new(Code::BadRequest, text));
    }
    let (mut items, mut is_cut) = effects(&room, &id).await?;
    if !which.effects {
        let lines = lines(&room, &id).await?;
        is_cut |= lines.len() == LINES;
        items.extend(lines);
    }
    items.sort_by(in_order);
    Ok(Json(Story {
        request: id,
        items,
        is_cut,
    }))
}

/// By time; what happened within one millisecond in the order of cause and effect.
pub(super) fn in_order(one: &Happening, other: &Happening) -> Ordering {
    let rank = |happening: &Happening| (happening.what != What::Log, happening.state != "made");
    one.at.cmp(&other.at).then(rank(one).cmp(&rank(other)))
}

async fn lines(room: &Room, request: &str) -> Result<Vec<Happening>> {
    let query = LogQuery {
        request: Some(request.to_owned()),
        ..LogQuery::default()
    };
    let found = find(room.kernel.data.folder("logs")?, query, LINES).await?;
    let line = |(_, entry): (_, crate::kernel::telemetry::LogEntry)| Happening {
        at: entry.at,
        what: What::Log,
        text: entry.message,
        state: entry.level,
        module: Some(entry.module),
        fields: entry.fields,
        job: entry.job,
        change: None,
    };
    Ok(found.into_iter().map(line).collect())
}

/// The jobs, deliveries and changes of a request; and whether there are more.
pub(super) async fn effects(room: &Room, request: &str) -> Result<(Vec<Happening>, bool)> {
    let db = &room.kernel.db;
    let filter = JobFilter {
        request: Some(request.to_owned()),
        ..JobFilter::default()
    };
    let found = jobs::list(db, &filter, TIED).await?;
    let mut is_cut = found.len() as i64 == TIED;
    let mut all = Vec::new();
    for job in &found {
        all.extend(of_job(job));
        let lines = jobs::log_lines(db, &job.id, 0, OF_JOB).await?;
        is_cut |= lines.len() as i64 == OF_JOB;
        all.extend(lines.into_iter().map(|line| Happening {
            at: stamp(line.at),
            what: What::JobLog,
            text: line.message,
            state: line.level,
            module: None,
            fields: serde_json::Map::new(),
            job: Some(job.id.clone()),
            change: None,
        }));
    }
    let filter = SetFilter {
        request: Some(request.to_owned()),
        ..SetFilter::default()
    };
    let sets = ledger::sets(db, &filter, TIED).await?;
    is_cut |= sets.len() as i64 == TIED;
    all.extend(sets.into_iter().map(|set| Happening {
        at: stamp(set.created_at),
        what: What::Change,
        text: set.kind,
        state: String::new(),
        module: None,
        fields: serde_json::Map::new(),
        job: None,
        change: Some(set.id),
    }));
    Ok((all, is_cut))
}

/// That it was made, began and ended.
fn of_job(job: &Job) -> Vec<Happening> {
    let what = if job.queue == EVENTS || DELIVERIES.contains(&job.kind.as_str()) {
        What::Delivery
    } else {
        What::Job
    };
    let moments = [
        (Some(job.created_at), "made"),
        (job.started_at, "running"),
        (job.ended_at, job.state.as_str()),
    ];
    let moments = moments.into_iter().filter_map(|(at, state)| Some((at?, state)));
    let happening = |(at, state): (i64, &str)| Happening {
        at: stamp(at),
        what,
        text: job.kind.clone(),
        state: state.to_owned(),
        module: None,
        fields: serde_json::Map::new(),
        job: Some(job.id.clone()),
        change: None,
    };
    moments.map(happening).collect()
}
