//! Finding records over HTTP on the whole app: written through the API, followed into the index, asked for by everybody.

mod map;
mod suggest;
mod timeline;

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::app::{App, Plan, Roles, Running};
use vitrine::both;
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::http::local;
use vitrine::kernel::testing::TestDb;

both!(
    counts_and_filters,
    a_cursor_reaches_every_record_once,
    a_write_is_found_by_who_waits_for_it,
    wrong_questions_are_refused,
    what_is_hidden_is_neither_found_nor_counted,
    numbers_and_years_are_found
);

/// An index that is not open by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

struct House {
    running: Running,
    anyone: axum::Router,
    operator: axum::Router,
    /// Of somebody who is signed in and sees no restricted field.
    token: String,
    _db: TestDb,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

async fn ask(router: &axum::Router, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let response = router.clone().oneshot(request.unwrap()).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

impl House {
    async fn open(db: TestDb) -> Self {
        let sources = Sources::default()
            .flag("data.dir", db.folder().join("house").display().to_string(), "--data")
            .flag("database.url", db.url(), "--database")
            .flag("http.bind", "127.0.0.1:0", "--bind");
        let config = load(&sources).unwrap().config;
        let roles = Roles {
            web: true,
            ..Roles::default()
        };
        let plan = Plan {
            roles,
            ..Plan::default()
        };
        let app = App::build(config, plan).await.unwrap();
        let anyone = app.web().unwrap().router;
        let operator = local(anyone.clone());
        let running = app.start().await.unwrap();
        let made = ask(&operator, "POST", "/api/tokens", None, Some(&json!({"name": "desk"}))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let token = made.body["secret"].as_str().unwrap().to_owned();
        let house = Self {
            running,
            anyone,
            operator,
            token,
            _db: db,
        };
        let begun = house
            .send(
                "/api/types",
                &json!({
                    "name": "vase", "title": "title",
                    "fields": [
                        {"name": "title", "kind": "text", "column": true},
                        {"name": "material", "kind": "term", "facet": true},
                        {"name": "colour", "kind": "term", "facet": true, "repeated": true},
                        {"name": "year", "kind": "integer", "facet": true},
                        {"name": "made", "kind": "date"},
                        {"name": "height", "kind": "number"},
                        {"name": "keeper", "kind": "term", "facet": true, "level": "members"},
                        {"name": "donor", "kind": "term", "facet": true, "level": "restricted"}
                    ]
                }),
            )
            .await;
        // Questions may come before the index has been opened; these are about its answers.
        let open = house
            .running
            .kernel
            .search
            .wait_for(begun.parse().unwrap(), PATIENCE)
            .await;
        assert!(open.unwrap(), "the index is open");
        house
    }

    /// Writes as the operator; answers where the ledger stands then.
    async fn send(&self, path: &str, body: &Value) -> String {
        let answer = ask(&self.operator, "POST", path, None, Some(body)).await;
        assert_eq!(answer.status, 201, "{path} {}", answer.body);
        answer.headers["ledger-position"].to_str().unwrap().to_owned()
    }

    async fn put(&self, visibility: &str, document: Value) -> String {
        let body = json!({"type": "vase", "visibility": visibility, "document": document});
        self.send("/api/records", &body).await
    }

    async fn find(&self, question: &str) -> Value {
        let answer = ask(&self.anyone, "GET", &format!("/api/search?{question}"), None, None).await;
        assert_eq!(answer.status, 200, "{question} {}", answer.body);
        answer.body
    }

    async fn refused(&self, question: &str) -> (u16, String) {
        let answer = ask(&self.anyone, "GET", &format!("/api/search?{question}"), None, None).await;
        (
            answer.status,
            answer.body["detail"].to_string() + &answer.body["errors"].to_string(),
        )
    }

    async fn close(self) {
        self.running.stop().await;
    }

    /// A page as everybody sees it.
    async fn page(&self, path: &str) -> (u16, String) {
        let request = Request::builder().uri(path).header(header::HOST, "localhost");
        let answer = self.anyone.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

fn titles(answer: &Value) -> Vec<&str> {
    let mut titles: Vec<&str> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["title"].as_str().unwrap())
        .collect();
    titles.sort_unstable();
    titles
}

/// A facet's counts, what is missing as `-`.
fn counts(answer: &Value, field: &str) -> Vec<(String, u64)> {
    answer["facets"][field]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| {
            (
                v["value"].as_str().unwrap_or("-").to_owned(),
                v["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn pairs(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(value, n)| ((*value).to_owned(), *n)).collect()
}

async fn counts_and_filters(db: TestDb) {
    let house = House::open(db).await;
    for (title, material, colour) in [
        ("a", Some("clay"), "red"),
        ("b", Some("clay"), "blue"),
        ("c", Some("glass"), "red"),
        ("d", None, "red"),
    ] {
        house
            .put(
                "public",
                json!({"title": title, "material": material, "colour": [colour]}),
            )
            .await;
    }
    let all = house.find("type=vase&facet=material&facet=colour&wait=true").await;
    assert_eq!(all["total"], 4);
    assert_eq!(counts(&all, "material"), pairs(&[("clay", 2), ("glass", 1), ("-", 1)]));
    let sum: u64 = counts(&all, "material").iter().map(|(_, n)| n).sum();
    assert_eq!(Some(sum), all["total"].as_u64(), "with what is missing it is all");
    let or = house
        .find("filter=material:clay&filter=material:glass&facet=material")
        .await;
    assert_eq!(titles(&or), ["a", "b", "c"]);
    assert_eq!(
        counts(&or, "material").len(),
        3,
        "a facet is not narrowed by its own filter"
    );
    let and = house
        .find("filter=material:clay&filter=colour:red&facet=material&facet=colour")
        .await;
    assert_eq!(titles(&and), ["a"]);
    assert_eq!(counts(&and, "material"), pairs(&[("clay", 1), ("glass", 1), ("-", 1)]));
    assert_eq!(counts(&and, "colour"), pairs(&[("blue", 1), ("red", 1)]));
    assert_eq!(
        titles(&house.find("filter=material").await),
        ["d"],
        "without a value it is what is missing"
    );
    assert_eq!(house.find("limit=0&facet=material").await["items"], json!([]));
    house.close().await;
}

async fn a_cursor_reaches_every_record_once(db: TestDb) {
    let house = House::open(db).await;
    for n in 0..7 {
        house
            .put("public", json!({"title": format!("vase {n}"), "year": n % 3}))
            .await;
    }
    for sort in ["relevance&q=vase", "-year", "title", "created"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = house.find(&format!("sort={sort}&limit=2&wait=true{cursor}")).await;
            assert_eq!(page["total"], 7);
            seen.extend(titles(&page).into_iter().map(str::to_owned));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 7, "{sort}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7, "{sort}");
    }
    let next = house.find("sort=title&limit=2").await["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        house.refused(&format!("sort=-title&limit=2&cursor={next}")).await.0,
        400
    );
    assert_eq!(house.refused("cursor=nonsense").await.0, 400);
    house.close().await;
}

async fn a_write_is_found_by_who_waits_for_it(db: TestDb) {
    let house = House::open(db).await;
    for n in 0..5 {
        let position = house.put("public", json!({"title": format!("bowl{n}")})).await;
        let answer = ask(
            &house.anyone,
            "GET",
            &format!("/api/search?q=bowl{n}&after={position}"),
            None,
            None,
        )
        .await;
        assert_eq!(titles(&answer.body), [format!("bowl{n}")]);
        assert!(answer.body.get("behind").is_none());
        assert!(answer.headers.contains_key("ledger-position"));
    }
    let far = house.find("q=bowl1&after=999999999999.1").await;
    assert_eq!(
        far["behind"], true,
        "what is not there yet is said, not waited for without end"
    );
    assert_eq!(house.refused("after=yesterday").await.0, 400);
    house.close().await;
}

async fn wrong_questions_are_refused(db: TestDb) {
    let house = House::open(db).await;
    let (status, text) = house.refused("type=vaze").await;
    assert_eq!(status, 404);
    assert!(text.contains("Did you mean") && text.contains("vase"), "{text}");
    for question in ["facet=materiel", "filter=materiel:clay", "sort=materiel"] {
        let (status, text) = house.refused(question).await;
        assert_eq!(status, 422, "{question} {text}");
        assert!(text.contains("material"), "{text}");
    }
    assert_eq!(house.refused("limit=201").await.0, 422);
    assert_eq!(house.refused("facets=material").await.0, 400);
    // A hidden field is not there: neither its name nor the nearest one is told.
    let (status, text) = house.refused("facet=donr").await;
    assert_eq!(status, 422);
    assert!(!text.contains("\\\"donor\\\""), "{text}");
    let long = house.find(&format!("q={}", "a".repeat(11_000))).await;
    assert!(long["hints"][0].as_str().unwrap().contains("10000 bytes"), "{long}");
    house.close().await;
}

async fn what_is_hidden_is_neither_found_nor_counted(db: TestDb) {
    let house = House::open(db).await;
    let document =
        |title: &str, donor: &str| json!({"title": title, "keeper": "Ines", "donor": donor, "material": "clay"});
    house.put("public", document("open", "Rosamund")).await;
    house.put("members", document("inner", "Rosamund")).await;
    house.put("restricted", document("closed", "Ludovic")).await;
    let (anyone, operator, token) = (&house.anyone, &house.operator, Some(house.token.as_str()));
    for (who, router, token, visible, keepers, donors) in [
        ("anyone", anyone, None, vec!["open"], 0, 0),
        ("token", anyone, token, vec!["inner", "open"], 2, 0),
        ("operator", operator, None, vec!["closed", "inner", "open"], 3, 2),
    ] {
        let find = async |question: &str| {
            let path = format!("/api/search?wait=true&{question}");
            ask(router, "GET", &path, token, None).await
        };
        let all = find("facet=material").await.body;
        assert_eq!(titles(&all), visible, "{who}");
        assert_eq!(
            counts(&all, "material"),
            pairs(&[("clay", visible.len() as u64)]),
            "{who}"
        );
        assert_eq!(find("q=Ines").await.body["total"], keepers, "{who}");
        for question in ["q=Rosamund", "q=donor:Rosamund"] {
            assert_eq!(find(question).await.body["total"], donors, "{who} {question}");
        }
        // Who sees no donor at all learns nothing from the opposite either.
        let without = if donors == 0 { visible.len() } else { 1 };
        assert_eq!(find("q=-Rosamund").await.body["total"], without, "{who}");
        for question in ["facet=donor", "filter=donor:Rosamund", "sort=donor"] {
            let want = if donors == 0 { 422 } else { 200 };
            assert_eq!(find(question).await.status, want, "{who} {question}");
        }
        for item in all["items"].as_array().unwrap() {
            assert_eq!(item["fields"].get("donor").is_some(), donors > 0, "{who}");
            assert_eq!(item["fields"].get("keeper").is_some(), keepers > 0, "{who}");
        }
    }
    house.close().await;
}

async fn numbers_and_years_are_found(db: TestDb) {
    let house = House::open(db).await;
    house
        .put(
            "public",
            json!({"title": "old", "year": 1883, "made": "1883-04", "height": 12.5}),
        )
        .await;
    house
        .put(
            "public",
            json!({"title": "new", "year": 1979, "made": "1979-12-06", "height": 13}),
        )
        .await;
    for (question, want) in [
        ("year:1979", "new"),
        ("year:1883..1890", "old"),
        ("year:%3E1883", "new"),
        ("made:1979", "new"),
        ("made:1883-04", "old"),
        ("height:12.5", "old"),
        ("height:13", "new"),
        ("1979", "new"),
        ("-1979", "old"),
    ] {
        let found = house.find(&format!("wait=true&q={question}")).await;
        assert_eq!(titles(&found), [want], "{question}");
    }
    house.close().await;
}
