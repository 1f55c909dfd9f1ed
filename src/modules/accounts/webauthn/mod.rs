//! Passkeys (Web Authentication, level 2): what a browser hands over, taken apart and checked. No I/O.
//!
//! Who made an authenticator is not asked for, so a registration proves only that its key is at hand; each later use is
//! a signature over our challenge, checked by `ring`.

mod cbor;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use cbor::Value;

/// The most bytes of each part that is handed over.
const PART_MOST: usize = 16 * 1024;
/// The most bytes of an authenticator's name for itself.
const CREDENTIAL_MOST: usize = 1023;

/// Kinds of signature by their numbers in COSE, those we like most first: ES256, `EdDSA`, RS256.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Somebody was there; the authenticator knows by PIN, finger or face that it was its owner.
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
/// A key is in it.
const ATTESTED: u8 = 64;

/// Why something is not taken.
pub(super) type Wrong = &'static str;

/// The house as authenticators know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// The host name: keys of one host open no other.
    pub id: String,
    /// Scheme, host and port of its pages.
    pub origin: String,
}

impl Site {
    /// Of the address where people reach the house. None where passkeys cannot be: on a bare address, or without https
    /// elsewhere than on this machine.
    pub(super) fn of(public_url: &str) -> Option<Self> {
        let (scheme, rest) = public_url.split_once("://")?;
        let host = if rest.starts_with('[') {
            return None;
        } else {
            rest.split([':', '/']).next()?
        };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        let usual = if scheme == "https" { ":443" } else { ":80" };
        // Browsers leave the usual port out.
        let origin = public_url.trim_end_matches('/').trim_end_matches(usual);
        (!host.is_empty() && !is_address && (scheme == "https" || is_local)).then(|| Self {
            id: host.to_ascii_lowercase(),
            origin: origin.to_ascii_lowercase(),
        })
    }
}

/// A public key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub algorithm: i64,
    /// Hexadecimal digits; of RSA two numbers with a colon between.
    pub public: String,
}

/// A new passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// Hexadecimal digits.
    pub credential: String,
    pub key: Key,
    pub signs: i64,
}

/// What a browser says that it was asked.
#[derive(Debug, Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

/// A challenge as browsers write it.
pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes from hexadecimal digits.
pub(super) fn bytes(digits: &str) -> Result<Vec<u8>, Wrong> {
    if digits.len() > 2 * PART_MOST {
        return Err("what the browser sent is too long");
    }
    hex::decode(digits).map_err(|_| "what the browser sent is no hexadecimal text")
}

/// The challenge that was signed, from what the browser says; the rest of it is checked.
pub(super) fn challenge(client_data: &[u8], kind: &str, site: &Site) -> Result<String, Wrong> {
    let said: ClientData =
        serde_json::from_slice(client_data).map_err(|_| "what the browser says about itself is not understood")?;
    if said.kind != kind {
        return Err("this is an answer to another question");
    }
    if said.origin.to_ascii_lowercase() != site.origin || said.cross_origin {
        return Err("it was made on a page of another site");
    }
    if said.challenge.len() > 200 {
        return Err("its challenge is none of ours");
    }
    Ok(said.challenge)
}

/// What every authenticator says first.
struct Head<'a> {
    flags: u8,
    signs: i64,
    rest: &'a [u8],
}

fn head<'a>(data: &'a [u8], site: &Site, must_verify: bool) -> Result<Head<'a>, Wrong> {
    const SHORT: Wrong = "what the authenticator says ends too early";
    let (house, rest) = data.split_at_checked(32).ok_or(SHORT)?;
    let (flags, rest) = rest.split_first().ok_or(SHORT)?;
    let (signs, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    if house != Sha256::digest(site.id.as_bytes()).as_slice() {
        return Err("it is for another site");
    }
    if flags & PRESENT == 0 {
        return Err("nobody was there");
    }
    if must_verify && flags & VERIFIED == 0 {
        return Err("the device did not ask for a PIN, a finger or a face");
    }
    Ok(Head {
        flags: *flags,
        signs: i64::from(u32::from_be_bytes(*signs)),
        rest,
    })
}

