//! Mail of accounts: an invitation, a lost password at the door, an address that counts once it is confirmed, notices to
//! owners; and what a stranger cannot do with it.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{MailServer, Received, TestApp, TestDb};

use super::{OTHER, PASSWORD, Visitor, operator, path_of, person};

both!(
    an_invitation_comes_by_mail,
    a_lost_password_is_mailed_to_its_owner_only,
    an_address_counts_once_it_is_confirmed,
    strangers_learn_and_send_nothing,
);

async fn with_mail(db: &TestDb) -> (MailServer, TestApp) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(db, |config| server.set_in(&mut config.messages)).await;
    (server, app)
}

/// Sends what waits and answers what arrived.
async fn delivered(app: &TestApp, server: &MailServer) -> Vec<Received> {
    app.drain_jobs().await;
    server.take()
}

/// Invites somebody by mail, who chooses a password.
async fn invited(app: &TestApp, server: &MailServer, login: &str) -> String {
    let mail = format!("{login}@example.org");
    let made = operator(
        app,
        Method::POST,
        "/api/people",
        json!({"login": login, "name": format!("The {login}"), "mail": mail}),
    )
    .await;
    assert_eq!(made["mailed_to"], mail);
    assert!(
        made.get("link").is_none(),
        "a link that is mailed is shown to nobody else: {made}"
    );
    let arrived = delivered(app, server).await;
    assert_eq!((arrived.len(), arrived[0].to.as_slice()), (1, &[mail][..]));
    let link = arrived[0].link("/welcome/");
    let chosen = Visitor::new(app).post(&link, &[("password", PASSWORD)]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    made["id"].as_str().unwrap().to_owned()
}

async fn an_invitation_comes_by_mail(db: TestDb) {
    let (server, app) = with_mail(&db).await;
    let id = invited(&app, &server, "grace").await;
    let mut grace = Visitor::new(&app);
    assert_eq!(
        grace.sign_in("grace@example.org", PASSWORD).await.status,
        303,
        "the address was confirmed by using the link that was mailed there"
    );
    // Somebody who looks after accounts mails a link for a new password, or makes one to hand over.
    let mailed = operator(&app, Method::POST, &format!("/api/people/{id}/link/mail"), json!({})).await;
    assert_eq!(mailed["mailed_to"], "grace@example.org");
    let handed = operator(&app, Method::POST, &format!("/api/people/{id}/link"), json!({})).await;
    let arrived = delivered(&app, &server).await;
    let old = arrived[0].link("/welcome/");
    assert_eq!(grace.get(&old).await.status, 410, "the newer link replaced it");
    let link = path_of(handed["url"].as_str().unwrap());
    assert_eq!(grace.post(&link, &[("password", OTHER)]).await.status, 303);
    let told = delivered(&app, &server).await;
    assert!(
        told[0].text.contains("Your password at") && told[0].to == ["grace@example.org"],
        "{told:?}"
    );
    // An address that no mail can be sent to is refused before anything is made.
    let odd = json!({"login": "odd", "name": "Odd", "mail": "a..b@example.org"});
    let refused = app.as_local_operator(Method::POST, "/api/people", Some(&odd)).await;
    assert!(
        refused.status == 422 && refused.text().contains("\"mail\""),
        "{}",
        refused.text()
    );
    // Without an address a link is made as ever.
    let made = operator(
        &app,
        Method::POST,
        "/api/people",
        json!({"login": "eve", "name": "Eve"}),
    )
    .await;
    assert!(
        made["link"]["url"].is_string() && made.get("mailed_to").is_none(),
        "{made}"
    );
    // Who is deleted leaves no address behind, and the ledger no name.
    operator(&app, Method::DELETE, &format!("/api/people/{id}"), json!({})).await;
    let kept: Vec<(String,)> = sql("SELECT address FROM message").all(&*db).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
    let states: Vec<(String, Option<String>)> =
        sql("SELECT operation, document FROM version WHERE entity = $1 ORDER BY version")
            .bind(format!("account:{id}"))
            .all(&*db)
            .await
            .unwrap();
    assert!(
        states.len() > 2 && states.iter().all(|(_, document)| document.is_none()),
        "{states:?}"
    );
    let audit = app.get("/api/changes/export?kind=account").await.ok().text();
    assert!(
        audit.contains("account.created") && audit.contains("account.deleted") && audit.contains("account.password"),
        "{audit}"
    );
    assert!(!audit.contains("grace@example.org"), "{audit}");
    app.stop().await;
}

async fn a_lost_password_is_mailed_to_its_owner_only(db: TestDb) {
    let (server, app) = with_mail(&db).await;
    invited(&app, &server, "grace").await;
    person(&app, "nomail", None).await;
    let (mut grace, mut door) = (Visitor::new(&app), Visitor::new(&app));
    grace.sign_in("grace", PASSWORD).await;
    let mut answers = Vec::new();
    for name in ["grace", "GRACE@example.org", "nobody", "nomail", "nobody@example.org"] {
        let answer = door.post("/sign-in/lost", &[("name", name)]).await;
        assert_eq!(answer.status, 200, "{name}");
        answers.push(answer.text());
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "the same answer for everybody"
    );
    let waiting: Vec<(i64,)> = sql("SELECT COUNT(*) FROM job WHERE kind = 'accounts.lost' AND state = 'waiting'")
        .all(&*db)
        .await
        .unwrap();
    assert_eq!(waiting[0].0, 5, "and the same work, which a job does later");
    let arrived = delivered(&app, &server).await;
    let links: Vec<String> = arrived.iter().map(|mail| mail.link("/welcome/")).collect();
    assert!(
        arrived.len() == 2 && arrived.iter().all(|mail| mail.to == ["grace@example.org"]),
        "{arrived:?}"
    );
    assert_eq!(door.get(&links[0]).await.status, 410, "the newer one replaced it");
    // What was typed stands in no job, and nowhere else once the jobs are done.
    let payloads: Vec<(String,)> = sql("SELECT payload FROM job WHERE kind = 'accounts.lost'")
        .all(&*db)
        .await
        .unwrap();
    let tells = |(text,): &(String,)| {
        ["grace", "GRACE", "nobody", "nomail"]
            .iter()
            .any(|name| text.contains(name))
    };
    assert!(payloads.len() == 5 && !payloads.iter().any(tells), "{payloads:?}");
    let asks: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account_ask").all(&*db).await.unwrap();
    assert_eq!(asks[0].0, 0);
    let stored: Vec<(String,)> = sql("SELECT digest FROM account_link").all(&*db).await.unwrap();
    assert!(
        stored.iter().all(|(digest,)| !links[1].contains(digest.as_str())),
        "only digests are kept"
    );
    let page = door.get(&links[1]).await;
    assert!(page.text().contains("Choose a new password"));
    assert_eq!(page.header("referrer-policy").as_deref(), Some("no-referrer"));
    assert_eq!(door.post(&links[1], &[("password", OTHER)]).await.status, 303);
    assert_eq!(grace.kind().await, "anonymous", "every session ended");
    assert_eq!(door.get(&links[1]).await.status, 410, "it works once");
    assert_eq!(grace.sign_in("grace", PASSWORD).await.status, 422);
    assert_eq!(grace.sign_in("grace", OTHER).await.status, 303);
    // An hour later another link is of no use any more, and nothing of it is kept.
    assert_eq!(
        Visitor::new(&app)
            .post("/sign-in/lost", &[("name", "grace")])
            .await
            .status,
        200
    );
    let late = delivered(&app, &server).await;
    let late = late
        .iter()
        .find(|mail| mail.text.contains("/welcome/"))
        .unwrap()
        .link("/welcome/");
    db.clock().advance(3_601_000);
    assert_eq!(door.get(&late).await.status, 410);
    app.stop().await;
}

async fn an_address_counts_once_it_is_confirmed(db: TestDb) {
    let (server, app) = with_mail(&db).await;
    invited(&app, &server, "grace").await;
    let mut grace = Visitor::new(&app);
    grace.sign_in("grace", PASSWORD).await;
    let change = |password: &'static str| [("mail", "new@example.org"), ("password", password)];
    assert_eq!(
        grace.post("/account/mail", &change("wrong")).await.status,
        422,
        "only with proof"
    );
    assert_eq!(grace.post("/account/mail", &change(PASSWORD)).await.status, 303);
    assert!(
        grace.get("/account").await.text().contains("grace@example.org"),
        "the one before still counts"
    );
    let asked = delivered(&app, &server).await;
    assert_eq!(
        (asked.len(), asked[0].to.as_slice()),
        (1, &["new@example.org".to_owned()][..])
    );
    let link = asked[0].link("/confirm/");
    let mut stranger = Visitor::new(&app);
    assert_eq!(
        stranger.sign_in("new@example.org", PASSWORD).await.status,
        422,
        "not yet"
    );
    assert_eq!(
        stranger.get(&link.replace("/confirm/", "/welcome/")).await.status,
        410,
        "a link to confirm an address chooses no password"
    );
    assert!(stranger.get(&link).await.text().contains("new@example.org"));
    assert_eq!(stranger.post(&link, &[]).await.status, 303);
    assert_eq!(stranger.get(&link).await.status, 410);
    let told = delivered(&app, &server).await;
    assert!(
        told.len() == 1 && told[0].to == ["grace@example.org"],
        "the address before is told: {told:?}"
    );
    assert_eq!(stranger.sign_in("new@example.org", PASSWORD).await.status, 303);
    assert_eq!(stranger.sign_in("grace@example.org", PASSWORD).await.status, 422);
    // An address that another account has meanwhile is refused.
    invited(&app, &server, "max").await;
    grace
        .post("/account/mail", &[("mail", "max@example.org"), ("password", PASSWORD)])
        .await;
    let asked = delivered(&app, &server).await;
    let taken = grace.post(&asked[0].link("/confirm/"), &[]).await;
    assert!(
        taken.status == 422 && taken.text().contains("Another account has this address"),
        "{}",
        taken.text()
    );
    app.stop().await;
}

async fn strangers_learn_and_send_nothing(db: TestDb) {
    let (server, app) = with_mail(&db).await;
    invited(&app, &server, "grace").await;
    let mut thief = Visitor::new(&app);
    // Nobody is flooded: neither by one who asks again and again, nor through many names.
    let mut refused = 0;
    for _ in 0..20 {
        if thief.post("/sign-in/lost", &[("name", "grace")]).await.status == 429 {
            refused += 1;
        }
    }
    assert!(refused >= 10, "{refused}");
    let arrived = delivered(&app, &server).await;
    assert!(arrived.len() <= 5, "{}", arrived.len());
    for name in ["", " ", "a\nBcc: x@y.example", "a\u{0}b"] {
        let answer = thief.post("/sign-in/lost", &[("name", name)]).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422 | 429),
            "{name:?} {}",
            answer.status
        );
    }
    // Whoever is switched off gets no link.
    operator(&app, Method::PATCH, "/api/people/grace", json!({"active": false})).await;
    db.clock().advance(4 * 3_600_000);
    assert_eq!(thief.post("/sign-in/lost", &[("name", "grace")]).await.status, 200);
    assert!(delivered(&app, &server).await.is_empty());
    // Somebody who only pretends to be behind another address shares its limits all the same, and other sites' pages do
    // nothing.
    let foreign = app
        .unsigned(Method::POST, "/sign-in/lost")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://evil.example");
    assert_eq!(app.send(foreign, bytes::Bytes::from("name=grace")).await.status, 403);
    // Without a mail server the door has no such page.
    app.stop().await;
}
