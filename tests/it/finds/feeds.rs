//! Feeds of searches.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{CANARY, collection, put};

both!(a_feed_shows_what_its_reader_may_see);

async fn asked(app: &TestApp, path: &str, header: (&str, &str)) -> Answer {
    let request = app.unsigned(Method::GET, path).header(header.0, header.1);
    app.send(request, Bytes::new()).await
}

async fn a_feed_shows_what_its_reader_may_see(db: TestDb) {
    let app = TestApp::start(&db).await;
    collection(&app).await;
    let empty = app.get_anonymous("/search/feed.atom?q=teapot").await.ok();
    assert!(empty.text().contains("<feed xmlns=\"http://www.w3.org/2005/Atom\"") && !empty.text().contains("<entry>"));
    put(
        &app,
        "public",
        json!({"title": "First <teapot> & \"lid\"", "donor": CANARY, "material": "tin"}),
    )
    .await;
    db.clock().advance(60_000);
    put(&app, "restricted", json!({"title": format!("Teapot {CANARY}")})).await;
    db.clock().advance(60_000);
    let last = put(&app, "public", json!({"title": "Second teapot"})).await;
    put(&app, "public", json!({"title": "Spoon"})).await;
    let atom = app.get_anonymous("/search/feed.atom?q=teapot&sort=title").await.ok();
    let text = atom.text();
    assert_eq!(
        atom.header("content-type").as_deref(),
        Some("application/atom+xml; charset=utf-8")
    );
    assert_eq!(text.matches("<entry>").count(), 2, "{text}");
    assert!(
        text.contains("First &lt;teapot&gt; &amp; &quot;lid&quot;") && text.contains("tin"),
        "{text}"
    );
    assert!(
        text.find("Second teapot") < text.find("First &lt;"),
        "newest first: {text}"
    );
    assert!(!text.contains(CANARY) && !text.contains("Spoon"));
    assert!(text.contains(&format!("/records/{last}</id>")));
    // Asked again, nothing comes twice.
    let tag = atom.header("etag").unwrap();
    let again = asked(&app, "/search/feed.atom?q=teapot&sort=title", ("if-none-match", &tag)).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let since = atom.header("last-modified").unwrap();
    let again = asked(
        &app,
        "/search/feed.atom?q=teapot&sort=title",
        ("if-modified-since", &since),
    )
    .await;
    assert_eq!(again.status, 304);
    let before = asked(
        &app,
        "/search/feed.atom?q=teapot",
        ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT"),
    )
    .await;
    assert_eq!(before.status, 200);
    // JSON says the same; a token sees more, a token in the address is no token.
    let json = app.get_anonymous("/search/feed.json?q=teapot").await.ok();
    assert_eq!(
        json.header("content-type").as_deref(),
        Some("application/feed+json; charset=utf-8")
    );
    let feed = json.json();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["items"].as_array().unwrap().len(), 2, "{feed}");
    assert_eq!(feed["items"][0]["title"], "Second teapot");
    assert!(feed["items"][0]["date_published"].is_string() && feed["items"][1]["content_text"].is_string());
    assert!(!json.text().contains(CANARY));
    let signed = app.get("/search/feed.json?q=teapot").await.ok();
    assert!(signed.text().contains(CANARY) && signed.header("cache-control").unwrap().contains("private"));
    let secret = app.secret();
    let address = format!("/search/feed.json?q=teapot&token={secret}&access_token={secret}");
    assert!(!app.get_anonymous(&address).await.text().contains(CANARY));
    // The page of a search leads to its feeds.
    let page = super::page(&app, "/search?q=teapot&page=2").await.ok().text();
    for kind in [
        "application/atom+xml\" href=\"/search/feed.atom?q=teapot",
        "application/feed+json\" href=\"/search/feed.json?q=teapot",
    ] {
        assert!(
            page.contains(kind) && !page.contains("feed.atom?q=teapot&page"),
            "{kind}: {page}"
        );
    }
    // Whatever is asked, an answer comes.
    for odd in [
        "?q=((",
        "?type=nothing",
        "?filter=a",
        "?page=x",
        "?q=%00",
        "?sort=-nothing&filter=donor:x",
    ] {
        let answer = app.get_anonymous(&format!("/search/feed.atom{odd}")).await;
        assert!(answer.status.as_u16() < 500, "{odd}: {}", answer.status);
    }
    app.stop().await;
}
