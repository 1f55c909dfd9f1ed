//! Finding one's way: search, narrow, sort, cards and table, by mouse, by keys, on a phone, without scripts.

use super::browser::{Browser, Look};
use super::house::house;

/// The page has been the same one since it was marked.
async fn mark(browser: &Browser) {
    browser.script("window.mark = 1").await;
}

async fn is_same_page(browser: &Browser) -> bool {
    browser.script("return window.mark === 1").await == true
}

#[tokio::test]
async fn narrowing_sorting_and_paging_never_leave_the_page() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/search?type=exhibit").await;
    mark(&browser).await;
    browser.click_link("Silver").await;
    browser.wait_for_text("[role=status]", "8 records").await;
    browser.fill("#from-1", "1812").await;
    browser.fill("#to-1", "1806").await;
    browser.click(".span-form button").await;
    browser.wait_for_text("[role=status]", "3 records").await;
    browser.wait_for_text(".chip.active", "Made: 1806 – 1812").await;
    browser.script("history.back()").await;
    browser.wait_for_text("[role=status]", "8 records").await;
    let sort = "const s = document.querySelector('#sort'); s.value = '-title'; s.dispatchEvent(new Event('change', {bubbles: true}))";
    browser.script(sort).await;
    browser.wait_for_text(".plates > li:first-child h2", "Teapot 24").await;
    browser.click_link("Table").await;
    browser.wait_for_text("tbody tr:first-child th", "Teapot 24").await;
    assert!(is_same_page(&browser).await);
    // Keys: next, next, back, open.
    for key in ["j", "j", "k"] {
        browser.press(key).await;
    }
    assert_eq!(
        browser.script("return document.activeElement.textContent").await,
        "Teapot 24"
    );
    browser.press("?").await;
    browser.wait_for_text("dialog .keys", "next and previous result").await;
    browser.press("\u{e00c}").await;
    browser.script("document.querySelector('[data-result]').focus()").await;
    browser.press("\u{e007}").await;
    browser.wait_for_text("h1", "Teapot 24").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn the_look_of_lists_is_kept_without_scripts() {
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    browser.open("/search?type=exhibit&view=table").await;
    browser.click("details.menu summary").await;
    browser.click(".choices input[value=story]").await;
    browser.click(".choices + button").await;
    browser.wait_for_text("thead", "Story").await;
    browser.open("/search?type=exhibit").await;
    browser.click_link("Table").await;
    browser.wait_for_text("thead", "Story").await;
    browser.open("/search?type=exhibit").await;
    browser.wait_for_text("thead", "Story").await;
    browser.click(".facets-open").await;
    browser.fill("#from-1", "1823").await;
    browser.click(".span-form button").await;
    browser.wait_for_text("[role=status]", "2 records").await;
    browser.click_link("Cards").await;
    browser.wait_for_text(".plate h2", "Teapot 24").await;
    assert_eq!(browser.overflow().await, 0);
    browser.close().await;
}

#[tokio::test]
async fn where_nothing_is_found_the_way_on_is_shown() {
    let browser = Browser::start(Look::Phone).await;
    browser.open("/search?q=teapot+nothingatall").await;
    browser
        .wait_for_text(".empty", "“teapot”, “nothingatall”, all of them")
        .await;
    browser.click_link("Without nothingatall").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn whoever_runs_the_house_sees_the_first_steps_until_they_are_put_away() {
    let browser = Browser::start(Look::Phone).await;
    browser.open("/").await;
    assert_eq!(browser.count(".checks, .tour").await, 0, "not for everybody");
    house().go_in(&browser).await;
    browser.wait_for_text(".checks", "Bring in a file").await;
    browser.click_link("I have one").await;
    browser.wait_for_text(".checks .done", "Make a backup").await;
    browser.click_link("Put away").await;
    browser.wait_for_text("h1", "records").await;
    assert_eq!(browser.count(".checks").await, 0);
    browser.open("/types").await;
    browser.fill("#q-1", "teapot").await;
    browser.press("\u{e007}").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    browser.close().await;
}
