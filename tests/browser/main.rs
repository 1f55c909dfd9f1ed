//! Journeys of people through the real app in a real browser: with and without scripts, on a phone, by keyboard.
//! `tests/with-chromium cargo test --features testing --test browser` runs them. Nothing here waits for a time: each
//! step waits for what it needs to be there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a journey that cannot go on ends here"
)]

mod accounts;
mod browse;
mod browser;
mod comforts;
mod day;
mod desk;
mod editing;
mod finds;
mod house;
mod imports;
mod institution;
mod keeper;
mod kinds;
mod languages;
mod many;
mod map;
#[expect(dead_code, reason = "journeys take the good ways only")]
#[path = "../it/institutions/provider.rs"]
mod provider;
mod rights;
mod table;
mod trees;
mod types;
mod wizard;

use browser::{Browser, Look};
use house::{HOSTILE, house};

/// From the start page to the history of a record: what a visitor does, by links and forms alone.
async fn journey(browser: &Browser) {
    browser.open("/").await;
    browser.fill("main form[role=search] input[name=q]", "teapot").await;
    browser.click("main form[role=search] button").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    browser.click_link("Silver").await;
    browser.wait_for_text("[role=status]", "8 records").await;
    browser.wait_for_text(".chip.active", "Material: Silver").await;
    browser.click_link("Teapot 3").await;
    browser.wait_for_text("h1", "Teapot 3").await;
    assert!(browser.text("main").await.contains("Seen 7 times"));
    browser.click_link("The whole history").await;
    browser.wait_for_text("h1", "History of Teapot 3").await;
    assert_eq!(browser.count("ol.history > li").await, 8);
    browser.nothing_to_complain_about().await;
}

#[tokio::test]
async fn a_visitor_goes_from_the_start_page_to_the_history_of_a_record() {
    let browser = Browser::start(Look::Desktop).await;
    journey(&browser).await;
    browser.close().await;
}

#[tokio::test]
async fn the_same_works_without_scripts_on_a_phone() {
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    journey(&browser).await;
    browser.close().await;
}

#[tokio::test]
async fn no_page_is_wider_than_a_phone() {
    let browser = Browser::start(Look::Phone).await;
    let house = house();
    let mut pages: Vec<String> = [
        "/",
        "/search",
        "/search?view=cards&q=teapot",
        "/search?type=exhibit&filter=material:Silver&q=tea",
        "/search?type=exhibit&view=table&density=compact",
        "/search?type=exhibit&more=material&find=s",
        "/search?q=nothingatall",
        "/types",
        "/types/exhibit",
        "/changes",
        "/docs",
        "/docs/api",
        "/docs/api/records",
        "/docs/api/shapes",
        "/docs/errors",
        "/docs/errors/not-found",
    ]
    .map(str::to_owned)
    .to_vec();
    for id in [&house.teapot, &house.hostile] {
        pages.push(format!("/records/{id}"));
        pages.push(format!("/records/{id}/history"));
    }
    for width in [360, 320] {
        browser.set_width(width).await;
        for page in &pages {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
        browser.nothing_to_complain_about().await;
        // An address that answers with an error is told on the console by the browser itself.
        for page in ["/nowhere", "/jobs", &format!("/records/{}", house.deleted)] {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
        browser.forget_complaints().await;
    }
    browser.close().await;
}

#[tokio::test]
async fn the_pages_of_the_operator_fit_a_phone() {
    let browser = Browser::start(Look::Phone).await;
    browser.open(&house().setup_link().await).await;
    assert_eq!(browser.overflow().await, 0);
    house().go_in(&browser).await;
    for page in ["/jobs", "/jobs?state=failed", "/changes"] {
        browser.open(page).await;
        assert_eq!(browser.overflow().await, 0, "{page} is wider than a phone");
    }
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn the_slash_key_goes_to_the_search_box() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/types").await;
    browser.press("/").await;
    assert_eq!(browser.focused().await, "site-q");
    browser.press("teapot\u{e007}").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open(&format!("/records/{}", house().hostile)).await;
    assert_eq!(browser.text("h1").await, HOSTILE);
    assert!(browser.title().await.starts_with(HOSTILE));
    browser.open("/search?q=script").await;
    assert_eq!(browser.text(".plate h2 a").await, HOSTILE);
    assert_eq!(browser.count("main script, main img").await, 0);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn errors_say_what_happened_and_where_to_go() {
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/records/0190c0de-0000-7000-8000-000000000001").await;
    browser.wait_for_text("h1", "There is nothing here").await;
    browser.click_link("What this error means").await;
    browser.wait_for_text("main", "not-found").await;
    browser.open(&format!("/records/{}", house().deleted)).await;
    browser.wait_for_text("h1", "It was deleted").await;
    browser.fill("main form input[name=q]", "teapot").await;
    browser.click("main form button").await;
    browser.wait_for_text("[role=status]", "24 records").await;
    browser.close().await;
}
