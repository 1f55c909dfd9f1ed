//! Passkeys over HTTP with an authenticator of the test's own: added with proof, shown at the door and as the second step,
//! never twice, and what is odd refused.

use hyper::Method;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::Value;
use sha2::{Digest, Sha256};
use vitrine::both;
use vitrine::kernel::testing::{Answer, TestApp, TestDb};

use super::{PASSWORD, Visitor, form, operator, person};

both!(a_passkey_opens_the_house);

/// A key that signs what it is told to.
struct Authenticator {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    credential: Vec<u8>,
    signs: u32,
    user: String,
    origin: String,
}

impl Authenticator {
    fn new(app: &TestApp) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self {
            pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).unwrap(),
            random,
            credential: b"a key of the test".to_vec(),
            signs: 0,
            user: String::new(),
            origin: app.url("").replace("127.0.0.1", "localhost"),
        }
    }

    fn head(&mut self, flags: u8) -> Vec<u8> {
        self.signs += 1;
        let mut head = Sha256::digest(b"localhost").to_vec();
        head.push(flags);
        head.extend_from_slice(&self.signs.to_be_bytes());
        head
    }

    fn client(&self, kind: &str, question: &Value) -> String {
        let said = serde_json::json!({"type": kind, "challenge": question["challenge"], "origin": self.origin});
        said.to_string()
    }

    /// The fields that the script would fill in after making a key.
    fn made(&mut self, question: &Value) -> Vec<(&'static str, String)> {
        self.user = question["user"]["id"].as_str().unwrap().to_owned();
        let mut data = self.head(0x45);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.credential.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.credential);
        let public = self.pair.public_key().as_ref();
        data.extend_from_slice(&hex::decode("a5010203262001215820").unwrap());
        data.extend_from_slice(&public[1..33]);
        data.extend_from_slice(&hex::decode("225820").unwrap());
        data.extend_from_slice(&public[33..]);
        let mut object = hex::decode("a363666d74646e6f6e656761747453746d74a068617574684461746159").unwrap();
        object.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend_from_slice(&data);
        let client = self.client("webauthn.create", question);
        vec![
            ("client_data", hex::encode(client)),
            ("attestation", hex::encode(object)),
        ]
    }

    /// The fields that the script would fill in after showing the key.
    fn shown(&mut self, question: &Value, flags: u8) -> Vec<(&'static str, String)> {
        let head = self.head(flags);
        let client = self.client("webauthn.get", question);
        let mut message = head.clone();
        message.extend_from_slice(&Sha256::digest(client.as_bytes()));
        let signature = self.pair.sign(&self.random, &message).unwrap();
        vec![
            ("credential", hex::encode(&self.credential)),
            ("client_data", hex::encode(client)),
            ("authenticator_data", hex::encode(head)),
            ("signature", hex::encode(signature.as_ref())),
            ("user", self.user.clone()),
        ]
    }
}

fn fields<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn door(visitor: &mut Visitor<'_>, key: &mut Authenticator, flags: u8) -> Answer {
    let question = visitor.post("/sign-in/passkey/question", &[]).await.ok().json();
    let shown = key.shown(&question, flags);
    visitor.post("/sign-in/passkey", &fields(&shown)).await
}

