//! What changes something is sent from here: every form refuses to be sent without its token, and every unsafe route
//! refuses what a page of another site sends.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use tower::ServiceExt;
use vitrine::kernel::http::local;
use vitrine::kernel::testing;

use crate::house::House;

const FORM: &str = "application/x-www-form-urlencoded";

/// A path of the table with something in place of its names.
fn filled(path: &str) -> String {
    let mut parts = path.split('{');
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        all.push('1');
        all.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    all
}

/// Status and code of the answer.
async fn answer(router: &Router, request: Request<Body>) -> (u16, String) {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_needs_its_token() {
    let db = testing::sqlite().await;
    let house = House::new(&db).await;
    let web = house.web();
    let operator = local(web.router.clone());
    let forms = web
        .table
        .iter()
        .filter(|fact| !fact.in_openapi && !fact.method.is_safe());
    let (mut seen, mut wrong) = (0, Vec::new());
    for fact in forms {
        seen += 1;
        for kind in [FORM, "multipart/form-data; boundary=x"] {
            let request = Request::builder()
                .method(&fact.method)
                .uri(filled(&fact.path))
                .header(header::HOST, "localhost")
                .header(header::ACCEPT, "application/json")
                .header(header::COOKIE, "session=somebody")
                .header(header::CONTENT_TYPE, kind)
                .body(Body::from(if kind == FORM { "a=b" } else { "--x--\r\n" }))
                .expect("a request");
            let (status, code) = answer(&operator, request).await;
            // A form is read as one kind and is not understood as the other.
            if code != "bad-origin" && status != 415 {
                wrong.push(format!("{} {} {kind}: {status} {code}", fact.method, fact.path));
            }
        }
    }
    assert!(seen > 10, "only {seen} forms found");
    assert!(wrong.is_empty(), "sent without a token:\n{}", wrong.join("\n"));
    house.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_from_another_site() {
    let db = testing::sqlite().await;
    let house = House::new(&db).await;
    let web = house.web();
    let mut wrong = Vec::new();
    for fact in web.table.iter().filter(|fact| !fact.method.is_safe()) {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = Request::builder()
                .method(&fact.method)
                .uri(filled(&fact.path))
                .header(header::HOST, "localhost")
                .header(header::ACCEPT, "application/json")
                .header(name, value)
                .body(Body::empty())
                .expect("a request");
            let (status, code) = answer(&web.router, request).await;
            if code != "bad-origin" {
                wrong.push(format!(
                    "{} {} {name}: {value}: {status} {code}",
                    fact.method, fact.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "taken from another site:\n{}", wrong.join("\n"));
    house.app.close().await;
}
