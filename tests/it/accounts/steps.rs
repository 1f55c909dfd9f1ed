//! The second step: set up with proof, asked for, never the same code twice, begun by whoever must have it.

use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{OTHER, PASSWORD, Visitor, operator, path_of, person};

both!(the_second_step_is_asked_for, roles_of_groups_count_as_ones_own);

const MINUTE: i64 = 60_000;

/// What an authenticator would show for the secret on a page.
fn code(page: &str, now: i64) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let text = page
        .split("<code>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .replace(' ', "");
    let mut bits = String::new();
    for c in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|a| *a == c)
            .unwrap();
        bits.push_str(&format!("{value:05b}"));
    }
    let secret: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
        .collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&secret).unwrap();
    mac.update(&now.div_euclid(30_000).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", word % 1_000_000)
}

/// An administrator by a group needs the second step, too, and is not taken over by a token that holds less.
async fn roles_of_groups_count_as_ones_own(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.accounts.second_factor = vec!["administrator".to_owned()]
    })
    .await;
    // The first administrator sets it up before anything opens.
    let setup = operator(&app, Method::POST, "/api/setup-links", json!({})).await;
    let setup = path_of(setup["url"].as_str().unwrap());
    let mut first = Visitor::new(&app);
    let fields = [("name", "Ada"), ("login", "ada"), ("password", PASSWORD)];
    let half = first.post(&setup, &fields).await;
    assert_eq!(half.header("location").as_deref(), Some("/sign-in/code"));
    assert_eq!(first.kind().await, "anonymous");
    assert!(first.get("/sign-in/code").await.text().contains("Set it up now"));
    let eve = person(&app, "eve", None).await;
    let narrow = json!({"name": "desk", "scope": ["accounts.manage"]});
    let narrow = operator(&app, Method::POST, "/api/tokens", narrow).await;
    let bearer = format!("Bearer {}", narrow["secret"].as_str().unwrap());
    let link = async || {
        let request = app.unsigned(Method::POST, "/api/people/eve/link");
        let answer = app
            .send(request.header("authorization", &bearer), bytes::Bytes::new())
            .await;
        answer.status.as_u16()
    };
    let mut plain = Visitor::new(&app);
    assert_eq!(
        plain.sign_in("eve", PASSWORD).await.header("location").as_deref(),
        Some("/")
    );
    assert_eq!(link().await, 201, "who has no role can be helped by the desk");
    let group = operator(&app, Method::POST, "/api/groups", json!({"name": "Board"})).await;
    let members = format!("/api/groups/{}/members", group["id"].as_str().unwrap());
    let member = json!({ "subject": format!("account:{eve}") });
    operator(&app, Method::POST, &members, member).await;
    let grant = json!({"subject": group["subject"], "role": "administrator", "place": "house"});
    operator(&app, Method::POST, "/api/grants", grant).await;
    assert_eq!(link().await, 403, "a narrow token takes no administrator over");
    assert_eq!(
        plain.kind().await,
        "anonymous",
        "a session of before the role opens nothing until the second step is there"
    );
    let mut chief = Visitor::new(&app);
    let half = chief.sign_in("eve", PASSWORD).await;
    assert_eq!(half.header("location").as_deref(), Some("/sign-in/code"));
    assert_eq!(chief.kind().await, "anonymous");
    app.stop().await;
}

async fn the_second_step_is_asked_for(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.accounts.second_factor = vec!["administrator".to_owned()]
    })
    .await;
    let now = || db.clock().now();
    person(&app, "ada", None).await;
    let mut ada = Visitor::new(&app);
    ada.sign_in("ada", PASSWORD).await;
    let page = ada.get("/account/second-step").await.text();
    assert!(page.contains("<svg class=\"qr\""));
    let right = code(&page, now());
    let wrong = ada
        .post("/account/second-step", &[("code", "000000"), ("password", PASSWORD)])
        .await;
    assert_eq!(wrong.status, 422);
    let no_proof = ada
        .post("/account/second-step", &[("code", &right), ("password", "x")])
        .await;
    assert_eq!(
        no_proof.status, 422,
        "somebody who finds the browser open sets nothing up"
    );
    let mut elsewhere = Visitor::new(&app);
    elsewhere.sign_in("ada", PASSWORD).await;
    let done = ada
        .post("/account/second-step", &[("code", &right), ("password", PASSWORD)])
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(elsewhere.kind().await, "anonymous", "every other session ends");
    let recovery = done
        .text()
        .split("<li><code>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    // The password alone opens nothing.
    let mut other = Visitor::new(&app);
    let half = other.sign_in("ada", PASSWORD).await;
    assert_eq!(half.header("location").as_deref(), Some("/sign-in/code"));
    assert_eq!(other.kind().await, "anonymous");
    let half_cookie = other.cookie.clone();
    assert_eq!(
        other.post("/sign-in/code", &[("code", &right)]).await.status,
        422,
        "no code is taken twice"
    );
    db.clock().advance(31_000);
    let next = code(&page, now());
    assert_eq!(other.post("/sign-in/code", &[("code", &next)]).await.status, 303);
    assert_ne!(other.cookie, half_cookie, "a new id with the second step, too");
    assert_eq!(other.kind().await, "account");
    // A recovery code, once.
    for (status, kind) in [(303, "account"), (422, "anonymous")] {
        let mut lost = Visitor::new(&app);
        lost.sign_in("ada", PASSWORD).await;
        assert_eq!(
            lost.post("/sign-in/code", &[("code", &recovery.to_uppercase())])
                .await
                .status,
            status
        );
        assert_eq!(lost.kind().await, kind);
    }
    // A role that asks for it: set up at the next sign-in, before anything opens.
    let made = operator(
        &app,
        Method::POST,
        "/api/people",
        json!({"login": "boss", "name": "Boss", "roles": [{"role": "administrator"}]}),
    )
    .await;
    let link = path_of(made["link"]["url"].as_str().unwrap());
    let mut boss = Visitor::new(&app);
    let chosen = boss.post(&link, &[("password", OTHER)]).await;
    assert_eq!(chosen.header("location").as_deref(), Some("/sign-in"));
    boss.sign_in("boss", OTHER).await;
    assert_eq!(boss.get("/people").await.status, 401);
    let page = boss.get("/sign-in/code").await.text();
    let codes = boss.post("/sign-in/code", &[("code", &code(&page, now()))]).await;
    assert!(codes.text().contains("Keep these recovery codes"), "{}", codes.text());
    assert_eq!(boss.get("/people").await.status, 200);
    // Sessions end by themselves.
    db.clock().advance(23 * 60 * MINUTE);
    assert_eq!(boss.kind().await, "account");
    db.clock().advance(25 * 60 * MINUTE);
    assert_eq!(boss.kind().await, "anonymous", "unused for too long");
    app.stop().await;
}
