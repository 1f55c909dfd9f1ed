//! A provider of sign-ins of our own, over real HTTP on a free port: it signs with keys for tests, and lies in whatever way
//! a test asks of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vitrine::kernel::clock::Clock;
use vitrine::kernel::config::{Provider as Settings, Secret};

#[path = "carried.rs"]
mod carried;
#[path = "signing.rs"]
mod signing;

pub use carried::{Answer, pairs};
pub use signing::Sign;

pub const CLIENT: &str = "vitrine";
pub const SECRET: &str = "se cret:é";
/// More than any answer may have.
const HUGE: usize = 300_000;

/// How an endpoint answers.
#[derive(Clone, Copy)]
pub enum Mode {
    Huge,
    /// Never.
    Silent,
    /// Begins and never ends.
    Stuck,
    Redirect,
    Html,
    Status(u16),
    /// With something changed in the JSON.
    Changed(fn(&mut Value)),
}

/// A code that was given out.
#[derive(Clone)]
struct Grant {
    nonce: String,
    challenge: String,
    redirect: String,
    /// Somebody of their own: so many came before.
    visit: Option<usize>,
}

/// What a provider says; tests change it.
pub struct Says {
    /// Claims about the person.
    pub person: Value,
    /// What only the user information tells.
    pub more: Value,
    /// What is published: key id and which key.
    pub keys: Vec<(&'static str, usize)>,
    pub kid: &'static str,
    pub key: usize,
    pub header: fn(&mut Value),
    pub claims: fn(&mut Value),
    pub sign: Sign,
    /// Where it answers otherwise: the path.
    pub odd: Option<(&'static str, Mode)>,
    codes: BTreeMap<String, Grant>,
    visits: usize,
    /// How often each path was asked for.
    pub asked: BTreeMap<String, usize>,
}

impl Says {
    fn new() -> Self {
        Self {
            person: json!({
                "sub": "person-1", "name": "Ada Lovelace", "email": "ada@museum.example", "email_verified": true,
                "preferred_username": "ada", "groups": ["/staff"],
            }),
            more: json!({ "sub": "person-1" }),
            keys: vec![("a", 0)],
            kid: "a",
            key: 0,
            header: |_| {},
            claims: |_| {},
            sign: Sign::Right,
            odd: None,
            codes: BTreeMap::new(),
            visits: 0,
            asked: BTreeMap::new(),
        }
    }

    /// Honest again, about the same person with the same keys.
    pub fn honest(&mut self) {
        let fresh = Self::new();
        (self.header, self.claims, self.sign, self.odd) = (fresh.header, fresh.claims, fresh.sign, fresh.odd);
        (self.keys, self.kid, self.key) = (fresh.keys, fresh.kid, fresh.key);
        (self.person, self.more) = (fresh.person, fresh.more);
    }
}

/// See the module's text.
#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    says: Arc<Mutex<Says>>,
    clock: Clock,
}

type Body = BoxBody<Bytes, Infallible>;

fn whole(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed()
}

fn answer(status: u16, kind: &str, body: Body) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, kind)
        .body(body)
        .unwrap()
}

fn json_answer(status: u16, value: &Value) -> Response<Body> {
    answer(status, "application/json", whole(value.to_string()))
}

