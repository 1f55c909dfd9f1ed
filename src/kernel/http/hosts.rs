//! Which host names are served and which origins may change things. Stops DNS rebinding and cross-site requests.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::kernel::config::Config;
use crate::kernel::error::{Code, Error, Result};

/// The names this web role answers to.
pub(super) struct Hosts {
    names: Vec<String>,
    /// Bound to every address of the machine: any address is right then, since rebinding needs a name.
    any_address: bool,
    /// `https://host[:port]` of the public address.
    origin: String,
}

impl Hosts {
    pub(super) fn new(config: &Config, public_url: &str) -> Self {
        let origin = origin_of(public_url);
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        let bind = name_of(&config.http.bind).to_ascii_lowercase();
        let any_address = matches!(bind.as_str(), "0.0.0.0" | "[::]" | "");
        names.push(bind);
        names.extend(
            origin
                .split_once("://")
                .map(|(_, authority)| name_of(authority).to_ascii_lowercase()),
        );
        names.extend(config.http.hosts.iter().map(|host| name_of(host).to_ascii_lowercase()));
        Self {
            names,
            any_address,
            origin,
        }
    }

    fn serves(&self, authority: &str) -> bool {
        let name = name_of(authority).trim_end_matches('.').to_ascii_lowercase();
        let address = || {
            name.trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>()
                .is_ok()
        };
        self.names.contains(&name) || name.ends_with(".localhost") || (self.any_address && address())
    }

    /// Refuses a host name that is not ours.
    pub(super) fn check_host(&self, parts: &Parts) -> Result<()> {
        let Some(authority) = authority(parts) else {
            return Err(Error::new(
                Code::BadRequest,
                "The request names no host. Send the header Host.",
            ));
        };
        if self.serves(authority) {
            return Ok(());
        }
        let shown: String = name_of(authority).chars().take(100).collect();
        Err(Error::new(
            Code::BadHost,
            format!("\"{shown}\" is not served here. Add it to the setting http.hosts, or set http.public_url."),
        ))
    }

    /// Refuses an unsafe method that a page of another site sent. Browsers say where a request comes from; programs
    /// that are no browser say nothing and carry no cookie by themselves.
    pub(super) fn check_origin(&self, parts: &Parts) -> Result<()> {
        if parts.method.is_safe() {
            return Ok(());
        }
        let refused = || {
            Error::new(
                Code::BadOrigin,
                "A page of another site sent this. Open the form here and send it again; programs use a token instead.",
            )
        };
        match text(&parts.headers, "sec-fetch-site") {
            Some("same-origin" | "none") => return Ok(()),
            Some(_) => return Err(refused()),
            None => {}
        }
        let Some(origin) = text(&parts.headers, "origin") else {
            return Ok(());
        };
        let same_host = origin.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https") && authority(parts).is_some_and(|a| a.eq_ignore_ascii_case(rest))
        });
        if same_host || origin.eq_ignore_ascii_case(&self.origin) {
            Ok(())
        } else {
            Err(refused())
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// `host[:port]` that the client asked for: the target of HTTP/2 and of absolute requests, else the header.
fn authority(parts: &Parts) -> Option<&str> {
    let target = parts.uri.authority().map(axum::http::uri::Authority::as_str);
    let mut given = parts.headers.get_all(header::HOST).iter();
    let host = given.next().and_then(|value| value.to_str().ok());
    if given.next().is_some() {
        return Some("several");
    }
    target.or(host).filter(|authority| !authority.is_empty())
}

/// The name of `host[:port]`, brackets of an address kept.
fn name_of(authority: &str) -> &str {
    if let Some(end) = authority.find(']') {
        return &authority[..=end];
    }
    authority.rsplit_once(':').map_or(authority, |(name, _)| name)
}

fn origin_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{authority}").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authority: &str, want: &str) {
        assert_eq!(name_of(authority), want);
    }

    #[test]
    fn names_are_cut_from_their_ports() {
        check("localhost:8080", "localhost");
        check("localhost", "localhost");
        check("[::1]:8080", "[::1]");
        check("[::]", "[::]");
        check("example.org", "example.org");
        assert_eq!(origin_of("https://Example.org/path"), "https://example.org");
    }
}
