//! The first administrator, an invitation, an account's own page, deletion; and what is refused.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{OTHER, PASSWORD, Visitor, operator, path_of, person};

both!(
    the_first_administrator_invites_somebody,
    somebody_can_always_come_in_as_administrator,
    bad_input_is_told
);

async fn the_first_administrator_invites_somebody(db: TestDb) {
    let app = TestApp::start(&db).await;
    let link = operator(&app, Method::POST, "/api/setup-links", json!({})).await;
    let link = path_of(link["url"].as_str().unwrap());
    let mut ada = Visitor::new(&app);
    assert_eq!(ada.get(&link).await.status, 200, "looking does not use it up");
    let fields = |password| [("name", "Ada Lovelace"), ("login", "ada"), ("password", password)];
    let weak = ada.post(&link, &fields("ada-lovelace-1")).await;
    assert_eq!(weak.status, 422);
    assert!(weak.text().contains("Guessers try this first") && weak.text().contains("Ada Lovelace"));
    assert!(!weak.text().contains("ada-lovelace-1"), "a password is never sent back");
    let made = ada.post(&link, &fields(PASSWORD)).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let cookie = made.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(ada.get(&link).await.status, 410, "it works once");
    assert_eq!(ada.kind().await, "account");
    let people = ada.get("/people").await;
    assert_eq!(
        people.status,
        200,
        "the first account is an administrator: {}",
        people.text()
    );
    // An invitation by link.
    let fields = [
        ("name", "Grace Hopper"),
        ("login", "grace"),
        ("mail", "grace@navy.example"),
        ("role", "editor"),
    ];
    let invited = ada.post("/people", &fields).await;
    assert_eq!(invited.status, 201, "{}", invited.text());
    let text = invited.text();
    let link = text
        .split("<code id=\"link\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let link = path_of(link);
    let mut grace = Visitor::new(&app);
    assert!(grace.get(&link).await.text().contains("Welcome, Grace Hopper"));
    assert_eq!(
        grace.sign_in("grace", "").await.status,
        422,
        "no password opens an account that has none"
    );
    assert_eq!(grace.post(&link, &[("password", OTHER)]).await.status, 303);
    assert_eq!(grace.get(&link).await.status, 410);
    assert_eq!(grace.me().await["name"], "Grace Hopper");
    assert_eq!(grace.get("/people").await.status, 403);
    let own = grace.get("/account").await;
    assert!(
        own.text().contains("grace@navy.example") && own.text().contains("Editor"),
        "{}",
        own.text()
    );
    grace_at_home(&app, &mut grace, &mut ada, &db).await;
    app.stop().await;
}

/// A token, the way out and back in, a copy of one's data; then the account is deleted.
async fn grace_at_home(app: &TestApp, grace: &mut Visitor<'_>, ada: &mut Visitor<'_>, db: &TestDb) {
    // A personal token does what she may, or less; it is hers alone.
    let made = grace
        .post(
            "/account/tokens",
            &[("token_name", "script"), ("scope", "records.read"), ("days", "30")],
        )
        .await;
    assert_eq!(made.status, 201);
    let secret = made.text().split("vitrine_").nth(1).unwrap()[..40].to_owned();
    let bearer = format!("Bearer vitrine_{secret}");
    let by_token = app.unsigned(Method::GET, "/api/me").header("authorization", &bearer);
    let told = app.send(by_token, Bytes::new()).await.json();
    assert_eq!(
        (told["kind"].as_str(), told["name"].as_str()),
        (Some("account"), Some("Grace Hopper"))
    );
    // Sign out, and in again by mail; the way back leads only into the house.
    grace.post("/sign-out", &[]).await;
    assert_eq!(grace.kind().await, "anonymous");
    let fields = [
        ("name", "GRACE@navy.example"),
        ("password", OTHER),
        ("to", "//evil.example/x"),
    ];
    let back = grace.post("/sign-in", &fields).await;
    assert_eq!(
        (back.status.as_u16(), back.header("location").as_deref()),
        (303, Some("/"))
    );
    let export = grace.get("/account/export").await.json();
    assert_eq!(export["account"]["login"], "grace");
    assert!(!export.to_string().contains("argon2"));
    // Deleting: who it was goes, the sessions with it; the name is free again.
    let id = grace.me().await["actor"].as_str().unwrap().replace("account:", "");
    assert_eq!(ada.post(&format!("/people/{id}/delete"), &[]).await.status, 303);
    assert_eq!(grace.kind().await, "anonymous");
    let by_token = app.unsigned(Method::GET, "/api/me").header("authorization", &bearer);
    assert_eq!(app.send(by_token, Bytes::new()).await.status, 401);
    let kept: Vec<(String, String)> = sql("SELECT name, login FROM account WHERE id = $1")
        .bind(&id)
        .all(&**db)
        .await
        .unwrap();
    assert!(!kept[0].0.contains("Grace") && !kept[0].1.contains("grace"), "{kept:?}");
    person(app, "grace", None).await;
    let own_id = ada.me().await["actor"].as_str().unwrap().replace("account:", "");
    assert_eq!(
        ada.post(&format!("/people/{own_id}/disable"), &[]).await.status,
        409,
        "nobody shuts themselves out"
    );
}

async fn somebody_can_always_come_in_as_administrator(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", Some("administrator")).await;
    let off = json!({"active": false});
    // A token of the house has no account that would be left.
    let shut = async |login: &str| {
        app.with_json(Method::PATCH, &format!("/api/people/{login}"), &off)
            .await
    };
    let refused = shut("ada").await;
    assert!(
        refused.status == 409 && refused.text().contains("administrator"),
        "{}",
        refused.text()
    );
    let deleted = app.with_json(Method::DELETE, "/api/people/ada", &json!({})).await;
    assert_eq!(deleted.status, 409, "{}", deleted.text());
    let mut ada = Visitor::new(&app);
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, 303, "nothing of it was done");
    let grace = person(&app, "grace", Some("administrator")).await;
    assert_eq!(shut("ada").await.status, 200);
    assert_eq!(shut("grace").await.status, 409);
    assert_eq!(ada.kind().await, "anonymous");
    // Two administrators who shut each other out at the same time: one of them stays.
    operator(&app, Method::PATCH, "/api/people/ada", json!({"active": true})).await;
    let (mut ada, mut other) = (Visitor::new(&app), Visitor::new(&app));
    ada.sign_in("ada", PASSWORD).await;
    other.sign_in("grace", PASSWORD).await;
    let ada_id = ada.me().await["actor"].as_str().unwrap().replace("account:", "");
    let (to_grace, to_ada) = (format!("/people/{grace}/disable"), format!("/people/{ada_id}/disable"));
    let (one, two) = tokio::join!(ada.post(&to_grace, &[]), other.post(&to_ada, &[]));
    let done = [&one, &two].iter().filter(|answer| answer.status == 303).count();
    assert_eq!(done, 1, "{} {}", one.status, two.status);
    let (mut first, mut second) = (Visitor::new(&app), Visitor::new(&app));
    let in_again = [
        first.sign_in("ada", PASSWORD).await.status.as_u16(),
        second.sign_in("grace", PASSWORD).await.status.as_u16(),
    ];
    assert_eq!(
        in_again.iter().filter(|status| **status == 303).count(),
        1,
        "{in_again:?}"
    );
    // The operator of the machine may, and can make another.
    operator(&app, Method::PATCH, "/api/people/ada", json!({"active": false})).await;
    operator(&app, Method::PATCH, "/api/people/grace", json!({"active": false})).await;
    app.stop().await;
}

