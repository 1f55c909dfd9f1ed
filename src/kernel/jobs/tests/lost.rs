//! Workers that die, processes that end, connections that break: no job is lost, and no ghost writes.

use super::*;

async fn a_dead_workers_job_runs_elsewhere_and_its_ghost_is_refused(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let (started, mut contexts) = mpsc::unbounded_channel();
    let hangs = JobHandler::new("test.long", move |context: JobContext| {
        let started = started.clone();
        async move {
            started.send(context).unwrap();
            std::future::pending().await
        }
    });
    let id = make(&db, NewJob::new("test.long", json!({}))).await;
    // The first worker is killed in the middle: its task goes without a word.
    let killed = worker(&db, "dead", vec![hangs]);
    let task = tokio::spawn(async move { killed.drain().await });
    let ghost = contexts.recv().await.unwrap();
    task.abort();
    let ends = JobHandler::new("test.long", |_| async { Ok(json!("second")) });
    let second = worker(&db, "alive", vec![ends]);
    assert_eq!(second.drain().await.unwrap(), 0, "the lease still holds");
    clock.advance(20_001);
    assert_eq!(second.drain().await.unwrap(), 1);
    let job = get(&db, &id).await.unwrap();
    assert_eq!(
        (job.state, job.result.clone(), job.attempts),
        (State::Done, Some(json!("second")), 2)
    );
    // What the first one still tries is refused with everything it wrote.
    let ghost = &ghost;
    let late = db
        .write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                sql("INSERT INTO fact (name, value) VALUES ('ghost', 'x')")
                    .exec(&mut *tx)
                    .await?;
                ghost.finish_with(tx, &json!("first")).await
            })
        })
        .await;
    assert_eq!(late.unwrap_err().code(), Code::Conflict);
    assert!(ghost.cancel.is_cancelled());
    let written: Option<(String,)> = sql("SELECT value FROM fact WHERE name = 'ghost'")
        .opt(&db)
        .await
        .unwrap();
    assert_eq!(written, None);
    assert_eq!(get(&db, &id).await.unwrap().result, Some(json!("second")));
}

async fn completion_commits_with_the_last_writes(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let writes = {
        let db = db.clone();
        move |dies: bool| {
            let db = db.clone();
            JobHandler::new("test.exact", move |context: JobContext| {
                let db = db.clone();
                async move {
                    let context = &context;
                    db.write(Write::interactive("test"), |tx| {
                        Box::pin(async move {
                            sql("INSERT INTO fact (name, value) VALUES ($1, 'x')")
                                .bind(&context.id)
                                .exec(&mut *tx)
                                .await?;
                            context.finish_with(tx, &json!("written")).await
                        })
                    })
                    .await?;
                    if dies {
                        std::future::pending().await
                    } else {
                        Ok(Value::Null)
                    }
                }
            })
        }
    };
    let id = make(&db, NewJob::new("test.exact", json!({}))).await;
    // The worker dies after the commit and before it could say so.
    let dead = worker(&db, "dead", vec![writes(true)]);
    let task = tokio::spawn(async move { dead.drain().await });
    assert_eq!(ended(&db, &id).await.state, State::Done);
    task.abort();
    clock.advance(60_000);
    let other = worker(&db, "alive", vec![writes(false)]);
    assert_eq!(other.drain().await.unwrap(), 0, "done is done");
    let second = make(&db, NewJob::new("test.exact", json!({}))).await;
    assert_eq!(other.drain().await.unwrap(), 1);
    assert_eq!(get(&db, &second).await.unwrap().result, Some(json!("written")));
    let (rows,): (i64,) = sql("SELECT COUNT(*) FROM fact WHERE value = 'x'")
        .one(&db)
        .await
        .unwrap();
    assert_eq!(rows, 2);
}

