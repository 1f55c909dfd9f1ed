//! Programs' accounts as those who look after accounts meet them; and a copy of one's own data that is complete.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{PASSWORD, Visitor, operator, person};

both!(a_program_gets_an_account_and_tokens, ones_own_data_are_complete);

async fn a_program_gets_an_account_and_tokens(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", Some("administrator")).await;
    let mut ada = Visitor::new(&app);
    ada.sign_in("ada", PASSWORD).await;
    let bad = ada
        .post("/people/programs", &[("name", "Nightly import"), ("login", "n i")])
        .await;
    assert!(
        bad.status == 422 && bad.text().contains("value=\"Nightly import\""),
        "{}",
        bad.text()
    );
    let made = ada
        .post(
            "/people/programs",
            &[
                ("name", "Nightly import"),
                ("login", "nightly"),
                ("role", "contributor"),
            ],
        )
        .await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = made.header("location").unwrap();
    assert!(ada.get(&page).await.text().contains("It has no token yet."));
    let fields = [
        ("token_name", "every night"),
        ("scope", "records.* types.read jobs.read"),
        ("days", "90"),
    ];
    let given = ada.post(&format!("{page}/tokens"), &fields).await;
    assert_eq!(given.status, 201, "{}", given.text());
    let secret = given.text().split("vitrine_").nth(1).unwrap()[..40].to_owned();
    assert!(!ada.get(&page).await.text().contains(&secret), "shown once");
    let me = async || {
        let request = app
            .unsigned(Method::GET, "/api/me")
            .header("authorization", format!("Bearer vitrine_{secret}"));
        app.send(request, Bytes::new()).await
    };
    assert_eq!(me().await.json()["name"], "Nightly import");
    assert_eq!(
        Visitor::new(&app).sign_in("nightly", "").await.status,
        422,
        "it never signs in"
    );
    assert_eq!(ada.post(&format!("{page}/disable"), &[]).await.status, 303);
    assert_eq!(me().await.status, 401, "its tokens rest");
    ada.post(&format!("{page}/enable"), &[]).await;
    assert_eq!(me().await.status, 200);
    let list = ada.get(&page).await.text();
    let token = list
        .split("/tokens/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        ada.post(&format!("{page}/tokens/{token}/revoke"), &[]).await.status,
        303
    );
    assert_eq!(me().await.status, 401);
    // A person's tokens are their own.
    let grace = person(&app, "grace", None).await;
    let fields = [("token_name", "x"), ("scope", "*"), ("days", "90")];
    assert_eq!(ada.post(&format!("/people/{grace}/tokens"), &fields).await.status, 422);
    assert_eq!(
        ada.post(&format!("/people/{grace}/tokens/{token}/revoke"), &[])
            .await
            .status,
        404
    );
    app.stop().await;
}

async fn ones_own_data_are_complete(db: TestDb) {
    let app = TestApp::start(&db).await;
    let id = person(&app, "grace", Some("viewer")).await;
    let mut grace = Visitor::new(&app);
    grace.sign_in("grace", PASSWORD).await;
    let profile = [
        ("name", "Grace Hopper"),
        ("time_zone", "europe/vienna"),
        ("theme", "dark"),
    ];
    let saved = grace.post("/account/profile", &profile).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let cookies: Vec<String> = saved
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|c| c.to_str().unwrap().to_owned())
        .collect();
    assert!(
        cookies.iter().any(|c| c.starts_with("zone=Europe/Vienna;")),
        "{cookies:?}"
    );
    assert!(cookies.iter().any(|c| c.starts_with("theme=dark;")), "{cookies:?}");
    // Another browser learns both when she signs in there; times are those of her clock.
    let mut other = Visitor::new(&app);
    let there = other.sign_in("grace", PASSWORD).await;
    let zone = there.headers.get_all("set-cookie").iter();
    assert!(
        zone.into_iter()
            .any(|c| c.to_str().unwrap().starts_with("zone=Europe/Vienna;"))
    );
    other.cookie.push_str("; zone=Europe/Vienna");
    let page = other.get("/account").await.text();
    assert!(page.contains("CET") || page.contains("CEST"), "{page}");
    grace
        .post(
            "/account/tokens",
            &[("token_name", "script"), ("scope", "records.read"), ("days", "30")],
        )
        .await;
    grace
        .post(
            "/account/mail",
            &[("mail", "grace@example.org"), ("password", PASSWORD)],
        )
        .await;
    let group = operator(&app, Method::POST, "/api/groups", json!({"name": "Botanists"})).await;
    let members = format!("/api/groups/{}/members", group["id"].as_str().unwrap());
    let member = json!({ "subject": format!("account:{id}") });
    operator(&app, Method::POST, &members, member).await;
    assert!(grace.get("/account").await.text().contains("Botanists"));
    let export = grace.get("/account/export").await.json();
    assert_eq!(export["account"]["groups"], json!(["Botanists"]));
    assert_eq!(export["account"]["roles"][0]["role"], "viewer");
    assert_eq!(export["time_zone"], "Europe/Vienna");
    assert_eq!(export["account"]["mail"], "grace@example.org");
    assert_eq!(export["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(export["tokens"][0]["name"], "script");
    let changes = export["changes"].to_string();
    for what in [
        "account.created",
        "account.password",
        "account.profile",
        "account.address",
    ] {
        assert!(changes.contains(what), "{changes}");
    }
    for secret in ["argon2", "digest", "vitrine_"] {
        assert!(!export.to_string().contains(secret), "{export}");
    }
    // Every table that speaks of an account is told in the export or holds nothing but secrets and numbers.
    let told = [
        "session",
        "token",
        "account_link",
        "account_passkey",
        "account_identity",
        "account_picture",
        // Told with the roles.
        "provider_role",
        // Random numbers for a few minutes.
        "provider_flow",
        // A secret, and the day it was set up.
        "account_totp",
        // Digests; their number is told.
        "account_recovery",
        // Random numbers for a few minutes.
        "account_challenge",
    ];
    for (table, _) in tables_of_accounts() {
        assert!(
            told.contains(&table.as_str()),
            "what {table} holds about an account is in no export"
        );
    }
    operator(&app, Method::DELETE, &format!("/api/people/{id}"), json!({})).await;
    app.stop().await;
}

/// Tables with a column `account_id`, by the migrations.
fn tables_of_accounts() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().ends_with(".up.sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("CREATE TABLE ").skip(1) {
            let (name, rest) = part.split_once(' ').unwrap();
            let body = rest.split(");").next().unwrap();
            if body.contains("account_id") {
                found.push((name.to_owned(), body.to_owned()));
            }
        }
    }
    assert!(found.len() >= 5);
    found
}
