//! What is done about jobs of the same purpose, jobs made of parts, queues that pause, limits, and clocks that go back.

use super::*;

const HOUR: i64 = 3_600_000;

fn notes(kind: &'static str, seen: &Arc<Mutex<Vec<Value>>>) -> JobHandler {
    let seen = seen.clone();
    JobHandler::new(kind, move |context: JobContext| {
        let seen = seen.clone();
        async move {
            seen.lock().unwrap().push(context.payload()?);
            Ok(Value::Null)
        }
    })
}

async fn living_worker(db: &Db, kinds: &[&str]) {
    let me = process::Registration {
        id: "alive".into(),
        roles: vec![process::WORKER.to_owned()],
        queues: vec![DEFAULT.to_owned()],
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    process::register(db, &me).await.unwrap();
}

async fn a_newer_job_of_the_same_purpose(db: TestDb) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of = |n: i64, rule| NewJob::new("test.same", json!(n)).unique_key("same").rule(rule);
    // Ignored: the first one stands for it.
    let first = make(&db, of(1, Rule::Ignore)).await;
    assert_eq!(make(&db, of(2, Rule::Ignore)).await, first);
    // Replaced: it stays where it is and takes what the newer one brings.
    assert_eq!(make(&db, of(3, Rule::Replace).priority(7)).await, first);
    assert_eq!(get(&db, &first).await.unwrap().priority, 7);
    // Superseded: it ends in a state of its own and names the newer one.
    let second = make(&db, of(4, Rule::Supersede)).await;
    let ended = get(&db, &first).await.unwrap();
    assert_eq!(
        (ended.state, ended.superseded_by.as_deref(), ended.payload),
        (State::Superseded, Some(second.as_str()), json!(3))
    );
    assert_eq!(retry(&db, &first).await.unwrap_err().code(), Code::Conflict);
    let worker = worker(&db, "w", vec![notes("test.same", &seen)]);
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(*seen.lock().unwrap(), [json!(4)]);
    assert_eq!(prune(&db, None, &[State::Superseded], i64::MAX).await.unwrap(), 1);
}

async fn a_running_job_of_the_same_purpose(db: TestDb) {
    let (started, mut begun) = mpsc::unbounded_channel();
    let handler = JobHandler::new("test.same", move |context: JobContext| {
        let started = started.clone();
        async move {
            started.send(()).unwrap();
            if context.payload::<i64>()? == 1 {
                context.cancel.cancelled().await;
            }
            context.check().map(|()| Value::Null)
        }
    });
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![handler]), &stop);
    let of = |n: i64, rule| NewJob::new("test.same", json!(n)).unique_key("same").rule(rule);
    let first = make(&db, of(1, Rule::Supersede)).await;
    begun.recv().await.unwrap();
    // Beside one that runs a replacing job is a job of its own, and runs after it.
    let second = make(&db, of(2, Rule::Replace)).await;
    assert_ne!(first, second);
    assert!(matches!(
        get(&db, &second).await.unwrap().wait,
        Some(Wait::Behind { job, kind }) if job == first && kind == "test.same"
    ));
    // One that supersedes ends what waits at once and what runs at its next step: the first has let its key go.
    let third = make(&db, of(3, Rule::Supersede)).await;
    assert_eq!(get(&db, &second).await.unwrap().state, State::Superseded);
    cancel(&db, &first).await.unwrap();
    assert_eq!(ended(&db, &third).await.state, State::Done);
    assert_eq!(ended(&db, &first).await.state, State::Cancelled);
    let fourth = make(&db, NewJob::new("test.same", json!(1)).unique_key("other")).await;
    begun.recv().await.unwrap();
    begun.recv().await.unwrap();
    let fifth = make(
        &db,
        NewJob::new("test.same", json!(5))
            .unique_key("other")
            .rule(Rule::Supersede),
    )
    .await;
    let job = ended(&db, &fourth).await;
    assert_eq!((job.state, job.superseded_by), (State::Superseded, Some(fifth.clone())));
    assert_eq!(ended(&db, &fifth).await.state, State::Done);
    stop.cancel();
    running.await.unwrap();
}

