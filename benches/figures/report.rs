//! One line for each figure: what was measured, the raw limit, the ratio and the goal.

use std::time::Duration;

/// Prints what it is told, in the form BENCHMARKS.md takes over.
pub struct Report;

impl Report {
    /// Starts the table of one command.
    pub fn new(title: &str) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!("## {title} ({cores} cores)\n");
        println!("| figure | measured | raw limit | ratio | goal |\n|---|--:|--:|--:|---|");
        Self
    }
    /// A figure without a raw limit.
    pub fn line(&self, figure: &str, measured: &str, goal: &str) {
        println!("| {figure} | {measured} | | | {goal} |");
    }
    /// More is better: the ratio is measured over raw.
    pub fn rate(&self, figure: &str, measured: f64, raw: f64, goal: &str) {
        println!(
            "| {figure} | {measured:.0}/s | {raw:.0}/s | {:.2} | {goal} |",
            measured / raw
        );
    }
    /// Less is better: the ratio is raw over measured.
    pub fn seconds(&self, figure: &str, measured: Duration, raw: Duration, goal: &str) {
        let ratio = raw.as_secs_f64() / measured.as_secs_f64();
        println!(
            "| {figure} | {:.2} s | {:.2} s | {ratio:.2} | {goal} |",
            measured.as_secs_f64(),
            raw.as_secs_f64()
        );
    }
    /// As [`Report::seconds`], for what takes milliseconds.
    pub fn latency(&self, figure: &str, measured: Duration, raw: Duration, goal: &str) {
        let ratio = raw.as_secs_f64() / measured.as_secs_f64();
        println!("| {figure} | {} | {} | {ratio:.2} | {goal} |", ms(measured), ms(raw));
    }
}

/// The value below which a share of the sorted times lies.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

pub fn us(time: Duration) -> String {
    format!("{:.2} us", time.as_secs_f64() * 1_000_000.0)
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}
