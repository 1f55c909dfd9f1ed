//! Ways through the import wizard other than the straight one: a workbook, several files, left and come back to, stopped and
//! gone on with, closed and then opened, by keyboard alone; and the row as it was brought.

use super::browser::{Browser, Look};
use super::desk::{Desk, counts, workbook};
use super::house::house;

const ENTER: &str = "\u{e007}";
const SPACE: &str = " ";

#[tokio::test]
async fn a_workbook_comes_in_is_looked_at_as_it_was_brought_and_is_undone() {
    let mut desk = Desk::new(Look::Desktop).await;
    let path = desk.file("Kitchen.xlsx", &workbook("Shelf of the workbook"));
    desk.browser.open("/import").await;
    desk.choose(&path).await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    let sample = desk.browser.text("table.sample").await;
    assert!(
        sample.contains("Shelf of the workbook") && sample.contains("Vase"),
        "{sample}"
    );
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text("h1", "What it becomes").await;
    desk.import().await;
    counts(&desk, ["4", "0", "0", "0"]).await;
    let end = desk.browser.script("return location.pathname").await;
    desk.click(".wizard-actions a.primary").await;
    desk.browser.wait_for_text("main", "Vase").await;
    desk.browser.click_link("Vase").await;
    desk.browser.wait_for_text("h1", "Vase").await;
    desk.browser.click_link("See it as it was brought").await;
    desk.browser.wait_for_text("h1", "“Vase” as it was brought").await;
    desk.browser
        .wait_for_text("main", "Row 3 of Kitchen.xlsx, which begins in line 6.")
        .await;
    desk.browser.wait_for_text(".source-row", "X2").await;
    desk.browser.open(end.as_str().unwrap()).await;
    desk.click(".wizard-actions a.danger").await;
    desk.browser.wait_for_text(".outlook", "4").await;
    desk.click("main form.ask button").await;
    desk.browser.wait_for_text("#job-now .badge", "Done").await;
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn files_that_come_together_wait_for_each_other() {
    let mut desk = Desk::new(Look::Desktop).await;
    let first = desk.file("Spoons.csv", b"spoon,length\nA,10\nB,12\n");
    let second = desk.file("Forks.csv", b"fork,teeth\nA,3\nB,4\n");
    desk.browser.open("/import").await;
    let both = format!("{}\n{}", first.display(), second.display());
    desk.choose(std::path::Path::new(&both)).await;
    desk.browser.wait_for_text(".queue", "Spoons.csv").await;
    desk.browser.wait_for_text(".queue", "Forks.csv").await;
    desk.browser.click_link("Spoons.csv").await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    // Left for something else, and come back to.
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text("h1", "What it becomes").await;
    desk.browser.replace("#label", "Silver spoons").await;
    desk.click(".wizard-actions button").await;
    counts(&desk, ["2", "0", "0", "0"]).await;
    desk.browser.open("/types").await;
    desk.browser.open("/import").await;
    desk.browser.click_link("Spoons.csv").await;
    desk.click("button[value=next]").await;
    assert_eq!(
        desk.browser.value("#label").await,
        "Silver spoons",
        "what was chosen is kept"
    );
    desk.import().await;
    // The next file that waits is offered; other journeys have files that wait, too.
    desk.browser.wait_for_text(".wizard-actions", "Go on with").await;
    desk.browser.open("/import").await;
    desk.browser.click_link("Forks.csv").await;
    desk.browser.wait_for_text("table.sample", "teeth").await;
    // Thrown away, it waits no longer.
    let place = desk.browser.script("return location.pathname").await;
    desk.browser.open("/import").await;
    desk.click(&format!(
        ".queue form[action='{}/discard'] button",
        place.as_str().unwrap()
    ))
    .await;
    desk.browser.wait_for_text(".toast", "Forks.csv was thrown away").await;
    desk.browser.open("/import").await;
    desk.browser.wait_for_text("h1", "Add a file").await;
    assert!(!desk.browser.text("main").await.contains("Forks.csv"));
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn an_import_is_stopped_and_gone_on_with() {
    let mut desk = Desk::new(Look::Desktop).await;
    let mut table = String::from("leaf,pressed,herbarium sheet\n");
    for n in 0..30_000 {
        table.push_str(&format!("L{n},1{:03},Sheet {n} of a long row of sheets\n", n % 900));
    }
    desk.bring("Leaves.csv", table.as_bytes()).await;
    desk.click("#key option[value=leaf]").await;
    desk.click(".wizard-actions button").await;
    desk.browser.wait_for_text("h1", "What would happen").await;
    counts(&desk, ["30,000", "0", "0", "0"]).await;
    desk.click(".wizard-actions button").await;
    desk.browser.click("form[action$='/cancel'] button").await;
    desk.browser.wait_for_text("h1", "The import was stopped").await;
    desk.browser.click("form[action$='/resume'] button").await;
    desk.browser.wait_for_text("h1", "is imported").await;
    counts(&desk, ["30,000", "0", "0", "0"]).await;
    desk.browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn a_collection_is_opened_to_others_when_it_is_in_order() {
    let mut desk = Desk::new(Look::Phone).await;
    desk.bring("Seals.csv", b"seal,wax\nOf the town,red\nOf the abbey,green\n")
        .await;
    desk.import().await;
    let visitor = Browser::start(Look::Phone).await;
    visitor.open("/search?q=abbey").await;
    visitor.wait_for_text(".empty", "abbey").await;
    desk.browser.wait_for_text("#others", "Only people who sign in").await;
    assert_eq!(desk.browser.overflow().await, 0);
    desk.browser.click("#others form button").await;
    desk.browser.wait_for_text(".toast", "Seals").await;
    desk.browser.wait_for_text("main .badge", "Public").await;
    house()
        .ask("GET", "/api/search?wait=true&limit=1", &serde_json::Value::Null)
        .await;
    visitor.open("/search?q=abbey").await;
    visitor.wait_for_text("[role=status]", "1 record").await;
    // More of them: the page of the collection leads to the wizard, which knows where they belong.
    desk.browser.open("/types/seals").await;
    desk.browser.click_link("Import a file").await;
    desk.browser
        .wait_for_text(".notice", "The file will go into “Seals”")
        .await;
    let more = desk.file("More.csv", b"seal,wax\nOf the guild,black\n");
    desk.choose(&more).await;
    desk.browser.wait_for_text("h1", "How the file is read").await;
    desk.click("button[value=next]").await;
    desk.browser.wait_for_text(".notice", "Seals").await;
    desk.import().await;
    counts(&desk, ["1", "0", "0", "0"]).await;
    desk.browser.nothing_to_complain_about().await;
    visitor.close().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn a_file_is_imported_by_keyboard_alone() {
    let desk = Desk::new(Look::Desktop).await;
    let path = desk.file("Keys.csv", b"key,opens\nK1,cellar\nK2,attic\n");
    let browser = &desk.browser;
    browser.open("/").await;
    // The menu of those who look after the house opens and leads on.
    browser.tab_to("summary", "Manage").await;
    browser.press(ENTER).await;
    browser.tab_to("a", "Import").await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "Add a file").await;
    browser.tab_to_id("file").await;
    browser.press(path.to_str().unwrap()).await;
    browser.wait_for_text("h1", "How the file is read").await;
    browser.tab_to("button[value=next]", "This is right: go on").await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "What it becomes").await;
    browser.tab_to("input[name=visibility]", "").await;
    browser.press("\u{e015}").await;
    browser.press(SPACE).await;
    browser.tab_to(".wizard-actions button", "Preview").await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "What would happen").await;
    counts(&desk, ["2", "0", "0", "0"]).await;
    browser.tab_to(".wizard-actions button", "Import 2 rows").await;
    browser.press(ENTER).await;
    browser.wait_for_text("h1", "is imported").await;
    browser.wait_for_text("#others", "Everybody").await;
    browser.tab_to(".wizard-actions a", "Open my collection").await;
    browser.press(ENTER).await;
    browser.wait_for_text("main", "K1").await;
    browser.nothing_to_complain_about().await;
    desk.browser.close().await;
}

#[tokio::test]
async fn the_menus_open_without_scripts() {
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    house().go_in(&browser).await;
    browser.click(".menu-button").await;
    browser.click(".site-menu summary").await;
    browser.click(".site-menu a[href='/jobs']").await;
    browser.wait_for_text("h1", "Jobs").await;
    browser.click(".menu-button").await;
    browser.click(".site-account summary").await;
    assert_eq!(browser.overflow().await, 0);
    browser.click("form[action='/sign-out'] button").await;
    browser.wait_for_text(".toast", "You are signed out").await;
    browser.close().await;
}
