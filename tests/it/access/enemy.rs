//! The new enemy: somebody loses a right, then a secret is added, while they keep asking another process than the one that was
//! told. First with the safeguard taken away, so that it is seen that the rounds would notice.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use vitrine::both;
use vitrine::kernel::db::Engine;
use vitrine::kernel::testing::{TestDb, rounds};

use super::{House, ask};

both!(a_right_that_is_gone_never_shows_what_came_later);

/// So many who ask all the time.
const ASKING: usize = 2;

fn ids_of(answer: &Value) -> impl Iterator<Item = String> {
    let items = answer["items"].as_array().into_iter().flatten();
    items.filter_map(|item| Some(item["id"].as_str()?.to_owned()))
}

/// Plays so many rounds; answers how many secrets were seen that came after the right was gone.
async fn play(house: &House, there: &axum::Router, count: usize) -> usize {
    let stop = CancellationToken::new();
    let asking: Vec<_> = (0..ASKING)
        .map(|_| {
            let (router, stop) = (there.clone(), stop.clone());
            tokio::spawn(async move {
                let mut seen = BTreeSet::new();
                while !stop.is_cancelled() {
                    let path = "/api/records?type=fungus&sort=-id&limit=20";
                    let answer = ask(&router, "GET", path, Some("stranger"), None).await.ok();
                    seen.extend(ids_of(&answer.json()));
                }
                seen
            })
        })
        .collect();
    let mut secrets = BTreeSet::new();
    let mut stale = BTreeSet::new();
    for n in 0..count {
        house.give("stranger", "viewer", "type:fungus").await;
        let shown = house
            .add("fungus", "restricted", json!({"title": format!("shown {n}")}))
            .await;
        let path = format!("/api/records/{shown}");
        let answer = ask(there, "GET", &path, Some("stranger"), None).await;
        assert_eq!(answer.status, 200, "what was given holds at once: {}", answer.text);
        house.take("stranger", "viewer", "type:fungus").await;
        let secret = house
            .add("fungus", "restricted", json!({"title": format!("secret {n}")}))
            .await;
        let path = format!("/api/records/{secret}");
        if ask(there, "GET", &path, Some("stranger"), None).await.status != 404 {
            stale.insert(secret.clone());
        }
        // It goes before the right comes back.
        house.operator_delete(&secret).await;
        secrets.insert(secret);
    }
    stop.cancel();
    for task in asking {
        stale.extend(task.await.unwrap().intersection(&secrets).cloned());
    }
    stale.len()
}

async fn a_right_that_is_gone_never_shows_what_came_later(db: TestDb) {
    let house = House::open(db.clone()).await;
    // On PostgreSQL they ask a second process; SQLite has one.
    let other = match db.engine() {
        Engine::Postgres => Some(house.beside().await),
        Engine::Sqlite => None,
    };
    let there = other.as_ref().map_or(&house.anyone, |(router, _)| router);
    let count = rounds(40, 10_000);
    let seen = play(&house, there, count).await;
    println!("{} rounds on {}: {seen} stale grants", count, db.engine().name());
    assert_eq!(seen, 0);
    let access = other
        .as_ref()
        .map_or(&house.running.kernel.access, |(_, app)| &app.kernel.access);
    house.give("stranger", "viewer", "type:fungus").await;
    ask(there, "GET", "/api/records?type=fungus", Some("stranger"), None)
        .await
        .ok();
    access.go_blind();
    let blind = play(&house, there, rounds(5, 100)).await;
    println!("{blind} stale grants without the safeguard");
    assert!(blind > 0, "without the safeguard the rounds notice nothing");
    if let Some((_, app)) = other {
        app.close().await;
    }
    house.running.stop().await;
}
