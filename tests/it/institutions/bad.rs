//! Bad answers: each is refused by a sentence of its own, and leaves no account and no session.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::config::Provider as Settings;
use vitrine::kernel::db::sql;
use vitrine::kernel::fetch::form;
use vitrine::kernel::testing::TestDb;

use super::answers::{self, Bad};
use super::provider::{Mode, Provider};
use super::{Person, house, trouble};

both!(
    bad_answers_are_refused,
    answers_belong_to_one_browser_and_one_sign_in,
    bad_logouts_end_nothing,
);

async fn nothing_was_made(db: &TestDb, name: &str) {
    let accounts: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account").all(&**db).await.unwrap();
    let sessions: Vec<(i64,)> = sql("SELECT COUNT(*) FROM session").all(&**db).await.unwrap();
    assert_eq!(
        (accounts[0].0, sessions[0].0),
        (0, 0),
        "{name}: an account or a session was made"
    );
}

fn impatient(provider: &Provider) -> Settings {
    Settings {
        timeout_seconds: 1,
        ..provider.settings()
    }
}

async fn bad_answers_are_refused(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let shady = Provider::start(db.clock().clone()).await;
    let app = house(
        &db,
        vec![("museum", impatient(&provider)), ("shady", impatient(&shady))],
    )
    .await;
    let mut all: Vec<Bad> = answers::of_claims();
    all.extend(answers::of_signatures());
    all.extend(answers::of_endpoints());
    all.extend(answers::of_ways());
    let mut counted = all.len();
    for bad in &all {
        let mut eve = Person::new(&app);
        provider.says(|says| {
            says.honest();
            (bad.provider)(says);
        });
        let mut answer = provider.approve(&eve.go("museum", "/").await);
        (bad.answer)(&mut answer);
        let refused = eve.come("museum", &answer).await;
        let said = trouble(&refused);
        assert!(
            said.contains(bad.says),
            "{}: {said:?} does not say {:?} ({})",
            bad.name,
            bad.says,
            refused.text()
        );
        assert!(
            [422, 503].contains(&refused.status.as_u16()),
            "{}: {}",
            bad.name,
            refused.status
        );
        assert!(!refused.text().contains("<script>alert"), "{}", bad.name);
        assert_eq!(refused.header("referrer-policy").as_deref(), Some("no-referrer"));
        assert!(!eve.cookies.contains_key("session"), "{}", bad.name);
        nothing_was_made(&db, bad.name).await;
    }
    assert_eq!(provider.asked("/elsewhere"), 0, "redirects are not followed");
    // Keys that are none: asked for when the old ones are too old.
    for (mode, says) in [
        (Mode::Huge, "more than"),
        (Mode::Html, "not a set of keys"),
        (Mode::Redirect, "not followed"),
    ] {
        counted += 1;
        db.clock().advance(3_600_001);
        provider.says(|says| {
            says.honest();
            says.odd = Some(("/keys", mode));
        });
        let refused = Person::new(&app).through("museum", &provider).await;
        assert!(trouble(&refused).contains(says), "{says}: {}", refused.text());
        nothing_was_made(&db, says).await;
    }
    // A provider that lies about itself, or says nothing: nobody even leaves.
    for (name, mode, says) in answers::of_discovery() {
        counted += 1;
        db.clock().advance(6_000);
        shady.says(|says| says.odd = Some(("/.well-known/openid-configuration", mode)));
        let refused = Person::new(&app).get("/sign-in/with/shady").await;
        assert_eq!(refused.status, 503, "{name}");
        assert!(trouble(&refused).contains(says), "{name}: {}", refused.text());
        let asked = shady.asked("/.well-known/openid-configuration");
        let at_once = Person::new(&app).get("/sign-in/with/shady").await;
        assert_eq!(at_once.status, 503);
        assert_eq!(
            shady.asked("/.well-known/openid-configuration"),
            asked,
            "{name}: nobody waits in line"
        );
    }
    assert!(counted >= 70, "{counted} bad answers");
    assert_eq!(Person::new(&app).get("/sign-in/with/nobody").await.status, 404);
    // Honest again, it lets in: it was the answers that were refused.
    db.clock().advance(31_000);
    provider.says(|says| says.honest());
    shady.says(|says| says.honest());
    for (name, provider) in [("museum", &provider), ("shady", &shady)] {
        provider.says(|says| says.person["sub"] = json!(name));
        provider.says(|says| says.person["email"] = json!(format!("{name}@museum.example")));
        let mut ada = Person::new(&app);
        let arrived = ada.through(name, provider).await;
        assert_eq!(arrived.status, 303, "{}", arrived.text());
        assert_eq!(ada.kind().await, "account");
    }
    app.stop().await;
}

