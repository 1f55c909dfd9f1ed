//! Schedules on both engines under a clock that only the test moves.

use serde_json::{Value, json};

use super::*;
use crate::both;
use crate::kernel::clock::Clock;
use crate::kernel::db::Options;
use crate::kernel::jobs::{JobFilter, JobHandler, State, Worker, WorkerOptions};
use crate::kernel::testing::TestDb;

/// 2025-06-15T15:06:40Z, a Sunday.
const NOW: i64 = 1_750_000_000_000;
const HOUR: i64 = 3_600_000;

fn hourly(name: &'static str, missed: Missed) -> Schedule {
    Schedule {
        missed,
        ..Schedule::new(name, "0 * * * *", || NewJob::new("test.hourly", json!({})))
    }
}

async fn jobs_of(db: &Db) -> usize {
    jobs::list(db, &JobFilter::default(), 100).await.unwrap().len()
}

async fn many_schedulers_make_one_job(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hourly", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    let next = tick(&db, &schedules).await.unwrap().unwrap();
    assert_eq!(
        jobs_of(&db).await,
        0,
        "a new schedule makes nothing for the time before it"
    );
    assert_eq!(next - NOW, HOUR - 400_000);
    clock.advance(next - NOW);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (db, schedules) = (db.clone(), schedules.clone());
        tasks.push(tokio::spawn(async move { tick(&db, &schedules).await.unwrap() }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(jobs_of(&db).await, 1);
    // It has not run when the next is due: it stands for that one too.
    clock.advance(HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    let handler = JobHandler::new("test.hourly", |_| async { Ok(Value::Null) });
    let worker = Worker::new(&db, "w", vec![handler], WorkerOptions::default()).unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
    // Days without a scheduler are made up for by one run.
    clock.advance(50 * HOUR + 30 * 60_000);
    tick(&db, &schedules).await.unwrap();
    tick(&db, &schedules).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
}

async fn missed_runs_may_be_left_out(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.skip", Missed::Skip)];
    register(&db, &schedules).await.unwrap();
    clock.advance(5 * HOUR);
    let next = tick(&db, &schedules).await.unwrap().unwrap();
    assert_eq!(jobs_of(&db).await, 0);
    clock.advance(next - clock.now());
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
}

async fn by_hand_and_paused(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hand", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    let id = run_now(&db, &Caller::operator(), "test.hand").await.unwrap();
    assert_eq!(run_now(&db, &Caller::operator(), "test.hand").await.unwrap(), id);
    let job = jobs::get(&db, &id).await.unwrap();
    assert_eq!(
        (job.kind.as_str(), job.state, job.caller),
        ("test.hourly", State::Waiting, Caller::operator())
    );
    assert_eq!(
        run_now(&db, &Caller::operator(), "test.none")
            .await
            .unwrap_err()
            .detail(),
        "There is no schedule \"test.none\"."
    );
    jobs::cancel(&db, &id).await.unwrap();
    pause(&db, "test.hand", true).await.unwrap();
    assert_eq!(list(&db).await.unwrap()[0].next_due, None);
    clock.advance(2 * HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    clock.advance(HOUR);
    pause(&db, "test.hand", false).await.unwrap();
    register(&db, &schedules).await.unwrap();
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    let stored = list(&db).await.unwrap().remove(0);
    assert_eq!((stored.kind.as_str(), stored.paused), ("test.hourly", false));
    clock.advance(HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 2);
}

both!(
    many_schedulers_make_one_job,
    missed_runs_may_be_left_out,
    by_hand_and_paused
);

#[test]
fn times_are_read_in_their_zone() {
    let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let paris = Times::parse("30 2 * * *", "Europe/Paris").unwrap();
    assert_eq!(paris.next(ms("2025-06-15T00:00:00Z")), Some(ms("2025-06-15T00:30:00Z")));
    assert_eq!(paris.next(ms("2025-12-15T00:31:00Z")), Some(ms("2025-12-15T01:30:00Z")));
    assert_eq!(paris.last(ms("2025-12-15T01:30:00Z")), Some(ms("2025-12-15T01:30:00Z")));
    // The night without 02:30 and the night with two of them have one run each.
    let spring = paris.next(ms("2026-03-28T12:00:00Z")).unwrap();
    assert!(spring < ms("2026-03-29T12:00:00Z"));
    assert_eq!(paris.next(spring), Some(ms("2026-03-30T00:30:00Z")));
    assert!(Times::parse("61 * * * *", "UTC").is_err() && Times::parse("* * * * * *", "UTC").is_err());
    assert!(Times::parse("* * * * *", "Moon/Crater").is_err());
}
