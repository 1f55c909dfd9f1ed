//! Jobs in words and pieces: as the list, the page and the live stream show them.

use serde_json::Value;

use crate::kernel::clock::rfc3339;
use crate::kernel::i18n::Language;
use crate::kernel::jobs::{Job, LogLine, Parts, State, Wait};
use crate::kernel::ui::{actor, plain, readable};

/// A rate is told only after this much of work, in milliseconds.
const SETTLED: i64 = 2_000;
/// Kinds whose progress counts bytes.
const IN_BYTES: &[&str] = &["exchange.import"];

/// A job as both pages show it.
pub struct JobView {
    pub id: String,
    pub kind: String,
    /// The kind in words.
    pub name: String,
    /// Key of the state, and the colour of its badge.
    pub state: String,
    pub tone: &'static str,
    pub running: bool,
    pub ended: bool,
    pub done: i64,
    pub total: Option<i64>,
    /// How far it is, in words.
    pub words: String,
    /// Why it waits, in words.
    pub waits: Option<String>,
    /// The job it waits for.
    pub behind: Option<String>,
    /// The job it is a part of.
    pub parent: Option<String>,
    /// How far its parts are, in words.
    pub parts: Option<String>,
    pub superseded_by: Option<String>,
    /// Milliseconds one try may take.
    pub limit: Option<i64>,
    pub created_at: i64,
    /// Milliseconds it ran, or runs so far.
    pub took: Option<i64>,
}

pub struct LogView {
    pub datetime: String,
    /// Hours, minutes and seconds.
    pub clock: String,
    pub level: String,
    pub message: String,
}

/// What a kind of job is called: its text, or the kind made readable.
pub fn name(language: Language, kind: &str) -> String {
    language
        .get(&format!("job.{kind}"))
        .map_or_else(|| readable(kind), str::to_owned)
}

fn amount(language: Language, kind: &str, n: i64) -> String {
    match u64::try_from(n) {
        Ok(n) if IN_BYTES.contains(&kind) => language.bytes(n),
        _ => language.number(n),
    }
}

/// How fast it goes: this much in this many milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub done: i64,
    pub ms: i64,
}

impl Pace {
    /// Since the job began, where it began once: what earlier tries did is no part of its pace.
    pub fn of(job: &Job, now: i64) -> Option<Self> {
        let started = job.started_at.filter(|_| job.attempts <= 1)?;
        Some(Self {
            done: job.progress.done,
            ms: now - started,
        })
    }
}

/// How far a job is: count, note, speed and time left.
pub fn progress_words(job: &Job, language: Language, pace: Option<Pace>) -> String {
    let progress = &job.progress;
    let kind = job.kind.as_str();
    let mut words = Vec::new();
    match progress.total {
        // Those with parts tell how many have ended.
        Some(_) if job.parts.is_some() && job.state == State::Waiting => {
            let percent = job.parts.map_or(0, |parts| parts.percent);
            words.push(language.with("jobs.percent", &[("n", &percent)]));
        }
        Some(total) if total > 0 => {
            let (done, total) = (amount(language, kind, progress.done), amount(language, kind, total));
            words.push(language.with("jobs.done-of", &[("done", &done), ("total", &total)]));
        }
        _ if progress.done > 0 => {
            let done = amount(language, kind, progress.done);
            words.push(language.with("jobs.done-so-far", &[("done", &done)]));
        }
        _ => {}
    }
    if !progress.note.is_empty() {
        words.push(language.sentence(&progress.note));
    }
    if let Some(pace) = pace.filter(|p| job.state == State::Running && p.done > 0 && p.ms >= SETTLED) {
        let speed = i128::from(pace.done) * 1_000 / i128::from(pace.ms);
        let speed = amount(language, kind, i64::try_from(speed).unwrap_or(i64::MAX));
        words.push(language.with("jobs.speed", &[("n", &speed)]));
        if let Some(left) = progress
            .total
            .map(|total| total - progress.done)
            .filter(|left| *left > 0)
        {
            let ms = i128::from(left) * i128::from(pace.ms) / i128::from(pace.done);
            let time = language.duration(i64::try_from(ms).unwrap_or(i64::MAX));
            words.push(language.with("jobs.left", &[("time", &time)]));
        }
    }
    words.join(" · ")
}

