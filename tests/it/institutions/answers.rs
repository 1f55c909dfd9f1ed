//! Bad answers of a provider, as a table: what is wrong with each, and by which words it is refused.

use serde_json::{Value, json};

use super::provider::{Answer, Mode, Says, Sign};

/// One bad answer.
pub struct Bad {
    pub name: &'static str,
    /// A part of the sentence that refuses it.
    pub says: &'static str,
    /// What the provider does.
    pub provider: fn(&mut Says),
    /// What happens to the answer on its way.
    pub answer: fn(&mut Answer),
}

fn claims(name: &'static str, says: &'static str, change: fn(&mut Says)) -> Bad {
    Bad {
        name,
        says,
        provider: change,
        answer: |_| {},
    }
}

fn way(name: &'static str, says: &'static str, answer: fn(&mut Answer)) -> Bad {
    Bad {
        name,
        says,
        provider: |_| {},
        answer,
    }
}

fn without(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key);
}

/// Tokens that say something else than they must.
pub fn of_claims() -> Vec<Bad> {
    vec![
        claims("another issuer", "names another issuer", |s| {
            s.claims = |c| c["iss"] = json!("https://evil.example")
        }),
        claims("no issuer", "names another issuer", |s| {
            s.claims = |c| without(c, "iss")
        }),
        claims("nearly the issuer", "names another issuer", |s| {
            s.claims = |c| c["iss"] = json!(format!("{}/", c["iss"].as_str().unwrap()));
        }),
        claims("another audience", "for somebody else", |s| {
            s.claims = |c| c["aud"] = json!("other")
        }),
        claims("no audience", "for somebody else", |s| s.claims = |c| without(c, "aud")),
        claims("audiences without us", "for somebody else", |s| {
            s.claims = |c| c["aud"] = json!(["a", "b"])
        }),
        claims("audience of another kind", "for somebody else", |s| {
            s.claims = |c| c["aud"] = json!({"vitrine": true})
        }),
        claims("several audiences, no party", "another party", |s| {
            s.claims = |c| c["aud"] = json!(["vitrine", "b"])
        }),
        claims("another party", "another party", |s| {
            s.claims = |c| c["azp"] = json!("b")
        }),
        claims("expired", "has expired", |s| {
            s.claims = |c| c["exp"] = json!(c["iat"].as_i64().unwrap() - 61)
        }),
        claims("without end", "when it was made or when it ends", |s| {
            s.claims = |c| without(c, "exp")
        }),
        claims("an end in words", "when it was made or when it ends", |s| {
            s.claims = |c| c["exp"] = json!("tomorrow")
        }),
        claims("without beginning", "when it was made or when it ends", |s| {
            s.claims = |c| without(c, "iat")
        }),
        claims("made in the future", "not valid yet", |s| {
            s.claims = |c| c["iat"] = json!(c["iat"].as_i64().unwrap() + 120)
        }),
        claims("valid later", "not valid yet", |s| {
            s.claims = |c| c["nbf"] = json!(c["iat"].as_i64().unwrap() + 120)
        }),
        claims("another nonce", "another sign-in", |s| {
            s.claims = |c| c["nonce"] = json!("x")
        }),
        claims("no nonce", "another sign-in", |s| s.claims = |c| without(c, "nonce")),
        claims("no subject", "who it is about", |s| s.claims = |c| without(c, "sub")),
        claims("empty subject", "who it is about", |s| {
            s.claims = |c| c["sub"] = json!("")
        }),
        claims("a number as subject", "who it is about", |s| {
            s.claims = |c| c["sub"] = json!(7)
        }),
        claims("endless subject", "who it is about", |s| {
            s.claims = |c| c["sub"] = json!("x".repeat(256))
        }),
        claims("subject with control characters", "who it is about", |s| {
            s.claims = |c| c["sub"] = json!("a\u{0}b")
        }),
        claims("hash of another access", "the access that it gave", |s| {
            s.claims = |c| c["at_hash"] = json!("AAAA")
        }),
    ]
}

