//! Logs and metrics. Logs go to standard error, as text or JSON, with the spans (and so the request id) on each line, and
//! are kept in the data folder; metrics are kept in this process, with samples over time, and rendered on demand. Nothing
//! is sent anywhere, except traces where the settings name a collector.

mod figures;
mod level;
mod logs;
mod search;
mod series;
pub mod traces;

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

pub use level::{check as check_level, level, set as set_level};
pub use logs::keep as keep_logs;
pub use search::{LogEntry, LogPlace, LogQuery, is_level, search, stamp};
pub use series::{Sample, quantile, samples};

use super::config::Log;
use super::error::Result;
use super::{Kernel, jobs, ledger, process, program};

/// The process has one recorder: libraries report through it, whichever house in this process they work for.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Seconds, for everything that ends in `_seconds`.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// How often what was measured is put in order, so that nothing piles up while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);
/// Changes that are counted to tell how far an index is behind.
const MOST_LAG: i64 = 10_000;

/// Starts logging as configured. Does nothing where a test has started it already.
///
/// # Errors
/// A level that is not one; `Config::check` refuses it earlier.
pub fn start_logging(log: &Log) -> Result<()> {
    let (filter, handle) = reload::Layer::new(level::filter(&log.level)?);
    let lines = tracing_subscriber::fmt::layer()
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    let lines = match log.format.as_str() {
        "json" => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
        _ => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
    };
    let both = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(logs::Keeping)
        .with(traces::layer(log)?);
    // A second start in the same process keeps the first one's logging.
    if both.try_init().is_ok() {
        level::keep(handle, &log.level);
    }
    Ok(())
}

/// Starts counting. A second call changes nothing.
pub fn start_metrics() {
    if METRICS.get().is_some() {
        return;
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS);
    let Ok(builder) = builder else { return };
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() && METRICS.set(handle).is_ok() {
        figures::describe();
        metrics::gauge!("vitrine_build_info", "version" => program::VERSION, "commit" => program::COMMIT).set(1.0);
    }
}

/// Keeps the metrics small, and samples of them for a while, until the process ends.
pub async fn upkeep(kernel: Kernel) {
    // Where everything is counted from.
    series::push(Sample {
        at: kernel.clock.now(),
        ..Sample::default()
    });
    let mut turn = 0u64;
    while tokio::time::timeout(UPKEEP, kernel.stop.cancelled()).await.is_err() {
        if let Some(handle) = METRICS.get() {
            handle.run_upkeep();
        }
        if turn.is_multiple_of(2) {
            match sample(&kernel).await {
                Ok(sample) => series::push(sample),
                // The next one may be had.
                Err(error) => tracing::debug!(%error, "what the house does could not be measured"),
            }
        }
        turn += 1;
    }
}

/// How things stand now.
///
/// # Errors
/// What the database says.
pub async fn sample(kernel: &Kernel) -> Result<Sample> {
    measure(kernel).await?;
    let mut sample = Sample {
        at: kernel.clock.now(),
        ..Sample::default()
    };
    series::read(&metrics_text(), &mut sample);
    for count in jobs::counts(&kernel.db).await? {
        match count.state.as_str() {
            "waiting" => sample.waiting += count.count,
            _ => sample.running += count.count,
        }
    }
    if let Some(positions) = kernel.search.positions() {
        let known = *positions.borrow();
        sample.lag = Some(ledger::count_after(&kernel.db, known, MOST_LAG).await?);
    }
    sample.database_bytes = kernel.db.size().await?;
    sample.log_bytes = kernel.db.log_size();
    sample.disk_free = disk_free(kernel.data.root());
    sample.memory = resident_bytes();
    Ok(sample)
}

/// Reads the gauges that live in the database.
///
/// # Errors
/// What the database says.
pub async fn measure(kernel: &Kernel) -> Result<()> {
    for queue in jobs::queues(&kernel.db).await? {
        for (state, count) in [("waiting", queue.waiting), ("running", queue.running)] {
            metrics::gauge!("vitrine_jobs", "queue" => queue.name.clone(), "state" => state).set(count as f64);
        }
        metrics::gauge!("vitrine_queue_lag_seconds", "queue" => queue.name).set(queue.lag as f64 / 1_000.0);
    }
    metrics::gauge!("vitrine_processes").set(process::alive(&kernel.db).await?.len() as f64);
    metrics::gauge!("vitrine_database_bytes").set(kernel.db.size().await? as f64);
    if let Some(bytes) = disk_free(kernel.data.root()) {
        metrics::gauge!("vitrine_disk_free_bytes").set(bytes as f64);
    }
    Ok(())
}

/// Bytes that can still be written beside a folder, where the system tells.
pub fn disk_free(folder: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Everything measured so far, in the text form of Prometheus. Empty where counting was never started.
pub fn metrics_text() -> String {
    let Some(handle) = METRICS.get() else {
        return String::new();
    };
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    handle.render()
}

/// The memory of this process that is in RAM, where the system tells.
pub fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn metrics_carry_build_and_memory() {
        super::start_metrics();
        super::start_metrics();
        let text = super::metrics_text();
        assert!(
            text.contains("vitrine_build_info{") && text.contains("commit=\""),
            "{text}"
        );
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
