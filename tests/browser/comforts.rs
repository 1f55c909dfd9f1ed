//! What scripts add: repeated fields, drafts that outlive a page, suggestions, the list of keys, dialogs.

use crate::browser::{Browser, Look};

const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn what_is_entered_outlives_the_page() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/style").await;
    browser.click("[data-repeat=maker] > [data-add]").await;
    browser.press("Edmund de Waal").await;
    assert_eq!(browser.count("[data-repeat=maker] > ol > li").await, 3);
    browser
        .click("[data-repeat=maker] > ol > li:last-child > .repeat-tools [data-move=up]")
        .await;
    browser
        .click("[data-repeat=number] > ol > li:first-child [data-remove]")
        .await;
    browser.open("/style").await;
    browser.wait_for_text("form .notice", "unsaved draft").await;
    browser.click("[data-restore]").await;
    let second = browser.value("[data-repeat=maker] > ol > li:nth-child(2) input").await;
    assert_eq!(second, "Edmund de Waal", "in the order it was left");
    assert_eq!(browser.count("[data-repeat=maker] > ol > li").await, 3);
    assert_eq!(browser.count("[data-repeat=number] > ol > li").await, 1);
    assert_eq!(browser.value("[data-repeat=number] input").await, "L.88");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_record_is_found_while_one_types() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/types").await;
    browser.press("/").await;
    browser.press("teapot 7").await;
    browser.wait_for_text(".combo-list [role=option]", "Teapot 7").await;
    browser.press(DOWN).await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "Teapot 7").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn keys_are_listed_and_dialogs_open_and_shut() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/style").await;
    browser.press("?").await;
    browser.wait_for_text("dialog[open] h2", "Keyboard").await;
    browser.press(ESCAPE).await;
    assert_eq!(browser.count("dialog[open]").await, 0);
    browser.click("[data-open=style-dialog]").await;
    browser.wait_for_text("dialog[open] h2", "Delete this record?").await;
    browser.click("dialog[open] .toolbar [data-close]").await;
    assert_eq!(browser.count("dialog[open]").await, 0);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
