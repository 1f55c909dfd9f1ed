//! PostgreSQL goes away while the house runs, and comes back: clear answers meanwhile, nothing lost or doubled, no hand
//! needed. The test stands between program and server and cuts the line.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use vitrine::kernel::db::sql;
use vitrine::kernel::testing;

use super::client::{Answer, Client};
use super::server::Place;

const ROWS: usize = 10_000;

/// A line to the server that can be cut: connections break and new ones are refused.
struct Line {
    server: String,
    port: u16,
    open: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Line {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Self {
            server,
            port,
            open: Arc::default(),
        };
        line.carry(listener);
        line
    }

    fn carry(&self, listener: TcpListener) {
        let server = self.server.clone();
        let carrying = tokio::spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let server = server.clone();
                calls.spawn(async move {
                    let mut far = TcpStream::connect(server).await?;
                    tokio::io::copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        *self.open.lock().unwrap() = Some(carrying);
    }

    async fn cut(&self) {
        let carrying = self.open.lock().unwrap().take().unwrap();
        carrying.abort();
        // Only its end closes the connections.
        assert!(carrying.await.unwrap_err().is_cancelled());
    }

    async fn mend(&self) {
        self.carry(TcpListener::bind(("127.0.0.1", self.port)).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_goes_away_and_comes_back() {
    let db = testing::postgres().await;
    let url = db.url().to_owned();
    let (head, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let line = Line::to(server.to_owned()).await;
    let place = Place::new(
        &db.folder().join("house"),
        Some(&format!("{head}@127.0.0.1:{}/{name}", line.port)),
    );
    let served = place.serve();
    let client = Client::new(&place, &served);
    let record = client.first_note().await;
    let import = client.import(ROWS).await;
    client
        .until(&import, |_, body| body["rows"].as_i64().is_some_and(|n| n > 0))
        .await;

    line.cut().await;
    let said = |answer: Answer| {
        let (status, retry, body) = answer;
        assert_eq!(status, 503, "{body}");
        assert!(
            retry.is_some_and(|seconds| seconds.parse::<u64>().is_ok()),
            "it says when to come back: {body}"
        );
        body
    };
    // Whoever came while nobody had noticed yet may have been told that all are busy.
    client.until(&record, |_, body| body["code"] == "unavailable").await;
    let body = said(client.get(&record).await);
    assert!(body["detail"].as_str().unwrap().contains("database"), "{body}");
    said(client.note("meanwhile").await);
    // Whose token it is cannot be told now, so it is asked without one, as balancers do.
    let ready = reqwest::get(format!("{}/health/ready", served.url)).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["status"], "failed");
    let live = reqwest::get(format!("{}/health/live", served.url)).await.unwrap();
    assert_eq!(live.status(), 200);
    let health = place.run(&["health"]);
    let line_of_health = String::from_utf8_lossy(&health.stdout).into_owned();
    assert_eq!(health.status.code(), Some(1), "{line_of_health}");
    assert!(
        line_of_health.starts_with("not ready: ") && line_of_health.contains("database"),
        "{line_of_health}"
    );

    line.mend().await;
    client.until("/health/ready", |status, _| status == 200).await;
    client.until(&record, |status, _| status == 200).await;
    let (status, _, after) = client.note("after").await;
    assert_eq!(status, 201, "{after}");
    client.imported(&import, ROWS).await;
    assert_eq!(served.stop(), Some(0));

    let kinds: Vec<(String, i64, i64)> =
        sql("SELECT type, COUNT(*), MAX(version) FROM record GROUP BY type ORDER BY type")
            .all(&*db)
            .await
            .unwrap();
    assert_eq!(
        kinds,
        [("note".to_owned(), 2, 1), ("part".to_owned(), ROWS as i64, 1)],
        "nothing lost, nothing doubled"
    );
}
