//! Asking other sites: one client with one policy for every room that does.
//!
//! Addresses are looked at after their name was resolved, and the connection goes to what was looked at. Redirects are not
//! followed. Time and size of every answer are limited. TLS trusts the usual authorities, and those of a file if one is named.

mod address;
mod place;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

use self::address::is_public;
pub use self::place::{Place, encoded, form};
use super::error::{Error, Result};
use super::program;

/// Bytes that the head of an answer may have.
const HEAD_MOST: usize = 64 << 10;

/// What may be asked, and how long and how much it may answer.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Addresses of private networks and of this machine are fine.
    pub private: bool,
    /// Without TLS is fine, to any host. This machine may always be asked without.
    pub plain: bool,
    /// From the look-up of the name to the last byte.
    pub timeout: Duration,
    /// Bytes that an answer may have.
    pub most: usize,
    /// A file of certificates (PEM) that are trusted beside the usual ones.
    pub authorities: Option<PathBuf>,
}

/// Why there is no answer. Each says its cause in words that anybody may see; what only who looks after the house should
/// see is in [`Fault::whole`]. The caller adds who was asked and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("\"{0}\" is no address that can be asked; it is written https://host/path")]
    Address(String),
    #[error("{0} would be asked without TLS; its address must begin with https://")]
    Plain(String),
    #[error("the name {0} is not known")]
    Name(String, String),
    #[error("{0} is in a private network, which is not allowed by the settings")]
    Private(String, std::net::IpAddr),
    #[error("{0} takes no connection")]
    Connect(String, std::io::Error),
    #[error("the connection to {0} is not safe")]
    Tls(String, std::io::Error),
    #[error("{0} did not answer within {1} s")]
    Slow(String, u64),
    #[error("{0} answered with more than {1} bytes")]
    Large(String, usize),
    #[error("{0} answered with a redirect (status {1}), and redirects are not followed")]
    Redirect(String, u16),
    #[error("{0} broke the answer off")]
    Broken(String, String),
}

impl Fault {
    /// With what the machine said, for logs and for `app doctor`.
    pub fn whole(&self) -> String {
        match self {
            Self::Private(_, address) => format!("{self} ({address})"),
            Self::Connect(_, why) | Self::Tls(_, why) => format!("{self}: {why}"),
            Self::Name(_, why) | Self::Broken(_, why) => format!("{self}: {why}"),
            _ => self.to_string(),
        }
    }
}