async fn a_passkey_opens_the_house(db: TestDb) {
    let app = TestApp::start_with(&db, |config| {
        config.accounts.second_factor = vec!["administrator".to_owned()];
    })
    .await;
    let id = person(&app, "ada", None).await;
    let mut ada = Visitor::new(&app);
    ada.sign_in("ada", PASSWORD).await;
    let mut key = Authenticator::new(&app);
    // It is added with proof only, and what is to be signed works once and for its account.
    let refused = ada.post("/account/passkeys/question", &[("password", "wrong")]).await;
    assert_eq!(refused.status, 422);
    let question = ada
        .post("/account/passkeys/question", &[("password", PASSWORD)])
        .await
        .ok()
        .json();
    let mut made = key.made(&question);
    made.push(("name", "My key".to_owned()));
    let mut eve = Visitor::new(&app);
    person(&app, "eve", None).await;
    eve.sign_in("eve", PASSWORD).await;
    assert_eq!(
        eve.post("/account/passkeys", &fields(&made)).await.status,
        422,
        "another's challenge"
    );
    assert_eq!(ada.post("/account/passkeys", &fields(&made)).await.status, 303);
    assert_eq!(ada.post("/account/passkeys", &fields(&made)).await.status, 422, "once");
    assert!(ada.get("/account/passkeys").await.text().contains("My key"));
    at_the_door(&app, &db, &mut key, &id).await;
    as_second_step(&app, &mut key).await;
    // Renamed, removed with proof; then it opens nothing.
    let page = ada.get("/account/passkeys").await.text();
    let passkey = page
        .split("/account/passkeys/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let named = ada
        .post(&format!("/account/passkeys/{passkey}/name"), &[("name", "Old key")])
        .await;
    assert_eq!(named.status, 303);
    let end = format!("/account/passkeys/{passkey}/end");
    assert_eq!(
        eve.post(&end, &[("password", PASSWORD)]).await.status,
        404,
        "somebody else's"
    );
    assert_eq!(ada.post(&end, &[("password", "wrong")]).await.status, 422);
    assert_eq!(ada.post(&end, &[("password", PASSWORD)]).await.status, 303);
    let mut thief = Visitor::new(&app);
    assert_eq!(door(&mut thief, &mut key, 5).await.status, 422);
    let plain = app
        .unsigned(Method::POST, "/sign-in/passkey")
        .header("content-type", "application/x-www-form-urlencoded");
    let long = app
        .send(
            plain,
            bytes::Bytes::from(form(&[("client_data", &"0".repeat(500_000))])),
        )
        .await;
    assert!(long.status.is_client_error());
    app.stop().await;
}

/// Without a name; only verified, never twice, never from another site, never late, never by a copy.
async fn at_the_door(app: &TestApp, db: &TestDb, key: &mut Authenticator, id: &str) {
    let mut visitor = Visitor::new(app);
    assert_eq!(door(&mut visitor, key, 1).await.status, 422, "the device asked nobody");
    let question = visitor.post("/sign-in/passkey/question", &[]).await.ok().json();
    let shown = key.shown(&question, 5);
    let come = visitor.post("/sign-in/passkey", &fields(&shown)).await;
    assert_eq!(come.status, 303, "{}", come.text());
    assert_eq!(visitor.me().await["actor"], format!("account:{id}"));
    let mut thief = Visitor::new(app);
    assert_eq!(
        thief.post("/sign-in/passkey", &fields(&shown)).await.status,
        422,
        "a replay"
    );
    let origin = std::mem::replace(&mut key.origin, "https://evil.example".to_owned());
    assert_eq!(door(&mut thief, key, 5).await.status, 422);
    key.origin = origin;
    for at in 0..5 {
        let question = thief.post("/sign-in/passkey/question", &[]).await.ok().json();
        let mut shown = key.shown(&question, 5);
        shown[at].1 = if at == 4 {
            hex::encode("somebody else")
        } else {
            "00".repeat(40)
        };
        let answer = thief.post("/sign-in/passkey", &fields(&shown)).await;
        assert_eq!(answer.status, 422, "{} was changed", shown[at].0);
        shown[at].1 = "no hexadecimal text".to_owned();
        assert_eq!(thief.post("/sign-in/passkey", &fields(&shown)).await.status, 422);
    }
    let late = thief.post("/sign-in/passkey/question", &[]).await.ok().json();
    let shown = key.shown(&late, 5);
    db.clock().advance(6 * 60_000);
    assert_eq!(
        thief.post("/sign-in/passkey", &fields(&shown)).await.status,
        422,
        "too late"
    );
    assert_eq!(thief.kind().await, "anonymous");
    // A copy that has signed fewer times is noticed.
    key.signs = 1;
    let copy = door(&mut thief, key, 5).await;
    assert!(copy.status == 422 && copy.text().contains("a copy"), "{}", copy.text());
    key.signs = 100;
}

/// Whoever must show a second step shows the passkey after the password.
async fn as_second_step(app: &TestApp, key: &mut Authenticator) {
    let role = serde_json::json!({"role": "administrator"});
    operator(app, Method::PUT, "/api/people/ada/roles", role).await;
    let mut ada = Visitor::new(app);
    let half = ada.sign_in("ada", PASSWORD).await;
    assert_eq!(half.header("location").as_deref(), Some("/sign-in/code"));
    let page = ada.get("/sign-in/code").await.text();
    assert!(
        page.contains("Use a passkey") && !page.contains("<svg class=\"qr\""),
        "{page}"
    );
    let question = ada.post("/sign-in/code/question", &[]).await.ok().json();
    assert_eq!(question["allowed"][0], hex::encode(&key.credential));
    // What was asked for at the door is no answer here.
    let other = Visitor::new(app)
        .post("/sign-in/passkey/question", &[])
        .await
        .ok()
        .json();
    let shown = key.shown(&other, 1);
    assert_eq!(ada.post("/sign-in/code/passkey", &fields(&shown)).await.status, 422);
    let shown = key.shown(&question, 1);
    let done = ada.post("/sign-in/code/passkey", &fields(&shown)).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(ada.get("/people").await.status, 200);
}
