//! Saved searches and what is new in them.

use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::access::Caller;
use vitrine::kernel::db::{Engine, Signal, Write, sql};
use vitrine::kernel::jobs::{self, INDEX, NewJob, enqueue};
use vitrine::kernel::testing::{MailServer, Received, TestApp, TestDb};

use super::{CANARY, collection, page, patch, put, reached};
use crate::accounts::{PASSWORD, Visitor, operator};

both!(
    what_is_new_is_told_once_to_whom_it_concerns,
    whoever_keeps_an_index_tells_what_is_new,
    searches_are_kept_shared_and_taken_back
);

/// Looks for news as the schedule does; answers what was mailed.
async fn looked(app: &TestApp, server: &MailServer) -> Vec<Received> {
    look(app).await;
    server.take()
}

async fn look(app: &TestApp) {
    let write = app.kernel().db.write(Write::interactive("test.tell"), |tx| {
        Box::pin(async move { enqueue(tx, &Caller::system(), NewJob::new("search.tell", Value::Null)).await })
    });
    write.await.unwrap();
    app.drain_jobs().await;
}

/// Somebody whose address is confirmed.
async fn invited(app: &TestApp, server: &MailServer, login: &str) -> String {
    let mail = format!("{login}@example.org");
    let wanted = json!({"login": login, "name": format!("The {login}"), "mail": mail});
    let made = operator(app, Method::POST, "/api/people", wanted).await;
    app.drain_jobs().await;
    let link = server.take()[0].link("/welcome/");
    let chosen = Visitor::new(app).post(&link, &[("password", PASSWORD)]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    server.take();
    made["id"].as_str().unwrap().to_owned()
}

async fn own(visitor: &mut Visitor<'_>) -> Vec<Value> {
    let answer = visitor.get("/api/search/saved").await.ok().json();
    answer["items"].as_array().unwrap().clone()
}

async fn what_is_new_is_told_once_to_whom_it_concerns(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| {
        server.set_in(&mut config.messages);
        config.messages.most_per_hour = 4;
    })
    .await;
    collection(&app).await;
    let old = put(&app, "public", json!({"title": "Old teapot"})).await;
    let nail = put(&app, "public", json!({"title": "Nail"})).await;
    let id = invited(&app, &server, "ada").await;
    let mut ada = Visitor::new(&app);
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, 303);
    for (name, query) in [("My teapots", "q=teapot&page=3"), ("All", "type=vase")] {
        let kept = ada
            .post(
                "/search/saved",
                &[("name", name), ("query", query), ("watched", "true")],
            )
            .await;
        assert_eq!(kept.status, 303, "{}", kept.text());
    }
    assert_eq!(looked(&app, &server).await.len(), 0, "what was there before is not new");
    // One mail for all searches; hidden records are neither told nor counted.
    put(&app, "public", json!({"title": "New teapot"})).await;
    let closed = put(&app, "restricted", json!({"title": format!("Teapot {CANARY}")})).await;
    let told = looked(&app, &server).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].to, ["ada@example.org"]);
    assert!(
        told[0].text.contains("2 new records in your saved searches"),
        "{}",
        told[0].text
    );
    assert!(told[0].text.contains("1 new record") && !told[0].text.contains(CANARY));
    assert!(told[0].link("/search/saved").ends_with("/search/saved"));
    assert_eq!(looked(&app, &server).await.len(), 0, "nothing is told twice");
    // A change makes an old record match; one that matched already stays silent.
    patch(&app, &old, &json!({"document": {"material": "tin"}})).await;
    assert_eq!(looked(&app, &server).await.len(), 0);
    patch(&app, &nail, &json!({"document": {"title": "Nail of a teapot"}})).await;
    let told = looked(&app, &server).await;
    assert!(
        told.len() == 1 && told[0].text.contains("Subject: 1 new record in") && told[0].text.contains("My teapots"),
        "{told:?}"
    );
    // What is opened is new to whom it opens.
    patch(&app, &closed, &json!({"visibility": "public", "document": {}})).await;
    assert_eq!(looked(&app, &server).await.len(), 1);
    // An account that is switched off gets nothing, and finds it when it is back.
    operator(
        &app,
        Method::PATCH,
        &format!("/api/people/{id}"),
        json!({"active": false}),
    )
    .await;
    put(&app, "public", json!({"title": "Teapot of the break"})).await;
    assert_eq!(looked(&app, &server).await.len(), 0);
    operator(
        &app,
        Method::PATCH,
        &format!("/api/people/{id}"),
        json!({"active": true}),
    )
    .await;
    assert_eq!(looked(&app, &server).await.len(), 1);
    // Too many mails within the hour: nothing is lost, it is told with a later run.
    put(&app, "public", json!({"title": "Teapot beyond the limit"})).await;
    assert_eq!(looked(&app, &server).await.len(), 0);
    db.clock().advance(2 * 3_600_000);
    let told = looked(&app, &server).await;
    assert!(
        told.len() == 1 && told[0].text.contains("Subject: 2 new records in") && told[0].text.contains("My teapots"),
        "{told:?}"
    );
    // The page counts what came since somebody looked.
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, 303);
    let mine = own(&mut ada).await;
    let teapots = mine.iter().find(|saved| saved["name"] == "My teapots").unwrap();
    assert_eq!((&teapots["news"], &teapots["query"]), (&json!(5), &json!("q=teapot")));
    let shown = ada.get("/search/saved").await.ok().text();
    assert!(shown.contains("5 new records"), "{shown}");
    let path = format!("/search/saved/{}", teapots["id"].as_str().unwrap());
    assert_eq!(ada.post(&path, &[("seen", "yes")]).await.status, 303);
    assert!(!ada.get("/search/saved").await.ok().text().contains("5 new records"));
    let copy = ada.get("/account/export").await.ok().json();
    assert_eq!(copy["saved_searches"].as_array().unwrap().len(), 2, "{copy}");
    // With the account goes what it kept.
    operator(&app, Method::DELETE, &format!("/api/people/{id}"), json!({})).await;
    let left: (i64,) = sql("SELECT COUNT(*) FROM saved_search").one(&*db).await.unwrap();
    let known: (i64,) = sql("SELECT COUNT(*) FROM saved_search_match").one(&*db).await.unwrap();
    assert_eq!((left.0, known.0), (0, 0));
    app.stop().await;
}

