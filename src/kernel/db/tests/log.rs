//! The write-ahead log of SQLite stays short, however long somebody writes without a pause.

use super::*;
use crate::kernel::testing;

/// What tells one log from the next; none before the first frame.
fn salt(file: &std::path::Path) -> Option<Vec<u8>> {
    let log = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
    log.get(16..24).map(<[u8]>::to_vec)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_begins_anew_while_somebody_writes() {
    let first = testing::sqlite().await;
    let options = Options {
        log_bytes: 1 << 20,
        ..Options::default()
    };
    let db = Db::open(first.url(), first.folder(), Clock::system(), options)
        .await
        .unwrap();
    let file = std::path::PathBuf::from(first.url().trim_start_matches("sqlite:"));
    let value = &"x".repeat(20_000);
    let begun = async |from: i32| {
        let before = salt(&file);
        for n in from..from + 200 {
            let name = &format!("{n:04}");
            db.write(TEST, |tx| Box::pin(async move { put(tx, name, value).await }))
                .await
                .unwrap();
            // So few are not worth a fold by themselves.
            if before.is_some() && salt(&file) != before {
                return n;
            }
        }
        panic!("the log goes on and on");
    };
    db.write(TEST, |tx| Box::pin(async move { put(tx, "first", value).await }))
        .await
        .unwrap();
    let last = begun(0).await;
    // Who reads meanwhile sees what stood when they began, and all of it is there.
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM fact").one(&db).await.unwrap();
    assert_eq!(count, i64::from(last) + 2);
}
