//! Journeys in a real browser against the real app: from the entrance over search and facets to a record, also without
//! scripts and on a narrow screen. Facts about pages that no browser is needed for are tested where the pages are.

mod house;

use fantoccini::{Client, Locator};
use house::{Browser, House, Setup};

async fn text(client: &Client, selector: &str) -> String {
    let found = client.find(Locator::Css(selector)).await;
    found
        .unwrap_or_else(|e| panic!("{selector}: {e}"))
        .text()
        .await
        .expect("a text")
}

async fn click(client: &Client, selector: &str) {
    let found = client.find(Locator::Css(selector)).await;
    found
        .unwrap_or_else(|e| panic!("{selector}: {e}"))
        .click()
        .await
        .expect("a click");
}

/// Types into the search box of the header and sends it.
async fn search(client: &Client, words: &str) {
    let form = client
        .form(Locator::Css("form[role=search]"))
        .await
        .expect("a search box");
    form.set_by_name("q", words).await.expect("words in the box");
    click(client, "form[role=search] button").await;
    client
        .wait()
        .for_element(Locator::Css("#results"))
        .await
        .expect("results");
}

/// From the entrance to a record, as anybody goes.
async fn journey(house: &House, client: &Client) {
    client.goto(&house.address).await.expect("the entrance");
    assert!(!text(client, "h1").await.is_empty());
    search(client, "teapot").await;
    assert!(text(client, "[role=status]").await.contains("10"), "ten teapots");
    let facet = client
        .find(Locator::Css(".facet-value"))
        .await
        .expect("a facet's value");
    let all: u32 = facet
        .find(Locator::Css(".count"))
        .await
        .expect("a count")
        .text()
        .await
        .expect("a text")
        .parse()
        .expect("a number");
    assert!((1..10).contains(&all), "{all} of ten teapots");
    facet.click().await.expect("a narrower search");
    client
        .wait()
        .for_element(Locator::Css(".chip.active"))
        .await
        .expect("the chosen value");
    assert!(
        text(client, "[role=status]").await.contains(&all.to_string()),
        "as many as the facet said"
    );
    click(client, "#results a[href^='/records/']").await;
    client
        .wait()
        .for_element(Locator::Css("article.record"))
        .await
        .expect("a record");
    assert!(text(client, "h1").await.starts_with("Teapot"));
    let twin = client
        .find(Locator::Css(".aside a[href$='.json']"))
        .await
        .expect("its machine form");
    let href = twin.attr("href").await.expect("a link").expect("an address");
    let twin = reqwest::get(format!("{}{href}", house.address))
        .await
        .expect("an answer");
    assert!(twin.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_entrance_to_a_record() {
    let house = House::start().await;
    let browser = Browser::start(Setup::default()).await;
    journey(&house, &browser.client).await;
    let foreign =
        "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))";
    let asked = browser
        .client
        .execute(foreign, vec![])
        .await
        .expect("the list of requests");
    assert_eq!(asked, serde_json::json!([]), "a page asks nobody but the house");
    browser.end().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_as_well() {
    let house = House::start().await;
    let browser = Browser::start(Setup {
        without_scripts: true,
        ..Setup::default()
    })
    .await;
    journey(&house, &browser.client).await;
    browser.end().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_sticks_out_on_a_narrow_screen() {
    let house = House::start().await;
    let browser = Browser::start(Setup {
        narrow: true,
        ..Setup::default()
    })
    .await;
    let client = &browser.client;
    client
        .goto(&format!("{}/search?q=vase", house.address))
        .await
        .expect("a search");
    let record = client
        .find(Locator::Css("#results a[href^='/records/']"))
        .await
        .expect("a result");
    let record = record.attr("href").await.expect("a link").expect("an address");
    for path in [
        "/",
        "/search?q=vase",
        "/search?q=nothinglikethis",
        &record,
        "/types",
        "/docs",
        "/docs/api",
        "/no-such-page",
    ] {
        client.goto(&format!("{}{path}", house.address)).await.expect("a page");
        let wide = "return [document.scrollingElement.scrollWidth, window.innerWidth]";
        let widths = client.execute(wide, vec![]).await.expect("two widths");
        assert_eq!(widths[1], 360, "{path}: the screen");
        assert!(widths[0].as_i64() <= Some(360), "{path} is {} wide", widths[0]);
        assert!(!text(client, "h1").await.is_empty(), "{path} has a heading");
    }
    browser.end().await;
    house.end().await;
}
