//! Accounts as people meet them: the first administrator by link, an invitation, the second step, an account of one's own.

use crate::browser::{Browser, Look};
use crate::house::{PASSWORD, house};

#[tokio::test]
async fn a_link_makes_one_administrator() {
    let link = house().setup_link().await;
    let browser = Browser::start(Look::PhoneWithoutScripts).await;
    browser.open(&link).await;
    browser.wait_for_text("h1", "Look after this collection").await;
    browser.fill("#name", "Mary Anning").await;
    browser.fill("#login", "mary.anning").await;
    browser.fill("#password", "mary-anning-1").await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text(".wrong", "Guessers try this first").await;
    browser.picture("accounts", "01-the-first-administrator").await;
    browser.forget_complaints().await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main form button[type=submit]").await;
    browser.wait_for_text("h1", "records").await;
    browser.open("/people").await;
    browser.wait_for_text("h1", "People").await;
    browser.picture("accounts", "02-who-is-there").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
    let late = Browser::start(Look::Desktop).await;
    late.open(&link).await;
    late.wait_for_text("main", "used already").await;
    late.close().await;
}

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
    keeper.picture("accounts", "03-an-invitation").await;
    let link = keeper.text("#link").await;
    let path = link.split("://").nth(1).unwrap().split_once('/').unwrap().1.to_owned();
    keeper.nothing_to_complain_about().await;
    let guest = Browser::start(Look::PhoneWithoutScripts).await;
    guest.open(&format!("/{path}")).await;
    guest.wait_for_text("h1", "Welcome, Grace Hopper").await;
    guest.picture("accounts", "04-the-invited-one-chooses-a-password").await;
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
        for page in [
            "/account",
            "/account/second-step",
            "/account/passkeys",
            "/people",
            "/messages",
        ] {
            browser.open(page).await;
            assert_eq!(browser.overflow().await, 0, "{page} is wider than {width} pixels");
        }
    }
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

/// The six digits that an authenticator shows for a secret as its page writes it.
fn code(secret: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let (mut bits, mut held, mut bytes) = (0u32, 0u32, Vec::new());
    for c in secret.bytes().filter(u8::is_ascii_alphanumeric) {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let value = letters.iter().position(|a| *a == c).unwrap();
        held = (held << 5 | u32::try_from(value).unwrap()) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 255).unwrap());
        }
    }
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(seconds / 30).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", word % 1_000_000)
}

#[tokio::test]
async fn somebody_signs_in_with_a_passkey() {
    let browser = Browser::start(Look::Desktop).await;
    browser.plug_in_authenticator().await;
    house().go_in(&browser).await;
    browser.open("/account/passkeys").await;
    browser.fill("#name", "This computer").await;
    browser.fill("#password", "not this one").await;
    browser.click("[data-passkey] button[type=submit]").await;
    browser.wait_for_text("[data-said]", "not your password").await;
    browser.replace("#password", PASSWORD).await;
    browser.click("[data-passkey] button[type=submit]").await;
    browser.wait_for_text(".line-list", "This computer").await;
    browser.picture("accounts", "05-a-passkey").await;
    browser.forget_complaints().await;
    // The same device holds one already.
    browser.fill("#password", PASSWORD).await;
    browser.click("[data-passkey] button[type=submit]").await;
    browser.wait_for_text("[data-said]", "already").await;
    // Out, and in again without a name.
    browser.open("/account").await;
    browser.click(".site-account > summary").await;
    browser.click(".site-account form button").await;
    browser.wait_for_text(".toast", "signed out").await;
    browser.open("/sign-in?to=/account").await;
    browser.picture("accounts", "06-signing-in").await;
    browser.click("[data-passkey] button[type=submit]").await;
    browser.wait_for_text("h1", "Ada Keeper").await;
    browser.picture("accounts", "07-in-by-a-passkey").await;
    browser.nothing_to_complain_about().await;
    browser.close().await;
}

#[tokio::test]
async fn a_picture_is_brought_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let point = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let path = folder.path().join("me.png");
    let content = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, point).unwrap();
    std::fs::write(&path, content).unwrap();
    for look in [Look::Desktop, Look::PhoneWithoutScripts] {
        let browser = Browser::start(look).await;
        house().go_in(&browser).await;
        browser.open("/account").await;
        assert_eq!(browser.count(".person-head .avatar img").await, 0);
        browser.fill("#picture", path.to_str().unwrap()).await;
        browser.click(".picture-form button[type=submit]").await;
        browser.wait_for_text(".toast", "Your picture is saved").await;
        assert_eq!(browser.count(".person-head .avatar img").await, 1);
        browser.open("/people").await;
        assert!(browser.count(".people .avatar img").await > 0);
        assert_eq!(browser.count(".site-account .avatar img").await, 1);
        if look == Look::Desktop {
            let drawn = "return document.querySelector('.site-account .avatar img').naturalWidth > 0";
            assert_eq!(browser.script(drawn).await, true, "it is drawn");
        }
        browser.open("/account").await;
        browser.click("form[action='/account/picture/remove'] button").await;
        browser.wait_for_text(".toast", "taken away").await;
        assert_eq!(browser.count(".avatar img").await, 0);
        browser.nothing_to_complain_about().await;
        browser.close().await;
    }
}

#[tokio::test]
async fn somebody_sets_a_second_step_up_and_uses_it() {
    let browser = Browser::start(Look::Phone).await;
    house().go_in(&browser).await;
    browser.open("/account").await;
    let page = browser.text("main").await;
    assert!(page.contains("Second step"), "{page}");
    browser.open("/account/second-step").await;
    let secret = browser.text(".enrol .terminal code").await;
    browser.picture("accounts", "08-a-second-step").await;
    browser.fill("#code", &code(&secret)).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main form button.primary").await;
    browser.wait_for_text("h1", "Keep these recovery codes").await;
    let recovery = browser.text(".codes li").await;
    browser.open("/account").await;
    let login = browser.value("input[name=login]").await;
    browser.click(".menu-button").await;
    browser.click(".site-account > summary").await;
    browser.click(".site-account form button").await;
    browser.wait_for_text(".toast", "signed out").await;
    browser.open("/sign-in").await;
    browser.fill("#name", &login).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main form button.primary").await;
    browser.wait_for_text("h1", "Second step").await;
    browser.fill("#code", "000000").await;
    browser.click("main form button.primary").await;
    browser.wait_for_text(".wrong", "not right").await;
    browser.replace("#code", &recovery).await;
    browser.click("main form button.primary").await;
    browser.wait_for_text("h1", "records").await;
    browser.close().await;
}
