//! The rules of jobs without a database: states, delays between tries, which errors are worth another try, limits.

use std::fmt;

use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Code, Error, Result};

/// Bytes of a payload or a result as JSON text: what is larger belongs into a blob.
pub const MAX_JSON: usize = 1 << 20;
/// Characters of a unique or ordering key.
pub const MAX_KEY: usize = 500;
/// Characters of an error or a log line.
pub const MAX_TEXT: usize = 8_000;
/// Characters of a progress note.
pub const MAX_NOTE: usize = 300;
/// Lines a job's log keeps.
pub const MAX_LINES: i64 = 10_000;

/// How often a job may be lost with its worker before it counts as the cause; more when it gets ahead each time.
pub const MAX_LOST: i64 = 25;
pub const MAX_LOST_AHEAD: i64 = 1_000;

/// Where a job is in its life. Stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Waiting,
    Running,
    Done,
    /// Every try failed; it can be tried again by hand.
    Failed,
    Cancelled,
    /// A newer job of the same purpose took its place.
    Superseded,
}

impl State {
    pub const ALL: [State; 6] = [
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Superseded,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
    /// The state of this name.
    ///
    /// # Errors
    /// `Internal`: the database holds only these.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|s| s.as_str() == text);
        found.ok_or_else(|| Error::internal(anyhow::anyhow!("a job is in the unknown state {text}")))
    }
    /// True when nothing more happens by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Progress {
    pub done: i64,
    /// Missing while it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    pub note: String,
}

/// What is done about an earlier job with the same unique key that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It stands for the new one, which is not made.
    #[default]
    Ignore,
    /// While it waits it takes over what the new one brings: payload, time, priority. Beside one that runs the new one is
    /// made and runs after it.
    Replace,
    /// It ends as superseded, at once or, where it runs, at its next step; the new one runs after it.
    Supersede,
}

/// How far the parts of a job are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Parts {
    pub total: i64,
    /// In whatever way.
    pub ended: i64,
    pub failed: i64,
    /// How far all of them are together, counting what those that run have done so far.
    pub percent: i64,
}

/// Why a job has not ended yet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Wait {
    /// It was made for a later time.
    Later { at: i64 },
    /// A try failed; this is the next one.
    Retry { attempt: i64, of: i64, at: i64 },
    /// An earlier job about the same subject has not ended.
    Behind { job: String, kind: String },
    /// It begins when its parts have ended.
    Parts { ended: i64, of: i64 },
    /// Somebody has paused its queue.
    QueuePaused { queue: String, by: String, at: i64 },
    /// No running program knows jobs of this kind; another version of it may.
    UnknownKind { kind: String },
    /// Whoever serves its queue was told to pause.
    Paused { queue: String },
    /// No living worker serves its queue.
    NoWorker { queue: String },
    /// Everybody is busy.
    Busy { queue: String },
    /// It runs, and somebody asked it to stop.
    CancelAsked,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later { at } => write!(f, "starts at {}", rfc3339(*at)),
            Self::Retry { attempt, of, at } => write!(f, "try {attempt} of {of} at {}", rfc3339(*at)),
            Self::Behind { job, kind } => write!(f, "behind job {job} ({kind}) of the same subject"),
            Self::Parts { ended, of } => write!(f, "{ended} of its {of} parts have ended"),
            Self::QueuePaused { queue, by, at } => {
                let at = rfc3339(*at);
                write!(
                    f,
                    "the queue {queue} was paused by {by} at {at}: app jobs resume {queue}"
                )
            }
            Self::UnknownKind { kind } => {
                write!(
                    f,
                    "no running program knows jobs of the kind {kind}; a newer or older version of it may"
                )
            }
            Self::Paused { queue } => write!(f, "the workers of the queue {queue} pause: app start worker"),
            Self::NoWorker { queue } => write!(f, "no worker serves the queue {queue}"),
            Self::Busy { queue } => write!(f, "waits for a free place in the queue {queue}"),
            Self::CancelAsked => f.write_str("cancel asked"),
        }
    }
}

/// Milliseconds before the next try: 1 s, 4 s, 16 s … up to an hour, spread by up to a quarter so that jobs that failed
/// together do not come back together.
pub fn retry_delay(attempt: i64, random: u8) -> i64 {
    let exponent = u32::try_from(attempt.clamp(1, 7) - 1).unwrap_or(0);
    let base = (1_000 * 4_i64.pow(exponent)).min(3_600_000);
    base + base * i64::from(random) / 1_024
}

/// Could another try go better? Wrong input stays wrong.
pub fn is_worth_retry(code: Code) -> bool {
    code.status() >= 500 || matches!(code, Code::Timeout | Code::Conflict | Code::Stale | Code::TooMany)
}

/// Text fit to be stored: without NUL, which PostgreSQL refuses, and at most `limit` characters.
pub fn clean(text: &str, limit: usize) -> String {
    let mut kept: String = text.chars().filter(|c| *c != '\0').take(limit).collect();
    if text.chars().nth(limit).is_some() {
        kept.push('…');
    }
    kept
}

/// What is stored of an error: the sentence, and the cause for those who look after the house.
pub fn describe(error: &Error) -> String {
    let mut text = format!("{} ({})", error.detail(), error.code().as_str());
    if let Some(source) = error.source() {
        text.push_str(&format!(": {source:#}"));
    }
    clean(&text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_spread() {
        assert_eq!(
            (1..=4).map(|n| retry_delay(n, 0)).collect::<Vec<_>>(),
            [1_000, 4_000, 16_000, 64_000]
        );
        assert_eq!(retry_delay(1, 255), 1_249);
        assert_eq!(retry_delay(1_000, 0), 3_600_000);
        assert_eq!(retry_delay(-5, 0), 1_000);
    }

    #[test]
    fn texts_are_fit_to_store() {
        assert_eq!(clean("a\0b", 10), "ab");
        assert_eq!(clean("ééé", 2), "éé…");
    }

    #[test]
    fn wrong_input_is_not_tried_again() {
        assert!(!is_worth_retry(Code::Invalid) && !is_worth_retry(Code::Forbidden));
        assert!(is_worth_retry(Code::Internal) && is_worth_retry(Code::DiskFull) && is_worth_retry(Code::Busy));
    }
}
