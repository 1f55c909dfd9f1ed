//! Journeys through the type editor: a collection of one's own is made and given fields, these are moved by keyboard, and a
//! field that has values changes its kind with a look beforehand and a report.

use serde_json::json;

use super::browser::{Browser, Look};
use super::house::house;

const ALT_UP: &str = "\u{e00a}\u{e013}\u{e000}";
const ENTER: &str = "\u{e007}";

async fn make_and_change(look: Look, label: &str, name: &str) {
    let browser = Browser::start(look).await;
    house().go_in(&browser).await;
    browser.open("/type-sets").await;
    assert_eq!(browser.overflow().await, 0);
    browser.picture("types", &format!("{name}-sets")).await;
    browser.fill("#own-label", label).await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", label).await;
    for (field, kind) in [("Year", "text"), ("Material", "term")] {
        browser.wait_for_text("summary", "Add a field").await;
        browser.fill("[name='def/new/label']", field).await;
        browser
            .script(&format!(
                "const s = document.querySelector(\"[name='def/new/kind']\"); s.value = '{kind}'; \
                 s.dispatchEvent(new Event('change', {{ bubbles: true }}));"
            ))
            .await;
        browser.click("button[value=add]").await;
        browser.wait_for_text("#opened > summary", field).await;
        assert_eq!(browser.overflow().await, 0);
    }
    browser.picture("types", &format!("{name}-editor")).await;
    // The last one goes up by keyboard, and keeps the focus on its way.
    browser
        .script("document.querySelector('#opened > summary').focus();")
        .await;
    browser.press(ALT_UP).await;
    browser.press(ALT_UP).await;
    assert_eq!(browser.value("[name='def/fields/material/place']").await, "1");
    assert_eq!(browser.value("[name='def/fields/title/place']").await, "2");
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("main", "Browse the records").await;
    let kind = house().ask("GET", &format!("/api/types/{name}"), &json!({})).await;
    assert_eq!(kind["fields"][0]["name"], "material");
    for (title, year) in [("Blue", "1850"), ("Red", "c. 1900")] {
        let body = json!({ "type": name, "document": { "title": title, "year": year } });
        house().ask("POST", "/api/records", &json!({ "body": body })).await;
    }
    browser.open(&format!("/types/{name}/reshape?do=kind&field=year")).await;
    browser
        .script("document.querySelector(\"[name='kind']\").value = 'date';")
        .await;
    browser.click("button[value=look]").await;
    browser.wait_for_text("main", "1 value is kept as it was written").await;
    assert_eq!(browser.overflow().await, 0);
    browser.picture("types", &format!("{name}-look")).await;
    browser.click("button[value=run]").await;
    browser
        .wait_for_text("main", "Done. The collection has its new form.")
        .await;
    assert_eq!(browser.overflow().await, 0);
    browser.picture("types", &format!("{name}-report")).await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_collection_is_made_given_fields_and_changed() {
    make_and_change(Look::Desktop, "Old photograph", "old-photograph").await;
}

#[tokio::test]
async fn the_type_editor_works_on_a_phone() {
    make_and_change(Look::Phone, "Small photograph", "small-photograph").await;
}
