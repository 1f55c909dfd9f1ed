//! Jobs on both engines: nothing runs twice, nothing is lost, order holds, cancels arrive.

mod lines;
mod lost;
mod rules;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::both;
use crate::kernel::access::Caller;
use crate::kernel::clock::Clock;
use crate::kernel::db::{Db, Options, Signal, Tx, Write, pick, sql};
use crate::kernel::error::{Code, Error};
use crate::kernel::process;
use crate::kernel::testing::TestDb;

const NOW: i64 = 1_750_000_000_000;

/// The test's database under a clock that only the test moves.
async fn fixed(db: &TestDb) -> (Db, Clock) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    (db, clock)
}

async fn make(db: &Db, job: NewJob) -> String {
    let job = &job;
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move { enqueue(tx, &Caller::system(), job.clone()).await })
    })
    .await
    .unwrap()
}

async fn make_many(db: &Db, jobs: Vec<NewJob>) -> Vec<String> {
    let mut ids = Vec::new();
    for some in jobs.chunks(500) {
        let made = db.write(Write::interactive("test"), |tx| {
            Box::pin(async move { enqueue_many(tx, &Caller::system(), some.to_vec()).await })
        });
        ids.extend(made.await.unwrap());
    }
    ids
}

/// Rows of the table that this connection has looked at, as PostgreSQL counts them; earlier transactions may be among them.
async fn rows_read(tx: &mut Tx<'_>) -> crate::kernel::error::Result<i64> {
    let (rows,): (i64,) = pick(
        "SELECT 0",
        "SELECT CAST(COALESCE(SUM(seq_tup_read + idx_tup_fetch), 0) AS BIGINT) FROM pg_stat_xact_user_tables WHERE relname = 'job'",
    )
    .one(tx)
    .await?;
    Ok(rows)
}

fn worker(db: &Db, name: &str, handlers: Vec<JobHandler>) -> Worker {
    Worker::new(db, name, handlers, WorkerOptions::default()).unwrap()
}

fn spawn(worker: &Worker, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let (worker, stop) = (worker.clone(), stop.clone());
    tokio::spawn(async move { worker.run(stop).await })
}

/// The job's last state.
async fn ended(db: &Db, id: &str) -> Job {
    let mut last = None;
    let mut states = Box::pin(watch(db, id));
    while let Some(job) = states.next().await {
        last = Some(job.unwrap());
    }
    last.unwrap()
}

async fn all_ended(db: &Db) {
    let mut moved = db.signals().subscribe(Signal::Progress);
    while !counts(db).await.unwrap().is_empty() {
        let _ = tokio::time::timeout(Duration::from_millis(500), moved.changed()).await;
    }
}

async fn runs_and_answers(db: TestDb) {
    let handler = JobHandler::new("test.double", |context: JobContext| async move {
        let n: i64 = context.payload()?;
        context.progress(1, Some(2), "half").await?;
        context.log(tracing::Level::INFO, "a\0 line").await?;
        context.progress(2, Some(2), "whole").await?;
        Ok(json!(n * 2))
    });
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![handler]), &stop);
    let id = make(&db, NewJob::new("test.double", json!(21))).await;
    let job = ended(&db, &id).await;
    assert_eq!((job.state, job.result, job.attempts), (State::Done, Some(json!(42)), 1));
    assert_eq!(
        job.progress,
        Progress {
            done: 2,
            total: Some(2),
            note: "whole".to_owned()
        }
    );
    let lines = log_lines(&db, &id, 0, 10).await.unwrap();
    assert_eq!(lines.iter().map(|l| l.message.as_str()).collect::<Vec<_>>(), ["a line"]);
    stop.cancel();
    running.await.unwrap();
}

async fn four_workers_run_each_job_once(db: TestDb) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stop = CancellationToken::new();
    let ids = make_many(&db, (0..2_000).map(|n| NewJob::new("test.count", json!(n))).collect()).await;
    assert_eq!(ids.len(), 2_000);
    let mut running = Vec::new();
    for n in 0..4 {
        let seen = seen.clone();
        let handler = JobHandler::new("test.count", move |context: JobContext| {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().push(context.payload::<i64>()?);
                Ok(Value::Null)
            }
        });
        running.push(spawn(&worker(&db, &format!("w{n}"), vec![handler]), &stop));
    }
    all_ended(&db).await;
    stop.cancel();
    for task in running {
        task.await.unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, (0..2_000).collect::<Vec<i64>>());
    let done: (i64,) = sql("SELECT COUNT(*) FROM job WHERE state = 'done' AND attempts = 1")
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(done.0, 2_000);
}