async fn answers_belong_to_one_browser_and_one_sign_in(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let other = Provider::start(db.clock().clone()).await;
    let app = house(
        &db,
        vec![("museum", impatient(&provider)), ("other", impatient(&other))],
    )
    .await;
    let (mut ada, mut eve) = (Person::new(&app), Person::new(&app));
    // Of another browser, with and without something begun there.
    let answer = provider.approve(&eve.go("museum", "/").await);
    ada.go("museum", "/").await;
    let refused = ada.come("museum", &answer).await;
    assert!(trouble(&refused).contains("in another browser"), "{}", refused.text());
    let answer = provider.approve(&eve.go("museum", "/").await);
    let refused = Person::new(&app).come("museum", &answer).await;
    assert!(trouble(&refused).contains("in another browser"), "{}", refused.text());
    // Eve's code in Ada's answer: it does not fit what Ada began.
    let hers = provider.approve(&eve.go("museum", "/").await);
    let mut mixed = provider.approve(&ada.go("museum", "/").await);
    mixed.set("code", &hers.get("code"));
    let refused = ada.come("museum", &mixed).await;
    assert!(
        trouble(&refused).contains("it refused the code (invalid_grant)"),
        "{}",
        refused.text()
    );
    // Begun with one provider, answered at the address of another.
    let answer = provider.approve(&ada.go("museum", "/").await);
    let refused = ada.come("other", &answer).await;
    assert!(
        trouble(&refused).contains("begun with another provider"),
        "{}",
        refused.text()
    );
    let refused = ada.come("museum", &answer).await;
    assert!(
        trouble(&refused).contains("answered already"),
        "used up: {}",
        refused.text()
    );
    // Too late.
    let answer = provider.approve(&ada.go("museum", "/").await);
    db.clock().advance(600_001);
    let refused = ada.come("museum", &answer).await;
    assert!(
        trouble(&refused).contains("more than ten minutes ago"),
        "{}",
        refused.text()
    );
    nothing_was_made(&db, "flows").await;
    // Twice, one after the other and at once: one session.
    let answer = provider.approve(&ada.go("museum", "//evil.example").await);
    let (mut one, mut two) = (ada.clone(), ada.clone());
    let (first, second) = tokio::join!(one.come("museum", &answer), two.come("museum", &answer));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    let arrived = if first.status == 303 { &first } else { &second };
    assert_eq!(
        arrived.header("location").as_deref(),
        Some("/"),
        "the way back stays in the house"
    );
    let refused = ada.come("museum", &answer).await;
    assert!(trouble(&refused).contains("answered already"), "{}", refused.text());
    // The same subject at another provider is somebody else.
    other.says(|says| says.person["email"] = json!("other@museum.example"));
    let mut stranger = Person::new(&app);
    assert_eq!(stranger.through("other", &other).await.status, 303);
    let people: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account").all(&*db).await.unwrap();
    assert_eq!(people[0].0, 2);
    // Beginning without end is stopped.
    let mut last = 0;
    for _ in 0..205 {
        last = Person::new(&app).get("/sign-in/with/museum").await.status.as_u16();
    }
    assert_eq!(last, 429);
    let kept: Vec<(i64,)> = sql("SELECT COUNT(*) FROM provider_flow").all(&*db).await.unwrap();
    assert!(kept[0].0 <= 200, "{}", kept[0].0);
    app.stop().await;
}

async fn bad_logouts_end_nothing(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let foreign = Provider::start(db.clock().clone()).await;
    let app = house(&db, vec![("museum", impatient(&provider))]).await;
    let mut ada = Person::new(&app);
    assert_eq!(ada.through("museum", &provider).await.status, 303);
    let logout = async |token: &str| {
        let body = form(&[("logout_token", token)]);
        let answer = Person::new(&app)
            .send(Method::POST, "/sign-in/with/museum/logout", body)
            .await;
        answer.status.as_u16()
    };
    for (name, change) in answers::of_logouts() {
        provider.says(|says| {
            says.honest();
            change(says);
        });
        let token = provider.logout_token(&json!({"sub": "person-1"}));
        assert_eq!(logout(&token).await, 400, "{name}");
        assert_eq!(ada.kind().await, "account", "{name}");
    }
    provider.says(|says| says.honest());
    // Another provider's word about our person, by its own name and under the name of ours.
    foreign.says(|says| (says.keys, says.key) = (vec![("a", 1)], 1));
    for more in [
        json!({"sub": "person-1"}),
        json!({"sub": "person-1", "iss": provider.issuer}),
    ] {
        assert_eq!(logout(&foreign.logout_token(&more)).await, 400);
    }
    assert_eq!(ada.kind().await, "account");
    for odd in ["", "x", "a.b.c"] {
        assert_eq!(logout(odd).await, 400, "{odd}");
    }
    let nobody = Person::new(&app)
        .send(
            Method::POST,
            "/sign-in/with/none/logout",
            form(&[("logout_token", "x")]),
        )
        .await;
    assert_eq!(nobody.status, 404);
    app.stop().await;
}
