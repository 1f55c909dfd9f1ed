//! Searching the kept logs of every process on this machine: the newest first, or those after a place.

use std::cmp::Reverse;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::logs::names;
use crate::kernel::error::{Code, Error, Result};

/// Bytes of one file that are read.
const MAX_FILE: u64 = 64 << 20;
/// From the loudest.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogEntry {
    /// RFC 3339
    pub at: String,
    /// `error`, `warn`, `info`, `debug` or `trace`
    pub level: String,
    /// Which part of the program.
    pub module: String,
    pub message: String,
    /// The request that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The job that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// What else is said, by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// Where a line stands: its time, then its file and its place in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPlace {
    at: String,
    file: String,
    offset: usize,
}

impl std::fmt::Display for LogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}~{}", self.at, self.file, self.offset)
    }
}

impl FromStr for LogPlace {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '~');
        let parsed = (|| {
            Some(Self {
                at: parts.next()?.to_owned(),
                file: parts.next()?.to_owned(),
                offset: parts.next()?.parse().ok()?,
            })
        })();
        parsed.ok_or_else(|| Error::new(Code::BadRequest, "cursor: take it from \"next\" of the page before."))
    }
}

/// Which lines.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// This level and louder ones.
    pub level: Option<String>,
    /// A part of the module's name.
    pub module: Option<String>,
    pub request: Option<String>,
    pub job: Option<String>,
    /// Words that stand in the line, in any case.
    pub text: Option<String>,
    /// Only older lines.
    pub before: Option<LogPlace>,
    /// Only newer lines, oldest first.
    pub after: Option<LogPlace>,
}

impl LogQuery {
    /// A cheap look at the raw line before it is read.
    fn may_be(&self, line: &str) -> bool {
        let holds = |part: &Option<String>| part.as_deref().is_none_or(|part| line.contains(part));
        holds(&self.request) && holds(&self.job) && holds(&self.module)
    }

