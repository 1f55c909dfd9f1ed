//! A curator's day as one story: specimens registered by keyboard alone, a collector corrected in forty records and that taken
//! back, a genus moved to another family with the facets behind it, two people put into one and told apart again, labels
//! printed, a foreign spreadsheet brought in through the mapping editor. Each step leaves a picture in `target/tmp/day`.

mod brought;
mod morning;

use serde_json::{Value, json};

use self::brought::bring;
use self::morning::{Morning, OF_EVA, found, morning, total};
use super::browser::{Browser, Look};
use super::desk::Desk;
use super::house::house;

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";
/// Tab with Shift held down.
const BACK: &str = "\u{e008}\u{e004}\u{e000}";
const DOWN: &str = "\u{e015}";
const SPACE: &str = " ";
const CONTROL_ENTER: &str = "\u{e009}\u{e007}\u{e000}";
const CONTROL_S: &str = "\u{e009}s\u{e000}";

/// Suggestions that are gone through.
const OFFERED: usize = 20;

/// Types what something is called and takes the suggestion that says so.
async fn pick(browser: &Browser, typed: &str, offered: &str) {
    browser.press(typed).await;
    take(browser, offered).await;
}

/// Goes down to the suggestion that says this and takes it.
async fn take(browser: &Browser, offered: &str) {
    const CHOSEN: &str = "main [role=option][aria-selected=true]";
    let script = format!("const e = document.querySelector('{CHOSEN}'); return e ? e.textContent : '';");
    browser
        .wait_for_text("main .combo-list:not([hidden]) [role=option]", offered)
        .await;
    for _ in 0..OFFERED {
        browser.press(DOWN).await;
        let chosen = browser.script(&script).await;
        if chosen.as_str().is_some_and(|chosen| chosen.contains(offered)) {
            browser.press(ENTER).await;
            // A list that is closed has nothing chosen in it.
            assert_eq!(browser.count(CHOSEN).await, 0, "{offered}");
            return;
        }
    }
    panic!("{offered} is not offered");
}

/// Waits until the picker of this field has its record: one that is made on the way has to be there first.
async fn is_picked(browser: &Browser, field: &str) {
    let script = format!(
        "return new Promise((done) => {{ const look = () => \
         document.querySelector(\"input[type=hidden][name='doc/{field}']\").value.length > 30 ? done(true) : setTimeout(look, 20); look(); }})"
    );
    browser.script(&script).await;
}