/// Workers of a house in parts keep no index: a process with the role web alone does what asks it.
async fn whoever_keeps_an_index_tells_what_is_new(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    let new = json!({"name": "Teapots", "query": "q=teapot&type=vase", "watched": true});
    let made = app
        .as_local_operator(Method::POST, "/api/search/saved", Some(&new))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    put(&app, "public", json!({"title": "Teapot"})).await;
    let house = &app.kernel().db;
    let write = house.write(Write::interactive("test.tell"), |tx| {
        let job = NewJob::new("search.tell", Value::Null).queue(INDEX);
        Box::pin(async move { enqueue(tx, &Caller::system(), job).await })
    });
    let job = write.await.unwrap();
    if house.engine() == Engine::Sqlite {
        // One process does everything there; its worker serves this queue as all others.
        app.drain_jobs().await;
    }
    let mut moved = house.signals().subscribe(Signal::Progress);
    let ended = async {
        loop {
            moved.mark_unchanged();
            let job = jobs::get(house, &job).await.unwrap();
            if job.state.is_final() {
                return job;
            }
            // Whether a signal comes or not, it is looked at again.
            drop(tokio::time::timeout(std::time::Duration::from_millis(200), moved.changed()).await);
        }
    };
    let ended = tokio::time::timeout(super::PATIENCE, ended).await.unwrap();
    assert_eq!(ended.state, jobs::State::Done, "{:?}", ended.error);
    let mine = app.as_local_operator(Method::GET, "/api/search/saved", None).await.ok();
    assert_eq!(mine.json()["items"][0]["news"], 1);
    app.stop().await;
}

