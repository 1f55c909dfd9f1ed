//! How fast somebody may ask, told by what a trusted proxy says about them; and pages of other sites that may use the API.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_fast_is_told_when_to_ask_again() {
    let site = Site::start_with(sqlite().await, |http| {
        http.trusted_proxies = vec!["127.0.0.1".to_owned()];
        (http.reads_per_minute, http.writes_per_minute) = (1, 1);
    })
    .await;
    let read = |address: &str| site.get("/api/things/1").header("x-forwarded-for", address);
    assert_eq!(read("192.0.2.1").send().await.unwrap().status(), 200);
    let refused = read("192.0.2.1").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let told: Value = refused.json().await.unwrap();
    is_problem(StatusCode::TOO_MANY_REQUESTS, &told, Code::TooMany);
    assert_eq!(read("192.0.2.2").send().await.unwrap().status(), 200, "another address");
    let page = site.get("/token").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(page.send().await.unwrap().status(), 429, "pages are read, too");
    let live = site.get("/static/nothing").header("x-forwarded-for", "192.0.2.1");
    assert_ne!(
        live.send().await.unwrap().status(),
        429,
        "what pages are made of is not counted"
    );
    // A token counts for itself wherever it comes from, and to write is another kind.
    let write = |address: &str| site.create(&json!({"name": "a"})).header("x-forwarded-for", address);
    assert_eq!(write("192.0.2.1").send().await.unwrap().status(), 201);
    assert_eq!(write("192.0.2.4").send().await.unwrap().status(), 429);
    // This machine itself has no limit.
    for _ in 0..10 {
        assert_eq!(site.get("/api/things/1").send().await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_use_the_api_with_a_token() {
    const THEIRS: &str = "https://research.example.org";
    let site = Site::start_with(sqlite().await, |http| http.cors_origins = vec![THEIRS.to_owned()]).await;
    let asks = |origin: &str, path: &str| {
        let request = site.client.request(reqwest::Method::OPTIONS, site.url(path));
        let request = request.header("origin", origin);
        request.header("access-control-request-method", "POST").send()
    };
    let answer = asks(THEIRS, "/api/things").await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-origin"], THEIRS);
    let sent = answer.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(sent.contains("authorization") && sent.contains("if-match"), "{sent}");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    for (origin, path) in [
        ("https://elsewhere.example.org", "/api/things"),
        (THEIRS, "/form"),
        ("null", "/api/things"),
    ] {
        let answer = asks(origin, path).await.unwrap();
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{origin} {path}"
        );
    }
    let read = site.get("/api/things/1").header("origin", THEIRS).send().await.unwrap();
    assert_eq!(read.headers()["access-control-allow-origin"], THEIRS);
    assert!(read.headers().get_all("vary").iter().any(|value| value == "origin"));
    let plain = site.get("/api/things/1").send().await.unwrap();
    assert!(!plain.headers().contains_key("access-control-allow-origin"));
    // To change something it needs a token; a cookie that a browser sends along is not theirs to use.
    let body = json!({"name": "a"});
    let with_token = site
        .create(&body)
        .header("origin", THEIRS)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(with_token.send().await.unwrap().status(), 201);
    let with_cookie = site.client.post(site.url("/api/things")).json(&body);
    let with_cookie = with_cookie.header("cookie", "session=secret").header("origin", THEIRS);
    problem(with_cookie, Code::BadOrigin).await;
    let other = site.create(&body).header("origin", "https://elsewhere.example.org");
    problem(other, Code::BadOrigin).await;
}
