//! A reader changes the language in the footer: the same page in Swedish, which stays, fits a phone and can be taken back.

use super::browser::{Browser, Look};

#[tokio::test]
async fn a_page_is_read_in_swedish_and_back() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/search?type=exhibit").await;
    browser.wait_for_text("[role=status]", "records").await;
    // What the page is about meanwhile counts, not where it was opened.
    browser.click_link("Silver").await;
    browser.wait_for_text("[role=status]", "8 records").await;
    browser.click(".languages a[hreflang=sv]").await;
    browser.wait_for_text("[role=status]", "8 poster").await;
    assert_eq!(browser.count("html[lang=sv]").await, 1);
    assert_eq!(browser.text(".languages [aria-current]").await, "Svenska");
    browser.open("/types").await;
    browser.wait_for_text("h1", "Samlingar").await;
    for width in [360, 320] {
        browser.set_width(width).await;
        for page in [
            "/",
            "/search?type=exhibit",
            "/search?q=nothingatall",
            "/types",
            "/types/exhibit",
            "/changes",
            "/docs",
            "/docs?q=etikett",
            "/docs/types",
            "/sign-in",
        ] {
            browser.open(page).await;
            assert_eq!(browser.count("html[lang=sv]").await, 1, "{page}");
            assert_eq!(
                browser.overflow().await,
                0,
                "{page} is wider than {width} pixels in Swedish"
            );
        }
    }
    browser.nothing_to_complain_about().await;
    browser.click(".languages a[hreflang=en]").await;
    browser.wait_for_text("h1", "Sign in").await;
    browser.close().await;
}

#[tokio::test]
async fn the_manual_is_searched_and_read_in_either_language() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/docs?lang=sv").await;
    browser.wait_for_text("h1", "Dokumentation").await;
    browser.fill("#docs-q", "lösennycklar").await;
    browser.click("main form[role=search] button").await;
    browser.wait_for_text("#docs-found", "i handboken").await;
    browser.picture("manual", "found-in-swedish").await;
    browser.click_link("Lösennycklar").await;
    browser.wait_for_text("article h1", "Konton").await;
    assert_eq!(browser.count("article[lang=sv] #passkeys").await, 1);
    browser.picture("manual", "chapter-in-swedish").await;
    browser.click_link("This page in English").await;
    browser.wait_for_text("article h1", "Accounts").await;
    assert_eq!(browser.count("article[lang=en] #passkeys").await, 1);
    browser.click_link("Sidan på svenska").await;
    browser.wait_for_text("article h1", "Konton").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
