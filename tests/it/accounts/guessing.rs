//! Guessing names and passwords: waits that grow, limits for an address and for a name, and nothing learnt by it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use vitrine::both;
use vitrine::kernel::db::sql;
use vitrine::kernel::testing::{Answer, TestApp, TestDb, rounds};

use super::{PASSWORD, Visitor, form, person};

both!(
    guessing_leads_nowhere,
    a_thousand_addresses_open_nothing,
    known_and_unknown_names_take_the_same_time,
);

async fn guessing_leads_nowhere(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "ada", None).await;
    let mut owner = Visitor::new(&app);
    owner.sign_in("ada", PASSWORD).await;
    let mut thief = Visitor::new(&app);
    // Known and unknown names get the same answer.
    let known = thief.sign_in("ada", "wrong").await;
    let unknown = thief.sign_in("eve", "wrong").await;
    let plain = |answer: &Answer| answer.text().replace("value=\"ada\"", "").replace("value=\"eve\"", "");
    assert_eq!(known.status, unknown.status);
    assert_eq!(plain(&known), plain(&unknown));
    // Waits grow, and many at once count each.
    let tries = (0..30).map(|n| {
        let request = app
            .unsigned(Method::POST, "/sign-in")
            .header("content-type", "application/x-www-form-urlencoded");
        app.send(
            request,
            Bytes::from(form(&[("name", "ada"), ("password", &format!("guess {n}"))])),
        )
    });
    let answers = futures_util::future::join_all(tries).await;
    let refused = answers.iter().filter(|a| a.status == 429).count();
    assert!(refused >= 20, "of thirty at once a few are looked at: {refused}");
    let last = answers.iter().find(|a| a.status == 429).unwrap();
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    // One after the other, each after its wait, until the long one begins: from here on only the clock ends it.
    for n in 0..10 {
        db.clock().advance(20_000);
        thief.sign_in("ada", &format!("slow guess {n}")).await;
    }
    assert_eq!(
        thief.sign_in("ada", PASSWORD).await.status,
        429,
        "the right one waits, too"
    );
    assert_eq!(owner.kind().await, "account", "whoever is signed in stays so");
    // One password at many names.
    let mut seen = 0;
    for n in 0..30 {
        if thief.sign_in(&format!("nobody{n}"), "Summer2026!!").await.status == 429 {
            break;
        }
        seen += 1;
    }
    assert!(seen <= 15, "{seen} names were tried from one address");
    // A proxy that nobody trusts can claim nothing.
    let request = app
        .unsigned(Method::POST, "/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-for", "198.51.100.9");
    let claimed = app
        .send(request, Bytes::from(form(&[("name", "ada"), ("password", "x")])))
        .await;
    assert_eq!(claimed.status, 429);
    let tried: Vec<(i64,)> = sql("SELECT COUNT(*) FROM sign_in_try").all(&*db).await.unwrap();
    assert!(tried[0].0 < 40, "what is refused is not kept");
    app.stop().await;
}

/// A guess that a proxy says comes from this address; answers the status.
async fn guess(app: &TestApp, address: &str, name: &str, password: &str) -> u16 {
    let request = app
        .unsigned(Method::POST, "/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-for", address);
    let body = form(&[("name", name), ("password", password)]);
    app.send(request, Bytes::from(body)).await.status.as_u16()
}

async fn a_thousand_addresses_open_nothing(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.http.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    person(&app, "ada", None).await;
    assert_eq!(guess(&app, "198.51.100.7", "ada", PASSWORD).await, 303);
    // Many addresses at one name: a hundred guesses a day are looked at, whoever makes them.
    let mut looked_at = 0;
    for start in (0..1_000).step_by(50) {
        let addresses: Vec<String> = (start..start + 50)
            .map(|n| format!("10.{}.{}.1", n / 250, n % 250))
            .collect();
        let guesses = addresses
            .iter()
            .map(|address| guess(&app, address, "ada", "Summer2026!!"));
        let answers = futures_util::future::join_all(guesses).await;
        assert!(answers.iter().all(|status| matches!(status, 422 | 429)), "{answers:?}");
        looked_at += answers.iter().filter(|status| **status == 422).count();
    }
    assert!(looked_at <= 100, "{looked_at} guesses were looked at");
    assert_eq!(guess(&app, "10.9.9.9", "ada", PASSWORD).await, 429);
    assert_eq!(
        guess(&app, "198.51.100.7", "ada", PASSWORD).await,
        303,
        "where the owner was signed in, strangers shut nothing"
    );
    // One address at many names.
    let mut tried = 0;
    for n in 0..200 {
        let name = format!("nobody-{}", "x".repeat(n + 1));
        tried += usize::from(guess(&app, "192.0.2.44", &name, "Summer2026!!").await == 422);
    }
    assert!(tried <= 15, "{tried} names were tried from one address");
    app.stop().await;
}

/// The long form asks five hundred times and prints the figure; the short one only sees that both ways are gone to the end.
async fn known_and_unknown_names_take_the_same_time(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.http.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    person(&app, "ada", None).await;
    let count = rounds(4, 500);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..count {
        let address = format!("10.{}.{}.1", n / 200, n % 200);
        for (name, times) in [("ada", &mut known), ("eve", &mut unknown)] {
            let begun = Instant::now();
            assert_eq!(guess(&app, &address, name, "Summer2026!!").await, 422);
            times.push(begun.elapsed());
        }
        // A hundred guesses a day are looked at.
        if n % 80 == 79 {
            db.clock().advance(25 * 3_600_000);
        }
    }
    known.sort_unstable();
    unknown.sort_unstable();
    let apart = known[count / 2].abs_diff(unknown[count / 2]);
    println!("{count} guesses on {}: medians {apart:?} apart", db.engine().name());
    if count >= 500 {
        assert!(apart < Duration::from_millis(5), "{apart:?}");
    }
    app.stop().await;
}