async fn an_ending_process_puts_its_jobs_back(db: TestDb) {
    let (started, mut begun) = mpsc::unbounded_channel();
    let handler = JobHandler::new("test.wait", move |context: JobContext| {
        let started = started.clone();
        async move {
            started.send(()).unwrap();
            context.cancel.cancelled().await;
            context.check().map(|()| Value::Null)
        }
    });
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "w", vec![handler]), &stop);
    let id = make(&db, NewJob::new("test.wait", json!({}))).await;
    begun.recv().await.unwrap();
    stop.cancel();
    running.await.unwrap();
    let job = get(&db, &id).await.unwrap();
    assert_eq!((job.state, job.attempts, job.worker), (State::Waiting, 0, None));
    // A job nobody can run says so.
    assert_eq!(
        job.wait,
        Some(Wait::NoWorker {
            queue: DEFAULT.to_owned()
        })
    );
    let me = process::Registration {
        id: "w".into(),
        roles: vec!["worker".to_owned()],
        queues: vec![DEFAULT.to_owned()],
        ..process::Registration::default()
    };
    process::register(&db, &me).await.unwrap();
    assert_eq!(
        get(&db, &id).await.unwrap().wait,
        Some(Wait::Busy {
            queue: DEFAULT.to_owned()
        })
    );
}

async fn a_new_process_takes_what_a_dead_one_left(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let handler = || JobHandler::new("test.left", |_| async { Ok(Value::Null) });
    let [left, asked, poison] = [(); 3].map(|()| NewJob::new("test.left", json!({})));
    let ids = make_many(&db, vec![left, asked, poison]).await;
    let (dead, ids_ref) = (
        process::Registration {
            id: "dead".into(),
            ..process::Registration::default()
        },
        &ids,
    );
    process::register(&db, &dead).await.unwrap();
    db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let until = tx.now() + 20_000;
            sql("UPDATE job SET state = 'running', worker = 'dead', attempts = 1, lease_until = $1")
                .bind(until)
                .exec(&mut *tx)
                .await?;
            sql("UPDATE job SET cancel = TRUE WHERE id = $1")
                .bind(&ids_ref[1])
                .exec(&mut *tx)
                .await?;
            sql("UPDATE job SET attempts = 25 WHERE id = $1")
                .bind(&ids_ref[2])
                .exec(tx)
                .await
        })
    })
    .await
    .unwrap();
    // Its leases still hold, but it has been silent for a while.
    clock.advance(process::DEAD_AFTER + 1);
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "new", vec![handler()]), &stop);
    let mut states = Vec::new();
    for id in &ids {
        let job = ended(&db, id).await;
        states.push((job.state, job.attempts, job.error.is_some()));
    }
    let wanted = [
        (State::Done, 2, false),
        (State::Cancelled, 1, false),
        (State::Failed, 25, true),
    ];
    assert_eq!(states, wanted);
    stop.cancel();
    running.await.unwrap();
}

/// A clock that goes an hour ahead ends every lease: what is left by the dead is taken, what the living run is not.
async fn a_clock_set_forward_takes_nothing_from_the_living(db: TestDb) {
    let (db, clock) = fixed(&db).await;
    let (release, released) = tokio::sync::watch::channel(false);
    let (started, mut begun) = mpsc::unbounded_channel();
    let long = JobHandler::new("test.long", move |_| {
        let (started, mut released) = (started.clone(), released.clone());
        async move {
            started.send(()).unwrap();
            released.wait_for(|is_over| *is_over).await.map_err(Error::internal)?;
            Ok(Value::Null)
        }
    });
    let left = JobHandler::new("test.left", |_| async { Ok(Value::Null) });
    let stop = CancellationToken::new();
    let running = spawn(&worker(&db, "alive", vec![long, left]), &stop);
    let held = make(&db, NewJob::new("test.long", json!({}))).await;
    begun.recv().await.unwrap();
    let lost = make(&db, NewJob::new("test.left", json!({})).run_at(i64::MAX / 2)).await;
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            let until = tx.now() + 20_000;
            sql("UPDATE job SET state = 'running', worker = 'dead', attempts = 1, lease_until = $1 WHERE kind = 'test.left'")
                .bind(until)
                .exec(tx)
                .await
        })
    });
    assert_eq!(write.await.unwrap(), 1);
    clock.advance(3_600_000);
    let taken = ended(&db, &lost).await;
    assert_eq!((taken.state, taken.attempts), (State::Done, 2));
    release.send(true).unwrap();
    let kept = ended(&db, &held).await;
    assert_eq!((kept.state, kept.attempts), (State::Done, 1));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_connections_lose_no_job() {
    let db = crate::kernel::testing::postgres().await;
    let seen = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
    let handler = {
        let seen = seen.clone();
        JobHandler::new("test.count", move |context: JobContext| {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().insert(context.payload::<i64>()?);
                Ok(Value::Null)
            }
        })
    };
    make_many(&db, (0..1_500).map(|n| NewJob::new("test.count", json!(n))).collect()).await;
    // A short lease: what was claimed when the connection went runs again soon.
    let options = WorkerOptions {
        lease_ms: 500,
        ..WorkerOptions::default()
    };
    let worker = Worker::new(&db, "w", vec![handler], options).unwrap();
    let stop = CancellationToken::new();
    let running = spawn(&worker, &stop);
    let mut moved = db.signals().subscribe(Signal::Progress);
    for _ in 0..5 {
        let _ = tokio::time::timeout(Duration::from_millis(500), moved.changed()).await;
        let url = db.url().to_owned();
        let other = Db::open(&url, db.folder(), Clock::system(), Options::default())
            .await
            .unwrap();
        let cut: Vec<(bool,)> = sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            .all(&other)
            .await
            .unwrap();
        assert!(!cut.is_empty());
    }
    loop {
        match counts(&db).await {
            Ok(left) if left.is_empty() => break,
            _ => drop(tokio::time::timeout(Duration::from_millis(200), moved.changed()).await),
        }
    }
    assert_eq!(seen.lock().unwrap().len(), 1_500);
    stop.cancel();
    running.await.unwrap();
}

