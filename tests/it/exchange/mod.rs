//! Imports and exports on the composed app: what every story here stands on.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod collections;
mod dina;
mod exports;
mod formats;
mod imports;
mod killed;
mod mappings;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::kernel::db::sql;
use vitrine::kernel::http::local;
use vitrine::kernel::jobs::{Worker, WorkerOptions};
use vitrine::kernel::testing::{TestDb, gzip};

use crate::house::House;

struct Place {
    house: House,
    router: Router,
    worker: Worker,
}

impl Place {
    async fn new(db: &TestDb) -> Self {
        let house = House::new(db).await;
        let router = local(house.web().router);
        let kernel = &house.app.kernel;
        let options = WorkerOptions::from_config(&kernel.config);
        let worker = Worker::new(&kernel.db, &kernel.process, house.app.handlers(), options).unwrap();
        Self { house, router, worker }
    }

    async fn ask(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        (
            status,
            axum::body::to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        )
    }

    async fn begin(&self, file: &[u8], query: &str) -> String {
        let (status, body) = self.ask("POST", &format!("/api/imports?{query}"), file.to_vec()).await;
        let begun: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 202, "{begun}");
        begun["job"].as_str().unwrap().to_owned()
    }

    async fn look(&self, job: &str) -> Value {
        let (status, body) = self.ask("GET", &format!("/api/imports/{job}"), Vec::new()).await;
        let view = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200, "{view}");
        view
    }

    async fn import(&self, file: &[u8], query: &str) -> Value {
        let job = self.begin(file, query).await;
        self.worker.drain().await.unwrap();
        self.look(&job).await
    }

    async fn export(&self, query: &str) -> Vec<u8> {
        let (status, body) = self.ask("GET", &format!("/api/export?{query}"), Vec::new()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    async fn records(&self) -> i64 {
        let (count,): (i64,) = sql("SELECT COUNT(*) FROM record WHERE state = 'live'")
            .one(&self.house.app.kernel.db)
            .await
            .unwrap();
        count
    }

    async fn json(&self, method: &str, path: &str, body: String) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json");
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn close(self) {
        self.house.app.close().await;
    }
}

#[track_caller]
fn counts(view: &Value, created: i64, updated: i64, unchanged: i64, refused: i64) {
    assert_eq!(view["state"], "done", "{view}");
    let got = ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap());
    assert_eq!(got, [created, updated, unchanged, refused], "{view}");
}

/// An invented museum with everything that is hard: groups, lists, nulls, mixed kinds, numbers as they were typed, formulas.
fn museum(rows: usize) -> String {
    let object = |n: usize| {
        let object = json!({
            "id": format!("m:{n}"), "title": if n.is_multiple_of(9) { json!(null) } else { json!(format!("Teapot {n}")) },
            "department": (["Fine Arts", "Film", "Photography"])[n % 3], "made": (["1850", "1850-02", "-0300-01-01"])[n % 3],
            "width": n as f64 / 4.0, "count": n, "on_view": n.is_multiple_of(2), "note": (["=1+1", "'=x", "a, \"b\"\nc", "", "@me"])[n % 5],
            "mixed": if n.is_multiple_of(4) { json!(n) } else { json!({ "a": [n] }) }, "tags": if n.is_multiple_of(3) { json!([]) } else { json!(["x", "y"]) },
            "creator": [{ "name": format!("Maker {}", n % 7), "born": null, "role": "" }], "url": format!("https://museum.example/{n}"),
        });
        object.to_string()
    };
    (1..=rows)
        .map(|n| object(n).replace("\"count\":7", "\"odd\":1.50,\"count\":7") + "\n")
        .collect()
}

/// Out and in again, in every format: nothing is new, nothing changes.
async fn round(place: &Place, type_name: &str, rows: i64) {
    for format in ["jsonl", "csv", "json", "xlsx"] {
        let file = place.export(&format!("type={type_name}&format={format}")).await;
        let view = place
            .import(&file, &format!("type={type_name}&name=export.{format}"))
            .await;
        counts(&view, 0, 0, rows, 0);
    }
}
