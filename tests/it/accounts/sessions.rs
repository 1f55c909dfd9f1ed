//! Sessions: a new id at each sign-in, ended everywhere and by themselves, bound to TLS, out of reach of other sites' pages.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::db::{Engine, sql};
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{OTHER, PASSWORD, Visitor, form, operator, person};

both!(
    sessions_end_everywhere,
    sessions_end_in_every_process,
    sessions_end_by_themselves,
    cookies_are_bound_to_tls_where_it_is,
    pages_of_other_sites_do_nothing
);

async fn sessions_end_everywhere(db: TestDb) {
    let app = TestApp::start(&db).await;
    let id = person(&app, "ada", None).await;
    let (mut one, mut two) = (Visitor::new(&app), Visitor::new(&app));
    two.agent = "Mozilla/5.0 (iPhone) Safari/604.1";
    // A cookie that somebody planted is not taken over: the id is new at sign-in.
    one.cookie = "session=0123456789012345678901234567890123456789".to_owned();
    let planted = one.cookie.clone();
    one.cookie.clear();
    assert_eq!(one.sign_in("ada", PASSWORD).await.status, 303);
    assert_ne!(one.cookie, planted);
    let first = one.cookie.clone();
    assert_eq!(one.sign_in("ada", PASSWORD).await.status, 303);
    assert_ne!(one.cookie, first, "a new id each time");
    let mut old = Visitor::new(&app);
    old.cookie = first;
    assert_eq!(old.kind().await, "anonymous", "the one before has ended");
    two.sign_in("ada", PASSWORD).await;
    let stored: Vec<(String,)> = sql("SELECT digest FROM session").all(&*db).await.unwrap();
    assert!(
        stored.iter().all(|(digest,)| !one.cookie.contains(digest.as_str())),
        "only digests are kept"
    );
    let page = one.get("/account").await.text();
    assert!(page.contains("Firefox") && page.contains("Safari · iPhone"), "{page}");
    // Ending one, then all others by a new password.
    let mut three = Visitor::new(&app);
    three.sign_in("ada", PASSWORD).await;
    assert_eq!(one.post("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!((two.kind().await, three.kind().await, one.kind().await).0, "anonymous");
    assert_eq!(three.kind().await, "anonymous");
    two.sign_in("ada", PASSWORD).await;
    let wrong = one
        .post(
            "/account/password",
            &[("current_password", "no"), ("new_password", OTHER)],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("This is not your password."));
    let fields = [("current_password", PASSWORD), ("new_password", OTHER)];
    assert_eq!(one.post("/account/password", &fields).await.status, 303);
    assert_eq!(one.kind().await, "account", "the browser it was changed in stays");
    assert_eq!(two.kind().await, "anonymous", "others end at once");
    assert_eq!(two.sign_in("ada", PASSWORD).await.status, 422);
    assert_eq!(two.sign_in("ada", OTHER).await.status, 303);
    // Switched off.
    operator(
        &app,
        Method::PATCH,
        &format!("/api/people/{id}"),
        json!({"active": false}),
    )
    .await;
    assert_eq!(one.kind().await, "anonymous");
    assert_eq!(
        one.sign_in("ada", OTHER).await.status,
        422,
        "the same answer as for a wrong password"
    );
    operator(&app, Method::PATCH, "/api/people/ada", json!({"active": true})).await;
    assert_eq!(one.kind().await, "anonymous", "what was ended stays ended");
    app.stop().await;
}

async fn sessions_end_in_every_process(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", None).await;
    let mut ada = Visitor::new(&app);
    ada.sign_in("ada", PASSWORD).await;
    if db.engine() == Engine::Sqlite {
        // One process holds the database; another one after it finds the session as it was.
        let cookie = ada.cookie.clone();
        app.stop().await;
        let later = TestApp::start_with(&db, |config| config.data.dir = db.folder().join("later")).await;
        let mut again = Visitor::new(&later);
        again.cookie = cookie;
        assert_eq!(again.kind().await, "account", "sessions outlive a restart");
        later.stop().await;
        return;
    }
    let other = TestApp::start_with(&db, |config| config.data.dir = db.folder().join("beside")).await;
    let mut there = Visitor::new(&other);
    there.cookie.clone_from(&ada.cookie);
    assert_eq!(
        there.kind().await,
        "account",
        "a session is one of the house, not of a process"
    );
    operator(&app, Method::PATCH, "/api/people/ada", json!({"active": false})).await;
    assert_eq!(ada.kind().await, "anonymous");
    let ended = async { while there.kind().await != "anonymous" {} };
    let waited = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(waited.is_ok(), "it ends in the other process, too");
    other.stop().await;
    app.stop().await;
}

async fn sessions_end_by_themselves(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        (config.accounts.session_idle_minutes, config.accounts.session_hours) = (60, 3);
    })
    .await;
    person(&app, "ada", None).await;
    let (mut idle, mut busy) = (Visitor::new(&app), Visitor::new(&app));
    idle.sign_in("ada", PASSWORD).await;
    busy.sign_in("ada", PASSWORD).await;
    for minutes in [40, 80, 120, 160] {
        db.clock().advance(40 * 60_000);
        let now = db.clock().now();
        // Its use is noted beside the request, so the story asks until it stands there.
        let used = async {
            loop {
                assert_eq!(busy.kind().await, "account", "used after {minutes} minutes");
                let noted: Vec<(i64,)> = sql("SELECT MAX(used_at) FROM session").all(&*db).await.unwrap();
                if noted[0].0 >= now {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), used).await.unwrap();
        if minutes > 60 {
            assert_eq!(idle.kind().await, "anonymous", "not used for {minutes} minutes");
        }
    }
    db.clock().advance(21 * 60_000);
    assert_eq!(busy.kind().await, "anonymous", "after three hours it ends in any case");
    let page = busy.get("/account").await;
    assert_eq!(page.status, 401);
    app.stop().await;
}

async fn cookies_are_bound_to_tls_where_it_is(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.http.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    person(&app, "ada", None).await;
    let enter = async |said: &[(&str, &str)]| {
        let mut request = app
            .unsigned(Method::POST, "/sign-in")
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in said {
            request = request.header(*name, *value);
        }
        let body = form(&[("name", "ada"), ("password", PASSWORD)]);
        app.send(request, Bytes::from(body)).await
    };
    let session = |answer: &Answer| {
        let cookies = answer.headers.get_all("set-cookie").iter();
        let found = cookies
            .map(|c| c.to_str().unwrap().to_owned())
            .find(|c| c.contains("session="));
        found.unwrap()
    };
    let plain = session(&enter(&[]).await);
    assert!(plain.starts_with("session=") && !plain.contains("Secure"), "{plain}");
    let answer = enter(&[("x-forwarded-proto", "https")]).await;
    let bound = session(&answer);
    assert!(bound.starts_with("__Host-session="), "{bound}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(bound.contains(part) && !bound.contains("Domain"), "{bound}");
    }
    assert!(answer.header("strict-transport-security").is_some());
    let me = async |cookie: &str, proto: &str| {
        let request = app
            .unsigned(Method::GET, "/api/me")
            .header("cookie", cookie.split(';').next().unwrap())
            .header("x-forwarded-proto", proto);
        app.send(request, Bytes::new()).await.json()["kind"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(me(&bound, "https").await, "account");
    assert_eq!(
        me(&bound, "http").await,
        "anonymous",
        "over plain http it opens nothing"
    );
    assert_eq!(me(&plain, "https").await, "anonymous", "nor the other way round");
    app.stop().await;
    // Whoever is no proxy of ours says what they like.
    let alone = TestApp::start_with(&db, |config| config.data.dir = db.folder().join("alone")).await;
    let request = alone
        .unsigned(Method::POST, "/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-proto", "https");
    let body = form(&[("name", "ada"), ("password", PASSWORD)]);
    let answer = alone.send(request, Bytes::from(body)).await;
    assert!(session(&answer).starts_with("session="));
    alone.stop().await;
}

async fn pages_of_other_sites_do_nothing(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", None).await;
    let mut ada = Visitor::new(&app);
    ada.sign_in("ada", PASSWORD).await;
    let forms = [
        "/sign-in",
        "/sign-out",
        "/account/profile",
        "/account/password",
        "/account/mail",
        "/account/tokens",
        "/account/sessions/end-others",
        "/account/second-step",
        "/people",
    ];
    for path in forms {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "null"),
        ] {
            let request = app
                .unsigned(Method::POST, path)
                .header("cookie", &ada.cookie)
                .header("content-type", "application/x-www-form-urlencoded")
                .header(name, value);
            let answer = app.send(request, Bytes::from(form(&[("name", "x")]))).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
        }
        let request = app
            .unsigned(Method::POST, path)
            .header("cookie", &ada.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = app.send(request, Bytes::from(form(&[("name", "x")]))).await;
        assert_eq!(answer.status, 403, "{path} without the form's token");
        let got = ada.get(path).await;
        assert!(!got.status.is_server_error(), "{path}");
    }
    assert_eq!(ada.kind().await, "account", "nothing of it did anything");
    let page = ada.get("/account").await;
    assert_eq!(page.header("x-frame-options").as_deref(), Some("DENY"));
    assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    app.stop().await;
}
