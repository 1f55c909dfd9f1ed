//! Signing in through others, against a provider of our own over real HTTP: the good ways, and bad answers of every kind.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod answers;
mod bad;
mod good;
mod kinds;
pub mod provider;

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::kernel::config::Provider as Settings;
use vitrine::kernel::fetch::form;
use vitrine::kernel::testing::{Answer as Response, TestApp, TestDb};

use provider::{Answer, Provider};

const PASSWORD: &str = "zebra-kettle-47-river";

/// A browser without pages: it keeps all cookies and sends the token of forms.
#[derive(Clone)]
struct Person<'a> {
    app: &'a TestApp,
    cookies: BTreeMap<String, String>,
}

impl<'a> Person<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            cookies: BTreeMap::new(),
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = self.app.unsigned(method, path).header("accept", "text/html");
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let answer = self.app.send(request, Bytes::from(body)).await;
        for value in answer.headers.get_all("set-cookie") {
            let text = value.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Response {
        self.send(Method::GET, path, String::new()).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let text = self.get("/types").await.text();
        let token = text
            .split("name=\"csrf\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let mut all = vec![("csrf", token.unwrap_or_default())];
        all.extend_from_slice(fields);
        self.send(Method::POST, path, form(&all)).await
    }

    /// Goes to the provider; answers where it is sent.
    async fn go(&mut self, name: &str, to: &str) -> String {
        let answer = self.get(&format!("/sign-in/with/{name}?to={to}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").unwrap()
    }

    /// Comes back with an answer.
    async fn come(&mut self, name: &str, answer: &Answer) -> Response {
        self.get(&format!("/sign-in/with/{name}/back?{}", answer.query())).await
    }

    /// There and back.
    async fn through(&mut self, name: &str, provider: &Provider) -> Response {
        let location = self.go(name, "/types").await;
        let answer = provider.approve(&location);
        self.come(name, &answer).await
    }

    async fn me(&mut self) -> Value {
        self.get("/api/me").await.json()
    }

    async fn kind(&mut self) -> String {
        self.me().await["kind"].as_str().unwrap().to_owned()
    }

    async fn sign_in(&mut self, name: &str) -> Response {
        self.post("/sign-in", &[("name", name), ("password", PASSWORD)]).await
    }
}

/// A house that trusts these providers.
async fn house(db: &TestDb, providers: Vec<(&str, Settings)>) -> TestApp {
    TestApp::start_with(db, |config| {
        for (name, settings) in providers {
            config.accounts.providers.insert(name.to_owned(), settings);
        }
    })
    .await
}

async fn operator(app: &TestApp, method: Method, path: &str, body: Value) -> Value {
    let answer = app.as_local_operator(method, path, Some(&body)).await.ok();
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()
    }
}

/// Invites somebody; answers id and the path of the link.
async fn invited(app: &TestApp, login: &str, mail: &str) -> (String, String) {
    let wanted = json!({ "login": login, "name": format!("The {login}"), "mail": mail });
    let made = operator(app, Method::POST, "/api/people", wanted).await;
    let url = made["link"]["url"].as_str().unwrap();
    let rest = url.split_once("://").unwrap().1;
    (
        made["id"].as_str().unwrap().to_owned(),
        rest[rest.find('/').unwrap()..].to_owned(),
    )
}

/// The roles of an account, in order.
async fn roles(app: &TestApp, id: &str) -> Vec<String> {
    let info = operator(app, Method::GET, &format!("/api/people/{id}"), Value::Null).await;
    let mut roles: Vec<String> = info["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| format!("{} {}", held["role"].as_str().unwrap(), held["place"].as_str().unwrap()))
        .collect();
    roles.sort();
    roles
}

/// What a page says went wrong.
fn trouble(answer: &Response) -> String {
    let text = answer.text();
    let found = text
        .split("role=\"alert\"")
        .nth(1)
        .and_then(|rest| rest.split("<p>").nth(1)?.split("</p>").next());
    found
        .unwrap_or_default()
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
}
