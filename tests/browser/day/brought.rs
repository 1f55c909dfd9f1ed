//! A spreadsheet of another house comes in through the mapping editor: columns to fields, links by name, dates with what was
//! written, words for words; and its rows as they were brought.

use serde_json::{Value, json};

use super::TAB;
use super::morning::found;
use crate::desk::{Desk, counts, texts};
use crate::house::house;

/// The line of a column in the mapping, by its number.
async fn goes_into(desk: &mut Desk, column: usize, field: &str) {
    desk.browser.replace(&format!("#c{column}-to"), field).await;
    desk.browser.press(TAB).await;
}

async fn opened(desk: &mut Desk, column: usize) {
    desk.click(&format!("li.import-field:nth-child({}) summary", column + 1))
        .await;
}

/// Says for each column where it goes; what the first rows become stands beside.
async fn map(desk: &mut Desk) {
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
}

/// The sheets of a locality: ids and documents.
async fn of_locality(name: &str) -> Vec<(String, Value)> {
    let path = format!("/api/search?type=day-sheet&q=locality:{name}&limit=5");
    let list = house().ask("GET", &path, &Value::Null).await;
    let mut sheets = Vec::new();
    for item in list["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap().to_owned();
        let mut record = house().ask("GET", &format!("/api/records/{id}"), &Value::Null).await;
        sheets.push((id, record["document"].take()));
    }
    sheets
}

/// A spreadsheet of another house, its columns mapped by hand.
pub async fn bring(desk: &mut Desk) {
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
    map(desk).await;
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
    // What is written for people is read, too, and its words are kept.
    let visby = of_locality("Visby").await;
    let about = |document: &Value| document["gathered"] == "1930~" && document["gathered_verbatim"] == "c. 1930";
    assert!(visby.iter().any(|(_, document)| about(document)), "{visby:?}");
    let (id, document) = of_locality("Kinnekulle").await.remove(0);
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
    // Beside it stands what became of it, by the mapping.
    for now in [
        "Plant: Potentilla erecta",
        "Gathered, as written: 12.6.1934",
        "Habitat: wood",
    ] {
        desk.browser.wait_for_text(".source-row", now).await;
    }
    desk.browser.picture("day", "20-as-it-was-brought").await;
}