async fn one_subject_runs_in_order_and_never_in_parallel(db: TestDb) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let busy: Arc<[AtomicI64; 5]> = Arc::new(Default::default());
    let failed = Arc::new(Mutex::new(std::collections::HashSet::new()));
    let stop = CancellationToken::new();
    let mut running = Vec::new();
    for n in 0..4 {
        let (seen, busy, failed) = (seen.clone(), busy.clone(), failed.clone());
        let handler = JobHandler::new("test.ordered", move |context: JobContext| {
            let (seen, busy, failed) = (seen.clone(), busy.clone(), failed.clone());
            async move {
                let (key, n): (usize, i64) = context.payload()?;
                assert_eq!(
                    busy[key].fetch_add(1, Ordering::SeqCst),
                    0,
                    "two jobs of subject {key} at once"
                );
                tokio::task::yield_now().await;
                let fails = n % 17 == 3 && failed.lock().unwrap().insert((key, n));
                if !fails {
                    seen.lock().unwrap().push((key, n));
                }
                busy[key].fetch_sub(1, Ordering::SeqCst);
                // A failing one keeps its place: the later ones of its subject wait for its next try.
                if fails {
                    Err(Error::new(Code::Busy, "not now"))
                } else {
                    Ok(Value::Null)
                }
            }
        });
        running.push(spawn(&worker(&db, &format!("w{n}"), vec![handler]), &stop));
    }
    for n in 0..20_i64 {
        let of = |key: usize| NewJob::new("test.ordered", json!([key, n])).ordering_key(format!("k{key}"));
        make_many(&db, (0..5).map(of).collect()).await;
    }
    all_ended(&db).await;
    stop.cancel();
    for task in running {
        task.await.unwrap();
    }
    let seen = seen.lock().unwrap();
    for key in 0..5 {
        let of_key: Vec<i64> = seen.iter().filter(|(k, _)| *k == key).map(|(_, n)| *n).collect();
        assert_eq!(of_key, (0..20).collect::<Vec<i64>>(), "subject {key}");
    }
}

async fn failures_come_back_later_and_then_stay(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let handler = |answer: fn() -> Error| JobHandler::new("test.fail", move |_| async move { Err(answer()) });
    let busy = worker(&db, "w", vec![handler(|| Error::new(Code::Busy, "not now"))]);
    let id = make(&db, NewJob::new("test.fail", json!({})).max_attempts(3)).await;
    let mut delays = Vec::new();
    for attempt in 1..=2 {
        assert_eq!(busy.drain().await.unwrap(), 1);
        let job = get(&db, &id).await.unwrap();
        assert_eq!((job.state, job.attempts), (State::Waiting, attempt));
        assert!(job.error.unwrap().contains("not now"));
        assert!(matches!(job.wait, Some(Wait::Retry { of: 3, .. })));
        delays.push(job.run_at - clock.now());
        assert_eq!(busy.drain().await.unwrap(), 0, "not before its time");
        clock.advance(job.run_at - clock.now());
    }
    assert!(
        (1_000..=1_250).contains(&delays[0]) && (4_000..=5_000).contains(&delays[1]),
        "{delays:?}"
    );
    assert_eq!(busy.drain().await.unwrap(), 1);
    let job = get(&db, &id).await.unwrap();
    assert_eq!(
        (job.state, job.attempts, job.ended_at),
        (State::Failed, 3, Some(clock.now()))
    );
    assert_eq!(log_lines(&db, &id, 0, 10).await.unwrap().len(), 3);
    // By hand it may try again; wrong input fails at once; a panic is caught.
    retry(&db, &id).await.unwrap();
    let wrong = worker(&db, "w", vec![handler(|| Error::invalid("name", "is missing"))]);
    assert_eq!(wrong.drain().await.unwrap(), 1);
    assert_eq!(get(&db, &id).await.unwrap().state, State::Failed);
    retry(&db, &id).await.unwrap();
    let panics = worker(&db, "w", vec![handler(|| panic!("a bug"))]);
    assert_eq!(panics.drain().await.unwrap(), 1);
    assert!(get(&db, &id).await.unwrap().error.unwrap().contains("a bug"));
}

async fn a_unique_key_makes_one_job(db: TestDb) {
    let new = || NewJob::new("test.once", json!({})).unique_key("only");
    let first = make(&db, new()).await;
    assert_eq!(make(&db, new()).await, first);
    let many = make_many(&db, vec![new(), NewJob::new("test.once", json!({})), new()]).await;
    assert_eq!((&many[0], &many[2]), (&first, &first));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            make(&db, NewJob::new("test.once", json!({})).unique_key("race")).await
        }));
    }
    let mut ids = std::collections::HashSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    let handler = JobHandler::new("test.once", |_| async { Ok(Value::Null) });
    assert_eq!(worker(&db, "w", vec![handler]).drain().await.unwrap(), 3);
    assert_ne!(make(&db, new()).await, first, "an ended job no longer holds the key");
}

