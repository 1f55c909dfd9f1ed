//! Looking after the house over HTTP on both engines: one request followed to its job, change and log; pages of jobs,
//! tokens, settings and operations; failed jobs tried again together.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::{Write, sql};
use vitrine::kernel::testing::{MailServer, TestApp, TestDb};

both!(
    one_request_leads_to_its_jobs_and_changes,
    one_request_leads_to_what_was_delivered_for_it,
    failed_jobs_are_tried_again,
    a_job_page_is_followed_in_pieces,
    the_pages_of_a_keeper_answer,
    tokens_and_sessions_are_made_and_ended,
);

async fn import(app: &TestApp) -> (String, String) {
    let request = app
        .signed(
            Method::POST,
            "/api/imports?type=teapot&name=a.csv&infer=true&key=number",
        )
        .header("x-request-id", "story-0001");
    let begun = app
        .send(request, Bytes::from_static(b"number,title\n1,Pot\n2,Jug\n"))
        .await
        .ok();
    let request = begun.header("x-request-id").unwrap();
    (begun.json()["job"].as_str().unwrap().to_owned(), request)
}

async fn one_request_leads_to_its_jobs_and_changes(db: TestDb) {
    let app = TestApp::start(&db).await;
    let (job, request) = import(&app).await;
    app.drain_jobs().await;
    assert_eq!(request, "story-0001");
    let jobs = app.get(&format!("/api/jobs?request={request}")).await.ok().json();
    let ids: Vec<&str> = jobs["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|j| j["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [job.as_str()]);
    let page = app.get(&format!("/logs?request={request}")).await.ok().text();
    assert!(
        page.contains(&format!("/jobs/{job}")) && page.contains("/changes/"),
        "{page}"
    );
    // The same for programs: made, begun, ended, changed, in the order of time; and nothing of another request.
    let story = app
        .get(&format!("/api/requests/{request}?effects=true"))
        .await
        .ok()
        .json();
    let items = story["items"].as_array().unwrap();
    let told: Vec<(&str, &str)> = items
        .iter()
        .filter(|item| item["what"] != "job-log")
        .map(|item| (item["what"].as_str().unwrap(), item["state"].as_str().unwrap()))
        .collect();
    for wanted in [("job", "made"), ("job", "running"), ("job", "done"), ("change", "")] {
        assert!(told.contains(&wanted), "{wanted:?} in {story}");
    }
    assert_eq!(told[0], ("job", "made"), "{story}");
    let times: Vec<&str> = items.iter().map(|item| item["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        items
            .iter()
            .all(|item| item["job"].is_null() || item["job"] == job.as_str()),
        "{story}"
    );
    let other = app.get("/api/requests/another").await.ok().json();
    assert_eq!(other["items"], json!([]));
    assert_eq!(app.get(&format!("/api/requests/{}", "x".repeat(201))).await.status, 400);
    assert_eq!(app.get_anonymous(&format!("/api/requests/{request}")).await.status, 401);
    // What it brought says from which row of which file.
    let records = app.get("/api/records?type=teapot").await.ok().json();
    let id = records["items"][1]["id"].as_str().unwrap();
    let page = app.get(&format!("/records/{id}")).await.ok().text();
    assert!(
        page.contains(" of a.csv") && page.contains(&format!("/records/{id}/source")),
        "{page}"
    );
    let page = app.get(&format!("/jobs/{job}")).await.ok().text();
    assert!(page.contains(&format!("/logs?request={request}")), "{page}");
    for path in [
        "/api/logs?level=loud",
        "/api/logs?cursor=x",
        &format!("/api/logs?q={}", "x".repeat(300)),
    ] {
        assert_eq!(app.get(path).await.status, 400, "{path}");
    }
    assert_eq!(app.get("/api/logs?limit=0").await.status, 422);
    assert!(
        app.get("/api/logs?level=error&module=nothing").await.ok().json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(app.get_anonymous("/api/logs").await.status, 401);
    assert_eq!(app.get_anonymous("/logs").await.status, 401);
    app.stop().await;
}

/// An invitation by mail: the same story tells of the account that was made and of the letter on its way.
async fn one_request_leads_to_what_was_delivered_for_it(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| server.set_in(&mut config.messages)).await;
    let guest = json!({ "login": "grace", "name": "Grace", "mail": "grace@example.org" });
    let made = app
        .as_local_operator(Method::POST, "/api/people", Some(&guest))
        .await
        .ok();
    let request = made.header("x-request-id").unwrap();
    app.drain_jobs().await;
    assert_eq!(server.take().len(), 1);
    let story = app
        .get(&format!("/api/requests/{request}?effects=true"))
        .await
        .ok()
        .json();
    let states = |what: &str| -> Vec<&str> {
        let items = story["items"].as_array().unwrap().iter();
        let these = items.filter(|item| item["what"] == what);
        these.map(|item| item["state"].as_str().unwrap()).collect()
    };
    assert_eq!(states("delivery"), ["made", "running", "done"], "{story}");
    assert!(!states("change").is_empty(), "{story}");
    assert!(
        !story.to_string().contains("grace@example.org"),
        "whose mail it is tells the letter only: {story}"
    );
    app.stop().await;
}

async fn set_state(app: &TestApp, job: &str, state: &'static str) {
    let write = app.kernel().db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE job SET state = $2, ended_at = created_at, error = 'It broke.' WHERE id = $1")
                .bind(job)
                .bind(state)
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
}

async fn failed_jobs_are_tried_again(db: TestDb) {
    let app = TestApp::start(&db).await;
    let (job, _) = import(&app).await;
    set_state(&app, &job, "failed").await;
    let page = app.get("/jobs?state=failed").await.ok().text();
    assert!(
        page.contains("href=\"/jobs/dead\"") && page.contains("Import"),
        "{page}"
    );
    let page = app.get("/jobs/dead").await.ok().text();
    assert!(page.contains("Try all failed ones again"), "{page}");
    let page = app.get(&format!("/jobs/{job}")).await.ok().text();
    assert!(page.contains("It broke."), "{page}");
    let done = app
        .post("/api/jobs/retry-failed?kind=other", &json!({}))
        .await
        .ok()
        .json();
    assert_eq!(done["retried"], 0);
    let done = app.post("/api/jobs/retry-failed", &json!({})).await.ok().json();
    assert_eq!(done["retried"], 1);
    app.drain_jobs().await;
    let now = app.get(&format!("/api/jobs/{job}")).await.ok().json();
    assert_eq!(now["state"], "done", "{now}");
    let page = app
        .get(&format!("/jobs?kind=exchange.import&queue=exchange&before={job}"))
        .await
        .ok()
        .text();
    assert!(page.contains("No jobs here"), "{page}");
    assert_eq!(app.get("/jobs?state=asleep").await.status, 400);
    app.stop().await;
}

async fn a_job_page_is_followed_in_pieces(db: TestDb) {
    let app = TestApp::start(&db).await;
    let (job, _) = import(&app).await;
    let page = app.get(&format!("/jobs/{job}")).await.ok().text();
    assert!(page.contains(&format!("data-pieces=\"/jobs/{job}/live/0\"")), "{page}");
    app.drain_jobs().await;
    // The stream of a job that has ended ends with it.
    let stream = app.get(&format!("/jobs/{job}/live/0")).await.ok();
    assert_eq!(stream.header("content-type").as_deref(), Some("text/event-stream"));
    let text = stream.text();
    let pieces: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .map(|rest| serde_json::from_str(&format!("{{{rest}")).unwrap())
        .collect();
    let ids: Vec<&str> = pieces.iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"job-now") && ids.contains(&"job-facts"), "{text}");
    assert!(text.trim_end().ends_with("data: done"), "{text}");
    assert!(
        pieces.iter().any(|p| p["html"].as_str().unwrap().contains("Done")),
        "{text}"
    );
    assert_eq!(
        app.get("/jobs/0190c0de-0000-7000-8000-000000000001/live/0")
            .await
            .status,
        404
    );
    app.stop().await;
}

