//! Rights as people meet them: two roles in two collections, "why can they see this?", looking as somebody else, and a record that
//! opens at a date.

use serde_json::{Value, json};

use crate::browser::{Browser, Look};
use crate::house::{PASSWORD, house};

/// A collection with one restricted record; answers the record.
async fn closed(name: &str, title: &str) -> String {
    let fields = json!([
        {"name": "title", "kind": "text", "column": true},
        {"name": "donor", "kind": "text", "level": "restricted"}
    ]);
    let kind = json!({"name": name, "title": "title", "visibility": "restricted", "fields": fields});
    house().ask("POST", "/api/types", &json!({ "body": kind })).await;
    let document = json!({"title": title, "donor": "A quiet giver"});
    let record = json!({"type": name, "document": document});
    let made = house().ask("POST", "/api/records", &json!({ "body": record })).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Makes an account with these roles and puts its owner before a browser.
async fn comes_in(browser: &Browser, login: &str, name: &str, roles: Value) {
    let body = json!({"login": login, "name": name, "roles": roles});
    let made = house().ask("POST", "/api/people", &json!({ "body": body })).await;
    let link = made["link"]["url"].as_str().unwrap();
    let path = link.split("://").nth(1).unwrap().split_once('/').unwrap().1;
    browser.open(&format!("/{path}")).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("h1", "records").await;
}

#[tokio::test]
async fn each_role_grants_what_it_says_and_can_explain_itself() {
    let vault = closed("vault", "The golden cup").await;
    let cabinet = closed("cabinet", "The silver spoon").await;
    let attic = closed("attic", "The tin soldier").await;
    let guest = Browser::start(Look::Desktop).await;
    let roles = json!([
        {"role": "editor", "place": "type:vault"},
        {"role": "viewer", "place": "type:cabinet"}
    ]);
    comes_in(&guest, "rosa", "Rosa Tworoles", roles).await;
    // What she edits, what she only sees, what is not there for her.
    guest.open(&format!("/records/{vault}")).await;
    guest.wait_for_text("h1", "The golden cup").await;
    assert_eq!(guest.count("a[data-key=e]").await, 1);
    guest.picture("accounts", "11-what-she-edits").await;
    guest.open(&format!("/records/{cabinet}")).await;
    guest.wait_for_text("h1", "The silver spoon").await;
    assert!(guest.text("main").await.contains("A quiet giver"));
    assert_eq!(guest.count("a[data-key=e]").await, 0);
    guest.picture("accounts", "12-what-she-only-sees").await;
    guest.nothing_to_complain_about().await;
    guest.open(&format!("/records/{attic}")).await;
    guest.wait_for_text("h1", "There is nothing here").await;
    guest.picture("accounts", "13-what-is-not-there-for-her").await;
    guest.forget_complaints().await;
    // Why can she see this?
    let keeper = Browser::start(Look::Desktop).await;
    house().go_in(&keeper).await;
    keeper.open(&format!("/records/{vault}")).await;
    keeper.click_link("Who sees this?").await;
    keeper.wait_for_text("h1", "Why can they see this?").await;
    keeper.fill("#who", "Rosa Tworoles").await;
    keeper.click("main form[method=get] button[type=submit]").await;
    keeper.wait_for_text("h2#answer", "Rosa Tworoles").await;
    keeper
        .wait_for_text("ol.reasons", "Rosa Tworoles is editor of Vault")
        .await;
    keeper
        .wait_for_text("section[aria-labelledby=answer]", "Changes this record of")
        .await;
    keeper.picture("accounts", "14-why-can-she-see-this").await;
    // What would she see?
    keeper.click("section[aria-labelledby=answer] form button").await;
    keeper.wait_for_text(".viewing", "Rosa Tworoles").await;
    keeper.open(&format!("/records/{cabinet}")).await;
    keeper.wait_for_text("h1", "The silver spoon").await;
    assert_eq!(keeper.count("a[data-key=e]").await, 0);
    keeper.picture("accounts", "15-looking-as-she-does").await;
    keeper.nothing_to_complain_about().await;
    keeper.open(&format!("/records/{attic}")).await;
    keeper.wait_for_text("h1", "There is nothing here").await;
    keeper.forget_complaints().await;
    keeper.click(".viewing button").await;
    keeper.wait_for_text("h1", "records").await;
    keeper.open(&format!("/records/{attic}")).await;
    keeper.wait_for_text("h1", "The tin soldier").await;
    keeper.nothing_to_complain_about().await;
    keeper.close().await;
    guest.close().await;
}

#[tokio::test]
async fn a_contributor_writes_what_is_theirs() {
    let other = closed("workshop", "The borrowed plane").await;
    let guest = Browser::start(Look::Desktop).await;
    let roles = json!([{"role": "contributor", "place": "type:workshop"}]);
    comes_in(&guest, "carl", "Carl Contributes", roles).await;
    guest.open("/types/workshop").await;
    guest.click_link("New").await;
    guest.fill("[name='doc/title']", "The new chisel").await;
    guest.click(".entry-bar button[value=save]").await;
    guest.wait_for_text("h1", "The new chisel").await;
    let own = guest.script("return location.pathname").await;
    let own = own.as_str().unwrap().to_owned();
    guest.click_link("Edit").await;
    guest.replace("[name='doc/title']", "The sharp chisel").await;
    guest.click(".entry-bar button[value=save]").await;
    guest.wait_for_text("h1", "The sharp chisel").await;
    guest.open(&format!("/records/{other}")).await;
    guest.wait_for_text("h1", "The borrowed plane").await;
    assert_eq!(guest.count("a[data-key=e]").await, 0);
    guest.nothing_to_complain_about().await;
    guest.open(&format!("/records/{other}/edit")).await;
    guest.wait_for_text("main", "for this record").await;
    guest.picture("accounts", "16-not-theirs-to-change").await;
    guest.forget_complaints().await;
    let keeper = Browser::start(Look::Phone).await;
    house().go_in(&keeper).await;
    keeper.open(&format!("/access/why?object={own}&who=carl")).await;
    keeper.wait_for_text("main", "Carl Contributes made the record.").await;
    keeper.picture("accounts", "17-why-may-he-change-this").await;
    for width in [360, 320] {
        keeper.set_width(width).await;
        assert_eq!(keeper.overflow().await, 0, "the page is wider than {width} pixels");
    }
    keeper.nothing_to_complain_about().await;
    keeper.close().await;
    guest.close().await;
}

#[tokio::test]
async fn a_record_is_told_to_open_at_a_date() {
    let record = closed("strongbox", "A letter under seal").await;
    let keeper = Browser::start(Look::Phone).await;
    house().go_in(&keeper).await;
    keeper.open(&format!("/records/{record}")).await;
    keeper.click_link("Open at a date").await;
    keeper.wait_for_text("h1", "A letter under seal").await;
    keeper
        .script("document.querySelector('#day').value = '2099-01-01'; return true")
        .await;
    keeper.click("main form button.primary").await;
    keeper.wait_for_text("main table", "A letter under seal").await;
    for width in [360, 320] {
        keeper.set_width(width).await;
        for page in [
            format!("/embargoes?object=record:{record}"),
            "/embargoes?type=strongbox".to_owned(),
            "/embargoes".to_owned(),
            format!("/records/{record}"),
        ] {
            keeper.open(&page).await;
            assert_eq!(keeper.overflow().await, 0, "{page} is wider than {width} pixels");
        }
    }
    keeper.wait_for_text(".record-head", "Opens on").await;
    keeper.open("/embargoes?type=strongbox").await;
    keeper.wait_for_text("main form", "Donor").await;
    keeper.click("main table form button").await;
    keeper.wait_for_text("main", "Nothing opens by itself").await;
    keeper.nothing_to_complain_about().await;
    keeper.close().await;
}