/// A registration.
pub(super) fn made(attestation: &[u8], site: &Site) -> Result<Made, Wrong> {
    const ODD: Wrong = "what the authenticator says is not understood";
    let (object, _) = cbor::read(attestation).ok_or(ODD)?;
    let data = object.bytes(&Value::Text("authData")).ok_or(ODD)?;
    let head = head(data, site, true)?;
    if head.flags & ATTESTED == 0 {
        return Err("there is no key in it");
    }
    let (_model, rest) = head.rest.split_at_checked(16).ok_or(ODD)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(ODD)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > CREDENTIAL_MOST {
        return Err("the authenticator's name for itself is empty or too long");
    }
    let (credential, rest) = rest.split_at_checked(length).ok_or(ODD)?;
    let (key, _) = cbor::read(rest).ok_or(ODD)?;
    Ok(Made {
        credential: hex::encode(credential),
        key: key_of(&key).ok_or("its key is of a kind that is not known here")?,
        signs: head.signs,
    })
}

/// A public key in COSE's form.
fn key_of(key: &Value<'_>) -> Option<Key> {
    let algorithm = key.number(3)?;
    let part = |n: i64| key.bytes(&Value::Number(n));
    let public = match (key.number(1)?, algorithm) {
        (2, ES256) if key.number(-1) == Some(1) => {
            let (x, y) = (part(-2)?, part(-3)?);
            (x.len() == 32 && y.len() == 32).then(|| format!("04{}{}", hex::encode(x), hex::encode(y)))?
        }
        (1, EDDSA) if key.number(-1) == Some(6) => part(-2).filter(|x| x.len() == 32).map(hex::encode)?,
        (3, RS256) => {
            let (n, e) = (part(-1)?, part(-2)?);
            ((256..=1024).contains(&n.len()) && e.len() <= 8)
                .then(|| format!("{}:{}", hex::encode(n), hex::encode(e)))?
        }
        _ => return None,
    };
    Some(Key { algorithm, public })
}

/// A use: the signature is right. Answers how often the authenticator says it has signed.
pub(super) fn shown(
    authenticator: &[u8],
    client_data: &[u8],
    signature: &[u8],
    key: &Key,
    site: &Site,
    must_verify: bool,
) -> Result<i64, Wrong> {
    let head = head(authenticator, site, must_verify)?;
    let mut message = authenticator.to_vec();
    message.extend_from_slice(&Sha256::digest(client_data));
    if is_signed(key, &message, signature) {
        Ok(head.signs)
    } else {
        Err("the signature is not right")
    }
}

