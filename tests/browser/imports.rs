//! The first hour with one's own file: dropped, corrected, previewed, imported, opened; with scripts, without them, on a
//! phone. Clicks are counted.

use super::browser::Look;
use super::desk::{Desk, counts, messy};

/// From a messy table to an open collection.
async fn novice(look: Look, name: &str, column: &str) {
    let mut desk = Desk::new(look).await;
    let scripts = look != Look::PhoneWithoutScripts;
    let path = desk.file(name, &messy(column));
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    if !scripts {
        desk.click("form[action='/import'] button[type=submit]").await;
    }
    desk.browser.wait_for_text("h1", "How the file is read").await;
    let sample = desk.browser.text("table.sample").await;
    assert!(
        sample.contains("Kännchen") && sample.contains("Tasse; blau"),
        "{sample}"
    );
    assert_eq!(desk.browser.overflow().await, 0);
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text("h1", "What it becomes").await;
    assert_eq!(desk.browser.overflow().await, 0);
    desk.click("input[name=visibility][value=public]").await;
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "What would happen").await;
    counts(&desk, ["6", "0", "0", "0"]).await;
    assert_eq!(desk.browser.overflow().await, 0);
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "is imported").await;
    counts(&desk, ["6", "0", "0", "0"]).await;
    assert_eq!(desk.browser.overflow().await, 0);
    desk.click(".wizard-actions a.primary").await;
    desk.browser.wait_for_text("main", "Kännchen").await;
    assert!(desk.clicks <= 12, "{} clicks", desk.clicks);
    println!("{name}: {} clicks from the file to the open collection", desk.clicks);
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn a_novice_opens_a_collection_from_a_messy_table() {
    novice(Look::Desktop, "Haushalt.csv", "Ort").await;
}

#[tokio::test]
async fn a_novice_does_so_on_a_phone() {
    novice(Look::Phone, "Haushalt am Telefon.csv", "Raum").await;
}

#[tokio::test]
async fn a_novice_does_so_without_scripts() {
    novice(Look::PhoneWithoutScripts, "Haushalt ohne Skripte.csv", "Regal").await;
}

#[tokio::test]
async fn a_wrong_guess_is_corrected_refused_rows_are_mended() {
    let mut desk = Desk::new(Look::Desktop).await;
    let table = |third: &str| format!("code,what,shelf\nA1,Bowl,12\nA2,Jug,30\nA3,Cup,{third}\nA4,Urn,80\n");
    let path = desk.file("shelves.csv", table("upstairs").as_bytes());
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text("h1", "What it becomes").await;
    // A column that was taken for text is a whole number.
    desk.click("#f2-kind option[value=integer]").await;
    desk.click("#key option[value=code]").await;
    desk.click(".wizard-actions button").await;
    counts(&desk, ["3", "0", "0", "1"]).await;
    let refused = desk.browser.text("table.refused").await;
    assert!(refused.contains("shelf") && refused.contains("upstairs"), "{refused}");
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "is imported").await;
    // Mended and brought again: it finds its collection by itself.
    let path = desk.file("shelves.csv", table("9").replace("Jug", "Jar").as_bytes());
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text(".notice", "Shelves").await;
    desk.click(".wizard-actions button").await;
    counts(&desk, ["1", "1", "2", "0"]).await;
    desk.browser.wait_for_text("dl.diff", "Jar").await;
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "is imported").await;
    // The same bytes again are noticed.
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    desk.browser
        .wait_for_text(".notice", "You may have imported this file already")
        .await;
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}
