//! Writes that share a commit on SQLite: who fails, fails alone, and who has gone holds nobody up.

use std::time::Duration;

use super::*;
use crate::kernel::testing::sqlite;

/// A member of a group whose commit fails runs once more by itself; only the guilty one gets the error. Deferred foreign
/// keys make SQLite fail at the commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_group_spares_the_innocent() {
    let db = sqlite().await;
    db.write(TEST, |tx| {
        Box::pin(async move {
            sql("CREATE TABLE parent (id BIGINT PRIMARY KEY)")
                .exec(&mut *tx)
                .await?;
            sql("CREATE TABLE child (parent BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
                .exec(tx)
                .await
        })
    })
    .await
    .unwrap();
    let mut tasks = Vec::new();
    for n in 0..40i64 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            db.write(TEST, |tx| {
                Box::pin(async move {
                    if n == 20 {
                        sql("INSERT INTO child (parent) VALUES (7)").exec(tx).await
                    } else {
                        put(tx, &format!("n{n}"), "x").await
                    }
                })
            })
            .await
            .is_ok()
        }));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(
        outcomes.iter().filter(|ok| !**ok).count(),
        1,
        "only the guilty one fails"
    );
    assert_eq!(names(&db).await.len(), 39);
}

/// Who runs once more by itself commits before the next may spoil it: a full disk takes back a whole transaction.
#[tokio::test]
async fn who_runs_alone_is_spoiled_by_nobody() {
    let db = sqlite().await;
    let innocent = db.write(TEST, |tx| Box::pin(async move { put(tx, "innocent", "x").await }));
    let guilty = async {
        for _ in 0..10 {
            let spoiled = db.write(TEST, |tx| {
                Box::pin(async move {
                    put(tx, "guilty", "x").await?;
                    // What SQLite does by itself when a file may not grow.
                    sql("ROLLBACK").exec(&mut *tx).await?;
                    Err::<(), _>(Error::new(Code::DiskFull, "Full."))
                })
            });
            assert_eq!(spoiled.await.unwrap_err().code(), Code::DiskFull);
        }
    };
    let (innocent, ()) = tokio::join!(innocent, guilty);
    innocent.unwrap();
    assert_eq!(names(&db).await, ["innocent"]);
}

/// After its release a write stands even when its caller has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_may_go_at_any_time() {
    let db = sqlite().await;
    let mut kept = 0;
    for n in 0..200u64 {
        let task = {
            let db = db.clone();
            tokio::spawn(async move {
                let name = format!("n{n:03}");
                let name = name.as_str();
                db.write(TEST, |tx| Box::pin(async move { put(tx, name, "x").await }))
                    .await
            })
        };
        for _ in 0..n % 40 {
            tokio::task::yield_now().await;
        }
        task.abort();
        if matches!(task.await, Ok(Ok(_))) {
            kept += 1;
        }
    }
    db.write(TEST, |tx| Box::pin(async move { put(tx, "last", "x").await }))
        .await
        .unwrap();
    let stored = names(&db).await.len() as u64;
    assert!(stored > kept, "every answered write stands, and some whose caller went");
    assert!(stored <= 201);
    let write = db.write(TEST, |tx| Box::pin(async move { put(tx, "again", "x").await }));
    tokio::time::timeout(Duration::from_secs(20), write)
        .await
        .expect("the writer is free")
        .unwrap();
}