async fn a_job_begins_when_its_parts_have_ended(db: TestDb) {
    let (db, _) = fixed(&db).await;
    let make_parts = async |parts: i64| {
        let new = |n| NewJob::new("test.part", json!(n));
        db.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                let parts = (0..parts).map(new).collect();
                enqueue_with_parts(
                    tx,
                    &Caller::operator(),
                    NewJob::new("test.whole", json!("whole")),
                    parts,
                )
                .await
            })
        })
        .await
        .unwrap()
    };
    let id = make_parts(3).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let whole = worker(&db, "w", vec![notes("test.whole", &seen)]);
    assert_eq!(whole.drain().await.unwrap(), 0, "its parts come first");
    let fails = JobHandler::new("test.part", |context: JobContext| async move {
        match context.payload::<i64>()? {
            0 => Err(Error::invalid("part", "is broken")),
            _ => Ok(Value::Null),
        }
    });
    let mut parts = list(
        &db,
        &JobFilter {
            parent: Some(id.clone()),
            ..JobFilter::default()
        },
        10,
    )
    .await
    .unwrap();
    let last = parts.remove(0);
    assert_eq!((parts.len(), last.parent.as_deref()), (2, Some(id.as_str())));
    cancel(&db, &last.id).await.unwrap();
    let job = get(&db, &id).await.unwrap();
    assert_eq!(job.wait, Some(Wait::Parts { ended: 1, of: 3 }));
    assert_eq!((job.progress.done, job.progress.total), (1, Some(3)));
    // What a part has done so far counts, too: one of three has ended, one is half way.
    let half = "UPDATE job SET progress_done = 50, progress_total = 100 WHERE id = $1";
    let half_way = parts[0].id.as_str();
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move { sql(half).bind(half_way).exec(tx).await })
    })
    .await
    .unwrap();
    assert_eq!(get(&db, &id).await.unwrap().parts.unwrap().percent, 50);
    let both = worker(&db, "w", vec![fails, notes("test.whole", &seen)]);
    assert_eq!(both.drain().await.unwrap(), 3);
    let job = get(&db, &id).await.unwrap();
    let parts = Parts {
        total: 3,
        ended: 3,
        failed: 1,
        percent: 100,
    };
    assert_eq!((job.state, job.parts), (State::Done, Some(parts)));
    // Cancelling the whole cancels what is left of it.
    let id = make_parts(2).await;
    cancel(&db, &id).await.unwrap();
    assert_eq!(both.drain().await.unwrap(), 0);
    assert!(counts(&db).await.unwrap().is_empty());
    // A job without parts is an ordinary one.
    make_parts(0).await;
    assert_eq!(both.drain().await.unwrap(), 1);
}

async fn a_paused_queue_says_who_paused_it(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let worker = worker(&db, "w", vec![notes("test.wait", &seen)]);
    living_worker(&db, &["test.wait"]).await;
    let id = make(&db, NewJob::new("test.wait", json!(1))).await;
    pause(&db, &Caller::operator(), DEFAULT).await.unwrap();
    pause(&db, &Caller::system(), DEFAULT).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 0);
    let wait = get(&db, &id).await.unwrap().wait.unwrap();
    assert_eq!(
        wait.to_string(),
        "the queue default was paused by operator at 2025-06-15T15:06:40Z: app jobs resume default"
    );
    clock.advance(5_000);
    let queue = queues(&db)
        .await
        .unwrap()
        .into_iter()
        .find(|q| q.name == DEFAULT)
        .unwrap();
    assert_eq!(
        (queue.waiting, queue.running, queue.lag, queue.served),
        (1, 0, 5_000, true)
    );
    resume(&db, DEFAULT).await.unwrap();
    resume(&db, DEFAULT).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(
        pause(&db, &Caller::operator(), "none").await.unwrap_err().code(),
        Code::NotFound
    );
}

