//! Folds SQLite's write-ahead log into the database file from a connection of its own, so that the writer never does. A log
//! that has become too long is folded while the writer waits: otherwise it would grow for as long as somebody writes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::watch;
use tracing::{debug, warn};

/// From here on a passive checkpoint is worth its `fsync`.
const WORTHWHILE: u64 = 8 << 20;

/// A page with its header in the log.
const FRAME: u64 = 4096 + 24;
/// A log that is too long is not begun anew more often than this: whoever writes waits meanwhile.
const AGAIN: Duration = Duration::from_secs(1);
/// How long readers that still need the log are waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// Size in bytes of the write-ahead log beside `file`.
pub(super) fn log_size(file: &Path) -> u64 {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).map_or(0, |m| m.len())
}

/// The log of a database file, and how long it may become.
pub(super) struct Log {
    pub file: PathBuf,
    pub longest: u64,
}

/// Runs until the database closes. `hold` gives the right to write, for as long as its answer is kept.
pub(super) async fn run<H, F, G>(options: SqliteConnectOptions, log: Log, mut commits: watch::Receiver<u64>, hold: H)
where
    H: Fn() -> F + Send + 'static,
    F: Future<Output = Option<G>> + Send,
    G: Send,
{
    let connected = options.busy_timeout(PATIENCE).connect().await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => {
            warn!(%error, "the write-ahead log is not folded in while running");
            return;
        }
    };
    // Bytes at the last checkpoint: the log file keeps its size, so its growth alone says nothing.
    let mut folded = 0u64;
    let mut seen = 0u64;
    let mut begun: Option<Instant> = None;
    while commits.changed().await.is_ok() {
        let count = *commits.borrow_and_update();
        let size = log_size(&log.file);
        let is_long = size >= log.longest && begun.is_none_or(|at| at.elapsed() >= AGAIN);
        if !is_long && (size < WORTHWHILE || (size == folded && count.wrapping_sub(seen) < 500)) {
            continue;
        }
        let frames = fold(&mut connection, "PRAGMA wal_checkpoint(PASSIVE)").await;
        if is_long && frames.saturating_mul(FRAME) >= log.longest {
            // Who writes without a pause leaves no moment in which all is folded and the log could begin anew: here it is.
            if let Some(guard) = hold().await {
                fold(&mut connection, "PRAGMA wal_checkpoint(RESTART)").await;
                drop(guard);
            }
            begun = Some(Instant::now());
        }
        metrics::gauge!("vitrine_db_wal_bytes").set(size as f64);
        (folded, seen) = (size, count);
    }
}

/// Answers how many frames stood in the log.
async fn fold(connection: &mut SqliteConnection, how: &'static str) -> u64 {
    let answer: Result<(i64, i64, i64), _> = sqlx::query_as(how).fetch_one(connection).await;
    match answer {
        Ok((busy, frames, moved)) => {
            debug!(busy, frames, moved, "folded the write-ahead log");
            u64::try_from(frames).unwrap_or_default()
        }
        Err(error) => {
            warn!(%error, "the write-ahead log could not be folded");
            0
        }
    }
}
