//! The load: clients that make and change records under an `Idempotency-Key` and send again what was not answered, and
//! one that imports files. What was promised to them is what the verdict asks for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const CLIENTS: u64 = 8;
const ROWS: u64 = 400;

/// See the module's text.
pub struct Load {
    token: String,
    address: watch::Sender<Option<String>>,
    pub ends: AtomicBool,
    pub acknowledged: AtomicU64,
    pub repeated: AtomicU64,
    pub replayed: AtomicU64,
    pub told: AtomicU64,
    pub imports: AtomicU64,
    /// By tag: the record's id and how many states of it were acknowledged.
    pub notes: Mutex<BTreeMap<String, (String, i64)>>,
}

/// A change on its way.
struct Change {
    key: String,
    tag: String,
    /// The record and the state it stands at; none for a new one.
    on: Option<(String, i64)>,
    sent_before: bool,
}

enum Fate {
    Done(String, i64),
    /// Nobody knows yet: ask again later.
    Open,
}

/// A pause of real time: this test is about what happens meanwhile.
#[expect(clippy::disallowed_methods, reason = "a load has to take time")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Sets all clients to work.
pub fn begin(load: &Arc<Load>) -> Vec<JoinHandle<Result<()>>> {
    let mut tasks: Vec<_> = (0..CLIENTS).map(|n| tokio::spawn(load.clone().client(n))).collect();
    tasks.push(tokio::spawn(load.clone().importer()));
    tasks
}

impl Load {
    pub fn new(token: &str) -> Arc<Self> {
        Arc::new(Self {
            token: token.to_owned(),
            address: watch::channel(None).0,
            ends: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            told: AtomicU64::new(0),
            imports: AtomicU64::new(0),
            notes: Mutex::default(),
        })
    }

    /// Where the program is now.
    pub fn is_at(&self, url: Option<&str>) {
        self.address.send_replace(url.map(str::to_owned));
    }

    pub fn http() -> reqwest::Client {
        reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client")
    }

    /// The program's address, once it has one.
    async fn url(&self) -> Result<String> {
        let mut address = self.address.subscribe();
        let found = address
            .wait_for(Option::is_some)
            .await
            .context("the torture has ended")?
            .clone();
        found.context("an address")
    }

    pub fn request(&self, http: &reqwest::Client, method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
        http.request(method, url).bearer_auth(&self.token)
    }

    /// Sends until somebody answers; `None` when the connection broke.
    async fn ask(&self, request: reqwest::RequestBuilder) -> Option<(u16, bool, Value)> {
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let again = answer.headers().contains_key("idempotency-replayed");
        Some((status, again, answer.json().await.ok()?))
    }

