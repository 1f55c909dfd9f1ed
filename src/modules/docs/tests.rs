//! The pages of the documentation, rendered.

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt;

use super::wire;
use crate::kernel::bus::Bus;
use crate::kernel::error::Code;
use crate::kernel::http::Setup;
use crate::kernel::i18n::Language;
use crate::kernel::testing::{kernel, sqlite};

async fn router() -> axum::Router {
    let db = sqlite().await;
    let kernel = kernel(&db);
    let module = wire(&kernel, &mut Bus::default()).unwrap();
    module.routes().into_router(Setup::new(kernel)).unwrap().router
}

async fn read(router: &axum::Router, path: &str, language: &str) -> String {
    let request = Request::get(path)
        .header("host", "localhost")
        .header("accept-language", language)
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_manual_speaks_with_its_reader() {
    let router = router().await;
    let swedish = read(&router, "/docs/start", "sv").await;
    for part in [
        "<html lang=\"sv\"",
        "<article class=\"prose-page\" lang=\"sv\">",
        "href=\"/docs/start?lang=en\" hreflang=\"en\" lang=\"en\"",
        "hreflang=\"sv\"",
        "hreflang=\"x-default\"",
        "<h2 id=\"become-the-operator\">",
    ] {
        assert!(swedish.contains(part), "{part}: {swedish}");
    }
    let english = read(&router, "/docs/start", "en").await;
    assert!(english.contains("href=\"/docs/start?lang=sv\" hreflang=\"sv\" lang=\"sv\""));
    assert!(english.contains("<article class=\"prose-page\" lang=\"en\">"));
    let found = read(&router, "/docs?q=driftansvarig", "sv").await;
    assert!(found.contains("href=\"/docs/start#become-the-operator\""), "{found}");
    let hostile = read(&router, "/docs?q=%3Cscript%3Ealert(1)%3C/script%3E&x=1", "en").await;
    assert!(!hostile.contains("<script>alert"), "{hostile}");
}

#[tokio::test]
async fn every_page_renders_and_asks_nobody_else() {
    let router = router().await;
    let mut paths = ["/docs", "/docs/api", "/docs/api/shapes", "/docs/errors", "/style"]
        .map(str::to_owned)
        .to_vec();
    paths.extend(
        super::manual::chapters(Language::default())
            .iter()
            .map(|chapter| format!("/docs/{}", chapter.name)),
    );
    paths.extend(Code::ALL.iter().map(|code| format!("/docs/errors/{}", code.as_str())));
    for path in paths {
        let request = Request::get(&path)
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("<h1>") && !text.contains("src=\"http"), "{path}");
    }
    let request = Request::get("/docs/errors/none")
        .header("host", "localhost")
        .body(Body::empty())
        .unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 404);
}
