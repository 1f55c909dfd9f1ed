//! Signed tokens (JWS) as providers send them, and the keys that they are checked with. No I/O.
//!
//! Only signatures of a public key are understood: there is no code here that could take a token for signed that is not, or
//! that is signed with a shared secret. What the token itself says about its key (jwk, jku, x5c, x5u) is never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Refused;

/// The most bytes of a token.
const TOKEN_MOST: usize = 64 << 10;
/// The most keys that are looked at.
const KEYS_MOST: usize = 64;

/// What signs tokens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    const ALL: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    fn read(name: &str) -> Result<Self, Refused> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).take(20).collect();
            Refused::Algorithm(shown)
        })
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }

    /// The hash that belongs to it, for `at_hash`.
    pub(in super::super) fn hash(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &ring::digest::SHA256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => &ring::digest::SHA384,
            Self::Rs512 | Self::Ps512 | Self::EdDsa => &ring::digest::SHA512,
        }
    }
}

enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

struct Key {
    kid: Option<String>,
    alg: Option<String>,
    public: Public,
}

/// A key as it is published.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Published {
    /// None for a key that is not for signing, or of a kind that is not understood.
    fn key(self) -> Option<Key> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| BASE64.decode(text?.trim_end_matches('=')).ok();
        let point = |size: usize, x: Option<String>, y: Option<String>| {
            let (x, y) = (bytes(x)?, bytes(y)?);
            (x.len() == size && y.len() == size).then(|| [&[4u8][..], &x, &y].concat())
        };
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let bare = |bytes: Vec<u8>| bytes.into_iter().skip_while(|b| *b == 0).collect();
                Public::Rsa {
                    n: bare(bytes(self.n)?),
                    e: bare(bytes(self.e)?),
                }
            }
            ("EC", Some("P-256")) => Public::P256(point(32, self.x, self.y)?),
            ("EC", Some("P-384")) => Public::P384(point(48, self.x, self.y)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(self.x)?),
            _ => return None,
        };
        Some(Key {
            kid: self.kid,
            alg: self.alg,
            public,
        })
    }
}

/// The keys that a provider publishes.
pub(in super::super) struct Keys(Vec<Key>);

impl Keys {
    /// Reads a key set; none where it is not one. Keys that are not understood are left out.
    pub(in super::super) fn read(bytes: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(bytes).ok()?;
        let keys = set.get("keys")?.as_array()?.iter().take(KEYS_MOST);
        let keys = keys.filter_map(|key| Published::deserialize(key).ok()?.key());
        Some(Self(keys.collect()))
    }

    /// True where a token with this key id could be checked.
    pub(in super::super) fn knows(&self, kid: Option<&str>) -> bool {
        match kid {
            Some(kid) => self.0.iter().any(|key| key.kid.as_deref() == Some(kid)),
            None => !self.0.is_empty(),
        }
    }
}

impl Key {
    fn fits(&self, header: &Header) -> bool {
        let named = header.kid.is_none() || self.kid == header.kid;
        let meant = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        named && meant
    }

    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let done = match (&self.public, algorithm) {
            (Public::Rsa { n, e }, _) => match algorithm.rsa() {
                Some(parameters) => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature),
                None => return false,
            },
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Public::P384(point), Algorithm::Es384) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Public::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        done.is_ok()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that was taken apart and is not checked yet: nothing of its content can be seen.
pub(in super::super) struct Unchecked<'t> {
    header: Header,
    algorithm: Algorithm,
    message: &'t str,
    signature: Vec<u8>,
}

/// A token whose signature is right.
pub(in super::super) struct Checked {
    pub algorithm: Algorithm,
    pub claims: Map<String, Value>,
}

impl<'t> Unchecked<'t> {
    /// Takes a token apart. `kinds` are the values of `typ` that it may have; it may also have none.
    pub(in super::super) fn read(token: &'t str, kinds: &[&str]) -> Result<Self, Refused> {
        if token.len() > TOKEN_MOST {
            return Err(Refused::Large);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (head, body) = message.split_once('.').ok_or(Refused::Malformed)?;
        if body.contains('.') {
            return Err(Refused::Malformed);
        }
        let head = BASE64.decode(head).map_err(|_| Refused::Malformed)?;
        let header: Header = serde_json::from_slice(&head).map_err(|_| Refused::Malformed)?;
        let algorithm = Algorithm::read(&header.alg)?;
        if header.crit.is_some() {
            return Err(Refused::Critical);
        }
        let is_kind = |typ: &str| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(typ));
        if header.typ.as_deref().is_some_and(|typ| !is_kind(typ)) {
            return Err(Refused::Kind);
        }
        Ok(Self {
            algorithm,
            header,
            message,
            signature: BASE64.decode(signature).map_err(|_| Refused::Malformed)?,
        })
    }

