//! The pages of the documentation, rendered.

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt;

use super::wire;
use crate::kernel::bus::Bus;
use crate::kernel::error::Code;
use crate::kernel::http::Setup;
use crate::kernel::testing::{kernel, sqlite};

#[tokio::test]
async fn every_page_renders_and_asks_nobody_else() {
    let db = sqlite().await;
    let kernel = kernel(&db);
    let module = wire(&kernel, &mut Bus::default()).unwrap();
    let router = module.routes().into_router(Setup::new(kernel)).unwrap().router;
    let mut paths = ["/docs", "/docs/api", "/docs/api/shapes", "/docs/errors", "/style"]
        .map(str::to_owned)
        .to_vec();
    paths.extend(
        super::manual::chapters()
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
