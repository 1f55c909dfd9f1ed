//! What was measured over time: a sample every few seconds, kept in this process for a while, so that pages can show how
//! it went without another tool. What is kept is read from the same figures that `/metrics` shows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Samples that are kept: two hours of one every ten seconds.
const KEPT: usize = 720;

/// How things stood at a moment. Counts go on from the start of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970.
    pub at: i64,
    pub requests: f64,
    /// Answered with a status of 500 and above.
    pub errors: f64,
    pub jobs_done: f64,
    pub jobs_failed: f64,
    /// Requests by the upper edge of their seconds, in thousandths; the last one has all.
    pub latency: BTreeMap<u64, f64>,
    pub waiting: i64,
    pub running: i64,
    /// Changes that the search index of this process does not know yet; without an index, none.
    pub lag: Option<i64>,
    pub database_bytes: i64,
    pub log_bytes: Option<u64>,
    pub disk_free: Option<u64>,
    pub memory: Option<u64>,
}

/// The samples of this process: it has one recorder of figures, too.
static SAMPLES: Mutex<VecDeque<Sample>> = Mutex::new(VecDeque::new());

/// Keeps a sample.
pub(super) fn push(sample: Sample) {
    let mut samples = SAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    if samples.len() >= KEPT {
        samples.pop_front();
    }
    samples.push_back(sample);
}

/// What is kept, oldest first.
pub fn samples() -> Vec<Sample> {
    let samples = SAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
    samples.iter().cloned().collect()
}

/// Fills in what the text of the figures says.
pub(super) fn read(text: &str, sample: &mut Sample) {
    for line in text.lines().filter(|line| line.starts_with("vitrine_")) {
        let Some((name, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let Ok(value) = value.parse::<f64>() else { continue };
        if name.starts_with("vitrine_http_requests_total") {
            sample.requests += value;
            if label(name, "status").is_some_and(|status| status.starts_with('5')) {
                sample.errors += value;
            }
        } else if name.starts_with("vitrine_http_request_seconds_bucket") {
            let edge = label(name, "le").map(|edge| match edge.parse::<f64>() {
                Ok(edge) if edge.is_finite() => (edge * 1_000_000.0) as u64,
                _ => u64::MAX,
            });
            if let Some(edge) = edge {
                *sample.latency.entry(edge).or_default() += value;
            }
        } else if name.starts_with("vitrine_jobs_total") {
            match label(name, "outcome") {
                Some("done") => sample.jobs_done += value,
                Some("failed") => sample.jobs_failed += value,
                _ => {}
            }
        }
    }
}

fn label<'a>(name: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, labels) = name.split_once('{')?;
    labels
        .trim_end_matches('}')
        .split("\",")
        .find_map(|pair| pair.strip_prefix(wanted)?.strip_prefix("=\""))
        .map(|value| value.trim_end_matches('"'))
}

/// The time under which this part of the requests between two samples was answered, in milliseconds.
pub fn quantile(before: &Sample, after: &Sample, part: f64) -> Option<f64> {
    let count = |edge: &u64| {
        after.latency.get(edge).copied().unwrap_or_default() - before.latency.get(edge).copied().unwrap_or_default()
    };
    let all = after.latency.keys().next_back().map(&count)?;
    if all < 1.0 {
        return None;
    }
    let (mut low, mut under) = (0u64, 0.0);
    for edge in after.latency.keys() {
        let here = count(edge);
        if here >= all * part {
            if *edge == u64::MAX {
                return Some(low as f64 / 1_000.0);
            }
            let share = (all * part - under) / (here - under).max(f64::MIN_POSITIVE);
            return Some((low as f64 + (*edge - low) as f64 * share) / 1_000.0);
        }
        (low, under) = (*edge, here);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_back() {
        let text = "vitrine_http_requests_total{method=\"GET\",route=\"/a,b\",status=\"200\"} 90\n\
            vitrine_http_requests_total{method=\"GET\",route=\"/\",status=\"503\"} 10\n\
            vitrine_http_request_seconds_bucket{method=\"GET\",route=\"/\",le=\"0.01\"} 50\n\
            vitrine_http_request_seconds_bucket{method=\"GET\",route=\"/\",le=\"0.1\"} 100\n\
            vitrine_http_request_seconds_bucket{method=\"GET\",route=\"/\",le=\"+Inf\"} 100\n\
            vitrine_jobs_total{kind=\"x\",outcome=\"done\"} 7\nother 3\nvitrine_broken\n";
        let mut sample = Sample::default();
        read(text, &mut sample);
        assert_eq!((sample.requests, sample.errors, sample.jobs_done), (100.0, 10.0, 7.0));
        let none = Sample::default();
        assert_eq!(quantile(&none, &sample, 0.5), Some(10.0));
        assert_eq!(quantile(&none, &sample, 0.95).map(f64::round), Some(91.0));
        assert_eq!(quantile(&sample, &sample, 0.5), None);
    }
}
