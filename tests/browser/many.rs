//! A curator's journeys with many records: a collector corrected in forty of them and that taken back, labels printed, two
//! records put into one; with scripts and without.

use serde_json::json;

use super::browser::{Browser, Look};
use super::house::house;

/// Sixty shards, forty of them by J. Smith, in a collection of its own.
async fn shards(name: &str) {
    let collectors = (0..60).map(|n| if n < 40 { "J. Smith" } else { "A. Ray" });
    let rows = collectors
        .enumerate()
        .map(|(n, who)| format!("S{n:03},Shard {n},{who}\n"));
    let table = format!("number,title,collector\n{}", rows.collect::<String>());
    house().import(name, &table).await;
}

async fn total(name: &str, collector: &str) -> i64 {
    let filter = format!("/api/search?type={name}&filter=collector:{collector}&wait=true&limit=1");
    let found = house().ask("GET", &filter.replace(' ', "%20"), &json!({})).await;
    found["total"].as_i64().unwrap()
}

async fn correct(browser: &Browser, name: &str) {
    browser
        .open(&format!("/search?type={name}&filter=collector:J.%20Smith"))
        .await;
    browser.wait_for_text("[role=status]", "40 records").await;
    browser.click("#pick button[type=submit]").await;
    browser.wait_for_text("h1", "40 records").await;
    let here = browser.script("return location.pathname").await;
    browser
        .open(&format!("{}?do=set&field=collector", here.as_str().unwrap()))
        .await;
    browser.fill("[name=value]", "Jane Smith").await;
    browser.click("form[action$='/action'] button").await;
    browser.wait_for_text(".batch-counts", "40 would change").await;
    assert_eq!(browser.overflow().await, 0);
    browser.fill("[name=reason]", "Her letters of 1932").await;
    browser.click("form[action$='/run'] button").await;
    browser.wait_for_text(".batch-counts", "40 changed").await;
    assert_eq!(total(name, "Jane Smith").await, 40);
}

#[tokio::test]
async fn a_collector_is_corrected_and_that_is_taken_back() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    shards("shard").await;
    correct(&browser, "shard").await;
    browser.click_link("Undo…").await;
    browser.wait_for_text("h1", "Undo").await;
    browser.wait_for_text("main", "40").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("#job-now", "Done").await;
    assert_eq!(
        (total("shard", "J. Smith").await, total("shard", "Jane Smith").await),
        (40, 0)
    );
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn the_same_is_done_on_a_phone() {
    let browser = Browser::start(Look::Phone).await;
    house().go_in(&browser).await;
    shards("sherd").await;
    correct(&browser, "sherd").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn ticks_are_kept_over_pages_and_labels_are_printed() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    shards("fragment").await;
    browser.open("/search?type=fragment&view=table").await;
    browser.click("[data-pick-all] input").await;
    browser.wait_for_text("#pick button[type=submit]", "25 chosen").await;
    browser.click("a[rel=next]").await;
    browser.wait_for_text("main", "Shard 30").await;
    browser.click("[data-pick]").await;
    browser.wait_for_text("#pick button[type=submit]", "26 chosen").await;
    browser.click("#pick button[type=submit]").await;
    browser.wait_for_text("h1", "26 records").await;
    browser.click_link("Print labels").await;
    browser.wait_for_text("h1", "Print labels").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("main", "The labels are ready.").await;
    assert_eq!(browser.count("a[download][href$='/file']").await, 1);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn two_records_are_put_into_one() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    house()
        .import(
            "agent",
            "number,name,born\n1,\"Smith, Jane\",1888\n2,Jane Smith,1888\n3,Ann Ray,\n",
        )
        .await;
    browser.open("/types/agent/duplicates").await;
    browser.wait_for_text("main", "The same words in the title").await;
    browser.click_link("Put them into one…").await;
    browser.wait_for_text("h1", "Put 2 records into one").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("main", "1888").await;
    browser.open("/types/agent/duplicates").await;
    browser.wait_for_text("main", "No duplicates are found").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
