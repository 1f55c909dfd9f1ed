//! Tokens, the setup link and the session, over the real router on both engines.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{TOKENS, wire};
use crate::contract::accounts::{Doors, NewToken};
use crate::kernel::Kernel;
use crate::kernel::access::{Caller, Credential, Object};
use crate::kernel::bus::Bus;
use crate::kernel::http::{Setup, local};
use crate::kernel::testing::{TestDb, kernel};

struct House {
    kernel: Kernel,
    doors: Arc<dyn Doors>,
    router: Router,
}

fn house(db: &TestDb) -> House {
    let kernel = kernel(db);
    let mut bus = Bus::default();
    let module = wire(&kernel, &mut bus).unwrap();
    let router = module.routes().into_router(Setup::new(kernel.clone())).unwrap().router;
    House {
        kernel,
        doors: bus.port::<dyn Doors>().unwrap(),
        router,
    }
}

struct Answer {
    status: StatusCode,
    cookie: Option<String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    credential: Option<(&str, &str)>,
    body: Option<&str>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some((name, value)) = credential {
        request = request.header(name, value);
    }
    let kind = if path.starts_with("/api") {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let request = request
        .header("content-type", kind)
        .body(Body::from(body.unwrap_or_default().to_owned()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let cookie = response
        .headers()
        .get(header::SET_COOKIE)
        .map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answer {
        status,
        cookie,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

fn token(name: &str, scope: &[&str], days: Option<u32>) -> NewToken {
    NewToken {
        name: name.to_owned(),
        scope: scope.iter().map(|s| (*s).to_owned()).collect(),
        days,
    }
}

async fn the_setup_link_works_once(db: TestDb) {
    let house = house(&db);
    let link = house
        .doors
        .issue_setup_link()
        .await
        .unwrap()
        .expect("nobody has come in yet");
    let path = link.strip_prefix("http://localhost").unwrap();
    for _ in 0..3 {
        let page = ask(&house.router, "GET", path, None, None).await;
        assert_eq!(page.status, 200, "looking does not use it up");
    }
    let forms: Vec<String> = (0..4)
        .map(|n| format!("name=Ada&login=ada-{n}x&password=zebra-kettle-47-river"))
        .collect();
    let tries = forms
        .iter()
        .map(|form| ask(&house.router, "POST", path, None, Some(form)));
    let answers = futures_util::future::join_all(tries).await;
    let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 303).collect();
    assert_eq!(won.len(), 1, "exactly one of those who try");
    assert_eq!(answers.iter().filter(|answer| answer.status == 410).count(), 3);
    let cookie = won[0].cookie.clone().unwrap();
    assert_eq!(ask(&house.router, "GET", path, None, None).await.status, 410);
    let pair = cookie.split(';').next().unwrap();
    let me = ask(&house.router, "GET", "/api/me", Some(("cookie", pair)), None)
        .await
        .json();
    assert_eq!(
        (me["kind"].as_str(), me["name"].as_str()),
        (Some("account"), Some("Ada"))
    );
    assert!(
        house.doors.issue_setup_link().await.unwrap().is_none(),
        "only the first start prints a link"
    );
    // A cookie's secret is no token.
    let secret = format!("Bearer {}", pair.split_once('=').unwrap().1);
    assert_eq!(
        ask(&house.router, "GET", "/api/me", Some(("authorization", &secret)), None)
            .await
            .status,
        401
    );
    let out = ask(&house.router, "POST", "/sign-out", Some(("cookie", pair)), Some("")).await;
    assert_eq!(out.status, 403, "signing out needs the form's token");
}

async fn a_setup_link_expires(db: TestDb) {
    let house = house(&db);
    let link = house.doors.new_setup_link().await.unwrap();
    let secret = link.rsplit('/').next().unwrap();
    let digest = crate::kernel::crypto::digest(secret);
    let now = db.clock().now();
    assert!(super::store::links::setup_is_open(&db, &digest, now).await.unwrap());
    assert!(
        !super::store::links::setup_is_open(&db, &digest, now + super::model::DAY + 1000)
            .await
            .unwrap()
    );
    assert_eq!(ask(&house.router, "GET", "/setup/0000", None, None).await.status, 410);
}

async fn tokens_come_and_go(db: TestDb) {
    let house = house(&db);
    let operator = local(house.router.clone());
    assert_eq!(ask(&house.router, "GET", "/api/tokens", None, None).await.status, 401);
    let body = json!({"name": "loader", "scope": ["records.write"], "days": 3}).to_string();
    let made = ask(&operator, "POST", "/api/tokens", None, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    let secret = format!("Bearer {}", made["secret"].as_str().unwrap());
    let as_token = Some(("authorization", secret.as_str()));
    let me = ask(&house.router, "GET", "/api/me", as_token, None).await.json();
    assert_eq!(
        (me["kind"].as_str(), me["name"].as_str(), me["level"].as_str()),
        (Some("token"), Some("loader"), Some("members"))
    );
    assert_eq!(
        ask(&house.router, "GET", "/api/tokens", as_token, None).await.status,
        403
    );
    let list = ask(&operator, "GET", "/api/tokens", None, None).await;
    assert!(
        !list.body.contains("secret") && list.body.contains("loader"),
        "{}",
        list.body
    );
    let stored: Vec<(String,)> = crate::kernel::db::sql("SELECT digest FROM token")
        .all(&*db)
        .await
        .unwrap();
    assert!(
        stored.iter().all(|(digest,)| !secret.contains(digest.as_str())),
        "only the digest is kept"
    );
    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(ask(&operator, "DELETE", &path, None, None).await.status, 204);
    }
    assert_eq!(
        ask(&house.router, "GET", "/api/me", as_token, None).await.status,
        401,
        "revoked at once"
    );
    assert_eq!(
        ask(&operator, "DELETE", "/api/tokens/none", None, None).await.status,
        404
    );
    let wrong = ask(
        &operator,
        "POST",
        "/api/tokens",
        None,
        Some(r#"{"name": "", "scope": ["x"]}"#),
    )
    .await
    .json();
    assert_eq!(
        (wrong["errors"][0]["path"].as_str(), wrong["errors"][1]["path"].as_str()),
        (Some("name"), Some("scope.0"))
    );
}

async fn a_token_hands_on_only_what_it_holds(db: TestDb) {
    let house = house(&db);
    let made = house
        .doors
        .create_token(
            &Caller::operator(),
            &token("admin", &["access.tokens", "records.*"], None),
        )
        .await
        .unwrap();
    let subject = house
        .kernel
        .access
        .identify(Credential::Bearer(&made.secret), None)
        .await
        .unwrap()
        .unwrap();
    let caller = Caller {
        subject,
        request_id: None,
    };
    let make = async |scope: &[&str]| {
        house
            .doors
            .create_token(&caller, &token("t", scope, None))
            .await
            .is_ok()
    };
    assert!(make(&["records.write"]).await);
    assert!(make(&["records.*"]).await);
    assert!(!make(&["*"]).await);
    assert!(!make(&["jobs.read"]).await);
    assert!(!make(&["access.*"]).await);
    assert!(
        house
            .kernel
            .access
            .check(&caller, TOKENS, &Object::House)
            .await
            .unwrap()
    );
}

async fn guesses_are_slowed_down(db: TestDb) {
    let house = house(&db);
    let peer = Some("192.0.2.1".parse().unwrap());
    let guess = async |n: u32| {
        house
            .kernel
            .access
            .identify(Credential::Bearer(&format!("guess {n}")), peer)
            .await
    };
    for n in 0..30 {
        assert!(guess(n).await.unwrap().is_none());
    }
    assert_eq!(guess(31).await.unwrap_err().code(), crate::kernel::error::Code::TooMany);
    let other = house
        .kernel
        .access
        .identify(Credential::Bearer("guess"), Some("192.0.2.2".parse().unwrap()))
        .await;
    assert!(other.unwrap().is_none(), "others are not held up");
}

crate::both!(
    the_setup_link_works_once,
    a_setup_link_expires,
    tokens_come_and_go,
    a_token_hands_on_only_what_it_holds,
    guesses_are_slowed_down,
);
