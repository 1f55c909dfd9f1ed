//! How the house does: health of each part, and plots of the last two hours of this process. Needs no other tool.

use askama::Template;
use axum::extract::State as With;
use axum::http::Method;
use axum::routing::get;

use super::health::look;
use super::{OPERATIONS_MANAGE, OPERATIONS_READ, Room};
use crate::kernel::clock::rfc3339;
use crate::kernel::db::Db;
use crate::kernel::error::Result;
use crate::kernel::http::{RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::jobs;
use crate::kernel::ledger;
use crate::kernel::module::Health;
use crate::kernel::process::{self, DEAD_AFTER};
use crate::kernel::telemetry::{self, Sample};
use crate::kernel::ui::plot::{Column, Columns};
use crate::kernel::ui::{Html, Page, filters, view};

/// Columns of a plot, and how long each is, in milliseconds.
const STEPS: i64 = 40;
const STEP: i64 = 180_000;
/// Changes that are counted to tell how far an index is behind.
const MOST_LAG: i64 = 10_000;

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .page(OPERATIONS_READ, Method::GET, "/operations", get(page))
        .with_state(room)
}

#[derive(Template)]
#[template(path = "modules/operations/templates/operations.html")]
struct OperationsPage {
    page: Page,
    parts: Vec<Part>,
    figures: Vec<Figure>,
    plots: Vec<Columns>,
    processes: Vec<ProcessRow>,
}
view!(OperationsPage);

/// One component.
struct Part {
    name: &'static str,
    /// Milliseconds until it answered.
    took: i64,
    /// Key and tone of how it is.
    state: &'static str,
    tone: &'static str,
    reason: Option<String>,
}

/// A number with its name.
struct Figure {
    label: &'static str,
    value: String,
}

struct ProcessRow {
    host: String,
    pid: i64,
    id: String,
    roles: Vec<RoleRow>,
    queues: String,
    lag: Option<String>,
    log_level: String,
    is_alive: bool,
    started_at: i64,
    beat_at: i64,
}

/// A role of a process.
struct RoleRow {
    name: String,
    is_paused: bool,
    /// It may be paused from a page: whoever pauses the web could not let it go on here.
    may_steer: bool,
}

async fn page(With(room): With<Room>, page: Page) -> Result<Html<OperationsPage>> {
    let now = room.kernel.clock.now();
    let language = page.language;
    let parts = look(&room).await.into_iter().map(|component| {
        let (state, tone, reason) = match component.health {
            Health::Ok => ("health.ok", "ok", None),
            Health::Warning { reason } => ("health.warning", "warn", Some(reason)),
            Health::Starting { reason } => ("health.starting", "accent", Some(reason)),
            Health::Failed { reason } => ("health.failed", "bad", Some(reason)),
        };
        Part {
            name: language
                .get(&format!("health-part.{}", component.name))
                .unwrap_or(component.name),
            took: i64::try_from(component.took_ms).unwrap_or(i64::MAX),
            state,
            tone,
            reason,
        }
    });
    let sample = telemetry::sample(&room.kernel).await?;
    let mut samples = telemetry::samples();
    samples.push(sample.clone());
    let ended = jobs::throughput(&room.kernel.db, now - STEPS * STEP, STEP).await?;
    let processes = processes(&room, &page, now).await?;
    Ok(Html(OperationsPage {
        parts: parts.collect(),
        figures: figures(language, &sample),
        plots: plots(language, &samples, &ended, now),
        processes,
        page,
    }))
}

async fn processes(room: &Room, page: &Page, now: i64) -> Result<Vec<ProcessRow>> {
    let may_steer = page.may(&room.kernel.access, OPERATIONS_MANAGE).await;
    let mut rows = Vec::new();
    for p in process::list(&room.kernel.db).await? {
        let is_alive = p.beat_at >= now - DEAD_AFTER;
        let role = |name: &String| RoleRow {
            is_paused: p.paused.contains(name),
            may_steer: may_steer && is_alive && (name == process::WORKER || name == process::SCHEDULER),
            name: name.clone(),
        };
        let lag = match p.index.filter(|_| is_alive) {
            Some(known) => Some(ledger::count_after(&room.kernel.db, known, MOST_LAG).await?),
            None => None,
        };
        rows.push(ProcessRow {
            is_alive,
            roles: p.roles.iter().map(role).collect(),
            queues: p.queues.join(", "),
            lag: lag.filter(|lag| *lag > 0).map(|lag| page.language.number(lag)),
            log_level: p.log_level,
            host: p.host,
            id: p.id,
            pid: p.pid,
            started_at: p.started_at,
            beat_at: p.beat_at,
        });
    }
    Ok(rows)
}

