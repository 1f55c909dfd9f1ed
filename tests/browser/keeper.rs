//! What whoever looks after a collection does: undo an import and the undo, stop a job, make a token.

use serde_json::{Value, json};

use crate::browser::{Browser, Look};
use crate::house::house;

/// Where the pictures go.
const STORY: &str = "keeping";

async fn as_operator(look: Look) -> Browser {
    let browser = Browser::start(look).await;
    house().go_in(&browser).await;
    browser
}

#[tokio::test]
async fn an_import_is_undone_and_the_undo_too() {
    let browser = as_operator(Look::Desktop).await;
    let file = (1..=40).map(|n| format!("u{n},Undone {n}\n")).collect::<String>();
    let job = house().import("undoable", &format!("number,title\n{file}")).await;
    let change = house().change_of(&job).await;
    browser.open(&format!("/changes/{change}")).await;
    browser.wait_for_text(".outlook", "created").await;
    browser.picture(STORY, "01-a-change-set").await;
    browser.click_link("Undo this…").await;
    browser.wait_for_text("h1", "Undo “Import of undoable.csv”?").await;
    browser.wait_for_text(".outlook", "40").await;
    browser.picture(STORY, "02-what-an-undo-would-do").await;
    browser.fill("#reason", "The wrong file").await;
    browser.click("main form.ask button").await;
    browser.wait_for_text("h1", "Undo").await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.click("#job-facts .facts a").await;
    browser.wait_for_text("main", "The wrong file").await;
    browser.wait_for_text("main .notice", "41 things were put back.").await;
    browser.picture(STORY, "03-undone").await;
    // And back again.
    browser.click_link("Undo this…").await;
    browser.wait_for_text(".outlook", "records will be back").await;
    browser.click("main form.ask button").await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.click("#job-facts .facts a").await;
    browser.wait_for_text("main .notice", "41 things were put back.").await;
    browser.picture(STORY, "04-the-undo-undone").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_job_is_stopped() {
    let browser = as_operator(Look::Desktop).await;
    let job = house().later_job().await;
    browser.open(&format!("/jobs/{job}")).await;
    browser.wait_for_text("#job-now", "It starts at").await;
    browser.picture(STORY, "13-why-a-job-waits").await;
    browser.click("#job-now form button").await;
    browser.wait_for_text("#job-now .badge", "Cancelled").await;
    browser.click("#job-now form button").await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_dead_letter_is_replayed() {
    let browser = as_operator(Look::Desktop).await;
    // One that another version of the program has made: it stays what it is.
    let job = house().dead_letter("history.undo", json!("of yesterday")).await;
    browser.open("/jobs").await;
    browser.click_link("Look at them").await;
    browser.wait_for_text("h1", "Dead letters").await;
    browser.wait_for_text("tbody", "does not understand").await;
    browser.picture(STORY, "10-dead-letters").await;
    browser.click("tbody form button").await;
    browser.wait_for_text("#job-now .badge", "Failed").await;
    browser.wait_for_text("#job-facts", &job).await;
    browser.wait_for_text("#job-facts", "2 of").await;
    // One whose cause is mended: it is done.
    let order = json!({"type": "vanished", "q": "", "format": "csv"});
    let job = house().dead_letter("exchange.export", order).await;
    browser.open("/jobs/dead?kind=exchange.export").await;
    browser.wait_for_text("tbody", "vanished").await;
    browser.picture(STORY, "11-why-it-failed").await;
    let vanished = json!({"name": "vanished", "title": "name", "fields": [{"name": "name", "kind": "text"}]});
    house().ask("POST", "/api/types", &json!({"body": vanished})).await;
    browser.click("tbody form button").await;
    browser.wait_for_text("#job-facts", &job).await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.picture(STORY, "12-replayed").await;
    browser.open("/jobs/dead?kind=exchange.export").await;
    assert_eq!(browser.count("tbody tr").await, 0);
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_schedule_pauses_goes_on_and_runs() {
    let browser = as_operator(Look::PhoneWithoutScripts).await;
    browser.open("/schedules").await;
    browser.click_link("Forgetting old jobs").await;
    browser.wait_for_text("h1", "Forgetting old jobs").await;
    browser.click("main form button[value=pause]").await;
    browser.wait_for_text("tbody", "Paused").await;
    browser.click("tbody form button[value=resume]").await;
    browser.wait_for_text("h1", "Schedules").await;
    browser.open("/schedules/operations.prune").await;
    browser.click("main form button[value=run]").await;
    browser.wait_for_text("#job-facts", "operations.prune").await;
    // Without scripts nothing comes by itself.
    while !browser.text("#job-now").await.contains("Done") {
        browser.click_link("Look again").await;
    }
    browser.open("/schedules/operations.prune").await;
    browser.wait_for_text("tbody", "Done").await;
    browser.close().await;
}

#[tokio::test]
async fn a_role_pauses_and_goes_on() {
    let browser = as_operator(Look::PhoneWithoutScripts).await;
    browser.open("/operations").await;
    // The scheduler: nobody else's journey waits for it.
    let button = ".roles form:has(input[value=scheduler]) button";
    browser.click(button).await;
    browser.wait_for_text(".roles", "scheduler · pauses").await;
    browser.wait_for_text(button, "Go on").await;
    browser.picture(STORY, "20-a-role-pauses").await;
    browser.click(button).await;
    browser.wait_for_text(button, "Pause").await;
    assert!(!browser.text(".roles").await.contains("pauses"));
    browser.picture(STORY, "21-and-goes-on").await;
    browser.close().await;
}

#[tokio::test]
async fn one_request_is_followed_to_its_job_and_its_change() {
    let browser = as_operator(Look::Desktop).await;
    let job = house().import("followed", "number,title\n1,One\n2,Two\n").await;
    browser.open(&format!("/jobs/{job}")).await;
    browser.picture(STORY, "30-a-job").await;
    browser.click("#job-facts a[href^='/logs?request=']").await;
    browser.wait_for_text("h1", "Logs").await;
    for words in ["Import · Made", "Import · Running", "Import · Done"] {
        browser.wait_for_text("ol.log", words).await;
    }
    browser.picture(STORY, "31-one-request-as-one-story").await;
    browser.click("ol.log .change a").await;
    browser.wait_for_text("h1", "Import of followed.csv").await;
    browser.picture(STORY, "32-what-it-changed").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn somebody_decides_about_what_an_undo_left() {
    let browser = as_operator(Look::Desktop).await;
    house()
        .import("decided", "number,title,place\n1,One,Hall\n2,Two,Hall\n3,Three,Hall\n")
        .await;
    let job = house()
        .import(
            "decided",
            "number,title,place\n1,First,Cellar\n2,Second,Cellar\n3,Third,Cellar\n",
        )
        .await;
    let list = house().ask("GET", "/api/records?type=decided", &Value::Null).await;
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let mut document = list["items"][0]["document"].clone();
    document["title"] = json!("My own title");
    let change = json!({"version": 2, "body": {"document": document}});
    house().ask("PUT", &format!("/api/records/{id}"), &change).await;
    let change = house().change_of(&job).await;
    browser.open(&format!("/changes/{change}")).await;
    browser.click_link("Undo this…").await;
    browser.wait_for_text(".outlook", "stays as it is").await;
    browser.click("main form.ask button").await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.click("#job-facts .facts a").await;
    browser.click_link("Decide about these").await;
    browser.wait_for_text("main", "My own title").await;
    browser.click("main details summary").await;
    browser.wait_for_text("main details", "This was done since:").await;
    browser.picture(STORY, "05-what-an-undo-left").await;
    browser.click("main form button[value=fields]").await;
    browser.wait_for_text("#job-now .badge", "Done").await;
    browser.open(&format!("/records/{id}")).await;
    browser.wait_for_text("h1", "My own title").await;
    browser.wait_for_text("main", "Hall").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_token_is_made_seen_once_and_ended() {
    let browser = as_operator(Look::PhoneWithoutScripts).await;
    browser.open("/access/tokens").await;
    browser.fill("#name", "Night import").await;
    browser.click("form.new-token button").await;
    browser.wait_for_text(".secret", "vitrine_").await;
    browser.wait_for_text("tbody", "Night import").await;
    browser.open("/access/tokens").await;
    assert_eq!(browser.count(".secret").await, 0);
    browser.click("tbody form button").await;
    browser.wait_for_text("tbody .badge", "Ended").await;
    browser.close().await;
}

#[tokio::test]
async fn the_pages_of_a_keeper_fit_a_phone() {
    let browser = as_operator(Look::Phone).await;
    for width in [360, 320] {
        browser.set_width(width).await;
        for page in [
            "/changes",
            "/jobs",
            "/jobs/dead",
            "/schedules",
            "/schedules/operations.prune",
            "/operations",
            "/logs",
            "/settings",
            "/access/tokens",
            "/exports",
        ] {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
    }
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