async fn bad_input_is_told(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", None).await;
    let make = async |body: Value| app.as_local_operator(Method::POST, "/api/people", Some(&body)).await;
    let field = |answer: &Answer| {
        answer.json()["errors"][0]["path"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let alike = "letters of several scripts that look alike";
    let plain = "Letters, digits and . _ - only";
    for (login, name, mail, want, says) in [
        ("\u{430}da", "A", "", "login", alike),
        ("АDА", "A", "", "login", alike),
        ("ada", "A", "", "login", "or one that looks like it, is taken"),
        ("a b", "A", "", "login", plain),
        ("../etc", "A", "", "login", plain),
        ("-eve", "A", "", "login", "begins with a letter or a digit"),
        ("eve", "A\u{202e}B", "", "name", "a character that cannot be seen"),
        ("eve", " ", "", "name", "Say how the person is called"),
        (
            "eve",
            "A",
            "a@b.c\r\nBcc: x@y.z",
            "mail",
            "An address such as name@example.org",
        ),
        ("eve", "A", "nothing", "mail", "An address such as name@example.org"),
    ] {
        let answer = make(json!({"login": login, "name": name, "mail": mail})).await;
        assert_eq!(
            (answer.status.as_u16(), field(&answer)),
            (422, want.to_owned()),
            "{login:?} {name:?} {mail:?}"
        );
        assert!(
            answer.text().contains(says),
            "{login:?} {name:?} {mail:?}: {}",
            answer.text()
        );
    }
    let odd = make(json!({"login": "eve", "name": "Eve", "roles": [{"role": "king"}]})).await;
    assert!(odd.status == 422 && odd.text().contains("viewer"), "{}", odd.text());
    let mut eve = Visitor::new(&app);
    let long = eve.sign_in("ada", &"x".repeat(1_000_000)).await;
    assert_eq!(long.status, 422, "a megabyte of password is a wrong one");
    // Whoever chooses one is told how long it may be.
    let made = operator(
        &app,
        Method::POST,
        "/api/people",
        json!({"login": "long", "name": "Long"}),
    )
    .await;
    let link = path_of(made["link"]["url"].as_str().unwrap());
    let told = Visitor::new(&app)
        .post(&link, &[("password", &"zebra kettle ".repeat(60_000))])
        .await;
    assert!(
        told.status == 422 && told.text().contains("At most 1,024 bytes."),
        "{}",
        told.status
    );
    let long = eve.sign_in(&"x".repeat(1_000_000), "x").await;
    assert_eq!(long.status, 422);
    for path in [
        "/setup/x",
        "/welcome/x",
        "/welcome/%00",
        "/people/x",
        "/account/sessions/x/end",
    ] {
        let status = eve.get(path).await.status.as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    assert_eq!(eve.get("/account").await.status, 401);
    app.stop().await;
}