fn figures(language: Language, sample: &Sample) -> Vec<Figure> {
    let mut figures = vec![
        Figure {
            label: "operations.waiting",
            value: language.number(sample.waiting),
        },
        Figure {
            label: "operations.running",
            value: language.number(sample.running),
        },
        Figure {
            label: "operations.database",
            value: language.bytes(u64::try_from(sample.database_bytes).unwrap_or_default()),
        },
    ];
    let mut more = |label, value: Option<String>| figures.extend(value.map(|value| Figure { label, value }));
    more("operations.wal", sample.log_bytes.map(|bytes| language.bytes(bytes)));
    more(
        "operations.disk-free",
        sample.disk_free.map(|bytes| language.bytes(bytes)),
    );
    more("operations.memory", sample.memory.map(|bytes| language.bytes(bytes)));
    more("operations.lag", sample.lag.map(|changes| language.number(changes)));
    figures
}

fn plots(language: Language, samples: &[Sample], ended: &[(i64, String, i64)], now: i64) -> Vec<Columns> {
    // The samples that open and close each step.
    let step = |slot: i64| -> Option<(&Sample, &Sample)> {
        let (from, to) = (slot * STEP, (slot + 1) * STEP);
        let first = samples
            .iter()
            .rfind(|s| s.at <= from)
            .or_else(|| samples.iter().find(|s| s.at <= to))?;
        let last = samples.iter().rfind(|s| s.at <= to).filter(|s| s.at > first.at)?;
        Some((first, last))
    };
    let counted = |of: fn(&Sample) -> f64| {
        move |slot: i64| step(slot).map_or(0, |(first, last)| (of(last) - of(first)).max(0.0) as u64)
    };
    let slowest = |part: f64| {
        move |slot: i64| {
            let found = step(slot).and_then(|(first, last)| telemetry::quantile(first, last, part));
            found.map_or(0, |ms| ms.ceil() as u64)
        }
    };
    let jobs = |failed: bool| {
        move |slot: i64| {
            let these = ended
                .iter()
                .filter(|(at, state, _)| *at == slot && (state == "failed") == failed);
            these
                .map(|(_, _, count)| u64::try_from(*count).unwrap_or_default())
                .sum()
        }
    };
    let highest = |of: fn(&Sample) -> i64| {
        move |slot: i64| {
            let within = samples.iter().filter(|s| s.at / STEP == slot);
            within
                .map(|s| u64::try_from(of(s)).unwrap_or_default())
                .max()
                .unwrap_or_default()
        }
    };
    // Where nothing was measured there is no column.
    let room = |slot: i64| {
        let within = samples.iter().filter(|s| s.at / STEP == slot);
        within.filter_map(|s| s.disk_free).min().unwrap_or_default() / 1_000_000
    };
    let plot = |title: &str, value: &dyn Fn(i64) -> u64| columns(language, title, now, value);
    let mut plots = vec![
        plot("operations.plot-requests", &counted(|s| s.requests)),
        plot("operations.plot-errors", &counted(|s| s.errors)),
        plot("operations.plot-median", &slowest(0.5)),
        plot("operations.plot-slow", &slowest(0.95)),
        plot("operations.plot-jobs", &jobs(false)),
        plot("operations.plot-failed", &jobs(true)),
        plot("operations.plot-waiting", &highest(|s| s.waiting)),
        plot("operations.plot-lag", &highest(|s| s.lag.unwrap_or_default())),
        plot("operations.plot-disk", &room),
        plot("operations.plot-database", &highest(|s| s.database_bytes / 1_000_000)),
        plot(
            "operations.plot-memory",
            &highest(|s| {
                s.memory
                    .map_or(0, |bytes| i64::try_from(bytes / 1_000_000).unwrap_or(i64::MAX))
            }),
        ),
    ];
    // What never happened needs no plot.
    plots.retain(|plot| plot.columns.iter().any(|column| column.count > 0));
    plots
}

/// The jobs that ended in the last while, as a plot.
pub(super) async fn throughput(db: &Db, language: Language) -> Result<Columns> {
    let now = db.clock().now();
    let ended = jobs::throughput(db, now - STEPS * STEP, STEP).await?;
    let value = |slot: i64| {
        let these = ended.iter().filter(|(at, _, _)| *at == slot);
        these
            .map(|(_, _, count)| u64::try_from(*count).unwrap_or_default())
            .sum()
    };
    Ok(columns(language, "operations.plot-ended", now, &value))
}

fn columns(language: Language, title: &str, now: i64, value: &dyn Fn(i64) -> u64) -> Columns {
    let last = now / STEP;
    let column = |slot: i64| {
        let at = rfc3339(slot * STEP);
        let clock = at.get(11..16).unwrap_or_default().to_owned();
        Column {
            label: clock.clone(),
            tick: clock,
            count: value(slot),
            ..Column::default()
        }
    };
    Columns {
        title: language.text(title),
        columns: (last - STEPS + 1..=last).map(column).collect(),
        by: language.text("operations.time"),
        small: false,
        brush: None,
    }
}