pub fn job_view(job: &Job, language: Language, now: i64, pace: Option<Pace>) -> JobView {
    // Until it begins itself, it is as far as its parts are together.
    let together = job.parts.filter(|_| job.state == State::Waiting);
    JobView {
        id: job.id.clone(),
        kind: job.kind.clone(),
        name: name(language, &job.kind),
        state: format!("job-state.{}", job.state.as_str()),
        tone: match job.state {
            State::Waiting | State::Cancelled | State::Superseded => "",
            State::Running => "accent",
            State::Done => "ok",
            State::Failed => "bad",
        },
        running: job.state == State::Running,
        ended: job.state.is_final(),
        done: together.map_or(job.progress.done, |parts| parts.percent),
        total: match together {
            Some(_) => Some(100),
            None => job.progress.total.filter(|total| *total > 0),
        },
        words: progress_words(job, language, pace),
        waits: job.wait.as_ref().map(|wait| waits(language, wait)),
        behind: match &job.wait {
            Some(Wait::Behind { job, .. }) => Some(job.clone()),
            _ => None,
        },
        parent: job.parent.clone(),
        parts: job.parts.map(|parts| part_words(parts, language)),
        superseded_by: job.superseded_by.clone(),
        limit: job.time_limit,
        created_at: job.created_at,
        took: job.started_at.map(|from| (job.ended_at.unwrap_or(now) - from).max(0)),
    }
}

fn part_words(parts: Parts, language: Language) -> String {
    let (ended, total) = (language.number(parts.ended), language.number(parts.total));
    let mut words = language.with("jobs.parts-ended", &[("ended", &ended), ("total", &total)]);
    if parts.failed > 0 {
        let failed = language.with("jobs.parts-failed", &[("n", &language.number(parts.failed))]);
        words.push_str(" · ");
        words.push_str(&failed);
    }
    words
}

pub fn waits(language: Language, wait: &Wait) -> String {
    match wait {
        Wait::Later { at } => language.with("job-wait.later", &[("at", &language.time(*at))]),
        Wait::Retry { attempt, of, at } => language.with(
            "job-wait.retry",
            &[("attempt", attempt), ("of", of), ("at", &language.time(*at))],
        ),
        Wait::Behind { kind, .. } => language.with("job-wait.behind", &[("job", &name(language, kind))]),
        Wait::Parts { ended, of } => language.with("job-wait.parts", &[("ended", ended), ("of", of)]),
        Wait::QueuePaused { queue, by, at } => {
            let (by, at) = (actor(language, by), language.time(*at));
            language.with("job-wait.queue-paused", &[("queue", queue), ("by", &by), ("at", &at)])
        }
        Wait::UnknownKind { kind } => language.with("job-wait.unknown-kind", &[("kind", kind)]),
        Wait::Paused { queue } => language.with("job-wait.paused", &[("queue", queue)]),
        Wait::NoWorker { queue } => language.with("job-wait.no-worker", &[("queue", queue)]),
        Wait::Busy { queue } => language.with("job-wait.busy", &[("queue", queue)]),
        Wait::CancelAsked => language.text("job-wait.cancel-asked"),
    }
}

/// What of a result is for machines only.
const INNER: &[&str] = &["blob", "position", "duration_ms", "report_path"];

/// The single values of a job's result with where they lead; what is nested stays in the machine's form.
pub fn results(language: Language, job: &Job) -> Vec<(String, String, Option<String>)> {
    let result = job.result.as_ref();
    let shown = |value: &Value| match value {
        Value::Number(n) => n.as_i64().map(|n| language.number(n)).or_else(|| Some(n.to_string())),
        value => plain(value, language),
    };
    let leads = |name: &str, value: &Value| {
        let value = value.as_str()?;
        match name {
            "change" | "undoes" | "set_id" => Some(format!("/changes/{value}")),
            "report" => Some(format!("/api/imports/{}/report", job.id)),
            "type" => Some(format!("/types/{value}")),
            "file" if value.starts_with("/api/exports/") => Some(value.to_owned()),
            _ => None,
        }
    };
    let object = result.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .filter(|(name, value)| !INNER.contains(&name.as_str()) && **value != Value::Bool(false))
        .filter_map(|(name, value)| {
            let label = language.get(&format!("job-result.{name}"));
            let label = label.map_or_else(|| readable(name), str::to_owned);
            Some((label, shown(value)?, leads(name, value)))
        })
        .collect()
}

pub fn log_view(line: &LogLine) -> LogView {
    let datetime = rfc3339(line.at);
    LogView {
        clock: datetime.get(11..19).unwrap_or_default().to_owned(),
        datetime,
        level: line.level.to_ascii_lowercase(),
        message: line.message.clone(),
    }
}