    pub(in super::super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Checks the signature; the content can be read only after that.
    pub(in super::super) fn check(&self, keys: &Keys) -> Result<Checked, Refused> {
        if !keys.knows(self.kid()) {
            return Err(Refused::UnknownKey);
        }
        let message = self.message.as_bytes();
        let mut fitting = keys.0.iter().filter(|key| key.fits(&self.header));
        if !fitting.any(|key| key.has_signed(self.algorithm, message, &self.signature)) {
            return Err(Refused::Signature);
        }
        let body = self.message.split_once('.').map_or("", |(_, body)| body);
        let body = BASE64.decode(body).map_err(|_| Refused::Malformed)?;
        Ok(Checked {
            algorithm: self.algorithm,
            claims: serde_json::from_slice(&body).map_err(|_| Refused::Malformed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::KeyPair as _;

    use super::*;

    fn token(header: &str, body: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(body));
        let signature = BASE64.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    #[test]
    fn only_the_published_key_opens_a_token() {
        let pair = |seed: u8| signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let (mine, other) = (pair(1), pair(2));
        let x = BASE64.encode(mine.public_key());
        let set = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"s","k":"AA"}},{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}},
               {{"kty":"OKP","crv":"Ed25519","kid":"e","use":"enc","x":"{x}"}},3]}}"#
        );
        let keys = Keys::read(set.as_bytes()).unwrap();
        assert!(keys.knows(Some("a")) && !keys.knows(Some("s")) && !keys.knows(Some("e")));
        let sign = |pair: &signature::Ed25519KeyPair, header: &str| {
            token(header, r#"{"sub":"x"}"#, |m| pair.sign(m).as_ref().to_vec())
        };
        let open = |token: &str| {
            let read = Unchecked::read(token, &["JWT"])?;
            read.check(&keys).map(|checked| checked.claims["sub"].clone())
        };
        assert_eq!(
            open(&sign(&mine, r#"{"alg":"EdDSA","kid":"a","typ":"jwt"}"#)),
            Ok(Value::from("x"))
        );
        assert_eq!(
            open(&sign(&mine, r#"{"alg":"EdDSA"}"#)),
            Ok(Value::from("x")),
            "without a key id"
        );
        let refused = |token: String| open(&token).unwrap_err();
        assert_eq!(
            refused(sign(&other, r#"{"alg":"EdDSA","kid":"a"}"#)),
            Refused::Signature
        );
        assert_eq!(
            refused(sign(&mine, r#"{"alg":"EdDSA","kid":"b"}"#)),
            Refused::UnknownKey
        );
        assert_eq!(refused(sign(&mine, r#"{"alg":"RS256","kid":"a"}"#)), Refused::Signature);
        for alg in ["none", "None", "HS256", "RSA1_5", ""] {
            let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
            assert!(matches!(refused(sign(&mine, &header)), Refused::Algorithm(_)), "{alg}");
        }
        assert_eq!(
            refused(sign(&mine, r#"{"alg":"EdDSA","kid":"a","crit":["b64"]}"#)),
            Refused::Critical
        );
        assert_eq!(
            refused(sign(&mine, r#"{"alg":"EdDSA","kid":"a","typ":"at+jwt"}"#)),
            Refused::Kind
        );
        let good = sign(&mine, r#"{"alg":"EdDSA","kid":"a"}"#);
        let (message, _) = good.rsplit_once('.').unwrap();
        assert_eq!(refused(format!("{message}.")), Refused::Signature);
        for odd in ["", "a", "a.b", "a.b.c", "..", &format!("{good}.x"), &format!("{good}=")] {
            assert!(open(odd).is_err(), "{odd}");
        }
        assert_eq!(refused("a".repeat(70_000)), Refused::Large);
        assert!(Keys::read(b"[]").is_none() && Keys::read(b"{}").is_none());
    }
}