async fn searches_are_kept_shared_and_taken_back(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    put(&app, "public", json!({"title": "Teapot"})).await;
    let new =
        json!({"name": " My  teapots ", "query": "http://localhost/search?q=teapot&type=vase&page=2", "watched": true});
    assert_eq!(
        app.post("/api/search/saved", &new).await.status,
        422,
        "nobody is behind a token of the house"
    );
    let post = |path: &'static str, body: Value| {
        let app = &app;
        async move { app.as_local_operator(Method::POST, path, Some(&body)).await }
    };
    let made = post("/api/search/saved", new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let saved = made.json();
    assert_eq!(
        (&saved["name"], &saved["query"]),
        (&json!("My teapots"), &json!("q=teapot&type=vase"))
    );
    let id = saved["id"].as_str().unwrap();
    let (path, api) = (format!("/search/saved/{id}"), format!("/api/search/saved/{id}"));
    // Nobody else opens it until it is shared; nobody else ever changes it.
    assert_eq!(page(&app, &path).await.status, 404);
    assert_eq!(page(&app, &format!("{path}/feed.atom")).await.status, 404);
    assert_eq!(app.get(&api).await.status, 404);
    app.as_local_operator(Method::PATCH, &api, Some(&json!({"shared": true, "name": "Pots"})))
        .await
        .ok();
    let opened = page(&app, &path).await;
    assert_eq!(opened.status, 303);
    assert_eq!(opened.header("location").as_deref(), Some("/search?q=teapot&type=vase"));
    assert_eq!(page(&app, &format!("{path}/feed.atom")).await.status, 200);
    assert_eq!(app.with_json(Method::DELETE, &api, &json!({})).await.status, 404);
    // Deleted and taken back.
    let own = |method: Method, path: String, body: Option<Value>| {
        let app = &app;
        async move { app.as_local_operator(method, &path, body.as_ref()).await }
    };
    assert_eq!(own(Method::DELETE, api.clone(), None).await.status, 204);
    assert_eq!(
        (
            page(&app, &path).await.status.as_u16(),
            own(Method::GET, api.clone(), None).await.status.as_u16()
        ),
        (404, 404)
    );
    own(Method::POST, format!("{api}/restore"), Some(json!({}))).await.ok();
    assert_eq!(own(Method::GET, api.clone(), None).await.ok().json()["name"], "Pots");
    // What matches already is remembered to its end, however many pages that takes.
    let mut last = None;
    for n in 0..205 {
        let body = json!({"type": "vase", "visibility": "public", "document": {"title": format!("Cup {n}")}});
        last = Some(app.post("/api/records", &body).await.ok());
    }
    reached(&app, &last.unwrap()).await;
    let cups = json!({"name": "Cups", "query": "q=cup", "watched": true});
    let cups = post("/api/search/saved", cups).await.ok().json();
    let known: (i64,) = sql("SELECT COUNT(*) FROM saved_search_match WHERE search_id = $1")
        .bind(cups["id"].as_str().unwrap())
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(known.0, 205);
    let unwatched = json!({"watched": false});
    let path = format!("/api/search/saved/{}", cups["id"].as_str().unwrap());
    own(Method::PATCH, path, Some(unwatched)).await.ok();
    let known: (i64,) = sql("SELECT COUNT(*) FROM saved_search_match WHERE search_id = $1")
        .bind(cups["id"].as_str().unwrap())
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(known.0, 0, "what is watched no longer is not remembered");
    // The form says what is wrong; strangers are asked who they are.
    for (name, query) in [("", "q=x"), ("x", "q=%00")] {
        let refused = app
            .post("/api/search/saved", &json!({"name": name, "query": query}))
            .await;
        assert_eq!(refused.status, 422, "{name:?} {query:?}");
    }
    let long = format!("q={}", "x".repeat(5_000));
    assert_eq!(
        app.post("/api/search/saved", &json!({"name": "x", "query": long}))
            .await
            .status,
        422
    );
    assert_eq!(app.get_anonymous("/api/search/saved").await.status, 401);
    for odd in ["nothing", "%F0%9F", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(
            page(&app, &format!("/search/saved/{odd}")).await.status.as_u16() / 100,
            4,
            "{odd}"
        );
    }
    app.stop().await;
}
