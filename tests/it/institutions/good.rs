//! The good ways: coming for the first time, coming back, linking, invitations, roles of groups, keys that change, signing
//! out here and there.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::config::Provider as Settings;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{MailServer, TestApp, TestDb};

use super::provider::Provider;
use super::{PASSWORD, Person, house, invited, operator, roles, trouble};

both!(
    somebody_comes_and_comes_back,
    sessions_end_there_and_here,
    an_address_is_linked_by_its_owner_only,
    an_owner_is_told_of_links,
    only_who_is_invited_comes_in,
);

fn with_roles(provider: &Provider) -> Settings {
    Settings {
        roles: vec![
            "/staff = editor".to_owned(),
            "/heads = curator".to_owned(),
            "* = viewer".to_owned(),
        ],
        ..provider.settings()
    }
}

async fn somebody_comes_and_comes_back(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let app = house(&db, vec![("museum", with_roles(&provider))]).await;
    let mut ada = Person::new(&app);
    let page = ada.get("/sign-in").await.text();
    assert!(page.contains("Sign in with The Museum"), "{page}");
    let location = ada.go("museum", "/types").await;
    assert!(location.contains("scope=profile%20email%20openid"), "{location}");
    let arrived = ada.come("museum", &provider.approve(&location)).await;
    assert_eq!(arrived.status, 303, "{}", arrived.text());
    assert_eq!(arrived.header("location").as_deref(), Some("/types"));
    assert_eq!(ada.me().await["name"], "Ada Lovelace");
    assert_eq!(roles(&app, "ada").await, ["editor house", "viewer house"]);
    // A role given by hand, one taken by the institution, one of it given by hand as well.
    for role in ["contributor", "viewer"] {
        operator(&app, Method::PUT, "/api/people/ada/roles", json!({ "role": role })).await;
    }
    provider.says(|says| says.person["groups"] = json!(["/heads"]));
    let mut again = Person::new(&app);
    assert_eq!(again.through("museum", &provider).await.status, 303);
    assert_eq!(again.me().await["name"], "Ada Lovelace");
    assert_eq!(
        roles(&app, "ada").await,
        ["contributor house", "curator house", "viewer house"]
    );
    provider.says(|says| says.person["hasgroups"] = json!(true));
    provider.says(|says| says.person.as_object_mut().unwrap().remove("groups").map_or((), drop));
    assert_eq!(again.through("museum", &provider).await.status, 303);
    assert_eq!(
        roles(&app, "ada").await.len(),
        3,
        "\"too many to list\" is not \"none\""
    );
    provider.says(|says| says.honest());
    provider.says(|says| says.person["groups"] = json!([]));
    assert_eq!(again.through("museum", &provider).await.status, 303);
    assert_eq!(roles(&app, "ada").await, ["contributor house", "viewer house"]);
    // The name at the provider changes; the person stays. Another person with the same name is another one.
    provider.says(|says| says.person["preferred_username"] = json!("countess"));
    assert_eq!(again.through("museum", &provider).await.status, 303);
    provider.says(|says| {
        says.honest();
        (says.person["sub"], says.person["email"]) = (json!("person-2"), json!("ada.k@museum.example"));
    });
    let mut other = Person::new(&app);
    assert_eq!(other.through("museum", &provider).await.status, 303);
    let people = operator(&app, Method::GET, "/api/people", json!(null)).await;
    let mut logins: Vec<&str> = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["login"].as_str().unwrap())
        .collect();
    logins.sort_unstable();
    assert_eq!(logins, ["ada", "ada-2"]);
    // Switched off is switched off, and deleted is forgotten.
    operator(&app, Method::PATCH, "/api/people/ada-2", json!({"active": false})).await;
    assert_eq!(other.kind().await, "anonymous");
    let refused = other.through("museum", &provider).await;
    assert!(trouble(&refused).contains("switched off"), "{}", refused.text());
    operator(&app, Method::PATCH, "/api/people/ada-2", json!({"active": true})).await;
    assert_eq!(other.through("museum", &provider).await.status, 303);
    assert_eq!(other.kind().await, "account");
    operator(&app, Method::DELETE, "/api/people/ada-2", json!(null)).await;
    assert_eq!(other.kind().await, "anonymous");
    let left: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account_identity").all(&*db).await.unwrap();
    assert_eq!(left[0].0, 1);
    // The one way in stays; another browser's session does not outlive unlinking.
    let linked: Vec<(String,)> = sql("SELECT id FROM account_identity").all(&*db).await.unwrap();
    let answer = again.post(&format!("/account/unlink/{}", linked[0].0), &[]).await;
    assert!(
        trouble(&answer).contains("the only way into your account"),
        "{}",
        answer.text()
    );
    // A password of this house is another way in: chosen by whoever came just now.
    let chosen = [("login", "ada"), ("new_password", PASSWORD)];
    db.clock().advance(600_001);
    let late = again.post("/account/password", &chosen).await;
    assert!(trouble(&late).contains("sign in again"), "{}", late.text());
    provider.says(|says| says.honest());
    again.through("museum", &provider).await;
    assert_eq!(again.post("/account/password", &chosen).await.status, 303);
    let by_password = Person::new(&app).sign_in("ada").await;
    assert_eq!(by_password.status, 303, "{}", by_password.text());
    let mine = again.get("/account/export").await.json();
    assert_eq!(mine["linked_sign_ins"][0]["subject"], "person-1");
    app.stop().await;
}

