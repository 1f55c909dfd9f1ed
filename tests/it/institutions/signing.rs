//! How our provider signs: rightly, or in each of the ways that must not be believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

/// Keys made for these tests and for nothing else.
const KEYS: [&[u8]; 2] = [include_bytes!("keys/one.der"), include_bytes!("keys/two.der")];

/// How a token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Right,
    /// With a key that is not published, under the name of one that is.
    OtherKey,
    /// With HMAC, and the public key as its secret.
    PublicKeyAsSecret,
    /// With HMAC, and the secret of the client.
    ClientSecret,
    /// Not at all.
    Nothing,
    /// Rightly; then the content is changed.
    Changed,
}

fn pair_of(key: usize) -> RsaKeyPair {
    RsaKeyPair::from_der(KEYS[key]).unwrap()
}

pub fn modulus(key: usize) -> (Vec<u8>, Vec<u8>) {
    let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair_of(key).public().into();
    (public.n, public.e)
}

fn hmac(secret: &[u8], message: &str) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    ring::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

fn by_key(key: usize, message: &str) -> Vec<u8> {
    let pair = pair_of(key);
    let mut signature = vec![0; pair.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
        .unwrap();
    signature
}

/// A token of this head and these claims; `secret` is the client's.
pub fn signed(sign: Sign, key: usize, secret: &str, header: &Value, mut claims: Value) -> String {
    let head = BASE64.encode(header.to_string());
    let message = format!("{head}.{}", BASE64.encode(claims.to_string()));
    let signature = match sign {
        Sign::Right | Sign::Changed => by_key(key, &message),
        Sign::OtherKey => by_key(1 - key, &message),
        Sign::PublicKeyAsSecret => hmac(&modulus(key).0, &message),
        Sign::ClientSecret => hmac(secret.as_bytes(), &message),
        Sign::Nothing => Vec::new(),
    };
    if sign == Sign::Changed {
        claims["sub"] = Value::from("somebody-else");
    }
    format!(
        "{head}.{}.{}",
        BASE64.encode(claims.to_string()),
        BASE64.encode(signature)
    )
}
