//! A client of a running program.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Place, Server};

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// See the module's text.
pub struct Client {
    http: reqwest::Client,
    token: String,
    url: String,
}

/// Status, Retry-After, body.
pub type Answer = (u16, Option<String>, Value);

impl Client {
    pub fn new(place: &Place, server: &Server) -> Self {
        Self {
            http: reqwest::Client::new(),
            token: place.token(),
            url: server.url.clone(),
        }
    }

    pub async fn send(&self, method: &str, path: &str, body: String) -> Answer {
        let request = self
            .http
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let retry = answer
            .headers()
            .get("retry-after")
            .map(|v| v.to_str().unwrap().to_owned());
        (answer.status().as_u16(), retry, answer.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, String::new()).await
    }

    /// Asks until the answer is as wished.
    pub async fn until(&self, path: &str, wished: impl Fn(u16, &Value) -> bool) -> Value {
        let last = std::sync::Mutex::new(Value::Null);
        let asked = async {
            loop {
                let (status, _, body) = self.get(path).await;
                if wished(status, &body) {
                    return body;
                }
                *last.lock().unwrap() = body;
                tokio::task::yield_now().await;
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, asked).await;
        outcome.unwrap_or_else(|_| panic!("{path} does not come to what is wished: {}", last.lock().unwrap()))
    }

    /// Makes the type `note` and a note. Answers its path.
    pub async fn first_note(&self) -> String {
        let fields = json!({ "name": "note", "title": "tag", "fields": [{ "name": "tag", "kind": "text" }] });
        assert_eq!(self.send("POST", "/api/types", fields.to_string()).await.0, 201);
        let (status, _, made) = self.note("first").await;
        assert_eq!(status, 201, "{made}");
        format!("/api/records/{}", made["id"].as_str().unwrap())
    }

    pub async fn note(&self, tag: &str) -> Answer {
        let body = json!({ "type": "note", "document": { "tag": tag } });
        self.send("POST", "/api/records", body.to_string()).await
    }

    /// Begins an import of so many rows. Answers its path.
    pub async fn import(&self, rows: usize) -> String {
        let rows: Vec<String> = (0..rows)
            .map(|n| json!({ "number": format!("n{n}") }).to_string())
            .collect();
        let (status, _, begun) = self
            .send("POST", "/api/imports?type=part&infer=true&key=number", rows.join("\n"))
            .await;
        assert_eq!(status, 202, "{begun}");
        format!("/api/imports/{}", begun["job"].as_str().unwrap())
    }

    /// Waits for the end of an import of so many rows, until the search has them too.
    pub async fn imported(&self, import: &str, rows: usize) {
        let done = self
            .until(import, |_, body| body["state"] == "done" || body["state"] == "failed")
            .await;
        assert_eq!(done["state"], "done", "{done}");
        let found = self
            .until("/api/search?type=part&limit=1&wait=true", |status, body| {
                status == 200 && body["behind"] != true
            })
            .await;
        assert_eq!(found["total"], rows);
    }
}
