//! Signing in through an institution: there and back between two sites, with the cookies and the rules of a real browser.

use crate::browser::{Browser, Look};
use crate::house::{PASSWORD, house};

/// From the page to sign in to the institution and back to where somebody wanted to go.
async fn comes_in(browser: &Browser) {
    browser.open("/sign-in?to=/types").await;
    browser.click_link("Sign in with The Museum").await;
    browser.wait_for_text("h1", "The Museum asks who you are").await;
    browser.picture("accounts", "09-the-institution-asks").await;
    browser.click("#yes").await;
    browser.wait_for_text("h1", "Collections").await;
    browser.open("/account").await;
    browser.wait_for_text("h1", "Ada Lovelace").await;
    browser.wait_for_text("#linked", "The Museum").await;
    browser.picture("accounts", "10-in-by-the-institution").await;
}

#[tokio::test]
async fn somebody_signs_in_through_the_institution_and_out_again() {
    let browser = Browser::start(Look::Desktop).await;
    comes_in(&browser).await;
    // The only way in stays.
    browser.click("#linked .danger").await;
    browser
        .wait_for_text("[role=alert]", "the only way into your account")
        .await;
    browser.forget_complaints().await;
    browser.click(".site-account > summary").await;
    browser.click(".site-account form button").await;
    browser.wait_for_text("h1", "Signed out there, too").await;
    browser.open("/").await;
    browser.wait_for_text(".site-nav", "Sign in").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn the_institution_works_without_scripts_on_a_phone() {
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    comes_in(&browser).await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn an_account_is_linked_with_the_institution() {
    let browser = Browser::start(Look::Desktop).await;
    house().go_in(&browser).await;
    browser.open("/account").await;
    browser.click("#linked details summary").await;
    browser.fill("#link-museum", "not this one").await;
    browser.click("#linked details button[type=submit]").await;
    browser.wait_for_text("#linked .wrong", "not your password").await;
    browser.forget_complaints().await;
    browser.fill("#link-museum", PASSWORD).await;
    browser.click("#linked details button[type=submit]").await;
    browser.wait_for_text("h1", "The Museum asks who you are").await;
    browser.click("#yes").await;
    browser.wait_for_text("#linked li", "The Museum").await;
    browser.nothing_to_complain_about().await;
    browser.click("#linked li details summary").await;
    browser.fill("#linked li input[type=password]", PASSWORD).await;
    browser.click("#linked li details button[type=submit]").await;
    browser.wait_for_text("#linked", "Link The Museum").await;
    browser.close().await;
}
