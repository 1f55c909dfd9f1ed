//! What stands in the way of claims is looked at once: a long line of one subject, a crowd that is meant for later. And
//! whatever was put aside comes back, whoever made way for it.

use super::*;

const HOUR: i64 = 3_600_000;
/// So many wait where it has to be many.
const MANY: i64 = 3_000;

/// What one claim took, by payload; whether more may be there; rows of the table it looked at (PostgreSQL tells).
async fn claim_some(db: &Db, limit: i64) -> (Vec<Value>, bool, i64) {
    let claim = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let by = claim::Claim {
                worker: "w",
                lease_until: tx.now() + HOUR,
                kinds: "|test.line|",
            };
            let before = rows_read(tx).await?;
            let claim::Taken { jobs, more } = claim::claim(tx, by, DEFAULT, limit).await?;
            let rows = rows_read(tx).await? - before;
            let tags = jobs
                .iter()
                .map(|job| serde_json::from_str(&job.payload).unwrap())
                .collect();
            Ok((tags, more, rows))
        })
    });
    claim.await.unwrap()
}

/// Everything that is ready now.
async fn claim_all(db: &Db) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let (tags, more, _) = claim_some(db, 50).await;
        let is_full = tags.len() == 50;
        all.extend(tags);
        if !more && !is_full {
            return all;
        }
    }
}

async fn at_the_front(db: &Db) -> i64 {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM job WHERE state = 'waiting' AND shelf = 0")
        .one(db)
        .await
        .unwrap();
    count
}

async fn is_due(db: &Db) -> bool {
    store::is_due(db, DEFAULT, db.clock().now()).await.unwrap()
}

/// Ends every running job in words that no code of jobs has a part in.
async fn end_running(db: &Db, state: &'static str) {
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let now = tx.now();
            sql("UPDATE job SET state = $1, worker = NULL, lease_until = NULL, ended_at = $2 WHERE state = 'running'")
                .bind(state)
                .bind(now)
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
}

fn of_line(n: i64) -> NewJob {
    NewJob::new("test.line", json!(n)).ordering_key("line").priority(9)
}

async fn a_line_is_looked_at_once(db: TestDb) {
    let (db, _) = fixed(&db).await;
    let line = make_many(&db, (0..MANY).map(of_line).collect()).await;
    assert_eq!(claim_some(&db, 1).await.0, [json!(0)]);
    let plain = |n: i64| NewJob::new("test.line", json!(format!("plain {n}")));
    make_many(&db, (0..40).map(plain).collect()).await;
    let others = claim_all(&db).await;
    assert_eq!(others.len(), 40, "who stands behind a line is served: {others:?}");
    assert_eq!((at_the_front(&db).await, is_due(&db).await), (0, false));
    make_many(&db, vec![plain(40)]).await;
    assert!(is_due(&db).await);
    let (tags, more, rows) = claim_some(&db, 50).await;
    assert_eq!((tags, more), (vec![json!("plain 40")], false));
    assert!(rows < 20, "{rows} rows were looked at for one job");
    // Each that ends makes way for the next, however it ends.
    for (n, state) in ["done", "failed", "cancelled", "superseded"].into_iter().enumerate() {
        end_running(&db, state).await;
        assert!(is_due(&db).await);
        assert_eq!(claim_all(&db).await, [json!(n as i64 + 1)]);
        assert!(!is_due(&db).await);
    }
    // What failed goes before all that wait, when it is tried again; the others stay where they are.
    end_running(&db, "done").await;
    retry(&db, &line[1]).await.unwrap();
    assert_eq!(claim_all(&db).await, [json!(1)]);
    end_running(&db, "failed").await;
    assert_eq!(claim_all(&db).await, [json!(5)]);
    // One in the middle that is cancelled makes way too, and so does the first that waits.
    cancel(&db, &line[7]).await.unwrap();
    cancel(&db, &line[6]).await.unwrap();
    assert_eq!(claim_all(&db).await, [0; 0], "the fifth runs");
    end_running(&db, "done").await;
    assert_eq!(claim_all(&db).await, [json!(8)]);
    assert!(at_the_front(&db).await <= 1);
}

