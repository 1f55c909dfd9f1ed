//! A curator's day as one story: specimens registered by keyboard alone, a collector corrected in forty records and that taken
//! back, a genus moved to another family with the facets behind it, two people put into one and told apart again, labels
//! printed, a foreign spreadsheet brought in through the mapping editor. Each step leaves a picture in `target/tmp/day`.

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::{Browser, Look};
use super::desk::{Desk, counts, texts};
use super::house::house;

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";
/// Tab with Shift held down.
const BACK: &str = "\u{e008}\u{e004}\u{e000}";
const DOWN: &str = "\u{e015}";
const SPACE: &str = " ";
const CONTROL_ENTER: &str = "\u{e009}\u{e007}\u{e000}";
const CONTROL_S: &str = "\u{e009}s\u{e000}";

/// How long the index may take to follow what moved.
const PATIENCE: Duration = Duration::from_secs(20);
/// Suggestions that are gone through.
const OFFERED: usize = 20;
/// Sheets that are there in the morning: forty of one gatherer, and eight of one who is there twice.
const OF_SMITH: usize = 40;
const OF_EVA: usize = 8;

/// Who and what is there in the morning, by id.
struct Morning {
    potentilla: String,
    roses: String,
    smith: String,
    eva: String,
    eva_again: String,
}

