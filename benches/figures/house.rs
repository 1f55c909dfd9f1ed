//! A house that is measured over HTTP, and somebody who asks it with a token that may do everything.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::api;
use super::server::Server;

pub struct House {
    pub app: Server,
    pub token: String,
    pub http: Client,
}

impl House {
    pub async fn open(folder: &Path, database: Option<&str>) -> Result<Self> {
        Ok(Self {
            app: Server::app(folder, database).await?,
            token: api::token(folder, database)?,
            // Where a form leads is another page, which is measured by itself.
            http: Client::builder().redirect(Policy::none()).build()?,
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.app.address)
    }

    /// A page, and how long it took to come in whole.
    pub async fn page(&self, path: &str) -> Result<(Duration, String)> {
        let request = self.http.get(self.url(path)).header("accept", "text/html");
        let started = Instant::now();
        let answer = request.bearer_auth(&self.token).send().await?.error_for_status()?;
        let body = answer.text().await?;
        Ok((started.elapsed(), body))
    }

    /// An answer of the API, and how long it took to come in whole.
    pub async fn json(&self, path: &str) -> Result<(Duration, Value)> {
        let request = self.http.get(self.url(path)).bearer_auth(&self.token);
        let started = Instant::now();
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let took = started.elapsed();
        Ok((took, serde_json::from_slice(&body)?))
    }

    /// Sends JSON; what is refused is told in whole.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.http.post(self.url(path)).bearer_auth(&self.token).json(body);
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }
}