/// Tokens that are not signed as they must be.
pub fn of_signatures() -> Vec<Bad> {
    vec![
        claims("no algorithm, no signature", "signed by \"none\"", |s| {
            s.header = |h| h["alg"] = json!("none");
            s.sign = Sign::Nothing;
        }),
        claims("no algorithm, a signature", "signed by \"none\"", |s| {
            s.header = |h| h["alg"] = json!("none")
        }),
        claims("the public key as secret", "signed by \"HS256\"", |s| {
            s.sign = Sign::PublicKeyAsSecret
        }),
        claims("the client's secret", "signed by \"HS256\"", |s| {
            s.sign = Sign::ClientSecret
        }),
        claims("another key of the same name", "does not fit its key", |s| {
            s.sign = Sign::OtherKey
        }),
        claims("a key that it brings itself", "does not fit its key", |s| {
            s.header = |h| h["jwk"] = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
            s.sign = Sign::OtherKey;
        }),
        claims("a key from elsewhere", "does not fit its key", |s| {
            s.header = |h| h["jku"] = json!("http://127.0.0.1:1/keys");
            s.sign = Sign::OtherKey;
        }),
        claims("an unknown key", "does not publish", |s| {
            s.header = |h| h["kid"] = json!("z")
        }),
        claims("changed afterwards", "does not fit its key", |s| s.sign = Sign::Changed),
        claims("an empty signature", "does not fit its key", |s| s.sign = Sign::Nothing),
        claims("another algorithm of the same key", "does not fit its key", |s| {
            s.header = |h| h["alg"] = json!("RS512")
        }),
        claims("an algorithm of another kind", "does not fit its key", |s| {
            s.header = |h| h["alg"] = json!("ES256")
        }),
        claims("a demand", "demands an extension", |s| {
            s.header = |h| (h["crit"], h["b64"]) = (json!(["b64"]), json!(false));
        }),
        claims("an access token", "of another kind", |s| {
            s.header = |h| h["typ"] = json!("at+jwt")
        }),
        claims("a logout token", "of another kind", |s| {
            s.header = |h| h["typ"] = json!("logout+jwt")
        }),
    ]
}

/// Endpoints that answer otherwise than they must.
pub fn of_endpoints() -> Vec<Bad> {
    const TOKEN: &str = "/token";
    vec![
        claims("token: huge", "more than", |s| s.odd = Some((TOKEN, Mode::Huge))),
        claims("token: silent", "did not answer within 1 s", |s| {
            s.odd = Some((TOKEN, Mode::Silent))
        }),
        claims("token: never ends", "did not answer within 1 s", |s| {
            s.odd = Some((TOKEN, Mode::Stuck))
        }),
        claims("token: redirect", "redirects are not followed", |s| {
            s.odd = Some((TOKEN, Mode::Redirect))
        }),
        claims("token: a page", "not an object of JSON", |s| {
            s.odd = Some((TOKEN, Mode::Html))
        }),
        claims("token: broken", "status 500", |s| {
            s.odd = Some((TOKEN, Mode::Status(500)))
        }),
        claims("token: refused", "status 400", |s| {
            s.odd = Some((TOKEN, Mode::Status(400)))
        }),
        claims("token: no token", "sent no token", |s| {
            s.odd = Some((TOKEN, Mode::Changed(|v| without(v, "id_token"))));
        }),
        claims("token: two parts", "not one of three signed parts", |s| {
            s.odd = Some((TOKEN, Mode::Changed(|v| v["id_token"] = json!("e30.e30"))));
        }),
        claims("token: encrypted", "not one of three signed parts", |s| {
            s.odd = Some((TOKEN, Mode::Changed(|v| v["id_token"] = json!("e30.e30.e30.e30.e30"))));
        }),
        claims("token: no text", "sent no token", |s| {
            s.odd = Some((TOKEN, Mode::Changed(|v| v["id_token"] = json!(["a"]))));
        }),
        claims("token: endless", "too large", |s| {
            s.odd = Some((TOKEN, Mode::Changed(|v| v["id_token"] = json!("a".repeat(70_000)))));
        }),
        claims("user: somebody else", "somebody else than its token", |s| {
            s.claims = |c| without(c, "email");
            s.more = json!({"sub": "person-2", "email": "eve@museum.example", "email_verified": true});
        }),
        claims("user: nobody", "somebody else than its token", |s| {
            s.claims = |c| without(c, "email");
            s.more = json!({"email": "eve@museum.example", "email_verified": true});
        }),
        claims("user: redirect", "redirects are not followed", |s| {
            s.claims = |c| without(c, "email");
            s.odd = Some(("/userinfo", Mode::Redirect));
        }),
    ]
}