/// What to ask.
#[derive(Clone, Debug)]
pub struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    pub fn get(url: &str) -> Self {
        Self {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
    /// Sends a body; its kind is a header of the caller.
    pub fn post(url: &str, body: Bytes) -> Self {
        let mut ask = Self::get(url);
        ask.method = Method::POST;
        ask.body = body;
        ask
    }
    /// Sends pairs as a form.
    pub fn form(url: &str, pairs: &[(&str, &str)]) -> Self {
        let mut ask = Self::post(url, form(pairs).into());
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        ask.headers.insert(CONTENT_TYPE, kind);
        ask
    }
    /// Adds a header. One whose value cannot be sent is left out: the answer will say that it is missing.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// What was answered; never a redirect.
#[derive(Clone, Debug)]
pub struct Got {
    pub status: StatusCode,
    pub body: Bytes,
}

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct Fetch {
    tls: TlsConnector,
    policy: Policy,
}

impl Fetch {
    /// # Errors
    /// A file of authorities that cannot be read or holds no certificate.
    pub fn new(policy: Policy) -> Result<Self> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(file) = &policy.authorities {
            let wrong = |why: String| {
                let text = format!("the file {} cannot be used: {why}", file.display());
                Error::invalid("ca_file", text)
            };
            let before = roots.len();
            for certificate in CertificateDer::pem_file_iter(file).map_err(|e| wrong(e.to_string()))? {
                let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
                roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
            }
            if roots.len() == before {
                return Err(wrong("it holds no certificate in PEM form".to_owned()));
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            policy,
        })
    }

    /// Asks, within the policy.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn send(&self, ask: Ask) -> Result<Got, Fault> {
        let place = Place::read(&ask.url)?;
        if !place.secure && !self.policy.plain && !place.is_local() {
            return Err(Fault::Plain(place.host));
        }
        let limit = self.policy.timeout;
        match tokio::time::timeout(limit, self.exchange(&place, ask)).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::Slow(place.host, limit.as_secs())),
        }
    }

    async fn exchange(&self, place: &Place, ask: Ask) -> Result<Got, Fault> {
        let host = || place.host.clone();
        let addresses = self.resolve(place).await?;
        let stream = TcpStream::connect(&addresses[..])
            .await
            .map_err(|e| Fault::Connect(host(), e))?;
        if !place.secure {
            return self.talk(stream, place, ask).await;
        }
        let name = ServerName::try_from(place.host.clone()).map_err(|e| Fault::Name(host(), e.to_string()))?;
        let stream = self.tls.connect(name, stream).await;
        self.talk(stream.map_err(|e| Fault::Tls(host(), e))?, place, ask).await
    }

    /// The addresses of a host; an address that is not allowed spoils all, since a name that has both kinds is a trap.
    async fn resolve(&self, place: &Place) -> Result<Vec<SocketAddr>, Fault> {
        let found = tokio::net::lookup_host((place.host.as_str(), place.port)).await;
        let unknown = |why: String| Fault::Name(place.host.clone(), why);
        let found: Vec<SocketAddr> = found.map_err(|e| unknown(e.to_string()))?.collect();
        if found.is_empty() {
            return Err(unknown("it has no address".to_owned()));
        }
        match found.iter().find(|address| !is_public(address.ip())) {
            Some(private) if !self.policy.private => Err(Fault::Private(place.host.clone(), private.ip())),
            _ => Ok(found),
        }
    }

    async fn talk<S>(&self, stream: S, place: &Place, ask: Ask) -> Result<Got, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |why: hyper::Error| Fault::Broken(place.host.clone(), why.to_string());
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD_MOST)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let mut request = Request::new(Full::new(ask.body));
        *request.method_mut() = ask.method;
        *request.uri_mut() = place.target.clone();
        *request.headers_mut() = ask.headers;
        let agent = format!("Vitrine/{}", program::VERSION);
        for (name, value) in [(HOST, place.authority.as_str()), (USER_AGENT, agent.as_str())] {
            let value = HeaderValue::from_str(value).map_err(|_| Fault::Address(place.host.clone()))?;
            request.headers_mut().insert(name, value);
        }
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        if head.status.is_redirection() {
            return Err(Fault::Redirect(place.host.clone(), head.status.as_u16()));
        }
        let most = self.policy.most;
        let body = Limited::new(body, most).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Fault::Large(place.host.clone(), most)
            } else {
                Fault::Broken(place.host.clone(), error.to_string())
            }
        })?;
        Ok(Got {
            status: head.status,
            body: body.to_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_must_not_be_asked_is_not() {
        let policy = Policy {
            private: false,
            plain: false,
            timeout: Duration::from_secs(5),
            most: 100,
            authorities: None,
        };
        let fetch = Fetch::new(policy.clone()).unwrap();
        let why = async |fetch: &Fetch, url: &str| fetch.send(Ask::get(url)).await.unwrap_err();
        assert!(matches!(why(&fetch, "http://127.0.0.1:1/").await, Fault::Private(..)));
        assert!(matches!(why(&fetch, "https://[::1]/").await, Fault::Private(..)));
        assert!(matches!(why(&fetch, "http://192.0.2.1/").await, Fault::Plain(..)));
        for odd in [
            "ftp://x/",
            "https://a@b/",
            "x",
            "https:///x",
            "https://a/#b",
            "https://a b/",
        ] {
            assert!(matches!(why(&fetch, odd).await, Fault::Address(..)), "{odd}");
        }
        let private = Fetch::new(Policy {
            private: true,
            ..policy.clone()
        });
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let shut = why(&private.unwrap(), &format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(shut, Fault::Connect(..)), "{shut}");
        let none = Fetch::new(Policy {
            authorities: Some(PathBuf::from("none.pem")),
            ..policy
        });
        assert!(none.is_err_and(|e| e.detail().contains("none.pem")));
    }
}
