//! What every request meets, whatever its handler: problems, hosts, forms, headers, limits, an orderly end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems() {
    let site = Site::start(sqlite().await).await;
    problem(site.get("/nowhere"), Code::NotFound).await;
    problem(site.client.delete(site.url("/api/things")), Code::MethodNotAllowed).await;
    problem(site.get("/api/things/many"), Code::BadRequest).await;
    problem(site.get("/api/things/1?x=%00"), Code::BadRequest).await;
    problem(site.get("/breaks"), Code::Internal).await;
    problem(
        site.client.post(site.url("/api/things")).json(&json!({"name": "a"})),
        Code::Unauthenticated,
    )
    .await;
    problem(site.get("/api/things/1").bearer_auth("wrong"), Code::Unauthenticated).await;
    problem(site.create(&json!({"nam": "a"})), Code::Invalid).await;
    let refused = problem(site.create(&json!({"name": "refused"})), Code::Invalid).await;
    assert_eq!(refused["errors"][0]["path"], "name");
    let post = || site.client.post(site.url("/api/things")).bearer_auth("secret");
    problem(post().body("name=a"), Code::UnsupportedMedia).await;
    let deep = "[".repeat(100_000);
    problem(
        post().header("content-type", "application/json").body(deep),
        Code::BadRequest,
    )
    .await;
    problem(
        post()
            .header("content-type", "application/json")
            .body(vec![b' '; 3 << 20]),
        Code::TooLarge,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_pages_and_programs_get_json() {
    let site = Site::start(sqlite().await).await;
    let page = site
        .get("/nowhere")
        .header("accept", "text/html,*/*;q=0.8")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 404);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().contains("not-found"));
    let json = site
        .get("/nowhere")
        .header("accept", "application/json, text/html;q=0.5")
        .send()
        .await
        .unwrap();
    assert_eq!(json.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_other_sites_are_refused() {
    let site = Site::start(sqlite().await).await;
    problem(site.get("/api/things/1").header("host", "evil.example"), Code::BadHost).await;
    for host in ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80"] {
        assert_eq!(
            site.get("/api/things/1")
                .header("host", host)
                .send()
                .await
                .unwrap()
                .status(),
            200,
            "{host}"
        );
    }
    let thing = json!({"name": "a"});
    problem(
        site.create(&thing).header("origin", "http://evil.example"),
        Code::BadOrigin,
    )
    .await;
    problem(site.create(&thing).header("origin", "null"), Code::BadOrigin).await;
    problem(
        site.create(&thing).header("sec-fetch-site", "cross-site"),
        Code::BadOrigin,
    )
    .await;
    problem(
        site.create(&thing).header("sec-fetch-site", "same-site"),
        Code::BadOrigin,
    )
    .await;
    assert_eq!(site.things.made.load(Ordering::SeqCst), 0);
    let own = format!("http://{}", site.address);
    assert_eq!(
        site.create(&thing).header("origin", own).send().await.unwrap().status(),
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_an_address_is_refused() {
    let site = Site::start(sqlite().await).await;
    let secret = format!("{}{}", crate::kernel::access::TOKEN_PREFIX, "0123456789".repeat(4));
    for path in [
        "/api/things/1?access_token=x".to_owned(),
        format!("/api/things/1?token={secret}"),
        format!("/api/things/{secret}"),
        format!("/api/things/1?x=1&key=Bearer%20{secret}"),
    ] {
        let told = problem(site.get(&path), Code::BadRequest).await;
        let words = told["detail"].as_str().unwrap();
        assert!(words.contains("Authorization: Bearer"), "{path}: {told}");
    }
    // What only looks a little like one is a word as others are.
    let plain = site.get("/api/things/1?q=vitrine_cases").send().await.unwrap();
    assert_eq!(plain.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_cookie_needs_its_token() {
    let site = Site::start(sqlite().await).await;
    let cookie = "vitrine_operator=secret";
    let send = |text: String| {
        let request = site.client.post(site.url("/form")).header("cookie", cookie);
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(text)
    };
    problem(send("name=a".to_owned()), Code::BadOrigin).await;
    problem(send(format!("name=a&csrf={}", "0".repeat(96))), Code::BadOrigin).await;
    let page = || async {
        site.get("/token")
            .header("cookie", cookie)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let (first, second) = (page().await, page().await);
    assert_ne!(first, second, "no two pages show the same token");
    for token in [first, second] {
        let answer = send(format!("name=tea+pot&csrf={token}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (200, "tea pot")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_good_manners() {
    let site = Site::start(sqlite().await).await;
    let answer = site
        .get("/api/things/1")
        .header("x-request-id", "my-request.1")
        .send()
        .await
        .unwrap();
    let headers = answer.headers();
    assert_eq!(headers["x-request-id"], "my-request.1");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["etag"], "\"7\"");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    assert!(!headers.contains_key("access-control-allow-origin"));
    let hostile = site
        .get("/api/things/1")
        .header("x-request-id", "a b<script>")
        .send()
        .await
        .unwrap();
    assert_ne!(hostile.headers()["x-request-id"], "a b<script>");
    let private = site.get("/api/things/1").bearer_auth("secret").send().await.unwrap();
    assert_eq!(private.headers()["cache-control"], "no-store");
    let known = site
        .get("/api/things/1")
        .header("if-none-match", "W/\"7\"")
        .send()
        .await
        .unwrap();
    assert_eq!(known.status(), 304);
    // Kept before somebody signed in, it is not what they see now.
    let signed_in = site
        .get("/api/things/1")
        .header("cookie", "vitrine_operator=secret")
        .header("if-none-match", "W/\"7\"")
        .send()
        .await
        .unwrap();
    assert_eq!(signed_in.status(), 200);
    let head = site.client.head(site.url("/api/things/1")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().len()), (200, 0));
    let slash = site.get("/api/things/1/?a=b").send().await.unwrap();
    assert_eq!(
        (slash.status().as_u16(), slash.headers()["location"].to_str().unwrap()),
        (308, "/api/things/1?a=b")
    );
    assert_eq!(site.get("//evil.example/").send().await.unwrap().status(), 404);
    assert!(
        site.get("/robots.txt")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("/sitemap.xml")
    );
    let map = site.get("/sitemap.xml").send().await.unwrap().text().await.unwrap();
    assert!(
        map.contains("<loc>http://localhost/</loc>") && map.ends_with("</urlset>\n"),
        "{map}"
    );
    assert_eq!(
        site.get("/favicon.ico").send().await.unwrap().headers()["content-type"],
        "image/svg+xml"
    );
    let climbing = site.get("/static/-/..%2f..%2f..%2fCargo.toml").send().await.unwrap();
    assert_eq!(climbing.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_breaks_no_request_and_takes_no_new_one() {
    let site = Site::start(sqlite().await).await;
    let request = tokio::spawn(site.get("/slow").send());
    site.things.entered.notified().await;
    site.stop.cancel();
    // Asked to stop while the handler is at work: the stop waits for its answer.
    site.things.go_on.notify_one();
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "done");
    site.served.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(site.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_and_too_large_headers_are_refused() {
    let site = Site::start(sqlite().await).await;
    for head in ["x: y\r\n".repeat(200), format!("x: {}\r\n", "y".repeat(100_000))] {
        let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
        let text = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n");
        // The server may answer and close before it has read all.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = vec![0; 12];
        let read = stream.read_exact(&mut answer).await;
        assert!(
            read.is_err() || answer == b"HTTP/1.1 431",
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(site.get("/api/things/1").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_whole() {
    let db = sqlite().await;
    let web = routes(&Things::default()).into_router(Setup::new(kernel(&db))).unwrap();
    let document: Value = serde_json::from_slice(&web.context.openapi).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let create = &document["paths"]["/api/things"]["post"];
    assert_eq!(create["x-permission"], "things.write");
    assert_eq!(create["operationId"], "things.create");
    assert!(create["responses"]["default"].is_object());
    assert!(document["components"]["schemas"]["ProblemDocument"].is_object());
    for fact in web.table.iter().filter(|fact| fact.in_openapi) {
        let operation = &document["paths"][&fact.path][fact.method.as_str().to_ascii_lowercase()];
        assert_eq!(
            operation["x-permission"], fact.permission.0,
            "{} {}",
            fact.method, fact.path
        );
    }
    let twice = routes(&Things::default()).merge(routes(&Things::default()));
    assert!(twice.into_router(Setup::new(kernel(&sqlite().await))).is_err());
}
