//! The routes over the real middleware, as nobody in particular and as the operator of this machine.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::both;
use crate::kernel::access::Caller;
use crate::kernel::db::{Filter, Write};
use crate::kernel::http::{Setup, local};
use crate::kernel::jobs::{self, NewJob, Worker, WorkerOptions};
use crate::kernel::testing::{TestDb, kernel};
use crate::kernel::{process, schedule, telemetry};

struct House {
    db: Db,
    module: Box<dyn Module>,
    anyone: axum::Router,
    operator: axum::Router,
}

fn house(db: &TestDb) -> House {
    let kernel = kernel(db);
    let mut bus = Bus::default();
    let board = Arc::new(HealthBoard::default());
    bus.provide::<HealthBoard>(board.clone()).unwrap();
    let module = wire(&kernel, &mut bus).unwrap();
    board.add_module(&*module);
    let anyone = module.routes().into_router(Setup::new(kernel)).unwrap().router;
    House {
        db: (**db).clone(),
        module,
        operator: local(anyone.clone()),
        anyone,
    }
}

async fn ask(router: &axum::Router, method: Method, path: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost");
    let request = request
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes().to_vec(),
    )
}

impl House {
    async fn get(&self, path: &str) -> Value {
        let (status, body) = ask(&self.operator, Method::GET, path).await;
        assert!(
            status.is_success(),
            "{path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap()
    }
    async fn post(&self, path: &str) -> (u16, Value) {
        let (status, body) = ask(&self.operator, Method::POST, path).await;
        (status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }
    async fn make(&self, job: NewJob) -> String {
        let job = &job;
        let write = self.db.write(Write::interactive("test"), |tx| {
            Box::pin(async move { jobs::enqueue(tx, &Caller::operator(), job.clone()).await })
        });
        write.await.unwrap()
    }
}

async fn jobs_are_seen_and_steered(db: TestDb) {
    let house = house(&db);
    let first = house.make(NewJob::new("operations.prune", json!({}))).await;
    let second = house
        .make(NewJob::new("test.later", json!({})).run_at(i64::MAX / 2))
        .await;
    let list = house.get("/api/jobs?limit=1").await;
    assert_eq!(
        (&list["items"][0]["id"], &list["next"]),
        (&json!(second), &json!(second))
    );
    let list = house.get(&format!("/api/jobs?limit=1&cursor={second}")).await;
    assert_eq!((&list["items"][0]["id"], &list["next"]), (&json!(first), &Value::Null));
    assert_eq!(
        house.get("/api/jobs?kind=test.later&state=waiting").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let job = house.get(&format!("/api/jobs/{first}")).await;
    assert_eq!(
        (&job["actor"], &job["waits"]),
        (&json!("operator"), &json!("no worker serves the queue default"))
    );
    assert_eq!(
        house.post(&format!("/api/jobs/{second}/cancel")).await.1["state"],
        "cancelled"
    );
    assert_eq!(house.post(&format!("/api/jobs/{second}/cancel")).await.0, 409);
    assert_eq!(
        house.post(&format!("/api/jobs/{second}/retry")).await.1["state"],
        "waiting"
    );
    let worker = Worker::new(&house.db, "w", house.module.jobs(), WorkerOptions::default()).unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
    let (status, events) = ask(&house.operator, Method::GET, &format!("/api/jobs/{first}/events")).await;
    let events = String::from_utf8(events).unwrap();
    assert!(
        status.is_success() && events.contains("event: job") && events.contains("\"state\":\"done\""),
        "{events}"
    );
    assert_eq!(
        house.get(&format!("/api/jobs/{first}/log")).await,
        json!({"items": [], "next": 0})
    );
    // Hostile and mistaken questions.
    for (path, status) in [
        ("/api/jobs?limit=0", 422),
        ("/api/jobs?limit=99999", 422),
        ("/api/jobs?cursor=x", 400),
        ("/api/jobs?kind=%00", 400),
        ("/api/jobs?state=broken", 400),
        ("/api/jobs?colour=red", 400),
        ("/api/jobs/%00", 400),
        ("/api/jobs/nowhere/log", 404),
    ] {
        assert_eq!(
            ask(&house.operator, Method::GET, path).await.0.as_u16(),
            status,
            "{path}"
        );
    }
    for path in ["/api/jobs", "/api/processes", "/api/schedules", "/metrics"] {
        assert_eq!(
            ask(&house.anyone, Method::GET, path).await.0,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
}

async fn page(house: &House, path: &str) -> String {
    let (status, body) = ask(&house.operator, Method::GET, path).await;
    let body = String::from_utf8(body).unwrap();
    assert!(status.is_success(), "{path}: {status} {body}");
    body
}

async fn queues_pause_and_dead_letters_are_replayed(db: TestDb) {
    let house = house(&db);
    let id = house.make(NewJob::new("test.letter", json!(1))).await;
    assert_eq!(house.post("/api/queues/default/pause").await.0, 204);
    let job = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["wait"]["reason"], "queue-paused");
    assert!(
        job["waits"].as_str().unwrap().contains("was paused by operator"),
        "{job}"
    );
    let queues = house.get("/api/queues").await;
    let default = queues["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|q| q["name"] == "default")
        .unwrap();
    assert_eq!(
        (&default["paused_by"], &default["waiting"]),
        (&json!("operator"), &json!(1))
    );
    for place in ["/jobs", &format!("/jobs/{id}")] {
        assert!(page(&house, place).await.contains("was paused by"), "{place}");
    }
    assert_eq!(house.post("/api/queues/default/resume").await.0, 204);
    for verb in ["pause", "resume"] {
        assert_eq!(house.post(&format!("/api/queues/none/{verb}")).await.0, 404);
        assert_eq!(house.post(&format!("/api/queues/%00/{verb}")).await.0, 400);
    }
    // Two letters die; one is replayed by itself, the other with all of its kind.
    let other = house.make(NewJob::new("test.letter", json!(2))).await;
    let dies = || {
        JobHandler::new("test.letter", |_| async {
            Err(crate::kernel::error::Error::invalid("address", "is <b>wrong</b>"))
        })
    };
    let worker = Worker::new(&house.db, "w", vec![dies()], WorkerOptions::default()).unwrap();
    assert_eq!(worker.drain().await.unwrap(), 2);
    let dead = page(&house, "/jobs/dead").await;
    assert!(
        dead.contains("is &#60;b&#62;wrong") && dead.contains(&id) && dead.contains(&other),
        "{dead}"
    );
    assert!(page(&house, "/jobs/dead?kind=none").await.contains("Dead letters"));
    assert!(page(&house, "/jobs").await.contains("/jobs/dead"));
    assert_eq!(house.post(&format!("/api/jobs/{id}/retry")).await.1["state"], "waiting");
    let (status, all) = house.post("/api/jobs/retry-failed?kind=test.letter").await;
    assert_eq!((status, &all["retried"]), (200, &json!(1)));
    assert_eq!(worker.drain().await.unwrap(), 2);
    // What is old goes by the settings, failed ones later than others, and lines of the log with them.
    let done = house.make(NewJob::new("operations.prune", json!({}))).await;
    let prune = Worker::new(&house.db, "w", house.module.jobs(), WorkerOptions::default()).unwrap();
    assert_eq!(prune.drain().await.unwrap(), 1);
    const DAY: i64 = 86_400_000;
    house.db.clock().advance(31 * DAY);
    house.make(NewJob::new("operations.prune", json!({}))).await;
    prune.drain().await.unwrap();
    assert_eq!(
        ask(&house.operator, Method::GET, &format!("/api/jobs/{done}")).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(house.get(&format!("/api/jobs/{id}")).await["state"], "failed");
    house.db.clock().advance(60 * DAY);
    house.make(NewJob::new("operations.prune", json!({}))).await;
    prune.drain().await.unwrap();
    assert_eq!(
        ask(&house.operator, Method::GET, &format!("/api/jobs/{id}")).await.0,
        StatusCode::NOT_FOUND
    );
    let lines: Vec<(i64,)> = Filter::new("SELECT line FROM job_log")
        .stmt()
        .all(&house.db)
        .await
        .unwrap();
    assert_eq!(lines, []);
}

async fn schedules_run_by_hand(db: TestDb) {
    let house = house(&db);
    schedule::register(&house.db, &house.module.schedules()).await.unwrap();
    let (status, made) = house.post("/api/schedules/operations.prune/run").await;
    assert_eq!(status, 202);
    assert_eq!(
        house.get(&format!("/api/jobs/{}", made["id"].as_str().unwrap())).await["kind"],
        "operations.prune"
    );
    assert_eq!(house.post("/api/schedules/operations.prune/pause").await.0, 204);
    assert_eq!(house.get("/api/schedules").await["items"][0]["paused"], true);
    assert_eq!(house.post("/api/schedules/operations.prune/resume").await.0, 204);
    let runs = house.get("/api/schedules/operations.prune/runs").await;
    assert_eq!(
        (&runs["items"][0]["outcome"], &runs["items"][0]["job"]),
        (&json!("by-hand"), &made["id"])
    );
    for page in ["/schedules", "/schedules/operations.prune"] {
        let (status, body) = ask(&house.operator, Method::GET, page).await;
        let body = String::from_utf8(body).unwrap();
        assert!(
            status.is_success() && body.contains("Every day at 03:17"),
            "{page}: {body}"
        );
    }
    assert_eq!(house.get("/api/schedules").await["items"][0]["missed"], "run-once");
    for path in ["/api/schedules/none/runs", "/schedules/none"] {
        assert_eq!(
            ask(&house.operator, Method::GET, path).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(house.post("/api/schedules/none/run").await.0, 404);
    assert_eq!(house.post("/api/schedules/%00/run").await.0, 400);
}

async fn health_says_why_to_whom_may_know(db: TestDb) {
    telemetry::start_metrics();
    let house = house(&db);
    let me = process::Registration {
        id: "p".into(),
        roles: vec![process::WEB.to_owned()],
        ..process::Registration::default()
    };
    process::register(&house.db, &me).await.unwrap();
    assert_eq!(ask(&house.anyone, Method::GET, "/health/live").await.0, StatusCode::OK);
    let (status, body) = ask(&house.anyone, Method::GET, "/health/ready").await;
    assert_eq!(
        (status, serde_json::from_slice::<Value>(&body).unwrap()),
        (StatusCode::OK, json!({"status": "ready"}))
    );
    let ready = house.get("/health/ready").await;
    let names: Vec<_> = ready["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (&c["name"], &c["state"]))
        .collect();
    assert_eq!(
        json!(names),
        json!([["database", "ok"], ["migrations", "ok"], ["workers", "warning"]])
    );
    let items = house.get("/api/processes").await;
    assert_eq!(
        (&items["items"][0]["id"], &items["items"][0]["alive"]),
        (&json!("p"), &json!(true))
    );
    let (_, text) = ask(&house.operator, Method::GET, "/metrics").await;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("vitrine_processes 1") && text.contains("vitrine_jobs{"),
        "{text}"
    );
}

/// A job that another version of the program has made would wait for ever without a word: health names it.
async fn health_names_what_nobody_can_run(db: TestDb) {
    let house = house(&db);
    let me = process::Registration {
        id: "w".into(),
        roles: vec![process::WORKER.to_owned()],
        queues: vec![jobs::DEFAULT.to_owned()],
        kinds: vec!["operations.prune".to_owned()],
    };
    process::register(&house.db, &me).await.unwrap();
    house.make(NewJob::new("operations.prune", json!({}))).await;
    let workers = async || {
        let ready = house.get("/health/ready").await;
        let components = ready["components"].as_array().unwrap().clone();
        components.into_iter().find(|c| c["name"] == "workers").unwrap()
    };
    assert_eq!(workers().await["state"], "ok");
    let id = house.make(NewJob::new("test.of-tomorrow", json!({}))).await;
    let told = workers().await;
    assert_eq!(told["state"], "warning");
    assert!(
        told["reason"]
            .as_str()
            .unwrap()
            .contains("app jobs list --kind test.of-tomorrow"),
        "{told}"
    );
    house.post(&format!("/api/jobs/{id}/cancel")).await;
    assert_eq!(workers().await["state"], "ok");
}

async fn web_processes_say_how_far_they_have_indexed(db: TestDb) {
    use crate::kernel::ledger::Position;
    use std::time::Duration;
    let stop = tokio_util::sync::CancellationToken::new();
    let watermark = process::Watermark::default();
    let me = process::Registration {
        id: "web".into(),
        roles: vec![process::WEB.to_owned()],
        ..process::Registration::default()
    };
    let running = tokio::spawn(process::run(
        (*db).clone(),
        me.clone(),
        watermark.clone(),
        process::Orders::default(),
        stop.clone(),
    ));
    process::register(&db, &me).await.unwrap();
    let target = Position { txid: 7, position: 9 };
    assert!(!process::wait_indexed(&db, target, Duration::ZERO).await.unwrap());
    watermark.set(target);
    assert!(
        process::wait_indexed(&db, target, Duration::from_secs(30))
            .await
            .unwrap()
    );
    assert_eq!(
        process::watermarks(&db).await.unwrap(),
        [("web".to_owned(), Some(target))]
    );
    stop.cancel();
    running.await.unwrap();
    assert_eq!(process::list(&db).await.unwrap(), []);
}

both!(
    jobs_are_seen_and_steered,
    queues_pause_and_dead_letters_are_replayed,
    schedules_run_by_hand,
    health_says_why_to_whom_may_know,
    health_names_what_nobody_can_run,
    web_processes_say_how_far_they_have_indexed,
);
