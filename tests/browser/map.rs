//! Looking around on the map and in time: by links without scripts, by pulling a box and a span, by keys alone.

use serde_json::json;

use super::browser::{Browser, Look};
use super::house::{House, house};

/// Stones lying about the earth; everything happens in a type of their own.
async fn lay_stones(house: &House, type_name: &str) {
    let definition = json!({
        "name": type_name, "title": "name", "visibility": "public",
        "fields": [
            {"name": "name", "kind": "text"},
            {"name": "found", "kind": "date"},
            {"name": "lat", "kind": "number"},
            {"name": "lon", "kind": "number"}
        ]
    });
    house.ask("POST", "/api/types", &json!({"body": definition})).await;
    for (name, lat, lon, found) in [
        ("Flint", 59.33, 18.07, "1853"),
        ("Gneiss", 59.35, 18.0, "1855"),
        ("Basalt", 64.1, -21.9, "1861"),
        ("Coral", -17.7, 178.0, "1902"),
        ("Pumice", -13.8, -172.0, "1903"),
    ] {
        let document = json!({"name": name, "lat": lat, "lon": lon, "found": found});
        let body = json!({"type": type_name, "document": document});
        house.ask("POST", "/api/records", &json!({"body": body})).await;
    }
    house.ask("GET", "/api/search?wait=true&limit=0", &json!(null)).await;
}

#[tokio::test]
async fn a_map_is_walked_by_links_without_scripts() {
    lay_stones(house(), "pebble").await;
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    browser.open("/search?type=pebble").await;
    browser.click_link("Map").await;
    browser.wait_for_text(".map-bar", "5 records on the map").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click(".map details summary").await;
    browser.click_link("2 records · 59° N, 18° E").await;
    browser.wait_for_text(".map-bar", "2 records on the map").await;
    browser.wait_for_text(".chip.active", "Area:").await;
    assert_eq!(browser.count(".spot.s0").await, 2);
    browser.click(".map [data-go=out]").await;
    browser.wait_for_text(".map-bar", "2 records on the map").await;
    browser.click(".map [data-go=west]").await;
    browser.wait_for_text(".map [data-go=whole]", "").await;
    browser.click(".map [data-go=whole]").await;
    browser.wait_for_text(".map-bar", "5 records on the map").await;
    // A box across the line of the date, written by hand.
    browser.click(".map-more details:last-child summary").await;
    browser.fill("#map-area", "-30,170,0,-170").await;
    browser.click(".map .span-form button").await;
    browser.wait_for_text("[role=status]", "2 records").await;
    browser.wait_for_text(".plate h2", "Coral").await;
    browser.click_link("Timeline").await;
    browser.wait_for_text(".timeline", "1902").await;
    assert_eq!(browser.overflow().await, 0);
    browser.close().await;
}

#[tokio::test]
async fn boxes_and_spans_are_pulled_and_made_by_keys() {
    lay_stones(house(), "cobble").await;
    let browser = Browser::start(Look::Desktop).await;
    browser.open("/search?type=cobble&view=map&box=-90,-180,90,180").await;
    browser.script("window.mark = 1").await;
    // Europe, by pulling: 30 to 75 degrees north, 40 west to 40 east.
    browser.pull(".map svg", (0.39, 0.08), (0.61, 0.33)).await;
    browser.wait_for_text("[role=status]", "3 records").await;
    browser.wait_for_text(".chip.active", "Area:").await;
    // By keys: moved, then a box drawn around what lies in the middle.
    browser.script("document.querySelector('[data-sheet]').focus()").await;
    browser.press("0").await;
    browser.wait_for_text("[role=status]", "5 records").await;
    browser.press("-").await;
    browser.wait_for_text(".chip.active", "Area:").await;
    browser.press("b").await;
    browser.wait_for_text("[data-help]", "Arrows move the box").await;
    browser.press("\u{e013}\u{e007}").await;
    browser.wait_for_text("[data-help]", "Pull a box").await;
    browser.open("/search?type=cobble&view=timeline").await;
    browser.script("window.mark = 1").await;
    // The first columns, by pulling over them.
    browser.pull(".timeline svg", (0.01, 0.9), (0.3, 0.9)).await;
    browser.wait_for_text("[role=status]", "3 records").await;
    browser.click_link("All years").await;
    browser.wait_for_text("[role=status]", "5 records").await;
    browser
        .script("document.querySelector('.timeline .plot-area').focus()")
        .await;
    browser.press("\u{e012}\u{e007}").await;
    browser.wait_for_text("[role=status]", "1 record").await;
    assert_eq!(browser.script("return window.mark").await, 1);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
