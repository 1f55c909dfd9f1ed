//! Accounts that strangers make for themselves: only where the house lets them, by a link to their own address, and without
//! learning who else has one.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{MailServer, Received, TestApp, TestDb};

use super::{OTHER, PASSWORD, Visitor, operator, person};

both!(a_stranger_makes_an_account, signing_up_tells_strangers_nothing);

async fn open_house(db: &TestDb) -> (MailServer, TestApp) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(db, |config| {
        server.set_in(&mut config.messages);
        config.accounts.sign_up = true;
        config.accounts.sign_up_domains = vec!["museum.example".to_owned(), "example.org".to_owned()];
    })
    .await;
    (server, app)
}

async fn delivered(app: &TestApp, server: &MailServer) -> Vec<Received> {
    app.drain_jobs().await;
    server.take()
}

async fn a_stranger_makes_an_account(db: TestDb) {
    let (server, app) = open_house(&db).await;
    let mut grace = Visitor::new(&app);
    assert!(grace.get("/sign-in").await.text().contains("href=\"/sign-up\""));
    let fields = [("name", "Grace Hopper"), ("mail", "grace@museum.example")];
    let asked = grace.post("/sign-up", &fields).await;
    assert!(
        asked.status == 200 && asked.text().contains("grace@museum.example"),
        "{}",
        asked.text()
    );
    let people: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account").all(&*db).await.unwrap();
    assert_eq!(people[0].0, 0, "nothing is made before the link is used");
    let arrived = delivered(&app, &server).await;
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].to, ["grace@museum.example"]);
    let link = arrived[0].link("/sign-up/");
    let page = grace.get(&link).await;
    assert!(page.text().contains("grace@museum.example") && page.text().contains("Grace Hopper"));
    assert_eq!(page.header("referrer-policy").as_deref(), Some("no-referrer"));
    let chosen = |login: &'static str, password: &'static str| {
        [("name", "Grace Hopper"), ("login", login), ("password", password)]
    };
    let weak = grace.post(&link, &chosen("grace", "grace-hopper-1")).await;
    assert!(
        weak.status == 422 && weak.text().contains("value=\"grace\"") && !weak.text().contains("grace-hopper-1"),
        "{}",
        weak.text()
    );
    let made = grace.post(&link, &chosen("grace", PASSWORD)).await;
    assert_eq!(made.status, 303, "{}", made.text());
    assert_eq!(grace.me().await["name"], "Grace Hopper");
    assert_eq!(grace.get(&link).await.status, 410, "it works once");
    // She is a member and nothing more, and her address is confirmed.
    assert_eq!(grace.get("/people").await.status, 403);
    let told = operator(&app, Method::GET, "/api/people/grace", json!({})).await;
    assert_eq!(told["roles"], json!([]));
    assert_eq!(told["mail_confirmed"], true);
    let mut again = Visitor::new(&app);
    assert_eq!(again.sign_in("grace@museum.example", PASSWORD).await.status, 303);
    // The ledger says that she made it herself.
    let changes = grace.get("/account/export").await.json()["changes"].to_string();
    assert!(changes.contains("account.created"), "{changes}");
    app.stop().await;
}

async fn signing_up_tells_strangers_nothing(db: TestDb) {
    let (server, app) = open_house(&db).await;
    let made = operator(
        &app,
        Method::POST,
        "/api/people",
        json!({"login": "max", "name": "Max", "mail": "max@example.org"}),
    )
    .await;
    assert_eq!(made["mailed_to"], "max@example.org");
    delivered(&app, &server).await;
    let mut door = Visitor::new(&app);
    // Whoever is invited gets the invitation anew, whoever is known a way into the account, others a link of their own; the
    // door says the same to each.
    let plain = |text: String, mail: &str| text.replace(mail, "");
    let invited = door
        .post("/sign-up", &[("name", "M"), ("mail", "max@example.org")])
        .await;
    let arrived = delivered(&app, &server).await;
    let chosen = door
        .post(&arrived[0].link("/welcome/"), &[("password", PASSWORD)])
        .await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    let mut door = Visitor::new(&app);
    let known = door
        .post("/sign-up", &[("name", "M"), ("mail", "MAX@example.org")])
        .await;
    let arrived = delivered(&app, &server).await;
    let reminder = arrived.iter().find(|mail| mail.text.contains("/welcome/")).unwrap();
    assert_eq!(reminder.to, ["max@example.org"]);
    assert_eq!(
        Visitor::new(&app)
            .post(&reminder.link("/welcome/"), &[("password", OTHER)])
            .await
            .status,
        303
    );
    delivered(&app, &server).await;
    let unknown = door
        .post("/sign-up", &[("name", "M"), ("mail", "eve@example.org")])
        .await;
    assert_eq!(
        (invited.status, known.status, unknown.status.as_u16()),
        (unknown.status, unknown.status, 200)
    );
    assert_eq!(
        plain(known.text(), "MAX@example.org"),
        plain(unknown.text(), "eve@example.org")
    );
    assert_eq!(
        plain(invited.text(), "max@example.org"),
        plain(unknown.text(), "eve@example.org")
    );
    let link = delivered(&app, &server).await[0].link("/sign-up/");
    what_cannot_be_is_refused(&mut door).await;
    // A name that is taken is said to whoever has shown an address, and the link still works.
    let chosen = |login: &'static str| [("name", "Eve"), ("login", login), ("password", PASSWORD)];
    let taken = door.post(&link, &chosen("max")).await;
    assert!(
        taken.status == 422 && taken.text().contains("is taken"),
        "{}",
        taken.text()
    );
    // Nobody is flooded, and a link that is too old opens nothing.
    let mut refused = 0;
    for _ in 0..20 {
        let answer = door
            .post("/sign-up", &[("name", "Eve"), ("mail", "ivy@example.org")])
            .await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 10, "{refused}");
    assert!(delivered(&app, &server).await.len() <= 5);
    db.clock().advance(100 * 3_600_000);
    assert_eq!(door.get(&link).await.status, 410);
    // Where strangers may not, there is no such page.
    app.stop().await;
    let shut = TestApp::start_with(&db, |config| {
        config.data.dir = db.folder().join("shut");
        server.set_in(&mut config.messages);
    })
    .await;
    let mut door = Visitor::new(&shut);
    assert_eq!(door.get("/sign-up").await.status, 404);
    let refused = door.post("/sign-up", &[("name", "E"), ("mail", "e@example.org")]).await;
    assert_eq!(refused.status, 404);
    assert!(!door.get("/sign-in").await.text().contains("/sign-up"));
    person(&shut, "ada", None).await;
    shut.stop().await;
}

/// Said beside its field; nothing of a header is smuggled in.
async fn what_cannot_be_is_refused(door: &mut Visitor<'_>) {
    for (name, mail, field) in [
        ("Eve", "eve@elsewhere.example", "mail"),
        ("Eve", "", "mail"),
        ("Eve", "eve@example.org\r\nBcc: all@example.org", "mail"),
        ("E\u{202e}ve", "eve@example.org", "name"),
    ] {
        let refused = door.post("/sign-up", &[("name", name), ("mail", mail)]).await;
        let mark = format!("id=\"{field}-error\"");
        assert!(
            refused.status == 422 && refused.text().contains(&mark),
            "{mail:?}: {}",
            refused.text()
        );
    }
}
