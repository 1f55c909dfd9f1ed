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