fn is_signed(key: &Key, message: &[u8], signature: &[u8]) -> bool {
    let public = |text: &str| hex::decode(text).unwrap_or_default();
    let by = |algorithm: &'static dyn signature::VerificationAlgorithm| {
        UnparsedPublicKey::new(algorithm, public(&key.public)).verify(message, signature)
    };
    let checked = match key.algorithm {
        ES256 => by(&signature::ECDSA_P256_SHA256_ASN1),
        EDDSA => by(&signature::ED25519),
        RS256 => match key.public.split_once(':') {
            Some((n, e)) => RsaPublicKeyComponents {
                n: public(n),
                e: public(e),
            }
            .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
            None => return false,
        },
        _ => return false,
    };
    checked.is_ok()
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;

    fn site() -> Site {
        Site::of("https://museum.example").unwrap()
    }

    /// What an authenticator says: host, flags, count.
    fn data(host: &str, flags: u8, signs: u32) -> Vec<u8> {
        let mut data = Sha256::digest(host.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&signs.to_be_bytes());
        data
    }

    fn pair() -> (EcdsaKeyPair, SystemRandom) {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).unwrap();
        (pair, random)
    }

    fn attestation(auth: &[u8]) -> Vec<u8> {
        // {"fmt": "none", "attStmt": {}, "authData": h'…'}
        let mut out = hex::decode("a363666d74646e6f6e656761747453746d74a068617574684461746159").unwrap();
        out.extend_from_slice(&u16::try_from(auth.len()).unwrap().to_be_bytes());
        out.extend_from_slice(auth);
        out
    }

    fn registration(public: &[u8], flags: u8) -> Vec<u8> {
        let mut auth = data("museum.example", flags, 1);
        auth.extend_from_slice(&[0; 16]);
        auth.extend_from_slice(&[0, 4, 1, 2, 3, 4]);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        auth.extend_from_slice(&hex::decode("a5010203262001215820").unwrap());
        auth.extend_from_slice(&public[1..33]);
        auth.extend_from_slice(&hex::decode("225820").unwrap());
        auth.extend_from_slice(&public[33..]);
        attestation(&auth)
    }

    #[test]
    fn a_key_is_made_and_shown() {
        let (pair, random) = pair();
        let public = pair.public_key().as_ref();
        let made = made(&registration(public, 0x45), &site()).unwrap();
        assert_eq!((made.credential.as_str(), made.signs), ("01020304", 1));
        assert_eq!(made.key.public, hex::encode(public));
        let client = br#"{"type":"webauthn.get","challenge":"abc","origin":"https://museum.example"}"#;
        assert_eq!(challenge(client, "webauthn.get", &site()), Ok("abc".to_owned()));
        let sign = |auth: &[u8]| {
            let mut message = auth.to_vec();
            message.extend_from_slice(&Sha256::digest(client));
            pair.sign(&random, &message).unwrap().as_ref().to_vec()
        };
        let auth = data("museum.example", 5, 7);
        let signature = sign(&auth);
        assert_eq!(shown(&auth, client, &signature, &made.key, &site(), true), Ok(7));
        // Each part that differs breaks it.
        let mut other = auth.clone();
        other[36] ^= 1;
        assert!(shown(&other, client, &signature, &made.key, &site(), true).is_err());
        assert!(shown(&auth, b"{}", &signature, &made.key, &site(), true).is_err());
        assert!(shown(&auth, client, &[], &made.key, &site(), true).is_err());
        let elsewhere = data("evil.example", 5, 8);
        assert!(shown(&elsewhere, client, &sign(&elsewhere), &made.key, &site(), true).is_err());
        let unverified = data("museum.example", 1, 8);
        let signature = sign(&unverified);
        assert!(shown(&unverified, client, &signature, &made.key, &site(), true).is_err());
        assert_eq!(shown(&unverified, client, &signature, &made.key, &site(), false), Ok(8));
        let absent = data("museum.example", 4, 8);
        assert!(shown(&absent, client, &sign(&absent), &made.key, &site(), false).is_err());
    }

    #[test]
    fn what_is_odd_is_refused() {
        let (pair, _) = pair();
        let public = pair.public_key().as_ref();
        assert!(
            made(&registration(public, 0x41), &site()).is_err(),
            "nobody was asked who they are"
        );
        assert!(made(&registration(public, 0x05), &site()).is_err(), "no key in it");
        let whole = registration(public, 0x45);
        for end in 0..whole.len() {
            assert!(made(&whole[..end], &site()).is_err(), "cut at {end}");
        }
        for (at, kind, origin, cross) in [
            ("webauthn.get", "webauthn.create", "https://museum.example", false),
            ("webauthn.get", "webauthn.get", "https://evil.example", false),
            ("webauthn.get", "webauthn.get", "http://museum.example", false),
            ("webauthn.get", "webauthn.get", "https://museum.example:444", false),
            ("webauthn.get", "webauthn.get", "https://museum.example", true),
        ] {
            let said = serde_json::json!({"type": kind, "challenge": "x", "origin": origin, "crossOrigin": cross});
            assert!(challenge(said.to_string().as_bytes(), at, &site()).is_err(), "{said}");
        }
        assert!(challenge(b"\xff", "webauthn.get", &site()).is_err());
        assert!(bytes("0g").is_err() && bytes(&"00".repeat(20_000)).is_err());
    }

    #[test]
    fn passkeys_need_a_name_and_protection() {
        let id = |url: &str| Site::of(url).map(|site| site.id);
        assert_eq!(id("https://Museum.example:8443").as_deref(), Some("museum.example"));
        assert_eq!(id("http://localhost:8080").as_deref(), Some("localhost"));
        let origin = |url: &str| Site::of(url).map(|site| site.origin);
        assert_eq!(origin("https://m.example:443").as_deref(), Some("https://m.example"));
        assert_eq!(
            origin("https://m.example:8443").as_deref(),
            Some("https://m.example:8443")
        );
        for bad in [
            "http://museum.example",
            "https://192.0.2.1",
            "https://[::1]:80",
            "http://127.0.0.1:80",
            "x",
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }
}