async fn sessions_end_there_and_here(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let app = house(&db, vec![("museum", provider.settings())]).await;
    let mut ada = Person::new(&app);
    assert_eq!(ada.through("museum", &provider).await.status, 303);
    // Keys change: the new one is asked for, but not by everybody who makes up a name.
    assert_eq!(provider.asked("/keys"), 1);
    provider.says(|says| (says.keys, says.kid, says.key) = (vec![("b", 1)], "b", 1));
    let mut two = Person::new(&app);
    let soon = two.through("museum", &provider).await;
    assert!(trouble(&soon).contains("does not publish"), "{}", soon.text());
    assert_eq!(provider.asked("/keys"), 1, "asked a moment ago");
    db.clock().advance(31_000);
    assert_eq!(two.through("museum", &provider).await.status, 303);
    assert_eq!(provider.asked("/keys"), 2);
    assert_eq!(
        provider.asked("/.well-known/openid-configuration"),
        1,
        "kept for an hour"
    );
    // Signing out here leads there.
    let out = two.post("/sign-out", &[]).await;
    let page = out.text();
    assert_eq!(out.status, 200);
    assert!(
        page.contains("Signing out at The Museum") && page.contains("http-equiv=\"refresh\""),
        "{page}"
    );
    assert!(
        page.contains("/end?client_id=vitrine") && page.contains("id_token_hint="),
        "{page}"
    );
    assert_eq!(two.kind().await, "anonymous");
    // Signing out there ends it here, in every browser that came from that session.
    two.through("museum", &provider).await;
    db.clock().advance(61_000);
    let logout = async |token: String| {
        let mut nobody = Person::new(&app);
        let body = vitrine::kernel::fetch::form(&[("logout_token", &token)]);
        nobody
            .send(Method::POST, "/sign-in/with/museum/logout", body)
            .await
            .status
            .as_u16()
    };
    assert_eq!(logout(provider.logout_token(&json!({"sid": "another"}))).await, 200);
    assert_eq!(logout(provider.logout_token(&json!({"sub": "person-9"}))).await, 200);
    assert_eq!(ada.kind().await, "account");
    assert_eq!(logout(provider.logout_token(&json!({"sid": "there-1"}))).await, 200);
    assert_eq!(
        (ada.kind().await, two.kind().await),
        ("anonymous".to_owned(), "anonymous".to_owned())
    );
    let old = provider.logout_token(&json!({"sub": "person-1"}));
    ada.through("museum", &provider).await;
    assert_eq!(logout(provider.logout_token(&json!({"sub": "person-1"}))).await, 200);
    assert_eq!(ada.kind().await, "anonymous");
    // An old word does not end what was opened after it.
    db.clock().advance(61_000);
    ada.through("museum", &provider).await;
    assert_eq!(logout(old).await, 200);
    assert_eq!(ada.kind().await, "account");
    app.stop().await;
}