/// Three specimens, by keyboard alone: a gatherer is made on the way and carried along.
async fn register(browser: &Browser) {
    browser.open("/types/day-sheet").await;
    browser.tab_to("main a", "New").await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "New: Herbarium sheet").await;
    browser.tab_to_id("f-doc/plant").await;
    pick(browser, "Potentilla er", "Potentilla erecta").await;
    browser.press(TAB).await;
    pick(browser, "Märta Ek", "Make “Märta Ek”").await;
    is_picked(browser, "gatherer").await;
    browser.press(TAB).await;
    browser.press("12 juni 1932").await;
    browser.wait_for_text("output", "12 June 1932").await;
    browser.tab_to_id("f-doc/locality").await;
    browser.press("Läckö").await;
    browser.tab_to_id("f-doc/latitude").await;
    browser.press("58°40′N 13°13′E").await;
    browser.tab_to("summary", "For the next records").await;
    browser.press(ENTER).await;
    browser.tab_to("[name=carry][value=gatherer]", "").await;
    browser.press(SPACE).await;
    browser.tab_to("[name=carry][value=locality]", "").await;
    browser.press(SPACE).await;
    browser.picture("day", "01-a-form-filled-by-keys").await;
    browser.press(CONTROL_ENTER).await;
    browser.wait_for_text(".toast", "DAY0049").await;
    browser.tab_to_id("f-doc/plant").await;
    pick(browser, "Trifolium pra", "Trifolium pratense").await;
    browser.tab_to_id("f-doc/gathered").await;
    browser.press("juli 1933").await;
    browser.wait_for_text("output", "July 1933").await;
    browser.press(CONTROL_ENTER).await;
    browser.wait_for_text(".toast", "DAY0050").await;
    assert_eq!(browser.value("[id='f-doc/gatherer']").await, "Märta Ek");
    assert_eq!(browser.value("[name='doc/locality']").await, "Läckö");
    browser.picture("day", "02-carried-forward").await;
    browser.tab_to_id("f-doc/plant").await;
    pick(browser, "Potentilla er", "Potentilla erecta").await;
    browser.tab_to_id("f-doc/gathered").await;
    // What is doubtful is told while one writes, and goes when it is mended.
    browser.press("2931-07-02").await;
    browser.press(TAB).await;
    browser.wait_for_text(".field > p.warning", "lies in the future").await;
    browser.picture("day", "03-worth-another-look").await;
    browser.press(BACK).await;
    browser.press("1933-07-02").await;
    browser.wait_for_text("output", "2 July 1933").await;
    browser.press(CONTROL_S).await;
    browser.wait_for_text("h1", "DAY0051").await;
    browser.wait_for_text(".lead", "Potentilla erecta").await;
    browser.wait_for_text("main", "Märta Ek").await;
    browser.picture("day", "04-registered").await;
    found("type=day-sheet", 51).await;
    let first = house()
        .ask(
            "GET",
            "/api/search?q=number:DAY0049&type=day-sheet&limit=1",
            &Value::Null,
        )
        .await;
    let id = first["items"][0]["id"].as_str().unwrap();
    let first = house().ask("GET", &format!("/api/records/{id}"), &Value::Null).await;
    let document = &first["document"];
    assert_eq!(document["gathered"], "1932-06-12");
    assert_eq!(document["gathered_verbatim"], "12 juni 1932");
    assert!(
        document["longitude"]
            .as_f64()
            .is_some_and(|east| (13.0..13.5).contains(&east)),
        "{document}"
    );
}

/// Answers the question whether a change is to be undone, and waits for its end.
async fn undo(browser: &Browser) {
    browser.wait_for_text("h1", "Undo").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("#job-now", "Done").await;
}

/// A collector in forty records, and back.
async fn correct(browser: &Browser, morning: &Morning) {
    let of_smith = format!("type=day-sheet&filter=gatherer:{}", morning.smith);
    browser.open(&format!("/search?{of_smith}")).await;
    browser.wait_for_text("[role=status]", "40 records").await;
    browser.wait_for_text(".chip.active", "J. Smith").await;
    browser.picture("day", "05-forty-of-one-collector").await;
    browser.click("#pick button[type=submit]").await;
    browser.wait_for_text("h1", "40 records").await;
    let here = browser.script("return location.pathname").await;
    browser
        .open(&format!("{}?do=set&field=gatherer", here.as_str().unwrap()))
        .await;
    browser.fill("#f-value", "Jane Smi").await;
    take(browser, "Jane Smith").await;
    browser.click("form[action$='/action'] button").await;
    browser.wait_for_text(".batch-counts", "40 would change").await;
    // Both are told by name.
    browser.wait_for_text(".batch-table", "Jane Smith").await;
    browser.wait_for_text("#look-title", "Jane Smith").await;
    browser.picture("day", "06-what-would-change").await;
    browser.fill("[name=reason]", "Her letters of 1932").await;
    browser.click("form[action$='/run'] button").await;
    browser.wait_for_text(".batch-counts", "40 changed").await;
    assert_eq!(total(&of_smith).await, 0);
    browser.picture("day", "07-corrected").await;
    browser.click_link("Undo…").await;
    undo(browser).await;
    assert_eq!(total(&of_smith).await, 40);
    browser.picture("day", "08-taken-back").await;
}

/// Counts beside the results: what stands in a facet, line by line.
async fn facet(browser: &Browser, value: &str, count: &str) {
    let script = "return [...document.querySelectorAll('.facet-value')].map((line) => \
                  line.querySelector('.name').textContent + ' ' + line.querySelector('.count').textContent)";
    let lines = browser.script(script).await;
    let wanted = format!("{value} {count}");
    assert!(
        lines.as_array().unwrap().iter().any(|line| *line == wanted),
        "{wanted}: {lines}"
    );
}

