//! A running house is told things: a role pauses and goes on, it logs more or less. Nothing of the process ends.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::client::Client;
use super::server::Place;

/// The states of the roles as `app ps` prints them.
fn roles(place: &Place) -> Vec<(String, String)> {
    let told = place.fine(&["ps"]);
    let words = told
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| (words[2].to_owned(), words[3].to_owned())).collect()
}

async fn roles_pause_and_go_on(db: TestDb) {
    let place = Place::new(&db.folder().join("house"), Some(db.url()));
    let served = place.serve();
    let client = Client::new(&place, &served);
    client.until("/health/ready", |status, _| status == 200).await;
    let running = ["web", "worker", "scheduler"].map(|role| (role.to_owned(), "runs".to_owned()));
    assert_eq!(roles(&place), running);

    assert_eq!(place.fine(&["stop", "worker"]), "The worker pauses in one process.\n");
    assert_eq!(roles(&place)[1].1, "pauses");
    let import = client.import(20).await;
    let waits = |body: &Value| body["items"][0]["wait"]["reason"] == "paused";
    client
        .until("/api/jobs?state=waiting&kind=exchange.import", |_, body| waits(body))
        .await;
    let ready = client.get("/health/ready").await;
    let of = |body: &Value, name: &str| {
        let parts = body["components"].as_array().unwrap().clone();
        parts.into_iter().find(|part| part["name"] == name).unwrap()
    };
    assert_eq!((ready.0, &of(&ready.2, "roles")["state"]), (200, &json!("warning")));
    assert_eq!(place.fine(&["start", "worker"]), "The worker goes on in one process.\n");
    client.imported(&import, 20).await;
    // As often as one likes, and told twice is told once.
    for verb in ["stop", "stop", "start", "start"] {
        place.fine(&[verb, "worker"]);
        place.fine(&[verb, "scheduler"]);
    }
    assert_eq!(roles(&place), running);
    let again = client.import(30).await;
    client.imported(&again, 30).await;

    place.fine(&["stop", "web"]);
    let (status, retry, problem) = client.get("/api/records").await;
    assert_eq!(
        (status, retry.as_deref(), &problem["code"]),
        (503, Some("30"), &json!("unavailable"))
    );
    assert_eq!(client.get("/health/live").await.0, 200);
    assert_eq!(client.get("/health/ready").await.0, 503);
    place.fine(&["start", "web"]);
    assert_eq!(client.get("/api/types").await.0, 200);

    let refused = client.send("POST", "/api/roles/kitchen/stop", String::new()).await;
    assert_eq!(
        (refused.0, &refused.2["errors"][0]["path"]),
        (422, &json!("role")),
        "{}",
        refused.2
    );
    let nobody = "/api/roles/worker/stop?process=nobody";
    assert_eq!(client.send("POST", nobody, String::new()).await.0, 404);
    assert_eq!(place.run(&["stop", "kitchen"]).status.code(), Some(2));
    assert_eq!(served.stop(), Some(0));
    assert_ne!(place.run(&["stop", "worker"]).status.code(), Some(0), "nothing runs");
}

async fn a_house_logs_more_or_less(db: TestDb) {
    let place = Place::new(&db.folder().join("house"), Some(db.url()));
    let served = place.serve();
    let client = Client::new(&place, &served);
    assert_eq!(place.fine(&["logs", "level"]), "error\n");
    client.send("GET", "/api/types?limit=1", String::new()).await;
    assert_eq!(
        place.fine(&["logs", "level", "info,vitrine::kernel::jobs=debug"]),
        "info,vitrine::kernel::jobs=debug\n"
    );
    assert_eq!(
        client.get("/api/log-level").await.2["level"],
        "info,vitrine::kernel::jobs=debug"
    );
    client
        .until("/api/logs?q=answered", |_, body| {
            !body["items"].as_array().unwrap().is_empty()
        })
        .await;
    assert_eq!(
        client.get("/api/processes").await.2["items"][0]["log_level"],
        "info,vitrine::kernel::jobs=debug"
    );
    for wrong in ["loud", "info,vitrine", "[", "info,,"] {
        assert_eq!(place.run(&["logs", "level", wrong]).status.code(), Some(2), "{wrong}");
    }
    assert_eq!(place.fine(&["logs", "level", ""]), "error\n");
    assert_eq!(served.stop(), Some(0));
}

both!(roles_pause_and_go_on, a_house_logs_more_or_less);
