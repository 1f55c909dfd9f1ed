//! Accounts as people meet them: the first administrator by link, an invitation, the second step, an account of one's own.

use crate::browser::{Browser, Look};
use crate::house::{PASSWORD, house};

#[tokio::test]
async fn somebody_is_invited_and_signs_in() {
    let keeper = Browser::start(Look::Desktop).await;
    house().go_in(&keeper).await;
    // Where nobody is found the form stands open.
    keeper.open("/people?q=zzz").await;
    keeper.fill("#name", "Grace Hopper").await;
    keeper.fill("#login", "grace").await;
    keeper.click(".invite button[type=submit]").await;
    keeper.wait_for_text(".secret", "Grace Hopper has an account.").await;
    let link = keeper.text("#link").await;
    let path = link.split("://").nth(1).unwrap().split_once('/').unwrap().1.to_owned();
    keeper.nothing_to_complain_about().await;
    let guest = Browser::start(Look::PhoneWithoutScripts).await;
    guest.open(&format!("/{path}")).await;
    guest.wait_for_text("h1", "Welcome, Grace Hopper").await;
    guest.fill("#password", PASSWORD).await;
    guest.click("main form button[type=submit]").await;
    guest.wait_for_text("h1", "records").await;
    guest.open("/account").await;
    guest.wait_for_text("h1", "Grace Hopper").await;
    guest.close().await;
    // Signing in leads back to where somebody was.
    let other = Browser::start(Look::Phone).await;
    other.open("/sign-in?to=/types").await;
    other.fill("#name", "grace").await;
    other.fill("#password", "not this one").await;
    other.click("main form button[type=submit]").await;
    other.wait_for_text("[role=alert]", "is not right").await;
    other.click("[data-reveal]").await;
    other.fill("#password", PASSWORD).await;
    other.click("main form button[type=submit]").await;
    other.wait_for_text("h1", "Collections").await;
    other.close().await;
    keeper.close().await;
}

#[tokio::test]
async fn the_pages_of_accounts_fit_a_phone() {
    let browser = Browser::start(Look::Phone).await;
    for width in [360, 320] {
        browser.set_width(width).await;
        browser.open(&house().setup_link().await).await;
        assert_eq!(
            browser.overflow().await,
            0,
            "the setup page is wider than {width} pixels"
        );
        browser.open("/sign-in").await;
        assert_eq!(browser.overflow().await, 0, "signing in is wider than {width} pixels");
    }
    house().go_in(&browser).await;
    for width in [360, 320] {
        browser.set_width(width).await;
        for page in ["/account", "/account/second-step", "/people"] {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
    }
    browser.nothing_to_complain_about().await;
    browser.close().await;
}