async fn the_pages_of_a_keeper_answer(db: TestDb) {
    let app = TestApp::start(&db).await;
    import(&app).await;
    app.drain_jobs().await;
    let page = app.get("/operations").await.ok().text();
    for word in [
        "Requests",
        "Jobs done",
        "Free on the disk, MB",
        "database",
        "migrations",
        "alive",
        "<svg",
    ] {
        assert!(page.to_lowercase().contains(&word.to_lowercase()), "{word} in {page}");
    }
    let page = app.get("/settings").await.ok().text();
    assert!(
        page.contains("http.bind") && page.contains("Address and port to listen on."),
        "{page}"
    );
    assert!(!page.contains("postgres:postgres"), "a password is shown");
    for path in ["/operations", "/settings", "/access/tokens", "/jobs"] {
        assert_eq!(app.get_anonymous(path).await.status, 401, "{path}");
    }
    app.stop().await;
}

async fn tokens_and_sessions_are_made_and_ended(db: TestDb) {
    let app = TestApp::start(&db).await;
    let made = app
        .post("/api/tokens", &json!({"name": "loader", "scope": ["records.write"]}))
        .await
        .ok()
        .json();
    let page = app.get("/access/tokens").await.ok().text();
    assert!(page.contains("loader") && page.contains("records.write"), "{page}");
    assert!(
        !page.contains(made["secret"].as_str().unwrap()),
        "a secret is shown twice"
    );
    // A repeated request makes no second one and does not show the secret again, which is kept nowhere.
    let again = async || {
        let request = app
            .signed(Method::POST, "/api/tokens")
            .header("idempotency-key", "once");
        let request = request.header("content-type", "application/json");
        let wanted = json!({"name": "repeated", "scope": ["records.read"]});
        app.send(request, Bytes::from(wanted.to_string())).await
    };
    let first = again().await.ok().json();
    let second = again().await;
    assert_eq!(second.status, 409, "{}", second.text());
    assert!(second.text().contains("shown once"), "{}", second.text());
    let kept: Vec<(Option<Vec<u8>>, Option<String>)> = sql("SELECT body, headers FROM idempotency WHERE key = 'once'")
        .all(&app.kernel().db)
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].0, None);
    assert!(
        !kept[0]
            .1
            .as_deref()
            .unwrap()
            .contains(first["secret"].as_str().unwrap())
    );
    let tokens = app.get("/api/tokens").await.ok().json();
    let repeated = tokens["items"].as_array().unwrap().iter();
    assert_eq!(repeated.filter(|token| token["name"] == "repeated").count(), 1);
    assert_eq!(app.get("/api/sessions").await.ok().json()["items"], json!([]));
    let end = |id: &str| app.signed(Method::DELETE, &format!("/api/sessions/{id}"));
    assert_eq!(app.send(end("nothing"), Bytes::new()).await.status, 404);
    // A token is no session.
    assert_eq!(
        app.send(end(made["id"].as_str().unwrap()), Bytes::new()).await.status,
        404
    );
    app.stop().await;
}
