//! The write path on both engines: nothing lost, nothing half done, nothing waits for ever.

mod groups;
mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::*;
use crate::both;
use crate::kernel::error::Code;
use crate::kernel::testing::TestDb;

const TEST: Write = Write::interactive("test");

async fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<u64> {
    sql("INSERT INTO fact (name, value) VALUES ($1, $2)")
        .bind(name)
        .bind(value)
        .exec(tx)
        .await
}

async fn names(db: &Db) -> Vec<String> {
    let rows: Vec<(String,)> = sql("SELECT name FROM fact ORDER BY name").all(db).await.unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

both!(
    many_writers_lose_nothing,
    an_error_leaves_nothing,
    a_panic_leaves_nothing_and_the_next_goes_on,
    a_dropped_write_leaves_nothing_and_the_next_goes_on,
    a_slow_write_is_rolled_back,
    after_commit_runs_only_after_a_commit,
    lost_updates_do_not_happen,
    many_rows_at_once,
    filters_bind_in_order,
    snapshots_stand_still,
    migrations_go_up_down_up,
);

async fn many_writers_lose_nothing(db: TestDb) {
    let mut tasks = Vec::new();
    for task in 0..32 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..25 {
                let name = format!("{task}/{n}");
                let name = name.as_str();
                let how = if task % 2 == 0 { TEST } else { Write::bulk("test.bulk") };
                db.write(how, |tx| Box::pin(async move { put(tx, name, "x").await }))
                    .await
                    .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(names(&db).await.len(), 800);
}

async fn an_error_leaves_nothing(db: TestDb) {
    let failed = db
        .write(TEST, |tx| {
            Box::pin(async move {
                put(tx, "a", "1").await?;
                Err::<(), _>(Error::new(Code::Conflict, "no"))
            })
        })
        .await;
    assert_eq!(failed.unwrap_err().code(), Code::Conflict);
    let twice = db
        .write(TEST, |tx| {
            Box::pin(async move {
                put(tx, "b", "1").await?;
                put(tx, "b", "2").await
            })
        })
        .await;
    assert_eq!(
        twice.unwrap_err().code(),
        Code::Conflict,
        "a unique violation is a conflict on both engines"
    );
    assert!(names(&db).await.is_empty());
}

async fn a_panic_leaves_nothing_and_the_next_goes_on(db: TestDb) {
    let failed: Result<()> = db
        .write(TEST, |tx| {
            Box::pin(async move {
                put(tx, "a", "1").await?;
                panic!("planted");
            })
        })
        .await;
    assert_eq!(failed.unwrap_err().code(), Code::Internal);
    db.write(TEST, |tx| Box::pin(async move { put(tx, "b", "1").await }))
        .await
        .unwrap();
    assert_eq!(names(&db).await, ["b"]);
}

async fn a_dropped_write_leaves_nothing_and_the_next_goes_on(db: TestDb) {
    let (reached, at_the_insert) = oneshot::channel();
    let reached = Arc::new(std::sync::Mutex::new(Some(reached)));
    let task = {
        let (db, reached) = (db.clone(), reached.clone());
        tokio::spawn(async move {
            let reached = &reached;
            db.write(TEST, |tx| {
                Box::pin(async move {
                    put(tx, "a", "1").await?;
                    if let Some(reached) = reached.lock().unwrap().take() {
                        reached.send(()).unwrap();
                    }
                    std::future::pending::<Result<()>>().await
                })
            })
            .await
        })
    };
    at_the_insert.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    db.write(TEST, |tx| Box::pin(async move { put(tx, "b", "1").await }))
        .await
        .unwrap();
    assert_eq!(names(&db).await, ["b"]);
}

async fn a_slow_write_is_rolled_back(db: TestDb) {
    let slow: Result<()> = db
        .write(TEST, |tx| {
            Box::pin(async move {
                put(tx, "a", "1").await?;
                std::future::pending().await
            })
        })
        .await;
    assert_eq!(slow.unwrap_err().code(), Code::Timeout);
    db.write(TEST, |tx| Box::pin(async move { put(tx, "b", "1").await }))
        .await
        .unwrap();
    assert_eq!(names(&db).await, ["b"]);
}

async fn after_commit_runs_only_after_a_commit(db: TestDb) {
    let ran = Arc::new(AtomicU32::new(0));
    let counter = &ran;
    let failed: Result<()> = db
        .write(TEST, |tx| {
            let counter = counter.clone();
            Box::pin(async move {
                tx.after_commit(move || {
                    counter.fetch_add(1, Ordering::SeqCst);
                });
                Err(Error::new(Code::Conflict, "no"))
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    let mut heard = db.signals().subscribe(Signal::Jobs);
    heard.borrow_and_update();
    db.write(TEST, |tx| {
        let counter = counter.clone();
        Box::pin(async move {
            tx.signal(Signal::Jobs);
            tx.after_commit(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            });
            put(tx, "a", "1").await
        })
    })
    .await
    .unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert!(
        heard.changed().now_or_never().is_some(),
        "followers are woken by the commit itself"
    );
}

async fn lost_updates_do_not_happen(db: TestDb) {
    db.write(TEST, |tx| Box::pin(async move { put(tx, "n", "0").await }))
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                db.write(TEST, |tx| {
                    Box::pin(async move {
                        tx.lock("n").await?;
                        let (n,): (String,) = sql("SELECT value FROM fact WHERE name = 'n'").one(&mut *tx).await?;
                        let next = n.parse::<i64>().unwrap() + 1;
                        sql("UPDATE fact SET value = $1 WHERE name = 'n'")
                            .bind(next.to_string())
                            .exec(tx)
                            .await
                    })
                })
                .await
                .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let (n,): (String,) = sql("SELECT value FROM fact WHERE name = 'n'").one(&*db).await.unwrap();
    assert_eq!(n, "160");
}

async fn many_rows_at_once(db: TestDb) {
    let written = db
        .write(TEST, |tx| {
            Box::pin(async move {
                let rows = (0..1_234)
                    .map(|n| vec![format!("k{n:05}").into(), "v".into()])
                    .collect();
                insert_many(tx, "fact", &["name", "value"], "ON CONFLICT DO NOTHING", rows).await
            })
        })
        .await
        .unwrap();
    assert_eq!(written, 1_234);
    assert_eq!(names(&db).await.len(), 1_234);
}

async fn filters_bind_in_order(db: TestDb) {
    db.write(TEST, |tx| {
        Box::pin(async move {
            for name in ["a", "b", "c", "d"] {
                put(tx, name, "v").await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    let select = || Filter::new("SELECT name FROM fact");
    let rows: Vec<(String,)> = select()
        .and("value = ?", "v")
        .and_some("name > ?", None::<&str>)
        .and_in("name", ["b", "c", "d"])
        .and_all("name BETWEEN ? AND ?", vec!["a".into(), "c".into()])
        .end("ORDER BY name DESC", 10)
        .all(&*db)
        .await
        .unwrap();
    assert_eq!(rows, [("c".to_owned(),), ("b".to_owned(),)]);
    let none: Vec<(String,)> = select()
        .and_in("name", Vec::<&str>::new())
        .stmt()
        .all(&*db)
        .await
        .unwrap();
    assert!(none.is_empty(), "an empty list matches nothing");
}

async fn snapshots_stand_still(db: TestDb) {
    let mut snapshot = db.snapshot().await.unwrap();
    let before: Vec<(String,)> = sql("SELECT name FROM fact").all(&mut snapshot).await.unwrap();
    db.write(TEST, |tx| Box::pin(async move { put(tx, "a", "1").await }))
        .await
        .unwrap();
    let after: Vec<(String,)> = sql("SELECT name FROM fact").all(&mut snapshot).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(names(&db).await, ["a"]);
}

async fn migrations_go_up_down_up(db: TestDb) {
    let all = db.migrations().await.unwrap();
    assert!(!all.is_empty() && all.iter().all(|m| m.applied));
    for left in (0..all.len()).rev() {
        let states = db.migrate(Step::Undo).await.unwrap();
        assert_eq!(states.iter().filter(|m| m.applied).count(), left);
    }
    let one = db.migrate(Step::One).await.unwrap();
    assert_eq!(one.iter().filter(|m| m.applied).count(), 1);
    assert!(db.migrate(Step::Latest).await.unwrap().iter().all(|m| m.applied));
    db.write(TEST, |tx| Box::pin(async move { put(tx, "a", "1").await }))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_says_why() {
    let db = crate::kernel::testing::postgres().await;
    let (server, _) = db.url().rsplit_once('/').unwrap();
    let open = async |url: String| {
        let options = Options {
            readers: 2,
            wait_ms: 300,
            ..Options::default()
        };
        let opened = Db::open(&url, db.folder(), crate::kernel::clock::Clock::system(), options).await;
        let error = opened.err().unwrap();
        (error.code(), error.detail().to_owned())
    };
    let (code, said) = open(format!("{server}/nobody_made_this")).await;
    assert_eq!(code, Code::Unavailable);
    assert!(said.contains("has no database \"nobody_made_this\". Make it"), "{said}");
    let (code, said) = open("postgres://somebody@127.0.0.1:1/x".to_owned()).await;
    assert_eq!(code, Code::Unavailable);
    assert!(said.contains("PostgreSQL at 127.0.0.1:1 cannot be reached"), "{said}");
}