    async fn client(self: Arc<Self>, number: u64) -> Result<()> {
        let http = Self::http();
        self.make_type(&http).await?;
        let mut open: VecDeque<Change> = VecDeque::new();
        let mut made: VecDeque<(String, String, i64)> = VecDeque::new();
        for turn in 0u64.. {
            let ends = self.ends.load(Ordering::Relaxed);
            if ends && open.is_empty() {
                break;
            }
            // Of ten, one is an old one whose fate is open; while it ends, all are.
            let mut change = if ends || turn % 10 == 0 && !open.is_empty() {
                if ends {
                    pause(Duration::from_millis(50)).await;
                }
                open.pop_front().context("an open one")?
            } else {
                let key = format!("{number}-{turn}");
                let on = if turn % 3 == 2 { made.pop_front() } else { None };
                let (tag, on) = match on {
                    Some((tag, id, version)) => (tag, Some((id, version))),
                    None => (key.clone(), None),
                };
                Change {
                    key,
                    tag,
                    on,
                    sent_before: false,
                }
            };
            match self.send(&http, &mut change).await? {
                Fate::Open => open.push_back(change),
                Fate::Done(id, version) => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    let old = self
                        .notes
                        .lock()
                        .unwrap()
                        .insert(change.tag.clone(), (id.clone(), version));
                    let before = old.map_or(0, |(_, v)| v);
                    ensure!(
                        version == before + 1,
                        "{} went from version {before} to {version}",
                        change.tag
                    );
                    made.push_back((change.tag, id, version));
                }
            }
        }
        Ok(())
    }

    async fn send(&self, http: &reqwest::Client, change: &mut Change) -> Result<Fate> {
        let url = self.url().await?;
        let version = change.on.as_ref().map_or(1, |(_, base)| base + 1);
        let document = json!({ "tag": change.tag, "state": version });
        let request = match &change.on {
            None => self
                .request(http, reqwest::Method::POST, &format!("{url}/api/records"))
                .json(&json!({ "type": "note", "document": document })),
            Some((id, base)) => self
                .request(http, reqwest::Method::PUT, &format!("{url}/api/records/{id}"))
                .header("if-match", format!("\"{base}\""))
                .json(&json!({ "document": document })),
        };
        if std::mem::replace(&mut change.sent_before, true) {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
        let Some((status, again, body)) = self.ask(request.header("idempotency-key", &change.key)).await else {
            pause(Duration::from_millis(5)).await;
            return Ok(Fate::Open);
        };
        match status {
            200 | 201 => {
                self.replayed.fetch_add(u64::from(again), Ordering::Relaxed);
                let id = body["id"].as_str().with_context(|| format!("no id in {body}"))?;
                let version = body["version"]
                    .as_i64()
                    .with_context(|| format!("no version in {body}"))?;
                Ok(Fate::Done(id.to_owned(), version))
            }
            409 if body["took_effect"] == true => {
                self.told.fetch_add(1, Ordering::Relaxed);
                let made = &body["changes"][0];
                let (id, version) = (made["id"].as_str(), made["version"].as_i64());
                let (id, version) = id
                    .zip(version)
                    .with_context(|| format!("it does not say what stands: {body}"))?;
                Ok(Fate::Done(id.to_owned(), version))
            }
            409 | 408 | 429 | 503 => Ok(Fate::Open),
            _ => bail!("{} was answered {status}: {body}", change.key),
        }
    }

    /// Makes the type of the notes, unless it is there.
    pub async fn make_type(&self, http: &reqwest::Client) -> Result<()> {
        let body = json!({
            "name": "note", "title": "tag",
            "fields": [{ "name": "tag", "kind": "text" }, { "name": "state", "kind": "integer" }],
        });
        loop {
            let url = self.url().await?;
            let asked = self
                .request(http, reqwest::Method::POST, &format!("{url}/api/types"))
                .json(&body);
            match self.ask(asked).await {
                None | Some((408 | 429 | 503, ..)) => pause(Duration::from_millis(20)).await,
                // Another client was faster.
                Some((200 | 201 | 409 | 412, ..)) => return Ok(()),
                Some((status, _, body)) => bail!("the type was answered {status}: {body}"),
            }
        }
    }

    async fn importer(self: Arc<Self>) -> Result<()> {
        let http = Self::http();
        for file in 0u64.. {
            if self.ends.load(Ordering::Relaxed) && file > 0 {
                return Ok(());
            }
            let rows: Vec<String> = (0..ROWS)
                .map(|row| json!({ "number": format!("{file}-{row}"), "name": format!("part {row}") }).to_string())
                .collect();
            let rows = rows.join("\n");
            let job = loop {
                let url = self.url().await?;
                let url = format!("{url}/api/imports?type=part&infer=true&key=number&name=part-{file}.jsonl");
                match self
                    .ask(self.request(&http, reqwest::Method::POST, &url).body(rows.clone()))
                    .await
                {
                    Some((202, _, body)) => break body["job"].as_str().context("a job")?.to_owned(),
                    None | Some((408 | 429 | 503, ..)) => pause(Duration::from_millis(20)).await,
                    Some((status, _, body)) => bail!("the import was answered {status}: {body}"),
                }
            };
            loop {
                let url = self.url().await?;
                let asked = self.request(
                    &http,
                    reqwest::Method::GET,
                    &format!("{url}/api/imports/{job}?wait=2000"),
                );
                match self.ask(asked).await {
                    Some((200, _, body)) => match body["state"].as_str() {
                        Some("done") => break,
                        Some("failed" | "cancelled") => bail!("an import ended: {body}"),
                        _ => {}
                    },
                    None | Some((408 | 429 | 503, ..)) => pause(Duration::from_millis(20)).await,
                    Some((status, _, body)) => bail!("import {job} was answered {status}: {body}"),
                }
            }
            self.imports.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Rows that finished imports have brought.
    pub fn rows(&self) -> u64 {
        self.imports.load(Ordering::Relaxed) * ROWS
    }
}