/// A genus goes to another family, its sheets with it.
async fn transfer(browser: &Browser, morning: &Morning) {
    browser.open("/search?type=day-sheet").await;
    browser.wait_for_text("[role=status]", "51 records").await;
    facet(browser, "Fabaceae", "51").await;
    browser.open(&format!("/records/{}", morning.potentilla)).await;
    browser.wait_for_text(".trail", "Fabaceae").await;
    browser.click_link("Move").await;
    browser.wait_for_text("main", "1 record hangs below it").await;
    browser.replace("#f-to", "Rosa").await;
    take(browser, "Rosaceae").await;
    assert_eq!(browser.value("#f-to").await, "Rosaceae");
    browser.picture("day", "09-where-to").await;
    browser.click(".entry-bar button").await;
    browser.wait_for_text(".trail", "Rosaceae").await;
    found(&format!("type=day-sheet&filter=in:{}", morning.roses), 22).await;
    browser.open("/search?type=day-sheet").await;
    browser.wait_for_text("[role=status]", "51 records").await;
    facet(browser, "Fabaceae", "29").await;
    facet(browser, "Rosaceae", "22").await;
    browser.picture("day", "10-facets-follow").await;
}

/// Two who are one are put into one, and told apart again.
async fn unite(browser: &Browser, morning: &Morning) {
    browser.open("/types/day-gatherer/duplicates").await;
    browser.wait_for_text("main", "Lindqvist, Eva").await;
    browser.picture("day", "11-likely-one").await;
    browser.click_link("Put them into one…").await;
    browser.wait_for_text("h1", "Put 2 records into one").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text(".toast", "They are one record now").await;
    browser.picture("day", "12-put-into-one").await;
    // The address of the one leads to the other, and all sheets hang together.
    let (stays, went) = {
        let place = browser.script("return location.pathname").await;
        let first = place.as_str().unwrap().ends_with(&morning.eva);
        if first {
            (&morning.eva, &morning.eva_again)
        } else {
            (&morning.eva_again, &morning.eva)
        }
    };
    assert_eq!(
        total(&format!("type=day-sheet&filter=gatherer:{stays}")).await,
        OF_EVA as u64
    );
    browser.click(".toast form button").await;
    browser.wait_for_text("#job-now", "Done").await;
    browser.picture("day", "13-told-apart-again").await;
    for one in [stays, went] {
        let half = format!("type=day-sheet&filter=gatherer:{one}");
        assert_eq!(total(&half).await, OF_EVA as u64 / 2, "{one}");
    }
    browser.open(&format!("/records/{went}")).await;
    browser.wait_for_text("h1", "Lindqvist").await;
    let here = browser.script("return location.pathname").await;
    assert_eq!(here, json!(format!("/records/{went}")));
}

/// Labels of what somebody ticks.
async fn labels(browser: &Browser) {
    browser.open("/search?type=day-sheet&view=table").await;
    browser.click("[data-pick-all] input").await;
    browser.wait_for_text("#pick button[type=submit]", "25 chosen").await;
    browser.click("#pick button[type=submit]").await;
    browser.wait_for_text("h1", "25 records").await;
    browser.click_link("Print labels").await;
    browser.wait_for_text("h1", "Print labels").await;
    browser.picture("day", "14-how-labels-look").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("main", "The labels are ready.").await;
    assert_eq!(browser.count("a[download][href$='/file']").await, 1);
    browser.picture("day", "15-labels-are-ready").await;
}

#[tokio::test]
async fn a_curators_day() {
    let morning = morning().await;
    let mut desk = Desk::new(Look::Desktop).await;
    register(&desk.browser).await;
    correct(&desk.browser, &morning).await;
    transfer(&desk.browser, &morning).await;
    unite(&desk.browser, &morning).await;
    labels(&desk.browser).await;
    bring(&mut desk).await;
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}
