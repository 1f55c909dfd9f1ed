//! Finding again: a search is kept under a name, opened, renamed, deleted and taken back; what is asked for is seen, and a
//! record featured, on a phone and by keys.

use super::browser::{Browser, Look};
use super::house::house;

#[tokio::test]
async fn a_search_is_kept_and_found_again() {
    let browser = Browser::start(Look::Phone).await;
    house().go_in(&browser).await;
    browser.open("/search/saved").await;
    browser.wait_for_text(".empty", "No saved searches yet").await;
    browser.open("/search?type=exhibit&q=teapot").await;
    browser.click("details.save summary").await;
    browser.replace("#save-name", "Pots of mine").await;
    browser.click("details.save button[type=submit]").await;
    browser.wait_for_text("main h1", "Saved searches").await;
    browser.wait_for_text(".saved-list", "Pots of mine").await;
    // The page of a search leads to its feeds.
    browser.click_link("Pots of mine").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    assert_eq!(browser.count("link[type=\"application/atom+xml\"]").await, 1);
    browser.open("/search/saved").await;
    browser.click(".saved-do > form button[name=watched]").await;
    browser.wait_for_text(".saved-what", "Nothing new since").await;
    browser.click(".saved-do details summary").await;
    browser.replace(".saved-do details input[name=name]", "Pots").await;
    browser.click(".saved-do details button.primary").await;
    browser.wait_for_text(".saved-list h2", "Pots").await;
    for width in [360, 320] {
        browser.set_width(width).await;
        for page in [
            "/search/saved",
            "/search?type=exhibit&q=teapot",
            "/search/asked",
            "/search/promoted",
        ] {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
    }
    browser.open("/search/saved").await;
    browser.click(".saved-do details summary").await;
    browser.click(".saved-do details button.danger").await;
    browser.wait_for_text(".toasts", "“Pots” was deleted").await;
    browser.click(".toast form button").await;
    browser.wait_for_text(".saved-list h2", "Pots").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn what_finds_nothing_is_seen_and_mended() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    browser.open("/search?q=samovar+nothingatall").await;
    browser.wait_for_text(".empty", "Nothing was found").await;
    browser.open("/search?type=exhibit&sort=title").await;
    let record = browser
        .script("return document.querySelector('[data-result]').href")
        .await;
    browser.open("/search/asked").await;
    browser.wait_for_text("main table", "samovar nothingatall").await;
    browser.click("main tbody tr a.button:last-child").await;
    browser.wait_for_text("h1", "Featured records").await;
    browser.replace("#words", "samovar nothingatall").await;
    browser.fill("#record", record.as_str().unwrap()).await;
    browser.click("main form button.primary").await;
    browser.wait_for_text("main table", "samovar nothingatall").await;
    browser.open("/search?q=samovar+nothingatall").await;
    browser.wait_for_text(".results", "FEATURED").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
