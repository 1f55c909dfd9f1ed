//! Folds SQLite's write-ahead log into the database file from a connection of its own, so that the writer never does.

use std::path::{Path, PathBuf};

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::watch;
use tracing::{debug, warn};

/// From here on a passive checkpoint is worth its `fsync`.
const WORTHWHILE: u64 = 8 << 20;

/// Size in bytes of the write-ahead log beside `file`.
pub(super) fn log_size(file: &Path) -> u64 {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).map_or(0, |m| m.len())
}

/// Runs until the database closes.
pub(super) async fn run(options: SqliteConnectOptions, file: PathBuf, mut commits: watch::Receiver<u64>) {
    let mut connection = match options.connect().await {
        Ok(connection) => connection,
        Err(error) => {
            warn!(%error, "the write-ahead log is not folded in while running");
            return;
        }
    };
    // Frames folded at the last checkpoint: the log file keeps its size, so its growth alone says nothing.
    let mut folded = 0u64;
    let mut seen = 0u64;
    while commits.changed().await.is_ok() {
        let count = *commits.borrow_and_update();
        let size = log_size(&file);
        if size < WORTHWHILE || (size == folded && count.wrapping_sub(seen) < 500) {
            continue;
        }
        let answer: Result<(i64, i64, i64), _> = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)")
            .fetch_one(&mut connection)
            .await;
        match answer {
            Ok((_, frames, moved)) => debug!(frames, moved, "folded the write-ahead log"),
            Err(error) => warn!(%error, "the write-ahead log could not be folded"),
        }
        metrics::gauge!("vitrine_db_wal_bytes").set(size as f64);
        (folded, seen) = (size, count);
    }
}