async fn what_no_version_here_understands_is_kept(db: TestDb) {
    let (db, _) = fixed(&db).await;
    living_worker(&db, &["test.known"]).await;
    let unknown = make(&db, NewJob::new("test.of-tomorrow", json!({}))).await;
    let old = make(
        &db,
        NewJob::new("test.known", json!({ "of": "yesterday" })).max_attempts(9),
    )
    .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let numbers = JobHandler::new("test.known", |context: JobContext| async move {
        context.payload::<i64>().map(|n| json!(n))
    });
    assert_eq!(worker(&db, "w", vec![numbers]).drain().await.unwrap(), 1);
    let job = get(&db, &unknown).await.unwrap();
    assert_eq!(
        job.wait,
        Some(Wait::UnknownKind {
            kind: "test.of-tomorrow".to_owned()
        })
    );
    // No try is wasted on a payload that another version has made.
    let job = get(&db, &old).await.unwrap();
    assert_eq!((job.state, job.attempts), (State::Failed, 1));
    assert!(job.error.unwrap().contains("It is kept: try it again"));
    assert_eq!(failed_kinds(&db).await.unwrap(), [("test.known".to_owned(), 1)]);
    // After the upgrade both run.
    assert_eq!(retry_failed(&db, Some("test.known")).await.unwrap(), 1);
    let upgraded = worker(
        &db,
        "w",
        vec![notes("test.known", &seen), notes("test.of-tomorrow", &seen)],
    );
    assert_eq!(upgraded.drain().await.unwrap(), 2);
    assert_eq!(get(&db, &old).await.unwrap().state, State::Done);
    // What is too large is refused in words before anything is written.
    let large = NewJob::new("test.known", json!("x".repeat(10 << 20)));
    let refused = db
        .write(Write::interactive("test"), |tx| {
            let large = large.clone();
            Box::pin(async move { enqueue(tx, &Caller::system(), large).await })
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::TooLarge);
    assert!(refused.detail().contains("Put the data into a blob."), "{refused}");
}

async fn a_job_that_takes_too_long_is_stopped(db: TestDb) {
    let handler = JobHandler::new("test.slow", |context: JobContext| async move {
        // One that listens, and one that does not.
        if context.payload::<bool>()? {
            context.cancel.cancelled().await;
            return context.check().map(|()| Value::Null);
        }
        std::future::pending().await
    });
    let worker = worker(&db, "w", vec![handler]);
    for listens in [true, false] {
        let new = NewJob::new("test.slow", json!(listens)).time_limit(20).max_attempts(1);
        let id = make(&db, new).await;
        assert_eq!(worker.drain().await.unwrap(), 1);
        let job = get(&db, &id).await.unwrap();
        assert_eq!(job.state, State::Failed);
        assert!(job.error.unwrap().contains("longer than its limit"));
    }
}

async fn a_clock_set_back_an_hour_holds_nothing_up(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let (first, seen) = (AtomicI64::new(0), Arc::new(Mutex::new(Vec::new())));
    let flaky = JobHandler::new("test.flaky", move |_| {
        let fails = first.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if fails {
                Err(Error::new(Code::Busy, "not now"))
            } else {
                Ok(Value::Null)
            }
        }
    });
    let worker = worker(
        &db,
        "w",
        vec![flaky, notes("test.now", &seen), notes("test.left", &seen)],
    );
    let flaky = make(&db, NewJob::new("test.flaky", json!({}))).await;
    assert_eq!(worker.drain().await.unwrap(), 1);
    let left = make(&db, NewJob::new("test.left", json!("left"))).await;
    let taken = db
        .write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                let until = tx.now() + 20_000;
                sql("UPDATE job SET state = 'running', worker = 'dead', attempts = 1, lease_until = $1 WHERE kind = 'test.left'")
                    .bind(until)
                    .exec(tx)
                    .await
            })
        })
        .await;
    assert_eq!(taken.unwrap(), 1);
    let now = make(&db, NewJob::new("test.now", json!("now"))).await;
    let later = make(&db, NewJob::new("test.now", json!("later")).run_at(clock.now() + HOUR)).await;
    living_worker(&db, &[]).await;
    clock.advance(-HOUR);
    // What was to run at once does, whatever the clock says.
    assert_eq!(
        get(&db, &now).await.unwrap().wait,
        Some(Wait::Busy {
            queue: DEFAULT.to_owned()
        })
    );
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(get(&db, &now).await.unwrap().state, State::Done);
    // The next try and the end of a lease are as near as they were.
    assert!(get(&db, &flaky).await.unwrap().run_at <= clock.now() + 1_250);
    clock.advance(20_001);
    assert_eq!(worker.drain().await.unwrap(), 2);
    for id in [&flaky, &left] {
        assert_eq!(get(&db, id).await.unwrap().state, State::Done);
    }
    // Nobody who is gone is taken for alive.
    process::register(&db, &process::Registration::default()).await.unwrap();
    let known = process::list(&db).await.unwrap();
    assert!(known.iter().all(|one| one.id != "alive"), "{known:?}");
    // What somebody set a time for keeps it.
    assert!(matches!(get(&db, &later).await.unwrap().wait, Some(Wait::Later { .. })));
}

async fn a_long_line_of_one_subject_comes_to_its_end(db: TestDb) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of = |n: i64| NewJob::new("test.line", json!(n)).ordering_key("line");
    make_many(&db, (0..2_500).map(of).collect()).await;
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![notes("test.line", &seen)]), &stop);
    all_ended(&db).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(*seen.lock().unwrap(), (0..2_500).map(|n| json!(n)).collect::<Vec<_>>());
}

async fn a_queue_has_its_own_limit(db: TestDb) {
    let busy = Arc::new(AtomicI64::new(0));
    let handler = {
        let busy = busy.clone();
        JobHandler::new("test.one", move |_| {
            let busy = busy.clone();
            async move {
                assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                tokio::task::yield_now().await;
                busy.fetch_sub(1, Ordering::SeqCst);
                Ok(Value::Null)
            }
        })
    };
    let options = WorkerOptions {
        limits: std::collections::HashMap::from([(EXCHANGE.to_owned(), 1)]),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(&db, "w", vec![handler], options).unwrap();
    let stop = CancellationToken::new();
    let running = spawn(&worker, &stop);
    make_many(
        &db,
        (0..50)
            .map(|n| NewJob::new("test.one", json!(n)).queue(EXCHANGE))
            .collect(),
    )
    .await;
    all_ended(&db).await;
    stop.cancel();
    running.await.unwrap();
    let (done,): (i64,) = sql("SELECT COUNT(*) FROM job WHERE state = 'done' AND attempts = 1")
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(done, 50);
}

both!(
    a_newer_job_of_the_same_purpose,
    a_running_job_of_the_same_purpose,
    a_job_begins_when_its_parts_have_ended,
    a_paused_queue_says_who_paused_it,
    what_no_version_here_understands_is_kept,
    a_job_that_takes_too_long_is_stopped,
    a_clock_set_back_an_hour_holds_nothing_up,
    a_queue_has_its_own_limit,
    a_long_line_of_one_subject_comes_to_its_end,
);
