//! Pictures of accounts: brought by their owners, seen by whoever is signed in, gone with the account.

use base64::Engine as _;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{PASSWORD, Visitor, operator, person};

both!(a_picture_is_seen_by_whoever_is_signed_in);

/// One transparent point.
const POINT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn point() -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(POINT).unwrap()
}

async fn a_picture_is_seen_by_whoever_is_signed_in(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", Some("administrator")).await;
    let id = person(&app, "grace", None).await;
    let (mut ada, mut grace, mut stranger) = (Visitor::new(&app), Visitor::new(&app), Visitor::new(&app));
    ada.sign_in("ada", PASSWORD).await;
    grace.sign_in("grace", PASSWORD).await;
    // What is no picture is refused beside the field, and nothing is kept.
    let html = b"<html><script>alert(1)</script></html>".to_vec();
    for (content, words) in [
        (Vec::new(), "PNG or JPEG"),
        (html, "PNG or JPEG"),
        (point()[..40].to_vec(), "damaged"),
        ([point(), vec![0; 1 << 20]].concat(), "At most 1 MB"),
    ] {
        let refused = grace.post_file("/account/picture", "picture", &content).await;
        assert!(
            refused.status == 422 && refused.text().contains(words),
            "{words}: {} {}",
            refused.status,
            refused.text()
        );
    }
    assert_eq!(
        stranger.post_file("/account/picture", "picture", &point()).await.status,
        401
    );
    // What stands behind the picture goes.
    let more = [point(), b"<script>alert(1)</script>".to_vec()].concat();
    let saved = grace.post_file("/account/picture", "picture", &more).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let cookies = saved.headers.get_all("set-cookie").iter();
    let face = cookies
        .map(|c| c.to_str().unwrap())
        .find_map(|c| c.strip_prefix("face=")?.split(';').next())
        .unwrap()
        .to_owned();
    let path = format!("/people/{id}/picture?v={face}");
    assert!(
        grace.get("/account").await.text().contains(&path),
        "it stands on her page"
    );
    grace.cookie.push_str(&format!("; face={face}"));
    let house = grace.get("/").await.text();
    assert!(house.contains(&path), "and in the head of every page: {house}");
    let shown = ada.get(&path).await;
    assert_eq!((shown.status.as_u16(), shown.body.to_vec()), (200, point()));
    assert_eq!(shown.header("content-type").as_deref(), Some("image/png"));
    assert_eq!(shown.header("x-content-type-options").as_deref(), Some("nosniff"));
    assert!(shown.header("cache-control").unwrap().starts_with("private"));
    assert!(shown.header("content-security-policy").unwrap().contains("sandbox"));
    assert!(ada.get("/people").await.text().contains(&path));
    let told = operator(&app, Method::GET, "/api/people/grace", json!({})).await;
    assert_eq!(told["picture"], path);
    assert_eq!(
        stranger.get(&path).await.status,
        404,
        "nobody else may know that there is one"
    );
    assert_eq!(ada.get("/people/x/picture").await.status, 404);
    let export = grace.get("/account/export").await.json();
    assert_eq!(export["picture"]["base64"], POINT);
    assert!(export["changes"].to_string().contains("account.picture"), "{export}");
    // Taken away; another one goes with the account.
    assert_eq!(grace.post("/account/picture/remove", &[]).await.status, 303);
    assert_eq!(ada.get(&path).await.status, 404);
    grace.post_file("/account/picture", "picture", &point()).await;
    operator(&app, Method::DELETE, "/api/people/grace", json!({})).await;
    assert_eq!(ada.get(&path).await.status, 404);
    let kept: Vec<(i64,)> = sql("SELECT COUNT(*) FROM account_picture").all(&*db).await.unwrap();
    assert_eq!(kept[0].0, 0);
    app.stop().await;
}
