//! Accounts over HTTP, as browsers and scripts meet them: the first administrator, an invitation, signing in and out,
//! guessing, ending sessions everywhere, the second step, and pages of other sites.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod guessing;
mod mails;
mod passkeys;
mod people;
mod pictures;
mod programs;
mod sessions;
mod sign_up;
mod steps;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::kernel::testing::{Answer, TestApp};

pub const PASSWORD: &str = "zebra-kettle-47-river";
const OTHER: &str = "quiet-harbour-92-lamp";

/// A browser without pages: it keeps its cookie and sends the token of forms.
pub struct Visitor<'a> {
    app: &'a TestApp,
    cookie: String,
    agent: &'static str,
}

fn form(fields: &[(&str, &str)]) -> String {
    let plain = |text: &str| -> String {
        text.bytes()
            .map(|b| match b {
                b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(k, v)| format!("{}={}", plain(k), plain(v)))
        .collect();
    pairs.join("&")
}

impl<'a> Visitor<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            cookie: String::new(),
            agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Answer {
        let kind = if body.is_empty() {
            ""
        } else {
            "application/x-www-form-urlencoded"
        };
        self.send_as(method, path, kind, Bytes::from(body)).await
    }

    async fn send_as(&mut self, method: Method, path: &str, kind: &str, body: Bytes) -> Answer {
        let mut request = self
            .app
            .unsigned(method, path)
            .header("accept", "text/html")
            .header("user-agent", self.agent)
            .header("sec-fetch-site", "same-origin");
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let answer = self.app.send(request, body).await;
        for value in answer.headers.get_all("set-cookie") {
            let text = value.to_str().unwrap();
            if text.starts_with("session=") {
                let pair = text.split(';').next().unwrap();
                self.cookie = if pair == "session=" {
                    String::new()
                } else {
                    pair.to_owned()
                };
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, String::new()).await
    }

    /// The token that the forms of this browser carry.
    async fn token(&mut self) -> String {
        let mut token = String::new();
        for page in ["/types", "/sign-in"] {
            let text = self.get(page).await.text();
            let found = text
                .split("name=\"csrf\" value=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            token = found.unwrap_or_default().to_owned();
            if !token.is_empty() {
                break;
            }
        }
        token
    }

    /// Sends a form with the token that a page of this browser carries.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send(Method::POST, path, form(&all)).await
    }

    /// Sends a form with its token and a file.
    async fn post_file(&mut self, path: &str, name: &str, content: &[u8]) -> Answer {
        let token = self.token().await;
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n\
             --cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n"
        );
        let body = [head.as_bytes(), content, b"\r\n--cut--\r\n"].concat();
        let kind = "multipart/form-data; boundary=cut";
        self.send_as(Method::POST, path, kind, Bytes::from(body)).await
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("name", name), ("password", password)]).await
    }

    async fn me(&mut self) -> Value {
        self.get("/api/me").await.json()
    }

    async fn kind(&mut self) -> String {
        self.me().await["kind"].as_str().unwrap().to_owned()
    }
}

pub fn path_of(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

pub async fn operator(app: &TestApp, method: Method, path: &str, body: Value) -> Value {
    let answer = app.as_local_operator(method, path, Some(&body)).await.ok();
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()
    }
}

/// An account with a password; answers its id.
pub async fn person(app: &TestApp, login: &str, role: Option<&str>) -> String {
    let roles: Vec<Value> = role.iter().map(|role| json!({ "role": role })).collect();
    let wanted = json!({ "login": login, "name": format!("The {login}"), "roles": roles });
    let made = operator(app, Method::POST, "/api/people", wanted).await;
    let link = path_of(made["link"]["url"].as_str().unwrap());
    let answer = Visitor::new(app)
        .post(&link, &[("login", login), ("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    made["id"].as_str().unwrap().to_owned()
}
