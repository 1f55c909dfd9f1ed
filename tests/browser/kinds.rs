//! Journeys through kinds of fields: a date says what it is read as while it is typed, and a place is chosen on a map by keys.

use serde_json::json;

use super::browser::{Browser, Look};
use super::house::house;

#[tokio::test]
async fn a_date_is_understood_and_a_place_is_chosen_on_a_map() {
    let stone = json!({"name": "boulder", "title": "title", "fields": [
        {"name": "title", "kind": "text", "column": true},
        {"name": "made", "kind": "date"},
        {"name": "made_verbatim", "kind": "text"},
        {"name": "weight", "kind": "number", "unit": "kg"},
        {"name": "latitude", "kind": "number"},
        {"name": "longitude", "kind": "number"},
    ]});
    house().ask("POST", "/api/types", &json!({"body": stone})).await;
    for look in [Look::Desktop, Look::Phone] {
        let browser = Browser::start(look).await;
        house().go_in(&browser).await;
        browser.open("/types/boulder/new").await;
        browser.fill("[name='doc/title']", "Boulder").await;
        browser.fill("[name='doc/made']", "c. 18??").await;
        browser.wait_for_text("output", "leaves digits open").await;
        browser.replace("[name='doc/made']", "c. 1850").await;
        browser.wait_for_text("output", "about 1850").await;
        browser.fill("[name='doc/weight']", "2 t").await;
        browser.click("[data-place-open]").await;
        browser.wait_for_text("[data-place-bar] output", "0, 0").await;
        assert_eq!(browser.overflow().await, 0);
        // Up, and taken.
        browser.press("\u{e013}").await;
        browser.wait_for_text("[data-place-bar] output", "3, 0").await;
        browser.press("\u{e007}").await;
        assert_eq!(browser.value("[name='doc/latitude']").await, "3");
        assert_eq!(browser.value("[name='doc/longitude']").await, "0");
        // Escape puts the map away.
        browser.press("\u{e00c}").await;
        browser.click(".entry-bar button[value=save]").await;
        browser.wait_for_text("h1", "Boulder").await;
        browser.wait_for_text("main", "about 1850").await;
        let main = browser.text("main").await;
        assert!(main.contains("c. 1850") && main.contains("2000"), "{main}");
        browser.nothing_to_complain_about().await;
        browser.close().await;
    }
}