async fn a_cancel_reaches_a_running_handler(db: TestDb) {
    let (started, mut begun) = mpsc::unbounded_channel();
    let handler = JobHandler::new("test.wait", move |context: JobContext| {
        let started = started.clone();
        async move {
            started.send(()).unwrap();
            context.cancel.cancelled().await;
            context.check().map(|()| Value::Null)
        }
    });
    // Asked through another handle, as another process does.
    let other = Db::open(db.url(), db.folder(), Clock::system(), Options::default())
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![handler]), &stop);
    let id = make(&db, NewJob::new("test.wait", json!({}))).await;
    begun.recv().await.unwrap();
    let asked = cancel(&other, &id).await.unwrap();
    assert!(asked.state == State::Cancelled || asked.wait == Some(Wait::CancelAsked));
    let job = ended(&other, &id).await;
    assert_eq!(job.state, State::Cancelled);
    assert_eq!(cancel(&other, &id).await.unwrap_err().code(), Code::Conflict);
    // One that waits is cancelled at once.
    let later = make(&db, NewJob::new("test.wait", json!({})).run_at(i64::MAX)).await;
    assert_eq!(cancel(&db, &later).await.unwrap().state, State::Cancelled);
    assert_eq!(cancel(&db, "nowhere").await.unwrap_err().code(), Code::NotFound);
    stop.cancel();
    running.await.unwrap();
}

async fn one_job_runs_to_its_end_after_those_before_it(db: TestDb) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let handler = {
        let order = order.clone();
        JobHandler::new("test.line", move |context: JobContext| {
            let order = order.clone();
            async move {
                order.lock().unwrap().push(context.payload::<i64>()?);
                Ok(Value::Null)
            }
        })
    };
    let new = |n: i64| NewJob::new("test.line", json!(n)).ordering_key("line").queue(EXCHANGE);
    let ids = make_many(&db, vec![new(1), new(2), new(3)]).await;
    assert_eq!(
        get(&db, &ids[2]).await.unwrap().wait,
        Some(Wait::Behind {
            job: ids[0].clone(),
            kind: "test.line".to_owned()
        })
    );
    let job = worker(&db, "cli", vec![handler])
        .run_one(&ids[1], &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(job.state, State::Done);
    assert_eq!(*order.lock().unwrap(), [1, 2]);
    assert_eq!(get(&db, &ids[2]).await.unwrap().state, State::Waiting);
}

async fn priorities_go_first_and_old_jobs_are_forgotten(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let (said, mut order) = mpsc::unbounded_channel();
    let handler = JobHandler::new("test.line", move |context: JobContext| {
        let said = said.clone();
        async move {
            context.log(tracing::Level::INFO, "ran").await?;
            said.send(context.payload::<i64>()?).unwrap();
            Ok(Value::Null)
        }
    });
    let new = |n: i64| NewJob::new("test.line", json!(n)).priority(n % 2);
    make_many(&db, (0..4).map(new).collect()).await;
    let worker = worker(&db, "w", vec![handler]);
    assert_eq!(worker.drain().await.unwrap(), 4);
    order.close();
    let mut seen = Vec::new();
    while let Some(n) = order.recv().await {
        seen.push(n);
    }
    assert_eq!(seen, [1, 3, 0, 2]);
    let list = |state| {
        let db = db.clone();
        async move {
            super::list(
                &db,
                &JobFilter {
                    state: Some(state),
                    ..JobFilter::default()
                },
                10,
            )
            .await
            .unwrap()
        }
    };
    assert_eq!(list(State::Done).await.len(), 4);
    assert_eq!(prune(&db, None, &State::ALL, clock.now()).await.unwrap(), 0);
    clock.advance(1);
    assert_eq!(prune(&db, Some(EVENTS), &State::ALL, clock.now()).await.unwrap(), 0);
    assert_eq!(prune(&db, None, &State::ALL, clock.now()).await.unwrap(), 4);
    let (lines,): (i64,) = sql("SELECT COUNT(*) FROM job_log").one(&db).await.unwrap();
    assert_eq!(lines, 0);
}

async fn a_waiting_worker_is_woken_at_once(db: TestDb) {
    let (answer, answered) = oneshot::channel();
    let answer = Arc::new(Mutex::new(Some(answer)));
    let handler = JobHandler::new("test.wake", move |_| {
        let answer = answer.clone();
        async move {
            let answer = answer.lock().unwrap().take();
            answer
                .map(|a| a.send(()))
                .transpose()
                .map_err(|()| Error::new(Code::Internal, "nobody listens"))?;
            Ok(Value::Null)
        }
    });
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![handler]), &stop);
    make(&db, NewJob::new("test.wake", json!({})).queue(EVENTS)).await;
    answered.await.unwrap();
    stop.cancel();
    running.await.unwrap();
}

both!(
    runs_and_answers,
    four_workers_run_each_job_once,
    one_subject_runs_in_order_and_never_in_parallel,
    failures_come_back_later_and_then_stay,
    a_unique_key_makes_one_job,
    a_cancel_reaches_a_running_handler,
    one_job_runs_to_its_end_after_those_before_it,
    priorities_go_first_and_old_jobs_are_forgotten,
    a_waiting_worker_is_woken_at_once,
);