/// Where the page leads that a form to link is answered with.
async fn way_to_link(person: &mut Person<'_>, name: &str) -> String {
    let way = person
        .post(&format!("/account/link/{name}"), &[("link_password", PASSWORD)])
        .await;
    let text = way.text();
    let address = text
        .split("id=\"go-on\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let address = address.unwrap_or_else(|| panic!("{text}"));
    address.replace("&amp;", "&").replace("&#38;", "&")
}

async fn an_address_is_linked_by_its_owner_only(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let app = house(
        &db,
        vec![("museum", with_roles(&provider)), ("other", provider.settings())],
    )
    .await;
    let (id, link) = invited(&app, "lovelace", "Ada@museum.example").await;
    let mut owner = Person::new(&app);
    owner
        .post(&link, &[("login", "lovelace"), ("password", PASSWORD)])
        .await;
    assert_eq!(owner.kind().await, "account");
    let mut comer = Person::new(&app);
    let refused = comer.through("museum", &provider).await;
    assert_eq!(refused.status, 409);
    assert!(trouble(&refused).contains("an account with your mail address already"));
    assert_eq!(comer.kind().await, "anonymous");
    // The owner links: with the password, and in the browser that is signed in.
    assert!(owner.get("/account").await.text().contains("Link The Museum"));
    let wrong = owner.post("/account/link/museum", &[("link_password", "no")]).await;
    assert!(wrong.text().contains("This is not your password."));
    let answer = provider.approve(&way_to_link(&mut owner, "museum").await);
    let mut out = owner.clone();
    out.cookies.remove("session");
    let signed_out = out.come("museum", &answer).await;
    assert!(trouble(&signed_out).contains("Sign in first"), "{}", signed_out.text());
    let answer = provider.approve(&way_to_link(&mut owner, "museum").await);
    let linked = owner.come("museum", &answer).await;
    assert_eq!(
        linked.header("location").as_deref(),
        Some("/account"),
        "{}",
        linked.text()
    );
    assert_eq!(roles(&app, &id).await, ["editor house", "viewer house"]);
    assert_eq!(comer.through("museum", &provider).await.status, 303);
    assert_eq!(comer.me().await["name"], "The lovelace");
    // Nobody else can link the same person.
    let (_, link) = invited(&app, "grace", "grace@museum.example").await;
    let mut grace = Person::new(&app);
    grace.post(&link, &[("login", "grace"), ("password", PASSWORD)]).await;
    let answer = provider.approve(&way_to_link(&mut grace, "museum").await);
    let taken = grace.come("museum", &answer).await;
    assert!(
        trouble(&taken).contains("linked with another account"),
        "{}",
        taken.text()
    );
    // Unlinked: the roles of its groups go, and so does every other session.
    let rows: Vec<(String,)> = sql("SELECT id FROM account_identity").all(&*db).await.unwrap();
    let path = format!("/account/unlink/{}", rows[0].0);
    let proof = [("link_password", PASSWORD)];
    assert_eq!(grace.post(&path, &proof).await.status, 404, "somebody else's");
    let wrong = owner.post(&path, &[("link_password", "no")]).await;
    assert!(wrong.text().contains("This is not your password."));
    assert_eq!(owner.post(&path, &proof).await.status, 303);
    assert_eq!(comer.kind().await, "anonymous");
    assert_eq!(owner.kind().await, "account");
    assert!(roles(&app, &id).await.is_empty());
    app.stop().await;
}

async fn an_owner_is_told_of_links(db: TestDb) {
    let (museum, other) = (
        Provider::start(db.clock().clone()).await,
        Provider::start(db.clock().clone()).await,
    );
    let mails = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| {
        mails.set_in(&mut config.messages);
        for (name, provider) in [("museum", &museum), ("other", &other)] {
            config.accounts.providers.insert(name.to_owned(), provider.settings());
        }
    })
    .await;
    let mut ada = Person::new(&app);
    assert_eq!(ada.through("museum", &museum).await.status, 303);
    let answer = other.approve(&way_to_link(&mut ada, "other").await);
    assert_eq!(ada.come("other", &answer).await.status, 303);
    app.drain_jobs().await;
    let told = mails.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].head().contains("opens your account") && told[0].text.contains("comes into your account ada"),
        "{told:?}"
    );
    // The same once more is nothing new.
    let answer = other.approve(&way_to_link(&mut ada, "other").await);
    assert_eq!(ada.come("other", &answer).await.status, 303);
    let (id,): (String,) = sql("SELECT id FROM account_identity ORDER BY created_at DESC, id DESC LIMIT 1")
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(ada.post(&format!("/account/unlink/{id}"), &[]).await.status, 303);
    app.drain_jobs().await;
    let told = mails.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains("is not linked with"), "{told:?}");
    app.stop().await;
}

async fn only_who_is_invited_comes_in(db: TestDb) {
    let provider = Provider::start(db.clock().clone()).await;
    let create = |create: &str| Settings {
        create: create.to_owned(),
        ..provider.settings()
    };
    let domain = Settings {
        mail_domains: vec!["archive.example".to_owned()],
        ..provider.settings()
    };
    let all = vec![
        ("invited", create("invited")),
        ("never", create("no")),
        ("domain", domain),
    ];
    let app = house(&db, all).await;
    let mut ada = Person::new(&app);
    for (name, says) in [
        ("invited", "No account here is linked"),
        ("never", "No account here is linked"),
        ("domain", "Only people with an address of archive.example"),
    ] {
        let refused = ada.through(name, &provider).await;
        assert!(trouble(&refused).contains(says), "{name}: {}", refused.text());
    }
    let (_, link) = invited(&app, "ada", "ADA@museum.example").await;
    // An address that nobody vouches for takes no invitation.
    provider.says(|says| says.person["email_verified"] = json!(false));
    let refused = ada.through("invited", &provider).await;
    assert!(
        trouble(&refused).contains("No account here is linked"),
        "{}",
        refused.text()
    );
    let refused = ada.through("domain", &provider).await;
    assert!(
        trouble(&refused).contains("vouches for no mail address"),
        "{}",
        refused.text()
    );
    provider.says(|says| says.honest());
    let refused = ada.through("never", &provider).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(ada.through("invited", &provider).await.status, 303);
    assert_eq!(ada.me().await["name"], "The ada");
    assert_eq!(
        Person::new(&app).get(&link).await.status,
        410,
        "the invitation is used up"
    );
    // Linked once, every setting lets in.
    assert_eq!(Person::new(&app).through("never", &provider).await.status, 303);
    provider.says(|says| says.person["email"] = json!("ada@archive.example"));
    assert_eq!(Person::new(&app).through("domain", &provider).await.status, 303);
    app.stop().await;
}
