//! Repeated requests: done once, whoever leaves, fails or dies on the way.

use super::*;
use crate::kernel::db::Engine;

async fn a_repeated_request_is_done_once(db: TestDb) {
    let site = Arc::new(Site::start(db).await);
    let waits = json!({"name": "waits"});
    let first = tokio::spawn(site.create(&waits).header("idempotency-key", "k1").send());
    site.things.entered.notified().await;
    // At work: everybody else is told to come back, and nothing is done twice.
    let others = (0..16).map(|_| {
        let site = site.clone();
        let request = site.create(&waits).header("idempotency-key", "k1");
        tokio::spawn(async move { problem(request, Code::Conflict).await })
    });
    for other in others.collect::<Vec<_>>() {
        other.await.unwrap();
    }
    site.things.go_on.notify_one();
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.status(), 201);
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let body = first.text().await.unwrap();
    let again = site
        .create(&waits)
        .header("idempotency-key", "k1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            again.status().as_u16(),
            again.headers()["idempotency-replayed"].to_str().unwrap()
        ),
        (201, "true")
    );
    assert_eq!(again.headers()["etag"], "\"1\"");
    assert_eq!(again.text().await.unwrap(), body);
    problem(
        site.create(&json!({"name": "other"})).header("idempotency-key", "k1"),
        Code::Invalid,
    )
    .await;
    problem(site.create(&waits).header("idempotency-key", "a b"), Code::BadRequest).await;
    assert_eq!(site.things.made.load(Ordering::SeqCst), 1);
}

async fn parallel_repeats_run_one_handler(db: TestDb) {
    let site = Arc::new(Site::start(db).await);
    for key in 0..8 {
        let before = site.things.made.load(Ordering::SeqCst);
        let tasks = (0..12).map(|_| {
            let request = site
                .create(&json!({"name": "a"}))
                .header("idempotency-key", format!("key-{key}"));
            tokio::spawn(async move {
                let response = request.send().await.unwrap();
                (response.status().as_u16(), response.text().await.unwrap())
            })
        });
        let mut bodies = std::collections::BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                (201, body) => _ = bodies.insert(body),
                (status, body) => assert_eq!(status, 409, "{body}"),
            }
        }
        assert_eq!(bodies.len(), 1, "one answer for all");
        assert_eq!(site.things.made.load(Ordering::SeqCst), before + 1);
    }
}

async fn a_client_that_leaves_finds_its_answer_later(db: TestDb) {
    let site = Site::start(db).await;
    let waits = json!({"name": "waits"});
    let first = tokio::spawn(site.create(&waits).header("idempotency-key", "gone").send());
    site.things.entered.notified().await;
    first.abort();
    assert!(first.await.is_err());
    site.things.go_on.notify_one();
    loop {
        let again = site
            .create(&waits)
            .header("idempotency-key", "gone")
            .send()
            .await
            .unwrap();
        if again.status() == 201 {
            break;
        }
        assert_eq!(again.status(), 409);
        tokio::task::yield_now().await;
    }
    assert_eq!(site.things.made.load(Ordering::SeqCst), 1);
}

/// Makes the kept answer of a key look as a killed process leaves its claim.
async fn kill(site: &Site, key: &'static str, took_effect: bool) {
    // One process alone knows at once that the other is gone; beside others a claim has to run out.
    let age: i64 = if site.db.engine() == Engine::Sqlite {
        0
    } else {
        3_600_000
    };
    let tampered = site.db.write(Write::interactive("test.kill"), |tx| {
        Box::pin(async move {
            sql("UPDATE idempotency SET status = NULL, headers = NULL, body = NULL, process = 'gone', took_effect = $1, created_at = created_at - $2 WHERE key = $3")
                .bind(took_effect)
                .bind(age)
                .bind(key)
                .exec(&mut *tx)
                .await?;
            sql("UPDATE change_set SET created_at = created_at - $1").bind(age).exec(tx).await
        })
    });
    tampered.await.unwrap();
}

async fn made(site: &Site) -> i64 {
    let (count,): (i64,) = sql("SELECT COUNT(*) FROM version").one(&*site.db).await.unwrap();
    count
}

async fn a_claim_that_died_before_it_wrote_runs_again(db: TestDb) {
    let site = Site::start(db).await;
    let send = || site.create(&json!({"name": "a"})).header("idempotency-key", "k");
    assert_eq!(send().send().await.unwrap().status(), 201);
    kill(&site, "k", false).await;
    let again = send().send().await.unwrap();
    assert_eq!(again.status(), 201);
    assert!(!again.headers().contains_key("idempotency-replayed"), "it ran");
    assert_eq!(send().send().await.unwrap().headers()["idempotency-replayed"], "true");
    assert_eq!(site.things.made.load(Ordering::SeqCst), 2);
}

async fn a_claim_that_died_after_it_wrote_tells_what_stands(db: TestDb) {
    let site = Site::start(db).await;
    let send = || site.create(&json!({"name": "writes"})).header("idempotency-key", "k");
    assert_eq!(send().send().await.unwrap().status(), 201);
    kill(&site, "k", true).await;
    for _ in 0..2 {
        let told = problem(send(), Code::Conflict).await;
        assert_eq!(told["took_effect"], true, "{told}");
        assert_eq!(told["changes"].as_array().unwrap().len(), 1, "{told}");
        assert!(
            told["detail"]
                .as_str()
                .unwrap()
                .contains(told["changes"][0]["id"].as_str().unwrap())
        );
        assert!(told["ledger_position"].is_string());
        assert!(told["retry_after"].is_null(), "nothing to wait for");
    }
    assert_eq!((made(&site).await, site.things.made.load(Ordering::SeqCst)), (1, 1));
}

async fn a_failure_after_a_write_is_not_run_again(db: TestDb) {
    let site = Site::start(db).await;
    let send = || {
        site.create(&json!({"name": "writes and breaks"}))
            .header("idempotency-key", "k")
    };
    problem(send(), Code::Unavailable).await;
    let told = problem(send(), Code::Conflict).await;
    assert_eq!(told["took_effect"], true, "{told}");
    assert_eq!(made(&site).await, 1);
}

async fn a_first_that_was_only_slow_writes_nothing_after_it_was_taken_over(db: TestDb) {
    let site = Arc::new(Site::start(db).await);
    let send = || {
        let request = site
            .create(&json!({"name": "waits and writes"}))
            .header("idempotency-key", "k");
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    };
    let first = send();
    site.things.entered.notified().await;
    kill(&site, "k", false).await;
    let second = send();
    site.things.entered.notified().await;
    site.things.go_on.notify_one();
    assert_eq!(first.await.unwrap(), 409, "its right was taken over");
    site.things.go_on.notify_one();
    assert_eq!(second.await.unwrap(), 201);
    assert_eq!(made(&site).await, 1);
}

crate::both!(
    a_repeated_request_is_done_once,
    parallel_repeats_run_one_handler,
    a_client_that_leaves_finds_its_answer_later,
    a_claim_that_died_before_it_wrote_runs_again,
    a_claim_that_died_after_it_wrote_tells_what_stands,
    a_failure_after_a_write_is_not_run_again,
    a_first_that_was_only_slow_writes_nothing_after_it_was_taken_over
);