async fn make(name: &str, document: Value) -> String {
    let body = json!({"type": name, "document": document});
    let made = house().ask("POST", "/api/records", &json!({"body": body})).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn total(question: &str) -> u64 {
    let path = format!("/api/search?{question}&wait=true&limit=1");
    let found = house().ask("GET", &path, &Value::Null).await;
    found["total"].as_u64().unwrap()
}

/// Asks until so many are found: what a move carries along is read again after it.
async fn found(question: &str, wanted: u64) {
    let asked = async { while total(question).await != wanted {} };
    let followed = tokio::time::timeout(PATIENCE, asked).await;
    assert!(followed.is_ok(), "{question}: not {wanted}");
}

async fn types() {
    let plant = json!({"name": "day-plant", "title": "name", "parent": "above", "visibility": "public",
        "labels": {"en": "Plant of the day"}, "fields": [
        {"name": "name", "kind": "text", "column": true},
        {"name": "rank", "kind": "term", "column": true, "values": ["family", "genus", "species"]},
        {"name": "above", "kind": "link", "target": "day-plant", "labels": {"en": "Belongs to"}}]});
    let gatherer = json!({"name": "day-gatherer", "title": "name", "visibility": "public",
        "labels": {"en": "Gatherer"}, "fields": [
        {"name": "name", "kind": "text", "column": true},
        {"name": "born", "kind": "date"}]});
    let sheet = json!({"name": "day-sheet", "title": "number", "visibility": "public",
        "labels": {"en": "Herbarium sheet", "sv": "Herbarieark"}, "fields": [
        {"name": "number", "kind": "identifier", "unique": true, "column": true, "number": {"pattern": "DAY{seq:4}"}},
        {"name": "plant", "kind": "link", "target": "day-plant", "column": true},
        {"name": "gatherer", "kind": "link", "target": "day-gatherer", "column": true, "facet": true},
        {"name": "gathered", "kind": "date", "column": true},
        {"name": "gathered_verbatim", "kind": "text", "labels": {"en": "Gathered, as written"}},
        {"name": "locality", "kind": "text", "column": true, "labels": {"en": "Locality", "sv": "Fyndort"}},
        {"name": "latitude", "kind": "number"},
        {"name": "longitude", "kind": "number"},
        {"name": "habitat", "kind": "term", "facet": true},
        {"name": "remarks", "kind": "text"}]});
    for body in [plant, gatherer, sheet] {
        house().ask("POST", "/api/types", &json!({"body": body})).await;
    }
}

async fn morning() -> Morning {
    types().await;
    let plant = |name: &'static str, rank: &'static str, above: Option<String>| {
        make("day-plant", json!({"name": name, "rank": rank, "above": above}))
    };
    let peas = plant("Fabaceae", "family", None).await;
    let roses = plant("Rosaceae", "family", None).await;
    let potentilla = plant("Potentilla", "genus", Some(peas.clone())).await;
    let erecta = plant("Potentilla erecta", "species", Some(potentilla.clone())).await;
    let trifolium = plant("Trifolium", "genus", Some(peas)).await;
    let pratense = plant("Trifolium pratense", "species", Some(trifolium)).await;
    let person =
        |name: &'static str, born: Option<&'static str>| make("day-gatherer", json!({"name": name, "born": born}));
    let smith = person("J. Smith", None).await;
    person("Jane Smith", Some("1888")).await;
    let eva = person("Lindqvist, Eva", Some("1901")).await;
    let eva_again = person("Eva Lindqvist", Some("1901")).await;
    for n in 0..OF_SMITH + OF_EVA {
        let (who, plant) = match n {
            n if n < OF_SMITH && n % 2 == 0 => (&smith, &erecta),
            n if n < OF_SMITH => (&smith, &pratense),
            n if n % 2 == 0 => (&eva, &pratense),
            _ => (&eva_again, &pratense),
        };
        let place = format!("Uppsala, square {n}");
        make(
            "day-sheet",
            json!({"plant": plant, "gatherer": who, "gathered": "1932", "locality": place, "habitat": "meadow"}),
        )
        .await;
    }
    found("type=day-sheet", (OF_SMITH + OF_EVA) as u64).await;
    Morning {
        potentilla,
        roses,
        smith,
        eva,
        eva_again,
    }
}

/// Types what something is called and takes the suggestion that says so.
async fn pick(browser: &Browser, typed: &str, offered: &str) {
    browser.press(typed).await;
    take(browser, offered).await;
}

/// Goes down to the suggestion that says this and takes it.
async fn take(browser: &Browser, offered: &str) {
    const CHOSEN: &str =
        "const e = document.querySelector('main [role=option][aria-selected=true]'); return e ? e.textContent : '';";
    browser
        .wait_for_text("main .combo-list:not([hidden]) [role=option]", offered)
        .await;
    for _ in 0..OFFERED {
        browser.press(DOWN).await;
        let chosen = browser.script(CHOSEN).await;
        if chosen.as_str().is_some_and(|chosen| chosen.contains(offered)) {
            return browser.press(ENTER).await;
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

/// The line of a column in the mapping, by its number.
async fn goes_into(desk: &mut Desk, column: usize, field: &str) {
    desk.browser.replace(&format!("#c{column}-to"), field).await;
    desk.browser.press(TAB).await;
}

async fn opened(desk: &mut Desk, column: usize) {
    desk.click(&format!("li.import-field:nth-child({}) summary", column + 1))
        .await;
}

/// A spreadsheet of another house, its columns mapped by hand.
async fn bring(desk: &mut Desk) {
    let table: [&[&str]; 4] = [
        &["Inv.-Nr.", "Art", "Leg.", "Datum", "Fyndort", "Biotop", "Notiz"],
        &[
            "17",
            "Potentilla erecta",
            "Jane Smith",
            "12.6.1934",
            "Kinnekulle",
            "w",
            "pressed",
        ],
        &["18", "Trifolium pratense", "Jane Smith", "c. 1930", "Visby", "m", ""],
        &["19", "Trifolium pratense", "J. Smith", "1936", "Visby", "m", "torn"],
    ];
    let path = desk.file("Herbar Nord.xlsx", &texts(&table));
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    desk.browser.picture("day", "16-a-foreign-spreadsheet").await;
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text("h1", "What it becomes").await;
    desk.browser.click_link("Map its columns to fields by hand").await;
    desk.browser.wait_for_text("h1", "Which column goes where").await;
    desk.click("#type option[value=day-sheet]").await;
    desk.click("#date_order option[value=dmy]").await;
    desk.browser.replace("#c0-to", "").await;
    goes_into(desk, 1, "plant").await;
    opened(desk, 1).await;
    desk.click("#c1-by option[value=name]").await;
    goes_into(desk, 2, "gatherer").await;
    opened(desk, 2).await;
    desk.click("#c2-by option[value=name]").await;
    goes_into(desk, 3, "gathered").await;
    opened(desk, 3).await;
    desk.browser.fill("#c3-verbatim", "gathered_verbatim").await;
    desk.browser.replace("#c4-to", "locality").await;
    goes_into(desk, 5, "habitat").await;
    opened(desk, 5).await;
    desk.browser.fill("#c5-values", "w = wood\nm = meadow").await;
    goes_into(desk, 6, "remarks").await;
    desk.browser.wait_for_text("#look .mapped", "Kinnekulle").await;
    desk.browser.wait_for_text("#look .mapped", "12.6.1934").await;
    desk.browser.picture("day", "17-columns-are-mapped").await;
    desk.browser.fill("#save_as", "Herbar Nord").await;
    desk.click("button[value=save]").await;
    desk.browser.wait_for_text(".toast", "Herbar Nord").await;
    desk.click(".wizard-actions button[value=next]").await;
    desk.browser.wait_for_text("h1", "What would happen").await;
    counts(desk, ["3", "0", "0", "0"]).await;
    desk.browser.picture("day", "18-what-would-happen").await;
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "is imported").await;
    counts(desk, ["3", "0", "0", "0"]).await;
    desk.browser.picture("day", "19-imported").await;
    found("type=day-sheet&q=locality:Visby", 2).await;
    let brought = house()
        .ask(
            "GET",
            "/api/search?type=day-sheet&q=locality:Kinnekulle&limit=1",
            &Value::Null,
        )
        .await;
    let id = brought["items"][0]["id"].as_str().unwrap();
    let brought = house().ask("GET", &format!("/api/records/{id}"), &Value::Null).await;
    let document = &brought["document"];
    assert_eq!(
        (
            &document["gathered"],
            &document["gathered_verbatim"],
            &document["habitat"]
        ),
        (&json!("1934-06-12"), &json!("12.6.1934"), &json!("wood"))
    );
    // It has a number like all others, and its row as it was brought.
    desk.browser.open(&format!("/records/{id}")).await;
    desk.browser.wait_for_text("h1", "DAY005").await;
    desk.browser.wait_for_text(".lead", "Potentilla erecta").await;
    desk.browser.click_link("See it as it was brought").await;
    desk.browser.wait_for_text(".source-row", "Kinnekulle").await;
    desk.browser.picture("day", "20-as-it-was-brought").await;
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