/// PostgreSQL keeps a plan it made while the queue was empty, by statistics that know no jobs.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_looks_only_at_what_it_takes() {
    let db = crate::kernel::testing::postgres().await;
    let claim = |limit: i64| {
        db.write(Write::interactive("test"), move |tx| {
            Box::pin(async move {
                let by = claim::Claim {
                    worker: "w",
                    lease_until: tx.now() + 60_000,
                    kinds: "|test.plain|test.ordered|",
                };
                let before = rows_read(tx).await?;
                let mut found = claim::claim(tx, by, DEFAULT, limit).await?.jobs;
                found.extend(claim::claim_followers(tx, by, DEFAULT, limit, 1).await?);
                let rows = rows_read(tx).await? - before;
                Ok((found.len(), rows))
            })
        })
    };
    for _ in 0..8 {
        assert_eq!(claim(100).await.unwrap().0, 0);
    }
    make_many(&db, (0..6_000).map(|n| NewJob::new("test.plain", json!(n))).collect()).await;
    let line = |n| NewJob::new("test.ordered", json!(n)).ordering_key("one").priority(9);
    make_many(&db, (0..200).map(line).collect()).await;
    // The line stands before all others: this claim passes it and puts it aside.
    let (found, rows) = claim(50).await.unwrap();
    assert_eq!(found, 100);
    assert!(rows < 4_000, "{rows} rows were looked at for 100 jobs");
    let (found, rows) = claim(50).await.unwrap();
    assert_eq!(found, 50);
    assert!(rows < 300, "{rows} rows were looked at for 50 jobs");
}

/// The look of a feed that is called for nothing, where PostgreSQL has last seen a table in which everything waits.
#[tokio::test]
async fn a_look_at_an_empty_queue_reads_no_others() {
    let db = crate::kernel::testing::postgres().await;
    make_many(&db, (0..6_000).map(|n| NewJob::new("test.plain", json!(n))).collect()).await;
    let look = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("ANALYZE job").exec(&mut *tx).await?;
            let now = tx.now();
            // From the sixth time on the plan is one for any queue.
            for _ in 0..8 {
                assert!(!store::is_due(&mut *tx, EXCHANGE, now).await?);
            }
            let (rows,): (i64,) = pick(
                "SELECT 0",
                "SELECT CAST(COALESCE(SUM(seq_tup_read), 0) AS BIGINT) FROM pg_stat_xact_user_tables WHERE relname = 'job'",
            )
            .one(tx)
            .await?;
            Ok(rows)
        })
    });
    assert_eq!(look.await.unwrap(), 0, "rows were read one after another");
}

both!(
    a_dead_workers_job_runs_elsewhere_and_its_ghost_is_refused,
    completion_commits_with_the_last_writes,
    an_ending_process_puts_its_jobs_back,
    a_new_process_takes_what_a_dead_one_left,
    a_clock_set_forward_takes_nothing_from_the_living,
);
