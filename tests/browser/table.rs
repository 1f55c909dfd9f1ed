//! Journeys through the table of a collection, by keyboard: to its last row and back, cells changed and pasted, somebody
//! else's change met on the way; and forms that carry on from one record to the next.

use serde_json::{Value, json};

use super::browser::{Browser, Look};
use super::house::house;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const DOWN: &str = "\u{e015}";
const LEFT: &str = "\u{e012}";
const CONTROL_END: &str = "\u{e009}\u{e010}\u{e000}";
const CONTROL_HOME: &str = "\u{e009}\u{e011}\u{e000}";

/// A collection of its own with so many records.
async fn coins(name: &str, count: usize) {
    let rows = (0..count).map(|n| format!("C{n:04},Coin {n:04},Rome\n"));
    let table = format!("number,title,found\n{}", rows.collect::<String>());
    house().import(name, &table).await;
    let found = house()
        .ask(
            "GET",
            &format!("/api/search?type={name}&wait=true&limit=1"),
            &Value::Null,
        )
        .await;
    assert_eq!(found["total"], json!(count), "{found}");
}

async fn record(name: &str, title: &str) -> Value {
    let path = format!(
        "/api/search?type={name}&q=title:%22{}%22&wait=true&limit=1",
        title.replace(' ', "%20")
    );
    let found = house().ask("GET", &path, &Value::Null).await;
    let id = found["items"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{title}: {found}"));
    house().ask("GET", &format!("/api/records/{id}"), &Value::Null).await
}

/// Text of the cell that has the focus.
async fn here(browser: &Browser) -> String {
    let text = browser.script("return document.activeElement.textContent").await;
    text.as_str().unwrap_or_default().to_owned()
}

async fn in_table(browser: &Browser, address: &str) {
    browser.open(address).await;
    browser.wait_for_text("tbody th", "Coin").await;
    browser
        .script("document.querySelector('[data-sheet] tbody [tabindex=\"0\"]').focus()")
        .await;
}

#[tokio::test]
async fn a_long_table_is_walked_to_its_end_by_keyboard() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    coins("coin", 1_200).await;
    in_table(&browser, "/types/coin/table?sort=title").await;
    assert_eq!(here(&browser).await, "Coin 0000");
    browser.press(CONTROL_END).await;
    browser.wait_for_text("tbody tr[data-n='1200']", "Coin 1199").await;
    // Only what is near stands in the page.
    assert!(browser.count("tbody tr[data-n]").await <= 250);
    browser.press(CONTROL_HOME).await;
    browser
        .wait_for_text("tbody tr[data-n='1'] [tabindex='0']", "Coin 0000")
        .await;
    browser.press(DOWN).await;
    assert_eq!(here(&browser).await, "Coin 0001");
    assert_eq!(browser.overflow().await, 0);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn cells_are_changed_by_keyboard() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    coins("penny", 5).await;
    in_table(&browser, "/types/penny/table?sort=title&column=found&column=number").await;
    browser.press("\u{e014}").await;
    assert_eq!(here(&browser).await, "Rome");
    // What is typed takes the place of what stood there; Enter saves and goes down, Tab to the right.
    browser.press("Ostia").await;
    browser.press(ENTER).await;
    browser.wait_for_text("tr[data-n='1'] td.saved", "Ostia").await;
    browser.press("\u{e032}").await;
    browser.press("\u{e010}, again").await;
    browser.press(TAB).await;
    browser.wait_for_text("tr[data-n='2'] td.saved", "Rome, again").await;
    assert_eq!(here(&browser).await, "C0001");
    browser.press(LEFT).await;
    browser.press("nothing").await;
    browser.press(ESCAPE).await;
    assert_eq!(here(&browser).await, "Rome, again");
    assert_eq!(record("penny", "Coin 0000").await["document"]["found"], "Ostia");
    // Somebody else's change is met: both are put together.
    let other = record("penny", "Coin 0001").await;
    let theirs = json!({ "document": { "number": "C0001", "title": "Coin 0001", "found": "Theirs" } });
    let path = format!("/api/records/{}", other["id"].as_str().unwrap());
    house()
        .ask("PUT", &path, &json!({ "version": other["version"], "body": theirs }))
        .await;
    browser.press("Mine").await;
    browser.press(ENTER).await;
    browser
        .wait_for_text("#sheet-note", "Somebody changed this record")
        .await;
    browser.forget_complaints().await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "was changed while you were writing").await;
    browser.forget_complaints().await;
    browser.click("[name='pick/found'][value=mine]").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "Coin 0001").await;
    assert_eq!(record("penny", "Coin 0001").await["document"]["found"], "Mine");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn what_a_spreadsheet_holds_is_pasted_as_one_change() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    coins("groat", 4).await;
    in_table(&browser, "/types/groat/table?sort=title&column=found").await;
    browser.press("\u{e014}").await;
    browser
        .script(
            "const data = new DataTransfer(); data.setData('text/plain', '\"Pompeii\\nhouse 3\"\\r\\nCapua\\r\\n'); \
             document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));",
        )
        .await;
    browser.wait_for_text(".batch-counts", "2 would change").await;
    browser.wait_for_text(".batch-table", "house 3").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("form[action$='/run'] button").await;
    browser.wait_for_text(".batch-counts", "2 changed").await;
    assert_eq!(record("groat", "Coin 0001").await["document"]["found"], "Capua");
    browser.click_link("Undo…").await;
    browser.wait_for_text("h1", "Undo").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("#job-now", "Done").await;
    assert_eq!(record("groat", "Coin 0001").await["document"]["found"], "Rome");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_table_is_read_without_scripts_on_a_phone() {
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    coins("obol", 60).await;
    house().go_in(&browser).await;
    browser.open("/types/obol/table?sort=title").await;
    browser.wait_for_text("tbody th", "Coin 0000").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("a[rel=next]").await;
    browser.wait_for_text("tbody th", "Coin 0050").await;
    browser.open("/types/obol/table?sort=title&column=found").await;
    browser.wait_for_text("thead", "Found").await;
    assert!(!browser.text("thead").await.contains("Number"));
    browser.click(".table-page details.menu summary").await;
    browser.click("[type=checkbox][name=column][value=number]").await;
    browser.click("#look button.primary").await;
    browser.wait_for_text("thead", "Number").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn one_record_leads_to_the_next() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    coins("ducat", 1).await;
    browser.open("/types/ducat/new").await;
    browser.fill("[name='doc/number']", "D1").await;
    browser.fill("[name='doc/title']", "First").await;
    browser.fill("[name='doc/found']", "Venice").await;
    browser.wait_for_text("[data-unsaved]", "Not saved yet").await;
    browser.click(".entry-form > details.more summary").await;
    browser.click("[name=carry][value=found]").await;
    browser.click("button[value=next]").await;
    browser.wait_for_text(".toast", "First").await;
    assert_eq!(browser.value("[name='doc/found']").await, "Venice");
    assert_eq!(browser.value("[name='doc/title']").await, "");
    // A crash is a page that goes away: what was entered is offered again.
    browser.fill("[name='doc/number']", "D2").await;
    browser.fill("[name='doc/title']", "Second").await;
    browser.wait_for_text("[data-unsaved]", "Not saved yet").await;
    browser.open("/types/ducat/new").await;
    browser.wait_for_text("form .notice", "unsaved draft").await;
    browser.click("[data-restore]").await;
    assert_eq!(browser.value("[name='doc/title']").await, "Second");
    browser.click(".entry-form > details.more summary").await;
    browser.fill("#template", "Loans").await;
    browser.click("button[value=template]").await;
    browser.wait_for_text(".notice", "kept as your template").await;
    // The record itself is still to be saved, and the form says so.
    browser.wait_for_text("[data-unsaved]", "Not saved yet").await;
    browser.click(".entry-bar button[value=save]").await;
    browser.wait_for_text("h1", "Second").await;
    browser.click_link("Duplicate").await;
    browser.wait_for_text(".notice", "what another record says").await;
    assert_eq!(browser.value("[name='doc/title']").await, "Second");
    browser.open("/types/ducat/new").await;
    browser.click(".entry details.menu summary").await;
    browser.click_link("Loans").await;
    assert_eq!(browser.value("[name='doc/found']").await, "Venice");
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_field_tells_what_it_held() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    browser.open(&format!("/records/{}/edit", house().teapot)).await;
    browser.tab_to_id("f-doc/story").await;
    browser.wait_for_text(".field-history", "Seen 6 times").await;
    // The same to a pointer that rests above the name of a field.
    browser.open(&format!("/records/{}/edit", house().teapot)).await;
    browser.rest_on("label[for='f-doc/story']").await;
    browser.wait_for_text(".field-history", "Seen 6 times").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
