//! A tree in the browser: opened line by line and by keys, a record moved by typing where to, the way to it, a record made
//! while another is written, on a phone without scripts.

use serde_json::{Value, json};

use super::browser::{Browser, Look};
use super::house::house;

async fn shelf(name: &str, above: Option<&str>) -> String {
    let body = json!({ "type": "shelf", "document": { "name": name, "above": above } });
    let made = house().ask("POST", "/api/records", &json!({ "body": body })).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tree_is_opened_searched_and_moved() {
    let body = json!({ "name": "shelf", "title": "name", "parent": "above", "visibility": "public", "fields": [
        { "name": "name", "kind": "text" }, { "name": "above", "kind": "link", "target": "shelf" } ] });
    house().ask("POST", "/api/types", &json!({ "body": body })).await;
    let room = shelf("Room north", None).await;
    let cabinet = shelf("Cabinet 2", Some(&room)).await;
    let ten = shelf("Cabinet 10", Some(&room)).await;
    shelf("Drawer top", Some(&cabinet)).await;
    house().ask("GET", "/api/search?wait=true&limit=1", &Value::Null).await;

    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    browser.open("/types/shelf/tree").await;
    browser.wait_for_text(".twigs", "Room north").await;
    browser.wait_for_text(".twigs", "2 below").await;
    browser.click("[data-unfold]").await;
    browser.wait_for_text(".twigs .twigs li:first-child", "Cabinet 2").await;
    // By keys: down to the first cabinet, open it, into it.
    browser.script("document.querySelector('.twig-name').focus()").await;
    browser.press("\u{e015}\u{e014}").await;
    browser.wait_for_text(".twigs .twigs .twigs", "Drawer top").await;
    browser.press("\u{e014}").await;
    assert_eq!(
        browser.script("return document.activeElement.textContent").await,
        "Drawer top"
    );
    browser.press("\u{e012}\u{e012}").await;
    assert_eq!(browser.count(".twigs .twigs .twigs:not([hidden])").await, 0);

    browser.open(&format!("/records/{cabinet}")).await;
    browser.wait_for_text(".trail", "Room north").await;
    browser.wait_for_text("main", "Drawer top").await;
    browser.click_link("Move").await;
    browser.wait_for_text("main", "1 record hangs below it").await;
    browser.replace("#f-to", "Cabinet 1").await;
    browser.wait_for_text("[role=option]", "Room north").await;
    browser.press("\u{e015}\u{e007}").await;
    assert_eq!(browser.value("#f-to").await, "Cabinet 10");
    browser.click(".entry-bar button").await;
    browser.wait_for_text(".trail", "Cabinet 10").await;
    // Below itself it cannot hang, and the way round is told.
    browser.open(&format!("/records/{ten}/move")).await;
    browser.replace("#f-to", "Cabinet 2").await;
    browser.wait_for_text("[role=option]", "Cabinet 10").await;
    browser.press("\u{e015}\u{e007}").await;
    browser.click(".entry-bar button").await;
    browser.wait_for_text("[role=alert]", "below itself").await;
    browser.forget_complaints().await;

    // A place that is not there yet is made where it is needed.
    browser.open("/types/shelf/new").await;
    browser.fill("[name='doc/name']", "Box of letters").await;
    browser.fill("[id='f-doc/above']", "Attic").await;
    browser.wait_for_text("[role=option]", "Make “Attic”").await;
    browser.press("\u{e015}\u{e007}").await;
    browser
        .script("return new Promise((done) => { const look = () => document.querySelector(\"input[name='doc/above']\").value.length > 30 ? done(true) : setTimeout(look, 20); look(); })")
        .await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text(".trail", "Attic").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;

    let phone = Browser::start(Look::PhoneWithoutScripts).await;
    phone.open(&format!("/types/shelf/tree?under={room}")).await;
    phone.wait_for_text(".twigs", "Cabinet 10").await;
    assert_eq!(phone.overflow().await, 0);
    phone.click("[data-unfold]").await;
    phone.wait_for_text("h1", "Cabinet 10").await;
    phone.wait_for_text(".twigs", "Cabinet 2").await;
    phone.nothing_to_complain_about().await;
    phone.close().await;
}
