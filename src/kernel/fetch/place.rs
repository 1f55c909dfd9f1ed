//! Addresses of other sites, taken apart before anything is asked; and values put into addresses and forms. No I/O.

use std::net::IpAddr;

use hyper::Uri;

use super::Fault;

/// The most bytes of an address.
const MOST: usize = 8 << 10;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Over TLS.
    pub secure: bool,
    /// Without brackets.
    pub host: String,
    pub port: u16,
    /// `host[:port]` as it was written.
    pub authority: String,
    /// Path and query.
    pub(super) target: Uri,
}

impl Place {
    /// Takes `https://host[:port][/path]` apart. No user, no fragment.
    ///
    /// # Errors
    /// [`Fault::Address`].
    pub fn read(url: &str) -> Result<Self, Fault> {
        let wrong = || Fault::Address(url.chars().take(200).collect());
        if url.len() > MOST || url.contains(['#', '@', '\\']) || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong());
        }
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong());
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            target: target.parse().map_err(|_| wrong())?,
        })
    }

    /// True for this machine itself.
    pub fn is_local(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// A text as a value of an address or a form.
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `key=value&…`
pub fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let place = Place::read("https://Login.Example:8443/realms/a?x=1").unwrap();
        assert_eq!(
            (place.host.as_str(), place.port, place.secure),
            ("login.example", 8443, true)
        );
        assert_eq!(place.target, "/realms/a?x=1");
        assert_eq!(Place::read("http://[::1]").unwrap().port, 80);
        assert!(Place::read("http://[::1]").unwrap().is_local());
        assert!(!place.is_local());
        assert_eq!(form(&[("a b", "c&d=é/")]), "a%20b=c%26d%3D%C3%A9%2F");
    }
}