/// What the browser brings back and the provider never sent.
pub fn of_ways() -> Vec<Bad> {
    vec![
        way("no state", "belongs to no sign-in", |a| a.drop("state")),
        way("a state nobody made", "answered already", |a| {
            a.set("state", "0123456789")
        }),
        way("another provider's answer", "comes from another provider", |a| {
            a.set("iss", "https://evil.example")
        }),
        way("nobody's answer", "does not say from whom", |a| a.drop("iss")),
        way("no code", "holds no code", |a| a.drop("code")),
        way("an endless code", "holds no code", |a| a.set("code", &"a".repeat(5000))),
        way("a code nobody gave", "it refused the code (invalid_grant)", |a| {
            a.set("code", "guess")
        }),
        way("a refusal", "did not let you in", |a| a.set("error", "access_denied")),
        way("another refusal", "ended the sign-in (login_required)", |a| {
            a.set("error", "login_required")
        }),
        way("a refusal with markup", "ended the sign-in. Begin", |a| {
            a.set("error", "<script>alert(1)</script>")
        }),
        way("a refusal of another provider", "comes from another provider", |a| {
            a.set("error", "access_denied");
            a.set("iss", "https://evil.example");
        }),
    ]
}

/// What a provider may not be about itself: how it answers, and the words of the refusal.
pub fn of_discovery() -> Vec<(&'static str, Mode, &'static str)> {
    vec![
        (
            "another issuer",
            Mode::Changed(|v| v["issuer"] = json!("https://evil.example")),
            "it calls itself \"https://evil.example\"",
        ),
        ("no issuer", Mode::Changed(|v| without(v, "issuer")), "is not whole"),
        ("no keys", Mode::Changed(|v| without(v, "jwks_uri")), "is not whole"),
        (
            "another kind of address",
            Mode::Changed(|v| v["token_endpoint"] = json!("file:///etc/passwd")),
            "is no address that can be asked",
        ),
        (
            "a user in an address",
            Mode::Changed(|v| v["jwks_uri"] = json!("http://a@127.0.0.1/")),
            "is no address that can be asked",
        ),
        ("redirect", Mode::Redirect, "redirects are not followed"),
        ("huge", Mode::Huge, "more than"),
        ("silent", Mode::Silent, "did not answer within 1 s"),
        ("a page", Mode::Html, "not an object of JSON"),
        ("gone", Mode::Status(404), "status 404"),
    ]
}

/// How an answer is made to lie.
type Lie = fn(&mut Says);

/// What a logout token may not be: what is changed in a right one.
pub fn of_logouts() -> Vec<(&'static str, Lie)> {
    vec![
        ("another issuer", |s| {
            s.claims = |c| c["iss"] = json!("https://evil.example")
        }),
        ("another audience", |s| s.claims = |c| c["aud"] = json!("other")),
        ("a nonce", |s| s.claims = |c| c["nonce"] = json!("n")),
        ("no event", |s| s.claims = |c| without(c, "events")),
        ("another event", |s| s.claims = |c| c["events"] = json!({"x": {}})),
        ("nobody", |s| s.claims = |c| without(c, "sub")),
        ("no number", |s| s.claims = |c| without(c, "jti")),
        ("old", |s| {
            s.claims = |c| {
                (c["iat"], c["exp"]) = (
                    json!(c["iat"].as_i64().unwrap() - 700),
                    json!(c["exp"].as_i64().unwrap() + 700),
                )
            }
        }),
        ("expired", |s| {
            s.claims = |c| c["exp"] = json!(c["iat"].as_i64().unwrap() - 100)
        }),
        ("of the future", |s| {
            s.claims = |c| c["iat"] = json!(c["iat"].as_i64().unwrap() + 120)
        }),
        ("another key", |s| s.sign = Sign::OtherKey),
        ("no signature", |s| {
            s.header = |h| h["alg"] = json!("none");
            s.sign = Sign::Nothing;
        }),
        ("a secret", |s| s.sign = Sign::PublicKeyAsSecret),
        ("an access token", |s| s.header = |h| h["typ"] = json!("at+jwt")),
    ]
}
