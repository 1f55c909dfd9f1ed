//! Journeys of those who write: make a record, mend what is refused, meet somebody else's change, delete and bring back;
//! with scripts, without, and by keyboard alone.

use serde_json::json;

use super::browser::{Browser, Look};
use super::house::house;

async fn operator(look: Look) -> Browser {
    let browser = Browser::start(look).await;
    house().go_in(&browser).await;
    browser
}

/// A record of one's own, made over the API; its id.
async fn bowl(title: &str) -> String {
    let body = json!({"type": "exhibit", "document": {"title": title, "material": "Glass", "story": "Blown"}});
    let made = house().ask("POST", "/api/records", &json!({"body": body})).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_is_made_mended_and_changed() {
    let browser = operator(Look::Desktop).await;
    browser.open("/types/exhibit").await;
    browser.click_link("New").await;
    browser.fill("[name='doc/title']", "Amphora of clay").await;
    browser.fill("[name='doc/made']", "soon").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("[role=alert]", "One value is not right").await;
    // The browser tells the status of the refusal on its console.
    browser.forget_complaints().await;
    browser.click("[role=alert] a").await;
    assert_eq!(browser.focused().await, "f-doc/made");
    browser.replace("[name='doc/made']", "-0530").await;
    browser.click("[data-repeat='doc/maker'] [data-add]").await;
    browser.fill("ol [name^='doc/maker/#'][name$='/name']", "Exekias").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "Amphora of clay").await;
    browser.wait_for_text("main", "Exekias").await;
    browser.click_link("Edit").await;
    browser.replace("[name='doc/title']", "Amphora of red clay").await;
    browser.fill("[name=reason]", "Looked at in daylight").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "Amphora of red clay").await;
    browser.wait_for_text(".history", "Looked at in daylight").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn two_changes_are_put_together() {
    let browser = operator(Look::Desktop).await;
    let id = bowl("Bowl").await;
    browser.open(&format!("/records/{id}/edit")).await;
    let theirs = json!({"document": {"title": "Their bowl", "material": "Glass", "story": "Cast"}});
    let path = format!("/api/records/{id}");
    house().ask("PUT", &path, &json!({"version": 1, "body": theirs})).await;
    browser.replace("[name='doc/title']", "My bowl").await;
    browser.replace("[name='doc/material']", "Crystal").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "was changed while you were writing").await;
    browser.forget_complaints().await;
    assert_eq!(browser.count("fieldset.choice").await, 3);
    browser.picture("keeping", "06-two-changes-beside-each-other").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("[name='pick/title'][value=mine]").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "My bowl").await;
    let main = browser.text("main").await;
    assert!(main.contains("Crystal") && main.contains("Cast"), "{main}");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_record_is_deleted_and_brought_back() {
    let browser = operator(Look::Phone).await;
    let id = bowl("Bowl with a crack").await;
    browser.open(&format!("/records/{id}")).await;
    browser.click_link("Delete").await;
    browser.wait_for_text("h1", "Delete “Bowl with a crack”?").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("main form button.danger").await;
    browser.wait_for_text("h1", "It was deleted").await;
    browser.picture("keeping", "07-a-tombstone").await;
    browser.forget_complaints().await;
    browser
        .click(&format!("form[action='/records/{id}/restore'] button"))
        .await;
    browser.wait_for_text("h1", "Bowl with a crack").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_record_is_changed_by_keyboard_alone() {
    let browser = operator(Look::Desktop).await;
    let id = bowl("Bowl on the left").await;
    browser.open(&format!("/records/{id}")).await;
    browser.tab_to("a", "Edit").await;
    browser.press("\u{e007}").await;
    browser.wait_for_text("h1", "Edit Bowl on the left").await;
    browser.tab_to_id("f-doc/title").await;
    // A field that is reached by Tab has its text selected.
    browser.press("\u{e010} side\u{e007}").await;
    browser.wait_for_text("h1", "Bowl on the left side").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_list_grows_without_scripts() {
    let browser = operator(Look::PhoneWithoutScripts).await;
    browser.open("/types/exhibit/new").await;
    browser.fill("[name='doc/title']", "Dish of two makers").await;
    browser.fill("[name='doc/maker/#0/name']", "First").await;
    browser.click("button[value=more]").await;
    browser.fill("[name='doc/maker/#1/name']", "Second").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "Dish of two makers").await;
    let main = browser.text("main").await;
    assert!(main.contains("First") && main.contains("Second"), "{main}");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
