//! The ledger on both engines, and the reason for its cursor.

use tokio::sync::oneshot;

use super::*;
use crate::both;
use crate::kernel::db::Write;
use crate::kernel::testing::TestDb;

const TEST: Write = Write::interactive("test");

fn state(entity: &str, version: i64) -> NewVersion {
    NewVersion {
        entity: entity.to_owned(),
        version,
        kind: RECORD,
        operation: if version == 1 {
            Operation::Create
        } else {
            Operation::Update
        },
        document: Some(format!("{{\"n\":{version}}}")),
    }
}

async fn write(db: &Db, entities: &[(&str, i64)]) -> Result<Position> {
    db.write(TEST, |tx| {
        Box::pin(async move {
            let new = NewSet {
                kind: "test",
                actor: "operator",
                reason: "why",
                origin: serde_json::json!({"channel": "test"}),
            };
            let set = open_set(tx, &new).await?;
            append(tx, &set, entities.iter().map(|(e, v)| state(e, *v)).collect()).await
        })
    })
    .await
}

/// Follows from the start until `count` changes are below the horizon, which spans the whole cluster: a transaction of
/// another test's database may hold it for a moment.
async fn follow_until(db: &Db, after: Position, count: usize) -> Vec<Change> {
    loop {
        let seen = follow(db, after, 1_000).await.unwrap();
        if seen.len() >= count {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

both!(
    positions_grow_and_lead_back,
    a_version_is_written_once,
    redacting_keeps_who_and_when,
    followers_see_everything_under_load
);

async fn positions_grow_and_lead_back(db: TestDb) {
    assert_eq!(head(&db).await.unwrap(), Position::default());
    let first = write(&db, &[("a", 1), ("b", 1)]).await.unwrap();
    let second = write(&db, &[("a", 2)]).await.unwrap();
    assert!(second > first);
    assert_eq!(head(&db).await.unwrap(), second);
    assert_eq!(second.to_string().parse::<Position>().unwrap(), second);
    let all = follow_until(&db, Position::default(), 3).await;
    let seen: Vec<_> = all.iter().map(|c| (c.entity.as_str(), c.version)).collect();
    assert_eq!(seen, [("a", 1), ("b", 1), ("a", 2)]);
    assert_eq!(all[1].at, first);
    assert_eq!(follow(&db, first, 10).await.unwrap().len(), 1);
    let states = versions(&*db, "a", None, 10).await.unwrap();
    assert_eq!(states.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(states[0].set.reason, "why");
    let changes = set_changes(&*db, &states[1].set.id, Position::default(), 10)
        .await
        .unwrap();
    assert_eq!(changes.len(), 2);
    let sets = sets(&db, &SetFilter::default(), 10).await.unwrap();
    assert_eq!(sets.len(), 2);
    assert_eq!(set(&*db, &sets[0].id).await.unwrap().unwrap(), sets[0]);
    assert!("7".parse::<Position>().is_err());
}

async fn a_version_is_written_once(db: TestDb) {
    write(&db, &[("a", 1)]).await.unwrap();
    assert_eq!(write(&db, &[("a", 1)]).await.unwrap_err().code(), Code::Conflict);
    let again = write(&db, &[("a", 2)]).await.unwrap();
    assert_eq!(
        follow_until(&db, Position::default(), 2).await.last().unwrap().at,
        again
    );
}

async fn redacting_keeps_who_and_when(db: TestDb) {
    write(&db, &[("a", 1)]).await.unwrap();
    db.write(TEST, |tx| Box::pin(async move { redact(tx, "a", 1).await }))
        .await
        .unwrap();
    let state = version(&*db, "a", 1).await.unwrap().unwrap();
    assert_eq!(state.document, None);
    assert_eq!(state.set.actor, "operator");
}

async fn followers_see_everything_under_load(db: TestDb) {
    let mut tasks = Vec::new();
    for task in 0..8 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..20 {
                let id = format!("{task}-{n}");
                write(&db, &[(id.as_str(), 1)]).await.unwrap();
            }
        }));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = Position::default();
    let mut wake = db.signals().subscribe(Signal::Ledger);
    while seen.len() < 160 {
        let page = follow(&db, cursor, 50).await.unwrap();
        for change in &page {
            assert!(change.at > cursor, "a follower only goes forward");
            cursor = change.at;
            assert!(seen.insert(change.entity.clone()), "nothing is seen twice");
        }
        if page.is_empty() && seen.len() < 160 {
            // On PostgreSQL the horizon may move without a signal.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(20), wake.changed()).await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// Two transactions, the earlier number committed last: the plain cursor loses a row for good, ours waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_plain_cursor_loses_rows_and_ours_does_not() {
    let db = crate::kernel::testing::postgres().await;
    let (appended, has_appended) = oneshot::channel::<()>();
    let (release, released) = oneshot::channel::<()>();
    let slow = {
        let db = db.clone();
        let gates = std::sync::Mutex::new(Some((appended, released)));
        tokio::spawn(async move {
            let gates = &gates;
            db.write(TEST, |tx| {
                Box::pin(async move {
                    let new = NewSet {
                        kind: "test",
                        actor: "a",
                        reason: "",
                        origin: serde_json::Value::Null,
                    };
                    let set = open_set(tx, &new).await?;
                    append(tx, &set, vec![state("slow", 1)]).await?;
                    let gate = gates.lock().unwrap().take();
                    if let Some((appended, released)) = gate {
                        appended.send(()).unwrap();
                        released.await.unwrap();
                    }
                    Ok(())
                })
            })
            .await
        })
    };
    has_appended.await.unwrap();
    let fast = write(&db, &[("fast", 1)]).await.unwrap();

    let naive: Vec<(i64, String)> = sql("SELECT position, entity FROM version WHERE position > 0 ORDER BY position")
        .all(&*db)
        .await
        .unwrap();
    assert_eq!(naive.len(), 1, "the slow one is not committed yet");
    assert!(
        follow(&db, Position::default(), 10).await.unwrap().is_empty(),
        "the safe horizon waits for the slow one"
    );
    assert_eq!(
        head(&db).await.unwrap(),
        fast,
        "the head shows what is committed all the same"
    );

    release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    let lost: Vec<(String,)> = sql("SELECT entity FROM version WHERE position > $1")
        .bind(naive[0].0)
        .all(&*db)
        .await
        .unwrap();
    assert!(lost.is_empty(), "a plain cursor never sees the slow one");
    let seen = follow_until(&db, Position::default(), 2).await;
    assert_eq!(
        seen.iter().map(|c| c.entity.as_str()).collect::<Vec<_>>(),
        ["slow", "fast"]
    );
}
