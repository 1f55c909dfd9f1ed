//! The layout and the error page, rendered.

use axum::http::Request;
use scraper::{Html, Selector};

use super::*;
use crate::kernel::access::{Access, OPEN, Permission};
use crate::kernel::error::{Code, Error};
use crate::kernel::module::NavEntry;

async fn text(response: axum::response::Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn every_error_has_a_page_with_words() {
    for code in Code::ALL {
        let page = Page {
            request_id: "r-1".to_owned(),
            ..Page::bare("/x")
        };
        let response = error_page(&page, &Error::new(*code, "Because."));
        assert_eq!(response.status(), code.status());
        let html = text(response).await;
        assert!(html.contains("Because.") && html.contains("r-1"), "{}", code.as_str());
        assert!(html.len() < 50_000);
    }
}

#[tokio::test]
async fn hostile_words_stay_words() {
    let hostile = "</title><script>alert(1)</script>\" onload='x'";
    let page = Page {
        query: hostile.to_owned(),
        canonical: hostile.to_owned(),
        ..Page::bare("/x")
    };
    let html = text(error_page(&page, &Error::invalid(hostile, hostile))).await;
    assert!(!html.contains("<script>alert"), "{html}");
    let parsed = Html::parse_document(&html);
    let count = |s: &str| parsed.select(&Selector::parse(s).unwrap()).count();
    assert_eq!(count("script"), 1, "our own");
    assert_eq!(count("[onload]"), 0);
    assert_eq!(
        count("script:not([src]), style, [style], [onclick]"),
        0,
        "nothing is inline"
    );
}

#[tokio::test]
async fn the_navigation_shows_what_the_caller_may_use_and_where_it_is() {
    let entries = vec![
        NavEntry {
            label: "nav.jobs",
            href: "/jobs",
            permission: Permission("jobs.read"),
            order: 9,
        },
        NavEntry {
            label: "nav.search",
            href: "/search",
            permission: OPEN,
            order: 1,
        },
    ];
    let shell = Shell::new(entries, "https://collection.example/", Access::default());
    let mut request = Request::get("/search/more?q=a%20b")
        .header("cookie", "a=b; theme=dark")
        .body(())
        .unwrap();
    request.extensions_mut().insert(shell);
    let page = Page::of(&request.into_parts().0).await;
    assert_eq!(page.navigation.len(), 1, "anonymous callers see no jobs");
    assert!(page.navigation[0].current);
    assert_eq!(page.canonical, "https://collection.example/search/more");
    assert_eq!(page.here, "/search/more?q=a%20b");
    assert_eq!(page.theme, Some(Theme::Dark));
    let html = text(error_page(&page, &Error::not_found("page", "x"))).await;
    let parsed = Html::parse_document(&html);
    let one = |s: &str| parsed.select(&Selector::parse(s).unwrap()).next().is_some();
    for landmark in [
        "main#main",
        "header",
        "footer",
        "nav[aria-label]",
        "form[role=search]",
        "a.skip[href='#main']",
        "html[lang=en][data-theme=dark]",
    ] {
        assert!(one(landmark), "{landmark}");
    }
}