async fn what_is_meant_for_later_is_looked_at_once(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let later = |n: i64| NewJob::new("test.line", json!(n)).run_at(clock.now() + HOUR + n);
    let ids = make_many(&db, (0..MANY).map(later).collect()).await;
    assert!(is_due(&db).await, "nobody has looked yet");
    assert_eq!(claim_all(&db).await, [0; 0]);
    assert_eq!((at_the_front(&db).await, is_due(&db).await), (0, false));
    let now = make(&db, NewJob::new("test.line", json!("now"))).await;
    let (tags, _, rows) = claim_some(&db, 50).await;
    assert_eq!(tags, [json!("now")]);
    assert!(rows < 20, "{rows} rows were looked at for one job");
    // Before its time by hand, and when its time has come.
    retry(&db, &ids[2_000]).await.unwrap();
    assert_eq!(claim_all(&db).await, [json!(2_000)]);
    clock.advance(HOUR + 9);
    assert!(is_due(&db).await);
    assert_eq!(claim_all(&db).await, (0..10).map(|n| json!(n)).collect::<Vec<_>>());
    // Where the clock goes back, only what was made to run at once is ready.
    clock.advance(100);
    make(&db, NewJob::new("test.line", json!("at once"))).await;
    clock.advance(-HOUR);
    assert_eq!(claim_all(&db).await, [json!("at once")]);
    clock.advance(HOUR);
    assert_eq!(claim_all(&db).await.len(), 100);
    assert_eq!(get(&db, &now).await.unwrap().state, State::Running);
}

/// The end of one and the time of another may come together: neither is forgotten.
async fn an_end_and_a_due_time_together(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    make_many(&db, (0..3).map(of_line).collect()).await;
    let later = NewJob::new("test.line", json!("later")).run_at(clock.now() + HOUR);
    make_many(&db, vec![later]).await;
    assert_eq!(claim_all(&db).await, [json!(0)]);
    end_running(&db, "done").await;
    clock.advance(HOUR);
    assert_eq!(claim_all(&db).await, [json!(1), json!("later")]);
    assert_eq!(at_the_front(&db).await, 0);
}

/// Followers are found step by step, those of each subject up to the first that is not ready.
async fn those_behind_come_along(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let of = |subject: &str, n: i64| NewJob::new("test.line", json!([subject, n])).ordering_key(subject);
    let mut jobs: Vec<NewJob> = (0..60).flat_map(|n| [of("a", n), of("b", n)]).collect();
    jobs[7] = jobs[7].clone().run_at(clock.now() + HOUR);
    jobs[20] = jobs[20].clone().queue(EVENTS);
    make_many(&db, jobs).await;
    let claim = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let by = claim::Claim {
                worker: "w",
                lease_until: tx.now() + HOUR,
                kinds: "|test.line|",
            };
            let heads = claim::claim(tx, by, DEFAULT, 10).await?.jobs;
            let followers = claim::claim_followers(tx, by, DEFAULT, 40, heads.len()).await?;
            Ok((heads.len(), followers))
        })
    });
    let (heads, followers) = claim.await.unwrap();
    assert_eq!(heads, 2);
    let of = |subject: &str| {
        let these = followers
            .iter()
            .filter(|job| job.ordering_key.as_deref() == Some(subject));
        these.count()
    };
    // The fourth of b is for later, the eleventh of a is for another queue.
    assert_eq!((of("a"), of("b")), (9, 2));
}

async fn nobody_is_left_behind(db: TestDb) {
    let (db, _) = fixed(&db).await;
    make_many(&db, (0..3).map(of_line).collect()).await;
    // As an older program leaves it: the one before has ended, was tried again, and ended without a word.
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move { sql("UPDATE job SET shelf = 2").exec(tx).await })
    });
    write.await.unwrap();
    assert!(!is_due(&db).await);
    assert_eq!(front::find_stranded(&db).await.unwrap(), 1);
    assert_eq!(front::find_stranded(&db).await.unwrap(), 0);
    assert_eq!(claim_all(&db).await, [json!(0)]);
}

both!(
    a_line_is_looked_at_once,
    what_is_meant_for_later_is_looked_at_once,
    an_end_and_a_due_time_together,
    those_behind_come_along,
    nobody_is_left_behind,
);