    fn is(&self, entry: &LogEntry) -> bool {
        let loud = |level: &str| LEVELS.iter().position(|known| *known == level);
        let by_level = self
            .level
            .as_deref()
            .is_none_or(|asked| loud(&entry.level) <= loud(asked));
        let by_module = self.module.as_deref().is_none_or(|part| entry.module.contains(part));
        let by_request = self.request.is_none() || self.request == entry.request;
        let by_job = self.job.is_none() || self.job == entry.job;
        let by_text = self.text.as_deref().is_none_or(|text| {
            let mut all = format!("{} {}", entry.message, entry.module);
            for value in entry.fields.values() {
                all.push(' ');
                all.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            let all = all.to_lowercase();
            text.to_lowercase().split_whitespace().all(|word| all.contains(word))
        });
        by_level && by_module && by_request && by_job && by_text
    }
}

/// A moment as lines carry it: always of one length, so that texts sort as times do.
pub fn stamp(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// Is this a level that can be asked for?
pub fn is_level(text: &str) -> bool {
    LEVELS.contains(&text)
}

/// Lines of the files in a folder, newest first (after a place: oldest first), at most `limit`. Blocks: reads files.
///
/// # Errors
/// What the file system says of files that are there.
pub fn search(folder: &Path, query: &LogQuery, limit: usize) -> Result<Vec<(LogPlace, LogEntry)>> {
    let mut files = names(folder);
    files.sort_by_key(|path| Reverse(path.clone()));
    let mut found: Vec<(LogPlace, LogEntry)> = Vec::new();
    for path in files {
        let edge = match &query.after {
            Some(after) => Some(after.at.as_str()),
            None if found.len() >= limit => found.iter().map(|(place, _)| place.at.as_str()).min(),
            None => None,
        };
        if let (Some(edge), Some(written)) = (edge, last_write(&path))
            && written.as_str() < edge
        {
            continue;
        }
        let text = match read(&path) {
            Ok(text) => text,
            // Removed by its writer just now.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e.into()),
        };
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        collect(&text, &name, query, limit, &mut found);
        sort(&mut found, query);
        found.truncate(limit);
    }
    Ok(found)
}

fn sort(found: &mut [(LogPlace, LogEntry)], query: &LogQuery) {
    if query.after.is_some() {
        found.sort_by(|a, b| a.0.cmp(&b.0));
    } else {
        found.sort_by(|a, b| b.0.cmp(&a.0));
    }
}

fn collect(text: &str, file: &str, query: &LogQuery, limit: usize, found: &mut Vec<(LogPlace, LogEntry)>) {
    let mut taken = 0;
    let mut end = text.len();
    // From the end, so that a long file need not be read through for its last lines.
    for line in text.rsplit('\n') {
        let offset = end - line.len();
        end = offset.saturating_sub(1);
        if line.is_empty() || !query.may_be(line) {
            continue;
        }
        // The last line of a process that was killed may be cut off.
        let Ok(entry) = serde_json::from_str::<LogEntry>(line) else {
            continue;
        };
        let place = LogPlace {
            at: entry.at.clone(),
            file: file.to_owned(),
            offset,
        };
        if query.after.as_ref().is_some_and(|after| place <= *after) {
            if entry.at.as_str() < query.after.as_ref().map_or("", |a| a.at.as_str()) {
                break;
            }
            continue;
        }
        if query.before.as_ref().is_some_and(|before| place >= *before) || !query.is(&entry) {
            continue;
        }
        found.push((place, entry));
        taken += 1;
        if taken >= limit && query.after.is_none() {
            break;
        }
    }
}

fn last_write(path: &Path) -> Option<String> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    // A second of grace: lines wait a moment for their file.
    let ms = modified.duration_since(UNIX_EPOCH).ok()?.as_millis() + 1_000;
    Some(stamp(i64::try_from(ms).ok()?))
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::logs::Files;
    use super::*;

    fn line(n: usize, level: &str, request: &str) -> String {
        let at = format!("2026-11-21T12:00:{:02}.{:03}Z", n / 1_000, n % 1_000);
        serde_json::json!({"at": at, "level": level, "module": "vitrine::kernel::db", "message": format!("line {n}"),
            "request": request, "job": null, "fields": {"n": n}})
        .to_string()
    }

    #[test]
    fn stamps_sort_as_times() {
        assert_eq!(stamp(1_000), "1970-01-01T00:00:01.000Z");
        assert!(stamp(1_000) < stamp(1_170) && stamp(1_170) < stamp(2_000));
    }

    #[test]
    fn lines_are_found_and_files_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::open(folder.path().to_owned(), 80_000).unwrap();
        for n in 0..2_000 {
            files.write(&line(
                n,
                if n % 10 == 0 { "warn" } else { "info" },
                if n == 1_990 { "req-1" } else { "req-2" },
            ));
        }
        files.write("{\"at\":\"2026-11-21T12:00:59Z\",\"lev");
        files.flush();
        let total: u64 = names(folder.path())
            .iter()
            .map(|p| std::fs::metadata(p).unwrap().len())
            .sum();
        assert!(total <= 90_000, "{total}");
        let find = |query: &LogQuery, limit| search(folder.path(), query, limit).unwrap();
        let texts =
            |found: &[(LogPlace, LogEntry)]| -> Vec<String> { found.iter().map(|(_, e)| e.message.clone()).collect() };
        let last = find(&LogQuery::default(), 3);
        assert_eq!(texts(&last), ["line 1999", "line 1998", "line 1997"]);
        let before = LogQuery {
            before: Some(last[2].0.clone()),
            ..LogQuery::default()
        };
        assert_eq!(texts(&find(&before, 2)), ["line 1996", "line 1995"]);
        let after = LogQuery {
            after: Some(last[2].0.to_string().parse().unwrap()),
            ..LogQuery::default()
        };
        assert_eq!(texts(&find(&after, 10)), ["line 1998", "line 1999"]);
        let warned = LogQuery {
            level: Some("warn".to_owned()),
            ..LogQuery::default()
        };
        assert_eq!(texts(&find(&warned, 2)), ["line 1990", "line 1980"]);
        let asked = LogQuery {
            request: Some("req-1".to_owned()),
            ..LogQuery::default()
        };
        assert_eq!(texts(&find(&asked, 10)), ["line 1990"]);
        let words = LogQuery {
            text: Some("LINE 1234".to_owned()),
            ..LogQuery::default()
        };
        assert!(find(&words, 10).len() <= 1);
        assert!("x".parse::<LogPlace>().is_err());
    }
}
