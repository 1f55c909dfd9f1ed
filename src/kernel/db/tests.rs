//! The write path on both engines.

use super::*;
use crate::kernel::clock::Clock;

async fn sqlite() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open("sqlite:", folder.path(), Clock::system(), Options::default()).await.unwrap();
    db.migrate(Step::Latest).await.unwrap();
    (folder, db)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_lose_nothing() {
    let (_folder, db) = sqlite().await;
    let mut tasks = Vec::new();
    for task in 0..32 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..25 {
                let name = format!("{task}/{n}");
                let name = &name;
                db.write(Write::interactive("test"), |tx| {
                    Box::pin(async move {
                        sql("INSERT INTO fact (name, value) VALUES ($1, $2)").bind(name).bind("x").exec(tx).await
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
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM fact").one(&db).await.unwrap();
    assert_eq!(count, 800);
}
