//! Messages over the real router and a mail server of the test's own, on both engines: sent once, refused, tried again,
//! limited, forgotten.

use std::sync::Arc;

use crate::contract::messages::{Messages, NewMessage, Posted, Template};
use crate::kernel::access::Caller;
use crate::kernel::db::{Write, sql};
use crate::kernel::testing::{MailServer, TestApp, TestDb};
use hyper::Method;
use serde_json::json;

async fn post(app: &TestApp, new: &NewMessage<'_>) -> Posted {
    let messages: Arc<dyn Messages> = app.bus().port::<dyn Messages>().unwrap();
    let messages = &messages;
    app.kernel()
        .db
        .write(Write::interactive("test"), |tx| {
            Box::pin(async move { messages.send(tx, &Caller::system(), new).await })
        })
        .await
        .unwrap()
}

fn invitation(to: &str) -> NewMessage<'_> {
    NewMessage {
        to,
        language: None,
        template: Template::Invitation,
        values: vec![
            ("name", "Zoë\r\nBcc: eve@example.org".to_owned()),
            ("by", "Ada".to_owned()),
        ],
        link: Some("http://localhost/welcome/0123456789abcdef".to_owned()),
        life: 3_600_000,
    }
}

/// What is kept of the messages' contents.
async fn contents(db: &TestDb) -> Vec<Option<String>> {
    let rows: Vec<(Option<String>,)> = sql("SELECT content FROM message ORDER BY id").all(&**db).await.unwrap();
    rows.into_iter().map(|(content,)| content).collect()
}

async fn a_message_is_sent_once_and_forgotten(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| server.set_in(&mut config.messages)).await;
    assert_eq!(post(&app, &invitation("zoe@example.org")).await, Posted::Waits);
    assert!(contents(&db).await[0].as_ref().unwrap().contains("0123456789abcdef"));
    app.drain_jobs().await;
    let mails = server.take();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("house@example.org", &["zoe@example.org".to_owned()][..])
    );
    assert_eq!(mail.link("/welcome/"), "/welcome/0123456789abcdef");
    assert!(
        mail.head().contains("Auto-Submitted: auto-generated"),
        "{}",
        mail.head()
    );
    assert!(
        !mail.head().to_lowercase().contains("bcc"),
        "nothing that is filled in is a header: {}",
        mail.head()
    );
    assert_eq!(contents(&db).await, [None], "what was in it is forgotten");
    let list = app.get("/api/messages").await.ok().json();
    assert_eq!(
        (list["items"][0]["state"].as_str(), list["items"][0]["to"].as_str()),
        (Some("sent"), Some("zoe@example.org"))
    );
    assert!(!list.to_string().contains("0123456789abcdef"));
    app.drain_jobs().await;
    assert!(server.take().is_empty());
    // One address gets so many of a kind, and others still get theirs.
    for _ in 0..4 {
        assert_eq!(post(&app, &invitation("ZOE@example.org")).await, Posted::Waits);
    }
    assert_eq!(post(&app, &invitation("zoe@example.org")).await, Posted::TooMany);
    assert_eq!(post(&app, &invitation("max@example.org")).await, Posted::Waits);
    db.clock().advance(3_700_000);
    assert_eq!(post(&app, &invitation("zoe@example.org")).await, Posted::Waits);
    app.stop().await;
}

async fn a_refused_message_can_be_seen_and_tried_again(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| server.set_in(&mut config.messages)).await;
    server.refuse(Some("550 5.1.1 nobody of this name"));
    post(&app, &invitation("zoe@example.org")).await;
    app.drain_jobs().await;
    let failed = app.get("/api/messages?state=failed").await.ok().json();
    let id = failed["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(
        failed["items"][0]["error"]
            .as_str()
            .unwrap()
            .contains("nobody of this name"),
        "{failed}"
    );
    let page = app.get("/messages").await.text();
    assert!(page.contains("nobody of this name") && !page.contains("0123456789abcdef"));
    let jobs = app.get("/api/jobs?state=failed").await.ok().json();
    assert!(
        jobs.to_string().contains("messages.send"),
        "a dead letter is a failed job, too: {jobs}"
    );
    let ready = app.get("/health/ready").await.text();
    assert!(ready.contains("could not be sent"), "{ready}");
    server.refuse(None);
    let again = app.post(&format!("/api/messages/{id}/retry"), &json!({})).await;
    assert_eq!(again.status, 202, "{}", again.text());
    app.drain_jobs().await;
    assert_eq!(server.take().len(), 1);
    let twice = app.post(&format!("/api/messages/{id}/retry"), &json!({})).await;
    assert_eq!(twice.status, 409, "what was sent is not sent again");
    // A server that is away for a while: the message waits, and what comes too late is not sent.
    server.refuse(Some("451 come back later"));
    post(&app, &invitation("max@example.org")).await;
    app.drain_jobs().await;
    let waiting = app.get("/api/messages?state=waiting").await.ok().json();
    assert!(
        waiting["items"][0]["error"]
            .as_str()
            .unwrap()
            .contains("come back later"),
        "{waiting}"
    );
    server.refuse(None);
    db.clock().advance(3_700_000);
    app.drain_jobs().await;
    assert!(server.take().is_empty(), "a link whose time is over is of no use");
    assert_eq!(contents(&db).await, [None, None]);
    app.stop().await;
}

async fn a_test_mail_tells_what_the_server_said(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| server.set_in(&mut config.messages)).await;
    let test = async |to: &str| app.post("/api/messages/test", &json!({ "to": to })).await;
    assert_eq!(test("ada@example.org").await.ok().json()["state"], "sent");
    let mail = server.take().remove(0);
    assert!(mail.text.contains("the mail server is set up right"), "{}", mail.text);
    server.refuse(Some("554 5.7.1 not from here"));
    let refused = test("ada@example.org").await;
    assert!(
        refused.status == 503 && refused.text().contains("not from here"),
        "{}",
        refused.text()
    );
    for bad in [
        "",
        "ada",
        "a@b.example\r\nBcc: c@d.example",
        "Ada <a@b.example>",
        "a@b.example,c@d.example",
    ] {
        assert_eq!(test(bad).await.status, 422, "{bad:?}");
    }
    for _ in 0..3 {
        test("ada@example.org").await;
    }
    assert_eq!(test("ada@example.org").await.status, 429);
    assert_eq!(app.get_anonymous("/messages").await.status, 401);
    app.stop().await;
}

async fn without_a_mail_server_nothing_waits(db: TestDb) {
    let app = TestApp::start(&db).await;
    let page = app.get("/messages").await.text();
    assert!(page.contains("No mail server is set."), "{page}");
    let test = app
        .as_local_operator(Method::POST, "/api/messages/test", Some(&json!({"to": "a@b.example"})))
        .await;
    assert!(
        test.status == 503 && test.text().contains("messages.host"),
        "{}",
        test.text()
    );
    app.stop().await;
}

crate::both!(
    a_message_is_sent_once_and_forgotten,
    a_refused_message_can_be_seen_and_tried_again,
    a_test_mail_tells_what_the_server_said,
    without_a_mail_server_nothing_waits,
);
