//! What differs from provider to provider: the second step, where it is asked for there or here; and GitHub.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::config::Provider as Settings;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::TestDb;

use super::provider::Provider;
use super::{Person, house, roles, trouble};

both!(the_second_step_is_asked_for_where_it_must_be, github_is_another_kind);

async fn the_second_step_is_asked_for_where_it_must_be(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let settings = Settings {
        roles: vec!["/staff = administrator".to_owned()],
        second_factor: vec!["mfa".to_owned()],
        ..provider.settings()
    };
    let app = vitrine::kernel::testing::TestApp::start_with(&db, |config| {
        config.accounts.second_factor = vec!["administrator".to_owned()];
        config.accounts.providers.insert("museum".to_owned(), settings);
    })
    .await;
    let mut ada = Person::new(&app);
    let half = ada.through("museum", &provider).await;
    assert_eq!(half.header("location").as_deref(), Some("/sign-in/code?to=%2Ftypes"));
    assert_eq!(ada.kind().await, "anonymous");
    assert!(ada.get("/sign-in/code").await.text().contains("Set it up now"));
    provider.says(|says| says.person["amr"] = json!(["pwd"]));
    assert!(
        ada.through("museum", &provider)
            .await
            .header("location")
            .unwrap()
            .starts_with("/sign-in/code")
    );
    provider.says(|says| says.person["amr"] = json!(["pwd", "mfa"]));
    assert_eq!(
        ada.through("museum", &provider).await.header("location").as_deref(),
        Some("/types")
    );
    assert_eq!(ada.kind().await, "account");
    provider.says(|says| (says.person["amr"], says.person["acr"]) = (json!([]), json!("mfa")));
    let mut other = Person::new(&app);
    other.through("museum", &provider).await;
    assert_eq!(other.kind().await, "account");
    app.stop().await;
}

async fn github_is_another_kind(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let settings = Settings {
        kind: "github".to_owned(),
        label: String::new(),
        roles: vec!["museum = editor".to_owned()],
        ..provider.settings()
    };
    let app = house(&db, vec![("hub", settings)]).await;
    let mut ada = Person::new(&app);
    let location = ada.go("hub", "/").await;
    assert!(
        location.contains("/login/oauth/authorize?") && location.contains("scope=user%3Aemail%20read%3Aorg"),
        "{location}"
    );
    let mut answer = provider.approve(&location);
    answer.drop("iss");
    let arrived = ada.come("hub", &answer).await;
    assert_eq!(arrived.status, 303, "{}", arrived.text());
    assert_eq!(ada.me().await["name"], "Ada L");
    assert_eq!(roles(&app, "ada-l").await, ["editor house"]);
    let kept: Vec<(String, String)> = sql("SELECT issuer, subject FROM account_identity")
        .all(&*db)
        .await
        .unwrap();
    assert_eq!(kept, [(provider.issuer.clone(), "4711".to_owned())]);
    assert_eq!(
        ada.post("/sign-out", &[]).await.status,
        303,
        "there is nothing to sign out of"
    );
    let refused = ada.come("hub", &answer).await;
    assert!(trouble(&refused).contains("answered already"), "{}", refused.text());
    let location = ada.go("hub", "/").await;
    let mut answer = provider.approve(&location);
    answer.set("code", "made-up");
    let refused = ada.come("hub", &answer).await;
    assert!(
        trouble(&refused).contains("it refused the code (invalid_grant)"),
        "{}",
        refused.text()
    );
    app.stop().await;
}