impl Provider {
    pub async fn start(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let provider = Self {
            issuer,
            says: Arc::new(Mutex::new(Says::new())),
            clock,
        };
        let serving = provider.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let each = serving.clone();
                let service = service_fn(move |request| {
                    let each = each.clone();
                    async move { Ok::<_, Infallible>(each.respond(request).await) }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        provider
    }

    /// Changes what it says.
    pub fn says(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.says.lock().unwrap().asked.get(path).copied().unwrap_or(0)
    }

    /// The settings of a house that trusts it.
    pub fn settings(&self) -> Settings {
        Settings {
            label: "The Museum".to_owned(),
            issuer: self.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: Secret::new(SECRET),
            create: "yes".to_owned(),
            private_addresses: true,
            timeout_seconds: 5,
            ..Settings::unset().unwrap()
        }
    }

    /// The person says yes: what the browser carries back from here. `location` is where the house sent it.
    pub fn approve(&self, location: &str) -> Answer {
        self.approve_as(location, None)
    }

    fn approve_as(&self, location: &str, visit: Option<usize>) -> Answer {
        assert!(location.starts_with(&format!("{}/", self.issuer)), "{location}");
        let asked = pairs(location);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["state"].len() >= 32);
        let code = format!("code-{}", asked["state"]);
        let grant = Grant {
            nonce: asked.get("nonce").cloned().unwrap_or_default(),
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            visit,
        };
        self.says.lock().unwrap().codes.insert(code.clone(), grant);
        let mut answer = Answer { pairs: Vec::new() };
        answer.set("code", &code);
        answer.set("state", &asked["state"]);
        answer.set("iss", &self.issuer);
        answer
    }

    fn now(&self) -> i64 {
        self.clock.now() / 1000
    }

    /// Signs claims in the way that is asked of it.
    fn token(&self, mut header: Value, mut claims: Value) -> String {
        let says = self.says.lock().unwrap();
        (says.claims)(&mut claims);
        let hashed = [Sign::PublicKeyAsSecret, Sign::ClientSecret].contains(&says.sign);
        header["alg"] = Value::from(if hashed { "HS256" } else { "RS256" });
        header["kid"] = Value::from(says.kid);
        (says.header)(&mut header);
        signing::signed(says.sign, says.key, SECRET, &header, claims)
    }

    /// What it sends by itself when somebody signed out there.
    pub fn logout_token(&self, more: &Value) -> String {
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": self.now(), "exp": self.now() + 120, "jti": "1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        for (key, value) in more.as_object().unwrap() {
            claims[key] = value.clone();
        }
        self.token(json!({"typ": "logout+jwt"}), claims)
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let authorization = authorization
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let odd = {
            let mut says = self.says.lock().unwrap();
            *says.asked.entry(path.clone()).or_default() += 1;
            says.odd.filter(|(place, _)| *place == path).map(|(_, mode)| mode)
        };
        let (status, mut value) = match path.as_str() {
            "/.well-known/openid-configuration" => (200, self.metadata()),
            "/authorize" => return self.ask_person(&query),
            "/token" => self.redeem(&String::from_utf8_lossy(&body), &authorization),
            "/keys" => (200, self.key_set()),
            "/userinfo" if authorization == "Bearer access-1" => (200, self.says.lock().unwrap().more.clone()),
            "/favicon.ico" => return answer(200, "image/x-icon", whole("")),
            "/end" => return answer(200, "text/html", whole("<h1>Signed out there, too</h1>")),
            "/login/oauth/access_token" => self.redeem(
                &format!("{}&grant_type=authorization_code", String::from_utf8_lossy(&body)),
                "",
            ),
            "/api/v3/user" => (200, json!({"id": 4711, "login": "ada-l", "name": "Ada L"})),
            "/api/v3/user/emails" => (
                200,
                json!([{"email": "old@x.example", "primary": false, "verified": true},
                       {"email": "ada@museum.example", "primary": true, "verified": true}]),
            ),
            "/api/v3/user/orgs" => (200, json!([{"login": "museum"}])),
            _ => (404, json!({})),
        };
        match odd {
            None => json_answer(status, &value),
            Some(Mode::Huge) => answer(200, "application/json", whole(" ".repeat(HUGE))),
            Some(Mode::Silent) => std::future::pending().await,
            Some(Mode::Stuck) => {
                let first = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"{")))]);
                let body = StreamBody::new(first.chain(futures_util::stream::pending()));
                answer(200, "application/json", BodyExt::boxed(body))
            }
            Some(Mode::Redirect) => Response::builder()
                .status(302)
                .header(LOCATION, format!("{}/elsewhere", self.issuer))
                .body(whole(""))
                .unwrap(),
            Some(Mode::Html) => answer(200, "text/html", whole("<h1>Maintenance</h1>")),
            Some(Mode::Status(status)) => json_answer(status, &json!({"error": "<b>no</b>"})),
            Some(Mode::Changed(change)) => {
                change(&mut value);
                json_answer(status, &value)
            }
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo"), "end_session_endpoint": at("/end"),
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn key_set(&self) -> Value {
        let says = self.says.lock().unwrap();
        let keys = says.keys.iter().map(|(kid, key)| {
            let (n, e) = signing::modulus(*key);
            json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": BASE64.encode(n), "e": BASE64.encode(e)})
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// A page with a way on, for browsers: each visit is somebody else's.
    fn ask_person(&self, query: &str) -> Response<Body> {
        let asked = pairs(query);
        let visit = {
            let mut says = self.says.lock().unwrap();
            says.visits += 1;
            says.visits
        };
        let answer_back = self.approve_as(&format!("{}/authorize?{query}", self.issuer), Some(visit));
        let back = format!("{}?{}", asked["redirect_uri"], answer_back.query()).replace('&', "&amp;");
        let page = format!(
            "<!doctype html><title>The Museum</title><main><h1>The Museum asks who you are</h1><p><a id=\"yes\" href=\"{back}\">It is me</a></p></main>"
        );
        answer(200, "text/html; charset=utf-8", whole(page))
    }

    /// The token endpoint, as strict as the standard.
    fn redeem(&self, body: &str, authorization: &str) -> (u16, Value) {
        let given = pairs(body);
        let refused = |why: &str| (400, json!({ "error": why }));
        let get = |key: &str| given.get(key).cloned().unwrap_or_default();
        if get("client_secret") != SECRET {
            let encoded = vitrine::kernel::fetch::encoded;
            let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)));
            if authorization != format!("Basic {basic}") {
                return refused("invalid_client");
            }
        }
        let Some(grant) = self.says.lock().unwrap().codes.remove(&get("code")) else {
            return refused("invalid_grant");
        };
        let challenge = BASE64.encode(Sha256::digest(get("code_verifier").as_bytes()));
        if challenge != grant.challenge
            || get("redirect_uri") != grant.redirect
            || get("grant_type") != "authorization_code"
        {
            return refused("invalid_grant");
        }
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": self.now(), "exp": self.now() + 300, "nonce": grant.nonce, "sid": "there-1",
        });
        let person = self.says.lock().unwrap().person.clone();
        for (key, value) in person.as_object().unwrap() {
            claims[key] = value.clone();
        }
        if let Some(visit) = grant.visit {
            claims["sub"] = Value::from(format!("visit-{visit}"));
            claims["email"] = Value::from(format!("visit-{visit}@museum.example"));
        }
        let token = self.token(json!({"typ": "JWT"}), claims);
        (
            200,
            json!({"access_token": "access-1", "token_type": "Bearer", "expires_in": 300, "id_token": token}),
        )
    }
}
